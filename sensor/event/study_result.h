#ifndef SPAN25_EVENT_STUDY_RESULT_H
#define SPAN25_EVENT_STUDY_RESULT_H
/* study_result - what a study found: plain figures for people
 *
 * Filled by rules (rules/study), shown by dashboards (study_report.h). Counts
 * are of the window and exact, or say what they lack; an interval is there only
 * where something is said of other weeks (UX 7.3). NAN: cannot be said, and is
 * not shown as a number. Texts are bytes as they came, from people, files and
 * wires: whoever shows them escapes them. Everything is owned by whoever made
 * the result. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/addr.h"
#include "sensor/base/ns.h"

/* ---- words ---- */

/* What a host is held for. X(id, word, for people) */
#define STUDY_CLASSES(X)                                                       \
    X(BOT, "bot", "behaves like a spam bot")                                   \
    X(MIXED, "mixed", "abuse beside ordinary mail")                            \
    X(LEGITIMATE, "legitimate", "looks legitimate")                            \
    X(UNKNOWN, "unknown", "too little was seen to tell")

enum study_class {
#define X(id, word, people) STUDY_##id,
    STUDY_CLASSES(X)
#undef X
        STUDY_CLASS_COUNT
};

/* What a message is held for. All of a bot's are malicious; of others those
 * that S2 judged bad, and those with a part of class A. What is left of a host
 * of class unknown is unclear. */
#define STUDY_MAILS(X)                                                         \
    X(MALICIOUS, "malicious") X(ORDINARY, "ordinary") X(UNCLEAR, "unclear")

enum study_mail {
#define X(id, word) STUDY_##id,
    STUDY_MAILS(X)
#undef X
        STUDY_MAIL_COUNT
};

/* Who sent: hosts at home by the registry, and everybody else, inward. */
#define STUDY_GROUPS(X)                                                        \
    X(ALL, "all", "all mail across the border")                                \
    X(REGISTERED, "registered", "hosts at home, registered")                   \
    X(UNREGISTERED, "unregistered", "hosts at home, not registered")           \
    X(OUTSIDE, "outside", "senders outside")

enum study_group {
#define X(id, word, people) STUDY_GROUP_##id,
    STUDY_GROUPS(X)
#undef X
        STUDY_GROUP_COUNT
};

/* ---- small parts ---- */

/* A share or a rate: k of n, value with its interval by this method. */
struct study_figure {
    double k, n;
    double value, low, high;
    const char
        *method; /* "Wilson", "bootstrap-t over hosts", ...; NULL: none */
};

struct study_input {
    const char *name; /* as it was given */
    const char *kind; /* "journal", "events", "capture", "kafka" */
    const char *hash; /* SHA-256 of the bytes read, hexadecimal; or NULL */
    uint64_t events;
    uint64_t faults; /* lines that were no events, damage */
    ns_t first, last;
};

/* One hour of the window, from the full hour. */
struct study_hour {
    ns_t begin;
    int32_t covered_s; /* seconds watched; -1: not measured */
    uint64_t packets, dropped;
    uint64_t seen, unseen; /* payload bytes of mail; acknowledged, not seen */
    uint64_t sessions, sessions_tls, sessions_oneway;
    uint64_t messages[STUDY_GROUP_COUNT];
    uint64_t bad; /* of them judged bad or of class A, from home */
    bool refused; /* more than 5 % unseen: its messages are in no
                   * share */
};

struct study_day {
    ns_t begin;
    bool holdout;
    uint64_t messages, bad, class_a, recipients; /* outward from home */
    uint64_t senders,
        senders_new; /* hosts at home; of them never seen before */
    uint64_t alerts, blocks,
        holds;                 /* of the detector, episodes and decisions */
    uint64_t attempts;         /* outward, without a byte */
    uint64_t attempts_blocked; /* of them by hosts whose block the journal
                                * has as in force */
};

/* Hosts at home that sent outward on port 25, and what they sent. */
struct study_cell {
    uint64_t hosts, messages, delivered, recipients, bytes;
    uint64_t sessions, sessions_tls;
    uint64_t tls_least, tls_most; /* messages under TLS, estimated */
};

/* ---- question: what share carries malicious code (DETECTION 4.1.3) ---- */

struct study_share {
    enum study_group group;
    bool spam;                    /* of messages judged spam; else of all */
    struct study_figure raw;      /* in the clear, complete; hosts as units */
    struct study_figure weighted; /* the same, weighted for capture loss */
    struct study_figure hosts;    /* share of hosts with one or more */
    double deff;
    double without_low, without_high; /* without one host in turn */
    double without_top;               /* without the five largest */
    double bound_low, bound_high; /* all mail, encrypted too, nothing assumed */
    double clear;                 /* share that could be looked at */
    uint64_t senders;
    uint64_t weights_cut; /* messages whose weight was cut at the bound */
};

