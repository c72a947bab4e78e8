/* smtp_fuzz - a connection made of the input
 *
 * First byte: what kind of connection. Then steps of two bytes, each followed
 * by its payload: byte 0   bit 0 direction, bits 1-2 what (data, data, gap,
 * tick), bits 3-5 what the sender has received byte 1   length of the payload,
 * of the gap, or seconds It is played as it is and with every segment cut into
 * single bytes; the records must be the same. In the end no memory may be held.
 */
#include "dissectors/smtp.h"
#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum kind {
    ONEWAY_C = 1,
    ONEWAY_S = 2,
    MIDSTREAM = 4,
    DIGEST = 8,
    LITTLE = 16
};

#define START (UINT64_C(1700000000) * NS_PER_S)

struct got {
    struct buf raw;
    uint32_t seq;
    bool keep;
};

static void
put(void *ctx, struct span record)
{
    struct got *g = ctx;
    struct record_head h;

    REQUIRE(record_check(record));
    h = record_head_of(record);
    REQUIRE(h.seq == g->seq);
    g->seq++;
    if (g->keep)
        buf_span(&g->raw, record);
}

struct side {
    uint64_t sent;  /* and passed on */
    uint64_t acked; /* of the other side, at the last segment */
    bool ahead;     /* it had more than was sent */
    bool gap;
};

static uint64_t
ack_of(unsigned how, const struct side *me, const struct side *other)
{
    switch (how & 7) {
    case 0:
    case 1:
    case 2: return other->sent;
    case 3: return me->acked;
    case 4: return STREAM_ACK_UNKNOWN;
    case 5: return other->sent + 8; /* captured before what it answers */
    case 6: return other->sent + 60;
    default: return other->sent / 2;
    }
}

static void
give(void *session, struct flow *f, struct chunk c, bool bytewise)
{
    struct span all = c.data;

    f->half[c.dir].bytes += all.n;
    while (all.n > 0) {
        uint8_t *copy;

        c.data = span_head(all, bytewise ? 1 : all.n);
        all = span_tail(all, c.data.n);
        copy = malloc(c.data.n);
        REQUIRE(copy != NULL);
        memcpy(copy, c.data.p, c.data.n);
        c.data.p = copy;
        smtp_ops.data(session, &c);
        free(copy);
        c.offset += c.data.n;
    }
}

static void
step(void *session, struct flow *f, struct cursor *in, struct side side[2],
     ns_t *now, bool bytewise)
{
    uint8_t op = cur_u8(in);
    size_t n = cur_u8(in);
    enum dir d = op & 1 ? DIR_S2C : DIR_C2S;
    struct side *me = &side[d];
    struct chunk c = {.dir = d, .offset = me->sent};

    if (n > cur_left(in))
        n = cur_left(in);
    *now += NS_PER_MS;
    c.when = c.seen = *now;
    switch (op >> 1 & 3) {
    case 0:
    case 1:
        c.peer_acked = ack_of(op >> 3, me, &side[dir_other(d)]);
        if (c.peer_acked != STREAM_ACK_UNKNOWN)
            me->acked = c.peer_acked;
        me->ahead |= (op >> 3 & 7) == 5 || (op >> 3 & 7) == 6;
        c.data = cur_take(in, n);
        me->sent += n;
        give(session, f, c, bytewise);
        break;
    case 2:
        f->half[d].gaps++;
        me->gap = true;
        f->half[d].lost += n + 1;
        me->sent += n + 1;
        smtp_ops.gap(session, d, n + 1, *now);
        break;
    default:
        *now += n * NS_PER_S;
        if (smtp_ops.wants_tick(session) > 0)
            smtp_ops.tick(session, *now);
        else
            smtp_ops.odd(session, (unsigned)n, d, me->sent,
                         SPAN_LIT("MAIL FROM:<x>\r\n"), *now);
    }
}

/* Tells what was kept for it. */
static bool
inspect(void *ctx, const struct content_job *job, struct content_result *r)
{
    (void)ctx;
    findings_add_detail(&r->findings, FIND_YARA_RISK,
                        span_head(job->bytes, FINDING_DETAIL_MAX));
    return job->bytes.n % 7 != 3;
}

/* True when the cut must not matter. */
static bool
run(struct span in, uint8_t kind, bool bytewise, struct got *g)
{
    struct smtp_options o = {
        .sink = {put, g},
        .memory_max = kind & LITTLE ? (uint64_t)(kind >> 5) * 300 * FLOW_SHARDS
                                    : UINT64_C(1) << 32,
        .content_max = kind & LITTLE
                           ? (uint64_t)(kind >> 5) * 3000 * FLOW_SHARDS
                           : UINT64_C(1) << 32,
        .body_digest = kind & DIGEST,
        .part = {.inspect = inspect  },
    };
    struct flow f = {.id = 7, .start = START, .midstream = kind & MIDSTREAM};
    struct side side[2] = {0};
    struct cursor c = cur_open(in);
    struct smtp_ctx *ctx;
    void *session;
    ns_t now = START;

    REQUIRE(smtp_new(&o, &ctx) == ERR_OK);
    f.established = kind & MIDSTREAM ? 0 : START;
    f.half[DIR_C2S].packets = !(kind & ONEWAY_S);
    f.half[DIR_S2C].packets = !(kind & ONEWAY_C);
    session = smtp_ops.open(ctx, &f, now);
    while (session != NULL && cur_left(&c) >= 2)
        step(session, &f, &c, side, &now, bytewise);
    if (session != NULL)
        smtp_ops.end(session, (enum end_why)(in.n % 6), now);
    REQUIRE(smtp_memory(ctx) == 0);
    REQUIRE(f.next_seq == g->seq);
    smtp_free(ctx);
    return !(kind & LITTLE) &&
           !((side[0].ahead || side[1].ahead) && (side[0].gap || side[1].gap));
}

static void
probe(struct span in)
{
    size_t skip[2];
    size_t half = in.n / 2;

    (void)smtp_ops.probe(span_head(in, half), span_tail(in, half), skip);
    REQUIRE(skip[0] <= half && skip[1] <= in.n - half);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct got whole = {.keep = true};
    struct got cut = {.keep = true};
    uint8_t kind = n > 0 ? data[0] : 0;
    struct span in = n > 0 ? span_of(data + 1, n - 1) : SPAN_NONE;

    buf_init(&whole.raw, 1U << 24);
    buf_init(&cut.raw, 1U << 24);
    (void)run(in, kind, false, &whole);
    if (run(in, kind, true, &cut))
        REQUIRE(span_eq(buf_view(&whole.raw), buf_view(&cut.raw)));
    buf_free(&whole.raw);
    buf_free(&cut.raw);
    probe(in);
    return 0;
}
