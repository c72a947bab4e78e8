#include "dissectors/content/ole2_inspect.h"

#include "dissectors/content/biff.h"
#include "dissectors/content/crypt.h"
#include "dissectors/content/embed.h"
#include "dissectors/content/equation.h"
#include "dissectors/content/msg.h"
#include "dissectors/content/ole2.h"
#include "dissectors/content/ppt.h"
#include "dissectors/content/utf16.h"
#include "dissectors/content/vba_project.h"
#include "dissectors/content/word.h"

struct file {
    struct inspection *i;
    const struct content_item *item;
    struct ole2 o;
    struct buf stream;
    unsigned n_projects;
    bool stop;
};

/* ---- classes ---- */

static const struct {
    const char *clsid;
    enum finding found;
} classes[] = {
    {"0002CE02-0000-0000-C000-000000000046", FIND_EQUATION_OBJECT},
    {"00021700-0000-0000-C000-000000000046", FIND_EQUATION_OBJECT},
    {"00000300-0000-0000-C000-000000000046", FIND_OLE_LINK       },
};

/* Installer: product, patch, transform */
static const char *const installers[] = {
    "000C1084-0000-0000-C000-000000000046",
    "000C1086-0000-0000-C000-000000000046",
    "000C1082-0000-0000-C000-000000000046",
};

static void
judge_class(struct file *f, const struct ole2_entry *e)
{
    for (size_t k = 0; k < ARRAY_LEN(classes); k++)
        if (ole2_clsid_is(e->clsid, classes[k].clsid))
            inspection_note(f->i, f->item, classes[k].found);
}

static bool
is_installer(const struct ole2 *o)
{
    for (size_t k = 0; k < ARRAY_LEN(installers); k++)
        if (ole2_clsid_is(o->entry[0].clsid, installers[k]))
            return true;
    return false;
}

/* ---- streams ---- */

static void
see_word(struct file *f, struct span bytes)
{
    word_read(bytes, inspection_findings(f->i));
}

static void
see_workbook(struct file *f, struct span bytes)
{
    biff_read(bytes, inspection_findings(f->i));
}

static void
see_slides(struct file *f, struct span bytes)
{
    ppt_read(f->i, f->item, bytes);
}

static void
see_user(struct file *f, struct span bytes)
{
    if (ppt_is_encrypted(bytes))
        inspection_note(f->i, f->item, FIND_ENCRYPTED_DOCUMENT);
}

static void
see_native(struct file *f, struct span bytes)
{
    f->stop = !embed_native(f->i, f->item, bytes);
}

static void
see_package(struct file *f, struct span bytes)
{
    f->stop = !embed_object(f->i, f->item, SPAN_LIT("Package"), bytes);
}

static void
see_contents(struct file *f, struct span bytes)
{
    f->stop = !embed_object(f->i, f->item, SPAN_LIT("CONTENTS"), bytes);
}

static void
see_equation(struct file *f, struct span bytes)
{
    inspection_note(f->i, f->item, FIND_EQUATION_OBJECT);
    if (equation_is_exploit(bytes))
        inspection_note(f->i, f->item, FIND_EQUATION_EXPLOIT);
}

static void
see_encrypted(struct file *f, struct span bytes)
{
    (void)bytes;
    inspection_note(f->i, f->item, FIND_ENCRYPTED_DOCUMENT);
}

/* Monikers in a stream \1Ole: [MS-OLEDS] 2.3.3, [MS-OSHARED] 2.3.7 */
#define URL_MONIKER                                                            \
    "\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b\xa9\x0b"
#define FILE_MONIKER                                                           \
    "\x03\x03\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

/* Length in bytes, UTF-16. */
static void
put_url(struct span after, struct buf *out)
{
    struct cursor c = cur_open(after);
    uint32_t n = cur_le32(&c);
    size_t left = cur_left(&c);

    utf16_le_to_utf8(out, cur_take(&c, n < left ? n : left));
}

/* Parents to climb, length in bytes, path in the code page. */
static void
put_path(struct span after, struct buf *out)
{
    struct cursor c = cur_open(after);
    struct span path;

    cur_skip(&c, 2);
    path = cur_take(&c, cur_le32(&c));
    buf_span(out, span_head(path, span_find(path, 0)));
}

static void
see_ole(struct file *f, struct span bytes)
{
    static const struct {
        struct span moniker;
        void (*put)(struct span after, struct buf *out);
    } monikers[] = {
        {SPAN_INIT(URL_MONIKER),  put_url },
        {SPAN_INIT(FILE_MONIKER), put_path},
    };
    struct cursor c = cur_open(bytes);
    struct buf target;

    cur_skip(&c, 4);
    if ((cur_le32(&c) & 1) == 0)
        return;
    buf_init(&target, FINDING_DETAIL_MAX);
    for (size_t k = 0; k < ARRAY_LEN(monikers) && target.n == 0; k++) {
        size_t hit = span_search(bytes, monikers[k].moniker);

        if (hit < bytes.n)
            monikers[k].put(span_tail(bytes, hit + monikers[k].moniker.n),
                            &target);
    }
    embed_link(f->i, f->item, buf_view(&target));
    buf_free(&target);
}

