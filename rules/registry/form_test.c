#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "rules/registry/form.h"
#include "sensor/base/attr.h"

#include "tests/support/alloc_fails.h"

static void
set(char **text, const char *value)
{
    assert_int_equal(form_set(text, span_str(value)), ERR_OK);
}

static void
make(struct form *f)
{
    form_init(f);
    memcpy(f->number, "2026-1", 7);
    set(&f->text[FORM_SITE], "Lakeside High School");
    for (unsigned i = 0; i < 9; i++) {
        struct form_line *l = form_add_line(f);

        assert_non_null(l);
        l->number = i + 1;
        set(&l->text[FORM_ADDRESS], "192.0.2.25");
        set(&l->text[FORM_PORT], "25");
    }
}

static void
test_texts(void **state)
{
    static const struct {
        const char *why, *text;
        enum err want;
    } rows[] = {
        {"plain",                          "mail server",                            ERR_OK    },
        {"other scripts",                  "Sch\xc3\xbcle \xe5\xad\xa6\xe6\xa0\xa1", ERR_OK    },
        {"a no-break space is no control", "a\xc2\xa0z",                             ERR_OK    },
        {"empty",                          "",                                       ERR_OK    },
        {"tab",                            "a\tb",                                   ERR_FORMAT},
        {"line end",                       "a\nb",                                   ERR_FORMAT},
        {"escape",                         "\x1b[31m",                               ERR_FORMAT},
        {"delete",                         "a\x7f",                                  ERR_FORMAT},
        {"C1",
         "a\xc2\x9b"
         "b",                                                                        ERR_FORMAT},
        {"Latin-1",                        "Sch\xfcle",                              ERR_FORMAT},
        {"half a character",               "a\xc3",                                  ERR_FORMAT},
        {"overlong",                       "\xc0\xaf",                               ERR_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = NULL;
        enum err e;

        set(&text, "before");
        e = form_set(&text, span_str(rows[i].text));
        if (e != rows[i].want || (e != ERR_OK && strcmp(text, "before") != 0) ||
            (e == ERR_OK && rows[i].text[0] == '\0' && text != NULL) ||
            (e == ERR_OK && text != NULL && strcmp(text, rows[i].text) != 0))
            fail_msg("%s", rows[i].why);
        free(text);
    }
}

static void
test_limits(void **state)
{
    uint8_t room[FORM_TEXT_MAX + 1];
    char *text = NULL;

    (void)state;
    memset(room, 'x', sizeof(room));
    assert_int_equal(form_set(&text, span_of(room, FORM_TEXT_MAX - 1)), ERR_OK);
    assert_int_equal(form_set(&text, span_of(room, FORM_TEXT_MAX)), ERR_OK);
    assert_int_equal(strlen(text), FORM_TEXT_MAX);
    assert_int_equal(form_set(&text, span_of(room, FORM_TEXT_MAX + 1)),
                     ERR_LIMIT);
    assert_int_equal(strlen(text), FORM_TEXT_MAX);
    assert_int_equal(form_set(&text, span_of("a\0b", 3)), ERR_FORMAT);
    free(text);
}

static void
test_numbers(void **state)
{
    uint8_t room[FORM_NUMBER_MAX + 1];

    (void)state;
    memset(room, '9', sizeof(room));
    assert_true(form_number_good(SPAN_LIT("2026-118")));
    assert_true(form_number_good(SPAN_LIT("A_b.c-1")));
    assert_true(form_number_good(span_of(room, FORM_NUMBER_MAX)));
    assert_false(form_number_good(span_of(room, FORM_NUMBER_MAX + 1)));
    assert_false(form_number_good(SPAN_LIT("")));
    /* an option, folders, a hidden file */
    assert_false(form_number_good(SPAN_LIT("--all")));
    assert_false(form_number_good(SPAN_LIT("..")));
    assert_false(form_number_good(SPAN_LIT(".hidden")));
    assert_false(form_number_good(SPAN_LIT("_1")));
    assert_false(form_number_good(SPAN_LIT("2026 118")));
    assert_false(form_number_good(SPAN_LIT("2026/118")));
    assert_false(form_number_good(SPAN_LIT("\xc3\xbc")));
}

static void
test_lines_max(void **state)
{
    struct form f;

    (void)state;
    form_init(&f);
    for (unsigned i = 0; i < FORM_LINES_MAX; i++)
        assert_non_null(form_add_line(&f));
    assert_null(form_add_line(&f));
    assert_int_equal(f.n_lines, FORM_LINES_MAX);
    form_fini(&f);
    form_fini(&f); /* empty again */
}

static void
test_copy(void **state)
{
    struct form f;
    struct form g;

    (void)state;
    make(&f);
    assert_int_equal(form_copy(&g, &f), ERR_OK);
    assert_true(form_equal(&f, &g));
    g.lines[3].source = 7;
    g.source = 9;
    assert_true(form_equal(&f, &g)); /* where it was read does not count */
    g.lines[8].number = 77;
    assert_false(form_equal(&f, &g));
    g.lines[8].number = 9;
    set(&g.lines[0].text[FORM_DOMAIN], "mx");
    assert_false(form_equal(&f, &g));
    set(&g.lines[0].text[FORM_DOMAIN], "");
    set(&g.text[FORM_SITE], "Lakeside");
    assert_false(form_equal(&f, &g));
    set(&g.text[FORM_SITE], "Lakeside High School");
    assert_true(form_equal(&f, &g));
    g.n_lines--;
    assert_false(form_equal(&f, &g));
    g.n_lines++;
    g.number[0] = 'x';
    assert_false(form_equal(&f, &g));
    form_fini(&f);
    form_fini(&g);
}

static void
test_rows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(form_rows[i].column, form_rows[k].column);
            assert_string_not_equal(form_rows[i].path, form_rows[k].path);
        }
        assert_true(form_number_good(span_str(form_rows[i].path)));
    }
}

/* ---- allocation ---- */

static void
test_no_memory(void **state)
{
    struct form f;
    struct form g;
    enum err e = ERR_NOMEM;

    (void)state;
    make(&f);
    for (int n = 0; e != ERR_OK; n++) {
        calls_left = n;
        e = form_copy(&g, &f);
        calls_left = -1;
        if (e != ERR_OK) {
            assert_int_equal(e, ERR_NOMEM);
            assert_int_equal(g.n_lines, 0);
            assert_null(g.lines);
            assert_null(g.text[FORM_SITE]);
        }
    }
    assert_true(form_equal(&f, &g));
    calls_left = 0;
    assert_int_equal(form_set(&g.text[FORM_SITE], SPAN_LIT("x")), ERR_NOMEM);
    assert_true(form_equal(&f, &g));
    while (f.n_lines < f.cap_lines)
        assert_non_null(form_add_line(&f));
    calls_left = 0;
    assert_null(form_add_line(&f));
    calls_left = -1;
    form_fini(&f);
    form_fini(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_lines_max),
        cmocka_unit_test(test_copy),      cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
