#include "dissectors/content/hashlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dissectors/content/content.h"

#define D  "0123456789abcdef0123456789ABCDEF"
#define D1 D "0000000000000000000000000000000" /* and one digit more */

static const struct {
    const char *why;
    const char *in;
    size_t n;
    size_t left_out;
    const char *name; /* of D1 "1" */
} rows[] = {
    {"nothing",               "",                             0, 0, NULL       },
    {"a hash",                D1 "1",                         1, 0, ""         },
    {"a line end",            D1 "1\n",                       1, 0, ""         },
    {"the line end of DOS",   D1 "1\r\n" D1 "2\r\n",          2, 0, ""         },
    {"sha256sum",             D1 "1  bad.exe\n",              1, 0, "bad.exe"  },
    {"sha256sum of binaries", D1 "1 *bad.exe\n",              1, 0, "bad.exe"  },
    {"sha256sum --tag",       "SHA256 (b (1).exe) = " D1 "1", 1, 0, "b (1).exe"},
    {"a comma",               D1 "1,bad, very\n",             1, 0, "bad, very"},
    {"comments",              "# a\n; b\n\n  \n" D1 "1 x\n",  1, 0, "x"        },
    {"a mark",                "\xef\xbb\xbf" D1 "1 x\n",      1, 0, "x"        },
    {"twice",                 D1 "1 x\n" D1 "1 y\n",          1, 0, "x"        },
    {"too short",             D1 "\n",                        0, 1, NULL       },
    {"too long",              D1 "12\n",                      0, 1, NULL       },
    {"no digit",              D1 "g\n",                       0, 1, NULL       },
    {"an MD5",                D "  x\n" D1 "1\n",             1, 1, ""         },
    {"out of order",          D1 "9\n" D1 "1 x\n" D1 "5\n",   3, 0, "x"        },
    {"a tag without its end", "SHA256 (x = " D1 "1\n",        0, 1, NULL       },
};

static void
digest_of(uint8_t out[32], uint8_t last)
{
    static const uint8_t half[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
                                   0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
                                   0x89, 0xab, 0xcd, 0xef};

    memset(out, 0, 32);
    memcpy(out, half, 16);
    out[31] = last;
}

static void
test_rows(void **state)
{
    uint8_t digest[32];

    (void)state;
    digest_of(digest, 1);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct hashlist *l = NULL;
        struct hashlist_name found = {0};
        struct span name;
        bool is_there;
        struct buf message;

        buf_init(&message, 4096);
        assert_int_equal(hashlist_new(&l), ERR_OK);
        assert_int_equal(
            hashlist_add_text(l, span_str(rows[k].in), "f", &message), ERR_OK);
        if (hashlist_count(l) != rows[k].n ||
            hashlist_left_out(l) != rows[k].left_out ||
            (message.n > 0) != (rows[k].left_out > 0))
            fail_msg("%s: %zu, %zu left out", rows[k].why, hashlist_count(l),
                     hashlist_left_out(l));
        is_there = hashlist_find(l, digest, &found);
        name = span_of(found.bytes, found.n);
        if (is_there != (rows[k].name != NULL) ||
            (rows[k].name != NULL && !span_eq(name, span_str(rows[k].name))))
            fail_msg("%s: %.*s", rows[k].why, (int)name.n, name.p);
        hashlist_free(l);
        buf_free(&message);
    }
}

static void
test_complaints(void **state)
{
    struct hashlist *l = NULL;
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    assert_int_equal(hashlist_new(&l), ERR_OK);
    assert_int_equal(
        hashlist_add_text(l, SPAN_LIT("#\nx\nx\nx\nx\nx\nx\n"), "f", &message),
        ERR_OK);
    assert_int_equal(hashlist_left_out(l), 6);
    assert_true(span_starts(buf_view(&message), SPAN_LIT("f:2: ")));
    assert_true(span_search(buf_view(&message), SPAN_LIT("f:6:")) < message.n);
    assert_true(span_search(buf_view(&message), SPAN_LIT("f:7:")) == message.n);
    hashlist_free(l);
    buf_free(&message);
}

/* ---- files ---- */

struct bench {
    char path[32];
    char other[40]; /* what takes its place */
    struct hashlist *l;
    struct buf message;
};

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
bench_begin(struct bench *b, const char *text)
{
    int fd;

    memcpy(b->path, "hashlist_testXXXXXX", 20);
    fd = mkstemp(b->path);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(b->other, sizeof(b->other), "%s.new", b->path);
    write_file(b->path, text);
    buf_init(&b->message, 4096);
    assert_int_equal(hashlist_new_of(4, 64, &b->l), ERR_OK);
    assert_int_equal(hashlist_add_file(b->l, b->path, &b->message), ERR_OK);
    assert_int_equal(b->message.n, 0);
}

static void
bench_end(struct bench *b)
{
    hashlist_free(b->l);
    buf_free(&b->message);
    (void)unlink(b->path);
    (void)unlink(b->other);
    (void)rmdir(b->path);
}

