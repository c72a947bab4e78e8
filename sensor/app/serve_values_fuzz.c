/* serve_values_fuzz - any bytes as the query or the body of any route
 *
 * The first byte chooses the route; its path has an address, which is a word
 * too. What is read is within the table's limits; a body that is taken is JSON
 * to the other readers of it as well. */
#include <stdlib.h>
#include <string.h>

#include "dashboards/http/http_target.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/serve_page.h"
#include "sensor/app/serve_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_values(enum serve_route_id id, const struct serve_values *v)
{
    REQUIRE(v->n <= SERVE_BODY_VALUES);
    for (size_t i = 0; i < v->n; i++) {
        const struct serve_param *p = serve_route_param(id, v->v[i].name);

        REQUIRE(p != NULL);
        REQUIRE(v->v[i].text.n > 0 && v->v[i].text.n <= p->most);
        REQUIRE(span_find(v->v[i].text, 0) == v->v[i].text.n);
        REQUIRE(v->v[i].listed == (p->how == SERVE_LIST));
    }
}

/* A page of what is no document of a verb is none, and of one it is one. */
static void
check_page(struct span text)
{
    const struct serve_page page = {.limit = 3, .after = 1};
    struct buf out, room;
    struct json_in j;
    struct span value;

    buf_init(&out, 1U << 20);
    if (serve_page_write(text, &page, &out)) {
        j = json_in_open(buf_view(&out), &room);
        buf_init(&room, 1U << 20);
        REQUIRE(serve_json_value(&j, &value) && value.n == out.n);
        buf_free(&room);
    }
    buf_free(&out);
}

static void
read_values(enum serve_route_id id, struct span text)
{
    struct serve_values *values = calloc(1, sizeof(*values));
    struct http_request target = {.n_query = 0};
    struct serve_request r = {.method = serve_routes[id].method, .id = "1"};
    struct buf room, raw, why;

    if (values == NULL)
        return;
    buf_init(&room, HTTP_HEAD);
    buf_init(&raw, HTTP_HEAD);
    buf_init(&why, 4096);
    if (r.method == HTTP_POST) {
        r.body = text;
    } else {
        buf_str(&raw, "/?");
        buf_span(&raw, text);
        if (http_target_read(buf_view(&raw), &room, &target) == NULL) {
            r.query = target.query;
            r.n_query = target.n_query;
        }
    }
    if (serve_values_read(id, SPAN_LIT("10.0.0.1"), &r, values, &why))
        check_values(id, values);
    else
        REQUIRE(why.n > 0);
    serve_values_free(values);
    free(values);
    buf_free(&why);
    buf_free(&raw);
    buf_free(&room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf out;
    uint8_t *copy;

    if (n == 0)
        return 0;
    copy = malloc(n);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, n - 1);
    read_values((enum serve_route_id)(data[0] % SERVE_ROUTES),
                span_of(copy, n - 1));
    check_page(span_of(copy, n - 1));
    buf_init(&out, 4096);
    (void)!serve_body_text(span_of(copy, n - 1), "user", &out);
    buf_free(&out);
    free(copy);
    return 0;
}
