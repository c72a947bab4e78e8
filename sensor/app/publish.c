#include "sensor/app/publish.h"

#include "sensor/base/hash.h"
#include "sensor/base/text.h"
#include "sensor/event/json_read.h"
#include "sensor/sinks/sink_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CURSOR_MAX  4096U
#define WANTS       "wants " /* before the spool's text */
#define WHY_MAX     1024U
#define PAUSE_FIRST (NS_PER_S / 2)

/* Who has something to tell; each has a last text of its own, or two that take
 * turns would be told of for ever. */
enum teller { TELLER_SINK, TELLER_CURSOR, TELLER_JOURNAL, TELLERS };

/* A lane that is behind. */
struct lane {
    struct journal_reader *reader; /* or NULL */
    struct journal_line line;      /* read, and not dealt with */
    bool has;
    bool behind;
    uint64_t at; /* the last line that the reader gave */
};

struct publish {
    const struct config_sink *config;
    struct sink_value *values;
    struct sink_settings settings;
    const char *dir;
    uint32_t events;      /* wanted, bits 1 << enum event_type */
    struct shape *filter; /* or NULL: nothing but events counts */
    struct shape *shape;  /* of what is sent; NULL while it is CLOSED */
    int folder;           /* DIR/publish */
    struct sink *sink;
    struct spool *spool;
    struct lane lanes[KEEP_KINDS];
    struct json_reader json;
    struct record_out record;
    struct buf scratch;       /* messages of others */
    struct buf told[TELLERS]; /* the last why */
    enum publish_state state;
    ns_t next; /* mono; when it is opened again */
    ns_t pause;
    ns_t ask;   /* mono; when it may be asked again why it is slow */
    ns_t since; /* UTC; as in publish_counts */
    bool dirty;
};

const char *
publish_state_word(enum publish_state s)
{
    static const char *const words[] = {
#define X(id, word) word,
        PUBLISH_STATE_MAP(X)
#undef X
    };

    return words[s];
}

/* ---- telling ---- */

static void
say(const struct publish *p, struct buf *messages, const char *what)
{
    buf_printf(messages, "sink %s: %s\n", p->config->name, what);
}

/* Each text once; a peer that comes and goes is told of as often as its text
 * changes. */
static void
say_why(struct publish *p, enum teller who, struct span why,
        struct buf *messages)
{
    struct buf *told = &p->told[who];

    if (span_eq(why, buf_view(told)))
        return;
    buf_reset(told);
    buf_span(told, why);
    buf_printf(messages, "sink %s: ", p->config->name);
    text_term(messages, why);
    buf_putc(messages, '\n');
}

static void
ask_why(struct publish *p, struct buf *messages)
{
    struct buf why;

    buf_init(&why, WHY_MAX);
    p->sink->ops->why(p->sink, &why);
    say_why(p, TELLER_SINK, buf_view(&why), messages);
    buf_free(&why);
}

/* ---- the cursor ----
 *
 * "wants N", which says what was chosen when lines were counted, and what the
 * spool says. */

static uint64_t
choice_of(const struct config_sink *s)
{
    const uint32_t events = options_sinks_events(s);
    uint64_t h = 0;

    for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++) {
        if ((events >> t & 1) != 0)
            h = hash_mix(
                h, hash_span(span_str(event_type_name((enum event_type)t)), 0));
    }
    return hash_mix(h,
                    s->filter != NULL ? hash_span(span_str(s->filter), 0) : 0);
}

/* The choice, off the front of a cursor; false: it says nothing of it. */
static bool
take_choice(struct span *text, uint64_t *out)
{
    const size_t end = span_find(*text, '\n'), word = sizeof(WANTS) - 1;

    if (!span_starts(*text, SPAN_LIT(WANTS)) ||
        !span_to_u64(span_tail(span_head(*text, end), word), out))
        return false;
    *text = span_tail(*text, end + 1);
    return true;
}

static void
cursor_name(const char *name, struct buf *out)
{
    buf_printf(out, "%s" PUBLISH_CURSOR "%c", name, 0);
}

