#include "dissectors/password.h"

#include <string.h>

#include "sensor/base/buf.h"

#define FILLER    48U /* bytes between the word and its separator */
#define VALUE_MIN 3U
#define VALUE_MAX 64U
#define WINDOW    192U /* looked at behind a word */

static const struct span words[] = {
#define X(bytes, language) SPAN_INIT(bytes),
#include "dissectors/password.def"
#undef X
};

/* Verbs between the word and the value. */
static const struct span verbs[] = {
    SPAN_INIT("is"),       SPAN_INIT("ist"),    SPAN_INIT("lautet"),
    SPAN_INIT("est"),      SPAN_INIT("es"),     SPAN_INIT("er"),
    SPAN_INIT("jest"),     SPAN_INIT("wynosi"), SPAN_INIT("\xc3\xa9"),
    SPAN_INIT("\xc3\xa8"), SPAN_INIT("\xe9"),   SPAN_INIT("\xe8"),
};

/* What stands for another character, or, with 0, for none. */
static const struct {
    struct span from;
    uint8_t to;
} others[] = {
    {SPAN_INIT("&nbsp;"),       ' ' },
    {SPAN_INIT("&#160;"),       ' ' },
    {SPAN_INIT("&#xa0;"),       ' ' },
    {SPAN_INIT("&quot;"),       '"' },
    {SPAN_INIT("&#34;"),        '"' },
    {SPAN_INIT("&#39;"),        '\''},
    {SPAN_INIT("&colon;"),      ':' },
    {SPAN_INIT("&#58;"),        ':' },
    {SPAN_INIT("&equals;"),     '=' },
    {SPAN_INIT("&lt;"),         '<' },
    {SPAN_INIT("&gt;"),         '>' },
    {SPAN_INIT("&amp;"),        '&' },
    {SPAN_INIT("&shy;"),        0   },
    {SPAN_INIT("&zwnj;"),       0   },
    {SPAN_INIT("\xc2\xa0"),     ' ' },
    {SPAN_INIT("\xc2\xad"),     0   },
    {SPAN_INIT("\xc2\xab"),     '"' },
    {SPAN_INIT("\xc2\xbb"),     '"' },
    {SPAN_INIT("\xe2\x80\x8b"), 0   },
    {SPAN_INIT("\xe2\x80\x8c"), 0   },
    {SPAN_INIT("\xe2\x80\x8d"), 0   },
    {SPAN_INIT("\xef\xbb\xbf"), 0   },
    {SPAN_INIT("\xe2\x80\x93"), '-' },
    {SPAN_INIT("\xe2\x80\x94"), '-' },
    {SPAN_INIT("\xe2\x80\x98"), '\''},
    {SPAN_INIT("\xe2\x80\x99"), '\''},
    {SPAN_INIT("\xe2\x80\x9c"), '"' },
    {SPAN_INIT("\xe2\x80\x9d"), '"' },
    {SPAN_INIT("\xe2\x80\x9e"), '"' },
    {SPAN_INIT("\xe3\x80\x8c"), '"' },
    {SPAN_INIT("\xe3\x80\x8d"), '"' },
    {SPAN_INIT("\xe3\x80\x80"), ' ' },
    {SPAN_INIT("\xef\xbc\x9a"), ':' },
    {SPAN_INIT("\xef\xbc\x9d"), '=' },
};

/* Tags that end a line. */
static const struct span breaks[] = {
    SPAN_INIT("<br"),   SPAN_INIT("</p"),    SPAN_INIT("</div"),
    SPAN_INIT("</tr"),  SPAN_INIT("</li"),   SPAN_INIT("</h"),
    SPAN_INIT("<p"),    SPAN_INIT("<div"),   SPAN_INIT("</table"),
    SPAN_INIT("</pre"), SPAN_INIT("</bloc"),
};

/* Elements whose content is not shown. */
static const struct {
    struct span open, close;
} unseen[] = {
    {SPAN_INIT("<style"),  SPAN_INIT("</style") },
    {SPAN_INIT("<script"), SPAN_INIT("</script")},
    {SPAN_INIT("<!--"),    SPAN_INIT("-->")     },
};

static uint8_t
low(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool
is_letter(uint8_t c)
{
    return (low(c) >= 'a' && low(c) <= 'z') || c >= 0x80;
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool
is_one_of(const char *set, uint8_t c)
{
    return c != 0 && strchr(set, c) != NULL;
}

/* ---- text without markup, in lower case ---- */

/* A tag, with what it hides, to the end where that is not closed; its length,
 * or 0. A < may stand for itself: where no > follows there are no more tags (in
 * *none). */
static size_t
tag(struct span at, bool *none)
{
    uint8_t next = low(span_at(at, 1));
    size_t end;

    if (*none || !((next >= 'a' && next <= 'z') || next == '/' || next == '!'))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(unseen); i++) {
        if (!span_starts_nocase(at, unseen[i].open))
            continue;
        end = span_search(at, unseen[i].close);
        return end + (end < at.n && next == '!' ? unseen[i].close.n : 0);
    }
    end = span_find(at, '>');
    *none = end == at.n;
    return *none ? 0 : end + 1;
}

static bool
breaks_line(struct span at)
{
    for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
        if (span_starts_nocase(at, breaks[i]))
            return true;
    }
    return false;
}

