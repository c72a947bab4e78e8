#include "rules/answers.h"

#include "rules/attached.h"
#include "rules/mails.h"
#include "rules/registry/discovery.h"
#include "rules/registry/policy.h"
#include "sensor/base/hash.h"
#include "sensor/base/seen.h"
#include "sensor/event/anomaly.h"

#include <stdlib.h>

#define SITE_MAX 256

static const char *const class_names[SUMMARY_CLASSES] = {
    "accepted",    "unknown_user", "mailbox_full", "policy", "blocklist",
    "greylisting", "rate",         "relay_denied", "other",  "unanswered",
};

struct answers {
    struct summary_host *hosts;
    uint32_t *slots; /* index + 1 into hosts; open addressing */
    size_t n_hosts, cap_hosts, n_slots;
    struct seen pairs;  /* of host, peer and role */
    struct seen citers; /* of listing and server */
    struct seen odd;    /* of flow and kind of anomaly */
    struct summary_listing *listings;
    size_t n_listings;
    uint64_t anomalies[ANOM_COUNT];
    struct summary_anomaly shown[ANOM_COUNT];
    struct mails *mails;
    struct attached *attached;
    struct discovery *discovery;
    struct summary total; /* counts only */
    char **sites;         /* names seen, each once */
    size_t n_sites;
};

void
answers_free(struct answers *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->n_sites; i++)
        free(a->sites[i]);
    free(a->sites);
    free(a->hosts);
    free(a->slots);
    seen_fini(&a->pairs);
    seen_fini(&a->citers);
    seen_fini(&a->odd);
    free(a->listings);
    mails_free(a->mails);
    attached_free(a->attached);
    discovery_free(a->discovery);
    free(a);
}

enum err
answers_new(struct answers **out)
{
    struct answers *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return ERR_NOMEM;
    a->listings = calloc(ANSWERS_LISTINGS, sizeof(*a->listings));
    if (a->listings == NULL || mails_new(&a->mails) != ERR_OK ||
        attached_new(&a->attached) != ERR_OK ||
        discovery_new(&a->discovery) != ERR_OK) {
        answers_free(a);
        return ERR_NOMEM;
    }
    seen_init(&a->pairs, ANSWERS_PAIRS);
    seen_init(&a->citers, ANSWERS_PAIRS);
    seen_init(&a->odd, ANSWERS_PAIRS);
    *out = a;
    return ERR_OK;
}

/* ---- hosts ---- */

/* A host has a row for each role, so that what it sent and what it received are
 * never added up. */
static uint64_t
row_hash(const struct addr *addr, bool as_client)
{
    return hash_span(span_of(addr->b, 16), as_client);
}

