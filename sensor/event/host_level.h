#ifndef SPAN25_EVENT_HOST_LEVEL_H
#define SPAN25_EVENT_HOST_LEVEL_H
/* host_level - the highest level among the statistics of a host event */
#include "sensor/event/record.h"

/* X(name, field): the stronger ones first */
#define HOST_STATISTICS(X)                                                     \
    X("s1", HOST_S1_LEVEL)                                                     \
    X("s1t", HOST_S1T_LEVEL)                                                   \
    X("s2", HOST_S2_LEVEL)                                                     \
    X("s3", HOST_S3_LEVEL)                                                     \
    X("s4", HOST_S4_LEVEL)                                                     \
    X("s5", HOST_S5_LEVEL)                                                     \
    X("s6", HOST_S6_LEVEL)                                                     \
    X("s7", HOST_S7_LEVEL)                                                     \
    X("p", HOST_P_LEVEL)

enum host_level {
    HOST_LEVEL_NORMAL, /* also one that was not observed */
    HOST_LEVEL_RAISED,
    HOST_LEVEL_ALERT,
    HOST_LEVEL_BLOCK,
    HOST_LEVELS
};

const char *host_level_word(enum host_level l);
/* Of one statistic; f is a field of HOST_STATISTICS. */
enum host_level host_level_at(const struct record_map *m, enum field f);
enum host_level host_level_of(const struct record_map *m);

#endif
