#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "rules/registry/book_make.h"

#include "tests/support/alloc_fails.h"

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
#define OTHER NO("is of a contact with another address")
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
    {ACTION_MAIL,      {OTHER, OTHER, OTHER, OTHER, X}                        },
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

/* An address counts while it is that of the form. */
static void
test_mail(void **state)
{
    struct action a = {.kind = ACTION_MAIL,
                       .when = 2 * H,
                       .actor = "site",
                       .number = "1",
                       .reference = "other@site.example"};
    const char *mail;
    struct form f;
    struct desk d;

    (void)state;
    one(&d, H, 0);
    mail = book_find(d.b, "1")->form.text[FORM_SITE_CONTACT_MAIL];
    assert_int_equal(book_mail(book_find(d.b, "1")), 0);
    assert_int_equal(put(&d, &a), ERR_USAGE);
    a.reference = mail;
    good(&d, put(&d, &a));
    assert_int_equal(book_mail(book_find(d.b, "1")), 2 * H);
    make_form(&f, "1");
    (void)make_line(&f, 1, "192.0.2.25", "25", "send");
    assert_int_equal(
        form_set(&f.text[FORM_SITE_CONTACT_MAIL], SPAN_LIT("new@site.example")),
        ERR_OK);
    good(&d, submit(&d, &f, 3 * H, 0));
    form_fini(&f);
    assert_int_equal(book_mail(book_find(d.b, "1")), 0);
    desk_close(&d);
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

/* ---- the clock in the book ---- */

static void
want_clock(struct desk *d, const char *why, ns_t now, enum clock_state state,
           unsigned net, unsigned total)
{
    struct clock c = book_clock_at(line(d, 1), now);

    if (c.state != state || clock_net(&c, now) != net * H ||
        clock_total(&c, now) != total * H)
        fail_msg("%s: state %u, net %u h, total %u h", why, c.state,
                 (unsigned)(clock_net(&c, now) / H),
                 (unsigned)(clock_total(&c, now) / H));
}

static void
test_clock(void **state)
{
    struct desk d;

    (void)state;
    one(&d, 100 * H, 0);
    want_clock(&d, "received", 110 * H, CLOCK_RUNNING, 10, 10);
    good(&d, decide(&d, ACTION_RETURN, 1, 112 * H, 0));
    want_clock(&d, "returned", 200 * H, CLOCK_PAUSED, 12, 100);
    good(&d, again(&d, 200 * H, "192.0.2.26"));
    want_clock(&d, "resubmitted", 210 * H, CLOCK_RUNNING, 22, 110);
    good(&d, decide(&d, ACTION_CHECK, 1, 210 * H, 0));
    good(&d, decide(&d, ACTION_PERMIT, 1, 215 * H, 0));
    want_clock(&d, "permitted, not entered", 220 * H, CLOCK_RUNNING, 32, 120);
    assert_int_equal(clock_due(&line(&d, 1)->clock), 236 * H);
    good(&d, decide(&d, ACTION_ENTER, 1, 221 * H, 0));
    want_clock(&d, "entered", 300 * H, CLOCK_STOPPED, 33, 121);
    good(&d, decide(&d, ACTION_LOSE, 1, 300 * H, 0));
    want_clock(&d, "lost: anew", 310 * H, CLOCK_RUNNING, 10, 10);
    assert_int_equal(line(&d, 1)->dates.entered, 0);
    good(&d, decide(&d, ACTION_ENTER, 1, 348 * H, 0));
    want_clock(&d, "entered again", 400 * H, CLOCK_STOPPED, 48, 48);
    assert_int_equal(clock_mark_at(&line(&d, 1)->clock, 400 * H),
                     CLOCK_OVERDUE);
    assert_int_equal(line(&d, 1)->dates.received, 100 * H);
    assert_int_equal(line(&d, 1)->dates.complete, 100 * H);
    assert_int_equal(line(&d, 1)->dates.checked, 210 * H);
    assert_int_equal(line(&d, 1)->dates.approved, 215 * H);
    assert_int_equal(line(&d, 1)->dates.entered, 348 * H);
    desk_close(&d);
}

/* The same hours wherever in the year they lie. */
static void
test_clock_days(void **state)
{
    static const char *const days[] = {
        "2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2026-11-20T17:00:00Z",
        "2028-02-28T12:00:00Z", "2100-02-27T12:00:00Z", "2026-12-31T20:00:00Z",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(days); i++) {
        struct desk d;
        ns_t t = 0;

        assert_true(ns_parse(span_str(days[i]), &t));
        one(&d, t, 0);
        good(&d, decide(&d, ACTION_RETURN, 1, t + 12 * H, 0));
        good(&d, again(&d, t + 72 * H, "192.0.2.25"));
        want_clock(&d, days[i], t + 108 * H, CLOCK_RUNNING, 48, 108);
        assert_int_equal(clock_due(&line(&d, 1)->clock), t + 108 * H);
        desk_close(&d);
    }
}

/* A wrong line that was withdrawn keeps the others from nothing. */
static void
test_wrong_line_withdrawn(void **state)
{
    struct desk d;
    struct form f;

    (void)state;
    desk_open(&d);
    make_form(&f, "1");
    (void)make_line(&f, 0, "192.0.2.25", "25", "send");
    (void)make_line(&f, 0, "192.0.2.300", "25", "send");
    (void)make_line(&f, 0, "192.0.2.301", "25", "send");
    good(&d, submit(&d, &f, 10 * H, 0));
    good(&d, decide(&d, ACTION_WITHDRAW, 2, 11 * H, 0));
    assert_int_equal(line(&d, 1)->clock.state, CLOCK_IDLE);
    good(&d, decide(&d, ACTION_REJECT, 3, 12 * H, 0));
    assert_true(book_find(d.b, "1")->complete);
    assert_int_equal(line(&d, 1)->clock.began, 12 * H);
    assert_int_equal(line(&d, 2)->clock.state, CLOCK_IDLE);
    /* it comes again, as wrong as it was */
    good(&d, submit(&d, &f, 13 * H, 0));
    assert_false(book_find(d.b, "1")->complete);
    assert_int_equal(line(&d, 1)->clock.began, 12 * H);
    form_fini(&f);
    desk_close(&d);
}

/* An incomplete form has no clock, until it is complete. */
static void
test_incomplete(void **state)
{
    struct desk d;
    struct form f;

    (void)state;
    desk_open(&d);
    make_form(&f, "1");
    (void)make_line(&f, 0, "192.0.2.25", "25", "send");
    (void)make_line(&f, 0, "192.0.2.300", "25", "send");
    good(&d, submit(&d, &f, 10 * H, 0));
    assert_false(book_find(d.b, "1")->complete);
    assert_int_equal(line(&d, 1)->clock.state, CLOCK_IDLE);
    assert_int_equal(line(&d, 1)->dates.complete, 0);
    assert_int_equal(line(&d, 1)->dates.received, 10 * H);
    refused(&d, decide(&d, ACTION_PERMIT, 2, 11 * H, 0),
            "form 1: line 2 has an address or port that is wrong, cannot "
            "permit it");
    good(&d, decide(&d, ACTION_RETURN, 2, 12 * H, 0));
    assert_int_equal(line(&d, 2)->clock.state, CLOCK_IDLE);
    form_fini(&f);

    /* only the line that was wrong comes again */
    make_form(&f, "1");
    (void)make_line(&f, 2, "192.0.2.30", "25", "send");
    good(&d, submit(&d, &f, 20 * H, 0));
    assert_true(book_find(d.b, "1")->complete);
    assert_int_equal(book_find(d.b, "1")->form.n_lines, 2);
    for (uint32_t i = 1; i <= 2; i++) {
        assert_int_equal(line(&d, i)->clock.state, CLOCK_RUNNING);
        assert_int_equal(line(&d, i)->clock.began, 20 * H);
        assert_int_equal(line(&d, i)->dates.complete, 20 * H);
        assert_int_equal(line(&d, i)->dates.received, 10 * H);
    }
    form_fini(&f);
    desk_close(&d);
}

/* ---- suspension ---- */

static void
want_state(struct desk *d, ns_t when, enum book_state s)
{
    enum book_state got = book_state_at(line(d, 1), when);

    if (got != s)
        fail_msg("at %u h: %s, not %s", (unsigned)(when / H), book_word(got),
                 book_word(s));
}

static void
permitted(struct desk *d, ns_t until)
{
    one(d, H, 0);
    good(d, decide(d, ACTION_PERMIT, 1, 10 * H, until));
}

static void
test_notice(void **state)
{
    struct desk d;

    (void)state;
    permitted(&d, 0);
    good(&d, decide(&d, ACTION_SUSPEND, 1, 20 * H, 68 * H));
    want_state(&d, 68 * H - 1, BOOK_PERMITTED);
    want_state(&d, 68 * H, BOOK_SUSPENDED);
    want_clock(&d, "runs until then", 67 * H, CLOCK_RUNNING, 66, 66);
    want_clock(&d, "stopped then", 90 * H, CLOCK_STOPPED, 67, 67);
    /* moved, then taken back */
    good(&d, decide(&d, ACTION_SUSPEND, 1, 21 * H, 70 * H));
    want_state(&d, 69 * H, BOOK_PERMITTED);
    want_state(&d, 70 * H, BOOK_SUSPENDED);
    assert_int_equal(line(&d, 1)->n_changes, 3);
    good(&d, decide(&d, ACTION_REINSTATE, 1, 69 * H, 0));
    want_state(&d, 80 * H, BOOK_PERMITTED);
    assert_int_equal(line(&d, 1)->n_changes, 2);
    want_clock(&d, "never stopped", 80 * H, CLOCK_RUNNING, 79, 79);
    refused(&d, decide(&d, ACTION_REINSTATE, 1, 80 * H, 0),
            "form 1: line 1 is not suspended, nor is it to be, cannot "
            "reinstate it");
    desk_close(&d);
}

static void
test_suspended(void **state)
{
    struct desk d;

    (void)state;
    permitted(&d, 0);
    good(&d, decide(&d, ACTION_ENTER, 1, 11 * H, 0));
    good(&d, decide(&d, ACTION_SUSPEND, 1, 20 * H, 68 * H));
    /* once it took force only reinstating helps, and the clock starts anew */
    refused(&d, decide(&d, ACTION_LOSE, 1, 68 * H, 0),
            "form 1: line 1 is suspended, cannot lose it");
    good(&d, decide(&d, ACTION_REINSTATE, 1, 100 * H, 0));
    want_state(&d, 99 * H, BOOK_SUSPENDED);
    want_state(&d, 100 * H, BOOK_PERMITTED);
    assert_int_equal(line(&d, 1)->dates.entered, 0);
    want_clock(&d, "to be entered again", 110 * H, CLOCK_RUNNING, 10, 10);
    assert_string_equal(line(&d, 1)->reason, "because");
    /* at once: no notice, or one that ends now */
    good(&d, decide(&d, ACTION_SUSPEND, 1, 120 * H, 120 * H));
    want_state(&d, 120 * H, BOOK_SUSPENDED);
    want_clock(&d, "at once", 130 * H, CLOCK_STOPPED, 20, 20);
    good(&d, decide(&d, ACTION_REINSTATE, 1, 120 * H, 0));
    want_state(&d, 120 * H, BOOK_PERMITTED);
    refused(&d, decide(&d, ACTION_SUSPEND, 1, 120 * H, 119 * H),
            "suspend cannot begin in the past");
    desk_close(&d);
}

/* Notice was given, then the permit is taken back for good. */
static void
test_notice_revoked(void **state)
{
    struct desk d;

    (void)state;
    permitted(&d, 500 * H);
    good(&d, decide(&d, ACTION_SUSPEND, 1, 20 * H, 68 * H));
    assert_int_equal(line(&d, 1)->n_changes, 4);
    good(&d, decide(&d, ACTION_REVOKE, 1, 30 * H, 0));
    want_state(&d, 30 * H, BOOK_ENDED);
    want_state(&d, 70 * H, BOOK_ENDED);
    assert_int_equal(line(&d, 1)->n_changes, 3);
    want_clock(&d, "stopped", 70 * H, CLOCK_STOPPED, 29, 29);
    desk_close(&d);
}

/* ---- the end of a permit ---- */

static void
test_expiry(void **state)
{
    ns_t end = 1000 * H + BOOK_GRACE;
    struct desk d;

    (void)state;
    permitted(&d, 1000 * H);
    assert_int_equal(line(&d, 1)->changes[2].audit, 2); /* it foresaw it */
    want_state(&d, end - 1, BOOK_PERMITTED);
    want_state(&d, end, BOOK_ENDED);
    want_clock(&d, "stopped by its end", end + H, CLOCK_STOPPED,
               (unsigned)(end / H) - 1, (unsigned)(end / H) - 1);
    refused(&d, decide(&d, ACTION_RENEW, 1, 900 * H, 1000 * H),
            "form 1: line 1 has a permit that lasts as long already, cannot "
            "renew it");
    refused(&d, decide(&d, ACTION_RENEW, 1, 900 * H, 900 * H),
            "renew cannot end in the past");
    /* in the days of grace */
    good(&d, decide(&d, ACTION_RENEW, 1, end - 1, 9000 * H));
    want_state(&d, end, BOOK_PERMITTED);
    want_state(&d, 9000 * H + BOOK_GRACE - 1, BOOK_PERMITTED);
    want_state(&d, 9000 * H + BOOK_GRACE, BOOK_ENDED);
    assert_int_equal(line(&d, 1)->dates.until, 9000 * H);
    refused(&d, decide(&d, ACTION_SUSPEND, 1, end, 9000 * H + BOOK_GRACE),
            "form 1: line 1 ends before that, cannot suspend it");
    good(&d, decide(&d, ACTION_SUSPEND, 1, end, 9000 * H + BOOK_GRACE - 1));
    /* a renewal leaves the notice, a permit without end needs none */
    good(&d, decide(&d, ACTION_RENEW, 1, end, 0));
    want_state(&d, 9000 * H + BOOK_GRACE - 1, BOOK_SUSPENDED);
    want_state(&d, UINT64_MAX, BOOK_SUSPENDED);
    refused(&d, decide(&d, ACTION_RENEW, 1, end, 9999 * H),
            "form 1: line 1 has a permit without end, cannot renew it");
    desk_close(&d);
}

static void
test_expired(void **state)
{
    ns_t end = 1000 * H + BOOK_GRACE;
    struct desk d;

    (void)state;
    permitted(&d, 1000 * H);
    refused(&d, decide(&d, ACTION_RENEW, 1, end, 2 * end),
            "form 1: line 1 is ended, cannot renew it");
    /* asked for anew: its life begins anew, the former one is kept */
    good(&d, again(&d, end + H, "192.0.2.25"));
    want_state(&d, end - 1, BOOK_PERMITTED);
    want_state(&d, end, BOOK_ENDED);
    want_state(&d, end + H, BOOK_REQUESTED);
    assert_int_equal(line(&d, 1)->dates.received, end + H);
    assert_int_equal(line(&d, 1)->dates.approved, 0);
    assert_int_equal(line(&d, 1)->dates.until, 0);
    want_clock(&d, "anew", end + 3 * H, CLOCK_RUNNING, 2, 2);
    desk_close(&d);

    one(&d, H, 0);
    refused(&d, decide(&d, ACTION_PERMIT, 1, 10 * H, 10 * H),
            "permit cannot end in the past");
    refused(&d, decide(&d, ACTION_PERMIT, 1, 10 * H, UINT64_MAX),
            "permit ends too far ahead");
    good(&d, decide(&d, ACTION_PERMIT, 1, 10 * H, UINT64_MAX - BOOK_GRACE));
    want_state(&d, UINT64_MAX - 1, BOOK_PERMITTED);
    desk_close(&d);
}

/* ---- judging ---- */

static struct addr
addr(const char *text)
{
    struct addr a = {0};

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

static struct book_verdict
judge(const struct desk *d, const char *text, unsigned port, enum form_use use,
      ns_t when)
{
    struct addr a = addr(text);

    assert_int_equal(book_index(d->b), ERR_OK);
    return book_judge(d->b, &a, (uint16_t)port, use, when);
}

static void
test_by_time(void **state)
{
    static const struct {
        const char *why;
        unsigned hour;
        enum book_state state;
        bool registered, protect;
    } rows[] = {
        {"before the form",             9,   BOOK_NONE,      false, false},
        {"the form arrives",            10,  BOOK_REQUESTED, false, true },
        {"its protection ends",         49,  BOOK_REQUESTED, false, true },
        {"before it is decided",        50,  BOOK_REQUESTED, false, false},
        {"returned",                    60,  BOOK_RETURNED,  false, false},
        {"once more, protected longer", 70,  BOOK_REQUESTED, false, true },
        {"permitted",                   80,  BOOK_PERMITTED, true,  true },
        {"under notice",                95,  BOOK_PERMITTED, true,  true },
        {"suspended",                   100, BOOK_SUSPENDED, false, false},
        {"reinstated",                  110, BOOK_PERMITTED, true,  true },
        {"revoked",                     120, BOOK_ENDED,     false, false},
        {"asked for anew",              130, BOOK_REQUESTED, false, false},
    };
    struct desk d;
    struct form f;

    (void)state;
    one(&d, 10 * H, 50 * H);
    good(&d, decide(&d, ACTION_RETURN, 1, 60 * H, 0));
    make_form(&f, "1");
    (void)make_line(&f, 1, "192.0.2.25", "25", "send");
    good(&d, submit(&d, &f, 70 * H, 200 * H));
    good(&d, decide(&d, ACTION_PERMIT, 1, 80 * H, 0));
    good(&d, decide(&d, ACTION_SUSPEND, 1, 90 * H, 100 * H));
    good(&d, decide(&d, ACTION_REINSTATE, 1, 110 * H, 0));
    good(&d, decide(&d, ACTION_REVOKE, 1, 120 * H, 0));
    good(&d, submit(&d, &f, 130 * H, 0));
    form_fini(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct book_verdict v =
            judge(&d, "192.0.2.25", 25, FORM_SEND, rows[i].hour * H);

        if (v.state != rows[i].state || v.registered != rows[i].registered ||
            v.protect != rows[i].protect ||
            (v.line != NULL) != (v.state != BOOK_NONE))
            fail_msg("%s: %s%s%s", rows[i].why, book_word(v.state),
                     v.registered ? ", registered" : "",
                     v.protect ? ", protected" : "");
    }
    desk_close(&d);
}

/* A line that has moved is where it was at the time. */
static void
test_moved(void **state)
{
    struct desk d;

    (void)state;
    one(&d, 10 * H, 0);
    good(&d, again(&d, 20 * H, "192.0.2.26"));
    good(&d, decide(&d, ACTION_PERMIT, 1, 30 * H, 0));
    assert_int_equal(judge(&d, "192.0.2.25", 25, FORM_SEND, 15 * H).state,
                     BOOK_REQUESTED);
    assert_int_equal(judge(&d, "192.0.2.25", 25, FORM_SEND, 20 * H).state,
                     BOOK_NONE);
    assert_int_equal(judge(&d, "192.0.2.25", 25, FORM_SEND, 40 * H).state,
                     BOOK_NONE);
    assert_int_equal(judge(&d, "192.0.2.26", 25, FORM_SEND, 15 * H).state,
                     BOOK_NONE);
    assert_int_equal(judge(&d, "192.0.2.26", 25, FORM_SEND, 20 * H).state,
                     BOOK_REQUESTED);
    assert_int_equal(judge(&d, "192.0.2.26", 25, FORM_SEND, 40 * H).state,
                     BOOK_PERMITTED);
    refused(&d, again(&d, 50 * H, "192.0.2.25"),
            "form 1: line 1 is permitted: withdraw it, then ask for another "
            "address, port or direction");
    good(&d, again(&d, 50 * H, "192.0.2.26")); /* nothing of these changes */
    good(&d, decide(&d, ACTION_WITHDRAW, 1, 60 * H, 0));
    good(&d, again(&d, 70 * H, "192.0.2.25"));
    assert_int_equal(judge(&d, "192.0.2.26", 25, FORM_SEND, 55 * H).state,
                     BOOK_PERMITTED);
    assert_int_equal(judge(&d, "192.0.2.26", 25, FORM_SEND, 65 * H).state,
                     BOOK_ENDED);
    assert_int_equal(judge(&d, "192.0.2.26", 25, FORM_SEND, 75 * H).state,
                     BOOK_NONE);
    assert_int_equal(judge(&d, "192.0.2.25", 25, FORM_SEND, 75 * H).state,
                     BOOK_REQUESTED);
    desk_close(&d);
}

/* Among equals the line that came first to the book decides, not the one that
 * came first to the address; what was looked up before does not matter. */
static void
test_moved_to_others(void **state)
{
    static const struct {
        unsigned hour;
        const char *number; /* of the form that decides */
        enum book_state state;
    } rows[] = {
        {15, "2", BOOK_REQUESTED},
        {25, "1", BOOK_REQUESTED},
        {35, "2", BOOK_PERMITTED},
        {45, "1", BOOK_PERMITTED},
        {55, "2", BOOK_PERMITTED},
    };
    struct desk d;
    struct form f;
    struct action permit = {
        .kind = ACTION_PERMIT, .when = 30 * H, .actor = "ada", .number = "2"};

    (void)state;
    one(&d, 9 * H, 0);
    make_form(&f, "2");
    (void)make_line(&f, 1, "192.0.2.26", "25", "send");
    good(&d, submit(&d, &f, 10 * H, 0));
    form_fini(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k <= i; k++) {
            struct book_verdict v =
                judge(&d, "192.0.2.26", 25, FORM_SEND, rows[k].hour * H);

            assert_string_equal(v.line->form->form.number, rows[k].number);
            assert_int_equal(v.state, rows[k].state);
        }
        if (i == 0)
            good(&d, again(&d, 20 * H, "192.0.2.26"));
        else if (i == 1)
            good(&d, put(&d, &permit));
        else if (i == 2)
            good(&d, decide(&d, ACTION_PERMIT, 1, 40 * H, 0));
        else if (i == 3)
            good(&d, decide(&d, ACTION_SUSPEND, 1, 50 * H, 50 * H));
    }
    desk_close(&d);
}

/* Lines of form 1, each brought into a state; then questions at hour 100. */
static const struct {
    const char *address, *port, *use;
    char state; /* of "rtpse", as in states */
} asked[] = {
    {"192.0.2.0/24",    "25",   "both",    'p'}, /* 1 */
    {"192.0.2.25",      "25",   "send",    'p'}, /* 2 */
    {"192.0.2.26",      "25",   "both",    'e'}, /* 3 */
    {"192.0.2.27",      "25",   "receive", 'p'}, /* 4 */
    {"192.0.2.27",      "587",  "both",    'p'}, /* 5 */
    {"192.0.2.27",      "25",   "send",    'r'}, /* 6 */
    {"192.0.2.28",      "any",  "both",    'p'}, /* 7 */
    {"192.0.2.29",      "25",   "send",    'r'}, /* 8 */
    {"192.0.2.29",      "25",   "send",    's'}, /* 9 */
    {"192.0.2.29",      "25",   "send",    't'}, /* 10 */
    {"192.0.2.29",      "25",   "send",    'e'}, /* 11 */
    {"192.0.2.30",      "25",   "send",    't'}, /* 12 */
    {"192.0.2.30",      "25",   "send",    'e'}, /* 13 */
    {"192.0.2.31",      "25",   "both",    'p'}, /* 14 */
    {"192.0.2.31",      "25",   "both",    'p'}, /* 15 */
    {"2001:db8::/32",   "25",   "both",    'p'}, /* 16 */
    {"2001:db8:1::/48", "25",   "both",    's'}, /* 17 */
    {"2001:db8:1::25",  "25",   "both",    'p'}, /* 18 */
    {"::/0",            "26",   "both",    'p'}, /* 19 */
    {"198.51.100.0/25", "25",   "send",    'p'}, /* 20 */
    {"198.51.100.0/26", "25",   "both",    'r'}, /* 21 */
    {"0.0.0.0/0",       "2525", "receive", 'p'}, /* 22 */
};

static const struct {
    const char *why, *address;
    unsigned port;
    enum form_use use;
    uint32_t line;
    enum book_state state;
    enum book_fit fit;
    bool registered, protect;
} questions[] = {
    {"in the prefix",                                "192.0.2.1",      25,   FORM_SEND,    1,  BOOK_PERMITTED, BOOK_FITS,
     true,                                                                                                                             true },
    {"its own line",                                 "192.0.2.25",     25,   FORM_SEND,    2,  BOOK_PERMITTED, BOOK_FITS,
     true,                                                                                                                             true },
    {"which does not let it receive",                "192.0.2.25",     25,   FORM_RECEIVE, 2,
     BOOK_PERMITTED,                                                                                           BOOK_OTHER_USE,  false, true },
    {"nor speak on another port",                    "192.0.2.25",     26,   FORM_SEND,    2,
     BOOK_PERMITTED,                                                                                           BOOK_OTHER_PORT, false, true },
    {"another port comes before another use",        "192.0.2.25",     26,   FORM_RECEIVE, 2,
     BOOK_PERMITTED,                                                                                           BOOK_OTHER_PORT, false, true },
    {"ended: the network's permit does not help",    "192.0.2.26",     25,   FORM_SEND,
     3,                                                                                        BOOK_ENDED,     BOOK_FITS,       false, false},
    {"two lines: the one that fits",                 "192.0.2.27",     587,  FORM_SEND,    5,
     BOOK_PERMITTED,                                                                                           BOOK_FITS,       true,  true },
    {"permitted before requested, though that fits", "192.0.2.27",     25,
     FORM_SEND,                                                                            4,  BOOK_PERMITTED, BOOK_OTHER_USE,  false, true },
    {"neither fits: the first",                      "192.0.2.27",     465,  FORM_SEND,    4,  BOOK_PERMITTED,
     BOOK_OTHER_PORT,                                                                                                           false, true },
    {"any port",                                     "192.0.2.28",     2525, FORM_RECEIVE, 7,  BOOK_PERMITTED, BOOK_FITS,
     true,                                                                                                                             true },
    {"suspended before requested",                   "192.0.2.29",     25,   FORM_SEND,    9,
     BOOK_SUSPENDED,                                                                                           BOOK_FITS,       false, false},
    {"returned before ended",                        "192.0.2.30",     25,   FORM_SEND,    12, BOOK_RETURNED,
     BOOK_FITS,                                                                                                                 false, false},
    {"of equals the first",                          "192.0.2.31",     25,   FORM_SEND,    14, BOOK_PERMITTED,
     BOOK_FITS,                                                                                                                 true,  true },
    {"IPv6",                                         "2001:db8::1",    25,   FORM_SEND,    16, BOOK_PERMITTED, BOOK_FITS,       true,
     true                                                                                                                                   },
    {"a suspended network within",                   "2001:db8:1::1",  25,   FORM_SEND,    17,
     BOOK_SUSPENDED,                                                                                           BOOK_FITS,       false, false},
    {"a permitted host within that",                 "2001:db8:1::25", 25,   FORM_SEND,    18,
     BOOK_PERMITTED,                                                                                           BOOK_FITS,       true,  true },
    {"all of IPv6",                                  "2001:db9::1",    25,   FORM_SEND,    19, BOOK_PERMITTED,
     BOOK_OTHER_PORT,                                                                                                           false, true },
    {"an inner network still asked for",             "198.51.100.1",   25,   FORM_SEND,    21,
     BOOK_REQUESTED,                                                                                           BOOK_FITS,       false, false},
    {"beside it",                                    "198.51.100.64",  25,   FORM_SEND,    20, BOOK_PERMITTED, BOOK_FITS,
     true,                                                                                                                             true },
    {"beside both",                                  "198.51.100.128", 2525, FORM_RECEIVE, 22, BOOK_PERMITTED,
     BOOK_FITS,                                                                                                                 true,  true },
};

static void
settle(struct desk *d, uint32_t number, char state)
{
    if (state == 'p' || state == 's')
        good(d, decide(d, ACTION_PERMIT, number, 20 * H, 0));
    if (state == 's')
        good(d, decide(d, ACTION_SUSPEND, number, 20 * H, 0));
    if (state == 't')
        good(d, decide(d, ACTION_RETURN, number, 20 * H, 0));
    if (state == 'e')
        good(d, decide(d, ACTION_REJECT, number, 20 * H, 0));
}

static void
test_questions(void **state)
{
    struct desk d;
    struct form f;

    (void)state;
    desk_open(&d);
    make_form(&f, "1");
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        (void)make_line(&f, 0, asked[i].address, asked[i].port, asked[i].use);
    good(&d, submit(&d, &f, 10 * H, 0));
    form_fini(&f);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        settle(&d, (uint32_t)i + 1, asked[i].state);
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        struct book_verdict v =
            judge(&d, questions[i].address, questions[i].port, questions[i].use,
                  100 * H);

        if (v.line == NULL || v.line->line->number != questions[i].line ||
            v.state != questions[i].state || v.fit != questions[i].fit ||
            v.registered != questions[i].registered ||
            v.protect != questions[i].protect)
            fail_msg("%s: line %u, %s, fit %u%s", questions[i].why,
                     v.line != NULL ? v.line->line->number : 0,
                     book_word(v.state), v.fit, v.protect ? ", protected" : "");
    }
    assert_null(judge(&d, "2001:db8::1", 25, FORM_SEND, 9 * H).line);
    desk_close(&d);
}

