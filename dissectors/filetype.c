#include "dissectors/filetype.h"

#include "dissectors/extension.h"
#include "dissectors/filetype_sniff.h"
#include "sensor/base/attr.h"

static const struct row {
    const char *name;
    const char *mime;
    size_t mime_n;
    const char *magic;
    enum filetype_group group;
} rows[] = {
#define X(id, name, mime, group, doc)                                          \
    [FILETYPE_##                                                               \
        id] = {name, mime, sizeof(mime) - 1, doc, FILETYPE_GROUP_##group},
#include "dissectors/filetype.def"
#undef X
};

static const struct alias {
    struct span mime;
    enum filetype t;
} aliases[] = {
#define X(mime, id) {SPAN_INIT(mime), FILETYPE_##id},
#include "dissectors/filetype_mime.def"
#undef X
};

enum filetype
filetype_detect(struct span head, struct span tail, uint64_t size,
                bool *undecided)
{
    struct filetype_probe p = {head, tail, size, false};
    enum filetype t = FILETYPE_EMPTY;

    if (head.n > 0)
        t = filetype_by_magic(&p);
    if (t == FILETYPE_UNKNOWN) {
        t = filetype_by_text(&p);
        p.undecided = p.undecided && t == FILETYPE_UNKNOWN;
    }
    if (head.n == 0 && size > 0) {
        t = FILETYPE_UNKNOWN;
        p.undecided = true;
    }
    if (undecided != NULL)
        *undecided = p.undecided;
    return t;
}

const char *
filetype_name(enum filetype t)
{
    REQUIRE(t < FILETYPE_COUNT);
    return rows[t].name;
}

const char *
filetype_mime(enum filetype t)
{
    REQUIRE(t < FILETYPE_COUNT);
    return rows[t].mime;
}

const char *
filetype_magic(enum filetype t)
{
    REQUIRE(t < FILETYPE_COUNT);
    return rows[t].magic;
}

enum filetype_group
filetype_group_of(enum filetype t)
{
    REQUIRE(t < FILETYPE_COUNT);
    return rows[t].group;
}

enum filetype
filetype_find(struct span name)
{
    for (unsigned t = 0; t < FILETYPE_COUNT; t++)
        if (span_eq(name, span_str(rows[t].name)))
            return (enum filetype)t;
    return FILETYPE_COUNT;
}

/* A type that no row names may still say what family it is of. */
static enum filetype
by_family(struct span mime)
{
    if (span_starts_nocase(mime, SPAN_LIT("text/")) &&
        !span_starts_nocase(mime, SPAN_LIT("text/vnd.")))
        return FILETYPE_TEXT;
    if (mime.n > 4 &&
        span_eq_nocase(span_tail(mime, mime.n - 4), SPAN_LIT("+xml")))
        return FILETYPE_XML;
    return FILETYPE_UNKNOWN;
}

enum filetype
filetype_of_mime(struct span mime)
{
    mime = span_trim(span_head(mime, span_find(mime, ';')));
    for (unsigned t = 0; t < FILETYPE_COUNT; t++)
        if (span_eq_nocase(mime, span_of(rows[t].mime, rows[t].mime_n)))
            return (enum filetype)t;
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (span_eq_nocase(mime, aliases[i].mime))
            return aliases[i].t;
    return by_family(mime);
}

enum filetype
filetype_of_extension(struct span extension)
{
    const struct extension *e = extension_find(extension);

    return e != NULL ? e->type : FILETYPE_UNKNOWN;
}

bool
filetype_is_zip(enum filetype t)
{
    return t == FILETYPE_ZIP || t == FILETYPE_OOXML || t == FILETYPE_ODF ||
           t == FILETYPE_EPUB || t == FILETYPE_JAR || t == FILETYPE_APK;
}

bool
filetype_is_executable(enum filetype t)
{
    return filetype_group_of(t) == FILETYPE_GROUP_PROGRAM ||
           t == FILETYPE_LNK || t == FILETYPE_HTA || t == FILETYPE_CHM ||
           t == FILETYPE_SCRIPT_ENCODED;
}

/* ---- what may be called what ---- */

#define GROUP(id) (1U << FILETYPE_GROUP_##id)

/* Formats of other groups that are text underneath. */
static const enum filetype textual[] = {
    FILETYPE_RTF,      FILETYPE_POSTSCRIPT, FILETYPE_SLK,   FILETYPE_OFFICE_XML,
    FILETYPE_PNM,      FILETYPE_XPM,        FILETYPE_EMPTY, FILETYPE_BINHEX,
    FILETYPE_UUENCODE, FILETYPE_TYPE1,
};

/* The same in bytes. */
static const enum filetype not_textual[] = {
    FILETYPE_CHM, FILETYPE_LNK, FILETYPE_TNEF, FILETYPE_MSG, FILETYPE_PST,
};

static bool
among(enum filetype t, const enum filetype *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == t)
            return true;
    return false;
}

