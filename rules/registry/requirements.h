#ifndef SPAN25_RULES_REGISTRY_REQUIREMENTS_H
#define SPAN25_RULES_REGISTRY_REQUIREMENTS_H
/* requirements - what a mail server must fulfil, as far as the wire shows it
 *
 * Per home host, from events. Three answers, and never a fourth: observed (with
 * the event that shows it), none observed in n, not observable (with why).
 * Absence of an observation is never told as fulfilment.
 *
 * Readable is what was seen in both directions from its beginning, without a
 * gap and without having lost our place. What is not readable, and what went on
 * under TLS, is never observed and in no denominator; it is counted apart and
 * told (tls, unread). Days are UTC. A field that an old journal does not have
 * (smtp.authenticated) makes a transaction unreadable, not a violation.
 *
 * OPEN RELAY. The wire shows who gave a message to whom, not why it was taken.
 * Looked at are readable transactions of an outside client with a server at
 * home, without a successful AUTH before. Recipients are sorted by the
 * registrable domain (school.example, college.ac.uk: rules/host/org.h). Such a
 * domain is the server's own when it stands in the name of its form, in its
 * banner or in a name it gives as a client; it is one it serves when two or
 * more outside networks (/24, /64) had it accepted: so its own, those it is a
 * backup or a gateway for, and lists. It is proved to be elsewhere when, within
 * five days, the same recipient is seen again on its way from this server (or
 * another one of its site) to a server outside, or when it is one of the large
 * mailbox providers' (relay_known.def). Aliases, forwarding and lists change
 * the recipient, so they prove nothing. Recipients and clients that the form of
 * the server says it relays for (field relay_for) are left out. Observed:
 * messages were accepted, recipient and final reply, for domains that are
 * elsewhere, and neither own nor served: of a mailbox provider, or at least two
 * that went on to different networks, or four. One alone, or two that went the
 * same way, is what an unregistered backup server does: then the answer is not
 * observable, and says so. None observed: all such mail in n transactions was
 * refused, or n were refused as relaying. Cannot be told from an open relay:
 * one that opens for certain clients by their address or by POP before SMTP;
 * they need relay_for on the form. Cannot be seen: relaying under TLS on either
 * side, by %-hacks or source routes, by rewriting the recipient, onward to
 * servers at home only, of one domain only, of mail that waits for more than
 * five days or is still in the queue; in a transaction of more than 1,000
 * recipients the last part alone is read.
 *
 * Bounded: REQ_HOSTS hosts and REQ_DOMAINS pairs of server and domain, at most
 * REQ_HOST_DOMAINS of a server; beyond that counted, or not proved. The last
 * REQ_RECENT recipients are remembered. Pure. */
#include "rules/registry/book.h"
#include "sensor/event/record.h"

#define REQ_HOSTS        100000U
#define REQ_EVIDENCE     3U /* event ids kept of each */
#define REQ_DOMAINS      131072U
#define REQ_HOST_DOMAINS 1024U
#define REQ_RECENT       65536U

/* X(id, word, violation, what is observed, denominator) */
#define REQ_MAP(X)                                                             \
    X(SERVER, "speaks_smtp", false, "greets with 220", "sessions to it")       \
    X(NAME, "name_matches", false, "EHLO name as on the form",                 \
      "sessions of it with a name")                                            \
    X(NAME_OTHER, "name_differs", true, "EHLO name not as on the form",        \
      "sessions of it with a name")                                            \
    X(RELAY, "open_relay", true,                                               \
      "took mail from outside for outside, without authentication",            \
      "readable transactions from outside for outside")                        \
    X(AUTH_CLEAR, "auth_in_clear", true, "credentials crossed without TLS",    \
      "sessions to it that could be read to the end")                          \
    X(NO_STARTTLS, "no_starttls", true, "EHLO without STARTTLS",               \
      "sessions to it with an EHLO reply before TLS")                          \
    X(NO_AUTH, "mail_without_auth", true,                                      \
      "took mail on 587 without authentication",                               \
      "readable transactions on 587")                                          \
    X(SCANNER, "scanner_headers", false, "header of a virus scanner",          \
      "messages of it that could be read")                                     \
    X(VOLUME, "volume_over_declared", true, "more messages in a day",          \
      "days on which it was seen")                                             \
    X(ALIVE, "alive", false, "spoke as registered", "days since the permit")

enum requirement {
#define REQ_ENUM(id, word, violation, what, denominator) REQ_##id,
    REQ_MAP(REQ_ENUM)
#undef REQ_ENUM
        REQ_COUNT
};

enum req_answer { REQ_OBSERVED, REQ_NONE_OBSERVED, REQ_NOT_OBSERVABLE };

struct req_verdict {
    enum req_answer answer;
    uint64_t count;  /* observations; of ALIVE: days */
    uint64_t of;     /* denominator */
    uint64_t tls;    /* left out of it: under TLS */
    uint64_t unread; /* left out of it: not readable */
    bool undated;    /* of ALIVE: nobody said since when it is permitted; the
                      * denominator is days since the first event */
    const char *why_not; /* of NOT_OBSERVABLE, static: "all sessions TLS" */
    char evidence[REQ_EVIDENCE][17]; /* event ids, the first, then the latest;
                                      * one that is told twice stands once */
    size_t n_evidence;
    ns_t first, last; /* of the observations */
};

struct requirements;

MUST_USE enum err requirements_new(struct requirements **out);
void requirements_free(struct requirements *r);
/* What the registry said of the ends of an event, judged once; NULL where it
 * was not asked. */
struct req_verdicts {
    const struct book_verdict *client; /* FORM_SEND */
    const struct book_verdict *server; /* FORM_RECEIVE */
};

/* event is the map of a checked record as the core publishes it; of other types
 * than smtp and smtp_session nothing is taken. book (may be NULL) is the
 * registry in force; it lives as long as questions are asked. */
void requirements_event(struct requirements *r, const struct book *book,
                        const struct req_verdicts *verdicts,
                        const struct record_map *event);

/* Hosts in the order in which they were first seen. */
size_t requirements_n(const struct requirements *r);
uint64_t requirements_left_out(const struct requirements *r);
struct addr requirements_host(const struct requirements *r, size_t i);
/* What a host that was never seen is asked is not observable. */
struct req_verdict requirements_ask(const struct requirements *r,
                                    const struct addr *host,
                                    enum requirement what);
/* Was any host seen that this line held, and permitted what it did? */
bool requirements_saw(const struct requirements *r, const struct book_line *l);
/* Of the last event; 0 before the first. */
ns_t requirements_time(const struct requirements *r);

const char *req_word(enum requirement q);
const char *req_what(enum requirement q); /* what is observed, for people */
bool req_is_violation(enum requirement q);
const char *req_answer_word(enum req_answer a);
/* "observed, 3 of 41 sessions to it", "none observed in 41 sessions to it",
 * "not observable: all of it was under TLS", and what was left out. */
void req_text(const struct req_verdict *v, enum requirement q, struct buf *out);

#endif
