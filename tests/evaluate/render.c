#include "tests/evaluate/render.h"

#include "dissectors/mail_score.h"
#include "sensor/base/hash.h"

#define REPLY_BYTES   30U  /* of the server, for each command */
#define GREETED       180U /* bytes that it says before the first mail */
#define EICAR         "eicar"
#define RESOLVER_BYTE 53

void
render_init(struct render *r)
{
    record_init(&r->out);
    buf_init(&r->text, 1U << 16);
    r->sensor = "evaluate";
    r->n = 0;
}

void
render_free(struct render *r)
{
    record_free(&r->out);
    buf_free(&r->text);
}

/* The text that f writes, as the value of a field. */
#define TEXT(r, field, call)                                                   \
    do {                                                                       \
        buf_reset(&(r)->text);                                                 \
        call;                                                                  \
        record_str(&(r)->out, field, buf_view(&(r)->text));                    \
    } while (0)

static void
hex_field(struct render *r, enum field f, uint64_t v)
{
    char text[16];

    for (unsigned i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
    record_str(&r->out, f, span_of(text, sizeof(text)));
}

static void
maybe(struct render *r, enum field f, const char *text)
{
    if (text != NULL)
        record_text(&r->out, f, text);
}

/* ---- what all events have ---- */

static void
begin(struct render *r, struct actor *a, enum event_type type)
{
    struct record_head h = {.when = a->next,
                            .flow_id = a->session.flow,
                            .seq = a->session.seq++,
                            .type = type};

    record_begin(&r->out, &h);
    hex_field(r, FIELD_EVENT_ID, hash_mix(a->seed, ++r->n));
    record_u64(&r->out, FIELD_SCHEMA_VERSION, SCHEMA_VERSION);
    record_text(&r->out, FIELD_SENSOR, r->sensor);
    if (a->subject->vlan != 0)
        record_u64(&r->out, FIELD_VLAN, a->subject->vlan);
}

static void
home_side(struct render *r, const struct subject *s, enum field state,
          enum field site)
{
    record_text(&r->out, state, s->registered ? "registered" : "unregistered");
    if (s->registered)
        record_text(&r->out, site, s->site);
}

static void
ends(struct render *r, const struct actor *a)
{
    const struct subject *s = a->subject;
    const struct session *x = &a->session;
    bool in = x->inbound;
    uint16_t port = a->scenario->submits ? 587 : 25;

    record_addr(&r->out, FIELD_SRC_IP, in ? &x->org.server : &s->addr);
    record_u64(&r->out, FIELD_SRC_PORT, x->port);
    record_addr(&r->out, FIELD_DEST_IP, in ? &s->addr : &x->org.server);
    record_u64(&r->out, FIELD_DEST_PORT, in ? 25 : port);
    record_text(&r->out, FIELD_PROTO, "TCP");
    record_text(&r->out, FIELD_APP_PROTO, "smtp");
}

static void
place(struct render *r, const struct actor *a)
{
    const struct subject *s = a->subject;

    record_text(&r->out, FIELD_DIRECTION,
                a->session.inbound ? "inbound" : "outbound");
    if (a->session.inbound) {
        home_side(r, s, FIELD_DEST_REG_STATE, FIELD_DEST_REG_SITE);
        record_text(&r->out, FIELD_DEST_HOST_SITE, s->site);
        maybe(r, FIELD_DEST_HOST_POOL, s->pool);
        record_u64(&r->out, FIELD_SRC_AS_NUMBER, a->session.org.as);
    } else {
        home_side(r, s, FIELD_SRC_REG_STATE, FIELD_SRC_REG_SITE);
        record_text(&r->out, FIELD_SRC_HOST_SITE, s->site);
        maybe(r, FIELD_SRC_HOST_POOL, s->pool);
        record_u64(&r->out, FIELD_DEST_AS_NUMBER, a->session.org.as);
    }
    if (!s->registered)
        record_text(&r->out, FIELD_POLICY_FINDINGS,
                    a->session.inbound ? "unregistered_receiver"
                                       : "unregistered_sender");
}

static void
quality(struct render *r, const struct actor *a, bool lost, bool message)
{
    const struct session *s = &a->session;

    record_u64(&r->out, FIELD_QUALITY_LOSS, s->lost);
    record_u64(&r->out, FIELD_QUALITY_GAPS, s->lost > 0);
    if (message)
        record_bool(&r->out, FIELD_QUALITY_TRUNCATED, lost);
    record_bool(&r->out, FIELD_QUALITY_ONEWAY, s->oneway);
    record_bool(&r->out, FIELD_QUALITY_MIDSTREAM, s->midstream);
    record_text(&r->out, FIELD_QUALITY_CONFIDENCE,
                s->oneway                 ? "low"
                : s->lost || s->midstream ? "medium"
                                          : "high");
}

/* ---- a message ---- */

static void
ledger(struct render *r, const struct actor *a)
{
    const struct mail *m = &a->mail;

    for (uint32_t i = 0; i < m->n_rcpts; i++)
        TEXT(r, FIELD_SMTP_RCPT_TO, actor_rcpt(a, m->rcpts[i].user, &r->text));
    for (uint32_t i = 0; i < m->n_rcpts; i++) {
        const struct reply_row *row = &replies[m->rcpts[i].reply];

        record_object_begin(&r->out, FIELD_SMTP_RCPT);
        TEXT(r, FIELD_SMTP_RCPT_ADDR,
             actor_rcpt(a, m->rcpts[i].user, &r->text));
        if (row->code != 0 && !m->unanswered) {
            record_u64(&r->out, FIELD_SMTP_RCPT_CODE, row->code);
            record_text(&r->out, FIELD_SMTP_RCPT_ENHANCED, row->enhanced);
            record_text(&r->out, FIELD_SMTP_RCPT_CLASS, row->class);
            maybe(r, FIELD_SMTP_RCPT_LIST, row->list);
            record_u64(&r->out, FIELD_SMTP_RCPT_LATENCY, 20);
            record_text(&r->out, FIELD_SMTP_RCPT_TEXT, row->text);
        }
        record_object_end(&r->out);
    }
}

static void
reply_to(struct render *r, const char *command, uint16_t code)
{
    record_object_begin(&r->out, FIELD_SMTP_REPLIES);
    record_text(&r->out, FIELD_SMTP_REPLIES_COMMAND, command);
    record_u64(&r->out, FIELD_SMTP_REPLIES_CODE, code);
    record_u64(&r->out, FIELD_SMTP_REPLIES_LATENCY, 12);
    record_object_end(&r->out);
}

static void
rcpt_counts(struct render *r, const struct mail *m)
{
    uint32_t accepted = 0, refused = 0;

    for (uint32_t i = 0; i < m->n_rcpts && !m->unanswered; i++) {
        accepted += replies[m->rcpts[i].reply].code / 100 == 2;
        refused += replies[m->rcpts[i].reply].code >= 400;
    }
    record_u64(&r->out, FIELD_SMTP_RCPT_OFFERED, m->n_rcpts);
    record_u64(&r->out, FIELD_SMTP_RCPT_ACCEPTED, accepted);
    record_u64(&r->out, FIELD_SMTP_RCPT_REFUSED, refused);
}

static const char *
outcome(const struct mail *m)
{
    uint16_t code = m->unanswered ? 0 : replies[m->final].code;

    if (code == 0)
        return "unknown";
    if (code < 400)
        return "accepted";
    return code < 500 || (!m->sent && m->deferred) ? "deferred" : "rejected";
}

static void
final(struct render *r, const struct mail *m)
{
    const struct reply_row *row = &replies[m->final];

    if (row->code != 0 && !m->unanswered) {
        record_u64(&r->out, FIELD_SMTP_FINAL_CODE, row->code);
        record_text(&r->out, FIELD_SMTP_FINAL_ENHANCED,
                    m->final == REPLY_OK ? "2.0.0" : row->enhanced);
        record_text(&r->out, FIELD_SMTP_FINAL_CLASS, row->class);
        maybe(r, FIELD_SMTP_FINAL_LIST, row->list);
        record_u64(&r->out, FIELD_SMTP_FINAL_LATENCY, 40);
        record_text(&r->out, FIELD_SMTP_FINAL_TEXT, row->text);
    }
    if (m->sent) {
        hex_field(r, FIELD_SMTP_QUEUE_ID, m->queue_id);
        record_text(&r->out, FIELD_SMTP_VIA, "DATA");
    }
    record_text(&r->out, FIELD_SMTP_OUTCOME, outcome(m));
    if (m->sent)
        record_u64(&r->out, FIELD_SMTP_MESSAGE_BYTES, m->bytes);
    if (m->sent && m->lost)
        record_text(&r->out, FIELD_SMTP_CUT, "gap");
}

static bool
marked(const struct mail *m, enum mail_symbol s)
{
    return (m->marks >> s & 1) != 0;
}

static void
header(struct render *r, const struct actor *a)
{
    const struct content_row *c = actor_content(a);
    const char *subject = a->scenario->subject;
    const struct mail *m = &a->mail;

    TEXT(r, FIELD_EMAIL_FROM, actor_sender(a, &r->text));
    if (!marked(m, MAIL_SYMBOL_NO_SUBJECT))
        record_text(&r->out, FIELD_EMAIL_SUBJECT,
                    subject != NULL ? subject : c->name);
    if (!marked(m, MAIL_SYMBOL_NO_DATE))
        record_text(&r->out, FIELD_EMAIL_DATE,
                    "Mon, 2 Nov 2026 09:00:00 +0000");
    if (!marked(m, MAIL_SYMBOL_NO_MESSAGE_ID))
        hex_field(r, FIELD_EMAIL_MESSAGE_ID, m->queue_id);
    maybe(r, FIELD_EMAIL_X_MAILER, a->scenario->mailer);
    for (unsigned i = 0; i < content_received(c, m->marks); i++)
        record_text(&r->out, FIELD_EMAIL_RECEIVED,
                    "from desk (desk [10.1.1.1]) by mail");
    if (c->bulk) {
        record_text(&r->out, FIELD_EMAIL_BULK, "list-id");
        record_text(&r->out, FIELD_EMAIL_BULK, "list-unsubscribe");
    }
}

static void
content(struct render *r, const struct actor *a)
{
    const struct mail *m = &a->mail;

    if (m->sent) {
        header(r, a);
        record_u64(&r->out, FIELD_EMAIL_PARTS, m->malware ? 2 : 1);
        if (!m->lost)
            hex_field(r, FIELD_EMAIL_SIMHASH, m->simhash);
    }
    record_u64(&r->out, FIELD_EMAIL_SCORE, m->score);
    for (unsigned i = 0; i < MAIL_SYMBOL_COUNT; i++) {
        enum mail_symbol s = (enum mail_symbol)i;

        if (!marked(m, s))
            continue;
        record_object_begin(&r->out, FIELD_EMAIL_SYMBOLS);
        record_text(&r->out, FIELD_EMAIL_SYMBOLS_NAME, mail_symbol_name(s));
        record_u64(&r->out, FIELD_EMAIL_SYMBOLS_POINTS, mail_symbol_points(s));
        record_object_end(&r->out);
    }
}

static void
put(struct render *r, const struct record_sink *sink)
{
    sink->put(sink->ctx, record_view(&r->out));
}

static void
render_malware(struct render *r, struct actor *a,
               const struct record_sink *sink)
{
    begin(r, a, EVENT_FILEINFO);
    ends(r, a);
    record_u64(&r->out, FIELD_TX_ID, a->session.done - 1);
    place(r, a);
    quality(r, a, a->mail.lost, true);
    record_text(&r->out, FIELD_FILEINFO_FILENAME, "invoice.pdf.exe");
    record_u64(&r->out, FIELD_FILEINFO_SIZE, 40000);
    hex_field(r, FIELD_FILEINFO_SHA256, a->mail.simhash);
    record_text(&r->out, FIELD_FILEINFO_TYPE, "pe");
    record_text(&r->out, FIELD_FILEINFO_STATE, "CLOSED");
    record_u64(&r->out, FIELD_FILEINFO_TX_ID, a->session.done - 1);
    record_u64(&r->out, FIELD_FILEINFO_PART, 1);
    record_bool(&r->out, FIELD_FILEINFO_INSPECTED, true);
    record_text(&r->out, FIELD_FILEINFO_CLASS, "A");
    record_text(&r->out, FIELD_FILEINFO_CLASSES, "A");
    record_text(&r->out, FIELD_FILEINFO_FINDINGS, EICAR);
    put(r, sink);
}

static void
render_mail(struct render *r, struct actor *a, const struct record_sink *sink)
{
    const struct mail *m = &a->mail;

    if (a->session.tls || a->scenario->answers_only)
        return;
    if (m->malware && m->sent && !m->lost)
        render_malware(r, a, sink);
    begin(r, a, EVENT_SMTP);
    ends(r, a);
    record_u64(&r->out, FIELD_TX_ID, a->session.done - 1);
    place(r, a);
    quality(r, a, m->lost, true);
    if (!a->session.midstream)
        TEXT(r, FIELD_SMTP_HELO, actor_helo(a, &r->text));
    TEXT(r, FIELD_SMTP_MAIL_FROM, actor_sender(a, &r->text));
    if (!m->unanswered)
        record_u64(&r->out, FIELD_SMTP_MAIL_CODE, 250);
    record_bool(&r->out, FIELD_SMTP_NULL_SENDER, m->null_sender);
    ledger(r, a);
    if (!m->unanswered) {
        reply_to(r, "MAIL", 250);
        if (m->sent)
            reply_to(r, "DATA", 354);
    }
    rcpt_counts(r, m);
    record_bool(&r->out, FIELD_SMTP_AUTHENTICATED, a->scenario->submits);
    final(r, m);
    content(r, a);
    put(r, sink);
}

/* ---- a connection ---- */

static void
dialogue(struct render *r, const struct actor *a)
{
    const struct session *s = &a->session;

    if (!s->midstream && !s->oneway) {
        TEXT(r, FIELD_SMTP_BANNER, {
            buf_str(&r->text, "220 ");
            if (s->inbound) {
                buf_str(&r->text, "mail");
                buf_u64(&r->text, a->subject->number);
                buf_str(&r->text, ".home.example");
            } else
                world_server_name(&s->org, &r->text);
            buf_str(&r->text, " ESMTP");
        });
        record_u64(&r->out, FIELD_SMTP_BANNER_CODE, 220);
    }
    if (!s->midstream)
        TEXT(r, FIELD_SMTP_HELO, actor_helo(a, &r->text));
    if (!s->oneway) {
        record_text(&r->out, FIELD_SMTP_EHLO_CAPS, "PIPELINING");
        record_text(&r->out, FIELD_SMTP_EHLO_CAPS, "SIZE 20000000");
        record_text(&r->out, FIELD_SMTP_EHLO_CAPS, "STARTTLS");
        record_bool(&r->out, FIELD_SMTP_STARTTLS_OFFERED, true);
    }
    record_bool(&r->out, FIELD_SMTP_STARTTLS_USED, s->tls);
    if (a->scenario->submits && !s->tls) {
        record_object_begin(&r->out, FIELD_SMTP_AUTH);
        record_text(&r->out, FIELD_SMTP_AUTH_MECHANISM, "LOGIN");
        record_text(&r->out, FIELD_SMTP_AUTH_OUTCOME, "success");
        record_u64(&r->out, FIELD_SMTP_AUTH_CODE, 235);
        record_bool(&r->out, FIELD_SMTP_AUTH_CLEAR, true);
        record_object_end(&r->out);
    }
}

static void
session_counts(struct render *r, const struct session *s)
{
    bool seen = !s->tls;

    record_u64(&r->out, FIELD_SMTP_TRANSACTIONS, seen ? s->done : 0);
    record_u64(&r->out, FIELD_SMTP_MESSAGES, seen ? s->sent : 0);
    record_u64(&r->out, FIELD_SMTP_COMMANDS,
               seen ? 2 + s->done + s->rcpts + s->sent : 2);
    record_u64(&r->out, FIELD_SMTP_RESYNCS, s->lost > 0);
    record_u64(&r->out, FIELD_SMTP_PIPELINED, 0);
}

/* After STARTTLS the dialect of the second half is not seen. */
static void
dialect(struct render *r, const struct actor *a)
{
    static const struct speaker_row server = {"server", "EHLO", "fqdn", "upper",
                                              "crlf",   false,  false,  true,
                                              false,    false,  false};
    const struct speaker_row *s =
        a->session.inbound ? &server : &speakers[a->scenario->speaker];
    bool tls = a->session.tls;

    record_bool(&r->out, FIELD_SMTP_PREGREET, s->pregreet);
    record_bool(&r->out, FIELD_SMTP_PIPELINING_UNOFFERED, s->pipelines);
    record_bool(&r->out, FIELD_SMTP_BARE_LF, strcmp(s->eol, "lf") == 0);
    record_bool(&r->out, FIELD_SMTP_NON_SMTP, false);
    record_bool(&r->out, FIELD_SMTP_HANGUP, false);
    if (!tls)
        record_bool(&r->out, FIELD_SMTP_NO_QUIT, s->no_quit);
    record_text(&r->out, FIELD_SMTP_DIALECT_HELLO, s->hello);
    record_text(&r->out, FIELD_SMTP_DIALECT_HELO_CLASS, s->helo_class);
    record_text(&r->out, FIELD_SMTP_DIALECT_CASE, s->verb_case);
    if (!tls) {
        record_bool(&r->out, FIELD_SMTP_DIALECT_SPACE, s->space_after_colon);
        record_bool(&r->out, FIELD_SMTP_DIALECT_BRACKETS, !s->no_brackets);
        record_bool(&r->out, FIELD_SMTP_DIALECT_PARAMS, s->params);
    }
    record_bool(&r->out, FIELD_SMTP_DIALECT_RSET, false);
    record_text(&r->out, FIELD_SMTP_DIALECT_EOL, s->eol);
    record_text(&r->out, FIELD_SMTP_DIALECT_ORDER,
                tls          ? "ES"
                : s->no_quit ? "EMRD"
                             : "EMRDQ");
    record_u64(&r->out, FIELD_SMTP_BANNER_MS, 20);
    record_u64(&r->out, FIELD_SMTP_FIRST_COMMAND_MS, 25);
    if (a->scenario->objects && a->session.bad)
        record_text(&r->out, FIELD_SMTP_ANOMALIES, "rst_ignored");
    record_text(&r->out, FIELD_SMTP_END, s->no_quit ? "rst" : "fin");
    record_u64(&r->out, FIELD_SMTP_UNANSWERED, 0);
}

static const uint8_t gateway[6] = {2, 0, 0, 0, 0, 1};

static void
mac_text(struct render *r, enum field f, const uint8_t mac[6])
{
    char text[17];

    for (unsigned i = 0; i < 6; i++) {
        text[3 * i] = "0123456789abcdef"[mac[i] >> 4];
        text[3 * i + 1] = "0123456789abcdef"[mac[i] & 15];
        if (i < 5)
            text[3 * i + 2] = ':';
    }
    record_str(&r->out, f, span_of(text, sizeof(text)));
}

/* README.md: what each forger copies. One that lies about servers is itself
 * their end of the connection; a second address is for who claims the victim's
 * own. */
static const uint8_t *
server_mac(const struct actor *a, bool forged, const uint8_t *client)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0x66, 0x67};

    if (a->session.inbound)
        return a->subject->mac;
    if (!forged || a->scenario->forged_way)
        return gateway;
    return a->scenario->forged_macs ? client : other;
}

