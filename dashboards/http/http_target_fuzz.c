/* http_target_fuzz - any bytes as the target of a request */
#include "dashboards/http/http_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_path(struct span path)
{
    REQUIRE(span_at(path, 0) == '/');
    REQUIRE(span_search(path, SPAN_LIT("/../")) == path.n);
    REQUIRE(span_search(path, SPAN_LIT("/./")) == path.n);
    REQUIRE(path.n < 3 ||
            !span_eq(span_tail(path, path.n - 3), SPAN_LIT("/..")));
    for (size_t i = 0; i < path.n; i++)
        REQUIRE(path.p[i] >= 0x20 && path.p[i] != '\\' && path.p[i] != 0x7f);
}

static void
check_inside(struct span part, const struct buf *room)
{
    REQUIRE(part.n == 0 ||
            (part.p >= room->p && part.p + part.n <= room->p + room->n));
    REQUIRE(span_find(part, 0) == part.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct http_request r = {.n_query = 0};
    struct buf room;
    uint8_t *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL)
        return 0;
    if (n > 0)
        memcpy(copy, data, n);
    buf_init(&room, HTTP_HEAD);
    if (http_target_read(span_of(copy, n), &room, &r) == NULL) {
        REQUIRE(!room.cut && room.n <= n && r.n_query <= HTTP_QUERY);
        check_path(r.path);
        check_inside(r.path, &room);
    }
    for (size_t i = 0; i < r.n_query; i++) {
        check_inside(r.query[i].name, &room);
        check_inside(r.query[i].value, &room);
    }
    buf_free(&room);
    free(copy);
    return 0;
}
