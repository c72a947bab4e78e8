/* zip_fuzz - the input is a file that is taken for a zip; see inspect_fuzz.h */
#include "dissectors/content/inspect_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    inspect_fuzz(data, n, "x.zip");
    return 0;
}
