#ifndef SPAN25_RULES_REGISTRY_LEASES_ENTRY_H
#define SPAN25_RULES_REGISTRY_LEASES_ENTRY_H
/* leases_entry - what the readers of lease files hand to leases
 *
 * For leases*.c only. Readers keep no memory: texts are borrowed until
 * leases_add comes back. */
#include "rules/registry/leases.h"

enum leases_kind {
    LEASES_HELD,
    LEASES_BACK,   /* given back by its holder at its start */
    LEASES_REFUSED /* declined or abandoned: nobody's from its start */
};

struct leases_entry {
    struct addr addr;
    ns_t start;
    ns_t end;
    enum leases_kind kind;
    struct span holder; /* as in struct lease, or empty */
    struct span name;   /* as sent */
};

struct leases_input {
    struct leases *leases;
    struct span text;
    const char *name;
    size_t *faulty;
    struct buf *messages;
    struct buf room;
    bool understood; /* a head, a block or a statement was */
    enum err err;    /* ERR_NOMEM or ERR_LIMIT: reading ends */
};

/* False when reading must end; err says why. */
bool leases_add(struct leases_input *in, const struct leases_entry *e);
/* One fault, "what" after a quoted value (when it is not empty). */
void leases_fault(struct leases_input *in, size_t line, struct span value,
                  const char *what);

/* Bytes as a holder's text: hexadecimal with colons. */
void leases_hex(struct span bytes, struct buf *out);
/* The same of a text of two-digit groups with : or - between; false when it is
 * none. */
bool leases_hex_text(struct span text, struct buf *out);
/* Seconds since 1970; false when that is outside ns_t. */
bool leases_seconds(struct span text, ns_t *out);

bool leases_csv_is(struct span text); /* its first line is a known head */
void leases_csv_read(struct leases_input *in);
void leases_isc_read(struct leases_input *in);

#endif