static uint8_t
server_ttl(const struct actor *a, bool forged)
{
    uint8_t far = world_ttl(a->seed, &a->session.org.server);

    if (!forged || a->scenario->forged_ttl)
        return far;
    return a->scenario->forged_guess
               ? world_ttl(a->seed + 1, &a->session.org.server)
               : 64;
}

static void
transport(struct render *r, const struct actor *a)
{
    static const uint8_t forger[6] = {2, 0, 0, 0, 0x66, 0x66};
    const struct session *s = &a->session;
    bool mute = a->scenario->answers_only, deaf = s->oneway && !mute;
    uint64_t up = mute ? 0 : s->bytes + 60;
    uint64_t down = deaf ? 0 : GREETED + REPLY_BYTES * (2 * s->done + s->rcpts);
    bool lied = s->bad && a->subject->label == LABEL_VICTIM;
    bool forged = lied && a->scenario->forged_macs;
    const uint8_t *own = forged ? forger : a->subject->mac;

    record_time(&r->out, FIELD_FLOW_START, s->start);
    record_u64(&r->out, FIELD_FLOW_PKTS_TOSERVER, mute ? 0 : 8 + up / 1448);
    record_u64(&r->out, FIELD_FLOW_PKTS_TOCLIENT, deaf ? 0 : 8);
    record_u64(&r->out, FIELD_FLOW_BYTES_TOSERVER, mute ? 0 : up - s->lost);
    record_u64(&r->out, FIELD_FLOW_BYTES_TOCLIENT, down);
    record_bool(&r->out, FIELD_TCP_HANDSHAKE, s->handshake);
    record_u64(&r->out, FIELD_TCP_ACKED_TOSERVER, s->oneway ? 0 : up);
    record_u64(&r->out, FIELD_TCP_ACKED_TOCLIENT, s->oneway ? 0 : down);
    record_u64(&r->out, FIELD_TCP_LOST_TOSERVER, s->lost);
    record_u64(&r->out, FIELD_TCP_LOST_TOCLIENT, 0);
    record_u64(&r->out, FIELD_TCP_GAPS, s->lost > 0);
    record_u64(&r->out, FIELD_TCP_TTL_TOSERVER, forged ? 128 : 64);
    record_u64(&r->out, FIELD_TCP_TTL_TOCLIENT,
               s->inbound ? 64 : server_ttl(a, lied));
    mac_text(r, FIELD_ETHER_SRC_MAC, s->inbound ? gateway : own);
    mac_text(r, FIELD_ETHER_DEST_MAC, s->inbound ? own : gateway);
    mac_text(r, FIELD_ETHER_SERVER_MAC, server_mac(a, lied, own));
}

