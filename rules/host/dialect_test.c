#include "rules/host/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/record_kit.h"

/* What a test says of a session; NULL: as a mail server does it. */
struct talk {
    const char *hello, *class, *order;
    const char *more_before; /* quality, postscreen; ends in ';' */
    const char *verb_case, *space, *brackets, *eol, *end;
};

static const char * or (const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

static const struct record_map *
session(struct kit *k, const struct talk *t)
{
    char text[1024];

    (void)snprintf(
        text, sizeof(text),
        "%ssmtp.dialect.hello=%s;smtp.dialect.helo_class=%s;"
        "smtp.dialect.verb_case=%s;smtp.dialect.space_after_colon=%s;%s%s%s"
        "smtp.dialect.eol=%s;smtp.dialect.order=%s;smtp.end=%s",
        or (t->more_before, ""), or (t->hello, "EHLO"), or (t->class, "fqdn"),
        or (t->verb_case, "upper"), or (t->space, "false"),
        t->brackets != NULL && *t->brackets == 0 ? ""
                                                 : "smtp.dialect.brackets=",
        or (t->brackets, "true"),
        t->brackets != NULL && *t->brackets == 0 ? "" : ";",
        or (t->eol, "crlf"), or (t->order, "EMRDQ"), or (t->end, "fin"));
    return kit_event(k, EVENT_SMTP_SESSION, 1, text);
}

static struct dialect
dialect_for(const struct talk *t)
{
    struct dialect d = {0, 0, false};
    struct kit k;

    kit_init(&k);
    assert_true(dialect_of(session(&k, t), &d));
    assert_true(d.fingerprint != 0);
    kit_free(&k);
    return d;
}

/* clang-format off */
static const struct { const char *why; struct talk talk; bool same; } prints[] = {
    {"more recipients", {.order = "EMRRRRRRDQ"}, true},
    {"several mails", {.order = "EMRDMRDMRDQ"}, true},
    {"BDAT for DATA", {.order = "EMRBBBQ"}, true},
    {"refused at RCPT", {.order = "EMRQ"}, true},
    {"no QUIT seen", {.order = "EMRD"}, true},
    {"cut at 24", {.order = "EMRRRRRRRRRRRRRRRRRRRRRR"}, true},
    {"RSET between mails", {.order = "EMRDXMRDXQ"}, true},
    {"NOOP", {.order = "EMRDNMRDQ"}, true},
    {"EHLO refused, then HELO", {.hello = "EHLO+HELO", .order = "EHMRDQ"}, true},
    {"STARTTLS refused", {.order = "ESEMRDQ"}, true},
    {"HELO", {.hello = "HELO", .order = "HMRDQ"}, false},
    {"bare word", {.class = "bare_word"}, false},
    {"lower case", {.verb_case = "lower"}, false},
    {"space", {.space = "true"}, false},
    {"no brackets", {.brackets = "false"}, false},
    {"LF", {.eol = "lf"}, false},
    {"RSET before the first mail", {.order = "EXMRDQ"}, false},
    {"VRFY", {.order = "EVMRDQ"}, false},
    {"unknown commands", {.order = "E?MRDQ"}, false},
    {"AUTH", {.order = "EAMRDQ"}, false},
    {"went on under TLS", {.order = "ES", .brackets = ""}, false},
    {"no greeting", {.hello = "none", .order = "MRDQ"}, false},
};

#define B(id) DIALECT_BIT(id)
static const struct { const char *why; struct talk talk; uint32_t odd; } odds[] = {
    /* the first ones as the clients of tests/fixtures/lab.pcap speak */
    {"Postfix, Exim, OpenSMTPD", {0}, 0},
    {"Postfix, kept connection", {.order = "EMRDX", .more_before =
        "smtp.postscreen.no_quit=true;"}, 0},
    {"Python's smtplib", {.verb_case = "mixed"}, 0},
    {"swaks", {.class = "bare_word"}, 0},
    {"a printer", {.hello = "HELO", .class = "address_literal"}, 0},
    {"a client that merely closes", {.order = "EMRRD", .more_before =
        "smtp.postscreen.no_quit=true;"}, 0},
    {"went on under TLS", {.order = "ES", .brackets = ""}, 0},
    {"reset after QUIT", {.end = "rst"}, 0},
    {"LF alone", {.eol = "lf"}, B(LF_ONLY)},
    {"some LF", {.eol = "mixed"}, 0},
    {"space", {.space = "true"}, B(SPACE)},
    {"brackets", {.brackets = "false"}, B(NO_BRACKETS)},
    {"bare address", {.class = "address"}, B(HELO_ADDRESS)},
    {"lower case", {.verb_case = "lower"}, B(LOWER_CASE)},
    {"left with a reply outstanding", {.order = "EMRD", .more_before =
        "smtp.postscreen.hangup=true;smtp.postscreen.no_quit=true;"}, B(NO_QUIT)},
    {"reset after a mail", {.order = "EMRD", .end = "rst", .more_before =
        "smtp.postscreen.no_quit=true;"}, B(NO_QUIT)},
    {"reset before any mail", {.order = "E", .end = "rst", .more_before =
        "smtp.postscreen.no_quit=true;"}, 0},
    {"spoke first", {.more_before = "smtp.postscreen.pregreet=true;"}, B(PREGREET)},
    {"did not wait", {.more_before =
        "smtp.postscreen.pipelining_unoffered=true;"}, B(PIPELINING)},
    {"all of them", {.class = "address", .verb_case = "lower", .space = "true",
        .brackets = "false", .eol = "lf", .end = "rst", .more_before =
        "smtp.postscreen.pregreet=true;"
        "smtp.postscreen.pipelining_unoffered=true;"
        "smtp.postscreen.hangup=true;smtp.postscreen.no_quit=true;"},
        (1U << DIALECT_ODD_COUNT) - 1},
};
/* clang-format on */

static void
takes_the_print_of_the_software(void **state)
{
    struct dialect usual = dialect_for(&(struct talk){0});

    (void)state;
    assert_true(usual.whole);
    for (size_t i = 0; i < ARRAY_LEN(prints); i++) {
        struct dialect d = dialect_for(&prints[i].talk);

        if ((d.fingerprint == usual.fingerprint) != prints[i].same)
            fail_msg("%s", prints[i].why);
    }
}

static void
finds_what_is_odd(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odds); i++) {
        struct dialect d = dialect_for(&odds[i].talk);

        if (d.odd != odds[i].odd)
            fail_msg("%s: %x", odds[i].why, d.odd);
    }
}

