#include "sensor/app/serve_view.h"

#include "sensor/app/registry_time.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/serve_page.h"
#include "sensor/base/text.h"

struct span
serve_view_value(const struct serve_view *v, const char *name)
{
    for (size_t i = 0; i < v->n_values; i++) {
        if (span_eq(v->values[i].name, span_str(name)))
            return v->values[i].text;
    }
    return SPAN_NONE;
}

enum cli_exit
serve_view_say(struct serve_view *v, enum cli_exit code, const char *text,
               struct span value)
{
    buf_printf(v->messages, "span25: %s", text);
    if (value.p != NULL) {
        buf_str(v->messages, ": '");
        text_term(v->messages, value);
        buf_putc(v->messages, '\'');
    }
    buf_putc(v->messages, '\n');
    return code;
}

void
serve_view_cursor(ns_t when, uint64_t seq, struct buf *out)
{
    buf_u64(out, when);
    buf_putc(out, '-');
    buf_u64(out, seq);
}

static bool
read_cursor(struct span text, struct serve_window *out)
{
    const size_t dash = span_find(text, '-');

    out->before_when = serve_json_u64(span_head(text, dash), 0);
    out->before_seq = serve_json_u64(span_tail(text, dash + 1), 0);
    return out->before_when > 0 && out->before_when <= INT64_MAX &&
           out->before_seq > 0 && out->before_seq <= INT64_MAX;
}

static bool
read_time(struct serve_view *v, const char *name, ns_t *out)
{
    const struct span text = serve_view_value(v, name);

    *out = 0;
    if (text.n == 0)
        return true;
    if (registry_time_since(text, v->now, out) && *out <= INT64_MAX)
        return true;
    (void)serve_view_say(v, CLI_EXIT_USAGE, "this is not a time", text);
    return false;
}

bool
serve_view_window(struct serve_view *v, struct serve_window *out)
{
    const struct span limit = serve_view_value(v, "limit");
    const struct span after = serve_view_value(v, "after");

    *out = (struct serve_window){.limit = SERVE_PAGE_MOST};
    if (!read_time(v, "since", &out->from) || !read_time(v, "until", &out->to))
        return false;
    if (limit.n > 0)
        out->limit = (size_t)serve_json_u64(limit, 0);
    if (out->limit == 0 || out->limit > SERVE_PAGE_MOST) {
        (void)serve_view_say(v, CLI_EXIT_USAGE, "limit is 1 to 500", limit);
        return false;
    }
    if (after.n > 0 && !read_cursor(after, out)) {
        (void)serve_view_say(v, CLI_EXIT_USAGE, "after is no cursor", after);
        return false;
    }
    return true;
}
