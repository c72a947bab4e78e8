/* archive_fuzz - the input is an archive of any kind; see inspect_fuzz.h */
#include "dissectors/content/inspect_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The sanitizer asks. What libarchive reserves because a header says so, and
 * never touches, fails as it does in a process whose memory is limited. */
const char *__asan_default_options(void); /* NOLINT */

const char *
__asan_default_options(void) /* NOLINT */
{
    return "allocator_may_return_null=1:max_allocation_size_mb=512";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    inspect_fuzz(data, n, "x.tar.gz");
    return 0;
}
