#ifndef SPAN25_RULES_STUDY_STUDY_STATE_H
#define SPAN25_RULES_STUDY_STUDY_STATE_H
/* study_state - what a study keeps while events go by; for the files of
 * rules/study
 *
 * Plain data without pointers in all arrays, so that a checkpoint is their
 * bytes. Indices are into the arrays of struct study. */
#include "rules/registry/slots.h"
#include "rules/study/study.h"

#define BINS        8 /* sizes of messages, study_size_words */
#define STUDY_RATED 30U
#define STUDY_WITH  5U
#define PARTS_MAX   2 /* before the holdout, and the holdout */
#define NONE        UINT32_MAX
#define TOLD_MAX    8192U  /* decisions that wait to be compared */
#define PARTED_MAX  65536U /* messages under way of which parts were told */
#define HOUR        (3600 * NS_PER_S)
#define DAY         (24 * HOUR)

/* A message by what it says for itself. */
enum raw { RAW_BAD, RAW_REST, RAW_COUNT };

/* Complete messages in the clear, by size: for shares. */
struct tally4 {
    uint32_t all, malicious, spam, both;
};
struct sizes {
    struct tally4 bin[BINS]; /* whole, and each part could be looked into */
    uint32_t framed[BINS], whole[BINS]; /* seen at all, seen whole: for q */
};

/* What a host sent in a part of the window. */
struct counts {
    uint32_t messages, delivered, recipients, refused, bad, malicious, judged;
    uint32_t bad_recipients, recipients_rest;
    uint32_t sessions, tls, tls_least, tls_most;
    uint32_t sent; /* messages whose text was on its way, or was accepted */
    uint32_t peak; /* sessions that ended within ten minutes, at most */
    uint64_t bytes;
};

struct host {
    struct addr addr;
    uint64_t lease; /* 0: none */
    uint32_t scope; /* what a stop of it would stop */
    uint32_t next;  /* of the same scope; NONE */
    bool registered, protected_;
    bool queueing, forgets; /* tries again; was seen not to */
    bool condemned; /* and nothing but a cap stood against stopping it */
    bool accused;   /* the rule of DETECTION 1.10 held */
    bool reviewed, touched; /* touched: in the hour's list */
    uint8_t label, device;
    uint16_t days;
    int32_t last_day;
    uint32_t ends;  /* sessions of the ten minutes in hand */
    uint64_t tenth; /* which: since 1970 */
    ns_t first, last, first_bad;
    ns_t seen; /* first event of all, warm-up too */
    char site[32], name[64], helo[64];
    struct counts counts[PARTS_MAX];
    struct sizes sizes[PARTS_MAX], hour;
};

/* Somebody outside who sent inward. */
struct outsider {
    struct addr addr;
    bool touched;
    struct sizes sizes, hour;
};

/* An address that a border can stop, and what each policy does to it. */
struct scope {
    struct addr addr;   /* of IPv6 the /64 */
    uint32_t first;     /* host; NONE */
    ns_t journal_until; /* a block of the journal was enforced until then */
};
struct stop {
    ns_t since, until; /* in force, of detector and alerts; until 0: none */
    ns_t refilled;     /* rate */
    double hour, day;  /* tokens */
    uint32_t alerts;
};

/* What a policy would have done to a host's messages. */
struct account {
    uint32_t stopped[RAW_COUNT], delivered[RAW_COUNT], rcpt[RAW_COUNT];
    uint32_t after[RAW_COUNT], after_rcpt[RAW_COUNT];
    uint32_t before[RAW_COUNT], before_rcpt[RAW_COUNT];
    uint32_t forever, briefly; /* of delivered[RAW_REST]: no retry in time */
    uint32_t blocks, tls_least, tls_most;
    float blocked_h;
    ns_t planned; /* end of the stop whose hours were added last; 0: none */
    double delay_h;
};

/* A policy as it is replayed: grace has two, for hosts that answer and others.
 */
struct variant {
    uint32_t policy;
    bool answered;
};

struct hour {
    uint64_t packets, dropped, seen, unseen;
    uint64_t sessions, tls, oneway;
    uint64_t messages[STUDY_GROUP_COUNT], bad;
    double covered;
    bool refused;
};

struct day {
    uint64_t messages, bad, malicious, recipients, senders, senders_new;
    uint64_t alerts, blocks, holds, attempts, attempts_blocked;
};

struct parted {
    uint64_t key; /* of flow and transaction; 0: free */
    uint32_t used;
    uint8_t classes;
    bool looked; /* each part could be inspected */
};

/* A decision, to compare. */
struct told {
    ns_t when;
    uint64_t what; /* hash of action, subject and step */
};

struct study {
    struct study_options o;
    const struct study_plan *plan;
    struct variant variants[2 * STUDY_POLICIES];
    size_t n_variants;
    uint32_t n_parts;

