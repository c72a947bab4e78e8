#include "sensor/journal/journal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "sensor/journal/journal_segment.h"

struct journal_reader {
    int dir;
    uint64_t from;
    struct journal_source *source; /* NULL before the first segment */
    uint64_t segment;
    uint64_t next_segment; /* known to follow, 0: not */
    uint64_t line;
    struct journal_lines lines;
    struct journal_chain chain;
    uint64_t expected; /* sequence of the next line, 0: any */
    bool in_damage;    /* the run was reported */
    bool gone;         /* the line taken last stands for removed ones */
    const char *what;
    struct journal_line where; /* of what */
};

enum err
journal_reader_open(const char *dir, uint64_t from_seq,
                    struct journal_reader **out, struct buf *message)
{
    struct journal_reader *r = calloc(1, sizeof(*r));
    struct buf path;
    int number;

    if (r == NULL)
        return ERR_NOMEM;
    buf_init(&path, 4096);
    buf_str(&path, dir);
    buf_put(&path, "/journal", sizeof("/journal"));
    r->from = from_seq;
    r->what = "nothing is damaged";
    r->dir = path.cut || path.failed ? -1
                                     : open((const char *)path.p,
                                            O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    number = path.cut ? ENAMETOOLONG : path.failed ? ENOMEM : errno;
    buf_free(&path);
    if (r->dir < 0) {
        buf_str(message, dir);
        buf_str(message, "/journal: ");
        buf_str(message, strerrordesc_np(number));
        free(r);
        return err_from_errno(number);
    }
    journal_lines_init(&r->lines, journal_source_get, NULL);
    *out = r;
    return ERR_OK;
}

void
journal_reader_close(struct journal_reader *r)
{
    if (r == NULL)
        return;
    journal_lines_free(&r->lines);
    journal_source_free(r->source);
    (void)close(r->dir);
    free(r);
}

void
journal_reader_why(const struct journal_reader *r, struct buf *out)
{
    char name[SEGMENT_NAME_MAX];

    if (r->where.segment > 0) {
        journal_segment_name(r->where.segment, "", name);
        buf_str(out, name);
        buf_str(out, " line ");
        buf_u64(out, r->where.line);
        buf_str(out, " (byte ");
        buf_u64(out, r->where.offset);
        buf_str(out, "): ");
    }
    buf_str(out, r->what);
}

static enum journal_read
damaged(struct journal_reader *r, const char *what, uint64_t offset,
        struct journal_line *out)
{
    r->in_damage = true;
    r->what = what;
    r->where = (struct journal_line){.seq = r->expected,
                                     .segment = r->segment,
                                     .line = r->line,
                                     .offset = offset};
    *out = r->where;
    return JOURNAL_READ_DAMAGED;
}

static enum journal_read
failed(struct journal_reader *r, enum err e)
{
    r->what = err_text(e);
    r->where = (struct journal_line){
        .segment = r->segment, .line = r->line + 1, .offset = r->lines.offset};
    return JOURNAL_READ_FAILED;
}

/* The segment to go on with: the one that holds from at first, later the one
 * behind the present one. 0: none yet. */
static enum err
find_next(const struct journal_reader *r, uint64_t *out)
{
    struct journal_segments s = {0};
    enum err e = journal_segments_read(r->dir, &s);
    uint64_t next = 0;

    for (size_t i = 0; e == ERR_OK && i < s.n; i++) {
        uint64_t n = s.v[i].number;

        if (r->source != NULL && n <= r->segment)
            continue;
        if (next == 0 || (r->source == NULL && n <= r->from))
            next = n;
    }
    journal_segments_free(&s);
    *out = next;
    return e;
}

static enum err
enter_segment(struct journal_reader *r, uint64_t number)
{
    struct journal_source *s;
    enum err e = journal_source_open(r->dir, number, &s);

    if (e != ERR_OK)
        return e;
    journal_source_free(r->source);
    r->source = s;
    (void)journal_lines_drop(&r->lines);
    r->lines.source = s;
    r->lines.offset = 0;
    r->segment = number;
    r->next_segment = 0;
    r->line = 0;
    if (r->expected == 0)
        r->expected = number;
    journal_chain_init(&r->chain, number);
    return ERR_OK;
}

static bool
take_line(struct journal_reader *r, const struct journal_raw *raw,
          struct journal_line *out)
{
    struct span line = span_of(raw->p, raw->n);
    struct journal_parts parts;
    uint64_t first;