/* Bytes of at that another character stands for, or 0. */
static size_t
other(struct span at, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (!span_starts_nocase(at, others[i].from))
            continue;
        if (others[i].to != 0)
            buf_putc(out, others[i].to);
        return others[i].from.n;
    }
    return 0;
}

static void
make_plain(struct span text, bool html, struct buf *out)
{
    bool none = !html;

    while (text.n > 0) {
        uint8_t c = span_at(text, 0);
        size_t n = 0;

        if (c == '<') {
            n = tag(text, &none);
            if (n > 0 && breaks_line(text))
                buf_putc(out, '\n');
        } else if ((c == '&' && html) || c >= 0x80) {
            n = other(text, out);
        }
        if (n == 0) {
            n = 1;
            if (c != '\r')
                buf_putc(out, low(c));
        }
        text = span_tail(text, n);
    }
}

/* ---- a value ---- */

/* What comes before it: nothing; a verb or dash; a colon or =. */
enum before { DIRECTLY, LOOSELY, PLAINLY };

static struct span
skip_space(struct span s, bool *line)
{
    while (is_space(span_at(s, 0)) && s.n > 0) {
        *line |= span_at(s, 0) == '\n';
        s = span_tail(s, 1);
    }
    return s;
}

struct value {
    struct span text; /* without quotes and stops around it */
    struct span rest;
    bool quoted;
};

static struct value
take_value(struct span s)
{
    struct value v = {0};
    size_t n = 0;

    while (is_one_of("\"'`*_([{<", span_at(s, 0))) {
        v.quoted = true;
        s = span_tail(s, 1);
    }
    while (n < s.n && !is_space(span_at(s, n)))
        n++;
    v.rest = span_tail(s, n);
    while (n > 0 && is_one_of(".,;:!?)]}>\"'`*_", span_at(s, n - 1)))
        n--;
    v.text = span_head(s, n);
    return v;
}

static bool
is_link(struct span v)
{
    return span_search(v, SPAN_LIT("//")) < v.n ||
           span_starts(v, SPAN_LIT("www.")) || span_find(v, '@') < v.n;
}

/* Digits, and two of the marks that stand in dates and times. */
static bool
is_date(struct span v)
{
    unsigned marks = 0;

    for (size_t i = 0; i < v.n; i++) {
        if (is_one_of("./:-", span_at(v, i)))
            marks++;
        else if (!is_digit(span_at(v, i)))
            return false;
    }
    return marks >= 2;
}

static bool
has_digit(struct span v)
{
    for (size_t i = 0; i < v.n; i++) {
        if (is_digit(span_at(v, i)))
            return true;
    }
    return false;
}

static bool
ends_line(struct span rest)
{
    while (span_at(rest, 0) == ' ' || span_at(rest, 0) == '\t')
        rest = span_tail(rest, 1);
    return rest.n == 0 || span_at(rest, 0) == '\n';
}

static bool
is_value(struct span s, enum before how)
{
    bool line = false;
    struct value v = take_value(skip_space(s, &line));

    if (v.text.n < VALUE_MIN || v.text.n > VALUE_MAX || is_link(v.text) ||
        is_date(v.text))
        return false;
    if (has_digit(v.text))
        return true;
    if (how == DIRECTLY || line)
        return false;
    return v.quoted || (how == PLAINLY && ends_line(v.rest));
}

/* ---- between the word and the value ---- */

static size_t
verb_at(struct span s)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (span_starts(s, verbs[i]) && is_space(span_at(s, verbs[i].n)))
            return verbs[i].n;
    }
    return 0;
}

/* A sentence or a paragraph is over. */
static bool
is_over(struct span s)
{
    uint8_t next = span_at(s, 1);

    if (is_one_of(".!?;", span_at(s, 0)))
        return is_space(next) || next == 0;
    return span_at(s, 0) == '\n' && next == '\n';
}

/* s begins behind a space or the word. */
static bool
gives(struct span s)
{
    bool begins = true;

    if (is_value(s, DIRECTLY))
        return true;
    for (size_t i = 0; i < FILLER && s.n > 0 && !is_over(s); i++) {
        uint8_t c = span_at(s, 0);
        size_t verb = begins ? verb_at(s) : 0;

        if ((c == ':' || c == '=') && is_value(span_tail(s, 1), PLAINLY))
            return true;
        if (begins && c == '-' && is_value(span_tail(s, 1), LOOSELY))
            return true;
        if (verb > 0 && is_value(span_tail(s, verb), LOOSELY))
            return true;
        begins = is_space(c);
        s = span_tail(s, 1);
    }
    return false;
}

static size_t
word_at(struct span s)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_starts(s, words[i]))
            return words[i].n;
    }
    return 0;
}

static bool
search(struct span s)
{
    while (s.n > 0) {
        size_t n = word_at(s);

        if (n == 0) {
            s = span_tail(s, 1);
            continue;
        }
        s = span_tail(s, n);
        while (is_letter(span_at(s, 0)) && s.n > 0)
            s = span_tail(s, 1);
        if (gives(span_head(s, WINDOW)))
            return true;
    }
    return false;
}

bool
password_given(struct span text, bool html)
{
    struct buf plain;
    bool given;

    if (text.n == 0)
        return false;
    buf_init(&plain, text.n);
    if (!buf_grow(&plain, text.n)) /* at once: no copy of it stays behind */
        return false;
    make_plain(text, html, &plain);
    given = search(buf_view(&plain));
    explicit_bzero(plain.p, plain.n);
    buf_free(&plain);
    return given;
}
