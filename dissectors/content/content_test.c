#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "dissectors/content/inspect_test.h"
#include "dissectors/content/zip_make.h"

/* ---- memory ---- */

/* The linker chooses these names. NOLINTBEGIN */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static long fail_at = -1; /* this many more succeed; -1: all do */

static bool
alloc_fails(void)
{
    if (fail_at < 0)
        return false;
    return fail_at == 0 || fail_at-- == 0;
}

void *
__wrap_malloc(size_t n)
{
    return alloc_fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
    return alloc_fails() ? NULL : __real_realloc(p, n);
}
/* NOLINTEND */

static void
member(struct zip_make *z, const char *name, struct span data, bool deflate)
{
    zip_make_member(z, &(struct zip_make_member){
                           .name = name, .data = data, .deflate = deflate});
}

/* A zip in a zip, packed, with a program and a text. */
static void
make_nested(struct zip_make *z)
{
    struct zip_make inner;

    zip_make_begin(&inner);
    member(&inner, "deep.exe", SPAN_LIT("deep"), false);
    member(&inner, "deep.txt", SPAN_LIT("deeper"), true);
    zip_make_end(&inner, SPAN_NONE);
    member(z, "inner.zip", buf_view(&inner.out), true);
    member(z, "stored.zip", buf_view(&inner.out), false);
    member(z, "a.txt", SPAN_LIT("text"), true);
    zip_make_end(z, SPAN_NONE);
    zip_make_free(&inner);
}

/* Each allocation fails in turn, and all after it: what was found stays, and
 * the limit is told unless all was found. */
static void
test_no_memory(void **state)
{
    struct inspected t;
    struct zip_make z;
    struct content_job job = {.name = SPAN_INIT("x.zip")};
    uint32_t n = 0;
    long k = 0;

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&z);
    make_nested(&z);
    job.bytes = buf_view(&z.out);
    for (; n < 7; k++) {
        assert_true(k < 1000);
        /* so that its buffers are not there already */
        content_result_free(&t.r);
        content_result_init(&t.r);
        fail_at = k;
        content_inspect(t.c, &job, &t.r);
        fail_at = -1;
        n = t.r.n_members;
        if (n < 7)
            assert_true(inspected_has(&t, FIND_INSPECTION_LIMIT));
    }
    assert_true(k > 10);
    zip_make_free(&z);
    inspected_end(&t);
}

static void
test_no_memory_at_start(void **state)
{
    struct content_options o = {0};
    struct content *c = NULL;
    struct buf message;
    long k = 0;

    (void)state;
    buf_init(&message, 512);
    while (c == NULL) {
        enum err e;

        assert_true(k < 100);
        fail_at = k++;
        e = content_new(&o, &c, &message);
        fail_at = -1;
        assert_int_equal(e, c != NULL ? ERR_OK : ERR_NOMEM);
    }
    assert_true(k > 1);
    content_free(c);
    content_free(NULL);
    content_result_free(NULL);
    buf_free(&message);
}

/* ---- what is found anywhere ---- */

#define EICAR                                                                  \
    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#define GTUBE                                                                  \
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
#define ZIP                                                                    \
    "PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a"             \
    "PK\1\2\24\3\24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0" \
    "\0\0\0\0\0\0\0\0\0\0a"                                                    \
    "PK\5\6\0\0\0\0\1\0\1\0\57\0\0\0\37\0\0\0\0\0"
#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR picture "
#define TINY_PE                                                                \
    "MZ.............................."                                         \
    "............................"                                             \
    "\x40\0\0\0PE\0\0..."

