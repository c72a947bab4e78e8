#include "dissectors/mime_reading.h"

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

    mime_reading_section_ends(m, r);
    if (r->state == MIME_IN_LEAF)
        mime_leaf_end(m, r, true, false);
    while (r->n_levels > k->level + 1U)
        mime_level_pop(m, r);
    l = mime_level_top(r);
    l->kind = MIME_LEVEL_MULTIPART;
    l->live = k->set;
    l->seen = true;
    l->wild = MIME_NO;
    m->changed = true;
    mime_reading_to_header(r);
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
        f = mime_readings_fork(m, r);
        if (f != NULL)
            accept(m, f, &all->at[i]);
    }
    if (all->n > 1)
        r->levels[all->at[0].level].sure = true;
}

bool
mime_delimiter_is(const struct mime_reading *r, struct span text)
{
    struct matches all;

    match_text(r, text, &all);
    return all.n > 0 &&
           (all.at[0].exact || r->levels[all.at[0].level].lenient == MIME_YES);
}

/* What of a delimiter line is a header line already: some end it at a CR. */
static struct span
behind_cr(struct span text, const struct match *k)
{
    struct span rest = span_tail(text, k->used);
    size_t at = span_find(rest, '\r');

    return span_tail(rest, at + 1);
}

/* The line, "--" and text, as a delimiter. False: it is none for r. When it is
 * one for other clients, another reading has taken it. */
bool
mime_delimiter(struct mime *m, struct mime_reading *r, struct span text)
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
        other = mime_readings_fork(m, r);
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
            mime_reading_field(m, taker, rest);
    }
    return taker == r;
}
