#ifndef SPAN25_RULES_REGISTRY_DISCOVERY_H
#define SPAN25_RULES_REGISTRY_DISCOVERY_H
/* discovery - hosts that send or receive mail, and forms filled in for them
 *
 * From events: per home host and port what it did across the border, and what
 * it looks like, with the reasons for that. "23 senders nobody told you about"
 * is the list of those that did something without a line that permits it
 * (unregistered > 0: by src_reg.state and dest_reg.state of the events; all of
 * it when the events do not say). Submission outward (465, 587) needs no line,
 * RFC 5068 3.1: its rows are never unregistered. Mail inside the site is not
 * looked at.
 *
 * The look is the one with the most points by a table of signs
 * (discovery_signs.def); it must have enough of them and more than any other,
 * else it is unclear. Mail under TLS gives few signs: messages, recipients and
 * replies are of what was readable. A deferred mail counts as not tried again
 * only four hours later.
 *
 * Bounded: DISCOVERY_HOSTS rows of host, port and role, beyond that counted;
 * DISCOVERY_PAIRS of row and peer; the last DISCOVERY_RECENT deferred
 * recipients. The order of rows is that of their figures, never of their
 * coming. Pure. */
#include "rules/registry/book.h"
#include "sensor/event/record.h"

#define DISCOVERY_HOSTS  100000U
#define DISCOVERY_PAIRS  1000000U
#define DISCOVERY_RECENT 65536U
#define DISCOVERY_NAMES  4U  /* EHLO names kept of a row */
#define DISCOVERY_FEW    16U /* different senders, recipients counted of a row */

/* X(id, word, doc) */
#define DISCOVERY_LOOKS(X)                                                     \
    X(UNCLEAR, "unclear", "too little was seen, or the signs differ")          \
    X(SERVER, "mail server", "queues, retries, speaks to many, has a name")    \
    X(LIST, "list server", "a mail server whose mail goes to many at once")    \
    X(CLIENT, "mail program", "a person's program, submits to few servers")    \
    X(APPLICATION, "application", "a program that mails its users")            \
    X(DEVICE, "device", "printer, scanner, UPS, camera: few, short, one rcpt") \
    X(BOT, "behaves like a spam bot", "many servers, refusals, no retries")

enum discovery_look {
#define DISCOVERY_ENUM(id, word, doc) DISCOVERY_##id,
    DISCOVERY_LOOKS(DISCOVERY_ENUM)
#undef DISCOVERY_ENUM
        DISCOVERY_LOOK_COUNT
};

struct discovery_row {
    struct addr addr;
    uint16_t port;
    enum form_use use; /* FORM_SEND or FORM_RECEIVE */
    const char *site;  /* or NULL */
    uint64_t sessions, tls_sessions, attempts, messages, recipients, accepted,
        refused, unknown_users, peers, days;
    uint64_t unregistered; /* sessions and attempts that no line permits */
    bool peers_more;       /* peers is a lower bound */
    ns_t first, last;
    char names[DISCOVERY_NAMES]
              [64];   /* EHLO or banner names, by first seen; cut */
    uint32_t n_names; /* different ones; > NAMES: more */
    char dialect[17]; /* fingerprint of its way to speak, hexadecimal: of its
                       * first session with commands; "" none */
    enum discovery_look look;
    char why[256];   /* the signs, with their figures; never text of the wire */
    uint64_t volume; /* messages a day, most seen */
};

struct discovery;

MUST_USE enum err discovery_new(struct discovery **out);
void discovery_free(struct discovery *d);
/* event is the map of a checked record. */
void discovery_event(struct discovery *d, const struct record_map *event);

/* Judges all rows and sorts them: by messages, then sessions, then address.
 * Rows live until the next event. */
size_t discovery_rows(struct discovery *d, const struct discovery_row **out);
uint64_t discovery_left_out(const struct discovery *d);

/* A form for rows of one site, ready but for contacts and signature: addresses,
 * ports, directions, names, volumes; what was seen stands in its notes. Rows of
 * one host and port become one line; lines are in the order of addresses. Names
 * that are no host names (letters, digits, dots, hyphens) are left out. The
 * caller ends it with form_fini, whatever came of it. ERR_LIMIT: more lines
 * than a form has. */
MUST_USE enum err discovery_form(const struct discovery_row *const *rows,
                                 size_t n, struct form *out);
const char *discovery_word(enum discovery_look l);

#endif
