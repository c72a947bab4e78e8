#include "sensor/app/desk_decisions.h"

#include <stdlib.h>

#include "sensor/base/hash.h"
#include "sensor/event/record.h"

void
desk_decisions_fini(struct desk_decisions *b)
{
    for (size_t i = 0; i < b->n; i++)
        free((void *)(uintptr_t)b->v[i].record.p);
    free(b->v);
    free(b->slots);
    *b = (struct desk_decisions){0};
}

static uint32_t *
slot_of(const struct desk_decisions *b, const struct prefix *subject)
{
    uint64_t h = hash_span(span_of(subject->addr.b, 16), b->seed);
    size_t i = hash_mix(h, subject->bits) & (b->cap - 1);

    for (;; i = (i + 1) & (b->cap - 1)) {
        const struct desk_decision *at;

        if (b->slots[i] == 0)
            return &b->slots[i];
        at = &b->v[b->slots[i] - 1];
        if (at->subject.bits == subject->bits &&
            addr_cmp(&at->subject.addr, &subject->addr) == 0)
            return &b->slots[i];
    }
}

/* Half of the slots stay free. */
static enum err
grow(struct desk_decisions *b)
{
    size_t cap = b->cap > 0 ? b->cap * 2 : 256;
    struct desk_decision *v;

    if (b->n * 2 < b->cap)
        return ERR_OK;
    if (cap > (2 * DESK_DECISIONS_MAX))
        return ERR_LIMIT;
    v = realloc(b->v, cap * sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    b->v = v;
    free(b->slots);
    b->slots = calloc(cap, sizeof(*b->slots));
    if (b->slots == NULL) {
        b->cap = 0;
        return ERR_NOMEM;
    }
    b->cap = cap;
    for (size_t i = 0; i < b->n; i++)
        *slot_of(b, &b->v[i].subject) = (uint32_t)i + 1;
    return ERR_OK;
}

static bool
copy(struct desk_decision *to, struct span record)
{
    uint8_t *p = malloc(record.n);

    if (p == NULL)
        return false;
    memcpy(p, record.p, record.n);
    free((void *)(uintptr_t)to->record.p);
    to->record = span_of(p, record.n);
    return true;
}

static void
take(void *ctx, uint64_t seq, struct span record)
{
    struct desk_decisions *b = ctx;
    struct desk_decision one = {.seq = seq,
                                .when = record_head_of(record).when};
    uint32_t *slot;

    if (b->failed != ERR_OK || one.when > b->upto ||
        !prefix_parse(record_find(record, (enum field)b->about), &one.subject))
        return;
    b->failed = grow(b);
    if (b->failed != ERR_OK)
        return;
    slot = slot_of(b, &one.subject);
    if (*slot == 0) {
        b->v[b->n] = one;
        *slot = (uint32_t)++b->n;
    }
    if (!copy(&b->v[*slot - 1], record))
        b->failed = ERR_NOMEM;
    b->v[*slot - 1].seq = seq;
    b->v[*slot - 1].when = one.when;
    b->v[*slot - 1].until = record_find_u64(record, FIELD_DECISION_UNTIL, 0);
}

static enum err
read_all(struct index_reader *r, const char *type, enum field about, ns_t upto,
         struct desk_decisions *out)
{
    enum err e;

    *out = (struct desk_decisions){
        .seed = hash_mix(upto, (uintptr_t)out), .upto = upto, .about = about};
    e = index_acts(r, type, SPAN_NONE, take, out);
    return e != ERR_OK ? e : out->failed;
}

enum err
desk_decisions_read(struct index_reader *r, ns_t upto,
                    struct desk_decisions *out)
{
    return read_all(r, "decision", FIELD_DECISION_SUBJECT, upto, out);
}

enum err
desk_decisions_acts(struct index_reader *r, ns_t upto,
                    struct desk_decisions *out)
{
    return read_all(r, "block", FIELD_CONTROL_SUBJECT, upto, out);
}

const struct desk_decision *
desk_decisions_find(const struct desk_decisions *d,
                    const struct prefix *subject)
{
    uint32_t at = d->n > 0 && d->failed == ERR_OK ? *slot_of(d, subject) : 0;

    return at > 0 ? &d->v[at - 1] : NULL;
}

/* ---- what has become of it ---- */

const char *
desk_standing_word(enum desk_standing s)
{
    static const char *const words[] = {
#define X(id, word) word,
        DESK_STANDINGS(X)
#undef X
    };

    return words[s];
}

enum desk_standing
desk_standing_of(const struct desk_decision *b, ns_t now)
{
    static const struct {
        const char *action;
        enum desk_standing standing;
    } actions[] = {
        {"block",    DESK_IN_FORCE},
        {"hold",     DESK_ASKED   },
        {"withheld", DESK_WITHHELD},
    };
    struct span action = record_find(b->record, FIELD_DECISION_ACTION);

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!span_eq(action, span_str(actions[i].action)))
            continue;
        return b->until != 0 && b->until <= now ? DESK_OVER
                                                : actions[i].standing;
    }
    return DESK_OVER;
}
