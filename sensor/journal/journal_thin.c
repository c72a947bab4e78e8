#include "sensor/journal/journal_thin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "sensor/journal/journal_segment.h"

#define FRAME_RAW   (1U << 20)
#define LEVEL       3
#define MARK_MAGIC  0x184D2A55U
#define MARK_WORD   0x6b353273U /* "s25k" */
#define MARK_BYTES  16U
#define MARK_INSIDE 8U

struct thin {
    int dir;
    unsigned kinds; /* to cut */
    const struct journal_io *io;
    const char *why;
    struct journal_source *from;
    struct journal_lines lines;
    struct journal_chain in, out;
    uint64_t run; /* lines cut just before */
    uint64_t cut[KEEP_KINDS];
    ZSTD_CCtx *z;
    struct buf raw; /* lines of the frame to come */
    uint8_t *packed;
    size_t packed_cap;
    int fd;
};

/* ---- the mark ---- */

static void
put_le32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

unsigned
journal_thin_kinds(int dir, uint64_t number)
{
    uint8_t mark[MARK_BYTES];
    struct cursor c = cur_open(span_of(mark, sizeof(mark)));
    char name[SEGMENT_NAME_MAX];
    ssize_t n = -1;
    int fd;

    journal_segment_name(number, ".zst", name);
    fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        n = pread(fd, mark, sizeof(mark), 0);
        (void)close(fd);
    }
    if (n != MARK_BYTES || cur_le32(&c) != MARK_MAGIC ||
        cur_le32(&c) != MARK_INSIDE || cur_le32(&c) != MARK_WORD)
        return 0;
    return cur_le32(&c);
}

/* ---- writing ---- */

static enum err
write_out(struct thin *t, struct span bytes)
{
    size_t done;

    return journal_io_write(t->io, t->fd, bytes, &done, &t->why);
}

static enum err
put_mark(struct thin *t)
{
    uint8_t mark[MARK_BYTES];

    put_le32(mark, MARK_MAGIC);
    put_le32(mark + 4, MARK_INSIDE);
    put_le32(mark + 8, MARK_WORD);
    put_le32(mark + 12, t->kinds);
    return write_out(t, span_of(mark, sizeof(mark)));
}

static enum err
put_frames(struct thin *t)
{
    struct span rest = buf_view(&t->raw);
    enum err e = t->raw.failed ? ERR_NOMEM : ERR_OK;

    while (e == ERR_OK && rest.n > 0) {
        const struct span part = span_head(rest, FRAME_RAW);
        const size_t n =
            ZSTD_compress2(t->z, t->packed, t->packed_cap, part.p, part.n);

        e = ZSTD_isError(n) ? ERR_NOMEM : write_out(t, span_of(t->packed, n));
        rest = span_tail(rest, part.n);
    }
    buf_reset(&t->raw);
    return e;
}

static enum err
put_run(struct thin *t)
{
    char line[JOURNAL_GONE_MAX];

    if (t->run > 0)
        buf_put(&t->raw, line, journal_chain_put_gone(&t->out, t->run, line));
    t->run = 0;
    return t->raw.n >= FRAME_RAW ? put_frames(t) : ERR_OK;
}

static enum err
put_line(struct thin *t, struct span body)
{
    char tail[JOURNAL_TAIL_MAX];
    const enum err e = put_run(t);

    buf_span(&t->raw, body);
    buf_put(&t->raw, tail, journal_chain_put(&t->out, body, tail));
    return e;
}

static enum err
take(struct thin *t, const struct journal_parts *p)
{
    const enum keep_kind kind = keep_of_json(p->body);

    if (p->gone > 0) {
        t->run += p->gone;
        return ERR_OK;
    }
    if ((t->kinds >> kind & 1U) == 0)
        return t->fd >= 0 ? put_line(t, p->body) : ERR_OK;
    t->cut[kind]++;
    t->run++;
    return ERR_OK;
}

/* All lines, in order; any damage ends it. */
static enum err
walk(struct thin *t)
{
    for (;;) {
        struct journal_parts parts;
        struct journal_raw raw;
        enum err e = journal_lines_next(&t->lines, &raw);

        if (e == ERR_TRUNCATED)
            return t->lines.end > t->lines.start ? ERR_CORRUPT : ERR_OK;
        if (e != ERR_OK)
            return e;
        if (!journal_chain_take(&t->in, span_of(raw.p, raw.n), &parts))
            return ERR_CORRUPT;
        e = take(t, &parts);
        if (e != ERR_OK)
            return e;
    }
}

