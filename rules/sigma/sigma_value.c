#include "rules/sigma/sigma_value.h"

#include "sensor/base/text.h"

#define TOKENS_MAX ((size_t)2 * SIGMA_TEXT_MAX)
#define BASE64_MAX ((size_t)4 * SIGMA_TEXT_MAX)
#define WANT_MAX   256U /* bytes of an item's values that are kept for people */
#define WANT_MORE  32U  /* of them for "and 12 more" */

/* A value while its modifiers are applied. */
enum work_kind { WORK_TEXT, WORK_NUMBER, WORK_BOOL, WORK_NULL };

struct work {
    enum work_kind kind;
    uint16_t *t; /* tokens of a text */
    uint32_t n;
    struct span plain; /* as written */
};

/* One value of the rule: all that it has become. */
struct works {
    struct work *v;
    uint32_t n, cap;
};

struct chain; /* the modifiers of one key */

struct modifier {
    struct span name;
    bool (*apply)(struct chain *c, struct works *w, unsigned arg);
    unsigned flags;
    unsigned arg;
};

struct chain {
    struct sigma_reader *r;
    uint32_t node; /* of the value, for messages */
    struct span key;
    const struct modifier *mod[SIGMA_MODIFIERS_MAX];
    unsigned n_mods;
    uint16_t slot;
    bool keywords;
    enum sigma_op op;
    uint8_t how;
    bool all, negate, cased, changed;
    unsigned regex;
    bool raw, fieldref; /* re or fieldref is among the modifiers */
    bool part_of;       /* contains, startswith or endswith was applied */
};

enum {
    MOD_ALONE = 1, /* no other modifier beside it */
    MOD_FIRST = 2, /* on unmodified values */
    MOD_AFTER_RE = 4,
    MOD_WITH_RE = 8, /* may follow re */
    MOD_FIELD = 16,  /* not for keywords */
    MOD_TYPE = 32,   /* says how to compare: one of them */
};

/* ---- tokens ---- */

static bool
out_of_memory(struct chain *c)
{
    c->r->nomem = true;
    return false;
}

/* Backslash escapes * ? and itself, and is itself before anything else. */
static struct work
scan(struct chain *c, struct span s)
{
    struct work w = {.kind = WORK_TEXT, .plain = s};

    w.t = SIGMA_GET(c->r->arena, uint16_t, s.n + 1);
    if (w.t == NULL) {
        c->r->nomem = true;
        return w;
    }
    for (size_t i = 0; i < s.n; i++) {
        uint8_t b = s.p[i], next = span_at(s, i + 1);

        if (b == '\\' && i + 1 < s.n &&
            (next == '*' || next == '?' || next == '\\')) {
            w.t[w.n++] = next;
            i++;
        } else if (b == '*') {
            w.t[w.n++] = SIGMA_TOKEN_ANY;
        } else if (b == '?') {
            w.t[w.n++] = SIGMA_TOKEN_ONE;
        } else {
            w.t[w.n++] = b;
        }
    }
    return w;
}

static bool
has_wildcard(const struct work *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->t[i] >= SIGMA_TOKEN_ANY)
            return true;
    }
    return false;
}

static bool
add_work(struct chain *c, struct works *w, struct work one)
{
    struct work *grown;

    if (one.n > TOKENS_MAX) {
        sigma_fault_at(c->r, c->node, c->key,
                       "the value becomes too long, shorten it");
        return false;
    }
    if (w->n == SIGMA_VARIANTS_MAX) {
        sigma_fault_at(c->r, c->node, c->key,
                       "the value has too many variants, at most %u",
                       SIGMA_VARIANTS_MAX);
        return false;
    }
    if (w->n == w->cap) {
        w->cap = w->cap > 0 ? 2 * w->cap : 4;
        grown = realloc(w->v, w->cap * sizeof(*grown));
        if (grown == NULL)
            return out_of_memory(c);
        w->v = grown;
    }
    w->v[w->n++] = one;
    return !c->r->nomem;
}

/* Every value must be of the kind, else a fault. */
static bool
wants(struct chain *c, const struct works *w, enum work_kind kind,
      const char *what)
{
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->v[i].kind != kind) {
            sigma_fault_at(c->r, c->node, c->key, "takes %s", what);
            return false;
        }
    }
    return true;
}

/* Numbers and truth values are texts to the modifiers of texts. */
static bool
wants_text(struct chain *c, struct works *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->v[i].kind == WORK_NULL) {
            sigma_fault_at(c->r, c->node, c->key, "takes a text, not null");
            return false;
        }
        if (w->v[i].kind != WORK_TEXT)
            w->v[i] = scan(c, w->v[i].plain);
    }
    return !c->r->nomem;
}

/* ---- modifiers ---- */

enum { AT_START = 1, AT_END = 2 };

