#include "dissectors/content/search.h"

#include "dissectors/content/zip_dir.h"

/* Halves, so that this file is not what it looks for. */
#define EICAR_HEAD "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
#define EICAR_REST "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#define GTUBE_HEAD "XJS*C4JDBQADN1.NSBN3*2IDNEN*"
#define GTUBE_REST "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

#define PDF_REACH 1024
#define PE_LFANEW 0x3c

bool
search_eicar(struct span bytes)
{
    static const struct span head = SPAN_INIT(EICAR_HEAD);
    static const struct span rest = SPAN_INIT(EICAR_REST);
    static const struct span white = SPAN_INIT(" \t\r\n\x1a");

    if (!span_starts(bytes, head) ||
        !span_starts(span_tail(bytes, head.n), rest))
        return false;
    for (size_t k = head.n + rest.n; k < bytes.n; k++)
        if (span_find(white, bytes.p[k]) == white.n)
            return false;
    return true;
}

bool
search_gtube(struct span bytes)
{
    static const struct span head = SPAN_INIT(GTUBE_HEAD);
    static const struct span rest = SPAN_INIT(GTUBE_REST);
    size_t at = 0;

    while (at < bytes.n) {
        struct span in = span_tail(bytes, at);
        size_t hit = span_search(in, head);

        if (hit == in.n)
            return false;
        if (span_starts(span_tail(in, hit + head.n), rest))
            return true;
        at += hit + head.n;
    }
    return false;
}

/* ---- polyglots ---- */

static bool
has_pe(struct span s)
{
    size_t at = 1;

    while (at < s.n) {
        struct span in = span_tail(s, at);
        size_t hit = span_search(in, SPAN_LIT("MZ"));
        struct cursor c = cur_open(span_tail(in, hit));
        struct span pe;

        if (hit == in.n)
            return false;
        cur_skip(&c, PE_LFANEW);
        pe = span_tail(span_tail(in, hit), cur_le32(&c));
        if (!c.bad && span_starts(pe, span_of("PE\0\0", 4)))
            return true;
        at += hit + 2;
    }
    return false;
}

static bool
has_magic(struct span s, struct span magic)
{
    struct span in = span_tail(s, 1);

    return span_search(in, magic) < in.n;
}

static bool
has_rar(struct span s)
{
    return has_magic(s, SPAN_LIT("Rar!\x1a\x07"));
}

static bool
has_7z(struct span s)
{
    return has_magic(s, SPAN_LIT("7z\xbc\xaf\x27\x1c"));
}

static bool
has_pdf(struct span s)
{
    struct span head = span_tail(span_head(s, PDF_REACH), 1);
    size_t hit = span_search(head, SPAN_LIT("%PDF-"));

    return hit < head.n && span_at(head, hit + 5) >= '1' &&
           span_at(head, hit + 5) <= '2' && span_at(head, hit + 6) == '.';
}

static bool
has_script(struct span s)
{
    return span_search(s, SPAN_LIT("<script")) < s.n;
}

enum in {
    MEDIA = 1,
    PDF = 2,
    OLE2 = 4,
    PROGRAM = 8,
    LINK = 16,
    MARKUP = 32,
    OTHER = 64,
};

static const struct {
    enum filetype second;
    unsigned in;
    bool (*has)(struct span s);
} seconds[] = {
    {FILETYPE_ZIP,      MEDIA | PDF | OLE2 | LINK | MARKUP, zip_ends_with},
    {FILETYPE_PE,       MEDIA | LINK,                       has_pe       },
    {FILETYPE_RAR,      MEDIA | PDF | LINK | MARKUP,        has_rar      },
    {FILETYPE_SEVENZIP, MEDIA | PDF | LINK | MARKUP,        has_7z       },
    {FILETYPE_PDF,      MEDIA | OLE2 | PROGRAM | LINK,      has_pdf      },
    {FILETYPE_HTML,     MEDIA | LINK,                       has_script   },
};

static unsigned
place_of(enum filetype t)
{
    if (t == FILETYPE_PDF)
        return PDF;
    if (t == FILETYPE_OLE2)
        return OLE2;
    /* Office for macOS keeps a PDF in its metafiles */
    if (t == FILETYPE_EMF || t == FILETYPE_WMF)
        return OTHER;
    switch (filetype_group_of(t)) {
    case FILETYPE_GROUP_MEDIA: return MEDIA;
    case FILETYPE_GROUP_PROGRAM: return PROGRAM;
    case FILETYPE_GROUP_LINK: return LINK;
    case FILETYPE_GROUP_MARKUP: return MARKUP;
    case FILETYPE_GROUP_OTHER:
    case FILETYPE_GROUP_TEXT:
    case FILETYPE_GROUP_DOCUMENT:
    case FILETYPE_GROUP_ARCHIVE:
    case FILETYPE_GROUP_IMAGE:
    case FILETYPE_GROUP_SCRIPT:
    case FILETYPE_GROUP_MAIL: break;
    }
    return OTHER;
}

enum filetype
search_polyglot(struct span bytes, enum filetype type)
{
    unsigned place = place_of(type);

    for (size_t k = 0; k < ARRAY_LEN(seconds); k++)
        if ((seconds[k].in & place) != 0 && seconds[k].has(bytes))
            return seconds[k].second;
    return FILETYPE_UNKNOWN;
}
