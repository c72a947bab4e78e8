#include "rules/registry/form_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/random_form.h"

typedef void writer(const struct form_text *t, struct buf *out);

static writer *const writers[] = {form_text_plain, form_text_html};

static size_t
place(const struct buf *b, const char *what)
{
    return span_search(buf_view(b), span_str(what));
}

/* A field of a group that nobody knows would be missing from the form. */
static void
test_blank(void **state)
{
    const struct form_text blank = {.blank_lines = 3};

    (void)state;
    for (size_t w = 0; w < ARRAY_LEN(writers); w++) {
        struct buf out;

        buf_init(&out, 1 << 20);
        writers[w](&blank, &out);
        for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
            const struct form_row *row = &form_rows[i];
            bool many = w == 0 && row->scope == FORM_SCOPE_LINE;
            char label[128];

            (void)snprintf(label, sizeof(label), "%s%s%s",
                           w == 0 ? "\n  " : "\">", row->label,
                           row->must ? " *"
                           : w == 0  ? "  "
                                     : "<");
            if (random_form_count(&out, label) != (many ? 3U : 1U))
                fail_msg("%zu: %s, %zu times", w, label,
                         random_form_count(&out, label));
            if (row->help[0] != 0 && strchr(row->help, '\'') == NULL)
                assert_true(random_form_count(&out, row->help) >=
                            (many ? 3U : 1U));
        }
        buf_free(&out);
    }
}

static void
test_order(void **state)
{
    static const char *const order[] = {"Form number",
                                        "Site contact",
                                        "Technical contact",
                                        "Billing contact",
                                        "Abuse contact",
                                        "Totals",
                                        "Addresses and ports",
                                        "Conditions",
                                        "Signature",
                                        "Office use",
                                        "Received",
                                        "Permit number",
                                        "Notes"};
    const struct form_text blank = {.blank_lines = 1};

    (void)state;
    for (size_t w = 0; w < ARRAY_LEN(writers); w++) {
        struct buf out;
        size_t before = 0;

        buf_init(&out, 1 << 20);
        writers[w](&blank, &out);
        for (size_t i = 0; i < ARRAY_LEN(order); i++) {
            size_t at = place(&out, order[i]);

            if (at < before || at == out.n)
                fail_msg("%s", order[i]);
            before = at;
        }
        buf_free(&out);
    }
}

static void
fill(struct form *f)
{
    form_init(f);
    memcpy(f->number, "2026-118", 9);
    assert_int_equal(
        form_set(&f->text[FORM_SITE], SPAN_LIT("<b>A & \"B\"</b>\xe2\x80\x8b")),
        ERR_OK);
    assert_int_equal(
        form_set(&f->text[FORM_SITE_CONTACT_NAME], SPAN_LIT("Ada")), ERR_OK);
    for (uint32_t i = 0; i < 2; i++) {
        struct form_line *l = form_add_line(f);

        assert_non_null(l);
        l->number = i;
        assert_int_equal(
            form_set(&l->text[FORM_ADDRESS], SPAN_LIT("192.0.2.25")), ERR_OK);
    }
}

static void
test_filled(void **state)
{
    struct form f;
    struct form_text t = {.form = &f};
    struct buf out;

    (void)state;
    fill(&f);
    t.office[FORM_TEXT_PERMIT] = "P-<1>";
    buf_init(&out, 1 << 20);
    form_text_html(&t, &out);
    assert_int_equal(random_form_count(&out, "<b>"), 0);
    assert_int_equal(
        random_form_count(&out, "&lt;b&gt;A &amp; &quot;B&quot;&lt;/b&gt;"
                                "&lt;U+200B&gt;"),
        1);
    assert_int_equal(random_form_count(&out, "<td>P-&lt;1&gt;</td>"), 1);
    assert_int_equal(random_form_count(&out, "<td>2026-118</td>"), 1);
    assert_int_equal(random_form_count(&out, "<td>Ada</td>"), 1);
    assert_int_equal(random_form_count(&out, "<td>192.0.2.25</td>"), 2);
    assert_int_equal(random_form_count(&out, "<tr><td>1</td>"), 1);
    assert_int_equal(random_form_count(&out, "<tr><td></td>"), 1);
    buf_reset(&out);
    form_text_plain(&t, &out);
    assert_int_equal(random_form_count(&out, "<b>A & \"B\"</b><U+200B>\n"), 1);
    assert_int_equal(random_form_count(&out, "\nLine 1\n"), 1);
    assert_int_equal(random_form_count(&out, "\nLine (no number yet)\n"), 1);
    assert_int_equal(random_form_count(&out, "  2026-118\n"), 1);
    t.without_personal = true;
    for (size_t w = 0; w < ARRAY_LEN(writers); w++) {
        buf_reset(&out);
        writers[w](&t, &out);
        assert_int_equal(random_form_count(&out, "Ada"), 0);
        assert_int_equal(random_form_count(&out, "Site contact"), 0);
        assert_int_equal(random_form_count(&out, "192.0.2.25"), 2);
        assert_true(random_form_count(&out, "Office use") == 1);
    }
    buf_free(&out);
    form_fini(&f);
}

/* Whatever stands in a form, the page has the same tags. */
static void
test_tags(void **state)
{
    uint64_t x = 11;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        struct form f;
        struct form_text t = {.form = &f};
        struct form_text blank;
        struct buf out, want;

        random_form(&x, &f, round);
        blank = (struct form_text){.blank_lines = f.n_lines};
        buf_init(&out, 1 << 24);
        buf_init(&want, 1 << 24);
        form_text_html(&t, &out);
        form_text_html(&blank, &want);
        assert_int_equal(random_form_count(&out, "<"),
                         random_form_count(&want, "<"));
        assert_int_equal(random_form_count(&out, ">"),
                         random_form_count(&want, ">"));
        assert_int_equal(random_form_count(&out, "\""),
                         random_form_count(&want, "\""));
        buf_free(&out);
        buf_free(&want);
        form_fini(&f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blank),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_filled),
        cmocka_unit_test(test_tags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
