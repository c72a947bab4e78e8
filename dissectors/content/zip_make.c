#include "dissectors/content/zip_make.h"

#define ZLIB_CONST
#include <zlib.h>

#define OUT_MAX (256U << 20)

static void
le(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++)
        buf_putc(out, (uint8_t)(v >> (8 * k)));
    REQUIRE(!out->failed && !out->cut);
}

void
zip_make_begin(struct zip_make *z)
{
    *z = (struct zip_make){0};
    buf_init(&z->out, OUT_MAX);
    buf_init(&z->dir, OUT_MAX);
}

void
zip_make_free(struct zip_make *z)
{
    buf_free(&z->out);
    buf_free(&z->dir);
}

void
zip_make_deflate(struct span data, struct buf *out)
{
    z_stream s = {0};
    int z = deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);

    REQUIRE(z == Z_OK);
    s.next_in = data.p;
    s.avail_in = (uInt)data.n;
    do {
        REQUIRE(buf_grow(out, 4096));
        s.next_out = out->p + out->n;
        s.avail_out = 4096;
        z = deflate(&s, Z_FINISH);
        out->n += 4096 - s.avail_out;
    } while (z == Z_OK);
    REQUIRE(z == Z_STREAM_END);
    (void)deflateEnd(&s);
}

/* What both headers say, in their common order. */
struct said {
    unsigned flags;
    unsigned method;
    uint32_t crc;
    uint32_t packed;
    uint32_t size;
};

static void
common(struct buf *out, const struct said *s, const char *name, size_t n_extra)
{
    le(out, s->flags, 2);
    le(out, s->method, 2);
    le(out, 0, 4);
    le(out, s->crc, 4);
    le(out, s->packed, 4);
    le(out, s->size, 4);
    le(out, strlen(name), 2);
    le(out, n_extra, 2);
}

static void
local_header(struct zip_make *z, const struct zip_make_member *m, struct said s)
{
    const char *name = m->local_name != NULL ? m->local_name : m->name;

    s.flags |= m->local_flags;
    if (m->local_method > 0)
        s.method = m->local_method - 1;
    if (m->descriptor)
        s.crc = s.packed = s.size = 0;
    z->last = (uint32_t)z->out.n;
    buf_str(&z->out, "PK\3\4");
    le(&z->out, 20, 2);
    common(&z->out, &s, name, 0);
    buf_str(&z->out, name);
}

static void
central_header(struct zip_make *z, const struct zip_make_member *m,
               struct said s)
{
    const uint32_t at = z->last - z->base;
    struct said said = s;

    if (m->zip64)
        said.packed = said.size = UINT32_MAX;
    buf_str(&z->dir, "PK\1\2");
    le(&z->dir, 3U << 8 | 20, 2);
    le(&z->dir, 20, 2);
    common(&z->dir, &said, m->name, m->extra.n + (m->zip64 ? 28 : 0));
    le(&z->dir, 0, 2);
    le(&z->dir, m->disk, 2);
    le(&z->dir, 0, 2);
    le(&z->dir, m->is_link ? 0xa1ff0000U : 0, 4);
    le(&z->dir, m->zip64 ? UINT32_MAX : at, 4);
    buf_str(&z->dir, m->name);
    if (m->zip64) {
        le(&z->dir, 1, 2);
        le(&z->dir, 24, 2);
        le(&z->dir, s.size, 8);
        le(&z->dir, s.packed, 8);
        le(&z->dir, at, 8);
    }
    buf_span(&z->dir, m->extra);
    z->count++;
}

void
zip_make_member(struct zip_make *z, const struct zip_make_member *m)
{
    struct buf packed;
    struct said s = {.flags = m->flags | (m->descriptor ? 8U : 0),
                     .method = m->deflate ? 8 : 0};

    buf_init(&packed, OUT_MAX);
    if (m->deflate)
        zip_make_deflate(m->data, &packed);
    else
        buf_span(&packed, m->data);
    if (m->method > 0)
        s.method = m->method;
    s.crc = (uint32_t)crc32_z(0, m->data.p, m->data.n) + m->crc;
    s.packed = (uint32_t)packed.n;
    s.size = m->size > 0 ? m->size : (uint32_t)m->data.n;
    if (!m->only_central && !m->same_place) {
        local_header(z, m, s);
        buf_span(&z->out, buf_view(&packed));
        if (m->descriptor) {
            buf_str(&z->out, "PK\7\10");
            le(&z->out, s.crc, 4);
            le(&z->out, s.packed, 4);
            le(&z->out, s.size, 4);
        }
    }
    if (m->only_central)
        z->last = (uint32_t)z->out.n + 100000;
    if (!m->only_local)
        central_header(z, m, s);
    buf_free(&packed);
}

static void
end64(struct zip_make *z, uint64_t dir_at)
{
    const uint64_t at = z->out.n;

    buf_str(&z->out, "PK\6\6");
    le(&z->out, 44, 8);
    le(&z->out, 45, 4);
    le(&z->out, 0, 8);
    le(&z->out, z->count, 8);
    le(&z->out, z->count, 8);
    le(&z->out, z->dir.n, 8);
    le(&z->out, dir_at, 8);
    buf_str(&z->out, "PK\6\7");
    le(&z->out, 0, 4);
    le(&z->out, at - z->base, 8);
    le(&z->out, 1, 4);
}

void
zip_make_end(struct zip_make *z, struct span comment)
{
    const uint64_t dir_at = z->out.n - z->base;

    buf_span(&z->out, buf_view(&z->dir));
    if (z->end64)
        end64(z, dir_at);
    buf_str(&z->out, "PK\5\6");
    le(&z->out, 0, 4);
    le(&z->out, z->end64 ? 0xffff : z->count & 0xffff, 2);
    le(&z->out, z->end64 ? 0xffff : z->count & 0xffff, 2);
    le(&z->out, z->end64 ? UINT32_MAX : z->dir.n, 4);
    le(&z->out, z->end64 ? UINT32_MAX : dir_at, 4);
    le(&z->out, comment.n, 2);
    buf_span(&z->out, comment);
    buf_reset(&z->dir);
    z->count = 0;
    REQUIRE(!z->out.cut && !z->out.failed);
}
