#include "rules/alert/alerts_event.h"

#include "rules/alert/checks.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <stdio.h>

#define MATCHED_LINE 256U

/* ---- what is read ---- */

static const struct {
    const char *level, *told;
    unsigned severity;
} levels[] = {
    {"critical", "high",   1},
    {"high",     "high",   1},
    {"medium",   "medium", 2},
    {"low",      "low",    3},
};
#define LOWEST "informational"

unsigned
alerts_severity(struct span level)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (span_eq(span_str(levels[i].level), level))
            return levels[i].severity;
    }
    return 4;
}

static const char *
level_told(const char *level)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (strcmp(levels[i].level, level) == 0)
            return levels[i].told;
    }
    return LOWEST;
}

static uint64_t
worth_mail(const struct record_map *m)
{
    uint64_t points = record_map_u64(m, FIELD_EMAIL_SCORE, 0);
    uint64_t refused = record_map_u64(m, FIELD_SMTP_RCPT_REFUSED, 0);

    points = points < UINT32_MAX ? points : UINT32_MAX;
    refused = refused < UINT32_MAX ? refused : UINT32_MAX;
    return points << 32 | refused;
}

static uint64_t
worth_file(const struct record_map *m)
{
    struct span class = record_map_find(m, FIELD_FILEINFO_CLASS);
    uint8_t letter = span_at(class, 0);

    return letter >= 'A' && letter <= 'D' ? 1U + ('D' - letter) : 0;
}

/* Statistics of a host by which a rule can be met, and what "host.s1.score|gte"
 * begins with in the lines of what matched. Those that asked for little of it
 * (|lt) do not count. */
static const struct {
    enum field figure, limit;
    uint64_t least; /* limit FIELD_COUNT: a count, that fires from here on */
} measures[] = {
    {FIELD_HOST_S1_SCORE,         FIELD_HOST_S1_LIMIT,  0 },
    {FIELD_HOST_S1T_SCORE,        FIELD_HOST_S1T_LIMIT, 0 },
    {FIELD_HOST_S2_SCORE,         FIELD_HOST_S2_LIMIT,  0 },
    {FIELD_HOST_S3_SCORE,         FIELD_HOST_S3_LIMIT,  0 },
    {FIELD_HOST_S4_MESSAGES,      FIELD_COUNT,          20},
    {FIELD_HOST_S5_MESSAGES,      FIELD_COUNT,          1 },
    {FIELD_HOST_S6_ORGANISATIONS, FIELD_COUNT,          3 },
    {FIELD_HOST_S7_RIPE,          FIELD_COUNT,          10},
};

static bool
was_met(struct span matched, enum field figure)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%s|g", field_table[figure].path);

    return n > 0 && (size_t)n < sizeof(text) &&
           span_search(matched, span_of(text, (size_t)n)) < matched.n;
}

/* Thousandths of the limit. */
static uint64_t
share_of(uint64_t figure, uint64_t limit)
{
    if (limit == 0)
        return 0;
    return figure < UINT64_MAX / 1000 ? figure * 1000 / limit : figure;
}

static uint64_t
add_up(uint64_t sum, uint64_t v)
{
    return v < UINT64_MAX - sum ? sum + v : UINT64_MAX;
}

/* Statistics are witnesses of their own, so what they say adds up: an event
 * that meets one more, or is higher in one and lower in none, is worse. Not how
 * many are met before all: one that is met early and no more would keep the
 * sentence at the first minute. Of what the rule did not ask for nothing is
 * said: its sentence does not tell it. */
static uint64_t
worth_host(const struct record_map *m, struct span matched)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        enum field limit = measures[i].limit;

        if (was_met(matched, measures[i].figure))
            sum = add_up(sum, share_of(record_map_u64(m, measures[i].figure, 0),
                                       limit != FIELD_COUNT
                                           ? record_map_u64(m, limit, 0)
                                           : measures[i].least));
    }
    return sum;
}

uint64_t
alerts_worth(const struct record_map *event, struct span matched)
{
    switch (record_head_of(event->record).type) {
    case EVENT_SMTP: return worth_mail(event);
    case EVENT_FILEINFO: return worth_file(event);
    case EVENT_HOST: return worth_host(event, matched);
    default: return 0;
    }
}

static bool
is_tls(const struct record_map *m)
{
    return record_map_is(m, FIELD_APP_PROTO, "tls") ||
           record_map_bool(m, FIELD_SMTP_STARTTLS_USED);
}

static enum sight
sight_mail(const struct record_map *m)
{
    if (record_map_u64(m, FIELD_EMAIL_PARTS, 0) > 0 &&
        !record_map_bool(m, FIELD_QUALITY_TRUNCATED))
        return SIGHT_TEXT;
    if (record_map_u64(m, FIELD_EMAIL_FIELDS, 0) > 0)
        return SIGHT_HEADERS;
    return SIGHT_ENVELOPE;
}

