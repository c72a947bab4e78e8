#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "rules/registry/book_make.h"

#define H         MAKE_H
#define LINES_MAX 8
#define WHY_MAX   1000

/* A book under test, and what was said of the last action. */
struct desk {
    struct book *b;
    struct buf why, text;
    struct audit audit;
};

static void
desk_open(struct desk *d)
{
    assert_int_equal(book_new(&d->b), ERR_OK);
    buf_init(&d->why, WHY_MAX);
    buf_init(&d->text, ACTION_CODE_MAX);
    d->audit = (struct audit){0};
}

static void
desk_close(struct desk *d)
{
    book_free(d->b);
    buf_free(&d->why);
    buf_free(&d->text);
}

static enum err
put(struct desk *d, const struct action *a)
{
    buf_reset(&d->why);
    buf_reset(&d->text);
    return book_apply(d->b, a, &d->audit, &d->text, &d->why);
}

static enum err
submit(struct desk *d, const struct form *f, ns_t when, ns_t until)
{
    struct action a = {.kind = ACTION_SUBMIT,
                       .when = when,
                       .actor = "site",
                       .until = until,
                       .form = f};

    return put(d, &a);
}

/* A decision about form 1; line 0: all that fit. */
static enum err
decide(struct desk *d, enum action_kind k, uint32_t line, ns_t when, ns_t until)
{
    struct action a = {.kind = k,
                       .when = when,
                       .actor = "ada",
                       .number = "1",
                       .lines = &line,
                       .n_lines = line > 0,
                       .reason = "because",
                       .until = until};

    return put(d, &a);
}

static void
good(struct desk *d, enum err e)
{
    if (e != ERR_OK)
        fail_msg("%.*s", (int)d->why.n, (const char *)d->why.p);
}

static void
refused(struct desk *d, enum err e, const char *why)
{
    assert_int_equal(e, ERR_USAGE);
    if (!span_eq(buf_view(&d->why), span_str(why)))
        fail_msg("%.*s", (int)d->why.n, (const char *)d->why.p);
}

static const struct book_line *
line(const struct desk *d, uint32_t number)
{
    const struct book_form *f = book_find(d->b, "1");
    const struct book_line *l = f != NULL ? book_line(f, number) : NULL;

    assert_non_null(l);
    return l;
}

/* Form 1 with one complete line, submitted at that time. */
static void
one(struct desk *d, ns_t when, ns_t until)
{
    struct form f;

    desk_open(d);
    make_form(&f, "1");
    (void)make_line(&f, 0, "192.0.2.25", "25", "send");
    good(d, submit(d, &f, when, until));
    form_fini(&f);
}

static enum err
again(struct desk *d, ns_t when, const char *address)
{
    struct form f;
    enum err e;

    make_form(&f, "1");
    (void)make_line(&f, 1, address, "25", "send");
    e = submit(d, &f, when, 0);
    form_fini(&f);
    return e;
}

/* ---- every transition ---- */

/* A line is brought into a state by these; its clock says what it must. */
static const struct {
    const char *word;
    enum book_state state;
    enum action_kind way[4];
    size_t n;
    enum clock_state clock;
} states[] = {
    {"requested", BOOK_REQUESTED, {0},                             0, CLOCK_RUNNING},
    {"returned",  BOOK_RETURNED,  {ACTION_RETURN},                 1, CLOCK_PAUSED },
    {"permitted", BOOK_PERMITTED, {ACTION_PERMIT},                 1, CLOCK_RUNNING},
    {"suspended",
     BOOK_SUSPENDED,              {ACTION_PERMIT, ACTION_SUSPEND},
     2,                                                               CLOCK_STOPPED},
    {"ended",     BOOK_ENDED,     {ACTION_WITHDRAW},               1, CLOCK_STOPPED},
};

/* What comes of an action, by the state it meets: the state behind it and its
 * clock, or why not. X: is in that state, so it is refused for that. */
#define X                                                                      \
    {                                                                          \
        .why = NULL                                                            \
    }
#define TO(s, c)                                                               \
    {                                                                          \
        .good = true, .state = BOOK_##s, .clock = CLOCK_##c                    \
    }
#define NO(text)                                                               \
    {                                                                          \
        .why = text                                                            \
    }
