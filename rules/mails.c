#include "rules/mails.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

struct mail {
    struct mail_key key;
    uint8_t classes;
    bool used;
    bool missed; /* a part that was not looked into */
};

struct mails {
    struct mail *slots; /* open addressing */
    size_t n, cap;
    struct summary_parts total; /* of messages only */
};

enum err
mails_new(struct mails **out)
{
    struct mails *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return ERR_NOMEM;
    *out = m;
    return ERR_OK;
}

void
mails_free(struct mails *m)
{
    if (m == NULL)
        return;
    free(m->slots);
    free(m);
}

/* ---- the table ---- */

static size_t
home_of(const struct mails *m, const struct mail_key *key)
{
    return hash_mix(hash_mix(0, key->flow), key->tx) & (m->cap - 1);
}

/* Where key is, or would be. */
static struct mail *
slot_of(const struct mails *m, const struct mail_key *key)
{
    size_t at = home_of(m, key);

    while (m->slots[at].used && (m->slots[at].key.flow != key->flow ||
                                 m->slots[at].key.tx != key->tx))
        at = (at + 1) & (m->cap - 1);
    return &m->slots[at];
}

static bool
grow(struct mails *m)
{
    struct mails bigger = {.cap = m->cap > 0 ? m->cap * 2 : 256};

    if (m->n * 2 < m->cap)
        return true;
    bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return m->n + 1 < m->cap;
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].used)
            *slot_of(&bigger, &m->slots[i].key) = m->slots[i];
    }
    free(m->slots);
    m->slots = bigger.slots;
    m->cap = bigger.cap;
    return true;
}

/* NULL when there is no room. */
static struct mail *
find_or_add(struct mails *m, const struct mail_key *key)
{
    struct mail *it;

    if (!grow(m))
        return NULL;
    it = slot_of(m, key);
    if (it->used)
        return it;
    if (m->n >= MAILS_MAX)
        return NULL;
    *it = (struct mail){.key = *key, .used = true};
    m->n++;
    return it;
}

/* Those behind it that stand where they do because of it move up. */
static void
take_out(struct mails *m, struct mail *it)
{
    size_t hole = (size_t)(it - m->slots);
    size_t at = hole;

    for (;;) {
        at = (at + 1) & (m->cap - 1);
        if (!m->slots[at].used)
            break;
        if (((at - home_of(m, &m->slots[at].key)) & (m->cap - 1)) <
            ((at - hole) & (m->cap - 1)))
            continue;
        m->slots[hole] = m->slots[at];
        hole = at;
    }
    m->slots[hole].used = false;
    m->n--;
}

/* ---- messages ---- */

unsigned
mails_part(struct mails *m, const struct mail_key *key, unsigned classes,
           bool looked_into)
{
    struct mail *it = find_or_add(m, key);
    unsigned new;

    if (it == NULL) {
        m->total.messages_left_out++;
        return 0;
    }
    new = classes & ~(unsigned)it->classes;
    it->classes |= (uint8_t) new;
    it->missed |= !looked_into;
    for (unsigned i = 0; i < SUMMARY_FINDINGS; i++)
        m->total.class_messages[i] += new >> i & 1U;
    return new;
}

void
mails_end(struct mails *m, const struct mail_key *key, bool complete,
          bool parted)
{
    struct mail *it = m->cap > 0 ? slot_of(m, key) : NULL;
    unsigned classes = it != NULL && it->used ? it->classes : 0;
    bool missed = it != NULL && it->used && it->missed;
    bool could =
        complete && parted && !missed && (classes >> SUMMARY_D & 1U) == 0;

    m->total.messages++;
    m->total.complete += complete;
    m->total.could_inspect += could;
    for (unsigned i = 0; could && i < SUMMARY_FINDINGS; i++)
        m->total.class_could_inspect[i] += classes >> i & 1U;
    if (it != NULL && it->used)
        take_out(m, it);
}

void
mails_summary(const struct mails *m, struct summary_parts *p)
{
    p->messages = m->total.messages + m->n;
    p->complete = m->total.complete;
    p->could_inspect = m->total.could_inspect;
    p->messages_left_out = m->total.messages_left_out;
    for (unsigned i = 0; i < SUMMARY_FINDINGS; i++) {
        p->class_messages[i] = m->total.class_messages[i];
        p->class_could_inspect[i] = m->total.class_could_inspect[i];
    }
}
