#include "sensor/app/read_detect.h"

#include "sensor/app/policy_config.h"
#include "sensor/app/read_total.h"
#include "sensor/app/rules_load.h"
#include "sensor/base/hash.h"
#include "sensor/core/replay.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/snapshot.h"

#include <stdlib.h>

#define SNAPSHOT_NAME "detect"

/* X(field, member of struct detect_counts, of this reading alone) */
#define COUNTS(X)                                                              \
    X(STATS_DETECT_HOSTS, hosts.hosts, false)                                  \
    X(STATS_DETECT_HOSTS_DETAILED, hosts.detailed, false)                      \
    X(STATS_DETECT_HOSTS_EVICTED, hosts.evicted, true)                         \
    X(STATS_DETECT_HOSTS_REFUSED, hosts.refused, true)                         \
    X(STATS_DETECT_DETAIL_EVICTED, hosts.detail_evicted, true)                 \
    X(STATS_DETECT_WAITS_REFUSED, hosts.waits_refused, true)                   \
    X(STATS_DETECT_FILTER, hosts.filter_permille, false)                       \
    X(STATS_DETECT_MAIL_FORGOTTEN, campaigns.forgotten, true)                  \
    X(STATS_DETECT_CLUSTERS_EVICTED, campaigns.evicted, true)                  \
    X(STATS_DETECT_MATCHES, sigma.matches, true)                               \
    X(STATS_DETECT_REGEX_LIMITED, sigma.regex_limited, true)                   \
    X(STATS_DETECT_GLOB_LIMITED, sigma.glob_limited, true)                     \
    X(STATS_DETECT_VALUES_CUT, sigma.values_cut, true)                         \
    X(STATS_DETECT_BUCKETS_EVICTED, sigma.buckets_evicted, true)               \
    X(STATS_DETECT_WINDOWS_EVICTED, sigma.events_evicted, true)                \
    X(STATS_DETECT_WINDOWS_LATE, sigma.events_late, true)                      \
    X(STATS_DETECT_ALERTS_OPEN, alerts.open, false)                            \
    X(STATS_DETECT_ALERTS_EVICTED, alerts.evicted, true)                       \
    X(STATS_DETECT_SUBJECTS_REFUSED, decide.refused, true)                     \
    X(STATS_DETECT_DROPPED, dropped, true)

struct read_detect {
    const char *dir; /* the state directory, or NULL */
    struct sigma_set *rules;
    struct detect_options options;
    struct policy_config policy;
    struct detect *detect;
    uint64_t kind;               /* of snapshots: all that they depend on */
    struct detect_counts before; /* what was lived again does not count */
    uint64_t saved; /* journal position of the snapshot that was restored */
    bool refused;   /* a rule was, or a file of rules was not read */
};

/* ---- settings ---- */

/* "0.05,0.40,9.2,13.8" */
static bool
parse_design(const char *text, struct host_design *out)
{
    double *const to[] = {&out->normal, &out->bad, &out->alert, &out->block};
    char *end;

    for (size_t i = 0; i < ARRAY_LEN(to); i++) {
        *to[i] = strtod(text, &end);
        if (end == text || *end != (i + 1 < ARRAY_LEN(to) ? ',' : '\0') ||
            !(*to[i] > 0) || *to[i] > 1000)
            return false;
        text = end + 1;
    }
    return out->normal < out->bad && out->alert <= out->block;
}

static enum err
set_designs(const struct config *c, struct hosts_options *o,
            struct buf *messages)
{
    const struct {
        enum host_stat stat;
        const char *key, *text;
        double most; /* of the second figure */
    } rows[] = {
        {HOST_S1,  "statistics.s1",  c->stat_s1,  1   },
        {HOST_S1T, "statistics.s1t", c->stat_s1t, 1   },
        {HOST_S2,  "statistics.s2",  c->stat_s2,  1   },
        {HOST_S3,  "statistics.s3",  c->stat_s3,  1000},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host_design *d = &o->design[rows[i].stat];

        if (parse_design(rows[i].text, d) &&
            (d->bad < rows[i].most || rows[i].most > 1))
            continue;
        buf_printf(messages,
                   "span25: %s is four figures, such as 0.05,0.40,9.2,13.8: "
                   "the second above the first%s, the fourth not below the "
                   "third\n",
                   rows[i].key, rows[i].most > 1 ? "" : " and below 1");
        return ERR_CONFIG;
    }
    return ERR_OK;
}

static void
set_limits(const struct config *c, struct decide_limits *l)
{
#define X(name, value, least, most, unit, why) l->name = c->block_##name;
#include "rules/decide/decide.def"
#undef X
}

static enum err
set_decide(struct read_detect *r, const struct config *c, struct buf *messages)
{
    struct decide_options *o = &r->options.decide;
    const enum err e = policy_config_read(c, &r->policy, messages);

    set_limits(c, &o->limits);
    o->start = r->policy.start;
    o->rules = r->policy.rules;
    o->approvals = (unsigned)c->block_approvals;
    o->approve_all = c->block_approve_all;
    return e;
}

/* A snapshot is only good for who counts alike. */
static uint64_t
kind_of(const struct detect_options *o)
{
    return hash_span(span_of(o->hosts.design, sizeof(o->hosts.design)),
                     o->hosts.seed);
}

/* A rule that is refused is told and left out; the others are in force. */
static enum err
load_rules(struct read_detect *r, const struct config *c, struct buf *text,
           struct buf *messages)
{
    struct rules_loaded how;
    enum err e = rules_load(c, NULL, 0, &r->rules, &how, messages);

