#include "rules/feed/render.h"

static const struct family {
    const char *set, *family;
    bool v4;
} families[] = {
    {"span25-block-v4", "inet",  true },
    {"span25-block-v6", "inet6", false},
};

/* What says the same every time is no error under -exist. */
static void
create(const struct family *family, const char *behind, struct buf *out)
{
    buf_printf(
        out, "create %s%s hash:net family %s maxelem %u timeout %u comment\n",
        family->set, behind, family->family, RENDER_SIZE, RENDER_IPSET_OWN);
}

static void
add(const struct feed_item *i, const struct family *family, uint64_t left,
    struct buf *out)
{
    buf_printf(out, "add %s-new ", family->set);
    render_prefix(out, &i->prefix);
    buf_str(out, " timeout ");
    buf_u64(out, left < RENDER_IPSET_TTL ? left : RENDER_IPSET_TTL);
    buf_str(out, " comment \"");
    render_comment(out, i);
    buf_str(out, "\"\n");
}

static void
put_set(const struct feed *f, const struct family *family, ns_t now,
        struct buf *out)
{
    create(family, "", out);
    create(family, "-new", out);
    buf_printf(out, "flush %s-new\n", family->set);
    for (size_t i = 0; i < f->n; i++) {
        const uint64_t left = feed_left(f, &f->v[i], now);

        if (left > 0 && render_is_v4(&f->v[i]) == family->v4)
            add(&f->v[i], family, left, out);
    }
    buf_printf(out, "swap %s-new %s\ndestroy %s-new\n", family->set,
               family->set, family->set);
}

void
render_ipset(const struct feed *f, const struct render_options *o,
             struct buf *out)
{
    buf_str(out, "# ");
    render_head(out, f);
    buf_str(out, "\n# Load at once, with: ipset -exist restore\n");
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        put_set(f, &families[i], o->now, out);
}