static bool
has(const struct bench *b, uint8_t last)
{
    struct hashlist_name name;
    uint8_t digest[32];

    digest_of(digest, last);
    return hashlist_find(b->l, digest, &name);
}

static bool
says(const struct bench *b, const char *text)
{
    return span_search(buf_view(&b->message), span_str(text)) < b->message.n;
}

/* Another file than the last time, so one look to see that nobody writes. */
static bool
is_reloaded(struct bench *b)
{
    buf_reset(&b->message);
    return !hashlist_refresh(b->l, &b->message) &&
           hashlist_refresh(b->l, &b->message);
}

static void
replace(const struct bench *b, const char *text)
{
    write_file(b->other, text);
    assert_int_equal(rename(b->other, b->path), 0);
}

static void
test_what_is_no_list(void **state)
{
    struct hashlist *l = NULL;
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    assert_int_equal(hashlist_new(&l), ERR_OK);
    assert_int_equal(hashlist_add_file(l, "/does/not/exist", &message),
                     ERR_NOENT);
    assert_true(message.n > 0);
    assert_int_equal(hashlist_add_file(l, "/", &message), ERR_FORMAT);
    assert_int_equal(hashlist_add_file(l, "CMakeLists.txt", &message),
                     ERR_FORMAT);
    assert_false(hashlist_refresh(l, &message));
    assert_false(hashlist_refresh(NULL, &message));
    assert_int_equal(hashlist_count(l), 0);
    hashlist_free(l);
    buf_free(&message);
}

/* What was read takes force when it is told to, and not before. */
static void
test_reload(void **state)
{
    struct bench b;

    (void)state;
    bench_begin(&b, D1 "1 x\n");
    assert_int_equal(hashlist_generation(b.l), 1);
    assert_false(is_reloaded(&b));
    replace(&b, D1 "2 y\n" D1 "3 z\nwhat\n");
    assert_true(is_reloaded(&b));
    assert_true(says(&b, ":3: not a SHA-256"));
    buf_reset(&b.message);
    hashlist_describe(b.l, &b.message);
    assert_true(says(&b, "hash list: hashlist_test"));
    assert_true(says(&b, " (2 digests, 1 lines left out)"));
    assert_true(has(&b, 1) && !has(&b, 2));
    assert_int_equal(hashlist_generation(b.l), 1);
    hashlist_publish(b.l);
    hashlist_publish(b.l); /* of nothing new */
    assert_int_equal(hashlist_generation(b.l), 2);
    assert_true(!has(&b, 1) && has(&b, 2) && has(&b, 3));
    assert_false(is_reloaded(&b));
    write_file(b.path, D1 "4\n"); /* in place */
    assert_true(is_reloaded(&b));
    hashlist_publish(b.l);
    assert_true(!has(&b, 2) && has(&b, 4));
    assert_int_equal(hashlist_count(b.l), 1);
    bench_end(&b);
}

/* While it looks other at each look, somebody writes it. */
static void
test_half_written(void **state)
{
    struct bench b;

    (void)state;
    bench_begin(&b, D1 "1\n");
    for (unsigned k = 0; k < 5; k++) {
        write_file(b.path, k % 2 == 0 ? "" : D1 "2\n");
        assert_false(hashlist_refresh(b.l, &b.message));
    }
    write_file(b.path, D1 "2\n" D1 "3\n");
    assert_true(is_reloaded(&b));
    hashlist_publish(b.l);
    assert_true(has(&b, 2) && has(&b, 3) && b.message.n == 0);
    bench_end(&b);
}

static void
be_gone(const char *path)
{
    (void)path;
}

static void
be_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static void
be_fifo(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void
be_huge(const char *path)
{
    write_file(path, D1 "2\n");
    assert_int_equal(truncate(path, (off_t)HASHLIST_FILE_MAX + 1), 0);
}

#define N30 "123456789012345678901234567890"

static const struct {
    const char *why;
    void (*make)(const char *path);
    const char *text;
    const char *says;
} broken[] = {
    {"gone",            be_gone,   NULL,                                             "no such file"},
    {"a folder",        be_folder, NULL,                                             "is no list"  },
    {"a FIFO",          be_fifo,   NULL,                                             "is no list"  },
    {"nothing in it",   NULL,      "",                                               "is no list"  },
    {"a page",          NULL,      "<html>\n",                                       "is no list"  },
    {"a large file",    be_huge,   NULL,                                             "is too large"},
    {"five of four",    NULL,      D1 "2\n" D1 "3\n" D1 "4\n" D1 "5\n" D1 "6\n",
     "is too large"                                                                                },
    {"names, 65 of 64", NULL,      D1 "2 " N30 "\n" D1 "3 " N30 "\n" D1 "4 12345\n",
     "is too large"                                                                                },
};

static void
test_broken(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(broken); k++) {
        struct bench b;
        bool good;

        bench_begin(&b, D1 "1\n");
        assert_int_equal(unlink(b.path), 0);
        if (broken[k].make != NULL)
            broken[k].make(b.path);
        else
            write_file(b.path, broken[k].text);
        good = !is_reloaded(&b) && says(&b, broken[k].says) &&
               says(&b, "read before stays in force") && has(&b, 1) &&
               hashlist_count(b.l) == 1;
        buf_reset(&b.message);
        good = good && !hashlist_refresh(b.l, &b.message) && b.message.n == 0;
        if (!good)
            fail_msg("%s: %.*s", broken[k].why, (int)b.message.n, b.message.p);
        (void)unlink(b.path);
        (void)rmdir(b.path);
        write_file(b.path,
                   D1 "2\n" D1 "3\n" D1 "4 " N30 "\n" D1 "5 " N30 "1234\n");
        assert_true(is_reloaded(&b));
        hashlist_publish(b.l);
        assert_int_equal(hashlist_count(b.l), 4);
        assert_true(!has(&b, 1) && has(&b, 5));
        bench_end(&b);
    }
}

