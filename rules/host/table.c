#include "rules/host/table.h"

#include "rules/host/stat.h"
#include "sensor/base/hash.h"

#define SLOTS_LEAST 1024U
#define MINUTE      (60 * NS_PER_S)

/* ---- keys and slots ---- */

static uint64_t
key_of(const struct hosts *h, const struct addr *a, uint64_t lease)
{
    uint64_t w[2];

    memcpy(w, a->b, sizeof(w));
    return hash_mix(hash_mix(hash_mix(h->seed, w[0]), w[1]), lease);
}

/* The slot of this host, or the free one where it would be, or n_slots. */
static uint32_t
slot_of(const struct hosts *h, uint64_t key, const struct addr *a,
        uint64_t lease)
{
    uint32_t mask = h->n_slots - 1;
    uint32_t tag = (uint32_t)key;
    uint32_t at = tag & mask;

    for (uint32_t i = 0; i < TABLE_PROBES; i++, at = (at + 1) & mask) {
        const struct slot *s = &h->slots[at];
        const struct host *host;

        if (s->host == POOL_NONE)
            return at;
        if (s->tag != tag)
            continue;
        host = host_at(h, s->host);
        if (host->lease == lease && addr_cmp(&host->addr, a) == 0)
            return at;
    }
    return h->n_slots;
}

static uint32_t
free_slot(const struct slot *slots, uint32_t n, uint32_t tag)
{
    uint32_t at = tag & (n - 1);

    for (uint32_t i = 0; i < TABLE_PROBES; i++, at = (at + 1) & (n - 1)) {
        if (slots[at].host == POOL_NONE)
            return at;
    }
    return n;
}

/* Twice the slots; those that collide beyond TABLE_PROBES cannot be, for they
 * were found with fewer. False without memory. */
static bool
rehash(struct hosts *h, uint32_t n)
{
    struct slot *slots = calloc(n, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < h->n_slots; i++) {
        uint32_t at;

        if (h->slots[i].host == POOL_NONE)
            continue;
        at = free_slot(slots, n, h->slots[i].tag);
        if (at == n) {
            free(slots);
            return false;
        }
        slots[at] = h->slots[i];
    }
    free(h->slots);
    h->slots = slots;
    h->n_slots = n;
    return true;
}

static bool
make_slots(struct hosts *h)
{
    uint64_t used = (uint64_t)h->hosts.n + 1;

    if (h->n_slots > 0 && used * 5 <= (uint64_t)h->n_slots * 4)
        return true;
    return rehash(h, h->n_slots > 0 ? h->n_slots * 2 : SLOTS_LEAST) ||
           used < h->n_slots;
}

/* Those behind it that stand where they do because of it move up. */
static void
clear_slot(struct hosts *h, uint32_t hole)
{
    uint32_t mask = h->n_slots - 1;
    uint32_t at = hole;

    for (;;) {
        at = (at + 1) & mask;
        if (h->slots[at].host == POOL_NONE)
            break;
        if (((at - h->slots[at].tag) & mask) < ((at - hole) & mask))
            continue;
        h->slots[hole] = h->slots[at];
        hole = at;
    }
    h->slots[hole] = (struct slot){0};
}

/* ---- who is due ---- */

void
table_due(struct hosts *h, uint32_t i, ns_t when)
{
    struct host *host = host_at(h, i);
    uint64_t minute = (when + MINUTE - 1) / MINUTE;
    uint32_t slot;
    struct minute *m;

    if (host->due != 0)
        return;
    if (minute <= h->minute)
        minute = h->minute + 1;
    if (minute >= h->minute + HOST_MINUTES)
        minute = h->minute + HOST_MINUTES - 1;
    slot = (uint32_t)(minute % HOST_MINUTES);
    m = &h->due[slot];
    host->due = (uint16_t)(slot + 1);
    host->prev = m->tail;
    host->next = POOL_NONE;
    if (m->tail != POOL_NONE)
        host_at(h, m->tail)->next = i;
    else
        m->head = i;
    m->tail = i;
    h->n_due++;
}

static void
unlink_due(struct hosts *h, struct host *host)
{
    struct minute *m;

    if (host->due == 0)
        return;
    m = &h->due[host->due - 1];
    if (host->prev != POOL_NONE)
        host_at(h, host->prev)->next = host->next;
    else
        m->head = host->next;
    if (host->next != POOL_NONE)
        host_at(h, host->next)->prev = host->prev;
    else
        m->tail = host->prev;
    host->prev = host->next = POOL_NONE;
    host->due = 0;
    h->n_due--;
}

