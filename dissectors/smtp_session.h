#ifndef SPAN25_DISSECTORS_SMTP_SESSION_H
#define SPAN25_DISSECTORS_SMTP_SESSION_H
/* smtp_session - what the parts of the SMTP dissector share
 *
 *   smtp.c          the order of the two streams, life of a session
 *   smtp_client.c   command state, message content, AUTH, STARTTLS
 *   smtp_server.c   replies, and which command each answers
 *   smtp_tx.c       transactions and their records
 *   smtp_message.c  what is kept of a message: header fields, digest, smuggling
 *   smtp_parts.c    its MIME parts and their records
 *   smtp_late.c     records that wait for the inspection of a part
 *   smtp_score.c    facts for the judgement of a message
 *   smtp_carve.c    bytes for files that the operator asked for
 *   smtp_foreign.c  the name of what is not SMTP
 *   smtp_emit.c     session and anomaly records
 *
 * Private to these files. */
#include "dissectors/header.h"
#include "dissectors/part.h"
#include "dissectors/smtp.h"
#include "dissectors/smtp_class.h"
#include "dissectors/smtp_cmd.h"
#include "dissectors/smtp_data.h"
#include "dissectors/smtp_line.h"
#include "dissectors/tls.h"
#include "sensor/base/text.h"
#include "sensor/event/anomaly.h"

enum {
#define X(name, value, unit, why) LIMIT_##name = (value),
#include "dissectors/smtp_limits.def"
#undef X
};

/* What a session needs only now and then: parts of lines, waiting bytes,
 * several commands outstanding, a message in transfer. A session between two
 * calls has one only while there is something in it. */
struct work {
    struct vec held[2];  /* early bytes and gaps, see smtp.c */
    uint64_t ahead[2];   /* stream bytes they stand for */
    uint32_t held_at[2]; /* bytes of held that are done */
    uint32_t arrivals;   /* of what was held, to keep the order */
    struct line_in line[2];
    struct vec reply;    /* text of the reply begun */
    struct vec queue;    /* struct pending, all but the first */
    uint32_t queue_head; /* bytes of queue that are done */
    uint16_t reply_code, reply_lines;
    uint32_t reply_last; /* where in reply the lines with the last code begin */
    uint64_t bdat_left;
    struct smtp_data data;
    uint64_t odd_at[SMTP_DATA_ODDS]; /* client offsets in the message */
    bool bdat_last, bdat_bad;
    bool check; /* DATA: is the next line a command after all? */
};

struct smtp_ctx {
    struct record_sink sink;
    void (*describe)(void *ctx, const struct flow *f, struct record_out *r);
    void *describe_ctx;
    struct record_out rec;
    struct buf scratch;
    struct buf caps; /* EHLO lines, packed or unpacked */
    struct mem mem[FLOW_SHARDS];
    struct mem *own; /* of these: of the session in call */
    struct mem content[FLOW_SHARDS];
    struct mem raw[FLOW_SHARDS]; /* messages for files */
    struct part_ctx *part_ctx;   /* NULL: bodies are not looked at */
    smtp_scan_fn scan;
    struct ndpi_lines *ndpi; /* or NULL */
    bool name_others;
    struct smtp_suspects suspects;
    struct smtp_late *late; /* flows with records that wait */
    struct record_out late_rec;
    struct mem late_mem;
    uint32_t n_late; /* records that wait */
    struct charset charset;
    void *sha256; /* EVP_MD, or NULL when no digests are wanted */
    uint64_t save_mail;
    bool body_digest, carve_parts;
    struct smtp_stats stats;
    struct work spare;  /* of the session in call, if it has none */
    ns_t now;           /* stream time of this call */
    ns_t at;            /* when the bytes being read were captured */
    uint64_t cmd_acked; /* peer_acked of the client bytes being read */
};

/* ---- what is kept of a session or transaction, coded small ---- */

enum log_tag {
    LOG_MAIL,       /* path */
    LOG_PARAMS,     /* parameters of MAIL */
    LOG_RCPT,       /* path; recipients are numbered in this order */
    LOG_RCPT_REPLY, /* index: the recipient's number */
    LOG_REPLY,      /* index: the verb */
    LOG_FINAL,
    LOG_BANNER, /* text: first line, with its code */
    LOG_HELO,   /* argument */
    LOG_CAPS,   /* lines, separated by LF */
    LOG_AUTH,   /* index: enum auth_fact bits; text: mechanism */
};

enum auth_fact { AUTH_CLEAR = 1, AUTH_CANCELLED = 2 };

