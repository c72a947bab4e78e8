#include "dissectors/content/lnk.h"

#include "sensor/base/attr.h"

#define HEADER_BYTES 76
#define FLAGS_AT     20
#define NAME_MIN     5  /* characters of a name in the item list */
#define BLOCKS_MAX   64 /* of extra data; [MS-SHLLINK] knows 11 */

enum {
    HAS_LIST = 1,
    HAS_INFO = 2,
    HAS_NAME = 4,
    HAS_PATH = 8,
    HAS_FOLDER = 16,
    HAS_ARGUMENTS = 32,
    HAS_ICON = 64,
    IS_UNICODE = 128,
};

#define ENVIRONMENT 0xa0000001U
#define ICON        0xa0000007U

void
lnk_init(struct lnk *l)
{
    buf_init(&l->command, (size_t)8 * LNK_STRING);
    buf_init(&l->other, (size_t)8 * LNK_STRING);
}

void
lnk_free(struct lnk *l)
{
    if (l == NULL)
        return;
    buf_free(&l->command);
    buf_free(&l->other);
}

/* ---- characters ---- */

/* A piece of a command; blanks in a row become one. */
static void
put_char(struct buf *out, unsigned c)
{
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
                       c == 0x0b || c == 0x0c;
    const bool again = blank && out->n > 0 && out->p[out->n - 1] == ' ';

    if (c != 0 && !again)
        buf_putc(out, blank ? ' ' : c < 0x100 ? (uint8_t)c : '?');
}

static void
put_text(struct buf *out, struct span s, bool wide)
{
    const size_t unit = wide ? 2 : 1;
    struct cursor c = cur_open(s);

    while (cur_left(&c) >= unit) {
        const unsigned v = wide ? cur_le16(&c) : cur_u8(&c);

        if (v == 0)
            break;
        put_char(out, v);
    }
}

static void
put_piece(struct buf *out, struct span s, bool wide, uint8_t between)
{
    const size_t before = out->n;

    put_text(out, s, wide);
    if (out->n > before)
        buf_putc(out, between);
}

static bool
is_wide(struct span s, bool *big)
{
    *big = span_starts(s, SPAN_LIT("\xfe\xff"));
    return *big || span_starts(s, SPAN_LIT("\xff\xfe")) ||
           (s.n >= 4 && s.p[0] != 0 && s.p[1] == 0 && s.p[3] == 0);
}

void
lnk_narrow(struct span s, struct buf *out)
{
    bool big;

    if (!is_wide(s, &big)) {
        buf_span(out, s);
        return;
    }
    for (size_t k = 0; k + 1 < s.n; k += 2) {
        const uint8_t low = s.p[big ? k + 1 : k];
        const uint8_t high = s.p[big ? k : k + 1];

        buf_putc(out, high == 0 ? low : '?');
    }
}

/* ---- the item list ---- */

static size_t
printable(struct span s, size_t at, size_t unit)
{
    size_t n = 0;

    while (at + unit * (n + 1) <= s.n && s.p[at + unit * n] >= 0x20 &&
           s.p[at + unit * n] < 0x7f &&
           (unit == 1 || s.p[at + unit * n + 1] == 0))
        n++;
    return n;
}

/* Names within items, whose inner form depends on their kind: everything that
 * can be read and has a dot or a colon. */
static void
put_names(struct buf *out, struct span list)
{
    size_t at = 0;

    while (at < list.n) {
        const size_t narrow = printable(list, at, 1);
        const size_t wide = printable(list, at, 2);
        const size_t unit = narrow >= NAME_MIN ? 1 : 2;
        const size_t n = unit == 1 ? narrow : wide;
        struct span name = span_head(span_tail(list, at), n * unit);

        if (n < NAME_MIN) {
            at++;
            continue;
        }
        if (span_find(name, '.') < name.n || span_find(name, ':') < name.n)
            put_piece(out, name, unit == 2, ' ');
        at += n * unit;
    }
}

/* ---- structures ---- */

