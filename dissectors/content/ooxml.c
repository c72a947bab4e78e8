#include "dissectors/content/ooxml.h"

#include "dissectors/content/embed.h"
#include "dissectors/content/zip_dir.h"

struct package_facts {
    struct span vba;
    struct span macro_sheet;
    struct span activex;
    struct span script;
    bool content_types;
    bool office; /* a folder of Word, Excel, PowerPoint or Visio */
    bool odf;
    bool content;
};

/* ---- names ---- */

static bool
same_char(uint8_t a, uint8_t b)
{
    a = a == '\\' ? '/' : a;
    return span_eq_nocase(span_of(&a, 1), span_of(&b, 1));
}

static bool
path_starts(struct span path, struct span head)
{
    if (path.n < head.n)
        return false;
    for (size_t k = 0; k < head.n; k++)
        if (!same_char(span_at(path, k), span_at(head, k)))
            return false;
    return true;
}

static bool
path_has(struct span path, struct span piece)
{
    for (; path.n >= piece.n; path = span_tail(path, 1))
        if (path_starts(path, piece))
            return true;
    return false;
}

static bool
path_ends(struct span path, struct span end)
{
    return path.n >= end.n && path_starts(span_tail(path, path.n - end.n), end);
}

/* Libraries of Basic list their modules in files of their own. */
static bool
is_odf_script(struct span path)
{
    if (path_starts(path, SPAN_LIT("Scripts/")))
        return path_ends(path, SPAN_LIT(".py")) ||
               path_ends(path, SPAN_LIT(".js")) ||
               path_ends(path, SPAN_LIT(".bsh"));
    return path_starts(path, SPAN_LIT("Basic/")) &&
           path_ends(path, SPAN_LIT(".xml")) &&
           !path_ends(path, SPAN_LIT("/script-lc.xml")) &&
           !path_ends(path, SPAN_LIT("/script-lb.xml")) &&
           !path_ends(path, SPAN_LIT("/dialog-lc.xml")) &&
           !path_ends(path, SPAN_LIT("/dialog-lb.xml"));
}

/* Other packages have content types too (appx, nupkg, vsix). */
static bool
is_office_folder(struct span path)
{
    static const struct span folders[] = {
        SPAN_INIT("word/"),
        SPAN_INIT("xl/"),
        SPAN_INIT("ppt/"),
        SPAN_INIT("visio/"),
    };

    for (size_t k = 0; k < ARRAY_LEN(folders); k++)
        if (path_starts(path, folders[k]))
            return true;
    return false;
}

static void
keep_first(struct span *to, bool is, struct span name)
{
    if (is && to->n == 0)
        *to = name;
}

static void
read_name(struct package_facts *f, struct span name)
{
    if (name.n > CONTENT_NAME_MAX)
        name = span_tail(name, name.n - CONTENT_NAME_MAX);
    if (path_starts(name, SPAN_LIT("[Content_Types].xml")))
        f->content_types = true;
    if (path_starts(name, SPAN_LIT("META-INF/manifest.xml")))
        f->odf = true;
    f->office = f->office || is_office_folder(name);
    f->content = f->content || span_eq(name, SPAN_LIT("content.xml"));
    keep_first(&f->vba, path_ends(name, SPAN_LIT("vbaProject.bin")), name);
    keep_first(&f->macro_sheet, path_has(name, SPAN_LIT("xl/macrosheets/")),
               name);
    keep_first(&f->activex,
               path_has(name, SPAN_LIT("/activeX/")) &&
                   !path_has(name, SPAN_LIT("_rels/")),
               name);
    keep_first(&f->script, is_odf_script(name), name);
}

/* ---- the package ---- */

/* Types of the names that promise a file without macros. */
static bool
promises_no_macro(struct span name)
{
    static const struct span extensions[] = {
        SPAN_INIT("docx"), SPAN_INIT("dotx"), SPAN_INIT("xlsx"),
        SPAN_INIT("xltx"), SPAN_INIT("pptx"), SPAN_INIT("potx"),
        SPAN_INIT("ppsx"), SPAN_INIT("sldx"),
    };
    struct span e = filename_extension(name);

    for (size_t k = 0; k < ARRAY_LEN(extensions); k++)
        if (span_eq_nocase(e, extensions[k]))
            return true;
    return false;
}

static void
judge_opc(struct inspection *i, const struct content_item *item,
          const struct package_facts *f)
{
    if (f->vba.n > 0)
        embed_note(i, item, FIND_VBA_MACRO, f->vba);
    if (f->macro_sheet.n > 0)
        embed_note(i, item, FIND_XLM_MACRO, f->macro_sheet);
    if ((f->vba.n > 0 || f->macro_sheet.n > 0) && promises_no_macro(item->name))
        inspection_note(i, item, FIND_MACRO_MISMATCH);
    if (f->activex.n > 0)
        embed_note(i, item, FIND_ACTIVEX, f->activex);
}

static void
read_directory(struct span all, const struct zip_end *end,
               struct package_facts *f)
{
    struct cursor c = cur_open(span_head(all, end->dir_end));
    struct zip_entry e;
    uint32_t n = 0;

    cur_skip(&c, end->dir_at);
    while (n++ < CONTENT_MAX_objects && zip_central_next(&c, &e))
        read_name(f, e.name);
}

/* The type by the first bytes depends on the order of the members. */
static void
refine(struct inspection *i, const struct content_item *item,
       const struct package_facts *f)
{
    if (item->type != FILETYPE_ZIP)
        return;
    if (f->content_types && f->office)
        inspection_refine(i, FILETYPE_OOXML);
    else if (f->odf && f->content)
        inspection_refine(i, FILETYPE_ODF);
}

static bool
package_wants(const struct content_item *item)
{
    return span_starts(item->bytes, ZIP_LOCAL);
}

static void
package_inspect(struct inspection *i, const struct content_item *item)
{
    struct package_facts f = {0};
    struct zip_end end[2];
    size_t n = 0;

    if (!zip_end_find(item->bytes, item->bytes.n, end, &n))
        return;
    for (size_t k = 0; k < n; k++)
        read_directory(item->bytes, &end[k], &f);
    refine(i, item, &f);
    if (f.content_types)
        judge_opc(i, item, &f);
    else if (f.odf && f.script.n > 0)
        embed_note(i, item, FIND_SCRIPT_MACRO, f.script);
}

const struct inspector ooxml_inspector = {
    .name = "ooxml",
    .wants = package_wants,
    .inspect = package_inspect,
};
