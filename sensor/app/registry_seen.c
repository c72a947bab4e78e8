#include "sensor/app/registry_seen.h"

#include <stdlib.h>

#include "sensor/base/text.h"
#include "sensor/event/json_read.h"
#include "sensor/journal/journal_reader.h"

#define FILE_MAX   (1U << 30)
#define TOLD_FAULT 20U

struct reading {
    struct registry_call *call;
    registry_seen_take *take;
    void *ctx;
    struct json_reader *json;
    struct record_out record;
    struct buf why;
    uint64_t faulty;
};

static void
fault(struct reading *r, const char *name, uint64_t line, struct span why)
{
    if (r->faulty++ >= TOLD_FAULT)
        return;
    text_term(r->call->messages, span_str(name));
    buf_str(r->call->messages, ":");
    buf_u64(r->call->messages, line);
    buf_str(r->call->messages, ": ");
    buf_span(r->call->messages, why);
    buf_putc(r->call->messages, '\n');
}

static void
take_line(struct reading *r, const char *name, uint64_t number,
          struct span line)
{
    struct record_map map;

    buf_reset(&r->why);
    if (json_read(r->json, line, &r->record, &r->why) != ERR_OK) {
        fault(r, name, number, buf_view(&r->why));
        return;
    }
    record_map_init(&map, record_view(&r->record));
    r->take(r->ctx, &map);
}

static enum cli_exit
read_file(struct reading *r, const char *path)
{
    struct buf text;
    struct span rest;
    enum cli_exit code = CLI_EXIT_FAILED;

    buf_init(&text, FILE_MAX);
    if (registry_load(r->call, path, &text) == ERR_OK) {
        rest = buf_view(&text);
        for (uint64_t line = 1; rest.n > 0; line++) {
            size_t n = span_find(rest, '\n');

            if (n > 0)
                take_line(r, path, line, span_head(rest, n));
            rest = span_tail(rest, n + 1);
        }
        code = CLI_EXIT_DONE;
    }
    buf_free(&text);
    return code;
}

static bool
next_line(struct reading *r, struct journal_reader *reader, const char *dir)
{
    struct journal_line line;

    switch (journal_read(reader, &line)) {
    case JOURNAL_READ_LINE: take_line(r, dir, line.seq, line.json); return true;
    case JOURNAL_READ_DAMAGED:
        buf_reset(&r->why);
        journal_reader_why(reader, &r->why);
        fault(r, dir, line.seq, buf_view(&r->why));
        return true;
    case JOURNAL_READ_WAIT: break;
    case JOURNAL_READ_FAILED: r->faulty++; break;
    }
    return false;
}

static enum cli_exit
read_journal(struct reading *r, const char *dir)
{
    struct journal_reader *reader;
    enum err e = journal_reader_open(dir, 1, &reader, &r->why);

    if (e != ERR_OK) {
        buf_str(r->call->messages, "span25: ");
        text_term(r->call->messages,
                  r->why.n > 0 ? buf_view(&r->why) : span_str(err_text(e)));
        buf_putc(r->call->messages, '\n');
        return CLI_EXIT_STORE;
    }
    while (next_line(r, reader, dir))
        ;
    journal_reader_close(reader);
    return CLI_EXIT_DONE;
}

