#include "sensor/app/serve_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/app/caller.h"
#include "sensor/app/registry_seen.h"
#include "sensor/app/registry_time.h"
#include "sensor/app/serve_content.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/serve_page.h"
#include "sensor/base/json_out.h"
#include "sensor/store/index_query.h"
#include "sensor/store/registry_db.h"

#define AS_OF_LOOK 100U /* newest events, among them those of people */

enum err
serve_new(const struct serve_options *o, struct serve **out)
{
    struct serve *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NOMEM;
    s->cli = o->cli;
    s->job = o->job;
    s->read_only = o->read_only;
    buf_init(&s->now, SERVE_ANSWER);
    (void)pthread_rwlock_init(&s->lock, NULL);
    (void)pthread_mutex_init(&s->looks_lock, NULL);
    (void)pthread_mutex_init(&s->now_lock, NULL);
    kept_init(&s->kept);
    *out = s;
    return ERR_OK;
}

void
serve_free(struct serve *s)
{
    if (s == NULL)
        return;
    (void)pthread_rwlock_destroy(&s->lock);
    (void)pthread_mutex_destroy(&s->looks_lock);
    (void)pthread_mutex_destroy(&s->now_lock);
    buf_free(&s->now);
    kept_fini(&s->kept);
    free(s);
}

void
serve_warm(struct serve *s)
{
    struct cli c = *s->cli;

    c.kept = &s->kept;
    registry_seen_warm(&c);
}

void
serve_stop(struct serve *s)
{
    atomic_store(&s->kept.stop, true);
}

/* ---- what is said ---- */

void
serve_error(struct buf *out, struct span message, const char *id)
{
    struct json_out j = json_out_open(out);

    json_begin(&j, '{');
    json_key(&j, "error");
    json_begin(&j, '{');
    json_key(&j, "message");
    (void)json_str(&j, message);
    json_key(&j, "id");
    (void)json_str(&j, span_str(id != NULL ? id : ""));
    json_end(&j, '}');
    json_end(&j, '}');
}

static unsigned
fail(struct buf *out, unsigned status, const char *text, const char *id)
{
    serve_error(out, span_str(text), id);
    return status;
}

/* The next line, without what stands before it on a command line. */
static struct span
take_line(struct span *text)
{
    const size_t end = span_find(*text, '\n');
    struct span line = span_head(*text, end);

    *text = span_tail(*text, end + 1);
    if (span_starts(line, SPAN_LIT("span25: ")))
        line = span_tail(line, 8);
    return line;
}

static void
put_lines(struct json_out *j, struct span text)
{
    while (text.n > 0) {
        const struct span line = take_line(&text);

        if (line.n > 0)
            (void)json_str(j, line);
    }
}

static unsigned
fail_messages(struct buf *out, unsigned status, struct span messages,
              const char *id)
{
    struct buf text;

    buf_init(&text, 1U << 16);
    while (messages.n > 0) {
        const struct span line = take_line(&messages);

        if (line.n > 0 && text.n > 0)
            buf_putc(&text, '\n');
        buf_span(&text, line);
    }
    serve_error(out, text.n > 0 ? buf_view(&text) : SPAN_LIT("it did not work"),
                id);
    buf_free(&text);
    return status;
}

static unsigned
status_of(enum cli_exit code, enum serve_route_id id)
{
    switch (code) {
    case CLI_EXIT_DONE:
    case CLI_EXIT_PARTIAL: return 200;
    case CLI_EXIT_USAGE: /* what the path names is not there */
        return strchr(serve_routes[id].path, '{') != NULL ? 404 : 400;
    case CLI_EXIT_REFUSED: return 409;
    case CLI_EXIT_STORE: return 503;
    case CLI_EXIT_FAILED:
    case CLI_EXIT_INTERRUPTED: break;
    }
    return 500;
}

/* ---- as of when ---- */

/* Newest first; what is told of people and of the program is no sight. */
static void
take_when(void *ctx, const struct index_event *e)
{
    ns_t *when = ctx;

    if (*when == 0 && !span_eq(e->type, SPAN_LIT("control")))
        *when = e->when;
}

/* The newest event that was seen; the clock where there is none. */
static ns_t
as_of(const struct serve *s)
{
    const struct index_query q = {.limit = AS_OF_LOOK};
    struct index_reader *r = NULL;
    struct buf why;
    ns_t when = 0;

    buf_init(&why, 1024);
    if (index_reader_open(s->cli->config.state, &r, &why) == ERR_OK)
        (void)!index_events(r, &q, take_when, &when);
    index_reader_close(r);
    buf_free(&why);
    return when > 0 ? when : caller_clock();
}