/* What was written holds together and ends at the same number. */
static enum err
verify(const struct thin *t, uint64_t number, const char *temp)
{
    struct journal_source *back;
    struct journal_lines lines;
    struct journal_scan s = {0};
    enum err e = journal_source_open_file(t->dir, temp, true, &back);

    if (e != ERR_OK)
        return e;
    journal_lines_init(&lines, journal_source_get, back);
    e = journal_lines_scan(&lines, number, &s);
    journal_lines_free(&lines);
    journal_source_free(back);
    if (e == ERR_OK && (s.damaged > 0 || s.kept_bytes != s.total_bytes ||
                        s.chain.next_seq != t->in.next_seq))
        e = ERR_CORRUPT;
    return e;
}

/* ---- one segment ---- */

static enum err
begin(struct thin *t, uint64_t number)
{
    char name[SEGMENT_NAME_MAX];
    enum err e;

    t->fd = -1;
    t->why = "read failed";
    journal_segment_name(number, ".zst", name);
    e = journal_source_open_file(t->dir, name, true, &t->from);
    journal_lines_init(&t->lines, journal_source_get, t->from);
    journal_chain_init(&t->in, number);
    journal_chain_init(&t->out, number);
    buf_init(&t->raw, JOURNAL_LINE_MAX + FRAME_RAW + JOURNAL_GONE_MAX);
    return e;
}

static enum err
begin_writing(struct thin *t, const char *temp)
{
    int no;

    t->packed_cap = ZSTD_compressBound(FRAME_RAW);
    t->packed = malloc(t->packed_cap);
    t->z = ZSTD_createCCtx();
    if (t->packed == NULL || t->z == NULL)
        return ERR_NOMEM;
    (void)ZSTD_CCtx_setParameter(t->z, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(t->z, ZSTD_c_checksumFlag, 1);
    t->fd = openat(t->dir, temp,
                   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    no = errno;
    if (t->fd < 0) {
        t->why = strerrordesc_np(no);
        return err_from_errno(no);
    }
    return put_mark(t);
}

static void
end(struct thin *t)
{
    if (t->fd >= 0)
        (void)close(t->fd);
    journal_lines_free(&t->lines);
    journal_source_free(t->from);
    (void)ZSTD_freeCCtx(t->z);
    free(t->packed);
    buf_free(&t->raw);
}

static uint64_t
bytes_of(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0
               ? (uint64_t)st.st_size
               : 0;
}

static enum err
put_in_place(struct thin *t, const char *temp, const char *name)
{
    int no;

    journal_segment_keep_time(t->dir, name, temp);
    if (renameat(t->dir, temp, t->dir, name) != 0) {
        no = errno;
        t->why = strerrordesc_np(no);
        return err_from_errno(no);
    }
    return journal_io_sync(t->io, t->dir, &t->why);
}

static enum err
rewrite(struct thin *t, uint64_t number, const char *temp, const char *name)
{
    enum err e = begin_writing(t, temp);

    if (e == ERR_OK)
        e = walk(t);
    if (e == ERR_OK)
        e = put_run(t);
    if (e == ERR_OK)
        e = put_frames(t);
    if (e == ERR_OK)
        e = journal_io_sync(t->io, t->fd, &t->why);
    if (e == ERR_OK)
        e = verify(t, number, temp);
    if (e == ERR_OK)
        e = put_in_place(t, temp, name);
    if (e != ERR_OK)
        (void)unlinkat(t->dir, temp, 0);
    return e;
}

enum err
journal_thin(int dir, uint64_t number, unsigned kinds,
             const struct journal_io *io, struct journal_thinned *out,
             const char **why)
{
    struct thin t = {.dir = dir, .kinds = kinds, .io = io};
    char name[SEGMENT_NAME_MAX];
    char temp[SEGMENT_NAME_MAX];
    struct journal_thinned did = {0};
    enum err e;

    journal_segment_name(number, ".zst", name);
    journal_segment_name(number, ".zst.tmp", temp);
    did.before = bytes_of(dir, name);
    e = begin(&t, number);
    if (e == ERR_OK)
        e = rewrite(&t, number, temp, name);
    end(&t);
    if (e != ERR_OK) {
        *why = t.why;
        return e;
    }
    did.after = bytes_of(dir, name);
    memcpy(did.lines, t.cut, sizeof(did.lines));
    *out = did;
    return ERR_OK;
}

void
journal_thin_count(int dir, uint64_t number, unsigned kinds,
                   uint64_t lines[KEEP_KINDS])
{
    struct thin t = {.dir = dir, .kinds = kinds};

    if (begin(&t, number) == ERR_OK)
        (void)walk(&t);
    end(&t);
    memcpy(lines, t.cut, sizeof(t.cut));
}
