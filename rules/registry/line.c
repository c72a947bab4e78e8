#include "rules/registry/line.h"

#define CHANGES_FIRST 3 /* requested, permitted, ended */
#define CHANGES_MORE  2 /* that one action can add */

/* The words of ACTION_MAP's third column. */
enum {
    NONE = 1 << BOOK_NONE,
    REQUESTED = 1 << BOOK_REQUESTED,
    RETURNED = 1 << BOOK_RETURNED,
    PERMITTED = 1 << BOOK_PERMITTED,
    SUSPENDED = 1 << BOOK_SUSPENDED,
    ENDED = 1 << BOOK_ENDED
};

/* ---- states as a function of time ---- */

enum book_state
book_state_at(const struct book_line *l, ns_t when)
{
    size_t i = l->n_changes;

    while (i > 0 && l->changes[i - 1].from > when)
        i--;
    return i > 0 ? l->changes[i - 1].state : BOOK_NONE;
}

static bool
stands(enum book_state s)
{
    return s == BOOK_SUSPENDED || s == BOOK_ENDED;
}

struct clock
book_clock_at(const struct book_line *l, ns_t when)
{
    struct clock c = l->clock;
    size_t i = l->n_changes;

    while (i > 0 && l->changes[i - 1].from > when)
        i--;
    /* A clock that runs saw none of these: the first of them stopped it. */
    while (i > 1 && stands(l->changes[i - 1].state) &&
           stands(l->changes[i - 2].state))
        i--;
    if (i > 0 && stands(l->changes[i - 1].state))
        clock_stop(&c, l->changes[i - 1].from);
    return c;
}

bool
line_reserve(struct book_line *l, struct room *r)
{
    size_t cap = l->cap_changes > 0 ? l->cap_changes * 2 : CHANGES_FIRST;
    struct book_change *v;

    if (l->cap_changes - l->n_changes >= CHANGES_MORE)
        return true;
    v = room_get(r, cap, sizeof(*v));
    if (v == NULL)
        return false;
    if (l->n_changes > 0)
        memcpy(v, l->changes, l->n_changes * sizeof(*v));
    l->changes = v;
    l->cap_changes = cap;
    return true;
}

/* In its place by time, behind those of the same time. */
static void
put_change(struct book_line *l, ns_t from, enum book_state s, uint64_t audit)
{
    size_t i = l->n_changes;

    REQUIRE(l->n_changes < l->cap_changes);
    for (; i > 0 && l->changes[i - 1].from > from; i--)
        l->changes[i] = l->changes[i - 1];
    l->changes[i] = (struct book_change){from, s, audit};
    l->n_changes++;
}

/* The change to this state that lies ahead of when, or NULL: all that lies
 * ahead of a permit is a suspension, then its end. */
static struct book_change *
ahead(const struct book_line *l, ns_t when, enum book_state s)
{
    for (size_t i = l->n_changes; i > 0; i--) {
        if (l->changes[i - 1].from <= when)
            break;
        if (l->changes[i - 1].state == s)
            return &l->changes[i - 1];
    }
    return NULL;
}

static void
drop_ahead(struct book_line *l, ns_t when, enum book_state s)
{
    struct book_change *c = ahead(l, when, s);

    if (c == NULL)
        return;
    l->n_changes--;
    for (; c < l->changes + l->n_changes; c++)
        c[0] = c[1];
}

/* ---- does it fit ---- */

static const char *
unfit_check(const struct book_line *l, const struct action *a)
{
    (void)a;
    return l->dates.checked != 0 ? "was checked already" : NULL;
}

static const char *
unfit_permit(const struct book_line *l, const struct action *a)
{
    (void)a;
    return l->line->readable ? NULL : "has an address or port that is wrong";
}

static const char *
unfit_suspend(const struct book_line *l, const struct action *a)
{
    const struct book_change *end = ahead(l, a->when, BOOK_ENDED);

    return end != NULL && end->from <= a->until ? "ends before that" : NULL;
}

static const char *
unfit_reinstate(const struct book_line *l, const struct action *a)
{
    return book_state_at(l, a->when) != BOOK_SUSPENDED &&
                   ahead(l, a->when, BOOK_SUSPENDED) == NULL
               ? "is not suspended, nor is it to be"
               : NULL;
}

static const char *
unfit_renew(const struct book_line *l, const struct action *a)
{
    if (l->dates.until == 0)
        return "has a permit without end";
    return a->until != 0 && a->until <= l->dates.until
               ? "has a permit that lasts as long already"
               : NULL;
}

