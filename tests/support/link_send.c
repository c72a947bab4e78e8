/* link_send - sends a capture on a link again and again, at a rate
 *
 *     link_send IFACE CAPTURE RATE PACKETS [MARKS]
 *
 * The IPv4 packets of CAPTURE (the old format, of this machine's order, link
 * type Ethernet) in their order, and all of them again with other addresses
 * until PACKETS have been sent, RATE in a second. In round n the octets of both
 * addresses are changed as table rewritten has it, so that all flows of a round
 * are new and home stays 10.0.0.0/8: ROUNDS_MAX rounds, then it ends.
 * Checksums are left as they are.
 *
 * MARKS gets a line for each packet in which a server says that it has queued
 * a mail: round, number of the frame in CAPTURE from 0, CLOCK_MONOTONIC in
 * nanoseconds before it was given to the kernel.
 *
 * Prints "sent N seconds S busy B": N is exact, of what the kernel took; B
 * tells how often it had no room and was asked again. Exit code 1 with a line
 * on stderr when something else was wrong. It runs before all others
 * (SCHED_FIFO), so that a busy machine does not slow the network down. A sender
 * of this kind is not for networks: it needs root, and a link of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FRAMES_MAX  65536U
#define FRAME_MAX   65550U
#define BATCH_MAX   64U
#define TURNS       2000U /* batches in a second, at most */
#define ROUNDS_MAX  2048U
#define SNDBUF      (32 << 20)
#define NS          UINT64_C(1000000000)
#define MAGIC_US    UINT32_C(0xa1b2c3d4)
#define MAGIC_NS    UINT32_C(0xa1b23c4d)
#define ETHERNET    1U
#define IPV4_MIN    34U /* bytes of a frame with the addresses */
#define QUEUED_TEXT "queued as "

/* Octets from the begin of a frame that bits of the round's number go into. */
static const struct {
    unsigned at;
    unsigned shift_right, shift_left;
} rewritten[] = {
    {28, 0, 0},
    {32, 0, 0},
    {27, 8, 5},
    {31, 8, 5},
};
#define N_REWRITTEN (sizeof(rewritten) / sizeof(rewritten[0]))

struct frame {
    uint8_t *bytes;
    size_t n;
    uint32_t number; /* in the capture */
    bool marked;
    uint8_t original[N_REWRITTEN];
};

struct sender {
    int fd;
    FILE *marks;
    uint64_t rate, most;
    uint64_t sent, busy;
    struct frame *frames;
    size_t n;
    struct iovec parts[BATCH_MAX];
    struct mmsghdr batch[BATCH_MAX];
};