uint32_t
table_due_take(struct hosts *h, uint64_t minute)
{
    uint32_t i = h->due[minute % HOST_MINUTES].head;

    if (i != POOL_NONE)
        unlink_due(h, host_at(h, i));
    return i;
}

/* ---- how many of one IPv6 network ---- */

static uint16_t *
net_count(const struct hosts *h, const struct addr *a, bool home)
{
    uint64_t w;

    memcpy(&w, a->b, sizeof(w));
    if (!home)
        memset((uint8_t *)&w + 6, 0, 2);
    return &h->nets[hash_mix(h->seed + home, w) % HOST_COUNTERS];
}

static bool
is_counted(const struct host *host)
{
    return !addr_is_v4(&host->addr) && (host->flags & HOST_IS_FOLDED) == 0;
}

static void
count_net(struct hosts *h, const struct host *host, int by)
{
    uint16_t *n = net_count(h, &host->addr, (host->flags & HOST_IS_HOME) != 0);

    if (is_counted(host) && *n < UINT16_MAX)
        *n = (uint16_t)(*n + by);
}

/* ---- detail ---- */

static void
drop_detail(struct hosts *h, struct host *host)
{
    struct detail *d = detail_of(h, host);

    if (d == NULL)
        return;
    sketch_clear(&d->senders, &h->large);
    sketch_clear(&d->helos, &h->large);
    sketch_clear(&d->orgs, &h->large);
    if (d->subkeys != POOL_NONE)
        pool_give(&h->subkeys, d->subkeys);
    if (d->pairs != POOL_NONE)
        pool_give(&h->pairs, d->pairs);
    pool_give(&h->details, host->detail);
    host->detail = POOL_NONE;
}

/* ---- eviction ---- */

struct victim {
    uint32_t host;
    uint32_t rank;
    ns_t last;
};

#define RANK_SUSPECT 500U

static void
consider(const struct hosts *h, uint32_t i, struct victim *v)
{
    struct host *host = host_at(h, i);
    uint32_t rank;

    stat_time(h, host, h->now);
    rank = stat_rank(h, host, h->now);
    if (rank >= RANK_SUSPECT)
        return;
    if (v->host == POOL_NONE || rank < v->rank ||
        (rank == v->rank && host->last < v->last))
        *v = (struct victim){i, rank, host->last};
}

static struct victim
find_victim(struct hosts *h)
{
    struct victim v = {POOL_NONE, 0, 0};

    for (uint32_t n = 0; n < TABLE_LOOKS_MAX; n++) {
        if (n >= TABLE_LOOKS && v.host != POOL_NONE)
            break;
        h->hand = h->hand % h->hosts.high + 1;
        if (host_at(h, h->hand)->flags & HOST_IN_USE)
            consider(h, h->hand, &v);
    }
    return v;
}

static void
evict(struct hosts *h, uint32_t i)
{
    struct host *host = host_at(h, i);
    uint32_t at = slot_of(h, host->key, &host->addr, host->lease);

    REQUIRE(at < h->n_slots && h->slots[at].host == i);
    clear_slot(h, at);
    unlink_due(h, host);
    drop_detail(h, host);
    count_net(h, host, -1);
    pool_give(&h->hosts, i);
    h->counts.evicted++;
}

static uint32_t
take_record(struct hosts *h)
{
    uint32_t i = pool_take(&h->hosts);
    struct victim v;

    if (i != POOL_NONE || h->hosts.high == 0)
        return i;
    v = find_victim(h);
    if (v.host == POOL_NONE)
        return POOL_NONE;
    evict(h, v.host);
    return pool_take(&h->hosts);
}

/* The detail block of another host, as take_record does with records. */
static void
evict_detail(struct hosts *h)
{
    struct victim v = {POOL_NONE, 0, 0};

    for (uint32_t n = 0; n < TABLE_LOOKS_MAX; n++) {
        const struct detail *d;

        if (n >= TABLE_LOOKS && v.host != POOL_NONE)
            break;
        h->detail_hand = h->detail_hand % h->details.high + 1;
        d = pool_at(&h->details, h->detail_hand);
        if (d->owner != POOL_NONE)
            consider(h, d->owner, &v);
    }
    if (v.host == POOL_NONE)
        return;
    drop_detail(h, host_at(h, v.host));
    h->counts.detail_evicted++;
}

