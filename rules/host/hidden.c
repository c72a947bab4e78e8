#include "rules/host/hidden.h"

#include "rules/host/stat.h"
#include "sensor/base/hash.h"

#define MINUTE (60 * NS_PER_S)
#define FIRST  UINT64_C(0x5431) /* apart from other first contacts */

static uint32_t *
bucket_of(const struct hosts *h, uint64_t key, uint64_t org)
{
    return &h->buckets[hash_mix(key, org) % HOST_BUCKETS];
}

static bool
make_room(struct hosts *h)
{
    if (h->pending == NULL)
        h->pending = calloc(HOST_PENDING, sizeof(*h->pending));
    if (h->buckets == NULL)
        h->buckets = calloc(HOST_BUCKETS, sizeof(*h->buckets));
    return h->pending != NULL && h->buckets != NULL &&
           h->pending_n < HOST_PENDING;
}

static bool
push(struct hosts *h, const struct pending *p)
{
    uint32_t place = (h->pending_at + h->pending_n) % HOST_PENDING;
    uint32_t *bucket;

    if (!make_room(h))
        return false;
    bucket = bucket_of(h, p->key, p->org);
    h->pending[place] = *p;
    h->pending[place].next = p->org != 0 ? *bucket : 0;
    if (p->org != 0)
        *bucket = place + 1;
    h->pending_n++;
    return true;
}

/* Out of its bucket, and decided; chains are short, for hashes are keyed. */
static bool
settle(struct hosts *h, uint64_t key, uint64_t org)
{
    uint32_t *link;

    if (h->pending_n == 0)
        return false;
    for (link = bucket_of(h, key, org); *link != 0;) {
        struct pending *p = &h->pending[*link - 1];

        if (p->key == key && p->org == org) {
            *link = p->next;
            p->org = 0;
            p->next = 0;
            return true;
        }
        link = &p->next;
    }
    return false;
}

static void
decide(struct hosts *h, struct host *host, bool bad)
{
    struct detail *d = detail_of(h, host);

    stat_add(h, host, HOST_S1T, bad);
    if (d != NULL) {
        d->s1t_n++;
        d->s1t_bad += bad;
    }
}

void
hidden_session(struct hosts *h, uint32_t i, const struct scene *s)
{
    struct host *host = host_at(h, i);
    bool sent = record_map_u64(s->event, FIELD_TLS_EST_MESSAGES_MIN, 0) > 0;
    bool none = record_map_bool(s->event, FIELD_TLS_EST_NO_PAYLOAD);
    uint64_t org;
    struct pending p;

    if (!sent && !none)
        return;
    org = org_of_server(h->org, s->event);
    if (org == ORG_NONE)
        return;
    if (sent && settle(h, host->key, org)) {
        decide(h, host, false);
        return;
    }
    if (!filter_add(&h->seen, hash_mix(hash_mix(host->key, FIRST), org)))
        return;
    if (sent) {
        decide(h, host, false);
        return;
    }
    p = (struct pending){
        .key = host->key,
        .org = org,
        .minute = (s->now + HOST_LIMIT_NS(revisit_s) + MINUTE - 1) / MINUTE,
        .host = i,
    };
    if (!push(h, &p))
        h->counts.waits_refused++;
}

uint32_t
hidden_ripe(struct hosts *h, uint64_t minute)
{
    while (h->pending_n > 0) {
        struct pending p = h->pending[h->pending_at];
        struct host *host;

        if (p.minute > minute)
            break;
        if (p.org != 0)
            (void)settle(h, p.key, p.org);
        memset(&h->pending[h->pending_at], 0, sizeof(p));
        h->pending_at = (h->pending_at + 1) % HOST_PENDING;
        h->pending_n--;
        if (p.org == 0)
            continue;
        host = host_at(h, p.host);
        if (host->key != p.key || (host->flags & HOST_IN_USE) == 0)
            continue; /* evicted meanwhile */
        decide(h, host, true);
        return p.host;
    }
    return POOL_NONE;
}

/* ---- snapshots ---- */

void
hidden_save(const struct hosts *h, struct buf *out)
{
    buf_put(out, &h->pending_n, sizeof(h->pending_n));
    for (uint32_t k = 0; k < h->pending_n; k++) {
        struct pending p = h->pending[(h->pending_at + k) % HOST_PENDING];

        p.next = 0; /* a place, which another run need not share */
        buf_put(out, &p, sizeof(p));
    }
}

enum err
hidden_load(struct hosts *h, struct cursor *in)
{
    uint32_t n = cur_le32(in);

    if (n > HOST_PENDING)
        return ERR_CORRUPT;
    for (uint32_t k = 0; k < n; k++) {
        struct span bytes = cur_take(in, sizeof(struct pending));
        struct pending p;

        if (in->bad)
            return ERR_CORRUPT;
        memcpy(&p, bytes.p, sizeof(p));
        if (p.host == POOL_NONE || p.host > h->hosts.high)
            return ERR_CORRUPT;
        if (!push(h, &p))
            return ERR_NOMEM;
    }
    return ERR_OK;
}
