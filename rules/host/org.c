#include "rules/host/org.h"

#include <libpsl.h>
#include <stdlib.h>

#include "sensor/base/hash.h"

/* No public suffix has more labels than this less one. */
#define LABELS_MAX 8U

/* So that hashes of one kind never equal those of another. */
enum kind { KIND_DOMAIN = 1, KIND_PREFIX, KIND_AS, KIND_CACHE };

struct entry {
    uint64_t key; /* keyed hash of the domain as asked for */
    uint64_t org;
};

struct org {
    uint64_t seed;
    const psl_ctx_t *list; /* static, libpsl's */
    struct entry cache[ORG_CACHE];
};

enum err
org_new(uint64_t seed, struct org **out)
{
    struct org *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return ERR_NOMEM;
    o->seed = seed;
    o->list = psl_builtin();
    *out = o;
    return ERR_OK;
}

void
org_free(struct org *o)
{
    free(o);
}

/* ---- addresses ---- */

static uint64_t
keyed(const struct org *o, struct span s, enum kind kind)
{
    uint64_t h = hash_span(s, hash_mix(o->seed, kind));

    return h != ORG_NONE ? h : 1;
}

uint64_t
org_of_addr(const struct org *o, const struct addr *server)
{
    struct addr a = *server;
    size_t keep = addr_is_v4(&a) ? 15 : 6; /* /24 of the mapped form, /48 */

    memset(a.b + keep, 0, sizeof(a.b) - keep);
    return keyed(o, span_of(a.b, sizeof(a.b)), KIND_PREFIX);
}

uint64_t
org_of_server(const struct org *o, const struct record_map *event)
{
    uint64_t number = record_map_u64(event, FIELD_DEST_AS_NUMBER, 0);
    struct addr server;

    if (number != 0)
        return keyed(o, span_of(&number, sizeof(number)), KIND_AS);
    if (!record_map_addr(event, FIELD_DEST_IP, &server))
        return ORG_NONE;
    return org_of_addr(o, &server);
}

/* RFC 5321 4.1.3; other tags are nobody's. */
static uint64_t
of_literal(const struct org *o, struct span text)
{
    struct addr a;

    if (span_at(text, text.n - 1) == ']')
        text = span_head(text, text.n - 1);
    text = span_tail(text, 1);
    if (span_starts_nocase(text, SPAN_LIT("IPv6:")))
        text = span_tail(text, 5);
    return addr_parse(text, &a) ? org_of_addr(o, &a) : ORG_NONE;
}

/* ---- domains ---- */

/* What can stand in a domain, as it counts: letters without case, digits,
 * hyphen, underscore and dot, and UTF-8 (RFC 6531). 0: nothing that can. */
static uint8_t
as_domain(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c + ('a' - 'A'));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
        c == '_' || c == '.' || c >= 0x80)
        return c;
    return 0;
}

/* The domain in lower case and where its last LABELS_MAX labels begin. */
struct domain {
    char text[ORG_DOMAIN_MAX + 1];
    size_t n;
    size_t tail;
};

/* Written from the end, so that labels are counted from there. */
static bool
domain_read(struct span in, struct domain *out)
{
    unsigned labels = 1;
    uint8_t last = '.';

    if (span_at(in, in.n - 1) == '.')
        in = span_head(in, in.n - 1);
    if (in.n == 0 || in.n > ORG_DOMAIN_MAX)
        return false;
    out->n = in.n;
    out->tail = 0;
    for (size_t i = in.n; i-- > 0;) {
        uint8_t c = as_domain(span_at(in, i));

        if (c == 0 || (c == '.' && last == '.'))
            return false;
        if (c == '.' && labels++ == LABELS_MAX)
            out->tail = i + 1;
        out->text[i] = (char)c;
        last = c;
    }
    out->text[in.n] = '\0';
    return last != '.';
}

static uint64_t
of_name(const struct org *o, const struct domain *d)
{
    const char *tail = d->text + d->tail;
    const char *own = NULL;

    if (o->list != NULL)
        own = psl_registrable_domain(o->list, tail);
    return keyed(o, span_str(own != NULL ? own : tail), KIND_DOMAIN);
}

/* An address without brackets is none of a domain's names: no top level domain
 * is a number (RFC 3696 2). */
static bool
as_address(const struct domain *d, struct addr *out)
{
    char last = d->text[d->n - 1];

    return last >= '0' && last <= '9' &&
           addr_parse(span_of(d->text, d->n), out);
}

uint64_t
org_of_domain(struct org *o, struct span domain)
{
    struct domain d;
    struct addr a;
    struct entry *e;
    uint64_t key;

    if (span_at(domain, 0) == '[')
        return of_literal(o, domain);
    if (domain.n == 0 || !domain_read(domain, &d))
        return ORG_NONE;
    key = keyed(o, span_of(d.text + d.tail, d.n - d.tail), KIND_CACHE);
    e = &o->cache[key % ORG_CACHE];
    if (e->key == key)
        return e->org;
    e->key = key;
    e->org = as_address(&d, &a) ? org_of_addr(o, &a) : of_name(o, &d);
    return e->org;
}

struct span
org_registrable(struct span domain)
{
    const psl_ctx_t *list = psl_builtin();
    const char *own = NULL;
    struct domain d;
    struct addr a;

    if (domain.n == 0 || !domain_read(domain, &d) || as_address(&d, &a))
        return SPAN_NONE;
    if (list != NULL)
        own = psl_registrable_domain(list, d.text + d.tail);
    return span_tail(span_head(domain, d.n),
                     own != NULL ? (size_t)(own - d.text) : d.tail);
}

/* ---- paths ---- */

/* Behind the last @ there is neither a local part nor a route. */
struct span
org_domain_of(struct span path)
{
    const uint8_t *at;

    if (span_at(path, path.n - 1) == '>')
        path = span_head(path, path.n - 1);
    at = path.n > 0 ? memrchr(path.p, '@', path.n) : NULL;
    if (at == NULL)
        return SPAN_NONE;
    return span_tail(path, (size_t)(at - path.p) + 1);
}

uint64_t
org_of_path(struct org *o, struct span path)
{
    return org_of_domain(o, org_domain_of(path));
}
