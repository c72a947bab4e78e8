/* Needs to make a network namespace of its own, with a pair of interfaces:
 * without the right to, it says skipped. */
#include "sensor/capture/live_capture.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 4000, WORKERS_MAX = 4, BIG = 65535 + 14, SKIPPED = 77 };

static const uint16_t mail_ports[] = {25, 465, 587};

/* ---- the link ---- */

static bool
run(const char *command)
{
    const int status = system(command); /* NOLINT(cert-env33-c) */

    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
make_link(void)
{
    return run("ip link add cap0 mtu 65535 type veth peer name gen0 mtu 65535 "
               "&& ip link set cap0 up && ip link set gen0 up");
}

/* No neighbours are looked for: what comes is what was sent. */
static void
be_quiet(void)
{
    static const char *const files[] = {
        "/proc/sys/net/ipv6/conf/all/disable_ipv6",
        "/proc/sys/net/ipv6/conf/default/disable_ipv6",
    };

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        const int fd = open(files[i], O_WRONLY | O_CLOEXEC);

        if (fd < 0)
            continue;
        if (write(fd, "1", 1) != 1)
            print_message("IPv6 cannot be turned off\n");
        (void)close(fd);
    }
}

static int
open_sender_on(const char *name)
{
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    const struct sockaddr_ll at = {
        .sll_family = AF_PACKET,
        .sll_ifindex = (int)if_nametoindex(name),
    };

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static int
open_sender(void)
{
    return open_sender_on("gen0");
}

/* ---- frames ---- */

struct frame {
    uint8_t b[BIG];
    size_t n;
};

static struct frame made; /* of the test that runs: too large for a stack */

static void
add(const void *p, size_t n)
{
    memcpy(made.b + made.n, p, n);
    made.n += n;
}

/* TCP over IPv4; its sequence number is the frame's, and its port follows. */
static struct span
make(uint32_t number, unsigned tags, size_t n)
{
    static const uint8_t ip[] = {8, 0, 0x45, 0,   0, 40, 0, 1,   0,  0,   64,
                                 6, 0, 0,    192, 0, 2,  1, 198, 51, 100, 2};
    const uint8_t flow[] = {(uint8_t)(0xc0 + (number >> 8) % 32),
                            (uint8_t)(number * 7),
                            0,
                            25,
                            (uint8_t)(number >> 24),
                            (uint8_t)(number >> 16),
                            (uint8_t)(number >> 8),
                            (uint8_t)number,
                            0,
                            0,
                            0,
                            0,
                            0x50,
                            0x10,
                            0,
                            255,
                            0,
                            0,
                            0,
                            0};

    made = (struct frame){.n = 0};
    add("\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    for (unsigned i = 0; i < tags; i++)
        add(i + 1 < tags ? "\x88\xa8\0\x14" : "\x81\0\0\x0a", 4);
    add(ip, sizeof(ip));
    add(flow, sizeof(flow));
    made.n = n > made.n ? n : made.n;
    return span_of(made.b, made.n);
}

static void
send_frame(int fd, struct span frame)
{
    assert_int_equal(send(fd, frame.p, frame.n, 0), (ssize_t)frame.n);
}

/* ---- receivers ---- */

struct seen {
    unsigned times[FRAMES];
    uint64_t n;
    ns_t last;
    uint32_t caplen, wire_len;
    uint8_t head[64];
};

static struct seen seen;

static void
on_packet(void *ctx, const struct packet *p)
{
    const size_t at = p->data.n >= 12 && p->data.p[12] == 8 ? 38 : 0;

    (void)ctx;
    seen.n++;
    seen.last = p->when;
    seen.caplen = (uint32_t)p->data.n;
    seen.wire_len = p->wire_len;
    memcpy(seen.head, p->data.p, p->data.n < 64 ? p->data.n : 64);
    if (at > 0 && p->data.n >= at + 4) {
        const uint32_t number =
            (uint32_t)p->data.p[at + 2] << 8 | p->data.p[at + 3];

        if (number < FRAMES)
            seen.times[number]++;
    }
}

static const struct live_capture_sink sink = {on_packet, NULL};

static const char *const both[] = {"cap0", "nowhere0"};

static struct live_capture_options
options_of(unsigned worker, unsigned n_workers)
{
    return (struct live_capture_options){
        .ifaces = both,
        .n_ifaces = 1,
        .buffer_bytes = 8 << 20,
        .timeout_ms = 10,
        .filter = {.ports = mail_ports,
                   .n_ports = ARRAY_LEN(mail_ports),
                   .share = {worker, n_workers, 0x9e3779b1}},
    };
}

static struct live_capture *
open_or_fail(const struct live_capture_options *o)
{
    struct live_capture *c = NULL;
    struct buf message;
    enum err e;

    buf_init(&message, 1024);
    e = live_capture_open(o, &c, &message);
    if (e != ERR_OK)
        fail_msg("%s: %.*s", err_text(e), (int)message.n,
                 (const char *)message.p);
    buf_free(&message);
    return c;
}

/* Until want frames were seen, or for a second and a half. */
static void
take(struct live_capture *const *c, unsigned n, uint64_t want)
{
    bool drained;

    for (unsigned round = 0; round < 150 && seen.n < want; round++) {
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(live_capture_step(c[i], 10 / n, &sink, &drained),
                             ERR_OK);
    }
    for (unsigned i = 0; i < n; i++) /* nothing comes after it */
        assert_int_equal(live_capture_step(c[i], 20, &sink, &drained), ERR_OK);
}

static void
each_frame_comes_once(unsigned n_workers)
{
    struct live_capture *c[WORKERS_MAX];
    const int fd = open_sender();
    uint64_t packets = 0, busy = 0;

    seen = (struct seen){.n = 0};
    for (unsigned i = 0; i < n_workers; i++) {
        const struct live_capture_options o = options_of(i, n_workers);

        c[i] = open_or_fail(&o);
    }
    for (uint32_t i = 0; i < FRAMES; i++)
        send_frame(fd, make(i, 0, 60));
    take(c, n_workers, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_int_equal(seen.times[i], 1);
    assert_int_equal(seen.n, FRAMES);
    for (unsigned i = 0; i < n_workers; i++) {
        const struct live_capture_iface *f = live_capture_iface(c[i], 0);

        live_capture_count(c[i]);
        assert_int_equal(f->dropped, 0);
        packets += f->packets;
        busy += f->packets > FRAMES / n_workers / 2;
        live_capture_close(c[i]);
    }
    assert_int_equal(packets, FRAMES);
    assert_int_equal(busy, n_workers);
    (void)close(fd);
}

static void
one_two_and_four_workers(void **state)
{
    (void)state;
    each_frame_comes_once(1);
    each_frame_comes_once(2);
    each_frame_comes_once(4);
}

/* A ring of one megabyte that nobody reads. */
static void
drops_are_counted(void **state)
{
    struct live_capture_options o = options_of(0, 1);
    const struct live_capture_iface *f;
    struct live_capture *c;
    const int fd = open_sender();

    (void)state;
    o.buffer_bytes = 1 << 20;
    c = open_or_fail(&o);
    f = live_capture_iface(c, 0);
    seen = (struct seen){.n = 0};
    for (uint32_t i = 0; i < FRAMES; i++)
        send_frame(fd, make(i, 0, 1500));
    take(&c, 1, FRAMES);
    live_capture_count(c);
    print_message("%llu taken, %llu dropped\n", (unsigned long long)f->packets,
                  (unsigned long long)f->dropped);
    assert_true(f->dropped > 0);
    assert_int_equal(f->packets, seen.n);
    assert_int_equal(f->packets + f->dropped, FRAMES);
    for (uint32_t i = 0; i < 10; i++) /* it goes on, and so does the count */
        send_frame(fd, make(i, 0, 60));
    take(&c, 1, seen.n + 10);
    live_capture_count(c);
    assert_int_equal(f->packets + f->dropped, FRAMES + 10);
    live_capture_close(c);
    (void)close(fd);
}

/* In the ring, and for want of room; read, and not: the sum is what was sent.
 */
static void
what_is_left_is_counted(void **state)
{
    struct live_capture_options o = options_of(0, 1);
    const struct live_capture_iface *f;
    struct live_capture *c;
    const int fd = open_sender();

    (void)state;
    o.buffer_bytes = 1 << 20;
    c = open_or_fail(&o);
    f = live_capture_iface(c, 0);
    seen = (struct seen){.n = 0};
    for (uint32_t i = 0; i < 10; i++)
        send_frame(fd, make(i, 0, 60));
    take(&c, 1, 10);
    for (uint32_t i = 0; i < FRAMES; i++)
        send_frame(fd, make(i, 0, 1500));
    assert_int_equal(live_capture_unread(c), 0); /* not asked yet */
    live_capture_count(c);
    assert_true(f->dropped > 0);
    assert_true(live_capture_unread(c) > 0);
    assert_int_equal(f->packets + f->dropped + live_capture_unread(c),
                     FRAMES + 10);
    live_capture_leave(c);
    assert_int_equal(live_capture_unread(c), 0);
    assert_int_equal(f->packets, 10);
    assert_int_equal(f->dropped, FRAMES);
    live_capture_leave(c); /* once is enough */
    assert_int_equal(f->dropped, FRAMES);
    live_capture_close(c);
    (void)close(fd);
}

/* Tags are where they were, and long frames are whole. */
static void
frames_come_as_sent(void **state)
{
    static const struct {
        const char *why;
        unsigned tags;
        size_t n;
    } rows[] = {
        {"untagged",        0, 60   },
        {"tagged",          1, 64   },
        {"double-tagged",   2, 68   },
        {"super-segment",   0, BIG  },
        {"tagged and long", 1, 60000},
    };
    const struct live_capture_options o = options_of(0, 1);
    struct live_capture *c = open_or_fail(&o);
    const int fd = open_sender();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct span sent = make(1, rows[i].tags, rows[i].n);

        seen = (struct seen){.n = 0};
        send_frame(fd, sent);
        take(&c, 1, 1);
        if (seen.n != 1 || seen.caplen != sent.n || seen.wire_len != sent.n ||
            memcmp(seen.head, sent.p, 58) != 0)
            fail_msg("%s: %u times, %u of %u bytes", rows[i].why,
                     (unsigned)seen.n, seen.caplen, seen.wire_len);
    }
    live_capture_close(c);
    (void)close(fd);
}

static ns_t order_last;
static bool order_lost;

static void
on_ordered(void *ctx, const struct packet *p)
{
    on_packet(ctx, p);
    order_lost |= p->when < order_last;
    order_last = p->when;
}

/* The frames of two interfaces in the order in which they were sent. */
static void
two_interfaces_are_one_stream(void **state)
{
    static const struct live_capture_sink ordered = {on_ordered, NULL};
    static const char *const two[] = {"cap0", "cap1"};
    struct live_capture_options o = options_of(0, 1);
    struct live_capture *c;
    bool drained;
    int fd[2];

    (void)state;
    assert_true(run("ip link add cap1 type veth peer name gen1 "
                    "&& ip link set cap1 up && ip link set gen1 up"));
    fd[0] = open_sender();
    fd[1] = open_sender_on("gen1");
    o.ifaces = two;
    o.n_ifaces = 2;
    c = open_or_fail(&o);
    seen = (struct seen){.n = 0};
    order_last = 0;
    order_lost = false;
    for (uint32_t i = 0; i < FRAMES; i++)
        send_frame(fd[i % 3 == 0], make(i, 0, 60));
    (void)usleep(100000); /* both rings have all: no late timer matters */
    for (unsigned i = 0; i < 20 || (seen.n < FRAMES && i < 150); i++)
        assert_int_equal(live_capture_step(c, 10, &ordered, &drained), ERR_OK);
    assert_int_equal(seen.n, FRAMES);
    assert_false(order_lost);
    for (uint32_t i = 0; i < 60; i++) { /* one is silent */
        send_frame(fd[0], make(i, 0, 60));
        (void)usleep(1000);
        assert_int_equal(live_capture_step(c, 0, &ordered, &drained), ERR_OK);
    }
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(live_capture_step(c, 10, &ordered, &drained), ERR_OK);
    assert_int_equal(seen.n, FRAMES + 60);
    assert_true(drained);
    assert_true(run("ip link del cap1")); /* the other one goes on */
    for (unsigned i = 0; i < 300 && live_capture_iface(c, 1)->up; i++)
        assert_int_equal(live_capture_step(c, 10, &ordered, &drained), ERR_OK);
    assert_false(live_capture_iface(c, 1)->up);
    send_frame(fd[0], make(1, 0, 60));
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(live_capture_step(c, 10, &ordered, &drained), ERR_OK);
    assert_int_equal(seen.n, FRAMES + 61);
    assert_false(order_lost);
    live_capture_close(c);
    (void)close(fd[0]);
    (void)close(fd[1]);
}

static void
other_ports_do_not_come(void **state)
{
    const struct live_capture_options o = options_of(0, 1);
    struct live_capture *c = open_or_fail(&o);
    const int fd = open_sender();
    const struct span frame = make(1, 0, 60);

    (void)state;
    seen = (struct seen){.n = 0};
    made.b[37] = 80;
    send_frame(fd, frame);
    take(&c, 1, 1);
    assert_int_equal(seen.n, 0);
    live_capture_close(c);
    (void)close(fd);
}

static void
down_and_up_goes_on(void **state)
{
    const struct live_capture_options o = options_of(0, 1);
    struct live_capture *c = open_or_fail(&o);
    const int fd = open_sender();
    bool drained;

    (void)state;
    seen = (struct seen){.n = 0};
    send_frame(fd, make(1, 0, 60));
    take(&c, 1, 1);
    assert_true(run("ip link set cap0 down"));
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(live_capture_step(c, 10, &sink, &drained), ERR_OK);
    assert_true(run("ip link set cap0 up"));
    for (unsigned i = 0; i < 100 && seen.n < 2; i++) {
        (void)send(fd, made.b, made.n, 0); /* the link comes up by and by */
        assert_int_equal(live_capture_step(c, 10, &sink, &drained), ERR_OK);
    }
    assert_true(seen.n >= 2);
    assert_true(live_capture_iface(c, 0)->up);
    live_capture_close(c);
    (void)close(fd);
}

static void
deleted_and_made_again(void **state)
{
    const struct live_capture_options o = options_of(0, 1);
    struct live_capture *c = open_or_fail(&o);
    enum err e = ERR_OK;
    bool drained;
    int fd;

    (void)state;
    assert_true(run("ip link del cap0"));
    for (unsigned i = 0; i < 300 && e == ERR_OK; i++)
        e = live_capture_step(c, 10, &sink, &drained);
    assert_int_equal(e, ERR_GONE);
    assert_false(live_capture_iface(c, 0)->up);
    assert_int_equal(live_capture_step(c, 10, &sink, &drained), ERR_GONE);
    live_capture_count(c);
    live_capture_close(c);
    assert_true(make_link());
    c = open_or_fail(&o);
    fd = open_sender();
    seen = (struct seen){.n = 0};
    send_frame(fd, make(1, 0, 60));
    take(&c, 1, 1);
    assert_int_equal(seen.n, 1);
    live_capture_close(c);
    (void)close(fd);
}

static enum err
why_not(const struct live_capture_options *o, const char *says)
{
    struct live_capture *c = NULL;
    struct buf message;
    enum err e;

    buf_init(&message, 1024);
    e = live_capture_open(o, &c, &message);
    buf_putc(&message, '\0');
    if (says != NULL && strstr((const char *)message.p, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", message.p, says);
    buf_free(&message);
    live_capture_close(c);
    return e;
}

static void
says_what_is_wrong(void **state)
{
    static const char *const missing[] = {"nowhere0"};
    struct live_capture_options o = options_of(0, 1);

    (void)state;
    o.n_ifaces = 2;
    assert_int_equal(why_not(&o, "nowhere0: "), ERR_GONE);
    o.absent_ok = true; /* the other one is there */
    assert_int_equal(why_not(&o, ""), ERR_OK);
    o.n_ifaces = 1;
    o.ifaces = missing;
    assert_int_equal(why_not(&o, "nowhere0: "), ERR_GONE);
    o = options_of(0, 1);
    o.filter.user = "porrt 25";
    assert_int_equal(why_not(&o, "the filter does not fit"), ERR_USAGE);
    o = options_of(0, 1);
    assert_true(run("ip link set cap0 down"));
    assert_int_equal(why_not(&o, "ip link set"), ERR_GONE);
    assert_true(run("ip link set cap0 up"));
}

/* In a child, which is nobody from then on. */
static void
needs_a_capability(void **state)
{
    const struct live_capture_options o = options_of(0, 1);
    const pid_t child = fork();
    int status = 1;

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(setuid(65534) == 0 && why_not(&o, "setcap") == ERR_PERM ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* The clock was set back by an hour since another worker told the time. */
static void
time_does_not_go_back(void **state)
{
    struct live_capture_options o = options_of(0, 1);
    struct live_capture *c;
    struct timespec t;
    const int fd = open_sender();

    (void)state;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &t), 0);
    o.not_before = ((ns_t)t.tv_sec + 3600) * NS_PER_S;
    c = open_or_fail(&o);
    seen = (struct seen){.n = 0};
    send_frame(fd, make(1, 0, 60));
    take(&c, 1, 1);
    assert_true(seen.last >= o.not_before);
    assert_true(live_capture_now(c) >= seen.last);
    assert_true(live_capture_now(c) < o.not_before + 60 * NS_PER_S);
    assert_int_equal(live_capture_clock_steps(c), 0);
    live_capture_close(c);
    (void)close(fd);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_two_and_four_workers),
        cmocka_unit_test(drops_are_counted),
        cmocka_unit_test(what_is_left_is_counted),
        cmocka_unit_test(frames_come_as_sent),
        cmocka_unit_test(two_interfaces_are_one_stream),
        cmocka_unit_test(other_ports_do_not_come),
        cmocka_unit_test(down_and_up_goes_on),
        cmocka_unit_test(deleted_and_made_again),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(needs_a_capability),
        cmocka_unit_test(time_does_not_go_back),
    };

    if (unshare(CLONE_NEWNET) != 0 &&
        unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        (void)printf("skipped: no network namespace can be made\n");
        return SKIPPED;
    }
    be_quiet();
    if (!make_link()) {
        (void)printf("skipped: no pair of interfaces can be made (ip, veth)\n");
        return SKIPPED;
    }
    (void)alarm(240);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
