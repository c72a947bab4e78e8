#include "sensor/base/digits.h"

#include <string.h>

#define ROW(tens)                                                              \
    tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens        \
         "7" tens "8" tens "9"

static const char pairs[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4")
    ROW("5") ROW("6") ROW("7") ROW("8") ROW("9");

char *
digits_pair(char *at, unsigned v)
{
    memcpy(at, pairs + (size_t)v % 100 * 2, 2);
    return at + 2;
}

static unsigned
count(uint64_t v)
{
    unsigned n = 1;

    for (; v >= 10000; v /= 10000)
        n += 4;
    return n + (v >= 10) + (v >= 100) + (v >= 1000);
}

char *
digits_u64(char *at, uint64_t v)
{
    char *end;

    if (v < 10) {
        *at = (char)('0' + v);
        return at + 1;
    }
    end = at + count(v);
    for (at = end; v >= 100; v /= 100) {
        at -= 2;
        (void)digits_pair(at, (unsigned)(v % 100));
    }
    if (v >= 10)
        (void)digits_pair(at - 2, (unsigned)v);
    else
        at[-1] = (char)('0' + v);
    return end;
}
