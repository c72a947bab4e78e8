#include "rules/study/study_state.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

#define GROWTH 2U

static uint64_t
key_of(const struct study *s, const struct addr *a, uint64_t lease)
{
    return hash_mix(hash_span(span_of(a->b, sizeof(a->b)), s->o.seed), lease);
}

struct addr
study_scope_of(const struct addr *a)
{
    struct addr out = *a;

    if (!addr_is_v4(a))
        memset(out.b + 8, 0, 8);
    return out;
}

double
study_draw(const struct study *s, const struct addr *a, uint64_t what)
{
    return (double)(hash_mix(key_of(s, a, 0), what) >> 11) * 0x1p-53;
}

/* Room for one more of n things of this size, zeroed; false: none. */
static bool
grow(void **v, size_t old, size_t room, size_t each)
{
    uint8_t *p;

    if (room > 0 && each > SIZE_MAX / room)
        return false;
    p = realloc(*v, room * each);
    if (p == NULL)
        return false;
    memset(p + old * each, 0, (room - old) * each);
    *v = p;
    return true;
}

static size_t
more(size_t room, size_t most)
{
    const size_t n = room == 0 ? 64 : room * GROWTH;

    return n < most ? n : most;
}

/* ---- scopes ---- */

uint32_t
study_find_scope(const struct study *s, const struct addr *a)
{
    const struct addr scope = study_scope_of(a);
    struct slots_walk w = slots_begin(&s->by_scope, key_of(s, &scope, 0));
    uint32_t i;

    while ((i = slots_next(&w)) != SLOTS_NONE) {
        if (addr_cmp(&s->scopes[i].addr, &scope) == 0)
            return i;
    }
    return NONE;
}

static bool
scope_room(struct study *s)
{
    const size_t room = more(s->room_scopes, s->o.home);

    if (s->n_scopes < s->room_scopes)
        return true;
    if (s->n_scopes == s->o.home ||
        !grow((void **)&s->scopes, s->room_scopes, room, sizeof(*s->scopes)) ||
        !grow((void **)&s->stops, s->room_scopes, room,
              sizeof(*s->stops) * s->n_variants))
        return false;
    s->room_scopes = room;
    return true;
}

static uint32_t
scope_for(struct study *s, const struct addr *a)
{
    const struct addr addr = study_scope_of(a);
    uint32_t i = study_find_scope(s, a);

    if (i != NONE)
        return i;
    if (!scope_room(s))
        return NONE;
    i = (uint32_t)s->n_scopes;
    if (!slots_add(&s->by_scope, key_of(s, &addr, 0), i))
        return NONE;
    s->scopes[i] = (struct scope){.addr = addr, .first = NONE};
    s->n_scopes++;
    return i;
}

/* ---- hosts ---- */

uint32_t
study_find_host(const struct study *s, const struct addr *a, uint64_t lease)
{
    struct slots_walk w = slots_begin(&s->by_host, key_of(s, a, lease));
    uint32_t i;

    while ((i = slots_next(&w)) != SLOTS_NONE) {
        if (addr_cmp(&s->hosts[i].addr, a) == 0 && s->hosts[i].lease == lease)
            return i;
    }
    return NONE;
}

static bool
host_room(struct study *s)
{
    const size_t room = more(s->room_hosts, s->o.home);

    if (s->n_hosts < s->room_hosts)
        return true;
    if (s->n_hosts == s->o.home ||
        !grow((void **)&s->hosts, s->room_hosts, room, sizeof(*s->hosts)) ||
        !grow((void **)&s->accounts, s->room_hosts, room,
              sizeof(*s->accounts) * s->n_variants * s->n_parts) ||
        !grow((void **)&s->firsts, s->room_hosts, room,
              sizeof(*s->firsts) * s->n_variants) ||
        !grow((void **)&s->touched_hosts, s->room_hosts, room,
              sizeof(*s->touched_hosts)))
        return false;
    s->room_hosts = room;
    return true;
}

static int
cmp_label(const void *a, const void *b)
{
    const struct addr *x = a;
    const struct study_label *y = b;

    return addr_cmp(x, &y->addr);
}

static void
set_label(const struct study *s, struct host *h)
{
    const struct study_label *l =
        s->o.n_labels == 0 ? NULL
                           : bsearch(&h->addr, s->o.labels, s->o.n_labels,
                                     sizeof(*s->o.labels), cmp_label);

    if (l == NULL)
        return;
    h->reviewed = true;
    h->label = (uint8_t)l->class;
}

uint32_t
study_host(struct study *s, const struct addr *a, uint64_t lease, ns_t when)
{
    uint32_t i = study_find_host(s, a, lease);
    uint32_t scope;

    if (i != NONE)
        return i;
    scope = scope_for(s, a);
    if (scope == NONE || !host_room(s) ||
        !slots_add(&s->by_host, key_of(s, a, lease), (uint32_t)s->n_hosts)) {
        s->refused++;
        return NONE;
    }
    i = (uint32_t)s->n_hosts++;
    s->hosts[i] = (struct host){.addr = *a,
                                .lease = lease,
                                .scope = scope,
                                .next = s->scopes[scope].first,
                                .seen = when,
                                .last_day = -1};
    s->scopes[scope].first = i;
    set_label(s, &s->hosts[i]);
    return i;
}

/* ---- outside ---- */

static bool
outsider_room(struct study *s)
{
    const size_t room = more(s->room_outsiders, s->o.outside);

    if (s->n_outsiders < s->room_outsiders)
        return true;
    if (s->n_outsiders == s->o.outside ||
        !grow((void **)&s->outsiders, s->room_outsiders, room,
              sizeof(*s->outsiders)) ||
        !grow((void **)&s->touched_outsiders, s->room_outsiders, room,
              sizeof(*s->touched_outsiders)))
        return false;
    s->room_outsiders = room;
    return true;
}

uint32_t
study_outsider(struct study *s, const struct addr *a)
{
    const struct addr addr = study_scope_of(a);
    const uint64_t key = key_of(s, &addr, 0);
    struct slots_walk w = slots_begin(&s->by_outsider, key);
    uint32_t i;

    while ((i = slots_next(&w)) != SLOTS_NONE) {
        if (addr_cmp(&s->outsiders[i].addr, &addr) == 0)
            return i;
    }
    if (!outsider_room(s) ||
        !slots_add(&s->by_outsider, key, (uint32_t)s->n_outsiders)) {
        s->refused++;
        return NONE;
    }
    i = (uint32_t)s->n_outsiders++;
    s->outsiders[i] = (struct outsider){.addr = addr};
    return i;
}

bool
study_index(struct study *s)
{
    bool ok = true;

    for (uint32_t i = 0; ok && i < s->n_hosts; i++)
        ok = slots_add(&s->by_host,
                       key_of(s, &s->hosts[i].addr, s->hosts[i].lease), i);
    for (uint32_t i = 0; ok && i < s->n_outsiders; i++)
        ok = slots_add(&s->by_outsider, key_of(s, &s->outsiders[i].addr, 0), i);
    for (uint32_t i = 0; ok && i < s->n_scopes; i++)
        ok = slots_add(&s->by_scope, key_of(s, &s->scopes[i].addr, 0), i);
    return ok;
}
