#include "dissectors/url.h"

/* ---- sets ---- */

void
url_set_init(struct url_set *s)
{
    *s = (struct url_set){0};
    buf_init(&s->text, (size_t)URL_MAX * (URL_LEN + 2));
}

void
url_set_free(struct url_set *s)
{
    if (s != NULL)
        buf_free(&s->text);
}

bool
url_next(struct cursor *c, struct span *url)
{
    struct span s;

    if (cur_left(c) == 0)
        return false;
    s = cur_take(c, cur_le16(c));
    if (c->bad)
        return false;
    *url = s;
    return true;
}

static bool
is_kept(const struct url_set *s, struct span url)
{
    struct cursor c = cur_open(buf_view(&s->text));
    struct span u;

    while (url_next(&c, &u))
        if (span_eq(u, url))
            return true;
    return false;
}

void
url_set_add(struct url_set *s, struct span url)
{
    struct span u = span_head(url, URL_LEN);

    if (u.n == 0)
        return;
    if (s->n == URL_MAX) {
        s->n_more++;
        return;
    }
    if (is_kept(s, u))
        return;
    if (!buf_grow(&s->text, u.n + 2)) {
        s->n_more++;
        return;
    }
    buf_putc(&s->text, (uint8_t)u.n);
    buf_putc(&s->text, (uint8_t)(u.n >> 8));
    buf_span(&s->text, u);
    s->n++;
}

/* ---- characters ---- */

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool
is_alnum(uint8_t c)
{
    uint8_t l = lower(c);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_slash(uint8_t c)
{
    return c == '/' || c == '\\';
}

/* What a byte is to a URL. */
enum {
    ENDS = 1,  /* no URL goes on behind it */
    MARK = 2,  /* cut_wide, cut_marks or unescape_slashes look for it */
    QUOTE = 4, /* ends one that began behind it */
};

/* clang-format off */
static const uint8_t classes[256] = {
#define E ENDS
#define M MARK
#define Q QUOTE
#define ALL8(x) x, x, x, x, x, x, x, x
    ALL8(E), ALL8(E), ALL8(E), ALL8(E),
    E, 0, E, 0, 0, 0, 0, Q, M, M, 0, 0, 0, 0, 0, 0, /* blank to / */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, E, 0, E, 0, /* 0 to ? */
    ALL8(0), ALL8(0),
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, M, M, M, E, 0, /* P to _ */
    E, 0, 0, 0, 0, 0, 0, 0, ALL8(0),
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, E, E, E, 0, E, /* p to DEL */
    ALL8(0), ALL8(0), ALL8(0), ALL8(0), ALL8(0), ALL8(0), ALL8(0), ALL8(0),
    0, 0, M, M, M, M, M, M, ALL8(M), /* what begins a character, UTF-8 */
    ALL8(M), ALL8(M), ALL8(M), ALL8(M), ALL8(M), ALL8(M),
#undef ALL8
#undef E
#undef M
#undef Q
};
/* clang-format on */

static bool
ends_url(uint8_t c)
{
    return (classes[c] & ENDS) != 0;
}

/* ---- schemes ---- */

enum kind {
    NOTHING,
    WEB,  /* "//" and a host */
    WWW,  /* a host that has begun with "www." */
    PATH, /* slashes and something */
    ANY,  /* something */
    UNC,  /* a host, a backslash and a share */
};

static const struct scheme {
    struct span name;
    enum kind kind;
} schemes[] = {
    {SPAN_INIT("http"),      WEB },
    {SPAN_INIT("https"),     WEB },
    {SPAN_INIT("ftp"),       WEB },
    {SPAN_INIT("file"),      PATH},
    {SPAN_INIT("smb"),       PATH},
    {SPAN_INIT("search-ms"), ANY },
};

static bool
ends_with_nocase(struct span s, struct span end)
{
    return s.n >= end.n && span_eq_nocase(span_tail(s, s.n - end.n), end);
}

/* The letters, digits and hyphens at the end of s. */
static struct span
last_word(struct span s)
{
    size_t n = s.n;

    while (n > 0 && (is_alnum(s.p[n - 1]) || s.p[n - 1] == '-'))
        n--;
    return span_tail(s, n);
}

/* Bytes of the scheme that s ends with, and what it is. */
static size_t
find_scheme(struct span s, enum kind *kind)
{
    struct span word = last_word(s);

    for (size_t i = 0; word.n > 0 && i < ARRAY_LEN(schemes); i++) {
        size_t n = schemes[i].name.n;

        if (schemes[i].name.p[n - 1] == lower(word.p[word.n - 1]) &&
            ends_with_nocase(word, schemes[i].name) &&
            (word.n == n || word.p[word.n - n - 1] == '-')) {
            *kind = schemes[i].kind;
            return n;
        }
    }
    if (word.n < 4 || !span_starts_nocase(word, SPAN_LIT("ms-")))
        return 0;
    *kind = ANY;
    return word.n;
}

/* ---- the end of a URL ---- */

/* Quotes, blanks and marks beyond ASCII behind which prose goes on: U+00A0, «
 * and », U+2000 to U+206F but hyphens, U+3000 to U+303F, full-width forms. */
static bool
ends_url_wide(struct span s)
{
    uint8_t a = span_at(s, 0);
    uint8_t b = span_at(s, 1);
    uint8_t c = span_at(s, 2);

    if (a == 0xc2)
        return b == 0xa0 || b == 0xab || b == 0xbb;
    if (a == 0xe2)
        return (b == 0x80 && (c < 0x90 || c > 0x95)) || b == 0x81;
    return (a == 0xe3 && b == 0x80) || (a == 0xef && (b == 0xbc || b == 0xbd));
}

static struct span
cut_wide(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 0xc2 && ends_url_wide(span_tail(s, i)))
            return span_head(s, i);
    return s;
}

