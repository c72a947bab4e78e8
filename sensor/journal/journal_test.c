#include "sensor/journal/journal.h"

#include "sensor/journal/journal_line.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sensor/base/hash.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/journal/journal_segment.h"
#include "tempdir.h"

#define FIRST "00000000000000000001.jsonl"

/* ---- helpers ---- */

static struct journal *
open_ok(const char *dir, const struct journal_options *o,
        struct journal_recovery *rec)
{
    struct journal *j = NULL;
    struct buf message;
    enum err e;

    buf_init(&message, 4096);
    e = journal_open(dir, o, &j, rec, &message);
    if (e != ERR_OK)
        print_message("%.*s\n", (int)message.n, (const char *)message.p);
    buf_free(&message);
    assert_int_equal(e, ERR_OK);
    return j;
}

/* The body that line seq has in all tests; its length varies. */
static struct span
body_of(uint64_t seq, char *room, size_t cap)
{
    int n = snprintf(room, cap, "{\"n\":%llu,\"pad\":\"%.*s\"}",
                     (unsigned long long)seq, (int)(seq * 7 % 40),
                     "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMN");

    return span_of(room, (size_t)n);
}

static void
put_lines(struct journal *j, unsigned n)
{
    char room[256];

    for (unsigned i = 0; i < n; i++) {
        uint64_t want = journal_position(j).next_seq;
        uint64_t seq = 0;

        assert_int_equal(
            journal_append(j, body_of(want, room, sizeof(room)), &seq), ERR_OK);
        assert_int_equal(seq, want);
    }
}

struct seen {
    uint64_t lines;
    uint64_t damaged;
    uint64_t lost;
    uint64_t last;
    enum journal_read end;
};

/* Reads what there is; every line given must be the one it says it is. */
static void
drain(struct journal_reader *r, struct seen *s)
{
    struct journal_line l;
    char room[256];

    while ((s->end = journal_read(r, &l)) == JOURNAL_READ_LINE ||
           s->end == JOURNAL_READ_DAMAGED) {
        struct span want;

        if (s->end == JOURNAL_READ_DAMAGED) {
            s->damaged++;
            continue;
        }
        want = body_of(l.seq, room, sizeof(room));
        assert_true(l.seq > s->last);
        assert_int_equal(l.json.n, want.n);
        assert_memory_equal(l.json.p, want.p, want.n);
        s->lines++;
        s->lost += l.lost;
        s->last = l.seq;
    }
}

static struct journal_reader *
reader_ok(const char *dir, uint64_t from)
{
    struct journal_reader *r = NULL;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(journal_reader_open(dir, from, &r, &message), ERR_OK);
    buf_free(&message);
    return r;
}

static struct seen
read_all(const char *dir, uint64_t from)
{
    struct journal_reader *r = reader_ok(dir, from);
    struct seen s = {0};

    drain(r, &s);
    assert_int_equal(s.end, JOURNAL_READ_WAIT);
    journal_reader_close(r);
    return s;
}

static struct tempdir_name
folder(const struct tempdir *t)
{
    return tempdir_name(t->path, "journal");
}

/* For the tests that open thousands of journals: nothing is synced. */
static ssize_t
plain_write(void *ctx, int fd, const void *p, size_t n)
{
    (void)ctx;
    return write(fd, p, n);
}

static int
no_sync(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    return 0;
}

static const struct journal_io fast = {plain_write, no_sync, NULL};

/* ---- tests ---- */

