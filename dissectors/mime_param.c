#include "dissectors/mime_param.h"

#include "dissectors/filename.h"
#include "dissectors/rfc2047.h"

/* Bytes of a value in all its segments: not more than a field is kept. */
#define JOINED_MAX ((size_t)1 << 16)

#define SEGMENTS_MAX    32U
#define OCCURRENCES_MAX 4U

/* What a byte may end; a bit each. */
enum ends {
    ENDS_BLANK = 1,
    ENDS_NAME = 2,  /* of a parameter */
    ENDS_TOKEN = 4, /* for some clients, within a value */
};

static const uint8_t ends[256] = {
    ['\t'] = ENDS_BLANK, ['\n'] = ENDS_BLANK, ['\v'] = ENDS_BLANK,
    ['\f'] = ENDS_BLANK, ['\r'] = ENDS_BLANK, [' '] = ENDS_BLANK,
    [';'] = ENDS_NAME,   ['='] = ENDS_NAME,   ['"'] = ENDS_TOKEN,
    ['\\'] = ENDS_TOKEN, ['('] = ENDS_TOKEN,  [')'] = ENDS_TOKEN,
};

bool
mime_is_blank(uint8_t c)
{
    return (ends[c] & ENDS_BLANK) != 0;
}

struct span
mime_trim(struct span s)
{
    while (s.n > 0 && mime_is_blank(span_at(s, 0)))
        s = span_tail(s, 1);
    while (s.n > 0 && mime_is_blank(span_at(s, s.n - 1)))
        s.n--;
    return s;
}

static struct span
skip_blanks(struct span s)
{
    size_t i = 0;

    while (i < s.n && (ends[s.p[i]] & ENDS_BLANK) != 0)
        i++;
    return span_tail(s, i);
}

/* Index of the first byte that ends one of what, or s.n. */
static size_t
find_end(struct span s, unsigned what)
{
    size_t i = 0;

    while (i < s.n && (ends[s.p[i]] & what) == 0)
        i++;
    return i;
}

/* ---- values ---- */

void
mime_values_init(struct mime_values *v)
{
    buf_init(&v->room, MIME_VALUE_MAX * 2 * MIME_VALUES);
    v->n = 0;
}

void
mime_values_free(struct mime_values *v)
{
    if (v == NULL)
        return;
    buf_free(&v->room);
    v->n = 0;
}

void
mime_values_reset(struct mime_values *v)
{
    buf_reset(&v->room);
    v->n = 0;
}

static bool
has(const struct mime_values *v, struct span text)
{
    for (unsigned i = 0; i < v->n; i++) {
        if (span_eq(mime_value_text(v, i), text))
            return true;
    }
    return false;
}

bool
mime_values_add(struct mime_values *v, struct span raw, struct span text)
{
    struct mime_value *at = &v->at[v->n];
    uint8_t raw_room[MIME_VALUE_MAX], text_room[MIME_VALUE_MAX];

    raw = filename_shorten(raw, MIME_VALUE_MAX, raw_room);
    text = filename_shorten(text, MIME_VALUE_MAX, text_room);
    if (text.n == 0 || v->n == MIME_VALUES || has(v, text) ||
        !buf_grow(&v->room, raw.n + text.n))
        return false;
    at->raw = (uint32_t)v->room.n;
    at->raw_n = (uint32_t)raw.n;
    buf_span(&v->room, raw);
    at->text = (uint32_t)v->room.n;
    at->text_n = (uint32_t)text.n;
    buf_span(&v->room, text);
    v->n++;
    return true;
}

/* ---- the field, token by token ---- */

struct param {
    struct span name;
    struct span raw;  /* between the quotes, or up to the ';' */
    struct span tail; /* from the value on to the end of the field */
    bool quoted;
    bool odd; /* clients may read the value otherwise */
};

/* The quoted string at the head of s; gives its length with quotes. */
static size_t
quoted(struct span s, struct param *p)
{
    size_t i = 1;

    while (i < s.n && span_at(s, i) != '"') {
        if (span_at(s, i) == '\\') {
            p->odd = true;
            i++;
        }
        i++;
    }
    p->quoted = true;
    p->odd = p->odd || i >= s.n;
    p->raw = span_head(span_tail(s, 1), i - 1);
    return i < s.n ? i + 1 : s.n;
}

