#include "sensor/app/serve_page.h"

#include "sensor/app/serve_json.h"
#include "sensor/base/json_out.h"

bool
serve_page_after(struct span text, size_t *out)
{
    const uint64_t n = serve_json_u64(text, UINT64_MAX);

    *out = (size_t)n;
    return n <= UINT32_MAX;
}

static bool
contains(struct span row, struct span wanted)
{
    struct serve_json_walk w;
    struct span value;
    bool found = wanted.n == 0;

    serve_json_begin(&w, row);
    while (!found && serve_json_next(&w, NULL, &value))
        found = span_contains_nocase(value, wanted);
    serve_json_end(&w);
    return found;
}

/* ---- writing ---- */

static void
put_end(struct json_out *j, size_t end, size_t total)
{
    json_key(j, "next");
    if (end < total) {
        struct buf next;

        buf_init(&next, 32);
        buf_u64(&next, end);
        (void)json_str(j, buf_view(&next));
        buf_free(&next);
    } else {
        json_null(j);
    }
    json_key(j, "total");
    json_u64(j, total);
}

/* All are counted, those of the page are written. */
static bool
put_rows(struct json_out *j, struct span all, const struct serve_page *p)
{
    const size_t limit = p->limit > 0 ? p->limit : SERVE_PAGE_MOST;
    struct serve_json_walk w;
    struct span row;
    size_t total = 0, written = 0;
    bool good;

    json_key(j, "rows");
    json_begin(j, '[');
    serve_json_begin(&w, all);
    while (!w.object && serve_json_next(&w, NULL, &row)) {
        if (!contains(row, p->search))
            continue;
        if (total++ < p->after || written == limit)
            continue;
        json_raw(j, row);
        written++;
    }
    good = !w.bad && !w.object;
    serve_json_end(&w);
    json_end(j, ']');
    put_end(j, p->after + written, total);
    return good;
}

bool
serve_page_write(struct span document, const struct serve_page *p,
                 struct buf *out)
{
    struct json_out j = json_out_open(out);
    struct serve_json_walk w;
    struct span key, value;
    bool good = true, rows = false;

    serve_json_begin(&w, document);
    json_begin(&j, '{');
    while (w.object && good && serve_json_next(&w, &key, &value)) {
        if (span_eq(key, SPAN_LIT("rows"))) {
            rows = true;
            good = put_rows(&j, value, p);
        } else if (span_eq(key, SPAN_LIT("schema"))) {
            json_key(&j, "schema");
            json_raw(&j, value);
        }
    }
    json_end(&j, '}');
    good = good && rows && !w.bad && !out->cut && !out->failed;
    serve_json_end(&w);
    return good;
}
