#include "sensor/journal/journal_segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "sensor/base/hash.h"

#define NUMBER_N  20U
#define FRAME_RAW (1U << 20)
#define LEVEL     3
#define IN_CAP    (256U << 10)

static const uint8_t zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

struct journal_source {
    int fd;
    uint64_t at; /* next byte of the file to read */
    /* of a compressed one */
    ZSTD_DStream *z;
    uint8_t *in;
    size_t in_at;
    size_t in_n;
    uint64_t frame_at; /* where the frame being read begins */
    bool in_frame;
    bool full; /* the last call had more to give than room */
    bool lost; /* looking for the next frame */
};

/* ---- names ---- */

void
journal_segment_name(uint64_t number, const char *suffix,
                     char out[SEGMENT_NAME_MAX])
{
    int n = snprintf(out, SEGMENT_NAME_MAX, "%020" PRIu64 ".jsonl%s", number,
                     suffix);

    REQUIRE(n > 0 && n < SEGMENT_NAME_MAX);
}

static bool
parse_name(struct span name, uint64_t *number, struct span *suffix)
{
    *suffix = span_tail(name, NUMBER_N);
    return span_starts(*suffix, SPAN_LIT(".jsonl")) &&
           span_to_u64(span_head(name, NUMBER_N), number);
}

/* Calls each(ctx, name) for all names in the folder until one fails. */
static enum err
for_names(int dir, enum err (*each)(void *ctx, const char *name), void *ctx)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number = errno;
    enum err e = ERR_OK;
    struct dirent *d;
    DIR *h;

    if (fd < 0)
        return err_from_errno(number);
    h = fdopendir(fd);
    if (h == NULL) {
        (void)close(fd);
        return ERR_NOMEM;
    }
    while (e == ERR_OK) {
        errno = 0;
        d = readdir(h);
        number = errno;
        if (d == NULL) {
            e = err_from_errno(number);
            break;
        }
        e = each(ctx, d->d_name);
    }
    (void)closedir(h);
    return e;
}

/* ---- list ---- */

