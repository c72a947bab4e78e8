#include "sensor/sinks/sink_extract.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "sensor/base/text.h"
#include "sensor/event/carve.h"
#include "tempdir.h"

#define HEX    64U
#define HEADER "time,event_id,sha256,size,type,class,name\r\n"
#define DAY    (86400 * NS_PER_S)
#define ID     "0123456789abcdef"

/* ---- a folder of a test ---- */

struct rig {
    struct tempdir t;
    struct tempdir_name dir;
    struct sink_extract_settings s;
    struct sink_extract *x;
    struct record_out out;
    struct buf message;
};

static void
rig_init(struct rig *r)
{
    *r = (struct rig){0};
    tempdir_make(&r->t);
    r->dir = tempdir_name(r->t.path, "files");
    r->s = (struct sink_extract_settings){
        .dir = r->dir.s,
        .file_max = 1 << 20,
        .bytes_max = 1 << 30,
        .files_max = 1000,
        .keep = 7 * DAY,
        .now = 20000 * DAY,
    };
    record_init(&r->out);
    buf_init(&r->message, 4096);
}

static enum err
rig_open(struct rig *r)
{
    buf_reset(&r->message);
    return sink_extract_open(&r->s, &r->x, &r->message);
}

static void
rig_close(struct rig *r)
{
    sink_extract_close(r->x);
    r->x = NULL;
}

static void
rig_fini(struct rig *r)
{
    rig_close(r);
    record_free(&r->out);
    buf_free(&r->message);
    tempdir_remove(&r->t);
}

static void
assert_message(const struct rig *r, const char *want)
{
    if (span_search(buf_view(&r->message), span_str(want)) == r->message.n)
        fail_msg("no \"%s\" in \"%.*s\"", want, (int)r->message.n,
                 (const char *)r->message.p);
}

/* ---- pieces ---- */

struct hex {
    char s[HEX + 1];
};

static struct hex
digest(struct span s)
{
    struct hex h = {""};
    uint8_t sum[32];
    struct buf to = {(uint8_t *)h.s, 0, HEX, HEX, false, false};

    assert_int_equal(EVP_Digest(s.p, s.n, sum, NULL, EVP_sha256(), NULL), 1);
    text_hex(&to, span_of(sum, sizeof(sum)));
    return h;
}

/* sum NULL: none; size as said, which may be a lie. */
struct piece {
    struct span bytes;
    const char *sum;
    uint64_t size, offset;
    const char *name;
    uint64_t flow;
};

static void
put_piece(struct rig *r, const struct piece *p)
{
    struct record_head h = {1700000000 * NS_PER_S, p->flow, 3, EVENT_CARVE};
    struct span left = p->bytes;

    record_begin(&r->out, &h);
    if (p->name != NULL)
        record_text(&r->out, FIELD_FILEINFO_FILENAME, p->name);
    record_u64(&r->out, FIELD_FILEINFO_SIZE, p->size);
    if (p->sum != NULL)
        record_text(&r->out, FIELD_FILEINFO_SHA256, p->sum);
    record_text(&r->out, FIELD_FILEINFO_TYPE, "pe");
    record_text(&r->out, FIELD_FILEINFO_CLASS, "B");
    record_text(&r->out, FIELD_CARVE_KIND, "part");
    record_u64(&r->out, FIELD_CARVE_OFFSET, p->offset);
    for (; left.n > 0; left = span_tail(left, CARVE_STRING))
        record_str(&r->out, FIELD_CARVE_BYTES, span_head(left, CARVE_STRING));
    assert_true(record_check(record_view(&r->out)));
    sink_extract_put(r->x, record_view(&r->out), SPAN_LIT(ID));
}

/* A whole file in pieces of so many bytes. */
static void
put_in_pieces(struct rig *r, struct span bytes, const char *name, size_t piece)
{
    struct hex sum = digest(bytes);
    struct piece p = {.sum = sum.s, .size = bytes.n, .name = name};

    do {
        p.bytes = span_head(bytes, piece);
        put_piece(r, &p);
        p.offset += p.bytes.n;
        bytes = span_tail(bytes, piece);
    } while (bytes.n > 0);
}

