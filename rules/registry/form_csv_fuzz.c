/* form_csv_fuzz - the input is a file of forms; see form_fuzz.h */
#include "rules/registry/form_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return form_fuzz(form_csv_read, data, n);
}
