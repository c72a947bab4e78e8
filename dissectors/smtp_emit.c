#include "dissectors/flow_emit.h"
#include "dissectors/smtp_caps.h"
#include "dissectors/smtp_session.h"

static void
common(struct smtp_ctx *c, const struct flow *f, const char *app,
       const struct tx *t)
{
    struct record_out *r = &c->rec;

    if (c->describe != NULL)
        c->describe(c->describe_ctx, f, r);
    flow_emit(f, "TCP", r);
    if (app != NULL)
        record_text(r, FIELD_APP_PROTO, app);
    if (t != NULL)
        record_u64(r, FIELD_TX_ID, t->id);
}

static const char *
confidence(const struct smtp *s, const struct tx *t)
{
    if (smtp_oneway(s) || (t != NULL ? t->inferred : s->inferred))
        return "low";
    return s->n_resyncs > 0 || s->flow->midstream ? "medium" : "high";
}

static void
quality(const struct smtp *s, const struct tx *t, struct record_out *r)
{
    const struct flow *f = s->flow;
    uint64_t loss = f->half[0].lost + f->half[1].lost;

    record_u64(r, FIELD_QUALITY_LOSS, loss);
    record_u64(r, FIELD_QUALITY_GAPS,
               (uint64_t)f->half[0].gaps + f->half[1].gaps);
    if (t != NULL && t->via != VIA_NONE)
        record_bool(r, FIELD_QUALITY_TRUNCATED, t->lost || t->cut != CUT_NONE);
    record_bool(r, FIELD_QUALITY_ONEWAY, smtp_oneway(s));
    record_bool(r, FIELD_QUALITY_MIDSTREAM, f->midstream);
    record_text(r, FIELD_QUALITY_CONFIDENCE, confidence(s, t));
}

/* What was taken for SMTP and is not has a name of its own, or none. */
static const char *
app_of(struct smtp *s)
{
    const char *other = smtp_foreign_name(s);

    return other != NULL ? other : s->implicit_tls ? "tls" : "smtp";
}

struct record_out *
smtp_record(struct smtp *s, enum event_type type, const struct tx *t)
{
    struct record_out *r = &s->ctx->rec;
    struct record_head head;

    if (s->late != NULL)
        smtp_late_make_room(s);
    head = (struct record_head){
        .when = s->ctx->now,
        .flow_id = s->flow->id,
        .seq = s->flow->next_seq++,
        .type = type,
    };

    record_begin(r, &head);
    common(s->ctx, s->flow, app_of(s), t);
    quality(s, t, r);
    return r;
}

void
smtp_record_done(struct smtp *s)
{
    struct smtp_ctx *c = s->ctx;

    if (c->rec.left_out > 0)
        c->stats.records_cut++;
    if (s->late != NULL && smtp_late_record(s))
        return;
    c->sink.put(c->sink.ctx, record_view(&c->rec));
}

void
smtp_anomaly(struct smtp *s, enum anomaly kind, enum dir d, uint64_t offset,
             struct span detail)
{
    const struct anomaly_info *a = &anomaly_table[kind];
    struct record_out *r;

    if (s->anomalies & (UINT64_C(1) << kind))
        return;
    s->anomalies |= UINT64_C(1) << kind;
    r = smtp_record(s, EVENT_ANOMALY, s->tx);
    record_text(r, FIELD_ANOMALY_TYPE, a->type);
    record_text(r, FIELD_ANOMALY_EVENT, a->name);
    record_text(r, FIELD_ANOMALY_LEVEL, anomaly_level_name(a->level));
    record_text(r, FIELD_ANOMALY_DIR, d == DIR_C2S ? "toserver" : "toclient");
    record_u64(r, FIELD_ANOMALY_OFFSET, offset);
    if (detail.n > 0)
        record_str(r, FIELD_ANOMALY_DETAIL, span_head(detail, 256));
    record_text(r, FIELD_ANOMALY_ACTION, a->action);
    smtp_record_done(s);
}

