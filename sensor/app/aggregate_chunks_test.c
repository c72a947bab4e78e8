#include "sensor/app/aggregate_chunks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Bytes that do not compress. */
static struct buf
noise(size_t n, uint64_t seed)
{
    struct buf b;

    buf_init(&b, n + 1);
    assert_true(buf_grow(&b, n + 1));
    for (size_t i = 0; i < n; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        buf_putc(&b, (uint8_t)(seed >> 56));
    }
    return b;
}

static void
take(struct chunks_in *in, const char *key, struct span value)
{
    assert_int_equal(chunks_take(in, span_str(key), value), ERR_OK);
}

/* Messages of `from` to less than `to`. */
static void
feed(struct chunks_in *in, const struct chunks_out *out, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char key[CHUNKS_KEY];
        struct span value;

        chunks_message(out, i, key, &value);
        assert_true(value.n <= CHUNKS_BYTES);
        take(in, key, value);
    }
}

static void
pack(struct chunks_out *out, uint64_t offset, uint64_t writer, struct span s)
{
    const struct chunks_id id = {offset, writer};

    assert_int_equal(chunks_pack(out, id, s), ERR_OK);
}

static void
check_best(const struct chunks_in *in, uint64_t offset, struct span want)
{
    struct chunks_id id;
    struct buf state;
    size_t n;

    buf_init(&state, CHUNKS_MAX);
    assert_int_equal(chunks_best(in, &id, &n, &state), ERR_OK);
    assert_int_equal(id.offset, offset);
    assert_true(span_eq(buf_view(&state), want));
    buf_free(&state);
}

static const struct {
    const char *why;
    size_t bytes, messages;
} sizes[] = {
    {"nothing",                    0,                    2},
    {"one byte",                   1,                    2},
    {"as much as one message has", CHUNKS_BYTES - 1024,  2},
    {"more than one message has",  CHUNKS_BYTES + 1,     3},
    {"five messages",              4 * CHUNKS_BYTES + 9, 6},
};

static void
test_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct buf b = noise(sizes[i].bytes, i);
        struct chunks_out out;
        struct chunks_in *in;

        pack(&out, 7, 1, buf_view(&b));
        if (out.n != sizes[i].messages)
            fail_msg("%s: %zu messages", sizes[i].why, out.n);
        assert_int_equal(chunks_in_new(&in), ERR_OK);
        feed(in, &out, 0, out.n);
        check_best(in, 7, buf_view(&b));
        chunks_in_free(in);
        chunks_out_free(&out);
        buf_free(&b);
    }
}

/* Cut off anywhere, the state before is in force. */
static void
test_cut(void **state)
{
    struct buf a = noise(CHUNKS_BYTES + 1, 1), b = noise(2 * CHUNKS_BYTES, 2);
    struct chunks_out one, two;

    (void)state;
    pack(&one, 10, 1, buf_view(&a));
    pack(&two, 20, 1, buf_view(&b));
    for (size_t n = 0; n <= two.n; n++) {
        struct chunks_in *in;

        assert_int_equal(chunks_in_new(&in), ERR_OK);
        feed(in, &one, 0, one.n);
        feed(in, &two, 0, n);
        check_best(in, n < two.n ? 10 : 20, buf_view(n < two.n ? &a : &b));
        chunks_in_free(in);
    }
    chunks_out_free(&one);
    chunks_out_free(&two);
    buf_free(&a);
    buf_free(&b);
}

/* Who lost the partition writes behind who got it: the higher one counts, and
 * of equal ones each is whole by itself. */
static void
test_late_writer(void **state)
{
    struct buf a = noise(CHUNKS_BYTES + 1, 1), b = noise(CHUNKS_BYTES + 1, 2);
    struct chunks_out mine, late, same;
    struct chunks_in *in;

    (void)state;
    pack(&mine, 20, 1, buf_view(&a));
    pack(&late, 15, 2, buf_view(&b));
    pack(&same, 20, 2, buf_view(&a));
    assert_int_equal(chunks_in_new(&in), ERR_OK);
    feed(in, &mine, 0, 1);
    feed(in, &same, 0, 2);
    feed(in, &mine, 1, mine.n);
    feed(in, &late, 0, late.n);
    check_best(in, 20, buf_view(&a));
    chunks_in_free(in);
    chunks_out_free(&mine);
    chunks_out_free(&late);
    chunks_out_free(&same);
    buf_free(&a);
    buf_free(&b);
}

