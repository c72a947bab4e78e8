/* rules_man_test - what rules(5) shows as an example is a rule that loads */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/packs/rules_man.h"
#include "rules/sigma/sigma.h"

#define BASE                                                                   \
    "title: base\nname: unknown_recipient\n"                                   \
    "logsource: {product: span25, service: smtp}\n"                            \
    "detection: {s: {smtp.rcpt.class: unknown_user}, condition: s}\n---\n"

static void
load(struct span example)
{
    struct buf text, messages;
    struct sigma_set *s;

    buf_init(&text, 65536);
    buf_init(&messages, 65536);
    buf_str(&text, BASE);
    buf_span(&text, example);
    assert_int_equal(sigma_set_new(&s), ERR_OK);
    if (sigma_load(s, buf_view(&text), SPAN_LIT("rules.5"), &messages) !=
            ERR_OK ||
        sigma_set_compile(s, &messages) != ERR_OK)
        fail_msg("%.*s", (int)messages.n, (const char *)messages.p);
    assert_int_equal(sigma_set_count(s), 2);
    sigma_set_free(s);
    buf_free(&text);
    buf_free(&messages);
}

static void
test_examples(void **state)
{
    static const struct span begin =
        SPAN_INIT(".Bd -literal -offset indent\ntitle:");
    struct buf page;
    struct span rest;
    unsigned n = 0;

    (void)state;
    buf_init(&page, 1U << 20);
    rules_man_write(&page, "November 22, 2026");
    rest = buf_view(&page);
    for (;;) {
        size_t at = span_search(rest, begin);

        if (at == rest.n)
            break;
        rest = span_tail(rest, at + begin.n - 6);
        load(span_head(rest, span_search(rest, SPAN_LIT("\n.Ed")) + 1));
        n++;
    }
    assert_int_equal(n, 2);
    assert_false(page.cut || page.failed);
    buf_free(&page);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples)};

    return cmocka_run_group_tests_name("rules_man", tests, NULL, NULL);
}