void
smtp_odd(struct smtp *s, enum anomaly kind, enum dir d)
{
    smtp_anomaly(s, kind, d, s->pos[d], SPAN_NONE);
}

static void
greeting(const struct smtp *s, struct record_out *r)
{
    struct span banner = log_text(&s->log, LOG_BANNER);
    struct span helo = log_text(&s->log, LOG_HELO);
    struct span caps = log_text(&s->log, LOG_CAPS);

    if (banner.n > 0)
        record_str(r, FIELD_SMTP_BANNER, banner);
    if (s->has_banner)
        record_u64(r, FIELD_SMTP_BANNER_CODE, s->banner_code);
    if (helo.n > 0)
        record_str(r, FIELD_SMTP_HELO, helo);
    while (caps.n > 0) {
        size_t n = span_find(caps, '\n');

        buf_reset(&s->ctx->caps);
        smtp_caps_unpack(span_head(caps, n), &s->ctx->caps);
        record_str(r, FIELD_SMTP_EHLO_CAPS, buf_view(&s->ctx->caps));
        caps = span_tail(caps, n + 1);
    }
    smtp_emit_replies(r, &s->log);
}

static const char *
auth_outcome(const struct log_item *item)
{
    if (item->code == 0)
        return "unknown";
    if (item->code < 300)
        return "success";
    return item->index & AUTH_CANCELLED ? "cancelled" : "failure";
}

static void
tls_and_auth(const struct smtp *s, struct record_out *r)
{
    struct cursor c = cur_open(vec_view(&s->log));
    struct log_item item;

    record_bool(r, FIELD_SMTP_STARTTLS_OFFERED, s->starttls_offered);
    record_bool(r, FIELD_SMTP_STARTTLS_USED, s->starttls_used);
    if (s->starttls_code > 0)
        record_u64(r, FIELD_SMTP_STARTTLS_CODE, s->starttls_code);
    if (s->stripped)
        record_bool(r, FIELD_SMTP_STARTTLS_STRIPPED, true);
    if (s->injected)
        record_bool(r, FIELD_SMTP_STARTTLS_INJECTED, true);
    while (log_find(&c, LOG_AUTH, &item)) {
        record_object_begin(r, FIELD_SMTP_AUTH);
        record_str(r, FIELD_SMTP_AUTH_MECHANISM, item.text);
        record_text(r, FIELD_SMTP_AUTH_OUTCOME, auth_outcome(&item));
        if (item.code > 0)
            record_u64(r, FIELD_SMTP_AUTH_CODE, item.code);
        record_bool(r, FIELD_SMTP_AUTH_CLEAR, (item.index & AUTH_CLEAR) != 0);
        record_object_end(r);
    }
}

static void
counts(const struct smtp *s, struct record_out *r, enum end_why why)
{
    bool left = !s->quit && (why == END_FIN || why == END_RST);
    bool waits =
        !s->has_banner || s->flow->half[DIR_C2S].fin_unread || s->waits;

    record_u64(r, FIELD_SMTP_TRANSACTIONS, s->n_tx);
    record_u64(r, FIELD_SMTP_MESSAGES, s->n_messages);
    record_u64(r, FIELD_SMTP_COMMANDS, s->n_commands);
    record_u64(r, FIELD_SMTP_RESYNCS, s->n_resyncs);
    record_u64(r, FIELD_SMTP_PIPELINED, s->n_pipelined);
    record_bool(r, FIELD_SMTP_PREGREET, s->pregreet);
    record_bool(r, FIELD_SMTP_PIPELINING_UNOFFERED, s->pipelined_unoffered);
    record_bool(r, FIELD_SMTP_BARE_LF, s->bare_lf);
    record_bool(r, FIELD_SMTP_NON_SMTP, s->non_smtp);
    if (s->mode == CLIENT_TLS || smtp_oneway(s) || s->flow->midstream)
        return; /* not observable */
    record_bool(r, FIELD_SMTP_HANGUP, left && waits);
    record_bool(r, FIELD_SMTP_NO_QUIT, left);
}