static enum err
add_name(void *ctx, const char *name)
{
    struct journal_segments *s = ctx;
    struct journal_segment seg = {0};
    struct span suffix;

    if (!parse_name(span_str(name), &seg.number, &suffix))
        return ERR_OK;
    seg.plain = span_eq(suffix, SPAN_LIT(".jsonl"));
    seg.zst = span_eq(suffix, SPAN_LIT(".jsonl.zst"));
    if (!seg.plain && !seg.zst)
        return ERR_OK;
    if (s->n == s->cap) {
        size_t cap = s->cap > 0 ? s->cap * 2 : 64;
        struct journal_segment *v = realloc(s->v, cap * sizeof(*v));

        if (v == NULL)
            return ERR_NOMEM;
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = seg;
    return ERR_OK;
}

static int
by_number(const void *a, const void *b)
{
    const struct journal_segment *x = a;
    const struct journal_segment *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static void
join_forms(struct journal_segments *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (n > 0 && s->v[n - 1].number == s->v[i].number) {
            s->v[n - 1].plain |= s->v[i].plain;
            s->v[n - 1].zst |= s->v[i].zst;
        } else {
            s->v[n++] = s->v[i];
        }
    }
    s->n = n;
}

enum err
journal_segments_read(int dir, struct journal_segments *out)
{
    struct journal_segments s = {0};
    enum err e = for_names(dir, add_name, &s);

    if (e != ERR_OK) {
        journal_segments_free(&s);
        return e;
    }
    if (s.n > 0)
        qsort(s.v, s.n, sizeof(*s.v), by_number);
    join_forms(&s);
    *out = s;
    return ERR_OK;
}

void
journal_segments_free(struct journal_segments *s)
{
    free(s->v);
    *s = (struct journal_segments){0};
}

/* ---- reading ---- */

static enum err
open_zst(struct journal_source *s)
{
    s->in = malloc(IN_CAP);
    s->z = ZSTD_createDStream();
    return s->in != NULL && s->z != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
journal_source_open_file(int dir, const char *name, bool zst,
                         struct journal_source **out)
{
    struct journal_source *s = calloc(1, sizeof(*s));
    enum err e = ERR_OK;
    int no;

    if (s == NULL)
        return ERR_NOMEM;
    s->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    no = errno;
    if (s->fd < 0)
        e = err_from_errno(no);
    else if (zst)
        e = open_zst(s);
    if (e != ERR_OK) {
        journal_source_free(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

enum err
journal_source_open(int dir, uint64_t number, struct journal_source **out)
{
    char name[SEGMENT_NAME_MAX];
    enum err e;

    journal_segment_name(number, "", name);
    e = journal_source_open_file(dir, name, false, out);
    if (e == ERR_OK || e == ERR_NOMEM)
        return e;
    /* the compressed one is in place before the plain one goes */
    journal_segment_name(number, ".zst", name);
    return journal_source_open_file(dir, name, true, out);
}

void
journal_source_free(struct journal_source *s)
{
    if (s == NULL)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    (void)ZSTD_freeDStream(s->z);
    free(s->in);
    free(s);
}

bool
journal_source_is_plain(const struct journal_source *s)
{
    return s->z == NULL;
}

static enum err
read_at(struct journal_source *s, uint8_t *p, size_t cap, size_t *got)
{
    ssize_t n;
    int number;

    do {
        n = pread(s->fd, p, cap, (off_t)s->at);
        number = errno;
    } while (n < 0 && number == EINTR);
    if (n < 0)
        return err_from_errno(number);
    s->at += (uint64_t)n;
    *got = (size_t)n;
    return ERR_OK;
}

static enum err
refill(struct journal_source *s)
{
    s->in_at = s->in_n = 0;
    return read_at(s, s->in, IN_CAP, &s->in_n);
}

/* Goes on behind the beginning of a frame that cannot be read. */
static void
leave_frame(struct journal_source *s)
{
    s->at = s->frame_at + 1;
    s->in_at = s->in_n = 0;
    s->in_frame = s->full = false;
    s->lost = true;
}

/* Looks for the next frame in what was read; a magic cut by the end of the
 * buffer is met again, since the file is read on from its first byte. */
static void
seek_frame(struct journal_source *s)
{
    struct span in = span_tail(span_of(s->in, s->in_n), s->in_at);
    size_t hit = span_search(in, span_of(zstd_magic, sizeof(zstd_magic)));
    size_t again = in.n < 3 ? 0 : 3;

    if (hit < in.n) {
        s->in_at += hit;
        s->frame_at = s->at - (s->in_n - s->in_at);
        s->lost = false;
        (void)ZSTD_DCtx_reset(s->z, ZSTD_reset_session_only);
        return;
    }
    if (in.n == IN_CAP)
        s->at -= again;
    s->in_at = s->in_n;
}

static enum err /* NOLINTNEXTLINE(readability-non-const-parameter): by zstd */
get_zst(struct journal_source *s, uint8_t *p, size_t cap, size_t *got)
{
    for (;;) {
        ZSTD_outBuffer out = {p, cap, 0};
        ZSTD_inBuffer in;
        size_t left;

        if (s->in_at == s->in_n && !s->full) {
            enum err e = refill(s);

            if (e != ERR_OK)
                return e;
            if (s->in_n == 0 && s->in_frame) {
                leave_frame(s);
                return ERR_CORRUPT;
            }
            if (s->in_n == 0)
                return ERR_OK;
        }
        if (s->lost) {
            seek_frame(s);
            continue;
        }
        in = (ZSTD_inBuffer){s->in, s->in_n, s->in_at};
        left = ZSTD_decompressStream(s->z, &out, &in);
        if (ZSTD_isError(left)) {
            leave_frame(s);
            return ERR_CORRUPT;
        }
        s->in_at = in.pos;
        s->in_frame = left != 0;
        s->full = left != 0 && out.pos == out.size;
        if (left == 0)
            s->frame_at = s->at - (s->in_n - s->in_at);
        *got = out.pos;
        if (out.pos > 0)
            return ERR_OK;
    }
}

enum err
journal_source_get(void *source, uint8_t *p, size_t cap, size_t *got)
{
    struct journal_source *s = source;

    *got = 0;
    return s->z == NULL ? read_at(s, p, cap, got) : get_zst(s, p, cap, got);
}

void
journal_source_back(struct journal_source *s, size_t n)
{
    REQUIRE(s->z == NULL && n <= s->at);
    s->at -= n;
}

/* ---- compressing ---- */

struct packer {
    const struct journal_io *io;
    const char *why;
    ZSTD_CCtx *z;
    uint8_t *raw; /* FRAME_RAW bytes */
    uint8_t *out;
    size_t out_cap;
    int fd;
};

/* Reads up to FRAME_RAW bytes. */
static enum err
fill_frame(struct journal_source *from, uint8_t *raw, size_t *n)
{
    *n = 0;
    for (;;) {
        size_t got;
        enum err e = journal_source_get(from, raw + *n, FRAME_RAW - *n, &got);

        if (e != ERR_OK)
            return e;
        *n += got;
        if (got == 0 || *n == FRAME_RAW)
            return ERR_OK;
    }
}

/* Frames of the whole source into p->fd, or only its hash when p->fd is -1. */
static enum err
pump(struct packer *p, struct journal_source *from, uint64_t *hash)
{
    uint64_t h = 0;
    size_t done;
    size_t raw;

    for (;;) {
        enum err e = fill_frame(from, p->raw, &raw);
        size_t n;

        if (e != ERR_OK)
            return e;
        if (raw == 0) {
            *hash = h;
            return ERR_OK;
        }
        h = hash_span(span_of(p->raw, raw), h);
        if (p->fd < 0)
            continue;
        n = ZSTD_compress2(p->z, p->out, p->out_cap, p->raw, raw);
        if (ZSTD_isError(n))
            return ERR_NOMEM;
        e = journal_io_write(p->io, p->fd, span_of(p->out, n), &done, &p->why);
        if (e != ERR_OK)
            return e;
    }
}

static enum err
packer_init(struct packer *p, const struct journal_io *io)
{
    *p = (struct packer){.io = io, .why = "out of memory", .fd = -1};
    p->out_cap = ZSTD_compressBound(FRAME_RAW);
    p->raw = malloc(FRAME_RAW);
    p->out = malloc(p->out_cap);
    p->z = ZSTD_createCCtx();
    if (p->raw == NULL || p->out == NULL || p->z == NULL)
        return ERR_NOMEM;
    (void)ZSTD_CCtx_setParameter(p->z, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(p->z, ZSTD_c_checksumFlag, 1);
    p->why = "read failed";
    return ERR_OK;
}

static void
packer_fini(struct packer *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    (void)ZSTD_freeCCtx(p->z);
    free(p->raw);
    free(p->out);
}

void
journal_segment_keep_time(int dir, const char *from, const char *to)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    struct stat st;

    if (fstatat(dir, from, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    times[1] = st.st_mtim;
    (void)utimensat(dir, to, times, AT_SYMLINK_NOFOLLOW);
}

/* Writes NAME.zst.tmp and syncs it. */
static enum err
write_temp(struct packer *p, int dir, const char *temp,
           struct journal_source *from, uint64_t *hash)
{
    int number;
    enum err e;

    p->fd = openat(dir, temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    number = errno;
    if (p->fd < 0) {
        p->why = strerrordesc_np(number);
        return err_from_errno(number);
    }
    e = pump(p, from, hash);
    return e == ERR_OK ? journal_io_sync(p->io, p->fd, &p->why) : e;
}

/* What was written gives the same bytes. */
static enum err
verify_temp(struct packer *p, uint64_t hash)
{
    struct journal_source back = {.fd = p->fd};
    enum err e = open_zst(&back);
    uint64_t got = 0;

    p->fd = -1;
    if (e == ERR_OK)
        e = pump(p, &back, &got);
    p->fd = back.fd;
    (void)ZSTD_freeDStream(back.z);
    free(back.in);
    if (e == ERR_OK && got != hash) {
        p->why = "reads back differently";
        e = ERR_CORRUPT;
    }
    return e;
}

static enum err
replace(struct packer *p, int dir, uint64_t number)
{
    char plain[SEGMENT_NAME_MAX];
    char zst[SEGMENT_NAME_MAX];
    char temp[SEGMENT_NAME_MAX];
    int no;

    journal_segment_name(number, "", plain);
    journal_segment_name(number, ".zst", zst);
    journal_segment_name(number, ".zst.tmp", temp);
    journal_segment_keep_time(dir, plain, temp);
    if (renameat(dir, temp, dir, zst) != 0) {
        no = errno;
        p->why = strerrordesc_np(no);
        return err_from_errno(no);
    }
    if (journal_io_sync(p->io, dir, &p->why) != ERR_OK)
        return ERR_IO;
    if (unlinkat(dir, plain, 0) != 0) {
        no = errno;
        p->why = strerrordesc_np(no);
        return err_from_errno(no);
    }
    return ERR_OK;
}

enum err
journal_segment_compress(int dir, uint64_t number, const struct journal_io *io,
                         const char **why)
{
    struct journal_source *from = NULL;
    char temp[SEGMENT_NAME_MAX];
    struct packer p;
    uint64_t hash = 0;
    enum err e = packer_init(&p, io);

    journal_segment_name(number, ".zst.tmp", temp);
    if (e == ERR_OK)
        e = journal_source_open(dir, number, &from);
    if (e == ERR_OK && journal_source_is_plain(from)) {
        e = write_temp(&p, dir, temp, from, &hash);
        if (e == ERR_OK)
            e = verify_temp(&p, hash);
        if (e == ERR_OK)
            e = replace(&p, dir, number);
        if (e != ERR_OK)
            (void)unlinkat(dir, temp, 0);
    }
    journal_source_free(from);
    packer_fini(&p);
    if (e != ERR_OK)
        *why = p.why;
    return e;
}

/* ---- cleaning ---- */

static enum err
clean_name(void *ctx, const char *name)
{
    const int *dir = ctx;
    struct span suffix;
    uint64_t number;

    if (parse_name(span_str(name), &number, &suffix) &&
        span_eq(suffix, SPAN_LIT(".jsonl.zst.tmp")))
        (void)unlinkat(*dir, name, 0);
    return ERR_OK;
}

enum err
journal_segments_clean(int dir)
{
    struct journal_segments s = {0};
    char name[SEGMENT_NAME_MAX];
    enum err e = for_names(dir, clean_name, &dir);

    if (e == ERR_OK)
        e = journal_segments_read(dir, &s);
    for (size_t i = 0; i < s.n; i++) {
        if (s.v[i].plain && s.v[i].zst) {
            journal_segment_name(s.v[i].number, ".zst", name);
            (void)unlinkat(dir, name, 0);
        }
    }
    journal_segments_free(&s);
    return e;
}
