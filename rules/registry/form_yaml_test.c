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
    return form_read_text(form_yaml_read, "f.yaml", text);
}

/* clang-format off */
static const struct {
    const char *why, *yaml, *want;
} good[] = {
    {"nothing", "", ""},
    {"comments", "# forms\n\n# none yet\n", ""},
    {"null", "~\n", ""},
    {"no forms", "[]\n", ""},
    {"a form of nothing", "{}\n", "-\n"},
    {"one form", "form: 7\nsite:\n  name: A\nlines:\n- port: 25\n  line: 1\n"
     "  address: 192.0.2.1\n", "7 site=A {1 port=25 address=192.0.2.1}\n"},
    {"two forms", "- form: 7\n- form: 2026-118\n  notes: none\n",
     "7\n2026-118 notes=none\n"},
    {"byte order mark", "\xef\xbb\xbf" "form: 7\n", "7\n"},
    {"CR LF", "form: 7\r\nnotes: a\r\n", "7 notes=a\n"},
    {"a document's begin and end", "---\nform: 7\n...\n", "7\n"},
    {"flow", "[{form: 7, lines: [{port: 25}, {port: 587, line: 3}, {}]}]",
     "7 {0 port=25} {3 port=587} {0}\n"},
    {"deep keys", "contacts:\n  site: {name: B, phone: '+1 555'}\n  technical:\n"
     "    name: C\n",
     "- site_contact_name=B site_contact_phone=+1 555 tech_contact_name=C\n"},
    {"keys with dots", "site.name: A\ncontacts.site.name: B\n",
     "- site=A site_contact_name=B\n"},
    {"words stay words", "notes: no\nsignature: {date: 2026-01-02, name: 0x1f}\n"
     "site: {name: 012, code: '~'}\n",
     "- site=012 site_code=~ signer=0x1f signed_on=2026-01-02 notes=no\n"},
    {"values of nothing", "site:\n  name:\n  code: ~\nlines:\ncontacts: null\n"
     "notes: ''\nform:\n", "-\n"},
    {"folded", "notes: >-\n  a\n  b\nsite: {name: 'a\n\n    b'}\n", NULL},
    {"folded to one line", "notes: >-\n  a\n  b\n", "- notes=a b\n"},
    {"formula", "notes: '=1+1'\n", "- notes==1+1\n"},
    {"line 0", "lines: [{line: 0}, {line: 0}]\n", "- {0} {0}\n"},
    {"same line numbers in two forms", "- lines: [{line: 1}]\n"
     "- lines: [{line: 1}]\n", "- {1}\n- {1}\n"},
};
/* clang-format on */

static void
test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct form_read_result r = read_text(span_str(good[i].yaml));
        const char *want = good[i].want != NULL ? good[i].want : "";
        struct buf got;

        buf_init(&got, 1 << 16);
        random_form_describe(&r.forms, &got);
        if ((r.e == ERR_OK) != (good[i].want != NULL) ||
            !span_eq(buf_view(&got), span_str(want)))
            fail_msg("%s: %s\n%.*s%.*sinstead of\n%s", good[i].why,
                     err_text(r.e), (int)r.messages.n,
                     (const char *)r.messages.p, (int)got.n,
                     (const char *)got.p, want);
        buf_free(&got);
        form_read_done(&r);
    }
}

#define UTF8_HINT     "; save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\")\n"
#define NO_DECORATION "anchors, aliases and tags are not allowed\n"

