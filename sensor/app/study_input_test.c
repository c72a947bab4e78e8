#include "sensor/app/study_input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <zlib.h>
#include <zstd.h>

#include "sensor/event/json_write.h"
#include "sensor/event/record.h"
#include "sensor/journal/journal.h"
#include "tests/support/alloc_fails.h"
#include "tests/support/tempdir.h"

#define HEAD                                                                   \
    "{\"timestamp\":\"2026-11-23T10:00:00.%06u+0000\","                        \
    "\"event_type\":\"smtp\",\"event_id\":\"%u\"}"
#define NAMES_MAX 8
#define IDS_MAX   4096

struct bench {
    struct tempdir dir;
    struct config config;
    struct buf messages, ids, file;
    char *names[NAMES_MAX];
    struct tempdir_name room[NAMES_MAX];
    size_t n_names;
    bool keep_plain; /* segments of the journal */
};

static int
setup(void **state)
{
    struct bench *t = calloc(1, sizeof(*t));

    tempdir_make(&t->dir);
    buf_init(&t->messages, 1 << 20);
    buf_init(&t->ids, 1 << 20);
    buf_init(&t->file, 64U << 20);
    /* room for what tests of missing memory put there */
    if (!buf_grow(&t->ids, 1 << 14) || !buf_grow(&t->messages, 1 << 16))
        abort();
    *state = t;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *t = *state;

    tempdir_remove(&t->dir);
    buf_free(&t->messages);
    buf_free(&t->ids);
    buf_free(&t->file);
    free(t);
    return 0;
}

/* ---- what is read ---- */

static void
line(struct buf *b, unsigned id)
{
    buf_printf(b, HEAD "\n", id, id);
}

static void
lines(struct buf *b, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        line(b, i);
}

