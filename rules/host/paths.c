#include "rules/host/paths.h"

#include <stdlib.h>

#include "rules/host/state.h"
#include "sensor/base/hash.h"

#define WAYS     4U /* places that an address may have */
#define HOSTS    8U /* words of a linear counter (Whang and others 1990) */
#define NETS     4U
#define TTL_NEAR 3  /* hops by which a way may change */
#define TTLS     4U /* different ones: they vary */

struct way {
    uint64_t key; /* 0: free */
    ns_t first, last;
    uint64_t hosts[HOSTS], nets[NETS];
    uint32_t sessions;
    uint32_t learned;
};

struct server {
    uint32_t tag, host;
    uint8_t ttl, sure, unused[2];
};

struct sensor {
    uint64_t ttls[4];
    ns_t learned;  /* when a router was seen last; 0: never */
    uint64_t most; /* hosts of the way that has most */
};

struct paths {
    uint64_t seed;
    struct sensor sensors[PATHS_SENSORS];
    struct way ways[PATHS_MAX];
    struct server servers[PATHS_SERVERS];
};

enum err
paths_new(uint64_t seed, struct paths **out)
{
    struct paths *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return ERR_NOMEM;
    p->seed = hash_mix(seed, UINT64_C(0x7061746873));
    *out = p;
    return ERR_OK;
}

void
paths_free(struct paths *p)
{
    free(p);
}

uint64_t
paths_bytes(void)
{
    return sizeof(struct paths);
}

/* ---- counting different ones ---- */

static void
mark(uint64_t *words, uint32_t n, uint64_t hash)
{
    uint64_t bit = hash % (n * 64U);

    words[bit / 64] |= UINT64_C(1) << bit % 64;
}

static uint64_t
marked(const uint64_t *words, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += (uint64_t)__builtin_popcountll(words[i]);
    return sum;
}

static uint64_t
addr_hash(const struct paths *p, struct addr a, bool net)
{
    size_t keep = !net ? sizeof(a.b) : addr_is_v4(&a) ? 14 : 4;

    memset(a.b + keep, 0, sizeof(a.b) - keep);
    return hash_span(span_of(a.b, sizeof(a.b)), p->seed);
}

/* ---- ways ---- */

static struct sensor *
sensor_of(struct paths *p, struct span name)
{
    return &p->sensors[hash_span(name, p->seed) % PATHS_SENSORS];
}

static uint64_t
key_of(const struct paths *p, struct span sensor, struct span mac)
{
    return hash_mix(hash_span(sensor, p->seed), hash_span(mac, p->seed)) | 1;
}

static struct way *
find(struct paths *p, uint64_t key)
{
    struct way *set = &p->ways[(key >> 32) % (PATHS_MAX / WAYS) * WAYS];

    for (uint32_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
    }
    return NULL;
}

static bool
is_kept(ns_t last, ns_t now)
{
    return now - last <= HOST_LIMIT_NS(path_kept_s);
}

static bool
is_router(const struct way *w, ns_t now)
{
    return w != NULL && w->learned != 0 && is_kept(w->last, now);
}

/* Routers stay, and of the others who was seen most. NULL: all are routers. */
static struct way *
make(struct paths *p, uint64_t key, ns_t now)
{
    struct way *set = &p->ways[(key >> 32) % (PATHS_MAX / WAYS) * WAYS];
    struct way *out = NULL;

    for (uint32_t i = 0; i < WAYS; i++) {
        if (!is_router(&set[i], now) &&
            (out == NULL || set[i].sessions < out->sessions))
            out = &set[i];
    }
    if (out != NULL)
        *out = (struct way){.key = key, .first = now};
    return out;
}

static bool
has_router(const struct sensor *s, ns_t now)
{
    return s->learned != 0 && is_kept(s->learned, now);
}

static bool
deserves(const struct sensor *s, const struct way *w, uint64_t hosts, ns_t now)
{
    ns_t wait = has_router(s, now) ? HOST_LIMIT_NS(path_later_s)
                                   : HOST_LIMIT_NS(path_first_s);

    return now - w->first >= wait && w->sessions >= HOST_LIMIT(path_sessions) &&
           hosts >= HOST_LIMIT(path_hosts) &&
           marked(w->nets, NETS) >= HOST_LIMIT(path_nets) &&
           hosts * HOST_LIMIT(path_share) >= s->most;
}

