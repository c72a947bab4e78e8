#include "rules/registry/form_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/registry/form_read_kit.h"
#include "tests/support/random_form.h"

static struct form_read_result
read_text(struct span text)
{
    return form_read_text(form_csv_read, "f.csv", text);
}

/* ---- what is understood ---- */

/* clang-format off */
static const struct {
    const char *why, *csv, *want;
} good[] = {
    {"head only", "address,site\n", ""},
    {"short form", "address,site\n192.0.2.1,A\n192.0.2.2,A\n2001:db8::/32,B\n",
     "- site=A {0 port=any address=192.0.2.1} {0 port=any address=192.0.2.2}\n"
     "- site=B {0 port=any address=2001:db8::/32}\n"},
    {"short form, sites in any order",
     "site,address\nA,192.0.2.1\nB,192.0.2.2\nA,192.0.2.3\n",
     "- site=A {0 port=any address=192.0.2.1} {0 port=any address=192.0.2.3}\n"
     "- site=B {0 port=any address=192.0.2.2}\n"},
    {"short form, no site", "address\n192.0.2.1\n",
     "- {0 port=any address=192.0.2.1}\n"},
    {"short form, a site left out", "address,site\n192.0.2.1,A\n192.0.2.2\n",
     "- site=A {0 port=any address=192.0.2.1}\n"
     "- {0 port=any address=192.0.2.2}\n"},
    {"short form of a spreadsheet",
     "\xef\xbb\xbf" "Address;Site\r\n192.0.2.1;\"A; B\"\r\n;\r\n",
     "- site=A; B {0 port=any address=192.0.2.1}\n"},
    {"columns passed over", "address,x_owner,site,X_y\n192.0.2.1,me,A,\n",
     "- site=A {0 port=any address=192.0.2.1}\n"},
    {"columns without name", "address,site,,\n192.0.2.1,A,,\n",
     "- site=A {0 port=any address=192.0.2.1}\n"},
    {"rows longer than the head", "address,site\n192.0.2.1,A,,,\n",
     "- site=A {0 port=any address=192.0.2.1}\n"},
    {"a form", "form,line,site,address,port\n7,1,A,192.0.2.1,25\n",
     "7 site=A {1 port=25 address=192.0.2.1}\n"},
    {"form columns once", "form,line,site,address\n7,1,A,192.0.2.1\n"
     "7,2,,192.0.2.2\n", "7 site=A {1 address=192.0.2.1} {2 address=192.0.2.2}\n"},
    {"number once", "form,line,site,address\n7,1,A,192.0.2.1\n"
     ",2,,192.0.2.2\n", "7 site=A {1 address=192.0.2.1} {2 address=192.0.2.2}\n"},
    {"repeated", "form,line,site,address\n7,1,A,192.0.2.1\n7,2,A,192.0.2.2\n",
     "7 site=A {1 address=192.0.2.1} {2 address=192.0.2.2}\n"},
    {"sorted by address", "form,address,site\n8,192.0.2.1,\n7,192.0.2.2,A\n"
     "8,192.0.2.3,B\n", "8 site=B {0 address=192.0.2.1} {0 address=192.0.2.3}\n"
     "7 site=A {0 address=192.0.2.2}\n"},
    {"by site, without numbers", "site,address,port\nA,192.0.2.1,25\n"
     ",192.0.2.2,25\nB,192.0.2.3,25\nA,192.0.2.4,25\n",
     "- site=A {0 port=25 address=192.0.2.1} {0 port=25 address=192.0.2.2}"
     " {0 port=25 address=192.0.2.4}\n- site=B {0 port=25 address=192.0.2.3}\n"},
    {"two new ones of a site", "form,site,address\n#,A,192.0.2.1\n,,192.0.2.2\n"
     "#,A,192.0.2.3\n", "- site=A {0 address=192.0.2.1} {0 address=192.0.2.2}\n"
     "- site=A {0 address=192.0.2.3}\n"},
    {"new ones and numbers", "form,site,address\n#,,192.0.2.1\n,A,192.0.2.2\n"
     "5,B,192.0.2.3\n,,192.0.2.4\n,B,192.0.2.5\n",
     "- site=A {0 address=192.0.2.1} {0 address=192.0.2.2}\n5 site=B "
     "{0 address=192.0.2.3} {0 address=192.0.2.4} {0 address=192.0.2.5}\n"},
    {"no lines", "form,site,address\n7,A,\n", "7 site=A\n"},
    {"a line of nothing", "form,line,address\n7,0,\n", "7 {0}\n"},
    {"tabs", "form\tsite\taddress\n7\tA, B\t192.0.2.1\n",
     "7 site=A, B {0 address=192.0.2.1}\n"},
    {"apostrophes of a spreadsheet", "form,address,tech_contact_phone,notes\n"
     "7,192.0.2.1,'+1 555,'''=x\n",
     "7 tech_contact_phone=+1 555 notes=''=x {0 address=192.0.2.1}\n"},
    {"a formula is a text", "form,address,notes\n7,192.0.2.1,\"=cmd|'/c x'!A1\""
     "\n", "7 notes==cmd|'/c x'!A1 {0 address=192.0.2.1}\n"},
    {"what is no address is for form_check", "form,address\n7,here\n",
     "7 {0 address=here}\n"},
};
/* clang-format on */

