#include "rules/host/stat.h"

#include "rules/host/queueing.h"
#include "rules/host/window.h"

const char *
stat_word(unsigned change)
{
    static const char *const words[CHANGE_COUNT] = {
#define STAT_WORD(id, word) word,
        HOST_STATS(STAT_WORD)
#undef STAT_WORD
            "evidence",
        "queueing",
        "identity",
        "cluster",
        "mx",
        "auth",
        "harvest",
        "triangular"};

    return words[change];
}

const char *
stat_level_word(enum host_level l)
{
    static const char *const words[] = {"normal", "raised", "alert", "block"};

    return words[l];
}

/* ---- scores ---- */

struct cusum_steps
stat_steps(const struct hosts *h, const struct host *host, enum host_stat s)
{
    const struct detail *d = s == HOST_S3 ? detail_of(h, host) : NULL;

    if (d == NULL || d->s3_expected == 0)
        return h->steps[s];
    return (struct cusum_steps){
        .up = h->usual_up,
        .hour = d->s3_expected * (uint32_t)(HOST_LIMIT(baseline_ratio) - 1),
    };
}

void
stat_time(const struct hosts *h, struct host *host, ns_t now)
{
    struct cusum_steps steps;

    if (now > host->s3_at && host->score[HOST_S3] > 0) {
        steps = stat_steps(h, host, HOST_S3);
        host->score[HOST_S3] = cusum_fall(&steps, host->score[HOST_S3],
                                          &host->s3_rest, now - host->s3_at);
    }
    host->s3_at = now > host->s3_at ? now : host->s3_at;
}

void
stat_add(const struct hosts *h, struct host *host, enum host_stat s, bool x)
{
    struct cusum_steps steps = stat_steps(h, host, s);

    host->score[s] = cusum_next(&steps, host->score[s], x);
}

/* ---- levels ---- */

static int32_t
nats(double level)
{
    return (int32_t)(level * 1000 + .5);
}

static enum host_level
level_of(double value, const struct host_design *d)
{
    if (d->block > 0 && value >= d->block)
        return LEVEL_BLOCK;
    if (value >= d->alert)
        return LEVEL_ALERT;
    return value * 2 >= d->alert ? LEVEL_RAISED : LEVEL_NORMAL;
}

static enum host_level
cusum_level(const struct hosts *h, const struct host *host, enum host_stat s)
{
    const struct host_design *d = &h->o.design[s];
    int32_t score = host->score[s];

    if (score >= nats(d->block) && d->block > 0)
        return LEVEL_BLOCK;
    if (score >= nats(d->alert))
        return LEVEL_ALERT;
    return score * INT64_C(2) >= nats(d->alert) ? LEVEL_RAISED : LEVEL_NORMAL;
}

static enum host_level
plain(bool alert)
{
    return alert ? LEVEL_ALERT : LEVEL_NORMAL;
}

static enum host_level
s5_level(const struct hosts *h, const struct detail *d)
{
    const struct host_design *design = &h->o.design[HOST_S5];
    enum host_level l = level_of(d->s5_messages, design);

    if (d->s5_messages == 0)
        return LEVEL_NORMAL;
    if (l == LEVEL_BLOCK &&
        window_set_count(d->s5_orgs, HOST_NETS) < design->block)
        return LEVEL_ALERT;
    return l;
}

static enum host_level
s7_level(const struct hosts *h, const struct host *host, const struct detail *d,
         ns_t now)
{
    struct queueing_sum sum;

    if (d->pairs == POOL_NONE || (host->flags & HOST_IS_HOME) == 0)
        return LEVEL_NORMAL;
    sum = queueing_sum(h, d, now);
    return plain(sum.retried == 0 && sum.ripe >= h->o.design[HOST_S7].alert);
}

