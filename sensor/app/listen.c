#include "sensor/app/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

bool
listen_any(struct span text, struct addr *out, uint16_t *port)
{
    size_t colon = text.n;
    struct span host;
    uint64_t number = 0;

    while (colon > 0 && span_at(text, colon - 1) != ':')
        colon--;
    if (colon < 2 || colon == text.n || text.n - colon > 5)
        return false;
    for (size_t i = colon; i < text.n; i++) {
        const uint8_t c = span_at(text, i);

        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    host = span_head(text, colon - 1);
    if (host.n > 2 && span_at(host, 0) == '[' &&
        span_at(host, host.n - 1) == ']')
        host = span_tail(span_head(host, host.n - 1), 1);
    else if (span_find(host, ':') < host.n)
        return false;
    *port = (uint16_t)number;
    return number <= UINT16_MAX && addr_parse(host, out);
}

bool
listen_address(struct span text, struct addr *out, uint16_t *port)
{
    return listen_any(text, out, port) && *port > 0;
}

bool
listen_is_loopback(const struct addr *a)
{
    static const struct addr six = {{[15] = 1}};

    return addr_is_v4(a) ? a->b[12] == 127 : addr_cmp(a, &six) == 0;
}

int
listen_open(const struct addr *a, uint16_t port)
{
    const struct sockaddr_in6 at = {.sin6_family = AF_INET6,
                                    .sin6_port = htons(port)};
    struct sockaddr_in6 to = at;
    const int on = 1, off = 0;
    const int fd =
        socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    /* An IPv4 address stands in its mapped form: one socket for both. */
    memcpy(&to.sin6_addr, a->b, sizeof(to.sin6_addr));
    if (fd >= 0 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        /* also before the address is there */
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) == 0 &&
        bind(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    if (fd >= 0) {
        const int number = errno;

        (void)close(fd);
        errno = number;
    }
    return -1;
}
