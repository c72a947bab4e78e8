/* Whatever the bytes: flags for each byte and none beyond, the same each time;
 * a strict server shows no byte that another does not. */
#include "dissectors/smtp_mask.h"

#include <stdlib.h>

#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span s = span_of(data, size);
    uint8_t *a = malloc(size + 1);
    uint8_t *b = malloc(size + 1);

    if (a != NULL && b != NULL) {
        a[size] = b[size] = 7;
        (void)smtp_mask_client(s, true, a);
        (void)smtp_mask_client(s, true, b);
        REQUIRE(a[size] == 7 && memcmp(a, b, size) == 0);
        smtp_mask_server(s, true, a);
        smtp_mask_server(s, false, b);
        for (size_t i = 0; i < size; i++)
            REQUIRE(a[i] <= b[i] && b[i] <= 1);
    }
    free(a);
    free(b);
    return 0;
}
