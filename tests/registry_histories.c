/* registry_histories - random histories of the registry, against a slow model
 *
 * Usage: registry_histories [--histories N] [--seed S] [--bench]
 * A history is some thirty actions on a few lines: sensible ones, and ones that
 * must be refused; time goes on by nothing, hours or months, and now and then
 * an allocation fails. The model is a simulation that goes from moment to
 * moment and keeps what it saw: no line may be lost, each change has one record
 * and the chain holds, clocks, dates and verdicts are the model's, refused
 * actions change nothing, and the records make an equal book. A history that
 * goes wrong is named by its number: --seed takes it, with --histories 1.
 * --bench measures 100,000 lines instead. */
#include <stdlib.h>
#include <time.h>

#include "rules/registry/book_make.h"
#include "support/mangle.h"

#include "tests/support/alloc_fails.h"

#define SEED         UINT64_C(0x5b1c25)
#define HISTORIES    20000
#define FORMS        2
#define LINES        12 /* of a form, at most */
#define ACTIONS      30
#define SNAPS        96
#define H            CLOCK_HOURS
#define BENCH_LINES  100000U
#define BENCH_ROUNDS 2000000U

/* ---- the model ---- */

static const struct {
    const char *text;
    unsigned bits;
} prefixes[] = {
    {"192.0.2.0/24",   24 },
    {"192.0.2.0/25",   25 },
    {"192.0.2.25",     32 },
    {"192.0.2.26",     32 },
    {"198.51.100.7",   32 },
    {"2001:db8::/32",  32 },
    {"2001:db8::25",   128},
    {"not an address", 0  },
};
#define PREFIXES ARRAY_LEN(prefixes)
#define WRONG    (PREFIXES - 1)

static const struct {
    const char *text;
    unsigned in; /* prefixes that hold it, a set */
} hosts[] = {
    {"192.0.2.25",    1 << 0 | 1 << 1 | 1 << 2},
    {"192.0.2.26",    1 << 0 | 1 << 1 | 1 << 3},
    {"192.0.2.27",    1 << 0 | 1 << 1         },
    {"192.0.2.200",   1 << 0                  },
    {"198.51.100.7",  1 << 4                  },
    {"198.51.100.8",  0                       },
    {"2001:db8::25",  1 << 5 | 1 << 6         },
    {"2001:db8:1::1", 1 << 5                  },
};

static const char *const port_texts[] = {"25", "587", "any"};
static const uint16_t ports[] = {25, 587, 0};
static const char *const use_texts[] = {"", "send", "receive", "both"};

/* What a line asks for. */
struct wish {
    unsigned prefix, port, use; /* indices; use as form_use */
    bool device;
};

/* What could be seen of a line from a moment on. */
struct snap {
    ns_t from;
    enum book_state state;
    struct wish wish;
    ns_t protection;
};

struct mline {
    uint32_t number;
    unsigned id;
    enum book_state state;
    struct wish wish;
    ns_t notice, end; /* to be suspended, to end; 0: not */
    enum clock_state clock;
    ns_t net, run_since, began, stopped, paused;
    ns_t received, complete, checked, approved, entered, seen, until,
        protection;
    struct snap *snaps; /* a copy of the line writes behind the end */
    size_t n_snaps;
};

struct mform {
    struct mline lines[LINES];
    size_t n;
    bool there, signer, complete;
};

struct model {
    struct mform forms[FORMS];
    unsigned n_lines;
    ns_t now;
    ns_t last; /* of the last record; 0 before it */
    struct snap snaps[FORMS][LINES][SNAPS];
};

/* One action, as drawn. */
struct draw {
    enum action_kind kind;
    unsigned form;
    uint32_t lines[3];
    size_t n_lines;
    ns_t when, until;
    bool reason, signer;
    struct wish wishes[3]; /* of a SUBMIT; lines has their numbers */
};

struct run {
    uint64_t x, number;
    struct book *b;
    struct model m;
    struct buf why;
    struct buf texts[ACTIONS];
    struct audit audits[ACTIONS];
    size_t n;
    struct action said;
};