/* The sizes of records tell messages from envelopes, nearly. */
static void
estimate(struct render *r, struct actor *a)
{
    const struct session *s = &a->session;
    uint32_t more = rng_below(&a->rng, 20) == 0;

    record_u64(&r->out, FIELD_TLS_EST_MESSAGES_MIN, s->sent);
    record_u64(&r->out, FIELD_TLS_EST_MESSAGES_MAX, s->sent + more);
    record_u64(&r->out, FIELD_TLS_EST_RCPT_MAX, s->rcpts + more);
    record_bool(&r->out, FIELD_TLS_EST_NO_PAYLOAD, s->sent + more == 0);
}

static void
render_session(struct render *r, struct actor *a,
               const struct record_sink *sink)
{
    begin(r, a, EVENT_SMTP_SESSION);
    ends(r, a);
    place(r, a);
    quality(r, a, false, false);
    dialogue(r, a);
    session_counts(r, &a->session);
    dialect(r, a);
    transport(r, a);
    if (a->session.tls && !a->session.oneway)
        estimate(r, a);
    put(r, sink);
}

static void
render_tls(struct render *r, struct actor *a, const struct record_sink *sink)
{
    begin(r, a, EVENT_TLS);
    ends(r, a);
    place(r, a);
    quality(r, a, false, false);
    record_text(&r->out, FIELD_TLS_VERSION, "TLS 1.3");
    record_text(&r->out, FIELD_TLS_FROM_PROTO, "smtp");
    record_u64(&r->out, FIELD_TLS_CIPHER, 4866);
    put(r, sink);
}

