#ifndef SPAN25_RULES_REGISTRY_POLICY_H
#define SPAN25_RULES_REGISTRY_POLICY_H
/* policy - what the registry has against a mail connection
 *
 * From the verdicts on both ends (book_judge, each asked once an event) to
 * findings: facts by the registry's word, not yet alerts. Only mail that
 * crosses the border is judged: the client when it is outbound, the server when
 * it is inbound. Submission outward (587, 465) is open to everybody, RFC 5068
 * 3.1, so there is never a finding on it. Pure. */
#include "rules/registry/book.h"

/* X(id, word, doc), in the order in which they stand on an event */
#define POLICY_MAP(X)                                                          \
    X(SENDER, "unregistered_sender", "no permitted line holds the client")     \
    X(RECEIVER, "unregistered_receiver", "no permitted line holds the server") \
    X(OTHER_PORT, "other_port", "permitted, but not on this port")             \
    X(OTHER_DIRECTION, "other_direction", "permitted, but the other way")      \
    X(SUSPENDED, "suspended", "the permit is suspended")                       \
    X(HELO, "helo_mismatch", "the client's name is not the one on its form")

enum policy_finding {
#define POLICY_ENUM(id, word, doc) POLICY_##id,
    POLICY_MAP(POLICY_ENUM)
#undef POLICY_ENUM
        POLICY_COUNT
};

enum policy_direction {
    POLICY_ELSEWHERE, /* internal, external, or not known */
    POLICY_OUTBOUND,
    POLICY_INBOUND
};
enum policy_direction policy_direction(struct span name);

/* Is this use of that end, client or server, one that asks for a permit? Mail
 * across the border, but not submission outward. */
bool policy_needs_permit(enum policy_direction d, bool client, uint16_t port);

/* Verdicts of ends that are not at home are not looked at (NULL is fine). */
struct policy_in {
    enum policy_direction direction;
    uint16_t port;                     /* of the server */
    const struct book_verdict *client; /* asked with FORM_SEND */
    const struct book_verdict *server; /* asked with FORM_RECEIVE */
    struct span helo;                  /* bytes of the client; empty: none */
};

/* A set, bits 1 << enum policy_finding. An end that is unregistered because of
 * the port, direction or a suspension has that finding and the plain one. */
unsigned policy_judge(const struct policy_in *in);

const char *policy_word(enum policy_finding f);

/* The next of the names of a form's text (separated by blanks or commas), taken
 * off its head; empty at the end. */
struct span policy_next_name(struct span *rest);

/* Does a name that a host gives fit those of its form (separated by blanks or
 * commas)? Equal to one of them or below it, without regard to case and to a
 * dot at the end; an address literal never does. True too when the form gives
 * no name, or the host none: nothing is known against it. */
bool policy_name_fits(struct span name, const char *names);

#endif
