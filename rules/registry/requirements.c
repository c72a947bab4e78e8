#include "rules/registry/requirements.h"

#include "rules/registry/policy.h"
#include "rules/registry/rcpt.h"
#include "rules/registry/relay.h"
#include "rules/registry/slots.h"
#include "sensor/base/hash.h"
#include "sensor/base/seen.h"
#include "sensor/base/text.h"

#include <stdlib.h>

#define SUBMISSION 587U
#define DAY        (UINT64_C(86400) * NS_PER_S)
#define SAW_MAX    400000U

/* Why nothing is in a denominator, when nothing was left out of it either. */
static const struct {
    const char *word, *what, *denominator, *nothing;
    bool violation;
} rows[REQ_COUNT] = {
#define ROW(id, word, violation, what, denominator)                            \
    [REQ_##id] = {(word), (what), (denominator), NOTHING_##id, (violation)},
#define NOTHING_SERVER      "no session to it was seen"
#define NOTHING_NAME        "no name on a form to compare with"
#define NOTHING_NAME_OTHER  "no name on a form to compare with"
#define NOTHING_RELAY       "no mail from outside for outside was seen"
#define NOTHING_AUTH_CLEAR  "no session to it was seen"
#define NOTHING_NO_STARTTLS "no EHLO to it was seen"
#define NOTHING_NO_AUTH     "no transaction on 587 was seen"
#define NOTHING_SCANNER     "no message of it was seen"
#define NOTHING_VOLUME      "no volume on a form to compare with"
#define NOTHING_ALIVE       "no permitted line fits what it did"
    REQ_MAP(ROW)
#undef ROW
};

static const char *const answers[] = {"observed", "none_observed",
                                      "not_observable"};

/* Of REQ_RELAY only what was left out is here. */
struct tally {
    uint64_t count, of;
    uint64_t ids[REQ_EVIDENCE]; /* the first; then the latest two */
    ns_t first, last;
    uint32_t tls, unread;
};

struct host {
    struct addr addr;
    struct tally tallies[REQ_COUNT];
    struct relay_host relay;
    ns_t permitted; /* earliest start of a permit under which it spoke */
    uint64_t day, alive_day;
    uint64_t messages[2]; /* of the day: received, sent */
    bool over;            /* on that day */
};

struct requirements {
    const struct book *book;
    struct host *hosts;
    size_t n, cap;
    struct slots slots;
    struct relay *relay;
    struct seen saw; /* lines, by form and number */
    uint64_t left_out;
    ns_t began; /* of the first event */
    ns_t now;
};

enum err
requirements_new(struct requirements **out)
{
    struct requirements *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_NOMEM;
    slots_init(&r->slots);
    seen_init(&r->saw, SAW_MAX);
    if (relay_new(&r->relay) != ERR_OK) {
        requirements_free(r);
        return ERR_NOMEM;
    }
    *out = r;
    return ERR_OK;
}

void
requirements_free(struct requirements *r)
{
    if (r == NULL)
        return;
    slots_fini(&r->slots);
    seen_fini(&r->saw);
    relay_free(r->relay);
    free(r->hosts);
    free(r);
}

/* ---- hosts ---- */

static uint64_t
addr_hash(const struct addr *a)
{
    return hash_span(span_of(a->b, sizeof(a->b)), 0);
}

static struct host *
find_host(const struct requirements *r, const struct addr *a)
{
    struct slots_walk w = slots_begin(&r->slots, addr_hash(a));
    uint32_t i;

    while ((i = slots_next(&w)) != SLOTS_NONE) {
        if (addr_cmp(&r->hosts[i].addr, a) == 0)
            return &r->hosts[i];
    }
    return NULL;
}

static bool
has_room(struct requirements *r)
{
    size_t cap = r->cap > 0 ? r->cap * 2 : 64;
    struct host *hosts;

    if (r->n < r->cap)
        return true;
    if (r->n >= REQ_HOSTS)
        return false;
    cap = cap < REQ_HOSTS ? cap : REQ_HOSTS;
    hosts = realloc(r->hosts, cap * sizeof(*hosts));
    if (hosts == NULL)
        return false;
    r->hosts = hosts;
    r->cap = cap;
    return true;
}

static struct host *
get_host(struct requirements *r, const struct addr *a)
{
    struct host *h = find_host(r, a);

    if (h != NULL)
        return h;
    if (!has_room(r) || !slots_add(&r->slots, addr_hash(a), (uint32_t)r->n)) {
        r->left_out++;
        return NULL;
    }
    h = &r->hosts[r->n++];
    *h = (struct host){.addr = *a, .day = UINT64_MAX, .alive_day = UINT64_MAX};
    return h;
}

/* ---- an event ---- */

/* What an event says that is asked more than once. */
struct look {
    const struct record_map *map;
    ns_t when;
    uint64_t id;
    uint16_t port;
    struct addr client, server;
    bool client_home, server_home;
    bool whole;
    bool tls;   /* from the first byte */
    bool mixed; /* TLS from some point on */
    struct req_verdicts verdicts;
};

static uint64_t
read_id(struct span hex)
{
    uint64_t id = 0;

    for (size_t i = 0; i < hex.n; i++) {
        uint8_t c = span_at(hex, i);
        size_t digit = span_find(SPAN_LIT("0123456789abcdef"), c);

        if (digit > 15 || hex.n != 16)
            return 0;
        id = id << 4 | digit;
    }
    return id;
}

static bool
is_whole(const struct record_map *map)
{
    return !record_map_bool(map, FIELD_QUALITY_ONEWAY) &&
           !record_map_bool(map, FIELD_QUALITY_MIDSTREAM) &&
           !record_map_bool(map, FIELD_QUALITY_TRUNCATED) &&
           record_map_u64(map, FIELD_QUALITY_GAPS, 0) == 0 &&
           record_map_is(map, FIELD_QUALITY_CONFIDENCE, "high");
}

static bool
read_look(const struct record_map *map, ns_t when, struct look *out)
{
    bool internal = record_map_is(map, FIELD_DIRECTION, "internal");

    *out = (struct look){
        .map = map,
        .when = when,
        .id = read_id(record_map_find(map, FIELD_EVENT_ID)),
        .port = (uint16_t)record_map_u64(map, FIELD_DEST_PORT, 0),
        .client_home =
            internal || record_map_is(map, FIELD_DIRECTION, "outbound"),
        .server_home =
            internal || record_map_is(map, FIELD_DIRECTION, "inbound"),
        .whole = is_whole(map),
        .tls = record_map_is(map, FIELD_APP_PROTO, "tls"),
        .mixed = record_map_bool(map, FIELD_SMTP_STARTTLS_USED),
    };
    return record_map_addr(map, FIELD_SRC_IP, &out->client) &&
           record_map_addr(map, FIELD_DEST_IP, &out->server);
}

/* ---- tallies ---- */

enum sight { SIGHT_YES, SIGHT_NO, SIGHT_TLS, SIGHT_UNREAD };

static enum sight
sight(bool yes)
{
    return yes ? SIGHT_YES : SIGHT_NO;
}

static void
observe(struct tally *t, const struct look *l)
{
    t->count++;
    if (t->first == 0) {
        t->first = l->when;
        t->ids[0] = l->id;
    } else {
        t->ids[1] = t->ids[2];
        t->ids[2] = l->id;
    }
    t->last = l->when;
}

static void
note(struct host *h, enum requirement q, enum sight s, const struct look *l)
{
    struct tally *t = &h->tallies[q];

    switch (s) {
    case SIGHT_TLS: t->tls += t->tls < UINT32_MAX; break;
    case SIGHT_UNREAD: t->unread += t->unread < UINT32_MAX; break;
    case SIGHT_YES:
        observe(t, l);
        t->of++;
        break;
    case SIGHT_NO: t->of++; break;
    }
}

/* ---- what the registry says ---- */

static uint64_t
line_key(const struct book_line *l)
{
    return hash_span(span_str(l->form->form.number), l->line->number);
}

static void
note_own(struct host *h, const char *names)
{
    struct span rest = names != NULL ? span_str(names) : SPAN_NONE;

    while (rest.n > 0)
        relay_own(&h->relay, policy_next_name(&rest));
}

static struct book_verdict
judge(struct requirements *r, struct host *h, const struct look *l,
      enum form_use use)
{
    const struct book_verdict *said =
        use == FORM_SEND ? l->verdicts.client : l->verdicts.server;
    struct book_verdict v = {.state = BOOK_NONE};
    uint64_t day = l->when / DAY;

    if (said == NULL)
        return v;
    v = *said;
    note_own(h, v.line != NULL ? v.line->line->text[FORM_DOMAIN] : NULL);
    if (!v.registered)
        return v;
    (void)seen_add(&r->saw, line_key(v.line));
    if (h->alive_day == UINT64_MAX || day > h->alive_day) {
        h->alive_day = day;
        note(h, REQ_ALIVE, SIGHT_YES, l);
    }
    return v;
}

static const char *
text_of(const struct book_verdict *v, enum form_field f)
{
    return v->line != NULL ? v->line->line->text[f] : NULL;
}

/* When the permit began that is in force. */
static ns_t
permitted_since(const struct book_line *l, ns_t when)
{
    ns_t since = 0;

    for (size_t i = 0; i < l->n_changes && l->changes[i].from <= when; i++) {
        bool permits = l->changes[i].state == BOOK_PERMITTED;

        since = !permits ? 0 : since == 0 ? l->changes[i].from : since;
    }
    return since;
}

static void
note_permit(struct host *h, const struct book_verdict *v, ns_t when)
{
    ns_t since;

    if (!v->registered)
        return;
    since = permitted_since(v->line, when);
    if (h->permitted == 0 || since < h->permitted)
        h->permitted = since;
}

static void
note_name(struct host *h, const struct book_verdict *v, const struct look *l)
{
    struct span helo = record_map_find(l->map, FIELD_SMTP_HELO);
    const char *names = text_of(v, FORM_DOMAIN);
    bool fits;

    if (names == NULL || helo.n == 0)
        return;
    if (!l->whole) {
        note(h, REQ_NAME, SIGHT_UNREAD, l);
        note(h, REQ_NAME_OTHER, SIGHT_UNREAD, l);
        return;
    }
    fits = policy_name_fits(helo, names);
    note(h, REQ_NAME, sight(fits), l);
    note(h, REQ_NAME_OTHER, sight(!fits), l);
}

/* ---- days ---- */

static void
begin_day(struct host *h, ns_t when)
{
    uint64_t day = when / DAY;

    if (h->day != UINT64_MAX && day <= h->day)
        return;
    h->day = day;
    h->over = false;
    h->messages[0] = h->messages[1] = 0;
    h->tallies[REQ_VOLUME].of++;
}

/* A line for both ways declares the sum of both. */
static void
note_volume(struct host *h, const struct book_verdict *v, bool sent,
            const struct look *l)
{
    uint64_t declared = v->line != NULL ? v->line->line->volume : 0;
    uint64_t n;

    h->messages[sent]++;
    if (declared == 0 || h->over)
        return;
    n = v->line->line->use == FORM_BOTH ? h->messages[0] + h->messages[1]
                                        : h->messages[sent];
    if (n <= declared)
        return;
    h->over = true;
    observe(&h->tallies[REQ_VOLUME], l);
}

/* ---- sessions ---- */

static bool
is_clear_auth(struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;
    bool clear = false;
    bool judged = false;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_SMTP_AUTH_CLEAR)
            clear = span_at(e.value, 0) != 0;
        else if (e.field == FIELD_SMTP_AUTH_OUTCOME)
            judged |= span_eq(e.value, SPAN_LIT("success"));
        else if (e.field == FIELD_SMTP_AUTH_CODE)
            judged |= entry_u64(e.value) == 535;
    }
    return clear && judged;
}

