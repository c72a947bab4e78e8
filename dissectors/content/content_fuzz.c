/* content_fuzz - the input is a coded result, as a process that was taken over
 * might send it: refused, or it holds together and codes to the same bytes */
#include "dissectors/content/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
walk(const struct content_result *r)
{
    struct cursor members = cur_open(buf_view(&r->members));
    struct cursor urls = cur_open(buf_view(&r->urls.text));
    struct cursor details = cur_open(buf_view(&r->findings.details));
    struct content_member m;
    enum finding f;
    struct span s;
    uint32_t n = 0;

    while (content_member_next(&members, &m))
        n++;
    REQUIRE(!members.bad && n <= r->n_members && n <= CONTENT_MEMBERS_KEPT);
    for (n = 0; url_next(&urls, &s); n++)
        REQUIRE(s.n > 0 && s.n <= URL_LEN);
    REQUIRE(n == r->urls.n && n <= URL_MAX);
    while (findings_next(&details, &f, &s))
        REQUIRE(findings_has(&r->findings, f));
    REQUIRE(r->type < FILETYPE_COUNT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct content_result r;
    struct buf coded;
    uint8_t *copy = malloc(n > 0 ? n : 1);

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    buf_init(&coded, 8U << 20);
    content_result_init(&r);
    if (content_result_read(span_of(copy, n), &r)) {
        walk(&r);
        content_result_code(&r, &coded);
        REQUIRE(span_eq(buf_view(&coded), span_of(copy, n)));
    }
    content_result_free(&r);
    buf_free(&coded);
    free(copy);
    return 0;
}