/* Lines come one by one, the look-up is made anew each time. */
static void
test_one_by_one(void **state)
{
    enum { N = 1500 };
    struct desk d;

    (void)state;
    desk_open(&d);
    for (unsigned i = 0; i < N; i++) {
        char number[16];
        char address[32];
        struct form f;

        (void)snprintf(number, sizeof(number), "f%u", i);
        (void)snprintf(address, sizeof(address), "10.%u.%u.0/%u", i % 37,
                       i / 37, 24 + i % 8);
        make_form(&f, number);
        (void)make_line(&f, 0, address, "25", "send");
        good(&d, submit(&d, &f, 10 * H + i, 0));
        form_fini(&f);
        for (unsigned k = i % 97; k <= i; k += 97) {
            (void)snprintf(address, sizeof(address), "10.%u.%u.0", k % 37,
                           k / 37);
            (void)snprintf(number, sizeof(number), "f%u", k);
            assert_string_equal(judge(&d, address, 25, FORM_SEND, 20 * H)
                                    .line->form->form.number,
                                number);
        }
    }
    assert_int_equal(book_n_forms(d.b), N);
    assert_int_equal(book_n_lines(d.b), N);
    desk_close(&d);
}

/* Prefixes of the large map and of the small one lie within each other. */
static void
test_nested(void **state)
{
    static const struct {
        const char *address;
        bool late;
    } nested[] = {
        {"10.0.0.0/8",   true },
        {"10.1.0.0/16",  false},
        {"10.1.1.0/24",  true },
        {"10.1.1.0/25",  true },
        {"10.1.1.16/28", false},
        {"10.1.1.17",    true },
    };
    static const struct {
        const char *host, *form;
        uint32_t line;
    } rows[] = {
        {"10.2.0.1",   "late", 1  },
        {"10.1.2.1",   "1",    301},
        {"10.1.1.200", "late", 2  },
        {"10.1.1.1",   "late", 3  },
        {"10.1.1.16",  "1",    302},
        {"10.1.1.17",  "late", 4  },
        {"192.0.2.7",  "1",    8  },
    };
    struct desk d;
    struct form early;
    struct form late;

    (void)state;
    desk_open(&d);
    make_form(&early, "1");
    make_form(&late, "late");
    for (unsigned i = 0; i < 300; i++) {
        char address[32];

        (void)snprintf(address, sizeof(address), "192.0.%u.%u", 2 + i / 256,
                       i % 256);
        (void)make_line(&early, 0, address, "25", "both");
    }
    for (size_t i = 0; i < ARRAY_LEN(nested); i++)
        (void)make_line(nested[i].late ? &late : &early, 0, nested[i].address,
                        "25", "both");
    good(&d, submit(&d, &early, 10 * H, 0));
    assert_int_equal(book_index(d.b), ERR_OK);
    good(&d, submit(&d, &late, 20 * H, 0));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct book_verdict v = judge(&d, rows[i].host, 25, FORM_SEND, 20 * H);

        if (v.line == NULL || v.line->line->number != rows[i].line ||
            strcmp(v.line->form->form.number, rows[i].form) != 0)
            fail_msg("%s: line %u", rows[i].host,
                     v.line != NULL ? v.line->line->number : 0);
    }
    /* before the late ones were known */
    assert_int_equal(
        judge(&d, "10.1.1.17", 25, FORM_SEND, 15 * H).line->line->number, 302);
    assert_null(judge(&d, "10.2.0.1", 25, FORM_SEND, 15 * H).line);
    form_fini(&early);
    form_fini(&late);
    desk_close(&d);
}