static size_t
count(struct span s, uint8_t c)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

static bool
is_mark(uint8_t c)
{
    return c == '.' || c == ',' || c == ';' || c == ':' || c == '!' ||
           c == '?' || c == '\'' || c == '*' || c == '~' || c == '\\';
}

/* Without what ends the sentence rather than the URL. Brackets are counted once
 * and as they go. */
static struct span
cut_marks(struct span s)
{
    size_t round = count(s, ')') - count(s, '(');
    size_t square = count(s, ']') - count(s, '[');

    while (s.n > 0) {
        uint8_t last = s.p[s.n - 1];

        if (last == ')' && round > 0 && round <= s.n)
            round--;
        else if (last == ']' && square > 0 && square <= s.n)
            square--;
        else if (!is_mark(last))
            break;
        s.n--;
    }
    return s;
}

static struct span
cut_blanks(struct span s)
{
    while (s.n > 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

/* In place: "\/" of scripts is "/". */
static void
unescape_slashes(struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        if (b->p[i] == '\\' && i + 1 < b->n && b->p[i + 1] == '/')
            continue;
        b->p[n++] = b->p[i];
    }
    b->n = n;
}

/* ---- is it one ---- */

/* Can a host begin so? */
static bool
begins_host(struct span s)
{
    uint8_t c = span_at(s, 0);

    return is_alnum(c) || c == '[' || c == '%' || c == '_' || c >= 0x80;
}

static struct span
without_slashes(struct span s)
{
    while (s.n > 0 && is_slash(s.p[0]))
        s = span_tail(s, 1);
    return s;
}

static struct span
behind_colon(struct span s)
{
    return span_tail(s, span_find(s, ':') + 1);
}

static bool
is_web(struct span s)
{
    return begins_host(without_slashes(behind_colon(s)));
}

/* "www.x.y": a second dot with letters on both sides. */
static bool
is_www(struct span s)
{
    struct span name = span_tail(s, 4);
    size_t dot = span_find(name, '.');

    return dot > 0 && begins_host(name) && is_alnum(span_at(name, dot + 1)) &&
           is_alnum(span_at(name, dot + 2)) &&
           span_find(span_head(name, dot), '/') == dot;
}

static bool
is_path(struct span s)
{
    return without_slashes(behind_colon(s)).n > 0;
}

static bool
is_any(struct span s)
{
    return behind_colon(s).n > 0;
}

static bool
is_host_byte(uint8_t c)
{
    return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '@' ||
           c == '%' || c >= 0x80;
}

static bool
is_unc(struct span s)
{
    size_t n = 2;

    while (n < s.n && is_host_byte(s.p[n]))
        n++;
    return n > 2 && is_alnum(span_at(s, 2)) && span_at(s, n) == '\\' &&
           span_at(s, n + 1) > ' ' && span_at(s, n + 1) != '\\';
}

static bool (*const is_url[])(struct span s) = {
    [WEB] = is_web, [WWW] = is_www, [PATH] = is_path,
    [ANY] = is_any, [UNC] = is_unc,
};

/* ---- one that has begun ---- */

static void
drop(struct url_scan *u)
{
    u->kind = NOTHING;
    buf_reset(&u->tail);
}

static bool
is_vocabulary(struct span s)
{
    static const struct span heads[] = {
        SPAN_INIT("http://www.w3.org/1999/"),
        SPAN_INIT("http://www.w3.org/2000/"),
        SPAN_INIT("http://www.w3.org/2001/"),
        SPAN_INIT("http://www.w3.org/TR/"),
        SPAN_INIT("https://www.w3.org/TR/"),
        SPAN_INIT("http://schemas.microsoft.com/"),
        SPAN_INIT("http://schemas.openxmlformats.org/"),
        SPAN_INIT("http://purl.org/dc/"),
    };

    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (span_starts(s, heads[i]))
            return true;
    return false;
}

/* The URL without what belongs to the text around it. */
static struct span
cut_end(const struct url_scan *u, struct span s)
{
    if (u->attribute)
        return cut_blanks(s);
    if (u->tail.cut)
        return s;
    if (u->marked)
        return cut_marks(cut_wide(s));
    while (s.n > 0 && is_mark(s.p[s.n - 1]))
        s.n--;
    return s;
}

static void
finish(struct url_scan *u)
{
    struct span s;

    if (u->kind == WEB && u->marked)
        unescape_slashes(&u->tail);
    s = cut_end(u, buf_view(&u->tail));
    if (is_url[u->kind](s) && !is_vocabulary(s))
        url_set_add(u->set, s);
    drop(u);
}

static void
begin(struct url_scan *u, enum kind kind, struct span head, struct span before)
{
    uint8_t quote = span_at(before, before.n - 1);

    u->kind = (uint8_t)kind;
    u->quote = quote == '\'' || quote == '"' ? quote : 0;
    u->attribute =
        u->html && u->quote != 0 && span_at(before, before.n - 2) == '=';
    u->fresh = true;
    u->marked = kind == UNC;
    buf_span(&u->tail, head);
}

/* May c come first behind the colon? */
static bool
may_follow(const struct url_scan *u, uint8_t c)
{
    if (u->kind == WEB && u->attribute)
        return is_slash(c) || is_alnum(c);
    return (u->kind != WEB && u->kind != PATH) || is_slash(c);
}

/* How many bytes surely belong to the URL; *seen gets their classes. */
static size_t
plain_run(struct span s, uint8_t *seen)
{
    uint8_t all = 0;
    size_t i = 0;

    while (i < s.n && (classes[s.p[i]] & (ENDS | QUOTE)) == 0)
        all |= classes[s.p[i++]];
    *seen = all;
    return i;
}

/* Takes bytes of the URL that has begun; gives how many. */
static size_t
go_on(struct url_scan *u, struct span in)
{
    size_t i = 0;

    while (i < in.n) {
        uint8_t c = in.p[i];
        uint8_t seen;
        size_t n;

        if (u->fresh && !may_follow(u, c)) {
            drop(u);
            return i;
        }
        if (u->attribute && (c == '\r' || c == '\n' || c == '\t')) {
            i++;
            continue;
        }
        if (c == u->quote || (ends_url(c) && !(u->attribute && c == ' '))) {
            finish(u);
            return i;
        }
        n = 1 + plain_run(span_tail(in, i + 1), &seen);
        u->fresh = false;
        u->marked = u->marked || ((seen | classes[c]) & MARK) != 0;
        buf_put(&u->tail, in.p + i, n);
        i += n;
    }
    return in.n;
}

/* ---- where one may begin ---- */

/* The bytes before in.p[at], some of them of earlier pieces. */
static struct span
look_back(const struct url_scan *u, struct span in, size_t at,
          uint8_t room[URL_BACK])
{
    size_t old = URL_BACK - at;

    if (at >= URL_BACK)
        return span_of(in.p + at - URL_BACK, URL_BACK);
    old = old < u->n_back ? old : u->n_back;
    if (old > 0)
        memcpy(room, u->back + u->n_back - old, old);
    if (at > 0)
        memcpy(room + old, in.p, at);
    return span_of(room, old + at);
}

static void
remember(struct url_scan *u, struct span in)
{
    uint8_t room[URL_BACK];
    struct span s = look_back(u, in, in.n, room);

    if (s.n > 0)
        memcpy(u->back, s.p, s.n);
    u->n_back = (uint8_t)s.n;
}

static void
at_colon(struct url_scan *u, struct span before)
{
    uint8_t head[URL_BACK + 1];
    enum kind kind;
    size_t n = find_scheme(before, &kind);

    if (n == 0)
        return;
    memcpy(head, before.p + before.n - n, n);
    head[n] = ':';
    begin(u, kind, span_of(head, n + 1), span_head(before, before.n - n));
}

static void
at_dot(struct url_scan *u, struct span before)
{
    struct span front = span_head(before, before.n - 3);
    uint8_t last;

    if (before.n < 3 || !ends_with_nocase(before, SPAN_LIT("www")))
        return;
    last = span_at(front, front.n - 1);
    if (is_alnum(last) || last == '.' || last == '-' || last == '@' ||
        last == '_' || last >= 0x80)
        return;
    begin(u, WWW, SPAN_LIT("www."), front);
    u->fresh = false;
}

/* The second of two, at the beginning of a word. */
static void
at_backslash(struct url_scan *u, struct span before)
{
    struct span front = span_head(before, before.n - 1);
    uint8_t last = span_at(front, front.n - 1);

    if (span_at(before, before.n - 1) != '\\')
        return;
    if (last > ' ' && last != '"' && last != '\'' && last != '(' &&
        last != '<' && last != '>' && last != '=' && last != ',' && last != ';')
        return;
    begin(u, UNC, SPAN_LIT("\\\\"), front);
    u->fresh = false;
}

/* Only behind these bytes a sign may begin something. */
static bool
is_sign(uint8_t before, uint8_t c)
{
    return c == ':' || (c == '.' && (before | 0x20) == 'w') ||
           (c == '\\' && before == '\\');
}

#if defined(__SSE2__)
#include <emmintrin.h>

/* Of sixteen places, those with a sign; p has a byte before them. */
static unsigned
signs_at(const uint8_t *p)
{
    const __m128i backslash = _mm_set1_epi8('\\');
    __m128i before = _mm_loadu_si128((const void *)(p - 1));
    __m128i here = _mm_loadu_si128((const void *)p);
    __m128i www = _mm_cmpeq_epi8(_mm_or_si128(before, _mm_set1_epi8(0x20)),
                                 _mm_set1_epi8('w'));
    __m128i dot = _mm_cmpeq_epi8(here, _mm_set1_epi8('.'));
    __m128i two = _mm_and_si128(_mm_cmpeq_epi8(before, backslash),
                                _mm_cmpeq_epi8(here, backslash));
    __m128i colon = _mm_cmpeq_epi8(here, _mm_set1_epi8(':'));

    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(_mm_or_si128(colon, two), _mm_and_si128(www, dot)));
}

