#include "dissectors/mail_score.h"

#include "dissectors/finding.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the above */
#include <cmocka.h>

/* A message that nobody could object to. */
static struct mail_facts
plain_mail(void)
{
    return (struct mail_facts){
        .from = SPAN_LIT("Ann Lee <ann@example.org>"),
        .subject = SPAN_LIT("Minutes"),
        .message_id = SPAN_LIT("<1@example.org>"),
        .mail_from = SPAN_LIT("<ann@example.org>"),
        .has_date = true,
        .has_recipient = true,
        .has_received = true,
        .header_whole = true,
        .body_whole = true,
        .has_text = true,
        .text_bytes = 500,
    };
}

static uint64_t
bit(enum mail_symbol s)
{
    return UINT64_C(1) << s;
}

static void
finds_nothing_in_plain_mail(void **state)
{
    struct mail_facts f = plain_mail();

    (void)state;
    assert_true(mail_score(&f) == 0);
    f.mail_from = SPAN_LIT("<>"); /* a bounce says nothing of a domain */
    assert_true(mail_score(&f) == 0);
    f.mail_from = SPAN_NONE;
    assert_true(mail_score(&f) == 0);
}

#define ROW(why, change, want)                                                 \
    {                                                                          \
        struct mail_facts f = plain_mail();                                    \
        uint64_t got;                                                          \
        change;                                                                \
        got = mail_score(&f);                                                  \
        if (got != (want))                                                     \
            fail_msg("%s: %#llx", (why), (unsigned long long)got);             \
    }

static void
reads_the_header(void **state)
{
    (void)state;
    ROW("no From", f.from = SPAN_NONE, bit(MAIL_SYMBOL_NO_FROM))
    ROW("no date", f.has_date = false, bit(MAIL_SYMBOL_NO_DATE))
    ROW("no id", f.message_id = SPAN_NONE, bit(MAIL_SYMBOL_NO_MESSAGE_ID))
    ROW("id without @", f.message_id = SPAN_LIT("<1>"),
        bit(MAIL_SYMBOL_BAD_MESSAGE_ID))
    ROW("id without brackets", f.message_id = SPAN_LIT("1@x"),
        bit(MAIL_SYMBOL_BAD_MESSAGE_ID))
    ROW("no subject", f.subject = SPAN_NONE, bit(MAIL_SYMBOL_NO_SUBJECT))
    ROW("lost header says nothing",
        (f.subject = SPAN_NONE, f.header_whole = false), 0)
    ROW("ten capitals", f.subject = SPAN_LIT("BUY 1 VIAGRA!"), 0)
    ROW("ten capitals and more", f.subject = SPAN_LIT("BUY VIAGRA NOW!"),
        bit(MAIL_SYMBOL_SHOUTS))
    ROW("nine capitals", f.subject = SPAN_LIT("ABCDEFGHI"), 0)
    ROW("other sender", f.mail_from = SPAN_LIT("<x@evil.example>"),
        bit(MAIL_SYMBOL_SENDER_DIFFERS))
    ROW("same sender, other case", f.mail_from = SPAN_LIT("<x@EXAMPLE.org>"), 0)
    ROW("other reply", f.reply_to = SPAN_LIT("x@free.example"),
        bit(MAIL_SYMBOL_REPLY_DIFFERS))
    ROW("name of another",
        f.from = SPAN_LIT("\"boss@corp.example\" <ann@example.org>"),
        bit(MAIL_SYMBOL_NAME_IS_ADDRESS))
    ROW("name of the same",
        f.from = SPAN_LIT("\"ann@example.org\" <ann@example.org>"), 0)
}

static void
reads_the_body(void **state)
{
    (void)state;
    ROW("HTML only", (f.has_text = false, f.has_html = true),
        bit(MAIL_SYMBOL_HTML_ONLY))
    ROW("empty", f.text_bytes = 0, bit(MAIL_SYMBOL_EMPTY))
    ROW("empty with a file", (f.text_bytes = 0, f.has_attachment = true), 0)
    ROW("not seen whole", (f.text_bytes = 0, f.body_whole = false), 0)
    ROW("a link in 199 bytes", (f.text_bytes = 199, f.n_links = 1),
        bit(MAIL_SYMBOL_LINK_ONLY))
    ROW("a link in 200 bytes", (f.text_bytes = 200, f.n_links = 1), 0)
    ROW("19 links", f.n_links = 19, 0)
    ROW("20 links", f.n_links = 20, bit(MAIL_SYMBOL_MANY_LINKS))
    ROW("classes", f.classes = 1U << FINDING_A | 1U << FINDING_C,
        bit(MAIL_SYMBOL_CLASS_A) | bit(MAIL_SYMBOL_CLASS_C))
}

static void
reads_the_dialogue(void **state)
{
    (void)state;
    ROW("3 of 3 unknown", (f.rcpt_answered = 3, f.rcpt_unknown = 3), 0)
    ROW("2 of 4 unknown", (f.rcpt_answered = 4, f.rcpt_unknown = 2),
        bit(MAIL_SYMBOL_REPLY_UNKNOWN))
    ROW("2 of 5 unknown", (f.rcpt_answered = 5, f.rcpt_unknown = 2), 0)
    ROW("early", f.pregreet = true, bit(MAIL_SYMBOL_PREGREET))
    ROW("refused", f.refused_by_policy = true, bit(MAIL_SYMBOL_REPLY_POLICY))
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_in_plain_mail),
        cmocka_unit_test(reads_the_header),
        cmocka_unit_test(reads_the_body),
        cmocka_unit_test(reads_the_dialogue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