static const char *
hello_of(const struct smtp *s)
{
    if (s->ehlo && s->helo_verb)
        return "EHLO+HELO";
    if (s->ehlo)
        return "EHLO";
    return s->helo_verb ? "HELO" : "none";
}

static void
dialect(const struct smtp *s, struct record_out *r)
{
    static const char *const eols[] = {"", "crlf", "lf", "mixed"};
    static const char *const cases[] = {"upper", "upper", "lower", "mixed"};
    char order[ORDER_MAX];

    if (s->n_commands == 0)
        return;
    record_text(r, FIELD_SMTP_DIALECT_HELLO, hello_of(s));
    if (s->ehlo || s->helo_verb)
        record_text(r, FIELD_SMTP_DIALECT_HELO_CLASS,
                    smtp_helo_class(log_text(&s->log, LOG_HELO)));
    record_text(r, FIELD_SMTP_DIALECT_CASE,
                s->cases > 3 ? "mixed" : cases[s->cases]);
    record_bool(r, FIELD_SMTP_DIALECT_SPACE, s->space);
    if (s->bracketed || s->unbracketed)
        record_bool(r, FIELD_SMTP_DIALECT_BRACKETS, !s->unbracketed);
    record_bool(r, FIELD_SMTP_DIALECT_PARAMS, s->params);
    record_bool(r, FIELD_SMTP_DIALECT_RSET, s->rset);
    record_text(r, FIELD_SMTP_DIALECT_EOL, eols[s->eols & 3]);
    for (unsigned i = 0; i < s->n_order; i++)
        order[i] = smtp_verb_letter(smtp_order(s, i));
    record_str(r, FIELD_SMTP_DIALECT_ORDER, span_of(order, s->n_order));
}

static void
mac_text(char out[18], const uint8_t mac[6])
{
    static const char set[] = "0123456789abcdef";

    for (int i = 0; i < 6; i++) {
        out[i * 3] = set[mac[i] >> 4];
        out[i * 3 + 1] = set[mac[i] & 15];
        out[i * 3 + 2] = ':';
    }
}

static void
transport(const struct flow *f, struct record_out *r)
{
    const struct flow_half *c = &f->half[DIR_C2S];
    const struct flow_half *v = &f->half[DIR_S2C];
    char mac[18];

    record_time(r, FIELD_FLOW_START, f->start);
    record_u64(r, FIELD_FLOW_PKTS_TOSERVER, c->packets);
    record_u64(r, FIELD_FLOW_PKTS_TOCLIENT, v->packets);
    record_u64(r, FIELD_FLOW_BYTES_TOSERVER, c->bytes);
    record_u64(r, FIELD_FLOW_BYTES_TOCLIENT, v->bytes);
    record_bool(r, FIELD_TCP_HANDSHAKE, f->handshake);
    record_u64(r, FIELD_TCP_ACKED_TOSERVER, c->acked);
    record_u64(r, FIELD_TCP_ACKED_TOCLIENT, v->acked);
    record_u64(r, FIELD_TCP_LOST_TOSERVER, c->lost);
    record_u64(r, FIELD_TCP_LOST_TOCLIENT, v->lost);
    record_u64(r, FIELD_TCP_GAPS, (uint64_t)c->gaps + v->gaps);
    record_u64(r, FIELD_TCP_RETRANSMITTED,
               (uint64_t)c->retransmitted + v->retransmitted);
    record_u64(r, FIELD_TCP_DUPLICATES,
               (uint64_t)c->duplicates + v->duplicates);
    record_u64(r, FIELD_TCP_REORDERED, (uint64_t)c->reordered + v->reordered);
    record_u64(r, FIELD_TCP_OVERLAPS,
               (uint64_t)c->overlaps_differ + v->overlaps_differ);
    if (c->packets > 0)
        record_u64(r, FIELD_TCP_TTL_TOSERVER, c->ttl);
    if (v->packets > 0)
        record_u64(r, FIELD_TCP_TTL_TOCLIENT, v->ttl);
    if (f->has_mac) {
        mac_text(mac, f->mac_src);
        record_str(r, FIELD_ETHER_SRC_MAC, span_of(mac, 17));
        mac_text(mac, f->mac_dst);
        record_str(r, FIELD_ETHER_DEST_MAC, span_of(mac, 17));
    }
    if (f->has_mac_server) {
        mac_text(mac, f->mac_server);
        record_str(r, FIELD_ETHER_SERVER_MAC, span_of(mac, 17));
    }
}