static void
test_line_is_as_documented(void **state)
{
    struct tempdir t;
    struct journal *j;
    const char *bodies[] = {"{\"a\":1", "{\"b\":\"x\""};
    uint64_t check = 1; /* the segment's number */
    char want[512];
    size_t n = 0;
    size_t got_n;
    uint8_t *got;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, NULL, NULL);
    assert_int_equal(journal_append(j, SPAN_LIT("{\"a\":1}"), NULL), ERR_OK);
    assert_int_equal(journal_append(j, SPAN_LIT("{\"b\":\"x\"}"), NULL),
                     ERR_OK);
    assert_int_equal(journal_close(j), ERR_OK);
    for (unsigned i = 0; i < 2; i++) {
        check =
            XXH3_64bits_withSeed(bodies[i], strlen(bodies[i]), check + i + 1);
        n += (size_t)snprintf(want + n, sizeof(want) - n,
                              "%s,\"journal\":{\"seq\":%u,\"check\":\"%016llx\""
                              "}}\n",
                              bodies[i], i + 1, (unsigned long long)check);
    }
    got = tempdir_load(folder(&t).s, FIRST, &got_n);
    assert_int_equal(got_n, n);
    assert_memory_equal(got, want, n);
    free(got);
    tempdir_remove(&t);
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *why;
        const char *in;
        enum err want;
    } rows[] = {
        {"empty",                                 "",            ERR_FORMAT},
        {"empty object has no place for a comma", "{}",          ERR_FORMAT},
        {"no brace at the end",                   "{\"a\":1",    ERR_FORMAT},
        {"no brace at the beginning",             "[1]}",        ERR_FORMAT},
        {"two lines",                             "{\"a\":\n1}", ERR_FORMAT},
        {"smallest",                              "{\"\":1}",    ERR_OK    },
        {"the added key inside",
         "{\"a\":1,\"journal\":{\"seq\":1,\"check\":"
         "\"0123456789abcdef\"}}",                               ERR_OK    },
    };
    struct tempdir t;
    struct journal *j;
    struct journal_reader *r;
    struct journal_line l;
    uint8_t *big = malloc(JOURNAL_LINE_MAX + 1);

    (void)state;
    assert_non_null(big);
    tempdir_make(&t);
    j = open_ok(t.path, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (journal_append(j, span_str(rows[i].in), NULL) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    memset(big, 'x', JOURNAL_LINE_MAX + 1);
    big[0] = '{';
    big[JOURNAL_LINE_MAX - 1] = big[JOURNAL_LINE_MAX] = '}';
    assert_int_equal(
        journal_append(j, span_of(big, JOURNAL_LINE_MAX + 1), NULL), ERR_LIMIT);
    assert_int_equal(journal_append(j, span_of(big, JOURNAL_LINE_MAX), NULL),
                     ERR_OK);
    assert_int_equal(
        journal_append(j, span_of(big, JOURNAL_LINE_MAX - 1), NULL),
        ERR_FORMAT);
    assert_int_equal(journal_close(j), ERR_OK);
    r = reader_ok(t.path, 1);
    assert_int_equal(journal_read(r, &l), JOURNAL_READ_LINE);
    assert_true(span_eq(l.json, span_str(rows[5].in)));
    assert_int_equal(journal_read(r, &l), JOURNAL_READ_LINE);
    assert_true(span_eq(l.json, span_str(rows[6].in)));
    assert_int_equal(journal_read(r, &l), JOURNAL_READ_LINE);
    assert_true(span_eq(l.json, span_of(big, JOURNAL_LINE_MAX)));
    assert_int_equal(journal_read(r, &l), JOURNAL_READ_WAIT);
    journal_reader_close(r);
    free(big);
    tempdir_remove(&t);
}

static void
test_cut_at_every_byte(void **state)
{
    struct journal_options o = {.io = &fast};
    struct tempdir t;
    struct journal_recovery rec;
    struct journal *j;
    uint8_t *whole;
    size_t n;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 8);
    assert_int_equal(journal_close(j), ERR_OK);
    whole = tempdir_load(folder(&t).s, FIRST, &n);
    tempdir_remove(&t);
    for (size_t cut = 0; cut <= n; cut++) {
        uint64_t lines = 0;
        size_t kept = 0;
        struct seen s;

        for (size_t i = 0; i < cut; i++) {
            if (whole[i] == '\n') {
                lines++;
                kept = i + 1;
            }
        }
        tempdir_make(&t);
        j = open_ok(t.path, &o, NULL);
        assert_int_equal(journal_close(j), ERR_OK);
        tempdir_store(folder(&t).s, FIRST, whole, cut);
        j = open_ok(t.path, &o, &rec);
        assert_int_equal(rec.lines, lines);
        assert_int_equal(rec.next_seq, lines + 1);
        assert_int_equal(rec.bad_lines, 0);
        assert_int_equal(rec.moved_bytes, cut - kept);
        assert_int_equal(tempdir_count(folder(&t).s, "damaged-"), cut > kept);
        put_lines(j, 1);
        assert_int_equal(journal_close(j), ERR_OK);
        s = read_all(t.path, 1);
        assert_int_equal(s.lines, lines + 1);
        assert_int_equal(s.damaged, 0);
        if (cut > kept) {
            char name[96];
            size_t got_n;
            uint8_t *got;

            (void)snprintf(name, sizeof(name), "damaged-%020d-%zu", 1, kept);
            got = tempdir_load(folder(&t).s, name, &got_n);
            assert_int_equal(got_n, cut - kept);
            assert_memory_equal(got, whole + kept, got_n);
            free(got);
        }
        tempdir_remove(&t);
    }
    free(whole);
}

/* Two segments: damage in the first one is for the reader, in the last one for
 * the recovery. A newline joins two lines, any other byte costs one. */
