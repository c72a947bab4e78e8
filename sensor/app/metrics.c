#include "sensor/app/metrics.h"

#include "sensor/app/live.h"
#include "sensor/app/publish.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#include <inttypes.h>

struct table {
    struct buf *out;
    struct json_out json;
    size_t n; /* rows so far */
    bool damaged;
};

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
        json_end(&t->json, '}');
        t->n++;
    }
}

static enum err
show(const char *state, bool as_json, struct table *t)
{
    enum err e;

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