/* clang-format off */
static const struct {
    const char *why;
    struct span yaml;
    const char *want;
} bad[] = {
    {"a word", SPAN_INIT("forms\n"),
     "f.yaml:1:1: the file must hold a list of forms, or keys and values of one"
     "\n"},
    {"unknown keys, in their places", SPAN_INIT("form: 7\nnote: a\nlines:\n"
     "- prot: 25\n  adress: x\nsite: {nmae: A}\nquite_other: {a: [b, {c: d}]}\n"),
     "f.yaml:2:1: unknown key 'note'; did you mean 'notes'?\n"
     "f.yaml:4:3: unknown key 'prot'; did you mean 'port'?\n"
     "f.yaml:5:3: unknown key 'adress'; did you mean 'address'?\n"
     "f.yaml:6:8: unknown key 'site.nmae'; did you mean 'site.name'?\n"
     "f.yaml:7:1: unknown key 'quite_other'\n"},
    {"keys of a line in a form", SPAN_INIT("port: 25\nline: 1\n"),
     "f.yaml:1:1: unknown key 'port'\n"
     "f.yaml:2:1: unknown key 'line'; did you mean 'lines'?\n"},
    {"keys of a form in a line", SPAN_INIT("lines: [{form: 1, notes: a}]\n"),
     "f.yaml:1:10: unknown key 'form'\n"
     "f.yaml:1:19: unknown key 'notes'\n"},
    {"keys twice", SPAN_INIT("notes: a\nnotes:\nsite: {name: A}\nsite: {code: a}\n"
     "lines: []\nlines: []\nform: 7\nform: 8\nsite.name: B\n"),
     "f.yaml:2:1: 'notes' is there twice, first in line 1\n"
     "f.yaml:4:1: 'site' is there twice, first in line 3\n"
     "f.yaml:6:1: 'lines' is there twice, first in line 5\n"
     "f.yaml:8:1: 'form' is there twice, first in line 7\n"
     "f.yaml:9:1: 'site.name' is there twice, first in line 3\n"},
    {"a section twice within a section", SPAN_INIT("contacts:\n  site: {name: A}\n"
     "  site: {phone: 1}\n"),
     "f.yaml:3:3: 'contacts.site' is there twice, first in line 2\n"},
    {"wrong kinds", SPAN_INIT("notes: [a]\nsite: A\ncontacts: []\nlines: 1\n"
     "form: {a: b}\ntotals: {ports: {a: b}}\n"),
     "f.yaml:1:8: 'notes' takes a value, not a list\n"
     "f.yaml:2:7: 'site' is a section of keys, not a value\n"
     "f.yaml:3:11: 'contacts' is a section of keys, not a list\n"
     "f.yaml:4:8: 'lines' takes a list of lines, not a value\n"
     "f.yaml:5:7: 'form' takes a value, not a section of keys\n"
     "f.yaml:6:17: 'totals.ports' takes a value, not a section of keys\n"},
    {"lines as a section", SPAN_INIT("lines: {port: 25}\n"),
     "f.yaml:1:8: 'lines' takes a list of lines: begin each with -\n"},
    {"lists in lists", SPAN_INIT("- []\n- a\n- lines: [[], 5, ~]\n"),
     "f.yaml:1:3: a form must be keys and values\n"
     "f.yaml:2:3: a form must be keys and values\n"
     "f.yaml:3:11: a line must be keys and values\n"
     "f.yaml:3:15: a line must be keys and values\n"
     "f.yaml:3:18: a line must be keys and values\n"},
    {"a key that is none", SPAN_INIT("{[a]: b}\n"),
     "f.yaml:1:2: a key must be a word\n"},
    {"form twice", SPAN_INIT("- form: 7\n- form: 8\n- form: 7\n"),
     "f.yaml:3:9: the form '7' is there twice, first in line 1\n"},
    {"line twice", SPAN_INIT("lines: [{line: 1},\n  {line: 1}]\n"),
     "f.yaml:2:10: the form has a line 1 already, in line 1 of the file\n"},
    {"bad numbers", SPAN_INIT("form: a b\nlines: [{line: -1}, {line: x}]\n"),
     "f.yaml:1:7: 'a b' is not the number of a form: at most 64 letters, "
     "digits, '.', '_', '-', a letter or digit first\n"
     "f.yaml:2:16: '-1' is not the number of a line: 1, 2, ...\n"
     "f.yaml:2:28: 'x' is not the number of a line: 1, 2, ...\n"},
    {"anchor", SPAN_INIT("notes: &a b\n"), "f.yaml:1:8: " NO_DECORATION},
    {"alias", SPAN_INIT("notes: a\nlines: *a\n"), "f.yaml:2:8: " NO_DECORATION},
    {"tag", SPAN_INIT("notes: !!str a\n"), "f.yaml:1:8: " NO_DECORATION},
    {"tag of a list", SPAN_INIT("!x [a]\n"), "f.yaml:1:1: " NO_DECORATION},
    {"anchor of a section", SPAN_INIT("site: &s {name: A}\n"),
     "f.yaml:1:7: " NO_DECORATION},
    {"merge", SPAN_INIT("<<: {a: b}\n"), "f.yaml:1:1: unknown key '<<'\n"},
    {"second document", SPAN_INIT("form: 7\n---\nform: 8\n"),
     "f.yaml:2:1: a second document begins\n"},
    {"depth", SPAN_INIT("x: [[[[[[[[[[[["),
     "f.yaml:1:1: unknown key 'x'\nf.yaml:1:11: nested too deeply\n"},
    {"line break", SPAN_INIT("notes: \"a\\nb\"\nsite: {name: |\n    a\n}\n"),
     NULL},
    {"line break in a value", SPAN_INIT("notes: \"a\\nb\"\n"),
     "f.yaml:1:8: 'notes' holds a line break; put it on one line, without such"
     "\n"},
    {"a block", SPAN_INIT("notes: |\n  a\n"),
     "f.yaml:1:8: 'notes' holds a line break; put it on one line, without such"
     "\n"},
    {"NUL by escape", SPAN_INIT("notes: \"a\\0\"\n"),
     "f.yaml:1:8: 'notes' holds the control character 0x00; put it on one line,"
     " without such\n"},
    {"NUL", SPAN_INIT("notes: a\0b\n"),
     "f.yaml:1:9: 'the file' holds the control character 0x00; put it on one "
     "line, without such\n"},
    {"escape in a key", SPAN_INIT("\"\\e[2J\": a\n"),
     "f.yaml:1:1: unknown key '\\x1b[2J'\n"},
    {"C1", SPAN_INIT("a: b\nnotes: \xc2\x9b\n"), NULL},
    {"Latin-1", SPAN_INIT("site:\n  name: \xc3\xa4" "Caf\xe9\n"),
     "f.yaml:2:13: not UTF-8 (byte 0xe9; said once for the whole file)"
     UTF8_HINT},
    {"UTF-16", SPAN_INIT("\xff\xfe-\0 \0"),
     "f.yaml:1:1: the file is UTF-16" UTF8_HINT},
    {"UTF-16 without a mark", SPAN_INIT("-\0 \0f\0o\0r\0m\0:\0"),
     "f.yaml:1:1: the file is UTF-16" UTF8_HINT},
    {"unclosed quote", SPAN_INIT("notes: 'a\n"), NULL},
    {"unclosed list", SPAN_INIT("- form: 7\n  lines: [{port: 25}\n"), NULL},
    {"tab for blanks", SPAN_INIT("site:\n\tname: A\n"), NULL},
    {"a question", SPAN_INIT("- form: 7\n  lines: [{address: 192.0.2.1}]\n"
     "- form: 8\n  lines: [{address: 192.0.2.1}]\n"),
     "f.yaml:4: question: 192.0.2.1 stands also in line 2 (form '7')\n"},
};
/* clang-format on */