static bool
has_blank_ends(struct span s)
{
    return mime_trim(s).n < s.n;
}

/* The next "name = value" of the field; a piece without '=' has only a name. */
static bool
next_param(struct span *rest, struct param *p)
{
    struct span s = *rest;
    size_t n;

    while (s.n > 0 && (mime_is_blank(span_at(s, 0)) || span_at(s, 0) == ';'))
        s = span_tail(s, 1);
    if (s.n == 0)
        return false;
    *p = (struct param){.odd = false};
    n = find_end(s, ENDS_NAME);
    p->name = mime_trim(span_head(s, n));
    if (span_at(s, n) != '=') {
        *rest = span_tail(s, n);
        return true;
    }
    s = skip_blanks(span_tail(s, n + 1));
    p->tail = s;
    if (span_at(s, 0) == '"') {
        s = span_tail(s, quoted(s, p));
        n = span_find(s, ';');
        p->odd = p->odd || mime_trim(span_head(s, n)).n > 0 ||
                 has_blank_ends(p->raw);
    } else {
        n = span_find(s, ';');
        p->raw = mime_trim(span_head(s, n));
        p->odd = span_at(p->raw, 0) == '\'' ||
                 find_end(p->raw, ENDS_BLANK | ENDS_TOKEN) < p->raw.n;
    }
    *rest = span_tail(s, n);
    return true;
}

/* What comes before the first parameter is no parameter. */
static struct span
params_of(struct span value)
{
    size_t n = find_end(value, ENDS_NAME);

    /* "boundary=x" without a type is a parameter all the same. */
    return span_at(value, n) == '=' ? value : span_tail(value, n);
}

void
mime_strip_comments(struct span s, struct buf *out)
{
    size_t depth = 0;
    bool in_quotes = false;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);

        if (c == '\\' && i + 1 < s.n) {
            if (depth == 0) {
                buf_putc(out, c);
                buf_putc(out, span_at(s, i + 1));
            }
            i++;
            continue;
        }
        if (c == '"' && depth == 0)
            in_quotes = !in_quotes;
        if (c == '(' && !in_quotes)
            depth++;
        if (depth == 0)
            buf_putc(out, c);
        if (c == ')' && depth > 0)
            depth--;
    }
}

/* ---- decoding ---- */

struct finder {
    struct charset *cs;
    struct span key;
    bool words;
    struct mime_values *out;
    struct buf tmp;
    struct buf text;
};

static void
unescape(struct span s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (span_at(s, i) == '\\' && i + 1 < s.n)
            i++;
        buf_putc(out, span_at(s, i));
    }
}

/* Folds go, the blanks behind them stay, RFC 5322 2.2.3. */
static void
unfold(struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        bool fold = b->p[i] == '\n' ||
                    (b->p[i] == '\r' && i + 1 < b->n && b->p[i + 1] == '\n');

        if (!fold)
            b->p[n++] = b->p[i];
    }
    b->n = n;
}

static bool
has_words(struct span s)
{
    return span_search(s, SPAN_LIT("=?")) < s.n;
}

/* A value as written; f->tmp is used. */
static void
add_plain(struct finder *f, struct span s, bool escaped)
{
    uint8_t room[MIME_VALUE_MAX * 2];

    /* Before it is decoded, for that costs most. */
    s = filename_shorten(s, sizeof(room), room);
    buf_reset(&f->tmp);
    if (escaped)
        unescape(s, &f->tmp);
    else
        buf_span(&f->tmp, s);
    unfold(&f->tmp);
    if (f->words && has_words(buf_view(&f->tmp))) {
        buf_reset(&f->text);
        (void)rfc2047_decode(f->cs, buf_view(&f->tmp), &f->text);
        (void)mime_values_add(f->out, buf_view(&f->tmp), buf_view(&f->text));
        return;
    }
    (void)mime_values_add(f->out, buf_view(&f->tmp), buf_view(&f->tmp));
}