/* When it was written; 0: nobody knows. */
static ns_t
time_of(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_mtim.tv_sec < 0)
        return 0;
    return (ns_t)st.st_mtim.tv_sec * NS_PER_S + (ns_t)st.st_mtim.tv_nsec;
}

static enum err
read_cursor(int folder, const char *name, struct buf *out, ns_t *saved)
{
    struct buf path;
    ssize_t n = -1;
    int fd, number;

    buf_init(&path, 64);
    cursor_name(name, &path);
    fd = openat(folder, (const char *)path.p, O_RDONLY | O_CLOEXEC);
    number = errno;
    if (fd >= 0 && saved != NULL)
        *saved = time_of(fd);
    buf_free(&path);
    if (fd >= 0 && buf_grow(out, CURSOR_MAX)) {
        n = read(fd, out->p, CURSOR_MAX);
        number = errno;
    }
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return err_from_errno(number);
    out->n = (size_t)n;
    return ERR_OK;
}

/* 0, or why not: a number of errno. */
static int
write_whole(int folder, const char *name, struct span text)
{
    const int fd =
        openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const ssize_t n = fd >= 0 ? write(fd, text.p, text.n) : -1;
    int number = n < 0 ? errno : 0;

    if (n >= 0 && n != (ssize_t)text.n)
        number = ENOSPC; /* a write that is short says nothing else */
    if (number == 0 && fdatasync(fd) != 0)
        number = errno;
    if (fd >= 0 && close(fd) != 0 && number == 0)
        number = errno;
    return number;
}

static enum err
write_cursor(struct publish *p)
{
    struct buf text, name, beside;
    int number;

    buf_init(&text, CURSOR_MAX);
    buf_init(&name, 64);
    buf_init(&beside, 64);
    buf_printf(&text, WANTS "%" PRIu64 "\n", choice_of(p->config));
    spool_save(p->spool, &text);
    cursor_name(p->config->name, &name);
    buf_printf(&beside, "%s.new%c", p->config->name, 0);
    number = write_whole(p->folder, (const char *)beside.p, buf_view(&text));
    if (number == 0 && renameat(p->folder, (const char *)beside.p, p->folder,
                                (const char *)name.p) != 0)
        number = errno;
    buf_free(&text);
    buf_free(&name);
    buf_free(&beside);
    return err_from_errno(number);
}

enum err
publish_save(struct publish *p, struct buf *messages)
{
    enum err e = p->dirty ? write_cursor(p) : ERR_OK;

    p->dirty = p->dirty && e != ERR_OK;
    if (e == ERR_OK)
        return ERR_OK;
    buf_reset(&p->scratch);
    buf_printf(&p->scratch, "how far it is cannot be kept: %s", err_text(e));
    say_why(p, TELLER_CURSOR, buf_view(&p->scratch), messages);
    return e;
}

static enum err
load_spool(struct publish *p, struct span text, struct buf *messages)
{
    uint64_t choice = 0;
    const bool is_told = take_choice(&text, &choice);
    enum err e = spool_new(0, &p->spool);

    if (e != ERR_OK)
        return e;
    if (spool_load(p->spool, text) != ERR_OK)
        say(p, messages,
            "its cursor is damaged: all of the journal is sent again");
    else if (is_told && choice != choice_of(p->config))
        spool_recount(p->spool);
    return ERR_OK;
}

/* The spool of a sink whose cursor says so, or that has none. */
static enum err
load_cursor(struct publish *p, uint64_t last, struct buf *messages)
{
    struct buf text;
    enum err e;

    buf_init(&text, CURSOR_MAX + 1);
    e = read_cursor(p->folder, p->config->name, &text, NULL);
    if (e == ERR_OK) {
        e = load_spool(p, buf_view(&text), messages);
    } else if (e == ERR_NOENT) {
        e = spool_new(last, &p->spool);
        if (e == ERR_OK) /* or it would begin later the next time */
            e = write_cursor(p);
    }
    buf_free(&text);
    if (e == ERR_OK && spool_last(p->spool) > last) {
        say(p, messages,
            "its cursor is ahead of the journal, which has lost lines");
        spool_cut(p->spool, last);
    }
    return e;
}

