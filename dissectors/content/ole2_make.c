#include "dissectors/content/ole2_make.h"

#include <stdio.h>

#define FREE         0xffffffffU
#define END_OF_CHAIN 0xfffffffeU
#define FAT_MARK     0xfffffffdU
#define CUTOFF       4096
#define MINI         64
#define OUT_MAX      (64U << 20)

static void
put(struct buf *b, uint64_t v, unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        buf_putc(b, (uint8_t)(k < 8 ? v >> (8 * k) : 0));
}

static void
pad(struct buf *b, size_t to, uint8_t with)
{
    while (b->n % to != 0)
        buf_putc(b, with);
}

static uint32_t
add(struct ole2_make *m, uint32_t parent, const char *name)
{
    struct ole2_make_entry *e = &m->entry[m->n];

    REQUIRE(m->n < OLE2_MAKE_ENTRIES);
    (void)snprintf(e->name, sizeof(e->name), "%s", name);
    e->parent = parent;
    buf_init(&e->data, OUT_MAX);
    return m->n++;
}

void
ole2_make_begin(struct ole2_make *m, size_t sector)
{
    *m = (struct ole2_make){.sector = sector};
    buf_init(&m->out, OUT_MAX);
    m->entry[add(m, FREE, "Root Entry")].storage = true;
}

void
ole2_make_root(struct ole2_make *m, const char *clsid)
{
    memcpy(m->entry[0].clsid, clsid, 16);
}

uint32_t
ole2_make_storage(struct ole2_make *m, uint32_t parent, const char *name,
                  const char *clsid)
{
    uint32_t k = add(m, parent, name);

    m->entry[k].storage = true;
    if (clsid != NULL)
        memcpy(m->entry[k].clsid, clsid, 16);
    return k;
}

void
ole2_make_stream(struct ole2_make *m, uint32_t parent, const char *name,
                 struct span data)
{
    buf_span(&m->entry[add(m, parent, name)].data, data);
}

void
ole2_make_free(struct ole2_make *m)
{
    for (uint32_t k = 0; k < m->n; k++)
        buf_free(&m->entry[k].data);
    buf_free(&m->out);
}

void
ole2_make_patch(struct ole2_make *m, size_t at, uint32_t v)
{
    REQUIRE(at + 4 <= m->out.n);
    memcpy(m->out.p + at, &v, 4);
}

/* ---- layout ---- */

struct layout {
    struct buf mini;
    struct buf mini_fat;
    struct buf fat;
    struct buf dir;
    struct buf large;
    uint32_t n_fat;
    uint32_t next; /* sector */
};

static uint32_t
sectors(const struct ole2_make *m, size_t bytes)
{
    return (uint32_t)((bytes + m->sector - 1) / m->sector);
}

/* The next sectors, as a chain; its first, or the end of a chain when empty. */
static uint32_t
chain(const struct ole2_make *m, struct layout *l, size_t bytes)
{
    uint32_t n = sectors(m, bytes);
    uint32_t first = l->next;

    for (uint32_t k = 1; k <= n; k++)
        put(&l->fat, k < n ? first + k : END_OF_CHAIN, 4);
    l->next += n;
    return n > 0 ? first : END_OF_CHAIN;
}

static void
put_mini(struct layout *l, struct ole2_make_entry *e)
{
    uint32_t first = (uint32_t)(l->mini.n / MINI);
    uint32_t n = (uint32_t)((e->data.n + MINI - 1) / MINI);

    e->start = first;
    for (uint32_t k = 1; k <= n; k++)
        put(&l->mini_fat, k < n ? first + k : END_OF_CHAIN, 4);
    buf_span(&l->mini, buf_view(&e->data));
    pad(&l->mini, MINI, 0);
}

static uint32_t
sibling(const struct ole2_make *m, uint32_t parent, uint32_t from)
{
    for (uint32_t k = from; k < m->n; k++)
        if (m->entry[k].parent == parent)
            return k;
    return FREE;
}