struct detail *
table_detail(struct hosts *h, uint32_t i)
{
    struct host *host = host_at(h, i);
    struct detail *d;

    if (host->detail != POOL_NONE)
        return detail_of(h, host);
    host->detail = pool_take(&h->details);
    if (host->detail == POOL_NONE && h->details.n == h->details.max) {
        evict_detail(h);
        host->detail = pool_take(&h->details);
    }
    d = detail_of(h, host);
    if (d != NULL)
        d->owner = i;
    return d;
}

/* ---- find and get ---- */

static void
fold(struct addr *a)
{
    memset(a->b + 8, 0, 8);
}

static uint32_t
look_up(const struct hosts *h, const struct table_who *who, uint64_t key)
{
    uint32_t at = slot_of(h, key, &who->addr, who->lease);

    return at < h->n_slots ? h->slots[at].host : POOL_NONE;
}

uint32_t
table_find(const struct hosts *h, const struct table_who *who)
{
    struct table_who w = *who;
    bool v4 = addr_is_v4(&who->addr);
    uint32_t i;

    if (h->n_slots == 0)
        return POOL_NONE;
    if (!v4 && !who->home)
        fold(&w.addr);
    i = look_up(h, &w, key_of(h, &w.addr, w.lease));
    if (i != POOL_NONE || v4 || !who->home)
        return i;
    fold(&w.addr);
    w.lease = TABLE_FOLDED;
    return look_up(h, &w, key_of(h, &w.addr, w.lease));
}

static uint32_t
add(struct hosts *h, const struct table_who *who, bool folded)
{
    uint64_t key = key_of(h, &who->addr, who->lease);
    uint32_t i = take_record(h);
    uint32_t at;
    struct host *host;

    if (i == POOL_NONE)
        return POOL_NONE;
    at = make_slots(h) ? free_slot(h->slots, h->n_slots, (uint32_t)key)
                       : h->n_slots;
    if (at == h->n_slots) {
        pool_give(&h->hosts, i);
        return POOL_NONE;
    }
    h->slots[at] = (struct slot){.tag = (uint32_t)key, .host = i};
    host = host_at(h, i);
    host->addr = who->addr;
    host->lease = who->lease;
    host->key = key;
    host->first = host->last = host->s3_at = h->now;
    host->flags = HOST_IN_USE;
    if (who->home)
        host->flags |= HOST_IS_HOME;
    if (folded)
        host->flags |= HOST_IS_FOLDED;
    count_net(h, host, 1);
    return i;
}

uint32_t
table_get(struct hosts *h, const struct table_who *who)
{
    struct table_who w = *who;
    uint32_t i = table_find(h, who);
    bool v6 = !addr_is_v4(&who->addr);
    bool folded = false;

    if (i != POOL_NONE)
        return i;
    if (v6 && who->home &&
        *net_count(h, &who->addr, true) >= HOST_LIMIT(fold_home)) {
        fold(&w.addr);
        w.lease = TABLE_FOLDED;
        folded = true;
    } else if (v6 && !who->home) {
        fold(&w.addr);
        if (*net_count(h, &w.addr, false) >= HOST_LIMIT(fold_outside)) {
            h->counts.refused++;
            return POOL_NONE;
        }
    }
    i = add(h, &w, folded);
    if (i == POOL_NONE)
        h->counts.refused++;
    return i;
}

enum err
table_rebuild(struct hosts *h)
{
    uint32_t n = SLOTS_LEAST;

    while ((uint64_t)h->hosts.n * 5 > (uint64_t)n * 4)
        n *= 2;
    free(h->slots);
    h->slots = calloc(n, sizeof(*h->slots));
    h->n_slots = h->slots != NULL ? n : 0;
    if (h->slots == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 1; i <= h->hosts.high; i++) {
        struct host *host = host_at(h, i);
        uint32_t at;

        if ((host->flags & HOST_IN_USE) == 0)
            continue;
        if (host->key != key_of(h, &host->addr, host->lease))
            return ERR_CORRUPT;
        at = free_slot(h->slots, n, (uint32_t)host->key);
        if (at == n)
            return ERR_CORRUPT;
        h->slots[at] = (struct slot){.tag = (uint32_t)host->key, .host = i};
        count_net(h, host, 1);
    }
    return ERR_OK;
}