static void
test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct form_read_result r = read_text(span_str(good[i].csv));
        struct buf got;

        buf_init(&got, 1 << 16);
        random_form_describe(&r.forms, &got);
        if (r.e != ERR_OK || r.messages.n > 0 ||
            !span_eq(buf_view(&got), span_str(good[i].want)))
            fail_msg("%s: %s\n%.*s%.*sinstead of\n%s", good[i].why,
                     err_text(r.e), (int)r.messages.n,
                     (const char *)r.messages.p, (int)got.n,
                     (const char *)got.p, good[i].want);
        assert_int_equal(r.forms.short_list,
                         strstr(good[i].csv, "form") == NULL &&
                             strstr(good[i].csv, "port") == NULL);
        buf_free(&got);
        form_read_done(&r);
    }
}

/* ---- what is refused or asked ---- */

#define UTF8_HINT "; save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\")\n"

/* clang-format off */
static const struct {
    const char *why;
    struct span csv;
    const char *want;
    bool asks; /* it is read nevertheless */
} bad[] = {
    {"nothing", SPAN_INIT(""), "f.csv:1:1: the first line must name the columns"
     ", at least 'address': write address,site\n", false},
    {"no head", SPAN_INIT("192.0.2.1,A\n"),
     "f.csv:1:1: the first line must name the columns, at least 'address': "
     "write address,site\n", false},
    {"column misspelt", SPAN_INIT("adress,site\n192.0.2.1,A\n"),
     "f.csv:1:1: unknown column 'adress'; did you mean 'address'?\nf.csv:1:1: "
     "the first line must name the columns, at least 'address': write "
     "address,site\n", false},
    {"unknown columns", SPAN_INIT("address,form,prot,owner of it\n192.0.2.1,7\n"),
     "f.csv:1:14: unknown column 'prot'; did you mean 'port'?\n"
     "f.csv:1:19: unknown column 'owner of it'\n", false},
    {"column twice", SPAN_INIT("address,form,Address\n"),
     "f.csv:1:14: the column 'address' is there twice\n", false},
    {"value without column", SPAN_INIT("address,,form\n192.0.2.1,x,7,y\n"),
     "f.csv:2:11: 'x' stands in a column without a name\n"
     "f.csv:2:15: 'y' stands in a column without a name\n", false},
    {"every fault", SPAN_INIT("address,site\n192.0.2.256,A\n,B\n"
     "192.0.2.1/24,\"C, D\"\n192.0.2.1,E\n\"x,F\n"),
     "f.csv:2:1: '192.0.2.256' is neither an address nor a prefix with all host"
     " bits zero, such as 192.0.2.0/24\nf.csv:3:1: an address is missing\n"
     "f.csv:4:1: '192.0.2.1/24' is neither an address nor a prefix with all "
     "host bits zero, such as 192.0.2.0/24\n"
     "f.csv:6:1: the quote is never closed (at most 256 cells and 1048576 "
     "bytes)\n", false},
    {"bad number", SPAN_INIT("form,address\n7/8,192.0.2.1\n7 8,192.0.2.2\n"),
     "f.csv:2:1: '7/8' is not the number of a form: at most 64 letters, digits,"
     " '.', '_', '-', a letter or digit first\n"
     "f.csv:3:1: '7 8' is not the number of a form: at most 64 letters, digits,"
     " '.', '_', '-', a letter or digit first\n", false},
    {"bad line", SPAN_INIT("form,address,line\n7,192.0.2.1,x\n"
     "7,192.0.2.2,4294967296\n7,192.0.2.3,-1\n"),
     "f.csv:2:13: 'x' is not the number of a line: 1, 2, ...\n"
     "f.csv:3:13: '4294967296' is not the number of a line: 1, 2, ...\n"
     "f.csv:4:13: '-1' is not the number of a line: 1, 2, ...\n", false},
    {"line twice", SPAN_INIT("form,line,address\n7,1,192.0.2.1\n8,1,192.0.2.2\n"
     "7,1,192.0.2.3\n"),
     "f.csv:4:3: the form has a line 1 already, in line 2 of the file\n", false},
    {"form differs", SPAN_INIT("form,site,address\n7,A,192.0.2.1\n"
     "7,B,192.0.2.2\n"),
     "f.csv:3:3: 'site' is 'B', but 'A' in a row before; the form begins in "
     "line 2\n", false},
    {"another site, no number", SPAN_INIT("form,site,address\n7,A,192.0.2.1\n"
     ",B,192.0.2.2\n"),
     "f.csv:3:2: another site than in the row before, and no number in column "
     "'form'; write # there for a new form\n", false},
    {"line break", SPAN_INIT("form,address,notes\n7,192.0.2.1,\"a\nb\"\n"),
     "f.csv:2:13: 'notes' holds a line break; put it on one line, without such"
     "\n", false},
    {"NUL", SPAN_INIT("form,address,notes\n7,192.0.2.1,a\0b\n"),
     "f.csv:2:13: 'notes' holds the control character 0x00; put it on one line,"
     " without such\n", false},
    {"escape", SPAN_INIT("form,address,notes\n7,192.0.2.1,\x1b[2J\n"),
     "f.csv:2:13: 'notes' holds the control character 0x1b; put it on one line,"
     " without such\n", false},
    {"escape in a name", SPAN_INIT("address,\x1b[2J\xe2\x80\xae\n"),
     "f.csv:1:9: unknown column '\\x1b[2J<U+202E>'\n", false},
    {"C1", SPAN_INIT("form,address,notes\n7,192.0.2.1,\xc2\x9b\n"),
     "f.csv:2:13: 'notes' holds a control character; put it on one line, "
     "without such\n", false},
    {"Latin-1", SPAN_INIT("form,address,notes\n7,192.0.2.1,Caf\xe9\n"
     "7,192.0.2.2,Caf\xe9\n"),
     "f.csv:2:13: not UTF-8 (byte 0xe9; said once for the whole file)" UTF8_HINT,
     false},
    {"UTF-16 LE", SPAN_INIT("\xff\xfe" "a\0d\0d\0"),
     "f.csv:1:1: the file is UTF-16" UTF8_HINT, false},
    {"UTF-16 BE", SPAN_INIT("\xfe\xff\0a\0d\0d"),
     "f.csv:1:1: the file is UTF-16" UTF8_HINT, false},
    {"UTF-16 LE without a mark", SPAN_INIT("a\0d\0d\0r\0e\0s\0s\0\n\0"),
     "f.csv:1:1: the file is UTF-16" UTF8_HINT, false},
    {"UTF-16 BE without a mark", SPAN_INIT("\0a\0d\0d\0r\0e\0s\0s\0\n"),
     "f.csv:1:1: the file is UTF-16" UTF8_HINT, false},
    {"UTF-32", SPAN_INIT("\xff\xfe\0\0a\0\0\0"),
     "f.csv:1:1: the file is UTF-32" UTF8_HINT, false},
    {"workbook", SPAN_INIT("PK\3\4zzzz"),
     "f.csv:1:1: the file is a workbook or an archive; save the sheet as "
     "\"CSV UTF-8\"\n", false},
    {"database", SPAN_INIT("SQLite format 3\0zz"),
     "f.csv:1:1: the file is a database, not a list of forms\n", false},
    {"short form, two sites", SPAN_INIT("address,site\n192.0.2.1,A\n"
     "192.0.2.1,B\n"),
     "f.csv:3: 192.0.2.1 stands with another site in line 2 (site 'A')\n",
     false},
    {"short form, twice", SPAN_INIT("address,site\n192.0.2.1,A\n192.0.2.1,A\n"),
     "f.csv:3: question: 192.0.2.1 stands also in line 2 (site 'A')\n", true},
    {"overlap of sites", SPAN_INIT("address,site\n192.0.2.0/24,A\n192.0.2.1,B\n"
     "192.0.2.2,A\n"),
     "f.csv:3: question: 192.0.2.1 is part of 192.0.2.0/24 in line 2 (site 'A')"
     "\n", true},
    {"overlap of forms", SPAN_INIT("form,address,port\n7,192.0.2.0/24,25\n"
     "8,192.0.2.1,25\n9,192.0.2.1,25\n10,192.0.2.1,587\n"),
     "f.csv:3: question: 192.0.2.1 is part of 192.0.2.0/24 in line 2 (form '7')"
     "\nf.csv:4: question: 192.0.2.1 stands also in line 3 (form '8')\n", true},
};
/* clang-format on */

