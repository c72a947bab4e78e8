#include "sensor/app/serve_parts.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/app/caller.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/serve_now.h"
#include "sensor/base/json_out.h"
#include "sensor/store/index_cited.h"
#include "sensor/store/index_query.h"

/* One answer is given to all for a time: as long as makes it cost a fifth of a
 * processor at most, and is not felt. */
#define KEPT_NS    (400 * NS_PER_MS)
#define KEPT_COSTS 4U
#define ROWS       20U   /* of a headline; --limit=20 below */
#define SITES_MOST 5000U /* as many as a block list has at most */
#define STEP_NS    INDEX_TRAFFIC_STEP
#define STEPS      288U /* 48 h */
#define STATS_MOST 16U  /* of a step, among them one of the sensor's sight */
#define WORLD_NS   SERVE_NOW_WEEK /* a listing that was cited so lately */

struct step {
    uint64_t out, registered, in;
    bool watched;
};

struct now {
    struct serve_view *view;
    struct json_out json;
    struct buf strangers, blocks, doctor;
    struct span sites[SITES_MOST];
    struct buf listings; /* rows of JSON */
    struct index_cited_page world;
    bool world_known;
    struct buf seen_blocks; /* as they were when something was seen last */
    enum cli_exit sensor;
    struct index_reader *reader; /* NULL: there is no index */
    struct serve_now_traffic traffic;
    ns_t end;       /* of what was seen */
    ns_t last_step; /* in which that is */
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

/* ---- decisions ---- */

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
        legitimate +=
            serve_now_is_queueing(n->reader, serve_json_get(row, "subject"));
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
    json_key(j, "seen_percent");
    serve_now_put_percent(&n->traffic.sight, j);
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
ask_blocks(struct now *n, ns_t when, struct buf *out)
{
    char at[NS_TEXT_MAX + 8] = "--at=";
    const char *flags[] = {at, NULL};

    (void)ns_format(when, at + strlen(at));
    ask(n, VERB_BLOCKS_LIST, flags, out);
}

static uint64_t
blocks_week_ago(struct now *n)
{
    struct buf out;
    uint64_t in;

    ask_blocks(n, n->end - SERVE_NOW_WEEK, &out);
    in = in_force(&out);
    buf_free(&out);
    return in;
}

static void
put_figures(struct now *n)
{
    static const char *const soon[] = {"--within=12h", NULL};
    const struct serve_now_traffic *t = &n->traffic;
    const uint64_t blocks_then = t->saw_week_ago ? blocks_week_ago(n) : 0;
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
    serve_now_put_figure(
        j, "open_high",
        alerts_of(n, "--severity=high", "--status=new") +
            alerts_of(n, "--severity=high", "--status=ack") +
            alerts_of(n, "--severity=high", "--status=escalated"),
        t->high_known ? &t->high_week_ago : NULL);
    serve_now_put_figure(j, "unregistered_24h", t->day.unregistered,
                         t->saw_week_ago ? &t->week_ago.unregistered : NULL);
    json_key(j, "unregistered_24h_exact");
    json_bool(j, t->day.exact);
    serve_now_put_figure(j, "blocks", in_force(&n->blocks),
                         t->saw_week_ago ? &blocks_then : NULL);
    put(j, "mode", mode);
    serve_now_put_figure(j, "due_12h", n_due, NULL);
    json_end(j, '}');
    buf_free(&policy);
    buf_free(&due);
}

/* ---- sessions ---- */

static void
take_slot(void *ctx, ns_t slot, enum index_traffic_class c, uint64_t count)
{
    struct now *n = ctx;
    const ns_t age = n->last_step > slot ? n->last_step - slot : 0;
    struct step *s = &n->steps[STEPS - 1 - age / STEP_NS % STEPS];

    switch (c) {
    case INDEX_TRAFFIC_INBOUND: s->in = count; break;
    case INDEX_TRAFFIC_REGISTERED: s->registered = count; break;
    case INDEX_TRAFFIC_UNREGISTERED: s->out = count; break;
    case INDEX_TRAFFIC_CLASSES: break;
    }
}

static void
take_end(void *ctx, const struct index_event *e)
{
    struct now *n = ctx;

    if (n->end == 0 && !span_eq(e->type, SPAN_LIT("control")))
        n->end = e->when;
}

/* ---- what was watched ---- */

/* Newest first: what the sensor said last of its sight. */
static void
take_sight(void *ctx, const struct index_event *e)
{
    struct span *said = ctx;

    if (said->n == 0 && e->outcome.n > 0)
        *said = span_eq(e->outcome, SPAN_LIT("blind")) ? SPAN_LIT("blind")
                                                       : SPAN_LIT("seeing");
}

/* Is it known that a sensor saw then? The last step has only begun: there the
 * sensor is asked, and so it is when it has said nothing yet. */
static bool
was_watched(struct now *n, struct index_reader *r, size_t i)
{
    const ns_t t = n->last_step - (STEPS - 1 - i) * STEP_NS;
    const struct step *s = &n->steps[i];
    const struct index_query q = {
        .type = "stats", .from = t, .to = t + STEP_NS, .limit = STATS_MOST};
    struct span said = SPAN_NONE;

    if (s->out + s->registered + s->in > 0)
        return true;
    if (i == STEPS - 1)
        return serve_json_is(serve_json_get(buf_view(&n->doctor), "sight"),
                             "seeing");
    return index_events(r, &q, take_sight, &said) == ERR_OK &&
           span_eq(said, SPAN_LIT("seeing"));
}

static void
look_at_steps(struct now *n, struct index_reader *r)
{
    if (n->last_step <= STEPS * STEP_NS)
        return; /* nothing was seen at all */
    if (index_traffic_slots(r, n->last_step - (STEPS - 1) * STEP_NS,
                            n->last_step + STEP_NS, take_slot, n) != ERR_OK)
        return;
    for (size_t i = 0; i < STEPS; i++)
        n->steps[i].watched = was_watched(n, r, i);
}

static void
put_series(struct now *n)
{
    struct json_out *j = &n->json;
    char time[NS_TEXT_MAX];

    json_key(j, "series");
    json_begin(j, '[');
    for (size_t i = 0; i < STEPS && n->last_step > STEPS * STEP_NS; i++) {
        const ns_t t = n->last_step - (STEPS - 1 - i) * STEP_NS;

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
        json_bool(j, n->steps[i].watched);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* ---- all of it ---- */

static void
put_health(struct now *n)
{
    struct json_out *j = &n->json;

    json_key(j, "health");
    json_begin(j, '{');
    put(j, "state", serve_json_get(buf_view(&n->doctor), "sight"));
    json_key(j, "seen_percent");
    serve_now_put_percent(&n->traffic.hour, j);
    put(j, "since", serve_json_get(buf_view(&n->doctor), "since"));
    put(j, "checks", rows_of(&n->doctor));
    json_end(j, '}');
}

/* Of captures, and where no sensor runs, "today" is when something was seen
 * last: what was decided then is over by the clock. */
static void
look_back(struct now *n)
{
    if (n->sensor == CLI_EXIT_STORE && n->end > 0)
        ask_blocks(n, n->end, &n->seen_blocks);
    else
        ask(n, VERB_BLOCKS_LIST, NULL, &n->seen_blocks);
}

static void
look(struct now *n)
{
    static const char *const strangers[] = {"--registered=unregistered",
                                            "--limit=20", NULL};
    const struct index_query q = {.limit = 100};
    struct index_reader *r = NULL;
    struct buf ignored;

    buf_init(&ignored, 1U << 16);
    buf_init(&n->doctor, SERVE_ANSWER);
    n->sensor =
        serve_verb(n->view->serve, VERB_DOCTOR, NULL, &n->doctor, &ignored);
    ask(n, VERB_HOSTS_LIST, strangers, &n->strangers);
    ask(n, VERB_BLOCKS_LIST, NULL, &n->blocks);
    buf_reset(&ignored);
    if (index_reader_open(n->view->config->state, &r, &ignored) == ERR_OK)
        (void)!index_events(r, &q, take_end, n);
    n->last_step = n->end / STEP_NS * STEP_NS;
    look_back(n);
    n->reader = r;
    if (r != NULL) {
        serve_now_look(r, n->end, &n->traffic);
        look_at_world(n, r);
        look_at_steps(n, r);
    }
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
    json_key(&n->json, "hosts");
    serve_now_put_top(n->reader, &n->traffic, &n->json);
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
    index_reader_close(n->reader);
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
    ns_t now, cost;

    (void)pthread_mutex_lock(&s->now_lock);
    now = caller_clock(); /* it may have waited for another's */
    if (s->now.n == 0 || now < s->now_when || now - s->now_when > s->now_kept) {
        buf_reset(&s->now);
        good = make(v, &s->now);
        s->now_when = caller_clock();
        cost = s->now_when > now ? s->now_when - now : 0;
        s->now_kept = KEPT_NS > cost * KEPT_COSTS ? KEPT_NS : cost * KEPT_COSTS;
    }
    buf_span(v->data, buf_view(&s->now));
    (void)pthread_mutex_unlock(&s->now_lock);
    return good ? CLI_EXIT_DONE
                : serve_view_say(v, CLI_EXIT_FAILED, err_text(ERR_NOMEM),
                                 SPAN_NONE);
}
