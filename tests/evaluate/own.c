/* own - the project's own detector: statistics, shipped rules, decisions
 *
 * Fed as the core feeds it: each event in order, each conclusion published
 * (placed, judged by the registry, numbered) and shown to it again. The caps on
 * how many decisions may be in force at once (DETECTION 6.3) are lifted: a run
 * has more bots among fewer hosts than any network, and a cap would be measured
 * in place of the detector. */
#include "tests/evaluate/own.h"

#include "rules/detect.h"
#include "tests/evaluate/publish.h"

#define SEED  UINT64_C(0x5eed)
#define HOSTS 100000U

struct own {
    const struct play *play;
    struct sigma_set *rules;
    struct detect *detect;
    const struct verdicts *verdicts; /* during a call */
    struct publisher publisher;
};

/* ---- making it ---- */

static void
own_free(void *d)
{
    struct own *o = d;

    detect_free(o->detect);
    sigma_set_free(o->rules);
    publisher_fini(&o->publisher);
    free(o);
}

static struct decide_limits
without_caps(void)
{
    struct decide_limits l = decide_limits_default;

    l.per_minute = 100000;
    l.active = 1000000;
    l.active_permille = 1000;
    l.per_net = 65536;
    l.site_percent = 100;
    return l;
}

static enum err
own_make(const struct play *p, void **out)
{
    struct detect_options options = {.hosts = hosts_options_default};
    struct own *o = calloc(1, sizeof(*o));
    enum err e;

    if (o == NULL)
        return ERR_NOMEM;
    o->play = p;
    publisher_init(&o->publisher, p);
    options.hosts.seed = SEED;
    options.hosts.hosts = HOSTS;
    options.decide.seed = SEED;
    options.decide.start = ROLLOUT_ENFORCE;
    /* all minima count, no packet is stopped */
    options.decide.may_enforce = true;
    options.decide.limits = without_caps();
    e = publish_rules(&o->rules);
    options.rules = o->rules;
    if (e == ERR_OK)
        e = detect_new(&options, &o->detect);
    if (e != ERR_OK)
        own_free(o);
    else
        *out = o;
    return e;
}

/* ---- what it says ---- */

static void
say(const struct own *o, struct subject *s, enum level level, ns_t when)
{
    o->verdicts->put(o->verdicts->ctx, s, level, when);
}

/* The address at the head of "10.2.3.4 lease 0123", of "10.2.3.0/24" none. */
static struct subject *
find_subject(const struct own *o, struct span text)
{
    struct addr a;

    if (!addr_parse(span_head(text, span_find(text, ' ')), &a))
        return NULL;
    return play_find(o->play, &a);
}

static void
hear_alert(const struct own *o, const struct record_map *m, ns_t when)
{
    struct subject *s =
        find_subject(o, record_map_find(m, FIELD_ALERT_SUBJECT));
    uint64_t severity = record_map_u64(m, FIELD_ALERT_SEVERITY, 4);

    if (s == NULL || record_map_is(m, FIELD_ALERT_STATE, "ended"))
        return;
    say(o, s, LEVEL_TOLD, when);
    if (record_map_is(m, FIELD_ALERT_CATEGORY, "policy") ||
        record_map_is(m, FIELD_ALERT_CATEGORY, "protocol"))
        return;
    say(o, s, LEVEL_NOTICE, when);
    if (severity <= 2)
        say(o, s, LEVEL_ALERT, when);
    if (severity <= 1)
        say(o, s, LEVEL_ACCUSED, when);
}

/* Whoever stands in the prefix is stopped with it. */
static void
hear_decision(const struct own *o, const struct record_map *m, ns_t when)
{
    bool block = record_map_is(m, FIELD_DECISION_ACTION, "block");
    bool hold = record_map_is(m, FIELD_DECISION_ACTION, "hold");
    struct prefix p;

    if ((!block && !hold) ||
        !prefix_parse(record_map_find(m, FIELD_DECISION_SUBJECT), &p))
        return;
    for (uint32_t i = 0; i < o->play->n_subjects; i++) {
        struct subject *s = &o->play->subjects[i];

        if (prefix_has(&p, &s->addr))
            say(o, s, block ? LEVEL_BLOCK : LEVEL_HOLD, when);
    }
}

/* ---- publishing, as the core does ---- */

static void
publish(struct own *o, struct span conclusion)
{
    struct record_head head = record_head_of(conclusion);
    struct record_map m;

    publisher_place(&o->publisher, conclusion, &m);
    if (o->verdicts->heard != NULL)
        o->verdicts->heard(o->verdicts->ctx, m.record);
    if (head.type == EVENT_ALERT)
        hear_alert(o, &m, head.when);
    if (head.type == EVENT_DECISION)
        hear_decision(o, &m, head.when);
    detect_event(o->detect, &m);
}

static void
own_event(void *d, struct subject *subject, const struct record_map *m,
          const struct verdicts *v)
{
    struct own *o = d;
    struct span r;

    (void)subject;
    o->verdicts = v;
    detect_event(o->detect, m);
    while ((r = detect_take(o->detect)).n > 0)
        publish(o, r);
}

static void
own_end(void *d, ns_t now, const struct verdicts *v)
{
    struct own *o = d;
    struct span r;

    o->verdicts = v;
    detect_end(o->detect, now);
    while ((r = detect_take(o->detect)).n > 0)
        publish(o, r);
}

const struct detector_ops detector_own = {
    "span25", "statistics, shipped rules and decisions",
    own_make, own_event,
    own_end,  own_free};