static enum sight
sight_session(const struct record_map *m)
{
    if (is_tls(m))
        return SIGHT_HANDSHAKE;
    return record_map_u64(m, FIELD_SMTP_COMMANDS, 0) > 0 ||
                   record_map_has(m, FIELD_SMTP_BANNER)
               ? SIGHT_ENVELOPE
               : SIGHT_FLOW;
}

static enum sight
sight_host(const struct record_map *m)
{
    return record_map_u64(m, FIELD_HOST_TRANSACTIONS, 0) > 0   ? SIGHT_ENVELOPE
           : record_map_u64(m, FIELD_HOST_SESSIONS_TLS, 0) > 0 ? SIGHT_HANDSHAKE
                                                               : SIGHT_FLOW;
}

enum sight
alerts_sight(const struct record_map *event)
{
    switch (record_head_of(event->record).type) {
    case EVENT_SMTP: return sight_mail(event);
    case EVENT_FILEINFO: return SIGHT_TEXT;
    case EVENT_SMTP_SESSION: return sight_session(event);
    case EVENT_TLS: return SIGHT_HANDSHAKE;
    case EVENT_HOST: return sight_host(event);
    default: return SIGHT_FLOW;
    }
}

void
alerts_matched(struct buf *out, struct span lines)
{
    for (size_t n = 0; lines.n > 0 && n < ALERTS_MATCHED; n++) {
        size_t end = span_find(lines, '\n');
        struct span line = span_head(lines, end);

        lines = span_tail(lines, end + 1);
        if (out->max - out->n < MATCHED_LINE + 8)
            return;
        if (line.n == 0)
            continue;
        text_plain(out, line, MATCHED_LINE);
        buf_putc(out, '\n');
    }
}

/* ---- what is written ---- */

static const char *const share_words[] = {
#define SHARE_WORD(id, word) word,
    SHARE_MAP(SHARE_WORD)
#undef SHARE_WORD
};
static const char *const role_words[] = {
#define ROLE_WORD(id, word) word,
    ROLE_MAP(ROLE_WORD)
#undef ROLE_WORD
};
static const char *const sight_words[] = {
#define SIGHT_WORD(id, word) word,
    SIGHT_MAP(SIGHT_WORD)
#undef SIGHT_WORD
};

static void
put_hex(struct record_out *out, enum field f, uint64_t v)
{
    static const char digits[] = "0123456789abcdef";
    char text[16];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = digits[v >> (60 - 4 * i) & 15U];
    record_str(out, f, span_of(text, sizeof(text)));
}

static void
put_text(struct record_out *out, enum field f, const char *s)
{
    if (s != NULL && s[0] != '\0')
        record_text(out, f, s);
}

static void
put_lines(struct record_out *out, enum field f, const char *s)
{
    struct span rest = s != NULL ? span_str(s) : SPAN_NONE;

    while (rest.n > 0) {
        size_t end = span_find(rest, '\n');

        record_str(out, f, span_head(rest, end));
        rest = span_tail(rest, end + 1);
    }
}

static void
put_subject(struct record_out *out, enum field f, const struct subject *s)
{
    struct buf text;

    buf_init(&text, SUBJECT_TEXT_MAX);
    subject_text(s, &text);
    record_str(out, f, buf_view(&text));
    buf_free(&text);
}

static void
put_rule(struct record_out *out, const struct episode *e, const char *state)
{
    const struct rule_kept *r = e->rule;
    uint64_t number = hash_span(span_str(r->id), 0) & 0x7fffffffU;

    put_hex(out, FIELD_ALERT_ID, e->id);
    record_text(out, FIELD_ALERT_STATE, state);
    record_u64(out, FIELD_ALERT_SIGNATURE_ID, number > 0 ? number : 1);
    record_text(out, FIELD_ALERT_SIGNATURE, r->title);
    record_u64(out, FIELD_ALERT_SEVERITY, alerts_severity(span_str(r->level)));
    record_text(out, FIELD_ALERT_CATEGORY,
                r->pack[0] != '\0' ? r->pack : "local");
    put_lines(out, FIELD_ALERT_ATTACK, r->tags);
    record_text(out, FIELD_ALERT_RULE, r->id);
    put_hex(out, FIELD_ALERT_RULE_HASH, r->hash);
    record_text(out, FIELD_ALERT_LEVEL, level_told(r->level));
}

