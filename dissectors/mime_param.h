#ifndef SPAN25_DISSECTORS_MIME_PARAM_H
#define SPAN25_DISSECTORS_MIME_PARAM_H
/* mime_param - one parameter of a Content-* field, as mail clients read it:
 * RFC 2045 5.1, RFC 2183, RFC 2231, RFC 2047 where it does not belong
 *
 *     mime_values_init(&v);
 *     mime_param_find(charset, value, SPAN_LIT("filename"), true, &v);
 *     for (i = 0; i < v.n; i++)
 *         use(mime_value_text(&v, i));
 *     mime_values_free(&v);
 *
 * A field without oddity gives one value. Else there is one value per way to
 * read it, the likeliest first: RFC 2231 before plain; then comments dropped;
 * then quotes, escapes, blanks and semicolons read otherwise; then the key
 * wherever it stands. Continuations are joined by number and by appearance.
 *
 * At most MIME_VALUES values of MIME_VALUE_MAX bytes: of longer ones head and
 * end are kept, as filename.h has it; later ways are left out.
 * Time is linear in the length of the field, at most some ten passes. */
#include "dissectors/charset.h"

#define MIME_VALUES    10
#define MIME_VALUE_MAX ((size_t)4096)

struct mime_value {
    uint32_t raw, raw_n;   /* as written, without quotes */
    uint32_t text, text_n; /* decoded */
};

struct mime_values {
    struct buf room;
    struct mime_value at[MIME_VALUES];
    unsigned n;
};

void mime_values_init(struct mime_values *v);
void mime_values_free(struct mime_values *v); /* NULL-safe */
void mime_values_reset(struct mime_values *v);

/* Appends the values of key in one field, behind those that are there; equal
 * ones once. value: the field's body with its folds. words: encoded words of
 * RFC 2047 are decoded at once (names), not only as a last resort. */
void mime_param_find(struct charset *cs, struct span value, struct span key,
                     bool words, struct mime_values *out);

/* A value that the caller has found; false when it is there or has no room. */
bool mime_values_add(struct mime_values *v, struct span raw, struct span text);

static inline struct span
mime_value_raw(const struct mime_values *v, unsigned i)
{
    return span_of(v->room.p + v->at[i].raw, v->at[i].raw_n);
}

static inline struct span
mime_value_text(const struct mime_values *v, unsigned i)
{
    return span_of(v->room.p + v->at[i].text, v->at[i].text_n);
}

/* White space of any kind, line ends too. */
bool mime_is_blank(uint8_t c);
struct span mime_trim(struct span s);
/* Appends s without its comments, RFC 5322 3.2.2, nested; quotes count. */
void mime_strip_comments(struct span s, struct buf *out);

#endif
