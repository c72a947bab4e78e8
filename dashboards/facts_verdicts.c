#include "dashboards/facts.h"

#define NAMED 3U /* subjects that a sentence names */

const char *
facts_level_word(unsigned level)
{
    static const char *const words[SUMMARY_LEVELS] = {"high", "medium", "low",
                                                      "info"};

    return level < SUMMARY_LEVELS ? words[level] : "-";
}

const char *
facts_action_word(enum summary_action action)
{
    static const char *const words[SUMMARY_ACTIONS] = {
        [SUMMARY_BLOCK] = "block",
        [SUMMARY_HOLD] = "hold",
        [SUMMARY_WITHHELD] = "withheld",
    };

    return words[action];
}

/* What stands against a decision, for people; by the head of its word. A
 * cause is named once for all the words that mean it. */
static const struct {
    const char *head, *cause;
} causes[] = {
    {"disabled",         "everything is switched off"      },
    {"exception",        "excepted"                        },
    {"registered",       "registered"                      },
    {"permitted",        "registered"                      },
    {"permit_requested", "a permit is asked for"           },
    {"protected",        "a permit is asked for"           },
    {"neighbour",        "a registered host beside it"     },
    {"registry:none",    "no registry to look into"        },
    {"immunity",         "lifted within a day"             },
    {"evidence:path",    "no router is known for it"       },
    {"evidence",         "not enough was seen of it"       },
    {"queueing",         "it behaves like a mail server"   },
    {"pool",             "its address is shared or changes"},
    {"identity",         "two machines used its address"   },
    {"shared",           "ordinary senders stand behind it"},
    {"breaker",          "too many at once"                },
    {"cap",              "too many at once"                },
};

/* Without a registry, or without a known router, that is named too, but decides
 * nothing when something else stands there: simulating, it does not count. */
static struct span
decisive(const struct summary_decision *d)
{
    static const struct {
        struct span word;
        bool always;
    } aside[] = {
        {SPAN_INIT("registry:none"), true },
        {SPAN_INIT("evidence:path"), false},
    };
    struct span all = span_str(d->against);
    struct span left = all;
    struct span first = all;

    while (left.n > 0) {
        size_t n = span_find(left, ',');
        struct span word = span_head(left, n);
        bool counts = true;

        for (size_t i = 0; i < ARRAY_LEN(aside); i++)
            counts &= !span_eq(word, aside[i].word) ||
                      (d->enforced && !aside[i].always);
        if (counts)
            return left;
        left = span_tail(left, n + 2);
    }
    return first;
}

const char *
facts_cause(const struct summary_decision *d)
{
    struct span against = decisive(d);

    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (span_starts(against, span_str(causes[i].head)))
            return causes[i].cause;
    }
    return against.n > 0 ? "for another reason" : "nothing";
}

struct facts_verdicts
facts_verdicts_of(const struct summary *s)
{
    struct facts_verdicts f = {0};

    for (size_t i = 0; i < s->n_decisions; i++) {
        const struct summary_decision *d = &s->decisions[i];

        f.n[d->action]++;
        if (d->action != SUMMARY_BLOCK)
            continue;
        f.over += d->over;
        f.placed += d->site[0] != '\0';
        f.owned += d->owner != NULL;
        f.ordinary += d->collateral > 0;
        f.messages = words_add(f.messages, d->collateral);
    }
    return f;
}

/* ---- alerts ---- */

void
facts_say_alerts(struct buf *b, const struct summary *s)
{
    const char *sep = "";

    for (unsigned i = 0; i < SUMMARY_LEVELS; i++) {
        if (s->alerts_level[i] == 0)
            continue;
        buf_str(b, sep);
        words_number(b, s->alerts_level[i]);
        buf_putc(b, ' ');
        buf_str(b, facts_level_word(i));
        sep = ", ";
    }
    if (sep[0] == '\0')
        buf_str(b, "No alert");
    if (s->alerts_silenced > 0) {
        buf_str(b, "; ");
        words_number(b, s->alerts_silenced);
        buf_str(b, " silenced by exceptions");
    }
    if (s->alerts_left_out > 0)
        buf_str(b, "; more than the table holds");
}

/* The reason begins with subject, site and registration, which have columns. */
void
facts_say_why(struct buf *b, const struct summary_alert *a)
{
    struct span why = span_str(a->reason);
    struct span subject = span_str(a->subject);

    if (span_starts(why, subject))
        why = span_tail(why, subject.n);
    if (span_starts(why, SPAN_LIT(" (")))
        why = span_tail(why, span_find(why, ')') + 1);
    if (span_starts(why, SPAN_LIT(":")))
        why = span_tail(why, 1);
    buf_span(b, span_trim(why));
}

/* A decision's reason begins with subject, action and what stands against it.
 */
void
facts_say_clauses(struct buf *b, const struct summary_decision *d)
{
    struct span why = span_str(d->reason);
    size_t at = span_search(why, SPAN_LIT(": "));

    if (d->action == SUMMARY_HOLD && at < why.n)
        at += 2 + span_search(span_tail(why, at + 2), SPAN_LIT(": "));
    buf_span(b, at < why.n ? span_tail(why, at + 2) : why);
}

/* ---- what would be stopped ---- */

