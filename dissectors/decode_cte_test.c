#include "dissectors/decode_test_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_names(void **unused)
{
    (void)unused;
    assert_string_equal(decode_odd_name(DECODE_ODD_JUNK), "junk");
    assert_string_equal(decode_odd_name(DECODE_ODD_CHECKSUM), "checksum");
    assert_int_equal(decode_choices(DECODE_FORK_NONE), 0);
    for (unsigned f = 1; f < DECODE_FORK_COUNT; f++) {
        assert_true(decode_choices((enum decode_fork)f) >= 2);
        assert_true(strlen(decode_fork_name((enum decode_fork)f)) > 2);
    }
}

static void
test_identity(void **unused)
{
    struct decode_run r = {.kind = DECODE_IDENTITY};
    struct buf in, out;

    (void)unused;
    buf_init(&in, 1024);
    buf_init(&out, 1024);
    for (unsigned i = 0; i < 300; i++)
        buf_putc(&in, (uint8_t)i);
    decode_run_all_cuts(&r, buf_view(&in), &out);
    assert_true(span_eq(buf_view(&in), buf_view(&out)));
    assert_int_equal(r.odd, 0);
    buf_free(&in);
    buf_free(&out);
}

/* A copy goes its own way; who does not choose has choice 0. */
static void
test_fork_by_copying(void **unused)
{
    struct span in = SPAN_LIT("QUI=REVG");
    struct decode a, b;
    struct span rest;
    uint8_t room[2 * DECODE_ROOM_MIN];
    size_t n;

    (void)unused;
    decode_init(&a, DECODE_BASE64);
    assert_int_equal(decode_push(&a, &in, room, sizeof(room)), 0);
    assert_int_equal(a.fork, DECODE_FORK_PAD);
    assert_int_equal(in.n, 4);
    b = a;
    rest = in;
    decode_choose(&b, 1);
    assert_false(decode_same(&a, &b));
    n = decode_push(&b, &rest, room, sizeof(room));
    assert_int_equal(rest.n, 0);
    assert_memory_equal(room, "AB", n);
    n = decode_push(&a, &in, room, sizeof(room));
    assert_int_equal(n, 5);
    assert_memory_equal(room, "ABDEF", 5);
    assert_int_equal(decode_end(&a, room, sizeof(room)), 0);
}

/* An empty body, and an end at once. */
static void
test_empty(void **unused)
{
    (void)unused;
    for (unsigned k = 0; k < DECODE_KIND_COUNT; k++) {
        struct decode_run r = {.kind = (enum decode_kind)k};
        struct buf out;

        buf_init(&out, 64);
        decode_run_all_cuts(&r, SPAN_NONE, &out);
        assert_int_equal(out.n, 0);
        buf_free(&out);
    }
}

/* Bytes of every value, for all decoders, at every cut. */
static void
test_noise(void **unused)
{
    uint64_t state = 11;
    uint8_t in[300];

    (void)unused;
    for (unsigned round = 0; round < 40; round++) {
        uint8_t choices[DECODE_FORK_COUNT];

        memset(choices, (int)(round / 10 % 2), sizeof(choices));
        for (size_t i = 0; i < sizeof(in); i++) {
            state = state * UINT64_C(6364136223846793005) + 1;
            in[i] = (uint8_t)(state >> 56);
        }
        for (unsigned k = 0; k < DECODE_KIND_COUNT; k++) {
            struct decode_run r = {.kind = (enum decode_kind)k,
                                   .choices = choices};
            struct buf out;

            buf_init(&out, 1U << 20);
            decode_run_all_cuts(&r, span_of(in, sizeof(in)), &out);
            buf_free(&out);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),           cmocka_unit_test(test_identity),
        cmocka_unit_test(test_fork_by_copying), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
