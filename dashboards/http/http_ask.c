#include "dashboards/http/http_ask.h"

#include <stddef.h>

#include "dashboards/http/http_target.h"
#include "sensor/base/json_out.h"

/* A client that sends more than this after it was told no is cut off. */
#define SWALLOW (8 * (size_t)HTTP_BODY)

/* Fields of which a request has at most one: with two, another reader on the
 * way may have believed the other. */
static const struct {
    const char *name;
    size_t place;
} fields[] = {
    {"Host",           offsetof(struct http_request, host)         },
    {"Origin",         offsetof(struct http_request, origin)       },
    {"Cookie",         offsetof(struct http_request, cookie)       },
    {"Content-Type",   offsetof(struct http_request, content_type) },
    {"Sec-Fetch-Site", offsetof(struct http_request, fetch_site)   },
    {"X-CSRF-Token",   offsetof(struct http_request, csrf)         },
    {"If-None-Match",  offsetof(struct http_request, if_none_match)},
    {"Last-Event-ID",  offsetof(struct http_request, last_event_id)},
};

struct http_ask *
http_ask_new(const char *target)
{
    struct http_ask *k = calloc(1, sizeof(*k));

    if (k == NULL)
        return NULL;
    buf_init(&k->target, HTTP_HEAD);
    buf_init(&k->room, 2 * (size_t)HTTP_HEAD);
    buf_init(&k->body, HTTP_BODY);
    buf_init(&k->a.body, HTTP_ANSWER);
    buf_str(&k->target, target);
    return k;
}

void
http_ask_free(struct http_ask *k)
{
    if (k == NULL)
        return;
    buf_free(&k->target);
    buf_free(&k->room);
    buf_free(&k->body);
    buf_free(&k->a.body);
    free(k);
}

void
http_ask_refuse(struct http_ask *k, unsigned status, const char *message)
{
    struct json_out j;

    buf_free(&k->a.body);
    memset(&k->a, 0, sizeof(k->a));
    buf_init(&k->a.body, 4096);
    j = json_out_open(&k->a.body);
    json_begin(&j, '{');
    json_key(&j, "error");
    json_begin(&j, '{');
    json_key(&j, "message");
    (void)json_str(&j, span_str(message));
    json_key(&j, "id");
    (void)json_str(&j, span_str(k->r.id));
    json_end(&j, '}');
    json_end(&j, '}');
    k->a.status = status;
    k->a.type = "application/json";
    if (status == 503)
        k->a.retry_after_s = 2;
    k->state = ASK_MADE;
}

/* ---- the head ---- */

struct head {
    struct http_ask *k;
    const char *user_field;
    size_t bytes;
    bool twice, failed;
    bool length, coding;
};

/* Copied: libmicrohttpd may move what it has while a body is read. */
static void
keep(struct head *h, struct span *place, struct span value)
{
    struct buf *room = &h->k->room;
    const size_t start = room->n;

    if (place->p != NULL) {
        h->twice = true;
        return;
    }
    REQUIRE(room->cap - room->n >= value.n);
    buf_span(room, value);
    *place = span_of(room->p + start, value.n);
}

/* q=0, q=0.0 and so on: not wanted. */
static bool
is_no(struct span weight)
{
    bool no = span_starts_nocase(weight, SPAN_LIT("q=0"));

    for (size_t i = 3; no && i < weight.n; i++)
        no = weight.p[i] == '0' || weight.p[i] == '.';
    return no;
}

/* Accept-Encoding, RFC 9110 12.5.3. */
static bool
takes_gzip(struct span list)
{
    bool named = false, any = false, yes = false;

    while (list.n > 0) {
        struct span one = span_head(list, span_find(list, ','));
        const size_t mark = span_find(one, ';');
        const struct span name = span_trim(span_head(one, mark));
        const bool no = is_no(span_trim(span_tail(one, mark + 1)));

        list = span_tail(list, one.n + 1);
        if (span_eq_nocase(name, SPAN_LIT("gzip"))) {
            named = true;
            yes = !no;
        } else if (span_eq(name, SPAN_LIT("*"))) {
            any = !no;
        }
    }
    return named ? yes : any;
}

