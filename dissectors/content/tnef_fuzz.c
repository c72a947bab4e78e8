/* tnef_fuzz - the input is behind the signature */
#include "dissectors/content/fuzz_content.h"

static const uint8_t head[] = {0x78, 0x9f, 0x3e, 0x22, 1, 0};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *file = malloc(sizeof(head) + n);

    if (file == NULL)
        return 0;
    memcpy(file, head, sizeof(head));
    if (n > 0)
        memcpy(file + sizeof(head), data, n);
    (void)fuzz_content(file, sizeof(head) + n, "x.tnef");
    free(file);
    return 0;
}