#define CHECK(r, cond)                                                         \
    do {                                                                       \
        if (!(cond))                                                           \
            failed(r, #cond, __LINE__);                                        \
    } while (0)

_Noreturn static void
failed(const struct run *r, const char *what, int line)
{
    fprintf(stderr, "history --seed %llu, line %d: %s\n",
            (unsigned long long)r->number, line, what);
    for (size_t i = 0; i < r->n; i++)
        fprintf(stderr, "  %.*s\n",
                (int)(r->texts[i].n < 90 ? r->texts[i].n : 90),
                (const char *)r->texts[i].p);
    fprintf(stderr, "  why: %.*s\n", (int)r->why.n, (const char *)r->why.p);
    exit(1);
}

static void
snap(struct mline *l, ns_t when)
{
    REQUIRE(l->n_snaps < SNAPS);
    l->snaps[l->n_snaps++] =
        (struct snap){when, l->state, l->wish, l->protection};
}

static void
model_stop(struct mline *l, ns_t when)
{
    if (l->clock == CLOCK_RUNNING)
        l->net += when - l->run_since;
    if (l->clock == CLOCK_RUNNING || l->clock == CLOCK_PAUSED) {
        l->clock = CLOCK_STOPPED;
        l->stopped = when;
    }
}

static void
model_start(struct mline *l, ns_t when)
{
    if (l->clock == CLOCK_IDLE || l->clock == CLOCK_STOPPED) {
        l->began = when;
        l->net = 0;
    }
    if (l->clock != CLOCK_RUNNING)
        l->run_since = when;
    l->clock = CLOCK_RUNNING;
}

/* What was foreseen and has come. */
static void
advance(struct mline *l, ns_t now)
{
    if (l->notice != 0 && l->notice <= now) {
        l->state = BOOK_SUSPENDED;
        model_stop(l, l->notice);
        snap(l, l->notice);
        l->notice = 0;
    }
    if (l->end != 0 && l->end <= now) {
        l->state = BOOK_ENDED;
        model_stop(l, l->end);
        snap(l, l->end);
        l->end = 0;
    }
}

static void
model_end(struct mline *l, ns_t when)
{
    l->state = BOOK_ENDED;
    l->notice = l->end = 0;
    model_stop(l, when);
}

static bool
model_fits(const struct mline *l, const struct draw *d)
{
    bool permit = l->state == BOOK_PERMITTED;
    bool both = permit || l->state == BOOK_SUSPENDED;
    bool early = l->state == BOOK_REQUESTED || l->state == BOOK_RETURNED;

    switch (d->kind) {
    case ACTION_SUBMIT: return l->state != BOOK_SUSPENDED;
    case ACTION_CHECK: return l->state == BOOK_REQUESTED && l->checked == 0;
    case ACTION_PERMIT:
        return l->state == BOOK_REQUESTED && l->wish.prefix != WRONG;
    case ACTION_RETURN: return l->state == BOOK_REQUESTED;
    case ACTION_REJECT: return early;
    case ACTION_WITHDRAW: return early || both;
    case ACTION_SUSPEND: return permit && (l->end == 0 || d->until < l->end);
    case ACTION_REINSTATE:
        return l->state == BOOK_SUSPENDED || (permit && l->notice != 0);
    case ACTION_RENEW:
        return both && l->until != 0 && (d->until == 0 || d->until > l->until);
    case ACTION_REVOKE: return both;
    case ACTION_ENTER: return permit && l->entered == 0;
    case ACTION_LOSE: return permit && l->entered != 0;
    case ACTION_SEE: return (early || both) && l->seen == 0;
    case ACTION_MAIL: /* of an address that no form here has */
    case ACTION_COUNT: break;
    }
    return false;
}

static void
model_do(struct mline *l, const struct draw *d)
{
    switch (d->kind) {
    case ACTION_CHECK: l->checked = d->when; break;
    case ACTION_PERMIT:
        l->approved = d->when;
        l->state = BOOK_PERMITTED;
        l->until = d->until;
        l->end = d->until != 0 ? d->until + 720 * H : 0;
        break;
    case ACTION_RETURN:
        l->state = BOOK_RETURNED;
        if (l->clock == CLOCK_RUNNING) {
            l->net += d->when - l->run_since;
            l->clock = CLOCK_PAUSED;
            l->paused = d->when;
        }
        break;
    case ACTION_REJECT:
    case ACTION_WITHDRAW:
    case ACTION_REVOKE: model_end(l, d->when); break;
    case ACTION_SUSPEND:
        l->notice = d->until > d->when ? d->until : d->when;
        break; /* advance does the rest */
    case ACTION_REINSTATE:
        if (l->state == BOOK_SUSPENDED) {
            l->state = BOOK_PERMITTED;
            l->entered = 0;
            model_start(l, d->when);
        }
        l->notice = 0;
        break;
    case ACTION_RENEW:
        l->until = d->until;
        l->end = d->until != 0 ? d->until + 720 * H : 0;
        break;
    case ACTION_ENTER:
        l->entered = d->when;
        model_stop(l, d->when);
        break;
    case ACTION_LOSE:
        l->entered = 0;
        model_start(l, d->when);
        break;
    case ACTION_SEE: l->seen = d->when; break;
    case ACTION_SUBMIT:
    case ACTION_MAIL:
    case ACTION_COUNT: break;
    }
    snap(l, d->when);
    advance(l, d->when);
}

static struct mline *
model_line(struct mform *f, uint32_t number)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->lines[i].number == number)
            return &f->lines[i];
    }
    return NULL;
}

/* Makes sense whatever the line. */
static bool
model_sense(const struct model *m, const struct draw *d)
{
    bool must = d->kind == ACTION_RETURN || d->kind == ACTION_REJECT ||
                d->kind == ACTION_SUSPEND || d->kind == ACTION_REVOKE;

    if ((must && !d->reason) || d->when < m->last)
        return false;
    if (d->until == 0 || d->kind == ACTION_SUBMIT)
        return true;
    if (d->kind == ACTION_PERMIT || d->kind == ACTION_RENEW)
        return d->until > d->when;
    return d->kind == ACTION_SUSPEND && d->until >= d->when;
}

