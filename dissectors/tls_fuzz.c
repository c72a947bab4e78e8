/* tls_fuzz - first byte: bit 0 direction, bit 1 a gap; second: where to cut
 *
 * The same bytes whole and cut must give the same answers. */
#include "dissectors/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check(const struct tls *t)
{
    struct record_head head = {.type = EVENT_TLS};
    struct record_out r;

    record_init(&r);
    record_begin(&r, &head);
    tls_emit(t, &r);
    REQUIRE(record_check(record_view(&r)) && r.left_out == 0);
    record_free(&r);
}

static void
same(const struct tls *a, const struct tls *b, enum dir d)
{
    const struct tls_half *x = &a->half[d];
    const struct tls_half *y = &b->half[d];

    REQUIRE(a->version == b->version && a->cipher == b->cipher);
    REQUIRE(span_eq(tls_sni(a), tls_sni(b)));
    REQUIRE(x->records == y->records && x->app_bytes == y->app_bytes);
    REQUIRE(x->handshake_bytes == y->handshake_bytes);
    REQUIRE(x->lost_bytes == y->lost_bytes && x->lost == y->lost);
}

static void
run(struct span in, enum dir d, size_t step, uint64_t gap)
{
    struct mem mem = {.max = 1U << 20};
    struct tls whole;
    struct tls cut;

    tls_init(&whole, &mem, true);
    tls_init(&cut, &mem, true);
    tls_data(&whole, d, in);
    for (size_t at = 0; at < in.n; at += step)
        tls_data(&cut, d, span_head(span_tail(in, at), step));
    same(&whole, &cut, d);
    check(&whole);
    tls_gap(&whole, d, gap);
    tls_data(&whole, d, in);
    tls_data(&whole, dir_other(d), in);
    check(&whole);
    REQUIRE(!whole.half[d].hello_done || !whole.half[!d].hello_done ||
            whole.hello == NULL);
    tls_free(&whole);
    tls_free(&cut);
    REQUIRE(mem.used == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy;

    if (n < 3)
        return 0;
    copy = malloc(n - 2);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 2, n - 2);
    run(span_of(copy, n - 2), data[0] & 1 ? DIR_S2C : DIR_C2S,
        (size_t)data[1] + 1, data[0] & 2 ? 100 : 1);
    free(copy);
    return 0;
}