static void
write_file(const char *path, struct span text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    if (text.n > 0)
        assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

/* The file is the next input; t->file is begun anew. */
static void
add(struct bench *t, const char *name)
{
    t->room[t->n_names] = tempdir_name(t->dir.path, name);
    t->names[t->n_names] = t->room[t->n_names].s;
    write_file(t->names[t->n_names], buf_view(&t->file));
    t->n_names++;
    buf_reset(&t->file);
}

static void
squeeze_gzip(struct buf *b)
{
    struct buf plain = *b;
    z_stream z = {0};

    buf_init(b, 64U << 20);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
    assert_true(buf_grow(b, deflateBound(&z, plain.n)));
    z.next_in = plain.p;
    z.avail_in = (uInt)plain.n;
    z.next_out = b->p;
    z.avail_out = (uInt)b->cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b->n = z.total_out;
    (void)deflateEnd(&z);
    buf_free(&plain);
}

static void
squeeze_zstd(struct buf *b)
{
    struct buf plain = *b;

    buf_init(b, 64U << 20);
    assert_true(buf_grow(b, ZSTD_compressBound(plain.n)));
    b->n = ZSTD_compress(b->p, b->cap, plain.p, plain.n, 3);
    assert_false(ZSTD_isError(b->n));
    buf_free(&plain);
}

/* ---- reading ---- */

static struct study_inputs *
open_them(struct bench *t)
{
    struct study_inputs *in = NULL;
    const struct study_inputs_options o = {
        .config = &t->config, .names = t->names, .n = t->n_names};
    enum err e = study_inputs_open(&o, &t->messages, &in);

    if (e != ERR_OK)
        print_message("%.*s\n", (int)t->messages.n, (char *)t->messages.p);
    assert_int_equal(e, ERR_OK);
    return in;
}

static bool
read_one(struct bench *t, struct study_inputs *in)
{
    bool journal;
    struct span r = study_inputs_next(in, &journal);

    if (r.n == 0)
        return false;
    assert_true(record_check(r));
    assert_int_equal(journal, t->config.state != NULL);
    buf_span(&t->ids, record_find(r, FIELD_EVENT_ID));
    buf_putc(&t->ids, ' ');
    return true;
}

static void
read_all(struct bench *t, struct study_inputs *in)
{
    while (read_one(t, in))
        ;
    assert_false(read_one(t, in));
}

static void
expect_ids(const struct bench *t, unsigned from, unsigned to)
{
    struct buf want;

    buf_init(&want, 1 << 20);
    for (unsigned i = from; i < to; i++)
        buf_printf(&want, "%u ", i);
    assert_int_equal(want.n, t->ids.n);
    if (want.n > 0)
        assert_memory_equal(want.p, t->ids.p, want.n);
    buf_free(&want);
}

static bool
said(const struct bench *t, const char *what)
{
    return span_search(buf_view(&t->messages), span_str(what)) < t->messages.n;
}

/* All of one input in one go. */
static struct study_input
read_whole(struct bench *t)
{
    struct study_inputs *in = open_them(t);
    const struct study_input *rows;
    struct study_input row;
    size_t n;

    read_all(t, in);
    assert_int_equal(study_inputs_error(in), ERR_OK);
    rows = study_inputs_told(in, &n);
    assert_int_equal(n, t->n_names + (t->config.state != NULL));
    row = rows[n - 1];
    row.hash = row.hash != NULL ? "some" : NULL;
    study_inputs_close(in);
    return row;
}

/* ---- files ---- */

static void
plain_file(void **state)
{
    struct bench *t = *state;
    struct study_inputs *in;
    const struct study_input *row;
    size_t n;

    lines(&t->file, 0, 100);
    add(t, "a.json");
    in = open_them(t);
    read_all(t, in);
    expect_ids(t, 0, 100);
    row = study_inputs_told(in, &n);
    assert_int_equal(n, 1);
    assert_string_equal(row->kind, "events");
    assert_string_equal(row->name, t->names[0]);
    assert_int_equal(row->events, 100);
    assert_int_equal(row->faults, 0);
    assert_int_equal(row->last - row->first, 99 * NS_PER_US);
    /* sha256sum of these lines */
    assert_string_equal(
        row->hash,
        "33f25a7ecbb02a9a04a03f4cff056f2a95f14dedf864d5696fb404d524529757");
    assert_true(study_inputs_share(in) >= 1);
    assert_int_equal(t->messages.n, 0);
    study_inputs_close(in);
}

static void
packed_files(void **state)
{
    struct bench *t = *state;
    unsigned at = 0;

    for (unsigned round = 0; round < 2; round++) {
        lines(&t->file, at, at + 50);
        squeeze_gzip(&t->file);
        add(t, round == 0 ? "a.gz" : "b.gz");
        lines(&t->file, at + 50, at + 100);
        squeeze_zstd(&t->file);
        add(t, round == 0 ? "a.zst" : "b.zst");
        at += 100;
    }
    assert_int_equal(read_whole(t).events, 50);
    expect_ids(t, 0, 200);
    assert_int_equal(t->messages.n, 0);
}

static void
empty_file(void **state)
{
    struct bench *t = *state;
    struct study_input row;

    add(t, "empty");
    row = read_whole(t);
    assert_int_equal(row.events, 0);
    assert_int_equal(row.faults, 0);
    assert_non_null(row.hash);
    assert_int_equal(t->ids.n, 0);
}

static void
last_line_without_its_end(void **state)
{
    struct bench *t = *state;

    lines(&t->file, 0, 3);
    t->file.n--;
    add(t, "a");
    assert_int_equal(read_whole(t).faults, 0);
    expect_ids(t, 0, 3);
}

static void
lines_that_are_no_events(void **state)
{
    struct bench *t = *state;
    struct study_input row;

    line(&t->file, 0);
    buf_str(&t->file, "\n\r\nnot json\n");
    buf_put(&t->file, "\0\0\0\n", 4);
    line(&t->file, 1);
    buf_str(&t->file, "{\"timestamp\":\"2026-11-23T10:00:00.0+0000\"}\n");
    buf_put(&t->file, "{\"a\0b\":1}\n", 10);
    buf_str(&t->file, "\x1b[31m{}\xff\n");
    line(&t->file, 2);
    add(t, "a");
    row = read_whole(t);
    assert_int_equal(row.faults, 6);
    expect_ids(t, 0, 3);
    assert_true(said(t, "a: line 4: column 1: an event is a JSON object\n"));
    assert_true(said(t, "a: line 7: "));
    assert_int_equal(span_find(buf_view(&t->messages), 0x1b), t->messages.n);
}

static void
faults_are_told_twenty_times(void **state)
{
    struct bench *t = *state;
    size_t n = 0;

    for (unsigned i = 0; i < 1000; i++)
        buf_str(&t->file, "x\n");
    line(&t->file, 0);
    add(t, "a");
    assert_int_equal(read_whole(t).faults, 1000);
    expect_ids(t, 0, 1);
    for (size_t i = 0; i < t->messages.n; i++)
        n += t->messages.p[i] == '\n';
    assert_int_equal(n, 21);
    assert_true(said(t, "a: 980 more faults, only counted\n"));
}

static void
long_lines(void **state)
{
    static const struct {
        const char *why;
        size_t n;
        unsigned faults;
    } rows[] = {
        {"as long as a line may be", JSON_LINE_MAX,       0},
        {"longer by one",            JSON_LINE_MAX + 1,   1},
        {"longer than a buffer",     3UL * JSON_LINE_MAX, 1},
    };
    struct bench *t = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at;

        print_message("%s\n", rows[i].why);
        buf_reset(&t->ids);
        t->n_names = 0;
        line(&t->file, 0);
        at = t->file.n;
        line(&t->file, 1);
        t->file.n--;
        while (t->file.n - at < rows[i].n)
            buf_putc(&t->file, ' ');
        buf_putc(&t->file, '\n');
        line(&t->file, 2);
        add(t, "a");
        assert_int_equal(read_whole(t).faults, rows[i].faults);
        assert_int_equal(t->ids.n, rows[i].faults == 0 ? 6 : 4);
    }
    assert_true(said(t, "a: line 2: is longer than 8 MiB\n"));
}

