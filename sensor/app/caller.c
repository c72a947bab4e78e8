#include "sensor/app/caller.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"

ns_t
caller_clock(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

bool
caller_now(const struct config *c, struct buf *messages, ns_t *now)
{
    *now = caller_clock();
    if (c->at == NULL || (registry_time_read(span_str(c->at), *now, now) &&
                          *now > 0 && *now <= INT64_MAX))
        return true;
    buf_str(messages, "span25: --at: '");
    text_term(messages, span_str(c->at));
    buf_str(messages, "' is not a time such as 2026-11-22T09:12:00Z\n");
    return false;
}

const char *
caller_name(const struct config *c)
{
    const struct passwd *p = c->actor == NULL ? getpwuid(geteuid()) : NULL;

    if (c->actor != NULL)
        return c->actor;
    return p != NULL && p->pw_name[0] != 0 ? p->pw_name : "unknown";
}
