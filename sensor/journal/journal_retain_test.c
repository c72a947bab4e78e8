#include "sensor/journal/journal_retain.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "sensor/journal/journal.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/journal/journal_segment.h"
#include "tempdir.h"

#define DAY      (24 * 3600 * NS_PER_S)
#define NOW      (1800000000 * NS_PER_S)
#define SEGMENTS 6U
#define PER      300U /* lines of a segment, about */

static const char *const types[] = {"alert", "smtp", "stats", "smtp"};

/* Each line says its number and its kind. */
static void
put_lines(struct journal *j, unsigned n)
{
    char room[256];

    for (unsigned i = 0; i < n; i++) {
        const unsigned long long seq = journal_position(j).next_seq;
        const int k = snprintf(room, sizeof(room),
                               "{\"timestamp\":\"t\",\"event_type\":\"%s\","
                               "\"n\":%llu,\"pad\":\"%040llu\"}",
                               types[seq % ARRAY_LEN(types)], seq, seq * 7919);

        assert_int_equal(journal_append(j, span_of(room, (size_t)k), NULL),
                         ERR_OK);
    }
}

struct fixture {
    struct tempdir t;
    int dir;
    struct journal_segments s;
};

static void
list(struct fixture *f)
{
    journal_segments_free(&f->s);
    assert_int_equal(journal_segments_read(f->dir, &f->s), ERR_OK);
}

static void
set_age(struct fixture *f, uint64_t number, ns_t age)
{
    const ns_t at = NOW - age;
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = (time_t)(at / NS_PER_S)}};
    char name[SEGMENT_NAME_MAX];

    journal_segment_name(number, ".zst", name);
    assert_int_equal(utimensat(f->dir, name, times, 0), 0);
}

/* Segments of 6 days, 5 days... of age; the last one is open. */
static void
make(struct fixture *f)
{
    const struct journal_options o = {.segment_bytes = PER * 180};
    struct journal *j = NULL;
    struct buf message;
    const char *why;

    *f = (struct fixture){0};
    tempdir_make(&f->t);
    buf_init(&message, 4096);
    assert_int_equal(journal_open(f->t.path, &o, &j, NULL, &message), ERR_OK);
    buf_free(&message);
    while (f->s.n < SEGMENTS) {
        put_lines(j, 10);
        f->dir = f->dir > 0
                     ? f->dir
                     : open(tempdir_name(f->t.path, "journal").s, O_RDONLY);
        list(f);
    }
    assert_int_equal(journal_close(j), ERR_OK);
    list(f);
    for (size_t i = 0; i + 1 < f->s.n; i++) {
        assert_int_equal(journal_segment_compress(f->dir, f->s.v[i].number,
                                                  &journal_io_system, &why),
                         ERR_OK);
        set_age(f, f->s.v[i].number, (ns_t)(f->s.n - i) * DAY);
    }
    list(f);
}

static void
unmake(struct fixture *f)
{
    journal_segments_free(&f->s);
    (void)close(f->dir);
    tempdir_remove_flat(tempdir_name(f->t.path, "journal").s);
    tempdir_remove_flat(f->t.path);
}

struct seen {
    uint64_t kinds[KEEP_KINDS];
    uint64_t first, last, lost, damaged;
};

static struct seen
read_all(const struct fixture *f, uint64_t from)
{
    struct journal_reader *r;
    struct seen s = {0};
    struct journal_line l;
    enum journal_read got;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(journal_reader_open(f->t.path, from, &r, &message),
                     ERR_OK);
    while ((got = journal_read(r, &l)) != JOURNAL_READ_WAIT) {
        char want[64];
        const int n = snprintf(want, sizeof(want), "\"n\":%llu,",
                               (unsigned long long)l.seq);

        assert_int_not_equal(got, JOURNAL_READ_FAILED);
        if (got == JOURNAL_READ_DAMAGED) {
            s.damaged++;
            continue;
        }
        assert_true(span_search(l.json, span_of(want, (size_t)n)) < l.json.n);
        s.first = s.first == 0 ? l.seq : s.first;
        assert_true(l.seq > s.last && l.seq >= from);
        s.last = l.seq;
        s.lost += l.lost;
        s.kinds[keep_of_json(l.json)]++;
    }
    journal_reader_close(r);
    buf_free(&message);
    return s;
}

static struct journal_kept
run(const struct fixture *f, const struct journal_keep *k)
{
    struct journal_kept did;

    assert_int_equal(
        journal_retain(f->dir, k, UINT64_MAX, NOW, &journal_io_system, &did),
        ERR_OK);
    assert_int_equal(did.failed, 0);
    return did;
}