/* DETECTION 1.9, where both directions were seen. */
static void
estimate(const struct smtp *s, struct record_out *r)
{
    struct tls_estimate_result e;

    if (s->tls == NULL || smtp_oneway(s) || !tls_messages(s->tls, &e))
        return;
    record_u64(r, FIELD_TLS_EST_MESSAGES_MIN, e.messages_min);
    record_u64(r, FIELD_TLS_EST_MESSAGES_MAX, e.messages_max);
    if (e.has_rcpt)
        record_u64(r, FIELD_TLS_EST_RCPT_MAX, e.rcpt_max);
    record_bool(r, FIELD_TLS_EST_NO_PAYLOAD, e.no_payload);
}

void
smtp_emit_session(struct smtp *s, enum end_why why)
{
    static const char *const ends[] = {
#define END_NAME(id, name) [END_##id] = (name),
        END_WHY_MAP(END_NAME)
#undef END_NAME
    };
    static const char *const found[] = {
#define FOUND_NAME(id, name) [FLOW_FOUND_##id] = (name),
        FLOW_FOUND_MAP(FOUND_NAME)
#undef FOUND_NAME
    };
    struct record_out *r = smtp_record(s, EVENT_SMTP_SESSION, NULL);

    greeting(s, r);
    tls_and_auth(s, r);
    counts(s, r, why);
    dialect(s, r);
    if (s->has_banner_ms)
        record_u64(r, FIELD_SMTP_BANNER_MS, s->banner_ms);
    if (s->has_first_ms)
        record_u64(r, FIELD_SMTP_FIRST_COMMAND_MS, s->first_command_ms);
    for (unsigned i = 0; i < ANOM_COUNT; i++) {
        if (s->anomalies & (UINT64_C(1) << i))
            record_text(r, FIELD_SMTP_ANOMALIES, anomaly_table[i].name);
    }
    if (found[s->flow->found_by] != NULL)
        record_text(r, FIELD_SMTP_FOUND_BY, found[s->flow->found_by]);
    record_text(r, FIELD_SMTP_END, ends[why]);
    record_u64(r, FIELD_SMTP_UNANSWERED, s->n_unanswered);
    transport(s->flow, r);
    estimate(s, r);
    smtp_record_done(s);
}

void
smtp_emit_tls(struct smtp *s)
{
    struct record_out *r;

    if (s->tls == NULL || s->tls_reported)
        return;
    s->tls_reported = true;
    r = smtp_record(s, EVENT_TLS, NULL);
    tls_emit(s->tls, r);
    smtp_record_done(s);
}

void
smtp_emit_attempt(struct smtp_ctx *c, struct flow *f, bool refused,
                  bool answered, ns_t when)
{
    struct record_out *r = &c->rec;
    struct record_head head = {.when = when,
                               .flow_id = f->id,
                               .seq = f->next_seq++,
                               .type = EVENT_ATTEMPT};

    record_begin(r, &head);
    common(c, f, NULL, NULL);
    record_u64(r, FIELD_ATTEMPTS_REFUSED, refused);
    record_u64(r, FIELD_ATTEMPTS_UNANSWERED, !refused && !answered);
    record_u64(r, FIELD_ATTEMPTS_SILENT, !refused && answered);
    c->sink.put(c->sink.ctx, record_view(r));
}
