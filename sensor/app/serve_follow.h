#ifndef SPAN25_APP_SERVE_FOLLOW_H
#define SPAN25_APP_SERVE_FOLLOW_H
/* serve_follow - tells the streams that the index went on, or the sensor's
 * sight
 *
 * To be called every SERVE_FOLLOW_MS; the index is opened when its files have
 * changed. What is new is told once: "position" with {"seq":N}, "alert" with
 * {"id","severity","subject"} for each episode that began since, at most
 * SERVE_FOLLOW_ALERTS at a time. "health" with {"state","since"}, as /now has
 * them, when that is no longer what it was; it is looked at once in
 * SERVE_FOLLOW_SIGHT_NS. */
#include "dashboards/http/http.h"
#include "sensor/app/doctor.h"

#define SERVE_FOLLOW_MS       50U
#define SERVE_FOLLOW_ALERTS   50U
#define SERVE_FOLLOW_SIGHT_NS NS_PER_S

/* Of a file: is it the same, with the same in it? */
struct serve_follow_mark {
    uint64_t inode, bytes;
    ns_t changed;
};

struct serve_follow {
    const char *state;
    struct http *http;
    struct serve_follow_mark marks[2]; /* of the index, and its log */
    bool begun;
    uint64_t seq; /* of what was told */
    ns_t newest;  /* timestamp of the newest alert that was told */
    bool looked;  /* at the sensor's sight */
    ns_t look;    /* when that was */
    enum doctor_sight sight;
};

void serve_follow_step(struct serve_follow *f, ns_t now);

#endif
