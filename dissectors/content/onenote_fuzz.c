/* onenote_fuzz - a file as it is */
#include "dissectors/content/fuzz_content.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return fuzz_content(data, n, "a.one");
}
