#include "dissectors/extension.h"
#include "sensor/base/attr.h"
#include "sensor/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BIT(id) (UINT64_C(1) << FIND_##id)
#define S10     "          "
#define S40     S10 S10 S10 S10
#define RLO     "\xe2\x80\xae"

static uint64_t
bits(const struct findings *s)
{
    for (size_t i = 1; i < ARRAY_LEN(s->set); i++)
        assert_int_equal(s->set[i], 0);
    return s->set[0];
}

static const struct {
    const char *name, *want;
} extensions[] = {
    {"",                 ""       },
    {"a",                ""       },
    {"a.txt",            "txt"    },
    {"a.tar.gz",         "gz"     },
    {".profile",         "profile"},
    {"a.",               ""       },
    {"a.exe.",           "exe"    },
    {"a.exe . . ",       "exe"    },
    {"a.exe\t\r\n",      "exe"    },
    {"dir.d/a",          ""       },
    {"C:\\dir.d\\a.exe", "exe"    },
    {"a.exe/",           ""       },
    {"...",              ""       },
    {"   ",              ""       },
};

static void
test_extension(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
        struct span got = filename_extension(span_str(extensions[i].name));

        if (!span_eq(got, span_str(extensions[i].want)))
            fail_msg("'%s': %.*s", extensions[i].name, (int)got.n,
                     (const char *)got.p);
    }
}

static void
test_table(void **unused)
{
    const struct extension *e;
    size_t n = 0;

    (void)unused;
    for (; (e = extension_row(n)) != NULL; n++) {
        assert_ptr_equal(extension_find(e->name), e);
        assert_int_equal(e->risk == EXTENSION_PLAIN, e->lists == 0);
        if ((e->lists & (EXTENSION_GMAIL | EXTENSION_OUTLOOK)) != 0)
            assert_int_equal(e->risk, EXTENSION_FORBIDDEN);
    }
    assert_true(n > 400);
    assert_int_equal(filename_risk(SPAN_LIT("EXE")), EXTENSION_FORBIDDEN);
    assert_int_equal(filename_risk(SPAN_LIT("Library-MS")),
                     EXTENSION_FORBIDDEN);
    assert_int_equal(filename_risk(SPAN_LIT("svg")), EXTENSION_RISKY);
    assert_int_equal(filename_risk(SPAN_LIT("r42")), EXTENSION_RISKY);
    assert_int_equal(filename_risk(SPAN_LIT("pdf")), EXTENSION_PLAIN);
    assert_int_equal(filename_risk(SPAN_LIT("")), EXTENSION_PLAIN);
    assert_int_equal(
        filename_risk(SPAN_LIT("exeexeexeexeexeexeexeexeexeexeexeexe")),
        EXTENSION_PLAIN);
}

static const struct {
    const char *why, *name;
    uint64_t want;
} names[] = {
  /* clang-format off */
    /* made to mislead: NOLINTBEGIN(misc-misleading-bidirectional) */
    {"no name", "", 0},
    {"document", "Bericht 2024.pdf", 0},
    {"Office", "R\xc3\xa9sum\xc3\xa9.docx", 0},
    {"picture", "IMG_0001.JPG", 0},
    {"archive of two", "src.tar.gz", 0},
    {"dots within", "v1.2.3 final.pdf", 0},
    {"Chinese", "\xe6\x8a\xa5\xe5\x91\x8a.xlsx", 0},
    {"no extension", "README", 0},
    {"40 spaces", "a" S40 "b.pdf", 0},

    {"program", "setup.EXE", BIT(FORBIDDEN_TYPE)},
    {"on Gmail's list only", "disk.iso", BIT(FORBIDDEN_TYPE)},
    {"on Outlook's list only", "x.py", BIT(FORBIDDEN_TYPE)},
    {"in a folder", "a/b\\setup.exe", BIT(FORBIDDEN_TYPE)},
    {"page", "offer.html", BIT(RISKY_TYPE)},
    {"notes", "a.one", BIT(RISKY_TYPE)},
    {"program behind a document", "bill.pdf.exe", BIT(FORBIDDEN_TYPE) | BIT(DOUBLE_EXTENSION)},
    {"program behind spaces", "bill.pdf   .scr", BIT(FORBIDDEN_TYPE) | BIT(DOUBLE_EXTENSION)},
    {"script behind a page", "a.html.js", BIT(FORBIDDEN_TYPE) | BIT(DOUBLE_EXTENSION)},
    {"version before the extension", "setup-1.2.exe", BIT(FORBIDDEN_TYPE)},
    {"program behind a program", "a.exe.exe", BIT(FORBIDDEN_TYPE)},
    {"right-to-left override", "bill" RLO "fdp.exe", BIT(FORBIDDEN_TYPE) | BIT(NAME_BIDI)},
    {"isolate", "a\xe2\x81\xa9.pdf", BIT(NAME_BIDI)},
    {"first and last of the marks", "\xe2\x80\xaa\xe2\x81\xa6.pdf", BIT(NAME_BIDI)},
    {"mark that is none", "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5.pdf", 0},
    {"half a mark", "a.pdf\xe2\x80", 0},
    {"control", "a\x01.pdf", BIT(NAME_CONTROL)},
    {"tab of a folded line", "a\tb.pdf", 0},
    {"41 spaces", "bill.pdf" S40 " .exe", BIT(FORBIDDEN_TYPE) | BIT(DOUBLE_EXTENSION) | BIT(NAME_SPACES)},
    {"41 spaces of all kinds", "a" S10 S10 S10 "         \xc2\xa0\xe3\x80\x80.pdf", BIT(NAME_SPACES)},
    {"trailing dot", "a.exe.", BIT(FORBIDDEN_TYPE) | BIT(NAME_TRAILING)},
    {"trailing space", "a.pdf ", BIT(NAME_TRAILING)},
    {"41 spaces at the end", "a.pdf" S40 " ", BIT(NAME_TRAILING)},
    {"only dots", "...", 0},
    /* NOLINTEND(misc-misleading-bidirectional) */
  /* clang-format on */
};

