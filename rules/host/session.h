#ifndef SPAN25_RULES_HOST_SESSION_H
#define SPAN25_RULES_HOST_SESSION_H
/* session - what connections tell: evidence, identity, guessing, serving mail
 *
 * Nobody off the path can make a host look as if it had evidence: it takes a
 * handshake and an acknowledgement of what the server said behind its greeting
 * (DETECTION 6.1). Identity is in conflict (6.2) when two MAC addresses spoke
 * for it within a day, or both ends of a connection spoke from one. A sensor
 * behind two routers that share the load sees two for every host: then nothing
 * is ever stopped there without a human, which is the safe side. */
#include "rules/host/state.h"

/* Both sides were heard, from the handshake on. */
bool session_counts(const struct record_map *session);
bool session_is_tls(const struct record_map *session);
/* Only the server was heard, of an outbound connection. */
bool session_is_triangle(const struct hosts *h, const struct scene *s);

/* Of a host at home that opened it. */
void session_outward(struct hosts *h, uint32_t i, const struct scene *s);
/* Of a host at home that took it. */
bool session_is_served(const struct scene *s);
/* Attempts to authenticate of any client; true when any failed. */
bool session_guesses(const struct record_map *session);
void session_auth(const struct hosts *h, struct detail *d,
                  const struct scene *s);

bool session_conflict(const struct host *host, const struct detail *d);

#endif
