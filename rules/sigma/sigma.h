#ifndef SPAN25_SIGMA_SIGMA_H
#define SPAN25_SIGMA_SIGMA_H
/* sigma - Sigma rules over records
 *
 * The language is Sigma 2.1 (specification of 2025-08-02): rules, correlations,
 * filters. Life: sigma_set_new, sigma_load for each file, sigma_set_compile
 * once; then the set is constant. A sigma_run holds what changes: the windows
 * of correlations and room for the record at hand. One run for one thread.
 *
 * LOG SOURCES. product is span25; service is the event_type: smtp,
 * smtp_session, fileinfo, tls, anomaly, host. A rule without a service applies
 * to all of them. A rule for another product, or with a category, is read and
 * checked, counted as foreign, and never matches.
 *
 * FIELDS. The paths of fields.def ("smtp.rcpt[].code", also without the
 * brackets), their ECS paths, and the aliases of sigma_field.def, which have
 * Zeek's names and those for address and domain within a path. A field of a
 * list matches when one of its entries does; entries of two fields of one
 * object (code and class of a recipient) are not tied to one another.
 *
 * OURS. The map `span25` of a rule has subject, reason, limit and action, see
 * struct sigma_info; another key in it is a fault. A {word} of reason is a
 * field as above, or {count}, {limit}, {timespan} of a correlation.
 *
 * CHOICES, where the specification leaves one:
 * - Case is that of ASCII letters; `re` has Unicode's with `re|i`.
 *   `?` is one UTF-8 character, or one byte that is none.
 * - A number meets a number by value and a text by its digits. yes, no, on and
 *   off are words; true and false are not (YAML 1.2).
 * - null is: no such entry. Records have no other null.
 * - Keywords are looked for within the text of every entry.
 * - neq is NOT around the whole item, so an absent field satisfies it.
 * - re searches anywhere; startswith and endswith after it tie it to an end.
 *   What Sigma's subset leaves out (back references, look-around) is allowed;
 *   a search that comes to its limits does not match and is counted.
 * - cidr and addresses: ::ffff:a.b.c.d is the IPv4 address.
 * - Times are UTC; weeks are those of ISO 8601, 1 to 53. A time compared with
 *   a number is in seconds since 1970.
 * - A pattern in a condition that names nothing is refused, so are anchors,
 *   aliases and tags of YAML.
 * - An event without a group-by field joins no bucket; of a list the first
 *   entry counts for group-by, every entry for value_count.
 * - gt and gte alert at once; then again when the figure has been below, or a
 *   timespan later. A condition with an upper bound (lt, lte, eq, neq) can
 *   only be known at the end: the window then opens with the first event of
 *   the bucket, is as long as timespan, and alerts at its end. Nothing at all
 *   opens no window.
 * - temporal conditions look at what has been seen up to now: "a and not b"
 *   alerts when a comes and no b was there within the timespan.
 * - value_percentile takes `percentile` (nearest rank); value_median is 50.
 *
 * MEMORY is bounded by struct sigma_limits; what does not fit is counted. */
#include "sensor/base/err.h"
#include "sensor/base/ns.h"
#include "sensor/event/record.h"

#define SIGMA_FILE_MAX   (32U << 20) /* bytes of one file */
#define SIGMA_RULES_MAX  65536U      /* of a set */
#define SIGMA_FAULTS_MAX 20U         /* lines about one document */
#define SIGMA_TEXT_MAX   8192U       /* bytes of one value */
#define SIGMA_GROUP_MAX  8U          /* fields of group-by */

struct sigma_set;
struct sigma_run;

enum sigma_kind { SIGMA_RULE, SIGMA_CORRELATION, SIGMA_FILTER };

enum sigma_level {
    SIGMA_LEVEL_NONE,
    SIGMA_INFORMATIONAL,
    SIGMA_LOW,
    SIGMA_MEDIUM,
    SIGMA_HIGH,
    SIGMA_CRITICAL
};

/* Texts of a rule, in its order. */
struct sigma_list {
    const struct span *v;
    uint32_t n;
};

/* What is known about a rule; texts live as long as the set, and are empty
 * where the rule says nothing. */
