#include "sensor/app/live_prepare.h"

#include "sensor/app/confine.h"
#include "sensor/app/live_core.h"
#include "sensor/app/live_publish.h"
#include "sensor/app/listen.h"
#include "sensor/app/live_feeds.h"
#include "sensor/app/worker_plan.h"
#include "sensor/base/text.h"
#include "sensor/journal/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define ORDERS_BYTES (256U << 10)
#define SEED_FILE    "seed"
#define PATH_BYTES   4096

/* Cut where there is no room. */
static void
copy_text(char *to, size_t room, const char *from)
{
    const struct span s = span_head(span_str(from), room - 1);

    memcpy(to, s.p, s.n);
    to[s.n] = '\0';
}

/* ---- the plan ---- */

void
live_plan(struct live *l, const struct cli *cli)
{
    const struct config *c = &cli->config;

    /* The same for all that goes by the configuration; nothing of it is freed
     * here. */
    copy_text(l->default_state, sizeof(l->default_state), LIVE_STATE);
    l->own = *cli;
    if (c->state == NULL)
        l->own.config.state = l->default_state;
    l->cli = &l->own;
    l->state = l->own.config.state;
    l->plan = worker_plan_of(c);
    l->plan.locked = true;
    l->capture = (struct worker_live_plan){
        .ifaces = (const char *const *)c->ifaces.v,
        .n_ifaces = c->ifaces.n,
        .buffer_bytes = c->buffer,
        .absent_ok = true,
        .kept = true,
        .any_port = c->any_port,
        .tunnels = c->tunnels,
        .stats_interval = LIVE_STATS_NS,
        .vlans = c->expect_vlans.v,
        .n_vlans = c->expect_vlans.n,
        .prefixes = c->expect_prefixes.v,
        .n_prefixes = c->expect_prefixes.n,
    };
    buf_init(&l->place_text, 1 << 15);
}

/* ---- what is wrong with it ---- */

/* What is guessed from a capture must be known of a network. */
static enum err
check_home(const struct live *l, struct buf *messages)
{
    if (sites_n_home(l->place.sites) > 0)
        return ERR_OK;
    buf_str(messages, "span25: live needs to know the home networks: set "
                      "network.home, or --home 192.0.2.0/24\n");
    return ERR_CONFIG;
}

static enum err
check_listen(const struct config *c, struct buf *messages)
{
    struct addr a;
    uint16_t port;

    if (c->metrics_listen == NULL || c->metrics_listen[0] == '\0' ||
        listen_address(span_str(c->metrics_listen), &a, &port))
        return ERR_OK;
    buf_str(messages, "span25: live.metrics_listen is not an address and port, "
                      "such as 127.0.0.1:9125\n");
    return ERR_CONFIG;
}

static enum err
check_interfaces(const struct live *l, struct buf *messages)
{
    if (l->capture.n_ifaces > 0 && l->capture.n_ifaces <= LIVE_IFACES_MAX)
        return ERR_OK;
    buf_printf(messages,
               "span25: live needs one to %d interfaces: -i NAME, or "
               "capture.interfaces\n",
               LIVE_IFACES_MAX);
    return ERR_USAGE;
}

/* ---- what there is ---- */

/* Made once: keys of tables must not be known to who sends packets. */
static enum err
load_seed(struct live *l, struct buf *messages)
{
    char path[PATH_BYTES];
    struct buf b;
    ssize_t n = -1;
    int fd;

    buf_init(&b, sizeof(path));
    buf_printf(&b, "%s/" SEED_FILE, l->state);
    buf_putc(&b, '\0');
    memcpy(path, b.p, b.n);
    buf_free(&b);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        n = read(fd, &l->seed, sizeof(l->seed));
    if (n == 0 && getrandom(&l->seed, sizeof(l->seed), 0) == sizeof(l->seed))
        n = write(fd, &l->seed, sizeof(l->seed));
    if (fd >= 0)
        (void)close(fd);
    if (n == (ssize_t)sizeof(l->seed))
        return ERR_OK;
    buf_str(messages, "span25: cannot read or make the key of this "
                      "installation, ");
    text_term(messages, span_str(path));
    buf_putc(messages, '\n');
    return ERR_IO;
}

