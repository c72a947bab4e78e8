#include "sensor/app/serve_web.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dashboards/http/assets.h"
#include "sensor/app/caller.h"
#include "sensor/app/log.h"
#include "sensor/app/serve_study.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define DEMO_USER "demo"
/* Of a report: its own policy names the one style sheet that it has. */
#define REPORT_POLICY                                                          \
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "  \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct serve_web {
    const struct config *config;
    struct serve *serve;
    struct gate *gate;
    struct users *users;   /* NULL: there is no file of them */
    pthread_rwlock_t lock; /* of users */
};

/* ---- users ---- */

static unsigned
roles_of(void *ctx, struct span name)
{
    struct serve_web *w = ctx;
    unsigned roles;

    (void)pthread_rwlock_rdlock(&w->lock);
    roles = w->users != NULL ? users_roles(w->users, name) : 0;
    (void)pthread_rwlock_unlock(&w->lock);
    return roles;
}

static unsigned
check(struct serve_web *w, struct span name, struct span password)
{
    unsigned roles;

    (void)pthread_rwlock_rdlock(&w->lock);
    roles = w->users != NULL ? users_check(w->users, name, password) : 0;
    (void)pthread_rwlock_unlock(&w->lock);
    return roles;
}

enum err
serve_web_reload(struct serve_web *w, struct buf *messages)
{
    struct users *users = NULL, *before;
    struct buf why;
    enum err e;

    if (w->config->serve_users == NULL)
        return ERR_OK;
    buf_init(&why, 4096);
    e = users_load(w->config->serve_users, &users, &why);
    if (e == ERR_OK) {
        (void)pthread_rwlock_wrlock(&w->lock);
        before = w->users;
        w->users = users;
        (void)pthread_rwlock_unlock(&w->lock);
        users_free(before);
        if (w->gate != NULL)
            gate_renew(w->gate, roles_of, w);
    } else {
        buf_str(messages, "span25: ");
        text_term(messages, why.n > 0 ? buf_view(&why) : span_str(err_text(e)));
        buf_putc(messages, '\n');
    }
    buf_free(&why);
    return e;
}

static enum err
make_gate(struct serve_web *w, struct buf *messages)
{
    const struct config *c = w->config;
    struct gate_options o = {.origin = c->serve_origin,
                             .user_roles = roles_of,
                             .ctx = w,
                             .open_user = c->serve_demo ? DEMO_USER : NULL,
                             .open_roles = ROLES_ALL};
    enum err e;

    for (size_t i = 0; i < c->serve_proxy.n && i < GATE_PROXIES; i++)
        o.proxies[o.n_proxies++] = c->serve_proxy.v[i];
    e = gate_new(&o, &w->gate);
    if (e != ERR_OK)
        buf_printf(messages, "span25: serve.origin or serve.proxy: %s\n",
                   err_text(e));
    return e;
}

enum err
serve_web_new(const struct serve_web_options *o, struct serve_web **out)
{
    struct serve_web *w = calloc(1, sizeof(*w));
    enum err e;

    if (w == NULL)
        return ERR_NOMEM;
    w->config = o->config;
    w->serve = o->serve;
    (void)pthread_rwlock_init(&w->lock, NULL);
    e = serve_web_reload(w, o->messages);
    if (e == ERR_OK)
        e = make_gate(w, o->messages);
    if (e == ERR_OK)
        *out = w;
    else
        serve_web_free(w);
    return e;
}

void
serve_web_free(struct serve_web *w)
{
    if (w == NULL)
        return;
    gate_free(w->gate);
    users_free(w->users);
    (void)pthread_rwlock_destroy(&w->lock);
    free(w);
}

bool
serve_web_stays(struct serve_web *w, uint64_t of)
{
    return gate_stays(w->gate, of, caller_clock());
}

/* ---- answers ---- */

static void
fail(struct http_answer *out, unsigned status, const char *text,
     const struct http_request *r)
{
    out->status = status;
    out->type = "application/json";
    serve_error(&out->body, span_str(text), r->id);
}

static void
log_refused(const char *why, const struct http_request *r)
{
    char text[ADDR_TEXT_MAX];
    struct log_line l;

    log_begin(&l, LOG_AT_WARN, "login_refused");
    log_string(&l, "why", span_str(why));
    log_string(&l, "peer", span_of(text, addr_format(&r->peer, text)));
    log_string(&l, "request", span_str(r->id));
    log_end(&l, STDERR_FILENO);
}

/* A log-in that cannot be journaled is said to the operator: refusing it would
 * keep everybody from looking at what is wrong. */
