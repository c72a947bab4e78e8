#ifndef SPAN25_DISSECTORS_SMTP_DATA_H
#define SPAN25_DISSECTORS_SMTP_DATA_H
/* smtp_data - framing of a message after DATA, RFC 5321 4.1.1.4 and 4.5.2
 *
 * Two recognisers run over the same bytes. The strict one ends the message at
 * CRLF . CRLF only and decides the framing. The lenient one names every other
 * sequence that some server takes for the end (CVE-2023-51764 and kin); it only
 * tells. Content comes out dot-unstuffed, with its line ends, without the final
 * dot line, in borrowed pieces. */
#include "dissectors/smtp_scan.h"

#define SMTP_EOD_MAP(X)                                                        \
    X(NONE, "")                                                                \
    X(LF_LF, "\\n.\\n")                                                        \
    X(LF_CR, "\\n.\\r")                                                        \
    X(LF_CRLF, "\\n.\\r\\n")                                                   \
    X(CR_LF, "\\r.\\n")                                                        \
    X(CR_CR, "\\r.\\r")                                                        \
    X(CR_CRLF, "\\r.\\r\\n")                                                   \
    X(NUL_CRLF, "\\r\\n\\x00.\\r\\n")                                          \
    X(CRLF_LF, "\\r\\n.\\n")                                                   \
    X(CRLF_CR, "\\r\\n.\\r")                                                   \
    X(CRLF_CRCRLF, "\\r\\n.\\r\\r\\n")                                         \
    X(CRCRLF_CRCRLF, "\\r\\r\\n.\\r\\r\\n")

enum smtp_eod {
#define SMTP_EOD_ENUM(id, name) SMTP_EOD_##id,
    SMTP_EOD_MAP(SMTP_EOD_ENUM)
#undef SMTP_EOD_ENUM
};

const char *smtp_eod_name(enum smtp_eod e);

enum smtp_data_odd { SMTP_DATA_BARE_LF, SMTP_DATA_BARE_CR, SMTP_DATA_NUL };
#define SMTP_DATA_ODDS 3

struct smtp_data_ops {
    void (*content)(void *ctx, struct span s);
    /* An irregular end of data; what follows it comes as content next. */
    void (*variant)(void *ctx, enum smtp_eod e);
    /* The message's first such byte, once each: at bytes from the beginning of
     * the input not yet consumed; a CR may lie one before it. */
    void (*odd)(void *ctx, enum smtp_data_odd what, ptrdiff_t at);
};

struct smtp_data {
    struct smtp_scan_facts facts;
    uint8_t state;   /* enum in the .c file */
    uint8_t before;  /* what stood before the dot */
    uint8_t tail[3]; /* last bytes, newest last */
    bool unknown;    /* what stood before the next byte was lost */
};

/* As after the CRLF of the DATA command. */
void smtp_data_init(struct smtp_data *d);
/* After a gap, or in mid-stream: not known to be at the start of a line. */
void smtp_data_lost(struct smtp_data *d);

/* Consumes up to and including the end of data. True when it was met; *in is
 * what follows it. */
bool smtp_data_push(struct smtp_data *d, smtp_scan_fn scan, struct span *in,
                    const struct smtp_data_ops *ops, void *ctx);

#endif