struct log_item {
    uint8_t tag;
    uint16_t code;
    uint32_t index;
    uint32_t latency_ms; /* LATENCY_NONE: not known */
    struct span text;
};
#define LATENCY_NONE UINT32_MAX

bool log_put(struct vec *v, struct mem *m, const struct log_item *item);
bool log_next(struct cursor *c, struct log_item *out);
/* The next item with this tag. */
bool log_find(struct cursor *c, enum log_tag tag, struct log_item *out);
/* Takes the first item with this tag out. */
void log_drop(struct vec *v, enum log_tag tag);
/* Sets the code and adds a fact of the LOG_AUTH item at this place. */
void log_mark(struct vec *v, size_t at, uint16_t code, uint8_t fact);
/* Text of the only item with this tag, or p == NULL. */
struct span log_text(const struct vec *v, enum log_tag tag);

enum via { VIA_NONE, VIA_DATA, VIA_BDAT };
enum cut { CUT_NONE, CUT_GAP, CUT_END, CUT_RESET, CUT_MIDSTREAM };

struct message;   /* smtp_message.c */
struct smtp_late; /* smtp_late.c */

struct tx {
    struct tx *next;     /* newer one */
    struct message *msg; /* NULL: no message, or no memory for details */
    struct vec log;
    uint64_t bytes; /* of the message */
    uint64_t size_declared;
    ns_t part_start;
    uint32_t id;
    uint32_t part; /* parts reported so far */
    uint32_t offered, accepted, refused;
    uint32_t offered_before; /* in earlier parts */
    uint32_t n_pending;      /* replies awaited */
    uint32_t n_final;        /* replies to the end of data */
    uint16_t mail_code;
    uint16_t data_code; /* refusal of DATA or a BDAT chunk */
    uint16_t final_code;
    uint8_t n_replies;
    uint8_t via, cut, eod; /* enum via, enum cut, enum smtp_eod */
    bool closed : 1;       /* no command will join it any more */
    bool settled : 1;      /* no reply to hidden commands will come */
    bool has_mail : 1, null_sender : 1, smtputf8 : 1, has_size : 1;
    bool has_final : 1, complete : 1, high : 1, lost : 1, inferred : 1;
    bool temp_refused : 1; /* a recipient with 4xx */
    bool guessed : 1;      /* that there is a message: no DATA was seen */
};

/* ---- commands without a reply yet ---- */

/* more: further commands of the same kind, recipients in a row; so a long list
 * beyond the limit takes one entry. */
struct pending {
    ns_t when;
    uint64_t end; /* client offset after the command */
    struct tx *tx;
    uint32_t rcpt; /* recipient's number, or that of an AUTH */
    uint32_t verb : 8;
    uint32_t more : 24;
};

enum client_mode {
    CLIENT_COMMAND,
    CLIENT_DATA,
    CLIENT_BDAT,
    CLIENT_AUTH,
    CLIENT_TLS,
    CLIENT_LOST, /* in the middle of something: commands or a message */
};

/* What the client's next bytes depend on. */
enum gate { GATE_OPEN, GATE_DATA, GATE_STARTTLS, GATE_AUTH };

/* First commands, for smtp.dialect.order: 5 bits each. */
#define ORDER_MAX  24U
#define ORDER_BITS 5U
_Static_assert(SMTP_VERB_COUNT <= 1U << ORDER_BITS, "a verb takes 5 bits");

