#ifndef SPAN25_RULES_STUDY_REVIEW_H
#define SPAN25_RULES_STUDY_REVIEW_H
/* review - which messages people are shown, to judge them blindly
 *
 * DETECTION 4.4. The frame is the hosts of a study of which a message can be
 * shown. STRATA are registered or not, held for abuse by the detector or not,
 * most sessions under TLS or not, and third by volume: 24. One message a host,
 * for then hosts are the units and intervals are short; when all hosts have
 * one, up to REVIEW_MESSAGES of those of the largest third.
 *
 * Hosts are drawn without order but that of a keyed hash of their addresses:
 * turn by turn one unregistered and one registered host of each pair of strata,
 * so that rare strata are in it whole and pairs are as many as there can be.
 * What is drawn too often in this way is weighed: weight is the hosts of a
 * stratum for each one drawn (Horvitz and Thompson 1952).
 *
 * PAIRS: each unregistered host is set beside a registered one of the same
 * detector, TLS and volume whose message is alike: recipient's organisation
 * before size before hour of the week. That changes which of a registered
 * host's messages is shown, never which hosts are. The same hosts and seed give
 * the same draw. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/addr.h"
#include "sensor/base/attr.h"
#include "sensor/base/err.h"

#define REVIEW_STRATA   24U
#define REVIEW_MESSAGES 5U
#define REVIEW_HOSTS    131072U /* a study has no more */
#define REVIEW_HOURS    168U
/* So many registered hosts are looked at for a pair: all in a usual draw. */
#define REVIEW_NEAR 256U

struct review_message {
    uint64_t organisation; /* a hash of it; 0: not known */
    uint8_t size;          /* class, as of study_size_words */
    uint8_t hour;          /* of the week, below REVIEW_HOURS */
};

struct review_host {
    struct addr addr; /* each once */
    bool registered;
    bool positive; /* the detector holds it for a bot, or for mixed */
    bool tls;
    uint64_t volume;
    unsigned n; /* messages of it that can be shown, in order of their keys */
    struct review_message messages[REVIEW_MESSAGES];

    /* what review_draw says */
    unsigned third;   /* by volume, 0 to 2 */
    unsigned stratum; /* below REVIEW_STRATA */
    unsigned take;    /* messages that are drawn */
    unsigned first;   /* one of them; the others are those before it and behind
                       * it, in order */
    double weight;
    uint32_t pair; /* number of the pair, from 1; 0: none */
};

struct review_drawn {
    size_t frame; /* hosts of which a message can be shown */
    size_t hosts, messages, pairs;
    size_t of[REVIEW_STRATA], drawn[REVIEW_STRATA]; /* hosts */
};

/* Draws `sample` messages, or all there are. ERR_LIMIT: more than REVIEW_HOSTS;
 * ERR_NOMEM. */
MUST_USE enum err review_draw(struct review_host *v, size_t n, size_t sample,
                              uint64_t seed, struct review_drawn *out);

/* Number of a host's nth message that is drawn, nth below take. */
unsigned review_nth(const struct review_host *h, unsigned nth);

/* How alike two messages are: 4 for the organisation, 2 for the size, up to 1
 * for the hour. */
double review_likeness(const struct review_message *a,
                       const struct review_message *b);

/* "unregistered, held for abuse, in the clear, middle third": static. */
struct review_stratum {
    bool registered, positive, tls;
    unsigned third;
};
struct review_stratum review_stratum_of(unsigned stratum);

#endif
