#include "tests/campus/sight.h"

#include "sensor/base/hash.h"

#define WINDOW (300 * NS_PER_S) /* the longest that a live sensor tells of */

void
sight_init(struct sight *s, const struct campus *c, const struct faults *f)
{
    *s = (struct sight){.faults = f,
                        .seed = hash_mix(c->options.seed, 0x516),
                        .due = CAMPUS_START + WINDOW,
                        .end = campus_end(c)};
    record_init(&s->out);
}

void
sight_fini(struct sight *s)
{
    record_free(&s->out);
}

static void
begin(struct sight *s, ns_t when, enum event_type type)
{
    static const char digits[] = "0123456789abcdef";
    const struct record_head h = {
        .when = when, .seq = (uint32_t)s->n, .type = type};
    uint64_t id = hash_mix(s->seed, ++s->n);
    char text[16];

    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = digits[id >> (60 - 4 * i) & 15];
    record_begin(&s->out, &h);
    record_str(&s->out, FIELD_EVENT_ID, span_of(text, sizeof(text)));
    record_u64(&s->out, FIELD_SCHEMA_VERSION, SCHEMA_VERSION);
    record_text(&s->out, FIELD_SENSOR, "campus");
}

static void
tell_start(struct sight *s, ns_t when, const struct record_sink *sink)
{
    begin(s, when, EVENT_CONTROL);
    record_text(&s->out, FIELD_CONTROL_KIND, "start");
    record_text(&s->out, FIELD_CONTROL_VERSION, SPAN25_VERSION);
    record_text(&s->out, FIELD_CONTROL_TEXT,
                "home networks: 10.0.0.0/8, fd25:20::/32");
    sink->put(sink->ctx, record_view(&s->out));
}

static void
tell_gap(struct sight *s, const struct record_sink *sink)
{
    const ns_t from = s->faults->v[FAULT_GAP].from;
    const ns_t to = s->faults->v[FAULT_GAP].to;

    tell_start(s, to, sink);
    begin(s, to, EVENT_CONTROL);
    record_text(&s->out, FIELD_CONTROL_KIND, "gap");
    record_text(&s->out, FIELD_CONTROL_TEXT, "worker 1: ended");
    record_time(&s->out, FIELD_CONTROL_TIME, from);
    record_time(&s->out, FIELD_CONTROL_UNTIL, to);
    sink->put(sink->ctx, record_view(&s->out));
}

/* What was lost is what was dropped: so many of all that there were. */
static uint64_t
dropped(const struct sight *s, ns_t when)
{
    double loss = when > s->faults->v[FAULT_WORSE].from &&
                          when <= s->faults->v[FAULT_WORSE].to
                      ? FAULTS_WORSE
                  : when > s->faults->v[FAULT_LOSS].from &&
                          when <= s->faults->v[FAULT_LOSS].to
                      ? FAULTS_LOSS
                      : 0;

    return (uint64_t)((double)s->packets * loss / (1 - loss));
}

static void
tell_counts(struct sight *s, ns_t when, const struct record_sink *sink)
{
    begin(s, when, EVENT_STATS);
    record_u64(&s->out, FIELD_SIGHT_WINDOW, WINDOW / NS_PER_S);
    record_u64(&s->out, FIELD_SIGHT_PACKETS, s->packets);
    record_u64(&s->out, FIELD_SIGHT_DROPPED, dropped(s, when));
    record_u64(&s->out, FIELD_SIGHT_SESSIONS, s->sessions);
    record_u64(&s->out, FIELD_SIGHT_ONEWAY, s->oneway);
    record_u64(&s->out, FIELD_SIGHT_SEEN, s->seen);
    record_u64(&s->out, FIELD_SIGHT_UNSEEN, s->unseen);
    record_u64(&s->out, FIELD_SIGHT_RESYNCS, s->resyncs);
    record_u64(&s->out, FIELD_SIGHT_RECORDS_LOST, 0);
    record_bool(&s->out, FIELD_SIGHT_SYNCHRONISED, true);
    record_u64(&s->out, FIELD_SIGHT_OFFSET, 40);
    sink->put(sink->ctx, record_view(&s->out));
}

void
sight_until(struct sight *s, ns_t now, const struct record_sink *sink)
{
    const ns_t from = s->faults->v[FAULT_GAP].from;
    const ns_t to = s->faults->v[FAULT_GAP].to;

    if (!s->started)
        tell_start(s, CAMPUS_START, sink);
    s->started = true;
    while (s->due <= now) {
        if (s->due > from && s->due <= to) {
            if (s->due == to)
                tell_gap(s, sink);
        } else /* the last one is still in the window */
            tell_counts(s, s->due == s->end ? s->due - NS_PER_MS : s->due,
                        sink);
        s->packets = s->sessions = s->oneway = 0;
        s->seen = s->unseen = s->resyncs = 0;
        s->due += WINDOW;
    }
}

void
sight_count(struct sight *s, struct span record)
{
    struct record_map m;

    if (record_head_of(record).type != EVENT_SMTP_SESSION)
        return;
    record_map_init(&m, record);
    if (!record_map_has(&m, FIELD_FLOW_START))
        return;
    s->sessions++;
    s->oneway += record_map_bool(&m, FIELD_QUALITY_ONEWAY);
    s->packets += record_map_u64(&m, FIELD_FLOW_PKTS_TOSERVER, 0) +
                  record_map_u64(&m, FIELD_FLOW_PKTS_TOCLIENT, 0);
    s->seen += record_map_u64(&m, FIELD_FLOW_BYTES_TOSERVER, 0) +
               record_map_u64(&m, FIELD_FLOW_BYTES_TOCLIENT, 0);
    s->unseen += record_map_u64(&m, FIELD_TCP_LOST_TOSERVER, 0) +
                 record_map_u64(&m, FIELD_TCP_LOST_TOCLIENT, 0);
    s->resyncs += record_map_u64(&m, FIELD_SMTP_RESYNCS, 0);
}
