#include "dissectors/content/vba.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dissectors/content/ole2_make.h"

/* ---- containers ---- */

#define BYTES(s) SPAN_INIT(s)

static void
test_unpack(void **state)
{
    /* the first three: [MS-OVBA] 3.2 */
    static const struct {
        const char *why;
        struct span in;
        const char *want;
        bool whole;
    } rows[] = {
        {"literals only",                BYTES("\1\x19\xb0\0abcdefgh\0ijklmnop\0qrstuv."),
         "abcdefghijklmnopqrstuv.",                                                               true },
        {"copies",
         BYTES("\1\x2f\xb0\0#aaabcde\x82"
               "f\0paghij\1\x38\x08"
               "akl\0000mnop\6q\2p\4\x10rstuv\x10wxyz\0\x3c"),
         "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa",                              true },
        {"one byte again and again",     BYTES("\1\3\xb0\2a\x45\0"),
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaa",                                                                                  true },
        {"a chunk that is not packed",   BYTES("\1\2\x30xyz"),                             "xyz", true },
        {"two chunks",                   BYTES("\1\1\xb0\0a\1\xb0\0b"),                    "ab",  true },
        {"no signature",                 BYTES("\2\1\xb0\0a"),                             "",    false},
        {"no chunk's signature",         BYTES("\1\1\x80\0a"),                             "",    false},
        {"a copy from before the chunk", BYTES("\1\2\xb0\1\0\0"),                          "",    false},
        {"half a token",                 BYTES("\1\2\xb0\2a\0"),                           "a",   false},
        {"a chunk that is cut",          BYTES("\1\x19\xb0\0abc"),                         "abc", false},
        {"empty",                        BYTES(""),                                        "",    false},
        {"only a signature",             BYTES("\1"),                                      "",    true },
    };
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        bool whole;

        buf_reset(&out);
        whole = vba_unpack(rows[k].in, &out);
        if (whole != rows[k].whole ||
            !span_eq(buf_view(&out), span_str(rows[k].want)))
            fail_msg("%s: %d, %.*s", rows[k].why, whole, (int)out.n,
                     (const char *)out.p);
    }
    buf_free(&out);
}

/* Packed bombs end at the maximum of the buffer. */
static void
test_bomb(void **state)
{
    struct buf in;
    struct buf out;

    (void)state;
    buf_init(&in, 1U << 20);
    buf_putc(&in, 1);
    for (unsigned k = 0; k < 1000; k++)
        buf_put(&in, "\3\xb0\2a\xfc\x0f", 6);
    for (size_t max = 0; max < 9000; max += 4093) {
        buf_init(&out, max);
        assert_false(vba_unpack(buf_view(&in), &out));
        assert_true(out.n <= max);
        buf_free(&out);
    }
    buf_free(&in);
}

static void
test_any_cut(void **state)
{
    struct buf in;
    struct buf whole;
    struct buf out;

    (void)state;
    buf_init(&in, 65536);
    buf_init(&whole, 65536);
    buf_init(&out, 65536);
    for (unsigned k = 0; k < 5000; k++)
        buf_putc(&whole, (uint8_t)(' ' + k % 90));
    vba_make_pack(buf_view(&whole), &in);
    for (size_t n = 0; n <= in.n; n++) {
        buf_reset(&out);
        if (vba_unpack(span_head(buf_view(&in), n), &out) && n == in.n)
            assert_int_equal(out.n, whole.n);
        assert_true(span_starts(buf_view(&whole), buf_view(&out)));
    }
    buf_free(&in);
    buf_free(&whole);
    buf_free(&out);
}

/* ---- sources ---- */

static void
test_source(void **state)
{
    static const struct {
        const char *why, *source, *autoexec, *suspicious;
        bool code;
    } rows[] = {
        {"only attributes",           "Attribute VB_Name = \"M\"\r\n\r\n",        "",              "",      false},
        {"options are no code",       "Option Explicit\r\n",                      "",              "",      false},
        {"code",                      "Attribute VB_Name = \"M\"\r\nSub A()\r\n", "",              "",      true },
        {"starts by itself",          "Sub AutoOpen()",                           "AutoOpen",      "",      true },
        {"any case",                  "private sub WORKBOOK_open()\n",            "WORKBOOK_open", "",
         true                                                                                                    },
        {"a call of it is no start",  "Call AutoOpen",                            "",              "",      true },
        {"a longer name is another",  "Sub AutoOpened()",                         "",              "",      true },
        {"a program",                 "x = Shell(\"a\")",                         "",              "Shell", true },
        {"in an object's name",       "CreateObject(\"WScript.Shell\")",          "",
         "CreateObject",                                                                                    true },
        {"part of a word is another", "ShellSort a",                              "",              "",      true },
        {"an event of a control",     "Sub Image1_MouseHover()",
         "Image1_MouseHover",                                                                      "",      true },
        {"both",                      "Sub Document_Open()\nGetObject(\"x\")",    "Document_Open",
         "GetObject",                                                                                       true },
        {"empty",                     "",                                         "",              "",      false},
    };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct vba_said said = {0};

        vba_read_source(span_str(rows[k].source), &said);
        if (!span_eq(said.autoexec, span_str(rows[k].autoexec)) ||
            !span_eq(said.suspicious, span_str(rows[k].suspicious)) ||
            said.code != rows[k].code)
            fail_msg("%s: %.*s, %.*s, %d", rows[k].why, (int)said.autoexec.n,
                     (const char *)said.autoexec.p, (int)said.suspicious.n,
                     (const char *)said.suspicious.p, said.code);
    }
}