static void
says_nothing_of_what_was_not_seen(void **state)
{
    static const char *const damaged[] = {
        "quality.gaps=1;", "quality.oneway=true;", "quality.midstream=true;"};
    struct dialect d = {5, 6, false};
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        struct talk t = {.more_before = damaged[i]};

        assert_false(dialect_of(session(&k, &t), &d));
    }
    assert_false(dialect_of(kit_event(&k, EVENT_SMTP_SESSION, 1, ""), &d));
    assert_int_equal(d.fingerprint, 5);
    kit_free(&k);
}

/* The figure is shown and compared between sensors: it must not change. */
static void
keeps_its_figure(void **state)
{
    struct dialect d = dialect_for(&(struct talk){0});

    (void)state;
    assert_int_equal(d.fingerprint, UINT64_C(0xdbba5e0a001255e6));
}

static void
takes_long_words(void **state)
{
    static char longest[60000];
    struct kit k;
    struct dialect d;
    static const enum field fields[] = {
        FIELD_SMTP_DIALECT_HELLO, FIELD_SMTP_DIALECT_HELO_CLASS,
        FIELD_SMTP_DIALECT_CASE,  FIELD_SMTP_DIALECT_EOL,
        FIELD_SMTP_DIALECT_ORDER,
    };

    (void)state;
    memset(longest, 'M', sizeof(longest) - 1);
    kit_init(&k);
    (void)kit_event(&k, EVENT_SMTP_SESSION, 1, "");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        record_text(&k.out, fields[i], longest);
    record_map_init(&k.map, record_view(&k.out));
    assert_true(dialect_of(&k.map, &d));
    kit_free(&k);
}

static void
names_its_facts(void **state)
{
    (void)state;
    assert_string_equal(dialect_odd_word(DIALECT_ODD_LF_ONLY), "lf_only");
    assert_string_equal(dialect_odd_word(DIALECT_ODD_LOWER_CASE), "lower_case");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_print_of_the_software),
        cmocka_unit_test(finds_what_is_odd),
        cmocka_unit_test(says_nothing_of_what_was_not_seen),
        cmocka_unit_test(keeps_its_figure),
        cmocka_unit_test(takes_long_words),
        cmocka_unit_test(names_its_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
