#include "dissectors/content/rtf.h"

#include "dissectors/content/embed.h"
#include "dissectors/content/ole2.h"
#include "dissectors/content/field.h"
#include "dissectors/content/reference.h"
#include "dissectors/content/utf16.h"

#define WORD_MAX 32

/* Digits put together to bytes. */
struct digits {
    struct buf bytes;
    uint8_t high;
    bool half;
};

/* A destination whose text is collected until its group ends. */
enum collect {
    COLLECT_NONE,
    COLLECT_DATA,
    COLLECT_TEMPLATE,
    COLLECT_CLASS,
    COLLECT_FIELD
};

struct rtf {
    struct inspection *i;
    const struct content_item *item;
    struct findings *out;
    struct cursor c;
    uint64_t depth;
    uint64_t base; /* depth of the destination that is collected */
    enum collect collect;
    struct digits all;   /* of all groups */
    struct digits plain; /* of the outer one */
    struct buf text;
    unsigned skip; /* characters that stand for a \uN before them */
    bool odd;      /* something between the digits */
    bool stop;
};

/* ---- digits ---- */

static unsigned
hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static void
put_digit(struct digits *d, unsigned v)
{
    if (d->half)
        buf_putc(&d->bytes, (uint8_t)((unsigned)d->high << 4 | v));
    else
        d->high = (uint8_t)v;
    d->half = !d->half;
}

static void
data_byte(struct rtf *r, uint8_t c)
{
    unsigned v = hex(c);

    if (v == 16) {
        if (c > ' ')
            r->odd = true;
        return;
    }
    put_digit(&r->all, v);
    if (r->depth == r->base)
        put_digit(&r->plain, v);
}

static void
data_raw(struct rtf *r, struct span bytes)
{
    buf_span(&r->all.bytes, bytes);
    buf_span(&r->plain.bytes, bytes);
    r->all.half = r->plain.half = false;
}

/* ---- an object ---- */

static bool
is_class(struct span name, const char *want)
{
    return span_starts_nocase(name, span_str(want));
}

static void
judge_class(struct rtf *r, struct span name)
{
    if (is_class(name, "Equation."))
        embed_note(r->i, r->item, FIND_EQUATION_OBJECT, name);
    else if (is_class(name, "OLE2Link") || is_class(name, "StdOleLink"))
        embed_note(r->i, r->item, FIND_OLE_LINK, name);
}

static bool
give_ole1(struct rtf *r, const struct ole1 *o)
{
    struct package p;

    judge_class(r, o->class_name);
    if (o->linked) {
        embed_link(r->i, r->item, o->topic);
        return true;
    }
    if (is_class(o->class_name, "Package") && package_read(o->data, &p))
        return embed_package(r->i, r->item, &p);
    return embed_object(r->i, r->item, o->class_name, o->data);
}

/* The header may be damaged on purpose: Word reads on. */
static bool
give_search(struct rtf *r, struct span bytes)
{
    size_t at = span_search(bytes, SPAN_LIT("\xd0\xcf\x11\xe0"));

    return at >= bytes.n || embed_object(r->i, r->item, SPAN_LIT("objdata"),
                                         span_tail(bytes, at));
}

static bool
is_object(const struct ole1 *o)
{
    return o->linked || (!o->cut && o->data.n > 0);
}

static void
give_object(struct rtf *r)
{
    struct span all = buf_view(&r->all.bytes);
    struct span plain = buf_view(&r->plain.bytes);
    struct ole1 a = {0};
    struct ole1 b = {0};
    bool in_all = ole1_read(all, &a);
    bool in_plain = ole1_read(plain, &b);

    if (r->odd && all.n > 0)
        inspection_note(r->i, r->item, FIND_RTF_OBFUSCATED);
    if (in_plain && (is_object(&b) || !in_all || !is_object(&a)))
        r->stop = !give_ole1(r, &b);
    else if (in_all)
        r->stop = !give_ole1(r, &a);
    else
        r->stop = !give_search(r, plain.n > 0 ? plain : all);
}

/* ---- destinations ---- */

static void
collect_begin(struct rtf *r, enum collect what)
{
    if (r->collect != COLLECT_NONE)
        return;
    r->collect = what;
    r->base = r->depth;
    r->odd = false;
    buf_reset(&r->text);
    buf_reset(&r->all.bytes);
    buf_reset(&r->plain.bytes);
    r->all.half = r->plain.half = false;
}

static void
collect_end(struct rtf *r)
{
    struct span text = span_trim(buf_view(&r->text));

    switch (r->collect) {
    case COLLECT_NONE: break;
    case COLLECT_DATA: give_object(r); break;
    case COLLECT_TEMPLATE:
        if (reference_of(text) != REFERENCE_LOCAL)
            findings_add_detail(r->out, FIND_TEMPLATE_INJECTION, text);
        break;
    case COLLECT_CLASS: judge_class(r, text); break;
    case COLLECT_FIELD: field_judge(text, r->out); break;
    }
    r->collect = COLLECT_NONE;
}

static void
put_char(struct rtf *r, uint32_t c)
{
    if (r->skip > 0)
        r->skip--;
    else
        utf16_put(&r->text, c);
}

/* ---- control words ---- */

static void
word_objdata(struct rtf *r, int32_t n)
{
    (void)n;
    collect_begin(r, COLLECT_DATA);
}

static void
word_template(struct rtf *r, int32_t n)
{
    (void)n;
    collect_begin(r, COLLECT_TEMPLATE);
}

static void
word_objclass(struct rtf *r, int32_t n)
{
    (void)n;
    collect_begin(r, COLLECT_CLASS);
}

