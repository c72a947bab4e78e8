#include "rules/registry/permits.h"

#include "rules/registry/csv.h"

#include <stdlib.h>

#define MAXELEM 1048576 /* of an ipset; more than PERMITS_MAX */
#define CHUNK   1000    /* elements of a command: netlink has its limits */

static const char *
direction(enum form_use use)
{
    if (use == FORM_BOTH)
        return "both";
    return use == FORM_SEND ? "send" : "receive";
}

/* The number of a form has no character that means anything to anybody. */
static void
put_forms(const struct permit *p, struct buf *out)
{
    buf_str(out, p->line->form->form.number);
    buf_putc(out, '/');
    buf_u64(out, p->line->line->number);
    if (p->more > 0) {
        buf_str(out, " +");
        buf_u64(out, p->more);
    }
}

static bool
is_v4(const struct permit *p)
{
    return p->prefix.bits >= 96 && addr_is_v4(&p->first);
}

static void
put_addr(const struct addr *a, struct buf *out)
{
    char text[ADDR_TEXT_MAX];

    buf_put(out, text, addr_format(a, text));
}

/* An address, a prefix, or first-last. */
static void
put_range(const struct permit *p, struct buf *out)
{
    struct permits_range whole = permits_range_of(&p->prefix);

    if (addr_cmp(&p->first, &whole.first) == 0 &&
        addr_cmp(&p->last, &whole.last) == 0) {
        prefix_format(&p->prefix, out);
        return;
    }
    put_addr(&p->first, out);
    if (addr_cmp(&p->first, &p->last) == 0)
        return;
    buf_putc(out, '-');
    put_addr(&p->last, out);
}

static void
put_time(ns_t when, struct buf *out)
{
    char text[NS_TEXT_MAX];
    size_t n = ns_format(when / NS_PER_S * NS_PER_S, text);

    /* to the second: without its fraction and zone */
    buf_put(out, text, n < 19 ? n : 19);
    buf_putc(out, 'Z');
}

/* ---- sets: a direction, a port, a family each ---- */

struct set {
    enum form_use use;
    uint16_t port;
    bool v4;
};

/* p: those of the set's port. */
typedef void put_set(const struct permits *p, const struct set *set,
                     struct buf *out);

static bool
is_in(const struct permit *p, const struct set *set)
{
    return (p->use & set->use) != 0 && is_v4(p) == set->v4;
}

static void
put_name(const struct set *set, char between, struct buf *out)
{
    buf_str(out, set->use == FORM_SEND ? "send" : "receive");
    buf_putc(out, (uint8_t)between);
    if (set->port == 0)
        buf_str(out, "any");
    else
        buf_u64(out, set->port);
    buf_putc(out, (uint8_t)between);
    buf_str(out, set->v4 ? "v4" : "v6");
}

/* Every port there ever was: a set whose last entry is gone has to be emptied.
 */
static void
for_each_set(const struct permits *p, put_set *put, struct buf *out)
{
    size_t from = 0;

    for (size_t i = 0; i < p->n_ports; i++) {
        struct permits own = {.v = p->v != NULL ? p->v + from : NULL};

        while (from + own.n < p->n && own.v[own.n].port == p->ports[i])
            own.n++;
        for (unsigned k = 0; k < 4; k++) {
            const struct set set = {k < 2 ? FORM_SEND : FORM_RECEIVE,
                                    p->ports[i], k % 2 == 0};

            put(&own, &set, out);
        }
        from += own.n;
    }
}

/* ---- nftables ---- */

static void
nft_declare(const struct permits *p, const struct set *set, struct buf *out)
{
    (void)p;
    buf_str(out, "    set ");
    put_name(set, '_', out);
    buf_printf(out, " {\n        type %s\n        flags interval\n    }\n",
               set->v4 ? "ipv4_addr" : "ipv6_addr");
}

static void
nft_fill(const struct permits *p, const struct set *set, struct buf *out)
{
    size_t n = 0;

    buf_str(out, "flush set inet span25 ");
    put_name(set, '_', out);
    buf_putc(out, '\n');
    for (size_t i = 0; i < p->n; i++) {
        if (!is_in(&p->v[i], set))
            continue;
        if (n % CHUNK == 0) {
            buf_str(out, n > 0 ? "\n}\nadd element inet span25 "
                               : "add element inet span25 ");
            put_name(set, '_', out);
            buf_str(out, " {\n    ");
        } else {
            buf_str(out, ",\n    ");
        }
        put_range(&p->v[i], out);
        buf_str(out, " comment \"");
        put_forms(&p->v[i], out);
        buf_putc(out, '"');
        n++;
    }
    if (n > 0)
        buf_str(out, "\n}\n");
}

static void
write_nft(const struct permits *p, ns_t when, struct buf *out)
{
    buf_str(out, "#!/usr/sbin/nft -f\n# span25: permits in force at ");
    put_time(when, out);
    buf_str(out, ", ");
    buf_u64(out, p->n);
    buf_str(out, " entries\n"
                 "# What these sets hold is replaced, all at once.\n"
                 "table inet span25 {\n");
    for_each_set(p, nft_declare, out);
    buf_str(out, "}\n");
    for_each_set(p, nft_fill, out);
}

