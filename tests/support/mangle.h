#ifndef SPAN25_TESTS_MANGLE_H
#define SPAN25_TESTS_MANGLE_H
/* mangle - a capture in memory, run through net and smtp again and again
 *
 * A capture is loaded once; packets are decoded and put together, so that a
 * mangled run is a list of segments given to net_segment. What a run says is a
 * list of lines: the records in JSON, sorted as the core sorts them, or loose:
 * without the fields that depend on when and in how many pieces bytes came, and
 * sorted by text. */
#include <stdio.h>

#include "sensor/base/buf.h"
#include "sensor/event/json_write.h"
#include "sensor/event/packet.h"
#include "sensor/net/net.h"

struct mangle_seg {
    struct decoded d; /* payload is borrowed from the capture or the mangler */
    ns_t when;
    uint32_t caplen;
    uint16_t iface;
};

struct mangle_list {
    struct mangle_seg *seg;
    size_t n;
    size_t cap;
};

struct mangle_capture {
    char name[256];
    char fragile[256]; /* words of NAME.fragile, made by scenario.py */
    uint8_t *bytes;
    struct packet *packet; /* as captured */
    size_t n_packets;
    struct mangle_list list; /* its TCP segments, decoded and whole */
    uint8_t *room;           /* payloads that had been in fragments */
    size_t n_room;
};

/* False when the file cannot be read. */
bool mangle_load(struct mangle_capture *c, const char *path);
void mangle_unload(struct mangle_capture *c);

void mangle_add(struct mangle_list *l, const struct mangle_seg *s);
void mangle_clear(struct mangle_list *l);

struct mangle_line {
    ns_t when;
    uint64_t flow;
    uint32_t seq;
    enum event_type type;
    size_t at; /* in text */
    size_t n;
};

struct mangle_run {
    struct buf text;
    struct mangle_line *line;
    size_t n;
    size_t cap;
    uint64_t net_left; /* bytes in use at the end: must be 0 */
    uint64_t smtp_left;
    struct net_stats stats;
};

enum mangle_view {
    MANGLE_FULL,  /* all there is */
    MANGLE_LOOSE, /* without what depends on pieces and times */
    MANGLE_LOSSY, /* and without what a loss earlier in the connection changes
                   */
};

struct mangle_options {
    enum mangle_view view;
    unsigned n_workers;  /* 0: one */
    bool frames;         /* decode again from the frames, as the program does */
    uint64_t memory_max; /* 0: plenty */
    uint32_t flows_max;
};

/* list may be NULL with frames. */
void mangle_go(const struct mangle_capture *c, const struct mangle_list *list,
               const struct mangle_options *o, struct mangle_run *out);
void mangle_free(struct mangle_run *r);

struct span mangle_text(const struct mangle_run *r, size_t i);

/* Prints the first difference and returns false. */
bool mangle_same(const struct mangle_run *want, const struct mangle_run *got,
                 const char *name, const char *what);

/* A small deterministic generator (xorshift64). */
static inline uint64_t
mangle_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