static void
test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct form_read_result r = read_text(bad[i].yaml);
        bool asks = span_search(buf_view(&r.messages),
                                SPAN_LIT(" question: ")) < r.messages.n;

        if ((r.e == ERR_OK) != asks ||
            (bad[i].want != NULL &&
             !span_eq(buf_view(&r.messages), span_str(bad[i].want))))
            fail_msg("%s: %s\n%.*sinstead of\n%s", bad[i].why, err_text(r.e),
                     (int)r.messages.n, (const char *)r.messages.p,
                     bad[i].want);
        form_read_done(&r);
    }
}

/* ---- limits ---- */

static bool
says(const struct form_read_result *r, const char *what)
{
    return span_search(buf_view(&r->messages), span_str(what)) < r->messages.n;
}

/* A value as long as a file may be is never kept whole. */
static void
test_long_value(void **state)
{
    static const char *const heads[] = {"notes: ", "notes: \"",    "- ", "# ",
                                        "? ",      "notes: |\n  ", "'",  "%"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct buf in;
        struct form_read_result r;

        buf_init(&in, 1 << 24);
        buf_str(&in, heads[i]);
        while (in.n < (size_t)8 * FORM_ROW_MAX)
            buf_str(&in, "long long long ");
        r = read_text(buf_view(&in));
        if (r.e == ERR_OK || in.cut)
            fail_msg("%s", heads[i]);
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
        buf_str(&in, "notes: ");
        for (size_t i = 0; i < n; i++)
            buf_putc(&in, 'a');
        r = read_text(buf_view(&in));
        assert_int_equal(r.e, n > FORM_TEXT_MAX ? ERR_FORMAT : ERR_OK);
        assert_int_equal(
            says(&r, "f.yaml:1:8: 'notes' is longer than 1024 bytes"),
            n > FORM_TEXT_MAX);
        form_read_done(&r);
        buf_free(&in);
    }
}

