#include "rules/host/mail.h"

#include "rules/host/queueing.h"
#include "rules/host/stat.h"
#include "rules/host/subkey.h"
#include "rules/host/window.h"
#include "sensor/base/hash.h"

#define HOUR (UINT64_C(3600) * NS_PER_S)
/* First contacts of different kinds stand in one filter. */
#define FIRST_RCPT UINT64_C(0x5331)
#define FIRST_ORG  UINT64_C(0x5333)
#define PATH_MAX_N 320U /* bytes of a path that tell it from others */

struct rcpt {
    struct span addr, class, list;
    uint64_t code;
};

/* One transaction on its way through. */
struct tx {
    struct hosts *h;
    struct host *host;
    struct detail *d; /* or NULL */
    struct subkey *subkey;
    const struct scene *s;
    uint64_t sender;  /* hash */
    uint64_t key;     /* of flow and transaction */
    uint64_t org;     /* of its first recipient */
    uint64_t reached; /* the organisation looked at last */
    bool has_s5;      /* a part of class A was found */
    bool outward;     /* outbound on port 25 */
};

/* Local parts may differ by case alone; nobody's do. */
static uint64_t
hash_path(struct span path, uint64_t seed)
{
    uint8_t low[PATH_MAX_N];
    size_t n = path.n < sizeof(low) ? path.n : sizeof(low);

    for (size_t i = 0; i < n; i++) {
        uint8_t c = path.p[i];

        low[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    return hash_span(span_of(low, n), seed);
}

static struct rcpt
read_rcpt(struct span object)
{
    struct cursor c = cur_open(object);
    struct rcpt r = {0};
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_SMTP_RCPT_ADDR)
            r.addr = e.value;
        else if (e.field == FIELD_SMTP_RCPT_CODE)
            r.code = entry_u64(e.value);
        else if (e.field == FIELD_SMTP_RCPT_CLASS)
            r.class = e.value;
        else if (e.field == FIELD_SMTP_RCPT_LIST)
            r.list = e.value;
    }
    return r;
}

static bool
is_unknown(const struct rcpt *r)
{
    return r->code / 100 == 5 && span_eq(r->class, SPAN_LIT("unknown_user"));
}

struct mail_ledger
mail_ledger(const struct record_map *smtp)
{
    struct cursor c = record_map_list(smtp, FIELD_SMTP_RCPT);
    struct mail_ledger l = {0};
    struct record_entry e;

    while (record_next(&c, &e) && e.field == FIELD_SMTP_RCPT) {
        struct rcpt r = read_rcpt(e.value);

        l.offered++;
        l.unknown += is_unknown(&r);
    }
    return l;
}

/* ---- first contacts ---- */

static uint64_t
org_key(const struct host *host, uint64_t org)
{
    return hash_mix(hash_mix(host->key, FIRST_ORG), org);
}

void
mail_reached(struct hosts *h, struct host *host, struct detail *d, uint64_t org)
{
    if (org == ORG_NONE || !filter_add(&h->seen, org_key(host, org)))
        return;
    stat_add(h, host, HOST_S3, true);
    if (d == NULL)
        return;
    d->s3_n++;
    window_hour_add(d, HOUR_ORGS, 1);
}

/* Only the first org_hour verdicts of an organisation and hour count, whatever
 * they are. One success and one failure of each would make every large sender
 * look bad: of twenty verdicts with one failure that keeps one of each. The
 * keys of one organisation and hour lie in one block of the filter. */
static bool
is_spent(const struct tx *t, uint64_t org)
{
    uint64_t hour = t->s->now / HOUR;
    uint64_t key = hash_mix(hash_mix(t->host->key, hour), org);

    for (uint64_t i = 0; i < HOST_LIMIT(org_hour); i++) {
        if (filter_add(&t->h->hours, key ^ i))
            return false;
    }
    return true;
}

static void
verdict(struct tx *t, uint64_t first, uint64_t org, bool bad)
{
    struct cusum_steps steps;

    if (!filter_add(&t->h->seen, first))
        return;
    if (org != ORG_NONE && is_spent(t, org))
        return;
    stat_add(t->h, t->host, HOST_S1, bad);
    t->host->s1_n++;
    t->host->s1_bad += bad;
    if (t->subkey == NULL)
        return;
    steps = stat_steps(t->h, t->host, HOST_S1);
    subkey_verdict(t->subkey, &steps, bad);
}

/* ---- the ledger ---- */