static uint8_t
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 0xff;
}

static void
unpercent(struct span s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t hi = hex_digit(span_at(s, i + 1));
        uint8_t lo = hex_digit(span_at(s, i + 2));

        if (span_at(s, i) == '%' && hi < 16 && lo < 16) {
            buf_putc(out, (uint8_t)(hi << 4 | lo));
            i += 2;
        } else {
            buf_putc(out, span_at(s, i));
        }
    }
}

/* charset'language'text; false, and all is text, when it has not that form. */
static bool
split_charset(struct span s, struct span *charset, struct span *text)
{
    size_t a = span_find(s, '\'');
    size_t b = a < s.n ? span_find(span_tail(s, a + 1), '\'') + a + 1 : s.n;

    *charset = SPAN_NONE;
    *text = s;
    if (b >= s.n)
        return false;
    *charset = span_head(s, a);
    *text = span_tail(s, b + 1);
    return true;
}

/* ---- RFC 2231 ---- */

struct segment {
    struct span raw;
    uint32_t number;
    bool ext; /* name ends with '*' */
    bool escaped;
};

struct segments {
    struct segment at[SEGMENTS_MAX];
    unsigned n;
};

/* The number behind "key*"; false when there is none. */
static bool
segment_number(struct span s, uint32_t *number, bool *ext)
{
    uint64_t v;

    *ext = s.n > 0 && span_at(s, s.n - 1) == '*';
    if (*ext)
        s.n--;
    if (s.n > 6 || !span_to_u64(s, &v))
        return false;
    *number = (uint32_t)v;
    return true;
}

/* How segments are joined. */
struct join {
    bool sorted;
    bool last; /* of two with one number the later */
    bool all;  /* decode also where the name has no '*' */
};

static bool
is_shadowed(const struct segments *s, unsigned i, struct join how)
{
    unsigned from = how.last ? i + 1 : 0;
    unsigned to = how.last ? s->n : i;

    for (unsigned k = from; k < to; k++) {
        if (s->at[k].number == s->at[i].number)
            return true;
    }
    return false;
}

/* The indices in the order of joining; gives their number. */
static unsigned
order(const struct segments *s, struct join how, uint8_t out[SEGMENTS_MAX])
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++) {
        unsigned k = n;

        if (is_shadowed(s, i, how))
            continue;
        while (how.sorted && k > 0 &&
               s->at[out[k - 1]].number > s->at[i].number) {
            out[k] = out[k - 1];
            k--;
        }
        out[k] = (uint8_t)i;
        n++;
    }
    return n;
}

static void
add_joined(struct finder *f, const struct segments *s, struct join how)
{
    uint8_t at[SEGMENTS_MAX];
    unsigned n = order(s, how, at);
    struct span charset = SPAN_NONE;
    struct buf raw;

    buf_init(&raw, JOINED_MAX);
    buf_reset(&f->tmp);
    buf_reset(&f->text);
    for (unsigned i = 0; i < n; i++) {
        const struct segment *g = &s->at[at[i]];
        struct span text = g->raw;
        struct span named = SPAN_NONE;

        buf_span(&raw, g->raw);
        if ((g->ext && i == 0) || how.all)
            (void)split_charset(g->raw, &named, &text);
        if (charset.n == 0)
            charset = named;
        if (g->ext || how.all)
            unpercent(text, &f->tmp);
        else if (g->escaped)
            unescape(text, &f->tmp);
        else
            buf_span(&f->tmp, text);
    }
    if (charset.n > 0)
        (void)charset_to_utf8(f->cs, charset, buf_view(&f->tmp), &f->text);
    else
        buf_span(&f->text, buf_view(&f->tmp));
    (void)mime_values_add(f->out, buf_view(&raw), buf_view(&f->text));
    buf_free(&raw);
}

/* From 0 without gaps, in order, once each, nothing encoded without a '*'. */
static bool
is_regular(const struct segments *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        const struct segment *g = &s->at[i];

        if (g->number != i || (!g->ext && span_find(g->raw, '%') < g->raw.n))
            return false;
    }
    return true;
}

