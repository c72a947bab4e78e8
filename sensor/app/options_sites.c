#include "sensor/app/options_sites.h"

#include "sensor/app/options_value.h"
#include "sensor/base/near.h"
#include "sensor/base/text.h"

const struct option_row options_sites_rows[OPTIONS_SITE_KEYS] = {
#define X(id, key, argument, type, range, must, help)                          \
    {key,                                                                      \
     "",                                                                       \
     argument,                                                                 \
     "",                                                                       \
     range,                                                                    \
     help,                                                                     \
     offsetof(struct config_site, id),                                         \
     0,                                                                        \
     OPTION_##type,                                                            \
     0},
#include "sensor/app/options_sites.def"
#undef X
};

const bool options_sites_must[OPTIONS_SITE_KEYS] = {
#define X(id, key, argument, type, range, must, help) must,
#include "sensor/app/options_sites.def"
#undef X
};

enum options_site_key
options_sites_find(struct span key)
{
    unsigned i = 0;

    while (i < OPTIONS_SITE_KEYS &&
           !span_eq(key, span_str(options_sites_rows[i].path)))
        i++;
    return (enum options_site_key)i;
}

struct span
options_sites_near(struct span key)
{
    struct near near = near_start(key);

    for (unsigned i = 0; i < OPTIONS_SITE_KEYS; i++)
        near_offer(&near, span_str(options_sites_rows[i].path));
    return near.best;
}

struct config_site *
options_sites_add(struct config_sites *s, uint32_t line)
{
    size_t cap = s->cap > 0 ? s->cap * 2 : 16;
    struct config_site *v = s->v;

    if (s->n == SITES_MAX)
        return NULL;
    if (s->n == s->cap) {
        v = reallocarray(s->v, cap, sizeof(*v));
        if (v == NULL)
            return NULL;
        s->v = v;
        s->cap = cap;
    }
    v[s->n] = (struct config_site){.line = line};
    return &v[s->n++];
}

void *
options_sites_member(struct config_site *s, enum options_site_key key)
{
    return (char *)s + options_sites_rows[key].offset;
}

static const void *
const_member(const struct config_site *s, enum options_site_key key)
{
    return (const char *)s + options_sites_rows[key].offset;
}

void
options_sites_free(struct config_sites *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < OPTIONS_SITE_KEYS; k++)
            options_value_free(
                &options_sites_rows[k],
                options_sites_member(&s->v[i], (enum options_site_key)k));
    }
    free(s->v);
    *s = (struct config_sites){NULL, 0, 0, 0};
}

bool
options_sites_has(const struct config_site *s, enum options_site_key key)
{
    enum option_type type = options_sites_rows[key].type;
    const void *at = const_member(s, key);

    if (options_value_is_list(type))
        return options_value_count(type, at) > 0;
    return *(char *const *)at != NULL;
}

void
options_sites_format(const struct config_site *s, enum options_site_key key,
                     struct buf *out)
{
    options_value_format(&options_sites_rows[key], const_member(s, key), out);
}

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
