#include "sensor/app/read_registry.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rules/registry/requirements.h"
#include "sensor/app/read_output.h"
#include "sensor/app/registry.h"
#include "sensor/app/registry_forms.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"
#include "sensor/core/carry.h"

#define FILE_MAX (1U << 30)

struct read_registry {
    struct book *book;
    struct registry_db *db;
    struct core *core;
    struct journal *journal; /* or NULL: nothing is followed */
    struct carry carry;
    const char *dir;
    struct buf path; /* of DIR/registry.db, with its NUL */
    struct buf why;
    struct buf *tells; /* or NULL: the first failure ends it */
    uint64_t told;     /* hash of the failure last told, 0: none */
    ns_t due;          /* when it is looked at next */
    bool again;        /* what was seen last did not all take force */
    enum err error;
};

static void
tell(struct buf *messages, const char *path, struct span why)
{
    buf_str(messages, "span25: ");
    text_term(messages, span_str(path));
    buf_str(messages, ": ");
    buf_span(messages, why);
    buf_putc(messages, '\n');
}

static enum err
open_db(struct read_registry *r, const char *path, enum registry_db_mode mode,
        struct buf *why)
{
    enum err e = registry_db_open(path, mode, &r->db, why);

    if (e == ERR_OK && r->book == NULL)
        e = book_new(&r->book);
    if (e == ERR_OK)
        e = registry_replay(r->db, r->book, why);
    if (e == ERR_OK)
        e = book_index(r->book);
    return e;
}

static enum err
open_file(struct read_registry *r, const char *path, struct buf *messages)
{
    struct buf text;
    enum err e;

    buf_init(&text, FILE_MAX);
    e = read_output_load(path, &text, messages);
    if (e == ERR_OK &&
        span_starts(buf_view(&text), SPAN_LIT("SQLite format 3"))) {
        e = open_db(r, path, REGISTRY_DB_READ, &r->why);
        if (e != ERR_OK)
            tell(messages, path, buf_view(&r->why));
        registry_db_close(r->db); /* it is not followed */
        r->db = NULL;
    } else if (e == ERR_OK) {
        e = registry_forms_book(buf_view(&text), path, &r->book, messages);
    }
    buf_free(&text);
    return e == ERR_FORMAT ? ERR_CONFIG : e;
}

static enum err
open_state(struct read_registry *r, struct buf *messages)
{
    enum err e;

    if (access((const char *)r->path.p, F_OK) != 0)
        return ERR_OK;
    e = open_db(r, (const char *)r->path.p, REGISTRY_DB_WRITE, &r->why);
    if (e == ERR_NOENT)
        return ERR_OK; /* only begun */
    if (e != ERR_OK)
        tell(messages, (const char *)r->path.p, buf_view(&r->why));
    return e;
}

static enum err
open_any(struct read_registry *r, const struct config *c, struct buf *messages)
{
    bool has_state;

    if (c->state != NULL) {
        r->dir = c->state;
        buf_str(&r->path, c->state);
        buf_str(&r->path, "/" REGISTRY_DB_FILE);
        buf_putc(&r->path, 0);
        if (r->path.cut || r->path.failed)
            return r->path.cut ? ERR_LIMIT : ERR_NOMEM;
    }
    has_state = r->path.n > 0 && access((const char *)r->path.p, F_OK) == 0;
    if (has_state && c->origin[OPTION_ID_registry].kind == ORIGIN_FLAG) {
        tell(messages, (const char *)r->path.p,
             SPAN_LIT("is the registry of this folder; leave out --registry"));
        return ERR_USAGE;
    }
    if (c->registry != NULL && !has_state) {
        r->dir = NULL;
        return open_file(r, c->registry, messages);
    }
    return r->dir != NULL ? open_state(r, messages) : ERR_OK;
}

enum err
read_registry_open(const struct config *c, struct read_registry **out,
                   struct buf *messages)
{
    struct read_registry *r = calloc(1, sizeof(*r));
    enum err e;