/* A pipe has been read when it has been read. */
static void
test_pipe(void **state)
{
    struct hashlist *l = NULL;
    struct buf message;
    char path[32];
    int ends[2];

    (void)state;
    buf_init(&message, 4096);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], D1 "1\n", 65), 65);
    assert_int_equal(close(ends[1]), 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    assert_int_equal(hashlist_new(&l), ERR_OK);
    assert_int_equal(hashlist_add_file(l, path, &message), ERR_OK);
    assert_int_equal(close(ends[0]), 0);
    assert_false(hashlist_refresh(l, &message));
    assert_false(hashlist_refresh(l, &message));
    assert_int_equal(hashlist_count(l), 1);
    assert_int_equal(message.n, 0);
    hashlist_free(l);
    buf_free(&message);
}

static void
test_million(void **state)
{
    struct hashlist *l = NULL;
    struct buf text;
    struct buf message;
    struct hashlist_name name;
    uint8_t digest[32];
    const unsigned n = 200000;
    clock_t from;

    (void)state;
    buf_init(&text, 100U << 20);
    buf_init(&message, 4096);
    for (uint32_t k = 0; k < n; k++)
        buf_printf(&text, "%08x%056x  name%u\n", k * 2654435761U, k, k);
    assert_int_equal(hashlist_new(&l), ERR_OK);
    from = clock();
    assert_int_equal(hashlist_add_text(l, buf_view(&text), "f", &message),
                     ERR_OK);
    print_message("%u hashes: %ld ms\n", n,
                  (long)((clock() - from) * 1000 / CLOCKS_PER_SEC));
    assert_int_equal(hashlist_count(l), n);
    memset(digest, 0, sizeof(digest));
    digest[0] = 0x9e;
    digest[1] = 0x37;
    digest[2] = 0x79;
    digest[3] = 0xb1;
    digest[31] = 1;
    assert_true(hashlist_find(l, digest, &name));
    assert_true(span_eq(span_of(name.bytes, name.n), SPAN_LIT("name1")));
    digest[31] = 2;
    assert_false(hashlist_find(l, digest, &name));
    assert_false(hashlist_find(NULL, digest, &name));
    hashlist_free(l);
    buf_free(&text);
    buf_free(&message);
}

/* The part itself and what is in it are looked up. */
static void
test_every_depth(void **state)
{
    /* SHA-256 of "hello" */
    static const char list[] =
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 hi\n";
    static const char pdf[] = "%PDF-1.4\n1 0 obj<</Type/EmbeddedFile/Length "
                              "5>>stream\nhello\nendstream";
    struct content_options o = {0};
    struct hashlist *l = NULL;
    struct content *c = NULL;
    struct content_result r;
    struct content_job job = {.bytes = SPAN_LIT("hello")};
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    assert_int_equal(hashlist_new(&l), ERR_OK);
    assert_int_equal(hashlist_add_text(l, span_str(list), "f", &message),
                     ERR_OK);
    o.hashes = l;
    assert_int_equal(content_new(&o, &c, &message), ERR_OK);
    content_result_init(&r);
    content_inspect(c, &job, &r);
    assert_true(findings_has(&r.findings, FIND_HASH_LIST));
    job.bytes = SPAN_LIT("hallo");
    content_inspect(c, &job, &r);
    assert_false(findings_has(&r.findings, FIND_HASH_LIST));
    job.bytes = span_str(pdf);
    content_inspect(c, &job, &r);
    assert_int_equal(r.n_members, 1);
    assert_true(findings_has(&r.findings, FIND_HASH_LIST));
    content_result_free(&r);
    content_free(c);
    hashlist_free(l);
    buf_free(&message);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_complaints),
        cmocka_unit_test(test_what_is_no_list),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_half_written),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_every_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