static void
end_state(struct chunks_in *in, struct chunks_id id, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        char key[CHUNKS_KEY];

        chunks_key(id, i - 1, n, key);
        take(in, key, SPAN_NONE);
    }
}

static void
test_tombstones(void **state)
{
    struct buf a = noise(CHUNKS_BYTES + 1, 1), got;
    struct chunks_out out;
    struct chunks_in *in;
    struct chunks_id id;
    size_t n;

    (void)state;
    buf_init(&got, CHUNKS_MAX);
    pack(&out, 10, 1, buf_view(&a));
    assert_int_equal(chunks_in_new(&in), ERR_OK);
    assert_int_equal(chunks_best(in, &id, &n, &got), ERR_NOENT);
    feed(in, &out, 0, out.n);
    assert_true(chunks_other(in, NULL, 0, &id, &n));
    assert_int_equal(n, out.n);
    assert_false(chunks_other(in, &out.id, 0, &id, &n));
    assert_false(chunks_other(in, NULL, 1, &id, &n));
    end_state(in, out.id, out.n);
    assert_int_equal(chunks_best(in, &id, &n, &got), ERR_NOENT);
    chunks_in_free(in);
    chunks_out_free(&out);
    buf_free(&a);
    buf_free(&got);
}

/* More states than are kept: the highest stay. */
static void
test_many(void **state)
{
    struct chunks_in *in;

    (void)state;
    assert_int_equal(chunks_in_new(&in), ERR_OK);
    for (uint64_t i = 0; i < 3 * (uint64_t)CHUNKS_STATES; i++) {
        struct chunks_out out;

        pack(&out, 100 + i, 1, SPAN_LIT("x"));
        feed(in, &out, 0, out.n);
        chunks_out_free(&out);
        pack(&out, i, 1, SPAN_LIT("y"));
        feed(in, &out, 0, out.n);
        chunks_out_free(&out);
    }
    check_best(in, 100 + 3 * CHUNKS_STATES - 1, SPAN_LIT("x"));
    chunks_in_free(in);
}

static void
test_damaged(void **state)
{
    struct buf a = noise(CHUNKS_BYTES + 1, 1), got;
    struct chunks_out out;
    struct chunks_in *in;
    struct chunks_id id;
    char key[CHUNKS_KEY];
    size_t n;

    (void)state;
    buf_init(&got, CHUNKS_MAX);
    pack(&out, 10, 1, buf_view(&a));
    assert_int_equal(chunks_in_new(&in), ERR_OK);
    feed(in, &out, 0, out.n);
    chunks_key(out.id, 1, out.n, key);
    take(in, key, SPAN_LIT("another piece"));
    assert_int_equal(chunks_best(in, &id, &n, &got), ERR_CORRUPT);
    feed(in, &out, 1, 2);
    check_best(in, 10, buf_view(&a));
    out.packed.p[out.packed.n - 1] ^= 1; /* of the same length */
    feed(in, &out, 1, 2);
    assert_int_equal(chunks_best(in, &id, &n, &got), ERR_CORRUPT);
    chunks_in_free(in);
    chunks_out_free(&out);
    buf_free(&a);
    buf_free(&got);
}

static const char *const foreign[] = {
    "",
    "whole",
    "0000000000000001",
    "0000000000000001/whole",
    "0000000000000001-0000000000000001",
    "0000000000000001-0000000000000001/",
    "0000000000000001-0000000000000001/Whole",
    "000000000000000A-0000000000000001/whole",
    "0000000000000001-0000000000000001/ffffffffffffffff",
    "0000000000000001-0000000000000001/000000000000000",
};

static void
test_foreign_keys(void **state)
{
    struct chunks_in *in;
    struct chunks_id id;
    size_t n;

    (void)state;
    assert_int_equal(chunks_in_new(&in), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        take(in, foreign[i], SPAN_LIT("x"));
    assert_false(chunks_other(in, NULL, 0, &id, &n));
    chunks_in_free(in);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_late_writer),  cmocka_unit_test(test_tombstones),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_foreign_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
