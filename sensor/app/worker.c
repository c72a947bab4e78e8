#include "sensor/app/worker.h"

#include "sensor/app/worker_parts.h"
#include "sensor/capture/capture.h"

#define TABLE_SEED    UINT64_C(0x7370616e3235) /* read: a fixed one */
#define PROGRESS_MASK 0xfffU

struct reading {
    struct worker parts;
    struct ring *ring;
    struct capture *capture;
};

static void
put(void *ctx, struct span record)
{
    struct reading *d = ctx;

    ring_put_wait(d->ring, record);
}

static struct span
iface_name(void *ctx, uint16_t iface)
{
    const struct reading *d = ctx;

    return iface < capture_n_ifaces(d->capture)
               ? capture_iface(d->capture, iface)->name
               : SPAN_NONE;
}

/* ---- farewell ---- */

static void
tell_inputs(struct reading *d)
{
    struct record_out *r = &d->parts.out;

    for (size_t i = 0; i < capture_n_files(d->capture); i++) {
        const struct capture_facts facts = capture_facts(d->capture, i);
        const struct capture_facts *f = &facts;

        worker_parts_begin(&d->parts, EVENT_CONTROL);
        record_text(r, FIELD_CONTROL_KIND, "input");
        record_text(r, FIELD_CONTROL_TEXT, f->name);
        record_u64(r, FIELD_CONTROL_NUMBER, f->size);
        record_u64(r, FIELD_STATS_PACKETS, f->packets);
        record_u64(r, FIELD_STATS_BYTES, f->bytes);
        if (f->packets > 0) {
            record_time(r, FIELD_STATS_FIRST, f->first);
            record_time(r, FIELD_STATS_LAST, f->last);
        }
        worker_parts_put(&d->parts);
    }
}

static void
tell_faults(struct reading *d)
{
    struct record_out *r = &d->parts.out;

    for (size_t i = 0; i < capture_n_faults(d->capture); i++) {
        const struct capture_fault *f = capture_fault(d->capture, i);
        struct buf text;

        buf_init(&text, 8192);
        buf_str(&text, capture_facts(d->capture, f->file).name);
        buf_str(&text, ": ");
        buf_str(&text, f->text);
        worker_parts_begin(&d->parts, EVENT_CONTROL);
        record_text(r, FIELD_CONTROL_KIND, "fault");
        record_str(r, FIELD_CONTROL_TEXT, buf_view(&text));
        record_u64(r, FIELD_CONTROL_NUMBER, f->offset);
        worker_parts_put(&d->parts);
        buf_free(&text);
    }
}

/* ---- life ---- */

static enum err
start(struct reading *d, struct buf *message)
{
    const struct worker_plan *p = d->parts.plan;
    const struct capture_options o = {.filter = p->filter, .stop = p->stop};
    const struct worker_share share = {
        .worker = d->parts.number,
        .n_workers = p->n_workers,
        .memory_max = p->memory_max,
        .flows_max = p->flows_max,
        .seed = TABLE_SEED,
    };
    enum err e = worker_parts_start(&d->parts, &share);

    if (e == ERR_OK)
        e = capture_open(p->files, p->n_files, &o, &d->capture, message);
    return e;
}

static void
walk(struct reading *d, struct worker_progress *progress)
{
    const volatile sig_atomic_t *stop = d->parts.plan->stop;
    struct packet p;
    uint64_t n = 0;

    while (capture_next(d->capture, &p) == CAPTURE_PACKET && *stop == 0) {
        (void)net_packet(d->parts.net, &p);
        if ((++n & PROGRESS_MASK) == 0) {
            atomic_store_explicit(&progress->position,
                                  capture_position(d->capture),
                                  memory_order_relaxed);
            atomic_store_explicit(&progress->packets, n, memory_order_relaxed);
        }
    }
    (void)net_finish(d->parts.net, worker_parts_sorted, &d->parts);
}

void
worker_run(const struct worker_plan *plan, unsigned worker, struct ring *ring,
           struct worker_progress *progress)
{
    struct reading d = {.ring = ring};
    struct worker *w = &d.parts;
    struct buf message;
    enum err e;

    w->plan = plan;
    w->number = worker;
    w->ones = worker == 0;
    w->sink = (struct record_sink){put, &d};
    w->iface_name = iface_name;
    w->iface_ctx = &d;
    ring_be_quiet(ring);
    buf_init(&message, 1024);
    e = start(&d, &message);
    if (e == ERR_OK) {
        walk(&d, progress);
        if (worker == 0) {
            tell_inputs(&d);
            tell_faults(&d);
        }
        worker_parts_tell(w, NULL);
    }
    atomic_store(&progress->failed, (uint32_t)e);
    worker_parts_end(w);
    capture_close(d.capture);
    buf_free(&message);
    ring_close(ring);
}