static enum err
open_folder(const char *dir, int *out)
{
    const int state = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number = errno;

    if (state < 0)
        return err_from_errno(number);
    *out = -1;
    if (mkdirat(state, PUBLISH_DIR, 0700) == 0 || errno == EEXIST)
        *out = openat(state, PUBLISH_DIR,
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    number = errno;
    (void)close(state);
    return *out >= 0 ? ERR_OK : err_from_errno(number);
}

/* ---- life ---- */

static enum err
make_filter(struct publish *p, struct buf *messages)
{
    const struct shape_settings s = options_sinks_shape(p->config, false);

    return s.filter.n > 0 ? shape_new(&s, &p->filter, messages) : ERR_OK;
}

static void
on_settled(void *ctx, bool delivered)
{
    struct publish *p = ctx;

    spool_settled(p->spool, delivered);
    p->dirty = true;
}

enum err
publish_new(const struct publish_plan *plan, struct publish **out,
            struct buf *messages)
{
    struct publish *p = calloc(1, sizeof(*p));
    enum err e;

    *out = NULL;
    if (p == NULL)
        return ERR_NOMEM;
    p->config = plan->sink;
    p->dir = plan->dir;
    p->folder = -1;
    p->events = options_sinks_events(plan->sink);
    p->state = PUBLISH_CLOSED;
    json_reader_init(&p->json);
    record_init(&p->record);
    buf_init(&p->scratch, 4096);
    for (size_t i = 0; i < TELLERS; i++)
        buf_init(&p->told[i], 4096);
    p->values = calloc(plan->sink->n_settings + 1, sizeof(*p->values));
    e = p->values != NULL ? open_folder(plan->dir, &p->folder) : ERR_NOMEM;
    if (e == ERR_OK)
        e = make_filter(p, messages);
    if (e == ERR_OK)
        e = load_cursor(p, plan->last, messages);
    if (e != ERR_OK) {
        publish_free(p);
        return e;
    }
    p->settings = options_sinks_settings(plan->sink, p->values);
    p->settings.settled = on_settled;
    p->settings.ctx = p;
    *out = p;
    return ERR_OK;
}

void
publish_free(struct publish *p)
{
    if (p == NULL)
        return;
    if (p->sink != NULL)
        p->sink->ops->close(p->sink);
    for (size_t k = 0; k < KEEP_KINDS; k++)
        journal_reader_close(p->lanes[k].reader);
    shape_free(p->filter);
    shape_free(p->shape);
    spool_free(p->spool);
    if (p->folder >= 0)
        (void)close(p->folder);
    json_reader_free(&p->json);
    record_free(&p->record);
    buf_free(&p->scratch);
    for (size_t i = 0; i < TELLERS; i++)
        buf_free(&p->told[i]);
    free(p->values);
    free(p);
}

/* ---- one line ---- */

/* False: it is none of ours, and never will be. */
static bool
read_event(struct publish *p, const struct journal_line *line)
{
    buf_reset(&p->scratch);
    return json_read(&p->json, line->json, &p->record, &p->scratch) == ERR_OK;
}

/* What cannot be read is wanted, and lost. */
static bool
wants(struct publish *p, const struct journal_line *line)
{
    if ((p->events >> keep_type_of_json(line->json) & 1) == 0)
        return false;
    return p->filter == NULL || !read_event(p, line) ||
           shape_wants(p->filter, record_view(&p->record));
}

static void
on_put(struct publish *p, enum put result)
{
    if (result == PUT_DONE)
        p->state = PUBLISH_OPEN;
    else if (result == PUT_BUSY)
        p->state = PUBLISH_BUSY;
    else
        p->state = PUBLISH_FAILED;
}

static bool
takes_lines(const struct publish *p)
{
    return p->state == PUBLISH_OPEN || p->state == PUBLISH_BUSY;
}

/* False: not now. A line that is no event can never be sent: the lane passes
 * it, and it counts as lost when the lane is level. */
static bool
send_line(struct publish *p, enum keep_kind k, const struct journal_line *line)
{
    struct shaped shaped;
    enum put result;

    if (!takes_lines(p) || !spool_has_room(p->spool, k))
        return false;
    if (!read_event(p, line)) {
        spool_passed(p->spool, k, line->seq);
        return true;
    }
    if (shape_line(p->shape, record_view(&p->record), line->json, &shaped) !=
        ERR_OK)
        return false;
    spool_took(p->spool, k, line->seq); /* the put may settle it */
    result = p->sink->ops->put(p->sink, shaped.record, shaped.line);
    on_put(p, result);
    if (result != PUT_DONE)
        spool_untook(p->spool, k, line->seq);
    return result == PUT_DONE;
}

/* Nothing that was shown before is still to be sent. */
static bool
is_level(const struct publish *p, enum keep_kind k)
{
    return !p->lanes[k].behind &&
           spool_next(p->spool, k) > spool_scanned(p->spool);
}

uint64_t
publish_scanned(const struct publish *p)
{
    return spool_scanned(p->spool);
}

static void
give_line(struct publish *p, enum keep_kind k, const struct journal_line *line,
          bool wanted)
{
    if (!wanted)
        spool_passed(p->spool, k, line->seq);
    else
        (void)send_line(p, k, line); /* or it is read again, later */
}

void
publish_line(struct publish *p, const struct journal_line *line)
{
    const uint64_t before = spool_scanned(p->spool);
    const enum keep_kind kind = keep_of_json(line->json);
    const bool wanted = wants(p, line);
    bool level[KEEP_KINDS];

    if (line->seq <= before)
        return;
    for (unsigned k = 0; k < KEEP_KINDS; k++)
        level[k] = is_level(p, (enum keep_kind)k) &&
                   line->seq >= spool_next(p->spool, (enum keep_kind)k);
    spool_scan(p->spool, line->seq, line->seq - before - 1, kind, wanted);
    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        if (level[k])
            give_line(p, (enum keep_kind)k, line, k == kind && wanted);
    }
    p->dirty = true;
}

