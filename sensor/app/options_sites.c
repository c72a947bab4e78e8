#include "sensor/app/options_sites.h"

#include <stdlib.h>

#include "sensor/base/text.h"

static const struct option_row rows[] = {
#define X(id, ...) OPTIONS_LIST_ROW(config_site, id, __VA_ARGS__),
#include "sensor/app/options_sites.def"
#undef X
};

static const bool musts[] = {
#define X(...) OPTIONS_LIST_MUST(__VA_ARGS__),
#include "sensor/app/options_sites.def"
#undef X
};

OPTIONS_LIST_OF(sites, config_site, SITES_MAX, options_sites)

const struct options_list options_sites = {
    .path = "sites",
    .item = "a site",
    .help = "The sites of the network, one item each",
    .rows = rows,
    .must = musts,
    .n_rows = ARRAY_LEN(rows),
    OPTIONS_LIST_CALLS(sites),
};

/* ---- making sites ---- */

static enum err
add_prefixes(struct sites *s, uint32_t site, const struct prefixes *p)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < p->n && e == ERR_OK; i++)
        e = sites_add_prefix(s, site, &p->v[i]);
    return e;
}

static enum err
add_vlans(struct sites *s, uint32_t site, const struct ports *vlans)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < vlans->n && e == ERR_OK; i++)
        e = sites_add_vlan(s, site, vlans->v[i]);
    return e;
}

static enum err
add_site(struct sites *s, const struct config_site *c, struct buf *why)
{
    const struct site site = {c->code, c->name, c->owner, c->contact, c->zone};
    uint32_t index = 0;
    enum err e = sites_add(s, &site, &index);

    if (e == ERR_EXISTS) {
        buf_str(why, "there are two sites with the code '");
        text_term(why, span_str(c->code));
        buf_putc(why, '\'');
        return ERR_CONFIG;
    }
    if (e == ERR_OK)
        e = add_prefixes(s, index, &c->prefixes);
    return e == ERR_OK ? add_vlans(s, index, &c->vlans) : e;
}

static enum err
add_pool(struct sites *s, const struct prefixes *p, enum sites_pool kind)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < p->n && e == ERR_OK; i++)
        e = sites_add_pool(s, &p->v[i], kind);
    return e;
}

static enum err
add_pools(struct sites *s, const struct config *c)
{
    enum err e = add_pool(s, &c->nat, SITES_POOL_NAT);

    if (e == ERR_OK)
        e = add_pool(s, &c->vpn, SITES_POOL_VPN);
    return e == ERR_OK ? add_pool(s, &c->dhcp, SITES_POOL_DHCP) : e;
}

static enum err
add_home(struct sites *s, const struct prefix *p, size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = sites_add_home(s, &p[i]);
    return e;
}

enum err
options_sites_make(const struct config *c, const struct prefix *more,
                   size_t n_more, struct sites **out, uint32_t *line,
                   struct buf *why)
{
    struct sites *s = NULL;
    enum err e = sites_new(&s);

    *line = c->sites.line;
    for (size_t i = 0; i < c->sites.n && e == ERR_OK; i++) {
        *line = c->sites.v[i].line;
        e = add_site(s, &c->sites.v[i], why);
    }
    if (e == ERR_OK) {
        *line = c->sites.line;
        e = add_pools(s, c);
    }
    if (e == ERR_OK)
        e = add_home(s, c->home.v, c->home.n);
    if (e == ERR_OK)
        e = add_home(s, more, n_more);
    if (e == ERR_OK)
        e = sites_done(s, why);
    if (e == ERR_OK) {
        *out = s;
        return ERR_OK;
    }
    sites_free(s);
    return e == ERR_EXISTS ? ERR_CONFIG : e;
}