static void
put_entry(const struct ole2_make *m, struct layout *l, uint32_t k)
{
    const struct ole2_make_entry *e = &m->entry[k];
    size_t at = l->dir.n;
    size_t n = strlen(e->name);

    for (size_t c = 0; c < n; c++)
        put(&l->dir, (uint8_t)e->name[c], 2);
    while (l->dir.n < at + 64)
        buf_putc(&l->dir, 0);
    put(&l->dir, 2 * n + 2, 2);
    buf_putc(&l->dir, k == 0 ? 5 : e->storage ? 1 : 2);
    buf_putc(&l->dir, 1);
    put(&l->dir, FREE, 4);
    put(&l->dir, k == 0 ? FREE : sibling(m, e->parent, k + 1), 4);
    put(&l->dir, e->storage ? sibling(m, k, 1) : FREE, 4);
    buf_put(&l->dir, e->clsid, 16);
    put(&l->dir, 0, 4);
    put(&l->dir, 0, 8);
    put(&l->dir, 0, 8);
    put(&l->dir, e->start, 4);
    put(&l->dir, k == 0 ? l->mini.n : e->data.n, 8);
}

static void
put_header(struct ole2_make *m, const struct layout *l, uint32_t dir,
           uint32_t mini_fat)
{
    struct buf *b = &m->out;

    buf_put(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
    put(b, 0, 16);
    put(b, 0x3e, 2);
    put(b, m->sector == 512 ? 3 : 4, 2);
    put(b, 0xfffe, 2);
    put(b, m->sector == 512 ? 9 : 12, 2);
    put(b, 6, 2);
    put(b, 0, 6);
    put(b, 0, 4);
    put(b, l->n_fat, 4);
    put(b, dir, 4);
    put(b, 0, 4);
    put(b, CUTOFF, 4);
    put(b, mini_fat, 4);
    put(b, 1, 4);
    put(b, END_OF_CHAIN, 4);
    put(b, 0, 4);
    for (uint32_t k = 0; k < 109; k++)
        put(b, k < l->n_fat ? k : FREE, 4);
    pad(b, m->sector, 0);
}

static void
put_streams(struct ole2_make *m, struct layout *l)
{
    for (uint32_t k = 1; k < m->n; k++) {
        struct ole2_make_entry *e = &m->entry[k];

        if (e->storage || e->data.n == 0)
            e->start = e->storage ? 0 : END_OF_CHAIN;
        else if (e->data.n < CUTOFF)
            put_mini(l, e);
    }
    m->entry[0].start = chain(m, l, l->mini.n);
    m->data_at = (l->next + 1U) * m->sector;
    for (uint32_t k = 1; k < m->n; k++) {
        struct ole2_make_entry *e = &m->entry[k];

        if (e->data.n < CUTOFF)
            continue;
        e->start = chain(m, l, e->data.n);
        buf_span(&l->large, buf_view(&e->data));
        pad(&l->large, m->sector, 0);
    }
}

/* Enough for all that these tests make, so that nothing has to be repeated. */
static uint32_t
fat_sectors(const struct ole2_make *m)
{
    size_t bytes = (size_t)m->n * 128 + 8 * m->sector;

    for (uint32_t k = 0; k < m->n; k++)
        bytes += m->entry[k].data.n + m->sector;
    return sectors(m, (size_t)4 * sectors(m, bytes + bytes / 64)) + 1;
}

void
ole2_make_end(struct ole2_make *m)
{
    struct layout l = {0};
    struct buf *const all[] = {&l.mini, &l.mini_fat, &l.fat, &l.dir, &l.large};
    uint32_t dir;
    uint32_t mini_fat;

    for (size_t k = 0; k < ARRAY_LEN(all); k++)
        buf_init(all[k], OUT_MAX);
    l.n_fat = fat_sectors(m);
    REQUIRE(l.n_fat <= 109);
    for (l.next = 0; l.next < l.n_fat; l.next++)
        put(&l.fat, FAT_MARK, 4);
    dir = chain(m, &l, (size_t)m->n * 128);
    put_streams(m, &l);
    mini_fat = chain(m, &l, l.mini_fat.n);
    for (uint32_t k = 0; k < m->n; k++)
        put_entry(m, &l, k);
    pad(&l.dir, m->sector, 0);
    pad(&l.mini, m->sector, 0);
    pad(&l.mini_fat, m->sector, 0xff);
    while (l.fat.n < l.n_fat * m->sector)
        put(&l.fat, FREE, 4);
    put_header(m, &l, dir, mini_fat);
    m->fat_at = m->out.n;
    buf_span(&m->out, buf_view(&l.fat));
    m->dir_at = m->out.n;
    buf_span(&m->out, buf_view(&l.dir));
    buf_span(&m->out, buf_view(&l.mini));
    buf_span(&m->out, buf_view(&l.large));
    m->mini_fat_at = m->out.n;
    buf_span(&m->out, buf_view(&l.mini_fat));
    for (size_t k = 0; k < ARRAY_LEN(all); k++)
        buf_free(all[k]);
}

/* ---- VBA ---- */

#define CHUNK 3640 /* bytes that fit a chunk as literals */

void
vba_make_pack(struct span in, struct buf *out)
{
    buf_putc(out, 1);
    while (in.n > 0) {
        struct span piece = span_head(in, CHUNK);
        size_t n = piece.n + (piece.n + 7) / 8;

        put(out, 0xb000U | (n - 1), 2);
        for (size_t k = 0; k < piece.n; k += 8) {
            buf_putc(out, 0);
            buf_span(out, span_head(span_tail(piece, k), 8));
        }
        in = span_tail(in, piece.n);
    }
}

static void
record(struct buf *b, unsigned id, struct span data)
{
    put(b, id, 2);
    put(b, data.n, 4);
    buf_span(b, data);
}

static void
put_module(struct buf *dir, const struct vba_make_module *mod)
{
    const uint32_t offset = (uint32_t)mod->cache;
    struct buf wide;

    buf_init(&wide, 256);
    for (const char *c = mod->name; *c != '\0'; c++)
        put(&wide, (uint8_t)*c, 2);
    record(dir, 0x19, span_str(mod->name));
    record(dir, 0x1a, span_str(mod->name));
    record(dir, 0x32, buf_view(&wide));
    record(dir, 0x31, span_of(&offset, 4));
    record(dir, 0x2b, SPAN_NONE);
    buf_free(&wide);
}

static void
put_dir(const struct vba_make_module *modules, size_t n, struct buf *out)
{
    struct buf dir;

    buf_init(&dir, OUT_MAX);
    record(&dir, 0x01, SPAN_LIT("\1\0\0\0"));
    put(&dir, 0x09, 2); /* the record whose length lies */
    put(&dir, 4, 4);
    put(&dir, 1, 6);
    record(&dir, 0x0f, SPAN_LIT("\1\0"));
    for (size_t k = 0; k < n; k++)
        put_module(&dir, &modules[k]);
    record(&dir, 0x10, SPAN_NONE);
    vba_make_pack(buf_view(&dir), out);
    buf_free(&dir);
}

void
vba_make_project(struct ole2_make *m, uint32_t parent,
                 const struct vba_make_module *modules, size_t n,
                 const char *identifiers)
{
    uint32_t vba = ole2_make_storage(m, parent, "VBA", NULL);
    struct buf b;

    buf_init(&b, OUT_MAX);
    put_dir(modules, n, &b);
    ole2_make_stream(m, vba, "dir", buf_view(&b));
    buf_reset(&b);
    put(&b, 0x61cc, 4);
    buf_str(&b, identifiers);
    ole2_make_stream(m, vba, "_VBA_PROJECT", buf_view(&b));
    for (size_t k = 0; k < n; k++) {
        buf_reset(&b);
        while (b.n < modules[k].cache)
            buf_putc(&b, 0xee);
        if (modules[k].source != NULL)
            vba_make_pack(span_str(modules[k].source), &b);
        ole2_make_stream(m, vba, modules[k].name, buf_view(&b));
    }
    buf_free(&b);
}
