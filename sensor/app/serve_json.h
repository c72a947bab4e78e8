#ifndef SPAN25_APP_SERVE_JSON_H
#define SPAN25_APP_SERVE_JSON_H
/* serve_json - parts of a JSON text, without a tree
 *
 * What the verbs print is looked through where it lies: a value is the span of
 * its text. Strings that are compared have no escapes, or are taken apart. */
#include "sensor/base/buf.h"
#include "sensor/base/json_in.h"

#define SERVE_JSON_DEPTH 32U /* deeper nesting is no document of ours */

/* The next value, whole, as it stands there; j->text is used as room. False:
 * there is none, it is broken, or too deep. */
MUST_USE bool serve_json_value(struct json_in *j, struct span *out);

/* The value of a key of this object; empty where there is none. */
struct span serve_json_get(struct span object, const char *key);

/* Goes through the values of an array, or the members of an object (key is
 * then raw, without its quotes). False: no more, or it is broken; then *bad. */
struct serve_json_walk {
    struct json_in in;
    bool object, begun, bad;
    struct buf key;  /* one that had escapes */
    struct buf room; /* strings that are passed over */
};

void serve_json_begin(struct serve_json_walk *w, struct span value);
bool serve_json_next(struct serve_json_walk *w, struct span *key,
                     struct span *value);
void serve_json_end(struct serve_json_walk *w);

/* The text of a string value, its escapes taken out; of another value as it
 * stands there. */
void serve_json_text(struct span value, struct buf *out);
/* A number without sign or point; else `otherwise`. */
uint64_t serve_json_u64(struct span value, uint64_t otherwise);
/* Of a string without escapes. */
bool serve_json_is(struct span value, const char *text);

#endif
