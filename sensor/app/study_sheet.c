#include "sensor/app/study_sheet.h"

#include <stdlib.h>

#include "rules/registry/csv.h"
#include "sensor/app/study_sheet_row.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#define MAIL_PORT 25U
#define HOUR_NS   (3600 * NS_PER_S)
#define THURSDAY  (3U * 24) /* hours from Monday; 1970-01-01 was one */
#define SIZES     8U
#define EVENT_ID  16U
/* The highest bits of the key: what can be judged best stands first. */
#define KIND_SHIFT 62

enum kind { SENT, REFUSED, UNDER_TLS };

/* One that may be shown. */
struct candidate {
    uint64_t key;
    struct review_message what;
    char event[EVENT_ID + 1];
    uint8_t *row;
    size_t n;
};

struct shown {
    enum study_class class;
    bool judged;
    unsigned n;
    struct candidate *v; /* REVIEW_MESSAGES of them; NULL: none yet */
};

struct study_sheet {
    struct review_host *frame; /* n of them, by address */
    struct shown *shown;       /* of each */
    size_t n;
    ns_t from, to;
    uint64_t seed;
    struct study_sheet_parts *parts;
    struct buf row;
    size_t used;
    struct study_sheet_told told;
};

/* ---- the frame ---- */

/* A host of the study has a row for each of its leases. */
static void
add_row(struct review_host *h, struct shown *s, const struct study_host_row *r)
{
    h->registered |= r->registered;
    h->positive |= r->class == STUDY_BOT || r->class == STUDY_MIXED;
    h->tls |= r->sessions_tls > r->sessions / 2;
    h->volume += r->messages + r->sessions_tls;
    s->class = r->class < s->class ? r->class : s->class;
    s->judged |= r->reviewed;
}

static int
by_address(const void *a, const void *b)
{
    const struct study_host_row *x = *(const struct study_host_row *const *)a;
    const struct study_host_row *y = *(const struct study_host_row *const *)b;

    return addr_cmp(&x->addr, &y->addr);
}

static void
add_all(struct study_sheet *s, const struct study_host_row **rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || addr_cmp(&rows[i]->addr, &rows[i - 1]->addr) != 0) {
            s->frame[s->n].addr = rows[i]->addr;
            s->shown[s->n++].class = STUDY_UNKNOWN;
        }
        add_row(&s->frame[s->n - 1], &s->shown[s->n - 1], rows[i]);
    }
}

/* Nobody knows it before the study is made. */
static uint64_t
seed_of(const struct study_sheet *s)
{
    uint64_t seed = hash_mix(s->from, s->to);

    for (size_t i = 0; i < s->n; i++)
        seed = hash_mix(
            hash_span(span_of(s->frame[i].addr.b, sizeof(s->frame[i].addr.b)),
                      seed),
            s->frame[i].volume);
    return seed;
}

static enum err
take_frame(struct study_sheet *s, const struct study_result *study)
{
    const size_t n = study->n_hosts;
    const struct study_host_row **rows;

    if (n > REVIEW_HOSTS)
        return ERR_LIMIT;
    rows = calloc(n + 1, sizeof(*rows));
    s->frame = calloc(n + 1, sizeof(*s->frame));
    s->shown = calloc(n + 1, sizeof(*s->shown));
    if (rows == NULL || s->frame == NULL || s->shown == NULL) {
        free(rows);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++)
        rows[i] = &study->hosts[i];
    qsort(rows, n, sizeof(*rows), by_address);
    add_all(s, rows, n);
    free(rows);
    s->told.hosts = s->n;
    for (size_t i = 0; i < s->n; i++)
        s->told.judged += s->shown[i].judged;
    return ERR_OK;
}

enum err
study_sheet_new(const struct study_result *study, struct study_sheet **out)
{
    struct study_sheet *s = calloc(1, sizeof(*s));
    enum err e;

    if (s == NULL)
        return ERR_NOMEM;
    buf_init(&s->row, STUDY_SHEET_ROW_MAX);
    s->from = study->from;
    s->to = study->to;
    e = take_frame(s, study);
    if (e == ERR_OK)
        e = study_sheet_parts_new(&s->parts);
    if (e != ERR_OK) {
        study_sheet_free(s);
        return e;
    }
    s->seed = seed_of(s);
    *out = s;
    return ERR_OK;
}

void
study_sheet_free(struct study_sheet *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < s->shown[i].n; k++)
            free(s->shown[i].v[k].row);
        free(s->shown[i].v);
    }
    free(s->frame);
    free(s->shown);
    study_sheet_parts_free(s->parts);
    buf_free(&s->row);
    free(s);
}

/* ---- events ---- */

/* Of the frame, or n. */
static size_t
find_host(const struct study_sheet *s, const struct addr *a)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = addr_cmp(&s->frame[middle].addr, a);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return s->n;
}

