/* Needs a network namespace of its own, as live_capture_test does. */
#include "sensor/app/worker_live.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sensor/core/merge.h"

enum { SKIPPED = 77, WORKERS_MAX = 4, RING = 4 << 20, SMALL_RING = 1 << 16 };

static const uint16_t mail_ports[] = {25, 465, 587};
static const char *const ifaces[] = {"cap0", "cap1"};

/* ---- the link and what comes on it ---- */

static bool
run(const char *command)
{
    const int status = system(command); /* NOLINT(cert-env33-c) */

    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
make_link(void)
{
    return run("ip link add cap0 type veth peer name gen0 "
               "&& ip link set cap0 up && ip link set gen0 up");
}

static void
be_quiet(void)
{
    const int fd =
        open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "1", 1) != 1)
        print_message("IPv6 cannot be turned off\n");
    if (fd >= 0)
        (void)close(fd);
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

#define SYN 2
#define ACK 16
#define FIN 1

enum how { PLAIN, TAGGED, FRAGMENTS, IPIP };

/* A conversation between a host of 10.0.0.0/16 and a mail server. */
struct talk {
    int fd[2]; /* on which the client, the server is heard */
    uint16_t host, port;
    uint32_t seq[2]; /* of the client, of the server */
    enum how how;
    uint32_t id;
};

static void
be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void
be32(uint8_t *p, uint32_t v)
{
    be16(p, v >> 16);
    be16(p + 2, v);
}

static void
send_ip(int fd, const char *before, size_t n_before, const uint8_t *ip,
        size_t n)
{
    uint8_t b[600] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

    memcpy(b + 12, before, n_before);
    memcpy(b + 12 + n_before, ip, n);
    assert_true(send(fd, b, 12 + n_before + n, 0) > 0);
}

static void
send_fragments(int fd, const uint8_t *ip, size_t n)
{
    enum { FIRST = 24 }; /* bytes: the ports and the flags, no text but 4 */
    uint8_t b[600];

    memcpy(b, ip, 20 + FIRST);
    be16(b + 2, 20 + FIRST);
    be16(b + 6, 0x2000);
    send_ip(fd, "\x08", 2, b, 20 + FIRST);
    memcpy(b + 20, ip + 20 + FIRST, n - 20 - FIRST);
    be16(b + 2, (uint32_t)(n - FIRST));
    be16(b + 6, FIRST / 8);
    send_ip(fd, "\x08", 2, b, n - FIRST);
}

static void
send_in_ip(int fd, const uint8_t *ip, size_t n)
{
    uint8_t b[600] = {0x45, 0, 0,   0,  0, 1, 0,   0,  64, 4,
                      0,    0, 172, 16, 0, 1, 172, 16, 0,  2};

    be16(b + 2, (uint32_t)(20 + n));
    memcpy(b + 20, ip, n);
    send_ip(fd, "\x08", 2, b, 20 + n);
}

static void
send_as(enum how how, int fd, const uint8_t *ip, size_t n)
{
    switch (how) {
    case FRAGMENTS:
        if (n > 20 + 24 + 8) {
            send_fragments(fd, ip, n);
            return;
        }
        send_ip(fd, "\x08", 2, ip, n);
        return;
    case PLAIN: send_ip(fd, "\x08", 2, ip, n); return;
    case TAGGED: send_ip(fd, "\x81\0\0\x0a\x08", 6, ip, n); return;
    case IPIP: send_in_ip(fd, ip, n); return;
    }
}

/* One segment; from: 0 the client, 1 the server. */
static void
say(struct talk *t, unsigned from, uint8_t flags, const char *text)
{
    static const uint8_t server[4] = {192, 0, 2, 25};
    uint8_t b[512] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6};
    const size_t n = strlen(text);
    uint8_t client[4] = {10, 0, 0, 0};

    be16(client + 2, t->host);
    be16(b + 2, (uint32_t)(40 + n));
    be16(b + 4, t->id++);
    memcpy(b + 12, from == 0 ? client : server, 4);
    memcpy(b + 16, from == 0 ? server : client, 4);
    be16(b + 20, from == 0 ? t->port : 25);
    be16(b + 22, from == 0 ? 25 : t->port);
    be32(b + 24, t->seq[from]);
    be32(b + 28, t->seq[!from]);
    b[32] = 0x50;
    b[33] = flags;
    be16(b + 34, 65535);
    memcpy(b + 40, text, n);
    t->seq[from] += (uint32_t)n + ((flags & (SYN | FIN)) != 0);
    send_as(t->how, t->fd[from], b, 40 + n);
}