static void
test_names(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct findings f;

        findings_init(&f);
        filename_judge(span_str(names[i].name), &f);
        if (bits(&f) != names[i].want)
            fail_msg("%s: %llx", names[i].why, (unsigned long long)bits(&f));
        findings_free(&f);
    }
}

/* A NUL ends the name for some programs. */
static void
test_nul(void **unused)
{
    struct findings f;

    (void)unused;
    findings_init(&f);
    filename_judge(SPAN_LIT("a.exe\0.pdf"), &f);
    assert_int_equal(bits(&f), BIT(FORBIDDEN_TYPE) | BIT(NAME_CONTROL));
    findings_reset(&f);
    filename_judge(SPAN_LIT("a.pdf\0.exe"), &f);
    assert_true(findings_has(&f, FIND_FORBIDDEN_TYPE));
    findings_free(&f);
}

static const struct {
    const char *why, *name, *declared;
    enum filetype real;
    uint64_t want;
} types[] = {
  /* clang-format off */
    /* what ordinary mail has */
    {"document", "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", FILETYPE_OOXML, 0},
    {"document seen as ZIP", "a.docx", "application/msword", FILETYPE_ZIP, 0},
    {"encrypted document", "a.xlsx", "", FILETYPE_OLE2, 0},
    {"old name, new format", "a.doc", "application/msword", FILETYPE_OOXML, 0},
    {"table that is text", "a.xls", "application/vnd.ms-excel", FILETYPE_TEXT, 0},
    {"CSV that Windows calls Excel", "a.csv", "application/vnd.ms-excel", FILETYPE_TEXT, 0},
    {"log", "a.log", "text/plain", FILETYPE_TEXT, 0},
    {"log that has a script", "a.log", "text/plain", FILETYPE_SHEBANG, 0},
    {"says nothing", "a.pdf", "application/octet-stream", FILETYPE_PDF, 0},
    {"picture by another name", "a.jpg", "image/jpg", FILETYPE_PNG, 0},
    {"ZIP as Windows says it", "a.zip", "application/x-zip-compressed", FILETYPE_ZIP, 0},
    {"mail", "a.eml", "message/rfc822", FILETYPE_EML, 0},
    {"mail that is text", "", "message/rfc822", FILETYPE_TEXT, 0},
    {"signature", "smime.p7s", "application/pkcs7-signature", FILETYPE_PKCS7, 0},
    {"signature of PGP", "signature.asc", "application/pgp-signature", FILETYPE_PGP, 0},
    {"calendar", "invite.ics", "application/ics", FILETYPE_ICS, 0},
    {"tar in gzip", "a.tar.gz", "application/x-gzip", FILETYPE_GZIP, 0},
    {"not known", "a.xyz", "application/x-xyz", FILETYPE_UNKNOWN, 0},
    {"not told", "a.pdf", "application/pdf", FILETYPE_UNKNOWN, 0},
    {"empty", "a.pdf", "application/pdf", FILETYPE_EMPTY, 0},
    {"film", "a.mov", "video/quicktime", FILETYPE_MP4, 0},
    {"pages", "a.htm", "text/html", FILETYPE_HTML, 0},
    {"winmail", "winmail.dat", "application/ms-tnef", FILETYPE_TNEF, 0},

    /* what it should not have */
    {"program", "a.exe", "application/x-msdownload", FILETYPE_PE, BIT(FORBIDDEN_CONTENT)},
    {"program by content", "a.bin", "application/octet-stream", FILETYPE_ELF, BIT(FORBIDDEN_CONTENT)},
    {"program as a document", "a.pdf", "", FILETYPE_PE, BIT(FORBIDDEN_CONTENT) | BIT(DISGUISED_EXECUTABLE)},
    {"program as a declared document", "a", "application/pdf", FILETYPE_PE, BIT(FORBIDDEN_CONTENT) | BIT(DISGUISED_EXECUTABLE)},
    {"program, its name true, its type not", "a.exe", "image/png", FILETYPE_PE, BIT(FORBIDDEN_CONTENT) | BIT(DISGUISED_EXECUTABLE)},
    {"shortcut as a text", "a.txt", "text/plain", FILETYPE_LNK, BIT(FORBIDDEN_CONTENT) | BIT(DISGUISED_EXECUTABLE)},
    {"HTA as a page", "a.html", "text/html", FILETYPE_HTA, BIT(FORBIDDEN_CONTENT) | BIT(DISGUISED_EXECUTABLE)},
    {"Java archive as ZIP", "a.zip", "application/zip", FILETYPE_JAR, BIT(FORBIDDEN_CONTENT) | BIT(DISGUISED_EXECUTABLE)},
    {"archive as another", "a.zip", "application/zip", FILETYPE_RAR, BIT(TYPE_MISMATCH)},
    {"archive as a picture", "a.jpg", "image/jpeg", FILETYPE_ZIP, BIT(TYPE_MISMATCH)},
    {"page as a document", "a.pdf", "application/pdf", FILETYPE_HTML, BIT(TYPE_MISMATCH)},
    {"name and type disagree", "a.pdf", "image/png", FILETYPE_PDF, BIT(TYPE_MISMATCH)},
    {"CD as a document", "a.pdf", "application/pdf", FILETYPE_ISO9660, BIT(TYPE_MISMATCH)},
  /* clang-format on */
};

