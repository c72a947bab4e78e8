#include "sensor/app/serve_site.h"

#include <stdlib.h>

#include "dashboards/http/assets.h"
#include "dashboards/http/users.h"
#include "sensor/app/serve_json.h"
#include "sensor/base/json_out.h"

#define ANSWER_MAX (1U << 20)

struct serve_site {
    struct serve *serve;
    struct serve_public *page;
};

/* ---- a form is submitted ---- */

static void
take_text(struct span value, struct buf *out)
{
    if (span_at(value, 0) == '"')
        serve_json_text(value, out);
}

/* Of what the verb printed, the line with the number: the others ask or warn.
 */
static void
take_said(struct span messages, struct buf *out)
{
    static const struct span received = SPAN_INIT(": received, ");
    struct serve_json_walk w;
    struct span key, value;

    serve_json_begin(&w, messages);
    while (out->n == 0 && serve_json_next(&w, &key, &value)) {
        for (size_t i = 0; out->n == 0 && i < value.n; i++) {
            if (span_starts(span_tail(value, i), received))
                take_text(value, out);
        }
    }
    serve_json_end(&w);
}

/* A value of the body; empty ones are left out. */
struct said {
    const char *name;
    struct span value;
};

static enum cli_exit
call(struct serve_site *s, const char *path, const struct said *v, size_t n,
     struct buf *out, struct buf *messages)
{
    static const struct serve_caller who = {SERVE_SITE_USER, ROLE_REGISTRAR};
    struct serve_request r = {
        .method = HTTP_POST, .path = span_str(path), .id = ""};
    struct buf body, answer;
    struct json_out j;
    unsigned status;

    buf_init(&body, 4 * ANSWER_MAX);
    buf_init(&answer, ANSWER_MAX);
    j = json_out_open(&body);
    json_begin(&j, '{');
    for (size_t i = 0; i < n; i++) {
        if (v[i].value.n == 0)
            continue;
        json_key(&j, v[i].name);
        (void)json_str(&j, v[i].value);
    }
    json_end(&j, '}');
    r.body = buf_view(&body);
    status =
        body.cut || body.failed ? 500 : serve_call(s->serve, &who, &r, &answer);
    if (status == 200 && out != NULL)
        take_said(serve_json_get(buf_view(&answer), "messages"), out);
    else if (status != 200)
        take_text(serve_json_get(serve_json_get(buf_view(&answer), "error"),
                                 "message"),
                  messages);
    buf_free(&answer);
    buf_free(&body);
    return status == 200   ? CLI_EXIT_DONE
           : status == 400 ? CLI_EXIT_USAGE
           : status == 409 ? CLI_EXIT_REFUSED
                           : CLI_EXIT_STORE;
}

static enum cli_exit
submit(void *ctx, struct span yaml, struct buf *out, struct buf *messages)
{
    const struct said v[] = {
        {"text", yaml}
    };

    return call(ctx, "/registry/submit", v, ARRAY_LEN(v), out, messages);
}

static enum cli_exit
decide(void *ctx, const struct serve_public_decision *d, struct buf *messages)
{
    const struct said v[] = {
        {"form",      span_str(d->form)  },
        {"action",    span_str(d->action)},
        {"lines",     d->lines           },
        {"reason",    d->reason          },
        {"reference", d->reference       },
    };

    return call(ctx, "/registry/decide", v, ARRAY_LEN(v), NULL, messages);
}

/* ---- the page ---- */

/* Of the files of both pages, those that this one may need. */
static const struct asset *
find_page(struct span path)
{
    if (span_eq(path, SPAN_LIT("/")) || span_eq(path, SPAN_LIT("/index.html")))
        path = SPAN_LIT("/public.html");
    else if (!span_starts(path, SPAN_LIT("/assets/")) &&
             !span_eq(path, SPAN_LIT("/favicon.svg")) &&
             !span_eq(path, SPAN_LIT("/public.html")))
        return NULL;
    return assets_find(assets, n_assets, path);
}

static void
answer_page(const struct http_request *r, struct http_answer *out)
{
    const struct asset *a = find_page(r->path);

    if (a != NULL && r->method == HTTP_GET) {
        assets_answer(a, out);
        return;
    }
    out->status = a != NULL ? 405 : 404;
    out->type = "text/plain; charset=utf-8";
    buf_init(&out->body, 4096);
    buf_str(&out->body, "There is no such thing here.\n");
}

void
serve_site_answer(struct serve_site *s, const struct http_request *r, ns_t now,
                  struct http_answer *out)
{
    if (span_starts(r->path, SPAN_LIT("/api/")))
        serve_public_answer(s->page, r, now, out);
    else
        answer_page(r, out);
}

enum err
serve_site_new(const struct config *c, struct serve *serve,
               struct serve_site **out)
{
    struct serve_site *s = calloc(1, sizeof(*s));
    struct serve_public_options o = {.state = c->state,
                                     .site = c->serve_site,
                                     .support = c->support,
                                     .deadline = c->deadline,
                                     .origin = c->register_url,
                                     .read_only = c->serve_read_only,
                                     .submit = submit,
                                     .decide = decide,
                                     .ctx = s};
    enum err e;

    if (s == NULL)
        return ERR_NOMEM;
    s->serve = serve;
    e = serve_public_new(&o, &s->page);
    if (e == ERR_OK)
        *out = s;
    else
        serve_site_free(s);
    return e;
}

void
serve_site_free(struct serve_site *s)
{
    if (s == NULL)
        return;
    serve_public_free(s->page);
    free(s);
}
