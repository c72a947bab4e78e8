/* bench_steps - what one core does of each step of the sum in a second
 *
 *     build/release/tests/bench_steps [MB]
 *
 * The best of five rounds; all steps of a round run one after another, beside
 * a memcpy of as many bytes, so that a busy machine shows in both. Text is
 * counted as it comes in (base64 with its line ends). Pieces are of the size of
 * a segment, 1460 bytes. */
#include "dissectors/decode.h"
#include "sensor/base/text.h"

#include <stdio.h>
#include <time.h>

#define ROUNDS 5
#define PIECE  1460
#define ROOM   65536

struct bench {
    struct buf plain;
    struct buf base64;
    struct buf qp;
    struct buf uu;
    uint8_t *copy;
    uint8_t *room;
    uint64_t sink; /* so that no work is left out */
};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- inputs ---- */

static void
make_base64(struct bench *b)
{
    struct buf digits;
    struct span d;

    buf_init(&digits, b->plain.n * 2);
    text_base64(&digits, buf_view(&b->plain));
    d = buf_view(&digits);
    while (d.n > 0) {
        buf_span(&b->base64, span_head(d, 76));
        buf_str(&b->base64, "\r\n");
        d = span_tail(d, 76);
    }
    buf_free(&digits);
}

/* Text as mail clients encode it: an escape here and there, soft line breaks.
 */
static void
make_qp(struct bench *b)
{
    static const char line[] = "Sehr geehrte Damen und Herren, anbei die Zahlen"
                               " f=C3=BCr das zweite Quart=\r\nal.\r\n";

    while (b->qp.n < b->plain.n)
        buf_str(&b->qp, line);
}

static void
make_uu(struct bench *b)
{
    buf_str(&b->uu, "begin 644 a\n");
    while (b->uu.n < b->plain.n)
        buf_str(&b->uu,
                "M0V%T0V%T0V%T0V%T0V%T0V%T0V%T0V%T0V%T0V%T0V%T0V%T0V%T0V"
                "%T0V%T\r\n");
}

static void
make_inputs(struct bench *b, size_t bytes)
{
    uint64_t state = 1;

    buf_init(&b->plain, bytes);
    buf_init(&b->base64, 2 * bytes);
    buf_init(&b->qp, 2 * bytes);
    buf_init(&b->uu, 2 * bytes);
    while (b->plain.n < bytes) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        buf_putc(&b->plain, (uint8_t)(state >> 56));
    }
    make_base64(b);
    make_qp(b);
    make_uu(b);
    b->copy = malloc(2 * bytes);
    b->room = malloc(ROOM);
    REQUIRE(b->copy != NULL && b->room != NULL);
    memset(b->copy, 1, 2 * bytes);
}

/* ---- steps: bytes worked on ---- */

static size_t
step_memcpy(struct bench *b, unsigned unused)
{
    (void)unused;
    memcpy(b->copy, b->base64.p, b->base64.n);
    b->sink += b->copy[b->base64.n / 2];
    return b->base64.n;
}

static size_t
step_memchr(struct bench *b, unsigned unused)
{
    struct span in = buf_view(&b->base64);

    (void)unused;
    while (in.n > 0) {
        in = span_tail(in, span_find(in, '\n') + 1);
        b->sink++;
    }
    return b->base64.n;
}

static size_t
decode(struct bench *b, struct decode *d, struct span in)
{
    size_t n = in.n;

    while (in.n > 0) {
        struct span piece = span_head(in, PIECE);

        in = span_tail(in, piece.n);
        while (piece.n > 0)
            b->sink += decode_push(d, &piece, b->room, ROOM);
    }
    b->sink += decode_end(d, b->room, ROOM);
    return n;
}

static size_t
step_base64(struct bench *b, unsigned kernel)
{
    struct decode d;

    decode_init(&d, DECODE_BASE64);
    return decode_use(&d, kernel) ? decode(b, &d, buf_view(&b->base64)) : 0;
}

static size_t
step_qp(struct bench *b, unsigned unused)
{
    struct decode d;

    (void)unused;
    decode_init(&d, DECODE_QP);
    return decode(b, &d, buf_view(&b->qp));
}

static size_t
step_uu(struct bench *b, unsigned unused)
{
    struct decode d;

    (void)unused;
    decode_init(&d, DECODE_UU);
    return decode(b, &d, buf_view(&b->uu));
}

static const struct step {
    const char *name;
    size_t (*run)(struct bench *b, unsigned arg);
    unsigned arg;
} steps[] = {
    {"memcpy",               step_memcpy, 0},
    {"memchr of line ends",  step_memchr, 0},
    {"base64, portable",     step_base64, 0},
    {"base64, AVX2",         step_base64, 1},
    {"base64, AVX-512 VBMI", step_base64, 2},
    {"quoted-printable",     step_qp,     0},
    {"uuencode",             step_uu,     0},
};

int
main(int argc, char **argv)
{
    unsigned long mb = argc > 1 ? strtoul(argv[1], NULL, 10) : 24;
    double best[ARRAY_LEN(steps)] = {0};
    struct bench b = {0};

    if (mb == 0 || mb > 1000) {
        fprintf(stderr, "usage: bench_steps [MB, 1 to 1000]\n");
        return 2;
    }
    make_inputs(&b, mb * 1000000);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
            double start = now();
            size_t n = steps[i].run(&b, steps[i].arg);
            double rate = (double)n / (now() - start) / 1e6;

            best[i] = rate > best[i] ? rate : best[i];
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        printf("%-24s %8.0f MB/s %6.3f of memcpy\n", steps[i].name, best[i],
               best[i] / best[0]);
    buf_free(&b.plain);
    buf_free(&b.base64);
    buf_free(&b.qp);
    buf_free(&b.uu);
    free(b.copy);
    free(b.room);
    return b.sink == 0;
}