static void
test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct form_read_result r = read_text(bad[i].csv);

        if ((r.e == ERR_OK) != bad[i].asks ||
            !span_eq(buf_view(&r.messages), span_str(bad[i].want)))
            fail_msg("%s: %s\n%.*sinstead of\n%s", bad[i].why, err_text(r.e),
                     (int)r.messages.n, (const char *)r.messages.p,
                     bad[i].want);
        form_read_done(&r);
    }
}

/* ---- limits ---- */

static void
test_faults_max(void **state)
{
    (void)state;
    for (size_t n = FORM_FAULTS_MAX - 1; n <= FORM_FAULTS_MAX + 1; n++) {
        struct form_read_result r;
        struct buf in;

        buf_init(&in, 1 << 20);
        buf_str(&in, "address,site\n");
        for (size_t i = 0; i < n; i++)
            buf_str(&in, "x,A\n");
        r = read_text(buf_view(&in));
        assert_int_equal(random_form_count(&r.messages, "'x' is neither"),
                         n < FORM_FAULTS_MAX ? n : FORM_FAULTS_MAX);
        assert_int_equal(random_form_count(&r.messages, "more faults"),
                         n > FORM_FAULTS_MAX);
        form_read_done(&r);
        buf_free(&in);
    }
}

/* A row of n bytes, its line end not counted. */
static void
test_row_max(void **state)
{
    (void)state;
    for (size_t n = FORM_ROW_MAX - 1; n <= FORM_ROW_MAX + 1; n++) {
        struct form_read_result r;
        struct buf in;

        buf_init(&in, (size_t)2 * FORM_ROW_MAX);
        buf_str(&in, "address,form,x_y\n192.0.2.1,7,");
        assert_true(buf_grow(&in, n));
        memset(in.p + in.n, 'y', n);
        in.n += n - 12;
        buf_str(&in, "\n192.0.2.2,7,\n");
        r = read_text(buf_view(&in));
        assert_int_equal(r.e, n > FORM_ROW_MAX ? ERR_FORMAT : ERR_OK);
        assert_int_equal(
            random_form_count(&r.messages, "f.csv:2:1: the row is too long"),
            n > FORM_ROW_MAX);
        form_read_done(&r);
        buf_free(&in);
    }
}