static bool
add_stars(struct chain *c, struct work *w, unsigned ends)
{
    bool before =
        (ends & AT_END) != 0 && (w->n == 0 || w->t[0] != SIGMA_TOKEN_ANY);
    bool after = (ends & AT_START) != 0 &&
                 (w->n == 0 || w->t[w->n - 1] != SIGMA_TOKEN_ANY);
    uint16_t *t = SIGMA_GET(c->r->arena, uint16_t, w->n + 2U);
    uint32_t n = 0;

    if (t == NULL)
        return out_of_memory(c);
    if (before)
        t[n++] = SIGMA_TOKEN_ANY;
    memcpy(t + n, w->t, w->n * sizeof(*t));
    n += w->n;
    if (after && (n == 0 || t[n - 1] != SIGMA_TOKEN_ANY))
        t[n++] = SIGMA_TOKEN_ANY;
    w->t = t;
    w->n = n;
    return true;
}

/* arg: the ends at which the value is tied; AT_START is `v*`. */
static bool
apply_part_of(struct chain *c, struct works *w, unsigned arg)
{
    if (c->op == SIGMA_OP_RE) {
        c->regex |= arg == AT_START ? SIGMA_REGEX_START : 0U;
        c->regex |= arg == AT_END ? SIGMA_REGEX_END : 0U;
        return true;
    }
    if (c->fieldref) {
        c->how = arg == AT_START ? SIGMA_PREFIX
                 : arg == AT_END ? SIGMA_SUFFIX
                                 : SIGMA_CONTAINS;
        return true;
    }
    if (!wants_text(c, w))
        return false;
    for (uint32_t i = 0; i < w->n; i++) {
        if (!add_stars(c, &w->v[i], arg))
            return false;
        w->v[i].plain = SPAN_NONE;
    }
    c->part_of = true;
    return true;
}

static bool
apply_flag(struct chain *c, struct works *w, unsigned arg)
{
    (void)w;
    *(arg == 0 ? &c->all : arg == 1 ? &c->negate : &c->cased) = true;
    return true;
}

static bool
apply_cased(struct chain *c, struct works *w, unsigned arg)
{
    return wants_text(c, w) && apply_flag(c, w, arg);
}

static bool
apply_exists(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    c->op = SIGMA_OP_EXISTS;
    return wants(c, w, WORK_BOOL, "true or false");
}

static bool
apply_re(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    c->op = SIGMA_OP_RE;
    return wants_text(c, w);
}

static bool
apply_re_flag(struct chain *c, struct works *w, unsigned arg)
{
    (void)w;
    c->regex |= arg;
    return true;
}

static bool
apply_cidr(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    c->op = SIGMA_OP_CIDR;
    return wants(c, w, WORK_TEXT, "a network such as 192.0.2.0/24");
}

static bool
apply_compare(struct chain *c, struct works *w, unsigned arg)
{
    c->op = SIGMA_OP_COMPARE;
    c->how = (uint8_t)arg;
    return wants(c, w, WORK_NUMBER, "a number, without quotes");
}

static bool
apply_part(struct chain *c, struct works *w, unsigned arg)
{
    c->op = SIGMA_OP_PART;
    c->how = (uint8_t)arg;
    return wants(c, w, WORK_NUMBER, "a number, without quotes");
}

static bool
apply_fieldref(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    c->op = SIGMA_OP_FIELD;
    return wants(c, w, WORK_TEXT, "the name of a field");
}

/* The bytes that the tokens stand for, or a fault on a wildcard. */
static bool
bytes_of(struct chain *c, const struct work *w, struct buf *out)
{
    if (has_wildcard(w)) {
        sigma_fault_at(c->r, c->node, c->key,
                       "a wildcard cannot be encoded, escape it as \\* or \\?");
        return false;
    }
    for (uint32_t i = 0; i < w->n; i++)
        buf_putc(out, (uint8_t)w->t[i]);
    return true;
}

static struct work
work_bytes(struct chain *c, struct span s)
{
    struct work w = {.kind = WORK_TEXT, .n = (uint32_t)s.n};

    w.t = SIGMA_GET(c->r->arena, uint16_t, s.n + 1);
    if (w.t == NULL)
        c->r->nomem = true;
    for (size_t i = 0; w.t != NULL && i < s.n; i++)
        w.t[i] = s.p[i];
    return w;
}

static bool
encode_base64(struct chain *c, struct work *w)
{
    struct buf bytes, text;
    bool good;

    buf_init(&bytes, TOKENS_MAX);
    buf_init(&text, BASE64_MAX);
    good = bytes_of(c, w, &bytes);
    if (good) {
        text_base64(&text, buf_view(&bytes));
        *w = work_bytes(c, buf_view(&text));
    }
    if (bytes.failed || text.failed)
        c->r->nomem = true;
    buf_free(&bytes);
    buf_free(&text);
    return good && !c->r->nomem;
}

static bool
apply_base64(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    if (!wants_text(c, w))
        return false;
    for (uint32_t i = 0; i < w->n; i++) {
        if (!encode_base64(c, &w->v[i]))
            return false;
    }
    return true;
}

