#include "dashboards/http/http_send.h"

#include <stdio.h>

const char http_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

static const struct {
    const char *name, *value;
} always[] = {
    {"X-Content-Type-Options",       "nosniff"    },
    {"Referrer-Policy",              "no-referrer"},
    {"Cross-Origin-Opener-Policy",   "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"X-Frame-Options",              "DENY"       },
};

struct sending {
    struct MHD_Response *to;
    bool failed;
};

static void
add(struct sending *y, const char *name, const char *value)
{
    if (MHD_add_response_header(y->to, name, value) != MHD_YES)
        y->failed = true;
}

/* A name that no shell, browser or file system reads in a way of its own. */
static void
add_name(struct sending *y, const char *name)
{
    char text[sizeof("attachment; filename=\"\"") + 64];
    char safe[64];
    size_t n = 0;

    for (; n < sizeof(safe) - 1 && name[n] != 0; n++) {
        const char c = name[n];
        const bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
                          (c == '.' && n > 0);

        safe[n] = '_';
        if (fine)
            safe[n] = c;
    }
    safe[n] = 0;
    (void)snprintf(text, sizeof(text), "attachment; filename=\"%s\"",
                   n > 0 ? safe : "download");
    add(y, "Content-Disposition", text);
}

static void
add_kept(struct sending *y, const struct http_answer *a)
{
    char quoted[sizeof(a->etag) + 2];

    if (a->etag[0] != 0) {
        (void)snprintf(quoted, sizeof(quoted), "\"%s\"", a->etag);
        add(y, "ETag", quoted);
    }
    add(y, "Cache-Control",
        a->immutable      ? "public, max-age=31536000, immutable"
        : a->etag[0] != 0 ? "no-cache"
                          : "no-store");
}

static void
add_fields(struct sending *y, const struct http_ask *k)
{
    const struct http_answer *a = &k->a;
    char number[16];

    add(y, "Content-Security-Policy",
        a->policy != NULL && a->status == 200 ? a->policy : http_policy);
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        add(y, always[i].name, always[i].value);
    add_kept(y, a);
    add(y, "X-Request-Id", k->r.id);
    if (a->type != NULL)
        add(y, "Content-Type", a->type);
    if (a->gzip) {
        add(y, "Content-Encoding", "gzip");
        add(y, "Vary", "Accept-Encoding");
    }
    if (a->attachment)
        add_name(y, a->name);
    if (a->cookie[0] != 0)
        add(y, "Set-Cookie", a->cookie);
    if (a->status == 405)
        add(y, "Allow", "GET, HEAD, POST");
    if (a->retry_after_s > 0) {
        (void)snprintf(number, sizeof(number), "%u", a->retry_after_s);
        add(y, "Retry-After", number);
    }
}

/* If-None-Match, RFC 9110 13.1.2: a list; W/ makes no difference. */
static bool
is_same(struct span list, const char *etag)
{
    while (list.n > 0) {
        struct span one = span_trim(span_head(list, span_find(list, ',')));

        list = span_tail(list, span_find(list, ',') + 1);
        if (span_eq(one, SPAN_LIT("*")))
            return true;
        if (span_starts(one, SPAN_LIT("W/")))
            one = span_tail(one, 2);
        if (one.n >= 2 && one.p[0] == '"' && one.p[one.n - 1] == '"' &&
            span_eq(span_of(one.p + 1, one.n - 2), span_str(etag)))
            return true;
    }
    return false;
}

static void
drop_body(struct http_answer *a)
{
    buf_free(&a->body);
    a->fixed = SPAN_NONE;
    a->type = NULL;
    a->gzip = a->attachment = false;
}

/* What the answer became after a look at the request. */
static void
settle(struct http_ask *k)
{
    struct http_answer *a = &k->a;

    if (a->body.cut || a->body.failed || a->status < 200 || a->status > 599) {
        http_ask_refuse(k, 500, "the answer could not be made");
        return;
    }
    if (a->status == 200 && a->etag[0] != 0 && k->r.method == HTTP_GET &&
        is_same(k->r.if_none_match, a->etag)) {
        drop_body(a);
        a->status = 304;
        return;
    }
    if (a->gzip && k->no_gzip)
        http_ask_refuse(k, 406, "this is sent compressed (gzip) only");
}

static struct MHD_Response *
from_body(struct http_ask *k)
{
    struct http_answer *a = &k->a;
    struct MHD_Response *r;

    if (a->fixed.n > 0)
        return MHD_create_response_from_buffer(
            a->fixed.n, (void *)(uintptr_t)a->fixed.p, MHD_RESPMEM_PERSISTENT);
    if (a->body.n == 0)
        return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
                                               MHD_RESPMEM_PERSISTENT);
    r = MHD_create_response_from_buffer(a->body.n, a->body.p,
                                        MHD_RESPMEM_MUST_FREE);
    if (r != NULL) {
        k->held = a->body.cap;
        a->body = (struct buf){.max = a->body.max};
    }
    return r;
}

static struct MHD_Response *
make(struct http_ask *k, struct http_streams *s)
{
    struct MHD_Response *r;

    if (!k->a.stream)
        return from_body(k);
    k->a.type = "text/event-stream";
    buf_free(&k->a.body);
    k->a.fixed = SPAN_NONE;
    if (k->head)
        return from_body(k);
    r = http_stream_open(s, k->c, k->a.of);
    if (r != NULL)
        return r;
    http_ask_refuse(k, 503, "there are too many streams of events");
    return from_body(k);
}

enum MHD_Result
http_send_answer(struct http_ask *k, struct http_streams *s)
{
    enum MHD_Result result = MHD_NO;
    struct sending y = {.failed = false};

    settle(k);
    y.to = make(k, s);
    if (y.to == NULL)
        return MHD_NO;
    add_fields(&y, k);
    if (!y.failed)
        result = MHD_queue_response(k->c, k->a.status, y.to);
    MHD_destroy_response(y.to);
    k->state = ASK_SENT;
    return result;
}
