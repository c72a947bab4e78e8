#include "sensor/app/metrics.h"

#include "sensor/app/live.h"
#include "sensor/app/publish.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#include <inttypes.h>

struct table {
    struct buf *out;
    struct json_out json;
    size_t n;    /* rows so far */
    ns_t newest; /* UTC; cursor of all */
    bool damaged;
};

/* Cursors of sinks that are configured are written together, as the journal
 * goes on: one that is so much older than another is left over. Of which sinks
 * are configured the state knows nothing. */
#define LEFT_OVER_NS (60 * NS_PER_S)

static void
seek_newest(void *ctx, const char *name, const struct publish_counts *n)
{
    struct table *t = ctx;

    (void)name;
    if (n != NULL && n->saved > t->newest)
        t->newest = n->saved;
}

static bool
is_left_over(const struct table *t, const struct publish_counts *n)
{
    return n->saved + LEFT_OVER_NS < t->newest;
}

static void
put_left_over(struct table *t, const char *name, const struct publish_counts *n)
{
    buf_printf(t->out, "%-16s  not kept since ", "");
    registry_time_utc(n->saved, t->out);
    buf_printf(t->out,
               ", as others are: if it is configured no more, remove "
               "STATE/" PUBLISH_DIR "/%s" PUBLISH_CURSOR "\n",
               name);
}

static void
put_lane(struct table *t, const char *name, enum keep_kind k,
         const struct publish_counts *n)
{
    const struct spool_counts *lane = &n->lane[k];

    if (t->n++ == 0)
        buf_str(t->out,
                "SINK              LANE             JOURNALED = "
                "ACKNOWLEDGED +      WAITING +       LOST  UP TO LINE\n");
    buf_printf(t->out,
               "%-16.32s  %-12s %13" PRIu64 "  %13" PRIu64 "  %13" PRIu64
               "  %11" PRIu64 " %11" PRIu64 "\n",
               k == 0 ? name : "", keep_word(k), lane->journaled,
               lane->acknowledged, lane->waiting, lane->lost, n->scanned);
}

static void
text_row(void *ctx, const char *name, const struct publish_counts *n)
{
    struct table *t = ctx;

    if (n == NULL) {
        text_term(t->out, span_str(name));
        buf_str(t->out, ": its cursor is damaged\n");
        t->damaged = true;
        return;
    }
    for (unsigned k = 0; k < KEEP_KINDS; k++)
        put_lane(t, name, (enum keep_kind)k, n);
    if (n->unread > 0)
        buf_printf(t->out,
                   "%-16s  %" PRIu64 " lines of the journal could not be read: "
                   "nobody knows whether it wanted them\n",
                   "", n->unread);
    if (is_left_over(t, n))
        put_left_over(t, name, n);
}

static void
json_saved(struct table *t, const struct publish_counts *n)
{
    struct buf when;

    buf_init(&when, 64);
    registry_time_utc(n->saved, &when);
    json_key(&t->json, "saved");
    (void)json_str(&t->json, buf_view(&when));
    json_key(&t->json, "left_over");
    json_bool(&t->json, is_left_over(t, n));
    buf_free(&when);
}

static void
json_number(struct json_out *j, const char *key, uint64_t v)
{
    json_key(j, key);
    json_u64(j, v);
}

static void
json_row(void *ctx, const char *name, const struct publish_counts *n)
{
    struct table *t = ctx;

    t->damaged |= n == NULL;
    for (unsigned k = 0; n != NULL && k < KEEP_KINDS; k++) {
        const struct spool_counts *lane = &n->lane[k];

        json_begin(&t->json, '{');
        json_key(&t->json, "sink");
        (void)json_str(&t->json, span_str(name));
        json_key(&t->json, "lane");
        (void)json_str(&t->json, span_str(keep_word((enum keep_kind)k)));
        json_number(&t->json, "journaled", lane->journaled);
        json_number(&t->json, "acknowledged", lane->acknowledged);
        json_number(&t->json, "waiting", lane->waiting);
        json_number(&t->json, "lost", lane->lost);
        json_number(&t->json, "line", n->scanned);
        json_number(&t->json, "unread", n->unread);
        json_saved(t, n);
        json_end(&t->json, '}');
        t->n++;
    }
}

static enum err
show(const char *state, bool as_json, struct table *t)
{
    enum err e = publish_saved(state, seek_newest, t);

    if (e != ERR_OK && !as_json)
        return e;
    if (!as_json)
        return publish_saved(state, text_row, t);
    json_begin(&t->json, '[');
    e = publish_saved(state, json_row, t);
    json_end(&t->json, ']');
    buf_putc(t->out, '\n');
    return e;
}

enum cli_exit
metrics_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    const char *state = c->config.state != NULL ? c->config.state : LIVE_STATE;
    struct table t = {.out = out, .json = json_out_open(out)};
    const enum err e = show(state, c->config.json, &t);

    if (e == ERR_OK && t.n > 0)
        return t.damaged ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
    buf_str(messages, "span25: ");
    text_term(messages, span_str(state));
    if (e == ERR_OK || e == ERR_NOENT) {
        buf_str(messages, ": nothing was published from this state: no sinks "
                          "are configured; see span25.conf(5)\n");
        return CLI_EXIT_STORE;
    }
    buf_printf(messages, ": %s\n", err_text(e));
    return cli_exit_of(e);
}
