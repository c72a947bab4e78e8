#include "rules/feed/render.h"

enum comment { NONE, INLINE, LINE, CSV };

static const struct {
    const char *word;
    size_t elements, bytes;
    enum comment comment;
} vendors[] = {
#define X(id, word, elements, bytes, comment, doc)                             \
    {word, elements, bytes, comment},
#include "rules/feed/vendors.def"
#undef X
};

const char *
render_vendor_word(enum render_vendor v)
{
    return vendors[v].word;
}

size_t
render_vendor_elements(enum render_vendor v)
{
    return vendors[v].elements;
}

size_t
render_vendor_bytes(enum render_vendor v)
{
    return vendors[v].bytes;
}

/* Names are unique: they are the element and the set's serial. Comments have
 * neither commas nor quotes. */
static void
put_csv(const struct feed_item *i, const struct feed *f, struct buf *out)
{
    const bool single = i->prefix.bits == 128;
    const struct permits_range r = permits_range_of(&i->prefix);
    char text[ADDR_TEXT_MAX];

    buf_str(out, "span25-");
    buf_put(out, text, addr_format(&r.first, text));
    buf_printf(out, "-%u,", i->prefix.bits);
    buf_put(out, text, addr_format(&r.first, text));
    if (!single) {
        buf_putc(out, '-');
        buf_put(out, text, addr_format(&r.last, text));
    }
    buf_printf(out, ",%s,high,high,AV,", single ? "IP" : "IP Range");
    render_comment(out, i);
    buf_str(out, " until ");
    render_time(out, feed_end(f, i));
    buf_putc(out, '\n');
}

static void
put_line(const struct feed_item *i, const struct feed *f, enum comment comment,
         struct buf *out)
{
    if (comment == CSV) {
        put_csv(i, f, out);
        return;
    }
    render_prefix(out, &i->prefix);
    if (comment == INLINE) {
        buf_putc(out, ' ');
        render_comment(out, i);
    }
    buf_putc(out, '\n');
}

void
render_list(const struct feed *f, const struct render_options *o,
            struct buf *out)
{
    const enum comment comment = vendors[o->vendor].comment;

    if (comment == LINE) {
        buf_str(out, "# ");
        render_head(out, f);
        buf_putc(out, '\n');
    } else if (comment == CSV) {
        buf_str(out, "UNIQ-NAME,VALUE,TYPE,CONFIDENCE,SEVERITY,PRODUCT,"
                     "COMMENT\n");
    }
    for (size_t i = 0; i < f->n; i++) {
        if (feed_left(f, &f->v[i], o->now) > 0)
            put_line(&f->v[i], f, comment, out);
    }
}
