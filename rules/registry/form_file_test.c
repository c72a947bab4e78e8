#include "rules/registry/form_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/random_form.h"

/* clang-format off */
static const struct {
    const char *why, *text;
    const char *want; /* of the forms; NULL: a fault */
} looks[] = {
    {"short form", "address,site\n192.0.2.1,A\n",
     "- site=A {0 port=any address=192.0.2.1}\n"},
    {"forms in CSV", "form,address\n7,192.0.2.1\n", "7 {0 address=192.0.2.1}\n"},
    {"quoted head", "\"form\",\"address\"\n7,192.0.2.1\n",
     "7 {0 address=192.0.2.1}\n"},
    {"one column", "address\n", ""},
    {"a list", "- form: 7\n", "7\n"},
    {"a list, dash alone", "-\n  form: 7\n", "7\n"},
    {"a form", "form: 7\n", "7\n"},
    {"a section", "site:\n  name: A\n", "- site=A\n"},
    {"a quoted key", "\"form\" : 7\n", "7\n"},
    {"a key with dots", "site.name: A\n", "- site=A\n"},
    {"a document", "---\nform: 7\n", "7\n"},
    {"a directive", "%YAML 1.1\n---\nform: 7\n", "7\n"},
    {"flow", "{form: 7}\n", "7\n"},
    {"flow list", "  [{form: 7}]\n", "7\n"},
    {"comments first", "\xef\xbb\xbf# forms\r\n\r\n  # of May\r\nform: 7\r\n",
     "7\n"},
    {"a colon within CSV", "address,a:b\n", NULL},
    {"nothing", "", NULL},
    {"comments only", "# nothing\n", NULL},
};
/* clang-format on */

static void
test_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        struct buf messages, got;
        struct forms forms;
        enum err e;

        buf_init(&messages, 1 << 16);
        buf_init(&got, 1 << 16);
        e = form_file_read(span_str(looks[i].text), "f", &forms, &messages);
        random_form_describe(&forms, &got);
        if ((e == ERR_OK) != (looks[i].want != NULL) ||
            (looks[i].want != NULL &&
             !span_eq(buf_view(&got), span_str(looks[i].want))))
            fail_msg("%s: %s\n%.*s%.*s", looks[i].why, err_text(e),
                     (int)messages.n, (const char *)messages.p, (int)got.n,
                     (const char *)got.p);
        forms_fini(&forms);
        buf_free(&messages);
        buf_free(&got);
    }
}

/* What is written is known again, whatever stands in it. */
static void
test_written(void **state)
{
    uint64_t x = 99;

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        struct form form;
        struct forms again;
        struct buf csv, yaml, messages;

        buf_init(&csv, 1 << 24);
        buf_init(&yaml, 1 << 24);
        buf_init(&messages, 1 << 16);
        random_form(&x, &form, round % 3);
        form_csv_head(&csv);
        form_csv_write(&form, &csv);
        form_yaml_write(&form, &yaml);
        assert_int_equal(form_file_read(buf_view(&csv), "f", &again, &messages),
                         ERR_OK);
        assert_int_equal(again.n, 1);
        assert_true(form_equal(&form, &again.v[0]));
        forms_fini(&again);
        assert_int_equal(
            form_file_read(buf_view(&yaml), "f", &again, &messages), ERR_OK);
        assert_int_equal(again.n, 1);
        assert_true(form_equal(&form, &again.v[0]));
        forms_fini(&again);
        form_fini(&form);
        buf_free(&csv);
        buf_free(&yaml);
        buf_free(&messages);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