/* ---- forms again ---- */

static void
test_numbers(void **state)
{
    static const char want[] =
        "submit when=72000000000000 actor=\"site\" form=1 ";
    struct desk d;
    struct form f;

    (void)state;
    desk_open(&d);
    make_form(&f, "1");
    (void)make_line(&f, 0, "192.0.2.1", "25", "send");
    (void)make_line(&f, 5, "192.0.2.5", "25", "send");
    (void)make_line(&f, 2, "192.0.2.2", "25", "send");
    good(&d, submit(&d, &f, 10 * H, 0));
    form_fini(&f);
    /* by number, holes stay */
    assert_int_equal(book_find(d.b, "1")->form.n_lines, 3);
    assert_int_equal(book_find(d.b, "1")->form.lines[0].number, 2);
    assert_int_equal(book_find(d.b, "1")->form.lines[1].number, 5);
    assert_int_equal(book_find(d.b, "1")->form.lines[2].number, 6);
    good(&d, decide(&d, ACTION_REJECT, 5, 15 * H, 0));

    /* without numbers: the same address and port is the same line; what is not
     * there stays */
    make_form(&f, "1");
    (void)make_line(&f, 0, "192.0.2.5", "25", "both");
    (void)make_line(&f, 0, "192.0.2.9", "25", "send");
    (void)make_line(&f, 0, "192.0.2.1", "25", "send");
    good(&d, submit(&d, &f, 20 * H, 0));
    assert_true(span_starts(buf_view(&d.text), span_str(want)));
    assert_int_equal(book_find(d.b, "1")->form.n_lines, 4);
    assert_int_equal(book_n_lines(d.b), 4);
    assert_int_equal(line(&d, 5)->line->use, FORM_BOTH);
    assert_int_equal(line(&d, 7)->dates.received, 20 * H);
    assert_int_equal(line(&d, 6)->dates.received, 10 * H);
    assert_int_equal(line(&d, 5)->dates.received, 20 * H); /* asked for anew */
    form_fini(&f);

    /* twice the same: one line that ended, one that has not, then a new one */
    good(&d, decide(&d, ACTION_REJECT, 5, 30 * H, 0));
    make_form(&f, "1");
    (void)make_line(&f, 0, "192.0.2.5", "25", "send");
    (void)make_line(&f, 0, "192.0.2.5", "25", "send");
    good(&d, submit(&d, &f, 31 * H, 0));
    assert_int_equal(book_n_lines(d.b), 5);
    good(&d, decide(&d, ACTION_REJECT, 5, 32 * H, 0));
    f.n_lines--;
    form_line_fini(&f.lines[1]);
    good(&d, submit(&d, &f, 33 * H, 0));
    assert_int_equal(book_state_at(line(&d, 5), 33 * H), BOOK_ENDED);
    assert_int_equal(book_n_lines(d.b), 5);
    form_fini(&f);

    make_form(&f, "1");
    (void)make_line(&f, 3, "192.0.2.5", "25", "send");
    (void)make_line(&f, 3, "192.0.2.6", "25", "send");
    refused(&d, submit(&d, &f, 40 * H, 0), "form 1: line 3 stands there twice");
    f.lines[1].number = FORM_LINES_MAX + 1;
    assert_int_equal(submit(&d, &f, 40 * H, 0), ERR_LIMIT);
    f.lines[1].number = FORM_LINES_MAX;
    good(&d, submit(&d, &f, 40 * H, 0));
    f.lines[1].number = 0;
    make_text(&f.lines[1].text[FORM_ADDRESS], "192.0.2.77");
    assert_int_equal(submit(&d, &f, 41 * H, 0), ERR_LIMIT);
    form_fini(&f);
    desk_close(&d);
}

