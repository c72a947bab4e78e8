/* aggregate_chunks_fuzz - any messages are a state that holds, or none
 *
 * The input is messages: a byte with the length of the key, one with that of
 * the value (255: a tombstone), key, value. */
#include "sensor/app/aggregate_chunks.h"

#include <stdlib.h>

#define TOMBSTONE 255U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
give(struct chunks_in *c, struct cursor *in)
{
    unsigned n_key = cur_u8(in), n_value = cur_u8(in);
    struct span key = cur_take(in, n_key);
    struct span value =
        n_value == TOMBSTONE ? SPAN_NONE : cur_take(in, n_value);

    if (!in->bad)
        REQUIRE(chunks_take(c, key, value) == ERR_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *room = malloc(n + (n == 0));
    struct chunks_id id, other;
    struct chunks_in *c;
    struct cursor in;
    struct buf state;
    size_t messages, others = 0;

    if (room == NULL || chunks_in_new(&c) != ERR_OK) {
        free(room);
        return 0;
    }
    if (n > 0)
        memcpy(room, data, n);
    in = cur_open(span_of(room, n));
    while (cur_left(&in) > 0)
        give(c, &in);
    buf_init(&state, CHUNKS_MAX);
    if (chunks_best(c, &id, &messages, &state) == ERR_OK)
        REQUIRE(messages > 0);
    while (chunks_other(c, NULL, others, &other, &messages))
        others++;
    REQUIRE(others <= CHUNKS_STATES);
    buf_free(&state);
    chunks_in_free(c);
    free(room);
    return 0;
}
