#include "rules/registry/form_diff.h"
#include "rules/registry/form_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tests/support/random_form.h"
#include "tests/support/alloc_fails.h"

/* Of a length that is never touched. */
static void
test_file_max(void **state)
{
    static const uint8_t magic[] = {'P', 'K', 3, 4};
    const size_t most = (size_t)FORM_FILE_MAX + 1;
    uint8_t *p = mmap(NULL, most, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)state;
    assert_true(p != MAP_FAILED);
    memcpy(p, magic, sizeof(magic));
    for (size_t n = FORM_FILE_MAX; n <= most; n++) {
        struct buf messages;
        struct forms forms;

        buf_init(&messages, 1 << 16);
        assert_int_equal(form_csv_read(span_of(p, n), "f", &forms, &messages),
                         ERR_FORMAT);
        assert_int_equal(
            span_search(buf_view(&messages), SPAN_LIT("longer than 1 GiB")) <
                messages.n,
            n > FORM_FILE_MAX);
        forms_fini(&forms);
        buf_free(&messages);
    }
    (void)munmap(p, most);
}

/* ---- the look of a file ---- */

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

static const char *const small[] = {
    "form,line,site,address,notes\n7,1,A,192.0.2.1,'=b\n8,1,,192.0.2.1,\n"
    "8,2,,192.0.2.2,\n8,3,,192.0.2.3,\n8,4,,192.0.2.4,\n8,5,,192.0.2.5,\n",
    "address,site\n192.0.2.1,A\n192.0.2.2,B\n",
    "- form: 7\n  notes: a\n  lines:\n  - {line: 1, address: 192.0.2.1}\n"
    "- {site: {name: A}, lines: [{address: 192.0.2.1}, {}]}\n",
};

/* Whichever fails: told as such, and nothing is left behind. */
static void
test_no_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(small); i++) {
        enum err e = ERR_NOMEM;
        int n = 0;

        for (; e != ERR_OK; n++) {
            struct buf messages;
            struct forms forms;

            buf_init(&messages, 1 << 16);
            calls_left = n;
            e = form_file_read(span_str(small[i]), "f", &forms, &messages);
            calls_left = -1;
            assert_true(e == ERR_OK || (e == ERR_NOMEM && forms.n == 0));
            forms_fini(&forms);
            buf_free(&messages);
        }
        assert_true(n > 5);
    }
}

static void
test_diff_no_memory(void **state)
{
    enum err e = ERR_NOMEM;
    struct buf messages;
    struct forms forms;
    const struct form *v[2];

    (void)state;
    buf_init(&messages, 1 << 16);
    assert_int_equal(form_file_read(span_str(small[0]), "f", &forms, &messages),
                     ERR_OK);
    assert_int_equal(forms.n, 2);
    v[0] = &forms.v[0];
    v[1] = &forms.v[1];
    for (int n = 0; e != ERR_OK; n++) {
        struct form_diff count;
        struct buf out;

        buf_init(&out, 1 << 16);
        assert_true(buf_grow(&out, 1 << 12));
        calls_left = n;
        e = form_diff((struct form_set){v, 2}, (struct form_set){v, 2}, true,
                      &count, &out);
        calls_left = -1;
        assert_true(e == ERR_OK || e == ERR_NOMEM);
        buf_free(&out);
    }
    forms_fini(&forms);
    buf_free(&messages);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),          cmocka_unit_test(test_written),
        cmocka_unit_test(test_file_max),       cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_diff_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
