#include "sensor/app/serve_view.h"

#include "sensor/app/serve_json.h"
#include "sensor/base/json_out.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/store/index_query.h"

#define STATS_MOST 64U /* newest ones, among them one of the sensor's sight */

/* What a verb printed, or null: its exit code says how it is, not whether it
 * worked. */
static void
put_verb(struct serve_view *v, struct json_out *j, const char *key,
         enum verb verb)
{
    struct buf out;

    buf_init(&out, SERVE_ANSWER);
    (void)serve_verb(v->serve, verb, NULL, &out, v->messages);
    json_key(j, key);
    json_raw(j, out.n > 0 ? buf_view(&out) : SPAN_LIT("null"));
    buf_free(&out);
}

static void
take_seq(void *ctx, const struct index_event *e)
{
    uint64_t *seq = ctx;

    if (*seq == 0 && e->outcome.n > 0)
        *seq = e->seq;
}

/* Of the sensor's sight, which has a word as its outcome; 0: there is none. */
static uint64_t
newest_stats(const struct serve_view *v)
{
    const struct index_query q = {.type = "stats", .limit = STATS_MOST};
    struct index_reader *r = NULL;
    struct buf why;
    uint64_t seq = 0;

    buf_init(&why, 1024);
    if (index_reader_open(v->config->state, &r, &why) == ERR_OK)
        (void)!index_events(r, &q, take_seq, &seq);
    index_reader_close(r);
    buf_free(&why);
    return seq;
}

/* The event's time, and what it counts. */
static void
put_event(struct json_out *j, struct span line)
{
    struct serve_json_walk w;
    struct span key, value;

    json_begin(j, '{');
    json_key(j, "timestamp");
    json_raw(j, serve_json_get(line, "timestamp"));
    serve_json_begin(&w, serve_json_get(line, "stats"));
    while (w.object && serve_json_next(&w, &key, &value)) {
        buf_str(j->out, ",\"");
        buf_span(j->out, key); /* of fields.def */
        buf_str(j->out, "\":");
        buf_span(j->out, value);
    }
    serve_json_end(&w);
    json_end(j, '}');
}

static void
put_stats(struct serve_view *v, struct json_out *j)
{
    const uint64_t seq = newest_stats(v);
    struct journal_reader *r = NULL;
    struct journal_line line = {.seq = 0};
    enum journal_read got = JOURNAL_READ_FAILED;
    struct buf why;

    buf_init(&why, 1024);
    if (seq > 0 &&
        journal_reader_open(v->config->state, seq, &r, &why) == ERR_OK)
        got = journal_read(r, &line);
    json_key(j, "stats");
    if (got == JOURNAL_READ_LINE && line.seq == seq)
        put_event(j, line.json);
    else
        json_null(j);
    journal_reader_close(r);
    buf_free(&why);
}

enum cli_exit
serve_sensor(struct serve_view *v)
{
    struct json_out j = json_out_open(v->data);

    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, SPAN_LIT("span25.sensor"));
    json_key(&j, "version");
    (void)json_str(&j, SPAN_LIT(SPAN25_VERSION));
    put_verb(v, &j, "doctor", VERB_DOCTOR);
    put_verb(v, &j, "metrics", VERB_METRICS);
    put_stats(v, &j);
    json_end(&j, '}');
    return CLI_EXIT_DONE;
}