/* The three texts that base64 may have for these octets, by how many others
 * stand before them: without the characters that depend on neighbours. */
static bool
add_offsets(struct chain *c, struct works *out, const struct work *w)
{
    static const uint8_t drop_first[] = {0, 2, 3}, drop_last[] = {0, 3, 2};
    struct buf bytes, text;
    bool good = true;

    buf_init(&bytes, TOKENS_MAX + 2);
    buf_init(&text, BASE64_MAX);
    for (unsigned i = 0; i < 3 && good; i++) {
        struct span s;

        buf_reset(&bytes);
        buf_reset(&text);
        buf_put(&bytes, "  ", i);
        good = bytes_of(c, w, &bytes);
        text_base64(&text, buf_view(&bytes));
        s = span_tail(buf_view(&text), drop_first[i]);
        s.n -= s.n > drop_last[bytes.n % 3] ? drop_last[bytes.n % 3] : s.n;
        good = good && add_work(c, out, work_bytes(c, s));
    }
    if (bytes.failed || text.failed)
        c->r->nomem = true;
    buf_free(&bytes);
    buf_free(&text);
    return good && !c->r->nomem;
}

/* Replaces the values by what `add` makes of each. */
static bool
apply_each(struct chain *c, struct works *w,
           bool (*add)(struct chain *, struct works *, const struct work *))
{
    struct works out = {0};
    bool good = wants_text(c, w);

    for (uint32_t i = 0; good && i < w->n; i++)
        good = add(c, &out, &w->v[i]);
    free(w->v);
    *w = out;
    return good;
}

static bool
apply_base64offset(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    return apply_each(c, w, add_offsets);
}

/* ---- UTF-16 ---- */

enum { WIDE_LE, WIDE_BE, WIDE_BOM };

static uint32_t
code_point(struct span s, size_t n)
{
    uint32_t v = span_at(s, 0);

    if (n <= 1)
        return v;
    v &= 0xffU >> (n + 1);
    for (size_t i = 1; i < n; i++)
        v = v << 6 | (span_at(s, i) & 0x3fU);
    return v;
}

static void
put_unit(struct work *w, uint32_t unit, bool big)
{
    uint16_t low = unit & 0xff, high = (uint16_t)(unit >> 8);

    w->t[w->n++] = big ? high : low;
    w->t[w->n++] = big ? low : high;
}

static void
put_point(struct work *w, uint32_t v, bool big)
{
    if (v < 0x10000) {
        put_unit(w, v, big);
        return;
    }
    put_unit(w, 0xd800U + ((v - 0x10000) >> 10), big);
    put_unit(w, 0xdc00U + ((v - 0x10000) & 0x3ffU), big);
}

static size_t
char_at(const struct work *w, uint32_t i, uint32_t *point)
{
    uint8_t b[4];
    size_t n = 0, len;

    while (n < 4 && i + n < w->n && w->t[i + n] < 256) {
        b[n] = (uint8_t)w->t[i + n];
        n++;
    }
    len = utf8_len(span_of(b, n));
    *point = code_point(span_of(b, n), len);
    return len > 0 ? len : 1;
}

static bool
apply_wide(struct chain *c, struct works *w, unsigned arg)
{
    if (!wants_text(c, w))
        return false;
    for (uint32_t k = 0; k < w->n; k++) {
        struct work in = w->v[k], out = {.kind = WORK_TEXT};

        out.t = SIGMA_GET(c->r->arena, uint16_t, 2 * (size_t)in.n + 3);
        if (out.t == NULL)
            return out_of_memory(c);
        if (arg == WIDE_BOM)
            put_unit(&out, 0xfeff, false);
        for (uint32_t i = 0; i < in.n;) {
            uint32_t point;

            if (in.t[i] >= SIGMA_TOKEN_ANY) {
                out.t[out.n++] = in.t[i++];
                continue;
            }
            i += (uint32_t)char_at(&in, i, &point);
            put_point(&out, point, arg == WIDE_BE);
        }
        w->v[k] = out;
    }
    return true;
}

/* ---- windash ---- */

static bool
is_word(const struct work *w, uint32_t i)
{
    uint16_t c = i < w->n ? w->t[i] : 0;
    uint16_t low = c | 0x20;

    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') || c == '_';
}

static bool
is_dash(const struct work *w, uint32_t i)
{
    return (w->t[i] == '-' || w->t[i] == '/') &&
           (i == 0 || !is_word(w, i - 1)) && is_word(w, i + 1);
}

/* w with its dash at i replaced. */
static struct work
with_dash(struct chain *c, const struct work *w, uint32_t i, const char *dash)
{
    size_t n = strlen(dash);
    struct work out = {.kind = WORK_TEXT, .n = w->n + (uint32_t)n - 1};

    out.t = SIGMA_GET(c->r->arena, uint16_t, out.n + 1U);
    if (out.t == NULL) {
        c->r->nomem = true;
        return out;
    }
    memcpy(out.t, w->t, i * sizeof(*out.t));
    for (size_t k = 0; k < n; k++)
        out.t[i + k] = (uint8_t)dash[k];
    memcpy(out.t + i + n, w->t + i + 1, (w->n - i - 1) * sizeof(*out.t));
    return out;
}

