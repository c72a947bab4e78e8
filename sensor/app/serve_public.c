#include "sensor/app/serve_public_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "rules/registry/form_file.h"
#include "rules/registry/form_text.h"
#include "sensor/app/form_json.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/hash.h"

#define ROOT        "/api/v1/public/"
#define BODY_MAX    (4U << 20)
#define BLANK_LINES 6U
#define HOUR        (UINT64_C(3600) * NS_PER_S)
#define TYPE_JSON   "application/json; charset=utf-8"

/* ---- answers ---- */

void
serve_public_fail(struct asked *a, unsigned status, struct span message)
{
    struct json_out j;

    buf_reset(&a->out->body);
    j = json_out_open(&a->out->body);
    a->out->status = status;
    a->out->type = TYPE_JSON;
    json_begin(&j, '{');
    json_key(&j, "error");
    json_begin(&j, '{');
    json_key(&j, "message");
    (void)json_str(&j, message);
    json_key(&j, "id");
    (void)json_str(&j, span_str(a->r->id));
    json_end(&j, '}');
    json_end(&j, '}');
}

struct json_out
serve_public_begin(struct asked *a)
{
    struct json_out j = json_out_open(&a->out->body);

    a->out->status = 200;
    a->out->type = TYPE_JSON;
    json_begin(&j, '{');
    json_key(&j, "data");
    return j;
}

void
serve_public_put_time(struct json_out *j, const char *key, ns_t when)
{
    struct buf text;

    json_key(j, key);
    buf_init(&text, 64);
    registry_time_utc(when, &text);
    if (when > 0)
        (void)json_str(j, buf_view(&text));
    else
        json_null(j);
    buf_free(&text);
}

void
serve_public_put_text(struct json_out *j, const char *key, const char *text)
{
    json_key(j, key);
    if (text != NULL && text[0] != 0)
        (void)json_str(j, span_str(text));
    else
        json_null(j);
}

void
serve_public_end(struct asked *a, struct json_out *j)
{
    serve_public_put_time(j, "as_of", a->now);
    json_end(j, '}');
    if (a->out->body.cut || a->out->body.failed)
        serve_public_fail(a, 500, SPAN_LIT("The answer is too large."));
}

/* ---- who may ask, and how often ---- */

static bool
is_paid(struct serve_public *p, const struct addr *peer, ns_t now)
{
    size_t n = addr_is_v4(peer) ? sizeof(peer->b) : sizeof(peer->b) / 2;
    ns_t *paid = &p->paid[hash_span(span_of(peer->b, n), p->seed) %
                          SERVE_PUBLIC_BUCKETS];
    ns_t from = *paid > now ? *paid : now;

    if (from - now > SERVE_PUBLIC_BURST * SERVE_PUBLIC_EACH_NS)
        return false;
    *paid = from + SERVE_PUBLIC_EACH_NS;
    return true;
}

bool
serve_public_may_keep(struct asked *a)
{
    struct serve_public *p = a->p;

    if (p->o.read_only) {
        serve_public_fail(
            a, 403, SPAN_LIT("This server takes no forms: it only shows."));
        return false;
    }
    if (a->now - p->hour >= HOUR) {
        p->hour = a->now;
        p->kept = 0;
    }
    if (p->kept++ < SERVE_PUBLIC_KEPT)
        return true;
    a->out->retry_after_s = 600;
    serve_public_fail(
        a, 429,
        SPAN_LIT("Very many forms arrive at the moment. Nothing was "
                 "changed; please try again in ten minutes, or print "
                 "the form."));
    return false;
}

/* A page of another site cannot set X-CSRF-Token, but may post without it. */
static bool
is_ours(const struct asked *a)
{
    const char *own = a->p->o.origin;
    struct span origin = a->r->origin;
    struct span scheme =
        a->r->secure ? SPAN_LIT("https://") : SPAN_LIT("http://");

    if (a->r->fetch_site.n > 0 &&
        !span_eq(a->r->fetch_site, SPAN_LIT("same-origin")) &&
        !span_eq(a->r->fetch_site, SPAN_LIT("none")))
        return false;
    if (origin.n == 0)
        return true;
    if (own != NULL && span_eq(origin, span_str(own)))
        return true;
    return span_starts(origin, scheme) &&
           span_eq(span_tail(origin, scheme.n), a->r->host);
}

bool
serve_public_is_asked_here(struct asked *a)
{
    if (span_starts(a->r->content_type, SPAN_LIT("application/json")) &&
        is_ours(a))
        return true;
    serve_public_fail(
        a, 403, SPAN_LIT("This is not asked by the page of this server."));
    return false;
}