/* ---- ipset ---- */

static void
ipset_name(const struct set *set, const char *behind, struct buf *out)
{
    buf_str(out, "span25-");
    put_name(set, '-', out);
    buf_str(out, behind);
}

static void
ipset_create(const struct set *set, const char *behind, struct buf *out)
{
    buf_str(out, "create ");
    ipset_name(set, behind, out);
    buf_printf(out, " hash:net family %s maxelem %d comment\n",
               set->v4 ? "inet" : "inet6", MAXELEM);
}

struct ipset_entry {
    const struct permit *permit;
    const struct set *set;
    struct buf *out;
};

static void
ipset_add(void *ctx, const struct prefix *p)
{
    struct ipset_entry *e = ctx;

    buf_str(e->out, "add ");
    ipset_name(e->set, "-new", e->out);
    buf_putc(e->out, ' ');
    prefix_format(p, e->out);
    buf_str(e->out, " comment \"");
    put_forms(e->permit, e->out);
    buf_str(e->out, "\"\n");
}

/* Filled beside, then swapped: at no time is it half full. */
static void
ipset_set(const struct permits *p, const struct set *set, struct buf *out)
{
    ipset_create(set, "", out);
    ipset_create(set, "-new", out);
    buf_str(out, "flush ");
    ipset_name(set, "-new\n", out);
    for (size_t i = 0; i < p->n; i++) {
        struct ipset_entry e = {&p->v[i], set, out};
        struct permits_range r = {p->v[i].first, p->v[i].last};

        if (is_in(&p->v[i], set))
            permits_cidrs(&r, ipset_add, &e);
    }
    buf_str(out, "swap ");
    ipset_name(set, "-new ", out);
    ipset_name(set, "\ndestroy ", out);
    ipset_name(set, "-new\n", out);
}

static void
write_ipset(const struct permits *p, ns_t when, struct buf *out)
{
    buf_str(out, "# span25: permits in force at ");
    put_time(when, out);
    buf_str(out, ", ");
    buf_u64(out, p->n);
    buf_str(out, " entries; load with: ipset -exist restore\n");
    for_each_set(p, ipset_set, out);
}

/* ---- lists ---- */

struct edl_entry {
    const struct permit *permit;
    struct buf *out;
};

static void
edl_add(void *ctx, const struct prefix *p)
{
    struct edl_entry *e = ctx;

    prefix_format(p, e->out);
    buf_putc(e->out, ' ');
    put_forms(e->permit, e->out);
    buf_putc(e->out, '\n');
}

/* Addresses only: those of several ports stand once. */
static void
write_edl(const struct permits *p, struct buf *out)
{
    for (size_t i = 0; i < p->n; i++) {
        struct permits_range r = {p->v[i].first, p->v[i].last};
        struct edl_entry e = {&p->v[i], out};

        if (i == 0 || addr_cmp(&p->v[i - 1].first, &r.first) != 0)
            permits_cidrs(&r, edl_add, &e);
    }
}

static void
put_field(const char *text, struct buf *out)
{
    buf_putc(out, ',');
    if (text != NULL)
        csv_put(out, span_str(text));
}

static void
write_csv(const struct permits *p, struct buf *out)
{
    buf_str(out, "address,port,direction,form,line,site,device,domain,until\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct book_line *l = p->v[i].line;

        put_range(&p->v[i], out);
        buf_putc(out, ',');
        if (p->v[i].port == 0)
            buf_str(out, "any");
        else
            buf_u64(out, p->v[i].port);
        put_field(direction(p->v[i].use), out);
        put_field(l->form->form.number, out);
        buf_putc(out, ',');
        buf_u64(out, l->line->number);
        put_field(l->form->form.text[FORM_SITE], out);
        put_field(l->line->text[FORM_DEVICE], out);
        put_field(l->line->text[FORM_DOMAIN], out);
        buf_putc(out, ',');
        if (l->dates.until != 0)
            put_time(l->dates.until, out);
        buf_putc(out, '\n');
    }
}

static int
by_address(const void *a, const void *b)
{
    const struct permit *x = a;
    const struct permit *y = b;
    int order = addr_cmp(&x->first, &y->first);

    if (order == 0 && x->port != y->port)
        order = x->port < y->port ? -1 : 1;
    return order != 0 ? order : (int)x->use - (int)y->use;
}

static void
sort_by_address(struct permits *p)
{
    if (p->n > 0)
        qsort(p->v, p->n, sizeof(*p->v), by_address);
}

void
permits_write(struct permits *p, enum permits_format format, ns_t when,
              struct buf *out)
{
    switch (format) {
    case PERMITS_NFT: write_nft(p, when, out); break;
    case PERMITS_IPSET: write_ipset(p, when, out); break;
    case PERMITS_EDL:
        sort_by_address(p);
        write_edl(p, out);
        break;
    case PERMITS_CSV:
        sort_by_address(p);
        write_csv(p, out);
        break;
    }
}