static enum err
make_shared(struct live *l)
{
    enum err e = live_board_new(&l->board);

    if (e == ERR_OK)
        l->stop = &l->board->stop;
    if (e == ERR_OK)
        e = ring_bell_new(&l->bell);
    l->rings = calloc(l->plan.n_workers, sizeof(*l->rings));
    if (l->rings == NULL)
        return ERR_NOMEM;
    for (unsigned i = 0; e == ERR_OK && i < l->plan.n_workers; i++)
        e = ring_new(l->cli->config.ring, l->bell, &l->rings[i]);
    if (e == ERR_OK)
        e = ring_new(ORDERS_BYTES, l->bell, &l->orders);
    return e;
}

static void
label_expected(struct live_board *b, const struct config *c)
{
    struct buf text;

    buf_init(&text, LIVE_EXPECT_NAME_MAX - 1);
    for (size_t i = 0; i < c->expect_vlans.n && i < LIVE_EXPECT_MAX; i++)
        b->vlan[b->n_vlans++] = c->expect_vlans.v[i];
    for (size_t i = 0; i < c->expect_prefixes.n && i < LIVE_EXPECT_MAX; i++) {
        buf_reset(&text);
        prefix_format(&c->expect_prefixes.v[i], &text);
        buf_putc(&text, '\0');
        memcpy(b->prefix[b->n_prefixes++], text.p, text.n);
    }
    buf_free(&text);
}

static void
label_board(struct live *l)
{
    struct live_board *b = l->board;

    b->n_workers = l->plan.n_workers;
    b->n_ifaces = (uint32_t)l->capture.n_ifaces;
    copy_text(b->sensor, sizeof(b->sensor), l->cli->config.name);
    for (size_t i = 0; i < l->capture.n_ifaces; i++)
        copy_text(b->iface_name[i], sizeof(b->iface_name[i]),
                  l->capture.ifaces[i]);
    label_expected(b, &l->cli->config);
    live_publish_prepare(b, &l->cli->config.sinks);
    live_feeds_label(b, &l->cli->config);
}

enum err
live_prepare(struct live *l, struct buf *messages)
{
    const struct config *c = &l->cli->config;
    enum err e = check_interfaces(l, messages);

    if (e == ERR_OK)
        e = check_listen(c, messages);
    if (e == ERR_OK)
        e = live_feeds_check(c, messages);
    if (e == ERR_OK)
        e = state_open(l->state, STATE_LIVE, messages);
    if (e == ERR_OK)
        e = confine_user(c->user, l->state, messages);
    if (e == ERR_OK)
        e = load_seed(l, messages);
    l->capture.seed = l->seed;
    if (e == ERR_OK)
        e = inspection_start(c, &l->plan, &l->inspection, messages);
    /* Behind the first keepers: they are not to share it. */
    if (e == ERR_OK)
        e = make_shared(l);
    if (e == ERR_OK) {
        label_board(l);
        l->plan.stop = l->stop;
    }
    if (e == ERR_OK)
        e = read_place_load(c, &l->plan, &l->place, &l->place_text, messages);
    l->plan.home = l->place.sites;
    if (e == ERR_OK)
        e = check_home(l, messages);
    return e;
}

void
live_release(struct live *l)
{
    inspection_stop(&l->inspection);
    for (unsigned i = 0; l->rings != NULL && i < l->plan.n_workers; i++)
        ring_free(&l->rings[i]);
    ring_free(&l->orders);
    free(l->rings);
    ring_bell_free(l->bell);
    read_place_free(&l->place);
    live_board_free(l->board);
    buf_free(&l->place_text);
}