static void
test_next_number(void **state)
{
    static const char *const there[] = {"2026-9", "2026-10",         "2025-77",
                                        "2026-x", "2026-9999999999", "26-40"};
    char out[FORM_NUMBER_MAX + 1];
    struct desk d;
    ns_t when = 0;

    (void)state;
    assert_true(ns_parse(SPAN_LIT("2026-11-22T00:00:00Z"), &when));
    desk_open(&d);
    book_next_number(d.b, when, out);
    assert_string_equal(out, "2026-1");
    for (size_t i = 0; i < ARRAY_LEN(there); i++) {
        struct form f;

        make_form(&f, there[i]);
        good(&d, submit(&d, &f, H, 0));
        form_fini(&f);
    }
    book_next_number(d.b, when, out);
    assert_string_equal(out, "2026-11");
    book_next_number(d.b, 0, out);
    assert_string_equal(out, "1970-1");
    book_next_number(d.b, UINT64_MAX, out);
    assert_string_equal(out, "2554-1");
    desk_close(&d);
}

/* A site that calls its form "2026-999999999" must not make one form of those
 * that come after it. */
static void
test_numbers_used_up(void **state)
{
    char out[FORM_NUMBER_MAX + 1] = "2026-999999999";
    struct desk d;
    ns_t when = 0;

    (void)state;
    assert_true(ns_parse(SPAN_LIT("2026-11-22T00:00:00Z"), &when));
    desk_open(&d);
    for (size_t i = 0; i < 20; i++) {
        struct form f;

        assert_null(book_find(d.b, out));
        make_form(&f, out);
        good(&d, submit(&d, &f, H, 0));
        form_fini(&f);
        /* in the way of what is given next */
        if (i == 5) {
            make_form(&f, "2026-1000000008");
            good(&d, submit(&d, &f, H, 0));
            form_fini(&f);
        }
        book_next_number(d.b, when, out);
    }
    assert_int_equal(book_n_forms(d.b), 21);
    desk_close(&d);
}