/* ---- senders that were not seen (4.5) ---- */
struct study_unseen {
    bool known;
    uint64_t seen, once, twice, days;
    double there, low, high, coverage;
};

/* ---- policies (4.7) ---- */

/* What a policy does to messages that were seen. */
struct study_outcome {
    uint64_t stopped[STUDY_MAIL_COUNT];   /* sent while it stops the host */
    uint64_t delivered[STUDY_MAIL_COUNT]; /* of them accepted in truth */
    uint64_t rcpt[STUDY_MAIL_COUNT];      /* their accepted recipients */
    uint64_t after, after_rcpt;     /* malicious since the first stop: what is
                                     * spared where a bot gives up */
    uint64_t before, before_rcpt;   /* malicious before it */
    uint64_t lost_least, lost_most; /* ordinary, delivered in truth; least: who
                                     * is not known to give up tries again */
    uint64_t delayed_least, delayed_most;
    double delay_h;               /* sum over delayed_most */
    uint64_t tls_least, tls_most; /* messages under TLS within stops */
    uint64_t blocks;
    double blocked_h;
    ns_t first; /* the first stop took force; 0: never stopped */
};

/* A step of the curve: by then this share was stopped. */
struct study_step {
    double at;
    double share, low, high;
};

struct study_times { /* Kaplan and Meier; of hosts whose abuse began within */
    uint64_t hosts, stopped, truncated; /* truncated: it had begun before */
    double median, p90, p95;            /* infinite: not reached; NAN: nobody */
    double median_low, median_high;
    struct study_step *steps;
    size_t n_steps;
};

struct study_policy {
    const char *name, *title;
    const char *kind;  /* "none", "unregistered", "rate", "alerts", "detector",
                        * "grace", "grace+detector" */
    const char *terms; /* its figures, in words */
    struct study_outcome total;
    uint64_t hosts[STUDY_CLASS_COUNT];    /* stopped, by class */
    uint64_t hosts_of[STUDY_CLASS_COUNT]; /* all, by class */
    /* The same of the days on which limits were set; 0 without a holdout, and
     * where few hosts are not told exactly. */
    struct study_outcome tuned;
    uint64_t tuned_hosts[STUDY_CLASS_COUNT], tuned_of[STUDY_CLASS_COUNT];
    uint64_t registered;             /* stopped, and registered */
    uint64_t devices;                /* stopped, do not try again */
    uint64_t owners, owners_unknown; /* sites to write to; stopped
                                      * legitimate hosts without */
    uint64_t holds;                  /* a human would be asked */
    double host_days;                /* of hosts at home in the window */
    struct study_figure wrong; /* share of legitimate hosts that are stopped */
    struct study_figure right; /* share of bots that are stopped */
    struct study_figure
        precise;              /* share of the stopped that are bots or mixed */
    struct study_figure lost; /* ordinary messages lost for 1,000 host-days,
                               * at most */
    struct study_figure spared; /* share of malicious recipients spared, where
                                 * bots try for ever */
    double displaced[3]; /* malicious recipients spared, less 0, 50, 100 % */
    struct study_times seconds, messages; /* from the first bad message */
    double staff_h, staff_h_alerts, staff_h_tickets, staff_h_forms;
    double tie_none; /* cost of a lost message, in malicious recipients spared,
                      * at which it ties with doing nothing; infinite: nothing
                      * is lost; NAN: nothing is spared either */
    double tie_next; /* the same with the policy before it in the list */
    double per_hour; /* messages that a limit of rate lets through; 0: none */
    uint64_t first_day, later_days; /* hosts stopped for the first time; later:
                                     * all of them */
    double per_day;                 /* later ones a day */
    uint64_t *by_day; /* n_days: hosts stopped for the first time */
};

/* One limit of one policy from low to high. */
struct study_sweep_point {
    double limit;
    uint64_t stopped[STUDY_CLASS_COUNT];
    uint64_t registered;
    struct study_outcome total;
};
struct study_sweep {
    const char *policy, *what, *unit;
    double chosen; /* the limit in force */
    struct study_sweep_point *v;
    size_t n;
};

/* ---- hosts and sites ---- */

struct study_host_row {
    struct addr addr;
    const char *site;   /* code of the registry or of the configuration; NULL */
    const char *name;   /* of DNS; NULL */
    const char *helo;   /* the last one; bytes from the wire */
    const char *device; /* what it looks like; NULL */
    bool registered;
    bool queueing; /* seen to try again, as a mail server does */
    bool fire_and_forget;
    bool reviewed; /* the class is a person's */
    enum study_class class;
    ns_t first, last;
    uint32_t days; /* different days on which it sent */
    uint64_t messages, delivered, recipients, recipients_refused, bad, class_a;
    uint64_t sessions, sessions_tls;
    uint64_t peak; /* sessions that ended in the same ten minutes, at most */
    double score;  /* of DETECTION 4.8: what a wrong stop would cost */
    struct study_outcome *outcomes; /* n_policies */
};

