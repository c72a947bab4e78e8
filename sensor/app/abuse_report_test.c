#include "sensor/app/abuse_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What goes into a header field, and to a program as its last word. */
static const struct {
    const char *why, *address;
    bool good;
} mails[] = {
    {"plain",                            "abuse@site.example",            true },
    {"marks that are usual",             "no-c_1.x+y=z@a-b.example",      true },
    {"a host of one label",              "root@localhost",                true },
    {"none",                             "",                              false},
    {"no name",                          "@site.example",                 false},
    {"no domain",                        "abuse@",                        false},
    {"no at",                            "abuse",                         false},
    {"two",                              "a@b@c.example",                 false},
    {"an option",                        "-f@site.example",               false},
    {"a space",                          "a b@site.example",              false},
    {"two addresses",                    "a@b.example,c@d.example",       false},
    {"a line end",                       "a@b.example\nBcc: c@d.example", false},
    {"a carriage return",                "a@b.example\rBcc: c@d.example", false},
    {"a shell's",                        "a@b.example;id",                false},
    {"another one",                      "$(id)@b.example",               false},
    {"angle brackets",                   "<a@b.example>",                 false},
    {"a comment",                        "a@b.example(x)",                false},
    {"a quote",                          "\"a\"@b.example",               false},
    {"a domain that begins with a mark", "a@-b.example",                  false},
    {"a dot at the end",                 "a@b.example.",                  false},
    {"beyond ASCII",                     "a@b\xc3\xa4.example",           false},
};

static void
addresses(void **state)
{
    char text[ABUSE_MAIL + 2] = "a@";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mails); i++) {
        if (abuse_report_mail(mails[i].address) != mails[i].good)
            fail_msg("%s", mails[i].why);
    }
    memset(text + 2, 'b', ABUSE_MAIL - 2);
    assert_true(abuse_report_mail(text));
    text[ABUSE_MAIL] = 'b';
    assert_false(abuse_report_mail(text));
}

static struct abuse_report
report_of(struct span hostile)
{
    struct abuse_report r = {.now = UINT64_C(1795410000) * NS_PER_S,
                             .first = UINT64_C(1795400000) * NS_PER_S,
                             .last = UINT64_C(1795400009) * NS_PER_S,
                             .count = 3,
                             .id = hostile,
                             .title = hostile,
                             .why = hostile,
                             .sender = hostile,
                             .source_port = 40123,
                             .n_checks = 1,
                             .org = "Example",
                             .contact = "noc@example.net"};

    assert_true(addr_parse(SPAN_LIT("10.0.0.1"), &r.host));
    r.checks[0] = (struct abuse_check){hostile, hostile, hostile};
    return r;
}

/* Lines before the first empty one: of a mail its header fields. */
static size_t
head_lines(const struct buf *text)
{
    const struct span head = span_head(
        buf_view(text), span_search(buf_view(text), SPAN_LIT("\n\n")));
    size_t n = 0;

    for (size_t i = 0; i < head.n; i++)
        n += span_at(head, i) == '\n';
    return n;
}

/* No byte of others ends a line, begins a field, or is no ASCII. */
static void
hostile_texts_are_inert(void **state)
{
    uint8_t bytes[256];
    struct buf plain, hostile;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    buf_init(&plain, 1 << 20);
    buf_init(&hostile, 1 << 20);
    for (unsigned k = 0; k < 3; k++) {
        const struct abuse_report quiet = report_of(SPAN_LIT("x"));
        const struct abuse_report loud =
            report_of(span_of(bytes, sizeof(bytes)));
        void (*const writers[])(const struct abuse_report *, struct buf *) = {
            abuse_report_letter, abuse_report_xarf, abuse_report_mail_xarf};

        buf_reset(&plain);
        buf_reset(&hostile);
        writers[k](&quiet, &plain);
        writers[k](&loud, &hostile);
        assert_false(hostile.cut || hostile.failed);
        for (size_t i = 0; i < hostile.n; i++)
            assert_true(hostile.p[i] == '\n' ||
                        (hostile.p[i] >= ' ' && hostile.p[i] < 0x7f));
        assert_int_equal(head_lines(&plain), head_lines(&hostile));
    }
    buf_free(&plain);
    buf_free(&hostile);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(hostile_texts_are_inert),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
