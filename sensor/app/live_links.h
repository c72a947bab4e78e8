#ifndef SPAN25_APP_LIVE_LINKS_H
#define SPAN25_APP_LIVE_LINKS_H
/* live_links - interfaces that go, come back, or change their names
 *
 * A worker has no right to open a socket, so the supervisor looks after its
 * interfaces. Workers hand it copies of their sockets at the start, through a
 * socket pair, and it reads no packet from them. An interface that is there
 * under its name with another number than a socket is bound to (deleted and
 * made again, or its name given to another) gets those sockets bound anew:
 * their worker and all other interfaces go on. Where that cannot be (the worker
 * began without it; the link is of another kind) the worker is asked to end
 * and another takes its place. One that was renamed is followed by its number,
 * for as long as nobody else has its name.
 *
 * The time in which an interface was down or not there is told to the core as
 * a gap, as far as looks each 100 ms can tell. */
#include "sensor/app/live_orders.h"

struct live_links {
    struct live *live;
    struct live_orders *orders;
    int ask;                     /* a socket to ask with; -1: none */
    ns_t since[LIVE_IFACES_MAX]; /* UTC; 0: it is there */
    struct {
        int from; /* its end of the pair; -1: it has handed all over */
        bool handed;
        int fd[LIVE_IFACES_MAX];   /* -1: it has none */
        int kind[LIVE_IFACES_MAX]; /* ARPHRD_ of what it was opened on */
    } worker[LIVE_WORKERS_MAX];
};

void live_links_init(struct live_links *k, struct live *l,
                     struct live_orders *o);

/* Before a worker is forked: its end of a new pair, or -1. The parent closes
 * that one after the fork; what was of the worker before is forgotten. */
int live_links_expect(struct live_links *k, unsigned worker);
/* In a new process: what is of workers is closed there. */
void live_links_leave(struct live_links *k);

/* In the worker, before it gives up its rights; closes to. fds: -1 where an
 * interface is not open. */
void live_links_hand_over(int to, const int *fds, size_t n);

/* At least each 100 ms. */
void live_links_turn(struct live_links *k);

#endif
