/* stand-in */
#include "dissectors/filetype.h"
#include "sensor/base/attr.h"
static const struct {
    const char *name, *mime;
    enum filetype_group g;
    const char *doc;
} rows[] = {
#define X(id, name, mime, group, doc)                                          \
    [FILETYPE_##id] = {name, mime, FILETYPE_GROUP_##group, doc},
#include "dissectors/filetype.def"
#undef X
};
static const struct {
    size_t at;
    const char *m;
    size_t n;
    enum filetype t;
} sig[] = {
#define S(at, m, t) {at, m, sizeof(m) - 1, FILETYPE_##t},
    S(0, "PK\3\4", ZIP) S(0, "PK\5\6", ZIP) S(0, "PK\7\10", ZIP) S(
        0,
        "\x7f"
        "ELF",
        ELF) S(0, "%PDF-", PDF) S(0, "{\\rt", RTF)
        S(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE2) S(0, "\x89PNG", PNG) S(
            0, "\xff\xd8\xff", JPEG) S(0, "GIF8", GIF) S(0, "Rar!\x1a\7\0", RAR)
            S(0, "Rar!\x1a\7\1\0", RAR5) S(0, "7z\xbc\xaf\x27\x1c", SEVENZIP) S(
                0, "MSCF", CAB) S(7, "**ACE**", ACE) S(0, "\x60\xea", ARJ)
                S(2, "-lh", LZH) S(0, "\x1f\x8b", GZIP) S(0, "BZh", BZIP2) S(
                    0,
                    "\xfd"
                    "7zXZ\0",
                    XZ) S(0, "\x5d\0\0", LZMA) S(0, "LZIP", LZIP)
                    S(0, "\x28\xb5\x2f\xfd", ZSTD) S(0, "\x1f\x9d", COMPRESS)
                        S(257, "ustar", TAR) S(0, "070707", CPIO) S(
                            0, "070701", CPIO) S(0, "\xc7\x71", CPIO)
                            S(0, "\x71\xc7", CPIO) S(0, "!<arch>\n", AR) S(
                                0x8001, "CD001", ISO9660) S(0x8001, "BEA01",
                                                            UDF)
                                S(0, "conectix", VHD) S(0, "vhdxfile", VHDX)
                                    S(0, "MSWIM\0\0\0", WIM) S(0, "ITSF", CHM)
                                        S(0, "\x78\x9f\x3e\x22", TNEF)
                                            S(0, "<html", HTML)
                                                S(0, "<!DOCTYPE html", HTML)
                                                    S(0, "\x4c\0\0\0\1\x14\2",
                                                      LNK)};
enum filetype
filetype_detect(struct span head, struct span tail, uint64_t size,
                bool *undecided)
{
    (void)tail;
    (void)size;
    if (undecided != NULL)
        *undecided = false;
    for (size_t i = 0; i < ARRAY_LEN(sig); i++)
        if (span_starts(span_tail(head, sig[i].at),
                        span_of(sig[i].m, sig[i].n))) {
            if (sig[i].t == FILETYPE_ZIP &&
                span_search(span_head(head, 2000),
                            SPAN_LIT("[Content_Types].xml")) < 2000 &&
                head.n > 2000)
                return FILETYPE_OOXML;
            if (sig[i].t == FILETYPE_ZIP &&
                span_search(span_head(head, 200), SPAN_LIT("mimetype")) < 40)
                return FILETYPE_ODF;
            return sig[i].t;
        }
    if (span_starts(head, SPAN_LIT("MZ"))) {
        struct cursor c = cur_open(head);
        cur_skip(&c, 0x3c);
        size_t at = cur_le32(&c);
        if (span_starts(span_tail(head, at), span_of("PE\0\0", 4)))
            return FILETYPE_PE;
    }
    for (size_t i = 0; i < head.n && i < FILETYPE_HEAD; i++)
        if (head.p[i] == 0)
            return FILETYPE_UNKNOWN;
    return head.n > 0 ? FILETYPE_TEXT : FILETYPE_UNKNOWN;
}
const char *
filetype_name(enum filetype t)
{
    return rows[t].name;
}
const char *
filetype_mime(enum filetype t)
{
    return rows[t].mime;
}
const char *
filetype_magic(enum filetype t)
{
    return rows[t].doc;
}
enum filetype_group
filetype_group_of(enum filetype t)
{
    return rows[t].g;
}
enum filetype
filetype_of_mime(struct span m)
{
    (void)m;
    return FILETYPE_UNKNOWN;
}
enum filetype
filetype_of_extension(struct span e)
{
    for (unsigned t = 1; t < FILETYPE_COUNT; t++)
        if (span_eq_nocase(e, span_str(rows[t].name)))
            return (enum filetype)t;
    return FILETYPE_UNKNOWN;
}
bool
filetype_compatible(enum filetype c, enum filetype r)
{
    return c == r || c == FILETYPE_UNKNOWN || r == FILETYPE_UNKNOWN;
}
