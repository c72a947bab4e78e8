#include "sensor/app/serve_parts.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/app/serve_json.h"
#include "sensor/base/json_out.h"
#include "sensor/store/index_cited.h"
#include "sensor/store/index_query.h"

#define KEPT_NS    (5 * NS_PER_S) /* one answer is given to all that long */
#define ROWS       20U            /* of a headline; --limit=20 below */
#define HOSTS_MOST 500U           /* looked at */
#define TOP        10U
#define SITES_MOST 5000U /* as many as a block list has at most */
#define STEP_NS    (600 * NS_PER_S)
#define STEPS      288U    /* 48 h */
#define SESSIONS   100000U /* looked at, the newest ones */
#define DAY_NS     (24 * 3600 * NS_PER_S)
#define WORLD_NS   (7 * DAY_NS) /* a listing that was cited so lately */

struct host {
    struct addr addr;
    bool registered;
};

struct step {
    uint64_t out, registered, in;
};

struct now {
    struct serve_view *view;
    struct json_out json;
    struct buf hosts, strangers, blocks, doctor;
    struct span sites[SITES_MOST];
    struct buf listings; /* rows of JSON */
    struct index_cited_page world;
    bool world_known;
    struct buf seen_blocks; /* as they were when something was seen last */
    enum cli_exit sensor;
    struct host known[HOSTS_MOST];
    size_t n_known;
    uint64_t unregistered; /* senders within a day */
    ns_t end;              /* of what was seen */
    ns_t last;             /* of the sessions that were counted */
    uint64_t last_seq;
    size_t n_sessions;
    struct step steps[STEPS];
};

/* ---- what verbs say ---- */

static void
ask(struct now *n, enum verb verb, const char *const *flags, struct buf *out)
{
    struct buf ignored;

    buf_init(out, SERVE_ANSWER);
    buf_init(&ignored, 1U << 16);
    (void)serve_verb(n->view->serve, verb, flags, out, &ignored);
    buf_free(&ignored);
}

static struct span
rows_of(const struct buf *document)
{
    const struct span rows = serve_json_get(buf_view(document), "rows");

    return rows.n > 0 ? rows : SPAN_LIT("[]");
}

static void
put(struct json_out *j, const char *key, struct span value)
{
    json_key(j, key);
    json_raw(j, value.n > 0 ? value : SPAN_LIT("null"));
}

static bool
is_true(struct span value)
{
    return span_eq(value, SPAN_LIT("true"));
}

static ns_t
time_of(struct span value)
{
    struct buf text;
    ns_t when = 0;

    buf_init(&text, 64);
    serve_json_text(value, &text);
    if (!ns_parse(buf_view(&text), &when))
        when = 0;
    buf_free(&text);
    return when;
}

/* Total of a list of alerts. */
static uint64_t
alerts_of(struct now *n, const char *severity, const char *status)
{
    const char *flags[] = {severity, status, "--limit=1", NULL};
    struct buf out;
    uint64_t total;

    ask(n, VERB_ALERTS_LIST, flags, &out);
    total = serve_json_u64(serve_json_get(buf_view(&out), "total"), 0);
    buf_free(&out);
    return total;
}

/* ---- hosts ---- */

static bool
is_sender(const struct now *n, struct span row)
{
    const ns_t last = time_of(serve_json_get(row, "last"));

    return is_true(serve_json_get(row, "home")) &&
           serve_json_is(serve_json_get(row, "registered"), "unregistered") &&
           last + DAY_NS >= n->end;
}

static void
know(struct now *n, struct span row)
{
    struct buf text;
    struct host *h = &n->known[n->n_known];

    buf_init(&text, 128);
    serve_json_text(serve_json_get(row, "host"), &text);
    if (n->n_known < HOSTS_MOST && addr_parse(buf_view(&text), &h->addr)) {
        h->registered =
            serve_json_is(serve_json_get(row, "registered"), "registered");
        n->n_known++;
    }
    buf_free(&text);
    n->unregistered += is_sender(n, row);
}

