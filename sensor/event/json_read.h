#ifndef SPAN25_EVENT_JSON_READ_H
#define SPAN25_EVENT_JSON_READ_H
/* json_read - one line of JSON as a record
 *
 * Strict RFC 8259 with bounds: valid UTF-8, no lone surrogates, no duplicate of
 * a key we know, at most JSON_LINE_MAX bytes and JSON_READ_DEPTH levels. Keys
 * come in any order; the entries of a list keep theirs. Keys that fields.def
 * does not have are skipped and counted, for a newer schema may have written
 * them; so is an event_type we do not know, which reads as EVENT_NONE. What
 * json_write wrote gives the same record back, byte for byte.
 *
 * Known gap: that <key>_raw_b64 and its text agree is not checked. */
#include "sensor/base/err.h"
#include "sensor/event/json_tree.h"
#include "sensor/event/json_write.h"
#include "sensor/event/record.h"

#define JSON_READ_DEPTH  32
#define JSON_UNKNOWN_MAX 48
#define JSON_SLOTS       2048  /* more than twice the keys, a power of two */
#define JSON_WORDS       16384 /* bytes of all keys, in quotes with a colon */
#define JSON_GUESSES     2

struct json_slot {
    uint16_t word; /* of words, at the opening quote */
    uint16_t id;   /* field, or node */
    uint8_t n;     /* of the key, without its quotes */
    uint8_t node;  /* object that the key stands in */
    uint8_t kind;  /* empty, field or object */
};

/* The index is made by init; the rest is room that calls use again. For one
 * thread; freed by json_reader_free. */
struct json_reader {
    struct json_tree tree;
    struct json_slot slots[JSON_SLOTS];
    uint8_t words[JSON_WORDS];
    uint32_t n_words;
    /* The slots that came behind a key, the latest first, and behind the
     * opening of an object: keys mostly come in one order. */
    uint16_t after[JSON_SLOTS + JSON_NODES_MAX][JSON_GUESSES];
    uint64_t seen[FIELD_COUNT][2]; /* round with the key, and its raw form */
    uint64_t round;
    uint64_t unknown; /* keys and event types skipped, since init */
    uint8_t unknown_key[JSON_UNKNOWN_MAX]; /* the latest of them, cut */
    uint8_t n_unknown_key;
    struct buf text;    /* strings that had escapes */
    struct buf items;   /* values of the event, as they came */
    struct buf inner;   /* values of the open object of a list */
    struct buf objects; /* entries of objects that are whole */
    struct buf entries; /* entries of the record */
};

void json_reader_init(struct json_reader *r);
void json_reader_free(struct json_reader *r);

/* Begins out anew. ERR_FORMAT: not JSON, or a value of the wrong type;
 * ERR_LIMIT: more than a record holds, or a bound above; ERR_NOMEM. Then out is
 * not to be used, and message (begun anew) says where: "column 17: ...",
 * columns being bytes from 1. It holds none of the line's bytes. */
MUST_USE enum err json_read(struct json_reader *r, struct span line,
                            struct record_out *out, struct buf *message);

#endif