struct study_site {
    const char *code, *name, *contact; /* NULL: not known */
    uint64_t hosts, registered;
    uint64_t legitimate; /* not registered, looks legitimate or is unknown */
    uint64_t *stopped;   /* n_policies: hosts; */
    uint64_t *stopped_legitimate;
};

/* ---- what was agreed beforehand ---- */

enum study_verdict { STUDY_PASS, STUDY_FAIL, STUDY_NOT_KNOWN };

struct study_criterion {
    const char *name;    /* "registered hosts stopped" */
    const char *measure; /* as the file names it */
    const char *limit;   /* "at most 0" */
    double measured;     /* NAN: not known */
    enum study_verdict verdict;
    const char *why; /* where it is not known; or NULL */
};

/* ---- the queue of permits (4.9) ---- */

struct study_queue_row {
    unsigned clerks, waves;
    double within_48h; /* share, 0..1 */
    double p95_h;
};
struct study_queue {
    uint64_t forms; /* unregistered hosts that are not bots */
    struct study_queue_row *v;
    size_t n;
};

/* ---- review by people (4.4) ---- */

struct study_review {
    bool there;
    uint64_t sampled, rated, disagreed;
    struct study_figure kappa;
    struct study_figure precision, sensitivity, specificity;
    struct study_figure corrected; /* share of hosts that are bots: Rogan and
                                    * Gladen */
};

/* ---- all of it ---- */

struct study_result {
    /* cover */
    const char *title, *author, *reviewer, *status, *classification;
    const char *command; /* exactly, to repeat it */
    const char *version, *rules_hash, *config_hash;
    const char *sensors; /* names, ", " between */
    ns_t from, to;       /* the window, to is not in it */
    ns_t holdout;        /* limits were set before it, figures are from there
                          * on; 0: no holdout, figures are of the window */
    ns_t warm_from;      /* statistics began to be kept; from: no warm-up */
    bool demo;
    const char *anonymized; /* what was left out for sharing, in words; NULL:
                             * nothing was */
    uint32_t few; /* 0: counts are exact; else a count of hosts of 1 to few - 1,
                   * and a rest of so many to the whole it is part of, is few -
                   * 1 here: shown as "fewer than few" */
    struct study_input *inputs;
    size_t n_inputs;

    /* did we see */
    struct study_hour *hours;
    size_t n_hours;
    uint32_t week[168]; /* Monday 00 UTC first: times covered at 90 % */
    struct study_day *days;
    size_t n_days;
    uint64_t events, faults;
    uint64_t hosts_refused; /* events of hosts for which there was no room */
    uint64_t late;          /* events before the hour in hand */
    uint64_t sessions, sessions_tls, sessions_oneway;
    double loss;  /* bytes acknowledged and not seen, of all */
    double drops; /* packets; NAN: not told */
    uint64_t hours_refused, messages_refused;
    double q[8];     /* a message of this size was seen whole with ... */
    uint64_t q_n[8]; /* messages of that size; see study_size_words */
    uint64_t estimated_least, estimated_most; /* messages under TLS, outward */

    /* what was found */
    struct study_cell cells[STUDY_CLASS_COUNT][2]; /* [registered] */
    struct study_share shares[2 * STUDY_GROUP_COUNT];
    size_t n_shares;
    struct study_unseen unseen;
    struct study_policy *policies;
    size_t n_policies;
    struct study_sweep *sweeps;
    size_t n_sweeps;
    struct study_host_row *hosts; /* at home, outward; worst score first */
    size_t n_hosts;
    struct study_site *sites;
    size_t n_sites;
    struct study_criterion *criteria;
    size_t n_criteria;
    const char *criteria_file, *criteria_hash; /* or NULL */
    struct study_queue queue;
    struct study_review review;

    /* the same decisions as were journaled, one by one (DESIGN 4) */
    bool decisions_there;
    uint64_t decisions_journal, decisions_same, decisions_here;
    const char *decisions_differ; /* the first one that differs, in words */

    const char *proposed; /* name of the policy that is proposed; or NULL */
    ns_t effective;       /* proposed date; 0: none given */
    const char *rollback; /* how it is undone, in words */
};

/* Names of the sizes of q, "up to 4 KiB". */
extern const char *const study_size_words[8];
const char *study_class_word(enum study_class c);
const char *study_class_people(enum study_class c);
const char *study_group_people(enum study_group g);

#endif