/* ---- what is under a link ---- */

bool
serve_public_open_link(struct asked *a, bool mail)
{
    static const char gone[] =
        "There is no form under this link. It was mistyped, or it has expired: "
        "a new form can be filled in without it.";
    enum err e = ERR_NOENT;

    if (a->r->csrf.n == 0)
        return true;
    if (drafts_read_secret(a->r->csrf, a->secret))
        e = drafts_load(a->p->o.state, a->secret, a->now, &a->draft);
    if (e == ERR_OK && (a->draft.kind == DRAFT_MAIL) != mail)
        e = ERR_NOENT; /* neither opens what the other is for */
    if (e == ERR_OK)
        return true;
    if (e == ERR_NOENT)
        serve_public_fail(a, 404, SPAN_LIT(gone));
    else
        serve_public_fail(
            a, 500, SPAN_LIT("What is kept under this link cannot be read."));
    return false;
}

bool
serve_public_need_link(struct asked *a, bool mail)
{
    if (!serve_public_open_link(a, mail))
        return false;
    if (a->secret[0] == 0)
        serve_public_fail(a, 404, SPAN_LIT("The link is not whole."));
    return a->secret[0] != 0;
}

/* Keeps the form of the body; a link is made when there was none. */
static enum err
keep(struct asked *a, const struct form *f)
{
    enum err e = ERR_OK;

    buf_reset(&a->draft.text);
    form_yaml_write(f, &a->draft.text);
    if (a->draft.made == 0)
        a->draft.made = a->now;
    a->draft.changed = a->now;
    if (a->secret[0] == 0 && !drafts_secret(a->secret))
        e = ERR_IO;
    if (e == ERR_OK)
        e = drafts_save(a->p->o.state, a->secret, &a->draft);
    if (e == ERR_LIMIT && !a->draft.text.cut) { /* those that expired? */
        (void)drafts_sweep(a->p->o.state, a->now);
        e = drafts_save(a->p->o.state, a->secret, &a->draft);
    }
    return e;
}

/* ---- the form of the body ---- */

/* Only what a new form or the one of the link may say of itself. */
static void
number_form(const struct asked *a, struct form *f)
{
    memcpy(f->number, a->draft.form, sizeof(f->number));
    for (size_t i = 0; f->number[0] == 0 && i < f->n_lines; i++)
        f->lines[i].number = 0;
}

static struct form *
read_body(struct asked *a)
{
    struct buf why;
    enum err e;

    if (!serve_public_is_asked_here(a))
        return NULL;
    buf_init(&why, 16384);
    e = form_yaml_read(a->r->body, "form", &a->forms, &why);
    if (e != ERR_OK)
        serve_public_fail(a, e == ERR_NOMEM ? 503 : 400,
                          why.n > 0 ? buf_view(&why) : span_str(err_text(e)));
    else if (a->forms.n != 1 || a->forms.v[0].n_lines > SERVE_PUBLIC_LINES)
        serve_public_fail(
            a, 400,
            SPAN_LIT("One form, of at most 1,000 lines, is taken at a "
                     "time."));
    buf_free(&why);
    if (a->out->status != 0)
        return NULL;
    number_form(a, &a->forms.v[0]);
    return &a->forms.v[0];
}

static void
put_link(struct asked *a, struct json_out *j)
{
    serve_public_put_text(j, "secret", a->secret);
    serve_public_put_text(j, "kind", draft_word(a->draft.kind));
    serve_public_put_text(j, "letter", a->draft.letter);
    serve_public_put_text(j, "form", a->draft.form);
    serve_public_put_time(j, "changed", a->draft.changed);
    serve_public_put_time(j, "expires",
                          a->draft.made > 0 ? draft_ends(&a->draft) : 0);
}

/* ---- the routes ---- */

static void
serve_public_about(struct asked *a)
{
    const struct serve_public_options *o = &a->p->o;
    struct json_out j = serve_public_begin(a);

    json_begin(&j, '{');
    serve_public_put_text(&j, "site", o->site);
    serve_public_put_text(&j, "support", o->support);
    serve_public_put_text(&j, "deadline", o->deadline);
    json_key(&j, "hours");
    json_u64(&j, CLOCK_LIMIT / CLOCK_HOURS);
    json_key(&j, "lines_most");
    json_u64(&j, SERVE_PUBLIC_LINES);
    json_key(&j, "read_only");
    json_bool(&j, o->read_only);
    json_key(&j, "fields");
    form_json_fields(&j);
    json_end(&j, '}');
    serve_public_end(a, &j);
}

