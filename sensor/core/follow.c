#include "sensor/core/follow.h"

#include "sensor/event/json_read.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/store/index.h"

#include <stdlib.h>

struct follow {
    struct json_reader *json;
    struct record_out record;
    struct index *index;
    struct journal_reader *reader;
    uint64_t damaged;
};

static enum err
open_index(struct follow *f, const char *dir, uint64_t durable,
           struct buf *messages)
{
    enum err e = index_open(dir, &f->index, messages);

    if (e != ERR_OK || index_position(f->index) <= durable)
        return e;
    index_close(f->index);
    f->index = NULL;
    e = index_drop(dir);
    return e == ERR_OK ? index_open(dir, &f->index, messages) : e;
}

/* Some messages come as a line without its end. */
static void
end_line(struct buf *messages)
{
    if (messages->n > 0 && messages->p[messages->n - 1] != '\n')
        buf_putc(messages, '\n');
}

static enum err
add_line(struct follow *f, const struct journal_line *line,
         struct buf *messages)
{
    struct buf why;
    enum err e;

    buf_init(&why, 512);
    e = json_read(f->json, line->json, &f->record, &why);
    if (e == ERR_OK)
        e = index_add(f->index, record_view(&f->record), line->seq);
    else if (e != ERR_NOMEM) {
        f->damaged++;
        buf_str(messages, "journal: line ");
        buf_u64(messages, line->seq);
        buf_str(messages, " is not an event: ");
        buf_span(messages, buf_view(&why));
        buf_putc(messages, '\n');
        e = ERR_OK;
    }
    buf_free(&why);
    return e;
}

static enum err
read_all(struct follow *f, uint64_t durable, struct buf *messages)
{
    for (;;) {
        struct journal_line line;
        enum err e;

        switch (journal_read(f->reader, &line)) {
        case JOURNAL_READ_LINE:
            if (line.seq > durable)
                return index_commit(f->index);
            e = add_line(f, &line, messages);
            if (e != ERR_OK)
                return e;
            break;
        case JOURNAL_READ_WAIT: return index_commit(f->index);
        case JOURNAL_READ_DAMAGED:
            f->damaged++;
            journal_reader_why(f->reader, messages);
            buf_putc(messages, '\n');
            break;
        case JOURNAL_READ_FAILED:
            journal_reader_why(f->reader, messages);
            end_line(messages);
            return ERR_IO;
        }
    }
}

enum err
follow_index(const char *dir, uint64_t durable, uint64_t *damaged,
             struct buf *messages)
{
    struct follow f = {0};
    enum err e = ERR_NOMEM;

    record_init(&f.record);
    f.json = malloc(sizeof(*f.json));
    if (f.json != NULL) {
        json_reader_init(f.json);
        e = open_index(&f, dir, durable, messages);
        end_line(messages);
    }
    if (e == ERR_OK)
        e = journal_reader_open(dir, index_position(f.index) + 1, &f.reader,
                                messages);
    if (e == ERR_OK)
        e = read_all(&f, durable, messages);
    *damaged = f.damaged;
    journal_reader_close(f.reader);
    index_close(f.index);
    if (f.json != NULL)
        json_reader_free(f.json);
    free(f.json);
    record_free(&f.record);
    return e;
}
