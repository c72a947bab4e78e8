#ifndef SPAN25_EVENT_JSON_WRITE_H
#define SPAN25_EVENT_JSON_WRITE_H
/* json_write - a record as one line of JSON
 *
 * Keys stand in the order of fields.def; dotted paths are nested objects, lists
 * are arrays. timestamp, flow_id, flow_seq and event_type come from the header;
 * flow_id is left out when it is 0, and flow_seq when both are 0 (events
 * without a flow). The line is valid UTF-8 without raw control characters.
 * Where a string is not UTF-8, its bad bytes are U+FFFD and a sibling
 * <key>_raw_b64 holds the exact bytes; beside a list of strings that sibling is
 * an array of the same length, null where the entry is exact. json_read gives
 * the same record back, byte for byte. */
#include "sensor/event/json_tree.h"
#include "sensor/event/record.h"

/* No record makes a longer line: a byte becomes at most JSON_ESCAPE_MAX and
 * four thirds in base64, and the words around an entry less than that. */
#define JSON_LINE_MAX (8U << 20)

/* One key, ready to be copied: a comma, the quoted key, a colon. */
struct json_word {
    uint8_t text[37];
    uint8_t n;
    uint8_t node;
    uint8_t type;
};

/* Constant after init, so threads may share it. Holds no memory of its own. */
struct json_writer {
    struct json_tree tree;
    struct json_word field[FIELD_COUNT];
    struct json_word node[JSON_NODES_MAX];
};

void json_writer_init(struct json_writer *w);

/* Appends the line of a record that passed record_check, without newline. When
 * out has no room (out->cut or out->failed is set) it is left as it was, and
 * the answer is false; a max of out->n + JSON_LINE_MAX is always enough. */
bool json_write(const struct json_writer *w, struct span record,
                struct buf *out);

#endif