/* Of credentials that the server refused unheard (538, 530, 504) it is not
 * known that they crossed: those it took, or judged wrong (535), did. */
static bool
has_clear_auth(const struct record_map *map)
{
    struct cursor c = record_entries_of(map->record);
    struct record_entry e;

    while (record_next(&c, &e) && e.field <= FIELD_SMTP_AUTH) {
        if (e.field == FIELD_SMTP_AUTH && is_clear_auth(e.value))
            return true;
    }
    return false;
}

static void
note_clear_auth(struct host *h, const struct look *l)
{
    enum sight s = SIGHT_NO;

    if (l->tls)
        s = SIGHT_TLS;
    else if (!l->whole)
        s = SIGHT_UNREAD;
    else if (has_clear_auth(l->map))
        s = SIGHT_YES;
    else if (l->mixed)
        s = SIGHT_TLS;
    note(h, REQ_AUTH_CLEAR, s, l);
}

/* An offer that was overwritten on the way was made. */
static void
note_starttls(struct host *h, const struct look *l)
{
    bool offered = record_map_bool(l->map, FIELD_SMTP_STARTTLS_OFFERED);

    if (l->tls)
        note(h, REQ_NO_STARTTLS, SIGHT_TLS, l);
    else if (!l->whole || record_map_bool(l->map, FIELD_SMTP_STARTTLS_STRIPPED))
        note(h, REQ_NO_STARTTLS, SIGHT_UNREAD, l);
    else if (offered || l->mixed)
        note(h, REQ_NO_STARTTLS, SIGHT_NO, l);
    else if (record_map_find(l->map, FIELD_SMTP_EHLO_CAPS).n > 0)
        note(h, REQ_NO_STARTTLS, SIGHT_YES, l);
}

