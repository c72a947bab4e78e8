#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissectors/content/office_test.h"
#include "dissectors/content/ole2_make.h"

/* CLSIDs as stored */
#define EQUATION  "\x02\xce\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"
#define OLE_LINK  "\0\3\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"
#define INSTALLER "\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"

/* ---- the files ---- */

static void
make_empty(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "WordDocument", SPAN_LIT("\xec\xa5\xc1\0"));
}

static void
project(struct ole2_make *m, const char *source, size_t cache,
        const char *identifiers)
{
    const struct vba_make_module module = {"Module1", source, cache};

    vba_make_project(m, ole2_make_storage(m, 0, "Macros", NULL), &module, 1,
                     identifiers);
}

#define HEAD "Attribute VB_Name = \"Module1\"\r\n"

static void
make_no_code(struct ole2_make *m)
{
    project(m, HEAD, 900, "Document Module1 AutoOpen");
}

static void
make_macro(struct ole2_make *m)
{
    project(m, HEAD "Sub A()\r\nMsgBox 1\r\nEnd Sub\r\n", 900, "A");
}

static void
make_autoexec(struct ole2_make *m)
{
    project(m, HEAD "Sub AutoOpen()\r\nShell \"x\"\r\nEnd Sub\r\n", 900, "A");
}

static void
make_two_modules(struct ole2_make *m)
{
    static const struct vba_make_module modules[] = {
        {"ThisDocument", HEAD "Sub Document_Open()\r\nA\r\nEnd Sub",       400},
        {"Module1",      HEAD "Sub A()\r\nCreateObject(\"x\")\r\nEnd Sub", 400},
    };

    vba_make_project(m, 0, modules, 2, "");
}

/* Sources that only the list of modules leads to, one between two that fill the
 * room, in whatever order they are read. */
static void
make_listed_modules(struct ole2_make *m)
{
    static char first[5000];
    struct vba_make_module modules[] = {
        {"A", first,                       400},
        {"B", "Sub AutoOpen()\r\nShell 1", 700},
        {"C", "Sub C()",                   100},
    };

    memset(first, '\'', sizeof(first) - 1);
    vba_make_project(m, 0, modules, ARRAY_LEN(modules), "");
}

static void
make_stomped(struct ole2_make *m)
{
    project(m, NULL, 5000, "AutoOpen Shell");
}

static void
make_stomped_attributes(struct ole2_make *m)
{
    project(m, HEAD, 5000, "AutoOpen\1Shell\1");
}

/* The dir stream is gone: the source is searched. */
static void
make_no_dir(struct ole2_make *m)
{
    make_autoexec(m);
    m->entry[3].name[0] = 'x';
}

static void
make_encrypted(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "EncryptionInfo", SPAN_LIT("\4\0\4\0"));
    ole2_make_stream(m, 0, "EncryptedPackage", SPAN_LIT("\1\2\3"));
}

static void
make_encrypted_word(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "WordDocument",
                     SPAN_LIT("\xec\xa5\xc1\0\0\0\0\0\0\0\0\1"));
}

static void
make_encrypted_slides(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "Current User",
                     SPAN_LIT("\0\0\xf6\x0f\x14\0\0\0\x14\0\0\0"
                              "\xdf\xc4\xd1\xf3"));
}

static void
make_dde(struct ole2_make *m)
{
    ole2_make_stream(
        m, 0, "WordDocument",
        SPAN_LIT("\xec\xa5 text \x13 DDEAUTO c:\\a.exe \x14 \x15"));
}

static void
make_dde_wide(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "WordDocument",
                     SPAN_LIT("\xec\xa5\x13\0 \0d\0D\0E\0 \0x\0\x15\0"));
}

static void
make_hyperlink(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "WordDocument",
                     SPAN_LIT("\xec\xa5\x13 HYPERLINK \"http://a/\" \x14 DDE "
                              "\x15"));
}

#define BOF8 "\x09\x08\x10\0\0\6\5\0\0\0\0\0\0\0\0\0\0\0\0\0"

static void
workbook(struct ole2_make *m, struct span records)
{
    struct buf b;

    buf_init(&b, 65536);
    buf_put(&b, BOF8, 20);
    buf_span(&b, records);
    buf_put(&b, "\x0a\0\0\0", 4);
    ole2_make_stream(m, 0, "Workbook", buf_view(&b));
    buf_free(&b);
}

static void
make_sheet(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\x85\0\x0a\0\0\0\0\0\0\0\2\0S1"));
}

static void
make_xlm(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\x85\0\x0a\0\0\0\0\0\0\1\2\0M1"));
}

static void
make_xlm_hidden(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\x85\0\x0a\0\0\0\0\0\2\1\2\0M1"));
}

static void
make_book_dde(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\xae\1\x0c\0\0\0\7\0\0cmd\3/ c"));
}

static void
make_book_ole(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\xae\1\x0c\0\0\0\7\0\0cmd\3/ c"
                         "\x23\0\2\0\x10\0"));
}

/* XOR obfuscation: the verifier of VelvetSweatshop, of another password */
static void
make_default_password(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\x2f\0\6\0\0\0\x59\xb3\x0a\x9a"));
}

