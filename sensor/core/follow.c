#include "sensor/core/follow.h"

#include "sensor/core/replay.h"
#include "sensor/store/index.h"

/* It only ever took what was durable, so the journal has lost something. */
static void
tell_loss(uint64_t had, uint64_t durable, struct buf *messages)
{
    buf_str(messages, "journal: it ends at line ");
    buf_u64(messages, durable);
    buf_str(messages, ", but line ");
    buf_u64(messages, had);
    buf_str(messages, " was there already: events are lost\n");
}

static enum err
open_index(const char *dir, uint64_t durable, struct index **out,
           uint64_t *damaged, struct buf *messages)
{
    enum err e = index_open(dir, out, messages);

    if (e != ERR_OK || index_position(*out) <= durable)
        return e;
    tell_loss(index_position(*out), durable, messages);
    ++*damaged;
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
follow_index_some(const char *dir, uint64_t durable, uint64_t most,
                  uint64_t *at, uint64_t *damaged, struct buf *messages)
{
    struct index *index = NULL;
    uint64_t lost = 0;
    enum err e = open_index(dir, durable, &index, &lost, messages);

    *damaged = 0;
    end_line(messages);
    if (e == ERR_OK) {
        const struct replay_sink sink = {add, index};
        const uint64_t there = index_position(index);
        const uint64_t from = *at > there && *at <= durable ? *at : there;

        *at = durable - from > most ? from + most : durable;
        e = replay_journal(dir, from + 1, *at, &sink, damaged, messages);
    }
    *damaged += lost;
    if (e == ERR_OK)
        e = index_commit(index);
    index_close(index);
    return e;
}

enum err
follow_index(const char *dir, uint64_t durable, uint64_t *damaged,
             struct buf *messages)
{
    uint64_t at = 0;

    return follow_index_some(dir, durable, UINT64_MAX, &at, damaged, messages);
}

enum err
follow_expire(const char *dir, const ns_t before[KEEP_KINDS],
              uint64_t rows[KEEP_KINDS], uint64_t *removed,
              struct buf *messages)
{
    struct index *index = NULL;
    enum err e = index_open(dir, &index, messages);

    *removed = 0;
    end_line(messages);
    for (unsigned k = 0; e == ERR_OK && k < KEEP_KINDS; k++) {
        uint64_t n = 0;

        if (before[k] == 0)
            continue;
        e = index_expire(index, (enum keep_kind)k, before[k], &n);
        rows[k] += n;
        *removed += n;
    }
    index_close(index);
    return e;
}
