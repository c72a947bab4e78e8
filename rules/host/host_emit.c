#include "rules/host/host_emit.h"

#include "rules/host/queueing.h"
#include "rules/host/session.h"
#include "rules/host/stat.h"
#include "rules/host/table.h"
#include "rules/host/subkey.h"
#include "rules/host/window.h"

struct emit {
    struct hosts *h;
    const struct host *host;
    const struct detail *d; /* or NULL */
    struct record_out *r;
    ns_t now;
};

static void
text_span(struct record_out *r, enum field f, struct span s)
{
    if (s.n > 0)
        record_str(r, f, s);
}

static void
hex_id(struct record_out *r, enum field f, uint64_t v)
{
    char text[16];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
    record_str(r, f, span_of(text, sizeof(text)));
}

static uint64_t
permille(uint64_t part, uint64_t all, uint64_t otherwise)
{
    return all > 0 ? (uint64_t)((double)part * 1000 / (double)all + .5)
                   : otherwise;
}

static const char *
cluster_word(uint32_t kind)
{
    static const char *const words[] = {
#define EMIT_WORD(id, word) word,
        CAMPAIGN_KINDS(EMIT_WORD)
#undef EMIT_WORD
    };

    return words[kind < CAMPAIGN_KIND_COUNT ? kind : 0];
}

/* ---- who ---- */

static void
put_head(const struct emit *e, const char *why, uint32_t changes)
{
    record_addr(e->r, FIELD_SRC_IP, &e->host->addr);
    if (e->host->lease != 0 && e->host->lease != TABLE_FOLDED)
        hex_id(e->r, FIELD_SRC_HOST_LEASE, e->host->lease);
    record_text(e->r, FIELD_HOST_WHY, why);
    for (unsigned i = 0; i < CHANGE_COUNT; i++) {
        if (changes >> i & 1)
            record_text(e->r, FIELD_HOST_CHANGES, stat_word(i));
    }
    record_bool(e->r, FIELD_HOST_HOME, e->host->flags & HOST_IS_HOME);
    record_time(e->r, FIELD_HOST_FIRST, e->host->first);
    record_time(e->r, FIELD_HOST_LAST, e->host->last);
    record_u64(e->r, FIELD_HOST_SESSIONS, e->host->sessions);
    record_u64(e->r, FIELD_HOST_SESSIONS_TLS, e->host->sessions_tls);
    record_u64(e->r, FIELD_HOST_SESSIONS_ONEWAY, e->host->sessions_oneway);
    record_u64(e->r, FIELD_HOST_TRANSACTIONS, e->host->transactions);
    record_u64(e->r, FIELD_HOST_ACCEPTED, e->host->accepted);
}

static void
put_odd(const struct emit *e)
{
    if (e->d->dialect[0] != 0)
        hex_id(e->r, FIELD_HOST_DIALECT, e->d->dialect[0]);
    for (unsigned i = 0; i < DIALECT_ODD_COUNT; i++) {
        if (e->d->odd >> i & 1)
            record_text(e->r, FIELD_HOST_DIALECT_ODD,
                        dialect_odd_word((enum dialect_odd)i));
    }
}

static void
put_speech(const struct emit *e)
{
    const struct detail *d = e->d;

    if (d != NULL) {
        record_u64(e->r, FIELD_HOST_RCPT_OFFERED, d->rcpt_offered);
        record_u64(e->r, FIELD_HOST_RCPT_ACCEPTED, d->rcpt_accepted);
        record_u64(e->r, FIELD_HOST_RCPT_UNKNOWN, d->rcpt_unknown);
        record_u64(e->r, FIELD_HOST_SENDERS,
                   sketch_count(&d->senders, &e->h->large));
        record_u64(e->r, FIELD_HOST_HELO_NAMES,
                   sketch_count(&d->helos, &e->h->large));
        text_span(e->r, FIELD_HOST_HELO, span_of(d->helo, d->helo_n));
    }
    text_span(e->r, FIELD_HOST_NAME,
              names_of(e->h->names, &e->host->addr, e->now));
    if (d != NULL) {
        put_odd(e);
        record_u64(e->r, FIELD_HOST_ORDINARY, window_week(d, e->now));
    }
}