static void
add_segments(struct finder *f, const struct segments *s)
{
    static const struct join ways[] = {
        {true,  false, false},
        {true,  false, true },
        {false, false, true },
        {true,  true,  true },
    };
    unsigned n = is_regular(s) ? 1 : ARRAY_LEN(ways);

    for (unsigned i = 0; s->n > 0 && i < n; i++)
        add_joined(f, s, ways[i]);
}

/* ---- one look at a field ---- */

struct found {
    struct segments segments;
    struct span ext[2]; /* key* */
    struct param plain[OCCURRENCES_MAX];
    unsigned n_ext;
    unsigned n_plain;
    unsigned n_all;
};

static void
take_param(struct found *k, const struct param *p, struct span suffix)
{
    struct segment g = {p->raw, 0, false, p->quoted};

    k->n_all++;
    if (suffix.n == 0) {
        if (k->n_plain < OCCURRENCES_MAX)
            k->plain[k->n_plain++] = *p;
        return;
    }
    if (segment_number(span_tail(suffix, 1), &g.number, &g.ext)) {
        if (k->segments.n < SEGMENTS_MAX)
            k->segments.at[k->segments.n++] = g;
    } else if (suffix.n == 1 && k->n_ext < ARRAY_LEN(k->ext)) {
        k->ext[k->n_ext++] = p->raw;
    }
}

static void
look(struct span value, struct span key, struct found *k)
{
    struct span rest = params_of(value);
    struct param p;

    k->segments.n = k->n_ext = k->n_plain = k->n_all = 0;
    while (next_param(&rest, &p)) {
        struct span suffix = span_tail(p.name, key.n);

        if (p.tail.n > 0 && span_starts_nocase(p.name, key) &&
            (suffix.n == 0 || span_at(suffix, 0) == '*'))
            take_param(k, &p, suffix);
        else if (p.tail.n == 0 && k->n_plain > 0)
            /* "name=a;b.exe": to some the ';' is of the value. */
            k->plain[k->n_plain - 1].odd = true;
    }
}

static void
add_found(struct finder *f, const struct found *k)
{
    add_segments(f, &k->segments);
    for (unsigned i = 0; i < k->n_ext; i++) {
        struct segments one = {.n = 1};

        one.at[0] = (struct segment){k->ext[i], 0, true, false};
        add_segments(f, &one);
    }
    for (unsigned i = 0; i < k->n_plain; i++)
        add_plain(f, k->plain[i].raw, k->plain[i].quoted);
}

/* ---- when it is odd ---- */

/* Up to a ';' that no backslash hides. */
static size_t
find_bare_semicolon(struct span s)
{
    size_t i = 0;

    while (i < s.n && span_at(s, i) != ';')
        i += span_at(s, i) == '\\' ? 2 : 1;
    return i < s.n ? i : s.n;
}

static void
add_without(struct finder *f, struct span s, uint8_t drop)
{
    struct buf b;

    buf_init(&b, s.n);
    for (size_t i = 0; i < s.n; i++) {
        if (span_at(s, i) != drop)
            buf_putc(&b, span_at(s, i));
    }
    add_plain(f, mime_trim(buf_view(&b)), false);
    buf_free(&b);
}

static void
add_quoted_ways(struct finder *f, struct span tail, struct span line)
{
    size_t q = span_find(tail, '"');
    struct span in = span_tail(tail, q + 1);

    if (q == tail.n)
        return;
    add_without(f, line, '"');
    add_plain(f, mime_trim(span_head(tail, q)), false);
    add_plain(f, span_head(in, span_find(in, '"')), false);
}