static void
put_answer(struct serve *s, struct buf *out, struct span data,
           struct span messages, bool partial)
{
    struct json_out j = json_out_open(out);
    struct buf time;

    buf_init(&time, 64);
    registry_time_utc(as_of(s), &time);
    json_begin(&j, '{');
    json_key(&j, "data");
    json_raw(&j, data.n > 0 ? data : SPAN_LIT("null"));
    json_key(&j, "messages");
    json_begin(&j, '[');
    put_lines(&j, messages);
    json_end(&j, ']');
    json_key(&j, "partial");
    json_bool(&j, partial);
    json_key(&j, "as_of");
    (void)json_str(&j, buf_view(&time));
    json_end(&j, '}');
    buf_free(&time);
}

/* ---- a call ---- */

struct call {
    struct serve *serve;
    const struct serve_caller *who;
    const struct serve_request *request;
    enum serve_route_id id;
    struct serve_values *values;
    struct buf data, messages;
};

/* Text that is no JSON: of a change what was done, else a text to be shown. */
static void
make_text(struct call *c)
{
    struct json_out j;
    struct buf text;

    if (serve_routes[c->id].method == HTTP_POST &&
        c->id != SERVE_ROUTE_REGISTRY_RECEIPT) { /* which is for its reader */
        buf_putc(&c->data, '\n');
        buf_span(&c->data, buf_view(&c->messages));
        buf_reset(&c->messages);
        buf_span(&c->messages, buf_view(&c->data));
        buf_reset(&c->data);
        return;
    }
    buf_init(&text, SERVE_ANSWER);
    j = json_out_open(&text);
    json_begin(&j, '{');
    json_key(&j, "text");
    (void)json_str(&j, buf_view(&c->data));
    json_end(&j, '}');
    buf_free(&c->data);
    c->data = text;
}

/* A page of the rows, where the route has one. False: told. */
static bool
make_page(struct call *c)
{
    struct serve_page page = {.limit = 0};
    bool wanted = false, good = true;
    struct buf text;

    for (size_t i = 0; i < n_serve_params; i++) {
        const struct serve_param *p = &serve_params[i];
        const struct span v = serve_values_find(c->values, p->name);

        if (p->route != c->id)
            continue;
        wanted = wanted || p->how == SERVE_LIMIT;
        if (v.n == 0)
            continue;
        if (p->how == SERVE_SEARCH) {
            page.search = v;
        } else if (p->how == SERVE_AFTER) {
            good = good && serve_page_after(v, &page.after);
        } else if (p->how == SERVE_LIMIT) {
            page.limit = (size_t)serve_json_u64(v, 0);
            good = good && page.limit > 0 && page.limit <= SERVE_PAGE_MOST;
        }
    }
    if (!wanted || !good) {
        if (!good)
            buf_str(&c->messages, "span25: limit or after is not valid");
        return good;
    }
    buf_init(&text, SERVE_ANSWER);
    if (serve_page_write(buf_view(&c->data), &page, &text)) {
        buf_free(&c->data);
        c->data = text;
        return true;
    }
    buf_free(&text);
    return c->data.n == 0; /* nothing was printed */
}

/* A registry that nobody has begun is an empty one. */
static bool
is_no_registry(const struct call *c)
{
    struct buf path;
    bool there;

    if (serve_routes[c->id].method != HTTP_GET ||
        strncmp(serve_routes[c->id].verb, "registry ", 9) != 0)
        return false;
    buf_init(&path, 8192);
    buf_str(&path, c->serve->cli->config.state);
    buf_str(&path, "/" REGISTRY_DB_FILE);
    buf_putc(&path, 0);
    there = path.failed || access((const char *)path.p, F_OK) == 0;
    buf_free(&path);
    return !there;
}

static enum cli_exit
run_verb(struct call *c)
{
    bool json;
    enum cli_exit code =
        serve_verb_run(c->serve, c->id, c->who->user, c->values, &c->data,
                       &c->messages, &json);

    if (code == CLI_EXIT_STORE && is_no_registry(c)) {
        buf_reset(&c->data);
        buf_reset(&c->messages);
        buf_str(&c->messages, "there is no registry yet");
        return CLI_EXIT_DONE;
    }
    if (code != CLI_EXIT_DONE && code != CLI_EXIT_PARTIAL)
        return code;
    if (!json)
        make_text(c);
    else if (!make_page(c))
        return CLI_EXIT_USAGE;
    return code;
}

