#include "rules/alert/episodes.h"

#include "rules/alert/checks.h"
#include "sensor/base/hash.h"

static const struct span attack = SPAN_INIT("attack.t");

bool
episodes_text(char **to, struct span s)
{
    char *copy = s.n > 0 ? strndup((const char *)s.p, s.n) : NULL;

    if (s.n > 0 && copy == NULL)
        return false;
    free(*to);
    *to = copy;
    return true;
}

/* ---- life ---- */

bool
episodes_init(struct episodes *s, uint64_t seed)
{
    *s = (struct episodes){.seed = seed};
    s->rules = calloc(EPISODES_BUCKETS, sizeof(*s->rules));
    s->buckets = calloc(EPISODES_BUCKETS, sizeof(*s->buckets));
    s->share_heads =
        calloc((size_t)SHARE_COUNT * EPISODES_BUCKETS, sizeof(*s->share_heads));
    s->host_buckets = calloc(EPISODES_BUCKETS, sizeof(*s->host_buckets));
    return s->rules != NULL && s->buckets != NULL && s->share_heads != NULL &&
           s->host_buckets != NULL;
}

static void
rule_free(struct rule_kept *r)
{
    if (r == NULL)
        return;
    free(r->id);
    free(r->title);
    free(r->level);
    free(r->pack);
    free(r->tags);
    free(r);
}

static void
episode_clear(struct episode *e)
{
    free(e->site);
    free(e->reason);
    free(e->matched);
    *e = (struct episode){0};
}

static void
rules_free(struct episodes *s)
{
    for (size_t i = 0; s->rules != NULL && i < EPISODES_BUCKETS; i++) {
        while (s->rules[i] != NULL) {
            struct rule_kept *r = s->rules[i];

            s->rules[i] = r->next;
            rule_free(r);
        }
    }
    free(s->rules);
}

void
episodes_fini(struct episodes *s)
{
    for (uint32_t i = 1; i <= s->top; i++)
        episode_clear(&s->v[i]);
    for (uint32_t i = 1; i <= s->n_hosts; i++)
        free(s->hosts[i].record);
    rules_free(s);
    for (size_t i = 0; i < SHARE_COUNT; i++)
        free(s->shares[i].at);
    free(s->idle.at);
    free(s->recent.at);
    free(s->host_age.at);
    free(s->v);
    free(s->free_slots);
    free(s->buckets);
    free(s->share_heads);
    free(s->hosts);
    free(s->host_buckets);
    *s = (struct episodes){0};
}

/* ---- rules ---- */

/* "attack.t1566.001" is technique T1566.001; tactics and other tags are left
 * out. */
static char *
techniques(const struct alert_rule *r)
{
    struct buf b;
    char *out;

    buf_init(&b, EPISODES_TAGS * EPISODES_TEXT);
    for (size_t i = 0; i < r->n_tags && i < EPISODES_TAGS; i++) {
        struct span tag = span_head(r->tags[i], EPISODES_TEXT);

        if (!span_starts_nocase(tag, attack) || span_at(tag, attack.n) < '0' ||
            span_at(tag, attack.n) > '9')
            continue;
        buf_putc(&b, 'T');
        buf_span(&b, span_tail(tag, attack.n));
        buf_putc(&b, '\n');
    }
    out = b.failed ? NULL : strndup(b.n > 0 ? (char *)b.p : "", b.n);
    buf_free(&b);
    return out;
}

static char *
rule_text(struct span s)
{
    s = span_head(s, EPISODES_TEXT);
    return strndup(s.n > 0 ? (const char *)s.p : "", s.n);
}

static struct rule_kept *
rule_copy(const struct alert_rule *r)
{
    struct rule_kept *k = calloc(1, sizeof(*k));

    if (k == NULL)
        return NULL;
    *k = (struct rule_kept){.hash = r->hash,
                            .id = rule_text(r->id),
                            .title = rule_text(r->title),
                            .level = rule_text(r->level),
                            .pack = rule_text(r->pack),
                            .tags = techniques(r)};
    if (k->id != NULL && k->title != NULL && k->level != NULL &&
        k->pack != NULL && k->tags != NULL)
        return k;
    rule_free(k);
    return NULL;
}

static struct rule_kept **
rule_bucket(const struct episodes *s, struct span id, uint64_t hash)
{
    uint64_t h = hash_mix(hash_span(id, s->seed), hash);

    return &s->rules[h & (EPISODES_BUCKETS - 1)];
}

