/* A study on disk: its arrays as they are. For the same build on the same
 * machine, which a hash over all sizes and options stands for; what a file
 * claims is checked before it is used. */
#include "rules/study/study_state.h"

#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

#define MARK UINT64_C(0x3179647574733532) /* "25study1" */

/* X(member, its count, room beside it or 0) */
#define ARRAYS(X)                                                              \
    X(hosts, n_hosts, room_hosts, 1)                                           \
    X(accounts, n_hosts, room_hosts, s->n_variants * s->n_parts)               \
    X(firsts, n_hosts, room_hosts, s->n_variants)                              \
    X(outsiders, n_outsiders, room_outsiders, 1)                               \
    X(scopes, n_scopes, room_scopes, 1)                                        \
    X(stops, n_scopes, room_scopes, s->n_variants)                             \
    X(touched_hosts, n_touched_hosts, room_hosts, 1)                           \
    X(touched_outsiders, n_touched_outsiders, room_outsiders, 1)               \
    X(hours, n_hours, n_hours, 1)                                              \
    X(days, n_days, n_days, 1)                                                 \
    X(told, n_told, n_told, 1)

static uint64_t
kind_of(const struct study *s)
{
    const uint64_t words[] = {sizeof(struct host),
                              sizeof(struct account),
                              sizeof(struct outsider),
                              sizeof(struct scope),
                              sizeof(struct stop),
                              sizeof(struct hour),
                              sizeof(struct day),
                              sizeof(struct study),
                              s->o.from,
                              s->o.to,
                              s->o.holdout,
                              s->o.seed,
                              s->o.home,
                              s->o.outside,
                              s->n_variants};
    uint64_t h = hash_span(span_of(words, sizeof(words)), MARK);

    for (size_t i = 0; i < s->plan->n_policies; i++) {
        struct study_policy_plan p = s->plan->policies[i];

        h = hash_span(span_str(p.name), h);
#define X(member, ...) h = hash_span(span_of(&p.member, sizeof(p.member)), h);
        STUDY_POLICY_KEYS(X)
#undef X
        h = hash_mix(h, (uint64_t)p.kind);
        h = hash_mix(h, p.from);
        for (size_t k = 0; k < p.n_limits; k++)
            h = hash_mix(hash_span(span_str(p.limits[k].name), h),
                         p.limits[k].value);
    }
    return h;
}

enum err
study_save(const struct study *s, struct buf *out)
{
    const uint64_t head[] = {MARK, kind_of(s)};

    buf_put(out, head, sizeof(head));
    buf_put(out, s, sizeof(*s)); /* its pointers are not used again */
    buf_put(out, s->parted, PARTED_MAX * sizeof(*s->parted));
#define X(member, count, room, each)                                           \
    buf_put(out, s->member, s->count *(each) * sizeof(*s->member));
    ARRAYS(X)
#undef X
    return out->failed ? ERR_NOMEM : out->cut ? ERR_LIMIT : ERR_OK;
}

static bool
take(struct cursor *c, void *to, size_t n)
{
    const struct span s = cur_take(c, n);

    if (c->bad)
        return false;
    memcpy(to, s.p, n);
    return true;
}

static bool
take_array(struct cursor *c, void **to, size_t n, size_t room, size_t each)
{
    if (room < n || room > (SIZE_MAX >> 1) / each || n * each > cur_left(c))
        return false;
    free(*to);
    *to = calloc(room + 1, each);
    return *to != NULL && (n == 0 || take(c, *to, n * each));
}

/* Counts and indices of the file are within their arrays. */
static bool
holds(const struct study *s)
{
    bool ok = s->n_hosts <= s->room_hosts && s->room_hosts <= s->o.home &&
              s->n_outsiders <= s->room_outsiders &&
              s->room_outsiders <= s->o.outside &&
              s->n_scopes <= s->room_scopes && s->room_scopes <= s->o.home &&
              s->n_touched_hosts <= s->n_hosts &&
              s->n_touched_outsiders <= s->n_outsiders &&
              s->n_hours <= STUDY_DAYS * 24 && s->n_days <= STUDY_DAYS &&
              s->n_told <= TOLD_MAX && (!s->hour_open || s->hour < s->n_hours);

    for (size_t i = 0; ok && i < s->n_hosts; i++)
        ok = s->hosts[i].scope < s->n_scopes &&
             (s->hosts[i].next == NONE || s->hosts[i].next < i);
    for (size_t i = 0; ok && i < s->n_scopes; i++)
        ok = s->scopes[i].first == NONE || s->scopes[i].first < s->n_hosts;
    for (size_t i = 0; ok && i < s->n_touched_hosts; i++)
        ok = s->touched_hosts[i] < s->n_hosts;
    for (size_t i = 0; ok && i < s->n_touched_outsiders; i++)
        ok = s->touched_outsiders[i] < s->n_outsiders;
    return ok;
}

/* A copy of the file's struct with what is this study's own. */
static bool
take_struct(struct study *s, struct cursor *c)
{
    struct study *was = malloc(sizeof(*was));
    bool ok = was != NULL && take(c, was, sizeof(*was));

    if (ok) {
        was->o = s->o;
        was->plan = s->plan;
        memcpy(was->variants, s->variants, sizeof(was->variants));
        was->n_variants = s->n_variants;
        was->n_parts = s->n_parts;
        was->by_host = s->by_host;
        was->by_outsider = s->by_outsider;
        was->by_scope = s->by_scope;
        was->parted = s->parted;
#define X(member, count, room, each) was->member = s->member;
        ARRAYS(X)
#undef X
        ok = was->n_hosts <= was->room_hosts && was->room_hosts <= s->o.home &&
             was->n_told <= TOLD_MAX;
        was->differ_text[sizeof(was->differ_text) - 1] = '\0';
        *s = *was;
    }
    free(was);
    return ok;
}

enum err
study_load(struct study *s, struct span saved)
{
    struct cursor c = cur_open(saved);
    uint64_t head[2];
    bool ok;

    if (!take(&c, head, sizeof(head)) || head[0] != MARK ||
        head[1] != kind_of(s))
        return ERR_FORMAT;
    ok = take_struct(s, &c) &&
         take(&c, s->parted, PARTED_MAX * sizeof(*s->parted));
#define X(member, count, room, each)                                           \
    ok = ok && take_array(&c, (void **)&s->member, s->count, s->room,          \
                          (each) * sizeof(*s->member));
    ARRAYS(X)
#undef X
    if (ok) { /* its room is fixed */
        struct told *told = realloc(s->told, TOLD_MAX * sizeof(*told));

        ok = told != NULL && holds(s);
        if (told != NULL)
            s->told = told;
    }
    if (!ok || !study_index(s)) {
        s->n_hosts = s->n_scopes = s->n_outsiders = 0;
        return ERR_CORRUPT;
    }
    return ERR_OK;
}