/* Other ways to read what follows "key=". */
static void
add_variants(struct finder *f, struct span tail)
{
    struct span line = mime_trim(span_head(tail, span_find(tail, ';')));
    struct span cut = line;

    add_plain(f, mime_trim(span_head(tail, find_bare_semicolon(tail))), true);
    add_plain(f, line, false);
    if (span_at(tail, 0) == '\'') {
        struct span in = span_tail(tail, 1);

        in = span_head(in, span_find(in, '\''));
        add_plain(f, in, false);
        add_plain(f, mime_trim(in), false);
    }
    add_quoted_ways(f, tail, line);
    while (span_find(SPAN_LIT("\"' "), span_at(cut, 0)) < 3)
        cut = span_tail(cut, 1);
    cut = span_head(cut, find_end(cut, ENDS_BLANK));
    add_plain(f, span_head(cut, find_end(cut, ENDS_TOKEN)), false);
    if (span_starts_nocase(cut, f->key))
        add_plain(f, span_head(cut, span_find(cut, '=')), false);
    if (span_at(tail, 0) != '"' && mime_trim(tail).n > line.n)
        add_plain(f, mime_trim(tail), false);
}

static bool
is_letter(uint8_t c)
{
    uint8_t l = c | 0x20;

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
}

/* The next place in s, from *at on, where the key stands as a word before '='
 * or '*'; *at is then behind it. */
static bool
next_key(struct span s, struct span key, size_t *at, struct span *tail)
{
    uint8_t first = span_at(key, 0);

    for (size_t i = *at; i + key.n < s.n; i++) {
        struct span rest;

        if ((s.p[i] | 0x20) != first || (i > 0 && is_letter(s.p[i - 1])) ||
            !span_starts_nocase(span_tail(s, i), key))
            continue;
        rest = skip_blanks(span_tail(s, i + key.n));
        if (span_at(rest, 0) != '=' && span_at(rest, 0) != '*')
            continue;
        *at = i + key.n;
        *tail = rest;
        return true;
    }
    return false;
}

static unsigned
count_keys(struct span s, struct span key)
{
    struct span tail;
    size_t at = 0;
    unsigned n = 0;

    while (next_key(s, key, &at, &tail))
        n++;
    return n;
}

/* Wherever the key stands, also within another value or a comment. */
static void
add_anywhere(struct finder *f, struct span s)
{
    struct span tail;
    size_t at = 0;

    for (unsigned i = 0; i < OCCURRENCES_MAX && next_key(s, f->key, &at, &tail);
         i++) {
        if (span_at(tail, 0) == '=')
            add_variants(f, skip_blanks(span_tail(tail, 1)));
    }
}

static bool
is_odd(struct finder *f, const struct found *k, unsigned n_keys)
{
    for (unsigned i = 0; i < k->n_plain; i++) {
        if (k->plain[i].odd || (!f->words && has_words(k->plain[i].raw)))
            return true;
    }
    return n_keys != k->n_all;
}

static void
add_odd(struct finder *f, const struct found *k, struct span value)
{
    for (unsigned i = 0; i < k->n_plain; i++) {
        add_plain(f, mime_trim(k->plain[i].raw), k->plain[i].quoted);
        if (!f->words && has_words(k->plain[i].raw)) {
            f->words = true;
            add_plain(f, k->plain[i].raw, k->plain[i].quoted);
            f->words = false;
        }
        add_variants(f, k->plain[i].tail);
    }
    add_anywhere(f, value);
}

static void
add_without_comments(struct finder *f, struct span value)
{
    struct found k;
    struct buf bare;

    buf_init(&bare, value.n);
    mime_strip_comments(value, &bare);
    look(buf_view(&bare), f->key, &k);
    if (bare.n < value.n)
        add_found(f, &k);
    buf_free(&bare);
}

void
mime_param_find(struct charset *cs, struct span value, struct span key,
                bool words, struct mime_values *out)
{
    struct finder f = {.cs = cs, .key = key, .words = words, .out = out};
    unsigned n_keys = count_keys(value, key);
    bool comments;
    bool odd;
    struct found k;

    /* A comment may stand within the key. */
    comments = span_find(value, '(') < value.n;
    if (n_keys == 0 && !comments)
        return;
    look(value, key, &k);
    odd = is_odd(&f, &k, n_keys);
    buf_init(&f.tmp, JOINED_MAX);
    buf_init(&f.text, 4 * JOINED_MAX);
    add_found(&f, &k);
    if (odd || comments)
        add_without_comments(&f, value);
    if (odd)
        add_odd(&f, &k, value);
    buf_free(&f.tmp);
    buf_free(&f.text);
}
