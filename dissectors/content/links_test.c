#include "dissectors/content/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "dissectors/content/inspect_test.h"
#include "dissectors/content/lnk.h"
#include "dissectors/content/target.h"

/* ---- targets ---- */

static const struct {
    const char *why;
    const char *in;
    enum target want;
    const char *host;
} targets[] = {
    {"nothing",                "",                                             TARGET_NONE,   ""            },
    {"a local path",           "C:\\Windows\\x.ico",                           TARGET_NONE,   ""            },
    {"a path",                 "/usr/share",                                   TARGET_NONE,   ""            },
    {"UNC",                    "\\\\Evil.example\\x",                          TARGET_UNC,    "evil.example"},
    {"UNC with slashes",       "//evil.example/x",                             TARGET_UNC,    "evil.example"},
    {"WebDAV",                 "\\\\evil.example@SSL@443\\x",                  TARGET_UNC,    "evil.example"},
    {"an address",             "\\\\10.0.0.1\\x",                              TARGET_UNC,    "10.0.0.1"    },
    {"a long form",            "\\\\?\\UNC\\evil\\x",                          TARGET_UNC,    "evil"        },
    {"a long local path",      "\\\\?\\C:\\x",                                 TARGET_NONE,   ""            },
    {"a pipe",                 "\\\\.\\pipe\\x",                               TARGET_NONE,   ""            },
    {"this machine",           "\\\\localhost\\x",                             TARGET_NONE,   ""            },
    {"quotes",                 "\"\\\\evil\\x\"",                              TARGET_UNC,    "evil"        },
    {"file with host",         "file://evil.example/x",                        TARGET_UNC,    "evil.example"},
    {"file with four",         "FILE:////evil.example/x",                      TARGET_UNC,    "evil.example"},
    {"file and backslashes",   "file:\\\\evil\\x",                             TARGET_UNC,    "evil"        },
    {"file of this machine",   "file:///C:/x",                                 TARGET_NONE,   ""            },
    {"a path of this machine", "file:///etc/passwd",                           TARGET_NONE,   ""            },
    {"a drive with two",       "file://C:/x",                                  TARGET_NONE,   ""            },
    {"the web",                "https://u:p@Evil.example:8/",                  TARGET_REMOTE, "evil.example"},
    {"an IPv6 address",        "http://[2001:db8::1]/",                        TARGET_REMOTE, "2001:db8::1" },
    {"an at in the path",      "http://a.example/@b",                          TARGET_REMOTE, "a.example"   },
    {"a program with UNC",     "search-ms:query=x&crumb=location:\\\\evil\\x",
     TARGET_UNC,                                                                              "evil"        },
    {"a program with the web", "ms-word:ofe|u|https://evil.example/x",
     TARGET_REMOTE,                                                                           "evil.example"},
    {"mail",                   "mailto:a@b.example",                           TARGET_NONE,   ""            },
};

static void
test_targets(void **state)
{
    struct buf host;

    (void)state;
    buf_init(&host, 300);
    for (size_t k = 0; k < ARRAY_LEN(targets); k++) {
        const enum target t = target_of(span_str(targets[k].in), &host);

        if (t != targets[k].want ||
            (t != TARGET_NONE &&
             !span_eq(buf_view(&host), span_str(targets[k].host))))
            fail_msg("%s: %d %.*s", targets[k].why, (int)t, (int)host.n,
                     (const char *)host.p);
    }
    buf_free(&host);
}

/* ---- shortcuts ---- */

struct parts {
    const char *local; /* in LinkInfo */
    const char *share;
    const char *name; /* in the item list */
    const char *path;
    const char *folder;
    const char *arguments;
    const char *icon;
    const char *environment; /* block */
    bool narrow;
};

static void
put16(struct buf *b, unsigned v)
{
    buf_putc(b, (uint8_t)v);
    buf_putc(b, (uint8_t)(v >> 8));
}

static void
put32(struct buf *b, uint32_t v)
{
    put16(b, v & 0xffff);
    put16(b, v >> 16);
}

static void
put_string(struct buf *b, const char *s, bool narrow)
{
    if (s == NULL)
        return;
    put16(b, (unsigned)strlen(s));
    for (; *s != '\0'; s++) {
        buf_putc(b, (uint8_t)*s);
        if (!narrow)
            buf_putc(b, 0);
    }
}

