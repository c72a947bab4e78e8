#ifndef SPAN25_EVENT_SUMMARY_H
#define SPAN25_EVENT_SUMMARY_H
/* summary - the first answers about a capture: plain facts for people
 *
 * Filled by rules (answers.h) from records alone, shown by dashboards
 * (report.h). All counts are of what was seen; coverage says what was not.
 * Lists are sorted and owned by whoever made the summary. */
#include "sensor/base/addr.h"
#include "sensor/base/ns.h"

#define SUMMARY_CLASSES 10 /* enum of smtp.rcpt[].class in fields.def order */

/* Classes of findings in parts of messages, fileinfo.class; never mixed. */
enum summary_finding {
    SUMMARY_A, /* malicious */
    SUMMARY_B, /* of a forbidden type */
    SUMMARY_C, /* a risky construct */
    SUMMARY_D, /* cannot be inspected */
    SUMMARY_FINDINGS
};

/* What one home host did on mail ports in one role: a host that sends and
 * receives has two rows. */
struct summary_host {
    struct addr addr;
    bool as_client;   /* the role */
    const char *site; /* of the registry, or NULL */
    bool judged;      /* it did what needs a permit: mail across the border, but
                       * not submission outward (465, 587; RFC 5068 3.1) */
    bool registered;  /* the last time that it did so */
    bool has_form;    /* the registry has a line for it, whatever its state */
    bool sends;       /* opened SMTP connections outward or inside */
    bool receives;    /* answered SMTP connections */
    ns_t first, last;
    uint64_t sessions, sessions_tls;
    uint64_t sessions_25; /* of sessions: across the border, on port 25 */
    uint64_t accepted_25; /* of accepted: the same */
    uint64_t peers;       /* different other ends */
    bool peers_more;      /* peers is a lower bound */
    uint64_t transactions, accepted, rejected, deferred, other;
    uint64_t rcpt_offered, rcpt_accepted, rcpt_refused;
    uint64_t rcpt_class[SUMMARY_CLASSES];
    uint64_t bytes;    /* of messages in the clear */
    uint64_t attempts; /* connections without a byte */
    uint64_t anomalies_high;
    /* Messages it sent with a part of the class; of a client's row only. */
    uint64_t messages_class[SUMMARY_FINDINGS];
    char helo[64];        /* last one, cut; bytes from the wire */
    const char *look;     /* what it looks like; NULL: not known, or unclear */
    const char *look_why; /* the signs, separated by ", "; no bytes of a wire */
};

/* What the wire shows of a requirement of a registered host. */
#define SUMMARY_EVIDENCE 3

struct summary_requirement {
    struct addr addr;
    const char *site;
    const char *name;   /* "open_relay" */
    const char *what;   /* what would be observed, for people */
    const char *answer; /* observed, none_observed, not_observable */
    bool observed;
    bool violation; /* to observe it is to see a requirement broken */
    uint64_t count, of;
    char text[192]; /* "observed, 3 of 41 sessions to it" */
    char evidence[SUMMARY_EVIDENCE][17]; /* event ids, "" none */
};

/* A permitted line that nobody was seen to use. */
struct summary_unseen {
    const char *form;
    uint32_t line;
    const char *address; /* as on the form: text of a person, like these */
    const char *site;
    const char *device;
};

/* A block list that servers cited when they refused a host of ours. */
struct summary_listing {
    struct addr addr;
    char list[64];
    uint64_t replies;
    uint64_t citers; /* different servers */
    ns_t first, last;
};

/* A file that came as a part of messages, once for each SHA-256, or for each
 * name, size and type where there is none. */
#define SUMMARY_NAME 256

struct summary_attachment {
    char name[SUMMARY_NAME]; /* the first one met: n_name bytes from the wire;
                              * an ellipsis stands for the middle of a long
                              * one */
    uint16_t n_name;
    char type[32];
    char sha256[65];    /* hexadecimal, or "" */
    char findings[384]; /* names, of all its parts, sorted: "a, b" */
    bool findings_more;
    bool other_names;
    bool at_least;   /* the counts of different things are lower bounds */
    uint8_t classes; /* bits 1 << enum summary_finding, of all its parts */
    uint8_t class;   /* the one it is listed under: A, B, D, then C */
    uint64_t size;
    uint64_t parts;
    uint64_t messages, senders, receivers; /* different ones; hosts at home */
    ns_t first, last;
};

/* Parts are what fileinfo tells: files, and texts with a finding. A message is
 * one that was seen in the clear, at least in part. */
