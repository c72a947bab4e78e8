#ifndef SPAN25_TESTS_EVALUATE_WORLD_H
#define SPAN25_TESTS_EVALUATE_WORLD_H
/* world - the made-up outside: organisations, their servers and their habits
 *
 * Nothing is stored: what an organisation is like follows from its number and
 * the seed of the run. Two of five are looked after by one of 25 providers,
 * whose servers and AS they share; a third of the others, a fifth of all, defer
 * what they do not know (greylisting). Names end in .example (RFC 2606). */
#include "sensor/base/addr.h"

#define WORLD_ORGS      20000U
#define WORLD_PROVIDERS 25U

struct org {
    uint32_t number;
    uint32_t as; /* of its servers; private numbers, RFC 6996 */
    bool greylists;
    bool hosted; /* by a provider */
    struct addr server;
};

/* Server of the asked family; a provider has eight. */
struct org world_org(uint64_t seed, uint32_t number, bool ipv6, uint32_t pick);

/* The hop limit with which a server's packets arrive: what systems begin with,
 * less 5 to 20 hops. */
uint8_t world_ttl(uint64_t seed, const struct addr *server);

/* "o123.example" and "mx.o123.example" (of a provider "mx3.p7.example"). */
void world_domain(const struct org *o, struct buf *out);
void world_server_name(const struct org *o, struct buf *out);

#endif