struct smtp {
    struct smtp_ctx *ctx;
    struct flow *flow;
    struct work *w;       /* NULL between calls when nothing is in it */
    struct vec log;       /* of the session */
    struct pending first; /* the only one in a lock-step session */
    struct tx *txs;       /* oldest first */
    struct tx *newest;    /* its last */
    struct tx *tx;        /* that commands join now, or NULL */
    struct tx *outer;     /* that a second MAIL may have ended */
    struct tls *tls;
    struct foreign *foreign; /* while it may not be SMTP */
    struct smtp_late *late;  /* while records of it wait */
    uint64_t pos[2];         /* stream offset read so far */
    uint64_t reply_end;      /* server offset after the last reply */
    uint64_t gap_begin;      /* server offsets of the last gap */
    uint64_t gap_end;
    uint64_t anomalies; /* bit per enum anomaly */
    uint32_t caps_end;  /* server offset after the offer of PIPELINING */
    uint32_t n_open;    /* transactions in txs */
    uint32_t n_tx, n_messages, n_commands, n_pipelined, n_unanswered;
    uint32_t banner_ms, first_command_ms;
    uint16_t n_resyncs;
    uint16_t before_gap; /* pending since before the last server gap */
    uint16_t banner_code, starttls_code;
    uint8_t mode, gate;
    uint8_t n_auths, n_replies, n_order, auth_lines;
    uint8_t eols : 2;  /* bit per enum eol, command lines */
    uint8_t cases : 3; /* bit per enum smtp_case */
    uint8_t order[ORDER_MAX * ORDER_BITS / 8];
    bool has_first : 1, has_banner : 1, greeted : 1, ehlo : 1, helo_verb : 1;
    bool quit : 1, has_banner_ms : 1, has_first_ms : 1, space : 1;
    bool unbracketed : 1, bracketed : 1, params : 1, rset : 1;
    bool starttls_offered : 1, starttls_used : 1, starttls_refused : 1;
    bool stripped : 1, injected : 1, pipelining_offered : 1, pregreet : 1;
    bool pipelined_unoffered : 1, bare_lf : 1, non_smtp : 1;
    bool server_lost : 1; /* the next server line may be the rest of one */
    bool fragment : 1;    /* and the next client line */
    bool realign : 1;     /* replies were lost */
    bool answered : 1;    /* a reply came since the last command */
    bool familiar : 1;    /* it is SMTP or TLS: smtp_foreign.c */
    bool auth_lost : 1;   /* bytes of an AUTH exchange were lost */
    bool waits : 1;       /* a reply was outstanding at the end */
    bool tls_reported : 1, implicit_tls : 1, inferred : 1, tls_begun : 1;
    bool server_tls : 1, knows_smtp : 1, spoke_client : 1, spoke_server : 1;
    bool lmtp : 1;          /* LHLO was the last hello taken */
    bool authenticated : 1; /* an AUTH was answered 2xx */
};

/* With the head of malloc 256 bytes: an open connection shall take 1 KiB in
 * all, and a million of them may be open. */
_Static_assert(sizeof(struct smtp) <= 248, "of each open connection");

/* What the session in call is charged to. */
static inline struct mem *
smtp_mem(const struct smtp *s)
{
    return s->ctx->own;
}

/* The verb of the command number i below s->n_order. */
static inline enum smtp_verb
smtp_order(const struct smtp *s, unsigned i)
{
    const unsigned at = i * ORDER_BITS;
    const unsigned next = at / 8 + 1 < sizeof(s->order) ? at / 8 + 1 : at / 8;
    const unsigned two = s->order[at / 8] | (unsigned)s->order[next] << 8;

    return (enum smtp_verb)(two >> at % 8 & ((1U << ORDER_BITS) - 1));
}

/* Notes one more, as far as there is room. */
static inline void
smtp_order_add(struct smtp *s, enum smtp_verb v)
{
    const unsigned at = s->n_order * ORDER_BITS;
    const unsigned two = (unsigned)v << at % 8;

    if (s->n_order >= ORDER_MAX)
        return;
    s->order[at / 8] |= (uint8_t)two;
    if (two > UINT8_MAX)
        s->order[at / 8 + 1] |= (uint8_t)(two >> 8);
    s->n_order++;
}

/* What parts of messages are charged to. */
static inline struct mem *
smtp_content(const struct smtp *s)
{
    return &s->ctx->content[s->flow->shard % FLOW_SHARDS];
}

/* What messages for files are charged to: never at the cost of inspection. */
static inline struct mem *
smtp_raw(const struct smtp *s)
{
    return &s->ctx->raw[s->flow->shard % FLOW_SHARDS];
}

/* Every chunk as it comes; the name when the session is known not to be SMTP,
 * or NULL. */
void smtp_foreign_see(struct smtp *s, const struct chunk *c);
const char *smtp_foreign_name(struct smtp *s);
void smtp_foreign_free(struct smtp *s);

static inline bool
smtp_oneway(const struct smtp *s)
{
    return s->flow->half[DIR_C2S].packets == 0 ||
           s->flow->half[DIR_S2C].packets == 0;
}

/* Our place was lost and found: counted up to a bound, never back to none. */
static inline void
smtp_resync(struct smtp *s)
{
    if (s->n_resyncs < UINT16_MAX)
        s->n_resyncs++;
}

static inline bool
smtp_has_gap(const struct smtp *s)
{
    return (s->anomalies & (UINT64_C(1) << ANOM_GAP)) != 0;
}

/* Of what was not seen: bytes in a gap, a command of which nothing is known. */
#define TIME_UNKNOWN UINT64_MAX

