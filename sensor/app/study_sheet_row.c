#include "sensor/app/study_sheet_row.h"

#include <inttypes.h>
#include <stdlib.h>

#include "dissectors/smtp_cmd.h"
#include "rules/registry/csv.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#define CELL_MAX 8192U
#define DAY_NS   (86400 * NS_PER_S)
#define THURSDAY 3U /* 1970-01-01; Monday is 0 */

/* Of replies: classes told apart; there are fewer. */
#define CLASSES_MAX 24U
#define CLASS_TEXT  40U

#define PARTS_SETS 2048U
#define PARTS_WAYS 4U /* messages whose parts came, at the same place */
#define PART_NAME  120U

/* ---- parts ---- */

struct parted {
    uint64_t key; /* 0: free */
    uint64_t used;
    uint32_t n, more; /* bytes of text; parts that had no room */
    uint8_t text[STUDY_SHEET_ATTACHED];
};

struct study_sheet_parts {
    struct parted v[PARTS_SETS * PARTS_WAYS];
    uint64_t clock;
};

enum err
study_sheet_parts_new(struct study_sheet_parts **out)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

void
study_sheet_parts_free(struct study_sheet_parts *p)
{
    free(p);
}

static uint64_t
key_of(const struct record_map *m, enum field tx)
{
    return hash_mix(hash_mix(0, record_head_of(m->record).flow_id),
                    record_map_u64(m, tx, 0)) |
           1;
}

static const struct parted *
find_parts(const struct study_sheet_parts *p, uint64_t key)
{
    const struct parted *way = &p->v[key / 2 % PARTS_SETS * PARTS_WAYS];

    for (unsigned i = 0; i < PARTS_WAYS; i++) {
        if (way[i].key == key)
            return &way[i];
    }
    return NULL;
}

/* The one that was used longest ago gives way. */
static struct parted *
take_parts(struct study_sheet_parts *p, uint64_t key)
{
    struct parted *way = &p->v[key / 2 % PARTS_SETS * PARTS_WAYS];
    struct parted *oldest = way;

    for (unsigned i = 0; i < PARTS_WAYS; i++) {
        if (way[i].key == key)
            return &way[i];
        if (way[i].used < oldest->used)
            oldest = &way[i];
    }
    oldest->key = key;
    oldest->n = oldest->more = 0;
    return oldest;
}

/* At most so many bytes, cut where a character begins. */
static void
put_cut(struct buf *out, struct span s, size_t most)
{
    struct span head = span_head(s, most);

    for (size_t i = 0; i < 3 && head.n < s.n && head.n > 0 &&
                       (span_at(s, head.n) & 0xc0) == 0x80;
         i++)
        head.n--;
    text_term(out, head);
    if (head.n < s.n)
        buf_str(out, "...");
}

/* "invoice.zip (zip: invoice.exe)" */
static void
put_part(struct buf *out, const struct record_map *m)
{
    struct span type = record_map_find(m, FIELD_FILEINFO_TYPE);
    struct span name = record_map_find(m, FIELD_FILEINFO_FILENAME);
    struct cursor c = record_map_list(m, FIELD_FILEINFO_MEMBER);
    struct record_entry member, e;

    if (type.n == 0)
        type = record_map_find(m, FIELD_FILEINFO_MIME_DECLARED);
    put_cut(out, name.n > 0 ? name : SPAN_LIT("without a name"), PART_NAME);
    buf_str(out, " (");
    put_cut(out, type.n > 0 ? type : SPAN_LIT("type not known"), PART_NAME);
    if (record_next(&c, &member) && member.field == FIELD_FILEINFO_MEMBER) {
        struct cursor inner = cur_open(member.value);

        while (record_next(&inner, &e)) {
            if (e.field != FIELD_FILEINFO_MEMBER_NAME)
                continue;
            buf_str(out, ": ");
            put_cut(out, e.value, PART_NAME);
        }
    }
    buf_putc(out, ')');
}

void
study_sheet_parts_event(struct study_sheet_parts *p, const struct record_map *m)
{
    struct parted *part;
    struct buf text;

    if (record_map_has(m, FIELD_FILEINFO_READING) ||
        (!record_map_has(m, FIELD_FILEINFO_FILENAME) &&
         !record_map_is(m, FIELD_FILEINFO_DISPOSITION, "attachment")))
        return;
    part = take_parts(p, key_of(m, FIELD_FILEINFO_TX_ID));
    part->used = ++p->clock;
    buf_init(&text, CELL_MAX);
    if (part->n > 0)
        buf_str(&text, ", ");
    put_part(&text, m);
    if (!text.failed && part->more == 0 &&
        text.n <= sizeof(part->text) - part->n) {
        memcpy(part->text + part->n, text.p, text.n);
        part->n += (uint32_t)text.n;
    } else {
        part->more++;
    }
    buf_free(&text);
}

/* ---- cells ---- */

struct row {
    const struct record_map *m;
    struct buf *out;
    struct buf cell;
    bool begun;
    bool tls;
};

static void
end_cell(struct row *r)
{
    if (r->begun)
        buf_putc(r->out, ',');
    r->begun = true;
    csv_put(r->out, buf_view(&r->cell));
    r->out->failed |= r->cell.failed;
    buf_reset(&r->cell);
}

static void
text_cell(struct row *r, enum field f)
{
    put_cut(&r->cell, record_map_find(r->m, f), STUDY_SHEET_TEXT);
    end_cell(r);
}

static void
number_cell(struct row *r, enum field f)
{
    if (record_map_has(r->m, f))
        buf_u64(&r->cell, record_map_u64(r->m, f, 0));
    end_cell(r);
}