/* The table of words is searched by halves: each must be found. */
static void
test_words(void **state)
{
    static const char *const words[] = {
        "auto_close",
        "autonew",
        "bitsadmin",
        "createobject",
        "xmlhttp",
        "wscript",
        "shell",
        "workbook_open",
        "document_open",
        "virtualalloc",
        "powershell",
        "urldownloadtofilea",
        "documentopen",
        "newdocument",
        "mshta",
        "winexec",
        "workbook_deactivate",
        "rtlmovememory",
        "autoclose",
        "certutil",
    };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(words); k++) {
        struct vba_said said = {0};

        vba_read_names(span_str(words[k]), &said);
        if (said.autoexec.n + said.suspicious.n != strlen(words[k]))
            fail_msg("%s is not known", words[k]);
    }
}

static void
test_find_source(void **state)
{
    struct buf b;
    struct buf out;

    (void)state;
    buf_init(&b, 4096);
    buf_init(&out, 4096);
    buf_str(&b, "p-code \1 and more\1\1\1");
    assert_int_equal(vba_find_source(buf_view(&b)), b.n);
    vba_make_pack(SPAN_LIT("Attribute VB_Name"), &b);
    assert_int_equal(vba_find_source(buf_view(&b)), 20);
    assert_true(vba_unpack(span_tail(buf_view(&b), 20), &out));
    buf_free(&b);
    buf_free(&out);
}

/* ---- dir ---- */

static void
test_dir(void **state)
{
    static const struct span dir =
        SPAN_INIT("\x01\0\4\0\0\0\1\0\0\0"
                  "\x09\0\4\0\0\0\1\0\0\0\0\0"
                  "\x19\0\1\0\0\0A\x1a\0\1\0\0\0A\x32\0\2\0\0\0A\0"
                  "\x31\0\4\0\0\0\5\1\0\0\x2b\0\0\0\0\0"
                  "\x19\0\1\0\0\0B\x1a\0\1\0\0\0B\x31\0\4\0\0\0\7\0\0\0"
                  "\x2b\0\0\0\0\0\x10\0\0\0\0\0");
    struct vba_modules *m = malloc(sizeof(*m));

    (void)state;
    assert_non_null(m);
    vba_modules_read(dir, m);
    assert_int_equal(m->n, 2);
    assert_true(span_eq(m->m[0].stream, SPAN_LIT("A")));
    assert_int_equal(m->m[0].offset, 0x105);
    assert_true(span_eq(m->m[1].stream, SPAN_LIT("B")));
    assert_int_equal(m->m[1].offset, 7);
    assert_false(m->more);
    for (size_t n = 0; n < dir.n; n++) {
        vba_modules_read(span_head(dir, n), m);
        assert_true(m->n <= 2);
    }
    free(m);
}

static void
test_dir_limit(void **state)
{
    struct vba_modules *m = malloc(sizeof(*m));
    struct buf dir;

    (void)state;
    assert_non_null(m);
    buf_init(&dir, 1U << 20);
    for (size_t k = 1; k <= VBA_MODULES_MAX + 1; k++) {
        buf_put(&dir, "\x1a\0\1\0\0\0A\x2b\0\0\0\0\0", 13);
        vba_modules_read(buf_view(&dir), m);
        assert_int_equal(m->n, k < VBA_MODULES_MAX ? k : VBA_MODULES_MAX);
        assert_int_equal(m->more, k > VBA_MODULES_MAX);
    }
    buf_free(&dir);
    free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpack),  cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_any_cut), cmocka_unit_test(test_source),
        cmocka_unit_test(test_words),   cmocka_unit_test(test_find_source),
        cmocka_unit_test(test_dir),     cmocka_unit_test(test_dir_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
