#include "sensor/base/count.h"

#define DIGITS_MAX 27 /* 2^64 with its commas is 26 */

void
count_number(struct buf *out, uint64_t n)
{
    char text[DIGITS_MAX];
    size_t at = sizeof(text);
    unsigned k = 0;

    do {
        if (k > 0 && k % 3 == 0)
            text[--at] = ',';
        text[--at] = (char)('0' + n % 10);
        n /= 10;
        k++;
    } while (n > 0);
    buf_put(out, text + at, sizeof(text) - at);
}

void
count_put(struct buf *out, uint64_t n, const char *one, const char *many)
{
    count_number(out, n);
    buf_putc(out, ' ');
    buf_str(out, n == 1 || many == NULL ? one : many);
    if (n != 1 && many == NULL)
        buf_putc(out, 's');
}
