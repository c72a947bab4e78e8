#include "sensor/capture/evidence.h"

#include <stdio.h>

#define MAGIC  "s25evix1"
#define DIGITS 8U

struct evidence_key
evidence_key(const struct addr *a, uint16_t a_port, const struct addr *b,
             uint16_t b_port)
{
    const int order = addr_cmp(a, b);
    const bool swap = order > 0 || (order == 0 && a_port > b_port);

    return swap ? (struct evidence_key){{*b, *a}, {b_port, a_port}}
                : (struct evidence_key){{*a, *b}, {a_port, b_port}};
}

void
evidence_name(uint32_t number, bool index, char out[EVIDENCE_NAME_MAX])
{
    (void)snprintf(out, EVIDENCE_NAME_MAX, "%08u.%s", number,
                   index ? "index" : "pcapng");
}

bool
evidence_name_read(const char *name, uint32_t *number, bool *index)
{
    const struct span s = span_str(name);
    const size_t dot = span_find(s, '.');
    const struct span ending = span_tail(s, dot);
    uint64_t v;

    if (dot < DIGITS || !span_to_u64(span_head(s, dot), &v) || v == 0 ||
        v >= UINT32_MAX)
        return false;
    *number = (uint32_t)v;
    *index = span_eq(ending, SPAN_LIT(".index"));
    return *index || span_eq(ending, SPAN_LIT(".pcapng"));
}

static void
put_le(struct buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_putc(b, (uint8_t)(v >> (8 * i)));
}

void
evidence_put_head(struct buf *b, const struct evidence_head *h)
{
    buf_str(b, MAGIC);
    put_le(b, h->rows, 8);
    put_le(b, h->first, 8);
    put_le(b, h->last, 8);
}

void
evidence_put_row(struct buf *b, const struct evidence_row *r)
{
    for (unsigned i = 0; i < 2; i++) {
        buf_put(b, r->key.addr[i].b, sizeof(r->key.addr[i].b));
        put_le(b, r->key.port[i], 2);
    }
    put_le(b, r->packets, 4);
    put_le(b, r->first, 8);
    put_le(b, r->last, 8);
}

bool
evidence_read_head(struct span file, struct evidence_head *out)
{
    struct cursor c = cur_open(file);
    const struct span magic = cur_take(&c, sizeof(MAGIC) - 1);

    out->rows = cur_le64(&c);
    out->first = cur_le64(&c);
    out->last = cur_le64(&c);
    return !c.bad && span_eq(magic, SPAN_LIT(MAGIC)) &&
           out->rows == cur_left(&c) / EVIDENCE_ROW &&
           cur_left(&c) % EVIDENCE_ROW == 0;
}

bool
evidence_has(struct span file, const struct evidence_key *key, ns_t from,
             ns_t to)
{
    struct evidence_row want = {.key = *key};
    struct buf b;
    bool found = false;

    buf_init(&b, EVIDENCE_ROW);
    evidence_put_row(&b, &want);
    for (size_t at = EVIDENCE_HEAD; !found && at + EVIDENCE_ROW <= file.n;
         at += EVIDENCE_ROW) {
        const struct span row = span_of(file.p + at, EVIDENCE_ROW);
        struct cursor c = cur_open(row);
        const struct span who = cur_take(&c, 36);
        ns_t first, last;

        if (b.n != EVIDENCE_ROW || !span_eq(who, span_of(b.p, 36)))
            continue;
        cur_skip(&c, 4);
        first = cur_le64(&c);
        last = cur_le64(&c);
        found = first <= to && last >= from;
    }
    buf_free(&b);
    return found;
}
