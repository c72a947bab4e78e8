#include "sensor/app/registry_seen.h"

#include <stdlib.h>

#include "sensor/app/kept.h"
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
    uint64_t next; /* of the journal, to be read */
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
    case JOURNAL_READ_LINE:
        take_line(r, dir, line.seq, line.json);
        r->next = line.seq + 1;
        return true;
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

static bool
is_stopped(const struct registry_call *c)
{
    return c->cli->kept != NULL && atomic_load(&c->cli->kept->stop);
}

static enum cli_exit
read_journal(struct reading *r, const char *dir)
{
    struct journal_reader *reader;
    enum err e = journal_reader_open(dir, r->next, &reader, &r->why);

    if (e != ERR_OK) {
        buf_str(r->call->messages, "span25: ");
        text_term(r->call->messages,
                  r->why.n > 0 ? buf_view(&r->why) : span_str(err_text(e)));
        buf_putc(r->call->messages, '\n');
        return CLI_EXIT_STORE;
    }
    while (!is_stopped(r->call) && next_line(r, reader, dir))
        ;
    journal_reader_close(reader);
    return CLI_EXIT_DONE;
}

/* From the journal's line *next on, which becomes the one behind the last. */
static enum cli_exit
read_from(struct registry_call *call, registry_seen_take *take, void *ctx,
          uint64_t *next)
{
    struct reading reading = {
        .call = call, .take = take, .ctx = ctx, .next = *next};
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
    *next = r->next;
    buf_free(&r->why);
    record_free(&r->record);
    json_reader_free(r->json);
    free(r->json);
    return code == CLI_EXIT_DONE && r->faulty > 0 ? CLI_EXIT_PARTIAL : code;
}

enum cli_exit
registry_seen_events(struct registry_call *call, registry_seen_take *take,
                     void *ctx)
{
    uint64_t next = 1;

    return read_from(call, take, ctx, &next);
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

struct hosts {
    struct discovery *discovery;
    bool removed; /* lines, because of their age */
};

static void
take_host(void *ctx, const struct record_map *event)
{
    struct hosts *h = ctx;

    h->removed |= record_map_is(event, FIELD_CONTROL_KIND, "retention");
    discovery_event(h->discovery, event);
}

static enum cli_exit
read_hosts(struct registry_call *c, struct registry_seen *out)
{
    struct hosts h = {.removed = false};

    if (discovery_new(&out->discovery) != ERR_OK)
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    h.discovery = out->discovery;
    return registry_seen_events(c, take_host, &h);
}

/* What came since it was read last. */
static enum cli_exit
read_on(struct registry_call *c, struct kept *k, bool *removed)
{
    struct hosts h = {.removed = false};
    enum cli_exit code;

    if (k->seen == NULL && discovery_new(&k->seen) != ERR_OK)
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    h.discovery = k->seen;
    code = read_from(c, take_host, &h, &k->seen_next);
    k->seen_damaged |= code == CLI_EXIT_PARTIAL;
    *removed = h.removed;
    return code == CLI_EXIT_DONE && k->seen_damaged ? CLI_EXIT_PARTIAL : code;
}

/* Hosts of lines that are no longer there must not be shown either. */
static enum cli_exit
read_kept(struct registry_call *c, struct kept *k)
{
    const bool anew = k->seen != NULL;
    bool removed;
    enum cli_exit code = read_on(c, k, &removed);

    if (!anew || !removed)
        return code;
    discovery_free(k->seen);
    k->seen = NULL;
    k->seen_next = 1;
    k->seen_damaged = false;
    return read_on(c, k, &removed);
}

enum cli_exit
registry_seen_find(struct registry_call *c, struct registry_seen *out)
{
    struct kept *k = c->config->seen_events == NULL ? c->cli->kept : NULL;
    enum cli_exit code;

    *out = (struct registry_seen){.kept = k};
    if (k != NULL) {
        (void)pthread_mutex_lock(&k->seen_lock);
        code = read_kept(c, k);
        out->discovery = k->seen;
    } else {
        code = read_hosts(c, out);
    }
    if ((code == CLI_EXIT_DONE || code == CLI_EXIT_PARTIAL) && !pick(c, out))
        code = registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    return code;
}

void
registry_seen_fini(struct registry_seen *s)
{
    free(s->rows);
    if (s->kept != NULL)
        (void)pthread_mutex_unlock(&s->kept->seen_lock);
    else
        discovery_free(s->discovery);
    *s = (struct registry_seen){.n = 0};
}

/* What fails is told to who asks. */
void
registry_seen_warm(const struct cli *c)
{
    struct buf messages;
    struct registry_call call = {
        .cli = c, .config = &c->config, .messages = &messages};

    buf_init(&messages, 4096);
    (void)pthread_mutex_lock(&c->kept->seen_lock);
    (void)read_kept(&call, c->kept);
    (void)pthread_mutex_unlock(&c->kept->seen_lock);
    buf_free(&messages);
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