static void
put_unregistered(struct now *n)
{
    struct json_out *j = &n->json;
    struct serve_json_walk w;
    struct span row;

    json_key(j, "unregistered");
    json_begin(j, '{');
    put(j, "count", serve_json_get(buf_view(&n->strangers), "total"));
    put(j, "exact", serve_json_get(buf_view(&n->strangers), "exact"));
    json_key(j, "rows");
    json_begin(j, '[');
    serve_json_begin(&w, rows_of(&n->strangers));
    while (serve_json_next(&w, NULL, &row)) {
        json_begin(j, '{');
        put(j, "host", serve_json_get(row, "host"));
        put(j, "site", serve_json_get(row, "site"));
        put(j, "form", SPAN_NONE);
        json_end(j, '}');
    }
    serve_json_end(&w);
    json_end(j, ']');
    json_end(j, '}');
}

/* Those with most sessions among those that were seen last. */
static void
put_hosts(struct now *n)
{
    struct json_out *j = &n->json;
    struct serve_json_walk w;
    struct span row, best[TOP];
    uint64_t most[TOP] = {0};
    size_t have = 0;

    serve_json_begin(&w, rows_of(&n->hosts));
    while (serve_json_next(&w, NULL, &row)) {
        const uint64_t s = serve_json_u64(serve_json_get(row, "sessions"), 0);
        size_t at = have < TOP ? have++ : TOP;

        if (!is_true(serve_json_get(row, "home")) ||
            (at == TOP && s <= most[TOP - 1])) {
            have -= at < TOP;
            continue;
        }
        at = at < TOP ? at : TOP - 1;
        for (; at > 0 && most[at - 1] < s; at--) {
            most[at] = most[at - 1];
            best[at] = best[at - 1];
        }
        most[at] = s;
        best[at] = row;
    }
    serve_json_end(&w);
    json_key(j, "hosts");
    json_begin(j, '[');
    for (size_t i = 0; i < have; i++) {
        json_begin(j, '{');
        put(j, "host", serve_json_get(best[i], "host"));
        put(j, "site", serve_json_get(best[i], "site"));
        put(j, "registered", serve_json_get(best[i], "registered"));
        put(j, "level", serve_json_get(best[i], "level"));
        put(j, "sessions", serve_json_get(best[i], "sessions"));
        put(j, "rcpt", serve_json_get(best[i], "rcpt_offered"));
        put(j, "refused", serve_json_get(best[i], "rcpt_unknown"));
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* ---- decisions ---- */

/* Does a mail server stand behind the subject "ADDRESS/32"? */
static bool
is_queueing(const struct now *n, struct span subject)
{
    struct serve_json_walk w;
    struct span row;
    bool found = false;

    serve_json_begin(&w, rows_of(&n->hosts));
    while (!found && serve_json_next(&w, NULL, &row)) {
        const struct span host = serve_json_get(row, "host");

        found = host.n > 2 &&
                span_starts(subject, span_head(host, host.n - 1)) &&
                span_at(subject, host.n - 1) == '/' &&
                is_true(serve_json_get(row, "queueing"));
    }
    serve_json_end(&w);
    return found;
}

static uint64_t
in_force(const struct buf *document)
{
    struct serve_json_walk w;
    struct span row;
    uint64_t n = 0;

    serve_json_begin(&w, rows_of(document));
    while (serve_json_next(&w, NULL, &row))
        n += serve_json_is(serve_json_get(row, "state"), "in force");
    serve_json_end(&w);
    return n;
}

/* What was in force, in whichever mode, when something was seen last. */
static void
put_if_blocked(struct now *n)
{
    struct json_out *j = &n->json;
    struct serve_json_walk w;
    struct span row;
    uint64_t hosts = 0, legitimate = 0, owners = 0;

    serve_json_begin(&w, rows_of(&n->seen_blocks));
    while (serve_json_next(&w, NULL, &row)) {
        const struct span site = serve_json_get(row, "site");
        bool told = false;

        if (!serve_json_is(serve_json_get(row, "state"), "in force"))
            continue;
        hosts++;
        legitimate += is_queueing(n, serve_json_get(row, "subject"));
        if (site.n <= 2 || span_eq(site, SPAN_LIT("null")))
            continue; /* of no site: nobody is known to write to */
        for (size_t i = 0; i < owners && i < SITES_MOST; i++)
            told = told || span_eq(n->sites[i], site);
        if (!told && owners < SITES_MOST)
            n->sites[owners] = site;
        owners += !told;
    }
    serve_json_end(&w);
    json_key(j, "if_blocked");
    json_begin(j, '{');
    json_key(j, "hosts");
    json_u64(j, hosts);
    json_key(j, "likely_legitimate");
    json_u64(j, legitimate);
    json_key(j, "owners");
    json_u64(j, owners);
    put(j, "seen_percent", SPAN_NONE);
    json_end(j, '}');
}

/* ---- what the world says ---- */

static void
put_when(struct json_out *j, const char *key, ns_t when)
{
    char text[NS_TEXT_MAX];

    json_key(j, key);
    (void)json_str(j, span_of(text, ns_format(when, text)));
}

static void
take_listing(void *ctx, const struct index_listing *l)
{
    struct json_out *j = ctx;
    char host[ADDR_TEXT_MAX];

    json_begin(j, '{');
    json_key(j, "list");
    (void)json_str(j, l->list);
    json_key(j, "host");
    (void)json_str(j, span_of(host, addr_format(&l->host, host)));
    json_key(j, "servers");
    json_u64(j, l->servers);
    json_key(j, "replies");
    json_u64(j, l->replies);
    put_when(j, "since", l->first);
    put_when(j, "last", l->last);
    json_end(j, '}');
}

static void
look_at_world(struct now *n, struct index_reader *r)
{
    struct json_out j = json_out_open(&n->listings);
    const ns_t from = n->end > WORLD_NS ? n->end - WORLD_NS : 0;

    json_begin(&j, '[');
    n->world_known =
        index_cited_list(r, from, ROWS, take_listing, &j, &n->world) == ERR_OK;
    json_end(&j, ']');
}

static void
put_world(struct now *n)
{
    struct json_out *j = &n->json;

    json_key(j, "world");
    if (!n->world_known) {
        json_null(j);
        return;
    }
    json_begin(j, '{');
    json_key(j, "count");
    json_u64(j, n->world.total);
    json_key(j, "exact");
    json_bool(j, n->world.exact);
    put(j, "rows", buf_view(&n->listings));
    json_end(j, '}');
}

static void
put_figures(struct now *n)
{
    static const char *const soon[] = {"--within=12h", NULL};
    struct json_out *j = &n->json;
    struct serve_json_walk w;
    struct buf policy, due;
    struct span row, mode = SPAN_NONE;
    uint64_t n_due = 0;

    ask(n, VERB_POLICY_SHOW, NULL, &policy);
    serve_json_begin(&w, rows_of(&policy));
    while (mode.n == 0 && serve_json_next(&w, NULL, &row)) {
        if (serve_json_is(serve_json_get(row, "what"), "mode"))
            mode = serve_json_get(row, "state");
    }
    serve_json_end(&w);
    ask(n, VERB_REGISTRY_DUE, soon, &due);
    serve_json_begin(&w, rows_of(&due));
    while (serve_json_next(&w, NULL, &row))
        n_due++;
    serve_json_end(&w);
    json_key(j, "figures");
    json_begin(j, '{');
    json_key(j, "open_high");
    json_u64(j, alerts_of(n, "--severity=high", "--status=new") +
                    alerts_of(n, "--severity=high", "--status=ack") +
                    alerts_of(n, "--severity=high", "--status=escalated"));
    json_key(j, "unregistered_24h");
    json_u64(j, n->unregistered);
    json_key(j, "unregistered_24h_exact");
    json_bool(j, n->n_known < HOSTS_MOST);
    json_key(j, "blocks");
    json_u64(j, in_force(&n->blocks));
    put(j, "mode", mode);
    json_key(j, "due_12h");
    json_u64(j, n_due);
    json_end(j, '}');
    buf_free(&policy);
    buf_free(&due);
}

/* ---- sessions ---- */

static bool
is_registered(const struct now *n, const struct addr *a)
{
    for (size_t i = 0; i < n->n_known; i++) {
        if (addr_cmp(&n->known[i].addr, a) == 0)
            return n->known[i].registered;
    }
    return false;
}

static void
take_session(void *ctx, const struct index_event *e)
{
    struct now *n = ctx;
    const ns_t age = n->end > e->when ? n->end - e->when : 0;
    struct step *s;

    n->last = e->when;
    n->last_seq = e->seq;
    n->n_sessions++;
    if (age / STEP_NS >= STEPS)
        return;
    s = &n->steps[STEPS - 1 - age / STEP_NS];
    if (span_eq(e->direction, SPAN_LIT("inbound")))
        s->in++;
    else if (e->has_src && is_registered(n, &e->src))
        s->registered++;
    else if (span_eq(e->direction, SPAN_LIT("outbound")))
        s->out++;
}

static void
take_end(void *ctx, const struct index_event *e)
{
    struct now *n = ctx;

    if (n->end == 0 && !span_eq(e->type, SPAN_LIT("control")))
        n->end = e->when;
}

static void
count_sessions(struct now *n, struct index_reader *r)
{
    struct index_query q = {.type = "smtp_session", .limit = INDEX_LIMIT_MAX};
    size_t before;

    q.from = n->end > STEPS * STEP_NS ? n->end - STEPS * STEP_NS : 0;
    do {
        before = n->n_sessions;
        if (index_events(r, &q, take_session, n) != ERR_OK)
            return;
        q.before_when = n->last;
        q.before_seq = n->last_seq;
    } while (n->n_sessions - before == INDEX_LIMIT_MAX &&
             n->n_sessions < SESSIONS);
}

static void
put_series(struct now *n)
{
    struct json_out *j = &n->json;
    char time[NS_TEXT_MAX];

    json_key(j, "series");
    json_begin(j, '[');
    for (size_t i = 0; i < STEPS && n->end > STEPS * STEP_NS; i++) {
        const ns_t t = n->end - (STEPS - i) * STEP_NS;
        const bool counted = n->n_sessions < SESSIONS || t >= n->last;

        json_begin(j, '{');
        json_key(j, "t");
        (void)json_str(j, span_of(time, ns_format(t, time)));
        json_key(j, "unregistered");
        json_u64(j, n->steps[i].out);
        json_key(j, "registered");
        json_u64(j, n->steps[i].registered);
        json_key(j, "inbound");
        json_u64(j, n->steps[i].in);
        json_key(j, "seen");
        json_bool(j, counted);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* ---- all of it ---- */

static bool
is_blind(const struct now *n)
{
    struct serve_json_walk w;
    struct span row;
    bool blind = false;

    serve_json_begin(&w, rows_of(&n->doctor));
    while (!blind && serve_json_next(&w, NULL, &row))
        blind = is_true(serve_json_get(row, "blind"));
    serve_json_end(&w);
    return blind;
}

static void
put_health(struct now *n)
{
    struct json_out *j = &n->json;

    json_key(j, "health");
    json_begin(j, '{');
    json_key(j, "state");
    (void)json_str(j, n->sensor == CLI_EXIT_STORE ? SPAN_LIT("no sensor")
                      : is_blind(n)               ? SPAN_LIT("blind")
                                                  : SPAN_LIT("seeing"));
    put(j, "seen_percent", SPAN_NONE);
    put(j, "since", SPAN_NONE);
    put(j, "checks", rows_of(&n->doctor));
    json_end(j, '}');
}

/* Of captures, and where no sensor runs, "today" is when something was seen
 * last: what was decided then is over by the clock. */
static void
look_back(struct now *n)
{
    char at[NS_TEXT_MAX + 8] = "--at=";
    const char *flags[] = {NULL, NULL};

    if (n->sensor == CLI_EXIT_STORE && n->end > 0) {
        (void)ns_format(n->end, at + strlen(at));
        flags[0] = at;
    }
    ask(n, VERB_BLOCKS_LIST, flags, &n->seen_blocks);
}

static void
look(struct now *n)
{
    static const char *const all[] = {"--limit=500", NULL};
    static const char *const strangers[] = {"--registered=unregistered",
                                            "--limit=20", NULL};
    const struct index_query q = {.limit = 100};
    struct index_reader *r = NULL;
    struct serve_json_walk w;
    struct buf ignored;
    struct span row;

    buf_init(&ignored, 1U << 16);
    buf_init(&n->doctor, SERVE_ANSWER);
    n->sensor =
        serve_verb(n->view->serve, VERB_DOCTOR, NULL, &n->doctor, &ignored);
    ask(n, VERB_HOSTS_LIST, all, &n->hosts);
    ask(n, VERB_HOSTS_LIST, strangers, &n->strangers);
    ask(n, VERB_BLOCKS_LIST, NULL, &n->blocks);
    buf_reset(&ignored);
    if (index_reader_open(n->view->config->state, &r, &ignored) == ERR_OK)
        (void)!index_events(r, &q, take_end, n);
    look_back(n);
    serve_json_begin(&w, rows_of(&n->hosts));
    while (serve_json_next(&w, NULL, &row))
        know(n, row);
    serve_json_end(&w);
    if (r != NULL) {
        look_at_world(n, r);
        count_sessions(n, r);
    }
    index_reader_close(r);
    buf_free(&ignored);
}

static void
write_all(struct now *n, struct buf *out)
{
    static const char *const newest[] = {"--limit=5", NULL};
    struct buf alerts;

    ask(n, VERB_ALERTS_LIST, newest, &alerts);
    n->json = json_out_open(out);
    json_begin(&n->json, '{');
    json_key(&n->json, "headlines");
    json_begin(&n->json, '{');
    put_unregistered(n);
    put_if_blocked(n);
    put_world(n);
    json_end(&n->json, '}');
    put_figures(n);
    put_series(n);
    put_hosts(n);
    put(&n->json, "alerts", rows_of(&alerts));
    put_health(n);
    json_end(&n->json, '}');
    buf_free(&alerts);
}

static bool
make(struct serve_view *v, struct buf *out)
{
    struct now *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return false;
    n->view = v;
    buf_init(&n->listings, SERVE_ANSWER);
    look(n);
    write_all(n, out);
    buf_free(&n->hosts);
    buf_free(&n->strangers);
    buf_free(&n->listings);
    buf_free(&n->seen_blocks);
    buf_free(&n->blocks);
    buf_free(&n->doctor);
    free(n);
    return true;
}

/* Many pages ask for it at once: it is made for one of them. */
enum cli_exit
serve_now(struct serve_view *v)
{
    struct serve *s = v->serve;
    bool good = true;

    (void)pthread_mutex_lock(&s->now_lock);
    if (s->now.n == 0 || v->now < s->now_when ||
        v->now - s->now_when > KEPT_NS) {
        buf_reset(&s->now);
        good = make(v, &s->now);
        s->now_when = v->now;
    }
    buf_span(v->data, buf_view(&s->now));
    (void)pthread_mutex_unlock(&s->now_lock);
    return good ? CLI_EXIT_DONE
                : serve_view_say(v, CLI_EXIT_FAILED, err_text(ERR_NOMEM),
                                 SPAN_NONE);
}
