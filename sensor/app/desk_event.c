#include "sensor/app/desk_event.h"

#include <stdlib.h>

#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"
#include "sensor/event/json_read.h"
#include "sensor/journal/journal_reader.h"

/* Lines that are rather read than skipped by opening the journal anew. */
#define READ_ON     200000U
#define MAILS       1000U
#define SESSION_FOR (3600 * NS_PER_S)

void
desk_event_init(struct desk_event *e)
{
    *e = (struct desk_event){0};
    buf_init(&e->record, RECORD_MAX);
}

void
desk_event_fini(struct desk_event *e)
{
    buf_free(&e->record);
}

/* ---- where ---- */

static void
take(struct desk_event *out, const struct index_event *e)
{
    out->seq = e->seq;
    out->flow_id = e->flow_id;
    out->when = e->when;
    out->src = e->src;
    out->is_host = span_eq(e->type, SPAN_LIT("host"));
    out->is_mail = e->has_src && e->flow_id != 0;
}

static void
take_row(void *ctx, const struct index_event *e)
{
    take(ctx, e);
}

enum cli_exit
desk_event_find(struct desk *d, struct span id, struct desk_event *out)
{
    if (id.n == 0 || index_event_by_id(d->index, id, take_row, out) == ERR_OK)
        return CLI_EXIT_DONE;
    return desk_say_index(d);
}

struct of_flow {
    uint64_t flow_id;
    struct desk_event *out;
};

static void
take_flow(void *ctx, const struct index_event *e)
{
    struct of_flow *f = ctx;

    if (e->flow_id == f->flow_id)
        take(f->out, e);
}

enum cli_exit
desk_event_session(struct desk *d, const struct desk_event *e,
                   struct desk_event *out)
{
    struct of_flow f = {e->flow_id, out};
    struct index_query q = {.host = &e->src,
                            .type = "smtp_session",
                            .from = e->when,
                            .to = e->when + SESSION_FOR};

    if (e->seq == 0 || !e->is_mail ||
        index_events(d->index, &q, take_flow, &f) == ERR_OK)
        return CLI_EXIT_DONE;
    return desk_say_index(d);
}

static void
take_mail(void *ctx, const struct index_event *e)
{
    struct desk_event *out = ctx; /* earliest, refused, latest */

    take(&out[0], e);
    if (out[2].seq == 0)
        take(&out[2], e);
    if (out[1].seq == 0 &&
        (e->final_code >= 500 || span_eq(e->outcome, SPAN_LIT("rejected"))))
        take(&out[1], e);
}

enum cli_exit
desk_event_mails(struct desk *d, const struct addr *host, ns_t upto,
                 struct desk_event out[3])
{
    struct index_query q = {
        .host = host, .type = "smtp", .to = upto + 1, .limit = MAILS};

    if (index_events(d->index, &q, take_mail, out) == ERR_OK)
        return CLI_EXIT_DONE;
    return desk_say_index(d);
}

/* ---- reading ---- */

struct reading {
    struct desk *desk;
    struct journal_reader *reader;
    struct json_reader *json;
    struct record_out record;
    struct buf why;
    uint64_t at; /* the next line that the reader gives */
};

static bool
open_at(struct reading *r, uint64_t seq)
{
    enum err e;

    if (r->reader != NULL && r->at <= seq && seq - r->at < READ_ON)
        return true;
    journal_reader_close(r->reader);
    r->reader = NULL;
    buf_reset(&r->why);
    e = journal_reader_open(r->desk->config->state, seq, &r->reader, &r->why);
    r->at = seq;
    if (e == ERR_OK)
        return true;
    (void)desk_say(r->desk, CLI_EXIT_STORE, err_text(e));
    return false;
}

static void
keep(struct reading *r, struct span line, struct desk_event *e)
{
    buf_reset(&r->why);
    if (json_read(r->json, line, &r->record, &r->why) != ERR_OK)
        return;
    buf_reset(&e->record);
    buf_span(&e->record, record_view(&r->record));
}

/* Damage costs the lines that are damaged; the next one is read. */
static void
read_one(struct reading *r, struct desk_event *e)
{
    struct journal_line line;
    enum journal_read got = JOURNAL_READ_LINE;

    if (!open_at(r, e->seq))
        return;
    while (got == JOURNAL_READ_LINE || got == JOURNAL_READ_DAMAGED) {
        got = journal_read(r->reader, &line);
        if (got != JOURNAL_READ_LINE)
            continue;
        r->at = line.seq + 1;
        if (line.seq == e->seq)
            keep(r, line.json, e);
        if (line.seq >= e->seq)
            return;
    }
}

static int
by_seq(const void *a, const void *b)
{
    const struct desk_event *x = *(struct desk_event *const *)a;
    const struct desk_event *y = *(struct desk_event *const *)b;

    return (x->seq > y->seq) - (x->seq < y->seq);
}

void
desk_event_read(struct desk *d, struct desk_event *const *events, size_t n)
{
    struct reading r = {.desk = d, .json = malloc(sizeof(*r.json))};
    struct desk_event **sorted = calloc(n + 1, sizeof(struct desk_event *));

    buf_init(&r.why, 4096);
    if (r.json != NULL && sorted != NULL) {
        json_reader_init(r.json);
        record_init(&r.record);
        for (size_t i = 0; i < n; i++)
            sorted[i] = events[i];
        qsort(sorted, n, sizeof(struct desk_event *), by_seq);
        for (size_t i = 0; i < n; i++) {
            if (sorted[i]->seq != 0 && sorted[i]->record.n == 0)
                read_one(&r, sorted[i]);
        }
        journal_reader_close(r.reader);
        record_free(&r.record);
        json_reader_free(r.json);
    } else {
        (void)desk_say(d, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    }
    buf_free(&r.why);
    free(r.json);
    free(sorted);
}

/* ---- how people read it ---- */

void
desk_event_time(const struct desk *d, ns_t when, struct buf *out)
{
    registry_time_utc(when, out);
    if (d->config->utc)
        return;
    buf_str(out, " (");
    registry_time_show(when, false, out);
    buf_putc(out, ')');
}

static void
put_end(struct buf *out, const struct record_map *m, enum field ip,
        enum field port)
{
    char text[ADDR_TEXT_MAX];
    struct addr a;
    bool v6;

    if (!record_map_addr(m, ip, &a)) {
        buf_putc(out, '?');
        return;
    }
    v6 = !addr_is_v4(&a) && record_map_has(m, port);
    buf_str(out, v6 ? "[" : "");
    buf_put(out, text, addr_format(&a, text));
    buf_str(out, v6 ? "]" : "");
    if (!record_map_has(m, port))
        return;
    buf_putc(out, ':');
    buf_u64(out, record_map_u64(m, port, 0));
}

void
desk_event_head(const struct desk *d, const struct record_map *m,
                struct buf *out)
{
    struct record_head h = record_head_of(m->record);

    desk_event_time(d, h.when, out);
    buf_str(out, "  ");
    put_end(out, m, FIELD_SRC_IP, FIELD_SRC_PORT);
    if (record_map_has(m, FIELD_DEST_IP)) {
        buf_str(out, " -> ");
        put_end(out, m, FIELD_DEST_IP, FIELD_DEST_PORT);
    }
    buf_printf(out, "  %s", event_type_name(h.type));
}