/* Index behind at of a place that is before the next sign, or its own. */
static size_t
skip_signless(struct span in, size_t at)
{
    for (; at + 16 <= in.n; at += 16) {
        unsigned mask = signs_at(in.p + at);

        if (mask != 0)
            return at + (unsigned)__builtin_ctz(mask);
    }
    return at;
}
#else
static size_t
skip_signless(struct span in, size_t at)
{
    (void)in;
    return at;
}
#endif

/* Index of the next sign at or behind at, or in.n. */
static size_t
next_sign(const struct url_scan *u, struct span in, size_t at)
{
    uint8_t before = u->n_back > 0 ? u->back[u->n_back - 1] : 0;

    if (at == 0 && is_sign(before, in.p[at]))
        return at;
    at = skip_signless(in, at > 0 ? at : 1);
    while (at < in.n && !is_sign(in.p[at - 1], in.p[at]))
        at++;
    return at < in.n ? at : in.n;
}

static void
at_sign(struct url_scan *u, uint8_t c, struct span before)
{
    if (c == ':')
        at_colon(u, before);
    else if (c == '.')
        at_dot(u, before);
    else
        at_backslash(u, before);
}

static void
scan(struct url_scan *u, struct span in)
{
    uint8_t room[URL_BACK];
    size_t at = 0;

    while (at < in.n) {
        size_t next;

        if (u->kind != NOTHING)
            at += go_on(u, span_tail(in, at));
        if (at == in.n)
            break;
        next = next_sign(u, in, at);
        if (next == in.n)
            break;
        at_sign(u, in.p[next], look_back(u, in, next, room));
        at = next + 1;
    }
    remember(u, in);
}