    r->line++;
    if (!journal_chain_take(&r->chain, line, &parts))
        return false;
    first = parts.gone > 0 ? parts.seq - parts.gone + 1 : parts.seq;
    raw->p[parts.body.n] = '}';
    *out = (struct journal_line){
        .json = span_head(line, parts.body.n + 1),
        .seq = parts.seq,
        .lost = first > r->expected ? first - r->expected : 0,
        .segment = r->segment,
        .line = r->line,
        .offset = raw->offset,
    };
    r->gone = parts.gone > 0;
    r->expected = parts.seq + 1;
    r->in_damage = false;
    return true;
}

/* The segment has nothing more for now. READ_LINE: a next one was entered. */
static enum journal_read
at_end(struct journal_reader *r, struct journal_line *out)
{
    uint64_t next = r->next_segment;
    size_t rest;
    enum err e;

    if (next == 0) {
        /* what is not whole yet is read again: a new writer may cut it off */
        if (r->source != NULL && journal_source_is_plain(r->source))
            journal_source_back(r->source, journal_lines_drop(&r->lines));
        e = find_next(r, &r->next_segment);
        if (e != ERR_OK)
            return failed(r, e);
        /* once more to the end, now that nothing can be added to it */
        if (r->next_segment > 0 && r->source != NULL)
            return JOURNAL_READ_LINE;
        next = r->next_segment;
        if (next == 0)
            return JOURNAL_READ_WAIT;
    }
    rest = journal_lines_drop(&r->lines);
    if (rest > 0 && !r->in_damage)
        return damaged(r, "the segment ends within a line", r->lines.offset,
                       out);
    e = enter_segment(r, next);
    if (e != ERR_OK) {
        r->next_segment = 0; /* removed since it was seen? look again */
        return failed(r, e);
    }
    if (next != r->expected && !r->in_damage)
        return damaged(r, "the segment does not follow the one before", 0, out);
    return JOURNAL_READ_LINE;
}

enum journal_read
journal_read(struct journal_reader *r, struct journal_line *out)
{
    for (;;) {
        struct journal_raw raw;
        enum err e = ERR_TRUNCATED;

        if (r->source != NULL)
            e = journal_lines_next(&r->lines, &raw);
        if (e == ERR_TRUNCATED) {
            enum journal_read got = at_end(r, out);

            if (got != JOURNAL_READ_LINE)
                return got;
        } else if (e == ERR_CORRUPT) {
            journal_chain_break(&r->chain);
            if (!r->in_damage)
                return damaged(r, "a compressed frame is damaged",
                               r->lines.offset, out);
        } else if (e != ERR_OK) {
            return failed(r, e);
        } else if (take_line(r, &raw, out)) {
            if (out->seq >= r->from && !r->gone)
                return JOURNAL_READ_LINE;
        } else if (!r->in_damage) {
            return damaged(r, "the line does not match its check", raw.offset,
                           out);
        }
    }
}

enum err
journal_reader_last(const char *dir, uint64_t *seq, struct buf *message)
{
    struct journal_reader *r = NULL;
    struct journal_line line;
    enum journal_read got = JOURNAL_READ_DAMAGED;
    enum err e = journal_reader_open(dir, UINT64_MAX, &r, message);

    if (e != ERR_OK || r == NULL)
        return e;
    while (got == JOURNAL_READ_DAMAGED || got == JOURNAL_READ_LINE)
        got = journal_read(r, &line);
    if (got == JOURNAL_READ_WAIT)
        *seq = r->expected > 0 ? r->expected - 1 : 0;
    else
        journal_reader_why(r, message);
    journal_reader_close(r);
    return got == JOURNAL_READ_WAIT ? ERR_OK : ERR_IO;
}