static void
make_password(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\x2f\0\6\0\0\0\x59\xb3\x0a\x9b"));
}

/* What follows is noise that may look like anything. */
static void
make_sheet_behind_password(struct ole2_make *m)
{
    workbook(m, SPAN_LIT("\x2f\0\6\0\0\0\x59\xb3\x0a\x9b"
                         "\x85\0\x0a\0\0\0\0\0\2\1\2\0M1"
                         "\xae\1\x0c\0\0\0\7\0\0cmd\3/ c"));
}

static void
package(struct ole2_make *m, struct span stream)
{
    ole2_make_stream(m, ole2_make_storage(m, 0, "ObjectPool", NULL),
                     "\1Ole10Native", stream);
}

static void
make_package(struct ole2_make *m)
{
    package(m, SPAN_LIT("\x30\0\0\0\2\0a.txt\0C:\\a.txt\0\0\0\3\0"
                        "\4\0\0\0T:\\\0\5\0\0\0hello"));
}

static void
make_package_exe(struct ole2_make *m)
{
    package(m, SPAN_LIT("\x30\0\0\0\2\0a.exe\0C:\\a.txt\0\0\0\3\0"
                        "\4\0\0\0T:\\\0\5\0\0\0hello"));
}

static void
make_package_link(struct ole2_make *m)
{
    package(m, SPAN_LIT("\x30\0\0\0\2\0a\0\\\\host\\a.txt\0\0\0\1\0"
                        "\4\0\0\0T:\\\0\5\0\0\0hello"));
}

static void
make_equation(struct ole2_make *m)
{
    ole2_make_stream(m, ole2_make_storage(m, 0, "_1", EQUATION),
                     "Equation Native",
                     SPAN_LIT("\x1c\0\0\0\2\0 12345678901234567890x"
                              "\3\1\1\3\x0a\x0a\1\x08\x5a\x5aTimes New Roman"
                              "\0...................................."));
}