struct sigma_info {
    enum sigma_kind kind;
    enum sigma_level level;
    struct span title, id, name, status, description, author, file;
    struct span pack; /* as sigma_set_pack said when it was loaded */
    uint32_t line;    /* where its document begins */
    bool foreign;     /* for another product: never matches */
    bool alerts;      /* false: only serves a correlation, or is disabled */
    bool disabled;
    uint64_t hash; /* of the document without comments and layout */
    const struct span *tags;
    uint32_t n_tags;
    struct sigma_list falsepositives;
    /* Of the map span25: whom an alert is about (client or server), its
     * sentence with {field} in it, how the limit was chosen, what to do. */
    struct span subject, reason, limit, action;
    /* of a correlation: "10m"; "60", or "gte 100, lte 200" with two bounds */
    struct span timespan, threshold;
};

/* ---- a set ---- */

MUST_USE enum err sigma_set_new(struct sigma_set **out);
void sigma_set_free(struct sigma_set *s); /* NULL is fine */

/* A value of %name% for the modifier expand; several of one name are an OR.
 * Before sigma_load. */
MUST_USE enum err sigma_set_define(struct sigma_set *s, struct span name,
                                   struct span value);

/* What is loaded from now on belongs to this pack; empty: to none. */
MUST_USE enum err sigma_set_pack(struct sigma_set *s, struct span pack);

/* From now on, a document whose id or name is there already is passed over,
 * with a line in messages that says so unless it is the same: what was loaded
 * before replaces it. */
void sigma_set_keep_first(struct sigma_set *s);

/* A rule without a service applies to events of every type, also to alerts,
 * decisions, statistics and control, and a service may be any of them: for who
 * only chooses among events. Before sigma_load. */
void sigma_set_every_event(struct sigma_set *s);

/* A rule with this id or name does not alert; it still serves correlations.
 * Before sigma_load. */
MUST_USE enum err sigma_set_disable(struct sigma_set *s, struct span word);

struct sigma_loaded {
    uint32_t rules, correlations, filters;
    uint32_t foreign;  /* of the rules */
    uint32_t refused;  /* documents with a fault */
    uint32_t replaced; /* documents passed over for one loaded before */
};

/* Adds the documents of one file. Each fault appends a line to messages,
 * "name:line:column: key: what is wrong, and what to write"; the document is
 * refused, the others are read. ERR_FORMAT when any was refused; ERR_NOMEM,
 * ERR_LIMIT (file or set too large) leave the set usable with what it has.
 * The text is not kept. */
MUST_USE enum err sigma_load(struct sigma_set *s, struct span text,
                             struct span name, struct buf *messages);

/* After the last file: ties references, filters and fields together. A fault
 * refuses its rule, and those that need it, as sigma_load does. */
MUST_USE enum err sigma_set_compile(struct sigma_set *s, struct buf *messages);

struct sigma_loaded sigma_set_loaded(const struct sigma_set *s);
/* Rules in force, in the order in which they were read. */
uint32_t sigma_set_count(const struct sigma_set *s);
const struct sigma_info *sigma_set_info(const struct sigma_set *s, uint32_t i);
/* By id or name; sigma_set_count(s) when there is none. */
uint32_t sigma_set_find(const struct sigma_set *s, struct span word);
/* The rules that a correlation looks at, k from 0; sigma_set_count when there
 * is no such. */
uint32_t sigma_set_ref(const struct sigma_set *s, uint32_t rule, uint32_t k);

/* ---- a run ---- */

struct sigma_limits {
    uint32_t buckets; /* of one correlation; the idlest one goes */
    uint32_t events;  /* kept by one correlation, or values; oldest go */
    uint32_t window;  /* of them in one bucket */
};
extern const struct sigma_limits sigma_limits_default;

struct sigma_group {
    struct span name; /* field or alias, as in the rule */
    struct span value;
};

struct sigma_match {
    uint32_t rule; /* sigma_set_info says whether it alerts */
    ns_t when;     /* of the record, or the end of a window */
    /* of a correlation: */
    double figure; /* count, sum, ... that met the condition */
    const struct sigma_group *group;
    uint32_t n_group;
    uint32_t subject; /* which of group is the address that an alert is about;
                         n_group: none is one */
};