static void
put_file(struct rig *r, const char *text)
{
    put_in_pieces(r, span_str(text), "a name", 1000);
}

static bool
is_there(const struct rig *r, struct span bytes)
{
    struct hex sum = digest(bytes);
    struct stat st;
    size_t n;
    uint8_t *p = tempdir_load(r->dir.s, sum.s, &n);
    bool good = p != NULL && span_eq(span_of(p, n), bytes);

    free(p);
    if (!good)
        return false;
    assert_int_equal(stat(tempdir_name(r->dir.s, sum.s).s, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    return true;
}

/* Names in the folder, without index.csv; everything is one of ours. */
static size_t
n_files(const struct rig *r)
{
    DIR *h = opendir(r->dir.s);
    const struct dirent *d;
    size_t n = 0;

    assert_non_null(h);
    while ((d = readdir(h)) != NULL) {
        if (d->d_name[0] == '.' || strcmp(d->d_name, "index.csv") == 0)
            continue;
        assert_int_equal(strlen(d->d_name), HEX);
        assert_int_equal(strspn(d->d_name, "0123456789abcdef"), HEX);
        n++;
    }
    (void)closedir(h);
    return n;
}

/* Lines of the index, which ends with one. */
static size_t
n_lines(const struct rig *r)
{
    size_t n, lines = 0;
    uint8_t *p = tempdir_load(r->dir.s, "index.csv", &n);

    assert_non_null(p);
    assert_true(span_starts(span_of(p, n), SPAN_LIT(HEADER)));
    assert_int_equal(p[n - 1], '\n');
    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    free(p);
    return lines - 1;
}

/* ---- files ---- */

static void
writes_each_file_once(void **state)
{
    struct rig r;
    struct stat st;
    struct sink_extract_counts n;
    size_t size;
    uint8_t *index;
    struct hex sum = digest(SPAN_LIT("one"));

    (void)state;
    rig_init(&r);
    assert_int_equal(rig_open(&r), ERR_OK);
    put_in_pieces(&r, SPAN_LIT("one"), "=x,\"\xe2\x80\xae\x1b\n.exe", 2);
    put_file(&r, "two");
    put_file(&r, "one");
    put_file(&r, "");
    assert_true(sink_extract_has(r.x, span_str(sum.s)));
    assert_false(sink_extract_has(r.x, span_str(digest(SPAN_LIT("3")).s)));
    assert_false(sink_extract_has(r.x, SPAN_LIT("one")));
    n = sink_extract_counts_of(r.x);
    rig_close(&r);
    assert_int_equal(n.files, 3);
    assert_int_equal(n.bytes, 6);
    assert_int_equal(n.refused + n.not_kept + n.past_limit + n.expired, 0);
    assert_true(is_there(&r, SPAN_LIT("one")));
    assert_true(is_there(&r, SPAN_LIT("two")));
    assert_true(is_there(&r, SPAN_LIT("")));
    assert_int_equal(n_files(&r), 3);
    assert_int_equal(n_lines(&r), 3);
    assert_int_equal(stat(r.dir.s, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(tempdir_name(r.dir.s, "index.csv").s, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    index = tempdir_load(r.dir.s, "index.csv", &size);
    assert_true(span_search(span_of(index, size),
                            SPAN_LIT("2023-11-14T22:13:20.000000+0000," ID
                                     ",")) < size);
    assert_true(span_search(span_of(index, size), span_str(sum.s)) < size);
    assert_true(span_search(span_of(index, size),
                            SPAN_LIT(",3,pe,B,\"'=x,\"\"<U+202E>\\x1b\\x0a.exe"
                                     "\"\r\n")) < size);
    free(index);
    rig_fini(&r);
}

static void
puts_pieces_together(void **state)
{
    static uint8_t bytes[300000];
    static const size_t pieces[] = {1000,   65535,  149999, 150000,
                                    299999, 300000, 400000};
    struct rig r;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        rig_init(&r);
        assert_int_equal(rig_open(&r), ERR_OK);
        put_in_pieces(&r, span_of(bytes, sizeof(bytes)), NULL, pieces[i]);
        assert_true(is_there(&r, span_of(bytes, sizeof(bytes))));
        rig_fini(&r);
    }
}

/* clang-format off */
static const struct {
    const char *why;
    struct piece pieces[4]; /* sum: "right" is that of "abcdef" */
    uint64_t refused, not_kept;
} hostile[] = {
    {"another digest",
     {{SPAN_INIT("abcdef"), "wrong", 6, 0, NULL, 0}}, 1, 0},
    {"a path for a digest",
     {{SPAN_INIT("abcdef"), "../../../../etc/cron.d/x", 6, 0, NULL, 0}}, 1, 0},
    {"a digest in capitals",
     {{SPAN_INIT("abcdef"), "RIGHT", 6, 0, NULL, 0}}, 1, 0},
    {"no digest", {{SPAN_INIT("abcdef"), NULL, 6, 0, NULL, 0}}, 0, 1},
    {"more bytes than said",
     {{SPAN_INIT("abcdef"), "right", 5, 0, NULL, 0}}, 1, 0},
    {"fewer, and that is the end",
     {{SPAN_INIT("abcde"), "right", 6, 0, NULL, 0}}, 1, 0},
    {"fewer, and a new one begins",
     {{SPAN_INIT("abc"), "right", 6, 0, NULL, 0},
      {SPAN_INIT("abcde"), "right", 6, 0, NULL, 0}}, 2, 0},
    {"a middle without a beginning",
     {{SPAN_INIT("def"), "right", 6, 3, NULL, 0}}, 0, 0},
    {"a piece twice",
     {{SPAN_INIT("abc"), "right", 6, 0, NULL, 0},
      {SPAN_INIT("def"), "right", 6, 2, NULL, 0}}, 1, 0},
    {"a piece left out",
     {{SPAN_INIT("ab"), "right", 6, 0, NULL, 0},
      {SPAN_INIT("ef"), "right", 6, 4, NULL, 0}}, 1, 0},
    {"the rest from another flow",
     {{SPAN_INIT("abc"), "right", 6, 0, NULL, 1},
      {SPAN_INIT("def"), "right", 6, 3, NULL, 2}}, 1, 0},
    {"the rest with another digest",
     {{SPAN_INIT("abc"), "right", 6, 0, NULL, 0},
      {SPAN_INIT("def"), "wrong", 6, 3, NULL, 0}}, 1, 0},
    {"the rest with another size",
     {{SPAN_INIT("abc"), "right", 6, 0, NULL, 0},
      {SPAN_INIT("def"), "right", 7, 3, NULL, 0}}, 1, 0},
    {"a size without end",
     {{SPAN_INIT("abcdef"), "right", UINT64_MAX, 0, NULL, 0}}, 0, 1},
    {"an offset without end",
     {{SPAN_INIT("abc"), "right", 6, 0, NULL, 0},
      {SPAN_INIT("def"), "right", 6, UINT64_MAX, NULL, 0}}, 1, 0},
    {"bytes of nothing",
     {{SPAN_INIT("abc"), "right", 0, 0, NULL, 0}}, 1, 0},
};
/* clang-format on */

static const char *
sum_for(const char *word, struct hex *room)
{
    *room = digest(SPAN_LIT("abcdef"));
    if (word == NULL || strcmp(word, "right") == 0)
        return word == NULL ? NULL : room->s;
    if (strcmp(word, "wrong") == 0)
        room->s[5] = room->s[5] == '0' ? '1' : '0';
    else if (strcmp(word, "RIGHT") == 0)
        room->s[0] = 'A';
    else
        return word;
    return room->s;
}

static void
believes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct rig r;
        struct sink_extract_counts n;

        rig_init(&r);
        assert_int_equal(rig_open(&r), ERR_OK);
        for (size_t k = 0; k < 4 && hostile[i].pieces[k].bytes.n > 0; k++) {
            struct piece p = hostile[i].pieces[k];
            struct hex room;

            p.sum = sum_for(p.sum, &room);
            put_piece(&r, &p);
        }
        sink_extract_end(r.x);
        n = sink_extract_counts_of(r.x);
        if (n.refused != hostile[i].refused ||
            n.not_kept != hostile[i].not_kept || n.files != 0 ||
            n_files(&r) != 0 || n_lines(&r) != 0)
            fail_msg("%s: refused %u, not kept %u, %zu files", hostile[i].why,
                     (unsigned)n.refused, (unsigned)n.not_kept, n_files(&r));
        put_file(&r, "abcdef"); /* the next honest one is taken */
        assert_true(is_there(&r, SPAN_LIT("abcdef")));
        rig_fini(&r);
    }
}

/* ---- limits ---- */

/* clang-format off */
static const struct {
    const char *why;
    uint64_t file_max, bytes_max, files_max;
    const char *files[4];
    uint64_t written, not_kept, past_limit;
    const char *reason;
} limits[] = {
    {"all fit", 4, 12, 3, {"1111", "2222", "3333"}, 3, 0, 0, ""},
    {"one is larger", 4, 100, 9, {"1111", "22222", "3333"}, 2, 1, 0, ""},
    {"one file more", 4, 100, 2, {"1111", "2222", "3333", "4444"}, 2, 0, 2,
     " past the limit of files"},
    {"one byte more", 4, 11, 9, {"1111", "2222", "3333"}, 2, 0, 1,
     " past the limit of bytes"},
    {"it ends there, though a small one would fit", 4, 11, 9,
     {"1111", "2222", "3333", "4"}, 2, 0, 2, " past the limit of bytes"},
    {"what is there already needs no room", 4, 8, 2,
     {"1111", "2222", "1111", "2222"}, 2, 0, 0, ""},
    {"no room at all", 4, 0, 9, {"1111"}, 0, 0, 1, " past the limit of bytes"},
};
/* clang-format on */

static void
keeps_to_its_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct rig r;
        struct sink_extract_counts n;
        enum err e;

        rig_init(&r);
        r.s.file_max = limits[i].file_max;
        r.s.bytes_max = limits[i].bytes_max;
        r.s.files_max = limits[i].files_max;
        assert_int_equal(rig_open(&r), ERR_OK);
        for (size_t k = 0; k < 4 && limits[i].files[k] != NULL; k++)
            put_file(&r, limits[i].files[k]);
        n = sink_extract_counts_of(r.x);
        buf_reset(&r.message);
        e = sink_extract_why(r.x, &r.message);
        if (n.files != limits[i].written || n.not_kept != limits[i].not_kept ||
            n.past_limit != limits[i].past_limit || n.refused != 0 ||
            e != (limits[i].reason[0] != '\0' ? ERR_LIMIT : ERR_OK) ||
            !span_eq(buf_view(&r.message), span_str(limits[i].reason)) ||
            n_files(&r) != limits[i].written ||
            n_lines(&r) != limits[i].written)
            fail_msg("%s", limits[i].why);
        rig_fini(&r);
    }
}

