#include "dissectors/content/zip_dir.h"

#include "sensor/base/attr.h"

#define END64_BYTES     56
#define LOCATOR64_BYTES 20
#define EXTRA_ZIP64     0x0001
#define EXTRA_UNICODE   0x7075
#define UNIX_MADE       3
#define UNIX_TYPE       0xf000U
#define UNIX_LINK       0xa000U

/* ---- one header ---- */

static void
extra_zip64(struct span body, struct zip_entry *e)
{
    struct cursor c = cur_open(body);

    /* only what did not fit is there, in this order */
    if (e->size == UINT32_MAX)
        e->size = cur_le64(&c);
    if (e->packed == UINT32_MAX)
        e->packed = cur_le64(&c);
    if (e->local == UINT32_MAX)
        e->local = cur_le64(&c);
}

static void
read_extra(struct span extra, struct zip_entry *e)
{
    struct cursor c = cur_open(extra);

    while (cur_left(&c) >= 4) {
        unsigned id = cur_le16(&c);
        struct span body = cur_take(&c, cur_le16(&c));

        if (c.bad)
            return;
        if (id == EXTRA_ZIP64)
            extra_zip64(body, e);
        else if (id == EXTRA_UNICODE && body.n > 5)
            e->unicode_name = span_tail(body, 5);
    }
}

bool
zip_local_at(struct span all, size_t at, struct zip_entry *out, size_t *data_at)
{
    struct cursor c = cur_open(span_tail(all, at));
    struct zip_entry e = {0};
    size_t n_name;
    size_t n_extra;

    if (at > all.n || !span_eq(cur_take(&c, 4), ZIP_LOCAL))
        return false;
    cur_skip(&c, 2);
    e.flags = cur_le16(&c);
    e.method = cur_le16(&c);
    cur_skip(&c, 4);
    e.crc = cur_le32(&c);
    e.packed = cur_le32(&c);
    e.size = cur_le32(&c);
    n_name = cur_le16(&c);
    n_extra = cur_le16(&c);
    e.name = cur_take(&c, n_name);
    read_extra(cur_take(&c, n_extra), &e);
    if (c.bad)
        return false;
    *out = e;
    *data_at = at + c.at;
    return true;
}

bool
zip_central_next(struct cursor *c, struct zip_entry *out)
{
    struct zip_entry e = {0};
    unsigned made;
    uint32_t attributes;
    size_t n_name;
    size_t n_extra;
    size_t n_comment;

    if (!span_eq(cur_take(c, 4), ZIP_CENTRAL))
        return false;
    made = cur_le16(c) >> 8;
    cur_skip(c, 2);
    e.flags = cur_le16(c);
    e.method = cur_le16(c);
    cur_skip(c, 4);
    e.crc = cur_le32(c);
    e.packed = cur_le32(c);
    e.size = cur_le32(c);
    n_name = cur_le16(c);
    n_extra = cur_le16(c);
    n_comment = cur_le16(c);
    e.disk = cur_le16(c);
    cur_skip(c, 2);
    attributes = cur_le32(c);
    e.local = cur_le32(c);
    e.name = cur_take(c, n_name);
    read_extra(cur_take(c, n_extra), &e);
    cur_skip(c, n_comment);
    e.is_link =
        made == UNIX_MADE && ((attributes >> 16) & UNIX_TYPE) == UNIX_LINK;
    if (c->bad)
        return false;
    *out = e;
    return true;
}

/* ---- the end record ---- */

struct claim {
    uint64_t count;
    uint64_t bytes;
    uint64_t offset;
    size_t before; /* the directory ends here at the latest */
    unsigned disk;
};

/* Zip64 has its own end record before the old one, and a locator for it. */
static void
claim64(struct span all, size_t at, struct claim *k)
{
    struct cursor c;
    uint64_t end64;

    if (at < LOCATOR64_BYTES ||
        !span_starts(span_tail(all, at - LOCATOR64_BYTES), SPAN_LIT("PK\6\7")))
        return;
    c = cur_open(span_tail(all, at - LOCATOR64_BYTES + 8));
    end64 = cur_le64(&c);
    /* behind a prefix the offset is wrong, but the place is known */
    if (end64 > all.n ||
        !span_starts(span_tail(all, (size_t)end64), SPAN_LIT("PK\6\6")))
        end64 = at - LOCATOR64_BYTES >= END64_BYTES
                    ? at - LOCATOR64_BYTES - END64_BYTES
                    : 0;
    c = cur_open(span_tail(all, (size_t)end64));
    if (!span_eq(cur_take(&c, 4), SPAN_LIT("PK\6\6")))
        return;
    cur_skip(&c, 28);
    k->count = cur_le64(&c);
    k->bytes = cur_le64(&c);
    k->offset = cur_le64(&c);
    k->before = (size_t)end64;
}

static bool
claim_at(struct span all, size_t at, struct claim *k, size_t *end)
{
    struct cursor c = cur_open(span_tail(all, at));
    size_t n_comment;

    cur_skip(&c, 4);
    k->disk = cur_le16(&c);
    cur_skip(&c, 4);
    k->count = cur_le16(&c);
    k->bytes = cur_le32(&c);
    k->offset = cur_le32(&c);
    n_comment = cur_le16(&c);
    k->before = at;
    if (c.bad)
        return false;
    *end = at + c.at + (n_comment < cur_left(&c) ? n_comment : cur_left(&c));
    claim64(all, at, k);
    return true;
}

static bool
is_directory(struct span all, uint64_t at)
{
    return at < all.n && span_starts(span_tail(all, (size_t)at), ZIP_CENTRAL);
}

/* The directory lies before the record, or where the record says. */
static size_t
directories(struct span all, size_t at, struct zip_end out[2])
{
    struct claim k;
    struct zip_end e = {.at = at};
    uint64_t adjacent;
    size_t n = 0;

    if (!claim_at(all, at, &k, &e.end))
        return 0;
    e.from = k.before;
    e.count = k.count;
    e.spanned = k.disk != 0;
    adjacent = k.bytes <= k.before ? k.before - k.bytes : UINT64_MAX;
    if (adjacent != UINT64_MAX &&
        (is_directory(all, adjacent) || (k.bytes == 0 && k.count == 0))) {
        e.dir_at = (size_t)adjacent;
        e.dir_end = k.before;
        e.base = k.offset <= adjacent ? (size_t)(adjacent - k.offset) : 0;
        out[n++] = e;
    }
    if (k.offset != adjacent && k.offset < k.before && k.bytes > 0 &&
        is_directory(all, k.offset)) {
        e.dir_at = (size_t)k.offset;
        e.dir_end = k.before;
        e.base = 0;
        out[n++] = e;
    }
    return n;
}

bool
zip_end_find(struct span all, size_t before, struct zip_end out[2],
             size_t *n_out)
{
    const size_t first = all.n > ZIP_END_REACH ? all.n - ZIP_END_REACH : 0;
    size_t at = before < all.n ? before : all.n;

    while (at > first) {
        const uint8_t *hit = memrchr(all.p + first, 'P', at - first);

        if (hit == NULL)
            return false;
        at = (size_t)(hit - all.p);
        if (!span_starts(span_tail(all, at), SPAN_LIT("PK\5\6")))
            continue;
        *n_out = directories(all, at, out);
        if (*n_out > 0)
            return true;
    }
    return false;
}

bool
zip_ends_with(struct span all)
{
    struct zip_end ends[2];
    size_t n = 0;

    return zip_end_find(all, all.n, ends, &n) && ends[0].end == all.n &&
           ends[0].count > 0;
}
