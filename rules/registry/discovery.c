#include "rules/registry/discovery.h"

#include "rules/registry/discovery_look.h"
#include "rules/registry/policy.h"
#include "rules/registry/rcpt.h"
#include "rules/registry/slots.h"
#include "sensor/base/hash.h"
#include "sensor/base/seen.h"
#include "sensor/base/text.h"

#include <stdlib.h>

#define DAY      (UINT64_C(86400) * NS_PER_S)
#define PATIENCE (UINT64_C(4) * 3600 * NS_PER_S)
#define MANY     10U

static const char *const looks[DISCOVERY_LOOK_COUNT] = {
#define LOOK_WORD(id, word, doc) (word),
    DISCOVERY_LOOKS(LOOK_WORD)
#undef LOOK_WORD
};

/* A few hashes, each once. */
struct few {
    uint64_t v[DISCOVERY_FEW];
    uint32_t n;
};

/* What a row does not show. */
struct signs {
    struct few names, senders, rcpts;
    uint64_t helos, fqdns, quits, no_quits, pregreets, auths, greeted;
    uint64_t transactions, bounces, many;
    uint64_t headers, chains, bulk, mailers;
    uint64_t deferred, retried;
    uint64_t today, day_messages;
    bool any;
};

/* A recipient who was deferred, by a hash of row, sender and recipient. */
struct recent {
    uint64_t key; /* 0: none */
    ns_t when;
    uint32_t row;
};

struct discovery {
    struct discovery_row *rows;
    struct signs *signs; /* of the row with the same place */
    size_t n, cap;
    struct slots slots;
    struct seen pairs;
    struct seen takers; /* hosts with a row that receives */
    struct recent *recent;
    uint64_t left_out;
    ns_t now;
};

enum err
discovery_new(struct discovery **out)
{
    struct discovery *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return ERR_NOMEM;
    slots_init(&d->slots);
    seen_init(&d->pairs, DISCOVERY_PAIRS);
    seen_init(&d->takers, DISCOVERY_HOSTS);
    d->recent = calloc(DISCOVERY_RECENT, sizeof(*d->recent));
    if (d->recent == NULL) {
        discovery_free(d);
        return ERR_NOMEM;
    }
    *out = d;
    return ERR_OK;
}

/* Each row owns its site. */
static char *
site_text(const struct discovery_row *row)
{
    union {
        const char *shown;
        char *owned;
    } u = {.shown = row->site};

    return u.owned;
}

void
discovery_free(struct discovery *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n; i++)
        free(site_text(&d->rows[i]));
    slots_fini(&d->slots);
    seen_fini(&d->pairs);
    seen_fini(&d->takers);
    free(d->rows);
    free(d->signs);
    free(d->recent);
    free(d);
}

uint64_t
discovery_left_out(const struct discovery *d)
{
    return d->left_out;
}

const char *
discovery_word(enum discovery_look l)
{
    return looks[l];
}

/* ---- an event ---- */

struct look {
    const struct record_map *map;
    ns_t when;
    struct addr addr, peer;
    bool has_peer;
    bool sends;
    uint16_t port;
};

static bool
read_look(const struct record_map *map, ns_t when, struct look *out)
{
    bool sends = record_map_is(map, FIELD_DIRECTION, "outbound");
    bool receives = record_map_is(map, FIELD_DIRECTION, "inbound");

    *out = (struct look){.map = map, .when = when, .sends = sends};
    out->port = (uint16_t)record_map_u64(map, FIELD_DEST_PORT, 0);
    out->has_peer =
        record_map_addr(map, sends ? FIELD_DEST_IP : FIELD_SRC_IP, &out->peer);
    return (sends || receives) &&
           record_map_addr(map, sends ? FIELD_SRC_IP : FIELD_DEST_IP,
                           &out->addr);
}

/* ---- rows ---- */

static uint64_t
addr_hash(const struct addr *a)
{
    return hash_span(span_of(a->b, sizeof(a->b)), 0);
}