static struct review_message
features_of(const struct record_map *m)
{
    const uint64_t bytes = record_map_u64(m, FIELD_SMTP_MESSAGE_BYTES, 0);
    const uint64_t hours = record_head_of(m->record).when / HOUR_NS;
    struct cursor c = record_map_list(m, FIELD_SMTP_RCPT_TO);
    struct review_message out = {
        .hour = (uint8_t)((hours + THURSDAY) % REVIEW_HOURS)};
    struct record_entry e;
    uint64_t most = 4096;

    while (out.size + 1U < SIZES && bytes > most) {
        out.size++;
        most *= 4;
    }
    if (record_next(&c, &e) && e.field == FIELD_SMTP_RCPT_TO) {
        struct span domain = span_tail(e.value, span_find(e.value, '@') + 1);

        if (span_at(domain, domain.n - 1) == '>')
            domain.n--;
        if (domain.n > 0)
            out.organisation = hash_span(domain, 0) | 1;
    }
    return out;
}

/* Where it belongs among those that are kept; false: nowhere. */
static bool
place_of(const struct shown *h, uint64_t key, unsigned *at)
{
    unsigned i = 0;

    while (i < h->n && h->v[i].key < key)
        i++;
    *at = i;
    return i < REVIEW_MESSAGES && (i == h->n || h->v[i].key != key);
}

/* Its id, as this program writes them; another one is left out. */
static void
copy_id(struct span id, char out[EVENT_ID + 1])
{
    for (size_t i = 0; i < id.n; i++) {
        const uint8_t b = id.p[i];

        if (id.n != EVENT_ID ||
            !((b >= '0' && b <= '9') || (b >= 'a' && b <= 'f')))
            return;
    }
    memcpy(out, id.p, id.n);
}

static bool
fill(struct study_sheet *s, const struct record_map *m, uint64_t key,
     struct candidate *c)
{
    *c = (struct candidate){.key = key, .what = features_of(m)};
    buf_reset(&s->row);
    study_sheet_row(s->parts, m, &s->row);
    if (s->row.cut || s->row.failed || s->used + s->row.n > STUDY_SHEET_ROOM)
        return false;
    c->row = malloc(s->row.n + 1);
    if (c->row == NULL)
        return false;
    memcpy(c->row, s->row.p, s->row.n);
    c->n = s->row.n;
    if (record_map_has(m, FIELD_EVENT_ID))
        copy_id(record_map_find(m, FIELD_EVENT_ID), c->event);
    return true;
}

static enum err
keep(struct study_sheet *s, struct shown *h, const struct record_map *m,
     uint64_t key)
{
    struct candidate c;
    unsigned at;

    if (!place_of(h, key, &at))
        return ERR_OK;
    if (h->v == NULL)
        h->v = calloc(REVIEW_MESSAGES, sizeof(*h->v));
    if (h->v == NULL)
        return ERR_NOMEM;
    if (!fill(s, m, key, &c)) {
        s->told.left_out++;
        return ERR_OK;
    }
    if (h->n == REVIEW_MESSAGES) {
        h->n--;
        s->used -= h->v[h->n].n;
        free(h->v[h->n].row);
    }
    memmove(&h->v[at + 1], &h->v[at], (h->n - at) * sizeof(*h->v));
    h->v[at] = c;
    h->n++;
    s->used += c.n;
    return ERR_OK;
}

/* A transaction with a recipient, told to its end; as the study counts. */
static bool
is_message(const struct record_map *m)
{
    return (!record_map_has(m, FIELD_SMTP_PART) ||
            record_map_bool(m, FIELD_SMTP_LAST)) &&
           record_map_u64(m, FIELD_SMTP_RCPT_OFFERED, 0) > 0;
}

static bool
is_under_tls(const struct record_map *m)
{
    return !record_map_has(m, FIELD_ATTEMPTS_COUNT) &&
           (record_map_bool(m, FIELD_SMTP_STARTTLS_USED) ||
            record_map_is(m, FIELD_APP_PROTO, "tls"));
}

static bool
is_outward(const struct study_sheet *s, const struct record_map *m)
{
    const ns_t when = record_head_of(m->record).when;

    return when >= s->from && when < s->to &&
           record_map_is(m, FIELD_DIRECTION, "outbound") &&
           record_map_u64(m, FIELD_DEST_PORT, 0) == MAIL_PORT;
}

/* Nobody can judge the content of what was refused before it was sent. */
static enum kind
kind_of(const struct record_map *m)
{
    if (record_head_of(m->record).type == EVENT_SMTP_SESSION)
        return UNDER_TLS;
    return record_map_has(m, FIELD_SMTP_VIA) ? SENT : REFUSED;
}

enum err
study_sheet_event(struct study_sheet *s, const struct record_map *m)
{
    const struct record_head head = record_head_of(m->record);
    const bool session = head.type == EVENT_SMTP_SESSION;
    struct addr a;
    uint64_t key;
    size_t i;

    if ((head.type != EVENT_SMTP && head.type != EVENT_FILEINFO && !session) ||
        !is_outward(s, m) || !record_map_addr(m, FIELD_SRC_IP, &a))
        return ERR_OK;
    i = find_host(s, &a);
    if (i == s->n || s->shown[i].judged)
        return ERR_OK;
    if (head.type == EVENT_FILEINFO) {
        study_sheet_parts_event(s->parts, m);
        return ERR_OK;
    }
    if (session ? !is_under_tls(m) : !is_message(m))
        return ERR_OK;
    key = hash_mix(hash_mix(s->seed, head.flow_id), head.when);
    key = hash_mix(key, record_map_u64(m, FIELD_TX_ID, 0)) >> 2;
    key |= (uint64_t)kind_of(m) << KIND_SHIFT;
    return keep(s, &s->shown[i], m, key);
}

