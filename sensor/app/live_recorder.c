#include "sensor/app/live_recorder.h"

#include "sensor/app/confine.h"
#include "sensor/app/log.h"
#include "sensor/capture/live_capture.h"
#include "sensor/capture/recorder.h"
#include "sensor/net/decode.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS     100U
#define TIMEOUT_MS  100U /* of a block in the kernel's ring: nobody waits */
#define SHARE       4U   /* a segment is so much of the ring at most */
#define FOLDER      "evidence"
#define PATH_BYTES  4096U
#define DRAIN_STEPS 64U

struct live_recorder {
    struct live *live;
    struct live_capture *capture;
    struct recorder *recorder;
    int folder;
    uint64_t base_packets, base_dropped; /* of the recorders before */
    enum recorder_state told;
};

static const char *
state_word(enum recorder_state s)
{
    switch (s) {
    case RECORDER_RUNS: return "runs";
    case RECORDER_FULL: return "stopped: limits.disk_percent is reached";
    case RECORDER_FAILED: return "stopped: cannot write";
    }
    return "";
}

static void
log_state(enum recorder_state s)
{
    struct log_line l;

    log_begin(&l, s == RECORDER_RUNS ? LOG_AT_INFO : LOG_AT_ERROR, "recorder");
    log_string(&l, "state", span_str(state_word(s)));
    log_end(&l, STDERR_FILENO);
}

/* ---- packets ---- */

static void
on_packet(void *ctx, const struct packet *p)
{
    struct live_recorder *r = ctx;
    struct evidence_key key;
    struct decoded d;

    decode_packet(p, &d);
    if (d.kind == PACKET_TCP)
        key = evidence_key(&d.src, d.sport, &d.dst, d.dport);
    recorder_packet(r->recorder, p, d.kind == PACKET_TCP ? &key : NULL);
}

/* ---- the board ---- */

static uint64_t
dropped(struct live_recorder *r)
{
    uint64_t sum = 0;

    live_capture_count(r->capture);
    for (size_t i = 0; i < live_capture_n(r->capture); i++)
        sum += live_capture_iface(r->capture, i)->dropped;
    return sum;
}

static void
show(struct live_recorder *r)
{
    struct live_board *b = r->live->board;
    const struct recorder_counts c = recorder_counts(r->recorder);
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    atomic_store(&b->recorder.beat_mono_ns,
                 (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec);
    atomic_store(&b->recorder_packets, r->base_packets + c.packets);
    atomic_store(&b->recorder_dropped,
                 r->base_dropped + c.skipped + dropped(r));
    atomic_store(&b->recorder_bytes, c.bytes);
    atomic_store(&b->recorder_oldest_utc_ns, c.oldest);
    atomic_store(&b->recorder_stopped, c.state);
    if (c.state != r->told)
        log_state(c.state);
    r->told = c.state;
}

/* ---- life ---- */

static enum err
step(struct live_recorder *r, unsigned wait_ms, bool *drained)
{
    const struct live_capture_sink sink = {on_packet, r};
    const enum err e = live_capture_step(r->capture, wait_ms, &sink, drained);

    recorder_turn(r->recorder, live_capture_now(r->capture));
    show(r);
    return e;
}

static enum err
loop(struct live_recorder *r)
{
    enum err e = ERR_OK;
    bool drained = false;

    while (e == ERR_OK && *r->live->stop == 0)
        e = step(r, WAIT_MS, &drained);
    drained = false;
    for (unsigned i = 0; e == ERR_OK && i < DRAIN_STEPS && !drained; i++)
        e = step(r, 0, &drained);
    return e;
}

static enum err
open_folder(struct live_recorder *r)
{
    struct buf path;

    buf_init(&path, PATH_BYTES);
    buf_printf(&path, "%s/" FOLDER, r->live->state);
    buf_putc(&path, '\0');
    if (!path.cut && !path.failed)
        r->folder = open((const char *)path.p,
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    buf_free(&path);
    return r->folder >= 0 ? ERR_OK : ERR_IO;
}

static enum err
open_capture(struct live_recorder *r, struct buf *message)
{
    const struct live *l = r->live;
    const struct live_capture_options o = {
        .ifaces = l->capture.ifaces,
        .n_ifaces = l->capture.n_ifaces,
        .buffer_bytes = l->capture.buffer_bytes,
        .timeout_ms = TIMEOUT_MS,
        .nanoseconds = true,
        .absent_ok = true,
        .filter = {.user = l->plan.filter,
                   .ports = l->plan.ports,
                   .n_ports = l->plan.n_ports,
                   .tunnels = l->capture.tunnels,
                   .share = {.n_workers = 1}},
    };

    return live_capture_open(&o, &r->capture, message);
}

static enum err
open_ring(struct live_recorder *r)
{
    const struct config *c = &r->live->cli->config;
    struct recorder_iface ifaces[RECORDER_IFACES];
    const struct recorder_options o = {
        .bytes = c->packets_bytes,
        .segment = c->packets_segment < c->packets_bytes / SHARE
                       ? c->packets_segment
                       : c->packets_bytes / SHARE,
        .keep = c->packets_keep,
        .disk_percent = (unsigned)c->disk_percent,
        .snaplen = LIVE_CAPTURE_SNAPLEN,
        .seed = r->live->seed,
        .ifaces = ifaces,
        .n_ifaces = live_capture_n(r->capture),
    };

    for (size_t i = 0; i < o.n_ifaces; i++) {
        const struct live_capture_iface *f = live_capture_iface(r->capture, i);

        ifaces[i] = (struct recorder_iface){f->name, f->link};
    }
    return recorder_open(r->folder, &o, &r->recorder);
}

static void
say(const struct buf *message)
{
    struct log_line l;

    if (message->n == 0)
        return;
    log_begin(&l, LOG_AT_ERROR, "recorder");
    log_string(&l, "text", buf_view(message));
    log_end(&l, STDERR_FILENO);
}

static enum err
start(struct live_recorder *r)
{
    struct live_board *b = r->live->board;
    struct buf message;
    enum err e;

    r->base_packets = atomic_load(&b->recorder_packets);
    r->base_dropped = atomic_load(&b->recorder_dropped);
    buf_init(&message, 4096);
    e = open_folder(r);
    if (e == ERR_OK)
        e = open_capture(r, &message);
    if (e == ERR_OK)
        e = open_ring(r);
    if (e != ERR_OK && message.n == 0)
        buf_str(&message, err_text(e));
    say(&message);
    buf_free(&message);
    return e;
}

enum err
live_recorder_run(struct live *l)
{
    struct live_recorder r = {.live = l, .folder = -1};
    enum err e = start(&r);

    if (e == ERR_OK)
        e = confine_recorder(r.folder);
    if (e == ERR_OK)
        e = loop(&r);
    /* The sockets stay: to close them takes calls that are gone. */
    recorder_close(r.recorder);
    return e;
}