static void
say_subject(struct buf *b, const struct prefix *p)
{
    char text[ADDR_TEXT_MAX];

    if (p->bits < 128)
        prefix_format(p, b);
    else
        buf_put(b, text, addr_format(&p->addr, text));
}

/* ": 10.2.3.4, 10.2.3.5 and 7 more". */
static void
say_subjects(struct buf *b, const struct summary *s, enum summary_action action,
             uint64_t n)
{
    const char *sep = ": ";
    uint64_t said = 0;

    for (size_t i = 0; i < s->n_decisions && said < NAMED; i++) {
        if (s->decisions[i].action != action)
            continue;
        buf_str(b, sep);
        say_subject(b, &s->decisions[i].subject);
        sep = ", ";
        said++;
    }
    if (n <= said)
        return;
    buf_str(b, " and ");
    words_number(b, n - said);
    buf_str(b, " more");
}

void
facts_say_would_stop(struct buf *b, const struct summary *s)
{
    struct facts_verdicts f = facts_verdicts_of(s);

    if (s->decisions_left_out > 0)
        buf_str(b, "At least ");
    words_number(b, f.n[SUMMARY_BLOCK]);
    buf_str(b, " of ");
    words_count(b, s->verdict_hosts, "host that sends", "hosts that send");
    buf_str(b, " would be stopped");
}

static void
say_ordinary(struct buf *b, const struct facts_verdicts *f)
{
    uint64_t n = f->n[SUMMARY_BLOCK];

    if (f->ordinary == 0) {
        buf_str(b, n == 1 ? " No ordinary mail of it was seen"
                          : " No ordinary mail of them was seen");
    } else {
        buf_putc(b, ' ');
        words_number(b, f->ordinary);
        buf_str(b, " of ");
        words_number(b, n);
        buf_str(b, " also sent mail that looks ordinary: ");
        words_count(b, f->messages, "message", NULL);
        buf_str(b, " in the last 7 days");
    }
    buf_str(b, "; the site of ");
    words_number(b, f->placed);
    buf_str(b, " of ");
    words_number(b, n);
    buf_str(b, " is known, who answers for it of ");
    words_number(b, f->owned);
    buf_putc(b, '.');
}

void
facts_say_stopping(struct buf *b, const struct summary *s)
{
    struct facts_verdicts f = facts_verdicts_of(s);

    buf_str(b, "By what they did, ");
    facts_say_would_stop(b, s);
    if (f.n[SUMMARY_BLOCK] == 0) {
        buf_putc(b, '.');
        return;
    }
    say_subjects(b, s, SUMMARY_BLOCK, f.n[SUMMARY_BLOCK]);
    buf_putc(b, '.');
    if (f.over > 0) {
        buf_putc(b, ' ');
        words_number(b, f.over);
        buf_str(b, " of them no longer at the end.");
    }
    say_ordinary(b, &f);
}

/* "registered: 1, too many at once: 2"; without figures where one is all. */
static void
say_causes(struct buf *b, const struct summary *s, enum summary_action action,
           uint64_t all)
{
    const char *sep = "";

    for (size_t k = 0; k < ARRAY_LEN(causes); k++) {
        uint64_t n = 0;

        if (k > 0 && strcmp(causes[k].cause, causes[k - 1].cause) == 0)
            continue;
        for (size_t i = 0; i < s->n_decisions; i++)
            n += s->decisions[i].action == action &&
                 strcmp(facts_cause(&s->decisions[i]), causes[k].cause) == 0;
        if (n == 0)
            continue;
        buf_str(b, sep);
        buf_str(b, causes[k].cause);
        buf_str(b, n < all ? ": " : "");
        if (n < all)
            words_number(b, n);
        sep = ", ";
    }
}

void
facts_say_kept(struct buf *b, const struct summary *s)
{
    struct facts_verdicts f = facts_verdicts_of(s);
    uint64_t held = f.n[SUMMARY_HOLD];
    uint64_t withheld = f.n[SUMMARY_WITHHELD];

    if (held == 0 && withheld == 0)
        buf_str(b, "Nothing is held for a human.");
    if (held > 0) {
        words_count(b, held, "host is", "hosts are");
        buf_str(b, " held for a human");
        say_subjects(b, s, SUMMARY_HOLD, held);
        buf_str(b, " (");
        say_causes(b, s, SUMMARY_HOLD, held);
        buf_str(b, ").");
    }
    if (withheld == 0)
        return;
    buf_str(b, held > 0 ? " " : "");
    words_count(b, withheld, "host", NULL);
    buf_str(b, " with figures as high would not be stopped");
    say_subjects(b, s, SUMMARY_WITHHELD, withheld);
    buf_str(b, " (");
    say_causes(b, s, SUMMARY_WITHHELD, withheld);
    buf_str(b, ").");
}

void
facts_say_judged_on(struct buf *b, const struct summary *s,
                    const struct facts *f)
{
    uint64_t clear =
        s->sessions > s->sessions_tls ? s->sessions - s->sessions_tls : 0;

    buf_str(b, "Judged on what could be read: ");
    words_part(b, clear, s->sessions, "session", NULL);
    buf_str(b, ", ");
    words_share(b, s->bytes_lost, f->bytes);
    buf_str(b, " of their bytes lost");
    if (s->sessions_tls > 0 || s->bytes_lost > 0)
        buf_str(b, "; counts are lower bounds");
    buf_putc(b, '.');
}