/* ---- character references ---- */

static const struct name {
    struct span name;
    uint8_t c;
} names[] = {
    {SPAN_INIT("amp"),     '&' },
    {SPAN_INIT("AMP"),     '&' },
    {SPAN_INIT("lt"),      '<' },
    {SPAN_INIT("gt"),      '>' },
    {SPAN_INIT("quot"),    '"' },
    {SPAN_INIT("apos"),    '\''},
    {SPAN_INIT("nbsp"),    ' ' },
    {SPAN_INIT("colon"),   ':' },
    {SPAN_INIT("sol"),     '/' },
    {SPAN_INIT("bsol"),    '\\'},
    {SPAN_INIT("period"),  '.' },
    {SPAN_INIT("Tab"),     '\t'},
    {SPAN_INIT("NewLine"), '\n'},
    {SPAN_INIT("quest"),   '?' },
    {SPAN_INIT("equals"),  '=' },
    {SPAN_INIT("num"),     '#' },
    {SPAN_INIT("commat"),  '@' },
    {SPAN_INIT("percnt"),  '%' },
    {SPAN_INIT("lowbar"),  '_' },
    {SPAN_INIT("hyphen"),  '-' },
};

/* The character of a number, in UTF-8; 0 bytes for none. */
static size_t
encode(uint32_t c, uint8_t out[4])
{
    if (c == 0xa0)
        c = ' ';
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

/* Value of a hexadecimal digit, or 16. */
static uint32_t
hex(uint8_t c)
{
    uint8_t l = lower(c);

    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    return l >= 'a' && l <= 'f' ? (uint32_t)(l - 'a') + 10 : 16;
}

/* "#58" or "#x3a" */
static size_t
decode_number(struct span s, uint8_t out[4])
{
    bool is_hex = lower(span_at(s, 1)) == 'x';
    uint32_t base = is_hex ? 16 : 10;
    uint32_t c = 0;

    s = span_tail(s, is_hex ? 2 : 1);
    for (size_t i = 0; i < s.n; i++) {
        uint32_t d = hex(s.p[i]);

        if (d >= base)
            return 0;
        c = c > 0x10ffff ? c : c * base + d;
    }
    return s.n > 0 ? encode(c, out) : 0;
}

static size_t
decode_ref(struct span s, bool closed, uint8_t out[4])
{
    if (span_at(s, 0) == '#')
        return decode_number(s, out);
    for (size_t i = 0; closed && i < ARRAY_LEN(names); i++) {
        if (span_eq(s, names[i].name)) {
            out[0] = names[i].c;
            return 1;
        }
    }
    return 0;
}

/* ref has '&' and what followed; with closed a ';' came. */
static void
end_ref(struct url_scan *u, bool closed)
{
    uint8_t out[4];
    struct span ref = span_of(u->ref, u->n_ref);
    size_t n = decode_ref(span_tail(ref, 1), closed, out);

    if (n > 0) {
        scan(u, span_of(out, n));
    } else {
        scan(u, ref);
        if (closed)
            scan(u, SPAN_LIT(";"));
    }
    u->n_ref = 0;
}

/* Does c go on with the n bytes of a reference? A number ends before what is no
 * digit of it, a name before what is no letter or digit. */
static bool
is_ref_byte(const uint8_t *ref, size_t n, uint8_t c)
{
    if (n == 1)
        return is_alnum(c) || c == '#';
    if (ref[1] != '#')
        return is_alnum(c);
    if (n == 2)
        return hex(c) < 10 || lower(c) == 'x';
    return hex(c) < (lower(ref[2]) == 'x' ? 16U : 10U);
}

/* Takes bytes of the reference that has begun; gives how many. */
static size_t
go_on_ref(struct url_scan *u, struct span in)
{
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];

        if (c == ';') {
            end_ref(u, true);
            return i + 1;
        }
        if (!is_ref_byte(u->ref, u->n_ref, c) || u->n_ref == URL_REF) {
            end_ref(u, false);
            return i;
        }
        u->ref[u->n_ref++] = c;
    }
    return in.n;
}

