/* net_fuzz - any segments, in any order, under any caps
 *
 * Input: 4 bytes of set-up, then 8 bytes a segment. What must hold: the calls
 * of each session keep the contract (net_test_kit.h checks), each session ends
 * once, memory comes back to 0 (net_free checks), and 2 workers make the same
 * calls as 1. */
#include "sensor/net/net_test_kit.h"

#define STEP        8
#define PAYLOAD_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct fuzz_conn {
    uint32_t next[2];
};

static const ns_t pauses[] = {
    0,
    NS_PER_US,
    NS_PER_MS,
    50 * NS_PER_MS,
    600 * NS_PER_MS,
    6 * NS_PER_S,
    61 * NS_PER_S,
    1000 * NS_PER_S,
};

static void
step(struct kit *k, struct fuzz_conn *conns, struct cursor *c, uint8_t *room)
{
    uint8_t who = cur_u8(c);
    uint8_t flags = cur_u8(c);
    int16_t shift = (int16_t)cur_be16(c);
    uint8_t ack = cur_u8(c);
    uint16_t len = cur_be16(c);
    uint8_t how = cur_u8(c);
    enum dir d = (who & 1) != 0 ? DIR_S2C : DIR_C2S;
    struct fuzz_conn *f = &conns[(who >> 1) & 3];
    int32_t far = (how & 1) != 0 ? 4096 : 1;
    uint32_t seq = f->next[d] + (uint32_t)(shift * far);
    struct decoded p;

    len = (flags & TCP_SYN) != 0 ? len % 4 : len % PAYLOAD_MAX;
    memset(room, 'a' + (how >> 1 & 1), len);
    p = kit_segment(k,
                    (struct kit_seg){
                        (who >> 1) & 3, (who & 8) != 0 ? 8080 : 25, d, flags,
                        (flags & TCP_SYN) != 0 ? (uint32_t)shift - 1 : seq,
                        f->next[dir_other(d)] + ack - 64U, span_of(room, len)});
    if ((how & 4) != 0)
        p.payload.n /= 2;
    if ((how & 8) != 0)
        p.ip_id = (uint16_t)(who & 1);
    if ((how & 1) == 0 && (flags & TCP_SYN) == 0)
        f->next[d] = seq + len;
    k->now += pauses[who >> 5];
    kit_put(k, &p);
}

static uint64_t
run(struct span in, unsigned worker, unsigned n_workers)
{
    struct kit *k = kit_new();
    struct fuzz_conn conns[4] = {{{0, 0}}};
    struct cursor c = cur_open(in);
    uint64_t memory = 64 * (30000 + (uint64_t)cur_u8(&c) * 1024);
    uint32_t flows = cur_u8(&c) * 16U;
    uint8_t early = cur_u8(&c);
    uint8_t *room = malloc(PAYLOAD_MAX);
    uint64_t sum;

    REQUIRE(room != NULL);
    k->deny_in = cur_u8(&c);
    if (n_workers > 1) /* counts differ between workers */
        k->deny_in = 0;
    k->quiet = true;
    k->limits.early_bytes = (early + UINT64_C(1)) * 512;
    k->limits.early_segments = 1U + (early & 31U);
    REQUIRE(kit_begin(k, worker, n_workers, memory, flows) == ERR_OK);
    while (cur_left(&c) >= STEP)
        step(k, conns, &c, room);
    (void)net_finish(k->net, NULL, NULL);
    REQUIRE(k->n_open == 0);
    REQUIRE(net_stats(k->net)->flows_open == 0);
    sum = k->sum;
    kit_free(k);
    free(room);
    return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = calloc(1, n > 0 ? n : 1);
    struct span in = span_of(copy, n);
    uint64_t one;

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    one = run(in, 0, 1);
    if (span_at(in, 3) == 0)
        REQUIRE(one == run(in, 0, 2) + run(in, 1, 2));
    free(copy);
    return 0;
}
