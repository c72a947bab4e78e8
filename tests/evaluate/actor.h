#ifndef SPAN25_TESTS_EVALUATE_ACTOR_H
#define SPAN25_TESTS_EVALUATE_ACTOR_H
/* actor - one sender as a process: what it does next, and when
 *
 * An actor has one connection at a time. A connection is drawn when it begins,
 * each of its messages when it is sent, so nothing waits in memory but the
 * present. All that is drawn comes from the actor's own stream of random
 * numbers. Several actors may speak from one address (struct subject). */
#include "sensor/base/ns.h"
#include "tests/evaluate/rng.h"
#include "tests/evaluate/scenario.h"
#include "tests/evaluate/world.h"

#define MAIL_RCPTS    50U
#define ACTOR_RETRIES 32U /* of deferred mail that wait; more are given up */

/* What became of a recipient or of a message: a row of reply.def. */
enum reply {
#define X(id, ...) REPLY_##id,
#include "tests/evaluate/reply.def"
#undef X
    REPLY_COUNT
};

struct reply_row {
    uint16_t code;
    const char *enhanced, *class, *text, *list;
};
extern const struct reply_row replies[REPLY_COUNT];

/* An address at home, and the truth about it. */
struct subject {
    struct addr addr;
    uint32_t number;
    const struct scenario *scenario;
    enum label label;
    bool registered, ipv6;
    double rate; /* messages an hour: of abuse where there is any */
    char site[8];
    uint16_t vlan;    /* 0: none is seen */
    const char *pool; /* what its address is configured as, or NULL */
    uint8_t mac[6];
    ns_t onset;        /* of abuse; 0: none yet */
    uint64_t bad;      /* messages of abuse so far, seen or not */
    uint64_t good;     /* other messages */
    uint64_t forged;   /* connections that somebody else made in its name */
    uint32_t days_on;  /* days, of those watched, with good messages */
    uint64_t last_day; /* the latest of them */
    ns_t last;         /* latest message */
};

struct conditions {
    double tls;       /* share of connections under TLS */
    bool dns;         /* answers are mirrored */
    double loss;      /* of segments */
    double oneway;    /* share of connections heard from one side only */
    double midstream; /* share whose beginning is missing */
    bool each;        /* all that is lost is counted, else one segment of a
                       * message */
};

struct mail_rcpt {
    uint64_t user;
    enum reply reply;
};

struct mail {
    uint64_t from;
    bool null_sender, sent, malware, lost, unanswered;
    bool deferred;       /* one of its recipients at least */
    bool delivered;      /* in truth, whatever was heard of it; so taken */
    uint32_t taken;      /* recipients that the server accepted */
    uint32_t lost_bytes; /* where it is lost */
    uint32_t n_rcpts;
    struct mail_rcpt rcpts[MAIL_RCPTS];
    enum reply final;
    uint64_t marks; /* bits by enum mail_symbol */
    uint32_t score, bytes;
    uint64_t simhash, queue_id;
};

struct session {
    uint64_t flow;
    uint32_t seq;
    ns_t start;
    uint16_t port;
    struct org org;
    bool inbound, tls, oneway, midstream, handshake;
    uint64_t helo;
    uint32_t n_mails, done; /* planned, sent */
    uint32_t sent;          /* with a message */
    uint32_t rcpts;
    uint64_t bytes, lost;
    bool bad;  /* abuse */
    bool foul; /* comes in from who sends nothing but spam */
};

struct retry {
    ns_t due;
    uint32_t org;
    uint64_t user, from;
};

enum stage { STAGE_HELLO, STAGE_MAIL, STAGE_END, STAGE_OVER };

struct actor {
    const struct scenario *scenario;
    const struct conditions *cond;
    struct subject *subject;
    struct rng rng;
    uint64_t seed; /* of the world */
    double rate, failing, malware;
    uint64_t cap;      /* messages after which it falls silent; 0: none */
    uint64_t bout_end; /* messages after which it rests, where it does */
    ns_t rests;        /* until then; what was deferred is tried again */
    ns_t born, onset, until;
    bool abuses;    /* what it sends from its onset on is abuse */
    uint32_t users; /* whose names it gives in turn; 0: one */
    enum stage stage;
    ns_t next; /* when the stage is due */
    uint64_t n_mails, n_sessions, n_users;
    struct session session;
    struct mail mail;
    struct retry retries[ACTOR_RETRIES];
    uint32_t n_retries;
    uint64_t known[WORLD_ORGS / 64 + 1]; /* where it waited out greylisting */
};

struct actor_options {
    const struct scenario *scenario;
    const struct conditions *cond;
    struct subject *subject;
    uint64_t seed, stream;
    uint64_t week; /* of the same sender, another time; 0: the first */
    double rate;   /* 0: the row's */
    ns_t born;
    bool abuses;
    uint32_t users; /* behind its address, each with a name */
};
void actor_init(struct actor *a, const struct actor_options *o);

/* Draws what the stage that is due needs, mail or the end of a connection;
 * the caller tells it to whom it may concern, then calls actor_step. */
void actor_draw(struct actor *a);
/* Goes on to the next stage; STAGE_OVER: there is none. */
void actor_step(struct actor *a);

/* Does what it does now count as abuse? */
bool actor_is_bad(const struct actor *a);

const struct content_row *actor_content(const struct actor *a);

/* Texts that stand in records and captures alike. */
void actor_helo(const struct actor *a, struct buf *out);
void actor_sender(const struct actor *a, struct buf *out);
void actor_rcpt(const struct actor *a, uint64_t user, struct buf *out);

#endif
