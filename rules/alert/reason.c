#include "rules/alert/reason.h"

#include "rules/sigma/sigma_field.h"
#include "sensor/base/count.h"
#include "sensor/base/text.h"

#define ABSENT "(not observed)"
/* Longest number that is told as one: 2^53, beyond which doubles have holes. */
#define WHOLE_MAX 9007199254740992.0

void
reason_number(struct buf *out, uint64_t v)
{
    count_number(out, v);
}

void
reason_figure(struct buf *out, double v)
{
    if (v >= 0 && v < WHOLE_MAX && v == (double)(uint64_t)v)
        reason_number(out, (uint64_t)v);
    else
        buf_printf(out, "%.1f", v);
}

/* ---- values ---- */

static bool
ends_with(struct span s, struct span end)
{
    return s.n >= end.n && span_eq(span_tail(s, s.n - end.n), end);
}

/* Fields whose documentation says thousandths of a nat. */
static bool
is_nats(enum field f)
{
    struct span path = span_str(field_table[f].path);

    return span_starts(path, SPAN_LIT("host.")) &&
           (ends_with(path, SPAN_LIT(".score")) ||
            ends_with(path, SPAN_LIT(".limit")));
}

static void
put_number(struct buf *out, enum field f, uint64_t v)
{
    if (is_nats(f))
        buf_printf(out, "%.1f", (double)v / 1000);
    else
        buf_u64(out, v);
}

static void
put_value(struct buf *out, struct sigma_slot slot, struct span v)
{
    enum field f = slot.field;
    char text[NS_TEXT_MAX > ADDR_TEXT_MAX ? NS_TEXT_MAX : ADDR_TEXT_MAX];
    struct addr a;

    switch (field_table[f].type) {
    case FT_BOOL: buf_str(out, span_at(v, 0) != 0 ? "yes" : "no"); break;
    case FT_U64:
    case FT_U64S: put_number(out, f, entry_u64(v)); break;
    case FT_I64: buf_printf(out, "%lld", (long long)entry_u64(v)); break;
    case FT_TIME: buf_put(out, text, ns_format(entry_u64(v), text)); break;
    case FT_ADDR:
        if (entry_addr(v, &a))
            buf_put(out, text, addr_format(&a, text));
        break;
    case FT_STR:
    case FT_STRS:
        text_plain(out, sigma_lens_apply(slot.lens, v), REASON_VALUE);
        break;
    case FT_OBJS: break;
    }
}

struct values {
    struct buf *out;
    struct sigma_slot slot;
    size_t n;
};

static void
take_value(struct values *v, struct span value)
{
    if (++v->n > REASON_LIST)
        return;
    if (v->n > 1)
        buf_str(v->out, ", ");
    put_value(v->out, v->slot, value);
}

static void
take_child(struct values *v, struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == v->slot.field)
            take_value(v, e.value);
    }
}

static void
put_entries(struct buf *out, struct sigma_slot slot,
            const struct record_map *event)
{
    struct values v = {out, slot, 0};
    enum field parent = field_parent_of(slot.field);
    enum field where = parent != FIELD_COUNT ? parent : slot.field;
    struct cursor c = record_entries_of(event->record);
    struct record_entry e;

    if (!record_map_has(event, where)) {
        buf_str(out, ABSENT);
        return;
    }
    while (record_next(&c, &e) && e.field <= where) {
        if (e.field != where)
            continue;
        if (parent != FIELD_COUNT)
            take_child(&v, e.value);
        else
            take_value(&v, e.value);
    }
    if (v.n == 0)
        buf_str(out, ABSENT);
    if (v.n > REASON_LIST)
        buf_printf(out, " and %zu more", v.n - REASON_LIST);
}

/* ---- names ---- */

static void
put_count(struct buf *out, const struct reason_facts *f)
{
    if (f->correlation)
        reason_figure(out, f->figure);
    else
        reason_number(out, f->count);
}

static void
put_limit(struct buf *out, const struct reason_facts *f)
{
    if (f->limit.n > 0)
        text_plain(out, f->limit, REASON_VALUE);
    else
        buf_str(out, ABSENT);
}

static void
put_timespan(struct buf *out, const struct reason_facts *f)
{
    if (f->timespan.n > 0)
        text_plain(out, f->timespan, REASON_VALUE);
    else
        buf_str(out, ABSENT);
}

static const struct {
    const char *name;
    void (*put)(struct buf *out, const struct reason_facts *f);
} words[] = {
    {"count",    put_count   },
    {"limit",    put_limit   },
    {"timespan", put_timespan},
};

/* False: no such name. */
static bool
put_name(struct buf *out, struct span name, const struct reason_facts *f)
{
    struct sigma_slot slot;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_eq(span_str(words[i].name), name)) {
            words[i].put(out, f);
            return true;
        }
    }
    if (!sigma_field_find(name, &slot) || field_is_header(slot.field))
        return false;
    put_entries(out, slot, f->event);
    return true;
}

static void
put_template(struct buf *out, const struct reason_facts *f)
{
    struct span rest = f->template;

    while (rest.n > 0) {
        size_t open = span_find(rest, '{');
        struct span name = span_tail(rest, open + 1);
        size_t close = span_find(name, '}');

        buf_span(out, span_head(rest, open));
        if (open == rest.n)
            return;
        if (close == name.n || !put_name(out, span_head(name, close), f)) {
            buf_putc(out, '{');
            rest = name;
            continue;
        }
        rest = span_tail(name, close + 1);
    }
}

/* " (Lakeside HS, not registered)" */
static void
put_who(struct buf *out, const struct reason_facts *f)
{
    bool registered = span_eq(f->registered, SPAN_LIT("registered"));

    buf_span(out, f->subject);
    if (f->site.n == 0 && f->registered.n == 0)
        return;
    buf_str(out, " (");
    text_plain(out, f->site, REASON_VALUE);
    if (f->site.n > 0 && f->registered.n > 0)
        buf_str(out, ", ");
    if (f->registered.n > 0)
        buf_str(out, registered ? "registered" : "not registered");
    buf_putc(out, ')');
}

static void
put_title(struct buf *out, const struct reason_facts *f)
{
    buf_str(out, ": ");
    text_plain(out, f->title, REASON_VALUE);
    if (!f->correlation || f->limit.n == 0)
        return;
    buf_str(out, " (");
    put_count(out, f);
    buf_str(out, " in ");
    put_timespan(out, f);
    buf_str(out, ", limit ");
    put_limit(out, f);
    buf_putc(out, ')');
}

void
reason_write(struct buf *out, const struct reason_facts *f)
{
    struct buf whole;

    buf_init(&whole, 16384);
    put_who(&whole, f);
    if (f->template.n > 0) {
        buf_putc(&whole, ' ');
        put_template(&whole, f);
    } else {
        put_title(&whole, f);
    }
    text_plain(out, buf_view(&whole), REASON_MAX);
    buf_free(&whole);
}
