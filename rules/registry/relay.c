#include "rules/registry/relay.h"

#include "rules/host/org.h"
#include "rules/registry/policy.h"
#include "rules/registry/requirements.h"
#include "rules/registry/slots.h"
#include "sensor/base/hash.h"

#include <stdlib.h>

#define ADDRESS_MAX 320U /* RFC 5321 4.5.3.1: 64 + 1 + 255 */

static const char *const known[] = {
#define X(domain) (domain),
#include "rules/registry/relay_known.def"
#undef X
};

/* A registrable domain that outside clients named to a server. */
struct domain {
    uint64_t name;
    uint32_t host;
    uint32_t next; /* of the host's list; 0: none */
    uint64_t clients[RELAY_SERVED];
    uint32_t n_clients;
    bool known;  /* a mailbox provider's */
    bool proved; /* seen on its way outward */
    uint64_t hop;
    uint64_t accepted, refused;
    uint64_t counted[2]; /* events that were counted last, by fate */
    uint64_t first_event, last_event, gave_event;
    ns_t first, last;
};

/* A recipient taken, by a hash of server (or site) and address. The next one
 * with the same place takes it: then nothing is proved. */
struct recent {
    uint64_t key;
    ns_t when;
    uint32_t domain;
};

struct relay {
    struct domain *domains; /* the first is not used */
    size_t n, cap;
    struct slots slots;
    struct recent *recent;
};

enum err
relay_new(struct relay **out)
{
    struct relay *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_NOMEM;
    slots_init(&r->slots);
    r->recent = calloc(REQ_RECENT, sizeof(*r->recent));
    if (r->recent == NULL) {
        relay_free(r);
        return ERR_NOMEM;
    }
    r->n = 1;
    *out = r;
    return ERR_OK;
}

void
relay_free(struct relay *r)
{
    if (r == NULL)
        return;
    slots_fini(&r->slots);
    free(r->domains);
    free(r->recent);
    free(r);
}

/* ---- names ---- */

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static size_t
find_last(struct span s, uint8_t c)
{
    size_t i = s.n;

    while (i > 0 && span_at(s, i - 1) != c)
        i--;
    return i > 0 ? i - 1 : s.n;
}

static struct span
without_dots(struct span s)
{
    while (s.n > 0 && span_at(s, s.n - 1) == '.')
        s.n--;
    return s;
}

/* The registrable domain; empty when there are not two labels: one alone is no
 * domain of the world's. None of its top ones ends in a digit. */
static struct span
organisation(struct span name)
{
    struct span domain = org_registrable(without_dots(name));
    uint8_t last = span_at(domain, domain.n - 1);

    if (span_find(domain, '.') == domain.n || (last >= '0' && last <= '9'))
        return SPAN_NONE;
    return domain;
}

static uint64_t
hash_lower(struct span s, uint64_t seed)
{
    uint8_t room[ADDRESS_MAX];

    s = span_head(s, sizeof(room));
    for (size_t i = 0; i < s.n; i++)
        room[i] = lower(span_at(s, i));
    return hash_span(span_of(room, s.n), seed);
}

/* "<@a,@b:c@d>" is c@d (RFC 5321 4.1.1.3). */
static struct span
address_of(struct span path)
{
    size_t colon;

    if (span_at(path, 0) == '<')
        path = span_tail(path, 1);
    if (span_at(path, path.n - 1) == '>')
        path = span_head(path, path.n - 1);
    colon = span_find(path, ':');
    if (span_at(path, 0) == '@' && colon < path.n)
        path = span_tail(path, colon + 1);
    return path.n <= ADDRESS_MAX ? without_dots(path) : SPAN_NONE;
}

static struct span
domain_of(struct span address)
{
    return span_tail(address, find_last(address, '@') + 1);
}

static bool
is_known(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (span_eq_nocase(name, span_str(known[i])))
            return true;
    }
    return false;
}

static bool
owns(const struct relay_host *h, uint64_t name)
{
    for (uint32_t i = 0; i < h->n_own; i++) {
        if (h->own[i] == name)
            return true;
    }
    return false;
}

void
relay_own(struct relay_host *h, struct span name)
{
    struct span domain = organisation(name);
    uint64_t hash;

    if (domain.n == 0)
        return;
    hash = hash_lower(domain, 0);
    if (!owns(h, hash) && h->n_own < RELAY_OWN)
        h->own[h->n_own++] = hash;
}

/* ---- what the form names ---- */

static bool
word_names(struct span word, struct span domain, const struct addr *client)
{
    struct prefix p;

    if (prefix_parse(word, &p))
        return prefix_has(&p, client);
    if (span_at(word, 0) == '.')
        word = span_tail(word, 1);
    word = without_dots(word);
    if (word.n == 0 || domain.n < word.n)
        return false;
    return span_eq_nocase(span_tail(domain, domain.n - word.n), word) &&
           (domain.n == word.n ||
            span_at(domain, domain.n - word.n - 1) == '.');
}

bool
relay_is_registered(const char *text, struct span path,
                    const struct addr *client)
{
    struct span rest = text != NULL ? span_str(text) : SPAN_NONE;
    struct span domain = domain_of(address_of(path));

    while (rest.n > 0) {
        if (word_names(policy_next_name(&rest), domain, client))
            return true;
    }
    return false;
}

/* ---- domains of a server ---- */

static bool
has_room(struct relay *r)
{
    size_t cap = r->cap > 0 ? r->cap * 2 : 64;
    struct domain *domains;

    if (r->n < r->cap)
        return true;
    if (r->n > REQ_DOMAINS)
        return false;
    domains = realloc(r->domains, cap * sizeof(*domains));
    if (domains == NULL)
        return false;
    r->domains = domains;
    r->cap = cap;
    return true;
}