static void
test_text_max(void **state)
{
    (void)state;
    for (size_t n = FORM_TEXT_MAX - 1; n <= FORM_TEXT_MAX + 1; n++) {
        struct form_read_result r;
        struct buf in;

        buf_init(&in, 4096);
        buf_str(&in, "address,form,notes\n192.0.2.1,7,");
        for (size_t i = 0; i < n; i++)
            buf_putc(&in, 'a');
        r = read_text(buf_view(&in));
        assert_int_equal(r.e, n > FORM_TEXT_MAX ? ERR_FORMAT : ERR_OK);
        assert_int_equal(
            random_form_count(&r.messages,
                              "f.csv:2:13: 'notes' is longer than 1024 bytes"),
            n > FORM_TEXT_MAX);
        form_read_done(&r);
        buf_free(&in);
    }
}

static void
test_columns_max(void **state)
{
    struct form_read_result r;
    struct buf in;

    (void)state;
    buf_init(&in, 1 << 20);
    buf_str(&in, "address");
    for (size_t i = 0; i < 100000; i++)
        buf_str(&in, ",x_y");
    buf_str(&in, "\n192.0.2.1\n");
    r = read_text(buf_view(&in));
    assert_int_equal(r.e, ERR_FORMAT);
    assert_int_equal(
        random_form_count(&r.messages, "the row has too many cells"), 1);
    assert_int_equal(random_form_count(&r.messages, "\n"), 1);
    form_read_done(&r);
    buf_free(&in);
}