/* What a bound cost, since the run began. */
struct sigma_counts {
    uint64_t records, matches;
    uint64_t candidates;    /* rules looked at in full */
    uint64_t regex_limited; /* searches given up */
    uint64_t glob_limited;
    uint64_t values_cut;      /* entries of a record not looked at */
    uint64_t buckets_evicted; /* of all correlations */
    uint64_t events_evicted;
    uint64_t events_late; /* too old for the window they belong to */
};

/* The set must outlive the run, or the next reload. Seed: for the keyed hashes
 * of buckets. */
MUST_USE enum err sigma_run_new(const struct sigma_set *s, uint64_t seed,
                                const struct sigma_limits *limits,
                                struct sigma_run **out);
void sigma_run_free(struct sigma_run *r);

/* Goes over to another set. Windows of a correlation stay when its id (or
 * name, or title) and the hash of its document are the same. On error nothing
 * has changed. */
MUST_USE enum err sigma_run_reload(struct sigma_run *r,
                                   const struct sigma_set *s);

/* The windows of all correlations, each under the id (or name, or title) of its
 * rule and the hash of its document. Loading leaves out those of rules that are
 * not in force, or not the same; a run of another seed is refused (ERR_FORMAT).
 * After ERR_CORRUPT the windows are half old, half new: free the run. Counts
 * are not saved. */
MUST_USE enum err sigma_run_save(const struct sigma_run *r, struct buf *out);
MUST_USE enum err sigma_run_load(struct sigma_run *r, struct span snapshot);

/* Rules that match this record (which passed record_check), by number. The
 * answer is borrowed until the next call on the run. */
const struct sigma_match *sigma_eval(struct sigma_run *r, struct span record,
                                     size_t *n);
/* The same, of a record that is mapped; both are borrowed until the next call
 * that is given another record. */
const struct sigma_match *
sigma_eval_map(struct sigma_run *r, const struct record_map *map, size_t *n);

/* After sigma_eval on the same record: correlations that its matches complete,
 * and windows that ended before stream time `now`. Also without a record, on
 * ticks: sigma_tick. Borrowed until the next call. */
const struct sigma_match *sigma_correlate(struct sigma_run *r, ns_t now,
                                          size_t *n);
const struct sigma_match *sigma_tick(struct sigma_run *r, ns_t now, size_t *n);

/* ---- windows that are kept elsewhere (span25 aggregate) ---- */

/* Does this correlation bring together events of several clients, being grouped
 * by other things than src_ip? Of those that look at rules only and have an id
 * or a name. */
bool sigma_set_is_spread(const struct sigma_set *s, uint32_t rule);

/* After sigma_eval, before sigma_correlate: every group of such a correlation
 * that this record belongs to. The values are borrowed during the call. */
struct sigma_spread {
    void (*put)(void *ctx, uint32_t rule, const struct span *group,
                uint32_t n_group);
    void *ctx;
};
void sigma_spread(struct sigma_run *r, const struct sigma_spread *to);

/* As sigma_correlate, but no other correlation sees the record. */
const struct sigma_match *
sigma_correlate_one(struct sigma_run *r, uint32_t rule, ns_t now, size_t *n);

/* What each item of rule i says about this record, whether the rule matches or
 * not: a line for each, "selection: field|modifiers: wanted: yes, 'value'" or
 * "no, has 'value'" or "no, not there"; cut and escaped for terminals. True
 * when the rule matches; *missed gets the number of items that say no (of an
 * event of another log source UINT32_MAX). Overwrites what sigma_eval gave. */
bool sigma_trace(struct sigma_run *r, uint32_t rule, struct span record,
                 struct buf *out, uint32_t *missed);

/* What rule i looks for, a line for each part: "logsource: ...", "condition:
 * ...", "selection: field|modifiers: values", "filter: ...", "correlation:
 * ..."; escaped for terminals. */
void sigma_describe(const struct sigma_set *s, uint32_t rule, struct buf *out);

/* Why rule i matches this record: appends a line for each item that holds,
 * "selection: field|modifiers: wanted (has value)" with the value of the
 * record, cut and escaped for terminals. False, and nothing appended, when it
 * does not match. Overwrites what sigma_eval gave. */
bool sigma_explain(struct sigma_run *r, uint32_t rule, struct span record,
                   struct buf *out);

struct sigma_counts sigma_run_counts(const struct sigma_run *r);
/* Bytes that the windows hold. */
uint64_t sigma_run_memory(const struct sigma_run *r);

#endif
