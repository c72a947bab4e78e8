#ifndef SPAN25_NET_DECODE_TEST_PCAP_H
#define SPAN25_NET_DECODE_TEST_PCAP_H
/* decode_test_pcap - reads the small captures that the tests of net look at
 *
 * For tests only: little-endian pcap with microseconds, and pcapng's interface
 * and enhanced packet blocks. Packets are borrowed for the call. */
#include <stdio.h>

#include "sensor/event/packet.h"

static inline bool
pcap_for_test_classic(struct cursor *c,
                      void (*see)(void *, const struct packet *), void *ctx)
{
    uint16_t link;

    cur_skip(c, 16);
    link = (uint16_t)cur_le32(c);
    while (cur_left(c) >= 16) {
        struct packet p = {.link = link};
        size_t n;

        p.when = cur_le32(c) * NS_PER_S;
        p.when += cur_le32(c) * NS_PER_US;
        n = cur_le32(c);
        p.wire_len = cur_le32(c);
        p.data = cur_take(c, n);
        if (c->bad)
            return false;
        see(ctx, &p);
    }
    return true;
}

static inline bool
pcap_for_test_ng(struct cursor *c, void (*see)(void *, const struct packet *),
                 void *ctx)
{
    struct packet p = {.link = 1};

    while (cur_left(c) >= 12) {
        uint32_t type = cur_le32(c);
        struct cursor b = cur_open(cur_take(c, cur_le32(c) - 12));

        cur_skip(c, 4);
        if (c->bad)
            return false;
        if (type == 1)
            p.link = cur_le16(&b);
        if (type != 6)
            continue;
        cur_skip(&b, 4);
        p.when = (uint64_t)cur_le32(&b) << 32;
        p.when = (p.when | cur_le32(&b)) * NS_PER_US;
        p.data.n = cur_le32(&b);
        p.wire_len = cur_le32(&b);
        p.data = cur_take(&b, p.data.n);
        if (!b.bad)
            see(ctx, &p);
    }
    return true;
}

/* False when the file is not there or is neither format. */
static inline bool
pcap_for_test(const char *path, void (*see)(void *, const struct packet *),
              void *ctx)
{
    static uint8_t room[4U << 20];
    FILE *f = fopen(path, "rb");
    struct cursor c;
    uint32_t magic;

    if (f == NULL)
        return false;
    c = cur_open(span_of(room, fread(room, 1, sizeof(room), f)));
    (void)fclose(f);
    magic = cur_le32(&c);
    if (magic == 0xa1b2c3d4)
        return pcap_for_test_classic(&c, see, ctx);
    c.at = 0;
    return magic == 0x0a0d0d0a && pcap_for_test_ng(&c, see, ctx);
}

#endif
