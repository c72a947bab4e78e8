#ifndef SPAN25_APP_SERVE_NOW_H
#define SPAN25_APP_SERVE_NOW_H
/* serve_now - parts of GET /now that the index has counted */
#include "sensor/base/json_out.h"
#include "sensor/store/index_traffic.h"

#define SERVE_NOW_TOP  10U
#define SERVE_NOW_WEEK (7 * 24 * 3600 * NS_PER_S)

struct serve_now_traffic {
    struct index_senders day, week_ago; /* of 24 h */
    struct index_sight hour, sight;     /* of the last two hours, of 24 h */
    bool known, saw_week_ago;
    bool high_known;
    uint64_t high_week_ago; /* open alerts of severity high */
    struct index_sender top[SERVE_NOW_TOP];
    size_t n_top;
};

/* end: the last that was seen. */
void serve_now_look(struct index_reader *r, ns_t end,
                    struct serve_now_traffic *out);
/* The hosts that opened most sessions, an array. r may be NULL. */
void serve_now_put_top(struct index_reader *r,
                       const struct serve_now_traffic *t, struct json_out *j);
/* In percent with one digit behind the point; null where nothing told. */
void serve_now_put_percent(const struct index_sight *s, struct json_out *j);
/* {"value", "week_ago"}; ago NULL: not known. */
void serve_now_put_figure(struct json_out *j, const char *key, uint64_t value,
                          const uint64_t *ago);
/* Does a mail server stand behind the subject "ADDRESS/32", in its quotes? */
bool serve_now_is_queueing(struct index_reader *r, struct span subject);

#endif