static const struct {
    const char *why;
    struct span in;
    enum finding f;
    bool want;
} finds[] = {
    {"EICAR itself",             SPAN_INIT(EICAR),                                          FIND_EICAR,          true },
    {"white space may follow",   SPAN_INIT(EICAR " \t\r\n\x1a"),                            FIND_EICAR,
     true                                                                                                             },
    {"nothing else may",         SPAN_INIT(EICAR "."),                                      FIND_EICAR,          false},
    {"nor may a NUL",            SPAN_INIT(EICAR "\0"),                                     FIND_EICAR,          false},
    {"nor stand before it",      SPAN_INIT(" " EICAR),                                      FIND_EICAR,          false},
    {"the first half is none",   SPAN_INIT("X5O!P%@AP[4\\PZX54(P^)7CC)7}$"),
     FIND_EICAR,                                                                                                 false},
    {"GTUBE itself",             SPAN_INIT(GTUBE),                                          FIND_GTUBE,          true },
    {"anywhere",                 SPAN_INIT("XJS* XJS*C4JDBQADN1.NSBN3*2IDNEN*." GTUBE "."),
     FIND_GTUBE,                                                                                                 true },
    {"not without its end",
     SPAN_INIT(
         "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34"),
     FIND_GTUBE,                                                                                                 false},
    {"a zip behind a picture",   SPAN_INIT(PNG ZIP),                                        FIND_POLYGLOT,       true },
    {"a zip behind a PDF",       SPAN_INIT("%PDF-1.4\n" ZIP),                               FIND_POLYGLOT,       true },
    {"a zip is no polyglot",     SPAN_INIT(ZIP),                                            FIND_POLYGLOT,       false},
    {"text about zips is none",  SPAN_INIT("text " ZIP),                                    FIND_POLYGLOT,       false},
    {"zip end that lies",
     SPAN_INIT(PNG "PK\5\6\0\0\0\0\1\0\1\0\57\0\0\0\37\0\0\0\0\0"),
     FIND_POLYGLOT,                                                                                              false},
    {"a picture is none",        SPAN_INIT(PNG),                                            FIND_POLYGLOT,       false},
    {"a program in a picture",   SPAN_INIT(PNG TINY_PE),                                    FIND_POLYGLOT,       true },
    {"MZ alone is no program",   SPAN_INIT(PNG "MZ MZ MZ"),                                 FIND_POLYGLOT,       false},
    {"RAR behind a picture",     SPAN_INIT(PNG "Rar!\x1a\7\0"),                             FIND_POLYGLOT,
     true                                                                                                             },
    {"PDF at byte 20 of one",    SPAN_INIT(PNG "%PDF-1.7"),                                 FIND_POLYGLOT,       true },
    {"a metafile with a PDF",
     SPAN_INIT("\1\0\0\0\x58\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
               "\0\0\0\0\0\0\0\0\0\0 EMF %PDF-1.7"),
     FIND_POLYGLOT,                                                                                              false},
    {"words about PDF",          SPAN_INIT(PNG "%PDF-x"),                                   FIND_POLYGLOT,       false},
    {"a script in a picture",    SPAN_INIT(PNG "<script>"),                                 FIND_POLYGLOT,       true },
    {"a PDF about archives",     SPAN_INIT("%PDF-1.4 MZ <script> PK\5\6"),
     FIND_POLYGLOT,                                                                                              false},
    {"a container no one opens", SPAN_INIT("vhdxfile"),                                     FIND_ARCHIVE_UNREAD,
     true                                                                                                             },
};

static void
test_finds(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(finds); k++) {
        inspected_run(&t, finds[k].in, "x");
        if (inspected_has(&t, finds[k].f) != finds[k].want)
            fail_msg("%s", finds[k].why);
    }
    inspected_end(&t);
}

static void
test_empty(void **state)
{
    struct inspected t;
    struct content_job job = {0};

    (void)state;
    inspected_begin(&t);
    content_inspect(t.c, &job, &t.r);
    assert_false(findings_any(&t.r.findings));
    assert_int_equal(t.r.n_members, 0);
    inspected_end(&t);
}

