#ifndef SPAN25_APP_SERVE_FOLLOW_H
#define SPAN25_APP_SERVE_FOLLOW_H
/* serve_follow - tells the streams that the index went on
 *
 * To be called every SERVE_FOLLOW_MS. What is new is told once: "position" with
 * {"seq":N}, "alert" with {"id","severity","subject"} for each episode that
 * began since, at most SERVE_FOLLOW_ALERTS at a time. */
#include "dashboards/http/http.h"

#define SERVE_FOLLOW_MS     250U
#define SERVE_FOLLOW_ALERTS 50U

struct serve_follow {
    const char *state;
    struct http *http;
    bool begun;
    uint64_t seq; /* of what was told */
    ns_t newest;  /* timestamp of the newest alert that was told */
};

void serve_follow_step(struct serve_follow *f);

#endif
