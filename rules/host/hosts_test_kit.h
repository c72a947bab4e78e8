#ifndef SPAN25_RULES_HOST_HOSTS_TEST_KIT_H
#define SPAN25_RULES_HOST_HOSTS_TEST_KIT_H
/* hosts_test_kit - mail and connections as events, and what hosts says of them
 *
 * A speaker is set up once and then sends; its fields may be changed between.
 * Host events are kept as maps of copies, the latest of each address by
 * kit_last. */
#include <stdio.h>

#include "rules/host/hosts.h"
#include "sensor/base/attr.h"

#define KIT_START (UINT64_C(1780000020) * NS_PER_S)
#define KIT_HOUR  (UINT64_C(3600) * NS_PER_S)
#define KIT_DAY   (24 * KIT_HOUR)

struct kit_speaker {
    const char *src, *dest, *direction, *helo, *from, *mac, *banner;
    const char *unregistered; /* "yes" */
    const char *lease;        /* or NULL */
    const char *hello;        /* of its dialect; NULL: not known */
    uint64_t port;
    bool oneway, midstream, tls, no_payload, no_handshake;
    uint64_t messages; /* of TLS */
    bool read, bulk;   /* something of its mail was; with fields of lists */
};

struct kit_run {
    struct hosts *h;
    struct record_out out;
    struct record_map map;
    ns_t now;
    uint64_t flow;
    uint64_t tx;
    ns_t tick; /* 0, or how often time is told between events */
    ns_t told;
    struct buf text; /* records, each behind its length */
    uint64_t n;
    struct record_map last;
    struct campaign_join join; /* given with mails when cluster is not 0 */
};

static inline void
kit_take(void *ctx, struct span record)
{
    struct kit_run *k = ctx;
    uint64_t n = record.n;

    REQUIRE(record_check(record));
    buf_put(&k->text, &n, sizeof(n));
    buf_span(&k->text, record);
    k->n++;
}

static inline struct hosts_options
kit_options(void)
{
    struct hosts_options o = hosts_options_default;

    o.seed = 7;
    o.hosts = 5000;
    o.detail = 2000;
    o.filter = 4U << 20;
    return o;
}

static inline void
kit_open(struct kit_run *k, const struct hosts_options *o)
{
    memset(k, 0, sizeof(*k));
    record_init(&k->out);
    buf_init(&k->text, SIZE_MAX / 2);
    k->now = KIT_START;
    REQUIRE(hosts_new(o, &k->h) == ERR_OK);
}

static inline void
kit_close(struct kit_run *k)
{
    hosts_free(k->h);
    record_free(&k->out);
    buf_free(&k->text);
}

static inline struct record_sink
kit_sink(struct kit_run *k)
{
    return (struct record_sink){kit_take, k};
}

static inline void
kit_give(struct kit_run *k)
{
    struct record_sink sink = kit_sink(k);

    REQUIRE(record_check(record_view(&k->out)));
    if (k->h == NULL)
        return; /* the event is all that is wanted */
    for (; k->tick > 0 && k->told < k->now; k->told += k->tick)
        hosts_time(k->h, k->told, &sink);
    record_map_init(&k->map, record_view(&k->out));
    hosts_event(k->h, &k->map, k->join.cluster != 0 ? &k->join : NULL, &sink);
}

static inline void
kit_time(struct kit_run *k, ns_t now)
{
    struct record_sink sink = kit_sink(k);

    k->now = now;
    hosts_time(k->h, now, &sink);
}

static inline void
kit_addr(struct record_out *r, enum field f, const char *text)
{
    struct addr a;

    REQUIRE(addr_parse(span_str(text), &a));
    record_addr(r, f, &a);
}

static inline void
kit_begin(struct kit_run *k, const struct kit_speaker *s, enum event_type type)
{
    struct record_head head = {
        .when = k->now, .flow_id = k->flow, .type = type};

    record_begin(&k->out, &head);
    kit_addr(&k->out, FIELD_SRC_IP, s->src);
    kit_addr(&k->out, FIELD_DEST_IP, s->dest);
    record_u64(&k->out, FIELD_DEST_PORT, s->port);
    record_text(&k->out, FIELD_APP_PROTO, "smtp");
    if (type == EVENT_SMTP)
        record_u64(&k->out, FIELD_TX_ID, k->tx);
    record_text(&k->out, FIELD_DIRECTION, s->direction);
    if (s->unregistered != NULL)
        record_text(&k->out, FIELD_SRC_REG_STATE, "unregistered");
    if (s->lease != NULL)
        record_text(&k->out, FIELD_SRC_HOST_LEASE, s->lease);
    if (s->unregistered != NULL) {
        record_text(&k->out, FIELD_POLICY_FINDINGS, "helo_mismatch");
        record_text(&k->out, FIELD_POLICY_FINDINGS, "unregistered_sender");
    }
    record_bool(&k->out, FIELD_QUALITY_ONEWAY, s->oneway);
    record_bool(&k->out, FIELD_QUALITY_MIDSTREAM, s->midstream);
}

/* What becomes of one recipient. */
struct kit_rcpt {
    const char *addr;
    uint64_t code;
    const char *class, *list;
};

