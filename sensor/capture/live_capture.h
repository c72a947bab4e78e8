#ifndef SPAN25_CAPTURE_LIVE_CAPTURE_H
#define SPAN25_CAPTURE_LIVE_CAPTURE_H
/* live_capture - packets from network interfaces, through libpcap
 *
 *     live_capture_open(&options, &c, message);     needs CAP_NET_RAW
 *     ... all rights are given up here ...
 *     while (live_capture_step(c, 10, &sink, &drained) == ERR_OK)
 *         if (drained)
 *             time has come to live_capture_now(c), less a little
 *     live_capture_close(c);
 *
 * Each interface has a socket with a ring of blocks in shared memory
 * (TPACKET_V3). A block comes when it is full or after timeout_ms. Never
 * libpcap's immediate mode, which is TPACKET_V2: one slot of snaplen bytes for
 * each packet, so that 64 MB hold a thousand packets.
 *
 * Frames come whole up to LIVE_CAPTURE_SNAPLEN: network cards and kernels join
 * segments to frames far above the MTU. A VLAN tag that the card took off is
 * put back in. Interfaces are promiscuous while they are open.
 *
 * Time is the kernel's stamp. When the system clock is set back by
 * LIVE_CAPTURE_STEP_NS or more, all later times are given as if it had not
 * been, until it is set forward again or the capture opened anew: stream time
 * that stands still would stop every timer. Steps are counted.
 *
 * Several interfaces are given as one stream in the order of time, for they may
 * be the two halves of a tap. So a packet of one may wait, for
 * LIVE_CAPTURE_HOLD_NS at most, until the others had time to show theirs.
 *
 * An interface that goes down gives nothing until it comes up; nothing is said
 * of that. One that is deleted is gone for good: its up is false, the others go
 * on, and when all are gone the step says ERR_GONE. A renamed one is followed
 * by its number. A new one by that name needs another live_capture_open, or
 * somebody with the right to it who binds live_capture_fd to it and has
 * live_capture_back called.
 *
 * After open the system calls are poll, getsockopt, ioctl (SIOCGIFFLAGS, when
 * an interface goes down), pread, clock_gettime; memory is not allocated. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/capture/live_filter.h"

enum {
    LIVE_CAPTURE_IFACES_MAX = 16,
    /* IP of 65,535 bytes with its link and VLAN headers does not fit 65,535;
     * "big TCP" is larger still. */
    LIVE_CAPTURE_SNAPLEN = 262144,
    /* Packets of one interface in one step: then another has its turn. */
    LIVE_CAPTURE_TURN = 4096,
};

#define LIVE_CAPTURE_STEP_NS (NS_PER_S / 2)
/* A block of timeout_ms 10 is there after so long, with the kernel's leisure.
 */
#define LIVE_CAPTURE_HOLD_NS (15 * NS_PER_MS)

struct live_capture_options {
    const char *const *ifaces; /* names; copied */
    size_t n_ifaces;           /* 1..LIVE_CAPTURE_IFACES_MAX */
    size_t buffer_bytes;       /* of the ring of each */
    unsigned timeout_ms;
    bool nanoseconds; /* times as the kernel has them; false: microseconds */
    bool absent_ok;   /* open what is there; at least one must be */
    ns_t not_before;  /* times are shifted so that none is before; 0: none is */
    struct live_filter filter;
};

/* Since it was opened. dropped and missed are as of live_capture_count. */
struct live_capture_iface {
    const char *name;
    uint64_t packets; /* taken from the kernel */
    uint64_t bytes;   /* of them, as captured */
    uint64_t dropped; /* by the kernel: the ring was full; left unread */
    uint64_t missed;  /* by the card or its driver, whatever they were */
    ns_t last;        /* time of the last packet; 0: none */
    uint16_t link;    /* LINKTYPE_ */
    bool up;
};

struct live_capture_sink {
    void (*packet)(void *ctx, const struct packet *p); /* p borrowed */
    void *ctx;
};

struct live_capture;

/* message gets one line: which interface, what is wrong, what to do. ERR_PERM:
 * CAP_NET_RAW is missing. ERR_GONE: there is no such interface, or it is down.
 * ERR_USAGE: the filter. ERR_NOMEM, ERR_IO. */
MUST_USE enum err live_capture_open(const struct live_capture_options *o,
                                    struct live_capture **out,
                                    struct buf *message);
void live_capture_close(struct live_capture *c); /* NULL is fine */

/* Waits up to wait_ms for packets and gives what there is. drained: whatever
 * was stamped LIVE_CAPTURE_HOLD_NS before live_capture_now has been given. */
MUST_USE enum err live_capture_step(struct live_capture *c, unsigned wait_ms,
                                    const struct live_capture_sink *sink,
                                    bool *drained);

/* The clock that packet times go by, as the last step read it. */
ns_t live_capture_now(const struct live_capture *c);
uint64_t live_capture_clock_steps(const struct live_capture *c);

/* Its socket, or -1: it was not there. */
int live_capture_fd(const struct live_capture *c, size_t i);
/* The socket was bound to an interface of the same kind that is there. */
void live_capture_back(struct live_capture *c, size_t i);

/* Asks the kernel for its counters. */
void live_capture_count(struct live_capture *c);

/* Packets that were in the rings when the kernel was asked last and have not
 * been given since. So long as none came between the opening of a socket and
 * its filter it is exact; else it may be less by those. Of the loopback it is
 * always 0. */
uint64_t live_capture_unread(const struct live_capture *c);

/* The end: asks the kernel for its counters, and what is unread is dropped, and
 * counted so. Then packets and dropped are all that the filter took. */
void live_capture_leave(struct live_capture *c);

size_t live_capture_n(const struct live_capture *c);
const struct live_capture_iface *
live_capture_iface(const struct live_capture *c, size_t i);

#endif
