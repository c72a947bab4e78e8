#include "sensor/journal/journal_retain.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/journal/journal_segment.h"

#define ALL_KINDS ((1U << KEEP_KINDS) - 1U)
#define LESS      (ALL_KINDS & ~(1U << KEEP_ALERTS))

struct row {
    uint64_t number;
    uint64_t bytes;
    ns_t written; /* its last line, UTC */
    unsigned cut; /* kinds that it has no longer */
    bool closed;
    bool needed;
    bool gone;
};

struct retain {
    int dir;
    const struct journal_keep *keep;
    const struct journal_io *io;
    ns_t now;
    struct row *rows;
    size_t n;
    uint64_t total;
    struct journal_kept did;
    unsigned rewritten;
};

/* ---- what there is ---- */

static void
look(struct retain *r, struct row *row, const struct journal_segment *s)
{
    char name[SEGMENT_NAME_MAX];
    struct stat st;

    *row = (struct row){.number = s->number};
    journal_segment_name(s->number, s->plain ? "" : ".zst", name);
    if (fstatat(r->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    row->bytes = (uint64_t)st.st_size;
    row->written =
        (ns_t)st.st_mtim.tv_sec * NS_PER_S + (ns_t)st.st_mtim.tv_nsec;
    row->closed = !s->plain;
    row->cut = row->closed ? journal_thin_kinds(r->dir, s->number) : 0;
    r->total += row->bytes;
}

static enum err
list(struct retain *r, uint64_t below)
{
    struct journal_segments s = {0};
    enum err e = journal_segments_read(r->dir, &s);

    if (e != ERR_OK)
        return e;
    r->rows = calloc(s.n + 1, sizeof(*r->rows));
    if (r->rows == NULL)
        e = ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < s.n; i++) {
        struct row *row = &r->rows[r->n++];

        look(r, row, &s.v[i]);
        row->closed = row->closed && row->number < below && i + 1 < s.n;
        row->needed = i + 1 == s.n || s.v[i + 1].number > r->keep->needed;
    }
    journal_segments_free(&s);
    return e;
}

static unsigned
due(const struct retain *r, const struct row *row)
{
    unsigned kinds = 0;

    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        if (r->keep->age[k] > 0 && r->now > row->written &&
            r->now - row->written > r->keep->age[k])
            kinds |= 1U << k;
    }
    return kinds;
}

/* ---- removing ---- */

static void
note(struct retain *r, const struct row *row, uint64_t freed)
{
    r->did.bytes += freed;
    r->total -= freed < r->total ? freed : r->total;
    r->did.upto = row->written > r->did.upto ? row->written : r->did.upto;
}

static void
add_lines(struct retain *r, const uint64_t lines[KEEP_KINDS])
{
    for (unsigned k = 0; k < KEEP_KINDS; k++)
        r->did.lines[k] += lines[k];
}

static void delete (struct retain *r, struct row *row)
{
    uint64_t lines[KEEP_KINDS];
    char name[SEGMENT_NAME_MAX];

    journal_segment_name(row->number, ".zst", name);
    journal_thin_count(r->dir, row->number, ALL_KINDS, lines);
    if (unlinkat(r->dir, name, 0) != 0) {
        r->did.failed++;
        return;
    }
    row->gone = true;
    r->did.segments++;
    add_lines(r, lines);
    note(r, row, row->bytes);
}

static void
thin(struct retain *r, struct row *row, unsigned kinds)
{
    struct journal_thinned did;
    const char *why;
    enum err e;

    kinds |= row->cut;
    if (kinds == row->cut)
        return;
    if (r->rewritten == JOURNAL_RETAIN_MOST) {
        r->did.more = true;
        return;
    }
    r->rewritten++;
    e = journal_thin(r->dir, row->number, kinds, r->io, &did, &why);
    if (e == ERR_CORRUPT)
        r->did.damaged++;
    else if (e != ERR_OK)
        r->did.failed++;
    if (e != ERR_OK)
        return;
    row->cut = kinds;
    r->did.thinned++;
    add_lines(r, did.lines);
    note(r, row, did.before > did.after ? did.before - did.after : 0);
    row->bytes = did.after;
}

/* ---- why ---- */

static void
by_age(struct retain *r)
{
    bool first = true; /* nothing older is left */

    for (size_t i = 0; i < r->n && r->rows[i].closed; i++) {
        struct row *row = &r->rows[i];
        const unsigned kinds = due(r, row);

        if (row->needed)
            r->did.held += kinds != 0;
        else if (kinds == ALL_KINDS && first)
            delete (r, row);
        else
            thin(r, row, kinds);
        first = first && row->gone;
    }
}

static void
by_bytes(struct retain *r)
{
    const uint64_t most = r->keep->bytes;

    for (size_t i = 0; most > 0 && r->total > most && i < r->n; i++) {
        if (r->rows[i].closed && !r->rows[i].needed && !r->rows[i].gone)
            thin(r, &r->rows[i], LESS);
    }
    for (size_t i = 0; most > 0 && r->total > most && !r->did.more && i < r->n;
         i++) {
        if (r->rows[i].gone)
            continue;
        r->did.held += r->rows[i].closed && r->rows[i].needed;
        if (!r->rows[i].closed || r->rows[i].needed)
            break;
        delete (r, &r->rows[i]);
        if (!r->rows[i].gone)
            break;
    }
}

enum err
journal_retain(int dir, const struct journal_keep *keep, uint64_t below,
               ns_t now, const struct journal_io *io, struct journal_kept *out)
{
    struct retain r = {.dir = dir, .keep = keep, .io = io, .now = now};
    const char *why;
    enum err e = list(&r, below);

    if (e == ERR_OK) {
        by_age(&r);
        by_bytes(&r);
        if (r.did.segments > 0 && journal_io_sync(io, dir, &why) != ERR_OK)
            r.did.failed++;
        *out = r.did;
    }
    free(r.rows);
    return e;
}