/* Bytes from the '&' at the head of s that stand for nothing but themselves; 0:
 * it is a reference, or may become one. */
static size_t
no_ref(struct span s)
{
    uint8_t out[4];
    size_t n = 1;

    while (n < s.n && n < URL_REF && is_ref_byte(s.p, n, s.p[n]))
        n++;
    if (n == s.n ||
        decode_ref(span_tail(span_head(s, n), 1), s.p[n] == ';', out) > 0)
        return 0;
    return n;
}

/* Bytes before the first that may be a reference: together, not piece by piece,
 * because '&' is common in addresses, and someone may send nothing else. */
static size_t
before_ref(struct span in)
{
    size_t n = 0;

    while (n < in.n) {
        size_t k;

        if (in.p[n] != '&')
            n += span_find(span_tail(in, n), '&');
        k = n < in.n ? no_ref(span_tail(in, n)) : 0;
        if (k == 0)
            break;
        n += k;
    }
    return n;
}

void
url_scan_init(struct url_scan *u, struct url_set *set, bool html)
{
    *u = (struct url_scan){.set = set, .html = html};
    buf_init(&u->tail, URL_LEN);
}

void
url_scan_push(struct url_scan *u, struct span in)
{
    if (!u->html) {
        scan(u, in);
        return;
    }
    while (in.n > 0) {
        size_t n;

        if (u->n_ref > 0) {
            in = span_tail(in, go_on_ref(u, in));
            continue;
        }
        n = before_ref(in);
        scan(u, span_head(in, n));
        if (n < in.n)
            u->ref[u->n_ref++] = '&';
        in = span_tail(in, n + 1);
    }
}

