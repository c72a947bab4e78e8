#include "dissectors/mime_reading.h"

/* ---- boundaries, shared by readings ---- */

static struct mime_bounds *
bounds_new(struct mime *m, const struct mime_values *v)
{
    struct mime_bounds *b;
    size_t size = sizeof(*b);
    uint8_t *at;

    for (unsigned i = 0; i < v->n; i++)
        size += span_head(mime_value_text(v, i), MIME_MAX_boundary).n;
    b = mem_new(m->mem, size);
    if (b == NULL) {
        mime_note(m, NULL, MIME_ODD_NO_MEMORY);
        return NULL;
    }
    b->refs = 1;
    b->size = (uint32_t)size;
    b->n = v->n;
    at = (uint8_t *)(b + 1);
    for (unsigned i = 0; i < v->n; i++) {
        struct span s = span_head(mime_value_text(v, i), MIME_MAX_boundary);

        memcpy(at, s.p, s.n);
        b->s[i] = span_of(at, s.n);
        at += s.n;
    }
    return b;
}

static void
bounds_free(struct mime *m, struct mime_bounds *b)
{
    if (b != NULL && --b->refs == 0)
        mem_free(m->mem, b, b->size);
}

/* ---- readings ---- */

static struct mime_level *
top(struct mime_reading *r)
{
    return r->n_levels > 0 ? &r->levels[r->n_levels - 1] : NULL;
}

static void
pop(struct mime *m, struct mime_reading *r)
{
    struct mime_level *l = top(r);

    if (l->kind == MIME_LEVEL_MULTIPART && !l->closed)
        m->odd |= UINT64_C(1) << MIME_ODD_MISSING_END;
    bounds_free(m, l->bounds);
    r->scope = l->scope;
    r->n_levels--;
}

static void
reading_free(struct mime *m, struct mime_reading *r)
{
    if (r == NULL)
        return;
    while (r->n_levels > 0) {
        bounds_free(m, top(r)->bounds);
        r->n_levels--;
    }
    mime_header_free(&r->header, m->mem);
    vec_free(&r->pending, m->mem);
    mem_free(m->mem, r, sizeof(*r));
}

bool
mime_reading_first(struct mime *m)
{
    struct mime_reading *r = mem_new(m->mem, sizeof(*r));

    if (r == NULL)
        return false;
    m->readings[m->n_readings++] = r;
    return true;
}

void
mime_readings_free(struct mime *m)
{
    while (m->n_readings > 0)
        reading_free(m, m->readings[--m->n_readings]);
}

/* Another reading in the same state; NULL when there are enough. */
static struct mime_reading *
fork_reading(struct mime *m, struct mime_reading *r)
{
    struct mime_reading *f;

    if (m->n_readings == MIME_READINGS) {
        mime_note(m, r, MIME_ODD_READINGS_CUT);
        return NULL;
    }
    f = mem_new(m->mem, sizeof(*f));
    if (f == NULL) {
        mime_note(m, r, MIME_ODD_NO_MEMORY);
        return NULL;
    }
    *f = *r;
    f->streams = 0;
    f->pending = (struct vec){0};
    for (unsigned i = 0; i < f->n_levels; i++) {
        if (f->levels[i].bounds != NULL)
            f->levels[i].bounds->refs++;
    }
    if (!mime_header_copy(&r->header, m->mem, &f->header) ||
        !vec_put(&f->pending, m->mem, r->pending.p, r->pending.n))
        mime_note(m, r, MIME_ODD_NO_MEMORY);
    if (m->next_number < UINT8_MAX)
        m->next_number++;
    f->number = m->next_number;
    mime_leaf_fork(m, r, f);
    m->readings[m->n_readings++] = f;
    return f;
}

static bool
same_bounds(const struct mime_bounds *a, const struct mime_bounds *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        if (!span_eq(a->s[i], b->s[i]))
            return false;
    }
    return true;
}

static bool
same_level(const struct mime_level *a, const struct mime_level *b)
{
    return same_bounds(a->bounds, b->bounds) && a->live == b->live &&
           a->kind == b->kind && a->lenient == b->lenient &&
           a->after_end == b->after_end && a->sure == b->sure &&
           a->closed == b->closed;
}