/* Milliseconds from then to the bytes being read, or LATENCY_NONE. */
static inline uint32_t
smtp_ms_since(const struct smtp *s, ns_t then)
{
    ns_t at = s->ctx->at;
    uint64_t ms = at > then ? (at - then) / NS_PER_MS : 0;

    if (at == TIME_UNKNOWN || then == TIME_UNKNOWN)
        return LATENCY_NONE;
    return ms < LATENCY_NONE ? (uint32_t)ms : LATENCY_NONE - 1;
}

/* By the first byte alone, so that it does not matter where a segment ends. */
static inline bool
smtp_begins_tls(struct span s)
{
    return tls_looks_like(span_head(s, 1));
}

/* smtp_emit.c */
void smtp_anomaly(struct smtp *s, enum anomaly kind, enum dir d,
                  uint64_t offset, struct span detail);
/* The same at the place of the direction that has been read, without detail. */
void smtp_odd(struct smtp *s, enum anomaly kind, enum dir d);
struct record_out *smtp_record(struct smtp *s, enum event_type type,
                               const struct tx *t);
void smtp_record_done(struct smtp *s);
void smtp_emit_replies(struct record_out *r, const struct vec *log);
void smtp_emit_session(struct smtp *s, enum end_why why);
void smtp_emit_tls(struct smtp *s);
void smtp_emit_attempt(struct smtp_ctx *c, struct flow *f, bool refused,
                       bool answered, ns_t when);

/* smtp_tx.c */
struct tx *smtp_tx_new(struct smtp *s);
/* The transaction that a command joins; made when there is none. */
struct tx *smtp_tx_get(struct smtp *s);
/* A new one for MAIL. The one in progress ends, unless the server refuses the
 * second MAIL with 503 (RFC 5321 4.1.4): then it goes on, and the new one never
 * was, which smtp_tx_mail_refused finds out from the reply. */
struct tx *smtp_tx_mail(struct smtp *s);
bool smtp_tx_mail_refused(struct smtp *s, struct tx *t, unsigned code);
/* The current one never was: its number is used again. Stays when something is
 * known of it, or a reply is awaited. */
void smtp_tx_discard(struct smtp *s, struct tx *t);
/* No command joins the current one any more. */
void smtp_tx_close(struct smtp *s, enum cut why);
/* Reports what is settled. */
void smtp_tx_settle(struct smtp *s);
void smtp_tx_end_all(struct smtp *s);
void smtp_tx_reply(struct smtp *s, const struct pending *p, unsigned code,
                   struct span text, uint32_t latency_ms);
void smtp_tx_part(struct smtp *s, struct tx *t);
void smtp_tx_free(struct smtp *s, struct tx *t);

/* smtp_message.c */
void smtp_message_begin(struct smtp *s, struct tx *t, enum via via);
void smtp_message_content(struct smtp *s, struct tx *t, struct span in);
void smtp_message_gap(struct smtp *s, struct tx *t, uint64_t lost);
void smtp_message_variant(struct smtp *s, struct tx *t, enum smtp_eod e);
void smtp_message_end(struct smtp *s, struct tx *t);
/* Sends the message to its file, where the operator asked for it and it was
 * seen whole: just before its event. */
void smtp_message_carve(struct smtp *s, const struct tx *t);
void smtp_message_emit(const struct tx *t, struct record_out *r);
void smtp_message_emit_header(const struct tx *t, struct record_out *r);
/* The record is whole but for what its parts say. */
void smtp_message_done(struct smtp *s, const struct tx *t,
                       struct record_out *r);
/* There was no message after all. */
void smtp_message_undo(struct smtp *s, struct tx *t);
bool smtp_message_smuggles(const struct tx *t);
bool smtp_message_smuggle_reply(struct tx *t);
void smtp_message_free(struct smtp *s, struct tx *t);

/* smtp_parts.c; NULL is fine but for new, which gives it without memory */
struct parts;
struct parts *smtp_parts_new(struct smtp *s, struct tx *t);
void smtp_parts_free(struct parts *ps);
void smtp_parts_data(struct parts *ps, struct span in);
void smtp_parts_gap(struct parts *ps, uint64_t lost);
void smtp_parts_end(struct parts *ps, bool complete);
void smtp_parts_emit(struct parts *ps, struct record_out *r);
const char *smtp_parts_class(const struct parts *ps); /* or NULL */
struct mail_facts;
void smtp_parts_facts(const struct parts *ps, struct mail_facts *f);
/* What a part adds to the event of its mail; true: it has an event of its own.
 */
