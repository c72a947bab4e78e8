#include "dissectors/filetype_sniff.h"

#include "sensor/base/attr.h"

#define ZIP_LOOK  65536 /* bytes in which names of entries are looked for */
#define PDF_LOOK  1024  /* readers accept what stands before (DETECTION 3.2) */
#define ISO_FIRST 0x8001
#define ISO_STEP  0x800
#define ISO_LAST  0x9001
#define SECTOR    512

/* ---- numbers in the head ---- */

static struct cursor
at(const struct filetype_probe *p, size_t offset)
{
    return cur_open(span_tail(p->head, offset));
}

static uint16_t
le16(const struct filetype_probe *p, size_t offset)
{
    struct cursor c = at(p, offset);

    return cur_le16(&c);
}

static uint32_t
le32(const struct filetype_probe *p, size_t offset)
{
    struct cursor c = at(p, offset);

    return cur_le32(&c);
}

static uint32_t
be32(const struct filetype_probe *p, size_t offset)
{
    struct cursor c = at(p, offset);

    return cur_be32(&c);
}

static uint8_t
byte(const struct filetype_probe *p, size_t offset)
{
    return span_at(p->head, offset);
}

static bool
has(const struct filetype_probe *p, size_t offset, struct span want)
{
    return span_starts(span_tail(p->head, offset), want);
}

/* ---- what a signature alone does not tell ---- */

/* "MZ" begins texts too: a PE header where it says, or a DOS header that can be
 * one. */
static enum filetype
is_pe(struct filetype_probe *p)
{
    uint32_t header = le32(p, 0x3c);
    uint16_t last_page = le16(p, 2);
    uint16_t pages = le16(p, 4);

    if (p->head.n < 0x40)
        return FILETYPE_UNKNOWN;
    if (has(p, header, SPAN_LIT("PE\0\0")))
        return FILETYPE_PE;
    if (header < p->size && p->size - header >= 4 && header >= 0x40 &&
        p->head.n < (uint64_t)header + 4) {
        p->undecided = p->head.n < p->size;
        return FILETYPE_UNKNOWN;
    }
    if (last_page < 512 && pages > 0 && le16(p, 8) >= 2 && le16(p, 8) < 4096)
        return FILETYPE_DOS;
    return FILETYPE_UNKNOWN;
}

/* CAFEBABE: a class file's version is 45 and more, no Mach-O file has so many
 * architectures. */
static enum filetype
is_class(struct filetype_probe *p)
{
    return be32(p, 4) < 45 ? FILETYPE_MACHO : FILETYPE_JAVA_CLASS;
}

/* Names of entries that tell what a ZIP is. */
static const struct entry {
    struct span head;
    enum filetype t;
} entries[] = {
    {SPAN_INIT("[Content_Types].xml"),  FILETYPE_OOXML},
    {SPAN_INIT("word/"),                FILETYPE_OOXML},
    {SPAN_INIT("xl/"),                  FILETYPE_OOXML},
    {SPAN_INIT("ppt/"),                 FILETYPE_OOXML},
    {SPAN_INIT("AndroidManifest.xml"),  FILETYPE_APK  },
    {SPAN_INIT("classes.dex"),          FILETYPE_APK  },
    {SPAN_INIT("META-INF/MANIFEST.MF"), FILETYPE_JAR  },
};

static enum filetype
zip_entry(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        if (span_starts(name, entries[i].head))
            return entries[i].t;
    return FILETYPE_ZIP;
}

/* ODF and EPUB say what they are in an entry that comes first, stored. */
static enum filetype
zip_mimetype(const struct filetype_probe *p)
{
    struct span said = span_tail(p->head, 30U + le16(p, 26) + le16(p, 28));

    if (le16(p, 26) != 8 || !has(p, 30, SPAN_LIT("mimetype")))
        return FILETYPE_ZIP;
    if (span_starts(said, SPAN_LIT("application/epub+zip")))
        return FILETYPE_EPUB;
    if (span_starts(said, SPAN_LIT("application/vnd.oasis.opendocument")) ||
        span_starts(said, SPAN_LIT("application/vnd.sun.xml")))
        return FILETYPE_ODF;
    return FILETYPE_ZIP;
}