static const struct {
    unsigned from;
    const char *text;
} lines[] = {
    {1, "220 mx.example ESMTP\r\n"        },
    {0, "EHLO client.example\r\n"         },
    {1, "250 mx.example\r\n"              },
    {0, "MAIL FROM:<a@example.org>\r\n"   },
    {1, "250 ok\r\n"                      },
    {0, "RCPT TO:<b@example.net>\r\n"     },
    {1, "250 ok\r\n"                      },
    {0, "DATA\r\n"                        },
    {1, "354 go on\r\n"                   },
    {0, "Subject: x\r\n\r\nHello\r\n.\r\n"},
    {1, "250 taken\r\n"                   },
    {0, "QUIT\r\n"                        },
    {1, "221 bye\r\n"                     },
};
enum { FRAMES_EACH = 3 + ARRAY_LEN(lines) + 3, LINE_TAKEN = 10 };

static struct talk
open_talk(int fd, uint16_t number)
{
    return (struct talk){
        .fd = {fd,   fd  },
        .host = number,
        .port = (uint16_t)(40000 + number),
        .seq = {1000, 9000}
    };
}

static void
say_hello(struct talk *t)
{
    say(t, 0, SYN, "");
    say(t, 1, SYN | ACK, "");
    say(t, 0, ACK, "");
}

static void
say_all(struct talk *t)
{
    say_hello(t);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        say(t, lines[i].from, ACK, lines[i].text);
    say(t, 0, FIN | ACK, "");
    say(t, 1, FIN | ACK, "");
    say(t, 0, ACK, "");
}

static void
send_mail(int fd, uint16_t number)
{
    struct talk t = open_talk(fd, number);

    say_all(&t);
}

/* ---- a sensor of workers in threads ---- */

struct got {
    uint64_t mails, sessions, ticks, stats, stats_ifaces;
    uint64_t packets, dropped; /* of the last record of each interface */
    uint64_t oneway, midstream, inferred; /* sessions */
    ns_t last;
    bool backward;
};

struct hand {
    struct worker_live *w;
    struct ring ring;
    pthread_t thread;
    enum err why;
};

struct sensor {
    struct worker_plan plan;
    struct worker_live_plan live;
    struct live_board *board;
    struct ring_bell *bell;
    struct ring rings[WORKERS_MAX]; /* of the reader */
    struct hand hands[WORKERS_MAX];
    struct merge *merge;
    volatile sig_atomic_t stop;
    struct got got;
};

static void *
work(void *arg)
{
    struct hand *h = arg;

    h->why = worker_live_run(h->w, &h->ring);
    return NULL;
}

static void
init(struct sensor *s, unsigned n_workers, size_t ring_bytes)
{
    *s = (struct sensor){
        .plan = {.ports = mail_ports,
                 .n_ports = ARRAY_LEN(mail_ports),
                 .memory_max = 64 << 20,
                 .flows_max = 100000,
                 .n_workers = n_workers,
                 .stop = &s->stop},
        .live = {.ifaces = ifaces,
                 .n_ifaces = 1,
                 .buffer_bytes = 16 << 20,
                 .seed = UINT64_C(0x123456789abcdef1),
                 .stats_interval = NS_PER_S / 4}
    };
    assert_int_equal(live_board_new(&s->board), ERR_OK);
    assert_int_equal(ring_bell_new(&s->bell), ERR_OK);
    s->board->n_workers = n_workers;
    s->board->n_ifaces = 1;
    for (unsigned i = 0; i < n_workers; i++)
        assert_int_equal(ring_new(ring_bytes, s->bell, &s->rings[i]), ERR_OK);
    assert_int_equal(merge_new(s->rings, n_workers, s->bell, &s->merge),
                     ERR_OK);
}

static void
open_worker(struct sensor *s, unsigned number)
{
    struct buf message;

    buf_init(&message, 1024);
    if (worker_live_open(&s->plan, &s->live, number, s->board,
                         &s->hands[number].w, &message) != ERR_OK)
        fail_msg("%.*s", (int)message.n, (const char *)message.p);
    buf_free(&message);
    s->hands[number].ring = s->rings[number];
}

static void
start_threads(struct sensor *s)
{
    for (unsigned i = 0; i < s->plan.n_workers; i++)
        open_worker(s, i);
    for (unsigned i = 0; i < s->plan.n_workers; i++)
        assert_int_equal(
            pthread_create(&s->hands[i].thread, NULL, work, &s->hands[i]), 0);
}

