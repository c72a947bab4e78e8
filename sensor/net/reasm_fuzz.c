/* reasm_fuzz - segments of one direction against the model
 *
 * Input: 5 bytes of set-up, then 5 bytes a segment: offset, length, reading
 * and cut; some are steps of another kind (give up, acknowledge). */
#include "sensor/net/reasm_test_kit.h"

#define STEP 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
step(struct model *m, struct cursor *c)
{
    uint8_t room[256];
    uint32_t off = cur_be16(c) % MODEL_N;
    uint32_t len = cur_u8(c);
    uint8_t reading = cur_u8(c);
    uint8_t kind = cur_u8(c);
    struct reasm_env e;

    if (kind < 16) {
        model_give_up(m, m->next + len);
        return;
    }
    if (kind < 32) {
        m->acked = off < m->next && off > m->acked ? off : m->acked;
        e = model_env(m);
        reasm_acked(&m->r, &e);
        return;
    }
    if (off + len > MODEL_N)
        len = MODEL_N - off;
    memset(room, reading % 3, sizeof(room));
    if (len > 0)
        (void)model_put(m, off, span_of(room, kind < 64 ? len / 2 : len), len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cursor c = cur_open(span_of(data, n));
    struct model *m = malloc(sizeof(*m));

    REQUIRE(m != NULL);
    model_init(m, cur_be32(&c));
    m->deny_in = cur_u8(&c);
    while (cur_left(&c) >= STEP)
        step(m, &c);
    model_fini(m);
    free(m);
    return 0;
}
