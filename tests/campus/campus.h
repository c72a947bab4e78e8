#ifndef SPAN25_TESTS_CAMPUS_CAMPUS_H
#define SPAN25_TESTS_CAMPUS_CAMPUS_H
/* campus - who is there, and from when to when
 *
 * Home is 10.0.0.0/8 and fd25:20::/32. Site n has 10.n.0.0/16 and fd25:20:n::,
 * its code is "S" and two digits, six sites share a VLAN. The window begins on
 * Monday 9 November 2026, 00:00 UTC; four weeks from there have a month's end.
 * What abuses begins on any day of it, a quarter of it before. */
#include "tests/campus/kind.h"
#include "tests/evaluate/play.h"

#define CAMPUS_START      (UINT64_C(1794182400) * NS_PER_S)
#define CAMPUS_SITES_MAX  200U
#define CAMPUS_SITE_VLANS 6U /* sites of a VLAN */
#define CAMPUS_VLAN       101U

struct campus_options {
    uint64_t seed;
    uint64_t week; /* of the same campus, another time: who abuses, and all that
                    * is drawn in it, is other than in the first, 0 */
    double days, scale;
    uint32_t hosts, sites;
    bool drawn; /* each host's kind is drawn by weight; else all are there */
    bool faults;
};

/* What the play does not know of a subject. */
struct campus_host {
    unsigned kind;
    unsigned site; /* from 1 */
    ns_t onset;    /* of abuse, maybe before the window; 0: none */
    ns_t until;    /* it is cleaned, or the window ends */
};

struct campus {
    struct campus_options options;
    struct kinds kinds;
    struct scenario inbound[KINDS_MAX], other[KINDS_MAX], attempts;
    struct play *play;
    struct campus_host *hosts; /* of play's subjects */
    struct conditions *seen;   /* of play's actors */
    double *tls;               /* of them, without faults */
    uint32_t n_seen;
    uint32_t at_site[CAMPUS_SITES_MAX + 1];
    uint32_t groups; /* hosts that belong together, so far */
    uint32_t n;      /* hosts planned */
    uint32_t of[KINDS_MAX];
};

MUST_USE enum err campus_new(const struct campus_options *o,
                             struct campus **out);
void campus_free(struct campus *c);

static inline ns_t
campus_end(const struct campus *c)
{
    return CAMPUS_START + (ns_t)(c->options.days * 86400 * (double)NS_PER_S);
}

#endif
