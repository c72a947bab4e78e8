#include "sensor/capture/live_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/base/text.h"

#define FILTER_MAX   (1U << 20) /* bytes of the text */
#define FUTURE_NS    NS_PER_S   /* a stamp so far ahead is from before a step */
#define LINKTYPE_RAW 101
#define LOOPBACK     "lo"

struct live_iface_state {
    struct live_capture_iface facts;
    char *name;
    struct live_capture *capture;
    const struct live_capture_sink *sink; /* of the step that runs */
    pcap_t *pcap;
    int missed_fd;        /* the driver's counter in /sys; -1: none */
    uint64_t missed_base; /* what it said at first */
    uint64_t arrived;     /* in its ring, as the kernel counted them last */
    uint16_t number;
    struct packet next; /* of several interfaces: waits for its turn */
    bool has_next;
    bool is_empty; /* its ring, in this step */
};

struct live_capture {
    struct live_iface_state iface[LIVE_CAPTURE_IFACES_MAX];
    struct pollfd poll[LIVE_CAPTURE_IFACES_MAX];
    size_t n;
    ns_t now;
    ns_t shift;    /* added to all times */
    ns_t unit;     /* of the fraction in libpcap's times */
    int64_t ahead; /* realtime less monotonic, when last read */
    uint64_t steps;
    bool is_first; /* of the workers: counts what is counted per interface */
};

/* ---- the clock ---- */

static ns_t
read_clock(clockid_t id)
{
    struct timespec t = {0};

    (void)clock_gettime(id, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

static void
step_clock(struct live_capture *c, int64_t by)
{
    const ns_t size = by < 0 ? 0 - (ns_t)by : (ns_t)by;

    if (size < LIVE_CAPTURE_STEP_NS)
        return;
    c->steps++;
    if (by < 0)
        c->shift += size;
    else
        c->shift -= size < c->shift ? size : c->shift;
}

static void
look_at_clock(struct live_capture *c)
{
    const ns_t real = read_clock(CLOCK_REALTIME);
    const int64_t ahead = (int64_t)(real - read_clock(CLOCK_MONOTONIC));

    step_clock(c, ahead - c->ahead);
    c->ahead = ahead;
    c->now = real + c->shift;
}

static void
start_clock(struct live_capture *c, ns_t not_before)
{
    const ns_t real = read_clock(CLOCK_REALTIME);

    c->ahead = (int64_t)(real - read_clock(CLOCK_MONOTONIC));
    if (not_before > real)
        c->shift = not_before - real;
    c->now = real + c->shift;
}

/* Packets that waited while the clock was set carry the old time. */
static ns_t
when_of(const struct live_capture *c, const struct timeval *tv)
{
    const ns_t t = (ns_t)tv->tv_sec * NS_PER_S + (ns_t)tv->tv_usec * c->unit;

    return t + c->shift > c->now + FUTURE_NS ? t : t + c->shift;
}

/* ---- opening ---- */

static enum err
err_of(int status)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED: return ERR_PERM;
    case PCAP_ERROR_NO_SUCH_DEVICE:
    case PCAP_ERROR_IFACE_NOT_UP: return ERR_GONE;
    default: return ERR_IO;
    }
}

static const char *
advice_of(enum err e, int status)
{
    if (e == ERR_PERM)
        return "; capturing needs CAP_NET_RAW: run as the unit does "
               "(AmbientCapabilities=CAP_NET_RAW), or once: setcap "
               "cap_net_raw=ep on the program";
    if (status == PCAP_ERROR_IFACE_NOT_UP)
        return "; set it up: ip link set dev NAME up";
    return e == ERR_GONE ? "; see: ip link" : "";
}

static enum err
refuse(const struct live_iface_state *i, int status, struct buf *message)
{
    const enum err e = err_of(status);
    const char *more = i->pcap != NULL ? pcap_geterr(i->pcap) : "";

    text_term(message, span_str(i->name));
    buf_printf(message, ": %s", pcap_statustostr(status));
    if (e == ERR_IO && more[0] != '\0')
        buf_printf(message, " (%s)", more);
    buf_str(message, advice_of(e, status));
    return e;
}

static int
activate(struct live_iface_state *i, const struct live_capture_options *o)
{
    pcap_t *p = i->pcap;
    char why[PCAP_ERRBUF_SIZE];
    int status;
    const int most = 1 << 30;

    (void)pcap_set_snaplen(p, LIVE_CAPTURE_SNAPLEN);
    (void)pcap_set_promisc(p, 1);
    if (o->nanoseconds &&
        pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO) != 0)
        return PCAP_ERROR;
    (void)pcap_set_timeout(p, (int)o->timeout_ms);
    (void)pcap_set_buffer_size(
        p, o->buffer_bytes < (size_t)most ? (int)o->buffer_bytes : most);
    status = pcap_activate(p);
    if (status >= 0 && pcap_setnonblock(p, 1, why) != 0)
        status = PCAP_ERROR;
    return status;
}

