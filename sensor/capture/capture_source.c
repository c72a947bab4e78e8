#define ZLIB_CONST
#include "sensor/capture/capture_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/text.h"

enum {
    SOURCE_ROOM_MIN = 256 << 10, /* one large read; fits every usual record */
    SOURCE_IN = 64 << 10,        /* compressed bytes from a pipe */
    SOURCE_MAGIC = 4,            /* longest magic number looked for */
    SOURCE_STOP_MS = 100,
    SOURCE_PIECE = 1 << 30, /* zlib counts in 32 bits */
    ZSTD_START = 5,         /* shortest frame header, RFC 8878 3.1.1 */
    ZSTD_BLOCK_HEAD = 3,
    ZSTD_WINDOW_MIN = 23, /* 8 MiB, which RFC 8878 3.1.1.1.2 asks for */
    ZSTD_WINDOW_MAX = 41,
};

static void
finish(struct capture_source *s, enum capture_source_end why, const char *text)
{
    if (s->ended)
        return;
    s->ended = true;
    s->why = why;
    (void)snprintf(s->detail, sizeof(s->detail), "%s", text);
}

static void
finish_errno(struct capture_source *s, int number)
{
    char text[64];

    finish(s, SOURCE_READ, strerror_r(number, text, sizeof(text)));
}

/* A quiet pipe is polled: a signal may come to another thread, or between the
 * look at the flag and the read; and whoever shares the pipe may have made it
 * non-blocking. */
static bool
wait_readable(struct capture_source *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};

    while (s->stop == NULL || *s->stop == 0) {
        int n = poll(&p, 1, SOURCE_STOP_MS);
        int number = errno;

        if (n > 0)
            return true;
        if (n < 0 && number != EINTR && number != EAGAIN) {
            finish_errno(s, number);
            return false;
        }
    }
    finish(s, SOURCE_STOPPED, "stopped");
    return false;
}

/* 0 at the end of the file; after an error the source has ended. */
static size_t
read_fd(struct capture_source *s, uint8_t *out, size_t n)
{
    while (wait_readable(s)) {
        ssize_t got = read(s->fd, out, n);
        int number = errno;

        if (got >= 0)
            return (size_t)got;
        if (number != EINTR && number != EAGAIN) {
            finish_errno(s, number);
            return 0;
        }
    }
    return 0;
}

static size_t
read_raw(struct capture_source *s, uint8_t *out, size_t n)
{
    struct span got;

    if (s->fd >= 0) {
        n = read_fd(s, out, n);
        if (s->tap.see != NULL && n > 0)
            s->tap.see(s->tap.ctx, span_of(out, n));
        return n;
    }
    got = span_head(span_tail(s->pipe.in, s->pipe.at), s->chunk);
    got = cur_take(&s->pipe, got.n < n ? got.n : n);
    if (got.n > 0)
        memcpy(out, got.p, got.n);
    return got.n;
}

/* raw has at least one byte, or false at the end. */
static bool
raw_more(struct capture_source *s)
{
    size_t n;

    if (cur_left(&s->raw) > 0)
        return true;
    if (s->whole)
        return false;
    s->raw_base += s->raw.in.n;
    n = read_raw(s, s->in, SOURCE_IN);
    s->raw = cur_open(span_of(s->in, n));
    return n > 0;
}

static size_t
piece(size_t n)
{
    return n < SOURCE_PIECE ? n : SOURCE_PIECE;
}

static size_t
produce_plain(struct capture_source *s, uint8_t *out, size_t n)
{
    struct span had = cur_rest(&s->raw);

    if (had.n > 0) { /* what was read to look at the magic number */
        REQUIRE(had.n <= n);
        memcpy(out, had.p, had.n);
        return had.n;
    }
    n = read_raw(s, out, n);
    if (n == 0)
        finish(s, SOURCE_END, "");
    return n;
}

