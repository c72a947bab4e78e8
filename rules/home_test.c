#include "rules/home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PAIRS_MAX 8

/* clang-format off */
static const struct {
    const char *why;
    const char *pairs[PAIRS_MAX]; /* "a b": the ends of a connection */
    const char *want;             /* prefixes with a space behind each */
} guesses[] = {
    {"nothing seen", {NULL}, ""},
    {"a private client", {"10.1.2.3 203.0.113.5"}, "10.0.0.0/8 "},
    {"a private server", {"203.0.113.5 192.168.7.7"}, "192.168.0.0/16 "},
    {"all private blocks that were seen",
     {"10.1.1.1 203.0.113.5", "172.16.0.9 203.0.113.5", "fd00::1 2001:db8::1"},
     "10.0.0.0/8 172.16.0.0/12 fc00::/7 "},
    {"shared address space is inside",
     {"100.64.0.1 203.0.113.5"},
     "100.64.0.0/10 "},
    {"the edges of a block", {"172.31.255.255 203.0.113.5"}, "172.16.0.0/12 "},
    {"beside a block",
     {"172.32.0.0 203.0.113.5", "172.32.0.1 203.0.113.99",
      "172.32.0.2 198.51.100.1"},
     "172.32.0.0/24 "},
    {"private wins over public",
     {"198.51.100.1 203.0.113.5", "198.51.100.2 203.0.113.6",
      "10.0.0.1 203.0.113.5"},
     "10.0.0.0/8 "},
    {"the /24 at most connections",
     {"198.51.100.1 203.0.113.5", "198.51.100.2 192.0.2.6",
      "9.9.9.9 198.51.100.3"},
     "198.51.100.0/24 "},
    {"the /48 at most connections",
     {"2001:db8:1::1 2001:db8:2::1", "2001:db8:1:7::1 2001:db8:3::1",
      "2001:db8:4::1 2001:db8:1::9"},
     "2001:db8:1::/48 "},
    {"exactly half is enough",
     {"198.51.100.1 203.0.113.5", "192.0.2.1 9.9.9.9", "198.51.100.3 8.8.8.8",
      "7.7.7.7 6.6.6.6"},
     "198.51.100.0/24 "},
    {"less than half is not",
     {"198.51.100.1 203.0.113.5", "192.0.2.1 9.9.9.9", "5.5.5.5 8.8.8.8"},
     ""},
    {"a connection within one net counts once",
     {"198.51.100.1 198.51.100.2", "192.0.2.1 9.9.9.9", "192.0.2.2 9.9.8.9",
      "192.0.2.3 9.9.7.9"},
     "192.0.2.0/24 "},
};
/* clang-format on */

static void
see(struct home_guess *g, const char *pair)
{
    struct span s = span_str(pair);
    size_t space = span_find(s, ' ');
    struct addr a;
    struct addr b;

    assert_true(addr_parse(span_head(s, space), &a));
    assert_true(addr_parse(span_tail(s, space + 1), &b));
    home_see(g, &a, &b);
}

static void
guesses_from_a_few(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(guesses); i++) {
        struct home_guess g;
        struct prefix out[HOME_GUESS_MAX];
        struct buf text;
        size_t n;

        home_init(&g);
        for (size_t k = 0; k < PAIRS_MAX && guesses[i].pairs[k] != NULL; k++)
            see(&g, guesses[i].pairs[k]);
        n = home_result(&g, out);
        buf_init(&text, 1024);
        for (size_t k = 0; k < n; k++) {
            prefix_format(&out[k], &text);
            buf_putc(&text, ' ');
        }
        buf_putc(&text, '\0');
        if (strcmp((const char *)text.p, guesses[i].want) != 0)
            fail_msg("%s: %s", guesses[i].why, (const char *)text.p);
        buf_free(&text);
    }
}

/* More nets than there is room for: those met first are counted on. */
static void
is_bounded(void **state)
{
    struct home_guess g;
    struct prefix out[HOME_GUESS_MAX];

    (void)state;
    home_init(&g);
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t far[4] = {1, (uint8_t)(i >> 8), (uint8_t)i, 1};
        uint8_t near[4] = {198, 51, 100, (uint8_t)i};
        struct addr a = addr_v4(near);
        struct addr b = addr_v4(far);

        home_see(&g, &a, &b);
    }
    assert_int_equal(g.n_prefixes, ARRAY_LEN(g.prefixes));
    assert_int_equal(home_result(&g, out), 1);
    assert_int_equal(out[0].addr.b[12], 198);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guesses_from_a_few),
        cmocka_unit_test(is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
