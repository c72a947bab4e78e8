#ifndef SPAN25_DASHBOARDS_HTTP_TEST_SERVER_H
#define SPAN25_DASHBOARDS_HTTP_TEST_SERVER_H
/* http_test_server - what the server of the tests answers, and what all its
 * answers must have */
#include "dashboards/http/http_test_kit.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static inline void
answer_slow(struct kit *k)
{
    (void)pthread_mutex_lock(&k->lock);
    k->held++;
    (void)pthread_cond_broadcast(&k->change);
    while (!k->open)
        (void)pthread_cond_wait(&k->change, &k->lock);
    (void)pthread_mutex_unlock(&k->lock);
}

static inline void
answer_kept(struct http_answer *out)
{
    (void)snprintf(out->etag, sizeof(out->etag), "%s",
                   "0123456789abcdef0123456789abcdef");
    out->fixed = SPAN_LIT("not really compressed");
    out->gzip = out->immutable = true;
}

static inline void
answer_asked(const struct http_request *r, struct buf *out)
{
    char peer[ADDR_TEXT_MAX];
    const size_t n = addr_format(&r->peer, peer);

    buf_printf(out, "%d %u %.*s %d|", r->method == HTTP_POST, r->listener,
               (int)n, peer, r->secure);
    buf_span(out, r->path);
    for (size_t i = 0; i < r->n_query; i++) {
        buf_str(out, i == 0 ? "?" : "&");
        buf_span(out, r->query[i].name);
        buf_str(out, "=");
        buf_span(out, r->query[i].value);
    }
    buf_printf(out, "|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s", (int)r->host.n,
               (const char *)r->host.p, (int)r->origin.n,
               (const char *)r->origin.p, (int)r->cookie.n,
               (const char *)r->cookie.p, (int)r->csrf.n,
               (const char *)r->csrf.p, (int)r->user.n, (const char *)r->user.p,
               (int)r->content_type.n, (const char *)r->content_type.p,
               (int)r->fetch_site.n, (const char *)r->fetch_site.p);
}

static inline void
answer(void *ctx, const struct http_request *r, struct http_answer *out)
{
    struct kit *k = ctx;

    (void)pthread_mutex_lock(&k->lock);
    k->calls++;
    (void)pthread_mutex_unlock(&k->lock);
    out->status = 200;
    out->type = "text/plain; charset=utf-8";
    if (span_eq(r->path, SPAN_LIT("/echo"))) {
        buf_span(&out->body, r->body);
    } else if (span_eq(r->path, SPAN_LIT("/slow"))) {
        answer_slow(k);
        buf_str(&out->body, "slow");
    } else if (span_eq(r->path, SPAN_LIT("/kept"))) {
        answer_kept(out);
    } else if (span_eq(r->path, SPAN_LIT("/stream"))) {
        out->stream = true;
    } else if (span_eq(r->path, SPAN_LIT("/large"))) {
        buf_grow(&out->body, 4U << 20);
        while (out->body.n < 4U << 20)
            buf_str(&out->body, "0123456789abcdef");
    } else if (span_eq(r->path, SPAN_LIT("/cut"))) {
        out->body.cut = true;
    } else if (span_eq(r->path, SPAN_LIT("/download"))) {
        out->status = 429;
        out->attachment = true;
        out->retry_after_s = 7;
        (void)snprintf(out->name, sizeof(out->name), "../a \"b\"\r\n.csv");
        (void)snprintf(out->cookie, sizeof(out->cookie), "a=b; HttpOnly");
        buf_str(&out->body, "x");
    } else {
        answer_asked(r, &out->body);
    }
}

static inline struct http_options
plain(void)
{
    return (struct http_options){
        .n_listeners = 1, .answer = answer, .user_field = "X-Remote-User"};
}

/* One server for all tests that do not need one of their own. */
static inline int
begin(void **state)
{
    struct kit *k = calloc(1, sizeof(*k));

    assert_non_null(k);
    kit_start(k, plain());
    *state = k;
    return 0;
}

static inline int
end(void **state)
{
    kit_stop(*state);
    free(*state);
    return 0;
}

static inline void
expect_text(struct kit_got g, unsigned status, const char *body)
{
    assert_int_equal(g.status, status);
    assert_string_equal(g.body, body);
    kit_drop(&g);
}

static inline void
expect_fields(const struct kit_got *g)
{
    assert_string_equal(kit_field(g, "Content-Security-Policy"), http_policy);
    assert_string_equal(kit_field(g, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(kit_field(g, "Referrer-Policy"), "no-referrer");
    assert_string_equal(kit_field(g, "Cross-Origin-Opener-Policy"),
                        "same-origin");
    assert_non_null(kit_field(g, "Cache-Control"));
    assert_int_equal(strlen(kit_field(g, "X-Request-Id")), HTTP_ID - 1);
}

/* {"error":{"message":"...","id":"..."}} with the id of the field. */
static inline void
expect_refusal(struct kit_got g, unsigned status, const char *why)
{
    char end[64];

    if (g.status != status)
        fail_msg("%s: status %u, not %u", why, g.status, status);
    expect_fields(&g);
    assert_string_equal(kit_field(&g, "Content-Type"), "application/json");
    assert_memory_equal(g.body, "{\"error\":{\"message\":\"", 21);
    (void)snprintf(end, sizeof(end), "\",\"id\":\"%.16s\"}}",
                   kit_field(&g, "X-Request-Id"));
    assert_true(kit_ends(&g.all, end));
    kit_drop(&g);
}

#endif
