#ifndef SPAN25_DISSECTORS_SMTP_CMD_H
#define SPAN25_DISSECTORS_SMTP_CMD_H
/* smtp_cmd - command lines, RFC 5321 4.1
 *
 * Lenient as real servers are: any case, spaces around the colon, paths without
 * angle brackets. What was irregular is told as facts, never refused. */
#include "sensor/base/span.h"

/* X(id, verb, letter) letter: smtp.dialect.order */
#define SMTP_VERB_MAP(X)                                                       \
    X(EHLO, "EHLO", 'E')                                                       \
    X(HELO, "HELO", 'H')                                                       \
    X(LHLO, "LHLO", 'L')                                                       \
    X(MAIL, "MAIL", 'M')                                                       \
    X(RCPT, "RCPT", 'R')                                                       \
    X(DATA, "DATA", 'D')                                                       \
    X(BDAT, "BDAT", 'B')                                                       \
    X(RSET, "RSET", 'X')                                                       \
    X(QUIT, "QUIT", 'Q')                                                       \
    X(STARTTLS, "STARTTLS", 'S')                                               \
    X(AUTH, "AUTH", 'A')                                                       \
    X(NOOP, "NOOP", 'N')                                                       \
    X(VRFY, "VRFY", 'V')                                                       \
    X(EXPN, "EXPN", 'V')                                                       \
    X(HELP, "HELP", 'O')                                                       \
    X(ETRN, "ETRN", 'T')                                                       \
    X(TURN, "TURN", 'T')                                                       \
    X(SEND, "SEND", 'M')                                                       \
    X(SOML, "SOML", 'M')                                                       \
    X(SAML, "SAML", 'M')                                                       \
    X(BURL, "BURL", 'U')                                                       \
    X(XCLIENT, "XCLIENT", 'O')                                                 \
    X(XFORWARD, "XFORWARD", 'O')                                               \
    X(UNKNOWN, "?", '?')                                                       \
    X(GREETING, "GREETING", '-') /* not a command: what the banner answers */  \
    X(END, "END", '-')           /* not a command: the end of data */

enum smtp_verb {
#define SMTP_VERB_ENUM(id, name, letter) SMTP_##id,
    SMTP_VERB_MAP(SMTP_VERB_ENUM)
#undef SMTP_VERB_ENUM
        SMTP_VERB_COUNT
};

const char *smtp_verb_name(enum smtp_verb v);
char smtp_verb_letter(enum smtp_verb v);

enum smtp_case { SMTP_CASE_UPPER, SMTP_CASE_LOWER, SMTP_CASE_MIXED };

struct smtp_cmd {
    enum smtp_verb verb;
    enum smtp_case verb_case;
    struct span arg;    /* after the verb, trimmed */
    struct span path;   /* MAIL, RCPT: as written, with its brackets if any */
    struct span params; /* MAIL, RCPT: after the path */
    bool bracketed;     /* path stood in < > */
    bool space;         /* a space after the colon */
    uint64_t size;      /* BDAT */
    bool last;          /* BDAT LAST */
    bool bad;           /* argument not readable: BDAT size, missing colon */
};

/* line is without its line end. */
void smtp_cmd_parse(struct span line, struct smtp_cmd *out);

/* A line that only a client in command state writes: used to find the place
 * again after a loss, so it must not match text of a mail by chance. */
bool smtp_cmd_is_certain(struct span line);

/* The SASL mechanism that an AUTH argument begins with, in upper case, or an
 * empty span when it is none of the IANA registry. */
struct span smtp_cmd_mechanism(struct span arg);

/* A line of another protocol (Postfix's postscreen_forbidden_commands: CONNECT,
 * GET, POST, and a mail header field). */
bool smtp_cmd_is_foreign(struct span line);

/* Value of KEY=value in MAIL or RCPT parameters, or p == NULL. A key alone
 * gives an empty value. */
struct span smtp_param(struct span params, const char *key);

/* EHLO or HELO argument: fqdn, bare_word, address, address_literal, empty. */
const char *smtp_helo_class(struct span arg);

#endif
