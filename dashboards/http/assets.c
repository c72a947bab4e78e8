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

/* Its last segment has a dot: a file, which is there or not. */
static bool
is_file(struct span path)
{
    size_t slash;

    while ((slash = span_find(path, '/')) < path.n)
        path = span_tail(path, slash + 1);
    return span_find(path, '.') < path.n;
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
