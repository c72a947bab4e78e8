#include "rules/decide/decide_caps.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

#define MINUTE (60 * NS_PER_S)
#define DAY    (86400 * NS_PER_S)

void
decide_caps_init(struct caps *c, uint64_t seed, const struct decide_limits *l)
{
    *c = (struct caps){.seed = seed, .limits = *l};
    tally_init(&c->nets, CAPS_DAY);
    tally_init(&c->site_blocks, CAPS_SITES);
    tally_init(&c->site_hosts[0], CAPS_SITES);
    tally_init(&c->site_hosts[1], CAPS_SITES);
    seen_init(&c->today, CAPS_HOSTS);
}

void
decide_caps_fini(struct caps *c)
{
    free(c->log);
    tally_fini(&c->nets);
    tally_fini(&c->site_blocks);
    tally_fini(&c->site_hosts[0]);
    tally_fini(&c->site_hosts[1]);
    seen_fini(&c->today);
}

static uint64_t
site_key(const struct caps *c, struct span site)
{
    uint64_t key = hash_span(site, c->seed);

    if (site.n == 0)
        return 0;
    return key != 0 ? key : 1;
}

/* /24 of IPv4, /56 of IPv6. */
static uint64_t
net_key(const struct caps *c, const struct prefix *subject)
{
    struct addr a = subject->addr;
    size_t keep = addr_is_v4(&a) ? 15 : 7;

    return hash_span(span_of(a.b, keep), c->seed + keep);
}

/* ---- active hosts ---- */

static void
new_day(struct caps *c, uint64_t day)
{
    struct tally before = c->site_hosts[0];

    c->hosts_before = day == c->day + 1 ? c->today.n : 0;
    c->site_hosts[0] = c->site_hosts[1];
    c->site_hosts[1] = before;
    tally_clear(&c->site_hosts[0]);
    if (day != c->day + 1)
        tally_clear(&c->site_hosts[1]);
    seen_fini(&c->today);
    seen_init(&c->today, CAPS_HOSTS);
    c->day = day;
}

void
decide_caps_host(struct caps *c, const struct addr *host, struct span site,
                 ns_t now)
{
    if (now / DAY > c->day)
        new_day(c, now / DAY);
    /* A bound that is met makes the count a lower one, and so the cap. */
    if (seen_add(&c->today, hash_span(span_of(host->b, 16), c->seed)) > 0 &&
        site.n > 0)
        (void)tally_add(&c->site_hosts[0], site_key(c, site));
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t
decide_caps_active_limit(const struct caps *c)
{
    uint64_t hosts = larger(c->today.n, c->hosts_before);
    uint64_t share = larger(1, hosts * c->limits.active_permille / 1000);

    return share < c->limits.active ? share : c->limits.active;
}

static uint64_t
site_limit(const struct caps *c, uint64_t site)
{
    uint64_t hosts = larger(tally_get(&c->site_hosts[0], site),
                            tally_get(&c->site_hosts[1], site));

    return larger(1, hosts * c->limits.site_percent / 100);
}

/* ---- blocks ---- */

static struct caps_block *
block_at(const struct caps *c, size_t i)
{
    return &c->log[(c->first + i) & (c->cap - 1)];
}

static void
forget_old(struct caps *c, ns_t now)
{
    while (c->n > 0 && now - block_at(c, 0)->when >= DAY) {
        if (block_at(c, 0)->site != 0)
            tally_sub(&c->site_blocks, block_at(c, 0)->site);
        c->first = (c->first + 1) & (c->cap - 1);
        c->n--;
    }
}

/* At most limits.per_minute are looked at. */
static bool
minute_is_full(const struct caps *c, ns_t now)
{
    return c->n >= c->limits.per_minute &&
           now - block_at(c, c->n - c->limits.per_minute)->when < MINUTE;
}

static bool
has_room(struct caps *c)
{
    size_t cap = c->cap > 0 ? c->cap * 2 : 64;
    struct caps_block *log;

    if (c->n < c->cap)
        return true;
    if (c->n >= CAPS_DAY)
        return false;
    log = calloc(cap, sizeof(*log));
    if (log == NULL)
        return false;
    for (size_t i = 0; i < c->n; i++)
        log[i] = *block_at(c, i);
    free(c->log);
    c->log = log;
    c->first = 0;
    c->cap = cap;
    return true;
}

bool
decide_caps_log(struct caps *c, struct caps_block block)
{
    if (!has_room(c))
        return false;
    c->log[(c->first + c->n++) & (c->cap - 1)] = block;
    return true;
}

static bool
can_count(struct caps *c)
{
    return has_room(c) && tally_reserve(&c->nets) &&
           tally_reserve(&c->site_blocks);
}

uint32_t
decide_caps_against(struct caps *c, const struct prefix *subject,
                    struct span site, ns_t now)
{
    uint64_t key = site_key(c, site);
    uint32_t against = 0;

    forget_old(c, now);
    if (minute_is_full(c, now))
        against |= AGAINST(CAP_MINUTE);
    if (c->active >= decide_caps_active_limit(c))
        against |= AGAINST(CAP_ACTIVE);
    if (now < c->breaker_until)
        against |= AGAINST(BREAKER);
    else if (against != 0)
        c->breaker_until = now + c->limits.breaker_s * NS_PER_S;
    if (tally_get(&c->nets, net_key(c, subject)) >= c->limits.per_net)
        against |= AGAINST(CAP_NET);
    if (key != 0 && tally_get(&c->site_blocks, key) >= site_limit(c, key))
        against |= AGAINST(CAP_SITE);
    if (!can_count(c))
        against |= AGAINST(CAP_DAY);
    return against;
}

void
decide_caps_begin(struct caps *c, const struct prefix *subject,
                  struct span site, ns_t now)
{
    uint64_t key = site_key(c, site);

    forget_old(c, now);
    c->active++;
    (void)tally_add(&c->nets, net_key(c, subject));
    if (key != 0)
        (void)tally_add(&c->site_blocks, key);
    (void)decide_caps_log(c, (struct caps_block){now, key});
}

void
decide_caps_forget(struct caps *c)
{
    c->first = 0;
    c->n = 0;
    tally_clear(&c->site_blocks);
}

void
decide_caps_end(struct caps *c, const struct prefix *subject)
{
    c->active--;
    tally_sub(&c->nets, net_key(c, subject));
}