static void
count_rcpt(struct tx *t, const struct rcpt *r, uint64_t pair, uint64_t org)
{
    struct detail *d = t->d;

    d->rcpt_offered++;
    d->rcpt_accepted += r->code / 100 == 2;
    d->rcpt_unknown += is_unknown(r);
    window_hour_add(d, HOUR_RCPT, 1);
    window_hour_add(d, HOUR_REFUSED, r->code / 100 == 5);
    if (queueing_offer(t->h, d, pair, t->s->flow, t->s->now))
        d->flags |= DETAIL_ASK;
    if (r->code / 100 == 4)
        queueing_defer(t->h, d, pair, t->s->flow, t->s->now);
    if (t->s->outbound && r->list.n > 0 && org != ORG_NONE)
        window_listed(d, org, t->s->now);
    if (t->has_s5 && org != ORG_NONE)
        (void)window_set_add(d->s5_orgs, HOST_NETS, org);
}

static void
take_rcpt(struct tx *t, const struct rcpt *r)
{
    uint64_t rcpt = hash_path(r->addr, t->h->seed);
    uint64_t pair = hash_mix(t->sender, rcpt) | 1;
    uint64_t org = org_of_path(t->h->org, r->addr);
    bool bad = is_unknown(r);

    if (t->org == ORG_NONE)
        t->org = org;
    rcpt = hash_mix(hash_mix(t->host->key, FIRST_RCPT), rcpt);
    filter_prefetch(&t->h->seen, rcpt);
    filter_prefetch(&t->h->seen, org_key(t->host, org));
    if (t->d != NULL)
        count_rcpt(t, r, pair, org);
    if (r->code == 0)
        return;
    if (t->outward && org != t->reached)
        mail_reached(t->h, t->host, t->d, org);
    t->reached = org;
    if (bad || r->code / 100 == 2)
        verdict(t, rcpt, org, bad);
}

/* A message that is deferred at its end was deferred for all of them. */
static void
defer_all(struct tx *t)
{
    struct cursor c = record_map_list(t->s->event, FIELD_SMTP_RCPT);
    struct record_entry e;

    while (record_next(&c, &e) && e.field == FIELD_SMTP_RCPT) {
        struct rcpt r = read_rcpt(e.value);
        uint64_t pair = hash_mix(t->sender, hash_path(r.addr, t->h->seed)) | 1;

        if (r.code / 100 == 2)
            queueing_defer(t->h, t->d, pair, t->s->flow, t->s->now);
    }
}

/* ---- the message ---- */

/* The dialect is that of the session before: this one's is told at its end. An
 * older one must not speak against mail for ever: behind one address are
 * several hosts in turn. */
static void
judge(struct tx *t, bool accepted)
{
    struct judgement j = judge_message(&judge_design_default, t->s->event,
                                       t->s->joined, t->d->odd_latest);

    if (t->h->o.judged.put != NULL)
        t->h->o.judged.put(t->h->o.judged.ctx, j.judged, j.bad);
    if (j.judged) {
        stat_add(t->h, t->host, HOST_S2, j.bad);
        t->d->s2_n++;
        t->d->s2_bad += j.bad;
        t->d->s2_why |= j.why;
    }
    if (accepted && !(j.judged && j.bad))
        window_ordinary(t->d);
}

void
mail_joined(struct detail *d, const struct campaign_join *c, ns_t now)
{
    if (c == NULL || c->cluster == 0)
        return;
    d->s4_cluster = c->cluster;
    d->s4_kind = c->kind;
    d->s4_sources = c->sources;
    d->s4_messages = c->messages;
    d->s4_at = now;
}

static void
message(struct tx *t)
{
    const struct record_map *m = t->s->event;
    bool accepted = record_map_is(m, FIELD_SMTP_OUTCOME, "accepted");

    t->host->transactions++;
    t->host->accepted += accepted;
    if (t->subkey != NULL)
        t->subkey->accepted += accepted;
    if (t->d == NULL)
        return;
    if (record_map_has(m, FIELD_SMTP_VIA)) {
        window_hour_add(t->d, HOUR_MESSAGES, 1);
        if (record_map_u64(m, FIELD_SMTP_FINAL_CODE, 0) / 100 == 4)
            defer_all(t);
    }
    if (record_map_find(m, FIELD_EMAIL_SCORE).n > 0 && accepted) {
        queueing_read(t->d, record_map_find(m, FIELD_EMAIL_BULK).n > 0);
        queueing_looks(t->d, t->s->now);
    }
    judge(t, accepted);
    mail_joined(t->d, t->s->joined, t->s->now);
    t->d->tx_keys[t->d->tx_at % HOST_MESSAGES] = t->key;
    t->d->tx_orgs[t->d->tx_at % HOST_MESSAGES] = t->org;
    t->d->tx_at++;
}

