#include "sensor/app/live_links.h"

#include "sensor/app/clock.h"
#include "sensor/app/log.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- sockets of workers ---- */

static void
shut(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
forget(struct live_links *k, unsigned w)
{
    shut(&k->worker[w].from);
    k->worker[w].handed = false;
    for (unsigned i = 0; i < LIVE_IFACES_MAX; i++)
        shut(&k->worker[w].fd[i]);
}

void
live_links_init(struct live_links *k, struct live *l, struct live_orders *o)
{
    *k = (struct live_links){.live = l, .orders = o};
    k->ask = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (unsigned w = 0; w < LIVE_WORKERS_MAX; w++) {
        k->worker[w].from = -1;
        for (unsigned i = 0; i < LIVE_IFACES_MAX; i++)
            k->worker[w].fd[i] = -1;
    }
}

int
live_links_expect(struct live_links *k, unsigned worker)
{
    int pair[2];

    forget(k, worker);
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    k->worker[worker].from = pair[0];
    return pair[1];
}

void
live_links_leave(struct live_links *k)
{
    shut(&k->ask);
    for (unsigned w = 0; w < LIVE_WORKERS_MAX; w++)
        forget(k, w);
}

/* Room for the message of one worker: a bit for each socket that follows. */
union room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(LIVE_IFACES_MAX * sizeof(int))];
};

void
live_links_hand_over(int to, const int *fds, size_t n)
{
    int open[LIVE_IFACES_MAX];
    uint32_t which = 0;
    size_t n_open = 0;
    union room room = {0};
    struct iovec io = {&which, sizeof(which)};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

    if (to < 0)
        return;
    for (size_t i = 0; i < n && i < LIVE_IFACES_MAX; i++) {
        if (fds[i] < 0)
            continue;
        which |= UINT32_C(1) << i;
        open[n_open++] = fds[i];
    }
    if (n_open > 0) {
        m.msg_control = room.bytes;
        m.msg_controllen = CMSG_SPACE(n_open * sizeof(int));
        room.align =
            (struct cmsghdr){.cmsg_len = CMSG_LEN(n_open * sizeof(int)),
                             .cmsg_level = SOL_SOCKET,
                             .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), open, n_open * sizeof(int));
    }
    (void)!sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)close(to);
}

static struct sockaddr_ll
bound_to(int fd)
{
    struct sockaddr_ll at = {0};
    socklen_t n = sizeof(at);

    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        at.sll_ifindex = 0;
    return at;
}

static void
keep(struct live_links *k, unsigned w, uint32_t which, const int *fds, size_t n)
{
    size_t used = 0;

    for (unsigned i = 0; i < LIVE_IFACES_MAX; i++) {
        if ((which >> i & 1U) == 0 || used == n)
            continue;
        k->worker[w].kind[i] = bound_to(fds[used]).sll_hatype;
        k->worker[w].fd[i] = fds[used++];
    }
    for (; used < n; used++)
        (void)close(fds[used]);
}

static void
receive(struct live_links *k, unsigned w)
{
    int fds[LIVE_IFACES_MAX];
    uint32_t which = 0;
    size_t n = 0;
    union room room;
    struct iovec io = {&which, sizeof(which)};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = room.bytes,
                       .msg_controllen = sizeof(room.bytes)};
    const struct cmsghdr *c;

    if (k->worker[w].from < 0 ||
        recvmsg(k->worker[w].from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) !=
            sizeof(which))
        return;
    c = CMSG_FIRSTHDR(&m);
    if (c != NULL && c->cmsg_type == SCM_RIGHTS) {
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    }
    keep(k, w, which, fds, n);
    k->worker[w].handed = true;
    shut(&k->worker[w].from);
}

/* ---- what there is ---- */

struct link {
    int number; /* 0: nobody has this name */
    int kind;   /* ARPHRD_ */
    bool up;
};

static void
name_request(struct ifreq *r, const char *name)
{
    *r = (struct ifreq){0};
    (void)snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", name);
}

