#include "sensor/app/inspection.h"

#include "dissectors/part.h"
#include "sensor/app/clamd.h"
#include "sensor/base/text.h"

#define MEMORY (512U << 20) /* of an inspector: budget, copies, libraries */

/* Some messages come as a line without its end. */
static void
end_line(struct buf *messages)
{
    if (messages->n > 0 && messages->p[messages->n - 1] != '\n')
        buf_putc(messages, '\n');
}

static void
inspect(void *ctx, const struct content_job *job, struct content_result *result)
{
    content_inspect(ctx, job, result);
}

static enum err
load_hashes(struct inspection *i, const char *file, struct buf *messages)
{
    enum err e;

    if (file == NULL)
        return ERR_OK;
    e = hashlist_new(&i->hashes);
    if (e == ERR_OK)
        e = hashlist_add_file(i->hashes, file, messages);
    end_line(messages);
    return e;
}

static enum err
start_deep(struct inspection *i, const struct config *c,
           const struct worker_plan *plan, struct buf *messages)
{
    const struct content_options content = {.yara_dir = c->yara,
                                            .hashes = i->hashes};
    struct deep_options o = {
        .n_slots = plan->n_workers,
        .input_max = PART_MAX_keep,
        .memory_max = MEMORY + hashlist_bytes(i->hashes),
        .inspect = inspect,
        .beat_ms = plan->locked ? DEEP_BEAT_LIVE : 0,
    };
    enum err e;

    if (!c->mime || !c->deep)
        return ERR_OK;
    e = content_new(&content, &i->content, messages);
    end_line(messages);
    o.ctx = i->content;
    if (e == ERR_OK)
        e = deep_start(&o, &i->deep, messages);
    return e;
}

/* The keeper is forked before there is anything worth copying. */
static enum err
start_clamd(struct inspection *i, const struct config *c, unsigned n_slots,
            struct buf *messages)
{
    const struct deep_options o = {
        .n_slots = n_slots,
        .input_max = PART_MAX_keep,
        .memory_max = MEMORY + hashlist_bytes(i->hashes),
        .inspect = clamd_inspect,
        .ctx = c->clamd,
        .before = i->deep,
        .sockets = true,
    };

    if (c->clamd == NULL || !c->mime)
        return ERR_OK;
    if (!clamd_ping(c->clamd)) {
        buf_str(messages, "span25: clamd does not answer at ");
        text_term(messages, span_str(c->clamd));
        buf_str(messages, "; start it, or take content.clamd out\n");
        return ERR_CONFIG;
    }
    return deep_start(&o, &i->clamd, messages);
}

enum err
inspection_start(const struct config *c, struct worker_plan *plan,
                 struct inspection *out, struct buf *messages)
{
    enum err e;

    *out = (struct inspection){0};
    e = load_hashes(out, c->hash_list, messages);
    if (e == ERR_OK)
        e = start_deep(out, c, plan, messages);
    if (e == ERR_OK)
        e = start_clamd(out, c, plan->n_workers, messages);
    plan->hashes = out->hashes;
    plan->deep = out->deep;
    plan->clamd = out->clamd;
    return e;
}

void
inspection_leave(struct inspection *i, unsigned but)
{
    if (i->deep != NULL)
        deep_leave(i->deep, but);
    if (i->clamd != NULL)
        deep_leave(i->clamd, but);
}

void
inspection_stop(struct inspection *i)
{
    deep_stop(i->deep);
    deep_stop(i->clamd);
    content_free(i->content);
    hashlist_free(i->hashes);
    *i = (struct inspection){0};
}
