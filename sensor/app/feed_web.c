#include "sensor/app/feed_web.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

struct feed_web {
    struct feed_web_options o;
    struct MHD_Daemon *daemon;
};

/* Of a request, from its head to its last byte. */
struct asked {
    bool answered;
    struct feed_consumer *consumer;
    struct feed_held *given;
};

static struct span
span_or_none(const char *text)
{
    return text != NULL ? span_str(text) : SPAN_NONE;
}

static struct span
field(struct MHD_Connection *c, const char *name)
{
    return span_or_none(MHD_lookup_connection_value(c, MHD_HEADER_KIND, name));
}

/* ---- the answer ---- */

static bool
add(struct MHD_Response *r, const char *name, struct span value)
{
    struct buf text;
    bool good;

    if (value.n == 0)
        return true;
    buf_init(&text, 256);
    buf_span(&text, value);
    buf_putc(&text, 0);
    good = !text.cut && !text.failed &&
           MHD_add_response_header(r, name, (const char *)text.p) == MHD_YES;
    buf_free(&text);
    return good;
}

static bool
add_fields(struct MHD_Response *r, const struct feed_answer *a)
{
    struct buf date;
    bool good;

    buf_init(&date, 64);
    if (a->modified != 0)
        feed_serve_date(a->modified, &date);
    good = add(r, "ETag", span_str(a->etag)) &&
           add(r, "Last-Modified", buf_view(&date)) &&
           add(r, "WWW-Authenticate", a->challenge) &&
           add(r, "Allow", a->allow) &&
           add(r, "Content-Type", span_or_none(a->type)) &&
           add(r, "Cache-Control", SPAN_LIT("no-cache, private")) &&
           add(r, "X-Content-Type-Options", SPAN_LIT("nosniff"));
    if (good && a->status == 503)
        good = add(r, "Retry-After", SPAN_LIT("60"));
    buf_free(&date);
    return good;
}

static enum MHD_Result
send_answer(struct MHD_Connection *c, const struct feed_answer *a)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(
        a->body.n, a->body.p, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_NO;

    if (r == NULL)
        return MHD_NO;
    if (add_fields(r, a))
        result = MHD_queue_response(c, a->status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result
answer(struct feed_web *w, struct MHD_Connection *c, const char *url,
       const char *method, struct asked *asked)
{
    const struct feed_request r = {
        .method = span_str(method),
        .path = span_str(url),
        .startup = span_or_none(
            MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "startup")),
        .authorization = field(c, "Authorization"),
        .api_key = field(c, "X-Api-Key"),
        .if_none_match = field(c, "If-None-Match"),
        .if_modified_since = field(c, "If-Modified-Since"),
    };
    enum MHD_Result result;
    struct feed_answer a;

    feed_serve_answer(w->o.serve, &r, w->o.now(), &a);
    asked->answered = true;
    asked->consumer = a.consumer;
    asked->given = a.given;
    result = send_answer(c, &a);
    buf_free(&a.body);
    if (a.consumer == NULL)
        w->o.done(w->o.ctx, NULL);
    return result;
}

/* ---- libmicrohttpd's calls ---- */

/* First with the head alone, then with what follows: that is not waited for. */
static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *c, const char *url,
           const char *method, const char *version, const char *data,
           size_t *n_data, void **place)
{
    struct feed_web *w = ctx;
    struct asked *asked = *place;

    (void)version;
    (void)data;
    if (asked == NULL) {
        asked = calloc(1, sizeof(*asked));
        *place = asked;
        if (asked == NULL)
            return MHD_NO;
        return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0
                   ? MHD_YES
                   : answer(w, c, url, method, asked);
    }
    *n_data = 0;
    return asked->answered ? MHD_YES : answer(w, c, url, method, asked);
}

static void
on_end(void *ctx, struct MHD_Connection *c, void **place,
       enum MHD_RequestTerminationCode how)
{
    struct feed_web *w = ctx;
    struct asked *asked = *place;

    (void)c;
    *place = NULL;
    if (asked == NULL)
        return;
    if (asked->given != NULL && how == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        feed_serve_fetched(asked->consumer, asked->given, w->o.now());
        w->o.done(w->o.ctx, asked->consumer);
    }
    feed_held_drop(asked->given);
    free(asked);
}

/* ---- life ---- */

static struct MHD_Daemon *
start(struct feed_web *w)
{
    const struct feed_web_options *o = &w->o;
    const bool tls = o->certificate != NULL;
    const struct MHD_OptionItem secret[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY,  0, (void *)(uintptr_t)o->key        },
        {MHD_OPTION_END,            0, NULL                             },
    };
    const struct MHD_OptionItem none[] = {
        {MHD_OPTION_END, 0, NULL}
    };

    return MHD_start_daemon(
        tls ? MHD_USE_TLS : MHD_NO_FLAG, 0, NULL, NULL, on_request, w,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)o->listener,
        MHD_OPTION_CONNECTION_LIMIT, FEED_WEB_CONNECTIONS,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, FEED_WEB_EACH,
        MHD_OPTION_CONNECTION_TIMEOUT, FEED_WEB_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)FEED_WEB_MEMORY,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, w, MHD_OPTION_ARRAY,
        tls ? secret : none, MHD_OPTION_END);
}

enum err
feed_web_open(const struct feed_web_options *o, struct feed_web **out)
{
    struct feed_web *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return ERR_NOMEM;
    w->o = *o;
    w->daemon = start(w);
    if (w->daemon == NULL) {
        free(w);
        return o->certificate != NULL ? ERR_CONFIG : ERR_IO;
    }
    *out = w;
    return ERR_OK;
}

void
feed_web_turn(struct feed_web *w, unsigned ms)
{
    (void)MHD_run_wait(w->daemon, (int32_t)ms);
}

void
feed_web_close(struct feed_web *w)
{
    if (w == NULL)
        return;
    MHD_stop_daemon(w->daemon);
    free(w);
}
