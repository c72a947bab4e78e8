/* archive_fuzz - the input is an archive of any kind; see inspect_fuzz.h */
#include "dissectors/content/inspect_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    inspect_fuzz(data, n, "x.tar.gz");
    return 0;
}