static void
put_hour(const struct emit *e)
{
    static const enum field fields[HOUR_COUNTS] = {
        FIELD_HOST_HOUR_SESSIONS, FIELD_HOST_HOUR_MESSAGES,
        FIELD_HOST_HOUR_RCPT, FIELD_HOST_HOUR_REFUSED,
        FIELD_HOST_HOUR_ORGANISATIONS};
    uint32_t mx;

    for (size_t i = 0; e->d != NULL && i < HOUR_COUNTS; i++)
        record_u64(e->r, fields[i],
                   window_hour(e->d, (enum hour_count)i, e->now));
    if (names_mx(e->h->names, &e->host->addr, e->now, &mx))
        record_u64(e->r, FIELD_HOST_HOUR_MX, mx);
}

/* ---- statistics ---- */

static void
put_level(const struct emit *e, enum field f, enum host_stat s)
{
    record_text(e->r, f, stat_level_word(stat_level(e->h, e->host, s, e->now)));
}

/* score, limit and level of a CUSUM stand together, in this order. */
static void
put_cusum(const struct emit *e, enum field score, enum host_stat s)
{
    double alert = e->h->o.design[s].alert;

    record_u64(e->r, score, (uint64_t)e->host->score[s]);
    record_u64(e->r, score + 1, (uint64_t)(alert * 1000 + .5));
    put_level(e, score + 2, s);
}

static void
put_pair(const struct emit *e, enum field f, uint64_t n, uint64_t bad)
{
    record_u64(e->r, f, n);
    record_u64(e->r, f + 1, bad);
}

static void
put_s2_why(const struct emit *e)
{
    for (unsigned i = 0; i < JUDGE_WHY_COUNT; i++) {
        if (e->d->s2_why >> i & 1)
            record_text(e->r, FIELD_HOST_S2_WHY, judge_word((enum judge_why)i));
    }
}

static uint64_t
expected(const struct emit *e)
{
    if (e->d != NULL && e->d->s3_expected > 0)
        return e->d->s3_expected;
    return (uint64_t)(e->h->o.design[HOST_S3].normal * 1000 + .5);
}

static void
put_cusums(const struct emit *e)
{
    const struct detail *d = e->d;

    put_cusum(e, FIELD_HOST_S1_SCORE, HOST_S1);
    put_pair(e, FIELD_HOST_S1_N, e->host->s1_n, e->host->s1_bad);
    put_cusum(e, FIELD_HOST_S1T_SCORE, HOST_S1T);
    if (d != NULL)
        put_pair(e, FIELD_HOST_S1T_N, d->s1t_n, d->s1t_bad);
    put_cusum(e, FIELD_HOST_S2_SCORE, HOST_S2);
    if (d != NULL) {
        put_pair(e, FIELD_HOST_S2_N, d->s2_n, d->s2_bad);
        put_s2_why(e);
    }
    put_cusum(e, FIELD_HOST_S3_SCORE, HOST_S3);
    if (d != NULL)
        record_u64(e->r, FIELD_HOST_S3_N, d->s3_n);
    record_u64(e->r, FIELD_HOST_S3_EXPECTED, expected(e));
}

static void
put_cluster(const struct emit *e)
{
    const struct detail *d = e->d;

    if (d->s4_cluster != 0 && e->now - d->s4_at <= HOST_LIMIT_NS(cluster_s)) {
        hex_id(e->r, FIELD_HOST_S4_CLUSTER, d->s4_cluster);
        record_text(e->r, FIELD_HOST_S4_KIND, cluster_word(d->s4_kind));
        record_u64(e->r, FIELD_HOST_S4_SOURCES, d->s4_sources);
        record_u64(e->r, FIELD_HOST_S4_MESSAGES, d->s4_messages);
    }
    put_level(e, FIELD_HOST_S4_LEVEL, HOST_S4);
}