static const char *
unfit_enter(const struct book_line *l, const struct action *a)
{
    (void)a;
    return l->dates.entered != 0 ? "is in the firewall's list already" : NULL;
}

static const char *
unfit_lose(const struct book_line *l, const struct action *a)
{
    (void)a;
    return l->dates.entered == 0 ? "was not in the firewall's list" : NULL;
}

static const char *
unfit_see(const struct book_line *l, const struct action *a)
{
    (void)a;
    return l->dates.seen != 0 ? "was seen already" : NULL;
}

static const char *
unfit_mail(const struct book_line *l, const struct action *a)
{
    const char *mail = l->form->form.text[FORM_SITE_CONTACT_MAIL];

    return mail == NULL || a->reference == NULL ||
                   strcmp(mail, a->reference) != 0
               ? "is of a contact with another address"
               : NULL;
}

/* ---- what it does ---- */

static void
do_check(struct book_line *l, const struct action *a, uint64_t audit)
{
    (void)audit;
    l->dates.checked = a->when;
}

static void
set_end(struct book_line *l, const struct action *a, uint64_t audit)
{
    drop_ahead(l, a->when, BOOK_ENDED);
    l->dates.until = a->until;
    if (a->until != 0)
        put_change(l, a->until + BOOK_GRACE, BOOK_ENDED, audit);
    if (a->reference != NULL)
        l->reference = a->reference;
}

static void
do_permit(struct book_line *l, const struct action *a, uint64_t audit)
{
    l->dates.approved = a->when;
    put_change(l, a->when, BOOK_PERMITTED, audit);
    set_end(l, a, audit);
}

static void
do_return(struct book_line *l, const struct action *a, uint64_t audit)
{
    put_change(l, a->when, BOOK_RETURNED, audit);
    clock_pause(&l->clock, a->when);
}

static void
do_end(struct book_line *l, const struct action *a, uint64_t audit)
{
    drop_ahead(l, a->when, BOOK_SUSPENDED);
    drop_ahead(l, a->when, BOOK_ENDED);
    put_change(l, a->when, BOOK_ENDED, audit);
    clock_stop(&l->clock, a->when);
}

static void
do_suspend(struct book_line *l, const struct action *a, uint64_t audit)
{
    ns_t from = a->until > a->when ? a->until : a->when;

    drop_ahead(l, a->when, BOOK_SUSPENDED);
    put_change(l, from, BOOK_SUSPENDED, audit);
    if (from == a->when)
        clock_stop(&l->clock, a->when);
}

static void
do_reinstate(struct book_line *l, const struct action *a, uint64_t audit)
{
    if (book_state_at(l, a->when) != BOOK_SUSPENDED) {
        drop_ahead(l, a->when, BOOK_SUSPENDED);
        return;
    }
    put_change(l, a->when, BOOK_PERMITTED, audit);
    l->dates.entered = 0;
    clock_start(&l->clock, a->when);
}

static void
do_enter(struct book_line *l, const struct action *a, uint64_t audit)
{
    (void)audit;
    l->dates.entered = a->when;
    clock_stop(&l->clock, a->when);
}

static void
do_lose(struct book_line *l, const struct action *a, uint64_t audit)
{
    (void)audit;
    l->dates.entered = 0;
    clock_start(&l->clock, a->when);
}

static void
do_see(struct book_line *l, const struct action *a, uint64_t audit)
{
    (void)audit;
    l->dates.seen = a->when;
}

static void
do_mail(struct book_line *l, const struct action *a, uint64_t audit)
{
    (void)audit;
    l->mail = a->reference;
    l->mail_when = a->when;
}

/* What until is of an action. */
enum until { UNTIL_NONE, UNTIL_ANY, UNTIL_END, UNTIL_FROM };