static void
put_info(struct buf *b, const struct parts *p)
{
    const uint32_t n_local = (uint32_t)strlen(p->local ? p->local : "") + 1;
    const uint32_t n_share = (uint32_t)strlen(p->share ? p->share : "") + 1;

    if (p->local == NULL && p->share == NULL)
        return;
    put32(b, 28 + n_local + 20 + n_share + 1);
    put32(b, 28);
    put32(b, 3);
    put32(b, 0);
    put32(b, p->local != NULL ? 28 : 0);
    put32(b, p->share != NULL ? 28 + n_local : 0);
    put32(b, 28 + n_local + 20 + n_share);
    buf_put(b, p->local != NULL ? p->local : "", n_local);
    put32(b, 20 + n_share);
    put32(b, 2);
    put32(b, 20);
    put32(b, 0);
    put32(b, 0);
    buf_put(b, p->share != NULL ? p->share : "", n_share);
    buf_putc(b, 0);
}

static void
put_list(struct buf *b, const char *name)
{
    const size_t n = strlen(name);

    put16(b, (unsigned)(n + 14 + 2));
    put16(b, (unsigned)(n + 14));
    buf_put(b, "\x32\0\1\2\3\4\5\6\7\10\11", 11);
    buf_put(b, name, n);
    buf_putc(b, 0);
    put16(b, 0);
}

static void
make_lnk(const struct parts *p, struct buf *b)
{
    uint32_t flags = p->narrow ? 0 : 128;

    flags |= p->name != NULL ? 1 : 0;
    flags |= p->local != NULL || p->share != NULL ? 2 : 0;
    flags |= p->path != NULL ? 8 : 0;
    flags |= p->folder != NULL ? 16 : 0;
    flags |= p->arguments != NULL ? 32 : 0;
    flags |= p->icon != NULL ? 64 : 0;
    buf_reset(b);
    buf_put(b, "\x4c\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 20);
    put32(b, flags);
    while (b->n < 76)
        buf_putc(b, 0);
    if (p->name != NULL)
        put_list(b, p->name);
    put_info(b, p);
    put_string(b, p->path, p->narrow);
    put_string(b, p->folder, p->narrow);
    put_string(b, p->arguments, p->narrow);
    put_string(b, p->icon, p->narrow);
    if (p->environment != NULL) {
        const size_t from = b->n;

        put32(b, 0x314);
        put32(b, 0xa0000001);
        buf_str(b, p->environment);
        while (b->n < from + 0x314)
            buf_putc(b, 0);
    }
    put32(b, 0);
}

static const struct {
    const char *why;
    struct parts in;
    const char *want; /* findings of this inspector */
    const char *detail;
} shortcuts[] = {
    {"a document",                   {.local = "C:\\Users\\a\\report.docx"}, "", NULL                               },
    {"a program with a file",
     {.local = "C:\\Program Files\\Editor\\edit.exe", .arguments = "a.txt"},
     "",                                                                         NULL                               },
    {"PowerShell",
     {.path = "..\\..\\Windows\\System32\\WindowsPowerShell\\v1.0\\"
              "PowerShell.exe",
      .arguments = "-w hidden -e JABh"},
     "lnk_command",                                                              "..\\..\\Windows\\System32\\WindowsPowerShell\\v1.0\\"
     "PowerShell.exe -w hidden -e JABh "                                                         },
    {"arguments behind many blanks",
     {.local = "C:\\a.exe",
      .arguments = "                                            mshta x"},
     "lnk_command",                                                              "C:\\a.exe mshta x "               },
    {"narrow strings",
     {.path = "cmd.exe", .arguments = "/c a", .narrow = true},
     "lnk_command",                                                              "cmd.exe /c a "                    },
    {"by the environment",
     {.environment = "%COMSPEC%"},
     "lnk_command",                                                              "%COMSPEC% "                       },
    {"by the item list only",
     {.name = "rundll32.exe"},
     "lnk_command",                                                              "rundll32.exe "                    },
    {"an address of the web",
     {.local = "C:\\b.exe", .arguments = "https://evil.example/x"},
     "lnk_command",                                                              "C:\\b.exe https://evil.example/x "},
    {"an icon on a server",
     {.icon = "\\\\evil.example\\a\\b.ico"},
     "unc_target",                                                               "evil.example"                     },
    {"an argument on a server",
     {.local = "C:\\b.exe", .arguments = "\\\\evil.example@80\\x\\y.dll,z"},
     "unc_target",                                                               "evil.example"                     },
    {"a target on a server",
     {.share = "\\\\evil.example\\share"},
     "unc_target",                                                               "evil.example"                     },
    {"a folder on a server",
     {.folder = "\\\\evil.example\\share"},
     "unc_target",                                                               "evil.example"                     },
};

static void
list_ours(const struct inspected *t, struct buf *out, enum finding *last)
{
    static const enum finding ours[] = {
        FIND_LNK_COMMAND,   FIND_LINK_COMMAND, FIND_UNC_TARGET,
        FIND_REMOTE_TARGET, FIND_MALFORMED,
    };

    buf_reset(out);
    *last = FINDING_COUNT;
    for (size_t k = 0; k < ARRAY_LEN(ours); k++) {
        if (!inspected_has(t, ours[k]))
            continue;
        if (out->n > 0)
            buf_putc(out, ' ');
        buf_str(out, finding_name(ours[k]));
        *last = ours[k];
    }
}

static void
check(const struct inspected *t, const char *why, const char *want,
      const char *detail)
{
    struct buf got;
    enum finding last;

    buf_init(&got, 4096);
    list_ours(t, &got, &last);
    if (!span_eq(buf_view(&got), span_str(want)))
        fail_msg("%s: %.*s", why, (int)got.n, (const char *)got.p);
    if (detail != NULL && !inspected_names(t, last, detail))
        fail_msg("%s: not %s", why, detail);
    buf_free(&got);
}

static void
test_shortcuts(void **state)
{
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 16);
    for (size_t k = 0; k < ARRAY_LEN(shortcuts); k++) {
        make_lnk(&shortcuts[k].in, &in);
        inspected_run(&t, buf_view(&in), "a.lnk");
        check(&t, shortcuts[k].why, shortcuts[k].want, shortcuts[k].detail);
    }
    buf_free(&in);
    inspected_end(&t);
}

