#include "sensor/net/shard.h"

#define SLOTS_MIN 64U
#define IDLE_WALK 256U /* looked at for sessions, however few there are */
#define POINTER   sizeof(void *) /* an entry of the chunk array */

void
shard_init(struct shard *s, uint8_t number, uint64_t mem_max, uint32_t n_max)
{
    *s = (struct shard){.number = number, .free = CONN_NIL, .n_max = n_max};
    s->mem.max = mem_max;
    for (unsigned i = 0; i < CONN_LIST_COUNT; i++)
        s->list[i] = (struct shard_list){CONN_NIL, CONN_NIL};
}

void
shard_fini(struct shard *s)
{
    for (uint32_t i = 0; i < s->n_chunk; i++)
        net_mem_put(&s->mem, s->chunk[i], SHARD_CHUNK * sizeof(**s->chunk));
    net_mem_put(&s->mem, s->chunk, s->room_chunk * POINTER);
    if (s->slot != NULL)
        net_mem_put(&s->mem, s->slot, (s->mask + 1) * sizeof(*s->slot));
    timer_fini(&s->timer, &s->mem);
    reasm_pool_fini(&s->pool);
    REQUIRE(s->mem.used == 0);
}

/* ---- slab ---- */

static bool
grow_chunk_array(struct shard *s)
{
    uint32_t room = s->room_chunk > 0 ? s->room_chunk * 2 : 4;
    struct conn **bigger;

    if (s->n_chunk < s->room_chunk)
        return true;
    bigger = net_mem_get(&s->mem, room * POINTER);
    if (bigger == NULL)
        return false;
    if (s->n_chunk > 0)
        memcpy(bigger, s->chunk, s->n_chunk * POINTER);
    net_mem_put(&s->mem, s->chunk, s->room_chunk * POINTER);
    s->chunk = bigger;
    s->room_chunk = room;
    return true;
}

static uint32_t
timer_room(uint32_t want, uint32_t have)
{
    if (want <= have)
        return have;
    return want > have + have / 2 ? want : have + have / 2;
}

static bool
grow_slab(struct shard *s)
{
    uint32_t first = shard_slots(s);
    uint32_t room = timer_room(first + SHARD_CHUNK, s->timer.cap);
    struct conn *c;

    if (first + SHARD_CHUNK > (UINT32_C(1) << TIMER_SLOT_BITS) ||
        !grow_chunk_array(s) || !timer_reserve(&s->timer, &s->mem, room))
        return false;
    c = net_mem_get(&s->mem, SHARD_CHUNK * sizeof(*c));
    if (c == NULL)
        return false;
    s->chunk[s->n_chunk++] = c;
    for (uint32_t i = SHARD_CHUNK; i-- > 0;) {
        c[i] = (struct conn){
            .state = CONN_FREE, .slot = first + i, .next = s->free};
        s->free = first + i;
    }
    return true;
}

/* ---- table ---- */

static void
table_put(struct shard *s, uint32_t tag, uint32_t slot)
{
    uint32_t at = tag & s->mask;

    while (s->slot[at].conn != 0)
        at = (at + 1) & s->mask;
    s->slot[at] = (struct shard_slot){tag, slot + 1};
}

static bool
grow_table(struct shard *s)
{
    uint32_t old_n = s->slot != NULL ? s->mask + 1 : 0;
    uint32_t n = old_n > 0 ? old_n * 2 : SLOTS_MIN;
    struct shard_slot *old = s->slot;
    struct shard_slot *bigger;

    if ((s->n + 1) * 2 <= old_n)
        return true;
    bigger = net_mem_get(&s->mem, n * sizeof(*bigger));
    if (bigger == NULL)
        return false;
    memset(bigger, 0, n * sizeof(*bigger));
    s->slot = bigger;
    s->mask = n - 1;
    for (uint32_t i = 0; i < old_n; i++) {
        if (old[i].conn != 0)
            table_put(s, old[i].tag, old[i].conn - 1);
    }
    net_mem_put(&s->mem, old, old_n * sizeof(*old));
    return true;
}

static void
table_remove(struct shard *s, const struct conn *c)
{
    uint32_t hole = c->tag & s->mask;
    uint32_t at;

    while (s->slot[hole].conn != c->slot + 1)
        hole = (hole + 1) & s->mask;
    for (at = (hole + 1) & s->mask; s->slot[at].conn != 0;
         at = (at + 1) & s->mask) {
        uint32_t home = s->slot[at].tag & s->mask;

        if (((at - home) & s->mask) >= ((at - hole) & s->mask)) {
            s->slot[hole] = s->slot[at];
            hole = at;
        }
    }
    s->slot[hole] = (struct shard_slot){0, 0};
}

