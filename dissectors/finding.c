#include "dissectors/finding.h"

#define HEAD_BYTES 4 /* of a detail: finding, length */

struct row {
    const char *name;
    enum finding_class class;
    const char *doc;
};

static const struct row rows[] = {
#define X(id, name, class, doc) [FIND_##id] = {name, FINDING_##class, doc},
#include "dissectors/finding.def"
#undef X
};

const char *
finding_name(enum finding f)
{
    REQUIRE(f < FINDING_COUNT);
    return rows[f].name;
}

enum finding_class
finding_class_of(enum finding f)
{
    REQUIRE(f < FINDING_COUNT);
    return rows[f].class;
}

const char *
finding_doc(enum finding f)
{
    REQUIRE(f < FINDING_COUNT);
    return rows[f].doc;
}

enum finding
finding_find(struct span name)
{
    for (unsigned f = 0; f < FINDING_COUNT; f++)
        if (span_eq(span_str(rows[f].name), name))
            return (enum finding)f;
    return FINDING_COUNT;
}

void
findings_init(struct findings *s)
{
    *s = (struct findings){0};
    buf_init(&s->details,
             (size_t)FINDING_DETAILS * (HEAD_BYTES + FINDING_DETAIL_MAX));
}

void
findings_free(struct findings *s)
{
    if (s != NULL)
        buf_free(&s->details);
}

void
findings_reset(struct findings *s)
{
    memset(s->set, 0, sizeof(s->set));
    buf_reset(&s->details);
    s->n_details = s->n_left_out = 0;
}

bool
findings_next(struct cursor *c, enum finding *f, struct span *detail)
{
    unsigned id;
    struct span s;

    if (cur_left(c) == 0)
        return false;
    id = cur_le16(c);
    s = cur_take(c, cur_le16(c));
    if (c->bad || id >= FINDING_COUNT || s.n > FINDING_DETAIL_MAX) {
        c->bad = true;
        return false;
    }
    *f = (enum finding)id;
    *detail = s;
    return true;
}

static bool
has_detail(const struct findings *s, enum finding f, struct span detail)
{
    struct cursor c = cur_open(buf_view(&s->details));
    enum finding f2;
    struct span d;

    while (findings_next(&c, &f2, &d))
        if (f2 == f && span_eq(d, detail))
            return true;
    return false;
}

static void
put_le(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_putc(out, (uint8_t)(v >> (8 * i)));
}

void
findings_add_detail(struct findings *s, enum finding f, struct span detail)
{
    struct span d = span_head(detail, FINDING_DETAIL_MAX);

    findings_add(s, f);
    if (d.n == 0 || has_detail(s, f, d))
        return;
    if (s->n_details == FINDING_DETAILS ||
        !buf_grow(&s->details, HEAD_BYTES + d.n)) {
        s->n_left_out++;
        return;
    }
    put_le(&s->details, f, 2);
    put_le(&s->details, d.n, 2);
    buf_span(&s->details, d);
    s->n_details++;
}

void
findings_merge(struct findings *a, const struct findings *b)
{
    struct cursor c = cur_open(buf_view(&b->details));
    enum finding f;
    struct span d;

    for (size_t i = 0; i < ARRAY_LEN(a->set); i++)
        a->set[i] |= b->set[i];
    if (a == b)
        return;
    while (findings_next(&c, &f, &d))
        findings_add_detail(a, f, d);
    a->n_left_out += b->n_left_out;
}

bool
findings_any(const struct findings *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->set); i++)
        if (s->set[i] != 0)
            return true;
    return false;
}

unsigned
findings_classes(const struct findings *s)
{
    unsigned bits = 0;

    if (!findings_any(s)) /* as of nearly all */
        return 0;
    for (unsigned f = 0; f < FINDING_COUNT; f++)
        if (findings_has(s, (enum finding)f))
            bits |= 1U << rows[f].class;
    return bits;
}

/* Bits of the set, left out, bytes of details: all little-endian, then the
 * details as they are kept. */
void
findings_code(const struct findings *s, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(s->set); i++)
        put_le(out, s->set[i], 8);
    put_le(out, s->n_left_out, 4);
    put_le(out, s->details.n, 4);
    buf_span(out, buf_view(&s->details));
}

static bool
read_set(struct cursor *c, struct findings *s)
{
    const unsigned last = FINDING_COUNT % 64;

    for (size_t i = 0; i < ARRAY_LEN(s->set); i++)
        s->set[i] = cur_le64(c);
    if (last == 0 || s->set[ARRAY_LEN(s->set) - 1] >> last == 0)
        return !c->bad;
    s->set[ARRAY_LEN(s->set) - 1] &= (UINT64_C(1) << last) - 1;
    return false;
}

bool
findings_read(struct cursor *c, struct findings *s)
{
    struct cursor details;
    enum finding f;
    struct span d;
    uint32_t left_out;

    findings_reset(s);
    if (!read_set(c, s))
        return false;
    left_out = cur_le32(c);
    details = cur_open(cur_take(c, cur_le32(c)));
    while (findings_next(&details, &f, &d)) {
        if (!findings_has(s, f) || d.n == 0 || s->n_details == FINDING_DETAILS)
            return false;
        findings_add_detail(s, f, d);
    }
    if (c->bad || details.bad)
        return false;
    s->n_left_out += left_out;
    return true;
}