/* ---- a lane that is behind ---- */

static void
close_reader(struct lane *l)
{
    journal_reader_close(l->reader);
    *l = (struct lane){0};
}

/* One that was left not far behind reads what lies between: to open another
 * reads its file from the beginning. */
static void
leave_far_reader(struct publish *p, enum keep_kind k)
{
    struct lane *l = &p->lanes[k];

    if (l->reader != NULL && !l->behind &&
        spool_next(p->spool, k) > l->at + PUBLISH_NEAR)
        close_reader(l);
}

static bool
open_reader(struct publish *p, enum keep_kind k, struct buf *messages)
{
    struct lane *l = &p->lanes[k];
    enum err e = ERR_OK;

    if (l->reader == NULL) {
        buf_reset(&p->scratch);
        l->at = spool_next(p->spool, k) - 1;
        e = journal_reader_open(p->dir, l->at + 1, &l->reader, &p->scratch);
    }
    l->behind = e == ERR_OK;
    if (e == ERR_OK)
        return true;
    l->reader = NULL;
    say_why(p, TELLER_JOURNAL, buf_view(&p->scratch), messages);
    return false;
}

enum next { NEXT_LINE, NEXT_NONE, NEXT_LATER };

/* The next one up to what was scanned, in l->line. */
static enum next
next_line(struct publish *p, struct lane *l, uint64_t from)
{
    while (!l->has || l->line.seq < from) {
        l->has = false;
        switch (journal_read(l->reader, &l->line)) {
        case JOURNAL_READ_LINE:
            l->has = true;
            l->at = l->line.seq;
            break;
        case JOURNAL_READ_WAIT: return NEXT_NONE;
        case JOURNAL_READ_DAMAGED: break; /* core and index tell of it */
        case JOURNAL_READ_FAILED: return NEXT_LATER;
        }
    }
    return l->line.seq <= spool_scanned(p->spool) ? NEXT_LINE : NEXT_NONE;
}

