#include "sensor/app/live_orders.h"

#include "sensor/app/clock.h"
#include "sensor/event/record.h"

static void
begin(struct live_orders *o, struct record_out *r, const char *kind)
{
    const struct record_head head = {
        .when = clock_of(CLOCK_REALTIME), .seq = o->n++, .type = EVENT_CONTROL};

    record_init(r);
    record_begin(r, &head);
    record_text(r, FIELD_CONTROL_KIND, kind);
}

static void
give(struct live_orders *o, struct record_out *r)
{
    if (!ring_put(o->ring, record_view(r)))
        buf_str(o->messages, "span25: the core takes no orders\n");
    ring_flush(o->ring);
    record_free(r);
}

void
live_orders_gap(struct live_orders *o, struct span text, ns_t since)
{
    struct record_out r;

    begin(o, &r, "gap");
    record_str(&r, FIELD_CONTROL_TEXT, text);
    record_time(&r, FIELD_CONTROL_TIME, since);
    record_time(&r, FIELD_CONTROL_UNTIL, clock_of(CLOCK_REALTIME));
    give(o, &r);
}

void
live_orders_reload(struct live_orders *o)
{
    struct record_out r;

    begin(o, &r, "reload");
    give(o, &r);
}