static void
test_types(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct findings f;

        findings_init(&f);
        filename_judge_type(span_str(types[i].name),
                            span_str(types[i].declared), types[i].real, &f);
        if (bits(&f) != types[i].want)
            fail_msg("%s: %llx", types[i].why, (unsigned long long)bits(&f));
        findings_free(&f);
    }
}

/* What is cut out of a long name is its middle. */
static void
test_shorten(void **unused)
{
    enum { MAX = 600 };
    static const struct {
        const char *why, *unit, *end, *extension;
    } rows[] = {
        {"letters",             "a",                ".exe",              "exe"},
        {"runes of two bytes",  "\xc3\xa4",         ".exe",              "exe"},
        {"runes of four bytes", "\xf0\x9f\x98\x80", ".exe",              "exe"},
        {"no UTF-8 at all",     "\xbf",             ".exe",              "exe"},
        {"no extension",        "a",                "",                  ""   },
        {"blanks behind it",    "a",                ".exe          .  ", "exe"},
    };
    uint8_t room[MAX];
    struct buf name;

    (void)unused;
    buf_init(&name, 4096);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t n = MAX - 20; n <= MAX + 300; n++) {
            struct span got;

            buf_reset(&name);
            while (name.n + strlen(rows[i].unit) + strlen(rows[i].end) <= n)
                buf_str(&name, rows[i].unit);
            buf_str(&name, rows[i].end);
            got = filename_shorten(buf_view(&name), MAX, room);
            if (got.n > MAX ||
                (name.n <= MAX && !span_eq(got, buf_view(&name))) ||
                !span_eq(filename_extension(got),
                         span_str(rows[i].extension)) ||
                (utf8_valid(buf_view(&name)) && !utf8_valid(got)))
                fail_msg("%s: %zu bytes", rows[i].why, n);
        }
    }
    buf_reset(&name);
    buf_str(&name, "a.exe");
    while (name.n < 4000)
        buf_putc(&name, ' ');
    assert_true(span_eq(filename_shorten(buf_view(&name), MAX, room),
                        SPAN_LIT("a.exe        ")));
    buf_free(&name);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extension), cmocka_unit_test(test_table),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_nul),
        cmocka_unit_test(test_types),     cmocka_unit_test(test_shorten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
