#include "rules/home.h"

static const char *const blocks[] = {"10.0.0.0/8", "172.16.0.0/12",
                                     "192.168.0.0/16", "100.64.0.0/10",
                                     "fc00::/7"};

void
home_init(struct home_guess *g)
{
    *g = (struct home_guess){0};
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        REQUIRE(prefix_parse(span_str(blocks[i]), &g->blocks[i]));
}

static bool
note_private(struct home_guess *g, const struct addr *a)
{
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        if (prefix_has(&g->blocks[i], a)) {
            g->private_seen[i] = true;
            return true;
        }
    }
    return false;
}

static struct prefix
net_of(const struct addr *a)
{
    struct prefix p = {*a, 48};

    if (addr_is_v4(a))
        p.bits = 120;
    memset(p.addr.b + p.bits / 8, 0, 16 - p.bits / 8U);
    return p;
}

static void
note_net(struct home_guess *g, const struct addr *a)
{
    struct prefix p = net_of(a);

    for (uint32_t i = 0; i < g->n_prefixes; i++) {
        if (g->prefixes[i].prefix.bits == p.bits &&
            addr_cmp(&g->prefixes[i].prefix.addr, &p.addr) == 0) {
            g->prefixes[i].count++;
            return;
        }
    }
    if (g->n_prefixes == ARRAY_LEN(g->prefixes))
        return;
    g->prefixes[g->n_prefixes].prefix = p;
    g->prefixes[g->n_prefixes++].count = 1;
}

void
home_see(struct home_guess *g, const struct addr *a, const struct addr *b)
{
    bool private_a = note_private(g, a);
    bool private_b = note_private(g, b);
    struct prefix pa = net_of(a);
    struct prefix pb = net_of(b);

    g->n_seen++;
    if (private_a || private_b)
        return;
    note_net(g, a);
    if (pa.bits != pb.bits || addr_cmp(&pa.addr, &pb.addr) != 0)
        note_net(g, b);
}

size_t
home_result(const struct home_guess *g, struct prefix out[HOME_GUESS_MAX])
{
    size_t n = 0;
    uint32_t best = 0;

    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        if (g->private_seen[i])
            out[n++] = g->blocks[i];
    }
    if (n > 0)
        return n;
    for (uint32_t i = 1; i < g->n_prefixes; i++) {
        if (g->prefixes[i].count > g->prefixes[best].count)
            best = i;
    }
    if (g->n_prefixes == 0 || g->prefixes[best].count * 2 < g->n_seen)
        return 0;
    out[0] = g->prefixes[best].prefix;
    return 1;
}