static bool
is_complete(const struct mform *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->lines[i].state != BOOK_ENDED &&
            (f->lines[i].wish.prefix == WRONG || !f->lines[i].wish.device))
            return false;
    }
    return f->signer && f->n > 0;
}

/* At a SUBMIT, and when lines end of one that is not complete. */
static void
model_complete(struct mform *f, ns_t when)
{
    f->complete = is_complete(f);
    for (size_t i = 0; i < f->n && f->complete; i++) {
        struct mline *l = &f->lines[i];

        if (l->state == BOOK_REQUESTED && l->complete == 0) {
            l->complete = when;
            model_start(l, when);
        }
    }
}

static bool
model_decide(struct model *m, const struct draw *d)
{
    struct mform *f = &m->forms[d->form];
    bool on[LINES] = {false};
    bool ended = false;
    size_t n = 0;

    if (!model_sense(m, d) || !f->there)
        return false;
    for (size_t i = 0; i < f->n; i++)
        on[i] = d->n_lines == 0 && model_fits(&f->lines[i], d);
    for (size_t i = 0; i < d->n_lines; i++) {
        struct mline *l = model_line(f, d->lines[i]);

        if (l == NULL || !model_fits(l, d))
            return false;
        on[l - f->lines] = true;
    }
    for (size_t i = 0; i < f->n; i++) {
        if (on[i])
            model_do(&f->lines[i], d);
        n += on[i];
        ended = ended || (on[i] && f->lines[i].state == BOOK_ENDED);
    }
    if (ended && !f->complete)
        model_complete(f, d->when);
    return n > 0;
}

/* ---- forms of the model ---- */

static bool
is_in(uint32_t number, const uint32_t *set, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (set[i] == number)
            return true;
    }
    return false;
}

/* The line without a number that asks for the same. */
static uint32_t
same_wish(const struct mform *f, const struct wish *w, const uint32_t *taken)
{
    uint32_t live = 0;
    uint32_t ended = 0;

    for (size_t i = 0; i < f->n; i++) {
        const struct mline *l = &f->lines[i];

        if (w->prefix == WRONG || l->wish.prefix != w->prefix ||
            l->wish.port != w->port || is_in(l->number, taken, 3))
            continue;
        if (l->state == BOOK_ENDED)
            ended = ended == 0 || l->number < ended ? l->number : ended;
        else
            live = live == 0 || l->number < live ? l->number : live;
    }
    return live != 0 ? live : ended;
}

/* Gives numbers; false: a number twice, or too many lines for the model. */
static bool
model_numbers(const struct mform *f, const struct draw *d, uint32_t *out)
{
    uint32_t most = 0;
    size_t fresh = 0;

    memset(out, 0, 3 * sizeof(*out));
    for (size_t i = 0; i < d->n_lines; i++) {
        if (d->lines[i] != 0 && is_in(d->lines[i], out, 3))
            return false;
        out[i] = d->lines[i];
    }
    for (size_t i = 0; i < d->n_lines; i++)
        out[i] = out[i] != 0 ? out[i] : same_wish(f, &d->wishes[i], out);
    for (size_t i = 0; i < f->n; i++)
        most = f->lines[i].number > most ? f->lines[i].number : most;
    for (size_t i = 0; i < d->n_lines; i++)
        most = out[i] > most ? out[i] : most;
    for (size_t i = 0; i < d->n_lines; i++)
        out[i] = out[i] != 0 ? out[i] : ++most;
    for (size_t i = 0; i < d->n_lines; i++) {
        bool there = false;

        for (size_t k = 0; k < f->n; k++)
            there = there || f->lines[k].number == out[i];
        fresh += !there;
    }
    REQUIRE(f->n + fresh <= LINES);
    return true;
}

static bool
model_may(struct mform *f, const struct draw *d, const uint32_t *numbers)
{
    for (size_t i = 0; i < d->n_lines; i++) {
        const struct mline *l = model_line(f, numbers[i]);
        const struct wish *w = &d->wishes[i];

        if (l == NULL)
            continue;
        if (!model_fits(l, d))
            return false;
        if (l->state == BOOK_PERMITTED &&
            (w->prefix != l->wish.prefix || w->port != l->wish.port ||
             w->use != l->wish.use))
            return false;
    }
    return true;
}

static void
model_put(struct model *m, struct mform *f, const struct draw *d, uint32_t n,
          const struct wish *w)
{
    struct mline *l = model_line(f, n);
    bool fresh = l == NULL;

    if (fresh) {
        size_t at = f->n++;

        /* by number, as the book gives ids */
        l = &f->lines[at];
        *l = (struct mline){.number = n, .snaps = m->snaps[d->form][at]};
    }
    if (fresh || l->state == BOOK_ENDED) {
        l->received = d->when;
        l->complete = l->checked = l->approved = l->entered = l->seen = 0;
        l->until = 0;
        l->protection = d->until;
        l->clock = CLOCK_IDLE;
        l->net = l->began = 0;
        l->state = BOOK_REQUESTED;
    } else {
        l->protection = d->until > l->protection ? d->until : l->protection;
    }
    if (l->state == BOOK_RETURNED) {
        l->state = BOOK_REQUESTED;
        if (l->clock == CLOCK_PAUSED)
            model_start(l, d->when);
    }
    if (l->state == BOOK_REQUESTED)
        l->checked = 0;
    l->wish = *w;
    snap(l, d->when);
}

