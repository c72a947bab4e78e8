#include "rules/decide/decide_evidence.h"

#include "rules/decide/decide_tell.h"
#include "sensor/base/json_out.h"

void
decide_evidence_hex(const uint8_t hash[DECIDE_HASH], char out[EVIDENCE_HEX])
{
    static const char set[] = "0123456789abcdef";

    for (size_t i = 0; i < DECIDE_HASH; i++) {
        out[2 * i] = set[hash[i] >> 4];
        out[2 * i + 1] = set[hash[i] & 15];
    }
    out[2 * DECIDE_HASH] = '\0';
}

/* ---- what goes by ---- */

static void
note_rules(struct decide *d, const struct record_map *e)
{
    const struct span text = record_map_find(e, FIELD_CONTROL_TEXT);
    const struct span version = record_map_find(e, FIELD_CONTROL_VERSION);
    const size_t at = span_search(text, SPAN_LIT("rules: "));

    if (version.n > 0)
        decide_keep_text(d->version, sizeof(d->version), version);
    if (at < text.n)
        decide_keep_text(d->rules, sizeof(d->rules), span_tail(text, at));
}

void
decide_evidence_note(struct decide *d, const struct record_map *event)
{
    switch (record_head_of(event->record).type) {
    case EVENT_SMTP: decide_traces_mail(&d->traces, event); break;
    case EVENT_CONTROL:
        if (record_map_is(event, FIELD_CONTROL_KIND, "start") ||
            record_map_is(event, FIELD_CONTROL_KIND, "rules"))
            note_rules(d, event);
        break;
    case EVENT_STATS:
        if (record_map_has(event, FIELD_SIGHT_OFFSET))
            d->clock_us = 1 + record_map_u64(event, FIELD_SIGHT_OFFSET, 0);
        break;
    default: break;
    }
}

/* ---- the object ---- */

static void
put_time(struct json_out *j, const char *key, ns_t when)
{
    json_key(j, key);
    json_u64(j, when / NS_PER_US);
}

static void
put_hash(struct json_out *j, const uint8_t hash[DECIDE_HASH])
{
    char hex[EVIDENCE_HEX];

    decide_evidence_hex(hash, hex);
    json_key(j, "sha256");
    json_str(j, span_str(hex));
}

static void
put_id(struct json_out *j, struct span id)
{
    json_key(j, "event_id");
    json_str(j, id);
}

static void
put_events(struct json_out *j, const struct decision *what)
{
    json_key(j, "events");
    json_begin(j, '[');
    for (size_t i = 0; i < what->n_evidence; i++) {
        json_begin(j, '{');
        put_id(j, what->evidence[i].id);
        put_hash(j, what->evidence[i].hash);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* From the oldest. */
static uint64_t
first_of(uint64_t n, uint64_t room)
{
    return n > room ? n - room : 0;
}

static void
put_points(struct json_out *j, const struct trace *t)
{
    static const char *const words[TRACE_SCORES] = {"s1", "s1t", "s2", "s3"};
    uint64_t i = t != NULL ? first_of(t->points, TRACE_POINTS) : 0;

    json_key(j, "trajectory");
    json_begin(j, '[');
    for (; t != NULL && i < t->points; i++) {
        const struct trace_point *p = &t->point[i % TRACE_POINTS];

        json_begin(j, '{');
        put_time(j, "when_us", p->when);
        for (size_t k = 0; k < TRACE_SCORES; k++) {
            json_key(j, words[k]);
            json_u64(j, p->score[k]);
        }
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_mails(struct json_out *j, const struct trace *t)
{
    uint64_t i = t != NULL ? first_of(t->mails, TRACE_MAILS) : 0;

    json_key(j, "transactions");
    json_begin(j, '[');
    for (; t != NULL && i < t->mails; i++) {
        const struct trace_mail *m = &t->mail[i % TRACE_MAILS];

        json_begin(j, '{');
        put_time(j, "when_us", m->when);
        put_id(j, span_str(m->id));
        put_hash(j, m->hash);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_subject(struct json_out *j, const struct prefix *subject)
{
    struct buf text;

    buf_init(&text, 128);
    prefix_format(subject, &text);
    json_key(j, "subject");
    json_str(j, buf_view(&text));
    buf_free(&text);
}

static void
put_clock(struct json_out *j, uint64_t us)
{
    json_key(j, "clock_offset_us");
    if (us == 0)
        json_null(j);
    else
        json_u64(j, us - 1);
}

/* Room for the rest is known: it has bounds of its own. */
static void
put_host(struct decide *d, struct json_out *j, const struct record_map *event)
{
    if (!d->has_json)
        json_writer_init(&d->json);
    d->has_json = true;
    buf_reset(&d->line);
    json_key(j, "host");
    if (json_write(&d->json, event->record, &d->line))
        json_raw(j, buf_view(&d->line));
    else
        json_null(j);
}

bool
decide_evidence_make(struct decide *d, const struct decide_facts *f,
                     struct decision *what)
{
    const struct trace *t = decide_traces_find(&d->traces, &f->subject);
    struct json_out j = json_out_open(&d->object);

    buf_reset(&d->object);
    json_begin(&j, '{');
    json_key(&j, "schema");
    json_str(&j, SPAN_LIT("span25.evidence.1"));
    put_subject(&j, &f->subject);
    put_time(&j, "when_us", d->now);
    json_key(&j, "sensor");
    json_str(&j, record_map_find(f->event, FIELD_SENSOR));
    json_key(&j, "version");
    json_str(&j, span_str(d->version));
    json_key(&j, "rules");
    json_str(&j, span_str(d->rules));
    put_clock(&j, d->clock_us);
    put_events(&j, what);
    put_points(&j, t);
    put_mails(&j, t);
    put_host(d, &j, f->event);
    json_end(&j, '}');
    buf_putc(&d->object, '\n');
    return !d->object.failed && !d->object.cut &&
           decide_sha256(buf_view(&d->object), what->hash);
}