/* From the last dash to the first, so that places before it stay. */
static bool
add_dashes(struct chain *c, struct works *all, const struct work *w)
{
    static const char *const dashes[] = {"-", "/", "\xe2\x80\x93",
                                         "\xe2\x80\x94", "\xe2\x80\x95"};
    struct works out = {0};
    bool good = add_work(c, &out, *w);

    for (uint32_t i = w->n; good && i-- > 0;) {
        uint32_t have = out.n;

        if (!is_dash(w, i))
            continue;
        for (uint32_t k = 0; good && k < have; k++) {
            for (size_t d = 0; good && d < ARRAY_LEN(dashes); d++) {
                if ((uint8_t)dashes[d][0] != w->t[i])
                    good = add_work(c, &out,
                                    with_dash(c, &out.v[k], i, dashes[d]));
            }
        }
    }
    for (uint32_t k = 0; good && k < out.n; k++)
        good = add_work(c, all, out.v[k]);
    free(out.v);
    return good;
}

static bool
apply_windash(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    return apply_each(c, w, add_dashes);
}

/* ---- expand ---- */

/* The name in "%name%" at i, and where it ends; n 0 when there is none. */
static struct span
placeholder_at(struct chain *c, const struct work *w, uint32_t i, uint32_t *end)
{
    uint32_t at = i + 1;
    uint8_t *name;

    while (at < w->n && w->t[at] != '%' && w->t[at] < 256)
        at++;
    *end = at + 1;
    if (w->t[i] != '%' || at >= w->n || w->t[at] != '%' || at == i + 1)
        return SPAN_NONE;
    name = sigma_arena_get(c->r->arena, at - i, 1);
    if (name == NULL) {
        c->r->nomem = true;
        return SPAN_NONE;
    }
    for (uint32_t k = i + 1; k < at; k++)
        name[k - i - 1] = (uint8_t)w->t[k];
    return span_of(name, at - i - 1);
}

static bool
join(struct chain *c, struct works *out, const struct work *w, uint32_t from,
     uint32_t to, struct span value)
{
    struct work mid = c->raw ? work_bytes(c, value) : scan(c, value);
    uint16_t *t = SIGMA_GET(c->r->arena, uint16_t,
                            (size_t)from + mid.n + (w->n - to) + 1);
    struct work one = {.kind = WORK_TEXT};

    if (t == NULL || c->r->nomem)
        return out_of_memory(c);
    memcpy(t, w->t, from * sizeof(*t));
    memcpy(t + from, mid.t, mid.n * sizeof(*t));
    memcpy(t + from + mid.n, w->t + to, (w->n - to) * sizeof(*t));
    one.t = t;
    one.n = from + mid.n + (w->n - to);
    return add_work(c, out, one);
}

static bool
expand_name(struct chain *c, struct works *out, const struct work *w,
            uint32_t from, uint32_t to, struct span name)
{
    bool any = false;

    for (uint32_t i = 0; i < c->r->n_defined; i++) {
        if (!span_eq(c->r->defined[i].name, name))
            continue;
        any = true;
        if (!join(c, out, w, from, to, c->r->defined[i].value))
            return false;
    }
    if (!any)
        sigma_fault_at(c->r, c->node, c->key,
                       "no value is defined for %%%s%%, define it",
                       sigma_word(name).s);
    return any;
}

/* The first placeholder from the right, so that what stands in a value is not
 * read again; SIZE_MAX: none. "\%" was left alone by the scanner. */
static bool
find_last(struct chain *c, const struct work *w, uint32_t before,
          uint32_t *from, uint32_t *to, struct span *name)
{
    bool found = false;

    for (uint32_t i = 0; i < before && i < w->n; i++) {
        uint32_t end;
        struct span s;

        if (w->t[i] == '\\' && i + 1 < w->n && w->t[i + 1] == '%') {
            i++;
            continue;
        }
        s = w->t[i] == '%' ? placeholder_at(c, w, i, &end) : SPAN_NONE;
        if (s.n == 0 || end > before)
            continue;
        found = true;
        *from = i;
        *to = end;
        *name = s;
        i = end - 1;
    }
    return found;
}

static void
unescape_percent(struct work *w)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        if (w->t[i] == '\\' && i + 1 < w->n && w->t[i + 1] == '%')
            continue;
        w->t[n++] = w->t[i];
    }
    w->n = n;
}

static bool
add_expanded(struct chain *c, struct works *all, const struct work *w)
{
    struct works now = {0}, next;
    uint32_t before = w->n, from = 0, to = 0;
    struct span name;
    bool good = add_work(c, &now, *w);

    while (good && find_last(c, w, before, &from, &to, &name)) {
        next = (struct works){0};
        for (uint32_t i = 0; good && i < now.n; i++)
            good = expand_name(c, &next, &now.v[i], from, to, name);
        free(now.v);
        now = next;
        before = from;
    }
    for (uint32_t i = 0; good && i < now.n; i++) {
        unescape_percent(&now.v[i]);
        good = add_work(c, all, now.v[i]);
    }
    free(now.v);
    return good && !c->r->nomem;
}

