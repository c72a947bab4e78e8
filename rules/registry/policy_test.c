#include "rules/registry/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define F(f) (1U << POLICY_##f)

enum who { NOBODY, UNKNOWN, LINE };

/* clang-format off */
static const struct {
    const char *why;
    const char *direction;
    enum who client, server; /* NOBODY: not at home */
    enum book_state state;   /* of the line */
    enum book_fit fit;
    uint16_t port;
    const char *helo, *names;
    unsigned want;
} rows[] = {
    {"a sender nobody knows", "outbound", UNKNOWN, NOBODY, 0, 0, 25, "", NULL, F(SENDER)},
    {"a registered one", "outbound", LINE, NOBODY, BOOK_PERMITTED, BOOK_FITS, 25, "", NULL, 0},
    {"asked for, not yet permitted", "outbound", LINE, NOBODY, BOOK_REQUESTED, BOOK_FITS, 25, "", NULL, F(SENDER)},
    {"sent back", "outbound", LINE, NOBODY, BOOK_RETURNED, BOOK_FITS, 25, "", NULL, F(SENDER)},
    {"ended", "outbound", LINE, NOBODY, BOOK_ENDED, BOOK_FITS, 25, "", NULL, F(SENDER)},
    {"suspended", "outbound", LINE, NOBODY, BOOK_SUSPENDED, BOOK_FITS, 25, "", NULL, F(SENDER) | F(SUSPENDED)},
    {"suspended and another port", "outbound", LINE, NOBODY, BOOK_SUSPENDED, BOOK_OTHER_PORT, 25, "", NULL, F(SENDER) | F(SUSPENDED)},
    {"another port", "outbound", LINE, NOBODY, BOOK_PERMITTED, BOOK_OTHER_PORT, 2525, "", NULL, F(SENDER) | F(OTHER_PORT)},
    {"receives only", "outbound", LINE, NOBODY, BOOK_PERMITTED, BOOK_OTHER_USE, 25, "", NULL, F(SENDER) | F(OTHER_DIRECTION)},
    {"submission outward", "outbound", UNKNOWN, NOBODY, 0, 0, 587, "x", NULL, 0},
    {"submission over TLS outward", "outbound", UNKNOWN, NOBODY, 0, 0, 465, "x", NULL, 0},
    {"the port before submission", "outbound", UNKNOWN, NOBODY, 0, 0, 586, "", NULL, F(SENDER)},
    {"the port behind submission", "outbound", UNKNOWN, NOBODY, 0, 0, 588, "", NULL, F(SENDER)},
    {"SMTP on an odd port", "outbound", UNKNOWN, NOBODY, 0, 0, 26, "", NULL, F(SENDER)},
    {"a receiver nobody knows", "inbound", NOBODY, UNKNOWN, 0, 0, 25, "", NULL, F(RECEIVER)},
    {"a registered receiver", "inbound", NOBODY, LINE, BOOK_PERMITTED, BOOK_FITS, 25, "", NULL, 0},
    {"a sender that receives", "inbound", NOBODY, LINE, BOOK_PERMITTED, BOOK_OTHER_USE, 25, "", NULL, F(RECEIVER) | F(OTHER_DIRECTION)},
    {"inward submission is a service", "inbound", NOBODY, UNKNOWN, 0, 0, 587, "", NULL, F(RECEIVER)},
    {"a suspended receiver", "inbound", NOBODY, LINE, BOOK_SUSPENDED, BOOK_FITS, 25, "", NULL, F(RECEIVER) | F(SUSPENDED)},
    {"the outside client's name is not judged", "inbound", NOBODY, LINE, BOOK_PERMITTED, BOOK_FITS, 25, "b.example", "a.example", 0},
    {"internal mail", "internal", UNKNOWN, UNKNOWN, 0, 0, 25, "", NULL, 0},
    {"mail that passes by", "external", NOBODY, NOBODY, 0, 0, 25, "", NULL, 0},
    {"no home networks", "", UNKNOWN, UNKNOWN, 0, 0, 25, "", NULL, 0},
    {"the border, but nobody at home", "outbound", NOBODY, NOBODY, 0, 0, 25, "", NULL, 0},
    {"the name of the form", "outbound", LINE, NOBODY, BOOK_PERMITTED, BOOK_FITS, 25, "MX.a.example.", "mx.a.example", 0},
    {"another name", "outbound", LINE, NOBODY, BOOK_PERMITTED, BOOK_FITS, 25, "pc7", "mx.a.example", F(HELO)},
    {"another name and port", "outbound", LINE, NOBODY, BOOK_PERMITTED, BOOK_OTHER_PORT, 26, "pc7", "mx.a.example", F(SENDER) | F(OTHER_PORT) | F(HELO)},
    {"another name, not permitted", "outbound", LINE, NOBODY, BOOK_REQUESTED, BOOK_FITS, 25, "pc7", "mx.a.example", F(SENDER)},
    {"no name given", "outbound", LINE, NOBODY, BOOK_PERMITTED, BOOK_FITS, 25, "", "mx.a.example", 0},
};

