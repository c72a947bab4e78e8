/* smtp_parts_test - what the event of a mail says of its parts, and which parts
 * have events of their own */
#include "dissectors/smtp_script.h"

#define HELLO S("220 a\r\n"), C("EHLO b\r\n"), S("250 a\r\n")
#define FROM  C("MAIL FROM:<a@b>\r\n"), S("250 ok\r\n")
#define TO    C("RCPT TO:<c@d>\r\n"), S("250 ok\r\n")
#define DATA  C("DATA\r\n"), S("354 go\r\n")
#define SENT  S("250 ok\r\n")
#define QUIT  C("QUIT\r\n"), S("221 bye\r\n")

#define BEGIN HELLO, FROM, TO, DATA
#define END   C("\r\n.\r\n"), SENT, QUIT
#define MIXED "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
#define LAST  "--x--\r\n"
#define FILE_OF(name, more, text)                                              \
    "--x\r\nContent-Type: application/pdf; name=" name "\r\n" more "\r\n" text \
    "\r\n"
#define BODY_OF(type, text)                                                    \
    "--x\r\nContent-Type: text/" type "\r\n\r\n" text "\r\n"
#define MAIL_OF(name)                                                          \
    "--x\r\nContent-Type: message/rfc822; name=" name "\r\n\r\n"               \
    "Subject: s\r\n\r\nhello\r\n"
#define FORK                                                                   \
    "Content-Transfer-Encoding: base64\r\n"                                    \
    "Content-Transfer-Encoding: 7bit\r\n"

#define F1  FILE_OF("a", "", "x")
#define F8  F1 F1 F1 F1 F1 F1 F1 F1
#define F64 F8 F8 F8 F8 F8 F8 F8 F8

#define PROSE                                                                  \
    "the first text of the mail is the one whose words are counted and which " \
    "tells whether two mails are nearly the same"

/* clang-format off */
static const struct {
    struct scenario sc;
    unsigned files; /* events of parts */
    unsigned names; /* of attachments in the mail's event */
} rows[] = {
    {{.why = "the same file twice in one reading: two",
      .steps = {BEGIN, C(MIXED FILE_OF("a", "", "same") FILE_OF("a", "", "same") LAST), END},
      .want = {"tx0 \"attachment\":[\"a\",\"a\"]", "tx0 \"parts\":2", "tx0 !\"readings\""}},
     2, 2},
    {{.why = "read in two ways: two, and what follows once",
      .steps = {BEGIN, C(MIXED FILE_OF("a", FORK, "aGVsbG8=") FILE_OF("b", "", "same") FILE_OF("b", "", "same") LAST), END},
      .want = {"tx0 \"attachment\":[\"a\",\"a\",\"b\",\"b\"]", "tx0 \"readings\":2", "tx0 \"ambiguous\""}},
     4, 4},
    {{.why = "attached messages of one name: each is there",
      .steps = {BEGIN, C(MIXED MAIL_OF("m") MAIL_OF("m") LAST), END},
      .want = {"tx0 \"attachment\":[\"m\",\"m\"]"}},
     0, 2},
    {{.why = "64 names",
      .steps = {BEGIN, C(MIXED F64 LAST), END}, .whole_only = true},
     64, 64},
    {{.why = "65 files, 64 names",
      .steps = {BEGIN, C(MIXED F64 F1 LAST), END}, .whole_only = true},
     65, 64},
    {{.why = "a file is no text of the mail",
      .steps = {BEGIN, C(MIXED "--x\r\nContent-Type: text/html; name=a\r\n\r\n<p>\r\n" LAST), END},
      .want = {"tx0 !html_only", "tx0 !\"name\":\"empty\"", "tx0 !simhash"}},
     1, 1},
    {{.why = "HTML alone",
      .steps = {BEGIN, C(MIXED BODY_OF("html", "<p>") LAST), END},
      .want = {"tx0 html_only"}},
     0, 0},
    {{.why = "HTML beside a text",
      .steps = {BEGIN, C(MIXED BODY_OF("html", "<p>") BODY_OF("plain", "hello") LAST), END},
      .want = {"tx0 !html_only"}},
     0, 0},
    {{.why = "the fingerprint of a text",
      .steps = {BEGIN, C(MIXED BODY_OF("plain", PROSE) LAST), END}, .whole_only = true,
      .want = {"tx0 \"simhash\":\"ef5ed2b0c1fee8db\""}},
     0, 0},
    {{.why = "is that of the first, whatever follows",
      .steps = {BEGIN, C(MIXED BODY_OF("plain", PROSE) BODY_OF("plain", "and another one that has other words in it") LAST), END}, .whole_only = true,
      .want = {"tx0 \"simhash\":\"ef5ed2b0c1fee8db\""}},
     0, 0},
    {{.why = "links of several parts, each once",
      .steps = {BEGIN, C(MIXED BODY_OF("plain", "http://a.de http://b.de") BODY_OF("html", "http://10.0.0.1/ http://a.de") LAST), END},
      .want = {"tx0 \"url\":[\"http://a.de\",\"http://b.de\",\"http://10.0.0.1/\"]", "tx0 \"urls\":3", "tx0 link_to_address"}},
     0, 0},
    {{.why = "links to names only",
      .steps = {BEGIN, C(MIXED BODY_OF("plain", "http://a.de http://b.de") LAST), END},
      .want = {"tx0 \"urls\":2", "tx0 !link_to_address"}},
     0, 0},
    {{.why = "a message that was none: no part is told",
      .steps = {HELLO, FROM, TO, C("DATA\r\n" MIXED FILE_OF("a", "", "x") "--x\r\n"), S("554 no\r\n"), QUIT},
      .whole_only = true, .no_acks = true, .odd = "non_smtp_command,unknown_command,resync"},
     0, 0},
};
/* clang-format on */

static unsigned
count(struct span all, const char *word)
{
    unsigned n = 0;
    size_t at;

    while ((at = span_search(all, span_str(word))) < all.n) {
        all = span_tail(all, at + 1);
        n++;
    }
    return n;
}

/* Names in "attachment":[...] */
static unsigned
count_names(struct span all)
{
    static const struct span key = SPAN_INIT("\"attachment\":[");
    struct span list = span_tail(all, span_search(all, key) + key.n);

    return count(span_head(list, span_find(list, ']')), "\"") / 2;
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wire w = wire_of(&rows[i].sc);
        struct got got;
        struct play p;
        struct span all;

        got_init(&got);
        play_open(&p, &rows[i].sc, &got);
        play_wire(&p, &w);
        play_close(&p, w.end);
        all = buf_view(&got.lines);
        if (count(all, "\"event_type\":\"fileinfo\"") != rows[i].files ||
            count_names(all) != rows[i].names) {
            show(all);
            fail_msg("%s: %u files, %u names", rows[i].sc.why,
                     count(all, "\"event_type\":\"fileinfo\""),
                     count_names(all));
        }
        got_free(&got);
        run_scenario(&rows[i].sc);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