static void
note_greeting(struct host *h, const struct look *l)
{
    uint64_t code = record_map_u64(l->map, FIELD_SMTP_BANNER_CODE, 0);
    struct span banner = record_map_find(l->map, FIELD_SMTP_BANNER);
    struct span name = span_tail(banner, 4);
    enum sight s = sight(code == 220);

    if (l->tls)
        s = SIGHT_TLS;
    else if (!l->whole)
        s = SIGHT_UNREAD;
    note(h, REQ_SERVER, s, l);
    if (code == 220)
        relay_own(&h->relay, span_head(name, span_find(name, ' ')));
}

/* Mail under TLS has no transactions that could be counted as left out. */
static void
server_session(struct requirements *r, struct host *h, const struct look *l)
{
    struct book_verdict v = judge(r, h, l, FORM_RECEIVE);
    bool outside = !l->client_home;

    note_permit(h, &v, l->when);
    note_greeting(h, l);
    note_clear_auth(h, l);
    note_starttls(h, l);
    if ((l->tls || l->mixed) && outside)
        note(h, REQ_RELAY, SIGHT_TLS, l);
    if ((l->tls || l->mixed) && l->port == SUBMISSION)
        note(h, REQ_NO_AUTH, SIGHT_TLS, l);
}

static void
client_session(struct requirements *r, struct host *h, const struct look *l)
{
    struct book_verdict v = judge(r, h, l, FORM_SEND);

    note_permit(h, &v, l->when);
    note_name(h, &v, l);
    relay_own(&h->relay, record_map_find(l->map, FIELD_SMTP_HELO));
    if (l->tls || l->mixed)
        note(h, REQ_SCANNER, SIGHT_TLS, l);
}