static void
put_counts(const struct emit *e)
{
    const struct detail *d = e->d;
    struct queueing_sum sum = queueing_sum(e->h, d, e->now);

    put_cluster(e);
    put_pair(e, FIELD_HOST_S5_MESSAGES, d->s5_messages,
             window_set_count(d->s5_orgs, HOST_NETS));
    put_level(e, FIELD_HOST_S5_LEVEL, HOST_S5);
    record_u64(e->r, FIELD_HOST_S6_ORGANISATIONS, window_listings(d, e->now));
    put_level(e, FIELD_HOST_S6_LEVEL, HOST_S6);
    put_pair(e, FIELD_HOST_S7_DEFERRED, sum.deferred, sum.retried);
    record_u64(e->r, FIELD_HOST_S7_RIPE, sum.ripe);
    put_level(e, FIELD_HOST_S7_LEVEL, HOST_S7);
    record_u64(e->r, FIELD_HOST_P_SESSIONS, d->p_sessions);
    if (e->host->flags & HOST_HAS_REG)
        put_level(e, FIELD_HOST_P_LEVEL, HOST_P);
}

/* ---- what else ---- */

static void
put_queueing(const struct emit *e)
{
    uint32_t why = queueing_why(e->h, e->d, e->now);

    record_bool(e->r, FIELD_HOST_QUEUEING, why != 0);
    for (unsigned i = 0; i < QUEUEING_WHYS; i++) {
        if (why >> i & 1)
            record_text(e->r, FIELD_HOST_QUEUEING_WHY,
                        queueing_word((enum queueing_why)i));
    }
    record_bool(e->r, FIELD_HOST_QUEUEING_OPEN,
                why == 0 && queueing_open(e->h, e->d, e->now));
    record_u64(e->r, FIELD_HOST_NULL_SENDER, e->d->null_sender);
    record_u64(e->r, FIELD_HOST_TRIANGULAR, e->d->triangular);
}

static void
put_outside(const struct emit *e)
{
    const struct detail *d = e->d;

    if ((e->host->flags & HOST_IS_HOME) == 0)
        put_pair(e, FIELD_HOST_HARVEST_OFFERED, d->harvest_offered,
                 d->harvest_unknown);
    put_pair(e, FIELD_HOST_AUTH_FAILURES, d->auth_failures, d->auth_successes);
    record_u64(e->r, FIELD_HOST_AUTH_SERVERS,
               window_set_count(d->auth_servers, HOST_NETS));
}

static void
put_baseline(const struct emit *e)
{
    uint32_t days = window_days(e->d);

    record_u64(e->r, FIELD_HOST_BASELINE_DAYS, days);
    if (days == 0)
        return;
    record_u64(e->r, FIELD_HOST_BASELINE_RCPT_DAY, window_median_rcpt(e->d));
    record_u64(e->r, FIELD_HOST_BASELINE_RCPT_HOUR, window_p95(e->d, false));
    record_u64(e->r, FIELD_HOST_BASELINE_ORGS_HOUR, window_p95(e->d, true));
}

static void
put_evidence(const struct emit *e)
{
    const struct detail *d = e->d;
    uint64_t missed = d->unanswered > d->commands ? d->commands : d->unanswered;
    uint32_t signs = session_conflict(e->host, d);

    put_pair(e, FIELD_HOST_EVIDENCE_SESSIONS, d->ev_sessions,
             sketch_count(&d->orgs, &e->h->large));
    record_u64(e->r, FIELD_HOST_EVIDENCE_NETWORKS,
               window_set_count(d->ev_nets, HOST_NETS));
    record_u64(e->r, FIELD_HOST_EVIDENCE_SECONDS,
               (d->ev_last - d->ev_first) / NS_PER_S);
    record_u64(e->r, FIELD_HOST_EVIDENCE_REPLIES,
               permille(d->commands - missed, d->commands, 0));
    record_u64(e->r, FIELD_HOST_EVIDENCE_LOSS,
               permille(d->lost, d->bytes + d->lost, 0));
    put_pair(e, FIELD_HOST_EVIDENCE_BOUND, d->ev_bound, d->ev_unbound);
    record_u64(e->r, FIELD_HOST_IDENTITY_MACS,
               window_set_count(d->macs, HOST_MACS));
    record_bool(e->r, FIELD_HOST_IDENTITY_CONFLICT, signs != 0);
    for (unsigned i = 0; i < SIGN_COUNT; i++) {
        if (signs >> i & 1)
            record_text(e->r, FIELD_HOST_IDENTITY_WHY,
                        session_sign((enum session_sign)i));
    }
}