/* A file that never ends its line: also the last one is too long. */
static void
one_line_without_end(void **state)
{
    struct bench *t = *state;

    assert_true(buf_grow(&t->file, JSON_LINE_MAX + 9));
    memset(t->file.p, '[', JSON_LINE_MAX + 9);
    t->file.n = JSON_LINE_MAX + 9;
    add(t, "a");
    assert_int_equal(read_whole(t).faults, 1);
}

static void
damaged_packs(void **state)
{
    struct bench *t = *state;
    struct study_input row;

    for (unsigned i = 0; i < 4; i++) {
        print_message("%s, %s\n", i % 2 != 0 ? "zstd" : "gzip",
                      i / 2 != 0 ? "a byte is changed" : "cut");
        t->n_names = 0;
        buf_reset(&t->ids);
        buf_reset(&t->messages);
        lines(&t->file, 0, 40000);
        if (i % 2 != 0)
            squeeze_zstd(&t->file);
        else
            squeeze_gzip(&t->file);
        if (i / 2 == 0)
            t->file.n -= 20;
        else
            t->file.p[t->file.n - 40] ^= 0xff;
        add(t, "a");
        row = read_whole(t);
        /* what is unpacked just before the damage may be no lines */
        assert_true(row.faults >= 1);
        assert_true(row.faults == 1 || i == 2);
        assert_true(row.events > 20000);
        assert_true(row.events <= 40000);
        assert_non_null(row.hash);
        assert_true(said(t, "a: after line "));
    }
}

static void
several_inputs(void **state)
{
    struct bench *t = *state;
    struct study_inputs *in;

    lines(&t->file, 0, 10);
    add(t, "a");
    lines(&t->file, 10, 20);
    add(t, "b");
    lines(&t->file, 20, 30);
    add(t, "c");
    in = open_them(t);
    /* one that went away since: the others are read */
    assert_int_equal(unlink(t->names[1]), 0);
    read_all(t, in);
    assert_int_equal(study_inputs_error(in), ERR_NOENT);
    assert_true(said(t, "b: No such file or directory\n"));
    assert_int_equal(t->ids.n, 2 * 10 + 3 * 10);
    study_inputs_close(in);
}

