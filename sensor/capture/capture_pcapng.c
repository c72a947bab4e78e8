#include "sensor/capture/capture_pcapng.h"

#include <inttypes.h>

/* Block types; all other blocks are passed over. */
enum {
    BLOCK_SECTION = 0x0a0d0d0a, /* the same in both byte orders */
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
};

enum {
    OPTION_END = 0,
    OPTION_NAME = 2,
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,
};

enum {
    BLOCK_HEAD = 8,
    BLOCK_MIN = 12, /* type, length, length again */
    SECTION_MIN = 28,
    ENHANCED_HEAD = 28, /* up to the packet's data */
};

#define ORDER_MAGIC UINT32_C(0x1a2b3c4d)

enum step { STEP_PACKET, STEP_ON, STEP_END };

struct block {
    struct cursor body;
    bool swapped;
};

__extension__ typedef unsigned __int128 wide;

static uint16_t
get16(struct block *b)
{
    return b->swapped ? cur_be16(&b->body) : cur_le16(&b->body);
}

static uint32_t
get32(struct block *b)
{
    return b->swapped ? cur_be32(&b->body) : cur_le32(&b->body);
}

/* The next n words at once; false: the block has fewer, w is not set. */
static inline bool
get_words(struct block *b, uint32_t *w, size_t n)
{
    struct span s = cur_take(&b->body, 4 * n);

    if (UNLIKELY(s.n != 4 * n))
        return false;
    memcpy(w, s.p, 4 * n);
    for (size_t i = 0; b->swapped && i < n; i++)
        w[i] = __builtin_bswap32(w[i]);
    return true;
}

bool
capture_pcapng_is(struct span magic)
{
    return span_starts(magic, SPAN_LIT("\x0a\x0d\x0d\x0a"));
}

static enum step
bad(struct capture_file *f, const char *what)
{
    capture_file_fault(f, CAPTURE_FAULT_BLOCK, "%s: the file is damaged here",
                       what);
    return STEP_END;
}

/* ---- time ---- */

static uint64_t
power_of_ten(unsigned n)
{
    uint64_t v = 1;

    while (n-- > 0)
        v *= 10;
    return v;
}

/* if_tsresol: the unit is 10^-n seconds, or 2^-n when the top bit is set. */
static void
clock_set_unit(struct capture_clock *c, uint8_t tsresol)
{
    unsigned n = tsresol & 0x7fU;

    c->shift = 0;
    c->div = 1;
    c->mul = 1;
    if ((tsresol & 0x80U) != 0) {
        c->mul = NS_PER_S;
        c->shift = (uint8_t)n;
    } else if (n <= 9) {
        c->mul = power_of_ten(9 - n);
    } else {
        c->div = n <= 28 ? power_of_ten(n - 9) : 0;
    }
}

static void
clock_set_offset(struct capture_clock *c, int64_t seconds)
{
    uint64_t size = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;

    c->before = seconds < 0;
    c->offset_ns =
        size < CAPTURE_TIME_MAX / NS_PER_S ? size * NS_PER_S : CAPTURE_TIME_MAX;
}

static ns_t
clock_read_odd(const struct capture_clock *c, uint64_t ticks)
{
    wide t = ((wide)ticks * c->mul) >> c->shift;

    if (c->div != 1)
        t = c->div > 0 ? t / c->div : 0;
    if (!c->before)
        t += c->offset_ns;
    else
        t = t > c->offset_ns ? t - c->offset_ns : 0;
    return t < CAPTURE_TIME_MAX ? (ns_t)t : CAPTURE_TIME_MAX;
}

static inline ns_t
clock_read(const struct capture_clock *c, uint64_t ticks)
{
    ns_t t;

    if (LIKELY(c->usual) && !__builtin_mul_overflow(ticks, c->mul, &t) &&
        t < CAPTURE_TIME_MAX)
        return t;
    return clock_read_odd(c, ticks);
}

/* ---- sections and interfaces ---- */

static enum step
read_section(struct capture_file *f, struct block *b)
{
    cur_skip(&b->body, 4);
    if (get16(b) != 1)
        return bad(f, "a section of an unknown version");
    f->n_slots = 0;
    f->swapped = b->swapped;
    return STEP_ON;
}

struct iface_options {
    struct span name;
    uint8_t tsresol;
    int64_t tsoffset;
};

static void
read_option(struct iface_options *o, uint16_t code, struct block *value)
{
    uint64_t first;
    uint64_t second;

    if (code == OPTION_NAME) {
        o->name = value->body.in;
        o->name.n = span_find(o->name, 0);
    } else if (code == OPTION_TSRESOL && value->body.in.n >= 1) {
        o->tsresol = cur_u8(&value->body);
    } else if (code == OPTION_TSOFFSET && value->body.in.n >= 8) {
        first = get32(value);
        second = get32(value);
        o->tsoffset = (int64_t)(value->swapped ? first << 32 | second
                                               : second << 32 | first);
    }
}

