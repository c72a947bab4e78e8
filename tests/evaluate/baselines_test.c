/* Each baseline at its limit: what accuses, and one less that does not. */
#include "tests/evaluate/baselines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct message {
    uint64_t rcpt;
    bool spam, sent, inbound;
};

static void
make_message(struct record_out *r, const struct message *m, ns_t when)
{
    struct record_head h = {.when = when, .flow_id = 1, .type = EVENT_SMTP};
    char rcpt[32];

    (void)snprintf(rcpt, sizeof(rcpt), "<u%u@a.example>", (unsigned)m->rcpt);
    record_begin(r, &h);
    record_text(r, FIELD_DIRECTION, m->inbound ? "inbound" : "outbound");
    record_text(r, FIELD_SMTP_RCPT_TO, rcpt);
    if (m->sent)
        record_text(r, FIELD_SMTP_VIA, "DATA");
    record_u64(r, FIELD_EMAIL_SCORE, m->spam ? SPAM_SCORE : SPAM_SCORE - 1);
}

static void
take(void *ctx, struct subject *s, enum level level, ns_t when)
{
    (void)s;
    (void)when;
    if (level == LEVEL_BLOCK)
        ++*(unsigned *)ctx;
}

/* Messages one after another, of a host: accused at how many? 0: never. */
static unsigned
accused_at(const struct detector_ops *ops, const char *pattern, unsigned most,
           ns_t step, bool registered)
{
    struct subject subject = {.number = 0, .registered = registered};
    struct play play = {.subjects = &subject, .n_subjects = 1};
    unsigned accused = 0, at = 0;
    struct verdicts v = {.put = take, .ctx = &accused};
    size_t n = strlen(pattern);
    struct record_out r;
    void *d;

    assert_int_equal(ops->make(&play, &d), ERR_OK);
    record_init(&r);
    for (unsigned i = 0; i < most && at == 0; i++) {
        char c = pattern[i % n];
        struct message m = {c == 'd' || c == 'D' ? 1 : i, c == 's' || c == 'D',
                            c != '-', c == 'i'};
        struct record_map map;

        make_message(&r, &m, PLAY_START + i * step);
        record_map_init(&map, record_view(&r));
        ops->event(d, &subject, &map, &v);
        at = accused > 0 ? i + 1 : 0;
    }
    record_free(&r);
    ops->free(d);
    return at;
}

/* s: spam, h: ham, -: nothing sent, i: inbound, d: ham to the same person */
static const struct {
    const char *why;
    const struct detector_ops *ops;
    const char *pattern;
    ns_t step;
    unsigned want;
} rows[] = {
    {"SPOT: four in a row",               &detector_spot,   "s",       NS_PER_S,       4  },
    {"SPOT: half of ham holds it off",    &detector_spot,   "sh",      NS_PER_S,       0  },
    {"SPOT: refused mail has no verdict", &detector_spot,   "-",       NS_PER_S,       0  },
    {"SPOT: ham first is forgotten",      &detector_spot,   "hhhssss", NS_PER_S,       7  },
    {"CT: thirty",                        &detector_ct,     "s",       NS_PER_S,       30 },
    {"CT: every second one",              &detector_ct,     "hs",      NS_PER_S,       60 },
    {"CT: not in an hour",                &detector_ct,     "s",       150 * NS_PER_S, 0  },
    {"PT: six",                           &detector_pt,     "s",       NS_PER_S,       6  },
    {"PT: half of six",                   &detector_pt,     "sh",      NS_PER_S,       6  },
    {"PT: a third is not half",           &detector_pt,     "hhs",     NS_PER_S,       0  },
    {"recipients: two hundred",           &detector_lin,    "h",       NS_PER_S,       200},
    {"recipients: one, again and again",  &detector_lin,    "d",       NS_PER_S,       0  },
    {"recipients: not in a day",          &detector_lin,    "h",       600 * NS_PER_S, 0  },
    {"volume: a hundred",                 &detector_volume, "d",       NS_PER_S,       100},
    {"volume: refused mail too",          &detector_volume, "-",       NS_PER_S,       100},
    {"volume: inbound is not its own",    &detector_volume, "i",       NS_PER_S,       0  },
};

static void
limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned at =
            accused_at(rows[i].ops, rows[i].pattern, 1000, rows[i].step, false);

        if (at != rows[i].want)
            fail_msg("%s: at %u, not %u", rows[i].why, at, rows[i].want);
    }
}

static void
registered_hosts_are_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_detectors; i++) {
        if (detectors[i]->event == detector_spot.event)
            assert_int_equal(
                accused_at(detectors[i], "s", 1000, NS_PER_S, true), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(registered_hosts_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
