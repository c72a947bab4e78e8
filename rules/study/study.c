#include "rules/study/study.h"

#include "rules/host/judge.h"
#include "rules/study/study_state.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAIL_PORT 25

/* ---- life ---- */

static enum err
add_variants(struct study *s)
{
    const struct study_plan *plan = s->o.plan;

    if (plan->n_policies > STUDY_POLICIES)
        return ERR_LIMIT;
    for (uint32_t i = 0; i < plan->n_policies; i++) {
        s->variants[s->n_variants++] = (struct variant){i, false};
        if (plan->policies[i].kind == STUDY_KIND_GRACE)
            s->variants[s->n_variants++] = (struct variant){i, true};
    }
    return s->n_variants == 0 ? ERR_USAGE : ERR_OK;
}

enum err
study_new(const struct study_options *o, struct study **out)
{
    struct study *s;
    enum err e;

    if (o->from != 0 && o->to != 0 &&
        (o->to <= o->from || o->to - o->from > STUDY_DAYS * DAY))
        return ERR_LIMIT;
    if (o->holdout != 0 && (o->to == 0 || o->to - o->from <= o->holdout))
        return ERR_USAGE;
    s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_NOMEM;
    s->o = *o;
    if (s->o.home == 0)
        s->o.home = STUDY_HOME;
    if (s->o.outside == 0)
        s->o.outside = STUDY_OUTSIDE;
    s->plan = o->plan;
    s->from = o->from;
    s->to = o->to;
    s->n_parts = o->holdout != 0 ? 2 : 1;
    slots_init(&s->by_host);
    slots_init(&s->by_outsider);
    slots_init(&s->by_scope);
    s->parted = calloc(PARTED_MAX, sizeof(*s->parted));
    s->told = calloc(TOLD_MAX, sizeof(*s->told));
    e = s->parted == NULL || s->told == NULL ? ERR_NOMEM : add_variants(s);
    if (e != ERR_OK) {
        study_free(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

void
study_free(struct study *s)
{
    if (s == NULL)
        return;
    slots_fini(&s->by_host);
    slots_fini(&s->by_outsider);
    slots_fini(&s->by_scope);
    free(s->hosts);
    free(s->outsiders);
    free(s->scopes);
    free(s->stops);
    free(s->accounts);
    free(s->firsts);
    free(s->touched_hosts);
    free(s->touched_outsiders);
    free(s->hours);
    free(s->days);
    free(s->parted);
    free(s->told);
    free(s);
}

/* ---- parts of messages, which come before the message ---- */

#define WAYS 4U

static uint64_t
tx_key(const struct study *s, const struct record_map *m, enum field tx)
{
    const uint64_t flow = record_head_of(m->record).flow_id;

    return hash_mix(hash_mix(s->o.seed, flow), record_map_u64(m, tx, 0)) | 1;
}

static struct parted *
parted_find(struct study *s, uint64_t key)
{
    struct parted *way = &s->parted[key % (PARTED_MAX / WAYS) * WAYS];

    for (size_t i = 0; i < WAYS; i++) {
        if (way[i].key == key)
            return &way[i];
    }
    return NULL;
}

/* The one that was used longest ago gives way. */
static struct parted *
parted_take(struct study *s, uint64_t key)
{
    struct parted *way = &s->parted[key % (PARTED_MAX / WAYS) * WAYS];
    struct parted *oldest = way;

    for (size_t i = 0; i < WAYS; i++) {
        if (way[i].key == 0) {
            oldest = &way[i];
            break;
        }
        if (s->parted_at - way[i].used > s->parted_at - oldest->used)
            oldest = &way[i];
    }
    s->parted_lost += oldest->key != 0;
    *oldest = (struct parted){.key = key, .looked = true};
    return oldest;
}

static void
on_part(struct study *s, const struct record_map *m)
{
    const uint64_t key = tx_key(s, m, FIELD_FILEINFO_TX_ID);
    struct cursor c = record_map_list(m, FIELD_FILEINFO_CLASSES);
    struct record_entry e;
    struct parted *p;

    if (record_map_has(m, FIELD_FILEINFO_READING))
        return; /* what the RFCs say counts */
    p = parted_find(s, key);
    if (p == NULL)
        p = parted_take(s, key);
    p->used = ++s->parted_at;
    while (record_next(&c, &e) && e.field == FIELD_FILEINFO_CLASSES) {
        if (e.value.n == 1 && e.value.p[0] >= 'A' && e.value.p[0] <= 'D')
            p->classes |= (uint8_t)(1U << (e.value.p[0] - 'A'));
    }
    if (record_map_is(m, FIELD_FILEINFO_CLASS, "A"))
        p->classes |= 1;
    if (record_map_is(m, FIELD_FILEINFO_CLASS, "D"))
        p->looked = false;
}

/* ---- a message ---- */

struct seen {
    struct mail mail;
    struct addr client;
    uint64_t bytes;
    uint32_t refused, offered;
    bool judged, bad, malicious, looked, whole, framed, sent;
    size_t bin;
};

static size_t
bin_of(uint64_t bytes)
{
    size_t i = 0;

    for (uint64_t most = 4096; i + 1 < BINS && bytes > most; most *= 4)
        i++;
    return i;
}

static void
judge(const struct study *s, const struct record_map *m, struct seen *out)
{
    struct judgement j;

    if (s->has_judgement) {
        out->judged = s->judged;
        out->bad = s->judged && s->bad;
        return;
    }
    j = judge_message(&judge_design_default, m, NULL, 0);
    out->judged = j.judged;
    out->bad = j.judged && j.bad;
}

/* False: no message that counts. */
static bool
read_mail(struct study *s, const struct record_map *m, struct seen *out)
{
    struct parted *p = parted_find(s, tx_key(s, m, FIELD_TX_ID));
    const bool ends = !record_map_has(m, FIELD_SMTP_PART) ||
                      record_map_bool(m, FIELD_SMTP_LAST);

    *out = (struct seen){.mail.when = record_head_of(m->record).when};
    if (p != NULL && ends) {
        out->malicious = (p->classes & 1) != 0;
        out->looked = p->looked;
        p->key = 0;
    } else {
        out->looked = true;
    }
    out->offered = (uint32_t)record_map_u64(m, FIELD_SMTP_RCPT_OFFERED, 0);
    if (!ends || out->offered == 0 ||
        !record_map_addr(m, FIELD_SRC_IP, &out->client))
        return false;
    out->mail.delivered = record_map_is(m, FIELD_SMTP_OUTCOME, "accepted");
    out->mail.recipients =
        out->mail.delivered
            ? (uint32_t)record_map_u64(m, FIELD_SMTP_RCPT_ACCEPTED, 0)
            : 0;
    out->mail.registered = record_map_is(m, FIELD_SRC_REG_STATE, "registered");
    out->refused = (uint32_t)record_map_u64(m, FIELD_SMTP_RCPT_REFUSED, 0);
    out->bytes = record_map_u64(m, FIELD_SMTP_MESSAGE_BYTES, 0);
    out->sent = record_map_has(m, FIELD_SMTP_VIA) || out->mail.delivered;
    out->framed = record_map_has(m, FIELD_SMTP_VIA) &&
                  !record_map_bool(m, FIELD_QUALITY_ONEWAY) &&
                  !record_map_bool(m, FIELD_QUALITY_MIDSTREAM);
    out->whole = out->framed && !record_map_has(m, FIELD_SMTP_CUT) &&
                 !record_map_bool(m, FIELD_QUALITY_TRUNCATED);
    out->bin = bin_of(out->bytes);
    judge(s, m, out);
    out->mail.raw = out->bad || out->malicious ? RAW_BAD : RAW_REST;
    return true;
}

static void
count_sizes(struct sizes *z, const struct seen *x)
{
    struct tally4 *t = &z->bin[x->bin];

    if (!x->framed)
        return;
    z->framed[x->bin]++;
    z->whole[x->bin] += x->whole;
    if (!x->whole || !x->looked)
        return;
    t->all++;
    t->malicious += x->malicious;
    t->spam += x->bad;
    t->both += x->bad && x->malicious;
}

static void
copy_word(char *to, size_t n, struct span word)
{
    if (word.n == 0)
        return;
    word = span_head(word, n - 1);
    memcpy(to, word.p, word.n);
    to[word.n] = '\0';
    for (size_t i = 0; i < word.n; i++) {
        if (to[i] == '\0')
            to[i] = '?';
    }
}

/* What a host is known by, from its latest event. */
static void
know_host(struct host *h, const struct record_map *m)
{
    struct span site = record_map_find(m, FIELD_SRC_HOST_SITE);

    if (site.n == 0)
        site = record_map_find(m, FIELD_SRC_REG_SITE);
    copy_word(h->site, sizeof(h->site), site);
    copy_word(h->helo, sizeof(h->helo), record_map_find(m, FIELD_SMTP_HELO));
    h->registered = record_map_is(m, FIELD_SRC_REG_STATE, "registered");
    if (h->device == 0)
        h->device = (uint8_t)study_device(m);
}

static uint64_t
lease_of(const struct record_map *m)
{
    const struct span hex = record_map_find(m, FIELD_SRC_HOST_LEASE);

    return hex.n == 0 ? 0 : hash_span(hex, 0) | 1;
}

static void
touch_day(struct study *s, struct host *h, ns_t when, struct day *d)
{
    const int32_t day = (int32_t)((when - s->base) / DAY);

    if (h->first == 0) {
        h->first = when;
        d->senders_new += h->seen == when;
    }
    h->last = when;
    if (day == h->last_day)
        return;
    h->last_day = day;
    h->days++;
    d->senders++;
}

static void
count_host(struct study *s, struct host *h, const struct seen *x)
{
    struct counts *c = &h->counts[x->mail.part];

    c->messages++;
    c->delivered += x->mail.delivered;
    c->sent += x->sent;
    c->recipients += x->mail.recipients;
    c->refused += x->refused;
    c->judged += x->judged;
    c->bad += x->bad;
    c->malicious += x->malicious;
    c->bytes += x->bytes;
    if (x->mail.raw == RAW_BAD)
        c->bad_recipients += x->mail.recipients;
    else
        c->recipients_rest += x->mail.recipients;
    if (x->mail.raw == RAW_BAD && h->first_bad == 0)
        h->first_bad = x->mail.when;
    count_sizes(&h->hour, x);
    if (!h->touched) {
        h->touched = true;
        s->touched_hosts[s->n_touched_hosts++] = (uint32_t)(h - s->hosts);
    }
}

static void
on_outward(struct study *s, const struct record_map *m, struct seen *x)
{
    struct hour *hour;
    struct day *day;
    struct host *h;
    uint32_t i;

    i = study_host(s, &x->client, lease_of(m), x->mail.when);
    if (i == NONE || !study_window(s, x->mail.when, &x->mail.part))
        return;
    h = &s->hosts[i];
    hour = study_hour_at(s, x->mail.when);
    day = study_day_at(s, x->mail.when);
    know_host(h, m);
    touch_day(s, h, x->mail.when, day);
    count_host(s, h, x);
    hour->messages[x->mail.registered ? STUDY_GROUP_REGISTERED
                                      : STUDY_GROUP_UNREGISTERED]++;
    hour->bad += x->mail.raw == RAW_BAD;
    day->messages++;
    day->recipients += x->mail.recipients;
    day->bad += x->mail.raw == RAW_BAD;
    day->malicious += x->malicious;
    x->mail.host = i;
    study_replay_mail(s, &x->mail);
}

static void
on_inward(struct study *s, struct seen *x)
{
    struct outsider *o;
    uint32_t i;

    if (!study_window(s, x->mail.when, &x->mail.part))
        return;
    study_hour_at(s, x->mail.when)->messages[STUDY_GROUP_OUTSIDE]++;
    i = study_outsider(s, &x->client);
    if (i == NONE)
        return;
    o = &s->outsiders[i];
    count_sizes(&o->hour, x);
    if (!o->touched) {
        o->touched = true;
        s->touched_outsiders[s->n_touched_outsiders++] = i;
    }
}

static void
on_mail(struct study *s, const struct record_map *m)
{
    struct seen x;

    if (!read_mail(s, m, &x))
        return;
    if (record_map_is(m, FIELD_DIRECTION, "outbound") &&
        record_map_u64(m, FIELD_DEST_PORT, 0) == MAIL_PORT)
        on_outward(s, m, &x);
    else if (record_map_is(m, FIELD_DIRECTION, "inbound"))
        on_inward(s, &x);
}

/* ---- connections ---- */

static void
count_bytes(struct study *s, const struct record_map *m, struct hour *hour)
{
    const uint64_t seen = record_map_u64(m, FIELD_FLOW_BYTES_TOSERVER, 0) +
                          record_map_u64(m, FIELD_FLOW_BYTES_TOCLIENT, 0);
    const uint64_t unseen = record_map_u64(m, FIELD_TCP_LOST_TOSERVER, 0) +
                            record_map_u64(m, FIELD_TCP_LOST_TOCLIENT, 0);

    /* One direction that is missing as a whole is no loss (DETECTION 4.2). */
    if (record_map_bool(m, FIELD_QUALITY_ONEWAY))
        return;
    hour->seen += seen;
    hour->unseen += unseen;
    s->n_seen += seen;
    s->n_unseen += unseen;
}

static void
on_tls(struct study *s, uint32_t i, unsigned part, const struct record_map *m)
{
    const uint32_t least =
        (uint32_t)record_map_u64(m, FIELD_TLS_EST_MESSAGES_MIN, 0);
    const uint32_t most =
        (uint32_t)record_map_u64(m, FIELD_TLS_EST_MESSAGES_MAX, least);
    struct counts *c = &s->hosts[i].counts[part];

    c->tls++;
    c->tls_least += least;
    c->tls_most += most;
    study_replay_tls(s, i, part, record_head_of(m->record).when, least, most);
}

static void
on_attempts(struct study *s, const struct record_map *m, ns_t when)
{
    const uint64_t n = record_map_u64(m, FIELD_ATTEMPTS_COUNT, 0);
    struct day *day = study_day_at(s, when);
    struct addr a;
    uint32_t scope;

    if (!record_map_is(m, FIELD_DIRECTION, "outbound"))
        return;
    day->attempts += n;
    if (!record_map_addr(m, FIELD_SRC_IP, &a))
        return;
    scope = study_find_scope(s, &a);
    if (scope != NONE && when < s->scopes[scope].journal_until)
        day->attempts_blocked += n;
}

/* Sessions are told when they end. One that is told late counts for the ten
 * minutes in hand. */
static void
count_peak(struct host *h, unsigned part, ns_t when)
{
    const uint64_t tenth = when / (600 * NS_PER_S);

    if (tenth > h->tenth) {
        h->tenth = tenth;
        h->ends = 0;
    }
    h->ends++;
    if (h->ends > h->counts[part].peak)
        h->counts[part].peak = h->ends;
}

static void
on_session(struct study *s, const struct record_map *m)
{
    const ns_t when = record_head_of(m->record).when;
    const bool tls = record_map_bool(m, FIELD_SMTP_STARTTLS_USED) ||
                     record_map_is(m, FIELD_APP_PROTO, "tls");
    struct hour *hour;
    struct addr a;
    unsigned part;
    uint32_t i;

    if (!study_window(s, when, &part))
        return;
    if (record_map_has(m, FIELD_ATTEMPTS_COUNT)) {
        on_attempts(s, m, when);
        return;
    }
    hour = study_hour_at(s, when);
    hour->sessions++;
    hour->tls += tls;
    hour->oneway += record_map_bool(m, FIELD_QUALITY_ONEWAY);
    s->n_sessions++;
    s->n_tls += tls;
    s->n_oneway += record_map_bool(m, FIELD_QUALITY_ONEWAY);
    count_bytes(s, m, hour);
    if (!record_map_is(m, FIELD_DIRECTION, "outbound") ||
        record_map_u64(m, FIELD_DEST_PORT, 0) != MAIL_PORT ||
        !record_map_addr(m, FIELD_SRC_IP, &a))
        return;
    i = study_host(s, &a, lease_of(m), when);
    if (i == NONE)
        return;
    know_host(&s->hosts[i], m);
    s->hosts[i].counts[part].sessions++;
    count_peak(&s->hosts[i], part, when);
    touch_day(s, &s->hosts[i], when, study_day_at(s, when));
    if (tls)
        on_tls(s, i, part, m);
}

/* ---- what the sensor saw ---- */

/* A look tells of the seconds before it, which may be those of the look before
 * too: each second counts once. */
static void
on_sight(struct study *s, const struct record_map *m)
{
    const ns_t when = record_head_of(m->record).when;
    const ns_t window = record_map_u64(m, FIELD_SIGHT_WINDOW, 0) * NS_PER_S;
    ns_t since = when > window ? when - window : 0;
    struct hour *hour;
    unsigned part;
    double share;

    if (!record_map_has(m, FIELD_SIGHT_WINDOW) || window == 0 ||
        !study_window(s, when, &part))
        return;
    s->has_sight = true;
    if (since < s->sight)
        since = s->sight;
    s->sight = when;
    if (record_map_has(m, FIELD_SIGHT_BLIND) || since >= when)
        return;
    hour = study_hour_at(s, when);
    share = (double)(when - since) / (double)window;
    hour->packets +=
        (uint64_t)(share * (double)record_map_u64(m, FIELD_SIGHT_PACKETS, 0));
    hour->dropped +=
        (uint64_t)(share * (double)record_map_u64(m, FIELD_SIGHT_DROPPED, 0));
    while (since < when) { /* what reaches back into the hour before is its */
        const ns_t end = since - since % HOUR + HOUR;
        const ns_t to = end < when ? end : when;
        struct hour *h = study_hour_at(s, since);

        if (h != NULL)
            h->covered += (double)(to - since) / (double)NS_PER_S;
        since = to;
    }
}

/* ---- events ---- */

void
study_begin(struct study *s, const struct record_map *event)
{
    const ns_t when = record_head_of(event->record).when;

    s->has_judgement = false;
    s->events++;
    if (s->first_event == 0)
        s->first_event = when;
    /* what people do about it comes later, and is not what was seen */
    if (s->last_event == 0 ||
        (when > s->last_event &&
         record_head_of(event->record).type != EVENT_CONTROL))
        s->last_event = when;
}

void
study_judged(void *study, bool judged, bool bad)
{
    struct study *s = study;

    s->has_judgement = true;
    s->judged = judged;
    s->bad = bad;
}

void
study_event(struct study *s, const struct record_map *event)
{
    switch (record_head_of(event->record).type) {
    case EVENT_SMTP: on_mail(s, event); break;
    case EVENT_SMTP_SESSION: on_session(s, event); break;
    case EVENT_FILEINFO: on_part(s, event); break;
    case EVENT_STATS: on_sight(s, event); break;
    default: break;
    }
}
