#include "dissectors/content/vba_project.h"

#include "dissectors/content/embed.h"
#include "dissectors/content/utf16.h"
#include "dissectors/content/vba.h"

#define SOURCE_MAX (4U << 20) /* of one module, and of the dir stream */
#define NAME_MAX   128
/* The cache of a module without code is smaller than its head and tables. */
#define CACHE_MIN 256

struct project {
    struct inspection *i;
    const struct content_item *item;
    struct ole2 *o;
    struct vba_modules modules; /* borrow from dir */
    struct buf dir;
    struct buf stream;
    struct buf source;
    struct buf name;
    struct buf autoexec;
    struct buf suspicious;
    struct buf first; /* module with code */
    bool code;
    bool unread;
    bool stomped;
};

static void
keep_first(struct buf *b, struct span s)
{
    if (b->n == 0)
        buf_span(b, s);
}

static bool
is_module_of(struct project *p, const struct vba_module *m, struct span stream)
{
    if (span_eq_nocase(m->stream, stream))
        return true;
    buf_reset(&p->name);
    utf16_le_to_utf8(&p->name, m->wide);
    return p->name.n > 0 && span_eq(buf_view(&p->name), stream);
}

/* Where the source should begin; the end of the stream when nobody says. */
static size_t
source_at(struct project *p, struct span stream)
{
    for (size_t k = 0; k < p->modules.n; k++)
        if (is_module_of(p, &p->modules.m[k], stream))
            return p->modules.m[k].offset;
    return SIZE_MAX;
}

/* False when there is no container at all. */
static bool
unpack_source(struct project *p, size_t at)
{
    struct span all = buf_view(&p->stream);

    buf_reset(&p->source);
    if (at < all.n)
        (void)vba_unpack(span_tail(all, at), &p->source);
    if (p->source.n == 0) {
        buf_reset(&p->source);
        (void)vba_unpack(span_tail(all, vba_find_source(all)), &p->source);
    }
    return p->source.n > 0;
}

static void
read_module(struct project *p, const struct ole2_entry *e)
{
    struct vba_said said = {0};
    size_t at = source_at(p, e->name);

    (void)ole2_read(p->o, e, &p->stream);
    if (!unpack_source(p, at)) {
        if (at != SIZE_MAX && at >= CACHE_MIN && p->stream.n >= CACHE_MIN)
            p->stomped = true;
        else if (at != SIZE_MAX)
            p->unread = true;
        return;
    }
    vba_read_source(buf_view(&p->source), &said);
    keep_first(&p->autoexec, said.autoexec);
    keep_first(&p->suspicious, said.suspicious);
    if (said.code) {
        keep_first(&p->first, e->name);
        p->code = true;
    }
}

static void
read_dir(struct project *p, uint32_t storage)
{
    uint32_t k = ole2_find(p->o, storage, "dir");

    if (k == OLE2_NONE)
        return;
    (void)ole2_read(p->o, &p->o->entry[k], &p->stream);
    if (!vba_unpack(buf_view(&p->stream), &p->dir))
        p->unread = true;
    vba_modules_read(buf_view(&p->dir), &p->modules);
}

static bool
is_module_stream(const struct ole2_entry *e)
{
    return e->kind == OLE2_STREAM && e->size > 0 &&
           !span_eq_nocase(e->name, SPAN_LIT("dir")) &&
           !span_eq_nocase(e->name, SPAN_LIT("_VBA_PROJECT")) &&
           !span_starts_nocase(e->name, SPAN_LIT("__SRP_"));
}

/* Identifiers outlive the source that used them. */
static void
read_identifiers(struct project *p, uint32_t storage)
{
    uint32_t k = ole2_find(p->o, storage, "_VBA_PROJECT");
    struct vba_said said = {0};

    if (k == OLE2_NONE)
        return;
    (void)ole2_read(p->o, &p->o->entry[k], &p->stream);
    vba_read_names(buf_view(&p->stream), &said);
    if (!p->code && said.autoexec.n > 0 && said.suspicious.n > 0)
        p->stomped = true;
    if (p->stomped) {
        keep_first(&p->autoexec, said.autoexec);
        keep_first(&p->suspicious, said.suspicious);
    }
}

static void
judge(struct project *p)
{
    if (p->code || p->stomped || p->unread)
        embed_note(p->i, p->item, FIND_VBA_MACRO, buf_view(&p->first));
    if (p->stomped)
        inspection_note(p->i, p->item, FIND_VBA_STOMPED);
    if (p->unread && !p->item->truncated)
        inspection_note(p->i, p->item, FIND_MALFORMED);
    if (p->autoexec.n == 0 || p->suspicious.n == 0)
        return;
    buf_str(&p->autoexec, ", ");
    buf_span(&p->autoexec, buf_view(&p->suspicious));
    embed_note(p->i, p->item, FIND_VBA_AUTOEXEC_SUSPICIOUS,
               buf_view(&p->autoexec));
}

static void
read_project(struct project *p, uint32_t storage)
{
    uint32_t k;

    read_dir(p, storage);
    for (k = p->o->entry[storage].child; k != OLE2_NONE;
         k = p->o->entry[k].next)
        if (is_module_stream(&p->o->entry[k]))
            read_module(p, &p->o->entry[k]);
    read_identifiers(p, storage);
    judge(p);
}

void
vba_project_read(struct inspection *i, const struct content_item *item,
                 struct ole2 *o, uint32_t storage)
{
    struct project *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return;
    p->i = i;
    p->item = item;
    p->o = o;
    buf_init(&p->dir, SOURCE_MAX);
    buf_init(&p->stream, item->bytes.n);
    buf_init(&p->source, SOURCE_MAX);
    buf_init(&p->name, NAME_MAX);
    buf_init(&p->autoexec, NAME_MAX);
    buf_init(&p->suspicious, NAME_MAX);
    buf_init(&p->first, NAME_MAX);
    read_project(p, storage);
    buf_free(&p->dir);
    buf_free(&p->stream);
    buf_free(&p->source);
    buf_free(&p->name);
    buf_free(&p->autoexec);
    buf_free(&p->suspicious);
    buf_free(&p->first);
    free(p);
}
