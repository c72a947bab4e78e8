#include "dashboards/http/http_stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK  4096U
#define BEAT_S 12U /* a proxy takes a silent connection for a dead one */

struct http_stream {
    struct http_stream *next, **place;
    struct http_streams *all;
    struct MHD_Connection *c;
    int fd;
    uint64_t at, of;
    unsigned age_s;
    bool suspended, over;
};

struct http_streams {
    struct http_stream *first; /* of the daemons' thread */
    unsigned seconds;
    bool ending;
    bool (*stays)(void *ctx, uint64_t of); /* or NULL */
    void *ctx;
    int wake;
    atomic_uint n;
    pthread_mutex_t lock; /* of what follows */
    uint64_t end;         /* bytes ever told */
    uint8_t ring[HTTP_STREAM_RING];
};

enum err
http_streams_new(int wake, bool (*stays)(void *ctx, uint64_t of), void *ctx,
                 struct http_streams **out)
{
    struct http_streams *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NOMEM;
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return ERR_NOMEM;
    }
    s->wake = wake;
    s->stays = stays;
    s->ctx = ctx;
    *out = s;
    return ERR_OK;
}

void
http_streams_free(struct http_streams *s)
{
    if (s == NULL)
        return;
    REQUIRE(s->first == NULL);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- the ring ---- */

/* At most what is left up to the ring's end, so that it is one piece. */
static size_t
ring_room(uint64_t at, size_t n)
{
    const size_t left = HTTP_STREAM_RING - at % HTTP_STREAM_RING;

    return n < left ? n : left;
}

static void
ring_put(struct http_streams *s, struct span bytes)
{
    while (bytes.n > 0) {
        const size_t n = ring_room(s->end, bytes.n);

        memcpy(s->ring + s->end % HTTP_STREAM_RING, bytes.p, n);
        s->end += n;
        bytes = span_tail(bytes, n);
    }
}

static void
ring_add(struct http_streams *s, struct span bytes)
{
    const uint64_t one = 1;

    (void)pthread_mutex_lock(&s->lock);
    ring_put(s, bytes);
    (void)pthread_mutex_unlock(&s->lock);
    (void)!write(s->wake, &one, sizeof(one));
}

/* A line end in data would be the end of a field. */
void
http_stream_tell(struct http_streams *s, const char *kind, struct span data)
{
    struct buf event;

    buf_init(&event, HTTP_EVENT + 256);
    buf_printf(&event, "event: %s\ndata: ", kind);
    buf_span(&event, data);
    for (size_t i = event.n - data.n; data.n < event.n && i < event.n; i++) {
        if (event.p[i] == '\n' || event.p[i] == '\r')
            event.p[i] = ' ';
    }
    buf_str(&event, "\n\n");
    if (data.n <= HTTP_EVENT && !event.cut && !event.failed)
        ring_add(s, buf_view(&event));
    buf_free(&event);
}

/* ---- one stream ---- */

static bool
is_over(const struct http_stream *t)
{
    return t->all->ending || t->over || t->age_s >= HTTP_STREAM_S;
}

/* libmicrohttpd's content reader: bytes, 0 after it was suspended, or the end.
 */
static ssize_t
stream_read(void *ctx, uint64_t pos, char *out, size_t max)
{
    static const char hello[] = ":\nretry: 3000\n\n";
    struct http_stream *t = ctx;
    struct http_streams *s = t->all;
    ssize_t n = 0;
    uint64_t left;

    if (pos == 0 && max >= sizeof(hello)) {
        memcpy(out, hello, sizeof(hello) - 1);
        return (ssize_t)sizeof(hello) - 1;
    }
    (void)pthread_mutex_lock(&s->lock);
    left = s->end - t->at;
    if (left > 0 && left <= HTTP_STREAM_RING) {
        const size_t some = ring_room(t->at, left < max ? (size_t)left : max);

        memcpy(out, s->ring + t->at % HTTP_STREAM_RING, some);
        t->at += some;
        n = (ssize_t)some;
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (left > HTTP_STREAM_RING || (n == 0 && is_over(t)))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n == 0) {
        t->suspended = true;
        MHD_suspend_connection(t->c);
    }
    return n;
}

static void
stream_free(void *ctx)
{
    struct http_stream *t = ctx;

    *t->place = t->next;
    if (t->next != NULL)
        t->next->place = t->place;
    atomic_fetch_sub(&t->all->n, 1);
    free(t);
}

/* The kernel would keep megabytes for a client that does not read. */
static void
stream_socket(struct http_stream *t)
{
    const int bytes = HTTP_STREAM_RING;

    t->fd = MHD_get_connection_info(t->c, MHD_CONNECTION_INFO_CONNECTION_FD)
                ->connect_fd;
    (void)setsockopt(t->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static void
stream_link(struct http_streams *s, struct http_stream *t)
{
    t->all = s;
    t->next = s->first;
    t->place = &s->first;
    if (t->next != NULL)
        t->next->place = &t->next;
    s->first = t;
    (void)pthread_mutex_lock(&s->lock);
    t->at = s->end;
    (void)pthread_mutex_unlock(&s->lock);
    atomic_fetch_add(&s->n, 1);
}

struct MHD_Response *
http_stream_open(struct http_streams *s, struct MHD_Connection *c, uint64_t of)
{
    struct MHD_Response *r;
    struct http_stream *t;

    if (s->ending || atomic_load(&s->n) >= HTTP_STREAMS)
        return NULL;
    t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->c = c;
    t->of = of;
    stream_socket(t);
    stream_link(s, t);
    r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, stream_read,
                                          t, stream_free);
    if (r == NULL)
        stream_free(t);
    return r;
}

/* ---- all of them ---- */

void
http_streams_run(struct http_streams *s)
{
    uint64_t end;

    (void)pthread_mutex_lock(&s->lock);
    end = s->end;
    (void)pthread_mutex_unlock(&s->lock);
    for (struct http_stream *t = s->first; t != NULL; t = t->next) {
        if (end - t->at > HTTP_STREAM_RING)
            (void)shutdown(t->fd, SHUT_RDWR); /* it waits for its client */
        if (t->suspended && (t->at != end || is_over(t))) {
            t->suspended = false;
            MHD_resume_connection(t->c);
        }
    }
}

void
http_streams_tick(struct http_streams *s)
{
    for (struct http_stream *t = s->first; t != NULL; t = t->next) {
        t->age_s++;
        t->over = t->over || (s->stays != NULL && !s->stays(s->ctx, t->of));
    }
    if (++s->seconds % BEAT_S == 0)
        ring_add(s, SPAN_LIT(":\n\n"));
    http_streams_run(s);
}

void
http_streams_end(struct http_streams *s)
{
    s->ending = true;
    http_streams_run(s);
}

unsigned
http_streams_count(const struct http_streams *s)
{
    return atomic_load(&s->n);
}