static bool
set_filter_text(pcap_t *p, const struct live_filter *f, bool plain)
{
    struct bpf_program code;
    struct buf text;
    bool good = false;

    buf_init(&text, FILTER_MAX);
    live_filter_text(f, plain, &text);
    buf_putc(&text, '\0');
    if (!text.cut && !text.failed &&
        pcap_compile(p, &code, (const char *)text.p, 1, PCAP_NETMASK_UNKNOWN) ==
            0) {
        good = pcap_setfilter(p, &code) == 0;
        pcap_freecode(&code);
    }
    buf_free(&text);
    return good;
}

/* Links that know no VLANs do not take the words for them. What came before the
 * filter was set has no place here: libpcap drops it. */
static enum err
set_filter(struct live_iface_state *i, const struct live_filter *f,
           struct buf *message)
{
    if (set_filter_text(i->pcap, f, false) || set_filter_text(i->pcap, f, true))
        return ERR_OK;
    text_term(message, span_str(i->name));
    buf_str(message, ": the filter does not fit: ");
    text_term(message, span_str(pcap_geterr(i->pcap)));
    buf_str(message, "; see pcap-filter(7)");
    return ERR_USAGE;
}

/* LINKTYPE_ and DLT_ differ in few values; of those only raw IP comes live. */
static uint16_t
link_of(pcap_t *p)
{
    const int dlt = pcap_datalink(p);

    return dlt == DLT_RAW ? LINKTYPE_RAW : (uint16_t)dlt;
}

static bool
read_missed(const struct live_iface_state *i, uint64_t *out)
{
    char text[32];
    ssize_t n;
    uint64_t v = 0;

    if (i->missed_fd < 0)
        return false;
    n = pread(i->missed_fd, text, sizeof(text), 0);
    if (n <= 0)
        return false;
    for (ssize_t k = 0; k < n && text[k] >= '0' && text[k] <= '9'; k++)
        v = v * 10 + (uint64_t)(text[k] - '0');
    *out = v;
    return true;
}

/* The file is opened once: later there is no file system. */
static void
open_missed(struct live_iface_state *i)
{
    struct buf path;

    buf_init(&path, 256);
    buf_printf(&path, "/sys/class/net/%s/statistics/rx_missed_errors", i->name);
    buf_putc(&path, '\0');
    if (!path.cut && !path.failed && strchr(i->name, '/') == NULL)
        i->missed_fd = open((const char *)path.p, O_RDONLY | O_CLOEXEC);
    buf_free(&path);
    (void)read_missed(i, &i->missed_base);
}

/* PACKET_STATISTICS starts anew each time it is read. pcap_stats would open
 * files in /sys. */
static void
ask_kernel(struct live_iface_state *i)
{
    struct tpacket_stats_v3 s = {0};
    socklen_t n = sizeof(s);

    if (getsockopt(pcap_fileno(i->pcap), SOL_PACKET, PACKET_STATISTICS, &s,
                   &n) != 0)
        return;
    i->facts.dropped += s.tp_drops;
    i->arrived += s.tp_packets - s.tp_drops;
}

/* What came before the filter was there is not what was asked for. */
static void
begin_counts(struct live_iface_state *i)
{
    ask_kernel(i);
    i->facts.dropped = i->arrived = 0;
}

static void
shut(struct live_iface_state *i)
{
    if (i->pcap != NULL)
        pcap_close(i->pcap);
    i->pcap = NULL;
    i->facts.up = false;
}

static enum err
open_iface(struct live_capture *c, struct live_iface_state *i,
           const struct live_capture_options *o, struct buf *message)
{
    char why[PCAP_ERRBUF_SIZE];
    enum err e;
    int status;

    i->pcap = pcap_create(i->name, why);
    if (i->pcap == NULL)
        return refuse(i, PCAP_ERROR, message);
    status = activate(i, o);
    e = status < 0 ? refuse(i, status, message)
                   : set_filter(i, &o->filter, message);
    if (e != ERR_OK) {
        shut(i);
        return e;
    }
    i->facts.link = link_of(i->pcap);
    i->facts.up = true;
    c->poll[i->number].fd = pcap_get_selectable_fd(i->pcap);
    begin_counts(i);
    if (c->is_first)
        open_missed(i);
    return ERR_OK;
}