static enum filetype
is_zip(struct filetype_probe *p)
{
    struct span rest = span_head(p->head, ZIP_LOOK);
    enum filetype t = zip_mimetype(p);

    while (t == FILETYPE_ZIP || t == FILETYPE_JAR) {
        size_t hit = span_search(rest, SPAN_LIT("PK\3\4"));
        struct cursor c = cur_open(span_tail(rest, hit));
        enum filetype more;
        size_t n;

        if (hit == rest.n)
            break;
        cur_skip(&c, 26);
        n = cur_le16(&c);
        cur_skip(&c, 2);
        more = zip_entry(span_head(cur_rest(&c), n));
        /* an APK has a manifest as a JAR does, maybe before */
        if (t == FILETYPE_ZIP || more == FILETYPE_APK)
            t = more;
        rest = span_tail(rest, hit + 4);
    }
    return t;
}

static enum filetype
is_spanned_zip(struct filetype_probe *p)
{
    return has(p, 4, SPAN_LIT("PK\3\4")) ? FILETYPE_ZIP : FILETYPE_UNKNOWN;
}

static enum filetype
is_arj(struct filetype_probe *p)
{
    uint16_t n = le16(p, 2);

    return n >= 30 && n <= 2600 ? FILETYPE_ARJ : FILETYPE_UNKNOWN;
}

static enum filetype
is_lzh(struct filetype_probe *p)
{
    uint8_t kind = byte(p, 4);

    return (kind == 'h' || kind == 'z') && byte(p, 6) == '-' ? FILETYPE_LZH
                                                             : FILETYPE_UNKNOWN;
}

static enum filetype
is_bzip2(struct filetype_probe *p)
{
    uint8_t level = byte(p, 3);

    if (level < '1' || level > '9')
        return FILETYPE_UNKNOWN;
    return has(p, 4, SPAN_LIT("1AY&SY")) ||
                   has(p, 4, SPAN_LIT("\x17\x72\x45\x38\x50\x90"))
               ? FILETYPE_BZIP2
               : FILETYPE_UNKNOWN;
}

static enum filetype
is_compress(struct filetype_probe *p)
{
    uint8_t bits = byte(p, 2) & 0x1f;

    return bits >= 9 && bits <= 16 && (byte(p, 2) & 0x60) == 0
               ? FILETYPE_COMPRESS
               : FILETYPE_UNKNOWN;
}

/* LZMA has no signature: usual properties, a dictionary of one bit, a size that
 * is unknown or not absurd. */
static enum filetype
is_lzma(struct filetype_probe *p)
{
    uint32_t dictionary = le32(p, 1);
    uint64_t size = le32(p, 5) | (uint64_t)le32(p, 9) << 32;

    if (p->head.n < 14 || dictionary < 4096 ||
        (dictionary & (dictionary - 1)) != 0)
        return FILETYPE_UNKNOWN;
    return size == UINT64_MAX || size < UINT64_C(1) << 40 ? FILETYPE_LZMA
                                                          : FILETYPE_UNKNOWN;
}

static enum filetype
is_riff(struct filetype_probe *p)
{
    static const struct {
        struct span form;
        enum filetype t;
    } forms[] = {
        {SPAN_INIT("WAVE"), FILETYPE_WAV },
        {SPAN_INIT("AVI "), FILETYPE_AVI },
        {SPAN_INIT("WEBP"), FILETYPE_WEBP},
        {SPAN_INIT("RMID"), FILETYPE_MIDI},
    };

    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (has(p, 8, forms[i].form))
            return forms[i].t;
    return FILETYPE_UNKNOWN;
}

static enum filetype
is_iff(struct filetype_probe *p)
{
    return has(p, 8, SPAN_LIT("AIF")) ? FILETYPE_AIFF : FILETYPE_UNKNOWN;
}

static enum filetype
is_ftyp(struct filetype_probe *p)
{
    static const struct span heif[] = {
        SPAN_INIT("heic"), SPAN_INIT("heix"), SPAN_INIT("hevc"),
        SPAN_INIT("mif1"), SPAN_INIT("msf1"), SPAN_INIT("avif"),
    };

    for (size_t i = 0; i < ARRAY_LEN(heif); i++)
        if (has(p, 8, heif[i]))
            return FILETYPE_HEIF;
    return FILETYPE_MP4;
}

