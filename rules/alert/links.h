#ifndef SPAN25_RULES_ALERT_LINKS_H
#define SPAN25_RULES_ALERT_LINKS_H
/* links - lists of numbered slots: the oldest first, any one out at once
 *
 * Slot 0 is none. A chain is one list of many over the same links (a bucket):
 * it has a head only, and the newest stands there. A slot is in at most one
 * list of a struct links. */
#include "sensor/base/span.h"

#include <stdlib.h>

struct link {
    uint32_t prev, next;
};

struct links {
    struct link *at; /* cap of them */
    uint32_t head, tail;
};

static inline bool
links_grow(struct links *l, size_t cap)
{
    struct link *at = realloc(l->at, cap * sizeof(*at));

    if (at == NULL)
        return false;
    l->at = at;
    return true;
}

static inline void
links_append(struct links *l, uint32_t i)
{
    l->at[i] = (struct link){l->tail, 0};
    if (l->tail != 0)
        l->at[l->tail].next = i;
    else
        l->head = i;
    l->tail = i;
}

static inline void
links_remove(struct links *l, uint32_t i)
{
    struct link *k = &l->at[i];

    if (k->prev != 0)
        l->at[k->prev].next = k->next;
    else
        l->head = k->next;
    if (k->next != 0)
        l->at[k->next].prev = k->prev;
    else
        l->tail = k->prev;
    *k = (struct link){0, 0};
}

static inline void
chain_push(struct links *l, uint32_t *head, uint32_t i)
{
    l->at[i] = (struct link){0, *head};
    if (*head != 0)
        l->at[*head].prev = i;
    *head = i;
}

static inline void
chain_remove(struct links *l, uint32_t *head, uint32_t i)
{
    struct link *k = &l->at[i];

    if (k->prev != 0)
        l->at[k->prev].next = k->next;
    else
        *head = k->next;
    if (k->next != 0)
        l->at[k->next].prev = k->prev;
    *k = (struct link){0, 0};
}

#endif
