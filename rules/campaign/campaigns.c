#include "rules/campaign/campaigns.h"

#include <stdlib.h>

#include "rules/campaign/bodies.h"
#include "rules/campaign/recipients.h"
#include "rules/campaign/snowshoe.h"
#include "sensor/base/frame.h"
#include "sensor/base/hash.h"

#define KIND   UINT64_C(0x31706d6163353273) /* "s25camp1" */
#define MINUTE ((ns_t)60 * 1000000000)

static const char *const words[CAMPAIGN_KIND_COUNT] = {
#define CAMPAIGN_WORD(id, word) [CAMPAIGN_##id] = (word),
    CAMPAIGN_KINDS(CAMPAIGN_WORD)
#undef CAMPAIGN_WORD
};

const char *
campaign_word(enum campaign_kind k)
{
    return words[k];
}

struct campaigns {
    uint64_t seed;
    uint32_t minute;
    struct bodies *bodies;
    struct clusters *clusters;
    struct recipients *recipients;
    struct snowshoe *snowshoe;
};

void
campaigns_free(struct campaigns *c)
{
    if (c == NULL)
        return;
    bodies_free(c->bodies);
    clusters_free(c->clusters);
    recipients_free(c->recipients);
    snowshoe_free(c->snowshoe);
    free(c);
}

