/* filetype_fuzz - byte 0: how much of the file is seen, bit 7: its tail too */
#include "dissectors/filetype.h"
#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span all, head;
    struct span tail = SPAN_NONE;
    enum filetype t;
    bool undecided;
    uint8_t *copy;

    if (n == 0)
        return 0;
    all = span_of(data + 1, n - 1);
    head = all;
    if ((data[0] & 0x7f) != 0)
        head = span_head(all, (size_t)(data[0] & 0x7fU) * 16U);
    if (data[0] >= 0x80 && all.n >= FILETYPE_TAIL)
        tail = span_tail(all, all.n - FILETYPE_TAIL);
    copy = malloc(head.n);
    if (copy == NULL && head.n > 0)
        return 0;
    if (head.n > 0)
        memcpy(copy, head.p, head.n);
    t = filetype_detect(span_of(copy, head.n), tail, all.n, &undecided);
    REQUIRE(t < FILETYPE_COUNT);
    REQUIRE(!undecided || (t == FILETYPE_UNKNOWN && head.n < all.n));
    REQUIRE(t != FILETYPE_EMPTY || all.n == 0);
    REQUIRE(filetype_find(span_str(filetype_name(t))) == t);
    free(copy);
    return 0;
}