static void
what_cannot_be_opened(void **state)
{
    static const struct {
        const char *why, *name, *said;
        enum err want;
    } rows[] = {
        {"not there", "none", "no such file",   ERR_NOENT},
        {"a folder",  ".",    "is a directory", ERR_USAGE},
        {"no state",  NULL,   "no journal",     ERR_NOENT},
    };
    struct bench *t = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct study_inputs *in = NULL;
        struct study_inputs_options o = {.config = &t->config};

        print_message("%s\n", rows[i].why);
        t->room[0] = tempdir_name(t->dir.path,
                                  rows[i].name != NULL ? rows[i].name : "s");
        t->names[0] = t->room[0].s;
        o.names = t->names;
        o.n = rows[i].name != NULL;
        t->config.state = rows[i].name != NULL ? NULL : t->names[0];
        assert_int_equal(study_inputs_open(&o, &t->messages, &in),
                         rows[i].want);
        assert_true(said(t, rows[i].said));
        assert_null(in);
    }
    t->config.state = NULL;
}

static void
standard_input_once(void **state)
{
    struct bench *t = *state;
    struct study_inputs *in = NULL;
    char dash[] = "-";
    char *names[] = {dash, dash};
    const struct study_inputs_options o = {
        .config = &t->config, .names = names, .n = 2};

    assert_int_equal(study_inputs_open(&o, &t->messages, &in), ERR_USAGE);
    assert_true(said(t, "once"));
}

/* ---- places ---- */

/* Read to the k-th event, saved, closed; another one goes on from there. */
static void
resume_at(struct bench *t, unsigned k, struct study_input *row)
{
    struct study_inputs *in = open_them(t);
    struct buf saved;
    const struct study_input *rows;
    size_t n;

    buf_init(&saved, 1 << 20);
    buf_reset(&t->ids);
    for (unsigned i = 0; i < k; i++)
        (void)read_one(t, in);
    assert_int_equal(study_inputs_save(in, &saved), ERR_OK);
    study_inputs_close(in);
    in = open_them(t);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_OK);
    read_all(t, in);
    rows = study_inputs_told(in, &n);
    memcpy(row, rows, n * sizeof(*row));
    for (size_t i = 0; i < n; i++)
        row[i].hash = row[i].hash != NULL ? "some" : NULL;
    study_inputs_close(in);
    buf_free(&saved);
}

static void
resumed_anywhere(void **state)
{
    struct bench *t = *state;
    struct study_input rows[NAMES_MAX];

    lines(&t->file, 0, 20);
    buf_str(&t->file, "no event\n");
    lines(&t->file, 20, 40);
    add(t, "a");
    lines(&t->file, 40, 80);
    squeeze_gzip(&t->file);
    add(t, "b");
    add(t, "empty");
    lines(&t->file, 80, 120);
    squeeze_zstd(&t->file);
    add(t, "c");
    for (unsigned k = 0; k <= 121; k++) {
        resume_at(t, k, rows);
        expect_ids(t, 0, 120);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(rows[i].events, i == 2 ? 0 : 40);
            assert_int_equal(rows[i].faults, i == 0);
            assert_non_null(rows[i].hash);
        }
    }
}

/* One who waits is told to stop: what was given may be saved, and when more has
 * come the rest of it is what is missing. */