static enum err
open_all(struct live_capture *c, const struct live_capture_options *o,
         struct buf *message)
{
    enum err e = ERR_OK;
    size_t n_up = 0;

    for (size_t k = 0; k < c->n; k++) {
        struct live_iface_state *i = &c->iface[k];

        i->name = strdup(o->ifaces[k]);
        if (i->name == NULL)
            return ERR_NOMEM;
        i->facts.name = i->name;
        buf_reset(message);
        e = open_iface(c, i, o, message);
        n_up += e == ERR_OK;
        if (e != ERR_OK && (e != ERR_GONE || !o->absent_ok))
            return e;
    }
    if (n_up == 0)
        return e;
    buf_reset(message);
    return ERR_OK;
}

enum err
live_capture_open(const struct live_capture_options *o,
                  struct live_capture **out, struct buf *message)
{
    struct live_capture *c;
    enum err e;

    REQUIRE(o->n_ifaces >= 1 && o->n_ifaces <= LIVE_CAPTURE_IFACES_MAX);
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NOMEM;
    c->n = o->n_ifaces;
    c->is_first = o->filter.share.worker == 0;
    for (size_t k = 0; k < c->n; k++) {
        c->iface[k].number = (uint16_t)k;
        c->iface[k].capture = c;
        c->iface[k].missed_fd = -1;
        c->poll[k] = (struct pollfd){.fd = -1, .events = POLLIN};
    }
    c->unit = o->nanoseconds ? 1 : NS_PER_US;
    start_clock(c, o->not_before);
    e = open_all(c, o, message);
    if (e != ERR_OK) {
        live_capture_close(c);
        return e;
    }
    *out = c;
    return ERR_OK;
}

void
live_capture_close(struct live_capture *c)
{
    if (c == NULL)
        return;
    for (size_t k = 0; k < c->n; k++) {
        shut(&c->iface[k]);
        if (c->iface[k].missed_fd >= 0)
            (void)close(c->iface[k].missed_fd);
        free(c->iface[k].name);
    }
    free(c);
}

/* ---- packets ---- */

static void
count(struct live_iface_state *i, const struct pcap_pkthdr *h,
      const u_char *bytes, struct packet *out)
{
    *out = (struct packet){
        .data = span_of(bytes, h->caplen),
        .wire_len = h->len,
        .link = i->facts.link,
        .iface = i->number,
        .when = when_of(i->capture, &h->ts),
    };
    i->facts.packets++;
    i->facts.bytes += h->caplen;
    i->facts.last = out->when;
}

static void
on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct live_iface_state *i = (struct live_iface_state *)(void *)user;
    struct packet p;

    count(i, h, bytes, &p);
    i->sink->packet(i->sink->ctx, &p);
}

/* It stays open: to close it takes system calls that may be gone. */
static void
lose(struct live_iface_state *i)
{
    i->facts.up = false;
    i->capture->poll[i->number].fd = -1;
}

/* What a step found. */
struct taken {
    size_t n;     /* packets given */
    bool drained; /* all are given but those that wait for their turn */
    bool holds;   /* some wait */
};

static struct taken
take_one(struct live_iface_state *i, const struct live_capture_sink *sink)
{
    int n = 0;

    if (i->facts.up) {
        i->sink = sink;
        n = pcap_dispatch(i->pcap, LIVE_CAPTURE_TURN, on_frame,
                          (u_char *)(void *)i);
    }
    if (n < 0)
        lose(i);
    return (struct taken){.n = n > 0 ? (size_t)n : 0, .drained = n <= 0};
}

/* The bytes stay in place until the interface is asked again. An empty ring is
 * asked once in a step: that takes a system call. */
static bool
has_next(struct live_iface_state *i)
{
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int status;

    if (i->has_next || i->is_empty || !i->facts.up)
        return i->has_next;
    status = pcap_next_ex(i->pcap, &h, &bytes);
    i->has_next = status == 1;
    i->is_empty = status == 0;
    if (status == 1)
        count(i, h, bytes, &i->next);
    else if (status != 0)
        lose(i);
    return i->has_next;
}

/* The earliest of all; complete: there is one of each interface. */
static struct live_iface_state *
earliest(struct live_capture *c, bool *complete)
{
    struct live_iface_state *best = NULL;

    *complete = true;
    for (size_t k = 0; k < c->n; k++) {
        struct live_iface_state *i = &c->iface[k];

        if (!has_next(i))
            *complete &= !i->facts.up;
        else if (best == NULL || i->next.when < best->next.when)
            best = i;
    }
    return best;
}

