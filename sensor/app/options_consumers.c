#include "sensor/app/options_consumers.h"

#include <stdlib.h>

#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"

static const struct option_row rows[] = {
#define X(id, ...) OPTIONS_LIST_ROW(config_consumer, id, __VA_ARGS__),
#include "sensor/app/options_consumers.def"
#undef X
};

static const bool musts[] = {
#define X(...) OPTIONS_LIST_MUST(__VA_ARGS__),
#include "sensor/app/options_consumers.def"
#undef X
};

OPTIONS_LIST_OF(consumers, config_consumer, OPTIONS_CONSUMERS_MAX,
                options_consumers)

static bool
check(const struct config *c, const void *item, struct buf *why)
{
    const struct config_consumer *s = item;
    struct feed_kind kind;
    ns_t late;

    if (!options_list_name(&options_consumers, c, s, why))
        return false;
    if (!feed_kind_read(span_str(s->format), &kind)) {
        buf_str(why, "format: ");
        text_term(why, span_str(s->format));
        buf_str(why, " is none of ");
        feed_kind_words(why);
        return false;
    }
    if (s->late == NULL ||
        (registry_time_read(span_str(s->late), 0, &late) && late > 0))
        return true;
    buf_str(why, "late: ");
    text_term(why, span_str(s->late));
    buf_str(why, " is not a time such as 10m");
    return false;
}

const struct options_list options_consumers = {
    .path = "consumers",
    .item = "a consumer",
    .help = "Who fetches which block list from feeds.listen, one item each",
    .rows = rows,
    .must = musts,
    .n_rows = ARRAY_LEN(rows),
    OPTIONS_LIST_CALLS(consumers),
    .check = check,
};

struct feed_kind
options_consumers_kind(const struct config_consumer *c)
{
    struct feed_kind k;

    REQUIRE(feed_kind_read(span_str(c->format), &k));
    return k;
}

ns_t
options_consumers_late(const struct config_consumer *c)
{
    ns_t late;

    return c->late != NULL && registry_time_read(span_str(c->late), 0, &late)
               ? late
               : OPTIONS_CONSUMERS_LATE;
}
