#include "sensor/journal/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tempdir.h"

#define KIND 7U

struct bench {
    struct tempdir t;
    struct tempdir_name folder;
    struct buf content, message;
};

static int
setup(void **state)
{
    static struct bench b;

    tempdir_make(&b.t);
    b.folder = tempdir_name(b.t.path, "snapshots");
    assert_int_equal(mkdir(b.folder.s, 0700), 0);
    buf_init(&b.content, 1U << 20);
    buf_init(&b.message, 4096);
    *state = &b;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *b = *state;

    tempdir_remove_flat(b->folder.s);
    tempdir_remove_flat(b->t.path);
    buf_free(&b->content);
    buf_free(&b->message);
    return 0;
}

static enum err
write_it(struct bench *b, uint64_t seq, const char *text)
{
    return snapshot_write(b->t.path, "x", KIND, seq, span_str(text),
                          &b->message);
}

static enum err
read_it(struct bench *b, uint64_t kind, uint64_t *seq)
{
    buf_reset(&b->message);
    return snapshot_read(b->t.path, "x", kind, seq, &b->content, &b->message);
}

static void
comes_back(void **state)
{
    struct bench *b = *state;
    uint64_t seq = 0;

    assert_int_equal(read_it(b, KIND, &seq), ERR_NOENT);
    assert_int_equal(b->message.n, 0);
    assert_int_equal(write_it(b, 5, "one"), ERR_OK);
    assert_int_equal(write_it(b, 6, "the second"), ERR_OK);
    assert_int_equal(read_it(b, KIND, &seq), ERR_OK);
    assert_int_equal(seq, 6);
    assert_true(span_eq(buf_view(&b->content), SPAN_LIT("the second")));
    assert_false(tempdir_has(b->folder.s, "x.new"));
    assert_int_equal(write_it(b, 0, ""), ERR_OK);
    assert_int_equal(read_it(b, KIND, &seq), ERR_OK);
    assert_int_equal(b->content.n, 0);
}

static void
another_is_refused(void **state)
{
    struct bench *b = *state;
    uint64_t seq = 99;

    assert_int_equal(write_it(b, 5, "one"), ERR_OK);
    assert_int_equal(read_it(b, KIND + 1, &seq), ERR_FORMAT);
    assert_true(b->message.n > 0);
    assert_int_equal(seq, 99);
}

static void
put_file(const char *path, const uint8_t *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    if (n > 0)
        assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Its number does not say how records are coded, as a build's before did. */
static void
another_coding_is_refused(void **state)
{
    struct bench *b = *state;
    struct tempdir_name file = tempdir_name(b->folder.s, "x");
    const uint8_t kind[8] = {KIND};
    uint64_t seq = 99;
    uint8_t *bytes;
    size_t n;

    assert_int_equal(write_it(b, 5, "one"), ERR_OK);
    bytes = tempdir_load(b->folder.s, "x", &n);
    assert_true(n > 16 && memcmp(bytes + 8, kind, sizeof(kind)) != 0);
    memcpy(bytes + 8, kind, sizeof(kind));
    put_file(file.s, bytes, n);
    free(bytes);
    assert_int_equal(read_it(b, KIND, &seq), ERR_FORMAT);
    assert_true(span_search(buf_view(&b->message),
                            SPAN_LIT("another version")) < b->message.n);
    assert_int_equal(seq, 99);
}

/* Cut anywhere, or with a bit turned anywhere. */
static void
damage_is_seen(void **state)
{
    struct bench *b = *state;
    struct tempdir_name file = tempdir_name(b->folder.s, "x");
    uint64_t seq;
    uint8_t *bytes;
    size_t n;

    assert_int_equal(write_it(b, 5, "some state"), ERR_OK);
    bytes = tempdir_load(b->folder.s, "x", &n);
    for (size_t i = 0; i < n; i++) {
        put_file(file.s, bytes, i);
        assert_int_not_equal(read_it(b, KIND, &seq), ERR_OK);
        bytes[i] ^= 0x10;
        put_file(file.s, bytes, n);
        bytes[i] ^= 0x10;
        assert_int_not_equal(read_it(b, KIND, &seq), ERR_OK);
    }
    put_file(file.s, bytes, n);
    assert_int_equal(read_it(b, KIND, &seq), ERR_OK);
    free(bytes);
}

static void
no_folder(void **state)
{
    struct bench *b = *state;

    buf_reset(&b->message);
    assert_int_equal(snapshot_write("/nowhere/at/all", "x", KIND, 1,
                                    SPAN_LIT("s"), &b->message),
                     ERR_NOENT);
    assert_true(span_starts(buf_view(&b->message),
                            SPAN_LIT("/nowhere/at/all/snapshots/x: ")));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(another_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(another_coding_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(damage_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(no_folder, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
