/* config_fuzz - any file is refused with a message or gives values in range */
#include "sensor/app/config.h"
#include "sensor/app/config_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What was accepted can be printed, and read again to the same. */
static void
print_again(const struct config *c)
{
    struct config again;
    struct buf first, second;

    buf_init(&first, 1U << 24);
    buf_init(&second, 1U << 24);
    REQUIRE(options_init(&again) == ERR_OK);
    config_text_show(c, false, &first);
    if (first.n <= CONFIG_FILE_MAX) {
        REQUIRE(config_parse(buf_view(&first), "f", &again, &second) == ERR_OK);
        REQUIRE(second.n == 0);
        config_text_show(&again, false, &second);
        REQUIRE(span_eq(buf_view(&first), buf_view(&second)));
    }
    options_fini(&again);
    buf_free(&first);
    buf_free(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *in = malloc(n + (n == 0));
    struct config c;
    struct buf messages;
    enum err e;

    if (in == NULL || options_init(&c) != ERR_OK) {
        free(in);
        return 0;
    }
    if (n > 0)
        memcpy(in, data, n);
    buf_init(&messages, 1U << 20);
    e = config_parse(span_of(in, n), "f", &c, &messages);
    REQUIRE((e == ERR_CONFIG) == (messages.n > 0));
    if (e == ERR_OK) {
        REQUIRE(c.workers >= 1 && c.workers <= 64);
        REQUIRE(c.ports.n >= 1 && c.ports.n <= 64);
        print_again(&c);
    }
    options_fini(&c);
    buf_free(&messages);
    free(in);
    return 0;
}