static enum filetype
is_bmp(struct filetype_probe *p)
{
    uint32_t header = le32(p, 14);

    return header >= 12 && header <= 124 && le32(p, 6) == 0 ? FILETYPE_BMP
                                                            : FILETYPE_UNKNOWN;
}

static enum filetype
is_icon(struct filetype_probe *p)
{
    return le16(p, 4) > 0 && le16(p, 4) < 256 && byte(p, 9) == 0
               ? FILETYPE_ICO
               : FILETYPE_UNKNOWN;
}

static enum filetype
is_emf(struct filetype_probe *p)
{
    return has(p, 40, SPAN_LIT(" EMF")) ? FILETYPE_EMF : FILETYPE_UNKNOWN;
}

static enum filetype
is_truetype(struct filetype_probe *p)
{
    struct cursor c = at(p, 4);
    uint16_t tables = cur_be16(&c);

    return tables > 3 && tables < 64 ? FILETYPE_TTF : FILETYPE_UNKNOWN;
}

static enum filetype
is_flash(struct filetype_probe *p)
{
    uint8_t version = byte(p, 3); /* a blank would make it text */

    return version >= 1 && version <= 50 && version != '\n' && version != ' '
               ? FILETYPE_SWF
               : FILETYPE_UNKNOWN;
}

/* A frame of layer III: version, rate and sampling that exist. */
static enum filetype
is_mp3(struct filetype_probe *p)
{
    uint8_t b = byte(p, 1);
    uint8_t c = byte(p, 2);

    if ((b & 0xe6) != 0xe2 || (b & 0x18) == 0x08)
        return FILETYPE_UNKNOWN;
    return c >> 4 != 15 && c >> 4 != 0 && (c >> 2 & 3) != 3 ? FILETYPE_MP3
                                                            : FILETYPE_UNKNOWN;
}

static enum filetype
is_aac(struct filetype_probe *p)
{
    return (byte(p, 1) & 0xf6) == 0xf0 && (byte(p, 2) >> 2 & 15) < 13
               ? FILETYPE_AAC
               : FILETYPE_UNKNOWN;
}

static enum filetype
is_transport_stream(struct filetype_probe *p)
{
    return byte(p, 188) == 0x47 && byte(p, 376) == 0x47 && byte(p, 564) == 0x47
               ? FILETYPE_MPEG
               : FILETYPE_UNKNOWN;
}

static enum filetype
is_pnm(struct filetype_probe *p)
{
    uint8_t kind = byte(p, 1);
    uint8_t blank = byte(p, 2);
    uint8_t next = byte(p, 3);

    if (kind < '1' || kind > '6' || (blank != '\n' && blank != ' '))
        return FILETYPE_UNKNOWN;
    return next == '#' || (next >= '0' && next <= '9') ? FILETYPE_PNM
                                                       : FILETYPE_UNKNOWN;
}

/* Length of a DER header at the first byte; 0 when it is none. */
static size_t
der_header(const struct filetype_probe *p)
{
    uint8_t n = byte(p, 1);

    if (n < 0x80)
        return 2;
    return n <= 0x84 ? 2U + (n & 0x7fU) : 0;
}

static enum filetype
is_der(struct filetype_probe *p)
{
    size_t n = der_header(p);

    if (n == 0)
        return FILETYPE_UNKNOWN;
    if (has(p, n, SPAN_LIT("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07")) ||
        has(p, n, SPAN_LIT("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09")))
        return FILETYPE_PKCS7;
    if (has(p, n, SPAN_LIT("\x02\x01\x03\x30")) ||
        has(p, n, SPAN_LIT("\x02\x01\x00\x30")))
        return FILETYPE_CERTIFICATE; /* PKCS #12, PKCS #8 */
    if (byte(p, n) == 0x30 && has(p, n + 4, SPAN_LIT("\xa0\x03\x02\x01\x02")))
        return FILETYPE_CERTIFICATE;
    return FILETYPE_UNKNOWN;
}

static enum filetype
is_dvi(struct filetype_probe *p)
{
    return be32(p, 2) == 25400000 ? FILETYPE_DVI : FILETYPE_UNKNOWN;
}

/* ---- signatures ---- */

