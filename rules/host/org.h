#ifndef SPAN25_RULES_HOST_ORG_H
#define SPAN25_RULES_HOST_ORG_H
/* org - the organisation that a mail goes to, as a keyed 64-bit hash
 *
 * In clear text the registrable domain of the recipient by the public suffix
 * list (libpsl's own copy of it, private suffixes too: customers of a hosting
 * firm are organisations of their own); under TLS the AS of the server, else
 * its /24 or, of IPv6, its /48. Hashes of these three never meet.
 *
 *     a@mail.example.co.uk, A@Example.CO.UK.     example.co.uk
 *     a@localhost, a@co.uk                       the domain itself
 *     a@[192.0.2.1], a@192.0.2.1                 192.0.2.0/24, as a server
 *     <@relay.test:a@example.org>                example.org (RFC 5321 A.D.3.3)
 *     <"b@c"@example.org>, a%b@example.org       example.org
 *     <>, <postmaster>, anything that is no domain (empty labels, spaces,
 *     control characters, NUL, more than 253 bytes)     none: 0
 *
 * Only ASCII letters are folded: the A-label and the U-label of one name (RFC
 * 6531) are two organisations, a known gap that counts at most one too many.
 *
 * A look into a table of ORG_CACHE entries comes first, for libpsl takes about
 * a microsecond; an entry is 16 bytes, newer ones replace older ones. Keyed, so
 * that nobody outside can aim at one entry. No other state: the same seed
 * gives the same hashes whatever was asked before. One thread. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define ORG_CACHE      16384U
#define ORG_DOMAIN_MAX 253U /* bytes, RFC 1035 2.3.4 as text */
#define ORG_NONE       UINT64_C(0)

struct org;

MUST_USE enum err org_new(uint64_t seed, struct org **out);
void org_free(struct org *o); /* NULL is fine */

/* Of a path as on the wire, with or without brackets. */
uint64_t org_of_path(struct org *o, struct span path);
/* Of a domain or an address literal. */
uint64_t org_of_domain(struct org *o, struct span domain);
/* Of the event's server: for sessions of which nothing more is seen. */
uint64_t org_of_server(const struct org *o, const struct record_map *event);
/* Of a server by its address alone. */
uint64_t org_of_addr(const struct org *o, const struct addr *server);

/* The registrable domain of a domain: its last labels, as they are written,
 * borrowed. All of it where it is a public suffix itself; empty for an address,
 * a literal, or what is no domain. */
struct span org_registrable(struct span domain);

/* What follows the last @ of a path, borrowed; empty when there is none. */
struct span org_domain_of(struct span path);

#endif