static struct link
look(const struct live_links *k, const char *name)
{
    struct link found = {0};
    struct ifreq r;

    name_request(&r, name);
    if (ioctl(k->ask, SIOCGIFINDEX, &r) != 0)
        return found;
    found.number = r.ifr_ifindex;
    name_request(&r, name);
    if (ioctl(k->ask, SIOCGIFFLAGS, &r) == 0)
        found.up = (r.ifr_flags & IFF_UP) != 0;
    name_request(&r, name);
    if (ioctl(k->ask, SIOCGIFHWADDR, &r) == 0)
        found.kind = r.ifr_hwaddr.sa_family;
    return found;
}

/* The one that has this number has another name now. */
static struct link
look_by_number(const struct live_links *k, int number)
{
    struct ifreq r = {.ifr_ifindex = number};
    char name[IFNAMSIZ];

    if (number <= 0 || ioctl(k->ask, SIOCGIFNAME, &r) != 0)
        return (struct link){0};
    memcpy(name, r.ifr_name, sizeof(name));
    name[sizeof(name) - 1] = '\0';
    return look(k, name);
}

/* ---- bound anew ---- */

static bool
bind_to(int fd, int kind, const struct link *to)
{
    const struct sockaddr_ll at = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = to->number};
    const struct packet_mreq all = {.mr_ifindex = to->number,
                                    .mr_type = PACKET_MR_PROMISC};

    if (kind != to->kind ||
        bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        return false;
    (void)setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
    return true;
}

/* Of one worker; *number: what it is bound to. */
static void
follow(struct live_links *k, unsigned w, unsigned i, const struct link *now,
       int *number)
{
    struct live_worker *b = &k->live->board->worker[w];
    const int fd = k->worker[w].fd[i];

    if (!k->worker[w].handed)
        return;
    if (fd >= 0)
        *number = bound_to(fd).sll_ifindex;
    if (now->number == 0 || !now->up || (fd >= 0 && *number == now->number))
        return;
    if (fd >= 0 && bind_to(fd, k->worker[w].kind[i], now)) {
        *number = now->number;
        atomic_fetch_add(&b->iface[i].bound, 1);
    } else {
        atomic_store(&b->leave, 1);
    }
}

static void
say(const struct live_links *k, enum log_level level, const char *event,
    unsigned i)
{
    struct log_line l;

    log_begin(&l, level, event);
    log_string(&l, "interface", span_str(k->live->capture.ifaces[i]));
    log_end(&l, STDERR_FILENO);
}

/* libpcap may have given up an interface that is up again, or was never away
 * for as long as it takes to look twice. */
static void
wake(const struct live_links *k, unsigned i)
{
    for (unsigned w = 0; w < k->live->plan.n_workers; w++) {
        struct live_iface *b = &k->live->board->worker[w].iface[i];

        if (k->worker[w].fd[i] >= 0 && atomic_load(&b->up) == 0)
            atomic_fetch_add(&b->bound, 1);
    }
}

static void
note(struct live_links *k, unsigned i, bool is_there)
{
    struct buf text;

    if (is_there == (k->since[i] == 0))
        return;
    if (!is_there) {
        k->since[i] = clock_of(CLOCK_REALTIME);
        say(k, LOG_AT_ERROR, "interface_gone", i);
        return;
    }
    buf_init(&text, 256);
    buf_printf(&text, "interface %s: down or not there",
               k->live->capture.ifaces[i]);
    live_orders_gap(k->orders, buf_view(&text), k->since[i]);
    buf_free(&text);
    k->since[i] = 0;
    say(k, LOG_AT_INFO, "interface_back", i);
}

static void
turn_one(struct live_links *k, unsigned i)
{
    struct link now = look(k, k->live->capture.ifaces[i]);
    int number = 0;

    for (unsigned w = 0; w < k->live->plan.n_workers; w++)
        follow(k, w, i, &now, &number);
    if (now.number == 0)
        now = look_by_number(k, number);
    if (now.up)
        wake(k, i);
    note(k, i, now.up);
}

void
live_links_turn(struct live_links *k)
{
    for (unsigned w = 0; w < k->live->plan.n_workers; w++)
        receive(k, w);
    for (unsigned i = 0; i < k->live->capture.n_ifaces; i++)
        turn_one(k, i);
}