/* New lines get their ids by number. */
static void
model_ids(struct model *m, struct mform *f, size_t from)
{
    for (size_t done = from; done < f->n; done++) {
        struct mline *least = NULL;

        for (size_t i = from; i < f->n; i++) {
            if (f->lines[i].id == 0 &&
                (least == NULL || f->lines[i].number < least->number))
                least = &f->lines[i];
        }
        least->id = ++m->n_lines;
    }
}

static bool
model_submit(struct model *m, const struct draw *d)
{
    struct mform *f = &m->forms[d->form];
    uint32_t numbers[3];
    size_t before = f->n;

    if (!model_sense(m, d) || !model_numbers(f, d, numbers) ||
        !model_may(f, d, numbers))
        return false;
    f->there = true;
    f->signer = d->signer;
    for (size_t i = 0; i < d->n_lines; i++)
        model_put(m, f, d, numbers[i], &d->wishes[i]);
    model_ids(m, f, before);
    model_complete(f, d->when);
    return true;
}

static bool
model_apply(struct model *m, const struct draw *d)
{
    struct mform *f = &m->forms[d->form];
    struct mform before = *f;
    bool good;

    for (size_t i = 0; i < f->n; i++)
        advance(&f->lines[i], d->when);
    good = d->kind == ACTION_SUBMIT ? model_submit(m, d) : model_decide(m, d);
    if (good)
        m->now = m->last = d->when;
    else
        *f = before;
    return good;
}

/* ---- drawing ---- */

static uint64_t
pick(struct run *r, uint64_t n)
{
    return (mangle_random(&r->x) >> 11) % n;
}

static ns_t
step(struct run *r)
{
    switch (pick(r, 8)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return 48 * H;
    case 3: return pick(r, 60 * 24) * H;
    case 4: return pick(r, 400) * 24 * H;
    default: return pick(r, 30 * H);
    }
}

static void
draw_wish(struct run *r, struct wish *w)
{
    w->prefix = (unsigned)pick(r, PREFIXES - (pick(r, 8) != 0));
    w->port = (unsigned)pick(r, 3);
    w->use = (unsigned)pick(r, 4);
    w->use = w->use == 0 ? 3 : w->use;
    w->device = pick(r, 12) != 0;
}

/* A line that is there, often as it is. */
static void
draw_again(struct run *r, const struct mform *f, struct draw *d, size_t i)
{
    const struct mline *l = &f->lines[pick(r, f->n)];

    d->wishes[i] = l->wish;
    d->lines[i] = pick(r, 3) == 0 ? 0 : l->number;
    if (pick(r, 4) == 0)
        draw_wish(r, &d->wishes[i]);
}

static void
draw_submit(struct run *r, struct draw *d)
{
    const struct mform *f = &r->m.forms[d->form];

    d->signer = pick(r, 10) != 0;
    d->n_lines = 1 + pick(r, 3);
    if (pick(r, 20) == 0)
        d->n_lines = 0;
    for (size_t i = 0; i < d->n_lines; i++) {
        if (f->n > 0 && (f->n + 3 > LINES || pick(r, 3) != 0)) {
            draw_again(r, f, d, i);
        } else {
            draw_wish(r, &d->wishes[i]);
            d->lines[i] = pick(r, 4) == 0 ? (uint32_t)pick(r, 9) + 1 : 0;
        }
    }
    if (f->n + d->n_lines > LINES)
        d->n_lines = 0;
    d->until = pick(r, 3) == 0 ? d->when + step(r) : 0;
}

static void
draw_decision(struct run *r, struct draw *d)
{
    const struct mform *f = &r->m.forms[d->form];

    d->n_lines = pick(r, 3);
    for (size_t i = 0; i < d->n_lines; i++)
        d->lines[i] = f->n > 0 && pick(r, 30) != 0
                          ? f->lines[pick(r, f->n)].number
                          : (uint32_t)pick(r, 9) + 1;
    d->reason = pick(r, 12) != 0;
    if (d->kind == ACTION_SUSPEND)
        d->until = pick(r, 3) == 0 ? 0 : d->when + 48 * H * pick(r, 2);
    if (d->kind == ACTION_PERMIT || d->kind == ACTION_RENEW)
        d->until = pick(r, 3) == 0 ? 0 : d->when + step(r);
    if (pick(r, 30) == 0)
        d->until = d->when + step(r) - 1;
}