/* What an earlier run left counts too. */
static void
counts_earlier_files(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    r.s.files_max = 2;
    r.s.now = 0; /* nothing is too old */
    assert_int_equal(rig_open(&r), ERR_OK);
    put_file(&r, "1");
    rig_close(&r);
    assert_int_equal(rig_open(&r), ERR_OK);
    put_file(&r, "1");
    put_file(&r, "2");
    put_file(&r, "3");
    assert_int_equal(sink_extract_counts_of(r.x).files, 1);
    assert_int_equal(sink_extract_counts_of(r.x).past_limit, 1);
    assert_int_equal(n_lines(&r), 2);
    rig_fini(&r);
}

/* The disk is full at every place: no file is there in part or without a line,
 * no line in part. */
static void
survives_a_full_disk(void **state)
{
    static char text[400];
    struct rlimit before;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t full = 44; full < 399; full += 5) {
        struct rlimit now = {full, before.rlim_max};
        struct rig r;
        enum err e;
        uint64_t files;

        rig_init(&r);
        assert_int_equal(rig_open(&r), ERR_OK);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        put_file(&r, "small");
        put_file(&r, text);
        put_file(&r, "small too");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        files = sink_extract_counts_of(r.x).files;
        assert_int_equal(files + sink_extract_counts_of(r.x).past_limit, 3);
        assert_int_equal(n_files(&r), files);
        assert_int_equal(n_lines(&r), files);
        buf_reset(&r.message);
        e = sink_extract_why(r.x, &r.message);
        assert_true(files < 3);
        assert_int_equal(e, err_from_errno(EFBIG));
        assert_message(&r, "File too large");
        put_file(&r, "later"); /* it has ended */
        assert_int_equal(n_files(&r), files);
        rig_fini(&r);
    }
}