enum cli_exit
registry_seen_events(struct registry_call *call, registry_seen_take *take,
                     void *ctx)
{
    struct reading reading = {.call = call, .take = take, .ctx = ctx};
    struct reading *r = &reading;
    const struct config *c = r->call->config;
    enum cli_exit code;

    if (c->seen_events == NULL && c->state == NULL)
        return registry_say(r->call, CLI_EXIT_USAGE,
                            "--state DIR or --events FILE is needed");
    r->json = malloc(sizeof(*r->json));
    if (r->json == NULL)
        return registry_say(r->call, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    json_reader_init(r->json);
    record_init(&r->record);
    buf_init(&r->why, 4096);
    code = c->seen_events != NULL ? read_file(r, c->seen_events)
                                  : read_journal(r, c->state);
    buf_free(&r->why);
    record_free(&r->record);
    json_reader_free(r->json);
    free(r->json);
    return code == CLI_EXIT_DONE && r->faulty > 0 ? CLI_EXIT_PARTIAL : code;
}

/* Those of no site last. */
static int
by_site(const void *a, const void *b)
{
    const struct discovery_row *x = *(const struct discovery_row *const *)a;
    const struct discovery_row *y = *(const struct discovery_row *const *)b;
    int order = 0;

    if ((x->site == NULL) != (y->site == NULL))
        return x->site == NULL ? 1 : -1;
    if (x->site != NULL)
        order = strcmp(x->site, y->site);
    if (order == 0)
        order = addr_cmp(&x->addr, &y->addr);
    if (order == 0 && x->port != y->port)
        order = x->port < y->port ? -1 : 1;
    return order != 0 ? order : (int)x->use - (int)y->use;
}

/* Handing in mail to a server outside is nobody's to permit (RFC 5068). */
static bool
is_candidate(const struct registry_call *c, const struct discovery_row *r)
{
    if (r->use == FORM_SEND && (r->port == 465 || r->port == 587))
        return false;
    return !book_judge(c->book, &r->addr, r->port, r->use, c->now).registered;
}

static bool
pick(struct registry_call *c, struct registry_seen *s)
{
    const struct discovery_row *rows;
    size_t n = discovery_rows(s->discovery, &rows);

    s->rows = calloc(n + 1, sizeof(const struct discovery_row *));
    if (s->rows == NULL || book_index(c->book) != ERR_OK)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (is_candidate(c, &rows[i]))
            s->rows[s->n++] = &rows[i];
    }
    if (s->n > 0)
        qsort(s->rows, s->n, sizeof(const struct discovery_row *), by_site);
    if (discovery_left_out(s->discovery) > 0)
        (void)registry_say(c, CLI_EXIT_PARTIAL,
                           "there are more hosts than can be looked at");
    return true;
}

static void
take_host(void *ctx, const struct record_map *event)
{
    discovery_event(ctx, event);
}

enum cli_exit
registry_seen_find(struct registry_call *c, struct registry_seen *out)
{
    enum cli_exit code;

    *out = (struct registry_seen){.n = 0};
    if (discovery_new(&out->discovery) != ERR_OK)
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    code = registry_seen_events(c, take_host, out->discovery);
    if ((code == CLI_EXIT_DONE || code == CLI_EXIT_PARTIAL) && !pick(c, out))
        code = registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    return code;
}

void
registry_seen_fini(struct registry_seen *s)
{
    free(s->rows);
    discovery_free(s->discovery);
    *s = (struct registry_seen){.n = 0};
}

static bool
belong_together(const struct discovery_row *a, const struct discovery_row *b)
{
    if (a->site == NULL || b->site == NULL)
        return a->site == b->site && addr_cmp(&a->addr, &b->addr) == 0;
    return strcmp(a->site, b->site) == 0;
}

size_t
registry_seen_group(const struct registry_seen *s, size_t i)
{
    size_t n = 1;

    while (i + n < s->n && belong_together(s->rows[i], s->rows[i + n]))
        n++;
    return n;
}

enum err
registry_seen_form(const struct registry_seen *s, size_t i, size_t n,
                   struct form *out, size_t *bots)
{
    const struct discovery_row **rows =
        calloc(n, sizeof(const struct discovery_row *));
    size_t kept = 0;
    enum err e = ERR_OK;

    form_init(out);
    if (rows == NULL)
        return ERR_NOMEM;
    for (size_t k = 0; k < n; k++) {
        if (s->rows[i + k]->look == DISCOVERY_BOT)
            ++*bots;
        else
            rows[kept++] = s->rows[i + k];
    }
    if (kept > 0)
        e = discovery_form(rows, kept, out);
    free(rows);
    return e;
}
