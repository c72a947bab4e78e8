#include "sensor/app/live_socket.h"

#include "sensor/event/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX_BYTES 4
#define ANSWER_BYTES 512
#define PATIENCE_S   10 /* of who asks: the core may have to sync */

struct client {
    int fd; /* -1: free */
    ns_t until;
    size_t have;
    uint8_t *bytes; /* prefix and message */
};

struct live_socket {
    int fd;
    struct sockaddr_un address;
    struct live_socket_taker taker;
    struct client clients[LIVE_SOCKET_CLIENTS];
    struct buf answer;
};

/* What people's verbs tell. */
static const char *const kinds[] = {"alert",  "exception", "evidence", "block",
                                    "report", "policy",    "test",     "page"};

/* ---- what may come ---- */

static bool
is_known_kind(struct span kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (span_eq(kind, span_str(kinds[i])))
            return true;
    }
    return false;
}

/* Their rows stand together in fields.def. */
static bool
has_foreign_fields(struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry entry;

    while (record_next(&c, &entry)) {
        if (entry.field < FIELD_CONTROL_KIND ||
            entry.field > FIELD_CONTROL_UNTIL)
            return true;
    }
    return false;
}

bool
live_socket_check(struct span record, ns_t now, struct buf *why)
{
    const char *fault = NULL;
    struct record_head head;

    if (!record_check(record)) {
        buf_str(why, "that is no record");
        return false;
    }
    head = record_head_of(record);
    if (head.type != EVENT_CONTROL || head.flow_id != 0)
        fault = "that is no control record";
    else if (!is_known_kind(record_find(record, FIELD_CONTROL_KIND)))
        fault = "a control record of this kind is not for others to write";
    else if (has_foreign_fields(record))
        fault = "it has fields that only the sensor writes";
    else if (head.when > now && head.when - now > LIVE_SOCKET_AHEAD_NS)
        fault = "its time is ahead of the clock";
    if (fault != NULL)
        buf_str(why, fault);
    return fault == NULL;
}

/* ---- addresses ---- */

static bool
address_of(const char *state, struct sockaddr_un *out)
{
    struct buf b;
    bool fits;

    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    buf_init(&b, sizeof(out->sun_path) - 1);
    buf_str(&b, state);
    buf_str(&b, "/" LIVE_SOCKET_FILE);
    fits = !b.cut && !b.failed;
    if (fits)
        memcpy(out->sun_path, b.p, b.n);
    buf_free(&b);
    return fits;
}

static int
new_socket(int flags)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

/* ---- the core's side ---- */

static bool
listen_at(struct live_socket *s)
{
    const struct sockaddr *to = (const struct sockaddr *)&s->address;
    bool bound;
    mode_t before;

    s->fd = new_socket(SOCK_NONBLOCK);
    if (s->fd < 0)
        return false;
    (void)unlink(s->address.sun_path);
    before = umask(0177);
    bound = bind(s->fd, to, sizeof(s->address)) == 0;
    (void)umask(before);
    return bound && listen(s->fd, LIVE_SOCKET_CLIENTS) == 0;
}

enum err
live_socket_new(const char *state, const struct live_socket_taker *taker,
                struct live_socket **out)
{
    struct live_socket *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NOMEM;
    s->fd = -1;
    s->taker = *taker;
    for (size_t i = 0; i < LIVE_SOCKET_CLIENTS; i++)
        s->clients[i].fd = -1;
    buf_init(&s->answer, ANSWER_BYTES);
    if (!address_of(state, &s->address)) {
        live_socket_free(s);
        return ERR_LIMIT;
    }
    if (!listen_at(s)) {
        live_socket_free(s);
        return ERR_IO;
    }
    *out = s;
    return ERR_OK;
}

static void
send_away(struct client *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c->bytes);
    *c = (struct client){.fd = -1};
}

void
live_socket_free(struct live_socket *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < LIVE_SOCKET_CLIENTS; i++)
        send_away(&s->clients[i]);
    if (s->fd >= 0) {
        (void)close(s->fd);
        (void)unlink(s->address.sun_path);
    }
    buf_free(&s->answer);
    free(s);
}

