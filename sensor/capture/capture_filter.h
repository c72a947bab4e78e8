#ifndef SPAN25_CAPTURE_CAPTURE_FILTER_H
#define SPAN25_CAPTURE_CAPTURE_FILTER_H
/* capture_filter - one BPF expression, compiled once for each link type met
 *
 * Internal to sensor/capture. Programs stay in place until _fini. */
#include <pcap/pcap.h>

#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/capture/capture.h"

struct capture_filter_program {
    struct bpf_program code; /* bf_len 0: the text does not fit this link */
    uint16_t link;
};

struct capture_filter {
    char *text; /* NULL: everything passes */
    struct capture_filter_program programs[CAPTURE_FILTER_LINKS_MAX];
    size_t n;
};

/* ERR_USAGE and message when no usual link type takes the text. */
MUST_USE enum err capture_filter_init(struct capture_filter *f,
                                      const char *text, struct buf *message);
void capture_filter_fini(struct capture_filter *f);

/* NULL: cannot be used on this link type. */
const struct bpf_program *capture_filter_for(struct capture_filter *f,
                                             uint16_t link);

static inline bool
capture_filter_pass(const struct bpf_program *p, const struct packet *k)
{
    return bpf_filter(p->bf_insns, k->data.p, k->wire_len,
                      (uint32_t)k->data.n) != 0;
}

#endif
