#include "sensor/journal/journal_lines.h"

#define ROOM_FIRST (256U << 10)
#define ROOM_MAX   (JOURNAL_LINE_MAX + JOURNAL_TAIL_MAX)

void
journal_lines_init(struct journal_lines *l, journal_source_read *read,
                   void *source)
{
    *l = (struct journal_lines){.read = read, .source = source};
}

void
journal_lines_free(struct journal_lines *l)
{
    free(l->p);
    journal_lines_init(l, l->read, l->source);
}

/* Hands out the n bytes at start; skip more are passed over. */
static void
give(struct journal_lines *l, size_t n, size_t skip, struct journal_raw *out)
{
    *out = (struct journal_raw){l->p + l->start, n, l->offset};
    l->start += n + skip;
    l->searched = l->start;
    l->offset += n + skip;
}

/* Room behind end: false when the line is at its bound. */
static enum err
make_room(struct journal_lines *l, bool *full)
{
    size_t cap = l->cap > 0 ? l->cap * 2 : ROOM_FIRST;
    uint8_t *p;

    *full = false;
    if (l->end < l->cap)
        return ERR_OK;
    if (l->start > 0) {
        memmove(l->p, l->p + l->start, l->end - l->start);
        l->end -= l->start;
        l->searched -= l->start;
        l->start = 0;
        return ERR_OK;
    }
    *full = l->cap == ROOM_MAX;
    if (*full)
        return ERR_OK;
    cap = cap < ROOM_MAX ? cap : ROOM_MAX;
    p = realloc(l->p, cap);
    if (p == NULL)
        return ERR_NOMEM;
    l->p = p;
    l->cap = cap;
    return ERR_OK;
}

enum err
journal_lines_next(struct journal_lines *l, struct journal_raw *out)
{
    for (;;) {
        struct span fresh = span_of(l->p, l->end);
        size_t nl = span_find(span_tail(fresh, l->searched), '\n');
        size_t got = 0;
        bool full;
        enum err e;

        if (nl < l->end - l->searched) {
            give(l, l->searched + nl - l->start, 1, out);
            return ERR_OK;
        }
        l->searched = l->end;
        e = make_room(l, &full);
        if (e != ERR_OK)
            return e;
        if (full) {
            give(l, l->end - l->start, 0, out);
            return ERR_OK;
        }
        e = l->read(l->source, l->p + l->end, l->cap - l->end, &got);
        if (e == ERR_CORRUPT)
            l->offset += journal_lines_drop(l);
        if (e != ERR_OK)
            return e;
        if (got == 0)
            return ERR_TRUNCATED;
        l->end += got;
    }
}

size_t
journal_lines_drop(struct journal_lines *l)
{
    size_t n = l->end - l->start;

    l->start = l->searched = l->end = 0;
    return n;
}

enum err
journal_lines_scan(struct journal_lines *l, uint64_t segment,
                   struct journal_scan *out)
{
    struct journal_scan s = {0};
    struct journal_chain c;
    uint64_t bad = 0; /* since the last good line */
    enum err e;

    journal_chain_init(&c, segment);
    s.chain = c;
    for (;;) {
        struct journal_raw raw;
        struct journal_parts parts;

        e = journal_lines_next(l, &raw);
        if (e == ERR_CORRUPT) {
            journal_chain_break(&c);
            bad++;
            continue;
        }
        if (e != ERR_OK)
            break;
        if (!journal_chain_take(&c, span_of(raw.p, raw.n), &parts)) {
            bad++;
            continue;
        }
        s.kept_bytes = l->offset;
        s.lines++;
        s.damaged += bad;
        bad = 0;
        s.chain = c;
    }
    if (e != ERR_TRUNCATED)
        return e;
    s.total_bytes = l->offset + (l->end - l->start);
    *out = s;
    return ERR_OK;
}