static const struct {
    struct span name;
    void (*see)(struct file *f, struct span bytes);
} streams[] = {
    {SPAN_INIT("WordDocument"),        see_word     },
    {SPAN_INIT("Workbook"),            see_workbook },
    {SPAN_INIT("Book"),                see_workbook },
    {SPAN_INIT("PowerPoint Document"), see_slides   },
    {SPAN_INIT("Current User"),        see_user     },
    {SPAN_INIT("\1Ole10Native"),       see_native   },
    {SPAN_INIT("\1Ole"),               see_ole      },
    {SPAN_INIT("Package"),             see_package  },
    {SPAN_INIT("CONTENTS"),            see_contents },
    {SPAN_INIT("Equation Native"),     see_equation },
    {SPAN_INIT("EncryptedPackage"),    see_encrypted},
};

static void
see_stream(struct file *f, const struct ole2_entry *e)
{
    for (size_t k = 0; k < ARRAY_LEN(streams) && !f->stop; k++)
        if (span_eq_nocase(e->name, streams[k].name)) {
            (void)ole2_read(&f->o, e, &f->stream);
            streams[k].see(f, buf_view(&f->stream));
        }
}

/* ---- the file ---- */

static bool
is_project(const struct ole2 *o, uint32_t k)
{
    return span_eq_nocase(o->entry[k].name, SPAN_LIT("VBA")) &&
           (ole2_find(o, k, "dir") != OLE2_NONE ||
            ole2_find(o, k, "_VBA_PROJECT") != OLE2_NONE);
}

static void
see_storage(struct file *f, uint32_t k)
{
    if (!is_project(&f->o, k))
        return;
    if (f->n_projects++ < OLE2_PROJECTS)
        vba_project_read(f->i, f->item, &f->o, k);
    else
        inspection_note(f->i, f->item, FIND_INSPECTION_LIMIT);
}

static void
see_entries(struct file *f)
{
    for (uint32_t k = 0; k < f->o.n_entries && !f->stop; k++) {
        const struct ole2_entry *e = &f->o.entry[k];

        judge_class(f, e);
        if (e->kind == OLE2_STREAM)
            see_stream(f, e);
        else if (e->kind == OLE2_STORAGE)
            see_storage(f, k);
    }
}

static void
see_file(struct file *f)
{
    if (!inspection_spend_objects(f->i, f->o.n_entries))
        return;
    if (is_installer(&f->o)) {
        inspection_refine(f->i, FILETYPE_MSI);
        inspection_note(f->i, f->item,
                        f->item->depth > 0 ? FIND_FORBIDDEN_MEMBER
                                           : FIND_FORBIDDEN_CONTENT);
        return;
    }
    if (msg_is(&f->o)) {
        inspection_refine(f->i, FILETYPE_MSG);
        msg_read(f->i, f->item, &f->o);
    }
    see_entries(f);
}

static void
inspect_ole2(struct inspection *i, const struct content_item *item)
{
    struct file f = {.i = i, .item = item};
    bool ok = ole2_open(item->bytes, &f.o);

    buf_init(&f.stream, CONTENT_MAX_member);
    if (ok)
        see_file(&f);
    if ((!ok || f.o.damaged) && !item->truncated)
        inspection_note(i, item, FIND_MALFORMED);
    buf_free(&f.stream);
    ole2_close(&f.o);
}

/* A head of 50 bytes, then zlib. */
#define ACTIVE_MIME_HEAD 50

static bool
is_active_mime(struct span bytes)
{
    return span_starts(bytes, SPAN_LIT("ActiveMime"));
}

static void
inspect_active_mime(struct inspection *i, const struct content_item *item)
{
    (void)embed_deflated(i, item, SPAN_LIT("ActiveMime"),
                         span_tail(item->bytes, ACTIVE_MIME_HEAD));
}

static void
inspect_biff(struct inspection *i, const struct content_item *item)
{
    biff_read(item->bytes, inspection_findings(i));
}

static const struct {
    bool (*is)(struct span bytes);
    void (*inspect)(struct inspection *i, const struct content_item *item);
} kinds[] = {
    {ole2_is,        inspect_ole2       },
    {biff_is,        inspect_biff       },
    {is_active_mime, inspect_active_mime},
};

static bool
wants(const struct content_item *item)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        if (kinds[k].is(item->bytes))
            return true;
    return false;
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        if (kinds[k].is(item->bytes))
            kinds[k].inspect(i, item);
}

const struct inspector ole2_inspector = {
    .name = "ole2",
    .wants = wants,
    .inspect = inspect,
    .prepare = crypt_prepare,
};