/* ---- the folder ---- */

static void
takes_a_folder_of_its_own_only(void **state)
{
    static const struct {
        const char *why;
        const char *names[3];
        const char *index;
        const char *complaint; /* NULL: taken */
    } rows[] = {
        {"empty",                             {NULL},                          NULL,   NULL                    },
        {"an index of ours",                  {"index.csv"},                   HEADER, NULL                    },
        {"a file of ours left in the middle",
         {"index.csv", "new", "index.csv.new"},
         HEADER,                                                                       NULL                    },
        {"another file",                      {"letter.txt"},                  NULL,   "new or an empty folder"},
        {"another file beside ours",
         {"index.csv", "x"},
         HEADER,                                                                       "new or an empty folder"},
        {"an index of somebody else",
         {"index.csv"},
         "a,b\n",                                                                      "new or an empty folder"},
        {"a name like ours without an index",
         {"0000000000000000000000000000000000000000000000000000000000000000"},
         NULL,                                                                         "new or an empty folder"},
        {"a hidden file",
         {".x", "index.csv"},
         HEADER,                                                                       "new or an empty folder"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        enum err e;
        size_t n = 0;

        rig_init(&r);
        assert_int_equal(mkdir(r.dir.s, 0755), 0);
        for (; n < 3 && rows[i].names[n] != NULL; n++) {
            const char *text = strcmp(rows[i].names[n], "index.csv") == 0
                                   ? rows[i].index
                                   : "data";

            tempdir_store(r.dir.s, rows[i].names[n], text, strlen(text));
        }
        e = rig_open(&r);
        if ((e == ERR_OK) != (rows[i].complaint == NULL))
            fail_msg("%s: %s", rows[i].why, err_text(e));
        if (rows[i].complaint != NULL)
            assert_message(&r, rows[i].complaint);
        for (size_t k = 0; e != ERR_OK && k < n; k++)
            assert_true(tempdir_has(r.dir.s, rows[i].names[k]));
        if (e == ERR_OK) {
            struct stat st;

            assert_int_equal(stat(r.dir.s, &st), 0);
            assert_int_equal(st.st_mode & 07777, 0700);
            put_file(&r, "one");
            assert_int_equal(n_files(&r), 1);
            assert_int_equal(n_lines(&r), 1);
        }
        rig_fini(&r);
    }
}

static void
refuses_what_is_no_folder(void **state)
{
    struct rig r;
    struct tempdir_name link;

    (void)state;
    rig_init(&r);
    tempdir_store(r.t.path, "files", "x", 1);
    assert_int_not_equal(rig_open(&r), ERR_OK);
    assert_message(&r, "cannot open this folder");
    assert_int_equal(unlink(r.dir.s), 0);

    link = tempdir_name(r.t.path, "target");
    assert_int_equal(mkdir(link.s, 0700), 0);
    assert_int_equal(symlink(link.s, r.dir.s), 0);
    assert_int_not_equal(rig_open(&r), ERR_OK);
    assert_message(&r, "cannot open this folder");
    assert_int_equal(unlink(r.dir.s), 0);

    r.dir = tempdir_name(r.t.path, "no/where");
    assert_int_equal(rig_open(&r), ERR_NOENT);
    assert_message(&r, "cannot make this folder");
    rig_fini(&r);
}

static void
is_of_one_run_at_a_time(void **state)
{
    struct rig r;
    struct sink_extract *first;

    (void)state;
    rig_init(&r);
    assert_int_equal(rig_open(&r), ERR_OK);
    first = r.x;
    r.x = NULL;
    assert_int_not_equal(rig_open(&r), ERR_OK);
    assert_message(&r, "in use by another run");
    sink_extract_close(first);
    assert_int_equal(rig_open(&r), ERR_OK);
    rig_fini(&r);
}

static void
set_age(const struct rig *r, const char *text, uint64_t seconds)
{
    struct hex sum = digest(span_str(text));
    struct timeval t[2] = {{.tv_sec = (time_t)(r->s.now / NS_PER_S - seconds)},
                           {.tv_sec = (time_t)(r->s.now / NS_PER_S - seconds)}};

    assert_int_equal(utimes(tempdir_name(r->dir.s, sum.s).s, t), 0);
}

/* Older than keep, to the second; their lines go with them. */
static void
deletes_what_is_too_old(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r);
    assert_int_equal(rig_open(&r), ERR_OK);
    put_file(&r, "young");
    put_file(&r, "old");
    put_file(&r, "just so");
    rig_close(&r);
    set_age(&r, "young", 0);
    set_age(&r, "just so", 7 * 86400);
    set_age(&r, "old", 7 * 86400 + 1);
    assert_int_equal(rig_open(&r), ERR_OK);
    assert_int_equal(sink_extract_counts_of(r.x).expired, 1);
    assert_true(is_there(&r, SPAN_LIT("young")));
    assert_true(is_there(&r, SPAN_LIT("just so")));
    assert_int_equal(n_files(&r), 2);
    assert_int_equal(n_lines(&r), 2);
    assert_false(sink_extract_has(r.x, span_str(digest(SPAN_LIT("old")).s)));
    assert_true(sink_extract_has(r.x, span_str(digest(SPAN_LIT("young")).s)));
    put_file(&r, "old");
    assert_int_equal(n_lines(&r), 3);
    rig_fini(&r);
}