static bool
same_reading(const struct mime_reading *a, const struct mime_reading *b)
{
    if (a->state != b->state || a->state == MIME_IN_LEAF ||
        a->n_levels != b->n_levels || a->header.n != b->header.n ||
        a->header.n > 0 || a->header.any != b->header.any || a->want ||
        b->want || a->shadow != b->shadow)
        return false;
    for (unsigned i = 0; i < a->n_levels; i++) {
        if (!same_level(&a->levels[i], &b->levels[i]))
            return false;
    }
    return true;
}

void
mime_readings_merge(struct mime *m)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->n_readings; i++) {
        struct mime_reading *r = m->readings[i];
        unsigned k = 0;

        while (k < n && !same_reading(m->readings[k], r))
            k++;
        if (k < n || r->dead)
            reading_free(m, r);
        else
            m->readings[n++] = r;
    }
    m->n_readings = (uint8_t)n;
    m->changed = false;
}

/* ---- what a header section makes of the body ---- */

static void
to_header(struct mime_reading *r)
{
    mime_header_reset(&r->header);
    r->white = r->junk = r->gap = r->shadow = r->want = false;
    r->state = MIME_IN_HEADER;
}

/* There is room for one: body_begins has looked. */
static struct mime_level *
push_level(struct mime *m, struct mime_reading *r, enum mime_level_kind kind)
{
    struct mime_level *l = &r->levels[r->n_levels++];

    *l = (struct mime_level){.kind = (uint8_t)kind, .scope = r->scope};
    if (kind == MIME_LEVEL_MESSAGE || m->entity.boundaries.n == 0)
        return l;
    l->bounds = bounds_new(m, &m->entity.boundaries);
    if (l->bounds != NULL)
        l->live = (uint16_t)((1U << l->bounds->n) - 1);
    return l;
}

static bool
in_digest(struct mime_reading *r)
{
    return r->n_levels > 0 && top(r)->digest;
}

/* Text as it is: where it begins is of no matter. */
static bool
is_plain_text(const struct mime_entity *e)
{
    return e->n_kinds == 1 && e->kinds[0] == DECODE_IDENTITY &&
           e->names.n == 0 && e->boundaries.n == 0 &&
           span_starts(e->type, SPAN_LIT("text/"));
}

static void
leaf_begins(struct mime *m, struct mime_reading *r)
{
    if (r->junk && is_plain_text(&m->entity)) {
        r->state = MIME_IN_EPILOGUE;
        r->dead = m->changed = true;
        return;
    }
    r->odd |= r->later;
    m->odd |= r->later;
    r->later = 0;
    r->state = MIME_IN_LEAF;
    mime_leaf_begin(m, r);
    if (m->entity.boundaries.n > 0 && r->n_levels < MIME_MAX_depth)
        (void)push_level(m, r, MIME_LEVEL_ARMED);
    mime_header_reset(&r->header);
}

static void
multipart_begins(struct mime *m, struct mime_reading *r)
{
    struct mime_level *l = push_level(m, r, MIME_LEVEL_MULTIPART);

    l->digest = m->entity.digest;
    if (l->bounds == NULL)
        mime_note(m, r, MIME_ODD_NO_BOUNDARY);
    r->state = MIME_IN_PREAMBLE;
    r->shadow = m->entity.leaf_too;
    m->changed = true;
    if (!r->shadow)
        mime_header_reset(&r->header);
}

static void
message_begins(struct mime *m, struct mime_reading *r)
{
    (void)push_level(m, r, MIME_LEVEL_MESSAGE);
    r->scope = ++m->n_scopes;
    to_header(r);
}

/* The section has ended; the body begins at m->body. */
static void
body_begins(struct mime *m, struct mime_reading *r)
{
    mime_header_read(&r->header, m->o.charset, MIME_VIEW_FIRST, in_digest(r),
                     &m->entity);
    r->leaf_odd = m->entity.odd;
    m->odd |= r->leaf_odd;
    r->white = false;
    if (m->entity.category != MIME_LEAF && r->n_levels >= MIME_MAX_depth) {
        mime_note(m, r, MIME_ODD_TOO_DEEP);
        m->entity.category = MIME_LEAF;
    }
    switch ((enum mime_category)m->entity.category) {
    case MIME_LEAF: leaf_begins(m, r); break;
    case MIME_MULTIPART: multipart_begins(m, r); break;
    case MIME_MESSAGE: message_begins(m, r); break;
    }
}