/* Options that do not fit the block end the list; the block's frame is good,
 * so the interface still is. */
static struct iface_options
read_options(struct block *b)
{
    struct iface_options o = {.tsresol = 6};

    while (cur_left(&b->body) >= 4) {
        uint16_t code = get16(b);
        uint16_t n = get16(b);
        struct block value = {.swapped = b->swapped};

        if (code == OPTION_END)
            break;
        value.body = cur_open(cur_take(&b->body, n));
        if (b->body.bad)
            break;
        read_option(&o, code, &value);
        cur_skip(&b->body, (4U - n) & 3U);
    }
    return o;
}

static enum step
read_interface(struct capture_file *f, struct block *b)
{
    uint16_t link = get16(b);
    struct iface_options o;
    struct capture_slot *slot;
    uint32_t snaplen;

    cur_skip(&b->body, 2);
    snaplen = get32(b);
    if (b->body.bad)
        return bad(f, "an interface block that is too short");
    o = read_options(b);
    slot = capture_file_add_iface(f, link, o.name);
    if (slot == NULL)
        return STEP_END;
    slot->snaplen = snaplen;
    clock_set_unit(&slot->clock, o.tsresol);
    clock_set_offset(&slot->clock, o.tsoffset);
    slot->clock.usual = slot->clock.shift == 0 && slot->clock.div == 1 &&
                        slot->clock.offset_ns == 0;
    return STEP_ON;
}

/* ---- packets ---- */

static enum step
give(struct capture_file *f, struct block *b, uint32_t iface, uint32_t caplen,
     struct packet *out)
{
    const struct capture_slot *slot;

    if (iface >= f->n_slots)
        return bad(f, "a packet of an interface that is not declared");
    if (caplen > CAPTURE_CAPLEN_MAX) {
        capture_file_fault(f, CAPTURE_FAULT_LENGTH,
                           "a packet of %u bytes cannot be: the file is "
                           "damaged here",
                           caplen);
        return STEP_END;
    }
    out->data = cur_take(&b->body, caplen);
    if (b->body.bad)
        return bad(f, "a packet that is longer than its block");
    slot = &f->slots[iface];
    out->wire_len = out->wire_len > caplen ? out->wire_len : caplen;
    out->link = slot->link;
    out->iface = slot->iface;
    f->slot = slot;
    return STEP_PACKET;
}

/* w: time (high, low), captured length, length on the wire. */
static enum step
give_timed(struct capture_file *f, struct block *b, uint32_t iface,
           const uint32_t w[4], struct packet *out)
{
    enum step step;

    out->wire_len = w[3];
    step = give(f, b, iface, w[2], out);
    if (LIKELY(step == STEP_PACKET))
        out->when = clock_read(&f->slot->clock, (uint64_t)w[0] << 32 | w[1]);
    return step;
}

static enum step
read_enhanced(struct capture_file *f, struct block *b, struct packet *out)
{
    uint32_t w[5];

    if (!get_words(b, w, 5))
        return bad(f, "a packet block that is too short");
    return give_timed(f, b, w[0], w + 1, out);
}

static enum step
read_obsolete(struct capture_file *f, struct block *b, struct packet *out)
{
    uint16_t iface = get16(b);
    uint32_t w[4];

    cur_skip(&b->body, 2); /* drops */
    if (!get_words(b, w, 4))
        return bad(f, "a packet block that is too short");
    return give_timed(f, b, iface, w, out);
}

/* Its captured length is not written down: the length on the wire, or the
 * interface's limit where that is less. */
static enum step
read_simple(struct capture_file *f, struct block *b, struct packet *out)
{
    uint32_t n = get32(b);
    uint32_t limit = f->n_slots > 0 ? f->slots[0].snaplen : 0;

    out->wire_len = n;
    out->when = f->last;
    return give(f, b, 0, limit > 0 && limit < n ? limit : n, out);
}

static enum step
read_block(struct capture_file *f, uint32_t type, struct block *b,
           struct packet *out)
{
    switch (type) {
    case BLOCK_ENHANCED: return read_enhanced(f, b, out);
    case BLOCK_SIMPLE: return read_simple(f, b, out);
    case BLOCK_PACKET: return read_obsolete(f, b, out);
    case BLOCK_INTERFACE: return read_interface(f, b);
    case BLOCK_SECTION: return read_section(f, b);
    default: return STEP_ON; /* a block of no concern, skipped by its length */
    }
}

