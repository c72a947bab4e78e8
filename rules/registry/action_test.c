#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "rules/registry/action.h"
#include "sensor/base/attr.h"
#include "sensor/base/text.h"

static const uint8_t zeros[32];

/* ---- texts that read, and what they say ---- */

static const char *const good[] = {
    "check when=0 actor=\"b\" form=1",
    "permit when=5 actor=\"ben\" form=2026-118 lines=1-3,5 reference=\"P 17\" "
    "until=99",
    "suspend when=5 actor=\"ben\" form=a.b_c lines=2 reason=\"open "
    "\\\"relay\\\" "
    "C:\\\\x\" until=6",
    "submit when=18446744073709551615 actor=\"Zo\xc3\xab\" form=x",
    "submit when=5 actor=\"a\" form=x line=0 line=0 line=200000",
    "submit when=5 actor=\"a\" form=x until=7 site.name=\"S\" notes=\"n\" "
    "line=3 "
    "port=\"25\" address=\"192.0.2.25\" device=\"d\" line=1 nat=\"yes\"",
    "lose when=1 actor=\"span25\" form=x lines=1-200000",
};

static void
test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct action a;
        struct action_room room;
        struct buf out;
        enum err e = action_read(span_str(good[i]), &a, &room);

        if (e != ERR_OK)
            fail_msg("%s: %s", good[i], err_text(e));
        buf_init(&out, ACTION_CODE_MAX);
        action_code(&a, &out);
        if (!span_eq(buf_view(&out), span_str(good[i])))
            fail_msg("%s gives %.*s", good[i], (int)out.n, (const char *)out.p);
        buf_free(&out);
        action_room_fini(&room);
    }
}

static void
test_parts(void **state)
{
    static const uint32_t lines[] = {1, 2, 3, 5};
    struct action a;
    struct action_room room;

    (void)state;
    assert_int_equal(action_read(span_str(good[1]), &a, &room), ERR_OK);
    assert_int_equal(a.kind, ACTION_PERMIT);
    assert_int_equal(a.when, 5);
    assert_int_equal(a.until, 99);
    assert_string_equal(a.actor, "ben");
    assert_string_equal(a.number, "2026-118");
    assert_string_equal(a.reference, "P 17");
    assert_null(a.reason);
    assert_null(a.form);
    assert_int_equal(a.n_lines, 4);
    assert_memory_equal(a.lines, lines, sizeof(lines));
    action_room_fini(&room);

    assert_int_equal(action_read(span_str(good[2]), &a, &room), ERR_OK);
    assert_string_equal(a.reason, "open \"relay\" C:\\x");
    action_room_fini(&room);

    assert_int_equal(action_read(span_str(good[5]), &a, &room), ERR_OK);
    assert_string_equal(a.form->number, "x");
    assert_string_equal(a.form->text[FORM_NOTES], "n");
    assert_int_equal(a.form->n_lines, 2);
    assert_int_equal(a.form->lines[0].number, 3);
    assert_string_equal(a.form->lines[0].text[FORM_ADDRESS], "192.0.2.25");
    assert_string_equal(a.form->lines[1].text[FORM_NAT], "yes");
    assert_null(a.form->lines[1].text[FORM_PORT]);
    action_room_fini(&room);
}

/* ---- texts that do not ---- */