/* A section without a body: its leaf is empty. */
static void
section_ends(struct mime *m, struct mime_reading *r)
{
    if (r->state != MIME_IN_HEADER || !r->header.any)
        return;
    m->body = m->at;
    body_begins(m, r);
}

/* ---- delimiters ---- */

struct match {
    uint16_t set; /* bits of the level's bounds */
    uint8_t level;
    bool close;
    bool exact;
    size_t used; /* bytes of the text */
};

#define MATCHES_MAX 4

struct matches {
    struct match at[MATCHES_MAX];
    unsigned n;
};

static bool
is_blank_line(struct span s)
{
    return span_trim(s).n == 0;
}

/* How text stands to a boundary. */
static bool
compare(struct span text, struct span boundary, struct match *k)
{
    struct span rest;

    if (!span_starts(text, boundary))
        return false;
    rest = span_tail(text, boundary.n);
    k->exact = is_blank_line(rest);
    k->close = false;
    k->used = boundary.n;
    if (k->exact)
        return true;
    k->close = span_starts(span_trim(rest), SPAN_LIT("--"));
    k->exact = k->close && span_starts(rest, SPAN_LIT("--")) &&
               is_blank_line(span_tail(rest, 2));
    return true;
}

/* Adds what one boundary says to the matches of its level. */
static void
add_match(struct matches *all, struct match k)
{
    for (unsigned i = 0; i < all->n; i++) {
        struct match *o = &all->at[i];

        if (o->level == k.level && o->close == k.close && o->exact == k.exact) {
            o->set |= k.set;
            o->used = o->used > k.used ? o->used : k.used;
            return;
        }
    }
    if (all->n < MATCHES_MAX)
        all->at[all->n++] = k;
}

/* What text, behind the "--", may be: exact matches, innermost first; if none,
 * others (RFC 2046 5.1.1 asks to compare the beginning of the line only). */
static void
match_text(const struct mime_reading *r, struct span text, struct matches *out)
{
    struct matches loose = {.n = 0};

    out->n = 0;
    for (unsigned i = r->n_levels; i-- > 0;) {
        const struct mime_level *l = &r->levels[i];
        unsigned live = l->live;

        for (; live != 0; live &= live - 1) {
            unsigned b = (unsigned)__builtin_ctz(live);
            struct match k = {.set = (uint16_t)(1U << b), .level = (uint8_t)i};

            if (!compare(text, l->bounds->s[b], &k) || (k.close && l->closed))
                continue;
            if (k.exact)
                add_match(out, k);
            else if (l->lenient != MIME_NO)
                add_match(&loose, k);
        }
    }
    if (out->n == 0)
        *out = loose;
}

/* The reading takes the line for this delimiter. */
static void
take(struct mime *m, struct mime_reading *r, const struct match *k)
{
    struct mime_level *l;

    section_ends(m, r);
    if (r->state == MIME_IN_LEAF)
        mime_leaf_end(m, r, true, false);
    while (r->n_levels > k->level + 1U)
        pop(m, r);
    l = top(r);
    l->kind = MIME_LEVEL_MULTIPART;
    l->live = k->set;
    l->seen = true;
    l->wild = MIME_NO;
    m->changed = true;
    to_header(r);
    l->closed = k->close;
    if (k->close)
        r->state = MIME_IN_EPILOGUE;
}

/* May some clients take the line for no delimiter? Says which oddity it is. */
static bool
is_disputed(const struct mime_level *l, const struct match *k,
            enum mime_odd *why)
{
    if (!k->exact && l->lenient != MIME_YES)
        *why = MIME_ODD_DELIMITER;
    else if (l->kind == MIME_LEVEL_ARMED)
        *why = MIME_ODD_TYPES;
    else if (l->closed && l->after_end != MIME_YES)
        *why = MIME_ODD_AFTER_END;
    else if ((l->live & ~k->set) != 0)
        *why = MIME_ODD_BOUNDARIES;
    else
        return false;
    return true;
}