bool
filetype_is_textual(enum filetype t)
{
    unsigned groups =
        GROUP(TEXT) | GROUP(SCRIPT) | GROUP(LINK) | GROUP(MARKUP) | GROUP(MAIL);

    if (among(t, not_textual, ARRAY_LEN(not_textual)))
        return false;
    return (groups >> filetype_group_of(t) & 1U) != 0 ||
           among(t, textual, ARRAY_LEN(textual));
}

/* Pairs that no general rule covers: what is claimed, and what it honestly is
 * for many files. */
static const struct {
    enum filetype claimed, real;
} pairs[] = {
  /* Word and Excel open, and other programs write under .doc and .xls, text,
  * HTML, RTF and the newer formats */
    {FILETYPE_OLE2,        FILETYPE_OOXML      },
    {FILETYPE_OLE2,        FILETYPE_ZIP        },
    {FILETYPE_OLE2,        FILETYPE_ODF        },
    {FILETYPE_OLE2,        FILETYPE_RTF        },
    {FILETYPE_OLE2,        FILETYPE_HTML       },
    {FILETYPE_OLE2,        FILETYPE_XML        },
    {FILETYPE_OLE2,        FILETYPE_OFFICE_XML },
    {FILETYPE_OLE2,        FILETYPE_TEXT       },
    {FILETYPE_OLE2,        FILETYPE_SLK        },
    {FILETYPE_OLE2,        FILETYPE_MSG        },
    {FILETYPE_OLE2,        FILETYPE_MSI        },
 /* an encrypted OOXML document is an OLE2 container */
    {FILETYPE_OOXML,       FILETYPE_OLE2       },
    {FILETYPE_MSG,         FILETYPE_OLE2       },
    {FILETYPE_MSG,         FILETYPE_EML        },
    {FILETYPE_MSG,         FILETYPE_TEXT       },
    {FILETYPE_MSI,         FILETYPE_OLE2       },
    {FILETYPE_MSI,         FILETYPE_CAB        },
    {FILETYPE_ONENOTE,     FILETYPE_CAB        },
    {FILETYPE_RTF,         FILETYPE_OLE2       },
    {FILETYPE_SVG,         FILETYPE_GZIP       },
    {FILETYPE_POSTSCRIPT,  FILETYPE_PDF        },
    {FILETYPE_PDF,         FILETYPE_POSTSCRIPT },
    {FILETYPE_TAR,         FILETYPE_GZIP       },
    {FILETYPE_TAR,         FILETYPE_BZIP2      },
    {FILETYPE_TAR,         FILETYPE_XZ         },
    {FILETYPE_GZIP,        FILETYPE_TAR        },
    {FILETYPE_RAR,         FILETYPE_RAR5       },
    {FILETYPE_RAR5,        FILETYPE_RAR        },
    {FILETYPE_ISO9660,     FILETYPE_UDF        },
    {FILETYPE_ISO9660,     FILETYPE_DISK       },
    {FILETYPE_UDF,         FILETYPE_ISO9660    },
    {FILETYPE_DISK,        FILETYPE_ISO9660    },
    {FILETYPE_DISK,        FILETYPE_UDF        },
    {FILETYPE_DMG,         FILETYPE_BZIP2      },
    {FILETYPE_DMG,         FILETYPE_DISK       },
    {FILETYPE_VHD,         FILETYPE_DISK       },
    {FILETYPE_PE,          FILETYPE_DOS        },
    {FILETYPE_PE,          FILETYPE_ELF        },
    {FILETYPE_ELF,         FILETYPE_PE         },
    {FILETYPE_ELF,         FILETYPE_MACHO      },
    {FILETYPE_ELF,         FILETYPE_TEXT       },
    {FILETYPE_AR,          FILETYPE_ELF        },
    {FILETYPE_PGP,         FILETYPE_EML        },
    {FILETYPE_CERTIFICATE, FILETYPE_PKCS7      },
    {FILETYPE_PKCS7,       FILETYPE_CERTIFICATE},
    {FILETYPE_ICO,         FILETYPE_BMP        },
};

/* Groups within which sloppy names are no news: a PNG called .jpg. */
static const unsigned loose = GROUP(MEDIA);

bool
filetype_compatible(enum filetype claimed, enum filetype real)
{
    unsigned group = 1U << filetype_group_of(claimed);

    if (claimed == real || claimed == FILETYPE_UNKNOWN ||
        real == FILETYPE_UNKNOWN || real == FILETYPE_EMPTY)
        return true;
    if ((group & loose) != 0 && group == 1U << filetype_group_of(real))
        return true;
    if (claimed == FILETYPE_ZIP)
        return filetype_is_zip(real);
    if (filetype_is_zip(claimed) && real == FILETYPE_ZIP)
        return true;
    if (filetype_is_textual(claimed) && filetype_is_textual(real))
        return !filetype_is_executable(real);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (pairs[i].claimed == claimed && pairs[i].real == real)
            return true;
    return false;
}
