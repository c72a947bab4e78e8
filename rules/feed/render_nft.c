#include "rules/feed/render.h"

/* Every load says the same of the sets: what is there stays, and a table of
 * rules beside them is not touched. */
static const struct family {
    const char *set, *type;
    bool v4;
} families[] = {
    {"blk4", "ipv4_addr", true },
    {"blk6", "ipv6_addr", false},
};

static void
declare(struct buf *out)
{
    buf_str(out, "table inet span25_feed {\n");
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        buf_printf(out,
                   "    set %s {\n        type %s\n"
                   "        flags interval,timeout\n        size %u\n    }\n",
                   families[i].set, families[i].type, RENDER_SIZE);
    buf_str(out, "}\n");
}

static void
put_element(const struct feed_item *i, uint64_t left, struct buf *out)
{
    render_prefix(out, &i->prefix);
    buf_str(out, " timeout ");
    buf_u64(out, left);
    buf_str(out, "s comment \"");
    render_comment(out, i);
    buf_putc(out, '"');
}

static void
fill(const struct feed *f, const struct family *family, ns_t now,
     struct buf *out)
{
    size_t n = 0;

    buf_printf(out, "flush set inet span25_feed %s\n", family->set);
    for (size_t i = 0; i < f->n; i++) {
        const uint64_t left = feed_left(f, &f->v[i], now);

        if (left == 0 || render_is_v4(&f->v[i]) != family->v4)
            continue;
        if (n % RENDER_CHUNK == 0)
            buf_printf(out, "%sadd element inet span25_feed %s {\n    ",
                       n > 0 ? "\n}\n" : "", family->set);
        else
            buf_str(out, ",\n    ");
        put_element(&f->v[i], left, out);
        n++;
    }
    if (n > 0)
        buf_str(out, "\n}\n");
}

void
render_nft(const struct feed *f, const struct render_options *o,
           struct buf *out)
{
    buf_str(out, "#!/usr/sbin/nft -f\n# ");
    render_head(out, f);
    buf_str(out, "\n# Load at once: the times left are counted from ");
    render_time(out, o->now);
    buf_str(out, "\n# Replaces what the two sets hold, all or nothing.\n");
    declare(out);
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        fill(f, &families[i], o->now, out);
}

/* DETECTION 6.3: port 25 only; answered, so that a mail server asks again and a
 * person sees an error. What comes from port 25 to a listed host is the other
 * half of mail whose first half went another way, 6.2. */
void
render_nft_rules(const struct feed *f, const struct render_options *o,
                 struct buf *out)
{
    static const char *const words[][2] = {
        {"ip",  "blk4"},
        {"ip6", "blk6"}
    };

    (void)f;
    (void)o;
    buf_str(out, "#!/usr/sbin/nft -f\n"
                 "# span25: stops what the feed lists; load once, before it\n");
    declare(out);
    buf_str(out, "add chain inet span25_feed stop { type filter hook forward "
                 "priority -5; policy accept; }\n"
                 "flush chain inet span25_feed stop\n");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        buf_printf(out,
                   "add rule inet span25_feed stop %s saddr @%s tcp dport 25 "
                   "counter reject with tcp reset\n"
                   "add rule inet span25_feed stop %s daddr @%s tcp sport 25 "
                   "counter drop\n",
                   words[i][0], words[i][1], words[i][0], words[i][1]);
}