static void
test_every_byte_flipped(void **state)
{
    static const uint8_t flips[] = {0x01, 0x20, 0x80, 0xff};
    struct journal_options o = {.keep_plain = true, .io = &fast};
    struct tempdir t;
    struct journal_recovery rec;
    struct journal *j;
    uint8_t *whole;
    size_t n;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 6);
    assert_int_equal(journal_close(j), ERR_OK);
    whole = tempdir_load(folder(&t).s, FIRST, &n);
    for (size_t i = 0; i < n * ARRAY_LEN(flips); i++) {
        size_t at = i / ARRAY_LEN(flips);
        uint8_t old = whole[at];
        bool joined = old == '\n';
        struct seen s;

        whole[at] ^= flips[i % ARRAY_LEN(flips)];
        /* as the last segment */
        tempdir_remove_flat(folder(&t).s);
        (void)mkdir(folder(&t).s, 0700);
        tempdir_store(folder(&t).s, FIRST, whole, n);
        j = open_ok(t.path, &o, &rec);
        assert_true(rec.moved_bytes > 0 || rec.bad_lines > 0);
        assert_int_equal(rec.lines, joined && at < n - 1 ? 4 : 5);
        assert_int_equal(journal_close(j), ERR_OK);
        /* as an older one: what follows says where line 7 begins */
        tempdir_store(folder(&t).s, FIRST, whole, n);
        tempdir_store(folder(&t).s, "00000000000000000007.jsonl", "", 0);
        j = open_ok(t.path, &o, &rec);
        put_lines(j, 1);
        assert_int_equal(journal_close(j), ERR_OK);
        s = read_all(t.path, 1);
        assert_int_equal(s.damaged, 1);
        assert_int_equal(s.lines, joined && at < n - 1 ? 5 : 6);
        assert_int_equal(s.lost, 7 - s.lines);
        assert_int_equal(s.last, 7);
        whole[at] = old;
    }
    free(whole);
    tempdir_remove(&t);
}

/* Whole lines moved about. Letters are the lines of the first segment. */
static void
test_lines_moved(void **state)
{
    static const struct {
        const char *why;
        const char *order;
        uint64_t lines;
        uint64_t damaged;
    } rows[] = {
        {"as they were",                                       "abcdef",  7, 0},
        {"lost first",                                         "bcdef",   5, 1},
        {"lost in the middle: the next one cannot be checked", "abdef",   5, 1},
        {"lost last",                                          "abcde",   6, 1},
        {"doubled",                                            "abccdef", 7, 1},
        {"swapped",                                            "abdcef",  5, 2},
        {"all lost",                                           "",        1, 1},
    };
    struct journal_options o = {.keep_plain = true};
    struct tempdir t;
    struct journal *j;
    uint8_t *whole;
    size_t n;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 6);
    assert_int_equal(journal_close(j), ERR_OK);
    whole = tempdir_load(folder(&t).s, FIRST, &n);
    tempdir_store(folder(&t).s, "00000000000000000007.jsonl", "", 0);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 1);
    assert_int_equal(journal_close(j), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        struct seen s;

        buf_init(&b, 1 << 20);
        for (const char *c = rows[i].order; *c != 0; c++) {
            struct span rest = span_of(whole, n);

            for (char k = 'a'; k < *c; k++)
                rest = span_tail(rest, span_find(rest, '\n') + 1);
            buf_span(&b, span_head(rest, span_find(rest, '\n') + 1));
        }
        tempdir_store(folder(&t).s, FIRST, b.n > 0 ? b.p : (const void *)"",
                      b.n);
        buf_free(&b);
        s = read_all(t.path, 1);
        if (s.lines != rows[i].lines || s.damaged != rows[i].damaged ||
            s.lost != 7 - s.lines)
            fail_msg("%s: %d lines, %d damaged", rows[i].why, (int)s.lines,
                     (int)s.damaged);
    }
    free(whole);
    tempdir_remove(&t);
}

static void
test_segments_are_compressed(void **state)
{
    struct journal_options o = {.segment_bytes = 4000};
    struct tempdir t;
    struct journal *j;
    struct journal_segments list;
    struct seen s;
    int dir;

    (void)state;
    tempdir_make(&t);
    for (unsigned round = 0; round < 3; round++) {
        j = open_ok(t.path, &o, NULL);
        put_lines(j, 200);
        assert_int_equal(journal_close(j), ERR_OK);
    }
    j = open_ok(t.path, &o, NULL); /* meets what a running thread left */
    assert_int_equal(journal_close(j), ERR_OK);
    dir = open(folder(&t).s, O_RDONLY | O_DIRECTORY);
    assert_int_equal(journal_segments_read(dir, &list), ERR_OK);
    assert_true(list.n > 10);
    for (size_t i = 0; i < list.n; i++) {
        assert_int_equal(list.v[i].plain, i == list.n - 1);
        assert_int_equal(list.v[i].zst, i < list.n - 1);
    }
    s = read_all(t.path, 1);
    assert_int_equal(s.lines, 600);
    assert_int_equal(s.damaged, 0);
    for (uint64_t from = 1; from <= 601; from += 13) {
        s = read_all(t.path, from);
        assert_int_equal(s.lines, 601 - from);
        assert_int_equal(s.damaged + s.lost, 0);
    }
    assert_int_equal(tempdir_count(folder(&t).s, "damaged-"), 0);
    journal_segments_free(&list);
    (void)close(dir);
    tempdir_remove(&t);
}