static void
test_same_max(void **state)
{
    struct desk d;
    struct form f;

    (void)state;
    desk_open(&d);
    make_form(&f, "1");
    for (unsigned i = 1; i <= BOOK_SAME_MAX + 1; i++) {
        char port[8];

        (void)snprintf(port, sizeof(port), "%u", i);
        (void)make_line(&f, 0, "192.0.2.25", port, "send");
    }
    assert_int_equal(submit(&d, &f, 10 * H, 0), ERR_LIMIT);
    assert_int_equal(book_n_forms(d.b), 0);
    f.n_lines--;
    good(&d, submit(&d, &f, 10 * H, 0));
    f.n_lines++;
    good(&d, decide(&d, ACTION_REJECT, 0, 11 * H, 0));
    assert_int_equal(submit(&d, &f, 12 * H, 0), ERR_LIMIT);
    f.n_lines--;
    good(&d, submit(&d, &f, 12 * H, 0)); /* the same ones again are no more */
    f.n_lines++;
    assert_int_equal(
        judge(&d, "192.0.2.25", BOOK_SAME_MAX, FORM_SEND, 12 * H).fit,
        BOOK_FITS);
    form_fini(&f);
    desk_close(&d);
}

/* ---- what is refused ---- */

static void
test_refused(void **state)
{
    static const struct {
        const char *want;
        struct action a;
    } rows[] = {
        {"permit needs to say who does it",
         {ACTION_PERMIT, 9 * H, NULL, "1", NULL, 0, NULL, NULL, 0, NULL}     },
        {"permit needs to say who does it",
         {ACTION_PERMIT, 9 * H, "", "1", NULL, 0, NULL, NULL, 0, NULL}       },
        {"permit needs to say who does it",
         {ACTION_PERMIT, 9 * H, "a\nb", "1", NULL, 0, NULL, NULL, 0, NULL}   },
        {"permit needs the number of a form: letters, digits, . _ -",
         {ACTION_PERMIT, 9 * H, "ada", NULL, NULL, 0, NULL, NULL, 0, NULL}   },
        {"permit needs the number of a form: letters, digits, . _ -",
         {ACTION_PERMIT, 9 * H, "ada", "a b", NULL, 0, NULL, NULL, 0, NULL}  },
        {"permit needs a time",
         {ACTION_PERMIT, 0, "ada", "1", NULL, 0, NULL, NULL, 0, NULL}        },
        {"permit lies before the last change of the registry",
         {ACTION_PERMIT, 5 * H - 1, "ada", "1", NULL, 0, NULL, NULL, 0, NULL}},
        {"permit has a reference that is no text",
         {ACTION_PERMIT, 9 * H, "ada", "1", NULL, 0, NULL, "\x1b", 0, NULL}  },
        {"return needs a reason",
         {ACTION_RETURN, 9 * H, "ada", "1", NULL, 0, NULL, NULL, 0, NULL}    },
        {"reject needs a reason",
         {ACTION_REJECT, 9 * H, "ada", "1", NULL, 0, NULL, NULL, 0, NULL}    },
        {"suspend needs a reason",
         {ACTION_SUSPEND, 9 * H, "ada", "1", NULL, 0, NULL, NULL, 0, NULL}   },
        {"revoke needs a reason",
         {ACTION_REVOKE, 9 * H, "ada", "1", NULL, 0, NULL, NULL, 0, NULL}    },
        {"return has a reason that is no text",
         {ACTION_RETURN, 9 * H, "ada", "1", NULL, 0, "\xff", NULL, 0, NULL}  },
        {"check takes no date",
         {ACTION_CHECK, 9 * H, "ada", "1", NULL, 0, NULL, NULL, 10 * H, NULL}},
        {"submit takes a form, whole",
         {ACTION_SUBMIT, 9 * H, "ada", "1", NULL, 0, NULL, NULL, 0, NULL}    },
        {"form 2: there is none",
         {ACTION_CHECK, 9 * H, "ada", "2", NULL, 0, NULL, NULL, 0, NULL}     },
    };
    struct desk d;
    struct audit before;

    (void)state;
    one(&d, 5 * H, 0);
    before = book_last(d.b);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        refused(&d, put(&d, &rows[i].a), rows[i].want);
    assert_int_equal(book_last(d.b).number, before.number);
    good(&d, decide(&d, ACTION_CHECK, 1, 5 * H, 0)); /* the same time is fine */
    refused(&d, decide(&d, ACTION_CHECK, 1, 6 * H, 0),
            "form 1: line 1 was checked already, cannot check it");
    good(&d, decide(&d, ACTION_SEE, 1, 6 * H, 0));
    refused(&d, decide(&d, ACTION_SEE, 1, 6 * H, 0),
            "form 1: line 1 was seen already, cannot see it");
    assert_int_equal(line(&d, 1)->dates.seen, 6 * H);
    good(&d, decide(&d, ACTION_PERMIT, 1, 7 * H, 0));
    good(&d, decide(&d, ACTION_ENTER, 1, 8 * H, 0));
    refused(&d, decide(&d, ACTION_ENTER, 1, 8 * H, 0),
            "form 1: line 1 is in the firewall's list already, cannot enter "
            "it");
    desk_close(&d);
}