/* True: something was done. */
static bool
catch_up(struct publish *p, enum keep_kind k)
{
    struct lane *l = &p->lanes[k];

    for (unsigned i = 0; i < PUBLISH_TURN; i++) {
        const enum next next = next_line(p, l, spool_next(p->spool, k));

        if (next == NEXT_NONE) {
            l->behind = false;
            spool_reached(p->spool, k);
            return true;
        }
        if (next == NEXT_LATER)
            return i > 0;
        if (keep_of_json(l->line.json) != k || !wants(p, &l->line))
            spool_passed(p->spool, k, l->line.seq);
        else if (!send_line(p, k, &l->line))
            return i > 0;
        l->has = false;
    }
    return true;
}

static bool
step_lane(struct publish *p, enum keep_kind k, struct buf *messages)
{
    const struct spool_counts n = spool_counts(p->spool, k);
    struct lane *l = &p->lanes[k];

    leave_far_reader(p, k);
    /* What waits and does not fly is there, or gone for good. */
    if (is_level(p, k) || n.waiting == n.in_flight) {
        l->behind = false;
        if (spool_next(p->spool, k) <= spool_scanned(p->spool) ||
            n.waiting > n.in_flight)
            spool_reached(p->spool, k);
        return false;
    }
    return takes_lines(p) && spool_has_room(p->spool, k) &&
           open_reader(p, k, messages) && catch_up(p, k);
}

/* ---- the other side ---- */

static void
pause_more(struct publish *p, ns_t mono)
{
    p->pause = p->pause == 0 ? PAUSE_FIRST : p->pause * 2;
    if (p->pause > PUBLISH_PAUSE_NS)
        p->pause = PUBLISH_PAUSE_NS;
    p->next = mono + p->pause;
}

static void
open_sink(struct publish *p, ns_t mono, struct buf *messages)
{
    const struct shape_settings shape = options_sinks_shape(p->config, true);
    enum err e;

    buf_reset(&p->scratch);
    e = p->shape == NULL ? shape_new(&shape, &p->shape, &p->scratch) : ERR_OK;
    if (e == ERR_OK)
        e = sink_open(span_str(p->config->kind), &p->settings, &p->sink,
                      &p->scratch);
    if (e == ERR_OK) {
        p->state = PUBLISH_OPEN;
        return;
    }
    p->sink = NULL;
    say_why(p, TELLER_SINK, buf_view(&p->scratch), messages);
    pause_more(p, mono);
}

/* It goes on with what it had taken. */
static void
open_again(struct publish *p, ns_t mono)
{
    if (p->sink->ops->reopen(p->sink) == ERR_OK)
        p->state = PUBLISH_OPEN;
    pause_more(p, mono);
}

static void
mend(struct publish *p, ns_t mono, struct buf *messages)
{
    if (p->state == PUBLISH_CLOSED && mono >= p->next) {
        open_sink(p, mono, messages);
    } else if (p->state == PUBLISH_FAILED) {
        ask_why(p, messages);
        if (mono >= p->next)
            open_again(p, mono);
    }
}

/* One that holds all there is, so that no put can tell, may die too. */
static void
look_at_flight(struct publish *p)
{
    const struct sink_ops *ops;
    enum put result;

    if (!takes_lines(p) || spool_in_flight(p->spool) == 0)
        return;
    ops = p->sink->ops;
    result = ops->flush(p->sink);
    if (result == PUT_STOP || result == PUT_DEAD)
        p->state = PUBLISH_FAILED;
}

/* ---- a turn ---- */

static bool
is_unsent(const struct publish *p)
{
    bool any = false;

    for (unsigned k = 0; k < KEEP_KINDS; k++)
        any |= spool_counts(p->spool, (enum keep_kind)k).waiting > 0;
    return any;
}

static uint64_t
n_acknowledged(const struct publish *p)
{
    uint64_t n = 0;

    for (unsigned k = 0; k < KEEP_KINDS; k++)
        n += spool_counts(p->spool, (enum keep_kind)k).acknowledged;
    return n;
}

