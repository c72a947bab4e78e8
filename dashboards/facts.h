#ifndef SPAN25_DASHBOARDS_FACTS_H
#define SPAN25_DASHBOARDS_FACTS_H
/* facts - what a summary amounts to: the counts and sentences all views share
 *
 * A sentence is raw text: names inside it are bytes as they came. Whoever
 * shows it escapes the whole of it once, for its own kind of reader. */
#include "dashboards/words.h"
#include "sensor/event/summary.h"

#define FACTS_LEVELS 3 /* high, notice, info and all other words */

struct facts {
    uint64_t senders;       /* hosts that sent over at least one session */
    uint64_t senders_new;   /* of them not registered */
    uint64_t senders_asked; /* of those with a form, but no permit in force */
    uint64_t tried;         /* hosts whose connections all stayed silent */
    uint64_t receivers;
    uint64_t receivers_new;
    uint64_t receivers_asked;
    uint64_t sessions; /* of senders */
    uint64_t sessions_tls;
    uint64_t senders_free; /* of senders: did nothing that needs a permit */
    uint64_t senders_25;   /* across the border on port 25 */
    uint64_t senders_stop; /* of them not registered */
    uint64_t receivers_25, receivers_stop; /* the same */
    uint64_t sent;     /* messages that senders_25 had accepted on it */
    uint64_t sent_new; /* of them, of senders that are not registered */
    uint64_t attempts;
    uint64_t replies;  /* to home senders, all classes with a reply */
    uint64_t refusals; /* of them not "accepted" */
    uint64_t listed;   /* hosts that a block list was cited against */
    uint64_t lists;    /* different block lists */
    uint64_t bytes;    /* seen and lost, of mail connections */
};

struct facts facts_of(const struct summary *s);

/* Senders with a permit for what they did. */
static inline uint64_t
facts_registered(const struct facts *f)
{
    return f->senders - f->senders_free - f->senders_new;
}

/* Did the host send over a session; receive over one. */
bool facts_sends(const struct summary_host *h);
bool facts_receives(const struct summary_host *h);
/* It did what needs a permit, without one. */
bool facts_is_new(const struct summary_host *h);

/* 0 high, 1 notice, 2 anything else. */
unsigned facts_level(const char *level);

/* The class that is not a refusal, and the one that is no reply. */
bool facts_is_accepted(const struct summary_class *c);
bool facts_is_unanswered(const struct summary_class *c);

/* "unknown user" for unknown_user; raw. */
void facts_class_name(struct buf *b, const struct summary_class *c);

/* Headlines, a line each, without a full stop. */
void facts_say_senders(struct buf *b, const struct summary *s,
                       const struct facts *f);
void facts_say_receivers(struct buf *b, const struct summary *s,
                         const struct facts *f);
void facts_say_world(struct buf *b, const struct summary *s,
                     const struct facts *f);

/* "23 of 26 senders would stop". */
void facts_say_stopped(struct buf *b, const struct summary *s,
                       const struct facts *f);

/* What a block would do now, and what these counts leave out (or nothing). */
void facts_say_blocked(struct buf *b, const struct summary *s,
                       const struct facts *f);
void facts_say_limits(struct buf *b, const struct summary *s,
                      const struct facts *f);

/* What a capture without a session has: "No SMTP in 2,011 packets; ...". */
void facts_say_empty(struct buf *b, const struct summary *s,
                     const struct facts *f);

/* What h did, as a sender or a receiver: "128 of 412 recipients unknown ...".
 */
void facts_say_sender(struct buf *b, const struct summary *s,
                      const struct summary_host *h);
void facts_say_receiver(struct buf *b, const struct summary_host *h);

/* Block lists cited against h: "zen.spamhaus.org, bl.example"; the count. */
size_t facts_say_lists(struct buf *b, const struct summary *s,
                       const struct summary_host *h, size_t max);

/* ---- parts of messages, facts_parts.c ---- */

/* The classes in the order of their weight: A, B, D, C. */
extern const enum summary_finding facts_classes[SUMMARY_FINDINGS];
char facts_class_letter(enum summary_finding c);
/* "malicious", "of a forbidden type". */
const char *facts_class_meaning(enum summary_finding c);

/* "214 files came attached, 1.2 GiB. Messages with files that are malicious
 * (A): 2, of a forbidden type (B): 14". */
void facts_say_attached(struct buf *b, const struct summary *s);
/* The share of malicious messages with what it is a share of, and how many
 * could not be inspected; or why it is not known. */
void facts_say_inspected(struct buf *b, const struct summary *s);
/* "sent 2 messages with a file that is malicious, ..."; or nothing. */
void facts_say_classes(struct buf *b, const struct summary_host *h);

/* ---- the registry, facts_registry.c ---- */

/* "looks like a mail server: 5 other ends, ...", at most so many signs; nothing
 * when the look is not known. */
void facts_say_look(struct buf *b, const struct summary_host *h, size_t max);
/* "10.0.0.1 took mail ...: observed, 2 of 2 ... (event ids)". */
void facts_say_violation(struct buf *b, const struct summary_requirement *q);
/* "2 requirements were seen broken by registered hosts; 3 registered lines not
 * seen". */
void facts_say_registered(struct buf *b, const struct summary *s);

/* ---- alerts and decisions, facts_verdicts.c ---- */

struct facts_verdicts {
    uint64_t n[SUMMARY_ACTIONS];
    /* of those that would be stopped: no longer at the end; with ordinary mail,
     * and how much; with a site; with who answers for that */
    uint64_t over, ordinary, messages, placed, owned;
};

struct facts_verdicts facts_verdicts_of(const struct summary *s);

/* "high", "medium", "low", "info". */
const char *facts_level_word(unsigned level);
/* "block", "hold", "withheld", as in events. */
const char *facts_action_word(enum summary_action action);
/* The first thing that stands against d, for people. */
const char *facts_cause(const struct summary_decision *d);
/* "2 high, 1 medium, 5 low". */
void facts_say_alerts(struct buf *b, const struct summary *s);
/* What happened, without the subject that stands beside it. */
void facts_say_why(struct buf *b, const struct summary_alert *a);
/* What a decision rests on, without subject and action. */
void facts_say_clauses(struct buf *b, const struct summary_decision *d);
/* "1 of 5 hosts that send would be stopped". */
void facts_say_would_stop(struct buf *b, const struct summary *s);
/* The three lines of "If you blocked today": whom it would stop and what with
 * them; whom not, and why; what that rests on. */
void facts_say_stopping(struct buf *b, const struct summary *s);
void facts_say_kept(struct buf *b, const struct summary *s);
void facts_say_judged_on(struct buf *b, const struct summary *s,
                         const struct facts *f);

/* "cut short at offset 1,234"; an offset of 0 is none. */
void facts_say_fault(struct buf *b, const struct summary_fault *fault);

#endif