/* A run that was killed while it wrote a line. */
static void
drops_a_torn_line(void **state)
{
    static const char torn[] = "2026-11-22T11:37:37.175219+0000," ID ",ff41b7";
    struct rig r;
    FILE *f;

    (void)state;
    rig_init(&r);
    r.s.now = 0;
    assert_int_equal(rig_open(&r), ERR_OK);
    put_file(&r, "one");
    rig_close(&r);
    f = fopen(tempdir_name(r.dir.s, "index.csv").s, "ab");
    assert_non_null(f);
    assert_int_equal(fwrite(torn, 1, sizeof(torn) - 1, f), sizeof(torn) - 1);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rig_open(&r), ERR_OK);
    assert_int_equal(n_lines(&r), 1);
    put_file(&r, "two");
    assert_int_equal(n_lines(&r), 2);
    rig_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_each_file_once),
        cmocka_unit_test(puts_pieces_together),
        cmocka_unit_test(believes_nothing),
        cmocka_unit_test(keeps_to_its_limits),
        cmocka_unit_test(counts_earlier_files),
        cmocka_unit_test(survives_a_full_disk),
        cmocka_unit_test(takes_a_folder_of_its_own_only),
        cmocka_unit_test(refuses_what_is_no_folder),
        cmocka_unit_test(is_of_one_run_at_a_time),
        cmocka_unit_test(deletes_what_is_too_old),
        cmocka_unit_test(drops_a_torn_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
