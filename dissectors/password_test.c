#include "dissectors/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

static const struct {
    const char *why, *text;
    bool html, want;
} rows[] = {
  /* ---- given ---- */
    {"a colon",                     "See the file.\nPassword: 4711\n",                       false, true },
    {"letters alone end the line",  "Password: infected\r\nBye",                             false, true },
    {"at the end of the text",      "password: infected",                                    false, true },
    {"=",                           "PASSWORD=abc1",                                         false, true },
    {"a verb and a digit",          "the password is x7y",                                   false, true },
    {"a verb and quotes",           "The password is \"infected\".",                         false, true },
    {"a verb and a colon",          "The password is: infected\n",                           false, true },
    {"directly",                    "password 1234",                                         false, true },
    {"in brackets",                 "the archive (password 1234) is",                        false, true },
    {"on the next line",            "Passwort:\n\n  ab12cd\n",                               false, true },
    {"directly on the next line",   "Passwort\nab12cd\n",                                    false, true },
    {"of an archive",               "Passwort zum Archiv: geheim\n",                         false, true },
    {"a compound",                  "Das Archivpasswort lautet 88AB",                        false, true },
    {"a dash",                      "password - 1234",                                       false, true },
    {"a long dash",                 "password \xe2\x80\x94 1234",                            false, true },
    {"Kennwort",                    "Kennwort: geheim\n",                                    false, true },
    {"French",                      "Mot de passe : 2026abc",                                false, true },
    {"French, a verb",              "Le mot de passe est 2026abc",                           false, true },
    {"Spanish",
     "Contrase\xc3\xb1"
     "a: clave1",                                                                            false, true },
    {"Spanish, Latin-1",
     "Contrase\xf1"
     "a: clave1",                                                                            false, true },
    {"Polish",                      "Has\xc5\x82o: 12345",                                   false, true },
    {"Russian",                     "\xd0\x9f\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c: 777", false,
     true                                                                                                },
    {"Russian, of an archive",
     "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c \xd0\xba "
     "\xd0\xb0\xd1\x80\xd1\x85\xd0\xb8\xd0\xb2\xd1\x83: 777",                                false, true },
    {"Russian, windows-1251",       "\xcf\xe0\xf0\xee\xeb\xfc: 777",                         false, true },
    {"Russian, KOI8-R",             "\xf0\xc1\xd2\xcf\xcc\xd8: 777",                         false, true },
    {"Chinese, its colon",
     "\xe8\xa7\xa3\xe5\x8e\x8b\xe5\xaf\x86\xe7\xa0\x81\xef\xbc\x9a"
     "1234",                                                                                 false, true },
    {"Japanese",
     "\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89: abc1",                   false, true },
    {"quoted letters",              "password: `infected` for now",                          false, true },
    {"the least that is one",       "password: a1b",                                         false, true },
    {"the second one gives it",     "The password follows. Well, password: a1b2",
     false,                                                                                         true },
    {"plain text keeps its angles", "Password: <ab12>",                                      false, true },
    {"no tags in plain text",       "<style Password: ab12",                                 false, true },
    {"HTML",                        "<p>Password: <b>infected</b></p><p>Bye</p>",            true,  true },
    {"within tags",                 "pass<i></i>word<td>:</td><td>4711</td>",                true,  true },
    {"a reference",                 "Password&#58;&nbsp;4711",                               true,  true },
    {"invisible letters",           "pass\xe2\x80\x8bword: 4711",                            false, true },
    {"a < that is no tag",          "if 1 < 2 password: 4711",                               true,  true },
    {"never closed",                "<b password: 4711",                                     true,  true },
    {"behind a style",              "<style>p{}</style>Password: 4711",                      true,  true },
    {"behind a comment",            "<!-- x > -->Password: 4711",                            true,  true },
    {"digits with one mark",        "Password: 12-34",                                       false, true },
    {"more than one",               "Passwords 1234",                                        false, true },
 /* ---- not given ---- */
    {"nothing",                     "",                                                      false, false},
    {"no word",                     "See the file: 4711",                                    false, false},
    {"it follows",                  "The password follows in a separate mail.",              false, false},
    {"behind a colon",              "Password: will be sent by telephone",                   false, false},
    {"a verb",                      "The password is sent separately.",                      false, false},
    {"another sentence",            "Ask for the password. Room: 4711",                      false, false},
    {"another paragraph",           "I have no password\n\nRoom: 4711",                      false, false},
    {"the same with CR",            "I have no password\r\n\r\nRoom: 4711",                  false, false},
    {"too far",
     "The password of the file that you asked me for on the phone was: a1b2",                false, false},
    {"two bytes",                   "password: a1",                                          false, false},
    {"65 bytes",
     "password: "
     "a123456789012345678901234567890123456789012345678901234567890abcd",                    false, false},
    {"a date",                      "password valid until: 31.12.2026",                      false, false},
    {"a time",                      "password sent: 2026-11-23",                             false, false},
    {"a link",                      "Reset your password: https://a.example/x1",             false, false},
    {"an address",                  "Password: ask4it@a.example",                            false, false},
    {"a greeting",                  "Password:\n\nRegards\n",                                false, false},
    {"in a style",                  "<style>password: a1b2</style>",                         true,  false},
    {"in a style without end",      "<style>password: a1b2",                                 true,  false},
    {"in a comment",                "<!-- password: a1b2 -->",                               true,  false},
    {"as an attribute",             "<input type=password value=a1b2>",                      true,  false},
    {"at the very end",             "password",                                              false, false},
    {"a colon and the end",         "password:",                                             false, false},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span text = span_str(rows[i].text);
        uint8_t *exact = malloc(text.n + (text.n == 0));

        assert_non_null(exact);
        memcpy(exact, text.p, text.n);
        if (password_given(span_of(exact, text.n), rows[i].html) !=
            rows[i].want)
            fail_msg("%s", rows[i].why);
        free(exact);
    }
}

/* 64 bytes are a password, 65 are none. */
static void
test_longest(void **state)
{
    char text[100] = "password: ";

    (void)state;
    memset(text + 10, '7', 65);
    assert_true(password_given(span_of(text, 10 + 63), false));
    assert_true(password_given(span_of(text, 10 + 64), false));
    assert_false(password_given(span_of(text, 10 + 65), false));
}

/* Whatever is read, every beginning of it is read too. */
static void
test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span text = span_str(rows[i].text);

        for (size_t n = 0; n <= text.n; n++) {
            uint8_t *exact = malloc(n + (n == 0));

            assert_non_null(exact);
            memcpy(exact, text.p, n);
            (void)password_given(span_of(exact, n), false);
            (void)password_given(span_of(exact, n), true);
            free(exact);
        }
    }
}

/* Time is proportional to the text: were it quadratic, this would not end. */
static void
test_hostile(void **state)
{
    static const char *const all[] = {"<style", "<a", "password",  "password ",
                                      "&",      ":",  "password-", "<!--"};
    size_t n = 1U << 17;
    uint8_t *text = malloc(n);

    (void)state;
    assert_non_null(text);
    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        size_t len = strlen(all[k]);

        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)all[k][i % len];
        assert_false(password_given(span_of(text, n), true));
        assert_false(password_given(span_of(text, n), false));
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