/* Half of the time an action that fits some line, so that histories go on. */
static void
draw(struct run *r, struct draw *d)
{
    *d = (struct draw){.when = r->m.now + step(r), .reason = true};
    if (pick(r, 25) == 0)
        d->when = r->m.now - pick(r, 2);
    d->form = (unsigned)pick(r, 8) == 0;
    d->kind = (enum action_kind)pick(r, ACTION_COUNT);
    for (unsigned i = 0; i < 6; i++) {
        const struct mform *f = &r->m.forms[d->form];
        struct mline l;

        if (f->n == 0 || d->kind == ACTION_SUBMIT || pick(r, 8) == 0)
            break;
        l = f->lines[pick(r, f->n)];
        advance(&l, d->when);
        if (model_fits(&l, d))
            break;
        d->kind = (enum action_kind)pick(r, ACTION_COUNT);
    }
    if (!r->m.forms[d->form].there && pick(r, 4) != 0)
        d->kind = ACTION_SUBMIT;
    if (d->kind == ACTION_SUBMIT)
        draw_submit(r, d);
    else
        draw_decision(r, d);
}

/* ---- the book does it ---- */

static const char *
form_number(unsigned form)
{
    return form == 0 ? "2026-1" : "other";
}

static void
make_submission(const struct draw *d, struct form *f)
{
    make_form(f, form_number(d->form));
    if (!d->signer)
        make_text(&f->text[FORM_SIGNER], "");
    for (size_t i = 0; i < d->n_lines; i++) {
        const struct wish *w = &d->wishes[i];
        struct form_line *l =
            make_line(f, d->lines[i], prefixes[w->prefix].text,
                      port_texts[w->port], use_texts[w->use]);

        if (!w->device)
            make_text(&l->text[FORM_DEVICE], "");
    }
}

static enum err
put(struct run *r, const struct action *a, bool fail)
{
    struct buf *text = &r->texts[r->n];
    enum err e;

    buf_reset(&r->why);
    calls_left = fail ? (int)pick(r, 40) : -1;
    e = book_apply(r->b, a, &r->audits[r->n], text, &r->why);
    calls_left = -1;
    return e;
}

static enum err
do_action(struct run *r, const struct draw *d)
{
    struct form f;
    struct action a = {
        .kind = d->kind,
        .when = d->when,
        .actor = "ada",
        .number = form_number(d->form),
        .lines = d->kind == ACTION_SUBMIT ? NULL : d->lines,
        .n_lines = d->kind == ACTION_SUBMIT ? 0 : d->n_lines,
        .reason = d->reason ? "because" : NULL,
        .until = d->until,
        .form = d->kind == ACTION_SUBMIT ? &f : NULL,
    };
    enum err e;

    make_submission(d, &f);
    e = put(r, &a, pick(r, 12) == 0);
    if (e == ERR_NOMEM) {
        CHECK(r, book_last(r->b).number == r->n);
        CHECK(r, r->texts[r->n].n == 0);
        e = put(r, &a, false);
    }
    form_fini(&f);
    return e;
}

/* ---- comparing ---- */

static void
check_clock(const struct run *r, const struct mline *l,
            const struct book_line *b, ns_t now)
{
    struct mline then = *l;
    struct clock c = book_clock_at(b, now);
    ns_t net;
    ns_t total = 0;

    advance(&then, now);
    net = then.net + (then.clock == CLOCK_RUNNING ? now - then.run_since : 0);
    if (then.clock == CLOCK_STOPPED)
        total = then.stopped - then.began;
    else if (then.clock != CLOCK_IDLE)
        total = now - then.began;
    CHECK(r, c.state == then.clock);
    CHECK(r, clock_net(&c, now) == net);
    CHECK(r, clock_total(&c, now) == total);
    CHECK(r, net <= total);
    CHECK(r, (clock_due(&c) != 0) == (then.clock == CLOCK_RUNNING));
    if (clock_due(&c) != 0 && net < 48 * H)
        CHECK(r, clock_due(&c) == now + (48 * H - net));
    CHECK(r, clock_mark_at(&c, now) == (net >= 48 * H   ? CLOCK_OVERDUE
                                        : net >= 44 * H ? CLOCK_LAST
                                        : net >= 36 * H ? CLOCK_SOON
                                                        : CLOCK_QUIET));
    /* the states in which it may be so */
    CHECK(r, c.state != CLOCK_RUNNING || then.state == BOOK_REQUESTED ||
                 then.state == BOOK_PERMITTED);
    CHECK(r, c.state != CLOCK_PAUSED || then.state == BOOK_RETURNED);
    CHECK(r, then.state == BOOK_NONE || then.complete == 0 ||
                 then.state != BOOK_REQUESTED || c.state == CLOCK_RUNNING);
}

static void
check_dates(const struct run *r, const struct mline *l,
            const struct book_dates *d)
{
    CHECK(r, d->received == l->received && d->complete == l->complete);
    CHECK(r, d->checked == l->checked && d->approved == l->approved);
    CHECK(r, d->entered == l->entered && d->seen == l->seen);
    CHECK(r, d->until == l->until);
    CHECK(r, d->protected_until == l->protection);
}

/* The line as of a time, past or to come, if the model still knows. */
static struct snap
model_then(const struct mline *l, ns_t when)
{
    struct mline then = *l;
    size_t i;

    advance(&then, when);
    i = then.n_snaps;
    while (i > 0 && then.snaps[i - 1].from > when)
        i--;
    return i > 0 ? then.snaps[i - 1] : (struct snap){0};
}

