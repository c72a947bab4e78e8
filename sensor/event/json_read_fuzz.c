/* json_read_fuzz - any bytes as a line; what is read is written, and read again
 *
 * Reader and writer are made once: their index costs more than a line. */
#include "sensor/event/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_reader r;
    static struct json_writer w;
    struct record_out a;
    struct record_out b;
    struct buf line;
    struct buf again;
    struct buf message;
    uint8_t *copy = malloc(n > 0 ? n : 1);

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    if (r.tree.n == 0) {
        json_reader_init(&r);
        json_writer_init(&w);
    }
    record_init(&a);
    record_init(&b);
    buf_init(&line, JSON_LINE_MAX);
    buf_init(&again, JSON_LINE_MAX);
    buf_init(&message, 1000);
    if (json_read(&r, span_of(copy, n), &a, &message) == ERR_OK) {
        REQUIRE(message.n == 0);
        REQUIRE(record_check(record_view(&a)));
        REQUIRE(json_write(&w, record_view(&a), &line));
        REQUIRE(json_read(&r, buf_view(&line), &b, &message) == ERR_OK);
        REQUIRE(span_eq(record_view(&a), record_view(&b)));
        REQUIRE(json_write(&w, record_view(&b), &again));
        REQUIRE(span_eq(buf_view(&line), buf_view(&again)));
    } else {
        REQUIRE(span_starts(buf_view(&message), SPAN_LIT("column ")));
    }
    buf_free(&message);
    buf_free(&again);
    buf_free(&line);
    record_free(&b);
    record_free(&a);
    free(copy);
    return 0;
}