static void
stopped(void **state)
{
    struct bench *t = *state;
    struct tempdir_name pipe = tempdir_name(t->dir.path, "pipe");
    volatile sig_atomic_t stop = 0;
    char *names[] = {pipe.s};
    const struct study_inputs_options o = {
        .config = &t->config, .names = names, .n = 1, .stop = &stop};
    struct study_inputs *in = NULL;
    struct buf saved;
    int fd;

    buf_init(&saved, 1 << 20);
    assert_int_equal(mkfifo(pipe.s, 0600), 0);
    fd = open(pipe.s, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    lines(&t->file, 0, 20);
    assert_int_equal(write(fd, t->file.p, t->file.n), t->file.n);
    assert_int_equal(study_inputs_open(&o, &t->messages, &in), ERR_OK);
    for (unsigned i = 0; i < 20; i++)
        assert_true(read_one(t, in));
    stop = 1;
    assert_false(read_one(t, in));
    assert_int_equal(study_inputs_error(in), ERR_OK);
    assert_true(isnan(study_inputs_share(in)));
    assert_int_equal(study_inputs_save(in, &saved), ERR_OK);
    study_inputs_close(in);

    print_message("also while it goes on\n");
    assert_int_equal(study_inputs_open(&o, &t->messages, &in), ERR_OK);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_BUSY);
    study_inputs_close(in);

    stop = 0;
    lines(&t->file, 20, 40);
    assert_int_equal(write(fd, t->file.p, t->file.n), t->file.n);
    assert_int_equal(study_inputs_open(&o, &t->messages, &in), ERR_OK);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_OK);
    for (unsigned i = 0; i < 20; i++)
        assert_true(read_one(t, in));
    expect_ids(t, 0, 40);

    print_message("an end that comes of the same interrupt, within a line\n");
    buf_reset(&t->file);
    line(&t->file, 40);
    assert_int_equal(write(fd, t->file.p, 20), 20);
    assert_int_equal(close(fd), 0);
    stop = 1;
    assert_false(read_one(t, in));
    buf_reset(&saved);
    assert_int_equal(study_inputs_save(in, &saved), ERR_OK);
    study_inputs_close(in);
    assert_int_equal(t->messages.n, 0);

    stop = 0;
    fd = open(pipe.s, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    buf_reset(&t->file);
    lines(&t->file, 0, 41);
    assert_int_equal(write(fd, t->file.p, t->file.n), t->file.n);
    assert_int_equal(study_inputs_open(&o, &t->messages, &in), ERR_OK);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_OK);
    assert_true(read_one(t, in));
    assert_int_equal(close(fd), 0);
    assert_false(read_one(t, in));
    expect_ids(t, 0, 41);
    study_inputs_close(in);
    buf_free(&saved);
}

static void
resumed_elsewhere(void **state)
{
    struct bench *t = *state;
    struct study_inputs *in;
    struct buf saved;

    buf_init(&saved, 1 << 20);
    lines(&t->file, 0, 40);
    add(t, "a");
    in = open_them(t);
    for (unsigned i = 0; i < 20; i++)
        assert_true(read_one(t, in));
    assert_int_equal(study_inputs_save(in, &saved), ERR_OK);
    study_inputs_close(in);

    print_message("a byte of it has changed\n");
    lines(&t->file, 0, 40);
    t->file.p[t->file.n - 3] ^= 1;
    t->n_names = 0;
    add(t, "a");
    in = open_them(t);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_FORMAT);
    assert_true(said(t, "it has changed"));
    study_inputs_close(in);

    print_message("shorter\n");
    lines(&t->file, 0, 10);
    t->n_names = 0;
    add(t, "a");
    in = open_them(t);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_FORMAT);
    study_inputs_close(in);

    print_message("longer: it was written meanwhile\n");
    lines(&t->file, 0, 50);
    t->n_names = 0;
    add(t, "a");
    in = open_them(t);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_OK);
    read_all(t, in);
    expect_ids(t, 0, 50);
    study_inputs_close(in);

    print_message("another name\n");
    t->n_names = 0;
    add(t, "b");
    in = open_them(t);
    assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_FORMAT);
    study_inputs_close(in);

    print_message("any cut of what was saved, any byte changed\n");
    for (size_t i = 0; i < saved.n; i++) {
        in = open_them(t);
        assert_int_equal(study_inputs_load(in, span_head(buf_view(&saved), i)),
                         ERR_FORMAT);
        saved.p[i] ^= 1;
        assert_int_equal(study_inputs_load(in, buf_view(&saved)), ERR_FORMAT);
        saved.p[i] ^= 1;
        study_inputs_close(in);
    }
    buf_free(&saved);
}

/* ---- journals ---- */

static void
write_journal(struct bench *t, unsigned from, unsigned to)
{
    const struct journal_options o = {.segment_bytes = 4096,
                                      .keep_plain = t->keep_plain};
    struct journal_recovery rec;
    struct journal *j = NULL;
    struct buf text;

    t->config.state = t->dir.path;
    buf_init(&text, 4096);
    assert_int_equal(journal_open(t->dir.path, &o, &j, &rec, &t->messages),
                     ERR_OK);
    for (unsigned i = from; i < to; i++) {
        buf_reset(&text);
        buf_printf(&text, HEAD, i, i);
        assert_int_equal(journal_append(j, buf_view(&text), NULL), ERR_OK);
    }
    assert_int_equal(journal_close(j), ERR_OK);
    buf_free(&text);
}

