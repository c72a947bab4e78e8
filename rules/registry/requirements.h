#ifndef SPAN25_RULES_REGISTRY_REQUIREMENTS_H
#define SPAN25_RULES_REGISTRY_REQUIREMENTS_H
/* requirements - what a mail server must fulfil, as far as the wire shows it
 *
 * Per home host, from events. Three answers, and never a fourth: observed (with
 * the event that shows it), none observed in n, not observable (with why).
 * Absence of an observation is never told as fulfilment. Bounded: REQ_HOSTS
 * hosts, beyond that counted. Pure. */
#include "rules/registry/book.h"
#include "sensor/event/record.h"

#define REQ_HOSTS    100000U
#define REQ_EVIDENCE 3U /* event ids kept of each */

/* X(id, word, violation, what is observed, denominator) */
#define REQ_MAP(X)                                                             \
    X(SERVER, "speaks_smtp", false, "greets with 220", "sessions to it")       \
    X(NAME, "name_matches", false, "EHLO name as on the form",                 \
      "sessions of it with a name")                                            \
    X(NAME_OTHER, "name_differs", true, "EHLO name not as on the form",        \
      "sessions of it with a name")                                            \
    X(RELAY, "open_relay", true,                                               \
      "took mail from outside for outside, without authentication",            \
      "readable transactions from outside that named a recipient outside")     \
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
    uint64_t count;      /* observations */
    uint64_t of;         /* denominator */
    const char *why_not; /* of NOT_OBSERVABLE, static: "all sessions TLS" */
    struct span evidence[REQ_EVIDENCE]; /* event ids, first, then latest */
    size_t n_evidence;
    ns_t first, last; /* of the observations */
};

struct requirements;

/* book (may be NULL) is asked for names, volumes and relays; it outlives it. */
MUST_USE enum err requirements_new(const struct book *book,
                                   struct requirements **out);
void requirements_free(struct requirements *r);
void requirements_event(struct requirements *r, struct span event);

size_t requirements_n(const struct requirements *r);
uint64_t requirements_left_out(const struct requirements *r);
struct addr requirements_host(const struct requirements *r, size_t i);
/* Views live until the next event. */
struct req_verdict requirements_ask(const struct requirements *r,
                                    const struct addr *host,
                                    enum requirement what);
const char *req_word(enum requirement q);
/* "observed, 3 of 41 sessions", "none observed in 41 sessions",
 * "not observable: all sessions were TLS". */
void req_text(const struct req_verdict *v, enum requirement q, struct buf *out);

#endif