static struct domain *
domain_at(struct relay *r, struct relay_host *h, uint32_t host,
          struct span name)
{
    uint64_t hash = hash_lower(name, 0);
    uint64_t key = hash_mix(hash, host);
    struct slots_walk w = slots_begin(&r->slots, key);
    struct domain *d;
    uint32_t i;

    while ((i = slots_next(&w)) != SLOTS_NONE) {
        if (r->domains[i].name == hash && r->domains[i].host == host)
            return &r->domains[i];
    }
    if (h->n_domains >= REQ_HOST_DOMAINS || !has_room(r) ||
        !slots_add(&r->slots, key, (uint32_t)r->n))
        return NULL;
    d = &r->domains[r->n];
    *d = (struct domain){.name = hash, .host = host, .next = h->domains};
    d->known = is_known(name);
    h->domains = (uint32_t)r->n++;
    h->n_domains++;
    return d;
}

/* ---- recipients on their way ---- */

static uint64_t
network(const struct addr *a)
{
    return hash_span(span_of(a->b, addr_is_v4(a) ? 15 : 8), 1);
}

static struct recent *
recent_at(const struct relay *r, uint64_t key)
{
    return &r->recent[key & (REQ_RECENT - 1)];
}

static uint64_t
host_key(const struct relay_mail *m, struct span address)
{
    return hash_lower(address, hash_mix(2, m->host));
}

static uint64_t
site_key(const struct relay_mail *m, struct span address)
{
    return hash_lower(address, hash_mix(3, m->site));
}

static void
remember(struct relay *r, const struct relay_mail *m, struct span address,
         uint32_t domain)
{
    uint64_t key = host_key(m, address);

    *recent_at(r, key) = (struct recent){key, m->when, domain};
    if (m->site == 0)
        return;
    key = site_key(m, address);
    *recent_at(r, key) = (struct recent){key, m->when, domain};
}

static void
add_client(struct domain *d, const struct addr *client)
{
    uint64_t net = network(client);

    for (uint32_t i = 0; i < d->n_clients; i++) {
        if (d->clients[i] == net)
            return;
    }
    if (d->n_clients < RELAY_SERVED)
        d->clients[d->n_clients++] = net;
}

void
relay_took(struct relay *r, struct relay_host *h, const struct relay_mail *m,
           struct span path, enum relay_fate fate)
{
    struct span address = address_of(path);
    struct span name = organisation(domain_of(address));
    struct domain *d;
    bool again;

    if (name.n == 0)
        return;
    d = domain_at(r, h, m->host, name);
    if (d == NULL) {
        h->refused_more += fate == RELAY_REFUSED;
        return;
    }
    again = d->counted[fate] == m->event;
    d->counted[fate] = m->event;
    if (fate == RELAY_REFUSED) {
        d->refused += !again;
        return;
    }
    d->accepted += !again;
    add_client(d, &m->client);
    if (d->first == 0) {
        d->first = m->when;
        d->first_event = m->event;
    }
    d->last = m->when;
    d->last_event = m->event;
    remember(r, m, address, (uint32_t)(d - r->domains));
}

static void
prove(struct relay *r, const struct relay_mail *m, uint64_t key)
{
    const struct recent *s = recent_at(r, key);
    struct domain *d;

    if (s->domain == 0 || s->key != key || s->when > m->when ||
        m->when - s->when > RELAY_WITHIN)
        return;
    d = &r->domains[s->domain];
    if (d->proved)
        return;
    d->proved = true;
    d->hop = network(&m->client);
    d->gave_event = m->event;
}

void
relay_gave(struct relay *r, const struct relay_mail *m, struct span path)
{
    struct span address = address_of(path);

    if (address.n == 0)
        return;
    prove(r, m, host_key(m, address));
    if (m->site != 0)
        prove(r, m, site_key(m, address));
}

/* ---- the answer ---- */

struct sums {
    uint64_t known, passed;
    uint64_t hop;
    bool hops_differ;
};

static bool
is_outside(const struct domain *d)
{
    return d->accepted > 0 &&
           (d->known || (d->proved && d->n_clients < RELAY_SERVED));
}

static void
add_domain(struct relay_verdict *v, struct sums *s, const struct domain *d)
{
    if (d->known)
        s->known++;
    else
        s->passed++;
    if (d->proved) {
        s->hops_differ |= s->hop != 0 && s->hop != d->hop;
        s->hop = d->hop;
    }
    v->count += d->accepted;
    if (v->first == 0 || d->first <= v->first) {
        v->first = d->first;
        v->events[0] = d->first_event;
        v->events[1] = d->gave_event;
    }
    if (d->last >= v->last) {
        v->last = d->last;
        v->events[2] = d->last_event;
    }
}

struct relay_verdict
relay_ask(const struct relay *r, const struct relay_host *h)
{
    struct relay_verdict v = {.of = h->refused_more};
    struct sums s = {0};

    for (uint32_t i = h->domains; i != 0; i = r->domains[i].next) {
        const struct domain *d = &r->domains[i];

        if (owns(h, d->name))
            continue;
        v.of += d->refused;
        if (is_outside(d))
            add_domain(&v, &s, d);
    }
    v.of += v.count;
    v.candidates = s.known + s.passed;
    v.observed = s.known > 0 || (s.passed >= RELAY_HOPS && s.hops_differ) ||
                 s.passed >= RELAY_MANY;
    return v;
}
