#include "rules/host/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/dialect.h"
#include "rules/host/record_kit.h"

/* Fields in the order of fields.def: what is NULL is as in an accepted mail. */
struct mail {
    const char *before; /* up to smtp.null_sender; ends in ';' */
    const char *after;  /* from smtp.final_blocklist to smtp.cut */
    const char *header; /* email.received, email.bulk */
    const char *symbols;
    bool duplicate;
    uint32_t odd;
};

#define VIA     "smtp.via=DATA;smtp.outcome=accepted;"
#define RECV    "email.received=a;"
#define LIST    "email.bulk=list-id;"
#define REFUSED "smtp.via=DATA;smtp.outcome=rejected;"
#define NOTHING "-" /* no score */

static const struct record_map *
event(struct kit *k, const struct mail *m)
{
    char text[1024];
    const char *symbols = m->symbols != NULL ? m->symbols : "";

    if (strcmp(symbols, NOTHING) == 0)
        (void)snprintf(text, sizeof(text), "%s%s",
                       m->before != NULL ? m->before : "",
                       m->after != NULL ? m->after : VIA);
    else
        (void)snprintf(text, sizeof(text), "%s%s%semail.score=99%s%s",
                       m->before != NULL ? m->before : "",
                       m->after != NULL ? m->after : VIA,
                       m->header != NULL ? m->header : "",
                       *symbols != 0 ? ";email.symbols=" : "", symbols);
    return kit_event(k, EVENT_SMTP, 1, text);
}

#define S       (1U << JUDGE_SCORE)
#define D       (1U << JUDGE_DUPLICATE)
#define T       (1U << JUDGE_DIALECT)
#define B       (1U << JUDGE_BLOCKLIST)
#define ODD(id) DIALECT_BIT(id)

enum verdict { GOOD, BAD, NONE };

