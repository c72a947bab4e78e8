#include "rules/registry/form_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/random_form.h"

struct set {
    struct forms forms;
    const struct form **v;
    struct form_set set;
};

static void
set_point(struct set *s)
{
    s->v = calloc(s->forms.n + 1, sizeof(struct form *));
    assert_non_null(s->v);
    for (size_t i = 0; i < s->forms.n; i++)
        s->v[i] = &s->forms.v[i];
    s->set = (struct form_set){s->v, s->forms.n};
}

static void
set_read(struct set *s, const char *yaml)
{
    struct buf messages;

    buf_init(&messages, 1 << 20);
    if (form_yaml_read(span_str(yaml), "f", &s->forms, &messages) != ERR_OK)
        fail_msg("%.*s", (int)messages.n, (const char *)messages.p);
    buf_free(&messages);
    set_point(s);
}

static void
set_free(struct set *s)
{
    forms_fini(&s->forms);
    free(s->v);
}

#define LINE1 "{line: 1, address: 192.0.2.1, port: 25}"
#define LINE2 "{line: 2, address: 192.0.2.2, port: 587, device: printer}"

/* clang-format off */
static const struct {
    const char *why, *from, *to;
    bool all;
    const char *want;
    struct form_diff count;
} rows[] = {
    {"nothing", "", "", true, "", {0}},
    {"the same", "[{form: 7, notes: a, lines: [" LINE1 "]}]",
     "[{form: 7, notes: a, lines: [" LINE1 "]}]", true, "", {.forms_same = 1}},
    {"a new form", "", "[{form: 7, site: {name: A}, lines: [" LINE1 "]}]", true,
     "+ form 7 (A), 1 line\n    + line 1: 192.0.2.1 port 25\n",
     {.forms_added = 1, .lines_added = 1}},
    {"no number yet", "[{notes: a}]", "[{notes: a}]", false,
     "+ form (no number yet), 0 lines\n", {.forms_added = 1}},
    {"a form gone", "[{form: 7, lines: [" LINE1 "," LINE2 "]}]", "", true,
     "- form 7, 2 lines\n", {.forms_removed = 1, .lines_removed = 2}},
    {"a form not named", "[{form: 7, lines: [" LINE1 "]}]", "", false, "", {0}},
    {"fields of a form", "[{form: 7, site: {name: A}, notes: b}]",
     "[{form: 7, site: {name: B, code: c}}]", true,
     "~ form 7 (B)\n    site: 'A' -> 'B'\n    site_code: none -> 'c'\n"
     "    notes: 'b' -> none\n", {.forms_changed = 1}},
    {"lines", "[{form: 7, lines: [" LINE1 "," LINE2 "]}]",
     "[{form: 7, lines: [{line: 3, address: 192.0.2.3}, {line: 2, address: "
     "192.0.2.9, port: 587, device: scanner}]}]", true,
     "~ form 7\n    + line 3: 192.0.2.3\n    ~ line 2: 192.0.2.2 port 587\n"
     "        address: '192.0.2.2' -> '192.0.2.9'\n"
     "        device: 'printer' -> 'scanner'\n"
     "    - line 1: 192.0.2.1 port 25\n",
     {.forms_changed = 1, .lines_added = 1, .lines_removed = 1,
      .lines_changed = 1}},
    {"lines not named stay", "[{form: 7, lines: [" LINE1 "," LINE2 "]}]",
     "[{form: 7, lines: [" LINE2 "]}]", false, "", {.forms_same = 1}},
    {"lines without numbers, in another order",
     "[{form: 7, lines: [" LINE1 "," LINE2 "]}]",
     "[{form: 7, lines: [{address: 192.0.2.2/32, port: 587, device: printer}, "
     "{address: 192.0.2.1, port: 25}]}]", true,
     "~ form 7\n    ~ line 2: 192.0.2.2 port 587\n"
     "        address: '192.0.2.2' -> '192.0.2.2/32'\n",
     {.forms_changed = 1, .lines_changed = 1}},
    {"a number before the same ask",
     "[{form: 7, lines: [" LINE1 "]}]",
     "[{form: 7, lines: [{address: 192.0.2.1, port: 25}, " LINE1 "]}]", true,
     "~ form 7\n    + line: 192.0.2.1 port 25\n",
     {.forms_changed = 1, .lines_added = 1}},
    {"another port is another line", "[{form: 7, lines: [" LINE1 "]}]",
     "[{form: 7, lines: [{address: 192.0.2.1, port: 26}]}]", true,
     "~ form 7\n    + line: 192.0.2.1 port 26\n    - line 1: 192.0.2.1 port 25\n",
     {.forms_changed = 1, .lines_added = 1, .lines_removed = 1}},
    {"another length is another line",
     "[{form: 7, lines: [{line: 1, address: 192.0.2.0/24}]}]",
     "[{form: 7, lines: [{address: 192.0.2.0/25}]}]", true,
     "~ form 7\n    + line: 192.0.2.0/25\n    - line 1: 192.0.2.0/24\n",
     {.forms_changed = 1, .lines_added = 1, .lines_removed = 1}},
    {"what is no address", "[{form: 7, lines: [{line: 1, address: here}]}]",
     "[{form: 7, lines: [{address: here, domain: x}, {}]}]", true,
     "~ form 7\n    ~ line 1: here\n        domain: none -> 'x'\n"
     "    + line: no address\n",
     {.forms_changed = 1, .lines_added = 1, .lines_changed = 1}},
    {"made safe", "[{form: 7}]",
     "[{form: 7, notes: \"\\u202e\\\\\", site: {name: \"\\u200b\"}}]", true,
     "~ form 7 (<U+200B>)\n    site: none -> '<U+200B>'\n"
     "    notes: none -> '<U+202E>\\\\'\n", {.forms_changed = 1}},
};
/* clang-format on */

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct form_diff count;
        struct set from, to;
        struct buf out;

        buf_init(&out, 1 << 20);
        set_read(&from, rows[i].from);
        set_read(&to, rows[i].to);
        assert_int_equal(form_diff(from.set, to.set, rows[i].all, &count, &out),
                         ERR_OK);
        if (!span_eq(buf_view(&out), span_str(rows[i].want)))
            fail_msg("%s:\n%.*sinstead of\n%s", rows[i].why, (int)out.n,
                     (const char *)out.p, rows[i].want);
        if (memcmp(&count, &rows[i].count, sizeof(count)) != 0)
            fail_msg("%s: counts", rows[i].why);
        set_free(&from);
        set_free(&to);
        buf_free(&out);
    }
}