static const struct {
    const char *why, *text;
} bad[] = {
    {"empty",                           ""                                                   },
    {"no such word",                    "grant when=5 actor=\"a\" form=x"                    },
    {"capitals",                        "PERMIT when=5 actor=\"a\" form=x"                   },
    {"no time",                         "permit actor=\"a\" form=x"                          },
    {"time is no number",               "permit when=x actor=\"a\" form=x"                   },
    {"time too large",                  "permit when=18446744073709551616 actor=\"a\" form=x"},
    {"leading zero",                    "permit when=05 actor=\"a\" form=x"                  },
    {"no actor",                        "permit when=5 form=x"                               },
    {"empty actor",                     "permit when=5 actor=\"\" form=x"                    },
    {"actor not quoted",                "permit when=5 actor=a form=x"                       },
    {"quote not closed",                "permit when=5 actor=\"a form=x"                     },
    {"escape at the end",               "permit when=5 actor=\"a\\"                          },
    {"escape of a plain letter",        "permit when=5 actor=\"\\a\" form=x"                 },
    {"a control character",             "permit when=5 actor=\"a\tb\" form=x"                },
    {"an escaped one",                  "permit when=5 actor=\"a\\x09\" form=x"              },
    {"not UTF-8",                       "permit when=5 actor=\"\xff\" form=x"                },
    {"no form",                         "permit when=5 actor=\"a\""                          },
    {"empty form",                      "permit when=5 actor=\"a\" form="                    },
    {"form with a blank",               "permit when=5 actor=\"a\" form=a b"                 },
    {"form quoted",                     "permit when=5 actor=\"a\" form=\"x\""               },
    {"no lines behind lines=",          "permit when=5 actor=\"a\" form=x lines="            },
    {"line 0",                          "permit when=5 actor=\"a\" form=x lines=0"           },
    {"line past the limit",             "permit when=5 actor=\"a\" form=x lines=200001"      },
    {"run past the limit",              "permit when=5 actor=\"a\" form=x lines=1-200001"    },
    {"run past all numbers",
     "permit when=5 actor=\"a\" form=x lines=1-18446744073709551615"                         },
    {"lines not ascending",             "permit when=5 actor=\"a\" form=x lines=2,1"         },
    {"the same line twice",             "permit when=5 actor=\"a\" form=x lines=2,2"         },
    {"runs overlap",                    "permit when=5 actor=\"a\" form=x lines=1-3,3"       },
    {"run backwards",                   "permit when=5 actor=\"a\" form=x lines=3-1"         },
    {"runs that could be one",          "permit when=5 actor=\"a\" form=x lines=1-2,3"       },
    {"a run written as two",            "permit when=5 actor=\"a\" form=x lines=1,2"         },
    {"a run of one",                    "permit when=5 actor=\"a\" form=x lines=1-1"         },
    {"comma at the end",                "permit when=5 actor=\"a\" form=x lines=1,"          },
    {"until 0",                         "permit when=5 actor=\"a\" form=x until=0"           },
    {"parts in another order",
     "permit when=5 actor=\"a\" form=x until=9 reason=\"r\""                                 },
    {"twice",                           "permit when=5 actor=\"a\" form=x until=9 until=9"   },
    {"unknown part",                    "permit when=5 actor=\"a\" form=x colour=\"red\""    },
    {"two blanks",                      "permit when=5 actor=\"a\"  form=x"                  },
    {"blank at the end",                "permit when=5 actor=\"a\" form=x "                  },
    {"line end",                        "permit when=5 actor=\"a\" form=x\n"                 },
    {"form texts on a permit",
     "permit when=5 actor=\"a\" form=x site.name=\"S\""                                      },
    {"fields in another order",
     "submit when=5 actor=\"a\" form=x notes=\"n\" site.name=\"S\""                          },
    {"empty field",                     "submit when=5 actor=\"a\" form=x site.name=\"\""    },
    {"unknown field",                   "submit when=5 actor=\"a\" form=x site.color=\"red\""},
    {"field of a line before one",
     "submit when=5 actor=\"a\" form=x port=\"25\""                                          },
    {"field of the form behind a line",
     "submit when=5 actor=\"a\" form=x line=1 site.name=\"S\""                               },
    {"line number past the limit",
     "submit when=5 actor=\"a\" form=x line=200001"                                          },
};

static void
test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct action a = {.kind = ACTION_COUNT};
        struct action_room room;

        if (action_read(span_str(bad[i].text), &a, &room) != ERR_FORMAT ||
            a.kind != ACTION_COUNT)
            fail_msg("%s", bad[i].why);
        action_room_fini(&room);
    }
}

/* Every prefix of a text: read, or refused, and what reads codes back. */
static void
test_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct span all = span_str(good[i]);

        for (size_t n = 0; n < all.n; n++) {
            uint8_t *copy = malloc(n + 1);
            struct action a;
            struct action_room room;
            struct buf out;

            assert_non_null(copy);
            memcpy(copy, all.p, n);
            buf_init(&out, ACTION_CODE_MAX);
            if (action_read(span_of(copy, n), &a, &room) == ERR_OK) {
                action_code(&a, &out);
                assert_true(span_eq(buf_view(&out), span_of(copy, n)));
            }
            buf_free(&out);
            action_room_fini(&room);
            free(copy);
        }
    }
}

