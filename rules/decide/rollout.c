#include "rules/decide/rollout.h"

static const char *const modes[] = {"off", "simulate", "enforce"};

static const char *const rules[ROLLOUT_RULES] = {"s1", "s1t", "s2", "s3",
                                                 "s4", "s5",  "s6", "s7"};

const char *
rollout_mode_word(enum rollout_mode m)
{
    return modes[m - ROLLOUT_OFF];
}

bool
rollout_mode_parse(struct span word, enum rollout_mode *out)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (!span_eq(word, span_str(modes[i])))
            continue;
        *out = (enum rollout_mode)((int)i + ROLLOUT_OFF);
        return true;
    }
    return false;
}

unsigned
rollout_rule_find(struct span word)
{
    unsigned i = 0;

    while (i < ROLLOUT_RULES && !span_eq(word, span_str(rules[i])))
        i++;
    return i;
}

const char *
rollout_rule_word(unsigned rule)
{
    return rules[rule];
}

static void
configure(struct rollout_setting *s, enum rollout_mode start)
{
    if (!s->started && !s->said)
        *s = (struct rollout_setting){.mode = start, .start = start};
}

void
rollout_configure(struct rollout *p, enum rollout_mode start,
                  const enum rollout_mode *of)
{
    configure(&p->all, start);
    for (size_t i = 0; i < ROLLOUT_RULES; i++)
        configure(&p->rule[i], of != NULL ? of[i] : ROLLOUT_ENFORCE);
}

void
rollout_init(struct rollout *p, enum rollout_mode start,
             const enum rollout_mode *of)
{
    *p = (struct rollout){0};
    rollout_configure(p, start, of);
}

/* ---- what was said ---- */

static void
keep(char *out, size_t size, struct span s)
{
    s = span_head(s, size - 1);
    memset(out, 0, size);
    memcpy(out, s.n > 0 ? s.p : (const uint8_t *)"", s.n);
}

static void
note(struct rollout_act *a, const struct record_map *e)
{
    a->when =
        record_map_u64(e, FIELD_CONTROL_TIME, record_head_of(e->record).when);
    keep(a->actor, sizeof(a->actor), record_map_find(e, FIELD_CONTROL_ACTOR));
    keep(a->reason, sizeof(a->reason),
         record_map_find(e, FIELD_CONTROL_REASON));
}

static void
set_mode(struct rollout_setting *s, enum rollout_mode m,
         const struct record_map *e)
{
    s->mode = m;
    note(&s->by, e);
}

/* Which one, and to what; NULL: it says nothing usable. */
static struct rollout_setting *
setting_of(struct rollout *p, const struct record_map *e, enum rollout_mode *m)
{
    unsigned i;

    if (!rollout_mode_parse(record_map_find(e, FIELD_CONTROL_MODE), m))
        return NULL;
    if (!record_map_has(e, FIELD_CONTROL_RULE))
        return &p->all;
    i = rollout_rule_find(record_map_find(e, FIELD_CONTROL_RULE));
    return i < ROLLOUT_RULES ? &p->rule[i] : NULL;
}

static bool
on_start(struct rollout *p, const struct record_map *e)
{
    enum rollout_mode m, before;
    struct rollout_setting *s = setting_of(p, e, &m);

    if (s == NULL)
        return false;
    before = s->start;
    s->start = m;
    s->started = true;
    if (!s->said || (m != before && m < s->mode))
        set_mode(s, m, e);
    return true;
}

static bool
on_mode(struct rollout *p, const struct record_map *e)
{
    enum rollout_mode m;
    struct rollout_setting *s = setting_of(p, e, &m);

    if (s == NULL)
        return false;
    s->said = true;
    set_mode(s, m, e);
    return true;
}

static bool
on_pause(struct rollout *p, const struct record_map *e)
{
    const ns_t until = record_map_u64(e, FIELD_CONTROL_UNTIL, 0);

    if (until == 0)
        return false;
    p->paused = until;
    note(&p->paused_by, e);
    return true;
}

static bool
on_resume(struct rollout *p, const struct record_map *e)
{
    p->paused = 0;
    p->breaker = 0;
    note(&p->paused_by, e);
    note(&p->breaker_by, e);
    return true;
}