static void
put_evidence(struct record_out *out, const struct episode *e)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        const struct evidence *v = &e->evidence[i];

        record_object_begin(out, FIELD_ALERT_EVIDENCE);
        record_text(out, FIELD_ALERT_EVIDENCE_ROLE, role_words[i]);
        put_text(out, FIELD_ALERT_EVIDENCE_EVENT, v->event);
        record_time(out, FIELD_ALERT_EVIDENCE_WHEN, v->when);
        record_text(out, FIELD_ALERT_EVIDENCE_SIGHT, sight_words[v->sight]);
        record_object_end(out);
    }
}

struct related {
    const struct episode *told[ALERTS_RELATED];
    size_t n;
};

static bool
same_host(const struct episode *a, const struct episode *b)
{
    return addr_cmp(&a->subject.prefix.addr, &b->subject.prefix.addr) == 0 &&
           strcmp(a->subject.lease, b->subject.lease) == 0;
}

static bool
is_told(const struct related *r, const struct episode *e)
{
    for (size_t i = 0; i < r->n; i++) {
        if (same_host(r->told[i], e))
            return true;
    }
    return false;
}

static void
put_sharing(struct record_out *out, const struct episodes *s, uint32_t slot,
            enum share what, struct related *r)
{
    const struct episode *mine = &s->v[slot];
    uint32_t i = episodes_sharing(s, slot, what);

    for (size_t looked = 0;
         i != 0 && looked < ALERTS_LOOKED && r->n < ALERTS_RELATED;
         i = s->shares[what].at[i].next, looked++) {
        const struct episode *e = &s->v[i];

        if (e->share[what] != mine->share[what] || same_host(e, mine) ||
            e->subject.known == 0 || is_told(r, e))
            continue;
        r->told[r->n++] = e;
        record_object_begin(out, FIELD_ALERT_RELATED);
        put_subject(out, FIELD_ALERT_RELATED_SUBJECT, &e->subject);
        record_text(out, FIELD_ALERT_RELATED_WHAT, share_words[what]);
        record_object_end(out);
    }
}

static void
put_related(struct record_out *out, const struct episodes *s, uint32_t slot)
{
    struct related r = {.n = 0};

    for (size_t what = 0; what < SHARE_COUNT; what++)
        put_sharing(out, s, slot, (enum share)what, &r);
}

/* Only who sends from home, is not registered and not excepted can be stopped:
 * DETECTION 6.3. */
static void
put_block(struct record_out *out, const struct episode *e,
          const struct alerts_telling *t)
{
    struct subject s = e->subject;
    bool v4 = addr_is_v4(&s.prefix.addr);
    struct buf text;

    if (e->server || !s.home || s.known == 0 || e->registered == 1 ||
        e->protected || t->unblockable)
        return;
    if (!v4) {
        s.prefix.bits = 64;
        memset(s.prefix.addr.b + 8, 0, 8);
    }
    buf_init(&text, 128);
    buf_str(&text, "tcp/25 outbound from ");
    prefix_format(&s.prefix, &text);
    record_str(out, FIELD_ALERT_BLOCK_SCOPE, buf_view(&text));
    buf_free(&text);
    if (t->host.n > 0 && record_find(t->host, FIELD_HOST_ORDINARY).p != NULL)
        record_u64(out, FIELD_ALERT_BLOCK_COLLATERAL,
                   record_find_u64(t->host, FIELD_HOST_ORDINARY, 0));
}

static void
put_checks(struct record_out *out, const struct episode *e, struct span host)
{
    struct record_map map;

    if (host.n > 0)
        record_map_init(&map, host);
    checks_write(out, host.n > 0 ? &map : NULL, e->mx != 0);
}

void
alerts_write(struct record_out *out, const struct episodes *s, uint32_t slot,
             const struct alerts_telling *t)
{
    const struct episode *e = &s->v[slot];

    record_begin(out, &t->head);
    if (e->subject.known != 0)
        record_addr(out, e->server ? FIELD_DEST_IP : FIELD_SRC_IP,
                    &e->subject.prefix.addr);
    put_rule(out, e, t->state);
    put_subject(out, FIELD_ALERT_SUBJECT, &e->subject);
    put_text(out, FIELD_ALERT_SITE, e->site);
    put_text(out, FIELD_ALERT_CLUSTER, e->cluster);
    put_text(out, FIELD_ALERT_REASON, e->reason);
    record_time(out, FIELD_ALERT_FIRST, e->first);
    record_time(out, FIELD_ALERT_LAST, e->last);
    record_u64(out, FIELD_ALERT_COUNT, e->count);
    put_text(out, FIELD_ALERT_SILENCED, t->silenced);
    put_lines(out, FIELD_ALERT_MATCHED, e->matched);
    put_checks(out, e, t->host);
    put_evidence(out, e);
    put_related(out, s, slot);
    put_block(out, e, t);
}