/* ---- transactions ---- */

static bool
is_accepted(const struct look *l)
{
    return record_map_is(l->map, FIELD_SMTP_OUTCOME, "accepted") &&
           record_map_find(l->map, FIELD_SMTP_VIA).n > 0;
}

static void
note_scanner(struct host *h, const struct look *l)
{
    bool lost = record_map_find(l->map, FIELD_SMTP_CUT).n > 0 ||
                record_map_find(l->map, FIELD_EMAIL_FIELDS).n == 0;
    bool yes = record_map_find(l->map, FIELD_EMAIL_SCANNER).n > 0;

    if (record_map_find(l->map, FIELD_SMTP_VIA).n == 0)
        return;
    note(h, REQ_SCANNER, !l->whole || lost ? SIGHT_UNREAD : sight(yes), l);
}

static uint64_t
site_of(const struct look *l, enum field f)
{
    struct span site = record_map_find(l->map, f);

    return site.n > 0 ? hash_span(site, 0) | 1 : 0;
}

static void
client_transaction(struct requirements *r, struct host *h, const struct look *l)
{
    struct book_verdict v = judge(r, h, l, FORM_SEND);
    struct relay_mail m = {
        .host = (uint32_t)(h - r->hosts),
        .site = site_of(l, FIELD_SRC_REG_SITE),
        .client = l->server,
        .event = l->id,
        .when = l->when,
    };
    struct cursor c = record_entries_of(l->map->record);
    struct record_entry e;

    note_scanner(h, l);
    if (is_accepted(l))
        note_volume(h, &v, true, l);
    if (l->server_home || !l->whole)
        return;
    while (record_next(&c, &e) && e.field <= FIELD_SMTP_RCPT_TO) {
        if (e.field == FIELD_SMTP_RCPT_TO)
            relay_gave(r->relay, &m, e.value);
    }
}

