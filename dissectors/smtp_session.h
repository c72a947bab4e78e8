#ifndef SPAN25_DISSECTORS_SMTP_SESSION_H
#define SPAN25_DISSECTORS_SMTP_SESSION_H
/* smtp_session - what the parts of the SMTP dissector share
 *
 *   smtp.c          the order of the two streams, life of a session
 *   smtp_client.c   command state, message content, AUTH, STARTTLS
 *   smtp_server.c   replies, and which command each answers
 *   smtp_tx.c       transactions and their records
 *   smtp_message.c  what is kept of a message: header fields, digest, smuggling
 *   smtp_emit.c     session and anomaly records
 *
 * Private to these files. */
#include "dissectors/header.h"
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

struct smtp_ctx {
    struct record_sink sink;
    void (*describe)(void *ctx, const struct flow *f, struct record_out *r);
    void *describe_ctx;
    struct record_out rec;
    struct buf scratch;
    struct mem mem[FLOW_SHARDS];
    smtp_scan_fn scan;
    struct charset charset;
    void *sha256; /* EVP_MD, or NULL when no digests are wanted */
    struct smtp_stats stats;
};

/* ---- what is kept of a transaction, coded small ---- */

enum log_tag {
    LOG_MAIL,       /* path */
    LOG_PARAMS,     /* parameters of MAIL */
    LOG_RCPT,       /* path; recipients are numbered in this order */
    LOG_RCPT_REPLY, /* index: the recipient's number */
    LOG_REPLY,      /* index: the verb */
    LOG_FINAL,
    LOG_AUTH,       /* index: 1 when in the clear; text: mechanism */
};

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

enum via { VIA_NONE, VIA_DATA, VIA_BDAT };
enum cut { CUT_NONE, CUT_GAP, CUT_END, CUT_RESET, CUT_MIDSTREAM };

struct message; /* smtp_message.h */

struct tx {
    struct tx *next;         /* newer one */
    struct message *msg;     /* NULL: no message, or no memory for details */
    struct vec log;
    uint64_t bytes;          /* of the message */
    uint64_t size_declared;
    ns_t part_start;
    uint32_t id;
    uint32_t part;           /* parts reported so far */
    uint32_t offered, accepted, refused;
    uint32_t offered_before; /* in earlier parts */
    uint32_t temp_refused;   /* refused with 4xx */
    uint32_t last_latency;
    uint16_t n_pending;      /* replies awaited */
    uint16_t mail_code;
    uint16_t data_code;      /* refusal of DATA or a BDAT chunk */
    uint16_t final_code;
    uint16_t rcpt_code;      /* last refusal of a recipient */
    uint8_t n_replies;
    uint8_t via, cut, eod;   /* enum via, enum cut, enum smtp_eod */
    bool closed;             /* no command will join it any more */
    bool settled;            /* no reply to hidden commands will come */
    bool has_mail, null_sender, smtputf8, has_size;
    bool has_final, complete, high, lost, inferred;
};

/* ---- commands without a reply yet ---- */