static void
learn_way(struct paths *p, struct way *w, const struct path_flow *f)
{
    struct sensor *s = sensor_of(p, f->sensor);
    uint64_t hosts;

    mark(w->hosts, HOSTS, addr_hash(p, f->home, false));
    mark(w->nets, NETS, addr_hash(p, f->away, true));
    w->sessions += w->sessions < UINT32_MAX;
    w->last = f->now;
    hosts = marked(w->hosts, HOSTS);
    if (hosts > s->most)
        s->most = hosts;
    if (w->learned == 0 && deserves(s, w, hosts, f->now))
        w->learned = 1;
    if (w->learned != 0)
        s->learned = f->now;
}

/* ---- hop limits ---- */

static size_t
place_of(const struct paths *p, const struct path_flow *f, uint32_t *tag)
{
    uint64_t h =
        hash_mix(addr_hash(p, f->away, false), hash_span(f->sensor, p->seed));

    *tag = (uint32_t)(h >> 32) | 1;
    return h % PATHS_SERVERS;
}

static bool
is_near(uint8_t a, uint8_t b)
{
    return a > b ? a - b <= TTL_NEAR : b - a <= TTL_NEAR;
}

static void
learn_ttl(struct paths *p, const struct path_flow *f)
{
    struct sensor *s = sensor_of(p, f->sensor);
    uint32_t host = (uint32_t)addr_hash(p, f->home, false);
    uint32_t tag;
    struct server *v = &p->servers[place_of(p, f, &tag)];

    s->ttls[f->ttl / 64] |= UINT64_C(1) << f->ttl % 64;
    if (v->tag != tag || (v->sure == 0 && !is_near(v->ttl, f->ttl)))
        *v = (struct server){.tag = tag, .host = host, .ttl = f->ttl};
    else if (v->host != host && is_near(v->ttl, f->ttl))
        v->sure = 1;
}

enum path_ttl
paths_ttl(const struct paths *p, const struct path_flow *f)
{
    uint32_t tag;
    const struct server *v = &p->servers[place_of(p, f, &tag)];

    if (f->ttl == 0 || v->tag != tag || v->sure == 0)
        return TTL_UNKNOWN;
    return is_near(v->ttl, f->ttl) ? TTL_AS_OTHERS : TTL_ODD;
}

bool
paths_varied(const struct paths *p, struct span sensor)
{
    const struct sensor *s =
        &p->sensors[hash_span(sensor, p->seed) % PATHS_SENSORS];

    return marked(s->ttls, 4) >= TTLS;
}

/* ---- both ---- */

/* Loopback, and tunnels without a link below, have none. */
static bool
is_nobody(struct span mac)
{
    return mac.n == 0 || span_eq(mac, SPAN_LIT("00:00:00:00:00:00"));
}

static enum path
judge(const struct sensor *s, const struct way *away, const struct way *home,
      ns_t now)
{
    if (is_router(away, now))
        return is_router(home, now) ? PATH_UNPROVEN : PATH_BOUND;
    return has_router(s, now) ? PATH_FOREIGN : PATH_LEARNING;
}

enum path
paths_see(struct paths *p, const struct path_flow *f)
{
    uint64_t key = key_of(p, f->sensor, f->away_mac);
    struct way *away;
    enum path path;

    if (is_nobody(f->home_mac) || is_nobody(f->away_mac))
        return PATH_UNSEEN;
    if (span_eq(f->home_mac, f->away_mac))
        return PATH_ONE;
    away = find(p, key);
    path = judge(sensor_of(p, f->sensor), away,
                 find(p, key_of(p, f->sensor, f->home_mac)), f->now);
    if (away == NULL)
        away = make(p, key, f->now);
    if (away != NULL)
        learn_way(p, away, f);
    if (path == PATH_BOUND && f->away_serves && f->ttl > 0)
        learn_ttl(p, f);
    return path;
}

/* ---- snapshots ---- */

void
paths_save(const struct paths *p, struct buf *out)
{
    buf_put(out, p, sizeof(*p));
}

enum err
paths_load(struct paths *p, struct cursor *in)
{
    struct span s = cur_take(in, sizeof(*p));
    uint64_t seed = p->seed;

    if (s.n != sizeof(*p))
        return ERR_CORRUPT;
    memcpy(p, s.p, sizeof(*p));
    if (p->seed == seed)
        return ERR_OK;
    memset(p, 0, sizeof(*p));
    p->seed = seed;
    return ERR_CORRUPT;
}