struct rule_kept *
episodes_rule(struct episodes *s, const struct alert_rule *r)
{
    struct span id = span_head(r->id, EPISODES_TEXT);
    struct rule_kept **bucket = rule_bucket(s, id, r->hash);
    struct rule_kept *k = *bucket;

    while (k != NULL && (k->hash != r->hash || !span_eq(span_str(k->id), id)))
        k = k->next;
    if (k != NULL)
        return k;
    k = rule_copy(r);
    if (k == NULL)
        return NULL;
    k->next = *bucket;
    *bucket = k;
    return k;
}

static void
rule_leave(struct episodes *s, struct rule_kept *r)
{
    struct rule_kept **at = rule_bucket(s, span_str(r->id), r->hash);

    if (--r->users > 0)
        return;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    rule_free(r);
}

void
episodes_set_rule(struct episodes *s, uint32_t slot, struct rule_kept *rule)
{
    struct rule_kept *old = s->v[slot].rule;

    if (old == rule)
        return;
    rule->users++;
    s->v[slot].rule = rule;
    if (old != NULL)
        rule_leave(s, old);
}

/* ---- found by rule and subject ---- */

/* Whether a host is at home depends on the event; who it is does not. */
static struct subject
key_of(const struct subject *subject)
{
    struct subject k = *subject;

    k.home = 0;
    return k;
}

static bool
same_subject(const struct subject *a, const struct subject *b)
{
    struct subject x = key_of(a);
    struct subject y = key_of(b);

    return memcmp(&x, &y, sizeof(x)) == 0;
}

static uint32_t *
subject_bucket(uint32_t *buckets, uint64_t seed, const struct subject *subject)
{
    struct subject k = key_of(subject);

    return &buckets[hash_span(span_of(&k, sizeof(k)), seed) &
                    (EPISODES_BUCKETS - 1)];
}

static uint32_t *
episode_bucket(const struct episodes *s, struct span rule_id,
               const struct subject *subject)
{
    return subject_bucket(s->buckets, hash_span(rule_id, s->seed), subject);
}

uint32_t
episodes_find(const struct episodes *s, struct span rule_id,
              const struct subject *subject)
{
    struct span id = span_head(rule_id, EPISODES_TEXT);
    uint32_t i = *episode_bucket(s, id, subject);

    while (i != 0 && !(span_eq(span_str(s->v[i].rule->id), id) &&
                       same_subject(&s->v[i].subject, subject)))
        i = s->v[i].next;
    return i;
}

/* ---- opening and closing ---- */

static bool
grow(struct episodes *s)
{
    size_t cap = s->cap > 0 ? (size_t)s->cap * 2 : 64;
    struct episode *v = realloc(s->v, cap * sizeof(*v));
    uint32_t *slots;
    bool ok = v != NULL;

    if (ok)
        s->v = v;
    slots = realloc(s->free_slots, cap * sizeof(*slots));
    if (slots != NULL)
        s->free_slots = slots;
    ok = ok && slots != NULL && links_grow(&s->idle, cap) &&
         links_grow(&s->recent, cap);
    for (size_t i = 0; ok && i < SHARE_COUNT; i++)
        ok = links_grow(&s->shares[i], cap);
    if (ok)
        s->cap = (uint32_t)cap;
    return ok;
}

static uint32_t
take_slot(struct episodes *s)
{
    if (s->n_free > 0)
        return s->free_slots[--s->n_free];
    if (s->top + 1 >= s->cap && !grow(s))
        return 0;
    return ++s->top;
}

uint32_t
episodes_open(struct episodes *s, struct rule_kept *rule,
              const struct subject *subject)
{
    uint32_t *bucket = episode_bucket(s, span_str(rule->id), subject);
    uint32_t i = take_slot(s);

    if (i == 0) {
        rule->users++;
        rule_leave(s, rule);
        return 0;
    }
    s->v[i] = (struct episode){.subject = *subject, .used = 1, .next = *bucket};
    *bucket = i;
    episodes_set_rule(s, i, rule);
    links_append(&s->idle, i);
    for (size_t k = 0; k < SHARE_COUNT; k++)
        s->shares[k].at[i] = (struct link){0, 0};
    s->n++;
    return i;
}

void
episodes_close(struct episodes *s, uint32_t slot)
{
    struct episode *e = &s->v[slot];
    uint32_t *at = episode_bucket(s, span_str(e->rule->id), &e->subject);

    while (*at != slot)
        at = &s->v[*at].next;
    *at = e->next;
    for (size_t k = 0; k < SHARE_COUNT; k++)
        episodes_set_share(s, slot, (enum share)k, SPAN_NONE);
    episodes_not_recent(s, slot);
    links_remove(&s->idle, slot);
    rule_leave(s, e->rule);
    episode_clear(e);
    s->free_slots[s->n_free++] = slot;
    s->n--;
}