/* Cut anywhere: an end within a string is damage; nothing is read beyond. */
static void
test_shortcut_cut(void **state)
{
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 1 << 16);
    for (size_t k = 0; k < ARRAY_LEN(shortcuts); k++) {
        make_lnk(&shortcuts[k].in, &in);
        for (size_t cut = 0; cut <= in.n; cut++)
            inspected_run(&t, span_head(buf_view(&in), cut), "a.lnk");
    }
    make_lnk(&shortcuts[2].in, &in);
    inspected_run(&t, span_head(buf_view(&in), 100), "a.lnk");
    assert_true(inspected_has(&t, FIND_MALFORMED));
    make_lnk(&shortcuts[8].in, &in);
    inspected_run(&t, span_head(buf_view(&in), 90), "a.lnk");
    assert_true(inspected_has(&t, FIND_MALFORMED));
    buf_free(&in);
    inspected_end(&t);
}

/* ---- text ---- */

static const struct {
    const char *why;
    const char *name;
    const char *in;
    const char *want;
    const char *detail;
} texts[] = {
    {"a link to the web",                   "a.url",
     "[InternetShortcut]\r\nURL=https://Evil.example/x\r\n",                                                               "remote_target",
     "evil.example"                                                                                                                                       },
    {"a link to a server",                  "a.url",
     "[InternetShortcut]\r\nURL=file://evil.example/x\r\n",                                                                "unc_target",
     "evil.example"                                                                                                                                       },
    {"an icon on a server",                 "a.url",
     "[InternetShortcut]\r\nURL=a\r\nIconFile=\\\\evil.example\\i.ico\r\n",                                                "unc_target",    "evil.example"},
    {"a command file of Explorer",          "a.scf",
     "[Shell]\r\nIconFile=\\\\evil.example\\i\r\n",                                                                        "unc_target",
     "evil.example"                                                                                                                                       },
    {"a folder's settings",                 "desktop.ini",
     "[.ShellClassInfo]\nIconResource=\\\\evil.example\\i\n",                                                              "unc_target",
     "evil.example"                                                                                                                                       },
    {"a library",                           "a.library-ms",
     "<?xml version=\"1.0\"?><libraryDescription xmlns=\"http://schemas."
     "microsoft.com/windows/2009/library\"><url>\\\\evil.example\\x</url>",                                                "unc_target",    "evil.example"},
    {"a library without",                   "a.library-ms",
     "<libraryDescription xmlns=\"http://schemas.microsoft.com/windows/2009/"
     "library\"><url>knownfolder:{x}</url>",                                                                               "",              NULL          },
    {"a query of a sheet",                  "a.iqy",               "WEB\r\n1\r\nhttps://evil.example/x\r\n",
     "remote_target",                                                                                                                       "evil.example"},
    {"a sheet with a formula",              "a.slk",               "ID;P\r\nC;X1;Y1;EEXEC(\"calc\")\r\n",
     "link_command",                                                                                                                        NULL          },
    {"a sheet that begins by itself",       "a.slk",               "ID;P\nNN;NAuto_open;ER1C1\nE\n",
     "link_command",                                                                                                                        "ER1C1"       },
    {"a sheet",                             "a.slk",               "ID;PWXL;N;E\r\nC;X1;Y1;K\"EXEC(\"\r\n",                "",              NULL          },
    {"a screen",                            "a.rdp",
     "screen mode id:i:2\r\nfull address:s:evil.example:3389\r\n",                                                         "remote_target", "evil.example"},
    {"a screen with a program",             "a.rdp",               "alternate shell:s:cmd.exe /c x\r\n",
     "link_command",                                                                                                                        "cmd.exe /c x"},
    {"settings",                            "a.settingcontent-ms",
     "<PCSettings><DeepLink>cmd.exe /c x</DeepLink>",                                                                      "link_command",
     "cmd.exe /c x"                                                                                                                                       },
    {"an installer",                        "a.appinstaller",
     "<AppInstaller Uri=\"https://evil.example/a\"/>",                                                                     "remote_target",
     "evil.example"                                                                                                                                       },
    {"Java",                                "a.jnlp",              "<jnlp codebase='http://evil.example/'>",
     "remote_target",                                                                                                                       "evil.example"},
    {"a calendar",                          "a.ics",
     "BEGIN:VCALENDAR\nURL:https://meet.example/x\nEND:VCALENDAR\n",                                                       "",              NULL          },
    {"a calendar with a sound on a server", "a.ics",
     "BEGIN:VCALENDAR\nATTACH:\\\\evil.example\\a.wav\n",                                                                  "unc_target",
     "evil.example"                                                                                                                                       },
    {"a card",                              "a.vcf",               "BEGIN:VCARD\nPHOTO;VALUE=uri:file://evil.example/x\n",
     "unc_target",                                                                                                                          "evil.example"},
};