bool
mail_counts(const struct record_map *smtp)
{
    return !record_map_bool(smtp, FIELD_QUALITY_ONEWAY) &&
           !record_map_bool(smtp, FIELD_QUALITY_MIDSTREAM) &&
           record_map_has(smtp, FIELD_SMTP_MAIL_FROM);
}

static bool
knows(const uint64_t *keys, uint64_t key)
{
    for (size_t i = 0; i < HOST_MESSAGES; i++) {
        if (keys[i] == key)
            return true;
    }
    return false;
}

static uint64_t
tx_key(const struct scene *s, enum field f)
{
    return hash_mix(s->flow, record_map_u64(s->event, f, 0)) | 1;
}

static void
open_tx(struct tx *t)
{
    const struct record_map *m = t->s->event;

    t->sender = hash_path(record_map_find(m, FIELD_SMTP_MAIL_FROM), t->h->seed);
    t->key = tx_key(t->s, FIELD_TX_ID);
    t->outward = t->s->outbound && record_map_u64(m, FIELD_DEST_PORT, 0) == 25;
    if (t->d == NULL)
        return;
    t->subkey = subkey_use(t->h, t->host, t->d,
                           record_map_find(m, FIELD_SMTP_HELO), t->s);
    t->has_s5 = knows(t->d->s5_keys, t->key);
    (void)sketch_add(&t->d->senders, &t->h->large, t->sender);
}

void
mail_event(struct hosts *h, uint32_t i, const struct scene *s)
{
    struct tx t = {.h = h, .host = host_at(h, i), .s = s};
    struct cursor c = record_map_list(s->event, FIELD_SMTP_RCPT);
    bool last = !record_map_has(s->event, FIELD_SMTP_PART) ||
                record_map_bool(s->event, FIELD_SMTP_LAST);
    struct record_entry e;

    t.d = detail_of(h, t.host);
    if (record_map_bool(s->event, FIELD_SMTP_NULL_SENDER)) {
        if (t.d != NULL)
            t.d->null_sender += last;
        return;
    }
    open_tx(&t);
    while (record_next(&c, &e) && e.field == FIELD_SMTP_RCPT) {
        struct rcpt r = read_rcpt(e.value);

        take_rcpt(&t, &r);
    }
    if (last)
        message(&t);
    if (t.d != NULL && s->outbound)
        mail_listed(h, t.d, s);
}

/* ---- files, and replies that name a list ---- */

void
mail_file(struct hosts *h, uint32_t i, const struct scene *s)
{
    struct detail *d = detail_of(h, host_at(h, i));
    uint64_t key = tx_key(s, record_map_has(s->event, FIELD_FILEINFO_TX_ID)
                                 ? FIELD_FILEINFO_TX_ID
                                 : FIELD_TX_ID);

    if (d == NULL || knows(d->s5_keys, key))
        return;
    d->s5_keys[d->s5_at++ % HOST_MESSAGES] = key;
    d->s5_messages++;
    for (size_t k = 0; k < HOST_MESSAGES; k++) {
        if (d->tx_keys[k] == key && d->tx_orgs[k] != ORG_NONE)
            (void)window_set_add(d->s5_orgs, HOST_NETS, d->tx_orgs[k]);
    }
}

static bool
cites(struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_SMTP_REPLIES_LIST)
            return e.value.n > 0;
    }
    return false;
}

static bool
any_cites(const struct record_map *m)
{
    struct cursor c = record_map_list(m, FIELD_SMTP_REPLIES);
    struct record_entry e;

    while (record_next(&c, &e) && e.field == FIELD_SMTP_REPLIES) {
        if (cites(e.value))
            return true;
    }
    return record_map_has(m, FIELD_SMTP_FINAL_LIST);
}

/* The domain written to answers, where it is known; else its server. */
void
mail_listed(struct hosts *h, struct detail *d, const struct scene *s)
{
    struct span to = record_map_find(s->event, FIELD_SMTP_RCPT_TO);
    uint64_t org;

    if (!any_cites(s->event))
        return;
    org = to.n > 0 ? org_of_path(h->org, to) : ORG_NONE;
    if (org == ORG_NONE)
        org = org_of_server(h->org, s->event);
    if (org != ORG_NONE)
        window_listed(d, org, s->now);
}
