#ifndef SPAN25_RULES_HOST_DIALECT_H
#define SPAN25_RULES_HOST_DIALECT_H
/* dialect - how a client speaks SMTP (B@bel, USENIX Security 2012; DETECTION
 * 1.5)
 *
 * From an smtp_session event: a fingerprint of the software, and what no mail
 * server does.
 *
 * THE FINGERPRINT is made of what belongs to the software and its setting
 * alone: verb of greeting, kind of name given, case of the verbs, space after
 * the colon, brackets, ends of lines, and the order of commands, in which each
 * run of MAIL, RCPT, DATA and BDAT is one transaction and equal neighbours are
 * one. Left out is what the server or the mail decides: EHLO that fell back to
 * HELO counts as EHLO; ESMTP parameters, BDAT for DATA and STARTTLS follow the
 * server's offer; RSET and NOOP between transactions and QUIT at the end follow
 * its answers; the name itself is another figure. A session that went on under
 * TLS showed less and never has the fingerprint of one that did not.
 *
 * ODD FACTS, each with its reason; none but pregreet and pipelining_unoffered
 * says much alone (see judge.h):
 *   lf_only              all command lines end in LF (RFC 5321 2.3.8)
 *   space_after_colon    MAIL FROM: <a> (3.3); old Outlook too
 *   no_brackets          a path without < > (4.1.2); simple devices too
 *   helo_address         a bare address as name (4.1.3); simple devices too
 *   no_quit              left with a reply outstanding, or by RST, after a
 *                        transaction; a connection that merely ended without
 *                        QUIT is none: servers let kept connections go so
 *   pregreet             spoke before it had the greeting (4.3.1)
 *   pipelining_unoffered did not wait for replies, without the offer (RFC 2920)
 *   lower_case           verbs and keywords all in lower case
 * A session heard from one side only, begun before the capture, or with holes
 * has neither fingerprint nor odd facts. Pure. */
#include "sensor/event/record.h"

/* X(id, word of host.dialect_odd) */
#define DIALECT_ODD_MAP(X)                                                     \
    X(LF_ONLY, "lf_only")                                                      \
    X(SPACE, "space_after_colon")                                              \
    X(NO_BRACKETS, "no_brackets")                                              \
    X(HELO_ADDRESS, "helo_address")                                            \
    X(NO_QUIT, "no_quit")                                                      \
    X(PREGREET, "pregreet")                                                    \
    X(PIPELINING, "pipelining_unoffered")                                      \
    X(LOWER_CASE, "lower_case")

enum dialect_odd {
#define DIALECT_ODD_ENUM(id, word) DIALECT_ODD_##id,
    DIALECT_ODD_MAP(DIALECT_ODD_ENUM)
#undef DIALECT_ODD_ENUM
        DIALECT_ODD_COUNT
};
const char *dialect_odd_word(enum dialect_odd o);

#define DIALECT_BIT(id) (UINT32_C(1) << DIALECT_ODD_##id)

/* No mail server does these even once: a client that does is no server. */
#define DIALECT_STRONG (DIALECT_BIT(PREGREET) | DIALECT_BIT(PIPELINING))

struct dialect {
    uint64_t fingerprint; /* never 0 */
    uint32_t odd;         /* bits 1 << enum dialect_odd */
    bool whole;           /* a transaction was seen in the clear */
};

/* False when the session says nothing of its client: out is as it was. The
 * fingerprint is the same for all seeds: it is shown to people and compared
 * between sensors. */
MUST_USE bool dialect_of(const struct record_map *session, struct dialect *out);

#endif
