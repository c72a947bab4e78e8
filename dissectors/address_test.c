#include "dissectors/address.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "sensor/base/buf.h"

/* want: "text|name|addr\n" for each mailbox */
static const struct {
    const char *why, *in, *want;
    unsigned seen;
} lists[] = {
    {"nothing",                       "",                            "",                                    0            },
    {"blanks and commas",             " , ,, ",                      "",                                    0            },
    {"bare",                          "a@b",                         "a@b||a@b\n",                          0            },
    {"name and brackets",             "A B <a@b>",                   "A B <a@b>|A B|a@b\n",                 0            },
    {"quoted comma",                  "\"B, A\" <a@b>, c@d",
     "\"B, A\" <a@b>|\"B, A\"|a@b\nc@d||c@d\n",                                                             0            },
    {"quoted quote",                  "\"a\\\"b, c\" <a@b>",
     "\"a\\\"b, c\" <a@b>|\"a\\\"b, c\"|a@b\n",                                                             0            },
    {"name in a comment",             "a@b (A B)",                   "a@b (A B)|A B|a@b\n",                 0            },
    {"nested comments",               "a@b (x (y, z) <q@r>)",
     "a@b (x (y, z) <q@r>)|x (y, z) <q@r>|a@b\n",                                                           0            },
    {"only a comment",                "(no To-header on input)",     "",                                    0            },
    {"comment before",                "(x) a@b",                     "(x) a@b||a@b\n",                      0            },
    {"group",                         "T: a@b, C <c@d>; e@f",        "a@b||a@b\nC <c@d>|C|c@d\ne@f||e@f\n", 0            },
    {"group with a quoted name",      "\"T G\":a@b;",                "a@b||a@b\n",                          0            },
    {"empty group",                   "undisclosed-recipients:;",    "undisclosed-recipients:;||\n",
     0                                                                                                                   },
    {"empty group after a mailbox",   "a@b, x: ;",                   "a@b||a@b\nx: ;||\n",                  0            },
    {"empty group never closed",      "x:",                          "x:||\n",                              0            },
    {"group never closed",            "x: a@b",                      "a@b||a@b\n",                          0            },
    {"semicolons, as Outlook shows",  "a@b; c@d",                    "a@b||a@b\nc@d||c@d\n",                0            },
    {"route",                         "<@h1,@h2:a@b>, c@d",          "<@h1,@h2:a@b>||a@b\nc@d||c@d\n",      0            },
    {"address literal",               "a@[IPv6:2001:db8::1], c@d",
     "a@[IPv6:2001:db8::1]||a@[IPv6:2001:db8::1]\nc@d||c@d\n",                                              0            },
    {"no closing bracket",            "A <a@b, c@d",                 "A <a@b|A|a@b\nc@d||c@d\n",
     ADDRESS_UNCLOSED                                                                                                    },
    {"no closing quote",              "\"A <a@b>, c@d",              "\"A <a@b>|\"A|a@b\nc@d||c@d\n",
     ADDRESS_UNCLOSED                                                                                                    },
    {"no closing comment",            "A (x <a@b>, c@d",             "A (x <a@b>|A (x|a@b\nc@d||c@d\n",
     ADDRESS_UNCLOSED                                                                                                    },
    {"two brackets: the last counts", "<x@y> <a@b>",                 "<x@y> <a@b>|<x@y>|a@b\n",
     0                                                                                                                   },
    {"bracket in bracket",            "A <<a@b>>",                   "A <<a@b>>|A <|a@b\n",                 0            },
    {"null address",                  "<>",                          "<>||\n",                              ADDRESS_STRAY},
    {"no address",                    "Mailer",                      "Mailer||Mailer\n",                    ADDRESS_STRAY},
    {"quoted local part",             "\"a, b\"@c, d@e",
     "\"a, b\"@c||\"a, b\"@c\nd@e||d@e\n",                                                                  0            },
    {"encoded word with a comma",     "=?utf-8?Q?B,_A?= <a@b>, c@d",
     "=?utf-8?Q?B,_A?= <a@b>|=?utf-8?Q?B,_A?=|a@b\nc@d||c@d\n",                                             0            },
    {"encoded word with a bracket",   "=?utf-8?Q?<x@y>?= <a@b>",
     "=?utf-8?Q?<x@y>?= <a@b>|=?utf-8?Q?<x@y>?=|a@b\n",                                                     0            },
    {"blanks inside brackets",        "< a@b >",                     "< a@b >||a@b\n",                      0            },
};

static void
put_mailbox(struct buf *out, const struct mailbox *m)
{
    buf_span(out, m->text);
    buf_putc(out, '|');
    buf_span(out, m->name);
    buf_putc(out, '|');
    buf_span(out, m->addr);
    buf_putc(out, '\n');
}

static void
test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct address_list l = address_open(span_str(lists[i].in));
        struct mailbox m;
        struct buf got;

        buf_init(&got, 4096);
        while (address_next(&l, &m))
            put_mailbox(&got, &m);
        if (l.seen != lists[i].seen ||
            !span_eq(buf_view(&got), span_str(lists[i].want)))
            fail_msg("%s: %u\n%.*s", lists[i].why, l.seen, (int)got.n,
                     (const char *)got.p);
        buf_free(&got);
    }
}

/* Linear time over what never closes. */
static void
test_hostile_length(void **state)
{
    static const char *const units[] = {
        "\"", "(", "<", "[", ":", "=?a?q?", "(\\", ":;", "<@", "=?", "\\\""};
    enum { N = 1 << 18 };
    char *in = malloc(N);

    (void)state;
    assert_non_null(in);
    for (size_t u = 0; u < ARRAY_LEN(units); u++) {
        struct address_list l;
        struct mailbox m;
        size_t k = strlen(units[u]);
        size_t n = 0;

        for (size_t i = 0; i < N; i++)
            in[i] = units[u][i % k];
        in[0] = 'x';
        for (l = address_open(span_of(in, N)); address_next(&l, &m); n++)
            assert_true(m.text.n > 0);
        assert_true(n <= N);
    }
    free(in);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_hostile_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