/* A kind goes from segments past its time; the others and the numbers stay. */
static void
by_kind(void **state)
{
    struct journal_keep k = {.age = {[KEEP_STATISTICS] = 4 * DAY},
                             .needed = UINT64_MAX};
    struct journal_kept did;
    struct seen before, after;
    struct fixture f;

    (void)state;
    make(&f);
    before = read_all(&f, 1);
    did = run(&f, &k);
    after = read_all(&f, 1);
    assert_int_equal(did.thinned, 2); /* 6 and 5 days old, not 4 */
    assert_int_equal(did.segments, 0);
    assert_true(did.bytes > 0);
    assert_int_equal(did.lines[KEEP_STATISTICS],
                     before.kinds[KEEP_STATISTICS] -
                         after.kinds[KEEP_STATISTICS]);
    assert_true(did.lines[KEEP_STATISTICS] > 0);
    assert_int_equal(after.kinds[KEEP_ALERTS], before.kinds[KEEP_ALERTS]);
    assert_int_equal(after.kinds[KEEP_TRANSACTIONS],
                     before.kinds[KEEP_TRANSACTIONS]);
    assert_int_equal(after.lost, 0);
    assert_int_equal(after.damaged, 0);
    assert_int_equal(after.last, before.last);
    /* again: nothing is left to do; then another kind of the same ones */
    did = run(&f, &k);
    assert_int_equal(did.thinned, 0);
    k.age[KEEP_TRANSACTIONS] = 4 * DAY;
    did = run(&f, &k);
    assert_int_equal(did.thinned, 2);
    after = read_all(&f, 1);
    assert_int_equal(after.kinds[KEEP_ALERTS], before.kinds[KEEP_ALERTS]);
    assert_int_equal(after.lost + after.damaged, 0);
    assert_int_equal(before.kinds[KEEP_TRANSACTIONS] -
                         after.kinds[KEEP_TRANSACTIONS],
                     did.lines[KEEP_TRANSACTIONS]);
    /* from the middle of what is gone */
    after = read_all(&f, 100);
    assert_int_equal(after.lost + after.damaged, 0);
    unmake(&f);
}

/* Deleted when all kinds are past their time, and not before. */
static void
whole(void **state)
{
    static const struct {
        const char *why;
        ns_t alerts;
        uint64_t segments, thinned;
    } rows[] = {
        {"alerts are kept for ever", 0,           0, 3},
        {"two are past it",          4 * DAY,     2, 1},
        {"at the limit it stays",    5 * DAY,     1, 2},
        {"just above it",            5 * DAY - 1, 2, 1},
        {"none is past it",          6 * DAY,     0, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct journal_keep k = {
            .age = {rows[i].alerts, 3 * DAY, 3 * DAY},
              .needed = UINT64_MAX
        };
        struct seen before, after;
        struct journal_kept did;
        struct fixture f;

        make(&f);
        before = read_all(&f, 1);
        did = run(&f, &k);
        if (did.segments != rows[i].segments || did.thinned != rows[i].thinned)
            fail_msg("%s: %u deleted, %u thinned", rows[i].why,
                     (unsigned)did.segments, (unsigned)did.thinned);
        after = read_all(&f, 1);
        for (unsigned n = 0; n < KEEP_KINDS; n++)
            assert_int_equal(before.kinds[n] - after.kinds[n], did.lines[n]);
        assert_int_equal(after.lost + after.damaged, 0);
        unmake(&f);
    }
}

/* What somebody still needs stays whole, and is counted. */
static void
needed(void **state)
{
    struct journal_keep k = {
        .age = {DAY, DAY, DAY}
    };
    struct journal_kept did;
    struct fixture f;
    struct seen before;

    (void)state;
    make(&f);
    before = read_all(&f, 1);
    did = run(&f, &k); /* nothing is known: all is needed */
    assert_int_equal(did.segments + did.thinned, 0);
    assert_int_equal(did.held, f.s.n - 1);
    assert_memory_equal(&before, &(struct seen[1]){read_all(&f, 1)},
                        sizeof(before));
    k.needed = f.s.v[2].number - 1; /* the last line of the second one */
    did = run(&f, &k);
    assert_int_equal(did.segments, 1);
    k.needed++;
    did = run(&f, &k);
    assert_int_equal(did.segments, 1);
    assert_int_equal(did.held, f.s.n - 3);
    assert_int_equal(read_all(&f, 1).first, f.s.v[2].number);
    unmake(&f);
}

static uint64_t
bytes_of(const struct fixture *f)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < f->s.n; i++) {
        char name[SEGMENT_NAME_MAX];
        struct stat st;

        journal_segment_name(f->s.v[i].number, f->s.v[i].plain ? "" : ".zst",
                             name);
        if (fstatat(f->dir, name, &st, 0) == 0)
            sum += (uint64_t)st.st_size;
    }
    return sum;
}

/* Room: alerts stay the longest; no more goes than must. */
static void
by_bytes(void **state)
{
    struct journal_keep k = {.needed = UINT64_MAX};
    struct journal_kept did;
    struct seen before, after;
    struct fixture f;
    uint64_t all;

    (void)state;
    make(&f);
    before = read_all(&f, 1);
    all = bytes_of(&f);
    k.bytes = all;
    assert_int_equal(run(&f, &k).thinned, 0);
    k.bytes = all - 1;
    did = run(&f, &k);
    assert_int_equal(did.thinned, 1);
    assert_int_equal(bytes_of(&f), all - did.bytes);
    after = read_all(&f, 1);
    assert_int_equal(after.kinds[KEEP_ALERTS], before.kinds[KEEP_ALERTS]);
    k.bytes = 1; /* the open one stays all the same */
    did = run(&f, &k);
    assert_int_equal(did.segments, f.s.n - 1);
    assert_int_equal(read_all(&f, 1).first, f.s.v[f.s.n - 1].number);
    unmake(&f);
}

