#include "sensor/core/follow.h"

#include "sensor/core/replay.h"
#include "sensor/store/index.h"

static enum err
open_index(const char *dir, uint64_t durable, struct index **out,
           struct buf *messages)
{
    enum err e = index_open(dir, out, messages);

    if (e != ERR_OK || index_position(*out) <= durable)
        return e;
    index_close(*out);
    *out = NULL;
    e = index_drop(dir);
    return e == ERR_OK ? index_open(dir, out, messages) : e;
}

/* Some messages come as a line without its end. */
static void
end_line(struct buf *messages)
{
    if (messages->n > 0 && messages->p[messages->n - 1] != '\n')
        buf_putc(messages, '\n');
}

static enum err
add(void *ctx, struct span record, uint64_t seq)
{
    return index_add(ctx, record, seq);
}

enum err
follow_index(const char *dir, uint64_t durable, uint64_t *damaged,
             struct buf *messages)
{
    struct index *index = NULL;
    enum err e = open_index(dir, durable, &index, messages);

    *damaged = 0;
    end_line(messages);
    if (e == ERR_OK) {
        const struct replay_sink sink = {add, index};

        e = replay_journal(dir, index_position(index) + 1, durable, &sink,
                           damaged, messages);
    }
    if (e == ERR_OK)
        e = index_commit(index);
    index_close(index);
    return e;
}