/* The steps of compressing, each with a crash behind it. */
static void
test_crash_while_compressing(void **state)
{
    struct journal_options o = {.segment_bytes = 2000, .keep_plain = true};
    char zst[SEGMENT_NAME_MAX];
    char temp[SEGMENT_NAME_MAX];
    struct tempdir t;
    struct journal *j;
    uint8_t *plain;
    size_t n;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 100);
    assert_int_equal(journal_close(j), ERR_OK);
    journal_segment_name(1, ".zst", zst);
    journal_segment_name(1, ".zst.tmp", temp);
    plain = tempdir_load(folder(&t).s, FIRST, &n);
    tempdir_store(folder(&t).s, temp, plain, n / 2);
    tempdir_store(folder(&t).s, zst, "half", 4);
    assert_int_equal(read_all(t.path, 1).lines, 100);
    j = open_ok(t.path, &o, NULL);
    assert_int_equal(journal_close(j), ERR_OK);
    assert_false(tempdir_has(folder(&t).s, temp));
    assert_false(tempdir_has(folder(&t).s, zst));
    assert_true(tempdir_has(folder(&t).s, FIRST));
    o.keep_plain = false;
    j = open_ok(t.path, &o, NULL);
    assert_int_equal(journal_close(j), ERR_OK);
    assert_true(tempdir_has(folder(&t).s, zst));
    assert_false(tempdir_has(folder(&t).s, FIRST));
    assert_int_equal(read_all(t.path, 1).lines, 100);
    free(plain);
    tempdir_remove(&t);
}

static void
test_damaged_frame_costs_itself(void **state)
{
    struct journal_options o = {.segment_bytes = 5U << 20};
    char zst[SEGMENT_NAME_MAX];
    char room[4096];
    struct tempdir t;
    struct journal *j;
    struct journal_reader *r;
    struct journal_line l;
    enum journal_read got;
    uint8_t *file;
    size_t n;
    uint64_t lines = 0;
    uint64_t lost = 0;
    uint64_t rng = 7;
    unsigned damaged = 0;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    while (journal_position(j).segment == 1) {
        int len = snprintf(room, sizeof(room), "{\"x\":\"");

        while (len < 4000)
            room[len++] = (char)('a' + (rng = hash_mix(rng, 1)) % 26);
        memcpy(room + len, "\"}", 2);
        assert_int_equal(
            journal_append(j, span_of(room, (size_t)len + 2), NULL), ERR_OK);
    }
    assert_int_equal(journal_close(j), ERR_OK);
    journal_segment_name(1, ".zst", zst);
    file = tempdir_load(folder(&t).s, zst, &n);
    assert_non_null(file);
    file[n / 2] ^= 0x40;
    tempdir_store(folder(&t).s, zst, file, n);
    r = reader_ok(t.path, 1);
    while ((got = journal_read(r, &l)) != JOURNAL_READ_WAIT) {
        damaged += got == JOURNAL_READ_DAMAGED;
        lines += got == JOURNAL_READ_LINE;
        lost += got == JOURNAL_READ_LINE ? l.lost : 0;
    }
    journal_reader_close(r);
    assert_true(damaged == 1 || damaged == 2); /* a line, the frame's check */
    assert_true(lost > 0 && lost < 270); /* 1 MiB of 4 KB lines, and two */
    assert_true(lines > 1000);
    free(file);
    tempdir_remove(&t);
}