static void
keep(struct serve_web *w, const char *action, const char *who,
     const struct http_request *r)
{
    char text[ADDR_TEXT_MAX];
    struct log_line l;
    struct buf why;

    buf_init(&why, 4096);
    if (!serve_record(w->serve, action, who,
                      span_of(text, addr_format(&r->peer, text)), &why)) {
        log_begin(&l, LOG_AT_ERROR, "not_journaled");
        log_string(&l, "what", span_str(action));
        log_string(&l, "why", buf_view(&why));
        log_end(&l, STDERR_FILENO);
    }
    buf_free(&why);
}

/* ---- who is logged in ---- */

static void
put_me(const struct serve_web *w, const struct gate_user *u, ns_t now,
       struct http_answer *out)
{
    const struct config *c = w->config;
    struct json_out j = json_out_open(&out->body);

    json_begin(&j, '{');
    json_key(&j, "data");
    json_begin(&j, '{');
    json_key(&j, "user");
    (void)json_str(&j, span_str(u->name));
    json_key(&j, "roles");
    json_begin(&j, '[');
    for (unsigned i = 0; roles_name(i) != NULL; i++) {
        if ((u->roles >> i & 1U) != 0)
            (void)json_str(&j, span_str(roles_name(i)));
    }
    json_end(&j, ']');
    json_key(&j, "csrf");
    (void)json_str(&j, span_str(u->csrf));
    json_key(&j, "site");
    (void)json_str(&j,
                   span_str(c->serve_site != NULL ? c->serve_site : c->name));
    json_key(&j, "version");
    (void)json_str(&j, SPAN_LIT(SPAN25_VERSION));
    json_key(&j, "demo");
    json_bool(&j, c->serve_demo);
    json_key(&j, "expires_s");
    json_u64(&j, u->expires == 0    ? 0 /* it has no end */
                 : u->expires > now ? (u->expires - now) / NS_PER_S
                                    : 0);
    json_end(&j, '}');
    json_key(&j, "messages");
    json_begin(&j, '[');
    json_end(&j, ']');
    json_key(&j, "partial");
    json_bool(&j, false);
    json_end(&j, '}');
    out->status = 200;
    out->type = "application/json";
}

static void
enter(struct serve_web *w, const struct http_request *r, struct span name,
      struct span password, ns_t now, struct http_answer *out)
{
    const unsigned roles = check(w, name, password);
    struct gate_user user;

    if (roles == 0) {
        char known[USERS_NAME] = "";

        /* a password typed into the wrong field is not to be kept */
        if (roles_of(w, name) != 0 && name.n < sizeof(known))
            memcpy(known, name.p, name.n);
        log_refused("wrong", r);
        keep(w, "refused", known[0] != '\0' ? known : NULL, r);
        fail(out, 401, "Name or password are wrong.", r);
        return;
    }
    if (gate_enter(w->gate, r, name, roles, now, &user, out->cookie) !=
        ERR_OK) {
        fail(out, 500, "A session cannot be made.", r);
        return;
    }
    keep(w, "login", user.name, r);
    put_me(w, &user, now, out);
}

static void
login(struct serve_web *w, const struct http_request *r, ns_t now,
      struct http_answer *out)
{
    struct buf name, password;
    enum gate_said said;

    buf_init(&name, 4096);
    buf_init(&password, 4096);
    if (!serve_body_text(r->body, "user", &name) ||
        !serve_body_text(r->body, "password", &password)) {
        fail(out, 400, "The body must have user and password.", r);
    } else {
        said = gate_try(w->gate, r, buf_view(&name), now, &out->retry_after_s);
        if (said == GATE_OK) {
            enter(w, r, buf_view(&name), buf_view(&password), now, out);
        } else {
            log_refused(gate_text(said), r);
            fail(out, gate_status(said), gate_text(said), r);
        }
    }
    if (password.p != NULL)
        explicit_bzero(password.p, password.cap);
    buf_free(&password);
    buf_free(&name);
}

static void
logout(struct serve_web *w, const struct http_request *r,
       const struct gate_user *u, struct http_answer *out)
{
    if (u->session)
        keep(w, "logout", u->name, r);
    gate_leave(w->gate, r, out->cookie);
    out->status = 200;
    out->type = "application/json";
    buf_str(&out->body, "{\"data\":null,\"messages\":[],\"partial\":false}");
}

/* ---- the API ---- */