static void
serve_public_form(struct asked *a)
{
    struct json_out j;
    struct buf why;
    enum err e;

    if (!serve_public_need_link(a, false))
        return;
    buf_init(&why, 4096);
    e = form_yaml_read(buf_view(&a->draft.text), "form", &a->forms, &why);
    buf_free(&why);
    if (e != ERR_OK || a->forms.n != 1) {
        serve_public_fail(
            a, 500, SPAN_LIT("What is kept under this link cannot be read."));
        return;
    }
    j = serve_public_begin(a);
    json_begin(&j, '{');
    put_link(a, &j);
    json_key(&j, "values");
    form_json_write(&a->forms.v[0], &j);
    serve_public_put_state(a, &j);
    json_end(&j, '}');
    serve_public_end(a, &j);
}

static void
to_print(struct asked *a, const struct form *f)
{
    struct form_text t = {.form = f, .blank_lines = f ? 0 : BLANK_LINES};

    form_text_html(&t, &a->out->body);
    a->out->status = 200;
    a->out->type = "text/html; charset=utf-8";
    a->out->attachment = true;
    (void)snprintf(a->out->name, sizeof(a->out->name), "%s",
                   f != NULL ? "registration.html" : "registration-blank.html");
    if (a->out->body.cut || a->out->body.failed)
        serve_public_fail(a, 500,
                          SPAN_LIT("The form is too large to be printed."));
}

static void
serve_public_blank(struct asked *a)
{
    to_print(a, NULL);
}

static void
serve_public_print(struct asked *a)
{
    const struct form *f =
        serve_public_open_link(a, false) ? read_body(a) : NULL;

    if (f != NULL)
        to_print(a, f);
}

static void
serve_public_draft(struct asked *a)
{
    const struct form *f =
        serve_public_open_link(a, false) ? read_body(a) : NULL;
    struct json_out j;
    enum err e;

    if (f == NULL || !serve_public_may_keep(a))
        return;
    e = keep(a, f);
    if (e == ERR_LIMIT) {
        a->out->retry_after_s = 3600;
        serve_public_fail(a, 503,
                          SPAN_LIT("No more drafts can be kept at the moment. "
                                   "Submit the form, or print it."));
        return;
    }
    if (e != ERR_OK) {
        serve_public_fail(a, 500,
                          SPAN_LIT("The draft could not be kept. Nothing was "
                                   "changed."));
        return;
    }
    j = serve_public_begin(a);
    json_begin(&j, '{');
    put_link(a, &j);
    json_end(&j, '}');
    serve_public_end(a, &j);
}

struct faults {
    struct json_out j;
    size_t asks;
};

static void
take_fault(void *ctx, const struct form_fault *fault)
{
    struct faults *f = ctx;

    f->asks += fault->asks;
    form_json_fault(&f->j, fault);
}

static bool
is_confirmed(const struct http_request *r)
{
    for (size_t i = 0; i < r->n_query; i++) {
        if (span_eq(r->query[i].name, SPAN_LIT("confirm")))
            return span_eq(r->query[i].value, SPAN_LIT("yes"));
    }
    return false;
}

/* True: nothing is missing, and questions were answered; else it is told what
 * is. */
static bool
is_whole(struct asked *a, struct form *f)
{
    struct faults faults = {.asks = 0};
    size_t missing;

    faults.j = serve_public_begin(a);
    json_begin(&faults.j, '{');
    json_key(&faults.j, "submitted");
    json_bool(&faults.j, false);
    json_key(&faults.j, "faults");
    json_begin(&faults.j, '[');
    missing = form_check(f, a->now, take_fault, &faults);
    json_end(&faults.j, ']');
    json_end(&faults.j, '}');
    serve_public_end(a, &faults.j);
    if (missing > 0 || (faults.asks > 0 && !is_confirmed(a->r)))
        return false;
    buf_reset(&a->out->body);
    return true;
}

/* "2026-118: received, ..." */
static bool
take_number(struct asked *a, const struct buf *said)
{
    struct span number =
        span_head(buf_view(said), span_find(buf_view(said), ':'));

    if (!form_number_good(number))
        return false;
    memcpy(a->draft.form, number.p, number.n);
    a->draft.form[number.n] = 0;
    a->draft.kind = DRAFT_FORM;
    return true;
}

