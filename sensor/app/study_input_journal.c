#include "sensor/app/study_source.h"

#include "sensor/base/frame.h"
#include "sensor/journal/journal_reader.h"

#include <math.h>
#include <stdlib.h>

/* Reading fails where a segment is removed between two looks at the folder; the
 * next look knows. */
#define TRIES 8U

struct journal_input {
    struct journal_reader *reader;
    uint64_t from;        /* lines before it were given already */
    uint64_t upto;        /* the last one wanted, 0: none */
    uint64_t first, last; /* given; 0: none */
};

static struct journal_input *
self(const struct study_source *s)
{
    return s->own;
}

/* What the reader said has the path in it. */
static enum err
cannot_open(const struct study_source *s, enum err e)
{
    struct buf *b = s->room->messages, *why = &s->room->why;

    buf_str(b, "span25: ");
    buf_span(b, why->n > 0 ? buf_view(why) : span_str(err_text(e)));
    if (e == ERR_NOENT)
        buf_str(b, ": there is no journal; give the state directory of a "
                   "sensor, or of read --state");
    buf_putc(b, '\n');
    return e;
}

static enum err
journal_open_at_end(struct study_source *s)
{
    struct journal_input *j = calloc(1, sizeof(*j));
    enum err e;

    s->own = j;
    if (j == NULL)
        return ERR_NOMEM;
    j->from = 1;
    buf_reset(&s->room->why);
    e = journal_reader_last(s->name, &j->upto, &s->room->why);
    return e == ERR_OK ? e : cannot_open(s, e);
}

static enum err
journal_begin(struct study_source *s)
{
    struct journal_input *j = self(s);
    enum err e;

    buf_reset(&s->room->why);
    e = journal_reader_open(s->name, j->from, &j->reader, &s->room->why);
    return e == ERR_OK ? e : cannot_open(s, e);
}

/* What retention removed before our first line is no damage, but the reader of
 * a study is told: earlier weeks are not in it. */
static void
tell_begin(struct study_source *s, struct span record)
{
    struct buf text;
    char when[NS_TEXT_MAX];

    buf_init(&text, 200);
    buf_str(&text, "the journal begins at ");
    buf_put(&text, when, ns_format(record_head_of(record).when, when));
    buf_str(&text, ", line ");
    buf_u64(&text, self(s)->first);
    buf_str(&text, "; what was before is removed\0");
    buf_putc(&text, '\0');
    if (!text.failed)
        study_source_tell(s, (const char *)text.p);
    buf_free(&text);
}

static bool
give(struct study_source *s, const struct journal_line *line,
     struct span *record)
{
    struct journal_input *j = self(s);

    j->last = line->seq;
    if (!study_source_read(s, line->json, "line", line->seq, &s->room->record))
        return false;
    *record = record_view(&s->room->record);
    if (j->first == 0) {
        j->first = line->seq;
        if (line->seq > 1)
            tell_begin(s, *record);
    }
    return true;
}

/* Damage before the lines that are wanted was told when they were read. */
static void
damaged(struct study_source *s, const struct journal_line *line)
{
    struct buf *why = &s->room->why;

    if (line->seq < self(s)->from)
        return;
    buf_reset(why);
    journal_reader_why(self(s)->reader, why);
    study_source_fault(s, "expected line", line->seq, buf_view(why));
}

static enum study_next
cannot_read(struct study_source *s)
{
    struct buf *why = &s->room->why;

    buf_reset(why);
    journal_reader_why(self(s)->reader, why);
    buf_putc(why, '\0');
    return study_source_fail(s, ERR_IO,
                             why->failed ? "cannot be read further"
                                         : (const char *)why->p);
}

static enum study_next
journal_next(struct study_source *s, struct span *record)
{
    struct journal_input *j = self(s);
    struct journal_line line;
    unsigned failed = 0;

    while (j->last < j->upto) {
        switch (journal_read(j->reader, &line)) {
        case JOURNAL_READ_LINE:
            failed = 0;
            if (line.seq > j->upto)
                return STUDY_NEXT_END;
            if (give(s, &line, record))
                return STUDY_NEXT_EVENT;
            if (s->error != ERR_OK)
                return STUDY_NEXT_FAILED;
            break;
        case JOURNAL_READ_DAMAGED: damaged(s, &line); break;
        case JOURNAL_READ_WAIT: return STUDY_NEXT_END; /* the last is damaged */
        case JOURNAL_READ_FAILED:
            if (++failed == TRIES)
                return cannot_read(s);
            break;
        }
    }
    return STUDY_NEXT_END;
}

static double
journal_share(const struct study_source *s)
{
    const struct journal_input *j = self(s);

    if (j->last >= j->upto || j->first == 0)
        return j->last >= j->upto ? 1 : 0;
    return (double)(j->last - j->first) / (double)(j->upto - j->first);
}

static void
journal_save(const struct study_source *s, struct buf *out)
{
    frame_u64(out, self(s)->first);
    frame_u64(out, self(s)->last);
    frame_u64(out, self(s)->upto);
}

/* The end stays what it was: who goes on gets what would have come. */
static enum err
journal_load(struct study_source *s, struct cursor *state)
{
    struct journal_input *j = self(s);
    uint64_t first = cur_le64(state), last = cur_le64(state),
             upto = cur_le64(state);

    if (state->bad || upto > j->upto || last > upto) {
        study_source_tell(s, "this is not the journal that was being read, or "
                             "its end is lost");
        return ERR_FORMAT;
    }
    j->first = first;
    j->last = last;
    j->upto = upto;
    j->from = last + 1;
    return journal_begin(s);
}

static void
journal_close_input(struct study_source *s)
{
    if (self(s) == NULL)
        return;
    journal_reader_close(self(s)->reader);
    free(self(s));
    s->own = NULL;
}

const struct study_source_ops study_input_journal = {
    .kind = "journal",
    .journal = true,
    .open = journal_open_at_end,
    .begin = journal_begin,
    .next = journal_next,
    .share = journal_share,
    .save = journal_save,
    .load = journal_load,
    .close = journal_close_input,
};