/* Named lines in any order, once each; all of them or none. */
static void
test_lines(void **state)
{
    static const uint32_t some[] = {3, 1, 3, 2};
    static const uint32_t more[] = {4, 1};
    struct action a = {.kind = ACTION_PERMIT,
                       .when = 20 * H,
                       .actor = "ada",
                       .number = "1",
                       .lines = some,
                       .n_lines = ARRAY_LEN(some),
                       .reference = "P 17"};
    struct desk d;
    struct form f;

    (void)state;
    desk_open(&d);
    make_form(&f, "1");
    for (unsigned i = 0; i < 5; i++)
        (void)make_line(&f, 0, "192.0.2.25", "25", "send");
    good(&d, submit(&d, &f, 10 * H, 0));
    good(&d, put(&d, &a));
    assert_true(span_eq(
        buf_view(&d.text),
        SPAN_LIT("permit when=72000000000000 actor=\"ada\" form=1 lines=1-3 "
                 "reference=\"P 17\"")));
    assert_string_equal(line(&d, 3)->reference, "P 17");
    a.lines = more;
    a.n_lines = ARRAY_LEN(more);
    refused(&d, put(&d, &a), "form 1: line 1 is permitted, cannot permit it");
    assert_int_equal(book_state_at(line(&d, 4), 20 * H), BOOK_REQUESTED);
    a.n_lines = 0;
    good(&d, put(&d, &a)); /* the others */
    assert_true(span_search(buf_view(&d.text), SPAN_LIT(" lines=4-5 ")) <
                d.text.n);
    form_fini(&f);
    desk_close(&d);
}