static void
word_fldinst(struct rtf *r, int32_t n)
{
    (void)n;
    collect_begin(r, COLLECT_FIELD);
}

static void
word_objupdate(struct rtf *r, int32_t n)
{
    (void)n;
    inspection_note(r->i, r->item, FIND_OBJECT_UPDATE);
}

/* Raw bytes, as many as there are. */
static void
word_bin(struct rtf *r, int32_t n)
{
    size_t left = cur_left(&r->c);
    size_t want = n > 0 ? (size_t)n : 0;
    struct span bytes = cur_take(&r->c, want < left ? want : left);

    if (r->collect == COLLECT_DATA)
        data_raw(r, bytes);
}

/* \u-4051 is U+F02D; one character for old readers follows. */
static void
word_u(struct rtf *r, int32_t n)
{
    if (r->collect == COLLECT_NONE)
        return;
    r->skip = 0;
    put_char(r, (uint32_t)n & 0xffff);
    r->skip = 1;
}

static const struct {
    struct span word;
    void (*act)(struct rtf *r, int32_t n);
} words[] = {
    {SPAN_INIT("objdata"),   word_objdata  },
    {SPAN_INIT("objupdate"), word_objupdate},
    {SPAN_INIT("objclass"),  word_objclass },
    {SPAN_INIT("template"),  word_template },
    {SPAN_INIT("fldinst"),   word_fldinst  },
    {SPAN_INIT("bin"),       word_bin      },
    {SPAN_INIT("u"),         word_u        },
};

static bool
is_letter(uint8_t c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'z';
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t
peek(const struct rtf *r)
{
    return span_at(r->c.in, r->c.at);
}

static int32_t
take_number(struct rtf *r)
{
    bool minus = peek(r) == '-';
    int64_t v = 0;

    if (minus)
        cur_skip(&r->c, 1);
    while (is_digit(peek(r)))
        v = v < 100000000 ? v * 10 + (cur_u8(&r->c) - '0')
                          : (cur_skip(&r->c, 1), v);
    return (int32_t)(minus ? -v : v);
}

static void
control_word(struct rtf *r)
{
    struct span rest = span_tail(r->c.in, r->c.at);
    struct span name;
    int32_t number;
    size_t n = 0;

    while (n < rest.n && is_letter(span_at(rest, n)))
        n++;
    name = span_head(rest, n);
    cur_skip(&r->c, n);
    number = take_number(r);
    if (peek(r) == ' ')
        cur_skip(&r->c, 1);
    if (r->collect == COLLECT_DATA)
        r->odd = true;
    for (size_t k = 0; k < ARRAY_LEN(words); k++)
        if (span_eq(name, words[k].word))
            words[k].act(r, number);
}

static void
control(struct rtf *r)
{
    uint8_t c = peek(r);

    if (is_letter(c)) {
        control_word(r);
        return;
    }
    cur_skip(&r->c, 1);
    if (c == '\'') {
        unsigned high = hex(cur_u8(&r->c));
        unsigned low = hex(cur_u8(&r->c));

        if (r->collect == COLLECT_DATA)
            r->odd = true;
        else if (r->collect != COLLECT_NONE && high < 16 && low < 16)
            put_char(r, high << 4 | low);
    } else if (r->collect != COLLECT_NONE && r->collect != COLLECT_DATA &&
               (c == '\\' || c == '{' || c == '}')) {
        put_char(r, c);
    }
}

/* ---- the file ---- */

static void
group_end(struct rtf *r)
{
    if (r->collect != COLLECT_NONE && r->depth == r->base)
        collect_end(r);
    if (r->depth > 0)
        r->depth--;
}

static void
plain(struct rtf *r, uint8_t c)
{
    if (r->collect == COLLECT_DATA)
        data_byte(r, c);
    else if (r->collect != COLLECT_NONE && c != '\r' && c != '\n')
        put_char(r, c);
}

static void
step(struct rtf *r)
{
    uint8_t c = cur_u8(&r->c);

    switch (c) {
    case '{':
        r->depth++;
        r->odd = r->odd || r->collect == COLLECT_DATA;
        break;
    case '}': group_end(r); break;
    case '\\': control(r); break;
    default: plain(r, c); break;
    }
}

/* Between objects only control words, groups and \bin matter. */
static void
skip_text(struct rtf *r)
{
    struct span rest = span_tail(r->c.in, r->c.at);
    size_t n = 0;

    while (n < rest.n && span_at(rest, n) != '\\' && span_at(rest, n) != '{' &&
           span_at(rest, n) != '}')
        n++;
    cur_skip(&r->c, n);
}

static void
read_all(struct rtf *r)
{
    while (cur_left(&r->c) > 0 && !r->stop) {
        if (r->collect == COLLECT_NONE)
            skip_text(r);
        if (cur_left(&r->c) > 0)
            step(r);
    }
    collect_end(r);
}

static bool
wants(const struct content_item *item)
{
    return span_starts_nocase(item->bytes, SPAN_LIT("{\\rt"));
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    struct rtf r = {
        .i = i,
        .item = item,
        .out = inspection_findings(i),
        .c = cur_open(item->bytes),
    };

    buf_init(&r.text, RTF_TEXT_MAX);
    buf_init(&r.all.bytes, item->bytes.n);
    buf_init(&r.plain.bytes, item->bytes.n);
    read_all(&r);
    buf_free(&r.text);
    buf_free(&r.all.bytes);
    buf_free(&r.plain.bytes);
}

const struct inspector rtf_inspector = {
    .name = "rtf",
    .wants = wants,
    .inspect = inspect,
};