static void
make_exploit(struct ole2_make *m)
{
    ole2_make_stream(m, ole2_make_storage(m, 0, "_1", EQUATION),
                     "Equation Native",
                     SPAN_LIT("\x1c\0\0\0\2\0 12345678901234567890x"
                              "\3\1\1\3\x0a\x0a\1\x08\x5a\x5a"
                              "cmd /c calc.exe AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                              "AAAAAAAA"));
}

static void
make_link(struct ole2_make *m)
{
    ole2_make_stream(m, ole2_make_storage(m, 0, "_1", OLE_LINK), "\1Ole",
                     SPAN_LIT("\1\0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                              "\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\0\xaa"
                              "\0\x4b\xa9\x0b\x12\0\0\0h\0t\0t\0p\0:\0/\0/\0"
                              "a\0\0"));
}

static void
make_not_linked(struct ole2_make *m)
{
    ole2_make_stream(m, ole2_make_storage(m, 0, "_1", NULL), "\1Ole",
                     SPAN_LIT("\1\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
}

static void
make_installer(struct ole2_make *m)
{
    ole2_make_root(m, INSTALLER);
    ole2_make_stream(m, 0, "x", SPAN_LIT("x"));
}

/* ---- messages ---- */

static void
attachment(struct ole2_make *m, const char *name, size_t n, struct span data)
{
    uint32_t at =
        ole2_make_storage(m, 0, "__attach_version1.0_#00000000", NULL);

    ole2_make_stream(m, at, "__substg1.0_3707001F", span_of(name, n));
    ole2_make_stream(m, at, "__substg1.0_37010102", data);
}

static void
make_msg(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "__properties_version1.0", SPAN_LIT("x"));
    attachment(m, "a\0.\0t\0x\0t", 10, SPAN_LIT("hello"));
}

static void
make_msg_exe(struct ole2_make *m)
{
    ole2_make_stream(m, 0, "__properties_version1.0", SPAN_LIT("x"));
    attachment(m, "a\0.\0e\0x\0e", 10, SPAN_LIT("hello"));
}

static void
reminder(struct ole2_make *m, struct span value)
{
    uint32_t names = ole2_make_storage(m, 0, "__nameid_version1.0", NULL);

    ole2_make_stream(m, 0, "__properties_version1.0", SPAN_LIT("x"));
    ole2_make_stream(m, names, "__substg1.0_00020102",
                     SPAN_LIT("0123456789abcdef"
                              "\x08\x20\x06\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"));
    ole2_make_stream(m, names, "__substg1.0_00030102",
                     SPAN_LIT("\x1f\x85\0\0\x06\0\0\0"
                              "\x1f\x85\0\0\x08\0\5\0"));
    ole2_make_stream(m, 0, "__substg1.0_8005001F", value);
}

static void
make_reminder(struct ole2_make *m)
{
    reminder(m, SPAN_LIT("\\\0\\\0h\0o\0s\0t\0\\\0a\0"));
}

static void
make_reminder_local(struct ole2_make *m)
{
    reminder(m, SPAN_LIT("C\0:\0\\\0a\0.\0w\0a\0v\0"));
}

static const struct {
    const char *why;
    void (*make)(struct ole2_make *m);
    const char *findings;
} rows[] = {
    {"an empty document",                     make_empty,                 ""                      },
    {"modules without code",                  make_no_code,               ""                      },
    {"a macro",                               make_macro,                 "vba_macro"             },
    {"starts by itself and starts a program", make_autoexec,
     "vba_macro vba_autoexec_suspicious"                                                          },
    {"both in two modules",                   make_two_modules,
     "vba_macro vba_autoexec_suspicious"                                                          },
    {"modules found by the list",             make_listed_modules,
     "vba_macro vba_autoexec_suspicious"                                                          },
    {"no source",                             make_stomped,
     "vba_macro vba_autoexec_suspicious vba_stomped"                                              },
    {"no source but attributes",              make_stomped_attributes,
     "vba_macro vba_autoexec_suspicious vba_stomped"                                              },
    {"modules are not listed",                make_no_dir,
     "vba_macro vba_autoexec_suspicious"                                                          },
    {"an encrypted package",                  make_encrypted,             "encrypted_document"    },
    {"an encrypted text",                     make_encrypted_word,        "encrypted_document"    },
    {"an encrypted presentation",             make_encrypted_slides,      "encrypted_document"    },
    {"DDE",                                   make_dde,                   "dde"                   },
    {"DDE in two bytes a character",          make_dde_wide,              "dde"                   },
    {"another field",                         make_hyperlink,             ""                      },
    {"a sheet",                               make_sheet,                 ""                      },
    {"a macro sheet",                         make_xlm,                   "xlm_macro"             },
    {"a hidden macro sheet",                  make_xlm_hidden,            "xlm_macro xlm_hidden"  },
    {"a DDE link",                            make_book_dde,              "dde"                   },
    {"an OLE link",                           make_book_ole,              "ole_link"              },
    {"the default password",                  make_default_password,
     "encrypted_document default_password"                                                        },
    {"a macro sheet behind a password",       make_sheet_behind_password,
     "encrypted_document"                                                                         },
    {"a password",                            make_password,              "encrypted_document"    },
    {"a packed text",                         make_package,               "embedded_file"         },
    {"a packed program",                      make_package_exe,
     "forbidden_member embedded_file embedded_executable"                                         },
    {"a linked file on a share",              make_package_link,          "ole_link remote_object"},
    {"an equation",                           make_equation,              "equation_object"       },
    {"an equation that overflows",            make_exploit,
     "equation_object equation_exploit"                                                           },
    {"a link to the web",                     make_link,                  "ole_link remote_object"},
    {"an object that is no link",             make_not_linked,            ""                      },
    {"an installer",                          make_installer,             "forbidden_content"     },
    {"a message with a text",                 make_msg,                   ""                      },
    {"a message with a program",              make_msg_exe,               "forbidden_member"      },
    {"a reminder on a share",                 make_reminder,              "reminder_unc"          },
    {"a reminder on the disk",                make_reminder_local,        ""                      },
};

static void
test_rows(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct ole2_make m;

        ole2_make_begin(&m, 512);
        rows[k].make(&m);
        ole2_make_end(&m);
        office_check(&t, buf_view(&m.out), "a.bin", rows[k].why,
                     rows[k].findings);
        ole2_make_free(&m);
    }
    inspected_end(&t);
}

/* No crash, and an end. */
static void
test_cuts(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k += 3) {
        struct ole2_make m;

        ole2_make_begin(&m, 512);
        rows[k].make(&m);
        ole2_make_end(&m);
        for (size_t n = 0; n < m.out.n; n += n < 1100 || n % 512 > 500 ? 1 : 7)
            inspected_run(&t, span_head(buf_view(&m.out), n), "a.bin");
        ole2_make_free(&m);
    }
    inspected_end(&t);
}

static void
test_members(void **state)
{
    struct inspected t;
    struct ole2_make m;
    struct content_member member = {0};

    (void)state;
    inspected_begin(&t);
    ole2_make_begin(&m, 512);
    make_package(&m);
    make_msg(&m);
    ole2_make_end(&m);
    inspected_run(&t, buf_view(&m.out), "a.bin");
    assert_int_equal(t.r.n_members, 2);
    assert_true(inspected_member(&t, "a.txt", &member));
    assert_int_equal(member.size, 5);
    assert_true(member.has_sha256);
    assert_true(inspected_names(&t, FIND_EMBEDDED_FILE, "a.txt"));
    ole2_make_free(&m);
    inspected_end(&t);
}

/* A workbook's stream without its file */
static void
test_bare(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    inspected_run(&t, SPAN_LIT("\x09\0\4\0\2\0\x40\0\x0a\0\0\0"), "a.xls");
    assert_true(inspected_has(&t, FIND_XLM_MACRO));
    inspected_run(&t, SPAN_LIT("\x09\0\4\0\2\0\x10\0\x0a\0\0\0"), "a.xls");
    assert_false(inspected_has(&t, FIND_XLM_MACRO));
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_bare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
