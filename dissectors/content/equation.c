#include "dissectors/content/equation.h"

#define HEADER_BYTES 28
#define MTEF_HEADER  5 /* version, platform, product, its version */

enum mtef {
    MTEF_LINE = 1,
    MTEF_FONT = 8,
    MTEF_FULL = 10,
    MTEF_SUBSYM = 14,
};

/* Options stand in the upper half of a record's tag. */
static void
skip_line(struct cursor *c, unsigned options)
{
    if ((options & 8) != 0) {
        struct span nudge = cur_take(c, 2);

        if (span_at(nudge, 0) == 0x80 && span_at(nudge, 1) == 0x80)
            cur_skip(c, 4);
    }
    if ((options & 4) != 0)
        cur_skip(c, 1);
}

static bool
is_long_font(struct cursor *c)
{
    struct span name;

    cur_skip(c, 2); /* typeface, style */
    name = span_tail(c->in, c->at);
    return !c->bad && name.n > EQUATION_NAME_MAX &&
           span_find(name, 0) > EQUATION_NAME_MAX;
}

bool
equation_is_exploit(struct span stream)
{
    struct cursor c = cur_open(stream);

    if (cur_le16(&c) != HEADER_BYTES)
        return false;
    cur_skip(&c, HEADER_BYTES - 2 + MTEF_HEADER);
    for (unsigned k = 0; k < EQUATION_RECORDS && !c.bad; k++) {
        unsigned tag = cur_u8(&c);
        unsigned kind = tag & 15;

        if (kind == MTEF_FONT)
            return is_long_font(&c);
        if (kind == MTEF_LINE)
            skip_line(&c, tag >> 4);
        else if (kind < MTEF_FULL || kind > MTEF_SUBSYM)
            return false;
    }
    return false;
}