uint32_t
render_syns(const struct scenario *s)
{
    return s->syns > 0 ? s->syns : RENDER_SYNS;
}

/* Connections that never opened, as the core sums them up each minute. */
static void
render_attempts(struct render *r, struct actor *a,
                const struct record_sink *sink)
{
    uint32_t syns = render_syns(a->scenario);

    begin(r, a, EVENT_SMTP_SESSION);
    ends(r, a);
    place(r, a);
    record_u64(&r->out, FIELD_ATTEMPTS_COUNT, syns);
    record_u64(&r->out, FIELD_ATTEMPTS_DESTINATIONS, syns < 64 ? syns : 64);
    record_u64(&r->out, FIELD_ATTEMPTS_REFUSED, 0);
    record_u64(&r->out, FIELD_ATTEMPTS_UNANSWERED, syns);
    record_u64(&r->out, FIELD_ATTEMPTS_SILENT, 0);
    put(r, sink);
}

/* ---- names ---- */

static void
dns_head(struct render *r, ns_t when, const struct addr *client)
{
    static const uint8_t resolver[4] = {10, 0, 0, RESOLVER_BYTE};
    struct addr server = addr_v4(resolver);
    struct record_head h = {
        .when = when, .flow_id = 0, .seq = 0, .type = EVENT_DNS};

    h.flow_id = hash_mix(when, ++r->n) >> 13;
    record_begin(&r->out, &h);
    hex_field(r, FIELD_EVENT_ID, h.flow_id);
    record_u64(&r->out, FIELD_SCHEMA_VERSION, SCHEMA_VERSION);
    record_text(&r->out, FIELD_SENSOR, r->sensor);
    record_addr(&r->out, FIELD_SRC_IP, client);
    record_u64(&r->out, FIELD_SRC_PORT, 40000);
    record_addr(&r->out, FIELD_DEST_IP, &server);
    record_u64(&r->out, FIELD_DEST_PORT, 53);
    record_text(&r->out, FIELD_PROTO, "UDP");
    record_text(&r->out, FIELD_DIRECTION, "internal");
}

