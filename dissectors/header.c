#include "dissectors/header.h"

#include "dissectors/address.h"
#include "dissectors/rfc2047.h"
#include "sensor/base/text.h"

enum kind {
    KIND_TEXT,
    KIND_RAW,
    KIND_MAILBOX,
    KIND_MAILBOXES,
    KIND_TYPE,
    KIND_TRACE
};

static const struct {
    const char *name;
    enum kind kind;
    enum field field;
    uint16_t share;
    enum header_odd twice;
} fields[HEADER_FIELD_COUNT] = {
#define FIELD(id, name, kind, share, field, twice)                             \
    {(name), KIND_##kind, FIELD_##field, (share), HEADER_ODD_##twice},
#include "dissectors/header.def"
};

static const char *const odd_names[] = {
#define ODD(id, name, doc) (name),
#include "dissectors/header.def"
    "",
};

static const struct {
    const char *name;
    enum field field;
    const char *values; /* separated by blanks; "": any */
} marks[] = {
#define MARK(name, field, values) {(name), FIELD_##field, (values)},
#include "dissectors/header.def"
};
_Static_assert(ARRAY_LEN(marks) <= 32, "a bit each");

struct shares {
#define FIELD(id, name, kind, share, field, twice) uint8_t id[(share)];
#include "dissectors/header.def"
};
_Static_assert(sizeof(struct shares) <= HEADER_MAX_total, "limit total");
_Static_assert(HEADER_ODD_NONE <= 32, "a bit each");
_Static_assert(HEADER_FIELD_COUNT <= 16, "a bit each");

/* One number for length and last letter (lower case) of a name; those of the
 * fields we keep all differ, or a case label would be there twice. */
#define NAME_KEY(n, last) ((n) << 8 | (last))

static enum header_field
field_of(struct span name)
{
    unsigned key = NAME_KEY((unsigned)(name.n & 0xffff),
                            span_at(name, name.n - 1) | 0x20U);
    enum header_field f;

    switch (key) {
    case NAME_KEY(2, 'o'): f = HEADER_TO; break;
    case NAME_KEY(2, 'c'): f = HEADER_CC; break;
    case NAME_KEY(4, 'm'): f = HEADER_FROM; break;
    case NAME_KEY(4, 'e'): f = HEADER_DATE; break;
    case NAME_KEY(6, 'r'): f = HEADER_SENDER; break;
    case NAME_KEY(7, 't'): f = HEADER_SUBJECT; break;
    case NAME_KEY(8, 'o'): f = HEADER_REPLY_TO; break;
    case NAME_KEY(8, 'd'): f = HEADER_RECEIVED; break;
    case NAME_KEY(8, 'r'): f = HEADER_X_MAILER; break;
    case NAME_KEY(10, 'd'): f = HEADER_MESSAGE_ID; break;
    case NAME_KEY(10, 't'): f = HEADER_USER_AGENT; break;
    case NAME_KEY(12, 'e'): f = HEADER_CONTENT_TYPE; break;
    case NAME_KEY(16, 'p'): f = HEADER_X_ORIGINATING_IP; break;
    default: return HEADER_FIELD_COUNT;
    }
    return span_eq_nocase(name, span_str(fields[f].name)) ? f
                                                          : HEADER_FIELD_COUNT;
}

static void
odd(struct header *h, enum header_odd o)
{
    h->odd |= 1U << o;
}

/* ---- values: when a field has ended ---- */

/* The longest prefix of at most n bytes that does not cut a character. */
static struct span
prefix_of(struct span s, size_t n)
{
    size_t k = n;

    if (s.n <= n)
        return s;
    while (k > 0 && n - k < 4 && (span_at(s, k) & 0xc0) == 0x80)
        k--;
    return span_head(s, n - k < 4 ? k : n);
}

static bool
is_ascii(struct span s)
{
    struct cursor c = cur_open(s);
    uint64_t all = 0;

    while (cur_left(&c) >= 8)
        all |= cur_le64(&c);
    while (cur_left(&c) > 0)
        all |= cur_u8(&c);
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

static bool
is_utf8(struct span s)
{
    for (size_t n; s.n > 0; s = span_tail(s, n)) {
        n = utf8_len(s);
        if (n == 0)
            return false;
    }
    return true;
}

/* Appends an entry of field f within its share; false when there is none left.
 */
static bool
keep(struct header *h, enum header_field f, struct span value)
{
    size_t room = (size_t)fields[f].share - h->used[f];
    size_t before = h->entries.n;

    if (room < 5) {
        odd(h, HEADER_ODD_FIELD_CUT);
        return false;
    }
    if (value.n > room - 4) {
        odd(h, HEADER_ODD_FIELD_CUT);
        value = prefix_of(value, room - 4);
    }
    if (!is_ascii(value) && !is_utf8(value))
        odd(h, HEADER_ODD_RAW_8BIT);
    entry_put(&h->entries, fields[f].field, value);
    h->used[f] = (uint16_t)(h->used[f] + (h->entries.n - before));
    return true;
}

static bool
keep_decoded(struct header *h, enum header_field f, struct span value)
{
    struct buf text;
    unsigned seen;
    bool kept;

    if (rfc2047_find(value) == value.n)
        return keep(h, f, value);
    buf_init(&text, (size_t)HEADER_MAX_value * 3);
    seen = rfc2047_decode(h->charset, value, &text);
    if (seen & RFC2047_UNKNOWN_CHARSET)
        odd(h, HEADER_ODD_UNKNOWN_CHARSET);
    if (seen & RFC2047_BAD)
        odd(h, HEADER_ODD_BAD_ENCODED_WORD);
    if (text.failed)
        odd(h, HEADER_ODD_NO_MEMORY);
    kept = keep(h, f, span_trim(buf_view(&text)));
    buf_free(&text);
    return kept;
}

static void
keep_mailboxes(struct header *h, enum header_field f, struct span value)
{
    struct address_list list = address_open(value);
    uint16_t *n = &h->n_mailboxes[f == HEADER_CC];
    struct mailbox m;

    while (address_next(&list, &m)) {
        if (*n == HEADER_MAX_mailboxes) {
            odd(h, HEADER_ODD_TOO_MANY_MAILBOXES);
            break;
        }
        if (!keep_decoded(h, f, m.text))
            break;
        ++*n;
    }
    if (list.seen & ADDRESS_UNCLOSED)
        odd(h, HEADER_ODD_BAD_ADDRESS);
}

static void
keep_mailbox(struct header *h, enum header_field f, struct span value)
{
    struct address_list list = address_open(value);
    struct mailbox m;

    while (address_next(&list, &m))
        continue;
    if (list.seen & ADDRESS_UNCLOSED)
        odd(h, HEADER_ODD_BAD_ADDRESS);
    (void)keep_decoded(h, f, value);
}

/* RFC 2045 5.1 token */
static bool
is_token(uint8_t c)
{
    return c > ' ' && c < 0x7f &&
           span_find(SPAN_LIT("()<>@,;:\\\"/[]?="), c) == 15;
}

struct type_scan {
    uint8_t text[256];
    size_t n;
    size_t slash; /* index of the first '/', or 0 */
    bool blank;   /* a blank came after the subtype */
    bool bad;
};

/* A byte outside comments, before the first ';'. */
static void
type_byte(struct type_scan *t, uint8_t c)
{
    if (c == ' ' || c == '\t') {
        t->blank = t->blank || (t->slash > 0 && t->n > t->slash + 1);
        return;
    }
    if (t->blank || t->n == sizeof(t->text)) {
        t->bad = true;
        return;
    }
    if (c == '/' && t->slash == 0)
        t->slash = t->n;
    else if (!is_token(c))
        t->bad = true;
    t->text[t->n++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* type "/" subtype in lower case; blanks and comments around them go. */
static void
keep_type(struct header *h, struct span value)
{
    struct type_scan t = {.n = 0};
    size_t depth = 0;

    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = span_at(value, i);

        depth += c == '(';
        if (depth > 0) {
            depth -= c == ')';
            continue;
        }
        if (c == ';')
            break;
        type_byte(&t, c);
    }
    if (t.bad || t.slash == 0 || t.slash + 1 == t.n)
        odd(h, HEADER_ODD_BAD_CONTENT_TYPE);
    if (t.n > 0)
        (void)keep(h, HEADER_CONTENT_TYPE, span_of(t.text, t.n));
}

static void
keep_received(struct header *h, struct span value)
{
    if (h->n_received++ < HEADER_MAX_received)
        (void)keep(h, HEADER_RECEIVED, value);
    else
        odd(h, HEADER_ODD_TOO_MANY_RECEIVED);
}

/* Folds of text were marked by '\n'. RFC 5322 2.2.3 takes away the line end
 * alone; in text with encoded words a fold is one space, as readers show it
 * (the blanks that belong to the text are encoded there). */
static void
unfold(struct buf *v)
{
    bool words = rfc2047_find(buf_view(v)) < v->n;
    size_t n = 0;

    for (size_t i = 0; i < v->n; i++) {
        if (v->p[i] != '\n') {
            v->p[n++] = v->p[i];
            continue;
        }
        if (!words)
            continue;
        v->p[n++] = ' ';
        while (span_find(SPAN_LIT(" \t\n"), span_at(buf_view(v), i + 1)) < 3)
            i++;
    }
    v->n = n;
}

static void
keep_value(struct header *h, enum header_field f, struct span value)
{
    switch (fields[f].kind) {
    case KIND_TEXT: (void)keep_decoded(h, f, value); break;
    case KIND_RAW: (void)keep(h, f, value); break;
    case KIND_MAILBOX: keep_mailbox(h, f, value); break;
    case KIND_MAILBOXES: keep_mailboxes(h, f, value); break;
    case KIND_TYPE: keep_type(h, value); break;
    case KIND_TRACE: keep_received(h, value); break;
    }
}

static void
close_field(struct header *h)
{
    enum header_field f = (enum header_field)h->open;

    if (f == HEADER_FIELD_COUNT)
        return;
    h->open = HEADER_FIELD_COUNT;
    if (h->value.cut)
        odd(h, HEADER_ODD_FIELD_CUT);
    if (h->folded)
        unfold(&h->value);
    h->folded = false;
    keep_value(h, f, span_trim(buf_view(&h->value)));
    if (h->value.failed || h->entries.failed)
        odd(h, HEADER_ODD_NO_MEMORY);
    buf_reset(&h->value);
}

/* ---- lines ---- */

/* Is the value of this occurrence to be kept? */
static bool
wants(struct header *h, enum header_field f)
{
    uint16_t bit = (uint16_t)(1U << f);
    bool again = (h->present & bit) != 0;

    h->present |= bit;
    if (!again)
        return true;
    if (fields[f].twice != HEADER_ODD_NONE && !header_is_odd(h, HEADER_ODD_GAP))
        odd(h, fields[f].twice);
    return fields[f].kind == KIND_MAILBOXES || fields[f].kind == KIND_TRACE;
}

static bool
is_word_of(const char *words, struct span value)
{
    struct span rest = span_str(words);

    while (rest.n > 0) {
        size_t n = span_find(rest, ' ');

        if (span_eq_nocase(span_head(rest, n), value))
            return true;
        rest = span_tail(rest, n + 1);
    }
    return words[0] == '\0';
}

static void
mark(struct header *h, struct span name, struct span value)
{
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (span_eq_nocase(name, span_str(marks[i].name)) &&
            is_word_of(marks[i].values, span_trim(value)))
            h->marks |= 1U << i;
    }
}

/* Length of the field name at the head of line, 0 when it is not a field
 * (RFC 5322 2.2: printable ASCII without colon; 4.5: blanks may follow).
 * *colon is the index of the colon. */
static size_t
name_length(struct span line, size_t *colon)
{
    size_t n = 0;
    size_t i;

    for (uint8_t c = span_at(line, 0); c > ' ' && c < 0x7f && c != ':';
         c = span_at(line, n))
        n++;
    i = n;
    while (span_at(line, i) == ' ' || span_at(line, i) == '\t')
        i++;
    *colon = i;
    return span_at(line, i) == ':' ? n : 0;
}

static void
open_field(struct header *h, struct span name, struct span value, bool cut)
{
    enum header_field f = field_of(name);

    if (++h->n_fields > HEADER_MAX_fields) {
        odd(h, HEADER_ODD_TOO_MANY_FIELDS);
        return;
    }
    if (f == HEADER_FIELD_COUNT)
        mark(h, name, value);
    if (f == HEADER_FIELD_COUNT || !wants(h, f))
        return;
    h->open = (uint8_t)f;
    buf_span(&h->value, value);
    h->value.cut = h->value.cut || cut;
}

static void
scan_bytes(struct header *h, struct span line)
{
    if (UNLIKELY(span_find(line, '\r') < line.n))
        odd(h, HEADER_ODD_BARE_CR);
    if (UNLIKELY(span_find(line, '\0') < line.n))
        odd(h, HEADER_ODD_NUL_BYTE);
}

/* What is missing is told only where all was seen. */
static void
finish(struct header *h)
{
    static const struct {
        enum header_field f;
        enum header_odd o;
    } needed[] = {
        {HEADER_FROM,       HEADER_ODD_NO_FROM      },
        {HEADER_DATE,       HEADER_ODD_NO_DATE      },
        {HEADER_MESSAGE_ID, HEADER_ODD_NO_MESSAGE_ID},
    };

    close_field(h);
    buf_free(&h->value);
    h->ended = true;
    if (!h->begun || header_is_odd(h, HEADER_ODD_GAP))
        return;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        if (!(h->present & 1U << needed[i].f))
            odd(h, needed[i].o);
    }
}

static enum header_more
not_a_field(struct header *h)
{
    if (!header_is_odd(h, HEADER_ODD_GAP))
        odd(h, HEADER_ODD_NO_END);
    finish(h);
    return HEADER_DONE_NOT_CONSUMED;
}

static void
continuation(struct header *h, struct span line, bool cut)
{
    if (h->open == HEADER_FIELD_COUNT)
        return;
    if (fields[h->open].kind == KIND_TEXT) {
        h->folded = true;
        buf_putc(&h->value, '\n');
    }
    buf_span(&h->value, line);
    h->value.cut = h->value.cut || cut;
}

/* Is it the line that mailbox files put before a message? */
static bool
is_mbox_from(struct span line)
{
    return span_starts(line, SPAN_LIT("From ")) ||
           span_starts(line, SPAN_LIT(">From "));
}

void
header_init(struct header *h, struct charset *charset)
{
    *h = (struct header){.charset = charset, .open = HEADER_FIELD_COUNT};
    buf_init(&h->value, HEADER_MAX_value);
    buf_init(&h->entries, HEADER_MAX_total);
}

void
header_free(struct header *h)
{
    if (h == NULL)
        return;
    buf_free(&h->value);
    buf_free(&h->entries);
}

enum header_more
header_line(struct header *h, struct span line, size_t wire, bool cut)
{
    bool first = !h->begun;
    size_t colon;
    size_t name;

    if (h->ended)
        return HEADER_DONE_NOT_CONSUMED;
    h->begun = true;
    if (line.n == 0 && !cut) {
        finish(h);
        return HEADER_DONE;
    }
    if (span_at(line, 0) == ' ' || span_at(line, 0) == '\t') {
        if (first)
            odd(h, HEADER_ODD_ORPHAN_FOLD);
        continuation(h, line, cut);
    } else if ((name = name_length(line, &colon)) > 0) {
        close_field(h);
        if (colon > name)
            odd(h, HEADER_ODD_SPACE_BEFORE_COLON);
        open_field(h, span_head(line, name), span_tail(line, colon + 1), cut);
    } else if (first && is_mbox_from(line)) {
        odd(h, HEADER_ODD_MBOX_FROM);
    } else {
        return not_a_field(h);
    }
    scan_bytes(h, line);
    h->bytes += wire;
    return HEADER_MORE;
}

void
header_gap(struct header *h)
{
    if (h->ended)
        return;
    h->begun = true;
    odd(h, HEADER_ODD_GAP);
    if (h->open != HEADER_FIELD_COUNT)
        h->value.cut = true;
    close_field(h);
}

void
header_end(struct header *h)
{
    if (h->ended)
        return;
    if (h->begun)
        odd(h, HEADER_ODD_NO_END);
    finish(h);
}

const char *
header_odd_name(enum header_odd o)
{
    return odd_names[o];
}

static void
emit_field(const struct header *h, enum header_field f, struct record_out *out)
{
    struct cursor c = cur_open(buf_view(&h->entries));
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == fields[f].field)
            record_str(out, e.field, e.value);
    }
}

void
header_emit(const struct header *h, struct record_out *out)
{
    if (!h->begun)
        return;
    for (unsigned f = 0; f < HEADER_FIELD_COUNT; f++) {
        if (h->used[f] > 0)
            emit_field(h, (enum header_field)f, out);
    }
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (h->marks >> i & 1U)
            record_text(out, marks[i].field, marks[i].name);
    }
    record_u64(out, FIELD_EMAIL_FIELDS, h->n_fields);
    record_u64(out, FIELD_EMAIL_HEADER_BYTES, h->bytes);
    for (unsigned o = 0; o < HEADER_ODD_NONE; o++) {
        if (header_is_odd(h, (enum header_odd)o))
            record_text(out, FIELD_EMAIL_ANOMALIES,
                        header_odd_name((enum header_odd)o));
    }
}
