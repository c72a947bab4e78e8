/* url_fuzz - byte 0: bit 0 HTML, the rest the size of the pieces; byte 1: the
 * first cut */
#include "dissectors/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
scan(struct url_set *set, struct span in, size_t cut, size_t piece, bool html)
{
    struct url_scan u;

    url_set_init(set);
    url_scan_init(&u, set, html);
    url_scan_push(&u, span_head(in, cut));
    for (in = span_tail(in, cut); in.n > 0; in = span_tail(in, piece))
        url_scan_push(&u, span_head(in, piece));
    url_scan_end(&u);
}

static void
look(struct span url)
{
    struct buf host, text;

    buf_init(&host, SIZE_MAX);
    buf_init(&text, SIZE_MAX);
    REQUIRE(url.n > 0 && url.n <= URL_LEN);
    REQUIRE(url_host(url, &host) == (host.n > 0));
    REQUIRE(host.n <= url.n);
    url_defang(url, &text);
    REQUIRE(text.n >= url.n && text.n <= 3 * url.n + 8);
    buf_free(&host);
    buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct url_set whole, pieces;
    struct cursor c;
    struct span in, url;
    uint32_t seen = 0;
    uint8_t *copy;

    if (n < 2)
        return 0;
    copy = malloc(n - 2);
    if (copy == NULL && n > 2)
        return 0;
    if (n > 2)
        memcpy(copy, data + 2, n - 2);
    in = span_of(copy, n - 2);
    scan(&whole, in, SIZE_MAX, SIZE_MAX, (data[0] & 1) != 0);
    scan(&pieces, in, data[1], 1U + data[0] / 2U, (data[0] & 1) != 0);
    REQUIRE(span_eq(buf_view(&whole.text), buf_view(&pieces.text)));
    REQUIRE(whole.n == pieces.n && whole.n_more == pieces.n_more);
    for (c = cur_open(buf_view(&whole.text)); url_next(&c, &url); seen++)
        look(url);
    REQUIRE(!c.bad && seen == whole.n);
    if (in.n > 0)
        look(span_head(in, URL_LEN));
    url_set_free(&whole);
    url_set_free(&pieces);
    free(copy);
    return 0;
}
