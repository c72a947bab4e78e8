#include "sensor/app/serve_view.h"

#include <stdlib.h>

#include "sensor/app/serve_json.h"
#include "sensor/base/json_out.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/store/index_query.h"

#define LOOKED_MAX 2000U   /* control events that one page looks at */
#define READ_ON    200000U /* lines rather read than opened anew */

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
    struct journal_reader *reader;
    uint64_t at; /* the next line that it gives */
    bool damaged;
};

static void
take(void *ctx, const struct index_event *e)
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

static bool
open_at(struct audit *a, uint64_t seq)
{
    struct buf why;
    enum err e;

    if (a->reader != NULL && a->at <= seq && seq - a->at < READ_ON)
        return true;
    journal_reader_close(a->reader);
    a->reader = NULL;
    a->at = seq;
    buf_init(&why, 4096);
    e = journal_reader_open(a->view->config->state, seq, &a->reader, &why);
    buf_free(&why);
    return e == ERR_OK;
}

/* Damage costs the lines that are damaged. */
static void
read_one(struct audit *a, struct looked *l)
{
    enum journal_read got = JOURNAL_READ_LINE;
    struct journal_line line;

    if (!open_at(a, l->seq)) {
        a->damaged = true;
        return;
    }
    while (got == JOURNAL_READ_LINE || got == JOURNAL_READ_DAMAGED) {
        got = journal_read(a->reader, &line);
        a->damaged = a->damaged || got != JOURNAL_READ_LINE;
        if (got != JOURNAL_READ_LINE)
            continue;
        a->at = line.seq + 1;
        if (line.seq == l->seq)
            put_row(a, l, line.json);
        if (line.seq >= l->seq)
            return;
    }
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
        e = index_events(r, &q, take, a);
    index_reader_close(r);
    buf_free(&why);
    if (e != ERR_OK)
        return serve_view_say(a->view, CLI_EXIT_STORE,
                              "the index cannot be read", SPAN_NONE);
    for (size_t i = a->n; i > 0; i--) /* the oldest first, as it stands */
        read_one(a, &a->v[i - 1]);
    journal_reader_close(a->reader);
    return CLI_EXIT_DONE;
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
    code = look(a, &w);
    if (code == CLI_EXIT_DONE)
        write_all(a, w.limit);
    if (code == CLI_EXIT_DONE && a->damaged) {
        buf_str(v->messages, "lines of the journal cannot be read\n");
        code = CLI_EXIT_PARTIAL;
    }
    for (size_t i = 0; i < a->n; i++)
        buf_free(&a->v[i].row);
    free(a);
    return code;
}