static const struct {
    const char *(*unfit)(const struct book_line *l, const struct action *a);
    void (*apply)(struct book_line *l, const struct action *a, uint64_t audit);
    bool reason; /* must be given, and is kept */
    enum until until;
} rules[ACTION_COUNT] = {
    [ACTION_SUBMIT] = {NULL,            NULL,         false, UNTIL_ANY },
    [ACTION_CHECK] = {unfit_check,     do_check,     false, UNTIL_NONE},
    [ACTION_PERMIT] = {unfit_permit,    do_permit,    false, UNTIL_END },
    [ACTION_RETURN] = {NULL,            do_return,    true,  UNTIL_NONE},
    [ACTION_REJECT] = {NULL,            do_end,       true,  UNTIL_NONE},
    [ACTION_WITHDRAW] = {NULL,            do_end,       false, UNTIL_NONE},
    [ACTION_SUSPEND] = {unfit_suspend,   do_suspend,   true,  UNTIL_FROM},
    [ACTION_REINSTATE] = {unfit_reinstate, do_reinstate, false, UNTIL_NONE},
    [ACTION_RENEW] = {unfit_renew,     set_end,      false, UNTIL_END },
    [ACTION_REVOKE] = {NULL,            do_end,       true,  UNTIL_NONE},
    [ACTION_ENTER] = {unfit_enter,     do_enter,     false, UNTIL_NONE},
    [ACTION_LOSE] = {unfit_lose,      do_lose,      false, UNTIL_NONE},
    [ACTION_SEE] = {unfit_see,       do_see,       false, UNTIL_NONE},
    [ACTION_MAIL] = {unfit_mail,      do_mail,      false, UNTIL_NONE},
};

static const unsigned starts_in[ACTION_COUNT] = {
#define ACTION_FROM(id, word, from, doc) [ACTION_##id] = (from),
    ACTION_MAP(ACTION_FROM)
#undef ACTION_FROM
};

static const char *const not_in[BOOK_STATE_COUNT] = {
#define BOOK_NOT(id, word, doc) [BOOK_##id] = "is " word,
    BOOK_STATES(BOOK_NOT)
#undef BOOK_NOT
};

const char *
line_unfit(const struct book_line *l, const struct action *a)
{
    enum book_state s = book_state_at(l, a->when);

    if ((starts_in[a->kind] & 1U << s) == 0)
        return not_in[s];
    return rules[a->kind].unfit != NULL ? rules[a->kind].unfit(l, a) : NULL;
}

static const char *
wrong_until(const struct action *a)
{
    switch (rules[a->kind].until) {
    case UNTIL_ANY: return NULL;
    case UNTIL_NONE: return a->until != 0 ? "takes no date" : NULL;
    case UNTIL_FROM:
        return a->until != 0 && a->until < a->when ? "cannot begin in the past"
                                                   : NULL;
    case UNTIL_END:
        if (a->until != 0 && a->until <= a->when)
            return "cannot end in the past";
        return a->until > UINT64_MAX - BOOK_GRACE ? "ends too far ahead" : NULL;
    }
    return NULL;
}

const char *
line_nonsense(const struct action *a)
{
    if (rules[a->kind].reason && a->reason == NULL)
        return "needs a reason";
    return wrong_until(a);
}

void
line_apply(struct book_line *l, const struct action *a, uint64_t audit)
{
    l->clock = book_clock_at(l, a->when);
    rules[a->kind].apply(l, a, audit);
    if (rules[a->kind].reason)
        l->reason = a->reason;
}

/* ---- forms ---- */

static void
begin(struct book_line *l, ns_t when)
{
    l->dates = (struct book_dates){.received = when};
    l->clock = (struct clock){0};
    l->reason = NULL;
    l->reference = NULL;
}

ns_t
line_protection(const struct book_line *l, const struct action *a)
{
    ns_t before = l != NULL ? l->dates.protected_until : 0;

    if (l == NULL || book_state_at(l, a->when) == BOOK_ENDED)
        return a->until;
    return before > a->until ? before : a->until;
}

void
line_submit(struct book_line *l, const struct action *a, uint64_t audit)
{
    enum book_state s = book_state_at(l, a->when);
    ns_t protection = line_protection(l, a);

    if (s == BOOK_NONE || s == BOOK_ENDED)
        begin(l, a->when);
    l->dates.protected_until = protection;
    if (s == BOOK_PERMITTED)
        return;
    l->dates.checked = 0;
    if (s != BOOK_REQUESTED)
        put_change(l, a->when, BOOK_REQUESTED, audit);
    if (s == BOOK_RETURNED && l->clock.state == CLOCK_PAUSED)
        clock_start(&l->clock, a->when);
}

void
line_complete(struct book_line *l, ns_t when)
{
    if (l->dates.complete != 0 || book_state_at(l, when) != BOOK_REQUESTED)
        return;
    l->dates.complete = when;
    clock_start(&l->clock, when);
}