static void
of_a_journal(void **state)
{
    struct bench *t = *state;
    struct study_input row;

    write_journal(t, 0, 200);
    row = read_whole(t);
    expect_ids(t, 0, 200);
    assert_string_equal(row.kind, "journal");
    assert_int_equal(row.events, 200);
    assert_int_equal(row.faults, 0);
    assert_null(row.hash);
    assert_int_equal(t->messages.n, 0);
}

static void
of_an_empty_journal(void **state)
{
    struct bench *t = *state;

    write_journal(t, 0, 0);
    assert_int_equal(read_whole(t).events, 0);
}

/* What comes after opening is of the next study. */
static void
of_a_journal_that_grows(void **state)
{
    struct bench *t = *state;
    struct study_inputs *in;

    write_journal(t, 0, 100);
    in = open_them(t);
    for (unsigned i = 0; i < 50; i++)
        assert_true(read_one(t, in));
    write_journal(t, 100, 300);
    read_all(t, in);
    expect_ids(t, 0, 100);
    assert_true(study_inputs_share(in) >= 1);
    study_inputs_close(in);
}

static void
resumed_in_a_journal(void **state)
{
    struct bench *t = *state;
    struct study_input row;

    write_journal(t, 0, 100);
    for (unsigned k = 0; k <= 101; k++) {
        resume_at(t, k, &row);
        expect_ids(t, 0, 100);
        assert_int_equal(row.events, 100);
    }
}

/* The folder's files in their order. */
static size_t
segments(const struct bench *t, struct tempdir_name *out, size_t max)
{
    struct tempdir_name dir = tempdir_name(t->dir.path, "journal");
    struct dirent **d = NULL;
    int n = scandir(dir.s, &d, NULL, alphasort);
    size_t kept = 0;

    for (int i = 0; i < n; i++) {
        if (strstr(d[i]->d_name, ".jsonl") != NULL && kept < max)
            out[kept++] = tempdir_name(dir.s, d[i]->d_name);
        free(d[i]);
    }
    free(d);
    return kept;
}

static void
of_a_journal_without_its_beginning(void **state)
{
    struct bench *t = *state;
    struct tempdir_name files[32];
    struct study_input row;
    char first[16] = "";
    size_t n;

    write_journal(t, 0, 200);
    n = segments(t, files, 32);
    assert_true(n > 3);
    assert_int_equal(unlink(files[0].s), 0);
    row = read_whole(t);
    assert_int_equal(row.faults, 0);
    assert_true(row.events > 100 && row.events < 200);
    assert_true(said(t, "the journal begins at 2026-11-23T10:00:00.0"));
    (void)snprintf(first, sizeof(first), "line %u",
                   (unsigned)(200 - row.events + 1));
    assert_true(said(t, first));
}

/* A compressed segment is lost whole, of a plain one a few lines. */
static void
damage_and_read(struct bench *t, uint64_t least)
{
    struct tempdir_name files[32];
    struct study_input row, again;
    size_t n;
    FILE *f;

    write_journal(t, 0, 200);
    n = segments(t, files, 32);
    assert_true(n > 3);
    f = fopen(files[1].s, "r+e");
    assert_non_null(f);
    assert_int_equal(fseek(f, 40, SEEK_SET), 0);
    assert_int_equal(fwrite("\xff\xff\xff\xff", 1, 4, f), 4);
    assert_int_equal(fclose(f), 0);
    row = read_whole(t);
    assert_int_equal(row.faults, 1);
    assert_true(row.events >= least && row.events < 200);
    assert_true(said(t, "expected line "));
    for (unsigned k = 0; k <= row.events; k++) {
        resume_at(t, k, &again);
        assert_int_equal(again.faults, 1);
        assert_int_equal(again.events, row.events);
    }
}

static void
of_a_damaged_journal(void **state)
{
    damage_and_read(*state, 100);
}

static void
of_a_damaged_plain_journal(void **state)
{
    struct bench *t = *state;

    t->keep_plain = true;
    damage_and_read(t, 198);
}

