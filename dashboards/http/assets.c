#include "dashboards/http/assets.h"

#include <stdio.h>

const struct asset *
assets_find(const struct asset *table, size_t n, struct span path)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(path, span_str(table[i].path)))
            return &table[i];
    }
    return NULL;
}

/* A file, which is there or not: under /assets/, or a name with a dot at the
 * top. Views end in addresses too: /hosts/10.2.3.4. */
static bool
is_file(struct span path)
{
    const struct span name = span_tail(path, path.n > 0 ? 1 : 0);

    return span_starts(path, SPAN_LIT("/assets/")) ||
           (span_find(name, '/') == name.n && span_find(name, '.') < name.n);
}

const struct asset *
assets_view(const struct asset *table, size_t n, struct span path)
{
    const struct asset *a = assets_find(table, n, path);

    if (a != NULL || is_file(path) || span_starts(path, SPAN_LIT("/api/")) ||
        span_eq(path, SPAN_LIT("/api")))
        return a;
    return assets_find(table, n, SPAN_LIT("/index.html"));
}

void
assets_answer(const struct asset *a, struct http_answer *out)
{
    out->status = 200;
    out->type = a->type;
    out->fixed = span_of(a->gz, a->n);
    out->gzip = true;
    out->immutable = a->immutable;
    (void)snprintf(out->etag, sizeof(out->etag), "%s", a->etag);
}