/* Between two members. Zeros are padding (gzip(1) takes them too). */
static bool
gzip_next_member(struct capture_source *s)
{
    uint8_t c;

    if (!raw_more(s)) {
        finish(s, SOURCE_END, "");
        return false;
    }
    c = span_at(s->raw.in, s->raw.at);
    if (c == 0)
        finish(s, SOURCE_END, "");
    else if (c != 0x1f)
        finish(s, SOURCE_DAMAGED, "foreign bytes after the gzip data");
    else if (inflateReset(&s->z) == Z_OK)
        s->in_member = true;
    else
        finish(s, SOURCE_MEMORY, "");
    return s->in_member;
}

static size_t
produce_gzip(struct capture_source *s, uint8_t *out, size_t n)
{
    size_t want = piece(n);

    while (!s->ended) {
        struct span in;
        size_t made;
        int e;

        if (!s->in_member && !gzip_next_member(s))
            break;
        if (!raw_more(s)) {
            finish(s, SOURCE_CUT, "");
            break;
        }
        in = span_tail(s->raw.in, s->raw.at);
        s->z.next_in = in.p;
        s->z.avail_in = (uInt)piece(in.n);
        s->z.next_out = out;
        s->z.avail_out = (uInt)want;
        e = inflate(&s->z, Z_NO_FLUSH);
        cur_skip(&s->raw, piece(in.n) - s->z.avail_in);
        made = want - s->z.avail_out;
        if (e == Z_STREAM_END)
            s->in_member = false;
        else if (e == Z_MEM_ERROR)
            finish(s, SOURCE_MEMORY, "");
        else if (e != Z_OK && e != Z_BUF_ERROR)
            finish(s, SOURCE_DAMAGED,
                   s->z.msg != NULL ? s->z.msg : "not gzip data");
        if (made > 0)
            return made;
    }
    return 0;
}

/* How much to give the decoder. A call that fails loses what it has unpacked
 * so far, so each call gets one thing: a block, a block header, or nothing
 * while it still holds output. Its hint is for a block and the next header. */
static size_t
zstd_want(const struct capture_source *s)
{
    if (s->zstd_full)
        return 0;
    return s->zstd_hint > ZSTD_BLOCK_HEAD ? s->zstd_hint - ZSTD_BLOCK_HEAD
                                          : s->zstd_hint;
}

/* How the fields of a frame header lie, RFC 8878 3.1.1.1. */
struct zstd_layout {
    uint8_t descriptor;
    uint8_t n_window;
    uint8_t n_dict;
    uint8_t n_size;
};

/* Anything but a usual frame has no fields: it is the decoder's. */
static struct zstd_layout
zstd_layout(const struct capture_source *s)
{
    static const uint8_t dict[] = {0, 1, 2, 4};
    static const uint8_t size[] = {0, 2, 4, 8};
    struct span head = span_of(s->zstd_head, s->n_zstd_head);
    struct zstd_layout l = {.descriptor = span_at(head, 4)};
    bool single = (l.descriptor & 0x20) != 0;

    if (head.n < ZSTD_START ||
        !span_starts(head, SPAN_LIT("\x28\xb5\x2f\xfd")) ||
        (l.descriptor & 0x08) != 0)
        return (struct zstd_layout){0};
    l.n_window = !single;
    l.n_dict = dict[l.descriptor & 3];
    l.n_size = size[l.descriptor >> 6];
    if (single && l.n_size == 0)
        l.n_size = 1;
    return l;
}

/* Collects a frame's header; false: there is no more, or not all of it. */
static bool
zstd_collect(struct capture_source *s)
{
    size_t want = ZSTD_START;

    while (s->n_zstd_head < want) {
        struct zstd_layout l;
        struct span got;

        if (!raw_more(s)) {
            finish(s, s->n_zstd_head > 0 ? SOURCE_CUT : SOURCE_END, "");
            return false;
        }
        got = cur_take(&s->raw, 1);
        s->zstd_head[s->n_zstd_head++] = span_at(got, 0);
        l = zstd_layout(s);
        want = ZSTD_START + (size_t)l.n_window + l.n_dict + l.n_size;
    }
    return true;
}