/* ---- records ---- */

struct tape {
    struct buf text[LINES_MAX];
    struct audit audit[LINES_MAX];
    size_t n;
};

static void
record(struct tape *t, const struct desk *d)
{
    buf_init(&t->text[t->n], ACTION_CODE_MAX);
    buf_span(&t->text[t->n], buf_view(&d->text));
    t->audit[t->n++] = d->audit;
}

static void
tape_make(struct tape *t)
{
    struct desk d;

    t->n = 0;
    one(&d, 10 * H, 50 * H);
    record(t, &d);
    good(&d, decide(&d, ACTION_PERMIT, 0, 20 * H, 2000 * H));
    record(t, &d);
    good(&d, decide(&d, ACTION_SUSPEND, 1, 30 * H, 78 * H));
    record(t, &d);
    good(&d, decide(&d, ACTION_REINSTATE, 1, 90 * H, 0));
    record(t, &d);
    desk_close(&d);
}

static void
tape_free(struct tape *t)
{
    for (size_t i = 0; i < t->n; i++)
        buf_free(&t->text[i]);
}

static size_t
play(const struct tape *t, struct desk *d)
{
    for (size_t i = 0; i < t->n; i++) {
        buf_reset(&d->why);
        if (book_replay(d->b, buf_view(&t->text[i]), &t->audit[i], &d->why) !=
            ERR_OK)
            return i;
    }
    assert_int_equal(d->why.n, 0);
    return t->n;
}

