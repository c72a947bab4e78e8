#ifndef SPAN25_SINKS_PEER_NAME_H
#define SPAN25_SINKS_PEER_NAME_H
/* peer_name - looks up the name of a host, and nobody waits for it
 *
 * getaddrinfo waits for as long as resolv.conf says, ten seconds and more where
 * servers are away, and who serves several sinks must not. A thread of its own
 * asks, for each look-up one; an address in numbers needs none. It ends when
 * the resolver does: who asks again before that has two.
 *
 * One thread may use a look-up. */
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

struct peer_name;

/* Begins to ask, for TCP. NULL: there is no memory, or no thread. */
struct peer_name *peer_name_ask(const char *host, uint16_t port);
/* False: not yet. *number is that of getaddrinfo; when it is 0, *all has at
 * least one address, and is n's. */
bool peer_name_answer(const struct peer_name *n, int *number,
                      const struct addrinfo **all);
/* Also one that is still asked for. NULL is fine. */
void peer_name_drop(struct peer_name *n);

#endif
