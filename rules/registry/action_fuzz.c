/* action_fuzz - the input is an audit record's text
 *
 * Whatever reads codes back to the same bytes, and its record is sealed; a text
 * that does not read leaves nothing behind. */
#include <stdlib.h>

#include "rules/registry/action.h"
#include "sensor/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(struct span text, const struct action *a)
{
    static const uint8_t zeros[32];
    struct audit seal;
    struct buf again;

    buf_init(&again, ACTION_CODE_MAX);
    action_code(a, &again);
    REQUIRE(span_eq(buf_view(&again), text));
    REQUIRE(span_find_control(text, 0) == text.n);
    REQUIRE(action_seal(text, 1, zeros, &seal) == ERR_OK && seal.number == 1);
    REQUIRE((a->form != NULL) == (a->kind == ACTION_SUBMIT));
    for (size_t i = 1; i < a->n_lines; i++)
        REQUIRE(a->lines[i - 1] < a->lines[i]);
    buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct action_room room;
    struct action a = {.kind = ACTION_COUNT};

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    if (action_read(span_of(copy, n), &a, &room) == ERR_OK)
        check(span_of(copy, n), &a);
    else
        REQUIRE(a.kind == ACTION_COUNT);
    action_room_fini(&room);
    free(copy);
    return 0;
}
