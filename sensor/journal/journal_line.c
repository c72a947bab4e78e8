#include "sensor/journal/journal_line.h"

#include "sensor/base/hash.h"

#define MARK       ",\"journal\":{\"seq\":"
#define MID        ",\"check\":\""
#define END        "\"}}"
#define GONE       "{\"gone\":"
#define HEX        16U
#define CHECK_N    (sizeof(MID) - 1 + HEX + sizeof(END) - 1)
#define DIGITS_MAX 20U

static uint64_t
check_of(struct span body, uint64_t before, uint64_t seq)
{
    return hash_span(body, before + seq);
}

static void
put_hex(uint64_t v, char out[HEX])
{
    for (size_t i = HEX; i-- > 0; v >>= 4)
        out[i] = "0123456789abcdef"[v & 15];
}

/* Lower case only: one byte has one spelling. */
static bool
get_hex(struct span s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n != HEX)
        return false;
    for (size_t i = 0; i < HEX; i++) {
        uint8_t c = span_at(s, i);

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

/* The check as written, whatever stands before it. */
static bool
written_check(struct span line, uint64_t *out)
{
    size_t n = HEX + sizeof(END) - 1;
    struct span end;

    if (line.n < n)
        return false;
    end = span_tail(line, line.n - n);
    return span_eq(span_tail(end, HEX), SPAN_LIT(END)) &&
           get_hex(span_head(end, HEX), out);
}

/* Where the body ends: the last mark, which stands close to the end. */
static bool
find_body(struct span line, struct span *body)
{
    size_t far = CHECK_N + DIGITS_MAX + sizeof(MARK) - 1;
    size_t from = line.n > far ? line.n - far : 0;
    struct span end = span_tail(line, from);

    for (size_t at = end.n; at-- > 0;) {
        if (span_at(end, at) == ',' &&
            span_starts(span_tail(end, at), SPAN_LIT(MARK))) {
            *body = span_head(line, from + at);
            return body->n >= 2 && span_at(*body, 0) == '{';
        }
    }
    return false;
}

bool
journal_is_gone(struct span json)
{
    return span_starts(json, SPAN_LIT(GONE));
}

/* False: it begins so, and says no number that is possible. */
static bool
parse_gone(struct journal_parts *p)
{
    const struct span n = span_tail(p->body, sizeof(GONE) - 1);

    p->gone = 0;
    if (!journal_is_gone(p->body))
        return true;
    return span_to_u64(n, &p->gone) && p->gone > 0 && p->gone <= p->seq;
}

static bool
parse(struct span line, struct journal_parts *out, uint64_t *check)
{
    struct span rest;
    struct span digits;

    if (!find_body(line, &out->body) || !written_check(line, check))
        return false;
    rest = span_tail(line, out->body.n + sizeof(MARK) - 1);
    if (rest.n <= CHECK_N)
        return false;
    digits = span_head(rest, rest.n - CHECK_N);
    return span_starts(span_tail(rest, digits.n), SPAN_LIT(MID)) &&
           span_at(digits, 0) != '0' && span_to_u64(digits, &out->seq) &&
           parse_gone(out);
}

void
journal_chain_init(struct journal_chain *c, uint64_t segment)
{
    *c = (struct journal_chain){.next_seq = segment, .good = segment};
}

static void
moved_on(struct journal_chain *c, uint64_t seq, uint64_t check)
{
    *c = (struct journal_chain){.next_seq = seq + 1, .good = check};
}

/* What the next line may have been seeded with. A byte that became a newline
 * makes two bad lines of one: what the first told is kept. */
static void
keep_seeds(struct journal_chain *c, struct span line)
{
    struct span body;

    if (written_check(line, &c->written))
        c->has_written = true;
    if (!c->broken && find_body(line, &body)) {
        c->computed = check_of(body, c->good, c->next_seq);
        c->has_computed = true;
    }
    c->broken = true;
}

static bool
follows(const struct journal_chain *c, const struct journal_parts *p,
        uint64_t check)
{
    const uint64_t first = p->gone > 0 ? p->seq - p->gone + 1 : p->seq;

    if (first < c->next_seq || p->seq == UINT64_MAX ||
        (!c->broken && first != c->next_seq))
        return false;
    return check_of(p->body, c->good, p->seq) == check ||
           (c->has_written && check_of(p->body, c->written, p->seq) == check) ||
           (c->has_computed && check_of(p->body, c->computed, p->seq) == check);
}

bool
journal_chain_take(struct journal_chain *c, struct span line,
                   struct journal_parts *out)
{
    struct journal_parts p;
    uint64_t check;

    if (!parse(line, &p, &check) || !follows(c, &p, check)) {
        keep_seeds(c, line);
        return false;
    }
    moved_on(c, p.seq, check);
    *out = p;
    return true;
}

void
journal_chain_break(struct journal_chain *c)
{
    c->broken = true;
}

static size_t
add(char *out, size_t at, const char *s, size_t n)
{
    memcpy(out + at, s, n);
    return at + n;
}

static size_t
add_number(char *out, size_t at, uint64_t v)
{
    char digits[DIGITS_MAX];
    size_t first = DIGITS_MAX;

    for (; first == DIGITS_MAX || v > 0; v /= 10)
        digits[--first] = (char)('0' + v % 10);
    return add(out, at, digits + first, DIGITS_MAX - first);
}

size_t
journal_chain_put(struct journal_chain *c, struct span body,
                  char tail[JOURNAL_TAIL_MAX])
{
    uint64_t seq = c->next_seq;
    uint64_t check = check_of(body, c->good, seq);
    size_t n;

    n = add(tail, 0, MARK, sizeof(MARK) - 1);
    n = add_number(tail, n, seq);
    n = add(tail, n, MID, sizeof(MID) - 1);
    put_hex(check, tail + n);
    n = add(tail, n + HEX, END "\n", sizeof(END "\n") - 1);
    moved_on(c, seq, check);
    return n;
}

size_t
journal_chain_put_gone(struct journal_chain *c, uint64_t n,
                       char line[JOURNAL_GONE_MAX])
{
    size_t at = add(line, 0, GONE, sizeof(GONE) - 1);

    REQUIRE(n > 0);
    at = add_number(line, at, n);
    c->next_seq += n - 1;
    return at + journal_chain_put(c, span_of(line, at), line + at);
}
