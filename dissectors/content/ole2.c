#include "dissectors/content/ole2.h"

#include "dissectors/content/utf16.h"

#define SIGNATURE    "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#define HEADER_BYTES 512
#define ENTRY_BYTES  128
#define NAME_BYTES   64
#define DIFAT_HEAD   109
#define MINI_BYTES   64

/* [MS-CFB] 2.1: sector numbers from here on are not sectors. */
#define SECTOR_MAX   0xfffffffaU
#define END_OF_CHAIN 0xfffffffeU
#define FREE_SECTOR  0xffffffffU

struct header {
    uint16_t version;
    uint16_t shift;
    uint32_t directory;
    uint32_t mini_cutoff;
    uint32_t mini_fat;
    uint32_t difat;
    struct span difat_head;
};

bool
ole2_is(struct span bytes)
{
    return span_starts(bytes, SPAN_LIT(SIGNATURE));
}

static bool
read_header(struct span bytes, struct header *h)
{
    struct cursor c = cur_open(bytes);

    cur_skip(&c, 26);
    h->version = cur_le16(&c);
    cur_skip(&c, 2);
    h->shift = cur_le16(&c);
    cur_skip(&c, 16);
    h->directory = cur_le32(&c);
    cur_skip(&c, 4);
    h->mini_cutoff = cur_le32(&c);
    h->mini_fat = cur_le32(&c);
    cur_skip(&c, 4);
    h->difat = cur_le32(&c);
    cur_skip(&c, 4);
    h->difat_head = cur_take(&c, (size_t)4 * DIFAT_HEAD);
    return !c.bad && ole2_is(bytes);
}

/* ---- sectors and chains ---- */

/* The last one of a file that is cut may be short. */
static struct span
sector(const struct ole2 *o, uint32_t s)
{
    return span_head(span_tail(o->bytes, ((size_t)s + 1) * o->sector_bytes),
                     o->sector_bytes);
}

static uint32_t
le32_at(struct span s, size_t i)
{
    struct cursor c = cur_open(span_tail(s, 4 * i));

    return cur_left(&c) < 4 ? FREE_SECTOR : cur_le32(&c);
}

/* One sector of the FAT: what follows each of these sectors. */
static void
put_fat(struct ole2 *o, uint32_t from, uint32_t fat_sector)
{
    struct span s =
        fat_sector < o->n_sectors ? sector(o, fat_sector) : SPAN_NONE;
    size_t n = o->sector_bytes / 4;

    if (s.n < o->sector_bytes)
        o->damaged = true;
    for (size_t k = 0; k < n && k < o->n_sectors - from; k++)
        o->fat[from + k] = le32_at(s, k);
}

/* Every slot of the DIFAT stands for a range of sectors, so the walk ends when
 * all sectors have been told of, also when its chain loops. */
static void
load_fat(struct ole2 *o, const struct header *h)
{
    const uint32_t per = (uint32_t)(o->sector_bytes / 4);
    struct span slots = h->difat_head;
    uint32_t difat = h->difat;
    uint32_t at = 0;
    uint32_t slot = 0;
    uint32_t n = DIFAT_HEAD;

    while (at < o->n_sectors) {
        if (slot == n) {
            if (difat >= o->n_sectors)
                break;
            slots = sector(o, difat);
            slot = 0;
            n = per - 1;
            difat = le32_at(slots, n);
        }
        put_fat(o, at, le32_at(slots, slot++));
        at += per < o->n_sectors - at ? per : o->n_sectors - at;
    }
    for (; at < o->n_sectors; at++)
        o->fat[at] = FREE_SECTOR;
}

/* Takes n bytes from what may be read of this file. */
static size_t
allowed(struct ole2 *o, uint64_t n)
{
    if (n > o->read_left) {
        o->damaged = true;
        n = o->read_left;
    }
    o->read_left -= n;
    return (size_t)n;
}

/* Appends up to want bytes of a chain. False when it ends before or is bad. */
static bool
read_chain(struct ole2 *o, uint32_t s, uint64_t want, struct buf *out)
{
    uint64_t left = want;

    for (uint32_t steps = 0; left > 0; steps++) {
        struct span bytes;

        if (s >= o->n_sectors || steps >= o->n_sectors)
            return false;
        bytes = span_head(sector(o, s), (size_t)left);
        bytes = span_head(bytes, allowed(o, bytes.n));
        buf_span(out, bytes);
        if (bytes.n == 0 || out->cut || out->failed)
            return false;
        left -= bytes.n;
        s = o->fat[s];
    }
    return true;
}