static bool
on_rollback(struct rollout *p, const struct record_map *e)
{
    if (p->all.mode != ROLLOUT_ENFORCE)
        return true;
    p->all.said = true;
    set_mode(&p->all, ROLLOUT_SIMULATE, e);
    return true;
}

static bool
on_breaker(struct rollout *p, const struct record_map *e)
{
    const ns_t until = record_map_u64(e, FIELD_CONTROL_UNTIL, 0);

    if (until == 0)
        return false;
    p->breaker = until;
    note(&p->breaker_by, e);
    return true;
}

static const struct {
    const char *action;
    bool (*take)(struct rollout *, const struct record_map *);
} actions[] = {
    {"start",    on_start   },
    {"mode",     on_mode    },
    {"pause",    on_pause   },
    {"resume",   on_resume  },
    {"rollback", on_rollback},
    {"breaker",  on_breaker },
};

bool
rollout_event(struct rollout *p, const struct record_map *event)
{
    const struct span action = record_map_find(event, FIELD_CONTROL_ACTION);

    if (!record_map_is(event, FIELD_CONTROL_KIND, "policy"))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (span_eq(action, span_str(actions[i].action)))
            return actions[i].take(p, event);
    }
    return false;
}

enum rollout_mode
rollout_now(const struct rollout *p, ns_t now)
{
    return rollout_is_paused(p, now) ? ROLLOUT_OFF : p->all.mode;
}

enum rollout_mode
rollout_rule(const struct rollout *p, unsigned rule, ns_t now)
{
    const enum rollout_mode m = rollout_now(p, now);

    return p->rule[rule].mode < m ? p->rule[rule].mode : m;
}

/* ---- snapshots ---- */

static void
put(struct buf *b, uint64_t v)
{
    buf_put(b, &v, sizeof(v));
}

static void
put_act(struct buf *b, const struct rollout_act *a)
{
    put(b, a->when);
    buf_put(b, a->actor, sizeof(a->actor));
    buf_put(b, a->reason, sizeof(a->reason));
}

static void
put_setting(struct buf *b, const struct rollout_setting *s)
{
    put(b, (uint64_t)(s->mode - ROLLOUT_OFF));
    put(b, (uint64_t)(s->start - ROLLOUT_OFF));
    put(b, s->said);
    put(b, s->started);
    put_act(b, &s->by);
}

void
rollout_save(const struct rollout *p, struct buf *out)
{
    put_setting(out, &p->all);
    for (size_t i = 0; i < ROLLOUT_RULES; i++)
        put_setting(out, &p->rule[i]);
    put(out, p->paused);
    put(out, p->breaker);
    put_act(out, &p->paused_by);
    put_act(out, &p->breaker_by);
}

static enum rollout_mode
get_mode(struct cursor *c)
{
    const uint64_t v = cur_le64(c);

    c->bad |= v >= ARRAY_LEN(modes);
    return c->bad ? ROLLOUT_OFF : (enum rollout_mode)((int)v + ROLLOUT_OFF);
}

static void
get_text(struct cursor *c, char *out, size_t n)
{
    const struct span s = cur_take(c, n);

    if (s.n == n)
        memcpy(out, s.p, n);
    c->bad |= s.n != n || out[n - 1] != '\0';
}

static void
get_act(struct cursor *c, struct rollout_act *a)
{
    a->when = cur_le64(c);
    get_text(c, a->actor, sizeof(a->actor));
    get_text(c, a->reason, sizeof(a->reason));
}

static void
get_setting(struct cursor *c, struct rollout_setting *s)
{
    s->mode = get_mode(c);
    s->start = get_mode(c);
    s->said = cur_le64(c) != 0;
    s->started = cur_le64(c) != 0;
    get_act(c, &s->by);
}

bool
rollout_load(struct rollout *p, struct cursor *c)
{
    *p = (struct rollout){0};
    get_setting(c, &p->all);
    for (size_t i = 0; i < ROLLOUT_RULES; i++)
        get_setting(c, &p->rule[i]);
    p->paused = cur_le64(c);
    p->breaker = cur_le64(c);
    get_act(c, &p->paused_by);
    get_act(c, &p->breaker_by);
    return !c->bad;
}