/* ---- the draw ---- */

static enum kind
kind_at(const struct shown *s, unsigned i)
{
    return (enum kind)(s->v[i].key >> KIND_SHIFT);
}

/* Only those of the best kind that there is. */
static void
offer(struct review_host *h, const struct shown *s)
{
    h->n = 0;
    while (h->n < s->n && kind_at(s, h->n) == kind_at(s, 0)) {
        h->messages[h->n] = s->v[h->n].what;
        h->n++;
    }
}

enum err
study_sheet_draw(struct study_sheet *s, size_t sample, struct review_drawn *out)
{
    enum err e;

    s->told.nothing = s->told.under_tls = s->told.refused = 0;
    for (size_t i = 0; i < s->n; i++) {
        offer(&s->frame[i], &s->shown[i]);
        s->told.nothing += s->frame[i].n == 0 && !s->shown[i].judged;
    }
    e = review_draw(s->frame, s->n, sample, s->seed, out);
    for (size_t i = 0; e == ERR_OK && i < s->n; i++) {
        const struct review_host *h = &s->frame[i];

        if (h->take == 0)
            continue;
        if (kind_at(&s->shown[i], 0) == UNDER_TLS)
            s->told.under_tls += h->take;
        if (kind_at(&s->shown[i], 0) == REFUSED)
            s->told.refused += h->take;
    }
    return e;
}

struct study_sheet_told
study_sheet_told(const struct study_sheet *s)
{
    return s->told;
}

/* ---- files ---- */

/* A row of the sheet, in an order that tells nothing. */
struct line {
    uint64_t key;
    size_t host;
    unsigned nth;
};

static int
by_key(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    return x->nth < y->nth ? -1 : x->nth > y->nth;
}

static size_t
find_lines(const struct study_sheet *s, struct line *v)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < s->frame[i].take; k++, n++) {
            const struct candidate *c =
                &s->shown[i].v[review_nth(&s->frame[i], k)];

            if (v != NULL)
                v[n] = (struct line){hash_mix(~s->seed, c->key), i, k};
        }
    }
    return n;
}

static void
put_heads(struct buf *sheet, struct buf *key)
{
    csv_put(sheet,
            SPAN_LIT("Personal: subjects, senders and names of attachments of "
                     "messages that people sent. For one reviewer alone; to be "
                     "destroyed with all copies when the review is counted. "
                     "Write malicious, ordinary or unclear as the verdict of "
                     "each; ask nobody, and look nothing up in the study."));
    buf_str(sheet, "\nnumber");
#define X(name) buf_str(sheet, "," name);
    STUDY_SHEET_COLUMNS(X)
#undef X
    buf_str(sheet, ",verdict,notes\n");
    buf_str(key, "number,host,stratum,registered,detector,tls,third,class,"
                 "weight,nth,pair,event\n");
}

static void
put_key(const struct study_sheet *s, const struct line *l, size_t number,
        struct buf *out)
{
    static const char *const thirds[] = {"lowest", "middle", "largest"};
    const struct review_host *h = &s->frame[l->host];
    const struct shown *shown = &s->shown[l->host];
    char text[ADDR_TEXT_MAX];

    buf_printf(out, "%zu,", number);
    buf_put(out, text, addr_format(&h->addr, text));
    buf_printf(out, ",%u,%s,%s,%s,%s,%s,%.17g,%u,", h->stratum,
               h->registered ? "yes" : "no", h->positive ? "yes" : "no",
               h->tls ? "yes" : "no", thirds[h->third],
               study_class_word(shown->class), h->weight, l->nth + 1);
    if (h->pair > 0 && l->nth == 0)
        buf_u64(out, h->pair);
    buf_printf(out, ",%s\n", shown->v[review_nth(h, l->nth)].event);
}

enum err
study_sheet_put(const struct study_sheet *s, struct buf *sheet, struct buf *key)
{
    const size_t n = find_lines(s, NULL);
    struct line *v = calloc(n + 1, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    (void)find_lines(s, v);
    qsort(v, n, sizeof(*v), by_key);
    put_heads(sheet, key);
    for (size_t i = 0; i < n; i++) {
        const struct candidate *c =
            &s->shown[v[i].host].v[review_nth(&s->frame[v[i].host], v[i].nth)];

        buf_printf(sheet, "%zu,", i + 1);
        buf_put(sheet, c->row, c->n);
        buf_str(sheet, ",,\n");
        put_key(s, &v[i], i + 1, key);
    }
    free(v);
    if (sheet->failed || key->failed)
        return ERR_NOMEM;
    return sheet->cut || key->cut ? ERR_LIMIT : ERR_OK;
}
