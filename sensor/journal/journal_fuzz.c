/* journal_fuzz - any bytes as a segment; a good segment with any damage
 *
 * First byte: bit 0 chooses; the rest of it is the size of the pieces in which
 * the bytes arrive. Bytes as they are: what is kept must scan the same alone,
 * and a line appended to it must be good. Else the input is cut at newlines
 * into the lines of a good segment, after two bytes of place and one of flip:
 * the flip must be found, and cost one line, two where it joins them. */
#include "sensor/base/buf.h"
#include "sensor/journal/journal_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct memory {
    struct span left;
    size_t piece;
};

static enum err
get(void *source, uint8_t *p, size_t cap, size_t *got)
{
    struct memory *m = source;
    size_t n = m->left.n < m->piece ? m->left.n : m->piece;

    n = n < cap ? n : cap;
    if (n > 0)
        memcpy(p, m->left.p, n);
    m->left = span_tail(m->left, n);
    *got = n;
    return ERR_OK;
}

/* Over a heap block of exactly that size. */
static bool
scan(struct span bytes, size_t piece, struct journal_scan *out)
{
    uint8_t *block = malloc(bytes.n > 0 ? bytes.n : 1);
    struct memory m = {
        {block, bytes.n},
        piece
    };
    struct journal_lines l;
    enum err e;

    if (block == NULL)
        return false;
    if (bytes.n > 0)
        memcpy(block, bytes.p, bytes.n);
    journal_lines_init(&l, get, &m);
    e = journal_lines_scan(&l, 7, out);
    journal_lines_free(&l);
    free(block);
    REQUIRE(e == ERR_OK || e == ERR_NOMEM);
    return e == ERR_OK;
}

static void
append(struct buf *b, struct journal_chain *c, struct span body)
{
    char tail[JOURNAL_TAIL_MAX];
    size_t n = journal_chain_put(c, body, tail);

    buf_span(b, body);
    buf_put(b, tail, n);
}

static void
any_bytes(struct span in, size_t piece)
{
    struct journal_scan a;
    struct journal_scan k;
    struct buf b;

    if (!scan(in, piece, &a))
        return;
    REQUIRE(a.kept_bytes <= a.total_bytes && a.total_bytes == in.n);
    REQUIRE((a.kept_bytes == 0) == (a.lines == 0) && !a.chain.broken);
    REQUIRE(a.chain.next_seq >= 7 + a.lines);
    buf_init(&b, in.n + 4096);
    buf_span(&b, span_head(in, a.kept_bytes));
    append(&b, &a.chain, SPAN_LIT("{\"a\":1"));
    if (scan(span_head(in, a.kept_bytes), 4096, &k)) {
        REQUIRE(k.kept_bytes == a.kept_bytes && k.lines == a.lines);
        REQUIRE(k.damaged == a.damaged);
        REQUIRE(k.chain.next_seq + 1 == a.chain.next_seq);
    }
    if (scan(buf_view(&b), piece, &k)) {
        REQUIRE(k.kept_bytes == b.n && k.lines == a.lines + 1);
        REQUIRE(k.chain.good == a.chain.good);
    }
    buf_free(&b);
}

static void
good_segment(struct span in, size_t piece)
{
    struct cursor c = cur_open(in);
    size_t place = cur_le16(&c);
    uint8_t flip = cur_u8(&c);
    struct span rest = cur_rest(&c);
    struct journal_chain chain;
    struct journal_scan s;
    struct buf b;
    uint64_t lines = 0;

    journal_chain_init(&chain, 7);
    buf_init(&b, 2 * in.n + 128 * (in.n + 1));
    while (rest.n > 0) {
        struct span line = span_head(rest, span_find(rest, '\n'));
        struct buf body;

        buf_init(&body, line.n + 1);
        buf_putc(&body, '{');
        buf_span(&body, line);
        if (line.n > 0) {
            append(&b, &chain, buf_view(&body));
            lines++;
        }
        buf_free(&body);
        rest = span_tail(rest, line.n + 1);
    }
    if (scan(buf_view(&b), piece, &s)) {
        REQUIRE(s.lines == lines && s.kept_bytes == b.n && s.damaged == 0);
        REQUIRE(s.chain.next_seq == 7 + lines);
    }
    if (b.n > 0 && flip != 0) {
        bool joins = b.p[place % b.n] == '\n' && place % b.n < b.n - 1;

        b.p[place % b.n] ^= flip;
        if (scan(buf_view(&b), piece, &s)) {
            REQUIRE(s.damaged > 0 || s.kept_bytes < b.n);
            REQUIRE(s.lines == lines - 1 - joins);
        }
    }
    buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cursor c = cur_open(span_of(data, n));
    uint8_t how = cur_u8(&c);
    size_t piece = (size_t)(how >> 1) * (how >> 1) + 1;

    if (how & 1)
        good_segment(cur_rest(&c), piece);
    else
        any_bytes(cur_rest(&c), piece);
    return 0;
}
