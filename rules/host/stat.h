#ifndef SPAN25_RULES_HOST_STAT_H
#define SPAN25_RULES_HOST_STAT_H
/* stat - scores to levels, and what of them is news
 *
 * A level is that of design.def; raised is half the alert level. */
#include "rules/host/state.h"

/* Bits of what changed: 1 << enum host_stat, and these. */
enum stat_change {
    CHANGE_EVIDENCE = HOST_STAT_COUNT,
    CHANGE_QUEUEING,
    CHANGE_IDENTITY,
    CHANGE_CLUSTER,
    CHANGE_MX,
    CHANGE_AUTH,
    CHANGE_HARVEST,
    CHANGE_TRIANGULAR,
    CHANGE_COUNT
};
#define STAT_BIT(s) (UINT32_C(1) << (s))

const char *stat_word(unsigned change); /* of host.changes */
const char *stat_level_word(enum host_level l);

/* S3 falls with time: to be called before it is read. */
void stat_time(const struct hosts *h, struct host *host, ns_t now);
struct cusum_steps stat_steps(const struct hosts *h, const struct host *host,
                              enum host_stat s);
/* An observation of S1, S1T or S2; an event of S3. */
void stat_add(const struct hosts *h, struct host *host, enum host_stat s,
              bool x);

enum host_level stat_level(const struct hosts *h, const struct host *host,
                           enum host_stat s, ns_t now);
/* Any of S1, S1T, S2 and S5 at block level: evidence matters now. */
bool stat_is_block(const struct hosts *h, const struct host *host, ns_t now);

/* The highest score as thousandths of its alert level; 500 and more, or a
 * count at its alert level: a suspect. */
uint32_t stat_rank(const struct hosts *h, const struct host *host, ns_t now);

/* Steps of a growing number: each up to 16, then four to a doubling. */
static inline uint32_t
stat_step(uint64_t n)
{
    unsigned top;

    if (n < 16)
        return (uint32_t)n;
    top = 63U - (unsigned)__builtin_clzll(n);
    return 16 + (top - 4) * 4 + (uint32_t)(n >> (top - 2) & 3);
}

/* What went up since it was told; tells it. S7, which only time changes, on
 * all. */
uint32_t stat_news(const struct hosts *h, struct host *host, ns_t now,
                   bool all);
/* From now on, what is above this is news. */
void stat_tell(const struct hosts *h, struct host *host, ns_t now);

#endif