struct summary_parts {
    uint64_t told, bytes;
    uint64_t whole;          /* of these, no byte is missing */
    uint64_t inspected;      /* of these, looked into from end to end */
    uint64_t other_readings; /* of these, what only some mail clients see */
    uint64_t beyond;         /* not of these: past the limit of a message */
    uint64_t class_parts[SUMMARY_FINDINGS]; /* once for each of its classes */
    uint64_t class_messages[SUMMARY_FINDINGS];
    uint64_t messages;
    uint64_t complete; /* of these, no byte is missing */
    /* Of these, no part of class D, and each was looked into or is of a type
     * that has nothing to look into: what DETECTION 3.1 divides by. */
    uint64_t could_inspect;
    uint64_t class_could_inspect[SUMMARY_FINDINGS]; /* of could_inspect */
    uint64_t messages_left_out; /* parts of messages beyond the limit: they
                                 * count as parts alone */
    bool off; /* the insides of files were not looked at, as configured */
};

static inline struct span
summary_name(const struct summary_attachment *a)
{
    return span_of(a->name, a->n_name);
}

struct summary_class {
    const char *name;
    uint64_t replies; /* to recipients and messages of home senders */
};

struct summary_file {
    char *name;
    uint64_t size, packets, bytes;
    ns_t first, last;
};

struct summary_fault {
    const char *file; /* "" where the text names it */
    char *text;
    uint64_t offset;
};

struct summary_anomaly {
    const char *name;
    const char *level;
    const char *doc;
    uint64_t sessions;
};

/* An episode of an alert, as its latest event told it. */
#define SUMMARY_LEVELS 4 /* high, medium, low, informational */

struct summary_alert {
    char id[17];
    unsigned level;   /* 0 high .. 3 informational */
    char subject[96]; /* an address, perhaps with a lease */
    char site[64];    /* "" not known */
    bool judged;      /* it is known whether the subject is registered */
    bool registered;
    char rule[128];   /* its title */
    char reason[512]; /* may hold bytes from the wire */
    uint64_t count;   /* matches */
    ns_t first, last;
    bool ended;
};

/* What was decided of a subject, as its latest decision told it. */
enum summary_action {
    SUMMARY_BLOCK,    /* would be stopped, or is */
    SUMMARY_HOLD,     /* a human is asked */
    SUMMARY_WITHHELD, /* not stopped: against says why */
    SUMMARY_ACTIONS
};

struct summary_decision {
    struct prefix subject;
    enum summary_action action;
    bool over;         /* its time had ended before the input did */
    bool enforced;     /* else it would be */
    char against[128]; /* words of decision.against, "queueing, pool" */
    char reason[512];
    char site[64];     /* "" not known */
    const char *owner; /* who answers for it; NULL: not known */
    uint64_t collateral;
    ns_t since, until;
};

struct summary {
    bool demo;
    bool partial; /* a file was damaged, or interrupted */
    bool home_guessed;
    bool has_registry;
    const struct prefix *home;
    size_t n_home;
    const char *sensor;
    struct summary_file *files;
    size_t n_files;
    struct summary_fault *faults;
    size_t n_faults;
    struct summary_host *hosts; /* by recipients offered, most first */
    size_t n_hosts;
    uint64_t hosts_left_out; /* beyond the limit, counted only */
    struct summary_listing *listings;
    size_t n_listings;
    uint64_t listings_left_out; /* replies that cite one beyond the limit */
    struct summary_class classes[SUMMARY_CLASSES];
    struct summary_anomaly *anomalies;
    size_t n_anomalies;
    uint64_t anomalies_left_out; /* events beyond the limit */
    struct summary_parts parts;
    /* Classes A and B first, then D, then C; the most messages first. */
    struct summary_attachment *attachments;
    size_t n_attachments;
    uint64_t attachments_left_out; /* parts beyond the limit of the list */
    /* Of registered hosts: violations that were observed first, then by host.
     */
    struct summary_requirement *requirements;
    size_t n_requirements;
    uint64_t violations;        /* observed, of the list */
    uint64_t requirements_more; /* hosts beyond the limit of the list */
    struct summary_unseen *unseen;
    size_t n_unseen;
    uint64_t unseen_more;   /* lines beyond the limit of the list */
    bool has_verdicts;      /* statistics of hosts were told, rules were run */
    uint64_t verdict_hosts; /* at home that they were told of */
    /* By level, then by matches, most first; those that an exception silences
     * are counted only. */
    struct summary_alert *alerts;
    size_t n_alerts;
    uint64_t alerts_level[SUMMARY_LEVELS], alerts_silenced;
    uint64_t alerts_left_out; /* events of episodes beyond the limit */
    /* By action, then by collateral, most first. */
    struct summary_decision *decisions;
    size_t n_decisions;
    uint64_t decisions_left_out; /* events of subjects beyond the limit */
    /* coverage */
    ns_t first, last;
    uint64_t packets, bytes, cut_packets, malformed;
    uint64_t tcp_packets, flows, flows_evicted;
    uint64_t bytes_seen, bytes_lost, gaps, duplicates, reassembly_dropped;
    uint64_t sessions, sessions_tls, sessions_oneway, sessions_gaps;
    uint64_t transactions, messages, accepted, rejected, deferred, other;
    uint64_t rcpt_offered, rcpt_accepted, rcpt_refused;
    uint64_t events, records_refused, records_cut, time_backward;
};

#endif
