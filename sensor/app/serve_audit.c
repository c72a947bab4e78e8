#include "sensor/app/serve_view.h"

#include <stdlib.h>

#include "sensor/app/serve_json.h"
#include "sensor/base/json_out.h"
#include "sensor/event/json_write.h"
#include "sensor/store/index_query.h"

#define LOOKED_MAX 2000U /* control events that one page looks at */

/* What people do; the program's own events are for the sensor's page. */
static const char *const kinds[] = {"alert",    "exception", "evidence",
                                    "block",    "report",    "policy",
                                    "registry", "test",      "page"};

struct looked {
    uint64_t seq;
    ns_t when;
    struct buf row; /* empty: not of people, or not asked for */
};

struct audit {
    struct serve_view *view;
    struct looked v[LOOKED_MAX];
    size_t n;
    size_t at; /* the one that is looked at */
    struct json_writer json;
    struct buf line;
    bool failed; /* no memory */
};

static void
take_place(void *ctx, const struct index_event *e)
{
    struct audit *a = ctx;

    if (a->n < LOOKED_MAX)
        a->v[a->n++] = (struct looked){.seq = e->seq, .when = e->when};
}

static bool
is_of_people(struct span kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (serve_json_is(kind, kinds[i]))
            return true;
    }
    return false;
}

static bool
is_value(struct serve_view *v, const char *name, struct span value)
{
    const struct span wanted = serve_view_value(v, name);
    struct buf text;
    bool same;

    if (wanted.n == 0)
        return true;
    buf_init(&text, 8192);
    serve_json_text(value, &text);
    same = span_eq(buf_view(&text), wanted);
    buf_free(&text);
    return same;
}

/* What of a control event is for people; data is for programs. */
static void
put_members(struct json_out *j, struct span control)
{
    static const char *const members[] = {
        "kind",    "action", "actor", "reason",  "note",     "text",
        "time",    "until",  "form",  "lines",   "alert",    "exception",
        "subject", "rule",   "mode",  "mistake", "reference"};

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct span value = serve_json_get(control, members[i]);

        if (value.n == 0)
            continue;
        json_key(j, members[i]);
        json_raw(j, value);
    }
}

static void
put_row(struct audit *a, struct looked *l, struct span line)
{
    const struct span control = serve_json_get(line, "control");
    const struct span kind = serve_json_get(control, "kind");
    struct json_out j = json_out_open(&l->row);

    if (!is_of_people(kind) || !is_value(a->view, "kind", kind) ||
        !is_value(a->view, "who", serve_json_get(control, "actor")))
        return;
    buf_init(&l->row, SERVE_ANSWER);
    json_begin(&j, '{');
    json_key(&j, "seq");
    json_u64(&j, l->seq);
    json_key(&j, "timestamp");
    json_raw(&j, serve_json_get(line, "timestamp"));
    json_key(&j, "event_id");
    json_raw(&j, serve_json_get(line, "event_id"));
    put_members(&j, control);
    json_end(&j, '}');
}

/* The index holds what people did whole. */
static void
take_act(void *ctx, uint64_t seq, struct span record)
{
    struct audit *a = ctx;

    (void)seq;
    buf_reset(&a->line);
    if (json_write(&a->json, record, &a->line))
        put_row(a, &a->v[a->at], buf_view(&a->line));
    else
        a->failed = true;
}

static enum cli_exit
look(struct audit *a, const struct serve_window *w)
{
    const struct index_query q = {.type = "control",
                                  .from = w->from,
                                  .to = w->to,
                                  .before_when = w->before_when,
                                  .before_seq = w->before_seq,
                                  .limit = LOOKED_MAX};
    struct index_reader *r = NULL;
    struct buf why;
    enum err e;

    buf_init(&why, 4096);
    e = index_reader_open(a->view->config->state, &r, &why);
    if (e == ERR_OK)
        e = index_events(r, &q, take_place, a);
    for (; a->at < a->n && e == ERR_OK; a->at++)
        e = index_act_at(r, a->v[a->at].seq, take_act, a);
    index_reader_close(r);
    buf_free(&why);
    if (e != ERR_OK)
        return serve_view_say(a->view, CLI_EXIT_STORE,
                              "the index cannot be read", SPAN_NONE);
    return a->failed ? serve_view_say(a->view, CLI_EXIT_FAILED,
                                      err_text(ERR_NOMEM), SPAN_NONE)
                     : CLI_EXIT_DONE;
}

static void
write_all(struct audit *a, size_t limit)
{
    struct json_out j = json_out_open(a->view->data);
    size_t n = 0, last = 0;
    struct buf next;

    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, SPAN_LIT("span25.audit"));
    json_key(&j, "rows");
    json_begin(&j, '[');
    for (; last < a->n && n < limit; last++) {
        if (a->v[last].row.n == 0)
            continue;
        json_raw(&j, buf_view(&a->v[last].row));
        n++;
    }
    json_end(&j, ']');
    json_key(&j, "next");
    buf_init(&next, 64);
    if (last > 0)
        serve_view_cursor(a->v[last - 1].when, a->v[last - 1].seq, &next);
    if (last > 0 && (last < a->n || a->n == LOOKED_MAX))
        (void)json_str(&j, buf_view(&next));
    else
        json_null(&j);
    buf_free(&next);
    json_end(&j, '}');
}

enum cli_exit
serve_audit(struct serve_view *v)
{
    struct audit *a;
    struct serve_window w;
    enum cli_exit code;

    if (!serve_view_window(v, &w))
        return CLI_EXIT_USAGE;
    a = calloc(1, sizeof(*a));
    if (a == NULL)
        return serve_view_say(v, CLI_EXIT_FAILED, err_text(ERR_NOMEM),
                              SPAN_NONE);
    a->view = v;
    json_writer_init(&a->json);
    buf_init(&a->line, 2 * JSON_LINE_MAX);
    code = look(a, &w);
    if (code == CLI_EXIT_DONE)
        write_all(a, w.limit);
    for (size_t i = 0; i < a->n; i++)
        buf_free(&a->v[i].row);
    buf_free(&a->line);
    free(a);
    return code;
}