static void
test_last_segment_is_compressed(void **state)
{
    struct journal_options o = {.segment_bytes = 1500};
    struct tempdir t;
    struct journal *j;
    struct journal_segments list;
    struct journal_recovery rec;
    char name[SEGMENT_NAME_MAX];
    uint64_t last;
    int dir;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 40);
    last = journal_position(j).segment;
    assert_int_equal(journal_close(j), ERR_OK);
    journal_segment_name(last, "", name); /* somebody removed it */
    assert_int_equal(unlink(tempdir_name(folder(&t).s, name).s), 0);
    j = open_ok(t.path, &o, &rec);
    assert_int_equal(rec.next_seq, last);
    put_lines(j, 3);
    assert_int_equal(journal_close(j), ERR_OK);
    assert_int_equal(read_all(t.path, 1).lines, last + 2);
    /* and again, with a file of which nothing can be read */
    dir = open(folder(&t).s, O_RDONLY | O_DIRECTORY);
    assert_int_equal(journal_segments_read(dir, &list), ERR_OK);
    last = list.v[list.n - 1].number;
    journal_segment_name(last, "", name);
    assert_int_equal(unlinkat(dir, name, 0), 0);
    journal_segment_name(last, ".zst", name);
    tempdir_store(folder(&t).s, name, "nothing", 7);
    j = open_ok(t.path, &o, &rec);
    assert_int_equal(rec.next_seq, last);
    assert_int_equal(tempdir_count(folder(&t).s, "damaged-"), 1);
    assert_int_equal(journal_close(j), ERR_OK);
    journal_segments_free(&list);
    (void)close(dir);
    tempdir_remove(&t);
}

static void
test_segment_is_missing(void **state)
{
    struct journal_options o = {.segment_bytes = 1500};
    struct tempdir t;
    struct journal *j;
    struct journal_segments list;
    char name[SEGMENT_NAME_MAX];
    struct seen s;
    int dir;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 60);
    assert_int_equal(journal_close(j), ERR_OK);
    j = open_ok(t.path, &o, NULL);
    assert_int_equal(journal_close(j), ERR_OK);
    dir = open(folder(&t).s, O_RDONLY | O_DIRECTORY);
    assert_int_equal(journal_segments_read(dir, &list), ERR_OK);
    journal_segment_name(list.v[1].number, ".zst", name);
    assert_int_equal(unlinkat(dir, name, 0), 0);
    s = read_all(t.path, 1);
    assert_int_equal(s.damaged, 1);
    assert_int_equal(s.lost, list.v[2].number - list.v[1].number);
    assert_int_equal(s.lines + s.lost, 60);
    /* old segments may go: reading starts at what there is */
    journal_segment_name(list.v[0].number, ".zst", name);
    assert_int_equal(unlinkat(dir, name, 0), 0);
    s = read_all(t.path, 1);
    assert_int_equal(s.damaged + s.lost, 0);
    assert_int_equal(s.lines, 61 - list.v[2].number);
    journal_segments_free(&list);
    (void)close(dir);
    tempdir_remove(&t);
}

/* Retention is quicker than a reader that had seen the next segment. */
static void
test_segment_goes_before_it_is_read(void **state)
{
    struct journal_options o = {.segment_bytes = 1500};
    struct journal_segments list;
    struct journal_reader *r;
    char name[SEGMENT_NAME_MAX];
    struct seen s = {0};
    struct tempdir t;
    int dir;

    (void)state;
    tempdir_make(&t);
    for (unsigned i = 0; i < 2; i++) {
        struct journal *j = open_ok(t.path, &o, NULL);

        put_lines(j, 60 - 60 * i);
        assert_int_equal(journal_close(j), ERR_OK);
    }
    dir = open(folder(&t).s, O_RDONLY | O_DIRECTORY);
    assert_int_equal(journal_segments_read(dir, &list), ERR_OK);
    journal_segment_name(list.v[1].number, ".zst", name);
    assert_int_equal(unlinkat(dir, name, 0), 0);
    assert_int_equal(symlinkat("nowhere", dir, name), 0);
    r = reader_ok(t.path, 1);
    drain(r, &s);
    assert_int_equal(s.end, JOURNAL_READ_FAILED);
    assert_int_equal(unlinkat(dir, name, 0), 0);
    drain(r, &s);
    assert_int_equal(s.end, JOURNAL_READ_WAIT);
    assert_int_equal(s.lost, list.v[2].number - list.v[1].number);
    assert_int_equal(s.lines + s.lost, 60);
    journal_reader_close(r);
    journal_segments_free(&list);
    (void)close(dir);
    tempdir_remove(&t);
}

/* The plain segment with the highest number. */
static struct tempdir_name
last_file(const struct tempdir *t)
{
    struct tempdir_name dir = folder(t), out = {""};
    DIR *h = opendir(dir.s);
    struct dirent *d;

    while (h != NULL && (d = readdir(h)) != NULL) {
        struct tempdir_name one = tempdir_name(dir.s, d->d_name);
        size_t n = strlen(d->d_name);

        if (n > 6 && strcmp(d->d_name + n - 6, ".jsonl") == 0 &&
            strcmp(one.s, out.s) > 0)
            out = one;
    }
    if (h != NULL)
        (void)closedir(h);
    return out;
}

