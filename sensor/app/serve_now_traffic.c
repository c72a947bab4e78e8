#include "sensor/app/serve_now.h"

#include <stdio.h>

#include "sensor/event/host_level.h"
#include "sensor/event/record.h"

#define DAY_H     24U
#define RECORDS   8U /* of an address: one for each lease */
#define TEXT_MOST 64U

static void
take_top(void *ctx, const struct index_sender *s)
{
    struct serve_now_traffic *t = ctx;

    t->top[t->n_top++] = *s;
}

static void
ignore(void *ctx, const struct index_sender *s)
{
    (void)ctx;
    (void)s;
}

void
serve_now_look(struct index_reader *r, ns_t end, struct serve_now_traffic *out)
{
    const ns_t then = end > SERVE_NOW_WEEK ? end - SERVE_NOW_WEEK : 0;
    struct index_sight week_ago = {0};

    *out = (struct serve_now_traffic){0};
    out->known = index_traffic_senders(r, end, DAY_H, SERVE_NOW_TOP, take_top,
                                       out, &out->day) == ERR_OK &&
                 index_traffic_sight(r, end, 2, &out->hour) == ERR_OK &&
                 index_traffic_sight(r, end, DAY_H, &out->sight) == ERR_OK &&
                 index_traffic_sight(r, then, 1, &week_ago) == ERR_OK &&
                 index_traffic_senders(r, then, DAY_H, 1, ignore, NULL,
                                       &out->week_ago) == ERR_OK;
    out->saw_week_ago = out->known && week_ago.hours > 0;
    out->high_known =
        index_traffic_open_high(r, then, &out->high_week_ago) == ERR_OK;
}

/* ---- one host ---- */

/* What was told last of an address, of whichever lease. */
struct latest {
    const struct addr *host;
    ns_t last;
    struct buf record;
};

static void
take_record(void *ctx, uint64_t seq, struct span record)
{
    struct latest *l = ctx;
    struct record_map m;
    struct addr a;
    ns_t last;

    (void)seq;
    record_map_init(&m, record);
    last = record_map_u64(&m, FIELD_HOST_LAST, 0);
    if (!record_map_addr(&m, FIELD_SRC_IP, &a) || addr_cmp(&a, l->host) != 0 ||
        (l->record.n > 0 && last < l->last))
        return;
    l->last = last;
    buf_reset(&l->record);
    buf_span(&l->record, record);
}

/* False: nothing is known of it, and m is of no record. */
static bool
find(struct index_reader *r, struct latest *l, struct record_map *m)
{
    char text[ADDR_TEXT_MAX];
    const struct span key = span_of(text, addr_format(l->host, text));

    buf_init(&l->record, 1U << 20);
    return r != NULL &&
           index_latest_key(r, "host", key, RECORDS, take_record, l) ==
               ERR_OK &&
           l->record.n > 0 && !l->record.cut && !l->record.failed &&
           (record_map_init(m, buf_view(&l->record)), true);
}

bool
serve_now_is_queueing(struct index_reader *r, struct span subject)
{
    const struct span text = span_head(span_tail(subject, 1), subject.n - 2);
    struct addr a;
    struct latest l = {.host = &a};
    struct record_map m;
    bool queueing;

    if (subject.n <= 2 ||
        !addr_parse(span_head(text, span_find(text, '/')), &a))
        return false;
    queueing = find(r, &l, &m) && record_map_bool(&m, FIELD_HOST_QUEUEING);
    buf_free(&l.record);
    return queueing;
}

/* ---- writing ---- */

static void
put_text(struct json_out *j, const char *key, struct span s)
{
    json_key(j, key);
    if (s.n == 0)
        json_null(j);
    else
        (void)json_str(j, s);
}

static void
put_number(struct json_out *j, const char *key, uint64_t n)
{
    json_key(j, key);
    json_u64(j, n);
}

void
serve_now_put_top(struct index_reader *r, const struct serve_now_traffic *t,
                  struct json_out *j)
{
    json_begin(j, '[');
    for (size_t i = 0; i < t->n_top; i++) {
        const struct index_sender *s = &t->top[i];
        struct latest l = {.host = &s->host};
        char text[ADDR_TEXT_MAX];
        struct record_map m;

        json_begin(j, '{');
        put_text(j, "host", span_of(text, addr_format(&s->host, text)));
        if (find(r, &l, &m)) {
            const struct span site = record_map_find(&m, FIELD_SRC_REG_SITE);

            put_text(j, "site",
                     site.n > 0 ? site
                                : record_map_find(&m, FIELD_SRC_HOST_SITE));
            put_text(j, "registered", record_map_find(&m, FIELD_SRC_REG_STATE));
            put_text(j, "level", span_str(host_level_word(host_level_of(&m))));
        }
        buf_free(&l.record);
        put_number(j, "sessions", s->sessions);
        put_number(j, "rcpt", s->rcpt);
        put_number(j, "refused", s->refused);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* All of it is 100 only when nothing was missed. */
void
serve_now_put_percent(const struct index_sight *s, struct json_out *j)
{
    const uint64_t all = s->seen + s->unseen;
    char text[TEXT_MOST];
    uint64_t tenths;

    if (all == 0) {
        json_null(j);
        return;
    }
    tenths = s->seen * 1000 / all; /* of 24 times 2^48 at most: it fits */
    tenths = s->unseen == 0 ? 1000 : tenths > 999 ? 999 : tenths;
    (void)snprintf(text, sizeof(text), "%u.%u", (unsigned)(tenths / 10),
                   (unsigned)(tenths % 10));
    json_raw(j, span_str(text));
}

void
serve_now_put_figure(struct json_out *j, const char *key, uint64_t value,
                     const uint64_t *ago)
{
    json_key(j, key);
    json_begin(j, '{');
    put_number(j, "value", value);
    if (ago != NULL)
        put_number(j, "week_ago", *ago);
    json_end(j, '}');
}