void
url_scan_end(struct url_scan *u)
{
    if (u->n_ref > 0)
        end_ref(u, false);
    if (u->kind != NOTHING)
        finish(u);
    buf_free(&u->tail);
}

/* ---- host ---- */

/* What stands behind the first "\\\\"; empty when there is none. */
static struct span
behind_unc(struct span s)
{
    return span_tail(s, span_search(s, SPAN_LIT("\\\\")) + 2);
}

/* What stands behind the slashes that lead to a host; empty when none do. */
static struct span
behind_slashes(struct span url)
{
    size_t colon = span_find(url, ':');
    struct span rest = span_tail(url, colon + 1);
    enum kind kind = NOTHING;

    if (span_starts_nocase(url, SPAN_LIT("www.")))
        return url;
    if (colon == url.n || span_starts(url, SPAN_LIT("\\\\")))
        return behind_unc(url);
    if (find_scheme(span_head(url, colon), &kind) == 0)
        kind = WEB;
    if (kind == ANY) { /* a location within */
        size_t unc = span_search(url, SPAN_LIT("\\\\"));
        size_t k = span_search(rest, SPAN_LIT("://"));

        return unc < url.n ? span_tail(url, unc + 2) : span_tail(rest, k + 3);
    }
    if (kind == WEB)
        return without_slashes(rest);
    if (!is_slash(span_at(rest, 0)) || !is_slash(span_at(rest, 1)))
        return SPAN_NONE;
    return span_tail(rest, 2);
}