    if (r == NULL)
        return ERR_NOMEM;
    buf_init(&r->path, 8192);
    buf_init(&r->why, 4096);
    e = open_any(r, c, messages);
    if (e != ERR_OK) {
        read_registry_close(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

void
read_registry_close(struct read_registry *r)
{
    if (r == NULL)
        return;
    registry_db_close(r->db);
    book_free(r->book);
    buf_free(&r->path);
    buf_free(&r->why);
    free(r);
}

const struct book *
read_registry_book(const struct read_registry *r)
{
    return r != NULL ? r->book : NULL;
}

static enum err
carry(struct read_registry *r)
{
    if (r->db == NULL || r->journal == NULL)
        return ERR_OK;
    r->carry.dir = r->dir;
    r->carry.db = r->db;
    r->carry.journal = r->journal;
    r->carry.core = r->core;
    return carry_all(&r->carry, registry_db_last(r->db), &r->why);
}

enum err
read_registry_start(struct read_registry *r, struct core *core,
                    struct journal *journal, struct buf *messages)
{
    enum err e;

    r->core = core;
    r->journal = journal;
    e = carry(r);
    if (e != ERR_OK)
        tell(messages, (const char *)r->path.p, buf_view(&r->why));
    return e;
}

/* ---- on the way ---- */

static ns_t
clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

/* Records first into the book, then the journal: from there on they hold. */
static enum err
take_up(struct read_registry *r)
{
    enum err e = r->book != NULL ? ERR_OK : book_new(&r->book);

    if (e == ERR_OK)
        e = registry_replay(r->db, r->book, &r->why);
    if (e == ERR_OK)
        e = book_index(r->book);
    if (e != ERR_OK)
        return e;
    core_registry(r->core, r->book);
    return carry(r);
}

static enum err
follow(struct read_registry *r)
{
    enum err e = ERR_OK;

    if (r->db == NULL) {
        if (access((const char *)r->path.p, F_OK) != 0)
            return ERR_OK;
        e = registry_db_open((const char *)r->path.p, REGISTRY_DB_WRITE, &r->db,
                             &r->why);
    } else if (!r->again && !registry_db_changed(r->db)) {
        return ERR_OK;
    }
    if (e == ERR_OK)
        e = take_up(r);
    r->again = e != ERR_OK && r->db != NULL;
    /* Only begun; or one is writing at the moment, who is asked again. */
    return e == ERR_NOENT || e == ERR_BUSY ? ERR_OK : e;
}

/* Each failure is told once, and so is its end. */
static void
bear(struct read_registry *r, enum err e)
{
    const uint64_t what = hash_span(buf_view(&r->why), (uint64_t)e) | 1;

    if (e != ERR_OK && what != r->told) {
        tell(r->tells, (const char *)r->path.p,
             r->why.n > 0 ? buf_view(&r->why) : span_str(err_text(e)));
        r->told = what;
    } else if (e == ERR_OK && r->told != 0 && !r->again) {
        tell(r->tells, (const char *)r->path.p, SPAN_LIT("is followed again"));
        r->told = 0;
    }
}

void
read_registry_last(struct read_registry *r, struct buf *messages)
{
    if (r != NULL)
        r->tells = messages;
}

void
read_registry_look(struct read_registry *r)
{
    enum err e;
    ns_t now;

    if (r->dir == NULL || r->error != ERR_OK)
        return;
    now = clock_now();
    if (now < r->due)
        return;
    buf_reset(&r->why);
    e = follow(r);
    r->due = now + (e == ERR_OK ? READ_REGISTRY_POLL : READ_REGISTRY_RETRY);
    if (r->tells != NULL)
        bear(r, e);
    else
        r->error = e;
}

void
read_registry_put(void *ctx, struct span record)
{
    struct read_registry *r = ctx;

    read_registry_look(r);
    core_put(r->core, record);
}

/* ---- at the end ---- */

static enum err
add_record(struct read_registry *r, const struct action *a)
{
    struct registry_row row = {.when = a->when, .actor = span_str(a->actor)};
    struct audit audit;
    struct buf text;
    enum err e;

    buf_init(&text, REGISTRY_DB_TEXT_MAX);
    e = book_apply(r->book, a, &audit, &text, &r->why);
    if (e == ERR_OK && (text.cut || text.failed))
        e = text.cut ? ERR_LIMIT : ERR_NOMEM;
    if (e == ERR_OK) {
        row.number = audit.number;
        row.text = buf_view(&text);
        memcpy(row.before, audit.before, sizeof(row.before));
        memcpy(row.hash, audit.hash, sizeof(row.hash));
        e = registry_db_add(r->db, &row, &r->why);
    }
    buf_free(&text);
    return e;
}

/* The lines of a form that were seen first now; room has one for each. */
static size_t
first_seen(const struct book_form *f, const struct requirements *seen,
           ns_t when, uint32_t *room)
{
    size_t n = 0;

    for (size_t i = 0; i < f->form.n_lines; i++) {
        const struct book_line *l = f->lines[i];

        if (l->dates.seen == 0 && book_state_at(l, when) == BOOK_PERMITTED &&
            requirements_saw(seen, l))
            room[n++] = l->line->number;
    }
    return n;
}

/* The time of the packets, but never one to come: nothing could be entered
 * before it then. */
static ns_t
time_of_seeing(const struct read_registry *r)
{
    ns_t when = core_time(r->core);
    struct timespec t;
    ns_t now;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    now = (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
    when = when < now ? when : now;
    /* a capture of before the last entry */
    return when > book_time(r->book) ? when : book_time(r->book);
}

static enum err
see_form(struct read_registry *r, const struct book_form *f,
         const struct requirements *seen)
{
    struct action a = {.kind = ACTION_SEE,
                       .when = time_of_seeing(r),
                       .actor = "span25",
                       .number = f->form.number};
    uint32_t *lines = calloc(f->form.n_lines + 1, sizeof(*lines));
    enum err e = ERR_OK;

    if (lines == NULL)
        return ERR_NOMEM;
    a.lines = lines;
    a.n_lines = first_seen(f, seen, a.when, lines);
    if (a.n_lines > 0)
        e = add_record(r, &a);
    free(lines);
    return e;
}

static enum err
see_all(struct read_registry *r, const struct requirements *seen)
{
    enum err e = registry_db_begin(r->db, &r->why);

    if (e != ERR_OK)
        return e;
    e = registry_replay(r->db, r->book, &r->why);
    for (size_t i = 0; e == ERR_OK && i < book_n_forms(r->book); i++)
        e = see_form(r, book_form_at(r->book, i), seen);
    if (e == ERR_OK)
        return registry_db_commit(r->db, &r->why);
    registry_db_rollback(r->db);
    return e;
}

void
read_registry_see(struct read_registry *r, const struct requirements *seen)
{
    if (r == NULL || r->db == NULL || r->journal == NULL || r->error != ERR_OK)
        return;
    buf_reset(&r->why);
    r->error = see_all(r, seen);
    if (r->error == ERR_OK)
        r->error = book_index(r->book);
    if (r->error == ERR_OK)
        r->error = carry(r);
    if (r->error == ERR_BUSY) /* the next reading sees it as well */
        r->error = ERR_OK;
    if (r->tells != NULL) {
        bear(r, r->error);
        r->error = ERR_OK;
    }
}

enum err
read_registry_error(const struct read_registry *r, struct buf *messages)
{
    if (r->error != ERR_OK)
        tell(messages, (const char *)r->path.p, buf_view(&r->why));
    return r->error;
}