static uint64_t
zstd_size(struct span field)
{
    uint64_t v = 0;

    for (size_t i = field.n; i-- > 0;)
        v = v << 8 | span_at(field, i);
    return field.n == 2 ? v + 256 : v;
}

/* The window of a frame that has no window but is one segment. */
static uint8_t
zstd_window(uint64_t size)
{
    uint8_t n = ZSTD_WINDOW_MIN;

    while (n < ZSTD_WINDOW_MAX && UINT64_C(1) << n < size)
        n++;
    return (uint8_t)((n - 10) << 3);
}

/* A decoder that knows how long a frame says it is refuses a frame of another
 * length, and the block in which it notices is lost. So the header goes to it
 * without the length, which is looked at here at the frame's end. */
static struct span
zstd_header(struct capture_source *s, uint8_t out[SOURCE_ZSTD_HEAD])
{
    struct zstd_layout l = zstd_layout(s);
    struct span head = span_of(s->zstd_head, s->n_zstd_head);
    struct span way = span_tail(head, ZSTD_START);
    struct span dict = span_head(span_tail(way, l.n_window), l.n_dict);

    s->zstd_said = UINT64_MAX;
    s->zstd_made = 0;
    s->n_zstd_head = 0;
    if (l.n_size == 0)
        return head;
    s->zstd_said = zstd_size(span_tail(way, (size_t)l.n_window + l.n_dict));
    memcpy(out, head.p, ZSTD_START);
    out[4] = l.descriptor & 0x07;
    out[5] = l.n_window != 0 ? span_at(way, 0) : zstd_window(s->zstd_said);
    if (dict.n > 0)
        memcpy(out + 6, dict.p, dict.n);
    return span_of(out, 6 + dict.n);
}

static void
zstd_step(struct capture_source *s, ZSTD_outBuffer *o, ZSTD_inBuffer *i)
{
    size_t had = o->pos;
    size_t e = ZSTD_decompressStream(s->zstd, o, i);

    s->zstd_made += o->pos - had;
    s->zstd_full = o->pos == o->size && e != 0;
    s->zstd_hint = e;
    s->in_member = e != 0;
    if (ZSTD_isError(e))
        finish(s, SOURCE_DAMAGED, ZSTD_getErrorName(e));
    else if (e == 0 && s->zstd_said != UINT64_MAX &&
             s->zstd_said != s->zstd_made)
        finish(s, SOURCE_DAMAGED, "a frame is not as long as it says");
}

static size_t
produce_zstd(struct capture_source *s,
             uint8_t *out, /* NOLINT(readability-non-const-parameter) */
             size_t n)
{
    ZSTD_outBuffer o = {out, n, 0};

    while (!s->ended && o.pos == 0) {
        uint8_t header[SOURCE_ZSTD_HEAD];
        struct span in;
        ZSTD_inBuffer i;
        size_t want;

        if (!s->in_member) {
            if (!zstd_collect(s))
                break;
            in = zstd_header(s, header);
            i = (ZSTD_inBuffer){in.p, in.n, 0};
            zstd_step(s, &o, &i);
            continue;
        }
        want = zstd_want(s);
        if (want > 0 && !raw_more(s)) {
            finish(s, SOURCE_CUT, "");
            break;
        }
        in = span_head(span_tail(s->raw.in, s->raw.at), want);
        i = (ZSTD_inBuffer){in.p, in.n, 0};
        zstd_step(s, &o, &i);
        cur_skip(&s->raw, i.pos);
    }
    return o.pos;
}

/* At least one more byte, or 0 and the source has ended. */
static size_t
produce(struct capture_source *s, uint8_t *out, size_t n)
{
    switch (s->coding) {
    case CAPTURE_PLAIN: return produce_plain(s, out, n);
    case CAPTURE_GZIP: return produce_gzip(s, out, n);
    case CAPTURE_ZSTD: return produce_zstd(s, out, n);
    }
    return 0;
}

