#include "dashboards/http/gate_from.h"

bool
gate_from_is_proxy(const struct gate_options *o, const struct http_request *r)
{
    for (size_t i = 0; i < o->n_proxies; i++) {
        if (prefix_has(&o->proxies[i], &r->peer))
            return true;
    }
    return false;
}

/* What follows "scheme://". */
static struct span
authority(struct span origin)
{
    const struct span mark = SPAN_LIT("://");
    const size_t at = span_search(origin, mark);

    return at < origin.n ? span_tail(origin, at + mark.n) : SPAN_NONE;
}

static struct span
scheme(struct span origin)
{
    return span_head(origin, span_search(origin, SPAN_LIT("://")));
}

/* Without its port. */
static struct span
host_name(struct span host)
{
    if (span_at(host, 0) == '[') {
        const struct span inside = span_tail(host, 1);

        return span_head(inside, span_find(inside, ']'));
    }
    return span_head(host, span_find(host, ':'));
}

/* What no other site can have a name for. */
static bool
is_local_name(struct span host)
{
    const struct span name = host_name(host);
    struct addr a;

    return span_eq_nocase(name, SPAN_LIT("localhost")) || addr_parse(name, &a);
}

/* A proxy may ask under a name of its own. */
bool
gate_from_knows_host(const struct gate_options *o, const struct http_request *r)
{
    if (o->origin != NULL &&
        (gate_from_is_proxy(o, r) ||
         span_eq_nocase(r->host, authority(span_str(o->origin)))))
        return true;
    if (o->open_user != NULL)
        return is_local_name(r->host);
    return o->origin == NULL;
}

static bool
is_our_origin(const struct gate_options *o, const struct http_request *r)
{
    const struct span wire = SPAN_INIT("http");
    const struct span tls = SPAN_INIT("https");

    if (o->origin != NULL && span_eq_nocase(r->origin, span_str(o->origin)))
        return true;
    if (o->origin != NULL && o->open_user == NULL)
        return false;
    return r->host.n > 0 &&
           span_eq_nocase(scheme(r->origin), r->secure ? tls : wire) &&
           span_eq_nocase(authority(r->origin), r->host);
}

bool
gate_from_us(const struct gate_options *o, const struct http_request *r)
{
    if (r->fetch_site.n > 0 && !span_eq(r->fetch_site, SPAN_LIT("same-origin")))
        return false;
    if (r->origin.n > 0)
        return is_our_origin(o, r);
    return r->fetch_site.n > 0;
}

bool
gate_from_tls(const struct gate_options *o, const struct http_request *r)
{
    return r->secure ||
           (o->origin != NULL &&
            span_starts_nocase(span_str(o->origin), SPAN_LIT("https://")));
}
