#ifndef SPAN25_TESTS_EVALUATE_SCENARIO_H
#define SPAN25_TESTS_EVALUATE_SCENARIO_H
/* scenario - the rows of DETECTION 5.1: who sends, how much, how it speaks
 *
 * A row of scenario.def is a kind of host; each of its hosts draws its own rate
 * and its own share of failures from the row's ranges. What a row leaves out is
 * zero. TLS, loss and mirrored DNS are no matter of a row but of the run, see
 * struct condition in run.h. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum label {
    LABEL_BOT,    /* all that it sends is abuse */
    LABEL_MIXED,  /* abuse behind an address that others use too */
    LABEL_LEGIT,  /* nothing of it may be stopped */
    LABEL_VICTIM, /* somebody else speaks in its name: nor may it */
    LABEL_COUNT
};
const char *label_word(enum label l);

/* What of DETECTION 5.3 a row counts for. */
enum target {
    TARGET_NONE,
    TARGET_DIRECT, /* direct-to-MX bots from 60 messages an hour */
    TARGET_400,    /* 400 a day */
    TARGET_SLOW,   /* 20 a day */
    TARGET_EVADER, /* failures held at .15 */
    TARGET_HUMAN,  /* never stopped, a human told: stale lists and the like */
    TARGET_LEGIT,  /* the other innocents */
    TARGET_SPOOF,  /* victims of forgery */
    TARGET_COUNT
};
const char *target_word(enum target t);

enum rhythm {
    RHYTHM_STEADY, /* Poisson arrivals */
    RHYTHM_OFFICE, /* only 8 to 18 on weekdays, most of it at nine */
    RHYTHM_BURST,  /* two hours once a week at the row's rate */
    RHYTHM_DAY,    /* as people work: by hour, weekday and month's end */
    RHYTHM_DAILY,  /* by a clock, once a day, a week, a month; no rate */
    RHYTHM_WEEKLY,
    RHYTHM_MONTHLY,
};

/* How it speaks SMTP: a row of speaker.def. */
enum speaker {
#define X(id, ...) SPEAKER_##id,
#include "tests/evaluate/speaker.def"
#undef X
    SPEAKER_COUNT
};

struct speaker_row {
    const char *name;
    const char *hello;      /* EHLO, HELO, EHLO+HELO */
    const char *helo_class; /* fqdn, bare_word, address, address_literal */
    const char *verb_case;
    const char *eol;
    bool space_after_colon, no_brackets, params, no_quit, pregreet,
        pipelines; /* without the offer, if it is odd */
};
extern const struct speaker_row speakers[SPEAKER_COUNT];

/* What its messages look like: a row of content.def. */
enum content {
#define X(id, ...) CONTENT_##id,
#include "tests/evaluate/content.def"
#undef X
    CONTENT_COUNT
};

struct content_mark {
    uint8_t symbol; /* enum mail_symbol */
    uint16_t permille;
};
#define CONTENT_MARKS 10U
struct content_row {
    const char *name;
    bool bulk;        /* list headers */
    uint8_t received; /* fields of servers that it has been through */
    bool shared;      /* the template is the family's, else the host's own */
    uint8_t turns;    /* a new template every so many thousand messages; 0: each
                       * message is its own */
    uint32_t bytes;
    struct content_mark marks[CONTENT_MARKS];
};
extern const struct content_row contents[CONTENT_COUNT];

struct range {
    double lo, hi;
};

struct scenario {
    const char *name;
    const char *family; /* of bots: halves are split by it; else NULL */
    enum label label;
    enum target target;
    uint32_t hosts;    /* in a run */
    double days;       /* how long each is watched after its onset */
    uint32_t cap;      /* messages after which a bot falls silent, 0: none */
    struct range rate; /* messages an hour */
    struct range recipients; /* of an envelope */
    struct range batch;      /* messages of a connection */
    struct range failing;    /* first contacts whose mailbox does not exist */
    double first;            /* share of recipients never written to before */
    double fresh;   /* share of organisations never written to before */
    double retries; /* share of deferred mail that is tried again */
    double null_sender, listed, refused, malware, full;
    double registered, ipv6, serves, asks_mx;
    enum rhythm rhythm;
    enum speaker speaker;
    enum content content;
    uint32_t behind;   /* other users of the address (NAT) */
    bool one_name;     /* all of them, and the bot, say the same in HELO */
    uint32_t together; /* hosts of one /24, or of one IPv6 /64 */
    uint32_t one_in;   /* of those together, one in so many is bad */
    double quiet_days; /* before its onset it behaves, at quiet_rate */
    double quiet_rate;
    uint32_t bout;     /* messages of a campaign, then it rests; 0: no rest */
    struct range rest; /* hours */
    double genuine;    /* victims: messages an hour of their own */
    double spread;     /* of malware among hosts: variance by mean squared */
    uint32_t malware_bytes; /* by which it makes a message longer */
    double foul;            /* of organisations: what comes in from them is
                             * spam, with foul_malware in it */
    double foul_malware;
    uint32_t syns;       /* attempts that an event tells of, 0: a flood's */
    const char *subject; /* of its messages; NULL: what its content is */
    const char *mailer;  /* X-Mailer, or NULL */
    bool desktop;        /* what it sends itself is no server's mail */
    bool named;          /* its HELO name is its confirmed reverse name */
    bool submits;        /* to port 587 of a provider, with AUTH */
    bool syn_only;       /* never completes a connection */
    bool one_way;        /* only one direction of it was ever sent */
    bool answers_only;   /* that direction is the server's */
    bool forged_macs;    /* what is forged in its name comes from elsewhere */
    bool forged_way;   /* and its servers' packets from the router's address */
    bool forged_ttl;   /* with the hop limit that each server's have */
    bool forged_guess; /* or with any, the same for each server */
    bool objects;      /* the victim's stack hears it and answers with RSTs */
};

enum scenario_id {
#define X(id, ...) SCENARIO_##id,
#include "tests/evaluate/scenario.def"
#undef X
    SCENARIO_COUNT
};
extern const struct scenario scenarios[SCENARIO_COUNT];

/* Some of the rows. */
struct scenario_set {
    uint64_t bits[(SCENARIO_COUNT + 63) / 64];
};

static inline void
scenario_add(struct scenario_set *s, unsigned id)
{
    s->bits[id / 64] |= UINT64_C(1) << id % 64;
}

static inline bool
scenario_has(const struct scenario_set *s, unsigned id)
{
    return (s->bits[id / 64] >> id % 64 & 1) != 0;
}

static inline bool
scenario_none(const struct scenario_set *s)
{
    uint64_t any = 0;

    for (size_t i = 0; i < sizeof(s->bits) / sizeof(s->bits[0]); i++)
        any |= s->bits[i];
    return any == 0;
}

/* How many Received fields a message with these marks has. */
unsigned content_received(const struct content_row *c, uint64_t marks);

/* Bots of this family are for tuning, else for reporting; by a fixed hash of
 * its name, so no result can have had a say in it. Rows without a family are
 * in both halves. */
bool scenario_is_tuning(const struct scenario *s);

#endif