/* clang-format off */
static const struct {
    const char *why;
    struct mail mail;
    enum verdict want;
    uint32_t signs;
} rows[] = {
    {"nothing against it", {0}, GOOD, 0},
    /* score, at n-1, n, n+1 */
    {"five points", {.symbols = "no_date:1,class_c:4"}, GOOD, 0},
    {"six points", {.symbols = "no_date:1,class_c:5"}, BAD, S},
    {"seven points", {.symbols = "no_date:1,class_c:6"}, BAD, S},
    {"a script", {.symbols = "no_date:1,no_message_id:1,no_received:1,"
        "no_recipient:1,html_only:1"}, GOOD, 0},
    {"an empty header", {.symbols = "no_from:2,no_date:1,no_message_id:1,"
        "no_subject:1,no_recipient:1,no_received:1"}, GOOD, 0},
    {"and one fault more", {.symbols = "no_from:2,no_date:1,no_message_id:1,"
        "no_subject:1,no_recipient:1,no_received:1,empty:1"}, GOOD, 0},
    {"and two", {.symbols = "no_from:2,no_date:1,no_message_id:1,"
        "no_subject:1,no_recipient:1,no_received:1,link_to_address:2"}, BAD, S},
    {"a list, eight", {.header = LIST, .symbols = "class_b:8"}, GOOD, 0},
    {"a list, nine", {.header = LIST, .symbols = "class_b:9"}, BAD, S},
    {"the server's word is no content", {.symbols = "reply_policy:4,"
        "reply_unknown:2,no_date:1"}, GOOD, 0},
    {"the dialogue is no content", {.symbols = "bare_lf:1,helo:1,no_helo:2,"
        "non_smtp_command:2"}, GOOD, 0},
    {"symbols unknown here count", {.symbols = "of_another_version:6"}, BAD, S},
    {"points beyond all sense", {.symbols =
        "class_a:18446744073709551615,no_date:1"}, GOOD, 0},
    /* dialect */
    {"strong by its symbol", {.symbols = "pregreet:3"}, BAD, T},
    {"strong by the session", {.odd = ODD(PIPELINING)}, BAD, T},
    {"all weak facts at once", {.odd = ODD(LF_ONLY) | ODD(SPACE) |
        ODD(NO_BRACKETS) | ODD(HELO_ADDRESS) | ODD(NO_QUIT) |
        ODD(LOWER_CASE)}, GOOD, 0},
    /* duplicate */
    {"cron jobs write the same", {.duplicate = true}, GOOD, 0},
    {"and a weak fact", {.duplicate = true, .odd = ODD(SPACE)}, BAD, D | T},
    {"and a weak symbol", {.duplicate = true, .symbols = "bare_lf:1"}, BAD, D | T},
    {"and two points", {.duplicate = true, .symbols = "no_date:2"}, GOOD, 0},
    {"and half the points", {.duplicate = true, .symbols = "no_date:3"}, BAD, D | S},
    {"and all points", {.duplicate = true, .symbols = "class_c:6"}, BAD, D | S},
    {"a list: half of nine", {.duplicate = true, .header = LIST,
        .symbols = "class_c:4"}, GOOD, 0},
    {"a list: more", {.duplicate = true, .header = LIST,
        .symbols = "class_c:5"}, BAD, D | S},
    /* block lists */
    {"a list of links", {.after = "smtp.final_blocklist=multi.surbl.org;"
        REFUSED}, BAD, B},
    {"a list of domains", {.after = "smtp.final_blocklist=dbl.spamhaus.org;"
        REFUSED}, BAD, B},
    {"in capitals", {.after = "smtp.final_blocklist=URIBL;" REFUSED}, BAD, B},
    {"a list of addresses", {.after = "smtp.final_blocklist=zen.spamhaus.org;"
        REFUSED}, GOOD, 0},
    {"cited before the message", {.after =
        "smtp.final_blocklist=multi.surbl.org;smtp.outcome=rejected;"}, NONE, 0},
    /* who made it */
    {"relayed and bad", {.header = RECV RECV, .symbols = "class_a:15",
        .duplicate = true}, NONE, 0},
    {"relayed and good", {.header = RECV RECV}, GOOD, 0},
    {"one Received is a client's", {.header = RECV, .symbols = "class_a:15"},
        BAD, S},
    {"a list with one", {.header = RECV LIST, .symbols = "class_a:15"}, NONE, 0},
    {"relayed, refused for its links", {.after =
        "smtp.final_blocklist=multi.surbl.org;" REFUSED,
        .header = RECV RECV}, NONE, 0},
    {"relayed, weak fact", {.header = RECV RECV, .duplicate = true,
        .odd = ODD(SPACE)}, NONE, 0},
    {"no server relays so", {.header = RECV RECV, .symbols = "class_a:15",
        .odd = ODD(PREGREET), .duplicate = true}, BAD, T},
    /* cannot be judged */
    {"no message", {.after = "smtp.outcome=no-data;", .symbols = "class_a:15"},
        NONE, 0},
    {"a part that goes on", {.after = "smtp.via=DATA;",
        .symbols = "class_a:15"}, NONE, 0},
    {"null sender", {.before = "smtp.mail_from=<>;", .symbols = "class_a:15"},
        NONE, 0},
    {"null sender by its flag", {.before = "smtp.null_sender=true;",
        .symbols = "class_a:15"}, NONE, 0},
    {"nothing was read", {.symbols = NOTHING, .odd = ODD(PREGREET)}, NONE, 0},
    {"cut without a sign", {.after = VIA "smtp.cut=gap;"}, NONE, 0},
    {"cut with one", {.after = VIA "smtp.cut=gap;", .symbols = "class_b:6"},
        BAD, S},
    {"truncated without a sign", {.before = "quality.truncated=true;"}, NONE, 0},
};
/* clang-format on */

static void
judges_messages(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct mail *m = &rows[i].mail;
        struct campaign_join joined = {.duplicate = m->duplicate};
        struct judgement j =
            judge_message(&judge_design_default, event(&k, m),
                          i % 2 == 0 || m->duplicate ? &joined : NULL, m->odd);

        if (j.judged != (rows[i].want != NONE) ||
            j.bad != (rows[i].want == BAD) || j.why != rows[i].signs)
            fail_msg("%s: judged %d bad %d why %x", rows[i].why, j.judged,
                     j.bad, j.why);
    }
    kit_free(&k);
}

static void
follows_its_design(void **state)
{
    struct judge_design d = {.score = 2, .score_list = 3};
    struct mail m = {.symbols = "class_c:2"};
    struct kit k;

    (void)state;
    kit_init(&k);
    assert_true(judge_message(&d, event(&k, &m), NULL, 0).bad);
    m.header = LIST;
    assert_false(judge_message(&d, event(&k, &m), NULL, 0).bad);
    kit_free(&k);
}

static void
names_its_signs(void **state)
{
    static const char *const words[] = {"score", "duplicate", "dialect",
                                        "blocklist"};

    (void)state;
    for (unsigned i = 0; i < JUDGE_WHY_COUNT; i++)
        assert_string_equal(judge_word((enum judge_why)i), words[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_messages),
        cmocka_unit_test(follows_its_design),
        cmocka_unit_test(names_its_signs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
