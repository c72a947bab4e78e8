#include "dissectors/mime_reading.h"

/* ---- what a header section makes of the body ---- */

void
mime_reading_to_header(struct mime_reading *r)
{
    mime_header_reset(&r->header);
    r->white = r->junk = r->gap = r->hole = r->shadow = false;
    r->want = MIME_WANT_NOTHING;
    r->state = MIME_IN_HEADER;
}

static bool
in_digest(struct mime_reading *r)
{
    return r->n_levels > 0 && mime_level_top(r)->digest;
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
    r->hole = r->gap;
    mime_leaf_begin(m, r);
    if (m->entity.boundaries.n > 0 && r->n_levels < MIME_MAX_depth)
        (void)mime_level_push(m, r, MIME_LEVEL_ARMED);
    mime_header_reset(&r->header);
}

static void
multipart_begins(struct mime *m, struct mime_reading *r)
{
    struct mime_level *l = mime_level_push(m, r, MIME_LEVEL_MULTIPART);

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
    if (m->o.ops->message != NULL &&
        (m->entity.names.n > 0 || m->entity.disposition == MIME_ATTACHMENT)) {
        const struct mime_part p = mime_leaf_of(m, r);

        m->o.ops->message(m->o.ctx, &p);
    }
    (void)mime_level_push(m, r, MIME_LEVEL_MESSAGE);
    r->scope = ++m->n_scopes;
    mime_reading_to_header(r);
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
void
mime_reading_section_ends(struct mime *m, struct mime_reading *r)
{
    if (r->state != MIME_IN_HEADER || !r->header.any)
        return;
    m->body = m->at;
    body_begins(m, r);
}

/* A line that is surely of the section. */
void
mime_reading_field(struct mime *m, struct mime_reading *r, struct span line)
{
    (void)mime_header_line(&r->header, m->mem, line, false);
    m->odd |= r->header.odd;
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
        f = mime_readings_fork(m, r);
    }
    mime_header_reset(&r->header);
    if (f == NULL)
        return;
    mime_bounds_free(m, mime_level_top(f)->bounds);
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

/* The lost boundary of a leaf whose header has a hole: what came before it is a
 * preamble. Only the first of such lines is looked at. */
static struct mime_reading *
adopt_lost(struct mime *m, struct mime_reading *r)
{
    struct span text = mime_trim(vec_view(&r->pending));
    struct mime_reading *f;
    struct mime_level *l;

    r->hole = false;
    if (r->n_levels >= MIME_MAX_depth)
        return NULL;
    mime_note(m, NULL, MIME_ODD_UNDECLARED);
    f = mime_readings_fork_bare(m, r);
    if (f == NULL)
        return NULL;
    mime_note(m, f, MIME_ODD_UNDECLARED);
    mime_values_reset(&m->entity.boundaries);
    (void)mime_values_add(&m->entity.boundaries, text, text);
    f->uu = false;
    f->eol = MIME_EOL_NONE;
    l = mime_level_push(m, f, MIME_LEVEL_MULTIPART);
    l->seen = true;
    l->wild = MIME_NO;
    mime_reading_to_header(f);
    return f;
}

/* A line that nothing declares comes before fields: a boundary to some. */
static struct mime_reading *
adopt(struct mime *m, struct mime_reading *r)
{
    struct span text = mime_trim(vec_view(&r->pending));
    struct mime_reading *f = r;
    struct mime_level *l;

    mime_note(m, r, MIME_ODD_UNDECLARED);
    if (mime_level_top(r)->bounds != NULL) {
        mime_level_top(r)->wild = MIME_NO;
        f = mime_readings_fork(m, r);
    }
    if (f == NULL)
        return NULL;
    mime_values_reset(&m->entity.boundaries);
    (void)mime_values_add(&m->entity.boundaries, text, text);
    l = mime_level_top(f);
    mime_bounds_free(m, l->bounds);
    l->bounds = mime_bounds_new(m, &m->entity.boundaries);
    l->live = l->bounds != NULL;
    l->seen = true;
    l->wild = MIME_NO;
    mime_reading_to_header(f);
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
want_next(struct mime *m, struct mime_reading *r, struct span text,
          enum mime_want what)
{
    r->pending.n = 0;
    r->want = MIME_WANT_NOTHING;
    if (vec_put(&r->pending, m->mem, text.p, text.n))
        r->want = (uint8_t)what;
}

/* The line behind one that was kept; true when it has been dealt with. */
static bool
wanted(struct mime *m, struct mime_reading *r, struct span line)
{
    const enum mime_want want = (enum mime_want)r->want;
    struct mime_reading *f = NULL;

    r->want = MIME_WANT_NOTHING;
    if (want == MIME_WANT_UU) {
        if (r->state == MIME_IN_LEAF && is_uu_line(line))
            mime_leaf_uu(m, r, vec_view(&r->pending));
        return false;
    }
    if (!is_content_line(line))
        return false;
    if (r->state == MIME_IN_LEAF && r->hole)
        f = adopt_lost(m, r);
    else if (r->state == MIME_IN_PREAMBLE)
        f = adopt(m, r);
    if (f != NULL)
        mime_reading_field(m, f, line);
    return f == r;
}

/* May nothing but what is behind it say that a line is a delimiter? */
static bool
is_undeclared(struct mime_reading *r, struct span text)
{
    return ((r->state == MIME_IN_PREAMBLE &&
             mime_level_top(r)->wild != MIME_NO) ||
            (r->state == MIME_IN_LEAF && r->hole)) &&
           text.n <= MIME_MAX_boundary && mime_trim(text).n > 0;
}

/* A line within a body, which is hard or behind a bare CR; its end is whole
 * unless the line is longer than what is looked at. */
static void
body_line(struct mime *m, struct mime_reading *r, struct span whole, bool hard)
{
    struct span line = without_end(whole);

    if (r->want != MIME_WANT_NOTHING && hard && wanted(m, r, line))
        return;
    if (span_starts(line, SPAN_LIT("--"))) {
        struct span text = span_tail(line, 2);

        if (mime_delimiter(m, r, text))
            return;
        if (hard && is_undeclared(r, text))
            want_next(m, r, text, MIME_WANT_FIELD);
    } else if (r->uu && hard && is_uu_begin(line) &&
               line.n <= MIME_MAX_boundary) {
        want_next(m, r, line, MIME_WANT_UU);
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
        f = mime_readings_fork(m, r);
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
    struct mime_reading *f;

    if (!mime_delimiter_is(r, text))
        return false;
    if (span_find(line, ':') < line.n) {
        mime_note(m, r, MIME_ODD_DELIMITER);
        f = mime_readings_fork(m, r);
        if (f != NULL)
            mime_reading_field(m, f, line);
    }
    return mime_delimiter(m, r, text);
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
    r->want = MIME_WANT_NOTHING;
    if (r->state == MIME_IN_LEAF)
        mime_leaf_gap(m, r, lost);
    r->gap = r->state == MIME_IN_HEADER;
}

void
mime_reading_end(struct mime *m, struct mime_reading *r, bool complete)
{
    mime_reading_section_ends(m, r);
    if (r->state == MIME_IN_LEAF)
        mime_leaf_end(m, r, false, !complete);
    while (complete && r->n_levels > 0)
        mime_level_pop(m, r);
}
