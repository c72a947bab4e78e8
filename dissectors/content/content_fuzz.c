/* content_fuzz - the input is a coded result, as a process that was taken over
 * might send it: refused, or it holds together, and what it codes to reads back
 * to the same */
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

/* Coded, after a check of all that it holds. */
static bool
again(struct span in, struct buf *coded)
{
    struct content_result r;
    bool good;

    content_result_init(&r);
    good = content_result_read(in, &r);
    if (good) {
        walk(&r);
        content_result_code(&r, coded);
    }
    content_result_free(&r);
    return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf one;
    struct buf two;
    uint8_t *copy = malloc(n > 0 ? n : 1);

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    buf_init(&one, 8U << 20);
    buf_init(&two, 8U << 20);
    if (again(span_of(copy, n), &one)) {
        REQUIRE(again(buf_view(&one), &two));
        REQUIRE(span_eq(buf_view(&one), buf_view(&two)));
    }
    buf_free(&one);
    buf_free(&two);
    free(copy);
    return 0;
}
