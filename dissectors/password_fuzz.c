#include "dissectors/password.h"

#include <stdlib.h>

/* The first byte says which kind of text the others are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size);
    struct span text = span_tail(all, 1);
    uint8_t *exact = malloc(text.n + (text.n == 0));

    if (exact == NULL)
        return 0;
    if (text.n > 0)
        memcpy(exact, text.p, text.n);
    (void)password_given(span_of(exact, text.n), (span_at(all, 0) & 1) != 0);
    free(exact);
    return 0;
}
