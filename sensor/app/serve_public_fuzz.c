/* serve_public_fuzz - any bytes as the body of a form that a site sends
 *
 * The first byte chooses the route. There is no state: what would be kept
 * cannot be, and no file is made. */
#include <stdlib.h>
#include <string.h>

#include "sensor/app/serve_public.h"
#include "sensor/base/json_in.h"

#define NOW (UINT64_C(1767225600) * NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum cli_exit
submit(void *ctx, struct span yaml, struct buf *out, struct buf *messages)
{
    (void)ctx;
    (void)messages;
    REQUIRE(yaml.n > 0);
    buf_str(out, "2026-1: received, due soon\n");
    return CLI_EXIT_DONE;
}

/* Nothing of the form may become markup of the page that is printed. */
static void
check_answer(const struct http_answer *a)
{
    const struct span body = buf_view(&a->body);

    REQUIRE(a->status >= 200 && a->status < 600 && a->type != NULL);
    REQUIRE(!a->body.cut && body.n > 0);
    if (a->attachment) {
        REQUIRE(a->status == 200);
        REQUIRE(span_search(body, SPAN_LIT("<script")) == body.n);
        REQUIRE(span_search(body, SPAN_LIT("<img")) == body.n);
    } else {
        REQUIRE(span_at(body, 0) == '{' && span_at(body, body.n - 1) == '}');
    }
    REQUIRE(span_find(body, 0) == body.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const paths[] = {"/api/v1/public/print",
                                        "/api/v1/public/submit",
                                        "/api/v1/public/draft"};
    const struct serve_public_options o = {.state = "/dev/null/none",
                                           .submit = submit};
    struct http_request r = {.method = HTTP_POST,
                             .content_type = SPAN_LIT("application/json"),
                             .id = "1"};
    struct http_answer a = {.status = 0};
    struct serve_public *p;
    uint8_t *copy;

    if (n == 0)
        return 0;
    copy = malloc(n);
    if (copy == NULL || serve_public_new(&o, &p) != ERR_OK) {
        free(copy);
        return 0;
    }
    memcpy(copy, data + 1, n - 1);
    r.path = span_str(paths[data[0] % ARRAY_LEN(paths)]);
    r.body = span_of(copy, n - 1);
    serve_public_answer(p, &r, NOW, &a);
    check_answer(&a);
    buf_free(&a.body);
    serve_public_free(p);
    free(copy);
    return 0;
}