static uint64_t
last_of(const char *dir)
{
    uint64_t seq = UINT64_MAX;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(journal_reader_last(dir, &seq, &message), ERR_OK);
    assert_int_equal(message.n, 0);
    buf_free(&message);
    return seq;
}

static void
test_last_line(void **state)
{
    struct journal_options o = {.segment_bytes = 2000};
    struct tempdir t;
    struct journal *j;
    struct buf message;
    uint64_t seq;
    int fd;

    (void)state;
    tempdir_make(&t);
    buf_init(&message, 4096);
    assert_int_equal(journal_reader_last(t.path, &seq, &message), ERR_NOENT);
    buf_free(&message);
    j = open_ok(t.path, &o, NULL);
    assert_int_equal(last_of(t.path), 0);
    for (unsigned i = 0; i < 100; i++) { /* over the ends of segments too */
        put_lines(j, 1);
        assert_int_equal(journal_flush(j), ERR_OK);
        assert_int_equal(last_of(t.path), i + 1);
    }
    put_lines(j, 1); /* not to be seen yet */
    assert_int_equal(last_of(t.path), 100);
    assert_int_equal(journal_close(j), ERR_OK);
    assert_int_equal(last_of(t.path), 101);

    print_message("half a line behind it\n");
    j = open_ok(t.path, NULL, NULL);
    put_lines(j, 1);
    assert_int_equal(journal_close(j), ERR_OK);
    fd = open(last_file(&t).s, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"n\":", 5), 5);
    assert_int_equal(close(fd), 0);
    assert_int_equal(last_of(t.path), 102);
    tempdir_remove(&t);
}

static void
test_reader_follows(void **state)
{
    struct journal_options o = {.segment_bytes = 2000};
    struct tempdir t;
    struct journal *j;
    struct journal_reader *a;
    struct journal_reader *b;
    struct seen sa = {0};
    struct seen sb = {0};

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    a = reader_ok(t.path, 1);
    b = reader_ok(t.path, 50);
    for (unsigned i = 0; i < 100; i++) {
        put_lines(j, 1 + i % 3);
        drain(a, &sa);
        assert_true(sa.lines <= journal_position(j).flushed);
        assert_int_equal(journal_flush(j), ERR_OK);
        drain(a, &sa);
        assert_int_equal(sa.last, journal_position(j).flushed);
        if (i % 20 == 19)
            drain(b, &sb);
    }
    assert_int_equal(sa.lines, 199);
    assert_int_equal(sb.lines, 150);
    assert_int_equal(sa.damaged + sa.lost + sb.damaged + sb.lost, 0);
    assert_true(journal_position(j).durable < 199);
    assert_int_equal(journal_sync(j), ERR_OK);
    assert_int_equal(journal_durable(j), 199);
    journal_reader_close(a);
    journal_reader_close(b);
    assert_int_equal(journal_close(j), ERR_OK);
    tempdir_remove(&t);
}

struct follower {
    const char *dir;
    uint64_t until;
    struct seen seen;
};

static void *
follow(void *arg)
{
    struct follower *f = arg;
    struct journal_reader *r = reader_ok(f->dir, 1);

    while (f->seen.last < f->until)
        drain(r, &f->seen);
    journal_reader_close(r);
    return NULL;
}

static void
test_readers_in_threads(void **state)
{
    struct journal_options o = {.segment_bytes = 20000};
    struct follower f[3];
    pthread_t threads[3];
    struct tempdir t;
    struct journal *j;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    for (unsigned i = 0; i < 3; i++) {
        f[i] = (struct follower){.dir = t.path, .until = 5000};
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &f[i]), 0);
    }
    for (unsigned i = 0; i < 500; i++) {
        put_lines(j, 10);
        assert_int_equal(journal_flush(j), ERR_OK);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(f[i].seen.lines, 5000);
        assert_int_equal(f[i].seen.damaged + f[i].seen.lost, 0);
    }
    assert_int_equal(journal_close(j), ERR_OK);
    tempdir_remove(&t);
}