static void
test_limits(void **state)
{
    struct buf text;
    struct action a;
    struct action_room room;

    (void)state;
    buf_init(&text, (size_t)ACTION_CODE_MAX + 100);
    for (unsigned extra = 0; extra < 2; extra++) {
        buf_reset(&text);
        buf_str(&text, "check when=1 actor=\"");
        for (unsigned i = 0; i < ACTION_TEXT_MAX + extra; i++)
            buf_putc(&text, 'x');
        buf_str(&text, "\" form=x");
        assert_int_equal(action_read(buf_view(&text), &a, &room),
                         extra == 0 ? ERR_OK : ERR_FORMAT);
        action_room_fini(&room);
    }
    for (unsigned extra = 0; extra < 2; extra++) {
        buf_reset(&text);
        buf_str(&text, "submit when=1 actor=\"x\" form=x");
        for (unsigned i = 0; i < FORM_LINES_MAX + extra; i++)
            buf_str(&text, " line=0");
        assert_int_equal(action_read(buf_view(&text), &a, &room),
                         extra == 0 ? ERR_OK : ERR_FORMAT);
        action_room_fini(&room);
    }
    while (text.n <= ACTION_CODE_MAX)
        buf_putc(&text, ' ');
    assert_int_equal(action_read(buf_view(&text), &a, &room), ERR_FORMAT);
    action_room_fini(&room);
    buf_free(&text);
}

/* One line, whatever a caller has overlooked. */
static void
test_controls(void **state)
{
    struct action a = {
        .kind = ACTION_CHECK, .when = 1, .actor = "a\nb\x7f", .number = "x"};
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    action_code(&a, &out);
    assert_true(
        span_eq(buf_view(&out),
                SPAN_LIT("check when=1 actor=\"a\\x0ab\\x7f\" form=x")));
    buf_free(&out);
}

static void
test_words(void **state)
{
    (void)state;
    assert_string_equal(action_word(ACTION_SUBMIT), "submit");
    assert_string_equal(action_word(ACTION_SEE), "see");
}

/* ---- sealing ---- */

/* sha256sum of 32 zero bytes, 00 00 00 00 00 00 00 01, "abc"; and of that hash,
 * 00 00 00 00 00 00 00 02, "abc". */
static void
test_seal(void **state)
{
    static const char *const want[] = {
        "328976acf07e9b1c4a8967f2d63902c9a724235b6363ac83087246ad84cd222a",
        "83af1d58fb499c37c0ff994db4de9380d3ecbe93d83ccf78e93b463fd59c9bfd",
    };
    struct audit a = {0};
    struct buf hex;

    (void)state;
    buf_init(&hex, 100);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t before[32];

        memcpy(before, a.hash, 32);
        assert_int_equal(action_seal(SPAN_LIT("abc"), i + 1, before, &a),
                         ERR_OK);
        assert_int_equal(a.number, i + 1);
        assert_memory_equal(a.before, before, 32);
        buf_reset(&hex);
        text_hex(&hex, span_of(a.hash, 32));
        assert_true(span_eq(buf_view(&hex), span_str(want[i])));
    }
    buf_free(&hex);
}

static void
test_seal_all(void **state)
{
    struct audit a;
    struct audit b;
    uint8_t other[32] = {0};

    (void)state;
    other[31] = 1;
    assert_int_equal(action_seal(SPAN_LIT("abc"), 1, zeros, &a), ERR_OK);
    assert_int_equal(action_seal(SPAN_LIT("abd"), 1, zeros, &b), ERR_OK);
    assert_memory_not_equal(a.hash, b.hash, 32);
    assert_int_equal(action_seal(SPAN_LIT("abc"), 2, zeros, &b), ERR_OK);
    assert_memory_not_equal(a.hash, b.hash, 32);
    assert_int_equal(action_seal(SPAN_LIT("abc"), 1, other, &b), ERR_OK);
    assert_memory_not_equal(a.hash, b.hash, 32);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_parts),
        cmocka_unit_test(test_bad),      cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_controls),
        cmocka_unit_test(test_words),    cmocka_unit_test(test_seal),
        cmocka_unit_test(test_seal_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