static const struct {
    enum action_kind kind;
    struct {
        bool good;
        enum book_state state;
        enum clock_state clock;
        const char *why;
    } from[5];
} transitions[] = {
    {ACTION_SUBMIT,
     {TO(REQUESTED, RUNNING), TO(REQUESTED, RUNNING), TO(PERMITTED, RUNNING), X,
      TO(REQUESTED, RUNNING)}                                                 },
    {ACTION_CHECK,     {TO(REQUESTED, RUNNING), X, X, X, X}                   },
    {ACTION_PERMIT,    {TO(PERMITTED, RUNNING), X, X, X, X}                   },
    {ACTION_RETURN,    {TO(RETURNED, PAUSED), X, X, X, X}                     },
    {ACTION_REJECT,    {TO(ENDED, STOPPED), TO(ENDED, STOPPED), X, X, X}      },
    {ACTION_WITHDRAW,
     {TO(ENDED, STOPPED), TO(ENDED, STOPPED), TO(ENDED, STOPPED),
      TO(ENDED, STOPPED), X}                                                  },
    {ACTION_SUSPEND,   {X, X, TO(SUSPENDED, STOPPED), X, X}                   },
    {ACTION_REINSTATE,
     {X, X, NO("is not suspended, nor is it to be"), TO(PERMITTED, RUNNING),
      X}                                                                      },
    {ACTION_RENEW,
     {X, X, NO("has a permit without end"), NO("has a permit without end"), X}},
    {ACTION_REVOKE,    {X, X, TO(ENDED, STOPPED), TO(ENDED, STOPPED), X}      },
    {ACTION_ENTER,     {X, X, TO(PERMITTED, STOPPED), X, X}                   },
    {ACTION_LOSE,      {X, X, NO("was not in the firewall's list"), X, X}     },
    {ACTION_SEE,
     {TO(REQUESTED, RUNNING), TO(RETURNED, PAUSED), TO(PERMITTED, RUNNING),
      TO(SUSPENDED, STOPPED), X}                                              },
};

static enum err
act(struct desk *d, enum action_kind k, uint32_t number, ns_t when)
{
    return k == ACTION_SUBMIT ? again(d, when, "192.0.2.25")
                              : decide(d, k, number, when, 0);
}

static void
bring(struct desk *d, size_t state)
{
    one(d, H, 0);
    for (size_t i = 0; i < states[state].n; i++)
        good(d, act(d, states[state].way[i], 1, (2 + i) * H));
    assert_int_equal(book_state_at(line(d, 1), 9 * H), states[state].state);
    assert_int_equal(line(d, 1)->clock.state, states[state].clock);
}

static void
want_refused(struct desk *d, enum err e, size_t t, size_t s, bool named)
{
    const char *word = action_word(transitions[t].kind);
    const char *why = transitions[t].from[s].why;
    char want[WHY_MAX];

    if (transitions[t].kind == ACTION_SUBMIT)
        (void)snprintf(want, sizeof(want), "form 1: line 1 is %s",
                       states[s].word);
    else if (why == NULL)
        (void)snprintf(want, sizeof(want), "form 1: line 1 is %s, cannot %s it",
                       states[s].word, word);
    else
        (void)snprintf(want, sizeof(want), "form 1: line 1 %s, cannot %s it",
                       why, word);
    if (e != ERR_USAGE || !span_eq(buf_view(&d->why), span_str(want)))
        fail_msg("%s of %s%s: wanted %s, got %.*s", word, states[s].word,
                 named ? " by its number" : "", want, (int)d->why.n,
                 (const char *)d->why.p);
}

static void
transition(size_t t, size_t s, bool named)
{
    struct desk d;
    struct audit before;
    struct audit last;
    enum err e;

    bring(&d, s);
    before = book_last(d.b);
    e = act(&d, transitions[t].kind, named ? 1 : 0, 10 * H);
    last = book_last(d.b);
    if (!transitions[t].from[s].good) {
        want_refused(&d, e, t, s, named);
        assert_memory_equal(&before, &last, sizeof(last));
        assert_int_equal(d.text.n, 0);
        assert_int_equal(book_state_at(line(&d, 1), 10 * H), states[s].state);
        assert_int_equal(line(&d, 1)->clock.state, states[s].clock);
    } else {
        good(&d, e);
        assert_int_equal(last.number, before.number + 1);
        assert_memory_equal(last.before, before.hash, 32);
        if (book_state_at(line(&d, 1), 10 * H) !=
                transitions[t].from[s].state ||
            line(&d, 1)->clock.state != transitions[t].from[s].clock)
            fail_msg("%s of %s: %s, clock %u", action_word(transitions[t].kind),
                     states[s].word,
                     book_word(book_state_at(line(&d, 1), 10 * H)),
                     line(&d, 1)->clock.state);
    }
    desk_close(&d);
}

static void
test_transitions(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(transitions), ACTION_COUNT);
    for (size_t t = 0; t < ARRAY_LEN(transitions); t++) {
        assert_int_equal(transitions[t].kind, t);
        for (size_t s = 0; s < ARRAY_LEN(states); s++) {
            transition(t, s, true);
            transition(t, s, false);
        }
    }
}

/* From no line at all only a form leads on. */
static void
test_from_nothing(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    for (unsigned k = 0; k < ACTION_COUNT; k++) {
        if (k == ACTION_SUBMIT)
            continue;
        refused(&d, decide(&d, (enum action_kind)k, 1, H, 0),
                "form 1: there is none");
    }
    assert_int_equal(book_last(d.b).number, 0);
    desk_close(&d);
    one(&d, H, 0);
    refused(&d, decide(&d, ACTION_PERMIT, 2, H, 0),
            "form 1: line 2 is not there, cannot permit it");
    desk_close(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transitions),
        cmocka_unit_test(test_from_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
