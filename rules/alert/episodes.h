#ifndef SPAN25_RULES_ALERT_EPISODES_H
#define SPAN25_RULES_ALERT_EPISODES_H
/* episodes - the tables of alerts: open episodes, their rules, latest hosts
 *
 * Episodes are found by rule and subject, by idleness, by when they were last
 * told of, and by what they share with others. All hashes are keyed; numbers of
 * slots stay the same while an episode is open. */
#include "rules/alert/alerts.h"
#include "rules/alert/links.h"
#include "rules/alert/subject.h"

#define EPISODES_BUCKETS 131072U /* of each table, a power of two */
#define EPISODES_TAGS    32U     /* of a rule */
#define EPISODES_TEXT    256U    /* bytes of a text of a rule */

/* What related episodes may have in common; the order is that of telling. */
#define SHARE_MAP(X)                                                           \
    X(CLUSTER, "cluster")                                                      \
    X(HELO, "helo")                                                            \
    X(DIALECT, "dialect")                                                      \
    X(SITE, "site")

enum share {
#define SHARE_ENUM(id, word) SHARE_##id,
    SHARE_MAP(SHARE_ENUM)
#undef SHARE_ENUM
        SHARE_COUNT
};

/* X(word), in the order of alert.evidence */
#define ROLE_MAP(X) X(FIRST, "first") X(WORST, "worst") X(LATEST, "latest")

enum role {
#define ROLE_ENUM(id, word) ROLE_##id,
    ROLE_MAP(ROLE_ENUM)
#undef ROLE_ENUM
        ROLE_COUNT
};

#define SIGHT_MAP(X)                                                           \
    X(FLOW, "flow")                                                            \
    X(HANDSHAKE, "handshake")                                                  \
    X(ENVELOPE, "envelope") X(HEADERS, "headers") X(TEXT, "text")

enum sight {
#define SIGHT_ENUM(id, word) SIGHT_##id,
    SIGHT_MAP(SIGHT_ENUM)
#undef SIGHT_ENUM
        SIGHT_COUNT
};

/* Kept once for all episodes of a rule and version of it. */
struct rule_kept {
    struct rule_kept *next; /* of the same bucket */
    size_t users;
    uint64_t hash;
    char *id, *title, *level, *pack;
    char *tags; /* techniques, a line each */
};

struct evidence {
    char event[17];
    uint8_t sight;
    ns_t when;
};

struct episode {
    struct subject subject;
    uint8_t server;     /* the subject is the server of the event */
    uint8_t registered; /* 0 not known, 1 registered, 2 not */
    uint8_t protected;
    uint8_t dirty;  /* something to tell when ALERTS_REPEAT is over */
    uint8_t recent; /* in the list of those told of lately */
    uint8_t mx;     /* the rule asked for host.hour.mx */
    uint8_t used;
    uint8_t told_severity;
    uint32_t next; /* of the same bucket */
    struct rule_kept *rule;
    uint64_t id; /* alert.id */
    ns_t first, last, told;
    uint64_t count, told_count;
    uint64_t worth, told_worth;
    uint64_t told_number;        /* of the telling, ascending: for snapshots */
    uint64_t share[SHARE_COUNT]; /* keyed hashes; 0: nothing */
    struct evidence evidence[ROLE_COUNT];
    char cluster[17];
    char *site, *reason, *matched; /* of the worst; NULL: none */
};

struct host_kept {
    struct subject subject;
    uint32_t next;
    uint32_t n;      /* bytes */
    uint8_t *record; /* checks_keep; NULL: the slot is free */
};

struct episodes {
    uint64_t seed;
    struct rule_kept **rules; /* buckets */
    struct episode *v;        /* from slot 1 on */
    uint32_t n, top, cap;     /* open; highest slot used; slots */
    uint32_t *free_slots, n_free;
    uint32_t *buckets;
    struct links idle, recent, shares[SHARE_COUNT];
    uint32_t *share_heads; /* EPISODES_BUCKETS of each share */
    struct host_kept *hosts;
    uint32_t n_hosts, hosts_cap;
    uint32_t *host_buckets;
    struct links host_age;
};

bool episodes_init(struct episodes *s, uint64_t seed);
void episodes_fini(struct episodes *s);

/* The kept copy of a rule; NULL: no memory. users is not raised. */
struct rule_kept *episodes_rule(struct episodes *s, const struct alert_rule *r);

/* Slot of the open episode, or 0. */
uint32_t episodes_find(const struct episodes *s, struct span rule_id,
                       const struct subject *subject);
/* A new one, as the least idle; 0: no memory. Not more than ALERTS_OPEN: the
 * caller closes one first. */
uint32_t episodes_open(struct episodes *s, struct rule_kept *rule,
                       const struct subject *subject);
void episodes_close(struct episodes *s, uint32_t slot);
/* It matched just now: the least idle. */
void episodes_touch(struct episodes *s, uint32_t slot);
/* It was told of just now. */
void episodes_told(struct episodes *s, uint32_t slot);
void episodes_not_recent(struct episodes *s, uint32_t slot);
void episodes_set_rule(struct episodes *s, uint32_t slot,
                       struct rule_kept *rule);
/* What it shares; an empty value: nothing. It comes first in its chain, also
 * where nothing changed: so chains stand in the order of the latest matches,
 * after a snapshot too. */
void episodes_set_share(struct episodes *s, uint32_t slot, enum share what,
                        struct span value);
/* The same by the hash, from a snapshot of the same seed. */
void episodes_join_share(struct episodes *s, uint32_t slot, enum share what,
                         uint64_t hash);
/* First of the chain of those that may share this, for walking by
 * s->shares[what].at[slot].next; those of other hashes are among them. */
uint32_t episodes_sharing(const struct episodes *s, uint32_t slot,
                          enum share what);

/* Keeps the latest event of a host; the oldest one goes when there are
 * ALERTS_HOSTS. False: no memory. */
bool episodes_host(struct episodes *s, const struct subject *subject,
                   struct span record);
/* Empty: none is known. */
struct span episodes_host_find(const struct episodes *s,
                               const struct subject *subject);

/* All of it, and into an empty one of the same seed. ERR_CORRUPT. */
void episodes_save(const struct episodes *s, struct buf *out);
MUST_USE enum err episodes_load(struct episodes *s, struct cursor *c);

/* Replaces a text by a copy, NULL where s is empty. False: no memory, and the
 * old one stays. */
bool episodes_text(char **to, struct span s);

#endif
