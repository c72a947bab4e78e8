#include "dissectors/content/content_result.h"

#include "dissectors/filename.h"

/* A member in the buffer: length of the name, size, flags, depth, inside, type,
 * hash; then the name. Little-endian. */
#define MEMBER_HEAD (2 + 8 + 1 + 1 + 2 + 2 + 32)
#define CODED_AS    2 /* of the result as a whole; changes with its layout */

enum member_flag { HAS_SHA256 = 1, ENCRYPTED = 2, TRUNCATED = 4, ALL = 7 };

static void
put_le(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_putc(out, (uint8_t)(v >> (8 * i)));
}

void
content_result_init(struct content_result *r)
{
    *r = (struct content_result){0};
    findings_init(&r->findings);
    url_set_init(&r->urls);
    buf_init(&r->members,
             (size_t)CONTENT_MEMBERS_KEPT * (MEMBER_HEAD + CONTENT_NAME_MAX));
}

void
content_result_free(struct content_result *r)
{
    if (r == NULL)
        return;
    findings_free(&r->findings);
    url_set_free(&r->urls);
    buf_free(&r->members);
}

void
content_result_reset(struct content_result *r)
{
    findings_reset(&r->findings);
    buf_reset(&r->urls.text);
    r->urls.n = r->urls.n_more = 0;
    buf_reset(&r->members);
    r->n_members = 0;
    r->bytes_unpacked = 0;
    r->type = FILETYPE_UNKNOWN;
    r->nondeterministic = false;
}

bool
content_result_put(struct content_result *r, const struct content_member *m)
{
    uint8_t room[CONTENT_NAME_MAX];
    struct span name = filename_shorten(m->name, sizeof(room), room);
    unsigned flags = (m->has_sha256 ? HAS_SHA256 : 0) |
                     (m->encrypted ? ENCRYPTED : 0) |
                     (m->truncated ? TRUNCATED : 0);

    if (!buf_grow(&r->members, MEMBER_HEAD + name.n))
        return false;
    put_le(&r->members, name.n, 2);
    put_le(&r->members, m->size, 8);
    put_le(&r->members, flags, 1);
    put_le(&r->members, m->depth, 1);
    put_le(&r->members, m->inside, 2);
    put_le(&r->members, m->type, 2);
    buf_put(&r->members, m->sha256, sizeof(m->sha256));
    buf_span(&r->members, name);
    return true;
}

void
content_result_retype(struct content_result *r, size_t at, enum filetype t)
{
    static const size_t type_at = MEMBER_HEAD - 32 - 2;

    REQUIRE(at + MEMBER_HEAD <= r->members.n);
    r->members.p[at + type_at] = (uint8_t)(t & 0xff);
    r->members.p[at + type_at + 1] = (uint8_t)(t >> 8);
}

bool
content_member_next(struct cursor *c, struct content_member *out)
{
    struct content_member m = {0};
    struct span hash;
    unsigned flags;
    unsigned type;
    size_t n;

    if (cur_left(c) == 0)
        return false;
    n = cur_le16(c);
    m.size = cur_le64(c);
    flags = cur_u8(c);
    m.depth = cur_u8(c);
    m.inside = cur_le16(c);
    type = cur_le16(c);
    hash = cur_take(c, sizeof(m.sha256));
    m.name = cur_take(c, n);
    if (c->bad || type >= FILETYPE_COUNT || flags > ALL ||
        n > CONTENT_NAME_MAX || m.depth == 0) {
        c->bad = true;
        return false;
    }
    memcpy(m.sha256, hash.p, hash.n);
    m.type = (enum filetype)type;
    m.has_sha256 = (flags & HAS_SHA256) != 0;
    m.encrypted = (flags & ENCRYPTED) != 0;
    m.truncated = (flags & TRUNCATED) != 0;
    *out = m;
    return true;
}

static void
code_buf(const struct buf *b, struct buf *out)
{
    put_le(out, b->n, 4);
    buf_span(out, buf_view(b));
}

void
content_result_code(const struct content_result *r, struct buf *out)
{
    put_le(out, CODED_AS, 1);
    put_le(out, r->type, 2);
    put_le(out, r->n_members, 4);
    put_le(out, r->bytes_unpacked, 8);
    findings_code(&r->findings, out);
    put_le(out, r->urls.n, 4);
    put_le(out, r->urls.n_more, 4);
    code_buf(&r->urls.text, out);
    code_buf(&r->members, out);
}

/* Copied whole, or not at all. */
static bool
read_buf(struct span from, struct buf *into)
{
    if (from.n > 0 && !buf_grow(into, from.n))
        return false;
    buf_span(into, from);
    return true;
}

static bool
read_urls(struct cursor *c, struct url_set *s)
{
    uint32_t n = cur_le32(c);
    uint32_t more = cur_le32(c);
    struct span text = cur_take(c, cur_le32(c));
    struct cursor urls = cur_open(text);
    uint32_t k = 0;

    while (!urls.bad && cur_left(&urls) > 0) {
        size_t length = cur_le16(&urls);

        cur_skip(&urls, length);
        k += length > 0 && length <= URL_LEN ? 1 : URL_MAX + 1;
        if (k > URL_MAX)
            return false;
    }
    if (c->bad || urls.bad || k != n || !read_buf(text, &s->text))
        return false;
    s->n = n;
    s->n_more = more;
    return true;
}

static bool
read_members(struct cursor *c, struct content_result *r)
{
    struct span all = cur_take(c, cur_le32(c));
    struct cursor members = cur_open(all);
    struct content_member m;
    uint32_t k = 0;

    while (content_member_next(&members, &m)) {
        /* a member is listed after the one that it is in */
        if (m.inside > k || k == CONTENT_MEMBERS_KEPT)
            return false;
        k++;
    }
    return !c->bad && !members.bad && k <= r->n_members &&
           read_buf(all, &r->members);
}

static bool
read_all(struct cursor *c, struct content_result *r)
{
    unsigned as = cur_u8(c);
    unsigned type = cur_le16(c);

    r->n_members = cur_le32(c);
    r->bytes_unpacked = cur_le64(c);
    if (c->bad || as != CODED_AS || type >= FILETYPE_COUNT)
        return false;
    r->type = (enum filetype)type;
    return findings_read(c, &r->findings) && read_urls(c, &r->urls) &&
           read_members(c, r) && cur_left(c) == 0;
}

bool
content_result_read(struct span coded, struct content_result *r)
{
    struct cursor c = cur_open(coded);

    content_result_reset(r);
    if (read_all(&c, r))
        return true;
    content_result_reset(r);
    return false;
}