static void
test_texts(void **state)
{
    struct inspected t;
    struct buf wide;

    (void)state;
    inspected_begin(&t);
    buf_init(&wide, 1 << 16);
    for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
        inspected_run(&t, span_str(texts[k].in), texts[k].name);
        check(&t, texts[k].why, texts[k].want, texts[k].detail);
        buf_reset(&wide);
        buf_put(&wide, "\xff\xfe", 2);
        for (const char *s = texts[k].in; *s != '\0'; s++)
            put16(&wide, (uint8_t)*s);
        inspected_run(&t, buf_view(&wide), texts[k].name);
        check(&t, texts[k].why, texts[k].want, texts[k].detail);
    }
    buf_free(&wide);
    inspected_end(&t);
}

static void
test_text_cut(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(texts); k++)
        for (size_t cut = 0; cut <= strlen(texts[k].in); cut++)
            inspected_run(&t, span_head(span_str(texts[k].in), cut),
                          texts[k].name);
    inspected_end(&t);
}

static void
test_costly(void **state)
{
    static const char *const pieces[] = {
        "\\\\",      "=",     "file:",         "http:",
        ":http://a", "ms-x:", "full address:", "search-ms:",
    };
    struct inspected t;
    struct buf in;

    (void)state;
    inspected_begin(&t);
    buf_init(&in, 2U << 20);
    for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
        const clock_t from = clock();

        buf_reset(&in);
        while (!in.cut)
            buf_str(&in, pieces[k]);
        inspected_run(&t, buf_view(&in), "a.url");
        if (clock() - from > 20 * CLOCKS_PER_SEC)
            fail_msg("%s: too long", pieces[k]);
    }
    buf_free(&in);
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),      cmocka_unit_test(test_shortcuts),
        cmocka_unit_test(test_shortcut_cut), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_text_cut),     cmocka_unit_test(test_costly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
