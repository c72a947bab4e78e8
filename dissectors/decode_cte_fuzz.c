/* decode_cte_fuzz - byte 0: the decoder, the size of the pieces; byte 1: the
 * choices; byte 2: the first cut; the rest is a body. Every kernel and every
 * way of cutting must give the same. */
#include "dissectors/decode_test_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const size_t rooms[] = {DECODE_ROOM_MIN, 67, 256, 8192};
static const size_t pieces[] = {1, 3, 16, 64, 100, 1460, SIZE_MAX, SIZE_MAX};

static void
choose(uint8_t how, uint8_t choices[DECODE_FORK_COUNT])
{
    for (unsigned f = 1; f < DECODE_FORK_COUNT; f++)
        choices[f] = (uint8_t)((unsigned)(how >> f) %
                               decode_choices((enum decode_fork)f));
}

/* No decoder makes more of a body: BinHex repeats a byte 255 times for two,
 * a line of uuencode may lack all its digits but the length. */
static size_t
most(enum decode_kind kind, size_t n)
{
    static const size_t times[DECODE_KIND_COUNT] = {1, 1, 1, 32, 255};

    return times[kind] * n + DECODE_ROOM_MIN;
}

static void
compare(struct decode_run whole, struct span in, const struct buf *want,
        struct decode_run other)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    decode_run(&other, in, &out);
    REQUIRE(span_eq(buf_view(&out), buf_view(want)));
    REQUIRE(other.odd == whole.odd && other.forks == whole.forks);
    REQUIRE(decode_same(&other.end, &whole.end));
    buf_free(&out);
}

static void
run(struct span in, uint8_t how, uint8_t choice, uint8_t cut)
{
    uint8_t choices[DECODE_FORK_COUNT] = {0};
    struct decode_run whole = {.kind =
                                   (enum decode_kind)(how % DECODE_KIND_COUNT),
                               .cut = SIZE_MAX,
                               .piece = SIZE_MAX,
                               .room = 8192,
                               .choices = choices};
    struct buf want;

    choose(choice, choices);
    buf_init(&want, SIZE_MAX);
    decode_run(&whole, in, &want);
    REQUIRE(want.n <= most(whole.kind, in.n));
    for (unsigned k = 0; decode_kernel(k) != NULL; k++) {
        struct decode_run other = whole;

        if (!decode_use(&other.end, k) ||
            (k > 0 && whole.kind != DECODE_BASE64))
            continue;
        other.kernel = k;
        compare(whole, in, &want, other);
        other.cut = cut;
        other.piece = pieces[how / DECODE_KIND_COUNT % ARRAY_LEN(pieces)];
        other.room = rooms[cut % ARRAY_LEN(rooms)];
        compare(whole, in, &want, other);
    }
    buf_free(&want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy;

    if (n < 3)
        return 0;
    copy = malloc(n - 3);
    if (copy == NULL && n > 3)
        return 0;
    if (n > 3)
        memcpy(copy, data + 3, n - 3);
    run(span_of(copy, n - 3), data[0], data[1], data[2]);
    free(copy);
    return 0;
}