static bool
apply_expand(struct chain *c, struct works *w, unsigned arg)
{
    (void)arg;
    return apply_each(c, w, add_expanded);
}

/* ---- the table ---- */

static const struct modifier modifiers[] = {
#define X(name, apply, flags, arg, doc) {SPAN_INIT(name), apply, flags, arg},
#include "rules/sigma/sigma_modifier.def"
#undef X
};

static const struct modifier *
find_modifier(struct chain *c, uint32_t key, struct span name)
{
    struct near near = near_start(name);

    for (size_t i = 0; i < ARRAY_LEN(modifiers); i++) {
        if (span_eq(modifiers[i].name, name))
            return &modifiers[i];
        near_offer(&near, modifiers[i].name);
    }
    if (near.best.n > 0)
        sigma_fault_at(c->r, key, c->key,
                       "there is no modifier '%s', did you mean '%s'?",
                       sigma_word(name).s, sigma_word(near.best).s);
    else
        sigma_fault_at(c->r, key, c->key,
                       "there is no modifier '%s', see rules(5)",
                       sigma_word(name).s);
    return NULL;
}

static bool
has_flag(const struct chain *c, unsigned flag)
{
    for (unsigned i = 0; i < c->n_mods; i++) {
        if ((c->mod[i]->flags & flag) != 0)
            return true;
    }
    return false;
}

static bool
is_neq(const struct modifier *m)
{
    return m->apply == apply_flag && m->arg == 1;
}

static bool
is_re(const struct modifier *m)
{
    return m->apply == apply_re;
}

/* flag, all and cased act on the set, they may stand anywhere. */
static bool
changes_value(const struct modifier *m)
{
    return m->apply != apply_flag && m->apply != apply_cased &&
           m->apply != apply_expand;
}

static const char *
why_not(const struct chain *c, const struct modifier *m)
{
    bool re = c->n_mods > 0 && has_flag(c, MOD_FIRST) && c->op == SIGMA_OP_RE;

    if (c->keywords && (m->flags & MOD_FIELD) != 0)
        return "needs a field, not keywords";
    if (c->n_mods > 0 &&
        ((m->flags & MOD_ALONE) != 0 || has_flag(c, MOD_ALONE)))
        return "stands alone, no other modifier can be beside it";
    if ((m->flags & MOD_AFTER_RE) != 0 && !re)
        return "is for regular expressions, write it after re";
    if ((m->flags & MOD_FIRST) != 0 && c->changed)
        return "takes the value as written, write it first";
    if ((m->flags & MOD_TYPE) != 0 && has_flag(c, MOD_TYPE))
        return "cannot be beside another way to compare";
    if (re && (m->flags & MOD_WITH_RE) == 0)
        return "cannot follow re";
    if (has_flag(c, MOD_TYPE) && !re && c->op != SIGMA_OP_FIELD &&
        m->apply != apply_flag)
        return "cannot follow that modifier";
    if (c->op == SIGMA_OP_FIELD && m->apply != apply_flag &&
        m->apply != apply_part_of && m->apply != apply_fieldref)
        return "cannot follow fieldref";
    return NULL;
}

static bool
add_modifier(struct chain *c, uint32_t key, struct span name)
{
    const struct modifier *m = find_modifier(c, key, name);
    const char *why;

    if (m == NULL)
        return false;
    if (c->n_mods == SIGMA_MODIFIERS_MAX) {
        sigma_fault_at(c->r, key, c->key, "has more than %u modifiers",
                       SIGMA_MODIFIERS_MAX);
        return false;
    }
    why = why_not(c, m);
    if (why != NULL) {
        sigma_fault_at(c->r, key, c->key, "'%s' %s", sigma_word(name).s, why);
        return false;
    }
    c->mod[c->n_mods++] = m;
    c->changed = c->changed || changes_value(m);
    if (is_re(m))
        c->op = SIGMA_OP_RE;
    else if (m->apply == apply_fieldref)
        c->op = SIGMA_OP_FIELD;
    c->raw = c->raw || is_re(m);
    c->fieldref = c->fieldref || m->apply == apply_fieldref;
    return true;
}

static bool
find_field(struct chain *c, uint32_t key, struct span name, uint16_t *slot)
{
    struct sigma_reader *r = c->r;
    struct span near;
    struct sigma_slot found;

    *slot = SIGMA_SLOT_ANY;
    if (!sigma_field_find(name, &found)) {
        if (r->may_be_other)
            r->foreign = true;
        if (r->foreign)
            return true;
        near = sigma_field_near(name);
        if (near.n > 0)
            sigma_fault_at(r, key, name,
                           "there is no such field, did you mean '%s'?",
                           sigma_word(near).s);
        else
            sigma_fault_at(r, key, name,
                           "there is no such field, see events(7)");
        return false;
    }
    *slot = sigma_slots_add(r->slots, found);
    if (*slot == 0)
        sigma_fault_at(r, key, name, "more than %u different fields in all",
                       SIGMA_SLOTS_MAX);
    return *slot != 0;
}