static void
tell_submitted(struct asked *a, bool kept)
{
    struct json_out j = serve_public_begin(a);

    json_begin(&j, '{');
    json_key(&j, "submitted");
    json_bool(&j, true);
    json_key(&j, "kept");
    json_bool(&j, kept);
    if (!kept)
        a->secret[0] = 0;
    put_link(a, &j);
    serve_public_put_state(a, &j);
    json_end(&j, '}');
    serve_public_end(a, &j);
}

void
serve_public_refuse(struct asked *a, enum cli_exit code,
                    const struct buf *messages)
{
    struct span text = buf_view(messages);

    if (span_starts(text, SPAN_LIT("span25: ")))
        text = span_tail(text, 8);
    while (text.n > 0 && span_at(text, text.n - 1) == '\n')
        text.n--;
    if (code == CLI_EXIT_REFUSED || code == CLI_EXIT_USAGE)
        serve_public_fail(a, code == CLI_EXIT_REFUSED ? 409 : 400, text);
    else /* of files and databases nobody outside is told */
        serve_public_fail(
            a, 503,
            SPAN_LIT("The registry cannot be written at the moment. "
                     "Nothing was changed; what is filled in can be "
                     "kept as a draft."));
}

static void
serve_public_submit(struct asked *a)
{
    struct form *f = serve_public_open_link(a, false) ? read_body(a) : NULL;
    struct buf yaml, said, messages;
    enum cli_exit code;

    if (f == NULL || !is_whole(a, f) || !serve_public_may_keep(a))
        return;
    buf_init(&yaml, BODY_MAX);
    buf_init(&said, 1 << 16);
    buf_init(&messages, 1 << 16);
    form_yaml_write(f, &yaml);
    code = yaml.cut || yaml.failed
               ? CLI_EXIT_FAILED
               : a->p->o.submit(a->p->o.ctx, buf_view(&yaml), &said, &messages);
    if ((code == CLI_EXIT_DONE || code == CLI_EXIT_PARTIAL) &&
        take_number(a, &said)) {
        memcpy(f->number, a->draft.form, sizeof(f->number));
        tell_submitted(a, keep(a, f) == ERR_OK);
    } else {
        serve_public_refuse(a, code, &messages);
    }
    buf_free(&yaml);
    buf_free(&said);
    buf_free(&messages);
}

/* ---- the table ---- */

static const struct route {
    enum http_method method;
    const char *name;
    void (*run)(struct asked *a);
} routes[] = {
#define X(method, path, function, doc)                                         \
    {HTTP_##method, path, serve_public_##function},
#include "sensor/app/serve_public.def"
#undef X
};

static void
route(struct asked *a)
{
    struct span path = a->r->path;
    bool there = false;

    if (span_starts(path, SPAN_LIT(ROOT))) {
        path = span_tail(path, sizeof(ROOT) - 1);
        for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
            if (!span_eq(path, span_str(routes[i].name)))
                continue;
            there = true;
            if (routes[i].method == a->r->method) {
                routes[i].run(a);
                return;
            }
        }
    }
    serve_public_fail(a, there ? 405 : 404,
                      SPAN_LIT("There is no such thing here."));
}

void
serve_public_answer(struct serve_public *p, const struct http_request *r,
                    ns_t now, struct http_answer *out)
{
    struct asked a = {.p = p, .r = r, .out = out, .now = now};

    buf_init(&out->body, BODY_MAX);
    draft_init(&a.draft);
    forms_init(&a.forms);
    (void)pthread_mutex_lock(&p->lock);
    if (is_paid(p, &r->peer, now)) {
        route(&a);
    } else {
        out->retry_after_s = 30;
        serve_public_fail(
            &a, 429,
            SPAN_LIT("Too many requests from here; please wait half "
                     "a minute."));
    }
    (void)pthread_mutex_unlock(&p->lock);
    forms_fini(&a.forms);
    draft_fini(&a.draft);
}

enum err
serve_public_new(const struct serve_public_options *o,
                 struct serve_public **out)
{
    struct serve_public *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return ERR_NOMEM;
    p->o = *o;
    if (getrandom(&p->seed, sizeof(p->seed), 0) != (ssize_t)sizeof(p->seed) ||
        pthread_mutex_init(&p->lock, NULL) != 0) {
        free(p);
        return ERR_IO;
    }
    *out = p;
    return ERR_OK;
}

void
serve_public_free(struct serve_public *p)
{
    if (p == NULL)
        return;
    serve_public_forget_registry(p);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}
