#include "sensor/capture/recorder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sensor/capture/capture.h"

#define T0 (UINT64_C(1767600000) * NS_PER_S)

/* ---- a folder of its own ---- */

struct place {
    char path[64];
    int dir;
    unsigned used;
};

static int
make_place(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    (void)snprintf(p->path, sizeof(p->path), "/tmp/span25-ring-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    p->dir = open(p->path, O_RDONLY | O_DIRECTORY);
    assert_true(p->dir >= 0);
    *state = p;
    return 0;
}

static int
remove_place(void **state)
{
    struct place *p = *state;
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", p->path);
    (void)close(p->dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    free(p);
    return 0;
}

static unsigned
used(void *ctx)
{
    return ((struct place *)ctx)->used;
}

static struct recorder *
open_ring(struct place *p, uint64_t bytes, uint64_t segment, ns_t keep)
{
    static const struct recorder_iface ifaces[] = {
        {"eth0", 1  },
        {"tap1", 101}
    };
    const struct recorder_options o = {
        .bytes = bytes,
        .segment = segment,
        .keep = keep,
        .disk_percent = 90,
        .snaplen = 262144,
        .seed = 7,
        .ifaces = ifaces,
        .n_ifaces = 2,
        .used = used,
        .used_ctx = p,
    };
    struct recorder *r = NULL;

    assert_int_equal(recorder_open(p->dir, &o, &r), ERR_OK);
    return r;
}

static struct evidence_key
key_of(unsigned n)
{
    const struct addr a = addr_v4((const uint8_t[]){10, 0, 0, 1});
    const struct addr b = addr_v4((const uint8_t[]){10, 0, 0, 2});

    return evidence_key(&a, (uint16_t)(1024 + n), &b, 25);
}

static void
put(struct recorder *r, unsigned flow, ns_t when, size_t n)
{
    static uint8_t bytes[4096];
    const struct evidence_key k = key_of(flow);
    const struct packet p = {.data = span_of(bytes, n),
                             .wire_len = (uint32_t)n,
                             .iface = (uint16_t)(flow % 2),
                             .when = when};

    memset(bytes, (int)flow, sizeof(bytes));
    recorder_packet(r, &p, &k);
}

static bool
is_there(const struct place *p, uint32_t number, bool index, struct stat *s)
{
    char name[EVIDENCE_NAME_MAX];

    evidence_name(number, index, name);
    return fstatat(p->dir, name, s, 0) == 0;
}

static struct buf
read_file(const struct place *p, uint32_t number, bool index)
{
    char name[EVIDENCE_NAME_MAX];
    uint8_t bytes[4096];
    struct buf b;
    ssize_t n;
    int fd;

    buf_init(&b, 64 << 20);
    evidence_name(number, index, name);
    fd = openat(p->dir, name, O_RDONLY);
    assert_true(fd >= 0);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        buf_put(&b, bytes, (size_t)n);
    (void)close(fd);
    return b;
}

/* ---- tests ---- */

static void
keeps_frames_and_times(void **state)
{
    struct place *p = *state;
    struct recorder *r = open_ring(p, 1 << 20, 1 << 18, NS_PER_S * 3600);
    const char *name = NULL;
    char path[128];
    struct capture *c = NULL;
    struct packet k;
    struct buf message;
    struct stat s;

    for (unsigned i = 0; i < 9; i++)
        put(r, i, T0 + i * 1001, 60 + i);
    recorder_close(r);
    (void)snprintf(path, sizeof(path), "%s/00000001.pcapng", p->path);
    name = path;
    buf_init(&message, 256);
    assert_int_equal(
        capture_open(&name, 1, &(struct capture_options){0}, &c, &message),
        ERR_OK);
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(capture_next(c, &k), CAPTURE_PACKET);
        assert_int_equal(k.when, T0 + i * 1001);
        assert_int_equal(k.data.n, 60 + i);
        assert_int_equal(span_at(k.data, 59), i);
        assert_int_equal(k.link, i % 2 == 0 ? 1 : 101);
    }
    assert_int_equal(capture_next(c, &k), CAPTURE_END);
    assert_int_equal(capture_n_faults(c), 0);
    assert_true(span_eq(capture_iface(c, 1)->name, SPAN_LIT("tap1")));
    capture_close(c);
    buf_free(&message);
    assert_true(is_there(p, 1, false, &s));
    assert_int_equal(s.st_mode & 0777, 0600);
}

static void
finds_by_ends_and_time(void **state)
{
    static const struct {
        const char *why;
        unsigned flow;
        ns_t from, to;
        bool want;
    } rows[] = {
        {"within",           3, T0 + 30, T0 + 35, true },
        {"at its first",     3, 0,       T0 + 30, true },
        {"before its first", 3, 0,       T0 + 29, false},
        {"at its last",      3, T0 + 39, T0 + 99, true },
        {"after its last",   3, T0 + 40, T0 + 99, false},
        {"never seen",       9, 0,       T0 * 2,  false},
    };
    struct place *p = *state;
    struct recorder *r = open_ring(p, 1 << 20, 1 << 18, NS_PER_S * 3600);
    struct evidence_head h;
    struct buf b;

    for (unsigned i = 0; i < 50; i++)
        put(r, i / 10, T0 + i, 100);
    recorder_close(r);
    b = read_file(p, 1, true);
    assert_true(evidence_read_head(buf_view(&b), &h));
    assert_int_equal(h.rows, 5);
    assert_int_equal(h.first, T0);
    assert_int_equal(h.last, T0 + 49);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct evidence_key k = key_of(rows[i].flow);

        if (evidence_has(buf_view(&b), &k, rows[i].from, rows[i].to) !=
            rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    for (size_t n = 0; n < b.n; n++)
        assert_false(evidence_read_head(span_of(b.p, n), &h));
    buf_free(&b);
}

static void
both_ways_are_one_key(void **state)
{
    const struct addr a = addr_v4((const uint8_t[]){10, 0, 0, 9});
    const struct addr b = addr_v4((const uint8_t[]){10, 0, 0, 2});
    const struct evidence_key x = evidence_key(&a, 1, &b, 2);
    const struct evidence_key y = evidence_key(&b, 2, &a, 1);
    const struct evidence_key m = evidence_key(&a, 9, &a, 2);
    const struct evidence_key n = evidence_key(&a, 2, &a, 9);

    (void)state;
    assert_memory_equal(&x, &y, sizeof(x));
    assert_memory_equal(&m, &n, sizeof(m));
}

static void
rolls_within_its_bytes(void **state)
{
    enum { SEGMENT = 10000, MOST = 45000 };
    struct place *p = *state;
    struct recorder *r = open_ring(p, MOST, SEGMENT, NS_PER_S * 3600);
    struct recorder_counts n;
    struct stat s;

    for (unsigned i = 0; i < 1000; i++) {
        put(r, 1, T0 + i, 964);
        n = recorder_counts(r);
        assert_true(n.bytes <= MOST);
    }
    assert_int_equal(n.packets, 1000);
    assert_int_equal(n.skipped, 0);
    assert_true(n.deleted > 90);
    assert_true(n.segments <= 5);
    assert_true(n.oldest > T0 + 900);
    assert_false(is_there(p, 1, false, &s));
    assert_false(is_there(p, 1, true, &s));
    recorder_close(r);
}

static void
forgets_what_is_old(void **state)
{
    struct place *p = *state;
    struct recorder *r = open_ring(p, 1 << 20, 1 << 18, 100 * NS_PER_S);

    put(r, 1, T0, 100);
    recorder_turn(r, T0 + 99 * NS_PER_S);
    assert_int_equal(recorder_counts(r).segments, 1);
    recorder_turn(r, T0 + 100 * NS_PER_S);
    assert_int_equal(recorder_counts(r).segments, 1);
    recorder_turn(r, T0 + 102 * NS_PER_S);
    assert_int_equal(recorder_counts(r).segments, 0);
    assert_int_equal(recorder_counts(r).oldest, 0);
    recorder_close(r);
}

static void
stops_before_the_disk_is_full(void **state)
{
    struct place *p = *state;
    struct recorder *r = open_ring(p, 1 << 20, 10000, NS_PER_S * 3600);
    uint64_t segments;

    for (unsigned i = 0; i < 50; i++)
        put(r, 1, T0 + i, 964);
    p->used = 89;
    recorder_turn(r, T0 + NS_PER_S);
    assert_int_equal(recorder_counts(r).state, RECORDER_RUNS);
    segments = recorder_counts(r).segments;
    p->used = 90;
    recorder_turn(r, T0 + 2 * NS_PER_S);
    assert_int_equal(recorder_counts(r).state, RECORDER_FULL);
    assert_true(recorder_counts(r).segments < segments);
    put(r, 1, T0 + 100, 964);
    assert_int_equal(recorder_counts(r).skipped, 1);
    p->used = 89; /* not yet: it would come and go */
    recorder_turn(r, T0 + 3 * NS_PER_S);
    assert_int_equal(recorder_counts(r).state, RECORDER_FULL);
    p->used = 88;
    recorder_turn(r, T0 + 4 * NS_PER_S);
    assert_int_equal(recorder_counts(r).state, RECORDER_RUNS);
    put(r, 1, T0 + 101, 964);
    assert_int_equal(recorder_counts(r).packets, 51);
    recorder_close(r);
}

static void
goes_on_after_a_kill(void **state)
{
    struct place *p = *state;
    struct recorder *r = open_ring(p, 1 << 20, 1 << 18, NS_PER_S * 3600);
    struct recorder *next;
    struct stat s;

    put(r, 1, T0, 100);
    recorder_turn(r, T0 + NS_PER_S); /* written, not closed */
    next = open_ring(p, 1 << 20, 1 << 18, NS_PER_S * 3600);
    put(next, 1, T0, 100);
    assert_int_equal(recorder_counts(next).segments, 2);
    assert_false(is_there(p, 1, true, &s));
    recorder_close(next);
    assert_true(is_there(p, 2, true, &s));
    recorder_close(r);
}

static void
fills_its_table_of_connections(void **state)
{
    struct place *p = *state;
    struct recorder *r = open_ring(p, 64 << 20, 32 << 20, NS_PER_S * 3600);
    const struct addr a = addr_v4((const uint8_t[]){10, 0, 0, 1});
    const struct packet k = {.data = SPAN_LIT("x"), .wire_len = 1, .when = T0};

    for (unsigned i = 0; i <= RECORDER_FLOWS; i++) {
        const uint8_t b[4] = {11, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                              (uint8_t)i};
        const struct addr peer = addr_v4(b);
        const struct evidence_key key = evidence_key(&a, 1, &peer, 25);

        assert_int_equal(recorder_counts(r).segments, i > 0);
        recorder_packet(r, &k, &key);
    }
    assert_int_equal(recorder_counts(r).segments, 2);
    recorder_close(r);
}

static void
survives_a_folder_that_is_gone(void **state)
{
    struct place *p = *state;
    struct recorder *r = open_ring(p, 1 << 20, 1 << 18, NS_PER_S * 3600);

    assert_int_equal(rmdir(p->path), 0);
    put(r, 1, T0, 100);
    assert_int_equal(recorder_counts(r).state, RECORDER_FAILED);
    assert_int_equal(recorder_counts(r).skipped, 1);
    recorder_turn(r, T0 + NS_PER_S);
    recorder_close(r);
}

static void
names(void **state)
{
    static const struct {
        const char *name;
        bool good, index;
        uint32_t number;
    } rows[] = {
        {"00000001.pcapng",     true,  false, 1         },
        {"4294967294.index",    true,  true,  4294967294},
        {"4294967295.index",    false, false, 0         },
        {"00000000.pcapng",     false, false, 0         },
        {"0000001.pcapng",      false, false, 0         },
        {"index.new",           false, false, 0         },
        {"00000001.pcapng.bak", false, false, 0         },
        {"-0000001.pcapng",     false, false, 0         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t number = 0;
        bool index = false;

        if (evidence_name_read(rows[i].name, &number, &index) != rows[i].good)
            fail_msg("%s", rows[i].name);
        if (rows[i].good) {
            assert_int_equal(number, rows[i].number);
            assert_int_equal(index, rows[i].index);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_frames_and_times, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(finds_by_ends_and_time, make_place,
                                        remove_place),
        cmocka_unit_test(both_ways_are_one_key),
        cmocka_unit_test_setup_teardown(rolls_within_its_bytes, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(forgets_what_is_old, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(stops_before_the_disk_is_full,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(goes_on_after_a_kill, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(fills_its_table_of_connections,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(survives_a_folder_that_is_gone,
                                        make_place, remove_place),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