static bool
read_key(struct chain *c, uint32_t key)
{
    struct span rest = key != 0 ? c->r->t->node[key].text : SPAN_NONE;
    struct span name = span_head(rest, span_find(rest, '|'));

    c->key = rest;
    c->keywords = name.n == 0;
    if (!c->keywords && !find_field(c, key, name, &c->slot))
        return false;
    while (name.n < rest.n) {
        rest = span_tail(rest, name.n + 1);
        name = span_head(rest, span_find(rest, '|'));
        if (!add_modifier(c, key, name))
            return false;
    }
    c->op = SIGMA_OP_TEXT; /* again, as values are read */
    return true;
}

/* ---- values ---- */

static void
fill_text(struct chain *c, const struct work *w, struct sigma_value *v)
{
    uint32_t from, to;
    bool before = w->n > 0 && w->t[0] == SIGMA_TOKEN_ANY;
    bool after = w->n > 0 && w->t[w->n - 1] == SIGMA_TOKEN_ANY;
    static const uint8_t hows[2][2] = {
        {SIGMA_EXACT,  SIGMA_PREFIX  },
        {SIGMA_SUFFIX, SIGMA_CONTAINS}
    };
    uint32_t run = 0, best = 0, best_n = 0;
    uint16_t *t = SIGMA_GET(c->r->arena, uint16_t, w->n + 1U);
    uint8_t *bytes = sigma_arena_get(c->r->arena, w->n + 1U, 1);

    if (t == NULL || bytes == NULL) {
        c->r->nomem = true;
        return;
    }
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->t[i] == SIGMA_TOKEN_ANY && i > 0 &&
            w->t[i - 1] == SIGMA_TOKEN_ANY)
            continue;
        t[v->n_glob++] = w->t[i] < 256 && !c->cased
                             ? sigma_lower((uint8_t)w->t[i])
                             : w->t[i];
    }
    v->glob = t;
    from = before ? 1 : 0;
    to = v->n_glob - (after && v->n_glob > from ? 1 : 0);
    v->how = hows[before][after];
    for (uint32_t i = 0; i < v->n_glob; i++) {
        bytes[i] = (uint8_t)t[i];
        run = t[i] < 256 ? run + 1 : 0;
        if (run > best_n) {
            best_n = run;
            best = i + 1 - run;
        }
        if (i >= from && i < to && t[i] >= 256)
            v->how = SIGMA_GLOB;
    }
    if (v->n_glob == 1 && before)
        v->how = SIGMA_ANYTHING;
    v->text = v->how == SIGMA_GLOB ? span_of(bytes + best, best_n)
                                   : span_of(bytes + from, to - from);
}

static bool
fill_regex(struct chain *c, const struct work *w, struct sigma_value *v)
{
    struct sigma_reader *r = c->r;
    struct sigma_regex **grown;
    struct sigma_regex *re;
    uint8_t *bytes = sigma_arena_get(r->arena, w->n + 1U, 1);
    char error[SIGMA_REGEX_ERROR];
    struct span pattern;
    enum err e;

    if (r->n_regex == r->regex_cap) {
        uint32_t cap = r->regex_cap > 0 ? 2 * r->regex_cap : 16;

        grown = realloc(r->regex, cap * sizeof(struct sigma_regex *));
        if (grown == NULL)
            return out_of_memory(c);
        r->regex = grown;
        r->regex_cap = cap;
    }
    if (bytes == NULL)
        return out_of_memory(c);
    for (uint32_t i = 0; i < w->n; i++)
        bytes[i] = (uint8_t)w->t[i];
    pattern = span_of(bytes, w->n);
    e = sigma_regex_new(pattern, c->regex, &re, error);
    if (e == ERR_NOMEM)
        return out_of_memory(c);
    if (e != ERR_OK) {
        sigma_fault_at(r, c->node, c->key, "bad regular expression: %s", error);
        return false;
    }
    r->regex[r->n_regex++] = re;
    v->regex = re;
    pattern = sigma_regex_literal(pattern, c->regex);
    for (size_t i = 0; i < pattern.n; i++)
        bytes[(size_t)(pattern.p - bytes) + i] = sigma_lower(pattern.p[i]);
    v->text = pattern;
    return true;
}

/* As written, or what expand made of it. */
static struct span
plain_of(struct chain *c, const struct work *w)
{
    uint8_t *p;

    if (w->plain.p != NULL)
        return w->plain;
    p = sigma_arena_get(c->r->arena, w->n + 1U, 1);
    if (p == NULL) {
        c->r->nomem = true;
        return SPAN_NONE;
    }
    for (uint32_t i = 0; i < w->n; i++)
        p[i] = (uint8_t)w->t[i];
    return span_of(p, w->n);
}