static bool
may_ask(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

/* False: nobody waits. */
static bool
welcome(struct live_socket *s, struct client *c, ns_t mono)
{
    const int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return false;
    *c = (struct client){.fd = fd, .until = mono + LIVE_SOCKET_NS};
    c->bytes = may_ask(fd) ? malloc(PREFIX_BYTES + LIVE_SOCKET_MESSAGE) : NULL;
    if (c->bytes == NULL)
        send_away(c);
    return true;
}

/* An answer is small: who does not take it has not read the ones before. */
static bool
answer(struct live_socket *s, const struct client *c, struct span record)
{
    enum err e;

    buf_reset(&s->answer);
    e = s->taker.take(s->taker.ctx, record, &s->answer);
    if (e == ERR_OK) {
        buf_reset(&s->answer);
        buf_str(&s->answer, "ok");
    } else if (s->answer.n == 0) {
        buf_str(&s->answer, err_text(e));
    }
    buf_putc(&s->answer, '\n');
    return send(c->fd, s->answer.p, s->answer.n, MSG_NOSIGNAL | MSG_DONTWAIT) ==
           (ssize_t)s->answer.n;
}

/* How much of prefix and message is wanted. 0: no message is so long. */
static size_t
wanted_of(const struct client *c)
{
    struct cursor in = {.in = span_of(c->bytes, c->have)};
    uint32_t n;

    if (c->have < PREFIX_BYTES)
        return PREFIX_BYTES;
    n = cur_be32(&in);
    return n > 0 && n <= LIVE_SOCKET_MESSAGE ? PREFIX_BYTES + n : 0;
}

/* False: it is over. Reads one message at most, so nobody is served alone. */
static bool
serve(struct live_socket *s, struct client *c, ns_t mono)
{
    size_t wanted = wanted_of(c);

    while (wanted > c->have) {
        const ssize_t n =
            recv(c->fd, c->bytes + c->have, wanted - c->have, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return mono < c->until;
        if (n <= 0)
            return false;
        c->have += (size_t)n;
        wanted = wanted_of(c);
    }
    if (wanted == 0)
        return false;
    c->have = 0;
    c->until = mono + LIVE_SOCKET_NS;
    return answer(s, c,
                  span_of(c->bytes + PREFIX_BYTES, wanted - PREFIX_BYTES));
}

void
live_socket_step(struct live_socket *s, ns_t mono)
{
    bool more = true;

    for (size_t i = 0; i < LIVE_SOCKET_CLIENTS; i++) {
        struct client *c = &s->clients[i];

        if (c->fd < 0)
            more = more && welcome(s, c, mono);
        else if (!serve(s, c, mono))
            send_away(c);
    }
}

/* ---- the other side ---- */

enum err
live_socket_dial(const char *state, int *fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un to;
    int s;
    bool good;

    if (!address_of(state, &to))
        return ERR_LIMIT;
    s = new_socket(0);
    if (s < 0)
        return ERR_IO;
    good = setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience,
                      sizeof(patience)) == 0 &&
           setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience,
                      sizeof(patience)) == 0;
    if (good && connect(s, (const struct sockaddr *)&to, sizeof(to)) == 0) {
        *fd = s;
        return ERR_OK;
    }
    good = good && errno == EACCES;
    (void)close(s);
    return good ? ERR_PERM : ERR_NOENT;
}

static bool
send_all(int fd, struct span s)
{
    while (s.n > 0) {
        const ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (n <= 0 && errno != EINTR)
            return false;
        s = span_tail(s, n > 0 ? (size_t)n : 0);
    }
    return true;
}

static void
read_line(int fd, struct buf *out)
{
    uint8_t c;

    while (recv(fd, &c, 1, 0) == 1 && c != '\n')
        buf_putc(out, c);
}

enum err
live_socket_ask(int fd, struct span record, struct buf *why)
{
    const uint8_t prefix[PREFIX_BYTES] = {
        (uint8_t)(record.n >> 24), (uint8_t)(record.n >> 16),
        (uint8_t)(record.n >> 8), (uint8_t)record.n};
    bool taken;

    if (record.n == 0 || record.n > LIVE_SOCKET_MESSAGE) {
        buf_str(why, err_text(ERR_LIMIT));
        return ERR_LIMIT;
    }
    if (send_all(fd, span_of(prefix, sizeof(prefix))) && send_all(fd, record))
        read_line(fd, why);
    taken = span_eq(buf_view(why), SPAN_LIT("ok"));
    if (why->n == 0)
        buf_str(why, "the sensor does not answer");
    return taken ? ERR_OK : ERR_IO;
}
