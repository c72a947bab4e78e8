#include "sensor/capture/capture_pcap.h"

enum {
    PCAP_HEADER = 24,
    PCAP_RECORD = 16,
    PCAP_RECORD_MODIFIED = 24,
};

static const struct pcap_kind {
    uint32_t magic;
    bool modified; /* Kuznetzov: interface, protocol, type after the lengths */
    uint64_t frac_ns;
} kinds[] = {
    {0xa1b2c3d4, false, NS_PER_US},
    {0xa1b23c4d, false, 1        },
    {0xa1b2cd34, true,  NS_PER_US},
};

static const struct pcap_kind *
find_kind(struct span magic, bool *swapped)
{
    struct cursor le = cur_open(magic);
    struct cursor be = cur_open(magic);
    uint32_t little = cur_le32(&le);
    uint32_t big = cur_be32(&be);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        *swapped = kinds[i].magic == big;
        if (*swapped || kinds[i].magic == little)
            return &kinds[i];
    }
    return NULL;
}

bool
capture_pcap_is(struct span magic)
{
    bool swapped;

    return find_kind(magic, &swapped) != NULL;
}

static uint16_t
get16(struct cursor *c, bool swapped)
{
    return swapped ? cur_be16(c) : cur_le16(c);
}

static uint32_t
get32(struct cursor *c, bool swapped)
{
    return swapped ? cur_be32(c) : cur_le32(c);
}

bool
capture_pcap_open(struct capture_file *f)
{
    const struct pcap_kind *kind;
    const struct capture_slot *slot;
    struct cursor c;
    uint16_t major;
    uint16_t minor;

    if (!capture_source_fill(&f->src, PCAP_HEADER)) {
        capture_file_short(f, PCAP_HEADER, "the file header");
        return false;
    }
    kind = find_kind(span_tail(f->src.cur.in, f->src.cur.at), &f->swapped);
    REQUIRE(kind != NULL);
    c = cur_open(cur_take(&f->src.cur, PCAP_HEADER));
    cur_skip(&c, 4);
    major = get16(&c, f->swapped);
    minor = get16(&c, f->swapped);
    cur_skip(&c, 12); /* time zone, accuracy, snapshot length: often wrong */
    f->modified = kind->modified;
    f->frac_ns = kind->frac_ns;
    f->plain = !kind->modified && !(major == 2 && minor < 4);
    /* The upper half has the length of the frame check sequence. */
    slot =
        capture_file_add_iface(f, (uint16_t)get32(&c, f->swapped), SPAN_NONE);
    if (slot == NULL)
        return false;
    f->slot = slot;
    f->link = slot->link;
    f->iface = slot->iface;
    return true;
}

struct record {
    uint32_t sec;
    uint32_t frac;
    uint32_t caplen;
    uint32_t len;
};

static struct record
read_record(const struct capture_file *f)
{
    struct cursor c = f->src.cur;
    struct record r;
    uint32_t swap;

    r.sec = get32(&c, f->swapped);
    r.frac = get32(&c, f->swapped);
    r.caplen = get32(&c, f->swapped);
    r.len = get32(&c, f->swapped);
    /* Up to version 2.3 the two lengths may stand the other way round. */
    if (!f->plain && !f->modified && r.caplen > r.len) {
        swap = r.caplen;
        r.caplen = r.len;
        r.len = swap;
    }
    return r;
}

bool
capture_pcap_next(struct capture_file *f, struct packet *out)
{
    size_t head = f->modified ? PCAP_RECORD_MODIFIED : PCAP_RECORD;
    struct record r;

    if (!capture_source_fill(&f->src, head)) {
        capture_file_short(f, head, "the last packet's header");
        return false;
    }
    r = read_record(f);
    if (r.caplen > CAPTURE_CAPLEN_MAX) {
        capture_file_fault(f, CAPTURE_FAULT_LENGTH,
                           "a packet of %u bytes cannot be: the file is "
                           "damaged here",
                           r.caplen);
        return false;
    }
    if (!capture_source_fill(&f->src, head + r.caplen)) {
        capture_file_short(f, head + r.caplen, "the last packet");
        return false;
    }
    cur_skip(&f->src.cur, head);
    out->data = cur_take(&f->src.cur, r.caplen);
    out->wire_len = r.len > r.caplen ? r.len : r.caplen;
    out->link = f->link;
    out->iface = f->iface;
    out->when = r.sec * NS_PER_S + r.frac * f->frac_ns;
    return true;
}
