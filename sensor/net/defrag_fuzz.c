/* A sequence of fragments, five bytes each: kind, place, length, variant and
 * the time passed. Each byte of a fragment says which place it is from, so that
 * a datagram can be checked without a second reassembly. */
#include <stdint.h>
#include <stdlib.h>

#include "sensor/base/attr.h"
#include "sensor/net/decode.h"
#include "sensor/net/defrag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MAX_BYTES     (80U << 10)
#define MAX_DATAGRAMS 3

static uint8_t
place(size_t at)
{
    return (uint8_t)((at * 5 + (at >> 6)) & 0x3f);
}

static void
require_sound(struct span ip, unsigned id)
{
    struct decoded d = {0};
    bool v4 = span_at(ip, 0) >> 4 == 4;
    size_t head = v4 ? (span_at(ip, 0) & 15U) * 4U : 40;
    size_t len = (size_t)span_at(ip, v4 ? 2 : 4) << 8 | span_at(ip, v4 ? 3 : 5);

    REQUIRE(ip.n > head && ip.n <= len + (v4 ? 0 : 40));
    for (size_t i = head; i < ip.n; i++)
        REQUIRE((span_at(ip, i) & 0x3f) == place(i - head));
    REQUIRE(span_at(ip, v4 ? 1 : 3) == id);
    decode_ip(ip, &d);
    REQUIRE(d.kind == PACKET_OTHER);
}

static void
step(struct defrag *d, const uint8_t *b, ns_t *now)
{
    struct decoded f = {.kind = PACKET_FRAGMENT, .proto = 1};
    bool v4 = b[0] & 1;
    size_t head = v4 ? (b[0] & 2 ? 24 : 20) : 40;
    size_t len = b[2] * (b[0] & 4 ? 33U : 8U) + (b[0] & 8 ? 3 : 0);
    size_t captured = b[4] & 0x80 ? len / 2 : len;
    uint8_t *block = malloc(head + captured);
    struct span out = SPAN_NONE;
    enum defrag_answer r;

    if (block == NULL)
        return;
    memset(block, 0, head);
    block[0] = (uint8_t)(v4 ? 0x40 | head / 4 : 0x60);
    block[v4 ? 9 : 6] = v4 ? 1 : 44;
    f.frag_id = block[v4 ? 1 : 3] = b[3] & 7;
    f.frag_offset = b[1] * (b[0] & 0x20 ? 256U : 8U);
    f.frag_more = b[0] & 0x10;
    for (size_t i = 0; i < captured; i++)
        block[head + i] = (uint8_t)(place(f.frag_offset + i) | (b[3] & 0xc0));
    f.frag_head = span_of(block, head);
    f.frag_data = span_of(block + head, captured);
    f.frag_len = (uint32_t)len;
    *now += (ns_t)(b[4] & 0x7f) * (b[0] & 0x40 ? NS_PER_S / 4 : NS_PER_US);
    r = defrag_put(d, &f, *now, &out);
    free(block);
    REQUIRE((r == DEFRAG_DONE) == (out.n > 0));
    if (r == DEFRAG_DONE)
        require_sound(out, f.frag_id);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct defrag *d = defrag_new(MAX_BYTES, MAX_DATAGRAMS);
    const struct defrag_counts *c;
    ns_t now = NS_PER_S;

    if (d == NULL)
        return 0;
    c = defrag_counts(d);
    for (size_t i = 0; n - i >= 5 && i < 5000; i += 5) {
        step(d, data + i, &now);
        REQUIRE(defrag_bytes(d) <= MAX_BYTES);
        REQUIRE(defrag_waiting(d) <= MAX_DATAGRAMS);
    }
    REQUIRE(c->bad + c->too_long + c->duplicates <= c->fragments);
    REQUIRE(c->cut <= c->datagrams && c->datagrams <= c->fragments);
    REQUIRE(c->overlaps_differ <= c->overlaps);
    REQUIRE(c->no_memory == 0);
    defrag_expire(d, now + 60 * NS_PER_S);
    REQUIRE(defrag_bytes(d) == 0 && defrag_waiting(d) == 0);
    defrag_free(d);
    return 0;
}
