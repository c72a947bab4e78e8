#include "dissectors/content/ole2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "dissectors/content/ole2_make.h"

/* Bytes that differ from place to place. */
static void
fill(struct buf *b, size_t n, unsigned seed)
{
    buf_reset(b);
    for (size_t k = 0; k < n; k++)
        buf_putc(b, (uint8_t)(k * 7 + k / 256 + seed));
}

static void
check_stream(struct ole2 *o, uint32_t storage, const char *name,
             struct span want)
{
    uint32_t k = ole2_find(o, storage, name);
    struct buf got;

    assert_int_not_equal(k, OLE2_NONE);
    buf_init(&got, 1U << 20);
    if (!ole2_read(o, &o->entry[k], &got) || !span_eq(buf_view(&got), want))
        fail_msg("%s: %zu bytes of %zu", name, got.n, want.n);
    buf_free(&got);
}

static void
check_sizes(size_t sector)
{
    static const size_t sizes[] = {0,    1,    63,   64,   65,    4095,
                                   4096, 4097, 8192, 8193, 100000};
    struct ole2_make m;
    struct buf data;
    struct ole2 o;
    uint32_t inner;
    char name[16];

    buf_init(&data, 1U << 20);
    ole2_make_begin(&m, sector);
    inner = ole2_make_storage(&m, 0, "inner", NULL);
    for (unsigned k = 0; k < ARRAY_LEN(sizes); k++) {
        (void)snprintf(name, sizeof(name), "s%u", k);
        fill(&data, sizes[k], k);
        ole2_make_stream(&m, k % 2 == 0 ? 0 : inner, name, buf_view(&data));
    }
    ole2_make_end(&m);
    assert_true(ole2_open(buf_view(&m.out), &o));
    inner = ole2_find(&o, 0, "INNER");
    for (unsigned k = 0; k < ARRAY_LEN(sizes); k++) {
        (void)snprintf(name, sizeof(name), "s%u", k);
        fill(&data, sizes[k], k);
        check_stream(&o, k % 2 == 0 ? 0 : inner, name, buf_view(&data));
    }
    assert_false(o.damaged);
    ole2_close(&o);
    ole2_make_free(&m);
    buf_free(&data);
}

static void
test_sizes(void **state)
{
    (void)state;
    check_sizes(512);
    check_sizes(4096);
}

static void
test_class(void **state)
{
    static const uint8_t msi[16] = {0x84, 0x10, 0x0c, 0, 0, 0, 0, 0,
                                    0xc0, 0,    0,    0, 0, 0, 0, 0x46};

    (void)state;
    assert_true(ole2_clsid_is(msi, "000C1084-0000-0000-C000-000000000046"));
    assert_false(ole2_clsid_is(msi, "000C1085-0000-0000-C000-000000000046"));
    assert_false(ole2_clsid_is(msi, "000C1084-0000-0000-C000-000000000047"));
}

/* Everything that can be asked of a file. What it gives is bounded. */
static void
read_all(struct span bytes, bool *opened, bool *damaged)
{
    uint8_t *copy = malloc(bytes.n > 0 ? bytes.n : 1);
    struct ole2 o;
    struct buf b;
    uint64_t total = 0;

    REQUIRE(copy != NULL);
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    buf_init(&b, 1U << 20);
    *opened = ole2_open(span_of(copy, bytes.n), &o);
    for (uint32_t k = 0; k < o.n_entries && *opened; k++) {
        (void)ole2_read(&o, &o.entry[k], &b);
        total += b.n;
        (void)ole2_find(&o, k, "none");
    }
    assert_true(total <= (uint64_t)OLE2_READ_TIMES * bytes.n);
    *damaged = o.damaged;
    ole2_close(&o);
    buf_free(&b);
    free(copy);
}

static void
make_small(struct ole2_make *m)
{
    struct buf data;

    buf_init(&data, 1U << 20);
    fill(&data, 9000, 1);
    ole2_make_begin(m, 512);
    ole2_make_stream(m, 0, "large", buf_view(&data));
    ole2_make_stream(m, ole2_make_storage(m, 0, "st", NULL), "small",
                     span_head(buf_view(&data), 200));
    ole2_make_stream(m, 0, "last", span_head(buf_view(&data), 5000));
    ole2_make_end(m);
    buf_free(&data);
}

/* Entries: 0 root, 1 large, 2 st, 3 small, 4 last. */
#define ENTRY(k) (m->dir_at + (size_t)(k)*128)
#define LEFT(k)  (ENTRY(k) + 68)
#define RIGHT(k) (ENTRY(k) + 72)
#define CHILD(k) (ENTRY(k) + 76)
#define START(k) (ENTRY(k) + 116)
#define SIZE(k)  (ENTRY(k) + 120)
#define FAT(s)   (m->fat_at + (size_t)(s)*4)

static uint32_t
first_data(const struct ole2_make *m)
{
    return (uint32_t)(m->data_at / 512 - 1);
}

static void
hurt_nothing(struct ole2_make *m)
{
    (void)m;
}

static void
hurt_self_loop(struct ole2_make *m)
{
    ole2_make_patch(m, FAT(first_data(m)), first_data(m));
}

