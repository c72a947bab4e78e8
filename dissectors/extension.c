#include "dissectors/extension.h"

#include "sensor/base/attr.h"

#define NAME_MAX_BYTES 32 /* longer than any row */

#define GMAIL   EXTENSION_GMAIL
#define OUTLOOK EXTENSION_OUTLOOK
#define OURS    EXTENSION_OURS

static const struct extension table[] = {
#define X(name, risk, lists, type)                                             \
    {SPAN_INIT(name), EXTENSION_##risk, lists, FILETYPE_##type},
#include "dissectors/extension.def"
#undef X
};

static struct span
lower(struct span s, uint8_t room[NAME_MAX_BYTES])
{
    for (size_t i = 0; i < s.n; i++)
        room[i] =
            s.p[i] >= 'A' && s.p[i] <= 'Z' ? (uint8_t)(s.p[i] + 32) : s.p[i];
    return span_of(room, s.n);
}

/* As strcmp has it. */
static int
compare(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

const struct extension *
extension_find(struct span name)
{
    uint8_t room[NAME_MAX_BYTES];
    struct span want;
    size_t low = 0;
    size_t high = ARRAY_LEN(table);

    if (name.n > NAME_MAX_BYTES)
        return NULL;
    want = lower(name, room);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int d = compare(want, table[mid].name);

        if (d == 0)
            return &table[mid];
        if (d < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const struct extension *
extension_row(size_t i)
{
    return i < ARRAY_LEN(table) ? &table[i] : NULL;
}