/* The level of a reading for which the line was none. */
static void
refuse(struct mime *m, struct mime_reading *r, const struct match *k,
       enum mime_odd why)
{
    struct mime_level *l = &r->levels[k->level];

    if (why == MIME_ODD_DELIMITER)
        l->lenient = MIME_NO;
    if (why == MIME_ODD_AFTER_END)
        l->after_end = MIME_NO;
    if (why == MIME_ODD_BOUNDARIES || why == MIME_ODD_AFTER_END)
        l->live = (uint16_t)(l->live & ~k->set);
    if (why == MIME_ODD_TYPES)
        l->live = 0;
    m->changed = true;
}

static void
accept(struct mime *m, struct mime_reading *r, const struct match *k)
{
    struct mime_level *l = &r->levels[k->level];

    if (!k->exact)
        l->lenient = MIME_YES;
    if (l->closed)
        l->after_end = MIME_YES;
    take(m, r, k);
}

/* One line, several levels: one reading each, the innermost stays with r. */
static void
fork_levels(struct mime *m, struct mime_reading *r, const struct matches *all)
{
    const struct mime_level *l = &r->levels[all->at[0].level];

    if (l->sure || !all->at[0].exact)
        return;
    for (unsigned i = 1; i < all->n; i++) {
        struct mime_reading *f;

        mime_note(m, r, MIME_ODD_BOUNDARIES);
        f = fork_reading(m, r);
        if (f != NULL)
            accept(m, f, &all->at[i]);
    }
    if (all->n > 1)
        r->levels[all->at[0].level].sure = true;
}

/* What of a delimiter line is a header line already: some end it at a CR. */
static struct span
behind_cr(struct span text, const struct match *k)
{
    struct span rest = span_tail(text, k->used);
    size_t at = span_find(rest, '\r');

    return span_tail(rest, at + 1);
}

/* A line that is surely of the section. */
static void
header_field(struct mime *m, struct mime_reading *r, struct span line)
{
    (void)mime_header_line(&r->header, m->mem, line, false);
    m->odd |= r->header.odd;
}

/* The line, "--" and text, as a delimiter. False: it is none for r. When it is
 * one for other clients, another reading has taken it. */
static bool
delimiter(struct mime *m, struct mime_reading *r, struct span text)
{
    struct matches all;
    const struct match *k = &all.at[0];
    struct mime_reading *taker = r;
    struct mime_reading *other;
    enum mime_odd why;
    bool first;

    match_text(r, text, &all);
    if (all.n == 0)
        return false;
    fork_levels(m, r, &all);
    if (is_disputed(&r->levels[k->level], k, &why)) {
        mime_note(m, r, why);
        other = fork_reading(m, r);
        /* The RFC's boundary is the first; it knows no other delimiters. */
        first = why == MIME_ODD_BOUNDARIES && (k->set & 1) != 0;
        taker = first || (other == NULL && k->exact) ? r : other;
        if (taker != r)
            refuse(m, r, k, why);
        else if (other != NULL)
            refuse(m, other, k, why);
        if (taker == NULL)
            return false;
    }
    accept(m, taker, k);
    if (!k->exact && taker->state == MIME_IN_HEADER) {
        struct span rest = behind_cr(text, k);

        if (rest.n > 0)
            header_field(m, taker, rest);
    }
    return taker == r;
}

/* ---- runs ---- */

/* May the line be the first of data in this encoding? */
static bool
looks_encoded(struct span line, uint8_t kind)
{
    switch ((enum decode_kind)kind) {
    case DECODE_BASE64:
    case DECODE_UU: return span_find(line, ' ') == line.n;
    case DECODE_QP: return span_find(line, '=') < line.n;
    case DECODE_IDENTITY:
    case DECODE_BINHEX:
    case DECODE_KIND_COUNT: break;
    }
    return true;
}

/* A multipart that may be one part has a preamble, of which this is the first
 * line: that is the part, to a reading of its own. */