static struct span
text_at(struct span s, size_t at)
{
    struct span rest = span_tail(s, at);

    return span_head(rest, span_find(rest, 0));
}

/* LinkInfo, 2.3: local path or share, then what is behind it. */
static void
read_info(struct lnk *l, struct span info)
{
    struct cursor c = cur_open(info);
    uint32_t local;
    uint32_t share;
    uint32_t behind;

    cur_skip(&c, 16); /* size, header size, flags, volume */
    local = cur_le32(&c);
    share = cur_le32(&c);
    behind = cur_le32(&c);
    if (c.bad)
        return;
    if (local != 0)
        put_text(&l->command, text_at(info, local), false);
    if (share != 0) {
        struct cursor net = cur_open(span_tail(info, share));

        cur_skip(&net, 8);
        put_piece(&l->command, text_at(span_tail(info, share), cur_le32(&net)),
                  false, '\\');
    }
    if (behind != 0)
        put_text(&l->command, text_at(info, behind), false);
    put_char(&l->command, ' ');
}

/* StringData, 2.4: a count of characters, and they. */
static struct span
read_string(struct cursor *c, uint32_t flags)
{
    const size_t unit = (flags & IS_UNICODE) != 0 ? 2 : 1;
    const size_t n = cur_le16(c) * unit;
    struct span s = cur_take(c, n <= cur_left(c) ? n : cur_left(c));

    if (s.n < n)
        c->bad = true;
    return span_head(s, LNK_STRING * unit);
}

static const struct {
    uint32_t flag;
    bool command;
    bool other;
} strings[] = {
    {HAS_NAME,      false, false},
    {HAS_PATH,      true,  false},
    {HAS_FOLDER,    false, true },
    {HAS_ARGUMENTS, true,  false},
    {HAS_ICON,      false, true },
};

static void
read_strings(struct lnk *l, struct cursor *c, uint32_t flags)
{
    const bool wide = (flags & IS_UNICODE) != 0;

    for (size_t k = 0; k < ARRAY_LEN(strings); k++) {
        struct span s;

        if ((flags & strings[k].flag) == 0)
            continue;
        s = read_string(c, flags);
        if (strings[k].command)
            put_piece(&l->command, s, wide, ' ');
        if (strings[k].other)
            put_piece(&l->other, s, wide, '\n');
    }
}

/* ExtraData, 2.5: blocks of size and signature, to one smaller than 4. */
static void
read_extra(struct lnk *l, struct cursor *c)
{
    for (unsigned k = 0; k < BLOCKS_MAX; k++) {
        const uint32_t n = cur_le32(c);
        struct cursor in = cur_open(cur_take(c, n >= 8 ? n - 4 : 0));
        const uint32_t signature = cur_le32(&in);
        struct span narrow = cur_take(&in, 260);
        struct span wide = cur_take(&in, 520);

        if (n < 8 || c->bad)
            return;
        if (signature == ENVIRONMENT) {
            put_piece(&l->command, narrow, false, ' ');
            put_piece(&l->command, wide, true, ' ');
        }
        if (signature == ICON) {
            put_piece(&l->other, narrow, false, '\n');
            put_piece(&l->other, wide, true, '\n');
        }
    }
}

bool
lnk_read(struct lnk *l, struct span bytes)
{
    struct cursor c = cur_open(bytes);
    uint32_t flags;

    cur_skip(&c, FLAGS_AT);
    flags = cur_le32(&c);
    cur_skip(&c, HEADER_BYTES - FLAGS_AT - 4);
    if ((flags & HAS_LIST) != 0)
        put_names(&l->command, cur_take(&c, cur_le16(&c)));
    if ((flags & HAS_INFO) != 0) {
        const uint32_t n = cur_le32(&c);

        if (n >= 4)
            read_info(l, span_tail(bytes, c.at - 4));
        cur_skip(&c, n >= 4 ? n - 4 : 0);
    }
    if (c.bad)
        return false;
    read_strings(l, &c, flags);
    if (c.bad)
        return false;
    read_extra(l, &c);
    return true;
}