/* Of those that had to go, a dialect each, without a name. */
static void
put_subsums(const struct emit *e, const struct subkeys *all)
{
    for (uint32_t i = 0; i < HOST_SUBSUMS; i++) {
        const struct subsum *s = &all->sums[i];

        if (s->speakers == 0)
            continue;
        record_object_begin(e->r, FIELD_HOST_SUBKEY);
        hex_id(e->r, FIELD_HOST_SUBKEY_ID, s->dialect);
        record_u64(e->r, FIELD_HOST_SUBKEY_ACCEPTED, s->accepted);
        record_u64(e->r, FIELD_HOST_SUBKEY_N, s->n);
        record_u64(e->r, FIELD_HOST_SUBKEY_BAD, s->bad);
        record_u64(e->r, FIELD_HOST_SUBKEY_SCORE,
                   subkey_score(e->h, e->host, s));
        record_object_end(e->r);
    }
}

static void
put_speakers(const struct emit *e, const struct subkey *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct subkey *s = &v[i];

        record_object_begin(e->r, FIELD_HOST_SUBKEY);
        hex_id(e->r, FIELD_HOST_SUBKEY_ID, s->helo_hash ^ s->dialect);
        record_str(e->r, FIELD_HOST_SUBKEY_HELO, span_of(s->helo, s->helo_n));
        record_u64(e->r, FIELD_HOST_SUBKEY_ACCEPTED, s->accepted);
        record_u64(e->r, FIELD_HOST_SUBKEY_N, s->n);
        record_u64(e->r, FIELD_HOST_SUBKEY_BAD, s->bad);
        record_u64(e->r, FIELD_HOST_SUBKEY_SCORE, (uint64_t)s->score);
        record_object_end(e->r);
    }
}

static void
put_subkeys(const struct emit *e)
{
    const struct subkeys *all = subkey_all(e->h, e->d);

    record_u64(e->r, FIELD_HOST_SUBKEYS,
               all != NULL ? all->n : e->d->helo_hash != 0);
    if (all == NULL)
        return;
    put_speakers(e, all->v, all->n);
    put_speakers(e, all->open, all->n_open);
    put_subsums(e, all);
}

static void
put_limits(const struct emit *e)
{
    const struct host *host = e->host;
    uint32_t error = 0;

    if (host->sessions > 0 && host->sessions == host->sessions_tls &&
        host->s1_n == 0)
        record_text(e->r, FIELD_HOST_UNOBSERVABLE,
                    "s1: all sessions under TLS");
    if (!names_observed(e->h->names))
        record_text(e->r, FIELD_HOST_UNOBSERVABLE, "mx: no DNS answers seen");
    if (e->d != NULL) {
        const struct sketch *all[] = {&e->d->senders, &e->d->helos,
                                      &e->d->orgs};

        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            uint32_t one = sketch_error_permille(all[i]);

            error = one > error ? one : error;
        }
    }
    if (error > 0)
        record_u64(e->r, FIELD_HOST_ERROR, error);
    record_u64(e->r, FIELD_HOST_ERROR_SEEN, filter_error_permille(&e->h->seen));
}

void
host_emit(struct hosts *h, uint32_t i, const char *why, uint32_t changes,
          ns_t when, const struct record_sink *sink)
{
    struct host *host = host_at(h, i);
    struct emit e = {.h = h, .host = host, .r = &h->out, .now = when};
    struct record_head head = {
        .when = when, .seq = h->seq++, .type = EVENT_HOST};

    e.d = detail_of(h, host);
    stat_time(h, host, when);
    record_begin(e.r, &head);
    put_head(&e, why, changes);
    put_speech(&e);
    put_hour(&e);
    put_cusums(&e);
    if (e.d != NULL) {
        put_counts(&e);
        put_queueing(&e);
        put_outside(&e);
        put_baseline(&e);
        put_evidence(&e);
        put_subkeys(&e);
    }
    put_limits(&e);
    host->flags &= (uint16_t)~HOST_IS_ACTIVE;
    h->counts.events++;
    sink->put(sink->ctx, record_view(e.r));
}
