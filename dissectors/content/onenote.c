#include "dissectors/content/onenote.h"

#include "dissectors/content/byte_in.h"

#include "sensor/base/attr.h"

#define HEAD_BYTES 36 /* GUID, length, eight bytes unused */
#define NAME_MIN   4  /* characters with the end: a.b */
#define NAME_MAX   260

static const struct span object = SPAN_INIT(
    "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac");

struct name {
    uint16_t n;
    uint8_t text[NAME_MAX];
};

struct section {
    struct inspection *i;
    const struct content_item *item;
    size_t n_names;
    size_t n_objects;
    struct name names[ONENOTE_NAMES];
};

/* ---- names ---- */

/* Narrow text of a UTF-16 string with a dot, that ends in its only zero. */
static bool
read_name(struct span s, struct name *out)
{
    bool dot = false;
    size_t n = s.n / 2 - 1;

    for (size_t k = 0; k < n; k++) {
        const uint8_t low = span_at(s, 2 * k);
        const uint8_t high = span_at(s, 2 * k + 1);

        if ((high == 0 && low < 0x20) || byte_in(low, SPAN_LIT("<>|\"*?")))
            return false;
        dot = dot || (low == '.' && high == 0 && k > 0 && k + 1 < n);
        out->text[k] = high == 0 ? low : '?';
    }
    out->n = (uint16_t)n;
    return dot && span_at(s, 2 * n) == 0 && span_at(s, 2 * n + 1) == 0;
}

static bool
has_short_extension(const struct name *n)
{
    struct span e = filename_extension(span_of(n->text, n->n));

    return e.n > 0 && e.n <= 18 && span_find(e, ' ') == e.n;
}

/* The name stands twice in some files. */
static bool
is_known(const struct section *s, const struct name *n)
{
    for (size_t k = 0; k < s->n_names; k++)
        if (span_eq(span_of(s->names[k].text, s->names[k].n),
                    span_of(n->text, n->n)))
            return true;
    return false;
}

static void
find_names(struct section *s)
{
    struct span in = s->item->bytes;
    size_t at = 0;

    while (at + 4 < in.n && s->n_names < ONENOTE_NAMES) {
        struct cursor c = cur_open(span_tail(in, at));
        const uint32_t n = cur_le32(&c);
        struct name *out = &s->names[s->n_names];

        at++;
        if (n < 2 * NAME_MIN || n > 2 * NAME_MAX || n % 2 != 0 ||
            n > cur_left(&c) || span_at(c.in, 5) != 0)
            continue;
        if (!read_name(cur_take(&c, n), out) || !has_short_extension(out))
            continue;
        at += 3 + n;
        if (span_find(span_of(out->text, out->n), '\\') == out->n &&
            !is_known(s, out))
            s->n_names++;
    }
}

/* ---- files ---- */

static bool
is_forbidden(enum filetype t)
{
    switch (filetype_group_of(t)) {
    case FILETYPE_GROUP_PROGRAM:
    case FILETYPE_GROUP_SCRIPT:
    case FILETYPE_GROUP_LINK:
    case FILETYPE_GROUP_IMAGE:
    case FILETYPE_GROUP_MARKUP: return true;
    case FILETYPE_GROUP_OTHER:
    case FILETYPE_GROUP_TEXT:
    case FILETYPE_GROUP_MEDIA:
    case FILETYPE_GROUP_DOCUMENT:
    case FILETYPE_GROUP_ARCHIVE:
    case FILETYPE_GROUP_MAIL: break;
    }
    return false;
}

static void
note(struct section *s, enum finding f, struct span detail)
{
    findings_add_detail(inspection_findings(s->i), f, detail);
}

/* The data at `at`, of announced length n. Objects within objects share their
 * bytes: each is paid for. */
static bool
add_object(struct section *s, size_t at, uint64_t n, struct span name)
{
    struct span data = span_tail(s->item->bytes, at);
    enum filetype t;

    data = span_head(data, n < data.n ? (size_t)n : data.n);
    t = filetype_detect(data, SPAN_NONE, n, NULL);
    if (filetype_group_of(t) == FILETYPE_GROUP_MEDIA)
        return true;
    note(s, FIND_ONENOTE_FILE, span_str(filetype_name(t)));
    if (is_forbidden(t))
        note(s, FIND_ONENOTE_FORBIDDEN, span_str(filetype_name(t)));
    return inspection_spend(s->i, data.n) &&
           inspection_add(s->i, s->item, name,
                          data.n > 0 ? data : span_of("", 0), n, false);
}

static size_t
next_object(struct span in, size_t at)
{
    return at + span_search(span_tail(in, at), object);
}

