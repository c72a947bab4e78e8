#ifndef SPAN25_CAPTURE_CAPTURE_FILE_H
#define SPAN25_CAPTURE_CAPTURE_FILE_H
/* capture_file - what the readers of both formats know about one file
 *
 * Internal to sensor/capture. A reader takes packets from src; when it cannot
 * go on it calls one of the fault functions and gives no more. */
#include "sensor/capture/capture_filter.h"
#include "sensor/capture/capture_source.h"

/* What all files share: the numbers of the interfaces, the filter, the list of
 * faults. ifaces and faults have room for all there may be from the start on
 * (faults) or grow (ifaces). */
struct capture_named {
    struct capture_iface iface;
    uint8_t *name; /* the bytes of iface.name */
};

struct capture_shared {
    struct capture_named *ifaces;
    size_t n_ifaces;
    size_t ifaces_cap;
    const struct capture_fault **faults;
    size_t n_faults;
    struct capture_filter filter;
};

/* How a pcapng interface counts time: ticks * mul / 2^shift / div + offset_ns.
 * div 0: the unit is too small for any time to be told. */
struct capture_clock {
    uint64_t mul;
    uint64_t div;
    uint64_t offset_ns; /* to be added, or with before taken away */
    uint8_t shift;
    bool before;
    bool usual; /* ticks * mul is all there is to it */
};

struct capture_slot { /* an interface of the current section */
    uint16_t link;
    uint16_t iface;
    uint32_t snaplen; /* 0: no limit */
    bool muted;       /* the filter does not fit its link type */
    const struct bpf_program *filter; /* NULL: all pass */
    struct capture_clock clock;
};

struct capture_file {
    struct capture_source src;
    struct capture_shared *shared;
    size_t number;

    enum capture_format format;
    bool swapped; /* big-endian */
    bool plain;   /* classic pcap with 16-byte record headers, version 2.4 */
    bool modified;
    uint16_t link;
    uint16_t iface;
    uint64_t frac_ns; /* unit of the second half of a time stamp */

    struct capture_slot *slots;
    size_t n_slots;
    size_t slots_cap;
    const struct capture_slot *slot; /* of the packet last read */
    ns_t last;                       /* time of the packet last read */

    struct packet head; /* in a merge: the next packet */
    bool parked;        /* its buffers are given back, head.data is void */

    char *name;
    struct capture_facts facts; /* first: UINT64_MAX before any packet */
    struct capture_fault end;   /* what ended the file */
    struct capture_fault mute;  /* why packets are left out */
    bool has_end;
    bool has_mute;
};

/* Adds an interface to the section and to the shared table (once, also when a
 * later section has it again at the same index). NULL: memory is out or there
 * are too many in this section, and the file has its fault. Void after the
 * next call. */
struct capture_slot *capture_file_add_iface(struct capture_file *f,
                                            uint16_t link, struct span name);

/* The file ends here, at the record that starts at the cursor. */
void capture_file_fault(struct capture_file *f, enum capture_fault_kind kind,
                        const char *fmt, ...) PRINTF(3, 4);

/* want bytes of what could not be had at the cursor: ends the file, with a
 * fault unless the source ended well and nothing was begun. */
void capture_file_short(struct capture_file *f, uint64_t want,
                        const char *what);

static inline void
capture_file_count(struct capture_file *f, const struct packet *k)
{
    struct capture_facts *a = &f->facts;

    a->packets++;
    a->bytes += k->data.n;
    if (k->when > a->last)
        a->last = k->when;
    if (UNLIKELY(k->when < a->first))
        a->first = k->when;
}

#endif