static ns_t
some_time(struct run *r)
{
    switch (pick(r, 4)) {
    case 0: return r->m.now;
    case 1: return r->m.now + step(r);
    case 2: return r->m.now + pick(r, 200 * 24) * H;
    default: return pick(r, r->m.now + 1);
    }
}

static void
check_line(struct run *r, const struct book_form *f, const struct mline *l)
{
    const struct book_line *b = book_line(f, l->number);
    ns_t later = r->m.now + step(r);
    ns_t any = some_time(r);

    CHECK(r, b != NULL && b->form == f && b->line->number == l->number);
    CHECK(r, b->id + 1 == l->id);
    CHECK(r, b->n_changes <= b->cap_changes);
    check_dates(r, l, &b->dates);
    check_clock(r, l, b, r->m.now);
    check_clock(r, l, b, later);
    CHECK(r, book_state_at(b, r->m.now) == model_then(l, r->m.now).state);
    CHECK(r, book_state_at(b, later) == model_then(l, later).state);
    CHECK(r, book_state_at(b, any) == model_then(l, any).state);
    CHECK(r, strcmp(b->line->text[FORM_ADDRESS],
                    prefixes[l->wish.prefix].text) == 0);
    for (size_t i = 1; i < b->n_changes; i++)
        CHECK(r, b->changes[i - 1].from <= b->changes[i].from);
    for (size_t i = 0; i < b->n_changes; i++)
        CHECK(r, b->changes[i].audit >= 1 && b->changes[i].audit <= r->n);
}

static void
check_all(struct run *r)
{
    size_t forms = 0;

    for (unsigned i = 0; i < FORMS; i++) {
        const struct mform *m = &r->m.forms[i];
        const struct book_form *f = book_find(r->b, form_number(i));

        CHECK(r, (f != NULL) == m->there);
        if (f == NULL)
            continue;
        forms++;
        CHECK(r, f->form.n_lines == m->n);
        CHECK(r, f->complete == m->complete);
        for (size_t k = 0; k < m->n; k++)
            check_line(r, f, &m->lines[k]);
    }
    CHECK(r, book_n_forms(r->b) == forms);
    CHECK(r, book_n_lines(r->b) == r->m.n_lines);
    CHECK(r, book_last(r->b).number == r->n);
    CHECK(r, book_time(r->b) == r->m.now || r->n == 0);
}

/* ---- verdicts ---- */

struct answer {
    struct snap snap;
    const struct mline *line;
    enum book_fit fit;
    unsigned rank, bits;
    bool protect;
};

static enum book_fit
model_fit(const struct wish *w, uint16_t port, enum form_use use)
{
    if (ports[w->port] != 0 && ports[w->port] != port)
        return BOOK_OTHER_PORT;
    return (w->use & use) != 0 ? BOOK_FITS : BOOK_OTHER_USE;
}

static unsigned
model_rank(enum book_state s, enum book_fit f)
{
    unsigned fit = f == BOOK_FITS ? 0 : f == BOOK_OTHER_USE ? 1 : 2;

    switch (s) {
    case BOOK_PERMITTED: return fit;
    case BOOK_SUSPENDED: return 10 + fit;
    case BOOK_REQUESTED: return 20 + fit;
    case BOOK_RETURNED: return 30 + fit;
    case BOOK_ENDED: return 40 + fit;
    case BOOK_NONE:
    case BOOK_STATE_COUNT: break;
    }
    return 99;
}

static void
consider(struct answer *best, const struct mline *l, const struct snap *s,
         enum book_fit fit, ns_t when)
{
    unsigned bits = prefixes[s->wish.prefix].bits;
    unsigned rank = model_rank(s->state, fit);
    bool protect = s->state == BOOK_PERMITTED ||
                   ((s->state == BOOK_REQUESTED || s->state == BOOK_RETURNED) &&
                    when < s->protection);

    if (best->line != NULL && bits < best->bits)
        return;
    if (best->line == NULL || bits > best->bits)
        *best = (struct answer){.rank = 100, .bits = bits};
    best->protect = best->protect || protect;
    if (best->rank < rank || (best->rank == rank && best->line->id < l->id))
        return;
    best->line = l;
    best->snap = *s;
    best->fit = fit;
    best->rank = rank;
}

static void
check_verdict(struct run *r)
{
    unsigned host = (unsigned)pick(r, ARRAY_LEN(hosts));
    uint16_t port = pick(r, 3) == 0 ? 587 : 25;
    enum form_use use = pick(r, 2) == 0 ? FORM_SEND : FORM_RECEIVE;
    ns_t when = some_time(r);
    struct answer best = {0};
    struct book_verdict v;
    struct addr a;

    for (unsigned i = 0; i < FORMS; i++) {
        for (size_t k = 0; k < r->m.forms[i].n; k++) {
            const struct mline *l = &r->m.forms[i].lines[k];
            struct snap s = model_then(l, when);

            if (s.state != BOOK_NONE &&
                (hosts[host].in >> s.wish.prefix & 1) != 0)
                consider(&best, l, &s, model_fit(&s.wish, port, use), when);
        }
    }
    REQUIRE(addr_parse(span_str(hosts[host].text), &a));
    v = book_judge(r->b, &a, port, use, when);
    CHECK(r, (v.line != NULL) == (best.line != NULL));
    CHECK(r, v.state == best.snap.state);
    CHECK(r, v.protect == best.protect);
    if (best.line == NULL)
        return;
    CHECK(r, v.line->id + 1 == best.line->id);
    CHECK(r, v.fit == best.fit);
    CHECK(r, v.registered == (v.state == BOOK_PERMITTED && v.fit == BOOK_FITS));
}