static void
note_time(struct publish *p, ns_t mono, ns_t utc, uint64_t acknowledged,
          struct buf *messages)
{
    if (n_acknowledged(p) > acknowledged)
        p->pause = 0;
    if (!is_unsent(p))
        p->since = 0;
    else if (p->since == 0 || n_acknowledged(p) > acknowledged ||
             p->since > utc) /* the clock was set back */
        p->since = utc;
    if (takes_lines(p) && p->since != 0 && utc > p->since + PUBLISH_SLOW_NS &&
        mono >= p->ask) {
        p->ask = mono + PUBLISH_PAUSE_NS;
        ask_why(p, messages);
    }
}

bool
publish_step(struct publish *p, ns_t mono, ns_t utc, struct buf *messages)
{
    const uint64_t acknowledged = n_acknowledged(p);
    bool did = false;

    mend(p, mono, messages);
    if (p->sink != NULL)
        p->sink->ops->tick(p->sink, utc);
    look_at_flight(p);
    for (unsigned k = 0; k < KEEP_KINDS; k++)
        did |= step_lane(p, (enum keep_kind)k, messages);
    note_time(p, mono, utc, acknowledged, messages);
    return did || n_acknowledged(p) > acknowledged;
}

bool
publish_idle(const struct publish *p)
{
    return !is_unsent(p);
}

void
publish_flush(struct publish *p)
{
    if (takes_lines(p))
        on_put(p, p->sink->ops->flush(p->sink));
}

void
publish_reopen(struct publish *p)
{
    if (p->sink != NULL && p->sink->ops == &sink_file &&
        p->sink->ops->reopen(p->sink) != ERR_OK)
        p->state = PUBLISH_FAILED;
}

/* ---- counts ---- */

static struct publish_counts
counts_of(const struct spool *s)
{
    struct publish_counts n = {.unread = spool_unread(s),
                               .scanned = spool_scanned(s)};

    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        n.lane[k] = spool_counts(s, (enum keep_kind)k);
        n.cursor[k] = spool_cursor(s, (enum keep_kind)k);
    }
    return n;
}

struct publish_counts
publish_counts(const struct publish *p)
{
    struct publish_counts n = counts_of(p->spool);

    n.state = p->state;
    n.since = p->since;
    return n;
}

static enum err
saved_one(int folder, const char *name, struct publish_counts *out)
{
    struct spool *s = NULL;
    uint64_t choice;
    struct span saved;
    struct buf text;
    ns_t when = 0;
    enum err e;

    buf_init(&text, CURSOR_MAX + 1);
    e = read_cursor(folder, name, &text, &when);
    if (e == ERR_OK)
        e = spool_new(0, &s);
    saved = buf_view(&text);
    (void)take_choice(&saved, &choice);
    if (e == ERR_OK)
        e = spool_load(s, saved);
    if (e == ERR_OK) {
        *out = counts_of(s);
        out->saved = when;
    }
    spool_free(s);
    buf_free(&text);
    return e;
}

/* Of a name that a sink can have: anything else in this folder is none of ours,
 * and is not to be shown. */
static int
is_cursor(const struct dirent *d)
{
    const size_t n = strspn(d->d_name, OPTIONS_LIST_NAME);

    return n > 0 && strcmp(d->d_name + n, PUBLISH_CURSOR) == 0;
}

enum err
publish_saved(const char *dir, publish_saved_row *row, void *ctx)
{
    struct dirent **found = NULL;
    struct buf path;
    int folder, n;
    enum err e;

    buf_init(&path, 4096);
    buf_printf(&path, "%s/" PUBLISH_DIR "%c", dir, 0);
    folder = open((const char *)path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    n = folder >= 0 ? scandirat(folder, ".", &found, is_cursor, alphasort) : -1;
    e = n >= 0 ? ERR_OK : err_from_errno(errno);
    for (int i = 0; i < n; i++) {
        struct publish_counts counts;
        char *name = found[i]->d_name;

        name[strlen(name) - strlen(PUBLISH_CURSOR)] = '\0';
        row(ctx, name,
            saved_one(folder, name, &counts) == ERR_OK ? &counts : NULL);
        free(found[i]);
    }
    free(found);
    if (folder >= 0)
        (void)close(folder);
    buf_free(&path);
    return e;
}