static enum cli_exit
run_view(struct call *c)
{
    struct serve_view v = {.serve = c->serve,
                           .config = &c->serve->cli->config,
                           .who = c->who,
                           .values = c->values->v,
                           .n_values = c->values->n,
                           .now = caller_clock(),
                           .data = &c->data,
                           .messages = &c->messages};

    switch (serve_routes[c->id].how) {
    case SERVE_NOW: return serve_now(&v);
    case SERVE_SESSIONS: return serve_sessions(&v);
    case SERVE_SENSOR: return serve_sensor(&v);
    case SERVE_AUDIT: return serve_audit(&v);
    case SERVE_STUDIES: return serve_studies(&v);
    case SERVE_STUDY: return serve_study(&v);
    case SERVE_STUDY_START: return serve_study_start(&v);
    case SERVE_STUDY_STOP: return serve_study_stop(&v);
    case SERVE_STUDY_REVIEW: return serve_study_review(&v);
    case SERVE_STUDY_JUDGE: return serve_study_judge(&v);
    case SERVE_STUDY_COUNT: return serve_study_count(&v);
    case SERVE_STUDY_PUBLISH: return serve_study_publish(&v);
    case SERVE_VERB:
    case SERVE_HERE: break;
    }
    return run_verb(c);
}

/* Changes alone, looks beside one another. */
static enum cli_exit
run_locked(struct call *c)
{
    pthread_rwlock_t *lock = &c->serve->lock;
    enum cli_exit code;

    if (serve_routes[c->id].method == HTTP_POST)
        (void)pthread_rwlock_wrlock(lock);
    else
        (void)pthread_rwlock_rdlock(lock);
    code = run_view(c);
    (void)pthread_rwlock_unlock(lock);
    return code;
}

static unsigned
run(struct call *c, struct buf *out)
{
    const char *id = c->request->id;
    enum cli_exit code;
    unsigned status;

    buf_init(&c->data, SERVE_ANSWER);
    buf_init(&c->messages, 1U << 20);
    code = run_locked(c);
    status = status_of(code, c->id);
    if (status == 200)
        status = serve_content(c->serve, c->id, c->who, &c->data, &c->messages);
    if (status == 200 && (c->data.cut || c->data.failed))
        status = 500;
    if (status == 200)
        put_answer(c->serve, out, buf_view(&c->data), buf_view(&c->messages),
                   code == CLI_EXIT_PARTIAL);
    else
        (void)fail_messages(out, status, buf_view(&c->messages), id);
    buf_free(&c->data);
    buf_free(&c->messages);
    return status;
}

/* 0: he may. */
static unsigned
refusal(const struct serve *s, const struct serve_route *r, unsigned roles,
        const char *id, struct buf *out)
{
    if (r->roles != SERVE_ROLES_NOBODY && roles == 0)
        return fail(out, 401, "Nobody is logged in.", id);
    if (r->roles != SERVE_ROLES_NOBODY && (r->roles & roles) == 0)
        return fail(out, 403, "Your role may not see or do this.", id);
    if (s->read_only && r->method == HTTP_POST)
        return fail(out, 403, "This server changes nothing: it is read-only.",
                    id);
    return 0;
}

static unsigned
call_route(struct serve *s, const struct serve_caller *who,
           const struct serve_request *r, enum serve_route_id id,
           struct span segment, struct buf *out)
{
    struct serve_values *values = calloc(1, sizeof(*values));
    struct call c = {
        .serve = s, .who = who, .request = r, .id = id, .values = values};
    struct buf why;
    unsigned status = 400;

    if (values == NULL)
        return fail(out, 500, err_text(ERR_NOMEM), r->id);
    buf_init(&why, 4096);
    if (serve_values_read(id, segment, r, values, &why))
        status = run(&c, out);
    else
        serve_error(out, buf_view(&why), r->id);
    buf_free(&why);
    serve_values_free(values);
    free(values);
    return status;
}

unsigned
serve_call(struct serve *s, const struct serve_caller *who,
           const struct serve_request *r, struct buf *out)
{
    struct span segment = SPAN_NONE;
    bool known;
    const enum serve_route_id id =
        serve_route_find(r->method, r->path, &segment, &known);
    unsigned status;

    if (id == SERVE_ROUTES)
        return known
                   ? fail(out, 405, "This is not asked for in this way.", r->id)
                   : fail(out, 404, "There is no such thing here.", r->id);
    status = refusal(s, &serve_routes[id], who->roles, r->id, out);
    if (status != 0)
        return status;
    if (serve_routes[id].how == SERVE_HERE)
        return fail(out, 404, "There is no such thing here.", r->id);
    return call_route(s, who, r, id, segment, out);
}