bool
shard_has_room(const struct shard *s)
{
    size_t slots = s->slot != NULL ? (size_t)s->mask + 1 : 0;
    uint64_t need = 0;

    if (s->n >= s->n_max)
        return false;
    if (((size_t)s->n + 1) * 2 > slots)
        need += (slots * 2 + SLOTS_MIN) * sizeof(*s->slot);
    if (s->free == CONN_NIL)
        need += SHARD_CHUNK * sizeof(struct conn) +
                ((size_t)s->timer.cap * 2 + SHARD_CHUNK) *
                    (sizeof(*s->timer.heap) + sizeof(*s->timer.pos)) +
                ((size_t)s->room_chunk * 2 + 4) * POINTER;
    return net_mem_has(&s->mem, need);
}

struct conn *
shard_add(struct shard *s, uint32_t tag)
{
    struct conn *c;

    if (!grow_table(s) || (s->free == CONN_NIL && !grow_slab(s)))
        return NULL;
    c = shard_at(s, s->free);
    s->free = c->next;
    *c = (struct conn){.state = CONN_NEW,
                       .due = TIMER_NEVER,
                       .slot = c->slot,
                       .tag = tag,
                       .list = CONN_LIST_NONE,
                       .prev = CONN_NIL,
                       .next = CONN_NIL};
    table_put(s, tag, c->slot);
    s->n++;
    return c;
}

void
shard_remove(struct shard *s, struct conn *c)
{
    table_remove(s, c);
    shard_timer_drop(s, c);
    shard_list_set(s, c, CONN_LIST_NONE);
    c->state = CONN_FREE;
    c->next = s->free;
    s->free = c->slot;
    s->n--;
}

/* ---- lists ---- */

static void
unlink_conn(struct shard *s, struct conn *c)
{
    struct shard_list *l = &s->list[c->list];

    if (c->prev != CONN_NIL)
        shard_at(s, c->prev)->next = c->next;
    else
        l->head = c->next;
    if (c->next != CONN_NIL)
        shard_at(s, c->next)->prev = c->prev;
    else
        l->tail = c->prev;
    c->prev = c->next = CONN_NIL;
    c->list = CONN_LIST_NONE;
}

void
shard_list_set(struct shard *s, struct conn *c, enum conn_list list)
{
    struct shard_list *l;

    if (c->list != CONN_LIST_NONE)
        unlink_conn(s, c);
    if (list == CONN_LIST_NONE)
        return;
    l = &s->list[list];
    c->prev = l->tail;
    if (l->tail != CONN_NIL)
        shard_at(s, l->tail)->next = c->slot;
    else
        l->head = c->slot;
    l->tail = c->slot;
    c->list = (uint8_t)list;
}

/* One that is open and has no session yet is that for which room is made. */
static bool
is_idle(const struct conn *c, ns_t before)
{
    return c->state == CONN_OPEN && c->session != NULL && c->rst_from == 0 &&
           c->last < before;
}

static struct conn *
longer_idle(struct conn *a, struct conn *b)
{
    return a != NULL && a->last <= b->last ? a : b;
}

/* The slab is walked on from where the last walk ended. */
static struct conn *
next_of_slab(struct shard *s)
{
    struct conn *c = shard_at(s, s->hand);

    s->hand = s->hand + 1 < shard_slots(s) ? s->hand + 1 : 0;
    return c;
}

static struct conn *
idlest(struct shard *s, uint32_t sample)
{
    struct conn *best = NULL;
    uint32_t n = shard_slots(s);

    for (uint32_t looked = 0, walked = 0; looked < sample && walked < n;
         walked++) {
        struct conn *c = next_of_slab(s);

        if (c->state == CONN_FREE)
            continue;
        looked++;
        best = longer_idle(best, c);
    }
    return best;
}

struct conn *
shard_idle(struct shard *s, uint32_t sample, ns_t before)
{
    struct conn *best = NULL;
    uint32_t n = shard_slots(s) < IDLE_WALK ? shard_slots(s) : IDLE_WALK;

    for (uint32_t looked = 0, walked = 0; looked < sample && walked < n;
         walked++) {
        struct conn *c = next_of_slab(s);

        if (!is_idle(c, before))
            continue;
        looked++;
        best = longer_idle(best, c);
    }
    return best;
}

struct conn *
shard_victim(struct shard *s, uint32_t sample)
{
    if (s->list[CONN_LIST_SPARE].head != CONN_NIL)
        return shard_at(s, s->list[CONN_LIST_SPARE].head);
    if (s->list[CONN_LIST_EMBRYO].head != CONN_NIL)
        return shard_at(s, s->list[CONN_LIST_EMBRYO].head);
    return s->n > 0 ? idlest(s, sample) : NULL;
}
