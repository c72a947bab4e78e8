/* study_read_fuzz - any bytes as a study; what is read is written, and again */
#include "sensor/event/study_json.h"

#define TEXT_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
write_read(struct span text, struct buf *out)
{
    struct study_json *s = NULL;
    struct buf message;
    enum err err;

    buf_init(&message, 1000);
    err = study_json_read(text, &s, &message);
    REQUIRE((err == ERR_OK) == (message.n == 0));
    if (err == ERR_OK)
        study_json_write(study_json_result(s), out);
    study_json_free(s);
    buf_free(&message);
    return err == ERR_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf first;
    struct buf again;
    uint8_t *copy = malloc(n > 0 ? n : 1);

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    buf_init(&first, TEXT_MAX);
    buf_init(&again, TEXT_MAX);
    if (write_read(span_of(copy, n), &first)) {
        REQUIRE(write_read(buf_view(&first), &again));
        REQUIRE(span_eq(buf_view(&first), buf_view(&again)));
    }
    buf_free(&first);
    buf_free(&again);
    free(copy);
    return 0;
}