/* ---- records ---- */

static void
check_same_line(const struct run *r, const struct book_line *a,
                const struct book_line *b)
{
    CHECK(r, memcmp(&a->dates, &b->dates, sizeof(a->dates)) == 0);
    CHECK(r, memcmp(&a->clock, &b->clock, sizeof(a->clock)) == 0);
    CHECK(r, a->n_changes == b->n_changes && a->id == b->id);
    for (size_t i = 0; i < a->n_changes; i++)
        CHECK(r, a->changes[i].from == b->changes[i].from &&
                     a->changes[i].state == b->changes[i].state &&
                     a->changes[i].audit == b->changes[i].audit);
    CHECK(r, (a->reason == NULL) == (b->reason == NULL));
    CHECK(r, (a->reference == NULL) == (b->reference == NULL));
}

static void
check_same(const struct run *r, const struct book *b)
{
    CHECK(r, book_n_forms(b) == book_n_forms(r->b));
    CHECK(r, book_n_lines(b) == book_n_lines(r->b));
    for (size_t i = 0; i < book_n_forms(b); i++) {
        const struct book_form *x = book_form_at(r->b, i);
        const struct book_form *y = book_form_at(b, i);

        CHECK(r, form_equal(&x->form, &y->form) && x->complete == y->complete);
        CHECK(r, strcmp(x->actor, y->actor) == 0);
        for (size_t k = 0; k < x->form.n_lines; k++)
            check_same_line(r, x->lines[k], y->lines[k]);
    }
}

static void
check_records(struct run *r)
{
    struct audit last = {0};
    struct audit seal;
    struct book *b;

    CHECK(r, book_new(&b) == ERR_OK);
    for (size_t i = 0; i < r->n; i++) {
        struct span text = buf_view(&r->texts[i]);

        CHECK(r, action_seal(text, i + 1, last.hash, &seal) == ERR_OK);
        CHECK(r, memcmp(&seal, &r->audits[i], sizeof(seal)) == 0);
        buf_reset(&r->why);
        CHECK(r, book_replay(b, text, &r->audits[i], &r->why) == ERR_OK);
        last = seal;
    }
    last = book_last(r->b);
    CHECK(r, r->n == 0 || memcmp(&last, &seal, sizeof(seal)) == 0);
    check_same(r, b);
    book_free(b);
}

/* ---- histories ---- */

static void
one_action(struct run *r)
{
    struct draw d;
    bool good;
    enum err e;

    draw(r, &d);
    e = do_action(r, &d);
    good = model_apply(&r->m, &d);
    CHECK(r, (e == ERR_OK) == good);
    CHECK(r, good || (e == ERR_USAGE && r->why.n > 0 && r->texts[r->n].n == 0));
    CHECK(r, span_find(buf_view(&r->why), '\n') == r->why.n);
    r->n += good;
    check_all(r);
    if (pick(r, 3) == 0)
        return;
    CHECK(r, book_index(r->b) == ERR_OK);
    check_verdict(r);
    check_verdict(r);
}

static size_t
history(struct run *r, uint64_t number)
{
    memset(r->m.forms, 0, sizeof(r->m.forms));
    r->m.n_lines = 0;
    r->m.last = 0;
    r->number = number;
    r->x = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    r->n = 0;
    r->m.now = 1000 * H + pick(r, 20000) * 24 * H;
    CHECK(r, book_new(&r->b) == ERR_OK);
    for (unsigned i = 0; i < ACTIONS; i++)
        buf_reset(&r->texts[i]);
    for (unsigned i = 0; i < ACTIONS && r->n < ACTIONS; i++)
        one_action(r);
    check_records(r);
    book_free(r->b);
    return r->n;
}

static int
histories(uint64_t n, uint64_t seed)
{
    struct run *r = calloc(1, sizeof(*r));
    unsigned long long applied = 0;

    REQUIRE(r != NULL);
    buf_init(&r->why, 4096);
    for (unsigned i = 0; i < ACTIONS; i++)
        buf_init(&r->texts[i], ACTION_CODE_MAX);
    for (uint64_t i = 0; i < n; i++)
        applied += history(r, seed + i);
    for (unsigned i = 0; i < ACTIONS; i++)
        buf_free(&r->texts[i]);
    buf_free(&r->why);
    free(r);
    printf("seed %llu: %llu histories, %llu actions, %llu applied, all as the "
           "model says\n",
           (unsigned long long)seed, (unsigned long long)n,
           (unsigned long long)n * ACTIONS, applied);
    return 0;
}

/* ---- figures ---- */

static double
seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
bench_line(struct form *f, unsigned i)
{
    char address[32];

    (void)snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16,
                   i >> 8 & 255, i & 255);
    (void)make_line(f, 0, address, "25", "send");
}