static void
test_replay(void **state)
{
    struct tape t;
    struct desk d;

    (void)state;
    tape_make(&t);
    desk_open(&d);
    assert_int_equal(play(&t, &d), 4);
    want_state(&d, 80 * H, BOOK_SUSPENDED);
    want_state(&d, 90 * H, BOOK_PERMITTED);
    assert_int_equal(book_time(d.b), 90 * H);
    assert_memory_equal(book_last(d.b).hash, t.audit[3].hash, 32);
    desk_close(&d);
    tape_free(&t);
}

/* Any byte of any record: noticed, and the book ends before it. */
static void
test_tampered(void **state)
{
    struct tape t;

    (void)state;
    tape_make(&t);
    for (size_t i = 0; i < t.n; i++) {
        for (size_t k = 0; k < t.text[i].n + 72; k++) {
            uint8_t *at =
                k < t.text[i].n        ? &t.text[i].p[k]
                : k < t.text[i].n + 32 ? &t.audit[i].before[k - t.text[i].n]
                : k < t.text[i].n + 64
                    ? &t.audit[i].hash[k - t.text[i].n - 32]
                    : (uint8_t *)&t.audit[i].number + (k - t.text[i].n - 64);
            struct desk d;

            *at ^= 1;
            desk_open(&d);
            if (play(&t, &d) != i || d.why.n == 0 || book_last(d.b).number != i)
                fail_msg("record %zu, byte %zu", i, k);
            desk_close(&d);
            *at ^= 1;
        }
    }
    tape_free(&t);
}

static void
test_left_out(void **state)
{
    struct tape t;
    struct desk d;

    (void)state;
    tape_make(&t);
    desk_open(&d);
    assert_int_equal(
        book_replay(d.b, buf_view(&t.text[1]), &t.audit[1], &d.why),
        ERR_CORRUPT);
    assert_true(
        span_eq(buf_view(&d.why), SPAN_LIT("record 2: has another number")));
    buf_reset(&d.why);
    t.audit[1].number = 1;
    assert_int_equal(
        book_replay(d.b, buf_view(&t.text[1]), &t.audit[1], &d.why),
        ERR_CORRUPT);
    assert_true(span_eq(buf_view(&d.why),
                        SPAN_LIT("record 1: does not follow the one before")));
    desk_close(&d);
    tape_free(&t);
}

/* A chain that is whole, but a record in it does not apply. */
static void
test_forged(void **state)
{
    static const char *const texts[] = {
        "permit when=5 actor=\"a\" form=x", "permit when=5 actor=\"a\"",
        "submit when=5 actor=\"a\" form=x line=0 port=\"25\"", /* no number */
    };
    static const uint8_t zeros[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct audit a;
        struct desk d;

        desk_open(&d);
        assert_int_equal(action_seal(span_str(texts[i]), 1, zeros, &a), ERR_OK);
        assert_int_equal(book_replay(d.b, span_str(texts[i]), &a, &d.why),
                         ERR_CORRUPT);
        assert_true(d.why.n > 0);
        assert_int_equal(book_n_forms(d.b), 0);
        desk_close(&d);
    }
}

/* ---- allocation ---- */

/* Each allocation of an action fails in turn: the book is as before, and the
 * action then goes through. */
static void
persist(struct desk *d, const struct action *a)
{
    struct audit before = book_last(d->b);
    size_t lines = book_n_lines(d->b);
    size_t forms = book_n_forms(d->b);
    enum err e = ERR_NOMEM;

    for (int n = 0; e != ERR_OK; n++) {
        struct audit last;

        assert_true(n < 1000);
        buf_free(&d->text);
        calls_left = n;
        e = put(d, a);
        calls_left = -1;
        last = book_last(d->b);
        if (e == ERR_OK)
            break;
        assert_int_equal(e, ERR_NOMEM);
        assert_memory_equal(&before, &last, sizeof(last));
        assert_int_equal(book_n_lines(d->b), lines);
        assert_int_equal(book_n_forms(d->b), forms);
        assert_int_equal(d->text.n, 0);
    }
    e = ERR_NOMEM;
    for (int n = 0; e != ERR_OK; n++) {
        calls_left = n;
        e = book_index(d->b);
        calls_left = -1;
    }
}

static void
test_no_memory(void **state)
{
    static const uint32_t three = 3;
    struct desk d;
    struct form f;

    (void)state;
    desk_open(&d);
    make_form(&f, "1");
    for (unsigned i = 1; i <= 20; i++) {
        char address[32];

        (void)snprintf(address, sizeof(address), "192.0.2.%u", i);
        (void)make_line(&f, 0, address, "25", "send");
    }
    persist(&d, &(struct action){.kind = ACTION_SUBMIT,
                                 .when = 10 * H,
                                 .actor = "site",
                                 .form = &f});
    persist(&d, &(struct action){.kind = ACTION_RETURN,
                                 .when = 11 * H,
                                 .actor = "ada",
                                 .number = "1",
                                 .lines = &three,
                                 .n_lines = 1,
                                 .reason = "no"});
    make_text(&f.lines[2].text[FORM_ADDRESS], "198.51.100.3");
    f.lines[2].number = 3;
    persist(&d, &(struct action){.kind = ACTION_SUBMIT,
                                 .when = 12 * H,
                                 .actor = "site",
                                 .form = &f});
    persist(&d, &(struct action){.kind = ACTION_PERMIT,
                                 .when = 13 * H,
                                 .actor = "ada",
                                 .number = "1",
                                 .reference = "P",
                                 .until = 99 * H});
    assert_int_equal(judge(&d, "192.0.2.3", 25, FORM_SEND, 11 * H).state,
                     BOOK_RETURNED);
    assert_true(judge(&d, "198.51.100.3", 25, FORM_SEND, 13 * H).registered);
    assert_true(judge(&d, "192.0.2.20", 25, FORM_SEND, 13 * H).registered);
    form_fini(&f);
    desk_close(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transitions),
        cmocka_unit_test(test_mail),
        cmocka_unit_test(test_from_nothing),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_clock_days),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_wrong_line_withdrawn),
        cmocka_unit_test(test_notice),
        cmocka_unit_test(test_suspended),
        cmocka_unit_test(test_notice_revoked),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_by_time),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_moved_to_others),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_next_number),
        cmocka_unit_test(test_numbers_used_up),
        cmocka_unit_test(test_same_max),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