/* From the user to the port. */
static struct span
authority(struct span url)
{
    struct span s = behind_slashes(url);
    size_t n = 0;

    while (n < s.n && !is_slash(s.p[n]) && s.p[n] != '?' && s.p[n] != '#')
        n++;
    return span_head(s, n);
}

static struct span
without_user(struct span s)
{
    size_t n = s.n;

    while (n > 0 && s.p[n - 1] != '@')
        n--;
    return span_tail(s, n);
}

static struct span
without_port(struct span s)
{
    if (span_at(s, 0) == '[') {
        s = span_tail(s, 1);
        return span_head(s, span_find(s, ']'));
    }
    return span_head(s, span_find(s, ':'));
}

/* \\host@SSL@8080\share: the name comes first there. */
static struct span
host_of(struct span url)
{
    struct span s = authority(url);

    if (span_starts(url, SPAN_LIT("\\\\")))
        return span_head(s, span_find(s, '@'));
    return without_port(without_user(s));
}

bool
url_host(struct span url, struct buf *out)
{
    struct span s = host_of(url);
    size_t before = out->n;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (c == '%') {
            uint32_t high = hex(span_at(s, i + 1));
            uint32_t low = hex(span_at(s, i + 2));

            if (high < 16 && low < 16) {
                c = (uint8_t)(high << 4 | low);
                i += 2;
            }
        }
        buf_putc(out, lower(c));
    }
    while (out->n > before && out->p[out->n - 1] == '.')
        out->n--;
    return out->n > before;
}

/* ---- defanged ---- */

static const struct {
    struct span scheme, harmless;
} harmless[] = {
    {SPAN_INIT("http:"),  SPAN_INIT("hxxp:") },
    {SPAN_INIT("https:"), SPAN_INIT("hxxps:")},
    {SPAN_INIT("ftp:"),   SPAN_INIT("fxp:")  },
};

/* The scheme and its colon; gives their length. */
static size_t
defang_scheme(struct span url, struct buf *out)
{
    struct span word = span_head(url, span_find(url, ':') + 1);
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        if (span_eq_nocase(word, harmless[i].scheme)) {
            buf_span(out, harmless[i].harmless);
            return word.n;
        }
    }
    while (n < word.n && (is_alnum(word.p[n]) || word.p[n] == '-'))
        n++;
    if (n == 0 || span_at(word, n) != ':')
        return 0;
    buf_span(out, span_head(word, n));
    buf_str(out, "[:]");
    return n + 1;
}

/* Behind the host: what programs would make a link of again. */
static void
defang_rest(struct span s, struct buf *out)
{
    while (s.n > 0) {
        if (span_starts(s, SPAN_LIT("://"))) {
            buf_str(out, "[://]");
            s = span_tail(s, 3);
        } else if (span_starts_nocase(s, SPAN_LIT("www."))) {
            buf_span(out, span_head(s, 3));
            buf_str(out, "[.]");
            s = span_tail(s, 4);
        } else if (span_starts(s, SPAN_LIT("\\\\"))) {
            buf_str(out, "[\\\\]");
            s = span_tail(s, 2);
        } else {
            buf_putc(out, s.p[0]);
            s = span_tail(s, 1);
        }
    }
}

void
url_defang(struct span url, struct buf *out)
{
    struct span host = authority(url);
    size_t at = defang_scheme(url, out);
    size_t host_at = host.n > 0 ? (size_t)(host.p - url.p) : at;

    if (host_at < at) {
        host = SPAN_NONE;
        host_at = at;
    }
    if (at == 0 && host_at == 2)
        buf_str(out, "[\\\\]");
    else
        buf_span(out, span_head(span_tail(url, at), host_at - at));
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] == '.')
            buf_str(out, "[.]");
        else
            buf_putc(out, host.p[i]);
    }
    defang_rest(span_tail(url, host_at + host.n), out);
}