/* A section starts with its byte order, which its own length is written in. */
static bool
section_order(struct capture_file *f, bool *swapped)
{
    struct cursor c;
    uint32_t magic;

    if (!capture_source_fill(&f->src, BLOCK_MIN)) {
        capture_file_short(f, SECTION_MIN, "the section header");
        return false;
    }
    c = f->src.cur;
    cur_skip(&c, BLOCK_HEAD);
    magic = cur_le32(&c);
    *swapped = magic == __builtin_bswap32(ORDER_MAGIC);
    if (magic == ORDER_MAGIC || *swapped)
        return true;
    (void)bad(f, "a section without its byte order");
    return false;
}

/* The bytes from at on, n of them, of what lies at the file's cursor. */
static inline struct block
peek(const struct capture_file *f, size_t at, size_t n, bool swapped)
{
    struct cursor c = f->src.cur;

    cur_skip(&c, at);
    return (struct block){cur_open(cur_take(&c, n)), swapped};
}

/* The block at the cursor lies in the window whole, and its lengths agree. */
static bool
load_block(struct capture_file *f, uint32_t *type, struct block *b)
{
    bool swapped = f->swapped;
    uint32_t w[2] = {0, 0};
    uint32_t again = 0;
    uint32_t padded; /* some writers leave the padding out of the length */

    if (!capture_source_fill(&f->src, BLOCK_HEAD)) {
        capture_file_short(f, BLOCK_HEAD, "the last block's header");
        return false;
    }
    *b = peek(f, 0, BLOCK_HEAD, swapped);
    (void)get_words(b, w, 2);
    *type = w[0];
    if (UNLIKELY(*type == BLOCK_SECTION)) {
        if (!section_order(f, &swapped))
            return false;
        *b = peek(f, 0, BLOCK_HEAD, swapped);
        (void)get_words(b, w, 2);
    }
    if (w[1] < (*type == BLOCK_SECTION ? SECTION_MIN : BLOCK_MIN) ||
        w[1] > CAPTURE_BLOCK_MAX) {
        capture_file_fault(f, CAPTURE_FAULT_LENGTH,
                           "block of length %" PRIu32
                           " cannot be: the file is damaged here",
                           w[1]);
        return false;
    }
    padded = (w[1] + 3) & ~UINT32_C(3);
    if (!capture_source_fill(&f->src, padded)) {
        capture_file_short(f, padded, "the last block");
        return false;
    }
    *b = peek(f, padded - 4, 4, swapped);
    (void)get_words(b, &again, 1);
    if (again != w[1]) {
        (void)bad(f, "a block that states two lengths");
        return false;
    }
    *b = peek(f, BLOCK_HEAD, padded - BLOCK_MIN, swapped);
    return true;
}

/* An Enhanced Packet Block in our own byte order with nothing odd about it;
 * false: nothing has happened, take the block apart. Nearly all blocks of a
 * long capture go this way, which takes a third of the instructions. */
static inline bool
take_enhanced(struct capture_file *f, struct packet *out)
{
    struct cursor c = f->src.cur;
    struct span head = cur_take(&c, ENHANCED_HEAD);
    const struct capture_slot *slot;
    struct span data;
    uint32_t w[7]; /* type, length, interface, time (2), lengths (2) */

    if (head.n != ENHANCED_HEAD)
        return false;
    memcpy(w, head.p, ENHANCED_HEAD);
    if (f->swapped || w[0] != BLOCK_ENHANCED || w[1] % 4 != 0 ||
        w[1] > CAPTURE_BLOCK_MAX || w[1] < ENHANCED_HEAD + 4 ||
        w[5] > w[1] - ENHANCED_HEAD - 4 || w[5] > CAPTURE_CAPLEN_MAX ||
        w[2] >= f->n_slots)
        return false;
    data = cur_take(&c, w[5]);
    cur_skip(&c, w[1] - ENHANCED_HEAD - 4 - w[5]);
    if (cur_le32(&c) != w[1])
        return false;
    slot = &f->slots[w[2]];
    f->src.cur = c;
    f->slot = slot;
    out->data = data;
    out->wire_len = w[6] > w[5] ? w[6] : w[5];
    out->link = slot->link;
    out->iface = slot->iface;
    out->when = clock_read(&slot->clock, (uint64_t)w[3] << 32 | w[4]);
    return true;
}

bool
capture_pcapng_next(struct capture_file *f, struct packet *out)
{
    enum step step = STEP_ON;

    if (LIKELY(take_enhanced(f, out)))
        return true;
    while (step == STEP_ON) {
        struct block b;
        uint32_t type;

        if (!load_block(f, &type, &b))
            return false;
        step = read_block(f, type, &b, out);
        if (step != STEP_END) /* a fault's offset is that of its block */
            cur_skip(&f->src.cur, b.body.in.n + BLOCK_MIN);
    }
    return step == STEP_PACKET;
}