static void
note_relay(struct requirements *r, struct host *h, const struct look *l,
           const char *relay_for)
{
    struct relay_mail m = {
        .host = (uint32_t)(h - r->hosts),
        .site = site_of(l, FIELD_DEST_REG_SITE),
        .client = l->client,
        .event = l->id,
        .when = l->when,
    };
    struct cursor c = record_entries_of(l->map->record);
    bool accepted = is_accepted(l);
    struct record_entry e;

    while (record_next(&c, &e) && e.field <= FIELD_SMTP_RCPT) {
        struct rcpt rcpt;

        if (e.field != FIELD_SMTP_RCPT)
            continue;
        rcpt = rcpt_read(e.value);
        if (relay_is_registered(relay_for, rcpt.path, &l->client))
            continue;
        if (span_eq(rcpt.class, SPAN_LIT("relay_denied")))
            relay_took(r->relay, &h->relay, &m, rcpt.path, RELAY_REFUSED);
        else if (accepted && rcpt.code / 100 == 2)
            relay_took(r->relay, &h->relay, &m, rcpt.path, RELAY_ACCEPTED);
    }
}

static void
server_transaction(struct requirements *r, struct host *h, const struct look *l)
{
    struct book_verdict v = judge(r, h, l, FORM_RECEIVE);
    struct span auth = record_map_find(l->map, FIELD_SMTP_AUTHENTICATED);
    bool known = l->whole && auth.n == 1;
    bool without = span_at(auth, 0) == 0;

    if (is_accepted(l))
        note_volume(h, &v, false, l);
    if (l->port == SUBMISSION)
        note(h, REQ_NO_AUTH,
             known ? sight(without && is_accepted(l)) : SIGHT_UNREAD, l);
    if (l->client_home)
        return;
    if (!known)
        note(h, REQ_RELAY, SIGHT_UNREAD, l);
    else if (without)
        note_relay(r, h, l, text_of(&v, FORM_RELAY_FOR));
}

static void
with_host(struct requirements *r, const struct addr *a, const struct look *l,
          void (*take)(struct requirements *, struct host *,
                       const struct look *))
{
    struct host *h = get_host(r, a);

    if (h == NULL)
        return;
    begin_day(h, l->when);
    take(r, h, l);
}

void
requirements_event(struct requirements *r, const struct book *book,
                   const struct req_verdicts *verdicts,
                   const struct record_map *map)
{
    struct record_head head = record_head_of(map->record);
    bool session = head.type == EVENT_SMTP_SESSION;
    struct look l;

    r->book = book;
    if (r->began == 0)
        r->began = head.when;
    if (head.when > r->now)
        r->now = head.when;
    if (!session && head.type != EVENT_SMTP)
        return;
    if (record_map_find(map, FIELD_ATTEMPTS_COUNT).n > 0 ||
        (record_map_find(map, FIELD_SMTP_LAST).n > 0 &&
         !record_map_bool(map, FIELD_SMTP_LAST)) ||
        !read_look(map, head.when, &l))
        return;
    l.verdicts = *verdicts;
    if (l.client_home)
        with_host(r, &l.client, &l,
                  session ? client_session : client_transaction);
    if (l.server_home)
        with_host(r, &l.server, &l,
                  session ? server_session : server_transaction);
}

/* ---- answers ---- */

size_t
requirements_n(const struct requirements *r)
{
    return r->n;
}

uint64_t
requirements_left_out(const struct requirements *r)
{
    return r->left_out;
}

struct addr
requirements_host(const struct requirements *r, size_t i)
{
    return r->hosts[i].addr;
}

ns_t
requirements_time(const struct requirements *r)
{
    return r->now;
}

bool
requirements_saw(const struct requirements *r, const struct book_line *l)
{
    return seen_has(&r->saw, line_key(l));
}

static void
add_evidence(struct req_verdict *v, uint64_t id)
{
    static const char digits[] = "0123456789abcdef";
    char *out;

    if (id == 0 || v->n_evidence == REQ_EVIDENCE)
        return;
    out = v->evidence[v->n_evidence];
    for (unsigned i = 0; i < 16; i++)
        out[i] = digits[id >> (60 - 4 * i) & 15];
    out[16] = '\0';
    for (size_t i = 0; i < v->n_evidence; i++) {
        if (strcmp(v->evidence[i], out) == 0)
            return;
    }
    v->n_evidence++;
}

static void
add_all_evidence(struct req_verdict *v, const uint64_t ids[REQ_EVIDENCE])
{
    for (size_t i = 0; i < REQ_EVIDENCE; i++)
        add_evidence(v, ids[i]);
}

