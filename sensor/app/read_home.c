#include "sensor/app/read_home.h"

#include "sensor/capture/capture.h"
#include "sensor/net/decode.h"

static bool
is_mail(const struct worker_plan *plan, const struct decoded *d)
{
    for (size_t i = 0; i < plan->n_ports; i++) {
        if (d->sport == plan->ports[i] || d->dport == plan->ports[i])
            return true;
    }
    return false;
}

static bool
has_stdin(const struct worker_plan *plan)
{
    for (size_t i = 0; i < plan->n_files; i++) {
        if (strcmp(plan->files[i], "-") == 0)
            return true;
    }
    return false;
}

static void
see_all_private(struct home_guess *g)
{
    for (size_t i = 0; i < HOME_GUESS_MAX; i++)
        g->private_seen[i] = true;
}

size_t
read_home_guess(const struct worker_plan *plan,
                struct prefix out[HOME_GUESS_MAX])
{
    struct capture_options o = {.filter = plan->filter, .stop = plan->stop};
    struct home_guess g;
    struct capture *c = NULL;
    struct packet p;
    struct decoded d;
    struct buf message;

    home_init(&g);
    buf_init(&message, 1024);
    if (has_stdin(plan)) {
        see_all_private(&g);
    } else if (capture_open(plan->files, plan->n_files, &o, &c, &message) ==
               ERR_OK) {
        for (unsigned i = 0;
             i < READ_HOME_PACKETS && capture_next(c, &p) == CAPTURE_PACKET;
             i++) {
            decode_packet(&p, &d);
            if (d.kind == PACKET_TCP && is_mail(plan, &d))
                home_see(&g, &d.src, &d.dst);
        }
        capture_close(c);
    }
    buf_free(&message);
    return home_result(&g, out);
}
