#include "rules/feed/render.h"

#include "sensor/base/json_out.h"

static void
put_when(struct json_out *j, const char *key, ns_t when)
{
    struct buf text;

    buf_init(&text, NS_TEXT_MAX);
    render_time(&text, when);
    json_key(j, key);
    json_str(j, buf_view(&text));
    buf_free(&text);
}

static void
put_text(struct json_out *j, const char *key, struct span text)
{
    if (text.n == 0)
        return;
    json_key(j, key);
    json_str(j, text);
}

static void
put_value(struct json_out *j, const char *key, const struct prefix *p,
          bool length)
{
    struct buf text;

    buf_init(&text, ADDR_TEXT_MAX + 4);
    if (length)
        prefix_format(p, &text);
    else
        render_prefix(&text, p);
    put_text(j, key, buf_view(&text));
    buf_free(&text);
}

static void
put_number(struct json_out *j, const char *key, uint64_t v)
{
    json_key(j, key);
    json_u64(j, v);
}

/* ---- everything ---- */

static void
put_entry(struct json_out *j, const struct feed *f, const struct feed_item *i)
{
    json_begin(j, '{');
    put_value(j, "subject", &i->prefix, true);
    put_when(j, "since", i->since);
    put_when(j, "until", i->until);
    put_when(j, "ends", feed_end(f, i));
    put_text(j, "origin", span_str(feed_origin_word(i->origin)));
    put_text(j, "rule", i->rule);
    put_text(j, "reason", i->reason);
    put_text(j, "evidence_hash", i->evidence);
    put_text(j, "site", i->site);
    json_end(j, '}');
}

static void
put_refused(struct json_out *j, const struct feed *f)
{
    json_key(j, "refused");
    json_begin(j, '{');
    for (unsigned w = 0; w < FEED_WHY_COUNT; w++) {
        if (f->counts[w] > 0)
            put_number(j, feed_why_word((enum feed_why)w), f->counts[w]);
    }
    json_end(j, '}');
}

void
render_json(const struct feed *f, const struct render_options *o,
            struct buf *out)
{
    struct json_out j = json_out_open(out);

    json_begin(&j, '{');
    if (o->preview) {
        json_key(&j, "preview");
        json_bool(&j, true);
    }
    put_number(&j, "serial", f->serial);
    put_text(&j, "sha256", span_str(f->digest));
    put_number(&j, "count", f->n);
    put_when(&j, "made", f->made);
    put_when(&j, "ends", f->expires);
    put_text(&j, "scope",
             SPAN_LIT("tcp/25 outbound, and inbound from port 25"));
    put_refused(&j, f);
    json_key(&j, "entries");
    json_begin(&j, '[');
    for (size_t i = 0; i < f->n; i++) {
        if (feed_left(f, &f->v[i], o->now) > 0)
            put_entry(&j, f, &f->v[i]);
    }
    json_end(&j, ']');
    json_end(&j, '}');
    buf_putc(out, '\n');
}

/* ---- CrowdSec ---- */

struct stream {
    struct json_out j;
    const struct feed *last, *now;
    ns_t when;
    bool deleted; /* which half is being written */
};

/* 26h3m9s, as Go writes a duration */
static void
put_duration(struct json_out *j, uint64_t s)
{
    struct buf text;

    buf_init(&text, 64);
    buf_u64(&text, s / 3600);
    buf_printf(&text, "h%um%us", (unsigned)(s / 60 % 60), (unsigned)(s % 60));
    json_key(j, "duration");
    json_str(j, buf_view(&text));
    buf_free(&text);
}

static void
put_decision(struct stream *s, const struct feed *f, const struct feed_item *i)
{
    struct json_out *j = &s->j;

    json_begin(j, '{');
    put_duration(j, s->deleted ? 0 : feed_left(f, i, s->when));
    put_text(j, "origin", SPAN_LIT("span25"));
    put_text(j, "scenario",
             i->rule.n > 0 ? i->rule : span_str(feed_origin_word(i->origin)));
    put_text(j, "scope",
             i->prefix.bits == 128 ? SPAN_LIT("Ip") : SPAN_LIT("Range"));
    json_key(j, "simulated");
    json_bool(j, false);
    put_text(j, "type", SPAN_LIT("ban"));
    put_value(j, "value", &i->prefix, false);
    json_end(j, '}');
}

/* What is as before is told again when the dead man's end moved it: else it
 * would end at the consumer. */
static void
put_new(struct stream *s)
{
    s->deleted = false;
    for (size_t i = 0; i < s->now->n; i++) {
        if (feed_left(s->now, &s->now->v[i], s->when) > 0)
            put_decision(s, s->now, &s->now->v[i]);
    }
}

static void
put_gone(void *ctx, char kind, const struct feed_item *i)
{
    struct stream *s = ctx;

    if (kind == '-')
        put_decision(s, s->last, i);
}

void
render_crowdsec(const struct feed *f, const struct render_options *o,
                struct buf *out)
{
    struct stream s = {json_out_open(out), o->last, f, o->now, true};

    json_begin(&s.j, '{');
    json_key(&s.j, "deleted");
    json_begin(&s.j, '[');
    if (s.last != NULL)
        feed_diff(s.last, f, put_gone, &s);
    json_end(&s.j, ']');
    json_key(&s.j, "new");
    json_begin(&s.j, '[');
    put_new(&s);
    json_end(&s.j, ']');
    json_end(&s.j, '}');
    buf_putc(out, '\n');
}