/* Nothing is said exactly when nothing differs. */
static void
test_random(void **state)
{
    uint64_t x = 5;

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        struct form a, b;
        const struct form *pa = &a, *pb = &b;
        struct form_diff count;
        struct buf out;

        buf_init(&out, 1 << 24);
        random_form(&x, &a, 7);
        if (round % 2 == 0)
            random_form(&x, &b, 7);
        else
            assert_int_equal(form_copy(&b, &a), ERR_OK);
        memcpy(b.number, a.number, sizeof(a.number));
        assert_int_equal(form_diff((struct form_set){&pa, 1},
                                   (struct form_set){&pb, 1}, true, &count,
                                   &out),
                         ERR_OK);
        assert_int_equal(count.forms_changed + count.forms_same, 1);
        if (form_equal(&a, &b))
            assert_int_equal(out.n, 0);
        assert_int_equal(out.n > 0, count.forms_changed > 0);
        form_fini(&a);
        form_fini(&b);
        buf_free(&out);
    }
}

/* As many lines as there may be, all alike: linear, not quadratic. */
static void
test_alike(void **state)
{
    struct form a, b;
    const struct form *pa = &a, *pb = &b;
    struct form_diff count;
    struct buf out;

    (void)state;
    form_init(&a);
    memcpy(a.number, "7", 2);
    for (size_t i = 0; i < FORM_LINES_MAX; i++) {
        struct form_line *l = form_add_line(&a);

        assert_non_null(l);
        assert_int_equal(
            form_set(&l->text[FORM_ADDRESS], SPAN_LIT("192.0.2.1")), ERR_OK);
    }
    assert_int_equal(form_copy(&b, &a), ERR_OK);
    assert_int_equal(form_set(&b.lines[0].text[FORM_ADDRESS], SPAN_LIT("x")),
                     ERR_OK);
    buf_init(&out, 1 << 24);
    assert_int_equal(form_diff((struct form_set){&pa, 1},
                               (struct form_set){&pb, 1}, true, &count, &out),
                     ERR_OK);
    assert_int_equal(count.lines_added, 1);
    assert_int_equal(count.lines_removed, 1);
    buf_free(&out);
    form_fini(&a);
    form_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
