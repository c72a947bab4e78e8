#include "dissectors/dns_tell.h"

#include <stdlib.h>

#include "dissectors/flow_emit.h"
#include "sensor/base/hash.h"

struct seen {
    uint64_t key; /* 0: none */
    ns_t when;
};

struct dns_tell {
    struct dns_tell_options o;
    struct dns_tell_stats stats;
    struct record_out rec;
    struct seen seen[FLOW_SHARDS][DNS_TELL_SEEN];
    struct dns_answer answer;
};

static uint64_t
key_of(const struct flow *f, struct span payload)
{
    uint64_t h = hash_span(payload, (uint64_t)f->client_port << 16);

    h = hash_span(span_of(f->client.b, sizeof(f->client.b)), h);
    h = hash_span(span_of(f->server.b, sizeof(f->server.b)), h);
    return h != 0 ? h : 1;
}

static bool
is_again(struct dns_tell *t, const struct flow *f, struct span payload,
         ns_t when)
{
    uint64_t key = key_of(f, payload);
    struct seen *s = &t->seen[f->shard][key % DNS_TELL_SEEN];

    if (s->key == key && when - s->when <= DNS_TELL_AGAIN_NS)
        return true;
    *s = (struct seen){key, when};
    return false;
}

static void
put_rcode(struct record_out *r, uint16_t rcode)
{
    static const struct {
        uint16_t rcode;
        const char *name;
    } names[] = {
        {0, "NOERROR" },
        {2, "SERVFAIL"},
        {3, "NXDOMAIN"},
        {5, "REFUSED" },
    };
    uint8_t room[8];
    struct buf text = {room, 0, sizeof(room), sizeof(room), false, false};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].rcode == rcode) {
            record_text(r, FIELD_DNS_RCODE, names[i].name);
            return;
        }
    }
    buf_u64(&text, rcode);
    record_str(r, FIELD_DNS_RCODE, buf_view(&text));
}

static struct span
text_of(const struct dns_text *t)
{
    return span_of(t->b, t->n);
}

static void
tell(struct dns_tell *t, struct flow *f, ns_t when)
{
    const struct dns_answer *a = &t->answer;
    struct record_out *r = &t->rec;
    struct record_head head = {.when = when,
                               .flow_id = f->id,
                               .seq = f->next_seq++,
                               .type = EVENT_DNS};

    record_begin(r, &head);
    if (t->o.describe != NULL)
        t->o.describe(t->o.describe_ctx, f, r);
    flow_emit(f, "UDP", r);
    record_text(r, FIELD_APP_PROTO, "dns");
    record_bool(r, FIELD_QUALITY_TRUNCATED, a->cut);
    record_str(r, FIELD_DNS_RRNAME, text_of(&a->name));
    record_text(r, FIELD_DNS_RRTYPE, dns_type_name(a->type));
    put_rcode(r, a->rcode);
    for (unsigned i = 0; i < a->n_answers; i++)
        record_str(r, FIELD_DNS_ANSWERS, text_of(&a->answers[i]));
    t->o.sink.put(t->o.sink.ctx, record_view(r));
    t->stats.told++;
}

static bool
wants(void *ctx, struct span payload)
{
    const struct dns_tell *t = ctx;

    return dns_wants(payload, &t->o.home);
}

static void
data(void *ctx, struct flow *f, struct span payload, bool whole, ns_t when)
{
    struct dns_tell *t = ctx;

    if (is_again(t, f, payload, when))
        t->stats.duplicates++;
    else if (dns_read(payload, whole, &t->o.home, &t->answer))
        tell(t, f, when);
    else
        t->stats.malformed++;
}

const struct datagram_ops dns_tell_ops = {wants, data};

enum err
dns_tell_new(const struct dns_tell_options *o, struct dns_tell **out)
{
    struct dns_tell *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return ERR_NOMEM;
    t->o = *o;
    record_init(&t->rec);
    *out = t;
    return ERR_OK;
}

void
dns_tell_free(struct dns_tell *t)
{
    if (t == NULL)
        return;
    record_free(&t->rec);
    free(t);
}

const struct dns_tell_stats *
dns_tell_stats_of(const struct dns_tell *t)
{
    return &t->stats;
}