struct pending {
    ns_t when;
    uint64_t end;   /* client offset after the command */
    uint64_t acked; /* server bytes that the client had received */
    struct tx *tx;
    uint32_t rcpt;  /* recipient's number, or for AUTH its mechanism's log */
    uint8_t verb;
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

struct smtp {
    struct smtp_ctx *ctx;
    struct flow *flow;
    struct mem *mem;
    struct vec banner, helo, caps, replies, auths;
    struct vec held[2];
    uint32_t held_at[2];       /* bytes of held that are done */
    struct line_in line[2];
    struct vec reply;          /* text of the reply begun */
    struct pending first;      /* the only one in a lock-step session */
    struct vec queue;          /* the others: struct pending */
    uint32_t queue_head;       /* bytes of queue that are done */
    struct tx *txs;            /* oldest first */
    struct tx *tx;             /* that commands join now, or NULL */
    struct tls *tls;
    struct smtp_data data;
    uint64_t pos[2];           /* stream offset read so far */
    uint64_t recv[2];          /* and seen, held bytes included */
    uint64_t bdat_left;
    uint64_t reply_end;        /* server offset after the last reply */
    uint64_t banner_end;       /* and after the greeting, the EHLO reply */
    uint64_t caps_end;
    uint64_t anomalies;        /* bit per enum anomaly */
    uint64_t cmd_acked;        /* of the bytes being read */
    ns_t now;                  /* stream time of this call */
    ns_t at;                   /* and when the bytes being read came */
    uint64_t gap_end;          /* server offset after the last gap */
    uint32_t n_tx, n_messages, n_commands, n_resyncs, n_pipelined, n_unanswered;
    uint32_t banner_ms, first_command_ms;
    uint32_t n_skipped;        /* commands beyond the pending limit */
    uint16_t reply_code, reply_lines, banner_code, starttls_code;
    uint8_t mode, gate;
    uint8_t eols;              /* bit per enum eol, command lines */
    uint8_t cases;             /* bit per enum smtp_case */
    uint8_t n_auths, n_replies, n_order, auth_lines;
    char order[24];
    bool has_first, has_banner, greeted, ehlo, helo_verb, quit, has_banner_ms,
        has_first_ms;
    bool space, unbracketed, bracketed, params, rset;
    bool starttls_offered, starttls_used, starttls_refused, stripped, injected;
    bool pipelining_offered, pregreet, pipelined_unoffered, bare_lf, non_smtp;
    bool server_lost, realign, tls_reported, implicit_tls, spoke[2], inferred;
    bool bdat_last, data_lost, server_tls, tls_begun, knows_smtp;
};

static inline bool
smtp_oneway(const struct smtp *s)
{
    return s->flow->half[DIR_C2S].packets == 0 ||
           s->flow->half[DIR_S2C].packets == 0;
}

/* smtp_emit.c */
void smtp_anomaly(struct smtp *s, enum anomaly kind, enum dir d,
                  uint64_t offset, struct span detail, ns_t when);
struct record_out *smtp_record(struct smtp *s, enum event_type type, ns_t when,
                               const struct tx *t);
void smtp_record_done(struct smtp *s);
void smtp_emit_replies(struct record_out *r, const struct vec *log);
void smtp_emit_session(struct smtp *s, enum end_why why, ns_t when);
void smtp_emit_tls(struct smtp *s, ns_t when);
void smtp_emit_attempt(struct smtp_ctx *c, struct flow *f, bool refused,
                       bool answered, ns_t when);

/* smtp_tx.c */
struct tx *smtp_tx_new(struct smtp *s, ns_t when);
/* The transaction that a command joins; made when there is none. */
struct tx *smtp_tx_get(struct smtp *s, ns_t when);
/* No command joins the current one any more. */
void smtp_tx_close(struct smtp *s, enum cut why, ns_t when);
/* Reports what is settled. */
void smtp_tx_settle(struct smtp *s, ns_t when);
void smtp_tx_end_all(struct smtp *s, ns_t when);
void smtp_tx_reply(struct smtp *s, const struct pending *p, unsigned code,
                   struct span text, uint32_t latency_ms, ns_t when);
void smtp_tx_part(struct smtp *s, struct tx *t, ns_t when);
void smtp_tx_free(struct smtp *s, struct tx *t);

/* smtp_message.c */
void smtp_message_begin(struct smtp *s, struct tx *t, enum via via);
void smtp_message_content(struct smtp *s, struct tx *t, struct span in);
void smtp_message_gap(struct smtp *s, struct tx *t, uint64_t lost);
void smtp_message_variant(struct smtp *s, struct tx *t, enum smtp_eod e,
                          ns_t when);
void smtp_message_end(struct smtp *s, struct tx *t);
void smtp_message_emit(const struct tx *t, struct record_out *r);
void smtp_message_emit_header(const struct tx *t, struct record_out *r);
bool smtp_message_smuggles(const struct tx *t);
bool smtp_message_smuggle_reply(struct tx *t);
void smtp_message_free(struct smtp *s, struct tx *t);

/* smtp_client.c */
/* Returns how many bytes it took: fewer when a gate closed on the way. */
size_t smtp_client_bytes(struct smtp *s, const struct chunk *c);
void smtp_client_gap(struct smtp *s, uint64_t lost, ns_t when);
void smtp_client_begin_data(struct smtp *s, struct tx *t);
void smtp_client_end_data(struct smtp *s, struct tx *t, ns_t when);
void smtp_client_tls(struct smtp *s);
/* The server's word on what the gate waits for. */
void smtp_gate_open(struct smtp *s, bool accepted);
/* No word will come: judge by what the client sent. */
void smtp_gate_guess(struct smtp *s);
/* A reply came while a message with lost bytes was read: its end was lost. */
void smtp_client_data_answered(struct smtp *s);
void smtp_client_end(struct smtp *s, ns_t when);

/* smtp_server.c */
void smtp_server_bytes(struct smtp *s, const struct chunk *c);
void smtp_server_gap(struct smtp *s, uint64_t lost, ns_t when);
void smtp_pending_add(struct smtp *s, enum smtp_verb verb, struct tx *t,
                      uint32_t rcpt);
struct pending *smtp_pending_head(struct smtp *s);
void smtp_pending_pop(struct smtp *s);
/* Those whose reply was lost, up to a client that shows it has read it. */
void smtp_pending_passed(struct smtp *s, uint64_t acked);
void smtp_pending_drop_all(struct smtp *s);

/* smtp.c */
/* Held bytes of one direction, up to the next change of segment. */
struct span smtp_held_bytes(const struct smtp *s, enum dir d);

#endif
