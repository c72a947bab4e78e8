#include "rules/feed/render.h"

#define TTL 300U

/* yyyy:mm:dd:hh:mm:ss; a number of seconds would be passed over, and the zone
 * served without an end */
static void
put_stamp(struct buf *out, ns_t when)
{
    char text[NS_TEXT_MAX];
    const size_t n = ns_format(when, text);

    for (size_t i = 0; i < n && i < 19; i++)
        buf_putc(out,
                 (text[i] >= '0' && text[i] <= '9') ? (uint8_t)text[i] : ':');
}

static void
put_head(const struct feed *f, const struct render_options *o, struct buf *out)
{
    const ns_t back = RENDER_BACKDATE * NS_PER_S;
    struct buf name;

    buf_init(&name, 256);
    render_safe(&name, o->zone.n > 0 ? o->zone : SPAN_LIT("localhost"), 253);
    buf_str(out, "# ");
    render_head(out, f);
    buf_printf(out, "\n$SOA %u ", TTL);
    buf_span(out, buf_view(&name));
    buf_str(out, " hostmaster.");
    buf_span(out, buf_view(&name));
    buf_printf(out, " 0 600 300 86400 %u\n$NS %u ", TTL, TTL);
    buf_span(out, buf_view(&name));
    buf_printf(out, "\n$TTL %u\n$TIMESTAMP ", TTL);
    put_stamp(out, f->made > back ? f->made - back : 0);
    buf_putc(out, ' ');
    put_stamp(out, f->expires);
    buf_putc(out, '\n');
    buf_free(&name);
}

static void
put_items(const struct feed *f, const struct render_options *o, bool v4,
          struct buf *out)
{
    for (size_t i = 0; i < f->n; i++) {
        if (render_is_v4(&f->v[i]) != v4 || feed_left(f, &f->v[i], o->now) == 0)
            continue;
        render_prefix(out, &f->v[i].prefix);
        buf_str(out, " :127.0.0.2:");
        render_comment(out, &f->v[i]);
        buf_putc(out, '\n');
    }
}

/* RFC 5782 5: the test address is listed, and its neighbour is not. */
void
render_rbldnsd4(const struct feed *f, const struct render_options *o,
                struct buf *out)
{
    put_head(f, o, out);
    buf_printf(out, "$MAXRANGE4 /%u\n", (unsigned)f->widest[0]);
    buf_str(out, "127.0.0.2 :127.0.0.2:test\n");
    put_items(f, o, true, out);
}

void
render_rbldnsd6(const struct feed *f, const struct render_options *o,
                struct buf *out)
{
    put_head(f, o, out);
    buf_str(out, "::ffff:7f00:2 :127.0.0.2:test\n");
    put_items(f, o, false, out);
}
