#include "dissectors/decode_kinds.h"

#include "dissectors/decode_base64.h"

static void
identity_push(struct decode *d, struct span *in, struct decode_out *out)
{
    struct span s = span_head(*in, out->room - out->n);

    (void)d;
    decode_out_bytes(out, s.p, s.n);
    *in = span_tail(*in, s.n);
}

static void
identity_end(struct decode *d, struct decode_out *out)
{
    (void)d;
    (void)out;
}

static const struct kind {
    void (*push)(struct decode *d, struct span *in, struct decode_out *out);
    void (*end)(struct decode *d, struct decode_out *out);
} kinds[DECODE_KIND_COUNT] = {
    [DECODE_IDENTITY] = {identity_push,      identity_end     },
    [DECODE_BASE64] = {decode_base64_push, decode_base64_end},
    [DECODE_QP] = {decode_qp_push,     decode_qp_end    },
    [DECODE_UU] = {decode_uu_push,     decode_uu_end    },
    [DECODE_BINHEX] = {decode_binhex_push, decode_binhex_end},
};

static const struct fork {
    const char *name;
    unsigned choices;
} forks[DECODE_FORK_COUNT] = {
    [DECODE_FORK_NONE] = {"none",       0},
    [DECODE_FORK_PAD] = {"padding",    4},
    [DECODE_FORK_RESTART] = {"blank_line", 2},
    [DECODE_FORK_LINE] = {"line",       2},
    [DECODE_FORK_JUNK] = {"junk",       2},
    [DECODE_FORK_ESCAPE] = {"escape",     3},
    [DECODE_FORK_CASE] = {"case",       2},
};

void
decode_init(struct decode *d, enum decode_kind kind)
{
    REQUIRE(kind < DECODE_KIND_COUNT);
    memset(d, 0, sizeof(*d));
    d->kind = (uint8_t)kind;
    d->kernel = (uint8_t)decode_base64_best();
}

size_t
decode_push(struct decode *d, struct span *in,
            uint8_t *out, /* NOLINT(readability-non-const-parameter) */
            size_t room)
{
    struct decode_out o = {out, 0, room};

    REQUIRE(room >= DECODE_ROOM_MIN);
    if (d->fork != DECODE_FORK_NONE)
        decode_choose(d, 0);
    kinds[d->kind].push(d, in, &o);
    return o.n;
}

unsigned
decode_choices(enum decode_fork f)
{
    REQUIRE(f < DECODE_FORK_COUNT);
    return forks[f].choices;
}

void
decode_choose(struct decode *d, unsigned choice)
{
    REQUIRE(choice < forks[d->fork].choices);
    d->choice[d->fork] = (uint8_t)(choice + 1);
    d->fork = DECODE_FORK_NONE;
}

size_t
decode_end(struct decode *d,
           uint8_t *out, /* NOLINT(readability-non-const-parameter) */
           size_t room)
{
    struct decode_out o = {out, 0, room};

    REQUIRE(room >= DECODE_ROOM_MIN);
    if (d->fork != DECODE_FORK_NONE)
        decode_choose(d, 0);
    kinds[d->kind].end(d, &o);
    return o.n;
}

_Static_assert(offsetof(struct decode, crc) ==
                       offsetof(struct decode, held) + DECODE_HELD &&
                   offsetof(struct decode, left) + 4 == sizeof(struct decode),
               "padding would be compared");

/* What is not used is zero. */
bool
decode_same(const struct decode *a, const struct decode *b)
{
    struct decode x = *a;

    x.odd = b->odd;
    x.kernel = b->kernel;
    return memcmp(&x, b, sizeof(x)) == 0;
}

const char *
decode_odd_name(enum decode_odd o)
{
    static const char *const names[] = {
#define X(id, name) [DECODE_ODD_##id] = (name),
        DECODE_ODD_MAP(X)
#undef X
    };

    REQUIRE(o < ARRAY_LEN(names));
    return names[o];
}

const char *
decode_fork_name(enum decode_fork f)
{
    REQUIRE(f < DECODE_FORK_COUNT);
    return forks[f].name;
}
