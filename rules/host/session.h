#ifndef SPAN25_RULES_HOST_SESSION_H
#define SPAN25_RULES_HOST_SESSION_H
/* session - what connections tell: evidence, identity, guessing, serving mail
 *
 * Nobody off the path can make a host look as if it had evidence: it takes a
 * handshake and an acknowledgement of what the server said behind its greeting
 * (DETECTION 6.1). Identity is in conflict (6.2) when two MAC addresses spoke
 * for it within a day, when both ends of a connection spoke from one, when
 * servers' packets came by no router (paths.h), with hop limits that are all
 * alike or not those that others see, or when the host itself objected with
 * RSTs. A sensor behind two routers that share the load sees two for every
 * host: then nothing is ever stopped there without a human, which is the safe
 * side. */
#include "rules/host/state.h"

/* Both sides were heard, from the handshake on. */
bool session_counts(const struct record_map *session);
bool session_is_tls(const struct record_map *session);
/* Only the server was heard, of an outbound connection. */
bool session_is_triangle(const struct hosts *h, const struct scene *s);

/* By which way the packets of both ends came; learns from it. */
enum path session_path(struct hosts *h, const struct scene *s);
/* Of a host at home that opened it. */
void session_outward(struct hosts *h, uint32_t i, const struct scene *s);
/* Of a host at home that took it. */
bool session_is_served(const struct scene *s);
/* Attempts to authenticate of any client; true when any failed. */
bool session_guesses(const struct record_map *session);
void session_auth(const struct hosts *h, struct detail *d,
                  const struct scene *s);

/* Signs that somebody speaks in its name, a bit each. */
#define SESSION_SIGNS(X)                                                       \
    X(MACS, "macs")                                                            \
    X(ONE_MAC, "one_mac")                                                      \
    X(PATH, "path")                                                            \
    X(ONE_TTL, "one_hop_limit")                                                \
    X(ODD_TTL, "odd_hop_limit")                                                \
    X(OBJECTS, "objects")                                                      \
    X(FOLDED, "folded")
enum session_sign {
#define SIGN_ENUM(id, word) SIGN_##id,
    SESSION_SIGNS(SIGN_ENUM)
#undef SIGN_ENUM
        SIGN_COUNT
};
uint32_t session_conflict(const struct host *host, const struct detail *d);
const char *session_sign(enum session_sign sign);

#endif