static bool
decoder_start(struct capture_source *s)
{
    if (s->coding == CAPTURE_GZIP && !s->z_ready) {
        s->z = (z_stream){0};
        s->z_ready = inflateInit2(&s->z, 15 + 16) == Z_OK;
        s->in_member = s->z_ready;
        return s->z_ready;
    }
    if (s->coding == CAPTURE_ZSTD && s->zstd == NULL) {
        s->zstd = ZSTD_createDStream();
        return s->zstd != NULL;
    }
    return true;
}

static void
decoder_stop(struct capture_source *s)
{
    if (s->z_ready)
        (void)inflateEnd(&s->z);
    (void)ZSTD_freeDStream(s->zstd);
    s->z_ready = false;
    s->in_member = false;
    s->zstd_full = false;
    s->n_zstd_head = 0;
    s->zstd = NULL;
    free(s->room);
    s->room = NULL;
    s->cap = 0;
}

/* Brings what is left in the window to the front of room for n bytes. */
static bool
make_room(struct capture_source *s, size_t n)
{
    struct span left = span_tail(s->cur.in, s->cur.at);
    uint8_t *p = s->room;
    size_t cap = s->cap > 0 ? s->cap : SOURCE_ROOM_MIN;

    while (cap < n)
        cap *= 2;
    if (cap > s->cap && (p = malloc(cap)) == NULL)
        return false;
    if (left.n > 0)
        memmove(p, left.p, left.n);
    if (p != s->room)
        free(s->room);
    s->room = p;
    s->cap = cap;
    s->base += s->cur.at;
    s->cur = cur_open(span_of(p, left.n));
    return true;
}

bool
capture_source_refill(struct capture_source *s, size_t n)
{
    if (s->ended)
        return false;
    if (!make_room(s, n) || !decoder_start(s)) {
        finish(s, SOURCE_MEMORY, "");
        return false;
    }
    while (s->cur.in.n < n && !s->ended)
        s->cur.in.n += produce(s, s->room + s->cur.in.n, s->cap - s->cur.in.n);
    return s->cur.in.n >= n;
}

static const struct {
    enum capture_coding coding;
    const char *magic;
    size_t n;
} codings[] = {
    {CAPTURE_GZIP, "\x1f\x8b",         2},
    {CAPTURE_ZSTD, "\x28\xb5\x2f\xfd", 4},
};

static void
sniff(struct capture_source *s, struct span head)
{
    s->coding = CAPTURE_PLAIN;
    for (size_t i = 0; i < ARRAY_LEN(codings); i++) {
        if (span_starts(head, span_of(codings[i].magic, codings[i].n)))
            s->coding = codings[i].coding;
    }
}

static void
start_whole(struct capture_source *s)
{
    s->raw = cur_open(s->data);
    if (s->coding == CAPTURE_PLAIN) {
        s->cur = cur_open(s->data);
        finish(s, SOURCE_END, "");
    }
}

static enum err
open_whole(struct capture_source *s, struct span data)
{
    s->whole = true;
    s->data = data;
    s->size = data.n;
    sniff(s, data);
    start_whole(s);
    return ERR_OK;
}

static enum err
open_stream(struct capture_source *s)
{
    size_t n = 0;
    size_t got;

    s->in = malloc(SOURCE_IN);
    if (s->in == NULL)
        return ERR_NOMEM;
    do {
        got = read_raw(s, s->in + n, SOURCE_IN - n);
        n += got;
    } while (got > 0 && n < SOURCE_MAGIC);
    s->raw = cur_open(span_of(s->in, n));
    sniff(s, s->raw.in);
    return ERR_OK;
}

/* False: not to be mapped, so it is read as a stream. */
static bool
map_file(struct capture_source *s, const struct stat *st)
{
    size_t n = (size_t)st->st_size;
    void *p;

    if (!S_ISREG(st->st_mode) || st->st_size <= 0 || s->fd == STDIN_FILENO)
        return false;
    p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, s->fd, 0);
    if (p == MAP_FAILED)
        return false;
    (void)madvise(p, n, MADV_SEQUENTIAL);
    (void)close(s->fd);
    s->fd = -1;
    s->map = p;
    s->size = n;
    return true;
}