static void
fail(const char *what)
{
    fprintf(stderr, "link_send: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t
now(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static void
sleep_until(uint64_t due)
{
    const struct timespec t = {.tv_sec = (time_t)(due / NS),
                               .tv_nsec = (long)(due % NS)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
}

/* ---- the capture ---- */

static void
keep(struct sender *s, const uint8_t *bytes, size_t n, uint32_t number)
{
    struct frame *f = &s->frames[s->n];

    if (n < IPV4_MIN || bytes[12] != 0x08 || bytes[13] != 0x00)
        return;
    f->bytes = malloc(n);
    if (f->bytes == NULL)
        fail("memory");
    memcpy(f->bytes, bytes, n);
    f->n = n;
    f->number = number;
    f->marked = memmem(bytes, n, QUEUED_TEXT, sizeof(QUEUED_TEXT) - 1) != NULL;
    for (size_t i = 0; i < N_REWRITTEN; i++)
        f->original[i] = bytes[rewritten[i].at];
    s->n++;
}

static void
read_capture(struct sender *s, const char *path)
{
    static uint8_t bytes[FRAME_MAX];
    FILE *in = fopen(path, "rb");
    uint32_t head[6], packet[4];
    uint32_t number = 0;

    if (in == NULL || fread(head, sizeof(head), 1, in) != 1)
        fail(path);
    errno = EINVAL;
    if ((head[0] != MAGIC_US && head[0] != MAGIC_NS) || head[5] != ETHERNET)
        fail(path);
    for (; fread(packet, sizeof(packet), 1, in) == 1; number++) {
        errno = EINVAL;
        if (packet[2] > sizeof(bytes) || s->n == FRAMES_MAX ||
            fread(bytes, 1, packet[2], in) != packet[2])
            fail(path);
        keep(s, bytes, packet[2], number);
    }
    if (s->n == 0)
        fail(path);
    (void)fclose(in);
}

/* ---- the link ---- */

/* As a card's interrupt does: whoever is busy is not asked. */
static void
go_first(void)
{
    const struct sched_param first = {.sched_priority = 1};

    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
        fputs("link_send: others may hold it up\n", stderr);
}

static void
open_link(struct sender *s, const char *iface)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int)if_nametoindex(iface)};
    const int room = SNDBUF;
    const int yes = 1;

    if (to.sll_ifindex == 0)
        fail(iface);
    s->fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (s->fd < 0 ||
        bind(s->fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
        setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) !=
            0 ||
        setsockopt(s->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) !=
            0)
        fail(iface);
}

static void
renumber(struct frame *f, uint64_t round)
{
    for (size_t i = 0; i < N_REWRITTEN; i++)
        f->bytes[rewritten[i].at] =
            (uint8_t)(f->original[i] ^ (((round >> rewritten[i].shift_right)
                                         << rewritten[i].shift_left) &
                                        0xff));
}

/* All n are taken, however often the kernel is asked. */
static void
give(struct sender *s, unsigned n)
{
    for (unsigned done = 0; done < n;) {
        const int took = sendmmsg(s->fd, s->batch + done, n - done, 0);

        if (took > 0) {
            done += (unsigned)took;
            continue;
        }
        if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
            fail("send");
        s->busy++;
    }
    s->sent += n;
}

static void
mark(const struct sender *s, const struct frame *f, uint64_t round)
{
    if (f->marked && s->marks != NULL)
        fprintf(s->marks, "%" PRIu64 " %" PRIu32 " %" PRIu64 "\n", round,
                f->number, now());
}

static void
send_round(struct sender *s, uint64_t round, uint64_t begin, unsigned batch)
{
    for (size_t at = 0; at < s->n && s->sent < s->most;) {
        unsigned n = 0;

        sleep_until(begin + s->sent * NS / s->rate);
        for (; n < batch && at < s->n && s->sent + n < s->most; n++, at++) {
            struct frame *f = &s->frames[at];

            renumber(f, round);
            mark(s, f, round);
            s->parts[n] = (struct iovec){f->bytes, f->n};
        }
        give(s, n);
    }
}

static void
send_all(struct sender *s)
{
    const uint64_t turn = s->rate / TURNS + 1;
    const unsigned batch = turn < BATCH_MAX ? (unsigned)turn : BATCH_MAX;
    const uint64_t begin = now();
    double took;

    for (unsigned i = 0; i < BATCH_MAX; i++)
        s->batch[i].msg_hdr =
            (struct msghdr){.msg_iov = &s->parts[i], .msg_iovlen = 1};
    for (uint64_t round = 0; round < ROUNDS_MAX && s->sent < s->most; round++)
        send_round(s, round, begin, batch);
    took = (double)(now() - begin) / (double)NS;
    printf("sent %" PRIu64 " seconds %.3f busy %" PRIu64 "\n", s->sent, took,
           s->busy);
}

int
main(int argc, char **argv)
{
    static struct frame frames[FRAMES_MAX];
    static struct sender s;

    if (argc < 5 || argc > 6) {
        fputs("usage: link_send IFACE CAPTURE RATE PACKETS [MARKS]\n", stderr);
        return 2;
    }
    s.frames = frames;
    s.rate = strtoull(argv[3], NULL, 10);
    s.most = strtoull(argv[4], NULL, 10);
    errno = EINVAL;
    if (s.rate == 0)
        fail("RATE");
    if (argc == 6 && (s.marks = fopen(argv[5], "w")) == NULL)
        fail(argv[5]);
    read_capture(&s, argv[2]);
    open_link(&s, argv[1]);
    go_first();
    send_all(&s);
    return s.marks != NULL && fclose(s.marks) != 0;
}
