#include "sensor/core/replay.h"

#include "sensor/event/json_read.h"
#include "sensor/journal/journal_reader.h"

#include <stdlib.h>

struct replay {
    struct json_reader *json;
    struct record_out record;
    struct journal_reader *reader;
    const struct replay_sink *sink;
    struct buf *messages;
    uint64_t damaged;
};

/* Some messages come as a line without its end. */
static void
end_line(struct buf *messages)
{
    if (messages->n > 0 && messages->p[messages->n - 1] != '\n')
        buf_putc(messages, '\n');
}

static enum err
give(struct replay *r, const struct journal_line *line)
{
    struct buf why;
    enum err e;

    buf_init(&why, 512);
    e = json_read(r->json, line->json, &r->record, &why);
    if (e == ERR_OK)
        e = r->sink->put(r->sink->ctx, record_view(&r->record), line->seq);
    else if (e != ERR_NOMEM) {
        r->damaged++;
        buf_str(r->messages, "journal: line ");
        buf_u64(r->messages, line->seq);
        buf_str(r->messages, " is not an event: ");
        buf_span(r->messages, buf_view(&why));
        buf_putc(r->messages, '\n');
        e = ERR_OK;
    }
    buf_free(&why);
    return e;
}

static enum err
walk(struct replay *r, uint64_t upto)
{
    for (;;) {
        struct journal_line line;
        enum err e;

        switch (journal_read(r->reader, &line)) {
        case JOURNAL_READ_LINE:
            if (line.seq > upto)
                return ERR_OK;
            e = give(r, &line);
            if (e != ERR_OK)
                return e;
            break;
        case JOURNAL_READ_WAIT: return ERR_OK;
        case JOURNAL_READ_DAMAGED:
            r->damaged++;
            journal_reader_why(r->reader, r->messages);
            buf_putc(r->messages, '\n');
            break;
        case JOURNAL_READ_FAILED:
            journal_reader_why(r->reader, r->messages);
            end_line(r->messages);
            return ERR_IO;
        }
    }
}

enum err
replay_journal(const char *dir, uint64_t from, uint64_t upto,
               const struct replay_sink *sink, uint64_t *damaged,
               struct buf *messages)
{
    struct replay r = {.sink = sink, .messages = messages};
    enum err e = ERR_NOMEM;

    record_init(&r.record);
    r.json = malloc(sizeof(*r.json));
    if (r.json != NULL) {
        json_reader_init(r.json);
        e = journal_reader_open(dir, from, &r.reader, messages);
    }
    if (e == ERR_OK)
        e = walk(&r, upto);
    *damaged = r.damaged;
    journal_reader_close(r.reader);
    if (r.json != NULL)
        json_reader_free(r.json);
    free(r.json);
    record_free(&r.record);
    return e;
}