static void
test_lines_max(void **state)
{
    struct form_read_result r;
    struct buf in;

    (void)state;
    buf_init(&in, 1 << 24);
    buf_str(&in, "address,form\n");
    for (size_t i = 0; i < FORM_LINES_MAX; i++)
        buf_printf(&in, "10.%zu.%zu.%zu,%zu\n", i >> 16, (i >> 8) & 255,
                   i & 255, i % 7);
    r = read_text(buf_view(&in));
    assert_int_equal(r.e, ERR_OK);
    assert_int_equal(r.forms.n, 7);
    form_read_done(&r);
    buf_str(&in, "11.0.0.0,7\n11.0.0.1,7\n");
    r = read_text(buf_view(&in));
    assert_int_equal(random_form_count(&r.messages,
                                       "f.csv:200002:1: more than 200000 "
                                       "lines; divide the file"),
                     1);
    assert_int_equal(random_form_count(&r.messages, "\n"), 1);
    form_read_done(&r);
    buf_free(&in);
}

/* A sheet may be as long as a sheet can be, but no longer. */
static void
test_empty_max(void **state)
{
    struct form_read_result r;
    struct buf in;

    (void)state;
    buf_init(&in, 1 << 24);
    buf_str(&in, "address,form\n");
    for (size_t i = 0; i < 1U << 21; i++)
        buf_str(&in, ",\n");
    r = read_text(buf_view(&in));
    assert_int_equal(r.e, ERR_OK);
    form_read_done(&r);
    buf_str(&in, ",\n");
    r = read_text(buf_view(&in));
    assert_int_equal(
        random_form_count(&r.messages, "f.csv:2097154:1: too many empty rows"),
        1);
    form_read_done(&r);
    buf_free(&in);
}

static void
test_questions_max(void **state)
{
    struct form_read_result r;
    struct buf in;

    (void)state;
    buf_init(&in, 1 << 20);
    buf_str(&in, "address,form\n");
    for (size_t i = 0; i < 1000; i++)
        buf_printf(&in, "192.0.2.1,%zu\n", i);
    r = read_text(buf_view(&in));
    assert_int_equal(r.e, ERR_OK);
    assert_int_equal(random_form_count(&r.messages, "stands also"),
                     FORM_FAULTS_MAX);
    assert_int_equal(random_form_count(&r.messages, "more addresses overlap"),
                     1);
    form_read_done(&r);
    buf_free(&in);
}

/* ---- there and back ---- */

static void
test_round_trip(void **state)
{
    uint64_t x = 88172645463325252U;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        struct form forms[4];
        size_t n = random_next(&x) % 5;
        struct form_read_result r;
        struct buf out;

        buf_init(&out, 1 << 24);
        form_csv_head(&out);
        for (size_t i = 0; i < n; i++) {
            random_form(&x, &forms[i],
                        random_next(&x) % 3 == 0 ? 0 : (unsigned)i + 1);
            form_csv_write(&forms[i], &out);
        }
        r = read_text(buf_view(&out));
        if (r.e != ERR_OK || r.forms.n != n)
            fail_msg("round %u: %.*s", round, (int)r.messages.n,
                     (const char *)r.messages.p);
        for (size_t i = 0; i < n; i++) {
            if (!form_equal(&forms[i], &r.forms.v[i]))
                fail_msg("round %u: form %zu differs\n%.*s", round, i,
                         (int)out.n, (const char *)out.p);
            form_fini(&forms[i]);
        }
        form_read_done(&r);
        buf_free(&out);
    }
}

/* Every place at which a file may end: no crash, and told or fewer forms. */
static void
test_cut(void **state)
{
    uint64_t x = 7;
    struct form form;
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    form_csv_head(&out);
    for (unsigned i = 0; i < 3; i++) {
        random_form(&x, &form, i);
        form_csv_write(&form, &out);
        form_fini(&form);
    }
    for (size_t n = 0; n < out.n; n += out.n < 4000 ? 1 : out.n / 4000) {
        struct form_read_result r = read_text(span_head(buf_view(&out), n));

        assert_true(r.e == ERR_FORMAT || r.forms.n <= 3);
        form_read_done(&r);
    }
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_faults_max),
        cmocka_unit_test(test_row_max),
        cmocka_unit_test(test_text_max),
        cmocka_unit_test(test_columns_max),
        cmocka_unit_test(test_lines_max),
        cmocka_unit_test(test_empty_max),
        cmocka_unit_test(test_questions_max),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
