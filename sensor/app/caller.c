#include "sensor/app/caller.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
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

static bool
is_width(uint64_t n)
{
    return n >= CALLER_COLUMNS_LEAST && n <= CALLER_COLUMNS_MOST;
}

size_t
caller_columns(void)
{
    const char *text = getenv("COLUMNS");
    struct winsize size;
    uint64_t n = text != NULL ? strtoul(text, NULL, 10) : 0;

    if (isatty(STDOUT_FILENO) != 1)
        return 0;
    if (is_width(n))
        return n;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && is_width(size.ws_col))
        return size.ws_col;
    return 100;
}