    if (e == ERR_OK)
        buf_printf(text, "; rules: %u in force, %u refused, %s",
                   (unsigned)how.alerting,
                   (unsigned)(how.own.refused + how.shipped.refused), how.hash);
    r->refused = e == ERR_OK && (how.refused > 0 || how.unread > 0);
    r->options.rules = r->rules;
    return e;
}

enum err
read_detect_open(const struct config *c, const struct read_detect_who *who,
                 struct read_detect **out, struct buf *text,
                 struct buf *messages)
{
    struct read_detect *r = calloc(1, sizeof(*r));
    struct detect_options *o;
    enum err e;

    if (r == NULL)
        return ERR_NOMEM;
    o = &r->options;
    r->dir = c->state;
    o->hosts = hosts_options_default;
    o->hosts.seed = who->seed;
    o->hosts.judged = who->judged;
    e = set_decide(r, c, messages);
    o->decide.may_enforce = who->live;
    if (e == ERR_OK)
        e = set_designs(c, &o->hosts, messages);
    if (e == ERR_OK)
        e = load_rules(r, c, text, messages);
    if (e == ERR_OK)
        e = detect_new(o, &r->detect);
    r->kind = kind_of(o);
    if (e != ERR_OK) {
        read_detect_close(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

void
read_detect_close(struct read_detect *r)
{
    if (r == NULL)
        return;
    detect_free(r->detect);
    sigma_set_free(r->rules);
    free(r);
}

enum err
read_detect_reload(struct read_detect *r, const struct config *c,
                   struct buf *text, struct buf *messages)
{
    struct sigma_set *old = r->rules;
    enum err e = load_rules(r, c, text, messages);

    if (e == ERR_OK)
        e = detect_rules(r->detect, r->rules);
    if (e == ERR_OK) {
        sigma_set_free(old);
        return ERR_OK;
    }
    if (r->rules != old)
        sigma_set_free(r->rules);
    r->rules = old;
    r->options.rules = old;
    return e;
}

bool
read_detect_refused(const struct read_detect *r)
{
    return r->refused;
}

const struct detect_options *
read_detect_options(const struct read_detect *r)
{
    return &r->options;
}

struct detect *
read_detect_get(const struct read_detect *r)
{
    return r == NULL ? NULL : r->detect;
}

/* ---- state ---- */

/* Conclusions are in the journal already. */
static enum err
relive(void *ctx, struct span record, uint64_t seq)
{
    struct detect *d = ctx;
    struct record_map map;

    (void)seq;
    record_map_init(&map, record);
    detect_event(d, &map);
    while (detect_take(d).n > 0)
        ;
    return ERR_OK;
}

static void
tell_replay(const struct buf *why, struct buf *messages)
{
    buf_str(messages, "span25: ");
    buf_span(messages, buf_view(why));
    buf_str(messages, "; the journal is read instead\n");
}

/* What a snapshot holds; *seq is 0 when there is none that can be used, and
 * everything comes from the journal. */
static enum err
load_snapshot(struct read_detect *r, uint64_t durable, uint64_t *seq,
              struct buf *messages)
{
    struct buf content, why;
    enum err e;

    buf_init(&content, 0);
    buf_init(&why, 8192);
    e = snapshot_read(r->dir, SNAPSHOT_NAME, r->kind, seq, &content, &why);
    if (why.n > 0)
        tell_replay(&why, messages);
    buf_free(&why);
    if (e == ERR_OK && *seq <= durable) {
        e = detect_load(r->detect, buf_view(&content));
        if (e == ERR_OK) {
            buf_free(&content);
            return ERR_OK;
        }
        buf_printf(messages,
                   "span25: the snapshot in %s does not hold (%s); its "
                   "journal is read instead\n",
                   r->dir, err_text(e));
        detect_free(r->detect);
        r->detect = NULL;
        e = detect_new(&r->options, &r->detect);
    } else if (e != ERR_NOMEM)
        e = ERR_OK;
    buf_free(&content);
    *seq = 0;
    return e;
}

enum err
read_detect_restore(struct read_detect *r, const struct journal *journal,
                    struct buf *messages)
{
    struct replay_sink sink = {relive, NULL};
    uint64_t seq = 0, durable, damaged = 0;
    enum err e;

    if (journal == NULL)
        return ERR_OK;
    durable = journal_durable(journal);
    e = load_snapshot(r, durable, &seq, messages);
    sink.ctx = r->detect;
    if (e == ERR_OK && seq < durable)
        e = replay_journal(r->dir, seq + 1, durable, &sink, &damaged, messages);
    r->before = detect_counts(r->detect);
    r->saved = e == ERR_OK ? seq : 0;
    return e;
}

uint64_t
read_detect_saved(const struct read_detect *r)
{
    return r->saved;
}

void
read_detect_count(const struct read_detect *r, struct read_total *total)
{
    const struct detect_counts now = detect_counts(r->detect);

#define X(field, member, reading)                                              \
    read_total_set(total, FIELD_##field,                                       \
                   now.member - ((reading) ? r->before.member : 0));
    COUNTS(X)
#undef X
}

enum err
read_detect_save(const struct read_detect *r, const struct journal *journal,
                 struct buf *messages)
{
    struct buf content;
    enum err e;

    if (journal == NULL)
        return ERR_OK;
    buf_init(&content, SNAPSHOT_BYTES_MAX);
    e = detect_save(r->detect, &content);
    if (e == ERR_OK)
        e = snapshot_write(r->dir, SNAPSHOT_NAME, r->kind,
                           journal_durable(journal), buf_view(&content),
                           messages);
    buf_free(&content);
    return e;
}
