#include "sensor/app/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

static void
assert_width(const char *topic, const struct buf *text)
{
    size_t column = 0;

    for (size_t i = 0; i < text->n; i++) {
        column = text->p[i] == '\n' ? 0 : column + 1;
        if (column > HELP_WIDTH)
            fail_msg("'%s' is wider than %d columns", topic, HELP_WIDTH);
    }
}

static bool
has(const struct buf *text, const char *s)
{
    return span_search(buf_view(text), span_str(s)) < text->n;
}

static void
test_every_verb_names_its_options(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        struct buf text;

        buf_init(&text, 1U << 16);
        assert_true(help_write(options_verbs[v].words, &text));
        assert_width(options_verbs[v].words, &text);
        for (unsigned i = 0; i < OPTION_COUNT; i++) {
            const struct option_row *row = &options_rows[i];
            char letter[3] = {'-', row->letter, 0};

            if (!options_has_flag((enum option_id)i, (enum verb)v))
                continue;
            if (!has(&text, row->flag) || !has(&text, letter))
                fail_msg("help of %s: %s is not there", options_verbs[v].words,
                         row->flag);
        }
        buf_free(&text);
    }
}

static void
test_list_names_every_verb(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1U << 16);
    assert_true(help_write("", &text));
    assert_width("", &text);
    for (unsigned v = 0; v < VERB_COUNT; v++) { /* those of a noun: below it */
        const char *words = options_verbs[v].words;
        char noun[64];

        (void)snprintf(noun, sizeof(noun), "\n  %.*s%s",
                       (int)strcspn(words, " "), words,
                       strchr(words, ' ') != NULL ? " ..." : " ");
        assert_true(has(&text, noun));
    }
    /* read stands in front, config among what operates */
    assert_true(span_search(buf_view(&text), SPAN_LIT("\n  read")) <
                span_search(buf_view(&text), SPAN_LIT("\noperate\n")));
    assert_true(span_search(buf_view(&text), SPAN_LIT("\n  config ...")) >
                span_search(buf_view(&text), SPAN_LIT("\noperate\n")));
    buf_free(&text);
}

static void
test_nouns_name_their_verbs(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        const char *words = options_verbs[v].words;
        char noun[64];
        struct buf text;

        if (strchr(words, ' ') == NULL)
            continue;
        (void)snprintf(noun, sizeof(noun), "%.*s", (int)strcspn(words, " "),
                       words);
        buf_init(&text, 1U << 16);
        assert_true(help_write(noun, &text));
        assert_width(noun, &text);
        assert_true(has(&text, words));
        buf_free(&text);
    }
}

static void
test_topics(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1U << 16);
    assert_true(help_write("config", &text));
    assert_true(has(&text, "config show"));
    assert_false(has(&text, "completion"));
    buf_reset(&text);
    assert_false(help_write("conf", &text));
    assert_false(help_write("config sho", &text));
    assert_false(help_write("show", &text));
    assert_int_equal(text.n, 0);
    buf_free(&text);
}

static void
test_wrap(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 1024);
    help_wrap(&text, SPAN_LIT("aa bb cc"), 0, 2, 5);
    assert_true(span_eq(buf_view(&text), SPAN_LIT("aa bb\n  cc\n")));
    buf_reset(&text);
    help_wrap(&text, SPAN_LIT("longer"), 0, 2, 5);
    assert_true(span_eq(buf_view(&text), SPAN_LIT("longer\n")));
    buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_verb_names_its_options),
        cmocka_unit_test(test_list_names_every_verb),
        cmocka_unit_test(test_nouns_name_their_verbs),
        cmocka_unit_test(test_topics),
        cmocka_unit_test(test_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