/* The chain to its end, for what has no stated size. */
static void
read_to_end(struct ole2 *o, uint32_t s, uint64_t most, struct buf *out)
{
    for (uint32_t steps = 0; s < o->n_sectors && out->n < most; steps++) {
        struct span bytes = sector(o, s);

        if (steps >= o->n_sectors) {
            o->damaged = true;
            return;
        }
        buf_span(out, span_head(bytes, allowed(o, bytes.n)));
        s = o->fat[s];
    }
    if (s != END_OF_CHAIN)
        o->damaged = true;
}

static bool
read_mini(struct ole2 *o, uint32_t s, uint64_t want, struct buf *out)
{
    const struct span table = buf_view(&o->mini_fat);
    const size_t room = (o->mini.n + MINI_BYTES - 1) / MINI_BYTES;
    const size_t n = table.n / 4 < room ? table.n / 4 : room;
    uint64_t left = want;

    for (size_t steps = 0; left > 0; steps++) {
        struct span bytes;

        if (s >= n || steps >= n)
            return false;
        bytes = span_tail(buf_view(&o->mini), (size_t)s * MINI_BYTES);
        bytes = span_head(span_head(bytes, MINI_BYTES), (size_t)left);
        bytes = span_head(bytes, allowed(o, bytes.n));
        buf_span(out, bytes);
        if (bytes.n == 0 || out->cut || out->failed)
            return false;
        left -= bytes.n;
        s = le32_at(table, s);
    }
    return true;
}

/* ---- directory ---- */

struct link {
    uint32_t left;
    uint32_t right;
    uint32_t child;
};

static void
read_name(struct ole2 *o, struct span raw, uint16_t n, struct ole2_entry *e)
{
    size_t at = o->names.n;

    if (n > NAME_BYTES || n % 2 != 0)
        o->damaged = true;
    raw = span_head(raw, n >= 2 ? n - 2U : 0);
    utf16_le_to_utf8(&o->names, raw);
    /* the pointer is set when all names are there */
    e->name = span_of(NULL, o->names.n - at);
}

static void
read_entry(struct ole2 *o, struct span raw, uint16_t version,
           struct ole2_entry *e, struct link *l)
{
    struct cursor c = cur_open(raw);
    struct span name = cur_take(&c, NAME_BYTES);
    uint16_t n_name = cur_le16(&c);
    struct span clsid;

    e->kind = cur_u8(&c);
    cur_skip(&c, 1);
    l->left = cur_le32(&c);
    l->right = cur_le32(&c);
    l->child = cur_le32(&c);
    clsid = cur_take(&c, 16);
    cur_skip(&c, 20);
    e->start = cur_le32(&c);
    e->size = cur_le64(&c);
    /* [MS-CFB] 2.6.1: the upper half may be anything in version 3 */
    if (version < 4)
        e->size &= UINT32_MAX;
    e->parent = e->child = e->next = OLE2_NONE;
    if (clsid.n == 16)
        memcpy(e->clsid, clsid.p, 16);
    read_name(o, name, n_name, e);
}

static void
hang(struct ole2 *o, uint32_t k, uint32_t parent)
{
    o->entry[k].parent = parent;
    o->entry[k].next = o->entry[parent].child;
    o->entry[parent].child = k;
}

struct walk {
    struct ole2 *o;
    const struct link *link;
    uint32_t *stack; /* an entry once: room for all */
    size_t n;
};

static void
walk_push(struct walk *w, uint32_t k, uint32_t parent)
{
    struct ole2 *o = w->o;

    if (k == OLE2_NONE)
        return;
    if (k >= o->n_entries || o->entry[k].listed) {
        o->damaged = true;
        return;
    }
    o->entry[k].listed = true;
    hang(o, k, parent);
    w->stack[w->n++] = k;
}

/* The trees of siblings, without recursion; an entry is met once. */
static void
walk_tree(struct walk *w)
{
    struct ole2 *o = w->o;

    o->entry[0].listed = true;
    walk_push(w, w->link[0].child, 0);
    while (w->n > 0) {
        uint32_t k = w->stack[--w->n];

        walk_push(w, w->link[k].left, o->entry[k].parent);
        walk_push(w, w->link[k].right, o->entry[k].parent);
        if (o->entry[k].kind == OLE2_STORAGE)
            walk_push(w, w->link[k].child, k);
    }
    for (uint32_t k = 1; k < o->n_entries; k++)
        if (!o->entry[k].listed && o->entry[k].kind != OLE2_EMPTY)
            hang(o, k, 0);
}

static bool
parse_directory(struct ole2 *o, struct span dir, uint16_t version,
                struct link *link)
{
    struct span names;

    for (uint32_t k = 0; k < o->n_entries; k++)
        read_entry(
            o, span_head(span_tail(dir, (size_t)k * ENTRY_BYTES), ENTRY_BYTES),
            version, &o->entry[k], &link[k]);
    if (o->names.cut || o->names.failed)
        return false;
    names = buf_view(&o->names);
    for (uint32_t k = 0; k < o->n_entries; k++) {
        size_t n = o->entry[k].name.n;

        o->entry[k].name = span_head(names, n);
        names = span_tail(names, n);
    }
    return true;
}

