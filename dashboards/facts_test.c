#include "dashboards/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SENDS    .as_client = true, .sends = true, .sessions = 9
#define RECEIVES .receives = true, .sessions = 9
#define ON_25    .sessions_25 = 4
#define NEEDS    .judged = true

static struct summary_host hosts[] = {
  /* nobody knows it */
    {SENDS,             NEEDS,         ON_25,         .accepted = 7, .accepted_25 = 5},
 /* its form is being worked on; it does not use port 25 */
    {SENDS, NEEDS,              .has_form = true,                       .accepted = 3},
    {SENDS, NEEDS,ON_25,.registered = true, .accepted = 8, .accepted_25 = 7},
    {SENDS,            .accepted = 20                                }, /* submission only */
    {RECEIVES, NEEDS,              ON_25                                                 },
    {RECEIVES,                 NEEDS,.has_form = true                      },
};

static struct summary
campus(void)
{
    return (struct summary){
        .has_registry = true, .hosts = hosts, .n_hosts = ARRAY_LEN(hosts)};
}

static void
counts_who_needs_a_permit(void **state)
{
    struct summary s = campus();
    struct facts f = facts_of(&s);

    (void)state;
    assert_int_equal(f.senders, 4);
    assert_int_equal(f.senders_free, 1);
    assert_int_equal(f.senders_new, 2);
    assert_int_equal(f.senders_asked, 1);
    assert_int_equal(facts_registered(&f), 1);
    assert_int_equal(f.receivers, 2);
    assert_int_equal(f.receivers_new, 2);
    assert_int_equal(f.receivers_asked, 1);
}

static void
counts_what_port_25_stops(void **state)
{
    struct summary s = campus();
    struct facts f = facts_of(&s);

    (void)state;
    assert_int_equal(f.senders_25, 2);
    assert_int_equal(f.senders_stop, 1);
    assert_int_equal(f.receivers_25, 1);
    assert_int_equal(f.receivers_stop, 1);
    assert_int_equal(f.sent, 12);
    assert_int_equal(f.sent_new, 5);
}

typedef void say_fn(struct buf *b, const struct summary *s,
                    const struct facts *f);

static const struct {
    const char *why;
    say_fn *say;
    bool registry;
    const char *want;
} said[] = {
    {"those with a form are told apart",          facts_say_senders,   true,
     "1 sender nobody told you about, and 1 has a form but no permit; 1 other "
     "needs no permit"                                                                                   },
    {"without a registry all are only counted",   facts_say_senders,   false,
     "4 hosts send mail"                                                                                 },
    {"receivers likewise",                        facts_say_receivers, true,
     "1 receiver nobody told you about, and 1 has a form but no permit"                                  },
    {"only port 25 across the border is stopped", facts_say_blocked,   true,
     "Closing port 25 to hosts that are not registered would stop 1 of 2 "
     "senders and 1 of 1 receiver that use it across the border. It sent 5 of "
     "12 messages seen accepted on port 25 from your senders."                                           },
    {"the short form",                            facts_say_stopped,   true,  "1 of 2 senders would stop"},
};

static void
says_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        struct summary s = campus();
        struct facts f;
        struct buf b;

        s.has_registry = said[i].registry;
        f = facts_of(&s);
        buf_init(&b, 4096);
        said[i].say(&b, &s, &f);
        buf_putc(&b, '\0');
        if (strcmp((char *)b.p, said[i].want) != 0)
            fail_msg("%s: %s", said[i].why, (char *)b.p);
        buf_free(&b);
    }
}

static void
names_what_decides(void **state)
{
    static const struct {
        const char *why;
        struct summary_decision d;
        const char *want;
    } rows[] = {
        {"the first of several",
         {.against = "registered, protected"},
         "registered"                                                       },
        {"no registry, alone",
         {.against = "registry:none"},
         "no registry to look into"                                         },
        {"no registry, and something",
         {.against = "registry:none, cap:active"},
         "too many at once"                                                 },
        {"no router is known, and something",
         {.against = "registry:none, evidence:path, queueing"},
         "it behaves like a mail server"                                    },
        {"no router is known, alone",
         {.against = "evidence:path"},
         "no router is known for it"                                        },
        {"no router, and no registry",
         {.against = "registry:none, evidence:path"},
         "no registry to look into"                                         },
        {"enforcing, that decides",
         {.enforced = true, .against = "evidence:path, queueing"},
         "no router is known for it"                                        },
        {"another kind of evidence",
         {.against = "evidence:loss, evidence:path"},
         "not enough was seen of it"                                        },
        {"a word of a later version",
         {.against = "moon"},
         "for another reason"                                               },
        {"nothing",                           {.against = ""},     "nothing"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        assert_string_equal(facts_cause(&rows[i].d), rows[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_decides),
        cmocka_unit_test(counts_who_needs_a_permit),
        cmocka_unit_test(counts_what_port_25_stops),
        cmocka_unit_test(says_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