static void
test_lines_max(void **state)
{
    struct form_read_result r;
    struct buf in;

    (void)state;
    buf_init(&in, 1 << 24);
    buf_str(&in, "lines:\n");
    for (size_t i = 0; i < FORM_LINES_MAX; i++)
        buf_str(&in, "- {}\n");
    r = read_text(buf_view(&in));
    assert_int_equal(r.e, ERR_OK);
    assert_int_equal(r.forms.v[0].n_lines, FORM_LINES_MAX);
    form_read_done(&r);
    buf_str(&in, "- {}\n");
    r = read_text(buf_view(&in));
    assert_true(says(&r, "f.yaml:200002:3: more than 200000 lines"));
    form_read_done(&r);
    buf_reset(&in);
    for (size_t i = 0; i <= FORM_LINES_MAX; i++)
        buf_str(&in, "- {}\n");
    r = read_text(buf_view(&in));
    assert_true(says(&r, "f.yaml:200001:3: more than 200000 forms"));
    form_read_done(&r);
    buf_free(&in);
}

static void
test_faults_max(void **state)
{
    (void)state;
    for (size_t n = FORM_FAULTS_MAX - 1; n <= FORM_FAULTS_MAX + 1; n++) {
        struct form_read_result r;
        struct buf in;

        buf_init(&in, 1 << 20);
        for (size_t i = 0; i < n; i++)
            buf_str(&in, "- x\n");
        r = read_text(buf_view(&in));
        assert_int_equal(r.e, ERR_FORMAT);
        assert_int_equal(says(&r, "more faults follow"), n > FORM_FAULTS_MAX);
        form_read_done(&r);
        buf_free(&in);
    }
}

/* What no form has is not read for ever. */
static void
test_skipped_max(void **state)
{
    struct form_read_result r;
    struct buf in;

    (void)state;
    buf_init(&in, 1 << 20);
    buf_str(&in, "x: [");
    for (size_t i = 0; i < 65535; i++)
        buf_str(&in, "a,");
    buf_str(&in, "]\n");
    r = read_text(buf_view(&in));
    assert_false(says(&r, "not read further"));
    form_read_done(&r);
    in.n -= 2;
    buf_str(&in, "a,a]\n");
    r = read_text(buf_view(&in));
    assert_true(says(&r, "too much that is not of a form; not read further"));
    form_read_done(&r);
    buf_free(&in);
}

/* ---- there and back ---- */

/* What a section is written once for stands together in fields.def. */
static void
test_sections(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        const char *dot = strrchr(form_rows[i].path, '.');
        size_t n = dot != NULL ? (size_t)(dot - form_rows[i].path) + 1 : 0;
        bool left = false;

        for (unsigned k = i + 1; n > 0 && k < FORM_FIELD_COUNT; k++) {
            bool in = form_rows[k].scope == form_rows[i].scope &&
                      strncmp(form_rows[k].path, form_rows[i].path, n) == 0;

            assert_false(in && left);
            left = left || !in;
        }
    }
}

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
        for (size_t i = 0; i < n; i++) {
            random_form(&x, &forms[i],
                        random_next(&x) % 3 == 0 ? 0 : (unsigned)i + 1);
            form_yaml_write(&forms[i], &out);
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

static void
test_writes(void **state)
{
    static const char want[] = "- form: \"2026-1\"\n"
                               "  site:\n"
                               "    name: \"A \\\"B\\\"\"\n"
                               "    code: \"a\"\n"
                               "  contacts:\n"
                               "    site:\n"
                               "      name: \"C\\u2028\"\n"
                               "    technical:\n"
                               "      name: \"D\"\n"
                               "  notes: \"~\"\n"
                               "  lines:\n"
                               "    - line: 1\n"
                               "      port: 25\n"
                               "    - {}\n";
    struct form_read_result r = read_text(span_str(want));
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 16);
    assert_int_equal(r.e, ERR_OK);
    form_yaml_write(&r.forms.v[0], &out);
    if (!span_eq(buf_view(&out), span_str(want)))
        fail_msg("%.*s", (int)out.n, (const char *)out.p);
    buf_free(&out);
    form_read_done(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long_value), cmocka_unit_test(test_text_max),
        cmocka_unit_test(test_lines_max),  cmocka_unit_test(test_faults_max),
        cmocka_unit_test(test_sections),   cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_writes),     cmocka_unit_test(test_skipped_max),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