static void
hurt_chain_out(struct ole2_make *m)
{
    ole2_make_patch(m, FAT(first_data(m)), 0x00fffff0);
}

static void
hurt_directory_loop(struct ole2_make *m)
{
    ole2_make_patch(m, FAT(m->dir_at / 512 - 1),
                    (uint32_t)(m->dir_at / 512 - 1));
}

static void
hurt_cycle(struct ole2_make *m)
{
    ole2_make_patch(m, CHILD(2), 2);
}

static void
hurt_parent(struct ole2_make *m)
{
    ole2_make_patch(m, CHILD(2), 0);
}

static void
hurt_sibling(struct ole2_make *m)
{
    ole2_make_patch(m, LEFT(1), 4);
}

static void
hurt_index(struct ole2_make *m)
{
    ole2_make_patch(m, RIGHT(1), 0x7fffffff);
}

static void
hurt_size(struct ole2_make *m)
{
    ole2_make_patch(m, SIZE(1), 0xffffffff);
}

static void
hurt_mini_size(struct ole2_make *m)
{
    ole2_make_patch(m, SIZE(3), 4000);
}

static void
hurt_mini_loop(struct ole2_make *m)
{
    ole2_make_patch(m, SIZE(3), 4000);
    ole2_make_patch(m, m->mini_fat_at, 0);
}

static void
hurt_root_size(struct ole2_make *m)
{
    ole2_make_patch(m, SIZE(0), 0xffffffff);
}

static void
hurt_difat(struct ole2_make *m)
{
    for (size_t k = 0; k < 109; k++)
        ole2_make_patch(m, 76 + 4 * k, 0xffffffff);
    ole2_make_patch(m, 68, 3);
}

static void
test_hostile(void **state)
{
    static const struct {
        const char *why;
        void (*hurt)(struct ole2_make *m);
        bool damaged;
    } rows[] = {
        {"nothing is wrong",                    hurt_nothing,        false},
        {"a chain that is its own next sector", hurt_self_loop,      false},
        {"a chain that leaves the file",        hurt_chain_out,      true },
        {"the directory's chain loops",         hurt_directory_loop, true },
        {"a storage in itself",                 hurt_cycle,          true },
        {"the root in a storage",               hurt_parent,         true },
        {"a sibling that another one has",      hurt_sibling,        true },
        {"a sibling past the directory",        hurt_index,          true },
        {"a stream of 4 GiB",                   hurt_size,           true },
        {"a small stream past its container",   hurt_mini_size,      true },
        {"a small stream that loops",           hurt_mini_loop,      true },
        {"a container of 4 GiB",                hurt_root_size,      true },
        {"no sector of the FAT is named",       hurt_difat,          true },
    };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct ole2_make m;
        bool opened;
        bool damaged;

        make_small(&m);
        rows[k].hurt(&m);
        read_all(buf_view(&m.out), &opened, &damaged);
        if (damaged != rows[k].damaged)
            fail_msg("%s: damaged is %d", rows[k].why, damaged);
        ole2_make_free(&m);
    }
}

/* Many entries that are all the same large stream. */
static void
test_shared_sectors(void **state)
{
    struct ole2_make made;
    struct ole2_make *m = &made;
    struct buf data;
    bool opened;
    bool damaged;

    (void)state;
    buf_init(&data, 1U << 20);
    fill(&data, 200000, 3);
    ole2_make_begin(m, 512);
    ole2_make_stream(m, 0, "all", buf_view(&data));
    for (unsigned k = 0; k < 50; k++)
        ole2_make_stream(m, 0, "one", span_head(buf_view(&data), 4096));
    ole2_make_end(m);
    for (uint32_t k = 2; k < m->n; k++) {
        ole2_make_patch(m, START(k), first_data(m));
        ole2_make_patch(m, SIZE(k), 200000);
    }
    read_all(buf_view(&m->out), &opened, &damaged);
    assert_true(opened);
    assert_true(damaged);
    buf_free(&data);
    ole2_make_free(m);
}

static void
test_cuts(void **state)
{
    struct ole2_make m;

    (void)state;
    make_small(&m);
    for (size_t n = 0; n < m.out.n; n++) {
        bool opened;
        bool damaged;

        read_all(span_head(buf_view(&m.out), n), &opened, &damaged);
        if (opened && !damaged && n + 512 < m.out.n)
            fail_msg("cut at %zu of %zu is not noticed", n, m.out.n);
    }
    ole2_make_free(&m);
}

/* Each byte of the head and of the directory changed. */
static void
test_flips(void **state)
{
    struct ole2_make m;

    (void)state;
    make_small(&m);
    for (size_t at = 0; at < m.data_at; at++) {
        uint8_t was = m.out.p[at];
        bool opened;
        bool damaged;

        m.out.p[at] = (uint8_t)(was ^ 0xff);
        read_all(buf_view(&m.out), &opened, &damaged);
        m.out.p[at] = 1;
        read_all(buf_view(&m.out), &opened, &damaged);
        m.out.p[at] = was;
    }
    ole2_make_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),   cmocka_unit_test(test_class),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_shared_sectors),
        cmocka_unit_test(test_cuts),    cmocka_unit_test(test_flips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
