#ifndef SPAN25_CAPTURE_CAPTURE_PCAP_H
#define SPAN25_CAPTURE_CAPTURE_PCAP_H
/* capture_pcap - classic pcap files (draft-ietf-opsawg-pcap)
 *
 * Internal to sensor/capture. */
#include "sensor/capture/capture_file.h"

/* magic: the file's first four bytes. False: not a classic pcap. */
bool capture_pcap_is(struct span magic);

/* Reads the file header; false: the file has ended. */
bool capture_pcap_open(struct capture_file *f);

/* Any record; false: the file has ended. */
bool capture_pcap_next(struct capture_file *f, struct packet *out);

/* A usual record (f->plain) that lies in the window whole; false: nothing has
 * happened, try capture_pcap_next. This is the measured path of a mapped file,
 * so it reads the header as one piece and knows one layout only. */
static inline bool
capture_pcap_take(struct capture_file *f, struct packet *out)
{
    struct cursor c = f->src.cur;
    struct span head = cur_take(&c, 16);
    struct span body;
    uint32_t w[4];

    if (UNLIKELY(head.n != 16))
        return false;
    memcpy(w, head.p, 16);
    if (f->swapped) {
        w[0] = __builtin_bswap32(w[0]);
        w[1] = __builtin_bswap32(w[1]);
        w[2] = __builtin_bswap32(w[2]);
        w[3] = __builtin_bswap32(w[3]);
    }
    body = cur_take(&c, w[2]);
    if (UNLIKELY(c.bad) || UNLIKELY(w[2] > CAPTURE_CAPLEN_MAX))
        return false;
    f->src.cur.at = c.at;
    out->data = body;
    out->wire_len = w[3] > w[2] ? w[3] : w[2];
    out->link = f->link;
    out->iface = f->iface;
    /* A second half of a second or more carries over by itself. */
    out->when = w[0] * NS_PER_S + w[1] * f->frac_ns;
    return true;
}

#endif