static void
shadow_leaf(struct mime *m, struct mime_reading *r, struct span line)
{
    struct mime_reading *f = NULL;

    r->shadow = false;
    mime_header_read(&r->header, m->o.charset, MIME_VIEW_LEAF, false,
                     &m->entity);
    if (looks_encoded(mime_trim(line), m->entity.kinds[0])) {
        mime_note(m, r, MIME_ODD_ENCODED_MULTIPART);
        f = fork_reading(m, r);
    }
    mime_header_reset(&r->header);
    if (f == NULL)
        return;
    bounds_free(m, top(f)->bounds);
    f->n_levels--;
    mime_values_reset(&m->entity.boundaries);
    f->leaf_odd = m->entity.odd;
    m->body = m->at;
    leaf_begins(m, f);
    if (f->state == MIME_IN_LEAF)
        mime_leaf_data(m, f, line);
}

/* A line of the body that is nothing else. */
static void
body_data(struct mime *m, struct mime_reading *r, struct span line)
{
    if (r->state == MIME_IN_LEAF)
        mime_leaf_data(m, r, line);
    else if (r->shadow && mime_trim(line).n > 0)
        shadow_leaf(m, r, line);
}

/* ---- body lines ---- */

static struct span
without_end(struct span line)
{
    if (line.n > 0 && span_at(line, line.n - 1) == '\n')
        line.n--;
    if (line.n > 0 && span_at(line, line.n - 1) == '\r')
        line.n--;
    return line;
}

static bool
is_content_line(struct span line)
{
    return span_starts_nocase(line, SPAN_LIT("content-"));
}

/* A line that nothing declares comes before fields: a boundary to some. */
static struct mime_reading *
adopt(struct mime *m, struct mime_reading *r)
{
    struct span text = mime_trim(vec_view(&r->pending));
    struct mime_reading *f = r;
    struct mime_level *l;

    mime_note(m, r, MIME_ODD_UNDECLARED);
    if (top(r)->bounds != NULL) {
        top(r)->wild = MIME_NO;
        f = fork_reading(m, r);
    }
    if (f == NULL)
        return NULL;
    mime_values_reset(&m->entity.boundaries);
    (void)mime_values_add(&m->entity.boundaries, text, text);
    l = top(f);
    bounds_free(m, l->bounds);
    l->bounds = bounds_new(m, &m->entity.boundaries);
    l->live = l->bounds != NULL;
    l->seen = true;
    l->wild = MIME_NO;
    to_header(f);
    return f;
}

static bool
is_octal(uint8_t c)
{
    return c >= '0' && c <= '7';
}

/* "begin 644 name" */
static bool
is_uu_begin(struct span line)
{
    size_t i = 6;

    if (!span_starts(line, SPAN_LIT("begin ")))
        return false;
    while (is_octal(span_at(line, i)))
        i++;
    return i >= 9 && i <= 10 && span_at(line, i) == ' ' && line.n > i + 1;
}

/* A line of uuencoded bytes whose length fits what it says. */
static bool
is_uu_line(struct span line)
{
    size_t n = (span_at(line, 0) - 32U) & 63U;
    size_t need = 1 + (n + 2) / 3 * 4;

    return n > 0 && span_at(line, 0) > 32 && span_at(line, 0) <= 96 &&
           line.n + 2 >= need && line.n <= need + 2;
}

/* Keeps a line whose meaning the next one shows. */
static void
want_next(struct mime *m, struct mime_reading *r, struct span text)
{
    r->pending.n = 0;
    r->want = vec_put(&r->pending, m->mem, text.p, text.n);
}

/* The line behind one that was kept; true when it has been dealt with. */
static bool
wanted(struct mime *m, struct mime_reading *r, struct span line)
{
    struct mime_reading *f;

    r->want = false;
    if (r->state == MIME_IN_LEAF && r->uu && is_uu_line(line)) {
        mime_leaf_uu(m, r, vec_view(&r->pending));
        return false;
    }
    if (r->state != MIME_IN_PREAMBLE || !is_content_line(line))
        return false;
    f = adopt(m, r);
    if (f != NULL)
        header_field(m, f, line);
    return f == r;
}

/* A line within a body, which is hard or behind a bare CR; its end is whole
 * unless the line is longer than what is looked at. */