static bool
hosts_grow(struct answers *a)
{
    size_t cap = a->cap_hosts > 0 ? a->cap_hosts * 2 : 64;
    struct summary_host *hosts;
    uint32_t *slots;

    if (a->n_hosts < a->cap_hosts)
        return true;
    hosts = realloc(a->hosts, cap * sizeof(*hosts));
    if (hosts == NULL)
        return false;
    a->hosts = hosts;
    slots = calloc(cap * 2, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < a->n_hosts; i++) {
        size_t at =
            row_hash(&hosts[i].addr, hosts[i].as_client) & (cap * 2 - 1);

        while (slots[at] != 0)
            at = (at + 1) & (cap * 2 - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(a->slots);
    a->slots = slots;
    a->n_slots = cap * 2;
    a->cap_hosts = cap;
    return true;
}

static struct summary_host *
known_host(struct answers *a, const struct addr *addr, bool as_client)
{
    size_t at = row_hash(addr, as_client) & (a->n_slots - 1);

    for (; a->n_slots > 0 && a->slots[at] != 0;
         at = (at + 1) & (a->n_slots - 1)) {
        struct summary_host *h = &a->hosts[a->slots[at] - 1];

        if (h->as_client == as_client && addr_cmp(&h->addr, addr) == 0)
            return h;
    }
    return NULL;
}

/* A host that is known is found even when the table is full. */
static struct summary_host *
host_of(struct answers *a, const struct addr *addr, bool as_client)
{
    uint64_t hash = row_hash(addr, as_client);
    struct summary_host *h = known_host(a, addr, as_client);
    size_t at;

    if (h != NULL)
        return h;
    if (a->n_hosts >= ANSWERS_HOSTS || !hosts_grow(a)) {
        a->total.hosts_left_out++;
        return NULL;
    }
    for (at = hash & (a->n_slots - 1); a->slots[at] != 0;)
        at = (at + 1) & (a->n_slots - 1);
    a->slots[at] = (uint32_t)a->n_hosts + 1;
    h = &a->hosts[a->n_hosts++];
    *h = (struct summary_host){.addr = *addr, .as_client = as_client};
    return h;
}

static const char *
keep_site(struct answers *a, struct span site)
{
    char **sites;

    site = span_head(site, SITE_MAX);

    for (size_t i = 0; i < a->n_sites; i++) {
        if (span_eq(span_str(a->sites[i]), site))
            return a->sites[i];
    }
    sites = realloc(a->sites, (a->n_sites + 1) * sizeof(*sites));
    if (sites == NULL)
        return NULL;
    a->sites = sites;
    a->sites[a->n_sites] = strndup((const char *)site.p, site.n);
    if (a->sites[a->n_sites] == NULL)
        return NULL;
    return a->sites[a->n_sites++];
}

/* One end of an event, with what the registry says of it. */
struct end {
    struct addr addr;
    bool known;
    bool home;
    bool judged;
    bool registered;
    bool has_form;
    struct span site;
};

static struct end
end_of(const struct record_map *event, bool client)
{
    struct end e = {0};
    struct span state = record_map_find(event, client ? FIELD_SRC_REG_STATE
                                                      : FIELD_DEST_REG_STATE);
    struct span site = record_map_find(event, client ? FIELD_SRC_REG_SITE
                                                     : FIELD_DEST_REG_SITE);
    struct span direction = record_map_find(event, FIELD_DIRECTION);
    struct span mine = client ? SPAN_LIT("outbound") : SPAN_LIT("inbound");
    uint16_t port = (uint16_t)record_map_u64(event, FIELD_DEST_PORT, 0);

    if (!record_map_addr(event, client ? FIELD_SRC_IP : FIELD_DEST_IP, &e.addr))
        return e;
    e.judged = policy_needs_permit(policy_direction(direction), client, port);
    e.known = true;
    e.registered = span_eq(state, SPAN_LIT("registered"));
    e.has_form = record_map_find(event, client ? FIELD_SRC_REG_LINE_STATE
                                               : FIELD_DEST_REG_LINE_STATE)
                     .n > 0;
    e.site = site;
    e.home = state.n > 0 || span_eq(direction, mine) ||
             span_eq(direction, SPAN_LIT("internal"));
    return e;
}

/* What closing port 25 at the border would stop. */
static bool
is_border_25(const struct record_map *event)
{
    return record_map_u64(event, FIELD_DEST_PORT, 0) == 25 &&
           policy_direction(record_map_find(event, FIELD_DIRECTION)) !=
               POLICY_ELSEWHERE;
}

static struct summary_host *
host_at(struct answers *a, const struct end *e, const struct end *peer,
        bool sends, ns_t when)
{
    struct summary_host *h;
    uint8_t key[33];
    int added;

    if (!e->home)
        return NULL;
    h = host_of(a, &e->addr, sends);
    if (h == NULL)
        return NULL;
    h->judged |= e->judged;
    if (e->judged) {
        h->registered = e->registered;
        h->has_form = e->has_form;
    }
    if (e->site.n == 0)
        h->site = NULL;
    else if (h->site == NULL || !span_eq(span_str(h->site), e->site))
        h->site = keep_site(a, e->site);
    if (h->first == 0)
        h->first = when;
    h->last = when;
    h->sends |= sends;
    h->receives |= !sends;
    if (!peer->known)
        return h;
    memcpy(key, e->addr.b, 16);
    memcpy(key + 16, peer->addr.b, 16);
    key[32] = sends;
    added = seen_add(&a->pairs, hash_span(span_of(key, sizeof(key)), 0));
    h->peers += added > 0;
    h->peers_more |= added < 0;
    return h;
}

/* ---- replies ---- */

static unsigned
class_of(struct span name)
{
    for (unsigned i = 0; i < SUMMARY_CLASSES; i++) {
        if (span_eq(name, span_str(class_names[i])))
            return i;
    }
    return SUMMARY_CLASSES - 1;
}

static struct summary_listing *
listing_of(struct answers *a, const struct addr *addr, struct span list)
{
    struct summary_listing *l;

    list = span_head(list, sizeof(l->list) - 1);
    for (size_t i = 0; i < a->n_listings; i++) {
        l = &a->listings[i];
        if (addr_cmp(&l->addr, addr) == 0 && span_eq(span_str(l->list), list))
            return l;
    }
    if (a->n_listings == ANSWERS_LISTINGS || span_find(list, 0) < list.n)
        return NULL;
    l = &a->listings[a->n_listings++];
    l->addr = *addr;
    memcpy(l->list, list.p, list.n);
    return l;
}

static void
note_listing(struct answers *a, const struct end *client,
             const struct end *server, struct span list, ns_t when)
{
    struct summary_listing *l = listing_of(a, &client->addr, list);
    uint64_t key;

    if (l == NULL) {
        a->total.listings_left_out++;
        return;
    }
    l->replies++;
    if (l->first == 0)
        l->first = when;
    l->last = when;
    key = hash_mix(hash_span(span_of(server->addr.b, 16), 7),
                   (uint64_t)(l - a->listings));
    l->citers += seen_add(&a->citers, key) > 0;
}

struct verdict {
    struct span class;
    struct span list;
};

static struct verdict
verdict_of(struct span object, enum field class, enum field list)
{
    struct cursor c = cur_open(object);
    struct record_entry e;
    struct verdict v = {SPAN_NONE, SPAN_NONE};

    while (record_next(&c, &e)) {
        if (e.field == class)
            v.class = e.value;
        else if (e.field == list)
            v.list = e.value;
    }
    return v;
}

static void
note_verdict(struct answers *a, struct summary_host *h, struct verdict v,
             const struct end *client, const struct end *server, ns_t when)
{
    unsigned k = class_of(v.class);

    if (h == NULL)
        return;
    h->rcpt_class[k]++;
    a->total.classes[k].replies++;
    if (v.list.n > 0)
        note_listing(a, client, server, v.list, when);
}

static void
note_ledger(struct answers *a, const struct record_map *event,
            struct summary_host *h, const struct end *client,
            const struct end *server, ns_t when)
{
    struct cursor c = record_entries_of(event->record);
    struct record_entry e;
    bool last = true;

    while (record_next(&c, &e)) {
        struct verdict v;

        if (e.field == FIELD_SMTP_RCPT) {
            v = verdict_of(e.value, FIELD_SMTP_RCPT_CLASS,
                           FIELD_SMTP_RCPT_LIST);
            note_verdict(a, h, v, client, server, when);
        } else if (e.field == FIELD_SMTP_REPLIES) {
            v = verdict_of(e.value, FIELD_SMTP_REPLIES_CLASS,
                           FIELD_SMTP_REPLIES_LIST);
            if (v.class.n > 0)
                note_verdict(a, h, v, client, server, when);
        } else if (e.field == FIELD_SMTP_LAST) {
            last = span_at(e.value, 0) != 0;
        }
    }
    if (last && record_map_u64(event, FIELD_SMTP_FINAL_CODE, 0) >= 400 &&
        record_map_find(event, FIELD_SMTP_VIA).n > 0) {
        struct verdict v = {record_map_find(event, FIELD_SMTP_FINAL_CLASS),
                            record_map_find(event, FIELD_SMTP_FINAL_LIST)};

        note_verdict(a, h, v, client, server, when);
    }
}

/* ---- parts of messages ---- */

static unsigned
classes_of(const struct record_map *event)
{
    struct cursor c = record_entries_of(event->record);
    struct record_entry e;
    unsigned classes = 0;

    while (record_next(&c, &e) && e.field <= FIELD_FILEINFO_CLASSES) {
        uint8_t letter = span_at(e.value, 0);

        if (e.field == FIELD_FILEINFO_CLASSES && e.value.n == 1 &&
            letter >= 'A' && letter - 'A' < SUMMARY_FINDINGS)
            classes |= 1U << (letter - 'A');
    }
    return classes;
}

/* Pictures, sound and plain text are what they are: nothing is inside. */
static bool
has_no_inside(const struct record_map *event)
{
    static const char *const heads[] = {"image/", "audio/", "video/",
                                        "text/plain"};
    struct span type = record_map_find(event, FIELD_FILEINFO_MIME_TYPE);

    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        if (span_starts(type, span_str(heads[i])))
            return true;
    }
    return record_map_u64(event, FIELD_FILEINFO_SIZE, 1) == 0;
}

static struct mail_key
mail_of(const struct record_head *head, const struct record_map *event)
{
    return (struct mail_key){head->flow_id,
                             record_map_u64(event, FIELD_TX_ID, 0)};
}

static void
on_part(struct answers *a, const struct record_head *head,
        const struct record_map *event, const struct end *client,
        const struct end *server)
{
    struct summary_parts *p = &a->total.parts;
    struct attached_in in = {
        .mail = mail_of(head, event),
        .sender = client->home ? &client->addr : NULL,
        .receiver = server->home ? &server->addr : NULL,
        .classes = classes_of(event),
        .when = head->when,
    };
    bool inspected = record_map_bool(event, FIELD_FILEINFO_INSPECTED);
    struct summary_host *h;
    unsigned new;

    p->told++;
    p->bytes += record_map_u64(event, FIELD_FILEINFO_SIZE, 0);
    p->whole += span_eq(record_map_find(event, FIELD_FILEINFO_STATE),
                        SPAN_LIT("CLOSED"));
    p->inspected += inspected;
    p->other_readings += record_map_u64(event, FIELD_FILEINFO_READING, 0) > 0;
    new = mails_part(a->mails, &in.mail, in.classes,
                     inspected || has_no_inside(event));
    h = in.sender != NULL && new != 0 ? host_of(a, in.sender, true) : NULL;
    for (unsigned i = 0; i < SUMMARY_FINDINGS; i++) {
        p->class_parts[i] += in.classes >> i & 1U;
        if (h != NULL)
            h->messages_class[i] += new >> i & 1U;
    }
    attached_add(a->attached, event, &in);
}

/* A transaction with a message, of which this is the last event. */
static void
on_mail(struct answers *a, const struct record_head *head,
        const struct record_map *event)
{
    struct mail_key key = mail_of(head, event);
    uint64_t beyond = record_map_u64(event, FIELD_EMAIL_PARTS_MORE, 0);

    if (record_map_find(event, FIELD_SMTP_VIA).n == 0 ||
        record_map_find(event, FIELD_SMTP_OUTCOME).n == 0)
        return;
    mails_end(a->mails, &key,
              record_map_find(event, FIELD_SMTP_CUT).n == 0 &&
                  !record_map_bool(event, FIELD_QUALITY_TRUNCATED),
              record_map_find(event, FIELD_EMAIL_PARTS).n > 0 && beyond == 0);
    a->total.parts.beyond += beyond;
}

/* ---- events ---- */

/* Counts of a transaction are of all its parts, so only its last one counts. */
static void
on_transaction(struct answers *a, const struct record_map *event,
               struct summary_host *h, struct summary_host *receiver)
{
    struct span outcome = record_map_find(event, FIELD_SMTP_OUTCOME);
    uint64_t offered = record_map_u64(event, FIELD_SMTP_RCPT_OFFERED, 0);
    uint64_t yes = record_map_u64(event, FIELD_SMTP_RCPT_ACCEPTED, 0);
    uint64_t no = record_map_u64(event, FIELD_SMTP_RCPT_REFUSED, 0);
    bool accepted = span_eq(outcome, SPAN_LIT("accepted"));
    bool rejected = span_eq(outcome, SPAN_LIT("rejected"));
    bool deferred = span_eq(outcome, SPAN_LIT("deferred"));
    struct summary_host *both[2] = {h, receiver};

    if (outcome.n == 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        if (both[i] == NULL)
            continue;
        both[i]->transactions++;
        both[i]->accepted += accepted;
        both[i]->accepted_25 += accepted && is_border_25(event);
        both[i]->rejected += rejected;
        both[i]->deferred += deferred;
        both[i]->other += !accepted && !rejected && !deferred;
        both[i]->rcpt_offered += offered;
        both[i]->rcpt_accepted += yes;
        both[i]->rcpt_refused += no;
        both[i]->bytes += record_map_u64(event, FIELD_SMTP_MESSAGE_BYTES, 0);
    }
    a->total.transactions++;
    a->total.accepted += accepted;
    a->total.rejected += rejected;
    a->total.deferred += deferred;
    a->total.other += !accepted && !rejected && !deferred;
    a->total.rcpt_offered += offered;
    a->total.rcpt_accepted += yes;
    a->total.rcpt_refused += no;
}

static void
keep_helo(struct summary_host *h, const struct record_map *event)
{
    struct span helo =
        span_head(record_map_find(event, FIELD_SMTP_HELO), sizeof(h->helo) - 1);

    if (helo.n == 0 || span_find(helo, 0) < helo.n)
        return;
    memcpy(h->helo, helo.p, helo.n);
    h->helo[helo.n] = '\0';
}

static void
on_session(struct answers *a, const struct record_map *event,
           struct summary_host *h, struct summary_host *receiver)
{
    bool tls =
        record_map_bool(event, FIELD_SMTP_STARTTLS_USED) ||
        span_eq(record_map_find(event, FIELD_APP_PROTO), SPAN_LIT("tls"));
    struct summary_host *both[2] = {h, receiver};

    if (record_map_find(event, FIELD_ATTEMPTS_COUNT).n > 0) {
        if (h != NULL)
            h->attempts += record_map_u64(event, FIELD_ATTEMPTS_COUNT, 0);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (both[i] == NULL)
            continue;
        both[i]->sessions++;
        both[i]->sessions_25 += is_border_25(event);
        both[i]->sessions_tls += tls;
    }
    if (h != NULL)
        keep_helo(h, event);
    a->total.sessions++;
    a->total.sessions_tls += tls;
    a->total.sessions_oneway += record_map_bool(event, FIELD_QUALITY_ONEWAY);
    a->total.sessions_gaps += record_map_u64(event, FIELD_TCP_GAPS, 0) > 0;
}

static unsigned
kind_of(struct span name)
{
    unsigned k = 0;

    while (k < ANOM_COUNT && !span_eq(name, span_str(anomaly_table[k].name)))
        k++;
    return k;
}

/* A session counts once for each kind, however often it is told. */
static void
on_anomaly(struct answers *a, uint64_t flow, const struct record_map *event,
           struct summary_host *h)
{
    unsigned k = kind_of(record_map_find(event, FIELD_ANOMALY_EVENT));
    int added;

    if (k == ANOM_COUNT)
        return;
    added = seen_add(&a->odd, hash_mix(k, flow));
    a->anomalies[k] += added > 0;
    a->total.anomalies_left_out += added < 0;
    if (h != NULL && anomaly_table[k].level == LEVEL_HIGH)
        h->anomalies_high += added > 0;
}

static void
on_event(struct answers *a, const struct record_head *head,
         const struct record_map *event)
{
    struct end client = end_of(event, true);
    struct end server = end_of(event, false);
    bool attempts = record_map_find(event, FIELD_ATTEMPTS_COUNT).n > 0;
    struct summary_host *h = NULL;
    struct summary_host *receiver = NULL;

    a->total.events++;
    if (head->type == EVENT_ANOMALY || head->type == EVENT_TLS) {
        if (client.home)
            h = host_of(a, &client.addr, true);
    } else if (head->type == EVENT_SMTP || head->type == EVENT_SMTP_SESSION) {
        h = host_at(a, &client, &server, true, head->when);
        if (!attempts)
            receiver = host_at(a, &server, &client, false, head->when);
        /* host_at may have moved the table. */
        if (h != NULL && receiver != NULL)
            h = host_of(a, &client.addr, true);
    }
    switch (head->type) {
    case EVENT_SMTP:
        on_transaction(a, event, h, receiver);
        note_ledger(a, event, h, &client, &server, head->when);
        on_mail(a, head, event);
        break;
    case EVENT_SMTP_SESSION: on_session(a, event, h, receiver); break;
    case EVENT_ANOMALY: on_anomaly(a, head->flow_id, event, h); break;
    case EVENT_FILEINFO: on_part(a, head, event, &client, &server); break;
    case EVENT_NONE:
    case EVENT_TLS:
    case EVENT_DNS:
    case EVENT_HOST:
    case EVENT_ALERT:
    case EVENT_DECISION:
    case EVENT_STATS:
    case EVENT_CONTROL:
    case EVENT_ATTEMPT:
    case EVENT_TICK:
    case EVENT_CARVE:
    case EVENT_TYPE_COUNT: break;
    }
}

void
answers_event(struct answers *a, const struct record_map *event)
{
    struct record_head head = record_head_of(event->record);

    on_event(a, &head, event);
    discovery_event(a->discovery, event);
}

/* ---- summary ---- */

static bool
is_new(const struct summary_host *h)
{
    return h->judged && !h->registered;
}

static int
by_volume(const void *x, const void *y)
{
    const struct summary_host *a = x;
    const struct summary_host *b = y;

    if (is_new(a) != is_new(b))
        return is_new(a) ? -1 : 1;
    if (a->rcpt_offered != b->rcpt_offered)
        return a->rcpt_offered > b->rcpt_offered ? -1 : 1;
    if (a->sessions != b->sessions)
        return a->sessions > b->sessions ? -1 : 1;
    return addr_cmp(&a->addr, &b->addr);
}

static int
by_replies(const void *x, const void *y)
{
    const struct summary_listing *a = x;
    const struct summary_listing *b = y;
    int d;

    if (a->citers != b->citers)
        return a->citers > b->citers ? -1 : 1;
    d = addr_cmp(&a->addr, &b->addr);
    return d != 0 ? d : strcmp(a->list, b->list);
}

/* Of several ports the one with the most mail counts: it comes first. */
static void
add_looks(struct answers *a)
{
    const struct discovery_row *rows;
    size_t n = discovery_rows(a->discovery, &rows);

    for (size_t i = 0; i < n; i++) {
        struct summary_host *h =
            known_host(a, &rows[i].addr, rows[i].use == FORM_SEND);

        if (h == NULL || h->look_why != NULL)
            continue;
        h->look_why = rows[i].why;
        if (rows[i].look != DISCOVERY_UNCLEAR)
            h->look = discovery_word(rows[i].look);
    }
}

void
answers_summary(struct answers *a, struct summary *s)
{
    const struct summary *t = &a->total;

    add_looks(a);
    if (a->n_hosts > 0)
        qsort(a->hosts, a->n_hosts, sizeof(*a->hosts), by_volume);
    if (a->n_listings > 0)
        qsort(a->listings, a->n_listings, sizeof(*a->listings), by_replies);
    a->n_slots = 0;
    s->hosts = a->hosts;
    s->n_hosts = a->n_hosts;
    s->hosts_left_out = t->hosts_left_out;
    s->listings_left_out = t->listings_left_out;
    s->anomalies_left_out = t->anomalies_left_out;
    s->listings = a->listings;
    s->n_listings = a->n_listings;
    for (unsigned i = 0; i < SUMMARY_CLASSES; i++)
        s->classes[i] =
            (struct summary_class){class_names[i], t->classes[i].replies};
    s->anomalies = a->shown;
    s->n_anomalies = 0;
    for (unsigned i = 0; i < ANOM_COUNT; i++) {
        if (a->anomalies[i] == 0)
            continue;
        a->shown[s->n_anomalies++] = (struct summary_anomaly){
            anomaly_table[i].name, anomaly_level_name(anomaly_table[i].level),
            anomaly_table[i].doc, a->anomalies[i]};
    }
    s->parts = t->parts;
    mails_summary(a->mails, &s->parts);
    attached_summary(a->attached, s);
    s->sessions = t->sessions;
    s->sessions_tls = t->sessions_tls;
    s->sessions_oneway = t->sessions_oneway;
    s->sessions_gaps = t->sessions_gaps;
    s->transactions = t->transactions;
    s->accepted = t->accepted;
    s->rejected = t->rejected;
    s->deferred = t->deferred;
    s->other = t->other;
    s->rcpt_offered = t->rcpt_offered;
    s->rcpt_accepted = t->rcpt_accepted;
    s->rcpt_refused = t->rcpt_refused;
    s->events = t->events;
}