static void
render_mx(struct render *r, struct actor *a, const struct record_sink *sink)
{
    dns_head(r, a->next, &a->subject->addr);
    TEXT(r, FIELD_DNS_RRNAME, world_domain(&a->session.org, &r->text));
    record_text(&r->out, FIELD_DNS_RRTYPE, "MX");
    record_text(&r->out, FIELD_DNS_RCODE, "NOERROR");
    TEXT(r, FIELD_DNS_ANSWERS, world_server_name(&a->session.org, &r->text));
    put(r, sink);
}

/* The reverse name of RFC 1035 3.5 and RFC 3596 2.5. */
static void
reverse(const struct addr *a, struct buf *out)
{
    if (addr_is_v4(a)) {
        for (unsigned i = 16; i-- > 12;)
            buf_printf(out, "%u.", a->b[i]);
        buf_str(out, "in-addr.arpa");
        return;
    }
    for (unsigned i = 16; i-- > 0;)
        buf_printf(out, "%x.%x.", a->b[i] & 15U, a->b[i] >> 4);
    buf_str(out, "ip6.arpa");
}

static void
own_name(const struct subject *s, struct buf *out)
{
    buf_str(out, "mail");
    buf_u64(out, s->number);
    buf_str(out, ".home.example");
}

void
render_name(struct render *r, const struct subject *s, ns_t when,
            const struct record_sink *sink)
{
    static const uint8_t asker[4] = {10, 0, 0, 99};
    struct addr client = addr_v4(asker);
    char text[ADDR_TEXT_MAX];

    dns_head(r, when, &client);
    TEXT(r, FIELD_DNS_RRNAME, reverse(&s->addr, &r->text));
    record_text(&r->out, FIELD_DNS_RRTYPE, "PTR");
    record_text(&r->out, FIELD_DNS_RCODE, "NOERROR");
    TEXT(r, FIELD_DNS_ANSWERS, own_name(s, &r->text));
    put(r, sink);
    dns_head(r, when, &client);
    TEXT(r, FIELD_DNS_RRNAME, own_name(s, &r->text));
    record_text(&r->out, FIELD_DNS_RRTYPE, s->ipv6 ? "AAAA" : "A");
    record_text(&r->out, FIELD_DNS_RCODE, "NOERROR");
    record_str(&r->out, FIELD_DNS_ANSWERS,
               span_of(text, addr_format(&s->addr, text)));
    put(r, sink);
}

void
render_stage(struct render *r, struct actor *a, const struct record_sink *sink)
{
    switch (a->stage) {
    case STAGE_HELLO:
        if (a->cond->dns && !a->session.inbound &&
            rng_chance(&a->rng, a->scenario->asks_mx))
            render_mx(r, a, sink);
        return;
    case STAGE_MAIL: render_mail(r, a, sink); return;
    case STAGE_END:
        if (a->scenario->syn_only) {
            render_attempts(r, a, sink);
            return;
        }
        if (a->session.tls)
            render_tls(r, a, sink);
        render_session(r, a, sink);
        return;
    case STAGE_OVER: return;
    }
}
