#include "dissectors/simhash.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the above */
#include <cmocka.h>

#define SEED 7

#define MAIL                                                                   \
    "Dear customer, your parcel 4711 could not be delivered today because "    \
    "of a wrong address. Please visit http://parcel.example/track?id=99 and "  \
    "confirm your data within 48 hours, or the parcel goes back.\r\n"

static uint64_t
of(const char *text, bool html)
{
    struct simhash s;
    uint64_t bits = 0;

    simhash_init(&s, SEED, html);
    simhash_push(&s, span_str(text));
    assert_true(simhash_end(&s, &bits));
    return bits;
}

static int
distance(uint64_t a, uint64_t b)
{
    return __builtin_popcountll(a ^ b);
}

static const struct {
    const char *why, *text;
    bool html;
    int least, most; /* bits that differ from MAIL */
} rows[] = {
    {"the same",                            MAIL,                                    false, 0,  0 },
    {"other digits, case, path of the URL",
     "DEAR customer, your parcel 1234 could not be delivered today because of "
     "a wrong address. Please visit http://parcel.example/x/y/z and confirm "
     "your data within 96 hours, or the parcel goes back.",                          false, 0,  0 },
    {"in HTML",
     "<html><body class=\"a b c d e f\"><p>Dear customer, your parcel 4711 "
     "could not be <b>delivered</b> today because of a wrong address.</p> "
     "Please visit <a href=\"http://x.example/\">http://parcel.example/q</a> "
     "and "
     "confirm your data within 48 hours, or the parcel goes back.",                  true,  0,  0 },
    {"a long word more",                    "aaaaaaaaaabbbbbbbbbbccccccccccd " MAIL, false, 0,  0 },
    {"one word changed",
     "Dear client, your parcel 4711 could not be delivered today because of a "
     "wrong address. Please visit http://parcel.example/track?id=99 and "
     "confirm your data within 48 hours, or the parcel goes back.",                  false, 1,  14},
    {"another mail",
     "The minutes of the meeting of the faculty board are attached; item seven "
     "was moved to next week, and the budget was approved without changes by "
     "all members who were there.",                                                  false, 18, 64},
};

static void
tells_near_from_far(void **state)
{
    uint64_t base = of(MAIL, false);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int d = distance(base, of(rows[i].text, rows[i].html));

        if (d < rows[i].least || d > rows[i].most)
            fail_msg("%s: %d bits", rows[i].why, d);
    }
}

static void
is_the_same_for_any_cut(void **state)
{
    struct span all = span_str(rows[2].text);

    (void)state;
    for (size_t cut = 0; cut <= all.n; cut++) {
        struct simhash s;
        uint64_t bits = 0;

        simhash_init(&s, SEED, true);
        simhash_push(&s, span_head(all, cut));
        simhash_push(&s, span_tail(all, cut));
        assert_true(simhash_end(&s, &bits));
        if (bits != of(rows[2].text, true))
            fail_msg("cut at %zu", cut);
    }
}

/* SIMHASH_WORDS shingles are as many words and two more. */
static void
says_nothing_of_little_text(void **state)
{
    static const char *const words = "a b c d e f g h i j ";
    struct simhash s;
    uint64_t bits;

    (void)state;
    simhash_init(&s, SEED, false);
    simhash_push(&s, span_of(words, 2 * (SIMHASH_WORDS + 1)));
    assert_false(simhash_end(&s, &bits));
    simhash_init(&s, SEED, false);
    simhash_push(&s, span_of(words, 2 * (SIMHASH_WORDS + 2)));
    assert_true(simhash_end(&s, &bits));
}

static void
stops_at_its_limit(void **state)
{
    struct simhash a, b;
    uint64_t x = 0, y = 1;

    (void)state;
    simhash_init(&a, SEED, false);
    simhash_init(&b, SEED, false);
    for (unsigned i = 0; i < SIMHASH_TEXT / 3; i++) {
        uint8_t word[4] = {(uint8_t)('a' + i % 26),
                           (uint8_t)('a' + i / 26 % 26),
                           (uint8_t)('a' + i / 676), ' '};

        simhash_push(&a, span_of(word, 4));
        simhash_push(&b, span_of(word, 4));
    }
    simhash_push(&a, SPAN_LIT("zz"));
    simhash_push(&b, SPAN_LIT("zz and quite a lot of other words after it"));
    assert_true(simhash_end(&a, &x) && simhash_end(&b, &y));
    assert_true(x == y);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_near_from_far),
        cmocka_unit_test(is_the_same_for_any_cut),
        cmocka_unit_test(says_nothing_of_little_text),
        cmocka_unit_test(stops_at_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