static void
keep_named(struct head *h, struct span name, struct span value)
{
    struct http_request *r = &h->k->r;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (span_eq_nocase(name, span_str(fields[i].name)))
            keep(h, (struct span *)(void *)((char *)r + fields[i].place),
                 value);
    }
    if (h->user_field != NULL && span_eq_nocase(name, span_str(h->user_field)))
        keep(h, &r->user, value);
}

static enum MHD_Result
on_field(void *ctx, enum MHD_ValueKind kind, const char *key, const char *text)
{
    struct head *h = ctx;
    const struct span name = span_str(key);
    const struct span value = span_str(text != NULL ? text : "");

    (void)kind;
    h->bytes += name.n + value.n + sizeof(": \r\n") - 1;
    if (h->bytes > HTTP_HEAD)
        return MHD_NO;
    keep_named(h, name, value);
    if (span_eq_nocase(name, SPAN_LIT("Accept-Encoding")))
        h->k->no_gzip = !takes_gzip(value);
    if (span_eq_nocase(name, SPAN_LIT("Content-Length"))) {
        uint64_t n;

        h->twice = h->twice || h->length;
        h->length = true;
        if (!span_to_u64(value, &n))
            h->failed = true;
        else if (n > HTTP_BODY)
            h->k->full = true;
    }
    if (span_eq_nocase(name, SPAN_LIT("Transfer-Encoding"))) {
        h->twice = h->twice || h->coding;
        h->coding = true;
        h->failed = h->failed || !span_eq_nocase(value, SPAN_LIT("chunked"));
    }
    return MHD_YES;
}

static unsigned
method_of(struct http_ask *k, const char *method)
{
    k->head = strcmp(method, "HEAD") == 0;
    if (k->head || strcmp(method, "GET") == 0)
        k->r.method = HTTP_GET;
    else if (strcmp(method, "POST") == 0)
        k->r.method = HTTP_POST;
    else
        return 405;
    return 0;
}

static bool
refused(struct http_ask *k, unsigned status, const char *message)
{
    http_ask_refuse(k, status, message);
    return false;
}

bool
http_ask_head(struct http_ask *k, const char *method, const char *version,
              const char *user_field)
{
    struct head h = {.k = k, .user_field = user_field};
    const char *why;

    if (method_of(k, method) != 0)
        return refused(k, 405, "only GET, HEAD and POST are answered");
    if (k->target.cut)
        return refused(k, 414, "the address is too long");
    if (k->target.failed || !buf_grow(&k->room, 2 * (size_t)HTTP_HEAD))
        return refused(k, 503, "out of memory");
    h.bytes = k->target.n;
    (void)MHD_get_connection_values(k->c, MHD_HEADER_KIND, on_field, &h);
    if (h.bytes > HTTP_HEAD)
        return refused(k, 431, "the head of the request is too long");
    if (h.twice || h.failed || (h.length && h.coding))
        return refused(k, 400,
                       "a field of the request is not well formed, "
                       "or is there twice");
    if (strcmp(version, "HTTP/1.1") == 0 && k->r.host.p == NULL)
        return refused(k, 400, "the request has no Host");
    if (k->full)
        return refused(k, 413, "the body is too long");
    why = http_target_read(buf_view(&k->target), &k->room, &k->r);
    if (why != NULL)
        return refused(k, 400, why);
    k->state = ASK_BODY;
    return true;
}

/* ---- the body ---- */

bool
http_ask_body(struct http_ask *k, struct span bytes, size_t *bodies)
{
    const size_t before = k->body.cap;

    if (k->full || k->body.failed) {
        k->swallowed += bytes.n;
        return k->swallowed <= SWALLOW;
    }
    if (*bodies + bytes.n > HTTP_BODIES)
        k->body.failed = true;
    else
        buf_span(&k->body, bytes);
    *bodies += k->body.cap - before;
    k->full = k->body.cut;
    return true;
}

bool
http_ask_end(struct http_ask *k)
{
    if (k->full)
        return refused(k, 413, "the body is too long");
    if (k->body.failed)
        return refused(k, 503, "too much is being sent at once");
    k->r.body = buf_view(&k->body);
    return true;
}