static void
call(struct serve_web *w, const struct http_request *r, struct span path,
     const struct gate_user *u, struct http_answer *out)
{
    const struct serve_caller who = {u->name, u->roles};
    const struct serve_request q = {.method = r->method,
                                    .path = path,
                                    .query = r->query,
                                    .n_query = r->n_query,
                                    .body = r->body,
                                    .id = r->id};

    out->type = "application/json";
    out->status = serve_call(w->serve, &who, &q, &out->body);
}

/* A page of its own, which has inline styles: it may do nothing else, and is of
 * no origin. */
static void
report(const struct serve_web *w, const struct http_request *r,
       struct span name, struct http_answer *out)
{
    unsigned status = 400;

    if (name.n < SERVE_JOB_NAME)
        status = serve_study_report(w->config, name, &out->body);
    if (status != 200) {
        fail(out, status,
             status == 400   ? "'name' is too long"
             : status == 404 ? "There is no report of this study."
                             : "The report cannot be read.",
             r);
        return;
    }
    out->status = 200;
    out->type = "text/html; charset=utf-8";
    out->policy = REPORT_POLICY;
}

/* What the server does itself, for somebody who is known. */
static bool
here(struct serve_web *w, const struct http_request *r, enum serve_route_id id,
     struct span segment, const struct gate_user *u, ns_t now,
     struct http_answer *out)
{
    if (id == SERVE_ROUTE_STUDY_REPORT) {
        report(w, r, segment, out);
    } else if (id == SERVE_ROUTE_ME) {
        put_me(w, u, now, out);
    } else if (id == SERVE_ROUTE_LOGOUT) {
        logout(w, r, u, out);
    } else if (id == SERVE_ROUTE_STREAM) {
        out->status = 200;
        out->stream = true;
        out->of = u->number;
    } else if (id == SERVE_ROUTE_OPENAPI) {
        out->status = 200;
        out->type = "application/json";
        serve_openapi(&out->body);
    } else {
        return false;
    }
    return true;
}

/* A form of any page can post, but not this type. */
static bool
is_json(struct span type)
{
    const struct span name = span_trim(span_head(type, span_find(type, ';')));

    return span_eq_nocase(name, SPAN_LIT("application/json"));
}

/* Did a person ask? A page that asks by itself, because of an event of the
 * stream or of time, says which event it knows. */
static bool
is_person(const struct http_request *r, enum serve_route_id id)
{
    return r->method == HTTP_POST ||
           (r->last_event_id.n == 0 && id != SERVE_ROUTE_STREAM);
}

static void
answer_api(struct serve_web *w, const struct http_request *r, struct span path,
           struct http_answer *out)
{
    const ns_t now = caller_clock();
    struct span segment;
    struct gate_user user;
    enum gate_said said;
    bool known;
    const enum serve_route_id id =
        serve_route_find(r->method, path, &segment, &known);

    if (r->method == HTTP_POST && r->body.n > 0 && !is_json(r->content_type)) {
        fail(out, 415, "The body is not of the type application/json.", r);
        return;
    }
    if (id == SERVE_ROUTE_LOGIN) {
        login(w, r, now, out);
        return;
    }
    /* what the page asks by itself names the event that made it ask: an empty
     * chair keeps no session */
    said = gate_ask(w->gate, r, now, is_person(r, id), &user);
    if (said != GATE_OK)
        fail(out, gate_status(said), gate_text(said), r);
    else if (!here(w, r, id, segment, &user, now, out))
        call(w, r, path, &user, out);
}

static void
answer_page(const struct http_request *r, struct http_answer *out)
{
    const struct asset *a = assets_view(assets, n_assets, r->path);

    if (r->method != HTTP_GET)
        fail(out, 405, "This is not asked for in this way.", r);
    else if (a == NULL)
        fail(out, 404, "There is no such thing here.", r);
    else
        assets_answer(a, out);
}

void
serve_web_answer(void *ctx, const struct http_request *r,
                 struct http_answer *out)
{
    static const struct span root = SPAN_INIT(SERVE_ROOT "/");

    buf_init(&out->body, SERVE_ANSWER + (1U << 20));
    if (span_starts(r->path, root))
        answer_api(ctx, r, span_tail(r->path, root.n - 1), out);
    else if (span_starts(r->path, SPAN_LIT("/api/")))
        fail(out, 404, "There is no such thing here.", r);
    else if (span_eq(r->path, SPAN_LIT("/healthz"))) {
        out->status = 200;
        out->type = "text/plain; charset=utf-8";
        buf_str(&out->body, "ok\n");
    } else
        answer_page(r, out);
}
