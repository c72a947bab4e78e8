#include "sensor/app/clamd.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK (64U << 10)

static int
reach(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    int fd;

    if (n >= sizeof(a.sun_path))
        return -1;
    memcpy(a.sun_path, path, n + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* No clock here: each wait is short, and there are only so many of them. */
static bool
wait_for(int fd, short events, int *left_ms)
{
    struct pollfd p = {.fd = fd, .events = events};

    while (*left_ms > 0) {
        int n = poll(&p, 1, 50);

        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        *left_ms -= 50;
    }
    return false;
}

static bool
send_all(int fd, struct span s, int *left_ms)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (n > 0)
            s = span_tail(s, (size_t)n);
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        else if (!wait_for(fd, POLLOUT, left_ms))
            return false;
    }
    return true;
}

/* Until the NUL that ends an answer, the end of the stream, or the room. */
static size_t
receive(int fd, uint8_t *room, size_t most, int *left_ms)
{
    size_t n = 0;

    while (n < most) {
        ssize_t got = recv(fd, room + n, most - n, 0);

        if (got == 0)
            break;
        if (got > 0) {
            n += (size_t)got;
            if (span_find(span_of(room, n), 0) < n)
                break;
        } else if (errno != EAGAIN && errno != EINTR) {
            break;
        } else if (!wait_for(fd, POLLIN, left_ms)) {
            break;
        }
    }
    return span_find(span_of(room, n), 0);
}

static bool
send_stream(int fd, struct span bytes, int *left_ms)
{
    bool good = send_all(fd, span_of("zINSTREAM", 10), left_ms);

    while (good && bytes.n > 0) {
        struct span piece = span_head(bytes, CHUNK);
        uint32_t length = __builtin_bswap32((uint32_t)piece.n);

        good = send_all(fd, span_of(&length, 4), left_ms) &&
               send_all(fd, piece, left_ms);
        bytes = span_tail(bytes, piece.n);
    }
    return good && send_all(fd, span_of("\0\0\0", 4), left_ms);
}

/* ---- the answer: "stream: NAME FOUND", "stream: OK", "... ERROR" ---- */

static bool
ends_with(struct span s, struct span end)
{
    return s.n >= end.n && span_eq(span_tail(s, s.n - end.n), end);
}

void
clamd_read(struct span answer, struct findings *f)
{
    static const struct span head = SPAN_INIT("stream: ");
    static const struct span found = SPAN_INIT(" FOUND");
    struct span name;

    if (span_eq(answer, SPAN_LIT("stream: OK")))
        return;
    if (span_contains_nocase(answer, SPAN_LIT("size limit exceeded"))) {
        findings_add_detail(f, FIND_CLAMD_UNSCANNED, answer);
        return;
    }
    if (!span_starts(answer, head) || !ends_with(answer, found) ||
        answer.n <= head.n + found.n) {
        findings_add_detail(f, FIND_CLAMD_FAILED, answer);
        return;
    }
    name = span_tail(span_head(answer, answer.n - found.n), head.n);
    if (span_starts(name, SPAN_LIT("Heuristics.Encrypted.")) ||
        span_starts(name, SPAN_LIT("Heuristics.Limits.")))
        findings_add_detail(f, FIND_CLAMD_UNSCANNED, name);
    else
        findings_add_detail(f, FIND_CLAMD, name);
}

void
clamd_inspect(void *socket_path, const struct content_job *job,
              struct content_result *result)
{
    uint8_t answer[CLAMD_ANSWER];
    int left_ms = CLAMD_WAIT_MS;
    int fd = reach(socket_path);
    size_t n = 0;

    if (fd >= 0) {
        /* One that refuses a stream in its middle has said why. */
        (void)send_stream(fd, job->bytes, &left_ms);
        n = receive(fd, answer, sizeof(answer), &left_ms);
        (void)close(fd);
    }
    if (n == 0)
        findings_add(&result->findings, FIND_CLAMD_FAILED);
    else
        clamd_read(span_of(answer, n), &result->findings);
}

bool
clamd_ping(const char *socket_path)
{
    uint8_t answer[16];
    int left_ms = CLAMD_WAIT_MS;
    int fd = reach(socket_path);
    bool good;

    if (fd < 0)
        return false;
    good = send_all(fd, span_of("zPING", 6), &left_ms);
    if (good)
        good = span_eq(
            span_of(answer, receive(fd, answer, sizeof(answer), &left_ms)),
            SPAN_LIT("PONG"));
    (void)close(fd);
    return good;
}
