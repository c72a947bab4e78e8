#ifndef SPAN25_DASHBOARDS_ASSETS_H
#define SPAN25_DASHBOARDS_ASSETS_H
/* assets - files of the page, embedded in the program
 *
 * The table is made by the build from dashboards/web. Files are compressed
 * once, there; the client unpacks them. */
#include "dashboards/http/http.h"

struct asset {
    const char *path; /* "/index.html", as in a request */
    const char *type; /* Content-Type, with its charset */
    const uint8_t *gz;
    size_t n;
    const char *etag; /* 32 hexadecimal digits of its SHA-256, no quotes */
    bool immutable;   /* the hash is part of its name */
};

extern const struct asset assets[];
extern const size_t n_assets;

/* The file of this path; else NULL. */
const struct asset *assets_find(const struct asset *table, size_t n,
                                struct span path);

/* As assets_find, but a path that is a view of the page gives "/index.html":
 * one not under /api/ or /assets/, and at the top one without a dot. */
const struct asset *assets_view(const struct asset *table, size_t n,
                                struct span path);

void assets_answer(const struct asset *a, struct http_answer *out);

#endif