static bool
fill_cidr(struct chain *c, const struct work *w, struct sigma_value *v)
{
    struct span s = plain_of(c, w);

    if (span_find(s, '/') < s.n && prefix_parse(s, &v->prefix))
        return true;
    sigma_fault_at(c->r, c->node, c->key,
                   "'%s' is no network, write 192.0.2.0/24 with all bits "
                   "behind the length 0",
                   sigma_word(s).s);
    return false;
}

static bool
fill_part(struct chain *c, struct sigma_value *v)
{
    static const struct {
        int least, most;
    } ranges[] = {
        [SIGMA_MINUTE] = {0,    59  },
          [SIGMA_HOUR] = {0,    23  },
        [SIGMA_DAY] = {1,    31  },
          [SIGMA_WEEK] = {1,    53  },
        [SIGMA_MONTH] = {1,    12  },
          [SIGMA_YEAR] = {1970, 2554},
    };

    if (v->number >= ranges[v->how].least && v->number <= ranges[v->how].most)
        return true;
    sigma_fault_at(c->r, c->node, c->key, "must be from %d to %d",
                   ranges[v->how].least, ranges[v->how].most);
    return false;
}

static bool
fill_field(struct chain *c, const struct work *w, struct sigma_value *v)
{
    struct span name = plain_of(c, w);

    if (w->t != NULL && has_wildcard(w)) {
        sigma_fault_at(c->r, c->node, c->key,
                       "a field's name has no wildcards");
        return false;
    }
    v->cased = c->cased;
    return find_field(c, c->node, name, &v->slot);
}

static bool
fill_plain(struct chain *c, const struct work *w, struct sigma_value *v)
{
    struct work text = *w;

    if (w->kind == WORK_NULL) {
        v->op = SIGMA_OP_NULL;
        return true;
    }
    if (w->kind == WORK_NUMBER) {
        v->op = SIGMA_OP_NUMBER;
        (void)sigma_number_parse(w->plain, &v->number);
    }
    if (w->kind != WORK_TEXT)
        text = work_bytes(c, w->plain);
    if (c->keywords) {
        v->op = SIGMA_OP_TEXT;
        if (!c->part_of && !add_stars(c, &text, AT_START | AT_END))
            return false;
    }
    v->cased = c->cased;
    if (!c->r->nomem)
        fill_text(c, &text, v);
    v->is_addr = v->how == SIGMA_EXACT && addr_parse(v->text, &v->addr);
    return !c->r->nomem;
}

static bool
fill_value(struct chain *c, struct work *w, struct sigma_value *v)
{
    *v = (struct sigma_value){.op = (uint8_t)c->op, .how = c->how};
    switch (c->op) {
    case SIGMA_OP_RE: return fill_regex(c, w, v);
    case SIGMA_OP_CIDR: return fill_cidr(c, w, v);
    case SIGMA_OP_FIELD: return fill_field(c, w, v);
    case SIGMA_OP_EXISTS:
        v->yes = (span_at(w->plain, 0) | 0x20) == 't';
        return true;
    case SIGMA_OP_COMPARE:
        (void)sigma_number_parse(w->plain, &v->number);
        return true;
    case SIGMA_OP_PART:
        (void)sigma_number_parse(w->plain, &v->number);
        return fill_part(c, v);
    case SIGMA_OP_TEXT:
    case SIGMA_OP_NUMBER:
    case SIGMA_OP_NULL: break;
    }
    return fill_plain(c, w, v);
}

/* The scalar at node as it stands in the file. */
static bool
start_work(struct chain *c, uint32_t node, bool in_list, struct work *w)
{
    const struct sigma_node *n = &c->r->t->node[node];
    enum sigma_scalar type = sigma_tree_type(n);

    *w = (struct work){.plain = n->text};
    c->node = node;
    if (n->kind != SIGMA_SCALAR) {
        sigma_fault_at(c->r, node, c->key, "takes a value or a list of values");
        return false;
    }
    if (n->text.n > SIGMA_TEXT_MAX) {
        sigma_fault_at(c->r, node, c->key, "is longer than %u bytes",
                       SIGMA_TEXT_MAX);
        return false;
    }
    if (type == SIGMA_IS_NAN) {
        sigma_fault_at(c->r, node, c->key,
                       "NaN and infinity are no values, quote it if it is a "
                       "word");
        return false;
    }
    if (type == SIGMA_IS_NULL && (in_list || c->keywords)) {
        sigma_fault_at(c->r, node, c->key,
                       c->keywords ? "null needs a field"
                                   : "null may not stand in a list, use a "
                                     "selection of its own");
        return false;
    }
    w->kind = type == SIGMA_IS_NULL     ? WORK_NULL
              : type == SIGMA_IS_NUMBER ? WORK_NUMBER
              : type == SIGMA_IS_BOOL   ? WORK_BOOL
                                        : WORK_TEXT;
    if (w->kind == WORK_TEXT)
        *w = scan(c, n->text);
    return !c->r->nomem;
}