static enum host_level
count_level(const struct hosts *h, const struct host *host,
            const struct detail *d, enum host_stat s, ns_t now)
{
    const struct host_design *design = &h->o.design[s];

    switch (s) {
    case HOST_S4:
        return plain(d->s4_cluster != 0 &&
                     now - d->s4_at <= HOST_LIMIT_NS(cluster_s) &&
                     d->s4_sources >= design->alert &&
                     d->s4_messages >= HOST_LIMIT(s4_messages));
    case HOST_S5: return s5_level(h, d);
    case HOST_S6: return plain(window_listings(d, now) >= design->alert);
    case HOST_S7: return s7_level(h, host, d, now);
    case HOST_P: return plain(d->p_sessions >= design->alert);
    case HOST_S1:
    case HOST_S1T:
    case HOST_S2:
    case HOST_S3:
    case HOST_STAT_COUNT: break;
    }
    return LEVEL_NORMAL;
}

enum host_level
stat_level(const struct hosts *h, const struct host *host, enum host_stat s,
           ns_t now)
{
    const struct detail *d = detail_of(h, host);

    if (s < HOST_S4)
        return cusum_level(h, host, s);
    return d != NULL ? count_level(h, host, d, s, now) : LEVEL_NORMAL;
}

bool
stat_is_block(const struct hosts *h, const struct host *host, ns_t now)
{
    return cusum_level(h, host, HOST_S1) == LEVEL_BLOCK ||
           cusum_level(h, host, HOST_S1T) == LEVEL_BLOCK ||
           cusum_level(h, host, HOST_S2) == LEVEL_BLOCK ||
           stat_level(h, host, HOST_S5, now) == LEVEL_BLOCK;
}

uint32_t
stat_rank(const struct hosts *h, const struct host *host, ns_t now)
{
    const struct detail *d = detail_of(h, host);
    int64_t most = 0;

    for (enum host_stat s = HOST_S1; s < HOST_S4; s++) {
        int64_t rank =
            host->score[s] * INT64_C(1000) / nats(h->o.design[s].alert);

        most = rank > most ? rank : most;
    }
    if (most < 1000 && d != NULL &&
        (d->s5_messages > 0 ||
         window_listings(d, now) >= h->o.design[HOST_S6].alert ||
         d->auth_failures >= HOST_LIMIT(guess_suspect) ||
         d->harvest_unknown >= HOST_LIMIT(guess_suspect)))
        most = 1000;
    return most > 1000000 ? 1000000 : (uint32_t)most;
}

/* ---- news ---- */

/* Whole nats from 4 on, up to 16; then four steps to a doubling. */
static uint8_t
score_step(int32_t score)
{
    uint32_t n = (uint32_t)score / 1000;

    return n < 4 ? 0 : (uint8_t)stat_step(n);
}

static enum host_level
told(const struct host *host, enum host_stat s)
{
    return (enum host_level)(host->told_level >> (2 * s) & 3);
}

static void
tell_level(struct host *host, enum host_stat s, enum host_level l)
{
    host->told_level &= ~(UINT32_C(3) << (2 * s));
    host->told_level |= (uint32_t)l << (2 * s);
}

uint32_t
stat_news(const struct hosts *h, struct host *host, ns_t now, bool all)
{
    uint32_t news = 0;

    for (enum host_stat s = HOST_S1; s < HOST_STAT_COUNT; s++) {
        enum host_level l;

        if (s == HOST_S7 && !all)
            continue;
        l = stat_level(h, host, s, now);
        if (l > told(host, s)) {
            tell_level(host, s, l);
            news |= STAT_BIT(s);
        }
        if (s < HOST_S4 && score_step(host->score[s]) > host->told_score[s]) {
            host->told_score[s] = score_step(host->score[s]);
            news |= STAT_BIT(s);
        }
    }
    return news;
}

void
stat_tell(const struct hosts *h, struct host *host, ns_t now)
{
    for (enum host_stat s = HOST_S1; s < HOST_STAT_COUNT; s++) {
        tell_level(host, s, stat_level(h, host, s, now));
        if (s < HOST_S4)
            host->told_score[s] = score_step(host->score[s]);
    }
}
