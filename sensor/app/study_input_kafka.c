#include "sensor/app/study_source.h"

#include "sensor/app/study_kafka.h"
#include "sensor/base/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WHERE_MAX 300U
#define WHY_MAX   1000U
#define RECORD_KEPT                                                            \
    (64U << 10) /* a partition's larger record is given back                   \
                 */

/* The next event of a partition. */
struct head {
    struct record_out record;
    ns_t when;
    int64_t offset;
    bool is_there;
};

struct kafka_input {
    struct study_kafka *kafka;
    struct head *heads; /* one a partition */
    uint32_t *heap;     /* of partitions whose head is there, earliest first */
    size_t n, n_heap;
    size_t filled; /* partitions whose first event was looked for */
    bool given;    /* that of the heap's top */
};

static struct kafka_input *
self(const struct study_source *s)
{
    return s->own;
}

/* ---- the order ---- */

static bool
before(const struct kafka_input *k, uint32_t a, uint32_t b)
{
    ns_t x = k->heads[a].when, y = k->heads[b].when;

    return x != y ? x < y : a < b;
}

static void
swap(struct kafka_input *k, size_t a, size_t b)
{
    uint32_t had = k->heap[a];

    k->heap[a] = k->heap[b];
    k->heap[b] = had;
}

static void
sink_top(struct kafka_input *k)
{
    size_t at = 0, least = 0;

    do {
        swap(k, at, least);
        at = least;
        for (size_t i = 2 * at + 1; i <= 2 * at + 2 && i < k->n_heap; i++) {
            if (before(k, k->heap[i], k->heap[least]))
                least = i;
        }
    } while (least != at);
}

