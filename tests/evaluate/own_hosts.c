/* own_hosts - the project's host statistics alone, without rules or decisions
 *
 * Accused is who stands at alert level in S1, S1T, S2 or S5; stopped who meets
 * the rule of DETECTION 1.10 without its minima and vetoes. What rules and
 * decisions make of it is detector_own. */
#include "rules/host/hosts.h"
#include "tests/evaluate/own.h"

struct statistics {
    const struct play *play;
    struct hosts *hosts;
    const struct verdicts *verdicts; /* during a call */
};

static enum err
statistics_make(const struct play *p, void **out)
{
    struct hosts_options o = hosts_options_default;
    struct statistics *s = calloc(1, sizeof(*s));
    enum err e;

    if (s == NULL)
        return ERR_NOMEM;
    s->play = p;
    o.hosts = 100000;
    e = hosts_new(&o, &s->hosts);
    if (e != ERR_OK)
        free(s);
    else
        *out = s;
    return e;
}

static void
statistics_free(void *d)
{
    struct statistics *s = d;

    hosts_free(s->hosts);
    free(s);
}

enum height { NORMAL, ALERT, BLOCK };

static enum height
height(const struct record_map *m, enum field f)
{
    return record_map_is(m, f, "block")   ? BLOCK
           : record_map_is(m, f, "alert") ? ALERT
                                          : NORMAL;
}

static void
judge(const struct statistics *s, const struct record_map *m, struct subject *t,
      ns_t when)
{
    static const enum field levels[] = {
        FIELD_HOST_S1_LEVEL,  FIELD_HOST_S2_LEVEL, FIELD_HOST_S5_LEVEL,
        FIELD_HOST_S1T_LEVEL, FIELD_HOST_S3_LEVEL, FIELD_HOST_S4_LEVEL,
        FIELD_HOST_S6_LEVEL,  FIELD_HOST_S7_LEVEL};
    enum height h[ARRAY_LEN(levels)];
    unsigned raised = 0;

    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        h[i] = height(m, levels[i]);
        raised += h[i] != NORMAL;
    }
    if (raised > 0)
        s->verdicts->put(s->verdicts->ctx, t, LEVEL_TOLD, when);
    if (raised > 0)
        s->verdicts->put(s->verdicts->ctx, t, LEVEL_NOTICE, when);
    if (h[0] || h[1] || h[2] || h[3])
        s->verdicts->put(s->verdicts->ctx, t, LEVEL_ALERT, when);
    if ((h[0] || h[1] || h[2] || h[3]) && raised > 1)
        s->verdicts->put(s->verdicts->ctx, t, LEVEL_ACCUSED, when);
    if (raised >= 2 && (h[0] == BLOCK || h[1] == BLOCK || h[2] == BLOCK ||
                        (h[3] == BLOCK && h[4] == BLOCK)))
        s->verdicts->put(s->verdicts->ctx, t,
                         record_map_bool(m, FIELD_HOST_QUEUEING) ? LEVEL_HOLD
                                                                 : LEVEL_BLOCK,
                         when);
}

static void
take(void *ctx, struct span record)
{
    struct statistics *s = ctx;
    struct record_map m;
    struct subject *t;
    struct addr a;

    record_map_init(&m, record);
    if (!record_map_addr(&m, FIELD_SRC_IP, &a) ||
        (t = play_find(s->play, &a)) == NULL || t->registered)
        return;
    judge(s, &m, t, record_head_of(record).when);
}

static void
statistics_event(void *d, struct subject *subject, const struct record_map *m,
                 const struct verdicts *v)
{
    struct statistics *s = d;
    struct record_sink sink = {take, s};

    (void)subject;
    s->verdicts = v;
    hosts_time(s->hosts, record_head_of(m->record).when, &sink);
    hosts_event(s->hosts, m, NULL, &sink);
}

const struct detector_ops detector_statistics = {
    "statistics", "host statistics alone", statistics_make, statistics_event,
    NULL,         statistics_free};