/* ---- lists ---- */

void
episodes_touch(struct episodes *s, uint32_t slot)
{
    links_remove(&s->idle, slot);
    links_append(&s->idle, slot);
}

void
episodes_not_recent(struct episodes *s, uint32_t slot)
{
    if (!s->v[slot].recent)
        return;
    links_remove(&s->recent, slot);
    s->v[slot].recent = 0;
}

void
episodes_told(struct episodes *s, uint32_t slot)
{
    episodes_not_recent(s, slot);
    links_append(&s->recent, slot);
    s->v[slot].recent = 1;
}

/* ---- what they share ---- */

static uint32_t *
share_bucket(const struct episodes *s, enum share what, uint64_t hash)
{
    return &s->share_heads[what * EPISODES_BUCKETS +
                           ((hash >> 1) & (EPISODES_BUCKETS - 1))];
}

uint32_t
episodes_sharing(const struct episodes *s, uint32_t slot, enum share what)
{
    uint64_t hash = s->v[slot].share[what];

    return hash != 0 ? *share_bucket(s, what, hash) : 0;
}

void
episodes_join_share(struct episodes *s, uint32_t slot, enum share what,
                    uint64_t hash)
{
    uint64_t *at = &s->v[slot].share[what];

    if (*at != 0)
        chain_remove(&s->shares[what], share_bucket(s, what, *at), slot);
    if (hash != 0)
        chain_push(&s->shares[what], share_bucket(s, what, hash), slot);
    *at = hash;
}

void
episodes_set_share(struct episodes *s, uint32_t slot, enum share what,
                   struct span value)
{
    episodes_join_share(s, slot, what,
                        value.n > 0 ? hash_span(value, s->seed) | 1U : 0);
}

/* ---- hosts ---- */

static uint32_t
host_slot(const struct episodes *s, const struct subject *subject)
{
    uint32_t i = *subject_bucket(s->host_buckets, s->seed, subject);

    while (i != 0 && !same_subject(&s->hosts[i].subject, subject))
        i = s->hosts[i].next;
    return i;
}

static void
host_unlink(struct episodes *s, uint32_t i)
{
    uint32_t *at =
        subject_bucket(s->host_buckets, s->seed, &s->hosts[i].subject);

    while (*at != i)
        at = &s->hosts[*at].next;
    *at = s->hosts[i].next;
}

static bool
hosts_grow(struct episodes *s)
{
    size_t cap = s->hosts_cap > 0 ? (size_t)s->hosts_cap * 2 : 64;
    struct host_kept *v = realloc(s->hosts, cap * sizeof(*v));

    if (v == NULL)
        return false;
    s->hosts = v;
    if (!links_grow(&s->host_age, cap))
        return false;
    s->hosts_cap = (uint32_t)cap;
    return true;
}

/* A slot that is in no list and no bucket; 0: no memory. */
static uint32_t
host_take(struct episodes *s)
{
    uint32_t i = s->host_age.head;

    if (s->n_hosts >= ALERTS_HOSTS) {
        host_unlink(s, i);
        links_remove(&s->host_age, i);
        return i;
    }
    if (s->n_hosts + 1 >= s->hosts_cap && !hosts_grow(s))
        return 0;
    i = ++s->n_hosts;
    s->hosts[i] = (struct host_kept){0};
    return i;
}

static uint32_t
host_new(struct episodes *s, const struct subject *subject)
{
    uint32_t *bucket = subject_bucket(s->host_buckets, s->seed, subject);
    uint32_t i = host_take(s);

    if (i == 0)
        return 0;
    s->hosts[i].subject = key_of(subject);
    s->hosts[i].next = *bucket;
    *bucket = i;
    links_append(&s->host_age, i);
    return i;
}

bool
episodes_host(struct episodes *s, const struct subject *subject,
              struct span record)
{
    uint32_t i = host_slot(s, subject);
    uint8_t *copy;

    if (i == 0)
        i = host_new(s, subject);
    if (i == 0)
        return false;
    links_remove(&s->host_age, i);
    links_append(&s->host_age, i);
    copy = record.n > 0 ? malloc(record.n) : NULL;
    free(s->hosts[i].record);
    s->hosts[i].record = copy;
    s->hosts[i].n = copy != NULL ? (uint32_t)record.n : 0;
    if (copy != NULL)
        memcpy(copy, record.p, record.n);
    return copy != NULL;
}

struct span
episodes_host_find(const struct episodes *s, const struct subject *subject)
{
    uint32_t i = host_slot(s, subject);

    return i != 0 ? span_of(s->hosts[i].record, s->hosts[i].n) : SPAN_NONE;
}