static void
bench_do(struct book *b, const struct action *a)
{
    struct buf why;

    buf_init(&why, 1000);
    REQUIRE(book_apply(b, a, NULL, NULL, &why) == ERR_OK);
    buf_free(&why);
}

static double
bench_judge(const struct book *b, uint32_t hosts_n)
{
    uint64_t x = SEED;
    uint64_t found = 0;
    double from = seconds();

    for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
        uint32_t k = (uint32_t)(mangle_random(&x) >> 11) % hosts_n;
        uint8_t raw[4] = {10, (uint8_t)(k >> 16), (uint8_t)(k >> 8),
                          (uint8_t)k};
        struct addr a = addr_v4(raw);

        found += book_judge(b, &a, 25, FORM_SEND, 3000 * H).registered;
    }
    REQUIRE(found == BENCH_ROUNDS);
    return (seconds() - from) * 1e9 / BENCH_ROUNDS;
}

/* One more line, and the look-up knows it. */
static double
bench_more(struct book *b, unsigned n)
{
    double spent = 0;

    for (unsigned i = 0; i < n; i++) {
        struct form f;
        char number[32];
        double from;

        (void)snprintf(number, sizeof(number), "more-%u", i);
        make_form(&f, number);
        bench_line(&f, BENCH_LINES + i);
        from = seconds();
        bench_do(b, &(struct action){.kind = ACTION_SUBMIT,
                                     .when = 2000 * H,
                                     .actor = "site",
                                     .form = &f});
        REQUIRE(book_index(b) == ERR_OK);
        spent += seconds() - from;
        form_fini(&f);
    }
    return spent * 1e6 / n;
}

/* As an import: a form for each line, numbered by the book. */
static double
bench_forms(void)
{
    struct book *b;
    double from = seconds();

    REQUIRE(book_new(&b) == ERR_OK);
    for (unsigned i = 0; i < BENCH_LINES; i++) {
        struct form f;

        make_form(&f, "");
        bench_line(&f, i);
        book_next_number(b, 1000 * H, f.number);
        bench_do(b, &(struct action){.kind = ACTION_SUBMIT,
                                     .when = 1000 * H,
                                     .actor = "site",
                                     .form = &f});
        form_fini(&f);
    }
    REQUIRE(book_index(b) == ERR_OK);
    book_free(b);
    return (seconds() - from) * 1e3;
}

static double
bench_decide(struct book *b, unsigned n)
{
    double from = seconds();

    for (uint32_t i = 1; i <= n; i++)
        bench_do(b, &(struct action){.kind = ACTION_ENTER,
                                     .when = 2500 * H,
                                     .actor = "ada",
                                     .number = "1",
                                     .lines = &i,
                                     .n_lines = 1});
    return (seconds() - from) * 1e6 / n;
}

static int
bench(void)
{
    struct book *b;
    struct form f;
    double from;
    double applied;
    double permitted;
    double indexed;

    REQUIRE(book_new(&b) == ERR_OK);
    make_form(&f, "1");
    for (unsigned i = 0; i < BENCH_LINES; i++)
        bench_line(&f, i);
    from = seconds();
    bench_do(b, &(struct action){.kind = ACTION_SUBMIT,
                                 .when = 1000 * H,
                                 .actor = "site",
                                 .form = &f});
    applied = seconds();
    bench_do(b, &(struct action){.kind = ACTION_PERMIT,
                                 .when = 1000 * H,
                                 .actor = "ada",
                                 .number = "1",
                                 .until = 9000 * H});
    permitted = seconds();
    REQUIRE(book_index(b) == ERR_OK);
    indexed = seconds();
    form_fini(&f);
    printf("%u lines: submitted in %.0f ms, permitted in %.0f ms, indexed in "
           "%.0f ms\n",
           BENCH_LINES, (applied - from) * 1e3, (permitted - applied) * 1e3,
           (indexed - permitted) * 1e3);
    printf("judged in %.0f ns (of all, at random), %.0f ns (of 100)\n",
           bench_judge(b, BENCH_LINES), bench_judge(b, 100));
    printf("one more line, indexed: %.0f us (mean of 5000)\n",
           bench_more(b, 5000));
    printf("one decision: %.1f us\n", bench_decide(b, 10000));
    book_free(b);
    printf("%u forms of a line each, made, submitted, indexed: %.0f ms\n",
           BENCH_LINES, bench_forms());
    return 0;
}

int
main(int argc, char **argv)
{
    uint64_t n = HISTORIES;
    uint64_t seed = SEED;

    for (int i = 1; i < argc; i++) {
        uint64_t *out = strcmp(argv[i], "--histories") == 0 ? &n
                        : strcmp(argv[i], "--seed") == 0    ? &seed
                                                            : NULL;

        if (strcmp(argv[i], "--bench") == 0)
            return bench();
        if (out == NULL || ++i == argc ||
            !span_to_u64(span_str(argv[i]), out)) {
            fprintf(stderr, "usage: registry_histories [--histories N] "
                            "[--seed S] [--bench]\n");
            return 2;
        }
    }
    return histories(n, seed);
}