static void
test_lock(void **state)
{
    struct tempdir t;
    struct journal *j;
    struct journal *other = NULL;
    struct buf message;
    char want[64];
    int n =
        snprintf(want, sizeof(want), "in use by process %ld", (long)getpid());

    (void)state;
    tempdir_make(&t);
    buf_init(&message, 4096);
    j = open_ok(t.path, NULL, NULL);
    assert_int_equal(journal_open(t.path, NULL, &other, NULL, &message),
                     ERR_BUSY);
    assert_null(other);
    assert_true(span_search(buf_view(&message), span_of(want, (size_t)n)) <
                message.n);
    assert_int_equal(journal_close(j), ERR_OK);
    j = open_ok(t.path, NULL, NULL);
    assert_int_equal(journal_close(j), ERR_OK);
    buf_reset(&message);
    assert_int_equal(journal_open("/nonexistent", NULL, &other, NULL, &message),
                     ERR_NOENT);
    assert_true(message.n > 0);
    buf_free(&message);
    assert_int_equal(journal_close(NULL), ERR_OK);
    journal_forget(NULL);
    journal_reader_close(NULL);
    tempdir_remove(&t);
}

/* A writer that is killed: what was flushed is there, and nothing is torn. */
static void
writer_child(const char *dir, uint64_t *told)
{
    struct journal_options o = {.segment_bytes = 30000};
    struct journal *j = NULL;
    struct buf message;
    char room[256];

    buf_init(&message, 4096);
    if (journal_open(dir, &o, &j, NULL, &message) != ERR_OK)
        _exit(1);
    for (;;) {
        uint64_t next = journal_position(j).next_seq;

        if (journal_append(j, body_of(next, room, sizeof(room)), NULL) !=
                ERR_OK ||
            (next % 5 == 0 && journal_flush(j) != ERR_OK))
            _exit(1);
        __atomic_store_n(told, journal_position(j).flushed, __ATOMIC_SEQ_CST);
    }
}

static void
test_killed_writer(void **state)
{
    uint64_t *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct tempdir t;
    uint64_t rng = 1;

    (void)state;
    assert_true(told != MAP_FAILED);
    tempdir_make(&t);
    for (unsigned round = 0; round < 50; round++) {
        uint64_t flushed;
        struct seen s;
        pid_t pid = fork();

        if (pid == 0)
            writer_child(t.path, told);
        assert_true(pid > 0);
        rng = hash_mix(rng, round);
        (void)usleep((useconds_t)(500 + rng % 20000));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        flushed = __atomic_load_n(told, __ATOMIC_SEQ_CST);
        assert_int_equal(journal_close(open_ok(t.path, NULL, NULL)), ERR_OK);
        s = read_all(t.path, 1);
        assert_int_equal(s.damaged + s.lost, 0);
        assert_int_equal(s.lines, s.last);
        assert_true(s.last >= flushed);
    }
    assert_true(*told > 0);
    (void)munmap(told, sizeof(*told));
    tempdir_remove(&t);
}

/* ---- failing disks ---- */

struct bad_disk {
    size_t room; /* bytes until the disk is full */
    bool sync_fails;
    size_t piece; /* most bytes per call, 0: no bound */
};

static ssize_t
bad_write(void *ctx, int fd, const void *p, size_t n)
{
    struct bad_disk *d = ctx;

    if (d->room == 0) {
        errno = ENOSPC;
        return -1;
    }
    n = n < d->room ? n : d->room;
    if (d->piece > 0 && n > d->piece)
        n = d->piece;
    d->room -= n;
    return write(fd, p, n);
}

static int
bad_sync(void *ctx, int fd)
{
    struct bad_disk *d = ctx;

    if (d->sync_fails) {
        errno = EIO;
        return -1;
    }
    (void)fd;
    return 0;
}

/* Full at every byte: the journal says so, and goes on when there is room; or
 * it is opened anew, and holds every line that was synced and no half one. */
static void
test_disk_full(void **state)
{
    char room[256];

    (void)state;
    for (size_t full = 0; full < 900; full++) {
        struct bad_disk d = {full, false, full % 7};
        struct journal_io io = {bad_write, bad_sync, &d};
        struct journal_options o = {
            .segment_bytes = 600, .keep_plain = true, .io = &io};
        struct tempdir t;
        struct journal *j;
        struct seen s;
        uint64_t synced = 0;
        uint64_t tried = 0;
        enum err e = ERR_OK;

        tempdir_make(&t);
        j = open_ok(t.path, &o, NULL);
        while (e == ERR_OK) {
            e = journal_append(j, body_of(synced + 1, room, sizeof(room)),
                               NULL);
            tried += e == ERR_OK;
            if (e == ERR_OK)
                e = journal_sync(j);
            synced += e == ERR_OK;
        }
        assert_int_equal(e, ERR_IO);
        assert_int_equal(journal_durable(j), synced);
        if (full % 2 == 0) {
            d.room = SIZE_MAX;
            put_lines(j, 5);
            tried += 5;
        }
        assert_int_equal(journal_close(j), full % 2 == 0 ? ERR_OK : ERR_IO);
        d.room = SIZE_MAX;
        j = open_ok(t.path, &o, NULL);
        put_lines(j, 2);
        assert_int_equal(journal_close(j), ERR_OK);
        s = read_all(t.path, 1);
        assert_int_equal(s.damaged + s.lost, 0);
        assert_int_equal(s.lines, (full % 2 == 0 ? tried : synced) + 2);
        tempdir_remove(&t);
    }
}