static void
test_wants(void **state)
{
    (void)state;
    assert_true(content_wants(FILETYPE_ZIP));
    assert_true(content_wants(FILETYPE_UNKNOWN));
    assert_true(content_wants(FILETYPE_PDF));
    assert_false(content_wants(FILETYPE_PNG));
}

/* ---- members ---- */

static void
test_tree(void **state)
{
    struct inspected t;
    struct zip_make z;
    struct cursor c;
    struct content_member m;
    static const struct {
        const char *name;
        uint16_t inside;
        uint8_t depth;
    } want[] = {
        {"inner.zip",  0, 1},
        {"stored.zip", 0, 1},
        {"a.txt",      0, 1},
        {"deep.exe",   1, 2},
        {"deep.txt",   1, 2},
        {"deep.exe",   2, 2},
        {"deep.txt",   2, 2},
    };

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&z);
    make_nested(&z);
    inspected_run(&t, buf_view(&z.out), "x.zip");
    c = cur_open(buf_view(&t.r.members));
    for (size_t k = 0; k < ARRAY_LEN(want); k++) {
        assert_true(content_member_next(&c, &m));
        assert_true(span_eq(m.name, span_str(want[k].name)));
        assert_int_equal(m.inside, want[k].inside);
        assert_int_equal(m.depth, want[k].depth);
        assert_true(m.has_sha256);
    }
    assert_false(content_member_next(&c, &m));
    assert_true(inspected_names(&t, FIND_FORBIDDEN_MEMBER, "deep.exe"));
    assert_true(inspected_names(&t, FIND_ARCHIVE_NESTED, "inner.zip"));
    zip_make_free(&z);
    inspected_end(&t);
}

/* SHA-256 of "deeper", and of nothing. */
static void
test_hash(void **state)
{
    static const uint8_t empty[4] = {0xe3, 0xb0, 0xc4, 0x42};
    static const uint8_t abc[4] = {0xba, 0x78, 0x16, 0xbf};
    struct inspected t;
    struct zip_make z;
    struct content_member m = {0};

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&z);
    member(&z, "abc", SPAN_LIT("abc"), true);
    member(&z, "empty", span_of("", 0), true);
    zip_make_end(&z, SPAN_NONE);
    inspected_run(&t, buf_view(&z.out), "x.zip");
    assert_true(inspected_member(&t, "abc", &m));
    assert_memory_equal(m.sha256, abc, 4);
    assert_true(inspected_member(&t, "empty", &m));
    assert_memory_equal(m.sha256, empty, 4);
    zip_make_free(&z);
    inspected_end(&t);
}

/* ---- files that are text ---- */

static void
test_encoded(void **state)
{
    static const struct {
        const char *why;
        struct span in;
        const char *name;
        uint64_t size;
        bool odd;
    } rows[] = {
        {"uuencode",           SPAN_INIT("begin 644 cat.exe\r\n#0V%T\r\n`\r\nend\r\n"),
         "cat.exe",                                                                                   3, false},
        {"a name with spaces",
         SPAN_INIT("begin 644 my cat.exe\n#0V%T\n`\nend\n"),                            "my cat.exe", 3,
         false                                                                                                },
        {"without its end",    SPAN_INIT("begin 644 cat.exe\n#0V%T\n"),                 "cat.exe",
         3,                                                                                              true },
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct content_member m = {0};

        inspected_run(&t, rows[k].in, "x.uue");
        if (!inspected_member(&t, rows[k].name, &m) || m.size != rows[k].size ||
            inspected_has(&t, FIND_MALFORMED) != rows[k].odd)
            fail_msg("%s", rows[k].why);
        assert_true(inspected_names(&t, FIND_FORBIDDEN_MEMBER, rows[k].name));
    }
    inspected_end(&t);
}

/* ---- the coded result ---- */

static struct buf
coded(const struct content_result *r)
{
    struct buf b;

    buf_init(&b, 1U << 20);
    content_result_code(r, &b);
    assert_false(b.cut || b.failed);
    return b;
}

