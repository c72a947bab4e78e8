#ifndef SPAN25_CAPTURE_CAPTURE_MAKE_H
#define SPAN25_CAPTURE_CAPTURE_MAKE_H
/* capture_make - captures made for the tests, and what is expected of them
 *
 * For the tests of this folder only. A made capture remembers where the record
 * of each packet ends. The bytes of a packet are all its length (its low byte),
 * so that content can be checked without a copy. */
#include "sensor/capture/capture.h"

/* SPAN_LIT for static tables. */
#define LIT(s)                                                                 \
    {                                                                          \
        (const uint8_t *)(s), sizeof(s) - 1                                    \
    }

enum { MADE_MAX = 64 << 20, N_MADE = 5, N_FLAVOURS = 8 };

#define MADE_START (UINT64_C(1767600000) * NS_PER_S)

struct made {
    struct buf b;
    bool big;
    size_t ends[64]; /* where each packet's record ends */
    size_t n;
};

struct ng_iface {
    uint16_t link;
    uint32_t snaplen;
    const char *name;
    int tsresol; /* -1: none */
    int64_t tsoffset;
};

struct flavour {
    const char *why;
    uint32_t magic; /* 0: pcapng */
    bool big;
};

extern const struct flavour flavours[N_FLAVOURS];

void made_init(struct made *m, bool big);
void put16(struct made *m, uint16_t v);
void put32(struct made *m, uint32_t v);
void put_fill(struct made *m, uint8_t c, size_t n);
void made_end(struct made *m);
void pcap_head(struct made *m, uint32_t magic, uint32_t link);
void pcap_packet(struct made *m, uint32_t magic, ns_t when, uint32_t n);
ns_t made_when(size_t i);
uint32_t made_len(size_t i);
void make_pcap(struct made *m, uint32_t magic, bool big);
void ng_block(struct made *m, uint32_t type, struct span body);
void ng_section(struct made *m, bool big);
void ng_iface(struct made *m, struct ng_iface i);
void ng_enhanced(struct made *m, uint32_t iface, uint64_t ticks, uint32_t n);
void ng_obsolete(struct made *m, uint16_t iface, uint64_t ticks, uint32_t n);
void ng_simple(struct made *m, uint32_t wire, uint32_t n);
void make_ng(struct made *m, bool big);
struct buf pack(enum capture_coding how, struct span in);
void write_file(char path[32], struct span in);
struct capture *open_in(const struct span *in, size_t n, size_t chunk,
                        const char *filter);
struct capture *open_one(struct span in, size_t chunk);
size_t drain(struct capture *c);
void expect_made(struct capture *c, const char *why);
/* expect_made, mapped and in pieces of many sizes. */
void through_memory(struct span in, const char *why);
void make_flavour(struct made *m, const struct flavour *f);
void expect(struct capture *c, ns_t when, uint16_t link, uint16_t iface,
            size_t n);
void make_sections(struct made *m);

#endif