static void
body_line(struct mime *m, struct mime_reading *r, struct span whole, bool hard)
{
    struct span line = without_end(whole);

    if (r->want && hard && wanted(m, r, line))
        return;
    if (span_starts(line, SPAN_LIT("--"))) {
        struct span text = span_tail(line, 2);

        if (delimiter(m, r, text))
            return;
        if (r->state == MIME_IN_PREAMBLE && hard && top(r)->wild != MIME_NO &&
            text.n <= MIME_MAX_boundary && mime_trim(text).n > 0)
            want_next(m, r, text);
    } else if (r->uu && hard && is_uu_begin(line) &&
               line.n <= MIME_MAX_boundary) {
        want_next(m, r, line);
    }
    body_data(m, r, whole);
}

/* ---- header lines ---- */

static bool
is_mbox_line(struct span line)
{
    return span_starts(line, SPAN_LIT("From ")) ||
           span_starts(line, SPAN_LIT(">From "));
}

/* The body begins with this line. */
static void
body_at(struct mime *m, struct mime_reading *r, struct span whole)
{
    m->body = m->at;
    body_begins(m, r);
    if (r->state == MIME_IN_HEADER) {
        /* A message without a header: what it is made of is its body. */
        body_begins(m, r);
    }
    body_line(m, r, whole, true);
}

/* A line that is no field: some skip it, to others it is of the body. */
static void
junk_line(struct mime *m, struct mime_reading *r, struct span line,
          struct span whole)
{
    struct mime_reading *f;

    if (r->junk || (!r->header.any && is_mbox_line(line)))
        return;
    if (r->header.any && !r->white && !r->gap) {
        f = fork_reading(m, r);
        if (f != NULL) {
            f->junk = true;
            f->later |= UINT64_C(1) << MIME_ODD_HEADER_END;
        }
    }
    body_at(m, r, whole);
}

static void
header_line(struct mime *m, struct mime_reading *r, struct span line,
            struct span whole, bool cut)
{
    switch (mime_header_line(&r->header, m->mem, line, cut)) {
    case MIME_LINE_EMPTY:
        m->body = m->at + whole.n;
        body_begins(m, r);
        break;
    case MIME_LINE_WHITE: r->white = true; break;
    case MIME_LINE_FIELD:
    case MIME_LINE_FOLD: r->white = false; break;
    case MIME_LINE_JUNK:
        if (r->junk && r->white)
            body_at(m, r, whole);
        else
            junk_line(m, r, line, whole);
        break;
    }
    m->odd |= r->header.odd;
}

/* A line of a section may be a delimiter too: RFC 2046 5.1 has them first, to
 * others it is a field when it has a colon. */
static bool
header_delimiter(struct mime *m, struct mime_reading *r, struct span line)
{
    struct span text = span_tail(line, 2);
    struct matches all;
    struct mime_reading *f;

    match_text(r, text, &all);
    if (all.n == 0 ||
        (!all.at[0].exact && r->levels[all.at[0].level].lenient != MIME_YES))
        return false;
    if (span_find(line, ':') < line.n) {
        mime_note(m, r, MIME_ODD_DELIMITER);
        f = fork_reading(m, r);
        if (f != NULL)
            header_field(m, f, line);
    }
    return delimiter(m, r, text);
}

void
mime_reading_line(struct mime *m, struct mime_reading *r, struct span whole,
                  bool hard)
{
    struct span line = without_end(whole);

    if (r->state != MIME_IN_HEADER) {
        body_line(m, r, whole, hard);
        return;
    }
    if (!hard)
        return;
    if (span_starts(line, SPAN_LIT("--")) && r->n_levels > 0 &&
        header_delimiter(m, r, line))
        return;
    header_line(m, r, line, whole,
                line.n == whole.n && whole.n == MIME_MAX_header);
}

void
mime_reading_gap(struct mime *m, struct mime_reading *r, uint64_t lost)
{
    mime_note(m, r, MIME_ODD_GAP);
    r->want = false;
    if (r->state == MIME_IN_LEAF)
        mime_leaf_gap(m, r, lost);
    r->gap = r->state == MIME_IN_HEADER;
}

void
mime_reading_end(struct mime *m, struct mime_reading *r, bool complete)
{
    section_ends(m, r);
    if (r->state == MIME_IN_LEAF)
        mime_leaf_end(m, r, false, !complete);
    while (complete && r->n_levels > 0)
        pop(m, r);
}