static void
push(struct kafka_input *k, uint32_t part)
{
    size_t at = k->n_heap++;

    k->heap[at] = part;
    while (at > 0 && before(k, k->heap[at], k->heap[(at - 1) / 2])) {
        swap(k, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

/* ---- messages ---- */

static enum err
tell(const struct study_source *s, enum err e, struct buf *why)
{
    if (e != ERR_OK) {
        if (why->n == 0)
            buf_str(why, err_text(e));
        buf_putc(why, '\0');
        if (!why->failed)
            study_source_tell(s, (const char *)why->p);
    }
    buf_free(why);
    return e;
}

static enum study_next
gone(struct study_source *s)
{
    struct buf why;

    buf_init(&why, WHY_MAX);
    study_kafka_why(self(s)->kafka, &why);
    s->error = tell(s, ERR_IO, &why);
    return STUDY_NEXT_FAILED;
}

/* Less is left of a partition than there was: told once. */
static void
check_end(struct study_source *s, struct study_kafka_part *p)
{
    char where[WHERE_MAX];

    if (p->next >= p->end)
        return;
    (void)snprintf(where, sizeof(where), "%s partition %" PRId32 " offset",
                   p->topic, p->number);
    study_source_fault(s, where, (uint64_t)p->next,
                       SPAN_LIT("messages that were there are gone"));
    p->next = p->end;
}

/* A message without a value ends a key of a compacted topic: no fault. */
static bool
take(struct study_source *s, size_t i, struct span value, int64_t offset)
{
    const struct study_kafka_part *p = study_kafka_part(self(s)->kafka, i);
    struct head *h = &self(s)->heads[i];
    char where[WHERE_MAX];

    if (value.p == NULL)
        return false;
    (void)snprintf(where, sizeof(where), "%s partition %" PRId32 " offset",
                   p->topic, p->number);
    if (!study_source_read(s, value, where, (uint64_t)offset, &h->record))
        return false;
    h->when = record_head_of(record_view(&h->record)).when;
    h->offset = offset;
    h->is_there = true;
    return true;
}

/* END: the partition has no more. */
static enum study_next
fill(struct study_source *s, size_t i)
{
    struct kafka_input *k = self(s);
    struct head *h = &k->heads[i];
    struct span value;
    int64_t offset;

    h->is_there = false;
    if (h->record.buf.cap > RECORD_KEPT) {
        record_free(&h->record);
        record_init(&h->record);
    }
    for (;;) {
        switch (study_kafka_take(k->kafka, i, &value, &offset)) {
        case STUDY_KAFKA_MESSAGE:
            if (take(s, i, value, offset))
                return STUDY_NEXT_EVENT;
            if (s->error != ERR_OK)
                return STUDY_NEXT_FAILED;
            break;
        case STUDY_KAFKA_END:
            check_end(s, study_kafka_part(k->kafka, i));
            return STUDY_NEXT_END;
        case STUDY_KAFKA_STOPPED: return STUDY_NEXT_STOPPED;
        case STUDY_KAFKA_GONE: return gone(s);
        }
    }
}

/* The top was given: what follows it takes its place. */
static enum study_next
replace_top(struct study_source *s)
{
    struct kafka_input *k = self(s);
    enum study_next got = fill(s, k->heap[0]);

    if (got != STUDY_NEXT_EVENT && got != STUDY_NEXT_END)
        return got;
    k->given = false;
    if (got == STUDY_NEXT_END)
        k->heap[0] = k->heap[--k->n_heap];
    if (k->n_heap > 0)
        sink_top(k);
    return STUDY_NEXT_EVENT;
}

static enum study_next
fill_first(struct study_source *s)
{
    struct kafka_input *k = self(s);

    while (k->filled < k->n) {
        enum study_next got = fill(s, k->filled);

        if (got != STUDY_NEXT_EVENT && got != STUDY_NEXT_END)
            return got;
        if (got == STUDY_NEXT_EVENT)
            push(k, (uint32_t)k->filled);
        k->filled++;
    }
    return STUDY_NEXT_EVENT;
}

static enum study_next
kafka_next(struct study_source *s, struct span *record)
{
    struct kafka_input *k = self(s);
    enum study_next got = fill_first(s);

    if (got == STUDY_NEXT_EVENT && k->given)
        got = replace_top(s);
    if (got != STUDY_NEXT_EVENT)
        return got;
    if (k->n_heap == 0)
        return STUDY_NEXT_END;
    k->given = true;
    *record = record_view(&k->heads[k->heap[0]].record);
    return STUDY_NEXT_EVENT;
}

/* ---- life ---- */

static enum err
kafka_open(struct study_source *s)
{
    const struct study_inputs_options *o = &s->room->o;
    const struct study_kafka_options ko = {s->name, o->config, o->stop,
                                           o->patience_s};
    struct kafka_input *k = calloc(1, sizeof(*k));
    struct buf why;
    enum err e;

    s->own = k;
    if (k == NULL)
        return ERR_NOMEM;
    buf_init(&why, WHY_MAX);
    e = study_kafka_open(&ko, &k->kafka, &why);
    if (e == ERR_OK) {
        k->n = study_kafka_n(k->kafka);
        k->heads = calloc(k->n, sizeof(*k->heads));
        k->heap = calloc(k->n, sizeof(*k->heap));
        if (k->heads == NULL || k->heap == NULL)
            e = ERR_NOMEM;
    }
    for (size_t i = 0; e == ERR_OK && i < k->n; i++)
        record_init(&k->heads[i].record);
    return tell(s, e, &why);
}

static enum err
kafka_begin(struct study_source *s)
{
    struct buf why;

    buf_init(&why, WHY_MAX);
    return tell(s, study_kafka_start(self(s)->kafka, &why), &why);
}

static double
kafka_share(const struct study_source *s)
{
    struct kafka_input *k = self(s);
    double all = 0, done = 0;

    for (size_t i = 0; i < k->n; i++) {
        const struct study_kafka_part *p = study_kafka_part(k->kafka, i);

        all += (double)(p->end - p->first);
        done += (double)(p->next - p->first);
    }
    return all > 0 ? done / all : 1;
}

/* ---- places ---- */

/* The first message that was not given, or may hold an event that was not. */
static int64_t
place_of(struct kafka_input *k, size_t i)
{
    const struct head *h = &k->heads[i];
    bool is_given = k->given && k->n_heap > 0 && k->heap[0] == i;

    return h->is_there && !is_given ? h->offset
                                    : study_kafka_part(k->kafka, i)->next;
}

static void
kafka_save(const struct study_source *s, struct buf *out)
{
    struct kafka_input *k = self(s);

    frame_u64(out, k->n);
    for (size_t i = 0; i < k->n; i++) {
        const struct study_kafka_part *p = study_kafka_part(k->kafka, i);

        frame_u64(out, p->topic_at);
        frame_u64(out, (uint64_t)p->number);
        frame_u64(out, (uint64_t)p->first);
        frame_u64(out, (uint64_t)place_of(k, i));
        frame_u64(out, (uint64_t)p->end);
    }
}

static bool
load_part(struct kafka_input *k, struct cursor *c)
{
    uint64_t topic = cur_le64(c), number = cur_le64(c);
    int64_t first = (int64_t)cur_le64(c), next = (int64_t)cur_le64(c),
            end = (int64_t)cur_le64(c);

    for (size_t i = 0; !c->bad && i < k->n; i++) {
        struct study_kafka_part *p = study_kafka_part(k->kafka, i);

        if (p->topic_at != topic || (uint64_t)p->number != number)
            continue;
        if (first < 0 || next < first || end < next || end > p->end)
            return false;
        p->first = first;
        p->next = next;
        p->end = end;
        return true;
    }
    return false;
}

/* The ends stay what they were; a partition that was made since is not read. */
static enum err
kafka_load(struct study_source *s, struct cursor *state)
{
    struct kafka_input *k = self(s);
    uint64_t n = cur_le64(state);

    for (size_t i = 0; i < k->n; i++) {
        struct study_kafka_part *p = study_kafka_part(k->kafka, i);

        p->next = p->end;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!load_part(k, state)) {
            study_source_tell(s, "these are not the topics that were being "
                                 "read, or messages of them are lost");
            return ERR_FORMAT;
        }
    }
    return kafka_begin(s);
}

static void
kafka_close(struct study_source *s)
{
    struct kafka_input *k = self(s);

    if (k == NULL)
        return;
    study_kafka_close(k->kafka);
    for (size_t i = 0; k->heads != NULL && i < k->n; i++)
        record_free(&k->heads[i].record);
    free(k->heads);
    free(k->heap);
    free(k);
    s->own = NULL;
}

const struct study_source_ops study_input_kafka = {
    .kind = "kafka",
    .open = kafka_open,
    .begin = kafka_begin,
    .next = kafka_next,
    .share = kafka_share,
    .save = kafka_save,
    .load = kafka_load,
    .close = kafka_close,
};
