/* links_fuzz - the first byte says what kind of file it is, the rest is it */
#include "dissectors/content/fuzz_content.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const names[] = {
        "a.lnk",        "a.url", "a.rdp",
        "a.slk",        "a.ics", "a.settingcontent-ms",
        "a.library-ms", "",
    };

    return n > 0 ? fuzz_content(data + 1, n - 1, names[data[0] % 8]) : 0;
}