static bool
build_directory(struct ole2 *o, struct span dir, uint16_t version)
{
    const uint32_t n = o->n_entries;
    struct link *link = calloc(n, sizeof(*link));
    uint32_t *stack = calloc(n, sizeof(*stack));
    bool ok = false;

    o->entry = calloc(n, sizeof(*o->entry));
    if (link != NULL && stack != NULL && o->entry != NULL &&
        parse_directory(o, dir, version, link)) {
        walk_tree(&(struct walk){o, link, stack, 0});
        ok = true;
    }
    free(link);
    free(stack);
    return ok;
}

static bool
load_directory(struct ole2 *o, const struct header *h)
{
    struct buf dir;
    bool ok = false;

    buf_init(&dir, (size_t)OLE2_ENTRIES_MAX * ENTRY_BYTES);
    read_to_end(o, h->directory, dir.max, &dir);
    if (dir.cut)
        o->damaged = true;
    o->n_entries = (uint32_t)(dir.n / ENTRY_BYTES);
    if (!dir.failed && o->n_entries > 0)
        ok = build_directory(o, buf_view(&dir), h->version);
    buf_free(&dir);
    return ok;
}

/* ---- the file ---- */

static void
load_mini(struct ole2 *o, const struct header *h)
{
    const struct ole2_entry *root = &o->entry[0];

    o->mini_cutoff = h->mini_cutoff;
    read_to_end(o, h->mini_fat, o->bytes.n, &o->mini_fat);
    if (root->size > 0 && !read_chain(o, root->start, root->size, &o->mini))
        o->damaged = true;
}

static bool
has_room(struct ole2 *o)
{
    size_t past =
        o->bytes.n > o->sector_bytes ? o->bytes.n - o->sector_bytes : 0;
    size_t n = (past + o->sector_bytes - 1) / o->sector_bytes;

    o->n_sectors = n < SECTOR_MAX ? (uint32_t)n : SECTOR_MAX - 1;
    o->fat = calloc(n > 0 ? n : 1, sizeof(*o->fat));
    o->read_left = (uint64_t)o->bytes.n * OLE2_READ_TIMES;
    return o->fat != NULL;
}

bool
ole2_open(struct span bytes, struct ole2 *o)
{
    struct header h;

    *o = (struct ole2){.bytes = bytes};
    buf_init(&o->names, (size_t)OLE2_ENTRIES_MAX * NAME_BYTES * 2);
    buf_init(&o->mini, bytes.n);
    buf_init(&o->mini_fat, bytes.n);
    if (!read_header(bytes, &h))
        return false;
    o->sector_bytes = h.shift == 12 ? 4096 : 512;
    if (h.shift != 9 && h.shift != 12)
        o->damaged = true;
    if (!has_room(o))
        return false;
    load_fat(o, &h);
    if (!load_directory(o, &h))
        return false;
    if (h.mini_fat < SECTOR_MAX)
        load_mini(o, &h);
    return true;
}

void
ole2_close(struct ole2 *o)
{
    free(o->fat);
    free(o->entry);
    buf_free(&o->names);
    buf_free(&o->mini);
    buf_free(&o->mini_fat);
    *o = (struct ole2){0};
}

bool
ole2_read(struct ole2 *o, const struct ole2_entry *e, struct buf *out)
{
    uint64_t want = e->size < o->bytes.n ? e->size : o->bytes.n;
    bool ok;

    buf_reset(out);
    if (e->kind != OLE2_STREAM)
        return false;
    if (e->size < o->mini_cutoff)
        ok = read_mini(o, e->start, want, out);
    else
        ok = read_chain(o, e->start, want, out);
    ok = ok && want == e->size;
    if (!ok && !out->cut)
        o->damaged = true;
    return ok;
}

uint32_t
ole2_find(const struct ole2 *o, uint32_t storage, const char *name)
{
    struct span want = span_str(name);
    uint32_t k = storage < o->n_entries ? o->entry[storage].child : OLE2_NONE;

    while (k != OLE2_NONE && !span_eq_nocase(o->entry[k].name, want))
        k = o->entry[k].next;
    return k;
}

/* The first three groups are little-endian numbers. */
bool
ole2_clsid_is(const uint8_t clsid[16], const char *text)
{
    static const uint8_t order[16] = {3, 2, 1,  0,  5,  4,  7,  6,
                                      8, 9, 10, 11, 12, 13, 14, 15};
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;

    for (size_t k = 0; k < 16; k++) {
        uint8_t b = clsid[order[k]];

        if (text[at] == '-')
            at++;
        if (text[at] != digits[b >> 4] || text[at + 1] != digits[b & 15])
            return false;
        at += 2;
    }
    return text[at] == '\0';
}