static uint64_t
row_hash(const struct addr *a, uint16_t port, bool sends)
{
    return hash_mix(addr_hash(a), (uint64_t)port << 1 | sends);
}

static bool
has_room(struct discovery *d)
{
    size_t cap = d->cap > 0 ? d->cap * 2 : 64;
    struct discovery_row *rows;
    struct signs *signs;

    if (d->n < d->cap)
        return true;
    if (d->n >= DISCOVERY_HOSTS)
        return false;
    cap = cap < DISCOVERY_HOSTS ? cap : DISCOVERY_HOSTS;
    rows = realloc(d->rows, cap * sizeof(*rows));
    if (rows == NULL)
        return false;
    d->rows = rows;
    signs = realloc(d->signs, cap * sizeof(*signs));
    if (signs == NULL)
        return false;
    d->signs = signs;
    d->cap = cap;
    return true;
}

static uint32_t
row_at(struct discovery *d, const struct look *l)
{
    uint64_t hash = row_hash(&l->addr, l->port, l->sends);
    enum form_use use = l->sends ? FORM_SEND : FORM_RECEIVE;
    struct slots_walk w = slots_begin(&d->slots, hash);
    uint32_t i;

    while ((i = slots_next(&w)) != SLOTS_NONE) {
        const struct discovery_row *row = &d->rows[i];

        if (row->port == l->port && row->use == use &&
            addr_cmp(&row->addr, &l->addr) == 0)
            return i;
    }
    if (!has_room(d) || !slots_add(&d->slots, hash, (uint32_t)d->n)) {
        d->left_out++;
        return SLOTS_NONE;
    }
    d->rows[d->n] = (struct discovery_row){
        .addr = l->addr, .port = l->port, .use = use, .first = l->when};
    d->signs[d->n] = (struct signs){0};
    return (uint32_t)d->n++;
}

static bool
few_add(struct few *f, uint64_t hash)
{
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->v[i] == hash)
            return false;
    }
    if (f->n == DISCOVERY_FEW)
        return false;
    f->v[f->n++] = hash;
    return true;
}

static void
add_name(struct discovery_row *row, struct signs *s, struct span name)
{
    uint64_t hash = hash_span(name, 0);
    uint32_t at = s->names.n;

    if (name.n == 0 || !few_add(&s->names, hash))
        return;
    row->n_names = s->names.n;
    name = span_head(name, sizeof(row->names[0]) - 1);
    if (at >= DISCOVERY_NAMES || span_find(name, 0) < name.n)
        return;
    memcpy(row->names[at], name.p, name.n);
    row->names[at][name.n] = '\0';
}

static void
keep_site(struct discovery_row *row, struct span site)
{
    char *text;

    if (site.n == 0 ||
        (row->site != NULL && span_eq(span_str(row->site), site)))
        return;
    text = strndup((const char *)site.p, site.n);
    if (text == NULL)
        return;
    free(site_text(row));
    row->site = text;
}

static void
note_day(struct discovery_row *row, struct signs *s, ns_t when)
{
    uint64_t day = when / DAY;

    row->last = when > row->last ? when : row->last;
    row->first = when < row->first ? when : row->first;
    if (s->any && day <= s->today)
        return;
    s->any = true;
    s->today = day;
    s->day_messages = 0;
    row->days++;
}

static void
note_peer(struct discovery *d, struct discovery_row *row, const struct look *l)
{
    int added;

    if (!l->has_peer)
        return;
    added = seen_add(&d->pairs, hash_mix(row_hash(&l->addr, l->port, l->sends),
                                         addr_hash(&l->peer)));
    row->peers += added > 0;
    row->peers_more |= added < 0;
}

/* ---- sessions ---- */

static bool
needs_no_line(const struct look *l)
{
    return !policy_needs_permit(l->sends ? POLICY_OUTBOUND : POLICY_INBOUND,
                                l->sends, l->port);
}

