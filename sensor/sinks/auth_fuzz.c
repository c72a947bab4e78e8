/* auth_fuzz - a header is read whole or not at all, and proves nothing */
#include "sensor/sinks/auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The same words, written again. */
static void
check_mark(struct span header, const struct auth_mark *mark)
{
    static const struct auth_message m = {SPAN_INIT("t"), SPAN_INIT("k"),
                                          SPAN_INIT("v")};
    uint8_t room[AUTH_HEADER_MAX];
    struct buf again = {room, 0, sizeof(room), sizeof(room), false, false};
    struct auth_mark other;

    REQUIRE(mark->writer.n > 0 && mark->writer.n <= AUTH_WRITER_MAX);
    REQUIRE(mark->writer.p + mark->writer.n == header.p + header.n);
    REQUIRE(
        !auth_verify(SPAN_LIT("a key that nobody has signed with"), mark, &m));
    REQUIRE(auth_sign(SPAN_LIT("k"), mark->writer, mark->sequence, &m, &again));
    REQUIRE(auth_read(buf_view(&again), &other));
    REQUIRE(other.sequence == mark->sequence);
    REQUIRE(span_eq(other.writer, mark->writer));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *in = malloc(n + (n == 0));
    struct auth_mark mark;

    if (in == NULL)
        return 0;
    if (n > 0)
        memcpy(in, data, n);
    if (auth_read(span_of(in, n), &mark))
        check_mark(span_of(in, n), &mark);
    free(in);
    return 0;
}