static void
a_journal_line_that_is_no_event(void **state)
{
    struct bench *t = *state;
    struct journal_recovery rec;
    struct journal *j = NULL;

    write_journal(t, 0, 10);
    assert_int_equal(journal_open(t->dir.path, NULL, &j, &rec, &t->messages),
                     ERR_OK);
    assert_int_equal(journal_append(j, SPAN_LIT("{\"a\":1}"), NULL), ERR_OK);
    assert_int_equal(journal_close(j), ERR_OK);
    write_journal(t, 10, 20);
    assert_int_equal(read_whole(t).faults, 1);
    expect_ids(t, 0, 20);
    assert_true(said(t, ": line 11: column "));
}

/* ---- memory ---- */

/* With the n-th allocation missing: all of it, or an error. */
static bool
read_without(struct bench *t, int n, unsigned ids)
{
    const struct study_inputs_options o = {
        .config = &t->config, .names = t->names, .n = t->n_names};
    struct study_inputs *in = NULL;
    struct buf saved;
    bool was_enough;
    int left;
    enum err e;

    buf_reset(&t->ids);
    buf_init(&saved, 1 << 20);
    calls_left = n;
    e = study_inputs_open(&o, &t->messages, &in);
    if (e == ERR_OK) {
        (void)read_one(t, in);
        e = study_inputs_save(in, &saved);
        read_all(t, in);
        if (e == ERR_OK)
            e = study_inputs_error(in);
    }
    study_inputs_close(in);
    in = NULL;
    if (e == ERR_OK) {
        left = calls_left;
        calls_left = -1;
        expect_ids(t, 0, ids);
        calls_left = left;
        buf_reset(&t->ids);
        e = study_inputs_open(&o, &t->messages, &in);
    }
    if (e == ERR_OK)
        e = study_inputs_load(in, buf_view(&saved));
    if (e == ERR_OK) {
        read_all(t, in);
        e = study_inputs_error(in);
    }
    study_inputs_close(in);
    was_enough = calls_left >= 0;
    calls_left = -1;
    if (e == ERR_OK)
        expect_ids(t, 1, ids);
    else
        assert_true(e == ERR_NOMEM || e == ERR_IO);
    buf_free(&saved);
    return was_enough;
}

static void
without_memory(void **state)
{
    struct bench *t = *state;
    int n = 0;

    print_message("a journal\n");
    write_journal(t, 0, 30);
    while (!read_without(t, n, 30))
        n++;
    assert_true(n > 20);
    print_message("files\n");
    t->config.state = NULL;
    lines(&t->file, 0, 10);
    add(t, "a");
    lines(&t->file, 10, 20);
    squeeze_gzip(&t->file);
    add(t, "b");
    lines(&t->file, 20, 30);
    squeeze_zstd(&t->file);
    add(t, "c");
    for (n = 0; !read_without(t, n, 30); n++)
        ;
    assert_true(n > 20);
}

int
main(void)
{
#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        WITH_BENCH(plain_file),
        WITH_BENCH(packed_files),
        WITH_BENCH(empty_file),
        WITH_BENCH(last_line_without_its_end),
        WITH_BENCH(lines_that_are_no_events),
        WITH_BENCH(faults_are_told_twenty_times),
        WITH_BENCH(long_lines),
        WITH_BENCH(one_line_without_end),
        WITH_BENCH(damaged_packs),
        WITH_BENCH(several_inputs),
        WITH_BENCH(what_cannot_be_opened),
        WITH_BENCH(standard_input_once),
        WITH_BENCH(resumed_anywhere),
        WITH_BENCH(resumed_elsewhere),
        WITH_BENCH(stopped),
        WITH_BENCH(of_a_journal),
        WITH_BENCH(of_an_empty_journal),
        WITH_BENCH(of_a_journal_that_grows),
        WITH_BENCH(resumed_in_a_journal),
        WITH_BENCH(of_a_journal_without_its_beginning),
        WITH_BENCH(of_a_damaged_journal),
        WITH_BENCH(of_a_damaged_plain_journal),
        WITH_BENCH(a_journal_line_that_is_no_event),
        WITH_BENCH(without_memory),
    };
#undef WITH_BENCH

    return cmocka_run_group_tests(tests, NULL, NULL);
}