bool smtp_parts_note(struct parts *ps, const struct part *p);
/* Stays beyond its free while something of it waits. */
void smtp_parts_hold(struct parts *ps, struct smtp_late *late);
void smtp_parts_let_go(struct parts *ps);
struct smtp_late *smtp_parts_late(const struct parts *ps);
uint32_t smtp_parts_tx(const struct parts *ps);

/* smtp_late.c: a part may wait for its inspection, and all later records of its
 * flow behind it, whose numbers are given when they go. */
/* A part that has ended waits, or the flow does: it is the caller's no more.
 * silent: it has no event, whatever is found. */
bool smtp_late_part(struct smtp *s, const struct tx *t, struct part *p,
                    bool silent);
/* The record in ctx->rec, whose flow waits. */
bool smtp_late_record(struct smtp *s);
/* The same of a mail, without what its parts say. */
bool smtp_late_mail(struct smtp *s, struct parts *ps,
                    const struct mail_facts *f);
/* Before a record is begun: when too much waits, the flow is given out. */
void smtp_late_make_room(struct smtp *s);
/* The session ends; what waits does not. */
void smtp_late_leave(struct smtp *s);
void smtp_late_free(struct smtp_ctx *c);

/* smtp_carve.c */
struct carve {
    struct span name;
    const char *type;
    const char *class;     /* or NULL */
    const uint8_t *sha256; /* NULL: not known, so it is not carved */
    uint64_t size;
    bool is_mail;
};
/* The bytes of a file to the core, under the number of the event that is told
 * next. False when they are not all here: then only a note of it goes. */
bool smtp_carve(struct smtp *s, const struct carve *c, struct span bytes);
/* Stars over what follows AUTH in lines that may be commands, up to the next
 * one that surely is another. */
void smtp_carve_mask(uint8_t *p, size_t n);

/* smtp_score.c: all but what the parts say, and email.score, email.symbols */
void smtp_score_facts(const struct smtp *s, const struct tx *t,
                      const struct header *h, struct mail_facts *f);
void smtp_score_emit(const struct mail_facts *f, struct record_out *r);

/* smtp_client.c */
/* Returns how many bytes it took: fewer when a gate closed on the way. */
size_t smtp_client_bytes(struct smtp *s, const struct chunk *c);
void smtp_client_gap(struct smtp *s, uint64_t lost);
void smtp_client_begin_data(struct smtp *s, struct tx *t);
void smtp_client_tls(struct smtp *s);
/* Bytes of the message in transfer were lost. */
void smtp_client_data_gap(struct smtp *s, uint64_t lost);
/* The server's word on what the gate waits for. */
void smtp_gate_open(struct smtp *s, bool accepted);
/* No word will come: judge by what the client sent next. */
void smtp_gate_guess(struct smtp *s, struct span next);
/* The same where the client has read a reply that was lost to us, and with it
 * all replies before. */
void smtp_gate_passed(struct smtp *s, struct span next);
/* A reply came while a message with lost bytes was read: its end was lost. */
void smtp_client_data_answered(struct smtp *s);
/* DATA or a chunk that we follow was refused: there is no message. */
void smtp_client_data_refused(struct smtp *s);
void smtp_client_end(struct smtp *s);

/* smtp_server.c */
/* Returns how many bytes it took: fewer when it opened a gate. */
size_t smtp_server_bytes(struct smtp *s, const struct chunk *c);
void smtp_server_gap(struct smtp *s, uint64_t lost);
void smtp_pending_add(struct smtp *s, enum smtp_verb verb, struct tx *t,
                      uint32_t rcpt);
struct pending *smtp_pending_head(struct smtp *s);
struct pending *smtp_pending_last(struct smtp *s);
void smtp_pending_pop(struct smtp *s);
/* Those whose reply was lost, at a command of a client that shows by its
 * acknowledgement that it has read it. */
void smtp_pending_passed(struct smtp *s, enum smtp_verb next);
/* Those before the last one were answered, in what was lost. */
void smtp_pending_keep_last(struct smtp *s);
/* May the reply to the last one have been lost? */
bool smtp_pending_in_gap(const struct smtp *s);
void smtp_pending_drop_all(struct smtp *s);
/* No reply to the commands of t, the oldest, is waited for any more. */
void smtp_pending_give_up(struct smtp *s, const struct tx *t);
/* Notes the code, or what else is learnt, of AUTH attempt number n. */
void smtp_auth_mark(struct smtp *s, uint32_t n, unsigned code,
                    enum auth_fact fact);

#endif
