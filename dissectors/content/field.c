#include "dissectors/content/field.h"

#include "dissectors/content/reference.h"
#include "dissectors/content/utf16.h"

static bool
is_blank(uint8_t c)
{
    return c <= ' ' || c == '"';
}

static struct span
skip_blank(struct span s)
{
    while (s.n > 0 && is_blank(span_at(s, 0)))
        s = span_tail(s, 1);
    return s;
}

/* Takes the next word, without quotes around it. */
static struct span
take_word(struct span *s)
{
    struct span from = skip_blank(*s);
    size_t n = 0;

    while (n < from.n && !is_blank(span_at(from, n)))
        n++;
    *s = span_tail(from, n);
    return span_head(from, n);
}

/* In a field's code a backslash stands for itself only when doubled. */
static bool
is_remote_word(struct span w)
{
    enum reference t = reference_of(w);

    return t != REFERENCE_LOCAL && (t != REFERENCE_UNC || w.n > 4);
}

/* LINK class target, INCLUDETEXT target */
static void
judge_link(struct span rest, size_t before, struct findings *out)
{
    for (size_t k = 0; k < before; k++)
        (void)take_word(&rest);
    rest = take_word(&rest);
    if (is_remote_word(rest))
        findings_add_detail(out, FIND_REMOTE_OBJECT, rest);
}

void
field_judge(struct span code, struct findings *out)
{
    struct span rest = code;
    struct span word = take_word(&rest);

    if (span_eq_nocase(word, SPAN_LIT("DDE")) ||
        span_eq_nocase(word, SPAN_LIT("DDEAUTO")))
        findings_add_detail(out, FIND_DDE, skip_blank(code));
    else if (span_eq_nocase(word, SPAN_LIT("LINK")))
        judge_link(rest, 1, out);
    else if (span_eq_nocase(word, SPAN_LIT("INCLUDETEXT")) ||
             span_eq_nocase(word, SPAN_LIT("INCLUDE")))
        judge_link(rest, 0, out);
}

static bool
to_number(struct span w, uint32_t *out)
{
    uint64_t v;

    if (span_starts_nocase(w, SPAN_LIT("0x")) || !span_to_u64(w, &v) ||
        v == 0 || v > 0x10ffff)
        return false;
    *out = (uint32_t)v;
    return true;
}

bool
field_unquote(struct span code, struct buf *out)
{
    struct span rest = code;

    if (!span_eq_nocase(take_word(&rest), SPAN_LIT("QUOTE")))
        return false;
    for (;;) {
        struct span w = take_word(&rest);
        uint32_t c;

        if (w.n == 0)
            return true;
        if (to_number(w, &c))
            utf16_put(out, c);
        else
            buf_span(out, w);
    }
}
