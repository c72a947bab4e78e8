/* mime_param_fuzz - a Content-* field; all of its keys
 *
 * First byte: which key. */
#include "dissectors/mime_param.h"
#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct span keys[] = {
        SPAN_INIT("name"),
        SPAN_INIT("filename"),
        SPAN_INIT("boundary"),
        SPAN_INIT("charset"),
    };
    struct charset cs;
    struct mime_values v;
    uint8_t *copy = malloc(n + 1);

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    charset_init(&cs);
    mime_values_init(&v);
    for (unsigned words = 0; n > 0 && words < 2; words++)
        mime_param_find(&cs, span_of(copy + 1, n - 1), keys[copy[0] % 4],
                        words == 1, &v);
    REQUIRE(v.n <= MIME_VALUES);
    for (unsigned i = 0; i < v.n; i++) {
        REQUIRE(mime_value_text(&v, i).n > 0);
        REQUIRE(mime_value_text(&v, i).n <= MIME_VALUE_MAX);
        for (unsigned k = 0; k < i; k++)
            REQUIRE(!span_eq(mime_value_text(&v, i), mime_value_text(&v, k)));
    }
    mime_values_free(&v);
    charset_fini(&cs);
    free(copy);
    return 0;
}