struct magic {
    size_t at;
    struct span bytes;
    enum filetype t;
    enum filetype (*check)(struct filetype_probe *p); /* NULL: it is t */
};

#define M(at, bytes, id)                                                       \
    {                                                                          \
        at, SPAN_INIT(bytes), FILETYPE_##id, NULL                              \
    }
#define C(at, bytes, check)                                                    \
    {                                                                          \
        at, SPAN_INIT(bytes), FILETYPE_UNKNOWN, check                          \
    }

/* The first that fits: longer ones stand before shorter ones. */
/* clang-format off */
static const struct magic magics[] = {
    C(0, "MZ", is_pe),
    M(0, "\x7f" "ELF", ELF),
    M(0, "\xcf\xfa\xed\xfe", MACHO),
    M(0, "\xce\xfa\xed\xfe", MACHO),
    M(0, "\xfe\xed\xfa\xcf", MACHO),
    M(0, "\xfe\xed\xfa\xce", MACHO),
    C(0, "\xca\xfe\xba\xbe", is_class),
    M(0, "dex\n03", DEX),
    M(0, "\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", LNK),
    M(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE2),
    C(0, "PK\3\4", is_zip),
    M(0, "PK\5\6", ZIP),
    C(0, "PK\7\x08", is_spanned_zip),
    C(0, "PK00", is_spanned_zip),
    M(0, "Rar!\x1a\x07\x01\0", RAR5),
    M(0, "Rar!\x1a\x07\0", RAR),
    M(0, "7z\xbc\xaf\x27\x1c", SEVENZIP),
    M(0, "MSCF\0\0\0\0", CAB),
    M(7, "**ACE**", ACE),
    C(0, "\x60\xea", is_arj),
    C(2, "-l", is_lzh),
    M(0, "\x1f\x8b\x08", GZIP),
    C(0, "BZh", is_bzip2),
    M(0, "\xfd" "7zXZ\0", XZ),
    M(0, "\x28\xb5\x2f\xfd", ZSTD),
    M(0, "\x04\x22\x4d\x18", LZ4),
    M(0, "LZIP\x01", LZIP),
    C(0, "\x5d\0\0", is_lzma),
    C(0, "\x1f\x9d", is_compress),
    M(257, "ustar", TAR),
    M(0, "070701", CPIO),
    M(0, "070702", CPIO),
    M(0, "070707", CPIO),
    M(0, "\xc7\x71", CPIO),
    M(0, "\x71\xc7", CPIO),
    M(0, "!<arch>\n", AR),
    M(0, "\xed\xab\xee\xdb", RPM),
    M(0, "xar!\0", XAR),
    M(0, "MSWIM\0\0\0", WIM),
    M(0, "vhdxfile", VHDX),
    M(0, "conectix", VHD),
    M(0, "KDMV", VMDK),
    M(0, "# Disk DescriptorFile", VMDK),
    M(0, "QFI\xfb", QCOW),
    M(0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", ONENOTE),
    M(0, "\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", ONENOTE),
    M(0, "{\\rt", RTF),
    M(0, "%PDF-", PDF),
    M(0, "\x78\x9f\x3e\x22", TNEF),
    M(0, "ITSF\x03\0\0\0", CHM),
    M(0, "#@~^", SCRIPT_ENCODED),
    C(0, "FWS", is_flash),
    C(0, "CWS", is_flash),
    C(0, "ZWS", is_flash),
    M(0, "%!PS-AdobeFont", TYPE1),
    M(0, "%!FontType1", TYPE1),
    M(6, "%!PS-AdobeFont", TYPE1),
    M(6, "%!FontType1", TYPE1),
    M(0, "%!PS", POSTSCRIPT),
    M(0, "\x04%!PS", POSTSCRIPT),
    M(0, "\xc5\xd0\xd3\xc6", POSTSCRIPT),
    M(0, "AT&TFORM", DJVU),
    C(0, "\xf7\x02", is_dvi),
    M(4, "Standard Jet DB", ACCESS),
    M(4, "Standard ACE DB", ACCESS),
    M(0, "SQLite format 3\0", SQLITE),
    M(0, "!BDN", PST),
    M(0, "\xff\xd8\xff", JPEG),
    M(0, "\x89PNG\r\n\x1a\n", PNG),
    M(0, "GIF87a", GIF),
    M(0, "GIF89a", GIF),
    C(0, "BM", is_bmp),
    M(0, "II*\0", TIFF),
    M(0, "MM\0*", TIFF),
    M(0, "II+\0", TIFF),
    M(0, "MM\0+", TIFF),
    C(0, "RIFF", is_riff),
    C(0, "FORM", is_iff),
    C(0, "\0\0\1\0", is_icon),
    C(0, "\0\0\2\0", is_icon),
    M(0, "8BPS\0", PSD),
    M(0, "\0\0\0\x0cjP  ", JP2),
    M(0, "\xff\x4f\xff\x51", JP2),
    M(0, "\0\0\0\x0cJXL ", JXL),
    M(0, "\xff\x0a", JXL),
    C(0, "\1\0\0\0", is_emf),
    M(0, "\xd7\xcd\xc6\x9a", WMF),
    M(0, "\1\0\x09\0\0\3", WMF),
    C(0, "P", is_pnm),
    M(0, "/* XPM */", XPM),
    M(0, "gimp xcf ", XCF),
    M(128, "DICM", DICOM),
    M(0, "ID3", MP3),
    C(0, "\xff", is_mp3),
    C(0, "\xff", is_aac),
    M(0, "OggS\0", OGG),
    M(0, "fLaC", FLAC),
    M(0, "MThd\0\0\0\6", MIDI),
    M(0, "#!AMR", AMR),
    M(0, ".snd\0", AU),
    C(4, "ftyp", is_ftyp),
    M(4, "moov", MP4),
    M(4, "mdat", MP4),
    M(4, "wide", MP4),
    M(0, "\x1a\x45\xdf\xa3", MATROSKA),
    M(0, "FLV\1", FLV),
    M(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
    M(0, "\0\0\1\xba", MPEG),
    M(0, "\0\0\1\xb3", MPEG),
    C(0, "\x47", is_transport_stream),
    C(0, "\0\1\0\0", is_truetype),
    M(0, "true\0", TTF),
    M(0, "OTTO\0", TTF),
    M(0, "ttcf\0", TTF),
    M(0, "wOFF", WOFF),
    M(0, "wOF2", WOFF),
    C(0, "\x30", is_der),
    M(0, "\xd4\xc3\xb2\xa1", PCAP),
    M(0, "\xa1\xb2\xc3\xd4", PCAP),
    M(0, "\x4d\x3c\xb2\xa1", PCAP),
    M(0, "\xa1\xb2\x3c\x4d", PCAP),
    M(0, "\x0a\x0d\x0d\x0a", PCAP),
    M(0, "\0asm", WASM),
    M(0, "\xde\x12\x04\x95", GETTEXT),
    M(0, "\x95\x04\x12\xde", GETTEXT),
    M(0, "d8:announce", TORRENT),
    M(0, "d13:announce-list", TORRENT),
};
/* clang-format on */
#undef M
#undef C

static enum filetype
by_signature(struct filetype_probe *p)
{
    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        const struct magic *m = &magics[i];
        enum filetype t = m->t;

        if (byte(p, m->at) != m->bytes.p[0] || !has(p, m->at, m->bytes))
            continue;
        if (m->check != NULL)
            t = m->check(p);
        if (t != FILETYPE_UNKNOWN)
            return t;
    }
    return FILETYPE_UNKNOWN;
}

/* ---- far in, and at the end ---- */

/* Sectors of volume descriptors from 0x8000 on. An image that is both is called
 * what every system reads. */
static enum filetype
by_volume(struct filetype_probe *p)
{
    enum filetype t = FILETYPE_UNKNOWN;

    for (size_t k = ISO_FIRST; k <= ISO_LAST + 3 * ISO_STEP; k += ISO_STEP) {
        if (has(p, k, SPAN_LIT("CD001")))
            return FILETYPE_ISO9660;
        if (has(p, k, SPAN_LIT("NSR02")) || has(p, k, SPAN_LIT("NSR03")) ||
            has(p, k, SPAN_LIT("BEA01")))
            t = FILETYPE_UDF;
    }
    return t;
}

static enum filetype
by_tail(struct filetype_probe *p)
{
    struct span last;

    if (p->tail.n < SECTOR)
        return FILETYPE_UNKNOWN;
    last = span_tail(p->tail, p->tail.n - SECTOR);
    if (span_starts(last, SPAN_LIT("conectix")))
        return FILETYPE_VHD;
    return span_starts(last, SPAN_LIT("koly")) ? FILETYPE_DMG
                                               : FILETYPE_UNKNOWN;
}

/* A boot sector that describes a FAT or NTFS volume, or partitions. */
static enum filetype
by_boot_sector(struct filetype_probe *p)
{
    bool used = false;

    if (has(p, SECTOR, SPAN_LIT("EFI PART")))
        return FILETYPE_DISK;
    if (!has(p, 510, SPAN_LIT("\x55\xaa")))
        return FILETYPE_UNKNOWN;
    if (has(p, 54, SPAN_LIT("FAT1")) || has(p, 82, SPAN_LIT("FAT32")) ||
        has(p, 3, SPAN_LIT("NTFS    ")) || has(p, 3, SPAN_LIT("EXFAT   ")))
        return FILETYPE_DISK;
    for (size_t k = 446; k < 510; k += 16) {
        if ((byte(p, k) & 0x7f) != 0)
            return FILETYPE_UNKNOWN;
        used = used || byte(p, k + 4) != 0;
    }
    return used ? FILETYPE_DISK : FILETYPE_UNKNOWN;
}

/* tar before POSIX has no signature, but a sum over its header. */
static enum filetype
by_tar_sum(struct filetype_probe *p)
{
    uint32_t sum = 0;
    uint32_t said = 0;

    if (p->head.n < SECTOR || byte(p, 0) == 0)
        return FILETYPE_UNKNOWN;
    for (size_t i = 148; i < 156; i++)
        if (byte(p, i) >= '0' && byte(p, i) <= '7')
            said = said * 8 + byte(p, i) - '0';
        else if (byte(p, i) != ' ' && byte(p, i) != 0)
            return FILETYPE_UNKNOWN;
    for (size_t i = 0; i < SECTOR; i++)
        sum += i >= 148 && i < 156 ? ' ' : byte(p, i);
    return sum == said ? FILETYPE_TAR : FILETYPE_UNKNOWN;
}

/* Compiled Python 3: a magic number of 0x0d.., CR LF, few flags. */
static enum filetype
by_pyc(struct filetype_probe *p)
{
    return has(p, 1, SPAN_LIT("\r\r\n")) && le32(p, 4) < 4 && p->head.n >= 16
               ? FILETYPE_PYC
               : FILETYPE_UNKNOWN;
}

/* "%PDF-1." at the beginning of a line or behind bytes that are no text. */
static enum filetype
by_late_pdf(struct filetype_probe *p)
{
    struct span s = span_head(p->head, PDF_LOOK);
    size_t k = span_search(s, SPAN_LIT("%PDF-"));
    uint8_t before = span_at(s, k > 0 ? k - 1 : 0);

    if (k == s.n || span_at(p->head, k + 6) != '.')
        return FILETYPE_UNKNOWN;
    return k == 0 || before < ' ' || before >= 0x7f ? FILETYPE_PDF
                                                    : FILETYPE_UNKNOWN;
}

/* Could bytes that are not here tell more of what nothing was found in? */
static bool
needs_more(const struct filetype_probe *p)
{
    if (p->head.n >= p->size)
        return false;
    return p->head.n < FILETYPE_HEAD || p->tail.n < SECTOR ||
           (p->size > ISO_FIRST && p->head.n < ISO_LAST + 5);
}

/* A signature comes before a volume: what stands within a file does not make it
 * harmless. */
enum filetype
filetype_by_magic(struct filetype_probe *p)
{
    static enum filetype (*const more[])(struct filetype_probe *) = {
        by_volume, by_tail, by_boot_sector, by_tar_sum, by_pyc, by_late_pdf};
    enum filetype t = by_signature(p);

    if (t == FILETYPE_BZIP2 && by_tail(p) == FILETYPE_DMG)
        return FILETYPE_DMG;
    for (size_t i = 0; i < ARRAY_LEN(more) && t == FILETYPE_UNKNOWN; i++)
        t = more[i](p);
    if (t == FILETYPE_UNKNOWN && needs_more(p))
        p->undecided = true;
    return t;
}