static void
join(struct sensor *s, enum err want)
{
    for (unsigned i = 0; i < s->plan.n_workers; i++) {
        assert_int_equal(pthread_join(s->hands[i].thread, NULL), 0);
        assert_int_equal(s->hands[i].why, want);
        assert_int_equal(s->board->worker[i].failed, want);
        worker_live_free(s->hands[i].w);
    }
}

static void
fini(struct sensor *s)
{
    merge_free(s->merge);
    for (unsigned i = 0; i < s->plan.n_workers; i++)
        ring_free(&s->rings[i]);
    ring_bell_free(s->bell);
    live_board_free(s->board);
}

static void
on_record(void *ctx, struct span record)
{
    struct got *g = ctx;
    const struct record_head h = record_head_of(record);

    g->mails += h.type == EVENT_SMTP;
    if (h.type == EVENT_SMTP_SESSION) {
        g->sessions++;
        g->oneway += record_find_bool(record, FIELD_QUALITY_ONEWAY);
        g->midstream += record_find_bool(record, FIELD_QUALITY_MIDSTREAM);
        g->inferred += !span_eq(record_find(record, FIELD_QUALITY_CONFIDENCE),
                                SPAN_LIT("high"));
    }
    g->backward |= h.when < g->last;
    g->last = h.when;
}

static void
on_farewell(void *ctx, struct span record)
{
    struct got *g = ctx;

    if (record_head_of(record).type != EVENT_STATS)
        return;
    g->stats++;
    if (record_find(record, FIELD_STATS_IFACE).p == NULL)
        return;
    g->stats_ifaces++;
    g->packets = record_find_u64(record, FIELD_STATS_PACKETS, 0);
    g->dropped = record_find_u64(record, FIELD_STATS_DROPPED, 0);
}

static bool
merge_once(struct sensor *s)
{
    const struct record_sink sink = {on_record, &s->got};
    const struct record_sink farewell = {on_farewell, &s->got};

    return merge_step(s->merge, &sink, &farewell);
}

static ns_t
mono(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

static void
await_mails(struct sensor *s, uint64_t n)
{
    const ns_t until = mono() + 5 * NS_PER_S;

    while (s->got.mails < n && mono() < until)
        (void)merge_once(s);
    assert_int_equal(s->got.mails, n);
}

static uint64_t
board_sum(const struct sensor *s)
{
    return live_board_iface(s->board, 0).packets;
}

/* ---- tests ---- */

static void
every_mail_is_told(unsigned n_workers)
{
    enum { MAILS = 300 };
    struct sensor s;
    const int fd = open_sender();

    init(&s, n_workers, RING);
    start_threads(&s);
    for (uint16_t i = 0; i < MAILS; i++)
        send_mail(fd, i);
    await_mails(&s, MAILS);
    s.stop = 1;
    while (merge_once(&s))
        ;
    join(&s, ERR_OK);
    assert_int_equal(s.got.mails, MAILS);
    assert_int_equal(s.got.sessions, MAILS);
    assert_false(s.got.backward);
    assert_int_equal(merge_refused(s.merge), 0);
    assert_int_equal(board_sum(&s), MAILS * FRAMES_EACH);
    assert_int_equal(live_board_iface(s.board, 0).dropped, 0);
    assert_true(s.got.stats_ifaces >= n_workers);
    assert_true(s.got.stats >= 2 * s.got.stats_ifaces);
    for (unsigned i = 0; i < n_workers; i++) {
        assert_int_equal(s.board->worker[i].records_lost, 0);
        assert_true(s.board->worker[i].records > 0);
        assert_true(s.board->worker[i].iface[0].packets > 0);
    }
    fini(&s);
    (void)close(fd);
}

static void
one_two_and_four_workers(void **state)
{
    (void)state;
    every_mail_is_told(1);
    every_mail_is_told(2);
    every_mail_is_told(4);
}

/* What the kernel's filter cannot divide, each worker is given; one tells. */
static void
every_mail_in(enum how how, unsigned n_workers)
{
    enum { MAILS = 100 };
    struct sensor s;
    const int fd = open_sender();

    init(&s, n_workers, RING);
    s.live.tunnels = how == IPIP;
    start_threads(&s);
    for (uint16_t i = 0; i < MAILS; i++) {
        struct talk t = open_talk(fd, i);

        t.how = how;
        say_all(&t);
    }
    await_mails(&s, MAILS);
    s.stop = 1;
    while (merge_once(&s))
        ;
    join(&s, ERR_OK);
    assert_int_equal(s.got.mails, MAILS);
    assert_int_equal(s.got.sessions, MAILS);
    assert_int_equal(s.got.midstream, 0);
    assert_int_equal(s.got.inferred, 0);
    fini(&s);
    (void)close(fd);
}

static void
tags_fragments_and_tunnels(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= WORKERS_MAX; n *= 2) {
        every_mail_in(TAGGED, n);
        every_mail_in(FRAGMENTS, n);
        every_mail_in(IPIP, n);
    }
}