static uint64_t
unregistered(const struct look *l, uint64_t n)
{
    enum field f = l->sends ? FIELD_SRC_REG_STATE : FIELD_DEST_REG_STATE;

    return needs_no_line(l) || record_map_is(l->map, f, "registered") ? 0 : n;
}

/* What differs from program to program, and not from mail to mail: each letter
 * of the order once. */
static void
note_dialect(struct discovery_row *row, const struct look *l)
{
    static const enum field facts[] = {
        FIELD_SMTP_DIALECT_HELLO, FIELD_SMTP_DIALECT_HELO_CLASS,
        FIELD_SMTP_DIALECT_CASE,  FIELD_SMTP_DIALECT_SPACE,
        FIELD_SMTP_DIALECT_EOL,
    };
    static const char digits[] = "0123456789abcdef";
    struct span order = record_map_find(l->map, FIELD_SMTP_DIALECT_ORDER);
    uint64_t hash = 0;

    if (row->dialect[0] != '\0' || order.n == 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        hash = hash_span(record_map_find(l->map, facts[i]), hash + i);
    for (size_t i = 0; i < order.n; i++) {
        if (span_find(order, span_at(order, i)) == i)
            hash = hash_mix(hash, span_at(order, i));
    }
    for (unsigned i = 0; i < 16; i++)
        row->dialect[i] = digits[hash >> (60 - 4 * i) & 15];
}

static void
note_greetings(struct discovery_row *row, struct signs *s, const struct look *l)
{
    struct span helo = record_map_find(l->map, FIELD_SMTP_HELO);
    struct span class = record_map_find(l->map, FIELD_SMTP_DIALECT_HELO_CLASS);
    struct span banner = record_map_find(l->map, FIELD_SMTP_BANNER);

    if (l->sends) {
        add_name(row, s, helo);
        s->helos += class.n > 0;
        s->fqdns += span_eq(class, SPAN_LIT("fqdn"));
        return;
    }
    banner = span_tail(banner, 4);
    add_name(row, s, span_head(banner, span_find(banner, ' ')));
    s->greeted += record_map_u64(l->map, FIELD_SMTP_BANNER_CODE, 0) == 220;
}

static void
note_session(struct discovery_row *row, struct signs *s, const struct look *l)
{
    struct span quit = record_map_find(l->map, FIELD_SMTP_NO_QUIT);
    bool tls = record_map_bool(l->map, FIELD_SMTP_STARTTLS_USED) ||
               record_map_is(l->map, FIELD_APP_PROTO, "tls");

    row->sessions++;
    row->tls_sessions += tls;
    row->unregistered += unregistered(l, 1);
    note_greetings(row, s, l);
    note_dialect(row, l);
    s->quits += quit.n > 0;
    s->no_quits += span_at(quit, 0) != 0;
    s->pregreets += record_map_bool(l->map, FIELD_SMTP_PREGREET);
    s->auths += record_map_find(l->map, FIELD_SMTP_AUTH).n > 0;
}

/* ---- transactions ---- */

/* One whose place is taken by another counts no more: what became of it is not
 * known. */
static void
note_retry(struct discovery *d, uint32_t row, const struct look *l,
           struct span path, bool deferred)
{
    struct span from = record_map_find(l->map, FIELD_SMTP_MAIL_FROM);
    uint64_t key = hash_span(path, hash_span(from, row + 1)) | 1;
    struct recent *r = &d->recent[(key >> 8) & (DISCOVERY_RECENT - 1)];

    if (r->key == key) {
        d->signs[row].retried++;
        r->key = 0;
    } else if (r->key != 0 && deferred) {
        d->signs[r->row].deferred--;
    }
    if (!deferred)
        return;
    d->signs[row].deferred++;
    *r = (struct recent){key, l->when, row};
}

static void
note_rcpts(struct discovery *d, uint32_t row, const struct look *l)
{
    bool later = record_map_is(l->map, FIELD_SMTP_OUTCOME, "deferred");
    struct cursor c = record_entries_of(l->map->record);
    struct record_entry e;

    while (record_next(&c, &e) && e.field <= FIELD_SMTP_RCPT) {
        struct rcpt rcpt;

        if (e.field != FIELD_SMTP_RCPT)
            continue;
        rcpt = rcpt_read(e.value);
        d->rows[row].recipients++;
        d->rows[row].refused += rcpt.code >= 400;
        d->rows[row].unknown_users +=
            span_eq(rcpt.class, SPAN_LIT("unknown_user"));
        (void)few_add(&d->signs[row].rcpts, hash_span(rcpt.path, 0));
        note_retry(d, row, l, rcpt.path,
                   rcpt.code / 100 == 4 || (rcpt.code / 100 == 2 && later));
    }
}

static void
note_header(struct signs *s, const struct record_map *map)
{
    if (record_map_find(map, FIELD_EMAIL_FIELDS).n == 0)
        return;
    s->headers++;
    s->chains += record_map_find(map, FIELD_EMAIL_RECEIVED).n > 0;
    s->bulk += record_map_find(map, FIELD_EMAIL_BULK).n > 0;
    s->mailers += record_map_find(map, FIELD_EMAIL_X_MAILER).n > 0 ||
                  record_map_find(map, FIELD_EMAIL_USER_AGENT).n > 0;
}

static void
note_transaction(struct discovery_row *row, struct signs *s,
                 const struct record_map *map)
{
    struct span from = record_map_find(map, FIELD_SMTP_MAIL_FROM);
    bool message = record_map_find(map, FIELD_SMTP_VIA).n > 0;
    bool accepted =
        record_map_is(map, FIELD_SMTP_OUTCOME, "accepted") && message;

    if (from.n > 0)
        (void)few_add(&s->senders, hash_span(from, 0));
    if (record_map_find(map, FIELD_SMTP_OUTCOME).n == 0)
        return;
    s->transactions++;
    s->bounces += record_map_bool(map, FIELD_SMTP_NULL_SENDER);
    s->many += record_map_u64(map, FIELD_SMTP_RCPT_OFFERED, 0) >= MANY;
    note_header(s, map);
    row->accepted += accepted;
    if (!message)
        return;
    row->messages++;
    s->day_messages++;
    if (s->day_messages > row->volume)
        row->volume = s->day_messages;
}

/* As its form calls it; of a host without one, whose network it is in. */
static struct span
site_of(const struct record_map *map, bool sends)
{
    struct span site =
        record_map_find(map, sends ? FIELD_SRC_REG_SITE : FIELD_DEST_REG_SITE);

    return site.n > 0 ? site
                      : record_map_find(map, sends ? FIELD_SRC_HOST_SITE
                                                   : FIELD_DEST_HOST_SITE);
}

void
discovery_event(struct discovery *d, const struct record_map *map)
{
    struct record_head head = record_head_of(map->record);
    struct look l;
    uint32_t i;
    uint64_t attempts;

    if (head.when > d->now)
        d->now = head.when;
    if (head.type != EVENT_SMTP && head.type != EVENT_SMTP_SESSION)
        return;
    attempts = record_map_u64(map, FIELD_ATTEMPTS_COUNT, 0);
    if (!read_look(map, head.when, &l) || (attempts > 0 && !l.sends))
        return;
    i = row_at(d, &l);
    if (i == SLOTS_NONE)
        return;
    keep_site(&d->rows[i], site_of(map, l.sends));
    note_day(&d->rows[i], &d->signs[i], l.when);
    note_peer(d, &d->rows[i], &l);
    if (!l.sends)
        (void)seen_add(&d->takers, addr_hash(&l.addr));
    if (attempts > 0) {
        d->rows[i].attempts += attempts;
        d->rows[i].unregistered += unregistered(&l, attempts);
    } else if (head.type == EVENT_SMTP_SESSION) {
        note_session(&d->rows[i], &d->signs[i], &l);
    } else {
        note_rcpts(d, i, &l);
        note_transaction(&d->rows[i], &d->signs[i], map);
    }
}

/* ---- looks ---- */

static struct discovery_figure
count(uint64_t n)
{
    return (struct discovery_figure){n, 1};
}

static struct discovery_figure
share(uint64_t n, uint64_t d)
{
    return (struct discovery_figure){n, d};
}

/* Of what is not seen where nothing is readable, nothing is said. */
static struct discovery_figure
count_if(uint64_t n)
{
    return (struct discovery_figure){n, n > 0};
}

static void
judge(const struct discovery *d, struct discovery_row *row,
      const struct signs *s)
{
    bool sends = row->use == FORM_SEND;
    struct discovery_figures f = {
        .of = {
               [MEASURE_PEERS] = count(row->peers),
               [MEASURE_UNKNOWN] = share(row->unknown_users, row->recipients),
               [MEASURE_REFUSED] = share(row->refused, row->recipients),
               [MEASURE_RETRIED] = share(s->retried, s->deferred),
               [MEASURE_NO_QUIT] = share(s->no_quits, s->quits),
               [MEASURE_FQDN] = share(s->fqdns, s->helos),
               [MEASURE_HELO_NAMES] = count(row->n_names),
               [MEASURE_PREGREET] = share(s->pregreets, row->sessions),
               [MEASURE_CHAIN] = share(s->chains, s->headers),
               [MEASURE_BOUNCES] = share(s->bounces, s->transactions),
               [MEASURE_BULK] = share(s->bulk, s->headers),
               [MEASURE_MANY] = share(s->many, s->transactions),
               [MEASURE_MAILER] = share(s->mailers, s->headers),
               [MEASURE_RCPTS] = count_if(s->rcpts.n),
               [MEASURE_SENDERS] = count_if(s->senders.n),
               [MEASURE_BUSIEST] = count_if(row->volume),
               [MEASURE_AUTH] = share(s->auths, row->sessions),
               [MEASURE_SUBMITS] = count(row->port == 465 || row->port == 587),
               [MEASURE_RECEIVES] =
                count(seen_has(&d->takers, addr_hash(&row->addr))),
               }
    };

    if (!sends) {
        f = (struct discovery_figures){{{0, 0}}};
        f.of[MEASURE_GREETED] = share(s->greeted, row->sessions);
    }
    discovery_look_judge(&f, row);
}

/* Deferred mails that may still be tried again do not count while they may. */
static void
judge_all(struct discovery *d)
{
    for (int back = 0; back < 2; back++) {
        for (size_t i = 0; i < DISCOVERY_RECENT; i++) {
            const struct recent *r = &d->recent[i];

            if (r->key == 0 || d->now - r->when >= PATIENCE)
                continue;
            if (back == 0)
                d->signs[r->row].deferred--;
            else
                d->signs[r->row].deferred++;
        }
        for (size_t i = 0; back == 0 && i < d->n; i++)
            judge(d, &d->rows[i], &d->signs[i]);
    }
}

static int
by_number(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int
by_volume(const void *x, const void *y, void *ctx)
{
    const struct discovery_row *rows = ctx;
    const struct discovery_row *a = &rows[*(const uint32_t *)x];
    const struct discovery_row *b = &rows[*(const uint32_t *)y];
    int diff = by_number(b->messages, a->messages);

    if (diff == 0)
        diff = by_number(b->sessions, a->sessions);
    if (diff == 0)
        diff = addr_cmp(&a->addr, &b->addr);
    if (diff == 0)
        diff = by_number(a->port, b->port);
    return diff != 0 ? diff : by_number(a->use, b->use);
}

/* Puts row to[i] at place i, along the cycles; to[] is used up, and tells
 * afterwards where each row went. */
static void
arrange(struct discovery *d, uint32_t *to, uint32_t *went)
{
    for (uint32_t i = 0; i < d->n; i++)
        went[to[i]] = i;
    for (uint32_t i = 0; i < d->n; i++) {
        struct discovery_row row = d->rows[i];
        struct signs signs = d->signs[i];
        uint32_t at = i;

        while (to[at] != i && to[at] != at) {
            uint32_t from = to[at];

            d->rows[at] = d->rows[from];
            d->signs[at] = d->signs[from];
            to[at] = at;
            at = from;
        }
        d->rows[at] = row;
        d->signs[at] = signs;
        to[at] = at;
    }
    for (size_t i = 0; i < d->slots.cap; i++) {
        if (d->slots.v[i].place != 0)
            d->slots.v[i].place = went[d->slots.v[i].place - 1] + 1;
    }
    for (size_t i = 0; i < DISCOVERY_RECENT; i++) {
        if (d->recent[i].key != 0)
            d->recent[i].row = went[d->recent[i].row];
    }
}

size_t
discovery_rows(struct discovery *d, const struct discovery_row **out)
{
    uint32_t *order = calloc(d->n + 1, 2 * sizeof(*order));

    judge_all(d);
    *out = d->rows;
    if (order == NULL)
        return d->n; /* in the order of their coming */
    for (uint32_t i = 0; i < d->n; i++)
        order[i] = i;
    qsort_r(order, d->n, sizeof(*order), by_volume, d->rows);
    arrange(d, order, order + d->n);
    free(order);
    return d->n;
}

/* ---- forms ---- */

static int
by_addr(const void *x, const void *y)
{
    const struct discovery_row *a = *(const struct discovery_row *const *)x;
    const struct discovery_row *b = *(const struct discovery_row *const *)y;
    int diff = addr_cmp(&a->addr, &b->addr);

    if (diff == 0)
        diff = by_number(a->port, b->port);
    return diff != 0 ? diff : by_number(a->use, b->use);
}

static bool
same_line(const struct discovery_row *a, const struct discovery_row *b)
{
    return a->port == b->port && addr_cmp(&a->addr, &b->addr) == 0;
}

static bool
is_host_name(struct span name)
{
    bool dot = false;
    struct addr a;

    if (addr_parse(name, &a))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = span_at(name, i);
        bool letter =
            ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');

        dot |= c == '.' && i > 0;
        if (!letter && c != '.' && c != '-')
            return false;
    }
    return dot && name.n < 64;
}

static enum err
set_number(char **text, uint64_t n)
{
    struct buf b;
    enum err e;

    buf_init(&b, 32);
    buf_u64(&b, n);
    e = b.failed ? ERR_NOMEM : form_set(text, buf_view(&b));
    buf_free(&b);
    return e;
}

static enum err
set_str(char **text, const char *value)
{
    return form_set(text, span_str(value));
}

static const char *
direction_word(enum form_use use)
{
    if (use == FORM_BOTH)
        return "both";
    return use == FORM_SEND ? "send" : "receive";
}

/* Its name as a client comes first, for that is what others see. */
static enum err
set_domain(struct form_line *line, const struct discovery_row *row)
{
    for (uint32_t i = 0; i < DISCOVERY_NAMES; i++) {
        struct span name = span_str(row->names[i]);

        if (line->text[FORM_DOMAIN] == NULL && is_host_name(name))
            return form_set(&line->text[FORM_DOMAIN], name);
    }
    return ERR_OK;
}

static enum err
begin_line(struct form *f, const struct discovery_row *row,
           struct form_line **out)
{
    struct form_line *line = form_add_line(f);
    char addr[ADDR_TEXT_MAX];
    enum err e;

    if (line == NULL)
        return f->n_lines >= FORM_LINES_MAX ? ERR_LIMIT : ERR_NOMEM;
    e = form_set(&line->text[FORM_ADDRESS],
                 span_of(addr, addr_format(&row->addr, addr)));
    if (e == ERR_OK)
        e = set_number(&line->text[FORM_PORT], row->port);
    *out = line;
    return e;
}

/* of: both rows of the line, or one. */
static enum err
fill_line(struct form_line *line, const struct discovery_row *const *of,
          size_t n)
{
    enum form_use use = of[0]->use;
    const struct discovery_row *told = of[0];
    uint64_t volume = of[0]->volume;
    enum err e = ERR_OK;

    if (n > 1) {
        use = FORM_BOTH;
        volume += of[1]->volume;
        if (told->look == DISCOVERY_UNCLEAR)
            told = of[1];
    }
    if (told->look != DISCOVERY_UNCLEAR && told->look != DISCOVERY_BOT)
        e = set_str(&line->text[FORM_DEVICE], looks[told->look]);
    if (e == ERR_OK)
        e = set_str(&line->text[FORM_USE], direction_word(use));
    if (e == ERR_OK && volume > 0)
        e = set_number(&line->text[FORM_VOLUME], volume);
    if (e == ERR_OK && told->look == DISCOVERY_LIST)
        e = set_str(&line->text[FORM_BULK], "yes");
    for (size_t i = n; e == ERR_OK && i > 0; i--)
        e = set_domain(line, of[i - 1]);
    return e;
}

static void
put_note(struct buf *out, const struct discovery_row *row)
{
    char addr[ADDR_TEXT_MAX];
    size_t at = out->n;

    buf_str(out, at > 0 ? "; " : "seen: ");
    buf_put(out, addr, addr_format(&row->addr, addr));
    buf_printf(out, " port %u %s: ", row->port,
               row->use == FORM_SEND ? "sends" : "receives");
    buf_u64(out, row->sessions);
    buf_str(out, " sessions, ");
    buf_u64(out, row->messages);
    buf_printf(out, " messages, looks like %s (%s)", looks[row->look],
               row->why);
    if (!out->cut)
        return;
    out->n = at;
}

static enum err
set_heads(struct form *f, const struct discovery_row *const *rows, size_t n)
{
    const char *site = rows[0]->site;
    struct buf notes;
    enum err e;

    buf_init(&notes, FORM_TEXT_MAX);
    for (size_t i = 0; i < n && !notes.cut; i++)
        put_note(&notes, rows[i]);
    e = notes.failed ? ERR_NOMEM
                     : form_set(&f->text[FORM_NOTES], buf_view(&notes));
    buf_free(&notes);
    if (e == ERR_OK && site != NULL)
        e = set_str(&f->text[FORM_SITE], site);
    return e == ERR_FORMAT || e == ERR_LIMIT ? ERR_OK : e;
}

static enum err
set_totals(struct form *f, const struct discovery_row *const *rows, size_t n)
{
    struct seen ports;
    uint64_t addrs = 0;
    uint64_t different = 0;
    enum err e;

    seen_init(&ports, UINT16_MAX + 1);
    for (size_t i = 0; i < n; i++) {
        addrs += i == 0 || addr_cmp(&rows[i]->addr, &rows[i - 1]->addr) != 0;
        different += seen_add(&ports, (uint64_t)rows[i]->port + 1) > 0;
    }
    seen_fini(&ports);
    e = set_number(&f->text[FORM_TOTAL_ADDRESSES], addrs);
    return e != ERR_OK ? e : set_number(&f->text[FORM_TOTAL_PORTS], different);
}

static enum err
fill_form(struct form *f, const struct discovery_row *const *rows, size_t n)
{
    enum err e = set_heads(f, rows, n);

    if (e == ERR_OK)
        e = set_totals(f, rows, n);
    for (size_t i = 0, of; e == ERR_OK && i < n; i += of) {
        struct form_line *line = NULL;

        of = i + 1 < n && same_line(rows[i], rows[i + 1]) ? 2 : 1;
        e = begin_line(f, rows[i], &line);
        if (e == ERR_OK)
            e = fill_line(line, &rows[i], of);
    }
    return e;
}

enum err
discovery_form(const struct discovery_row *const *rows, size_t n,
               struct form *out)
{
    const struct discovery_row **sorted;
    enum err e;

    form_init(out);
    if (n == 0)
        return ERR_OK;
    sorted = calloc(n, sizeof(*sorted));
    if (sorted == NULL)
        return ERR_NOMEM;
    memcpy(sorted, rows, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_addr);
    e = fill_form(out, sorted, n);
    free(sorted);
    return e;
}
