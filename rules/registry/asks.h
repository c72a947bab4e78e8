#ifndef SPAN25_RULES_REGISTRY_ASKS_H
#define SPAN25_RULES_REGISTRY_ASKS_H
/* asks - which line asked for which prefix and port, and since when
 *
 * Part of the book (book.h): its look-up. A line has an ask for each address,
 * port, direction and protection that it ever had, so that an event of then is
 * judged by what stood then. Asks of one prefix are a chain; its head is in a
 * map of prefixes, and beside it, in the same cache line, what most events need
 * of the chain: the first line's answer, while that is the last word. There are
 * two maps: a large one, and a small one of what came since it was made, which
 * is made anew at each asks_index; when the small one has grown past a
 * sixty-fourth (and 256), both become one. So the next change costs little, and
 * many cost no more than a constant each. */
#include "rules/registry/book.h"
#include "rules/registry/prefix_map.h"

#define ASK_NONE UINT32_MAX

struct ask {
    const struct book_line *line;
    ns_t from, until; /* when it stood */
    ns_t protected_until;
    ns_t state_from, state_to; /* when the line's state was that: most events
                                * need not look at the line */
    uint32_t next;             /* of the same prefix */
    uint32_t head;
    uint16_t port;
    uint8_t use, bits, state;
};

/* The asks of a prefix stand by the arrival of their lines. */
struct asks_head {
    struct prefix prefix;
    uint32_t first, last, n;
};

struct asks {
    struct ask *v;
    size_t n, cap;
    struct asks_head *heads; /* by arrival */
    size_t n_heads, cap_heads;
    uint32_t *slots; /* head + 1 by hash of its prefix */
    size_t n_slots;  /* a power of two */
    struct prefix_map *large, *small;
    size_t n_large, n_indexed; /* heads in large; in both */
};

void asks_fini(struct asks *k);

/* How often the prefix was asked for. */
uint32_t asks_count(const struct asks *k, const struct prefix *p);
/* Room for n more. */
MUST_USE enum err asks_reserve(struct asks *k, size_t n);
/* Is what a form line says, with that protection, not what l (NULL: a new line)
 * asked for already? */
bool asks_is_news(const struct asks *k, const struct book_line *l,
                  const struct form_line *asked, ns_t protected_until);
/* Brings the line's ask up to what the line says now. */
void asks_put(struct asks *k, struct book_line *l, ns_t when);

MUST_USE enum err asks_index(struct asks *k);
struct book_verdict asks_judge(const struct asks *k, const struct addr *a,
                               uint16_t port, enum form_use use, ns_t when);

#endif