static const struct {
    const char *why, *name, *names;
    bool want;
} names[] = {
    {"equal", "a.example", "a.example", true},
    {"case and dot", "A.Example.", "a.example", true},
    {"dot on the form", "a.example", "A.EXAMPLE.", true},
    {"below", "mx.a.example", "a.example", true},
    {"far below", "x.y.a.example", "a.example", true},
    {"above", "example", "a.example", false},
    {"ends alike, but is no part", "bada.example", "a.example", false},
    {"one of many", "b.example", "a.example, b.example c.example", true},
    {"none of many", "d.example", "a.example,b.example", false},
    {"no name on the form", "d.example", NULL, true},
    {"blanks on the form", "d.example", " , ,", true},
    {"nothing given", "", "a.example", true},
    {"a literal", "[10.0.0.1]", "a.example", false},
    {"a dot alone", ".", "a.example", true},
    {"a dot on the form", "a.example", ".", true},
    {"control characters", "a.example\r\n250 a.example", "b.example", false},
    {"a dot before it", ".a.example", "a.example", true},
};
/* clang-format on */

static void
judges_by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct form_line form = {.number = 1};
        struct book_line line = {.line = &form};
        struct book_verdict known = {
            .line = &line,
            .state = rows[i].state,
            .fit = rows[i].fit,
            .registered =
                rows[i].state == BOOK_PERMITTED && rows[i].fit == BOOK_FITS,
        };
        struct book_verdict unknown = {.state = BOOK_NONE};
        const struct book_verdict *of[] = {NULL, &unknown, &known};
        struct policy_in in = {
            .direction = policy_direction(span_str(rows[i].direction)),
            .port = rows[i].port,
            .client = of[rows[i].client],
            .server = of[rows[i].server],
            .helo = span_str(rows[i].helo),
        };
        unsigned got;

        form.text[FORM_DOMAIN] =
            rows[i].names != NULL ? strdup(rows[i].names) : NULL;
        got = policy_judge(&in);
        free(form.text[FORM_DOMAIN]);
        if (got != rows[i].want)
            fail_msg("%s: %x, not %x", rows[i].why, got, rows[i].want);
    }
}

static void
compares_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (policy_name_fits(span_str(names[i].name), names[i].names) !=
            names[i].want)
            fail_msg("%s", names[i].why);
    }
}

/* NUL is a byte like others; the words are all different. */
static void
takes_any_bytes(void **state)
{
    (void)state;
    assert_false(policy_name_fits(SPAN_LIT("a\0.example"), "a.example"));
    for (unsigned i = 0; i < POLICY_COUNT; i++) {
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(policy_word(i), policy_word(k));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_the_table),
        cmocka_unit_test(compares_names),
        cmocka_unit_test(takes_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