static void
assert_is_empty(const struct content_result *r)
{
    assert_false(findings_any(&r->findings));
    assert_int_equal(r->members.n + r->urls.text.n + r->n_members, 0);
    assert_int_equal(r->type, FILETYPE_UNKNOWN);
}

static void
test_coded(void **state)
{
    struct inspected t;
    struct zip_make z;
    struct content_result again;
    struct buf a;
    struct buf b;

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&z);
    make_nested(&z);
    inspected_run(&t, buf_view(&z.out), "x.zip");
    url_set_add(&t.r.urls, SPAN_LIT("https://example.net/"));
    a = coded(&t.r);
    content_result_init(&again);
    assert_true(content_result_read(buf_view(&a), &again));
    b = coded(&again);
    assert_true(span_eq(buf_view(&a), buf_view(&b)));
    assert_int_equal(again.type, FILETYPE_ZIP);
    assert_int_equal(again.n_members, 7);
    for (size_t cut = 0; cut < a.n; cut++) {
        assert_false(content_result_read(span_head(buf_view(&a), cut), &again));
        assert_is_empty(&again);
    }
    buf_putc(&a, 0);
    assert_false(content_result_read(buf_view(&a), &again));
    assert_is_empty(&again);
    buf_free(&a);
    buf_free(&b);
    content_result_free(&again);
    zip_make_free(&z);
    inspected_end(&t);
}

/* Whatever byte is changed: refused, or again something that holds together
 * and codes to the same bytes. */
static void
test_coded_flips(void **state)
{
    struct inspected t;
    struct zip_make z;
    struct content_result again;
    struct buf a;

    (void)state;
    inspected_begin(&t);
    zip_make_begin(&z);
    make_nested(&z);
    inspected_run(&t, buf_view(&z.out), "x.zip");
    url_set_add(&t.r.urls, SPAN_LIT("https://example.net/"));
    a = coded(&t.r);
    content_result_init(&again);
    for (size_t at = 0; at < a.n; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            a.p[at] ^= (uint8_t)(1U << bit);
            if (content_result_read(buf_view(&a), &again)) {
                struct buf b = coded(&again);

                assert_true(span_eq(buf_view(&a), buf_view(&b)));
                buf_free(&b);
            } else {
                assert_is_empty(&again);
            }
            a.p[at] ^= (uint8_t)(1U << bit);
        }
    }
    buf_free(&a);
    content_result_free(&again);
    zip_make_free(&z);
    inspected_end(&t);
}

/* Only CONTENT_MEMBERS_KEPT members are listed, and their long names are cut.
 */
static void
test_many_listed(void **state)
{
    static const unsigned counts[] = {CONTENT_MEMBERS_KEPT - 1,
                                      CONTENT_MEMBERS_KEPT,
                                      CONTENT_MEMBERS_KEPT + 1};
    char name[2 * CONTENT_NAME_MAX];
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = 0;
    for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
        struct zip_make z;
        struct cursor c;
        struct content_member m;
        unsigned listed = 0;

        zip_make_begin(&z);
        for (unsigned n = 0; n < counts[k]; n++)
            member(&z, name, SPAN_LIT("x"), false);
        zip_make_end(&z, SPAN_NONE);
        inspected_run(&t, buf_view(&z.out), "x.zip");
        c = cur_open(buf_view(&t.r.members));
        while (content_member_next(&c, &m)) {
            assert_int_equal(m.name.n, CONTENT_NAME_MAX);
            listed++;
        }
        assert_int_equal(t.r.n_members, counts[k]);
        assert_int_equal(listed, counts[k] < CONTENT_MEMBERS_KEPT
                                     ? counts[k]
                                     : CONTENT_MEMBERS_KEPT);
        zip_make_free(&z);
    }
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_at_start),
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_encoded),
        cmocka_unit_test(test_coded),
        cmocka_unit_test(test_coded_flips),
        cmocka_unit_test(test_many_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
