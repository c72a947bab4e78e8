#include "dissectors/content/hashlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
        struct span name = SPAN_NONE;
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
        if (hashlist_find(l, digest, &name) != (rows[k].name != NULL) ||
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

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* A file that changes is read again; one that is gone leaves the list. */
static void
test_files(void **state)
{
    char path[] = "hashlist_testXXXXXX";
    const int fd = mkstemp(path);
    struct hashlist *l = NULL;
    struct buf message;
    bool changed;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    buf_init(&message, 4096);
    write_file(path, D1 "1 x\n");
    assert_int_equal(hashlist_new(&l), ERR_OK);
    assert_int_equal(hashlist_add_file(l, "/does/not/exist", &message),
                     ERR_NOENT);
    assert_true(message.n > 0);
    assert_int_equal(hashlist_add_file(l, "/", &message), ERR_FORMAT);
    assert_int_equal(hashlist_add_file(l, path, &message), ERR_OK);
    assert_int_equal(hashlist_count(l), 1);
    assert_int_equal(hashlist_refresh(l, &changed, &message), ERR_OK);
    assert_false(changed);
    write_file(path, D1 "1 x\n" D1 "2 y\n");
    assert_int_equal(hashlist_refresh(l, &changed, &message), ERR_OK);
    assert_true(changed);
    assert_int_equal(hashlist_count(l), 2);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(hashlist_refresh(l, &changed, &message), ERR_NOENT);
    assert_false(changed);
    assert_int_equal(hashlist_count(l), 2);
    hashlist_free(l);
    buf_free(&message);
}

static void
test_million(void **state)
{
    struct hashlist *l = NULL;
    struct buf text;
    struct buf message;
    struct span name;
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
    assert_true(span_eq(name, SPAN_LIT("name1")));
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
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_complaints),
        cmocka_unit_test(test_files),       cmocka_unit_test(test_million),
        cmocka_unit_test(test_every_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