    struct host *hosts;
    struct outsider *outsiders;
    struct scope *scopes;
    struct stop *stops;       /* of a scope and variant */
    struct account *accounts; /* of a host, variant and part */
    ns_t *firsts;             /* of a host and variant: first stopped */
    size_t n_hosts, n_outsiders, n_scopes;
    size_t room_hosts, room_outsiders, room_scopes;
    struct slots by_host, by_outsider, by_scope;
    uint32_t *touched_hosts, *touched_outsiders; /* in the hour in hand */
    size_t n_touched_hosts, n_touched_outsiders;

    ns_t from, to, part; /* to 0: open; part: begin of the holdout */
    ns_t base;           /* of hours and days: the full hour and day */
    struct hour *hours;
    struct day *days;
    size_t n_hours, n_days;
    size_t hour; /* in hand */
    bool hour_open;
    ns_t sight; /* the last that told of packets */
    bool has_sight;
    struct parted *parted;
    uint32_t parted_at;
    struct told *told;
    uint32_t n_told;
    uint64_t journal_n, same_n, here_n;
    ns_t differ; /* first decision that differs; 0: none */
    char differ_text[160];

    /* the message in hand */
    bool has_judgement, judged, bad;

    uint64_t events, refused, late, weights_cut, parted_lost;
    uint64_t messages_refused; /* of hours that are refused */
    uint64_t holds[STUDY_DETECTORS];
    uint64_t alerts_n, alerts_bad; /* episodes of level 1 and 2 */
    uint64_t n_sessions, n_tls, n_oneway, n_seen, n_unseen;
    uint64_t q_framed[BINS], q_whole[BINS];
    ns_t first_event, last_event;
};

/* ---- hosts (study_hosts.c) ---- */

/* NONE: no room; counted. */
uint32_t study_host(struct study *s, const struct addr *a, uint64_t lease,
                    ns_t when);
uint32_t study_outsider(struct study *s, const struct addr *a);
/* Finds them again by address, when the arrays were loaded. */
bool study_index(struct study *s);
/* Known already, else NONE. */
uint32_t study_find_scope(const struct study *s, const struct addr *a);
uint32_t study_find_host(const struct study *s, const struct addr *a,
                         uint64_t lease);
struct addr study_scope_of(const struct addr *a);
/* A number in 0..1 that is the host's own. */
double study_draw(const struct study *s, const struct addr *a, uint64_t what);

static inline struct account *
study_account(const struct study *s, size_t host, size_t variant, size_t part)
{
    return &s->accounts[(host * s->n_variants + variant) * s->n_parts + part];
}

static inline struct stop *
study_stop(const struct study *s, size_t scope, size_t variant)
{
    return &s->stops[scope * s->n_variants + variant];
}

static inline ns_t *
study_first(const struct study *s, size_t host, size_t variant)
{
    return &s->firsts[host * s->n_variants + variant];
}

/* ---- replay (study_replay.c) ---- */

struct mail {
    ns_t when;
    uint32_t host;
    unsigned part;
    enum raw raw;
    bool delivered, registered;
    uint32_t recipients; /* accepted */
};
void study_replay_mail(struct study *s, const struct mail *m);
void study_replay_tls(struct study *s, uint32_t host, unsigned part, ns_t when,
                      uint32_t least, uint32_t most);
void study_replay_alert(struct study *s, const struct addr *a,
                        uint64_t severity, ns_t when);
void study_replay_block(struct study *s, unsigned detector,
                        const struct prefix *p, ns_t when, ns_t until);
void study_replay_lift(struct study *s, unsigned detector,
                       const struct prefix *p, ns_t when);

/* ---- time (study_window.c) ---- */

/* False: not in the window. Opens and closes hours. */
bool study_window(struct study *s, ns_t when, unsigned *part);
void study_close_hour(struct study *s);
struct hour *study_hour_at(struct study *s, ns_t when);
struct day *study_day_at(struct study *s, ns_t when);

/* ---- results (study_figures.c, study_policies.c, study_shares.c) ---- */

enum study_class study_class_of(const struct study *s, const struct host *h);
/* The variant of a policy that applies to this host. */
size_t study_variant_of(const struct study *s, size_t policy,
                        const struct host *h, enum study_class c);
/* Of one host and policy, in the words of its class. */
struct study_outcome study_outcome_of(const struct study *s, size_t host,
                                      size_t variant, size_t part,
                                      enum study_class c);
void study_outcome_add(struct study_outcome *sum,
                       const struct study_outcome *o);
enum err study_fill_shares(const struct study *s, struct study_result *r);
enum err study_fill_policies(const struct study *s,
                             const enum study_class *classes,
                             struct study_result *r);

/* Are there hosts enough to say how much a ratio over them could vary? Fewer
 * than STUDY_RATED, or than STUDY_WITH that have any of what is counted, are
 * not rated (UX 7.3): who was not among them this time is what other weeks
 * differ by, and no sample of those that were there can tell. */
struct ratio_host;
bool study_varies(const struct ratio_host *v, size_t n);

/* What it looks like by what it says (devices.def). */
unsigned study_device(const struct record_map *smtp);
const char *study_device_name(unsigned device);
double study_device_weight(unsigned device);

#endif