static inline void
kit_put_rcpts(struct record_out *r, const struct kit_rcpt *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        record_text(r, FIELD_SMTP_RCPT_TO, v[i].addr);
    for (size_t i = 0; i < n; i++) {
        record_object_begin(r, FIELD_SMTP_RCPT);
        record_text(r, FIELD_SMTP_RCPT_ADDR, v[i].addr);
        if (v[i].code > 0)
            record_u64(r, FIELD_SMTP_RCPT_CODE, v[i].code);
        if (v[i].class != NULL)
            record_text(r, FIELD_SMTP_RCPT_CLASS, v[i].class);
        if (v[i].list != NULL)
            record_text(r, FIELD_SMTP_RCPT_LIST, v[i].list);
        record_object_end(r);
    }
}

/* A transaction; final 250 accepted, 0 none came. part 0: whole. */
static inline void
kit_mail(struct kit_run *k, const struct kit_speaker *s,
         const struct kit_rcpt *v, size_t n, uint64_t final, uint64_t part,
         bool last)
{
    bool null = span_eq(span_str(s->from), SPAN_LIT("<>"));

    kit_begin(k, s, EVENT_SMTP);
    record_text(&k->out, FIELD_SMTP_HELO, s->helo);
    record_text(&k->out, FIELD_SMTP_MAIL_FROM, s->from);
    if (null)
        record_bool(&k->out, FIELD_SMTP_NULL_SENDER, true);
    kit_put_rcpts(&k->out, v, n);
    if (final > 0 && last) {
        record_u64(&k->out, FIELD_SMTP_FINAL_CODE, final);
        record_text(&k->out, FIELD_SMTP_VIA, "DATA");
    }
    if (last)
        record_text(&k->out, FIELD_SMTP_OUTCOME,
                    final / 100 == 2   ? "accepted"
                    : final / 100 == 4 ? "deferred"
                                       : "rejected");
    if (part > 0) {
        record_u64(&k->out, FIELD_SMTP_PART, part);
        record_bool(&k->out, FIELD_SMTP_LAST, last);
    }
    if (s->bulk)
        record_text(&k->out, FIELD_EMAIL_BULK, "list-unsubscribe");
    if (s->read || s->bulk)
        record_u64(&k->out, FIELD_EMAIL_SCORE, 0);
    kit_give(k);
}

static inline void
kit_session(struct kit_run *k, const struct kit_speaker *s)
{
    struct record_out *r = &k->out;
    const char *banner = s->banner != NULL ? s->banner : "220 mx.example";

    kit_begin(k, s, EVENT_SMTP_SESSION);
    record_text(r, FIELD_SMTP_BANNER, banner);
    record_u64(r, FIELD_SMTP_BANNER_CODE, 220);
    record_text(r, FIELD_SMTP_HELO, s->helo);
    record_bool(r, FIELD_SMTP_STARTTLS_USED, s->tls);
    record_u64(r, FIELD_SMTP_COMMANDS, 6);
    if (s->hello != NULL) {
        record_text(r, FIELD_SMTP_DIALECT_HELLO, s->hello);
        record_text(r, FIELD_SMTP_DIALECT_ORDER, "EMRDQ");
    }
    record_u64(r, FIELD_SMTP_UNANSWERED, 0);
    record_u64(r, FIELD_FLOW_PKTS_TOSERVER, s->oneway ? 0 : 8);
    record_u64(r, FIELD_FLOW_PKTS_TOCLIENT, 8);
    record_u64(r, FIELD_FLOW_BYTES_TOSERVER, s->oneway ? 0 : 900);
    record_u64(r, FIELD_FLOW_BYTES_TOCLIENT, 300);
    record_bool(r, FIELD_TCP_HANDSHAKE, !s->oneway && !s->no_handshake);
    record_u64(r, FIELD_TCP_ACKED_TOCLIENT, s->oneway ? 0 : 300);
    record_text(r, FIELD_ETHER_SRC_MAC,
                s->mac != NULL ? s->mac : "02:00:00:00:00:01");
    record_text(r, FIELD_ETHER_DEST_MAC, "02:00:00:00:00:fe");
    if (s->tls) {
        record_u64(r, FIELD_TLS_EST_MESSAGES_MIN, s->messages);
        record_u64(r, FIELD_TLS_EST_MESSAGES_MAX, s->messages + 1);
        record_bool(r, FIELD_TLS_EST_NO_PAYLOAD, s->no_payload);
    }
    kit_give(k);
    k->flow++;
}

/* The latest event of that source; NULL: none. */
static inline const struct record_map *
kit_last(struct kit_run *k, const char *src)
{
    struct cursor c = cur_open(buf_view(&k->text));
    struct addr want;
    struct addr got;
    bool found = false;

    REQUIRE(addr_parse(span_str(src), &want));
    while (cur_left(&c) > 0) {
        struct span record = cur_take(&c, cur_le64(&c));
        struct record_map m;

        record_map_init(&m, record);
        if (record_map_addr(&m, FIELD_SRC_IP, &got) &&
            addr_cmp(&got, &want) == 0) {
            k->last = m;
            found = true;
        }
    }
    return found ? &k->last : NULL;
}

static inline uint64_t
kit_u64(struct kit_run *k, const char *src, enum field f)
{
    const struct record_map *m = kit_last(k, src);

    return m != NULL ? record_map_u64(m, f, UINT64_MAX) : UINT64_MAX;
}

static inline bool
kit_is(struct kit_run *k, const char *src, enum field f, const char *text)
{
    const struct record_map *m = kit_last(k, src);

    return m != NULL && record_map_is(m, f, text);
}

static inline void
kit_end(struct kit_run *k)
{
    struct record_sink sink = kit_sink(k);

    hosts_end(k->h, k->now, &sink);
}

#endif