/* Each side of a tap comes on an interface of its own. */
static void
two_halves_of_a_tap(void **state)
{
    enum { MAILS = 100 };
    struct sensor s;
    int fd[2];

    (void)state;
    assert_true(run("ip link add cap1 type veth peer name gen1 "
                    "&& ip link set cap1 up && ip link set gen1 up"));
    fd[0] = open_sender();
    fd[1] = open_sender_on("gen1");
    init(&s, 4, RING);
    s.live.n_ifaces = s.board->n_ifaces = 2;
    start_threads(&s);
    for (uint16_t i = 0; i < MAILS; i++) {
        struct talk t = open_talk(fd[0], i);

        t.fd[1] = fd[1];
        say_all(&t);
    }
    await_mails(&s, MAILS);
    s.stop = 1;
    while (merge_once(&s))
        ;
    join(&s, ERR_OK);
    assert_int_equal(s.got.mails, MAILS);
    assert_int_equal(s.got.oneway, 0);
    assert_int_equal(s.got.midstream, 0);
    assert_int_equal(s.got.inferred, 0);
    assert_int_equal(live_board_iface(s.board, 0).packets +
                         live_board_iface(s.board, 1).packets,
                     MAILS * FRAMES_EACH);
    fini(&s);
    (void)close(fd[0]);
    (void)close(fd[1]);
    assert_true(run("ip link del cap1"));
}

/* From the reply that takes the mail to its record out of the merge, one mail
 * at a time on a link that is silent but for it. */
static void
a_record_comes_soon(void **state)
{
    enum { MAILS = 60 };
    struct sensor s;
    const int fd = open_sender();
    ns_t worst = 0, sum = 0;

    (void)state;
    init(&s, 2, RING);
    start_threads(&s);
    for (uint16_t i = 0; i < MAILS; i++) {
        struct talk t = open_talk(fd, i);
        ns_t begun, took;

        say_hello(&t);
        for (size_t k = 0; k <= LINE_TAKEN; k++)
            say(&t, lines[k].from, ACK, lines[k].text);
        begun = mono();
        await_mails(&s, i + 1U);
        took = mono() - begun;
        sum += took;
        worst = took > worst ? took : worst;
    }
    print_message("mean %.1f ms, worst of %d: %.1f ms\n",
                  (double)sum / MAILS / 1e6, MAILS, (double)worst / 1e6);
    assert_true(sum / MAILS < 100 * NS_PER_MS);
    s.stop = 1;
    while (merge_once(&s))
        ;
    join(&s, ERR_OK);
    fini(&s);
    (void)close(fd);
}

/* Nobody reads: packets are taken all the same, what is lost is counted. */
static void
it_waits_for_nobody(void **state)
{
    enum { MAILS = 600 };
    struct sensor s;
    struct live_worker *b;
    const int fd = open_sender();
    const ns_t until = mono() + 5 * NS_PER_S;
    uint64_t lost;

    (void)state;
    init(&s, 1, SMALL_RING);
    start_threads(&s);
    b = &s.board->worker[0];
    for (uint16_t i = 0; i < MAILS; i++)
        send_mail(fd, i);
    while (board_sum(&s) < (uint64_t)MAILS * FRAMES_EACH && mono() < until)
        (void)usleep(1000);
    assert_int_equal(board_sum(&s), MAILS * FRAMES_EACH);
    assert_int_equal(live_board_iface(s.board, 0).dropped, 0);
    assert_true(b->records_lost > 0);
    assert_true(mono() - b->process.beat_mono_ns < NS_PER_S);
    lost = b->records_lost;
    (void)usleep(200000);
    assert_true(b->records_lost > lost); /* ticks too, once it is full */
    s.stop = 1;
    while (merge_once(&s))
        ;
    join(&s, ERR_OK);
    assert_true(s.got.mails > 0 && s.got.mails < MAILS);
    fini(&s);
    (void)close(fd);
}