/* Several interfaces are one stream in the order of time: they may be the two
 * halves of a tap. Where one has nothing, a packet of another is given once
 * nothing earlier can come. */
static struct taken
take_in_order(struct live_capture *c, const struct live_capture_sink *sink)
{
    const ns_t settled = c->now - LIVE_CAPTURE_HOLD_NS;
    struct taken t = {.drained = false};

    for (size_t k = 0; k < c->n; k++)
        c->iface[k].is_empty = false;
    while (t.n < LIVE_CAPTURE_TURN) {
        bool complete;
        struct live_iface_state *i = earliest(c, &complete);

        t.holds = i != NULL;
        if (i == NULL || (!complete && i->next.when > settled)) {
            t.drained = true;
            break;
        }
        sink->packet(sink->ctx, &i->next);
        i->has_next = false;
        t.n++;
    }
    return t;
}

static struct taken
take(struct live_capture *c, const struct live_capture_sink *sink)
{
    return c->n == 1 ? take_one(&c->iface[0], sink) : take_in_order(c, sink);
}

static enum err
is_alive(const struct live_capture *c)
{
    for (size_t k = 0; k < c->n; k++) {
        if (c->iface[k].facts.up)
            return ERR_OK;
    }
    return ERR_GONE;
}

/* A block that was read in part is no news to poll: so it is asked only when
 * nothing came, and not about the rings where a packet waits for its turn,
 * which have more for sure. Errors of a socket are for libpcap to find. */
static void
wait_for_more(struct live_capture *c, bool holds, unsigned wait_ms)
{
    const unsigned nap = LIVE_CAPTURE_HOLD_NS / NS_PER_MS / 3;

    if (holds)
        (void)poll(NULL, 0, (int)(wait_ms < nap ? wait_ms : nap));
    else
        (void)poll(c->poll, c->n, (int)wait_ms);
}

/* The clock is read before the rings are looked at: what is stamped before it
 * and not there yet is in a block that its timer has not closed. */
enum err
live_capture_step(struct live_capture *c, unsigned wait_ms,
                  const struct live_capture_sink *sink, bool *drained)
{
    struct taken t;

    look_at_clock(c);
    t = take(c, sink);
    if (t.n == 0 && wait_ms > 0 && is_alive(c) == ERR_OK) {
        wait_for_more(c, t.holds, wait_ms);
        look_at_clock(c);
        t = take(c, sink);
    }
    *drained = t.drained;
    return is_alive(c);
}

/* ---- what is known ---- */

void
live_capture_count(struct live_capture *c)
{
    for (size_t k = 0; k < c->n; k++) {
        struct live_iface_state *i = &c->iface[k];
        uint64_t missed;

        if (!i->facts.up)
            continue;
        ask_kernel(i);
        if (read_missed(i, &missed) && missed >= i->missed_base)
            i->facts.missed = missed - i->missed_base;
    }
}

/* libpcap drops one of the two copies of a packet on the loopback unseen. */
static uint64_t
unread_of(const struct live_iface_state *i)
{
    return i->facts.up && i->arrived > i->facts.packets &&
                   strcmp(i->name, LOOPBACK) != 0
               ? i->arrived - i->facts.packets
               : 0;
}

uint64_t
live_capture_unread(const struct live_capture *c)
{
    uint64_t n = 0;

    for (size_t k = 0; k < c->n; k++)
        n += unread_of(&c->iface[k]);
    return n;
}

void
live_capture_leave(struct live_capture *c)
{
    live_capture_count(c);
    for (size_t k = 0; k < c->n; k++) {
        const uint64_t n = unread_of(&c->iface[k]);

        c->iface[k].facts.dropped += n;
        c->iface[k].arrived -= n;
    }
}

ns_t
live_capture_now(const struct live_capture *c)
{
    return c->now;
}

uint64_t
live_capture_clock_steps(const struct live_capture *c)
{
    return c->steps;
}

size_t
live_capture_n(const struct live_capture *c)
{
    return c->n;
}

const struct live_capture_iface *
live_capture_iface(const struct live_capture *c, size_t i)
{
    REQUIRE(i < c->n);
    return &c->iface[i].facts;
}

int
live_capture_fd(const struct live_capture *c, size_t i)
{
    REQUIRE(i < c->n);
    return c->iface[i].pcap != NULL ? pcap_fileno(c->iface[i].pcap) : -1;
}

void
live_capture_back(struct live_capture *c, size_t i)
{
    REQUIRE(i < c->n);
    if (c->iface[i].pcap == NULL)
        return;
    c->iface[i].facts.up = true;
    c->poll[i].fd = pcap_get_selectable_fd(c->iface[i].pcap);
}
