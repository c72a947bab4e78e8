#ifndef SPAN25_RULES_FEED_BORDER_H
#define SPAN25_RULES_FEED_BORDER_H
/* border - the policy itself: port 25 across the border only by permit
 *
 * nftables scripts for a router between home and the world, made from the
 * registry's permits, the networks of the sites and the phase of each. Only TCP
 * with port 25 at one end that crosses the border is looked at; mail between
 * two addresses at home never is, nor is submission (587, 465). The caps of the
 * detector do not apply: this is not a list of hosts but a rule.
 *
 * ORDER: permits first. To port 25: the sender is permitted to send, or the
 * server to receive. From port 25 to another port, which is the answer: to one
 * that may send, or from one that may receive. Then by the site of the end at
 * home, each with a counter: outbound from, inbound to, source port 25 inbound,
 * answers outbound; then everything else: neither end is at home. What is
 * refused to port 25 is answered with a reset, so that people see an error;
 * what comes from port 25 is dropped (DETECTION 6.2, 6.3).
 *
 * PHASES: off (passes uncounted), count (passes counted), deny.
 *
 * TWO STEPS, and in any doubt mail passes. LOAD replaces the table in one
 * transaction; it counts what deny would stop, and stops nothing. Then
 * `nft -j list table inet span25_border` is read back (border_verify). ARM
 * makes deny active; in the same transaction it takes each permit out and puts
 * it back in, which fails as a whole where one is not loaded: so whoever arms
 * without reading back is safe too. With trial_s it disarms itself after that
 * time unless it is loaded again without. A new LOAD disarms. DISARM goes back
 * to counting; UNDO takes the table away. All but ARM may be loaded any number
 * of times, whatever is there. LOAD sets the counters to 0.
 *
 * The kernel keeps none of it through a restart: then nothing is stopped.
 * Pure. No text of a site but its code goes in, made safe. */
#include "rules/feed/carve.h"
#include "sensor/base/ns.h"

#define BORDER_SITES    10000U
#define BORDER_PREFIXES 200000U /* of all sites, and home */
#define BORDER_TRIAL_S  604800U /* at most */
#define BORDER_CODE     64U     /* bytes of a site's code that are shown */

/* X(id, word, doc) */
#define BORDER_PHASES(X)                                                       \
    X(OFF, "off", "passes, not counted")                                       \
    X(COUNT, "count", "passes, counted")                                       \
    X(DENY, "deny", "is stopped without a permit")

enum border_phase {
#define BORDER_ENUM(id, word, doc) BORDER_##id,
    BORDER_PHASES(BORDER_ENUM)
#undef BORDER_ENUM
};
const char *border_phase_word(enum border_phase p);

struct border_site {
    struct span code;
    enum border_phase phase;
    const struct prefix
        *prefixes; /* the longest that holds an address counts */
    size_t n;
};

struct border_in {
    const struct border_site *sites;
    size_t n_sites;
    const struct prefix *home; /* beside those of sites; joined by border */
    size_t n_home;
    enum border_phase rest;             /* of addresses at home in no site */
    enum border_phase other;            /* of mail with neither end at home */
    const struct permits *permits;      /* collected for FORM_BOTH */
    const struct permits_range *exempt; /* protected and excepted: permitted
                                         * both ways, whatever the registry
                                         * says; each of one family */
    size_t n_exempt;
    bool allow_empty; /* no permit at all */
    uint64_t trial_s; /* of ARM; 0: for good */
    ns_t now;
};

/* X(id, word) */
#define BORDER_SCRIPTS(X)                                                      \
    X(LOAD, "load")                                                            \
    X(ARM, "arm")                                                              \
    X(DISARM, "disarm")                                                        \
    X(UNDO, "undo")

enum border_script {
#define BORDER_ENUM(id, word) BORDER_##id,
    BORDER_SCRIPTS(BORDER_ENUM)
#undef BORDER_ENUM
        BORDER_SCRIPT_COUNT
};
const char *border_script_word(enum border_script s);

struct border;

/* X(id, doc) */
#define BORDER_VERDICTS(X)                                                     \
    X(DONE, "made")                                                            \
    X(NO_PERMIT, "nobody is permitted: everybody would be stopped")            \
    X(ALL_PERMITTED, "every address of a family is permitted")                 \
    X(NO_HOME, "no home network is known: nothing would be stopped")           \
    X(ALL_HOME, "every address of a family is at home")                        \
    X(LIMITS, "more sites or prefixes than can be taken, or too long a trial") \
    X(PREFIX, "a prefix with bits behind its length")                          \
    X(MEMORY, "out of memory")

enum border_verdict {
#define BORDER_ENUM(id, doc) BORDER_##id,
    BORDER_VERDICTS(BORDER_ENUM)
#undef BORDER_ENUM
};
const char *border_verdict_doc(enum border_verdict v);

/* What in holds is borrowed until border_free. *out only when BORDER_DONE. */
MUST_USE enum border_verdict border_new(const struct border_in *in,
                                        struct border **out);
void border_free(struct border *b);

/* out is cut or failed when it did not fit: then nothing of it may be used. */
void border_write(const struct border *b, enum border_script s,
                  struct buf *out);

struct border_found {
    size_t permits; /* ranges that the sets must hold */
    size_t missing; /* of them, not wholly there */
    size_t extra;   /* ranges there that are no permits */
};
/* Reads nft -j list table inet span25_border, or nft list of it. ERR_FORMAT,
 * told in messages: it is not understood, or cut. To be armed only when it is
 * ERR_OK and neither missing nor extra. */
MUST_USE enum err border_verify(const struct border *b, struct span text,
                                struct border_found *out, struct buf *messages);

#endif
