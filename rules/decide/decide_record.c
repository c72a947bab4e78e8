#include "rules/decide/decide_record.h"

#include "sensor/base/text.h"

#include <openssl/evp.h>

#define SCOPE      "tcp/25 outbound, and inbound from port 25"
#define PREFIX_MAX (ADDR_TEXT_MAX + 4)

bool
decide_sha256(struct span s, uint8_t out[DECIDE_HASH])
{
    return EVP_Digest(s.p, s.n, out, NULL, EVP_sha256(), NULL) == 1;
}

bool
decide_hash(struct decision *d)
{
    return decide_sha256(SPAN_NONE, d->hash);
}

static void
put_hex(char *out, const uint8_t *p, size_t n)
{
    static const char set[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = set[p[i] >> 4];
        out[2 * i + 1] = set[p[i] & 15];
    }
    out[2 * n] = '\0';
}

bool
decide_id(const struct decision *d, char out[TABLE_ID])
{
    uint8_t in[16 + 1 + 8 + DECIDE_HASH + 16] = {0};
    uint8_t sum[DECIDE_HASH];
    uint64_t us = d->when / NS_PER_US;
    size_t word = strlen(d->action);

    memcpy(in, d->subject->key.addr.b, 16);
    in[16] = d->subject->key.bits;
    memcpy(in + 17, &us, 8);
    memcpy(in + 25, d->hash, DECIDE_HASH);
    memcpy(in + 25 + DECIDE_HASH, d->action, word < 16 ? word : 16);
    if (!decide_sha256(span_of(in, sizeof(in)), sum))
        return false;
    put_hex(out, sum, 8);
    return true;
}

static void
put_against(struct record_out *out, const struct decision *d)
{
    for (unsigned i = 0; i < AGAINST_COUNT; i++) {
        struct buf text;

        if ((d->against >> i & 1) == 0)
            continue;
        if (i != AGAINST_EXCEPTION || d->exception.n == 0) {
            record_text(out, FIELD_DECISION_AGAINST,
                        decide_against_word((enum decide_against)i));
            continue;
        }
        buf_init(&text, 64);
        buf_str(&text, "exception:");
        buf_span(&text, d->exception);
        record_str(out, FIELD_DECISION_AGAINST, buf_view(&text));
        buf_free(&text);
    }
}

static void
put_evidence(struct record_out *out, const struct decision *d)
{
    char hex[2 * DECIDE_HASH + 1];

    for (size_t i = 0; i < d->n_evidence; i++)
        record_str(out, FIELD_DECISION_EVIDENCE, d->evidence[i].id);
    if (d->n_evidence == 0)
        return;
    put_hex(hex, d->hash, DECIDE_HASH);
    record_text(out, FIELD_DECISION_EVIDENCE_HASH, hex);
}

static void
put_subject(struct record_out *out, const struct prefix *p)
{
    uint8_t room[PREFIX_MAX];
    struct buf text = {room, 0, sizeof(room), sizeof(room), false, false};

    prefix_format(p, &text);
    record_str(out, FIELD_DECISION_SUBJECT, buf_view(&text));
}

void
decide_record(struct record_out *out, const struct decision *d)
{
    const struct subject *s = d->subject;
    const struct record_head head = {d->when, 0, d->seq, EVENT_DECISION};

    record_begin(out, &head);
    record_addr(out, FIELD_SRC_IP, &s->host);
    record_text(out, FIELD_DECISION_ID, s->id);
    record_text(out, FIELD_DECISION_ACTION, d->action);
    record_text(out, FIELD_DECISION_MODE, d->enforce ? "enforce" : "simulate");
    put_subject(out, &s->key);
    record_text(out, FIELD_DECISION_SCOPE, SCOPE);
    record_text(out, FIELD_DECISION_ORIGIN, d->origin);
    record_str(out, FIELD_DECISION_REASON, d->reason);
    for (size_t i = 0; i < d->n_shown; i++)
        record_text(out, FIELD_DECISION_SHOWN, decide_stat_word(d->shown[i]));
    put_against(out, d);
    if (s->step > 0 && (s->state == SUBJECT_BLOCK || s->state == SUBJECT_IDLE))
        record_u64(out, FIELD_DECISION_STEP, s->step);
    if (d->ttl_s > 0) {
        record_u64(out, FIELD_DECISION_TTL, d->ttl_s);
        record_time(out, FIELD_DECISION_UNTIL, s->until);
    }
    put_evidence(out, d);
    record_u64(out, FIELD_DECISION_COLLATERAL, s->collateral);
    if (s->site[0] != '\0')
        record_text(out, FIELD_DECISION_SITE, s->site);
}
