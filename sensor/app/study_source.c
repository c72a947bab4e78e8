#include "sensor/app/study_source.h"

#include "sensor/base/frame.h"
#include "sensor/base/text.h"

static void
put_name(const struct study_source *s)
{
    struct buf *b = s->room->messages;

    buf_str(b, "span25: ");
    if (strcmp(s->name, "-") == 0)
        buf_str(b, "standard input");
    else
        text_term(b, span_str(s->name));
    buf_str(b, ": ");
}

void
study_source_tell(const struct study_source *s, const char *what)
{
    put_name(s);
    buf_str(s->room->messages, what);
    buf_putc(s->room->messages, '\n');
}

void
study_source_tell_number(const struct study_source *s, uint64_t number,
                         const char *what)
{
    put_name(s);
    buf_u64(s->room->messages, number);
    buf_str(s->room->messages, what);
    buf_putc(s->room->messages, '\n');
}

void
study_source_fault(struct study_source *s, const char *where, uint64_t number,
                   struct span why)
{
    struct buf *b = s->room->messages;

    if (s->row.faults++ >= STUDY_SOURCE_TOLD)
        return;
    put_name(s);
    buf_str(b, where);
    buf_putc(b, ' ');
    buf_u64(b, number);
    buf_str(b, ": ");
    text_term(b, why);
    buf_putc(b, '\n');
}

enum study_next
study_source_fail(struct study_source *s, enum err e, const char *what)
{
    s->error = e;
    study_source_tell(s, what);
    return STUDY_NEXT_FAILED;
}

bool
study_source_read(struct study_source *s, struct span line, const char *where,
                  uint64_t number, struct record_out *r)
{
    struct study_room *m = s->room;
    enum err e = json_read(&m->json, line, r, &m->why);

    if (LIKELY(e == ERR_OK)) {
        if (LIKELY(record_check(record_view(r))))
            return true;
        buf_str(&m->why, "no record can be made of it");
    }
    if (e == ERR_NOMEM)
        s->error = e;
    else
        study_source_fault(s, where, number, buf_view(&m->why));
    return false;
}

void
study_source_hash(struct study_source *s, struct span digest)
{
    struct buf b = {(uint8_t *)s->hash, 0,     sizeof(s->hash),
                    sizeof(s->hash),    false, false};

    text_hex(&b, span_head(digest, (STUDY_SOURCE_HASH - 1) / 2));
    buf_putc(&b, '\0');
    s->row.hash = s->hash;
}

/* The end of lines, for whatever reason. */
static enum study_next
ended(struct study_source *s, struct study_lines *l)
{
    const char *detail;

    switch (study_lines_why(l, &detail)) {
    case SOURCE_END: return STUDY_NEXT_END;
    case SOURCE_STOPPED: return STUDY_NEXT_STOPPED;
    case SOURCE_READ: return study_source_fail(s, ERR_IO, detail);
    case SOURCE_MEMORY:
        return study_source_fail(s, ERR_NOMEM, err_text(ERR_NOMEM));
    case SOURCE_CUT: detail = "the compressed data ends too early"; break;
    case SOURCE_DAMAGED: break;
    }
    study_source_fault(s, "after line", l->number, span_str(detail));
    return STUDY_NEXT_END;
}

static enum err
changed(const struct study_source *s)
{
    study_source_tell(s, "this is not what was being read: it has changed");
    return ERR_FORMAT;
}

enum study_next
study_source_line(struct study_source *s, struct study_lines *l,
                  struct span *record)
{
    struct span line;

    for (;;) {
        enum study_line got = study_lines_next(l, &line);

        if (UNLIKELY(study_lines_differs(l))) {
            s->error = changed(s);
            return STUDY_NEXT_FAILED;
        }
        switch (got) {
        case STUDY_LINE:
            if (line.n == 0)
                break;
            if (study_source_read(s, line, "line", l->number,
                                  &s->room->record)) {
                *record = record_view(&s->room->record);
                return STUDY_NEXT_EVENT;
            }
            if (s->error != ERR_OK)
                return STUDY_NEXT_FAILED;
            break;
        case STUDY_LINE_LONG:
            study_source_fault(s, "line", l->number,
                               SPAN_LIT("is longer than 8 MiB"));
            break;
        case STUDY_LINE_END: return ended(s, l);
        }
    }
}

/* ---- places ---- */

void
study_source_save_lines(const struct study_lines *l, struct buf *out)
{
    struct study_mark mark;

    if (!study_lines_mark(l, &mark))
        mark = (struct study_mark){0};
    frame_u64(out, l->number);
    frame_u64(out, mark.bytes);
    buf_put(out, mark.sha, sizeof(mark.sha));
}

bool
study_source_take_place(struct cursor *state, struct study_place *out)
{
    struct span sha;

    *out = (struct study_place){.number = cur_le64(state)};
    out->mark.bytes = cur_le64(state);
    sha = cur_take(state, sizeof(out->mark.sha));
    if (state->bad)
        return false;
    memcpy(out->mark.sha, sha.p, sha.n);
    return true;
}

/* It ended before the line that was given last. */
static enum err
not_there(struct study_source *s, const struct study_lines *l)
{
    const char *detail;

    switch (study_lines_why(l, &detail)) {
    case SOURCE_STOPPED: return ERR_BUSY;
    case SOURCE_MEMORY: return ERR_NOMEM;
    case SOURCE_READ: study_source_tell(s, detail); return ERR_IO;
    case SOURCE_END:
    case SOURCE_CUT:
    case SOURCE_DAMAGED: break;
    }
    return changed(s);
}

enum err
study_source_go(struct study_source *s, struct study_lines *l,
                const struct study_place *to)
{
    enum study_line got = STUDY_LINE;
    struct span line;

    while (got != STUDY_LINE_END && l->number < to->number)
        got = study_lines_next(l, &line);
    if (got != STUDY_LINE_END && !study_lines_differs(l))
        return ERR_OK;
    return got == STUDY_LINE_END ? not_there(s, l) : changed(s);
}