static void
test_sync_fails(void **state)
{
    struct bad_disk d = {SIZE_MAX, false, 0};
    struct journal_io io = {bad_write, bad_sync, &d};
    struct journal_options o = {.sync_bytes = 100, .io = &io};
    struct tempdir t;
    struct journal *j;
    struct buf why;

    (void)state;
    tempdir_make(&t);
    buf_init(&why, 4096);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 10);
    assert_true(journal_durable(j) > 5);
    assert_int_equal(journal_sync(j), ERR_OK);
    d.sync_fails = true;
    put_lines(j, 1);
    assert_int_equal(journal_sync(j), ERR_IO);
    journal_why(j, &why);
    assert_true(span_eq(buf_view(&why), SPAN_LIT("sync: Input/output error")));
    d.sync_fails = false;
    assert_int_equal(journal_append(j, SPAN_LIT("{\"a\":1}"), NULL), ERR_IO);
    assert_int_equal(journal_sync(j), ERR_IO);
    assert_int_equal(journal_close(j), ERR_IO);
    assert_int_equal(read_all(t.path, 1).damaged, 0);
    buf_free(&why);
    tempdir_remove(&t);
}

/* A full disk must not cost the segment that is being compressed. */
static void
test_disk_full_while_compressing(void **state)
{
    struct bad_disk d = {SIZE_MAX, false, 0};
    struct journal_io io = {bad_write, bad_sync, &d};
    struct journal_options o = {.segment_bytes = 2000, .keep_plain = true};
    struct tempdir t;
    struct journal *j;
    const char *why = "";
    size_t n;
    uint8_t *plain;
    int dir;

    (void)state;
    tempdir_make(&t);
    j = open_ok(t.path, &o, NULL);
    put_lines(j, 30);
    assert_int_equal(journal_close(j), ERR_OK);
    dir = open(folder(&t).s, O_RDONLY | O_DIRECTORY);
    for (size_t full = 0; full < 200; full += 9) {
        d.room = full;
        assert_int_equal(journal_segment_compress(dir, 1, &io, &why), ERR_IO);
        assert_string_equal(why, "No space left on device");
        plain = tempdir_load(folder(&t).s, FIRST, &n);
        assert_non_null(plain);
        free(plain);
        assert_int_equal(tempdir_count(folder(&t).s, FIRST ".zst"), 0);
    }
    d.room = SIZE_MAX;
    assert_int_equal(journal_segment_compress(dir, 1, &io, &why), ERR_OK);
    assert_int_equal(read_all(t.path, 1).lines, 30);
    (void)close(dir);
    tempdir_remove(&t);
}

/* A line whose check is right for a later number: it follows after damage, and
 * not otherwise. */
static void
test_chain_leaves_no_number_out(void **state)
{
    struct span body = SPAN_LIT("{\"a\":1");
    struct journal_chain later;
    struct journal_chain chain;
    struct journal_parts parts;
    char tail[JOURNAL_TAIL_MAX];
    struct buf line;

    (void)state;
    buf_init(&line, 4096);
    journal_chain_init(&later, 1);
    journal_chain_init(&chain, 1);
    later.next_seq = 3;
    buf_span(&line, body);
    buf_put(&line, tail, journal_chain_put(&later, body, tail) - 1);
    assert_false(journal_chain_take(&chain, buf_view(&line), &parts));
    journal_chain_init(&chain, 1);
    journal_chain_break(&chain);
    assert_true(journal_chain_take(&chain, buf_view(&line), &parts));
    assert_int_equal(parts.seq, 3);
    buf_free(&line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_is_as_documented),
        cmocka_unit_test(test_chain_leaves_no_number_out),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_byte_flipped),
        cmocka_unit_test(test_lines_moved),
        cmocka_unit_test(test_segments_are_compressed),
        cmocka_unit_test(test_crash_while_compressing),
        cmocka_unit_test(test_damaged_frame_costs_itself),
        cmocka_unit_test(test_last_segment_is_compressed),
        cmocka_unit_test(test_segment_is_missing),
        cmocka_unit_test(test_segment_goes_before_it_is_read),
        cmocka_unit_test(test_last_line),
        cmocka_unit_test(test_reader_follows),
        cmocka_unit_test(test_readers_in_threads),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_killed_writer),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_sync_fails),
        cmocka_unit_test(test_disk_full_while_compressing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