static void
count_objects(struct section *s)
{
    struct span in = s->item->bytes;

    for (size_t at = next_object(in, 0); at < in.n;
         at = next_object(in, at + object.n))
        s->n_objects++;
}

static void
add_objects(struct section *s)
{
    struct span in = s->item->bytes;
    size_t k = 0;
    bool more = true;

    for (size_t at = next_object(in, 0); at < in.n && more;
         at = next_object(in, at + object.n), k++) {
        struct cursor c = cur_open(span_tail(in, at));
        struct span name = SPAN_NONE;
        uint64_t n;

        cur_skip(&c, object.n);
        n = cur_le64(&c);
        if (s->n_names == s->n_objects && k < s->n_names)
            name = span_of(s->names[k].text, s->names[k].n);
        more = inspection_spend_objects(s->i, 1) &&
               add_object(s, at + HEAD_BYTES, n, name);
    }
}

/* ---- the other packaging ---- */

#define PACKED_AT 48 /* of the format's GUID in the head */

static const struct span packed = SPAN_INIT(
    "\x2f\xe9\x8d\x63\xd4\xa6\xc1\x4b\x9a\x36\xb3\xfc\x25\x11\xa5\xb7");

/* How files begin that are looked for there. */
static const struct span heads[] = {
    SPAN_INIT("MZ"),
    SPAN_INIT("PK\3\4"),
    SPAN_INIT("L\0\0\0\1\x14\2"),
    SPAN_INIT("%PDF-"),
    SPAN_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    SPAN_INIT("<html"),
    SPAN_INIT("<HTML"),
    SPAN_INIT("<script"),
    SPAN_INIT("<job"),
    SPAN_INIT("@echo"),
};

static bool
begins(struct span s)
{
    for (size_t k = 0; k < ARRAY_LEN(heads); k++)
        if (span_starts(s, heads[k]))
            return true;
    return false;
}

/* [MS-FSSHTTPB] 2.2.1.1: a number of w bytes, whose lowest w bits are a one
 * above zeros, ends at `at`. 0 when there is none. */
static uint64_t
length_before(struct span in, size_t at, unsigned w)
{
    uint64_t v = 0;

    if (at < w)
        return 0;
    for (unsigned k = 0; k < w; k++)
        v |= (uint64_t)in.p[at - w + k] << (8 * k);
    return (v & ((1U << w) - 1)) == 1U << (w - 1) ? v >> w : 0;
}

static uint64_t
packed_length(struct span in, size_t at)
{
    for (unsigned w = 2; w <= 4; w++) {
        const uint64_t n = length_before(in, at, w);

        if (n >= 32 && n <= in.n - at)
            return n;
    }
    return 0;
}

static void
add_packed(struct section *s)
{
    struct span in = s->item->bytes;
    struct span name = SPAN_NONE;

    if (s->n_names == 1)
        name = span_of(s->names[0].text, s->names[0].n);
    for (size_t at = 2; at < in.n; at++) {
        const uint64_t n =
            begins(span_tail(in, at)) ? packed_length(in, at) : 0;

        if (n == 0)
            continue;
        s->n_objects++;
        if (!inspection_spend_objects(s->i, 1) || !add_object(s, at, n, name))
            return;
        at += n - 1;
    }
}

static bool
is_packed(struct span in)
{
    return span_starts(span_tail(in, PACKED_AT), packed);
}

static void
judge_names(struct section *s)
{
    for (size_t k = 0; k < s->n_names; k++) {
        struct span name = span_of(s->names[k].text, s->names[k].n);

        if (filename_risk(filename_extension(name)) == EXTENSION_FORBIDDEN)
            note(s, FIND_ONENOTE_FORBIDDEN, name);
    }
}

static void
onenote_inspect(struct inspection *i, const struct content_item *item)
{
    struct section *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        findings_add(inspection_findings(i), FIND_INSPECTION_LIMIT);
        return;
    }
    s->i = i;
    s->item = item;
    count_objects(s);
    if (s->n_objects > 0 || is_packed(item->bytes))
        find_names(s);
    if (is_packed(item->bytes))
        add_packed(s);
    add_objects(s);
    if (s->n_objects > 0)
        judge_names(s);
    free(s);
}

static bool
onenote_wants(const struct content_item *item)
{
    struct span e = filename_extension(item->name);

    return item->type == FILETYPE_ONENOTE || span_eq_nocase(e, SPAN_LIT("one"));
}

const struct inspector onenote_inspector = {
    .name = "onenote",
    .wants = onenote_wants,
    .inspect = onenote_inspect,
};