/* A damaged one is not made to look whole. */
static void
damaged(void **state)
{
    const struct journal_keep k = {.age = {[KEEP_STATISTICS] = DAY},
                                   .needed = UINT64_MAX};
    char name[SEGMENT_NAME_MAX];
    struct journal_kept did;
    struct fixture f;
    uint8_t byte;
    int fd;

    (void)state;
    make(&f);
    journal_segment_name(f.s.v[0].number, ".zst", name);
    fd = openat(f.dir, name, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, 500), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, 500), 1);
    (void)close(fd);
    set_age(&f, f.s.v[0].number, 9 * DAY);
    did = run(&f, &k);
    assert_int_equal(did.damaged, 1);
    assert_int_equal(did.thinned, f.s.n - 2);
    assert_true(read_all(&f, 1).damaged > 0);
    unmake(&f);
}

/* A run that was made before goes into a longer one, whole. */
static void
again(void **state)
{
    const unsigned less = 1U << KEEP_TRANSACTIONS | 1U << KEEP_STATISTICS;
    struct journal_thinned did;
    struct seen before, after;
    struct fixture f;
    const char *why;

    (void)state;
    make(&f);
    before = read_all(&f, 1);
    assert_int_equal(journal_thin(f.dir, f.s.v[1].number, less,
                                  &journal_io_system, &did, &why),
                     ERR_OK);
    assert_int_equal(journal_thin_kinds(f.dir, f.s.v[1].number), less);
    assert_int_equal(journal_thin(f.dir, f.s.v[1].number,
                                  less | 1U << KEEP_ALERTS, &journal_io_system,
                                  &did, &why),
                     ERR_OK);
    assert_true(did.lines[KEEP_ALERTS] > 0);
    assert_int_equal(did.lines[KEEP_TRANSACTIONS], 0);
    after = read_all(&f, 1);
    assert_int_equal(after.lost + after.damaged, 0);
    assert_int_equal(after.last, before.last);
    assert_int_equal(before.kinds[KEEP_ALERTS] - after.kinds[KEEP_ALERTS],
                     did.lines[KEEP_ALERTS]);
    unmake(&f);
}

static ssize_t
no_room(void *ctx, int fd, const void *p, size_t n)
{
    unsigned *left = ctx;

    if ((*left)-- == 0) {
        errno = ENOSPC;
        return -1;
    }
    return write(fd, p, n);
}

static int
no_sync(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    return 0;
}

/* No room for the new file: the old one stays, and nothing is left behind. */
static void
full(void **state)
{
    const struct journal_keep k = {.age = {[KEEP_STATISTICS] = DAY},
                                   .needed = UINT64_MAX};
    struct journal_kept did;
    struct seen before;
    struct fixture f;

    (void)state;
    make(&f);
    before = read_all(&f, 1);
    for (unsigned at = 0; at < 2; at++) {
        unsigned left = at;
        const struct journal_io io = {no_room, no_sync, &left};
        struct seen after;

        assert_int_equal(
            journal_retain(f.dir, &k, f.s.v[1].number, NOW, &io, &did), ERR_OK);
        assert_int_equal(did.failed, 1);
        assert_int_equal(did.thinned, 0);
        after = read_all(&f, 1);
        assert_memory_equal(&before, &after, sizeof(before));
        list(&f);
        assert_false(f.s.v[0].plain);
    }
    unmake(&f);
}

/* Through the journal's thread, beside its writer. */
static void
in_thread(void **state)
{
    const struct journal_keep k = {
        .age = {1, 1, 1},
          .needed = UINT64_MAX
    };
    const struct timespec nap = {.tv_nsec = 1000000};
    struct journal_kept did;
    struct journal *j = NULL;
    struct buf message;
    struct fixture f;
    enum err e;

    (void)state;
    make(&f);
    buf_init(&message, 4096);
    assert_int_equal(journal_open(f.t.path, NULL, &j, NULL, &message), ERR_OK);
    assert_false(journal_retain_done(j, &did, &e));
    while (!journal_retain_start(j, &k, NOW))
        (void)nanosleep(&nap, NULL);
    put_lines(j, 100);
    while (!journal_retain_done(j, &did, &e))
        (void)nanosleep(&nap, NULL);
    assert_int_equal(e, ERR_OK);
    assert_int_equal(did.segments, f.s.n - 1);
    assert_false(journal_retain_done(j, &did, &e));
    assert_int_equal(journal_close(j), ERR_OK);
    buf_free(&message);
    unmake(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_kind), cmocka_unit_test(whole),
        cmocka_unit_test(needed),  cmocka_unit_test(by_bytes),
        cmocka_unit_test(again),   cmocka_unit_test(damaged),
        cmocka_unit_test(full),    cmocka_unit_test(in_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