static const char *
why_not(enum requirement q, const struct req_verdict *v)
{
    if (v->tls > 0 && v->unread > 0)
        return "all of it was under TLS or not readable";
    if (v->tls > 0)
        return "all of it was under TLS";
    return v->unread > 0 ? "none of it was readable" : rows[q].nothing;
}

static void
decide(enum requirement q, struct req_verdict *v)
{
    if (v->count > 0)
        v->answer = REQ_OBSERVED;
    else if (v->of > 0)
        v->answer = REQ_NONE_OBSERVED;
    else
        v->why_not = why_not(q, v);
}

static void
ask_relay(const struct requirements *r, const struct host *h,
          struct req_verdict *v)
{
    struct relay_verdict relay = relay_ask(r->relay, &h->relay);

    if (relay.candidates > 0 && !relay.observed) {
        v->why_not = "mail for another domain was passed on, as a backup "
                     "server does";
        return;
    }
    v->of = relay.of;
    v->count = relay.count;
    v->first = relay.first;
    v->last = relay.last;
    add_all_evidence(v, relay.events);
    decide(REQ_RELAY, v);
}

static void
ask_tally(const struct requirements *r, const struct host *h,
          enum requirement q, struct req_verdict *v)
{
    const struct tally *t = &h->tallies[q];

    v->count = t->count;
    v->of = t->of;
    if (q == REQ_ALIVE && h->permitted > 0) {
        v->undated = h->permitted <= BOOK_ALWAYS;
        v->of = r->now / DAY - (v->undated ? r->began : h->permitted) / DAY + 1;
    }
    v->of = v->of > v->count ? v->of : v->count;
    v->first = t->first;
    v->last = t->last;
    add_all_evidence(v, t->ids);
}

/* Is there a declared volume to compare with? */
static bool
has_volume(const struct requirements *r, const struct addr *a)
{
    static const enum form_use uses[] = {FORM_SEND, FORM_RECEIVE};

    for (size_t i = 0; r->book != NULL && i < ARRAY_LEN(uses); i++) {
        struct book_verdict v = book_judge(r->book, a, 25, uses[i], r->now);

        if (v.line != NULL && v.line->line->volume > 0)
            return true;
    }
    return false;
}

struct req_verdict
requirements_ask(const struct requirements *r, const struct addr *host,
                 enum requirement what)
{
    struct req_verdict v = {.answer = REQ_NOT_OBSERVABLE};
    const struct host *h = find_host(r, host);

    if (h == NULL) {
        v.why_not = "it was never seen";
        return v;
    }
    v.tls = h->tallies[what].tls;
    v.unread = h->tallies[what].unread;
    if (what == REQ_RELAY) {
        ask_relay(r, h, &v);
        return v;
    }
    ask_tally(r, h, what, &v);
    if (what == REQ_VOLUME && v.count == 0 && !has_volume(r, host)) {
        v.of = 0;
        v.why_not = rows[what].nothing;
        return v;
    }
    decide(what, &v);
    return v;
}

const char *
req_word(enum requirement q)
{
    return rows[q].word;
}

const char *
req_what(enum requirement q)
{
    return rows[q].what;
}

bool
req_is_violation(enum requirement q)
{
    return rows[q].violation;
}

const char *
req_answer_word(enum req_answer a)
{
    return answers[a];
}

static void
left_out_text(const struct req_verdict *v, struct buf *out)
{
    if (v->tls > 0) {
        buf_str(out, "; left out: ");
        buf_u64(out, v->tls);
        buf_str(out, " under TLS");
    }
    if (v->unread > 0) {
        buf_str(out, v->tls > 0 ? ", " : "; left out: ");
        buf_u64(out, v->unread);
        buf_str(out, " not readable");
    }
}

void
req_text(const struct req_verdict *v, enum requirement q, struct buf *out)
{
    switch (v->answer) {
    case REQ_NOT_OBSERVABLE:
        buf_str(out, "not observable: ");
        buf_str(out, v->why_not);
        return;
    case REQ_OBSERVED:
        buf_str(out, "observed, ");
        buf_u64(out, v->count);
        buf_str(out, " of ");
        break;
    case REQ_NONE_OBSERVED: buf_str(out, "none observed in "); break;
    }
    buf_u64(out, v->of);
    buf_putc(out, ' ');
    buf_str(out, v->undated ? "days looked at; since when it is permitted is "
                              "not observable: the list has no dates"
                            : rows[q].denominator);
    left_out_text(v, out);
}
