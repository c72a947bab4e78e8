#ifndef SPAN25_BASE_JSON_OUT_H
#define SPAN25_BASE_JSON_OUT_H
/* json_out - an append-only JSON writer (RFC 8259)
 *
 * Output is always valid UTF-8: bytes that are not become U+FFFD. The caller
 * opens and closes what it opened; depth is at most JSON_DEPTH. Commas are the
 * writer's business. */
#include "sensor/base/buf.h"

#define JSON_DEPTH 16

struct json_out {
    struct buf *out;
    uint32_t comma; /* bit per depth: a value was written there */
    unsigned depth;
};

static inline struct json_out
json_out_open(struct buf *out)
{
    return (struct json_out){out, 0, 0};
}

void json_begin(struct json_out *j, char bracket); /* '{' or '[' */
void json_end(struct json_out *j, char bracket);   /* '}' or ']' */

/* The key of the next value; key is one of our own words, written as it is. */
void json_key(struct json_out *j, const char *key);

/* Returns true when invalid UTF-8 was replaced. */
bool json_str(struct json_out *j, struct span s);
void json_u64(struct json_out *j, uint64_t v);
void json_i64(struct json_out *j, int64_t v);
/* The fewest digits that give the same number again; what is not a number is
 * null, what is infinite "inf" or "-inf". */
void json_double(struct json_out *j, double v);
void json_bool(struct json_out *j, bool v);
void json_null(struct json_out *j);

/* Text that is JSON already. */
void json_raw(struct json_out *j, struct span s);

/* How many bytes at the head of s stand for themselves in a JSON string:
 * printable ASCII without quote and backslash. */
size_t json_plain_run(struct span s);

#define JSON_ESCAPE_MAX 6 /* bytes that one byte may become */

/* Writes s as the inside of a JSON string at `at`, which has room for
 * JSON_ESCAPE_MAX * s.n bytes, and gives the end. Sets *replaced when invalid
 * UTF-8 was replaced, and leaves it as it is otherwise. */
uint8_t *json_escape(uint8_t *at, struct span s, bool *replaced);

#endif