static void
put_when(struct row *r)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu",
                                       "Fri", "Sat", "Sun"};
    const ns_t when = record_head_of(r->m->record).when;
    const uint64_t minute = when % DAY_NS / (60 * NS_PER_S);

    buf_str(&r->cell, days[(when / DAY_NS + THURSDAY) % 7]);
    end_cell(r);
    buf_printf(&r->cell, "%02" PRIu64 ":%02" PRIu64, minute / 60, minute % 60);
    end_cell(r);
}

static void
put_helo(struct row *r)
{
    struct span class = record_map_find(r->m, FIELD_SMTP_DIALECT_HELO_CLASS);

    if (class.n == 0)
        class =
            span_str(smtp_helo_class(record_map_find(r->m, FIELD_SMTP_HELO)));
    put_cut(&r->cell, class, CLASS_TEXT);
    end_cell(r);
}

/* ---- replies ---- */

struct count {
    struct span class;
    uint64_t n;
};

static struct span
class_of(struct span recipient)
{
    struct cursor c = cur_open(recipient);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_SMTP_RCPT_CLASS)
            return e.value;
    }
    return SPAN_NONE;
}

static size_t
count_classes(const struct record_map *m, struct count v[CLASSES_MAX])
{
    struct cursor c = record_map_list(m, FIELD_SMTP_RCPT);
    struct record_entry e;
    size_t n = 0;

    while (record_next(&c, &e) && e.field == FIELD_SMTP_RCPT) {
        const struct span class = class_of(e.value);
        size_t i = 0;

        while (i < n && !span_eq(v[i].class, class))
            i++;
        if (i == CLASSES_MAX)
            continue;
        if (i == n)
            v[n++] = (struct count){class, 0};
        v[i].n++;
    }
    return n;
}

/* "12 accepted, 3 unknown_user; message accepted" */
static void
put_replies(struct row *r)
{
    const struct span outcome = record_map_find(r->m, FIELD_SMTP_OUTCOME);
    const struct span why = record_map_find(r->m, FIELD_SMTP_FINAL_CLASS);
    struct count v[CLASSES_MAX];
    const size_t n = count_classes(r->m, v);

    for (size_t i = 0; i < n; i++) {
        buf_printf(&r->cell, "%s%" PRIu64 " ", i > 0 ? ", " : "", v[i].n);
        put_cut(&r->cell,
                v[i].class.n > 0 ? v[i].class : SPAN_LIT("without a reply"),
                CLASS_TEXT);
    }
    if (outcome.n > 0) {
        buf_str(&r->cell, n > 0 ? "; message " : "message ");
        put_cut(&r->cell, outcome, CLASS_TEXT);
        if (why.n > 0 && !span_eq(why, outcome)) {
            buf_str(&r->cell, ": ");
            put_cut(&r->cell, why, CLASS_TEXT);
        }
    }
    end_cell(r);
}

static void
put_under_tls(struct row *r)
{
    buf_printf(&r->cell, "by size %" PRIu64 " to %" PRIu64 " messages",
               record_map_u64(r->m, FIELD_TLS_EST_MESSAGES_MIN, 0),
               record_map_u64(r->m, FIELD_TLS_EST_MESSAGES_MAX, 0));
    end_cell(r);
}

/* ---- attachments ---- */

/* Their names alone, where no event told of the parts. */
static void
put_names(struct row *r)
{
    struct cursor c = record_map_list(r->m, FIELD_EMAIL_ATTACHMENT);
    struct record_entry e;
    unsigned more = 0;

    while (record_next(&c, &e) && e.field == FIELD_EMAIL_ATTACHMENT) {
        if (r->cell.n > STUDY_SHEET_ATTACHED) {
            more++;
            continue;
        }
        if (r->cell.n > 0)
            buf_str(&r->cell, ", ");
        put_cut(&r->cell, e.value, PART_NAME);
    }
    if (more > 0)
        buf_printf(&r->cell, ", and %u more", more);
}

static void
put_attachments(struct row *r, const struct study_sheet_parts *p)
{
    const struct parted *part = find_parts(p, key_of(r->m, FIELD_TX_ID));

    if (part == NULL || r->tls) {
        put_names(r);
    } else {
        buf_put(&r->cell, part->text, part->n);
        if (part->more > 0)
            buf_printf(&r->cell, "%s%u more", part->n > 0 ? ", and " : "",
                       part->more);
    }
    end_cell(r);
}

void
study_sheet_row(const struct study_sheet_parts *p, const struct record_map *m,
                struct buf *out)
{
    struct row r = {.m = m, .out = out};

    r.tls = record_head_of(m->record).type == EVENT_SMTP_SESSION;
    buf_init(&r.cell, CELL_MAX);
    buf_str(&r.cell, r.tls ? "session under TLS" : "message");
    end_cell(&r);
    put_when(&r);
    number_cell(&r,
                r.tls ? FIELD_FLOW_BYTES_TOSERVER : FIELD_SMTP_MESSAGE_BYTES);
    text_cell(&r, FIELD_SMTP_MAIL_FROM);
    text_cell(&r, FIELD_EMAIL_FROM);
    text_cell(&r, FIELD_EMAIL_SUBJECT);
    put_helo(&r);
    number_cell(&r, r.tls ? FIELD_TLS_EST_RCPT_MAX : FIELD_SMTP_RCPT_OFFERED);
    number_cell(&r, FIELD_SMTP_RCPT_REFUSED);
    if (r.tls)
        put_under_tls(&r);
    else
        put_replies(&r);
    number_cell(&r, FIELD_EMAIL_URLS);
    put_attachments(&r, p);
    buf_free(&r.cell);
}