static bool
fill_group(struct chain *c, const struct works *w, struct sigma_values *out)
{
    struct sigma_value *v = SIGMA_GET(c->r->arena, struct sigma_value, w->n);

    if (v == NULL)
        return out_of_memory(c);
    for (uint32_t i = 0; i < w->n; i++) {
        if (!fill_value(c, &w->v[i], &v[i]))
            return false;
    }
    *out = (struct sigma_values){v, w->n};
    return true;
}

/* What re takes is not unescaped: the tokens are the bytes. */
static void
take_raw(struct chain *c, struct works *w)
{
    for (unsigned i = 0; i < c->n_mods; i++) {
        if (is_re(c->mod[i]))
            w->v[0] = (struct work){.kind = WORK_TEXT, .plain = w->v[0].plain};
    }
    if (w->v[0].kind == WORK_TEXT && w->v[0].t == NULL) {
        struct span plain = w->v[0].plain;

        w->v[0] = work_bytes(c, plain);
        w->v[0].plain = plain;
    }
}

static bool
read_value(struct chain *c, uint32_t node, bool in_list,
           struct sigma_values *out)
{
    struct works w = {0};
    struct work one;
    bool good = start_work(c, node, in_list, &one) && add_work(c, &w, one);

    c->op = SIGMA_OP_TEXT;
    c->how = 0;
    c->regex = 0;
    if (good && one.kind == WORK_TEXT)
        take_raw(c, &w);
    for (unsigned i = 0; good && i < c->n_mods; i++)
        good = c->mod[i]->apply(c, &w, c->mod[i]->arg);
    good = good && !c->r->nomem && fill_group(c, &w, out);
    free(w.v);
    return good;
}

static bool
read_null(struct chain *c, struct sigma_item *out)
{
    struct sigma_values *g = SIGMA_GET(c->r->arena, struct sigma_values, 1);
    struct sigma_value *v = SIGMA_GET(c->r->arena, struct sigma_value, 1);

    if (g == NULL || v == NULL)
        return out_of_memory(c);
    if (c->keywords || has_flag(c, MOD_TYPE)) {
        sigma_fault_at(c->r, c->node, c->key, "the list is empty");
        return false;
    }
    v->op = SIGMA_OP_NULL;
    *g = (struct sigma_values){v, 1};
    out->group = g;
    out->n_groups = 1;
    for (unsigned i = 0; i < c->n_mods; i++)
        c->negate = c->negate || is_neq(c->mod[i]);
    return true;
}

static bool
read_values(struct chain *c, uint32_t value, struct sigma_item *out)
{
    const struct sigma_node *n = &c->r->t->node[value];
    bool list = n->kind == SIGMA_LIST;
    uint32_t count = list ? n->n : 1, at = list ? n->first : value;
    struct sigma_values *g;

    c->node = value;
    if (count == 0)
        return read_null(c, out);
    g = SIGMA_GET(c->r->arena, struct sigma_values, count);
    if (g == NULL)
        return out_of_memory(c);
    for (uint32_t i = 0; i < count; i++, at = c->r->t->node[at].next) {
        if (!read_value(c, at, list, &g[i]))
            return false;
    }
    out->group = g;
    out->n_groups = count;
    return true;
}

/* As written, as much as fits. */
static struct span
wanted(struct sigma_reader *r, uint32_t value)
{
    const struct sigma_node *n = &r->t->node[value];
    bool list = n->kind == SIGMA_LIST;
    uint32_t left = list ? n->n : 1;
    struct buf all;
    struct span kept;

    buf_init(&all, WANT_MAX);
    for (uint32_t i = list ? n->first : value; i != 0 && left > 0;
         i = list ? r->t->node[i].next : 0, left--) {
        const struct sigma_node *one = &r->t->node[i];

        if (all.n + one->text.n + 4 > WANT_MAX - WANT_MORE)
            break;
        buf_printf(&all, "%s%s", all.n > 0 ? ", " : "", one->plain ? "" : "'");
        buf_span(&all, one->text);
        buf_str(&all, one->plain ? "" : "'");
    }
    if (left > 0)
        buf_printf(&all, "%s%u %s", all.n > 0 ? ", and " : "", left,
                   all.n > 0 ? "more" : "long");
    kept = sigma_arena_span(r->arena, buf_view(&all));
    r->nomem = r->nomem || kept.p == NULL;
    buf_free(&all);
    return kept;
}

bool
sigma_item_read(struct sigma_reader *r, uint32_t key, uint32_t value,
                struct sigma_item *out)
{
    struct chain c = {.r = r, .node = key != 0 ? key : value};

    if (!read_key(&c, key) || !read_values(&c, value, out))
        return false;
    out->slot = c.slot;
    out->all = c.all;
    out->negate = c.negate;
    out->key = sigma_arena_span(r->arena, c.key);
    out->want = wanted(r, value);
    return true;
}