static enum err
say(struct buf *message, const char *name, enum err e, const char *what)
{
    if (strcmp(name, "-") == 0)
        buf_str(message, "standard input");
    else
        text_term(message, span_str(name));
    buf_printf(message, ": %s", what);
    return e;
}

static enum err
open_fd(struct capture_source *s, const char *name, struct buf *message)
{
    enum err e;
    int number;

    if (strcmp(name, "-") == 0) {
        s->fd = STDIN_FILENO;
        return ERR_OK;
    }
    s->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    number = errno;
    if (s->fd >= 0)
        return ERR_OK;
    e = err_from_errno(number);
    if (e == ERR_NOENT)
        return say(message, name, e, "no such file; check the path");
    if (e == ERR_PERM)
        return say(message, name, e,
                   "not readable by this user; change its permissions or "
                   "give it on standard input");
    return say(message, name, e, strerrordesc_np(number));
}

enum err
capture_source_open(struct capture_source *s, const char *name,
                    const volatile sig_atomic_t *stop, struct buf *message)
{
    struct stat st;
    enum err e;

    *s = (struct capture_source){.fd = -1, .stop = stop};
    e = open_fd(s, name, message);
    if (e != ERR_OK)
        return e;
    if (fstat(s->fd, &st) != 0)
        e = say(message, name, ERR_IO, "cannot be examined");
    else if (S_ISDIR(st.st_mode))
        e = say(message, name, ERR_USAGE,
                "is a directory; name the capture files in it");
    else if (isatty(s->fd))
        e = say(message, name, ERR_USAGE,
                "is a terminal; pipe a capture into it");
    else if (map_file(s, &st))
        e = open_whole(s, span_of(s->map, s->size));
    else if (open_stream(s) != ERR_OK)
        e = say(message, name, ERR_NOMEM, err_text(ERR_NOMEM));
    if (e != ERR_OK)
        capture_source_close(s);
    return e;
}

enum err
capture_source_stream(struct capture_source *s, int fd,
                      const volatile sig_atomic_t *stop,
                      const struct capture_tap *tap)
{
    enum err e;

    *s = (struct capture_source){.fd = fd, .stop = stop, .tap = *tap};
    e = open_stream(s);
    if (e != ERR_OK)
        capture_source_close(s);
    return e;
}

void
capture_source_drain(struct capture_source *s)
{
    REQUIRE(s->ended && !s->whole && !s->closed);
    while (read_raw(s, s->in, SOURCE_IN) > 0)
        ;
}

enum err
capture_source_memory(struct capture_source *s, struct span data, size_t chunk)
{
    *s = (struct capture_source){.fd = -1, .chunk = chunk};
    if (chunk == 0)
        return open_whole(s, data);
    s->pipe = cur_open(data);
    return open_stream(s);
}

uint64_t
capture_source_position(const struct capture_source *s)
{
    if (s->closed)
        return s->end_position;
    if (s->coding == CAPTURE_PLAIN)
        return capture_source_offset(s);
    return s->raw_base + s->raw.at;
}

void
capture_source_rewind(struct capture_source *s)
{
    REQUIRE(s->whole && !s->closed);
    decoder_stop(s);
    s->cur = cur_open(SPAN_NONE);
    s->base = 0;
    s->ended = false;
    start_whole(s);
}

void
capture_source_close(struct capture_source *s)
{
    if (s->closed)
        return;
    s->end_position = s->size > 0 ? s->size : capture_source_position(s);
    s->closed = true;
    s->ended = true;
    s->cur = cur_open(SPAN_NONE);
    s->raw = cur_open(SPAN_NONE);
    decoder_stop(s);
    free(s->in);
    s->in = NULL;
    if (s->fd > STDIN_FILENO)
        (void)close(s->fd);
    s->fd = -1;
    if (s->map != NULL)
        (void)munmap(s->map, s->size);
    s->map = NULL;
}