/* They have come, and their block is open still: they are not forgotten. */
static void
nothing_is_left_at_the_stop(void **state)
{
    enum { MAILS = 4, TIMES = 5 };

    (void)state;
    for (unsigned k = 0; k < TIMES; k++) {
        struct sensor s;
        const int fd = open_sender();

        init(&s, 1, RING);
        open_worker(&s, 0);
        for (uint16_t i = 0; i < MAILS; i++)
            send_mail(fd, i);
        s.stop = 1;
        assert_int_equal(
            pthread_create(&s.hands[0].thread, NULL, work, &s.hands[0]), 0);
        while (merge_once(&s))
            ;
        join(&s, ERR_OK);
        assert_int_equal(s.got.packets, MAILS * FRAMES_EACH);
        assert_int_equal(s.got.dropped, 0);
        assert_int_equal(s.got.mails, MAILS);
        fini(&s);
        (void)close(fd);
    }
}

/* Not even a tick finds room. */
static void
fill_ring(struct sensor *s, int fd)
{
    enum { MAILS_MOST = 2000, TICKS = 20 };
    const ns_t until = mono() + 20 * NS_PER_S;
    const struct live_worker *b = &s->board->worker[0];
    uint64_t lost;

    for (uint16_t i = 0; i < MAILS_MOST && b->records_lost == 0; i++)
        send_mail(fd, i);
    lost = b->records_lost;
    assert_true(lost > 0);
    while (b->records_lost < lost + TICKS && mono() < until)
        (void)usleep(1000);
    assert_true(b->records_lost >= lost + TICKS);
}

/* Records of flows are lost when nobody reads for long; what says so is not. */
static void
the_counts_come_to_a_late_reader(void **state)
{
    enum { LATE_S = 3 };
    struct sensor s;
    struct live_process *p;
    const int fd = open_sender();
    ns_t stopped;

    (void)state;
    init(&s, 1, SMALL_RING);
    start_threads(&s);
    p = &s.board->worker[0].process;
    fill_ring(&s, fd);
    s.stop = 1;
    stopped = mono();
    while (mono() < stopped + LATE_S * NS_PER_S)
        (void)usleep(1000);
    assert_true(p->beat_mono_ns > stopped + NS_PER_S); /* it lives */
    while (merge_once(&s))
        ;
    join(&s, ERR_OK);
    assert_true(s.got.packets > 0);
    assert_int_equal(s.got.packets, board_sum(&s));
    fini(&s);
    (void)close(fd);
}

static void
be_worker(struct sensor *s)
{
    open_worker(s, 0);
    _exit(worker_live_run(s->hands[0].w, &s->hands[0].ring) == ERR_OK ? 0 : 1);
}

static pid_t
fork_worker(struct sensor *s)
{
    const ns_t until = mono() + 5 * NS_PER_S;
    const uint64_t beat = s->board->worker[0].process.beat_mono_ns;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        be_worker(s);
    while (s->board->worker[0].process.beat_mono_ns == beat && mono() < until)
        (void)usleep(1000);
    return child;
}

/* The one in its place goes on with ring, board and time. */
static void
a_killed_worker_is_replaced(void **state)
{
    enum { KILLS = 10 };
    struct sensor s;
    const int fd = open_sender();
    uint64_t before = 0;
    pid_t child;

    (void)state;
    init(&s, 1, RING);
    child = fork_worker(&s);
    for (uint16_t i = 0; i < KILLS; i++) {
        send_mail(fd, i);
        await_mails(&s, i + 1U);
        assert_true(s.board->worker[0].stream_ns >= before);
        before = s.board->worker[0].stream_ns;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        ring_close(&s.rings[0]); /* as the supervisor does */
        child = fork_worker(&s);
    }
    assert_int_equal(board_sum(&s), KILLS * FRAMES_EACH);
    assert_int_equal(merge_refused(s.merge), 0);
    assert_false(s.got.backward);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    fini(&s);
    (void)close(fd);
}

static void
an_interface_that_is_gone_ends_it(void **state)
{
    struct sensor s;
    const int fd = open_sender();

    (void)state;
    init(&s, 2, RING);
    start_threads(&s);
    send_mail(fd, 1);
    await_mails(&s, 1);
    assert_true(run("ip link del cap0"));
    while (merge_once(&s))
        ;
    join(&s, ERR_GONE);
    assert_int_equal(live_board_iface(s.board, 0).n_up, 0);
    assert_true(make_link());
    fini(&s);
    (void)close(fd);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_two_and_four_workers),
        cmocka_unit_test(tags_fragments_and_tunnels),
        cmocka_unit_test(two_halves_of_a_tap),
        cmocka_unit_test(a_record_comes_soon),
        cmocka_unit_test(it_waits_for_nobody),
        cmocka_unit_test(nothing_is_left_at_the_stop),
        cmocka_unit_test(the_counts_come_to_a_late_reader),
        cmocka_unit_test(a_killed_worker_is_replaced),
        cmocka_unit_test(an_interface_that_is_gone_ends_it),
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