enum err
campaigns_new(uint64_t seed, struct campaigns **out)
{
    struct campaigns *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NOMEM;
    c->seed = seed;
    if (bodies_new(seed, &c->bodies) != ERR_OK ||
        clusters_new(&c->clusters) != ERR_OK ||
        recipients_new(&c->recipients) != ERR_OK ||
        snowshoe_new(&c->snowshoe) != ERR_OK) {
        campaigns_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_OK;
}

/* ---- what an event says ---- */

static uint32_t
short_hash(uint64_t h)
{
    uint32_t v = (uint32_t)(h >> 32);

    return v != 0 ? v : 1;
}

static void
source_of(struct mail *m, const struct addr *a)
{
    struct span lease = record_map_find(m->event, FIELD_SRC_HOST_LEASE);
    struct addr net = *a;
    size_t keep = addr_is_v4(a) ? 15 : 6;

    m->source = short_hash(
        hash_span(lease.n > 0 ? lease : span_of(a->b, sizeof(a->b)), m->seed));
    memset(net.b + keep, 0, sizeof(net.b) - keep);
    m->prefix = hash_span(span_of(net.b, sizeof(net.b)), m->seed);
}

/* Two Received fields, or one on the mail of a list. */
static bool
is_relayed(const struct record_map *event)
{
    unsigned most =
        record_map_find(event, FIELD_EMAIL_BULK).n > 0 ? 1 : CAMPAIGN_RELAYED;
    struct cursor c = record_map_list(event, FIELD_EMAIL_RECEIVED);
    struct record_entry e;
    unsigned n = 0;

    while (n < most && record_next(&c, &e) && e.field == FIELD_EMAIL_RECEIVED)
        n++;
    return n == most;
}

/* Without one, as in a last part, each source has its own. */
static uint32_t
rcpt_of(const struct mail *m)
{
    struct span path = record_map_find(m->event, FIELD_SMTP_RCPT_TO);

    return path.n > 0 ? short_hash(hash_span(path, m->seed)) : m->source;
}

/* False when the event is none of ours. */
static bool
mail_of(const struct campaigns *c, const struct record_map *event,
        struct mail *m)
{
    struct addr a;

    *m = (struct mail){.event = event, .minute = c->minute, .seed = c->seed};
    m->outbound = record_map_is(event, FIELD_DIRECTION, "outbound");
    m->inbound = record_map_is(event, FIELD_DIRECTION, "inbound");
    if ((!m->outbound && !m->inbound) ||
        !record_map_addr(event, FIELD_SRC_IP, &a) ||
        record_map_bool(event, FIELD_SMTP_NULL_SENDER) ||
        record_map_is(event, FIELD_SMTP_MAIL_FROM, "<>"))
        return false;
    source_of(m, &a);
    m->registered = record_map_is(event, FIELD_SRC_REG_STATE, "registered");
    m->relayed = is_relayed(event);
    m->message = record_map_find(event, FIELD_SMTP_VIA).n > 0 &&
                 record_map_find(event, FIELD_SMTP_OUTCOME).n > 0;
    m->rcpt = rcpt_of(m);
    return true;
}

/* ---- bodies ---- */

static bool
hex_of(struct span text, uint64_t *out)
{
    uint64_t v = 0;

    if (text.n != 16)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned c = span_at(text, i);

        if (c >= '0' && c <= '9')
            v = v << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (c - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

/* The fingerprint that a message has; false: none. */
static bool
print_of(const struct mail *m, uint64_t *print, bool *exact)
{
    struct span digest = record_map_find(m->event, FIELD_SMTP_BODY_SHA256);

    *exact = false;
    if (hex_of(record_map_find(m->event, FIELD_EMAIL_SIMHASH), print))
        return true;
    *exact = true;
    if (digest.n == 0 || record_map_u64(m->event, FIELD_SMTP_MESSAGE_BYTES, 0) <
                             CAMPAIGN_DIGEST_BYTES)
        return false;
    *print = hash_span(digest, m->seed);
    return true;
}

/* The second source of a body. */
static void
open_body(struct campaigns *c, struct body *b)
{
    uint64_t id =
        hash_mix(hash_mix(hash_mix(c->seed, b->print), b->born), b->source);
    struct cluster_ref r =
        clusters_open(c->clusters, CAMPAIGN_BODY, id, b->rcpt, b->last);

    clusters_add(c->clusters, r, b->source, b->messages, b->last);
    b->part = r;
}

/* The message of one more source, or of the only one; gives its cluster. */
static struct cluster_ref
body_again(struct campaigns *c, struct body *b, const struct mail *m,
           bool *duplicate)
{
    struct cluster_ref none = {0, 0};
    bool clustered = clusters_is(c->clusters, b->part, m->minute);

    if (m->registered)
        return clustered ? b->part : none;
    if (!clustered && b->source == m->source) {
        if (b->messages < UINT16_MAX)
            b->messages++;
        return none;
    }
    if (m->rcpt ==
        (clustered ? *clusters_about(c->clusters, b->part) : b->rcpt))
        return none;
    if (!clustered)
        open_body(c, b);
    clusters_add(c->clusters, b->part, m->source, 1, m->minute);
    *duplicate = clusters_has_other(c->clusters, b->part, m->source, m->minute);
    return b->part;
}

static void
body_new(struct campaigns *c, const struct mail *m, uint64_t print, bool exact,
         const struct body *like)
{
    struct body old = like != NULL ? *like : (struct body){.messages = 0};
    struct body *b = bodies_add(c->bodies, print, exact, m->minute);

    b->part = old.part;
    b->source = m->source;
    b->rcpt = m->rcpt;
    b->messages = 1;
}

static struct cluster_ref
on_body(struct campaigns *c, const struct mail *m, bool *duplicate)
{
    struct cluster_ref part = {0, 0};
    struct body *b;
    uint64_t print;
    bool exact, same;

    if (!print_of(m, &print, &exact))
        return part;
    b = bodies_near(c->bodies, print, exact, m->minute);
    if (b == NULL) {
        if (!m->registered)
            body_new(c, m, print, exact, NULL);
        return part;
    }
    same = b->print == print;
    part = body_again(c, b, m, duplicate);
    if (m->registered)
        return part;
    if (same)
        b->last = m->minute;
    else
        body_new(c, m, print, exact, b);
    return part;
}

/* ---- events ---- */

static void
larger(const struct campaigns *c, struct cluster_ref r, const struct mail *m,
       struct campaign_join *out)
{
    struct campaign_join j = {.duplicate = out->duplicate};

    clusters_tell(c->clusters, r, m->minute, &j);
    if (j.cluster == 0 || (out->cluster != 0 && j.sources < out->sources) ||
        (out->cluster != 0 && j.sources == out->sources &&
         j.messages <= out->messages))
        return;
    *out = j;
}

static void
on_message(struct campaigns *c, const struct mail *m, struct campaign_join *out)
{
    if (m->message)
        larger(c, on_body(c, m, &out->duplicate), m, out);
    if (m->registered)
        return;
    larger(c, recipients_mail(c->recipients, c->clusters, m), m, out);
    if (m->message)
        larger(c, snowshoe_mail(c->snowshoe, c->clusters, m), m, out);
}

bool
campaigns_event(struct campaigns *c, const struct record_map *event,
                struct campaign_join *out)
{
    struct record_head head = record_head_of(event->record);
    struct mail m;

    *out = (struct campaign_join){0};
    if (head.type != EVENT_SMTP)
        return false;
    if (head.when / MINUTE > c->minute)
        c->minute = (uint32_t)(head.when / MINUTE);
    if (!mail_of(c, event, &m))
        return false;
    if (m.inbound || m.registered)
        snowshoe_own(c->snowshoe, &m);
    if (m.outbound && !m.relayed)
        on_message(c, &m, out);
    return out->cluster != 0 || out->duplicate;
}

/* ---- snapshots ---- */

enum err
campaigns_save(const struct campaigns *c, struct buf *out)
{
    size_t at = out->n;

    frame_begin(out, KIND, c->seed);
    frame_u64(out, c->minute);
    bodies_save(c->bodies, out);
    clusters_save(c->clusters, out);
    recipients_save(c->recipients, out);
    snowshoe_save(c->snowshoe, out);
    return frame_end(out, at);
}

static bool
load_all(struct campaigns *c, struct cursor *in)
{
    c->minute = (uint32_t)cur_le64(in);
    return bodies_load(c->bodies, in) && clusters_load(c->clusters, in) &&
           recipients_load(c->recipients, in) &&
           snowshoe_load(c->snowshoe, in) && cur_left(in) == 0 && !in->bad;
}

enum err
campaigns_load(struct campaigns *c, struct span snapshot)
{
    struct campaigns *fresh, old = *c;
    struct cursor in;
    enum err e = frame_open(snapshot, KIND, c->seed, &in);

    if (e == ERR_OK)
        e = campaigns_new(c->seed, &fresh);
    if (e != ERR_OK)
        return e;
    if (load_all(fresh, &in)) {
        *c = *fresh;
        *fresh = old;
    } else {
        e = ERR_CORRUPT;
    }
    campaigns_free(fresh);
    return e;
}

struct campaigns_counts
campaigns_counts(const struct campaigns *c)
{
    struct clusters_counts k = clusters_counts(c->clusters, c->minute);

    return (struct campaigns_counts){
        .messages = bodies_count(c->bodies),
        .clusters = k.living,
        .forgotten = bodies_forgotten(c->bodies),
        .evicted = k.evicted + recipients_evicted(c->recipients) +
                   snowshoe_evicted(c->snowshoe),
        .memory_bytes = sizeof(*c) + bodies_memory(c->bodies) + k.memory_bytes +
                        recipients_memory(c->recipients) +
                        snowshoe_memory(c->snowshoe),
    };
}
