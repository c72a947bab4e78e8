#include "dissectors/filename.h"

#include "sensor/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <dirent.h>

#define ATTACHMENTS "../shared/messages/attachments"

#define T(id) FILETYPE_##id
#define S(s)  SPAN_INIT(s)

#define ZIP_HEAD(n)                                                            \
    "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0" n "\0\0\0"

static const struct {
    const char *why;
    struct span in;
    enum filetype want;
} rows[] = {
  /* clang-format off */
    {"empty", S(""), T(EMPTY)},
    {"text", S("Hello, world\n"), T(TEXT)},
    {"text of Latin-1", S("Gr\xfc\xdf" "e\r\n"), T(TEXT)},
    {"UTF-16", S("\xff\xfeH\0i\0"), T(TEXT)},
    {"bytes", S("\1\2\3\4\5"), T(UNKNOWN)},

    {"ELF", S("\x7f" "ELF\2\1\1"), T(ELF)},
    {"Mach-O", S("\xcf\xfa\xed\xfe\7\0\0\1"), T(MACHO)},
    {"Mach-O of two architectures", S("\xca\xfe\xba\xbe\0\0\0\2"), T(MACHO)},
    {"Java 8", S("\xca\xfe\xba\xbe\0\0\0\x34"), T(JAVA_CLASS)},
    {"Java 1.1", S("\xca\xfe\xba\xbe\0\3\0\x2d"), T(JAVA_CLASS)},
    {"Java 1.1, lowest", S("\xca\xfe\xba\xbe\0\0\0\x2d"), T(JAVA_CLASS)},
    {"44 architectures", S("\xca\xfe\xba\xbe\0\0\0\x2c"), T(MACHO)},
    {"text that begins with MZ", S("MZ is a fine beginning of a text, and it goes on for a while, so that it has a header."), T(TEXT)},
    {"short text MZ", S("MZ\n"), T(TEXT)},
    {"DEX", S("dex\n035\0"), T(DEX)},
    {"compiled Python", S("\xa7\x0d\x0d\x0a\0\0\0\0\1\2\3\4\5\6\7\x08"), T(PYC)},

    {"shebang", S("#!/bin/sh\necho\n"), T(SHEBANG)},
    {"PowerShell", S("param([string]$x)\nSet-StrictMode -Version 2\nWrite-Host \"$env:TEMP\"\n"), T(POWERSHELL)},
    {"PowerShell in UTF-16", S("\xff\xfe[\0C\0m\0d\0l\0e\0t\0B\0i\0n\0d\0i\0n\0g\0(\0)\0]\0 \0$\0n\0u\0l\0l\0 \0"), T(POWERSHELL)},
    {"VBScript", S("Dim s\r\nSet s = CreateObject(\"WScript.Shell\")\r\ns.Run \"x\"\r\n"), T(VBS)},
    {"JScript", S("var s = new ActiveXObject(\"WScript.Shell\"); s.Run(\"x\");"), T(JSCRIPT)},
    {"JavaScript of a page is text", S("function f(x) { var y = x; return y; }\n"), T(TEXT)},
    {"a mail about a script is text", S("You may use WScript or a function in var, says the manual.\n"), T(TEXT)},
    {"encoded script", S("#@~^QwAAAA=="), T(SCRIPT_ENCODED)},
    {"batch file", S("@ECHO OFF\r\nset x=1\r\n"), T(BATCH)},
    {"batch file without echo", S("setlocal\r\nif errorlevel 1 goto end\r\n"), T(BATCH)},
    {"WSF", S("<job id=\"x\"><script language=\"VBScript\">x</script></job>"), T(WSF)},
    {"job that is no script", S("<?xml version=\"1.0\"?><job><name>x</name></job>"), T(XML)},
    {"scriptlet", S("<?xml version=\"1.0\"?><scriptlet><script>x</script></scriptlet>"), T(SCT)},
    {"HTA", S("<html><head><HTA:APPLICATION id=\"x\"></head></html>"), T(HTA)},
    {"CHM", S("ITSF\3\0\0\0\x60\0\0\0"), T(CHM)},
    {"registry", S("Windows Registry Editor Version 5.00\r\n"), T(REG)},
    {"registry in UTF-16", S("\xff\xfeR\0E\0G\0E\0D\0I\0T\0" "4\0"), T(REG)},
    {"PHP", S("<?php echo 1;"), T(PHP)},

    {"LNK", S("\x4c\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"), T(LNK)},
    {"LNK with another CLSID", S("\x4c\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x47"), T(UNKNOWN)},
    {"URL", S("[InternetShortcut]\r\nURL=file://host/x\r\n"), T(URL)},
    {"URL, other section first", S("[DEFAULT]\r\nBASEURL=x\r\n[InternetShortcut]\r\nURL=x\r\n"), T(URL)},
    {"SCF", S("[Shell]\r\nCommand=2\r\n"), T(SCF)},
    {"library", S("<?xml version=\"1.0\"?>\r\n<libraryDescription xmlns=\"x\">"), T(LIBRARY_MS)},
    {"search", S("\xef\xbb\xbf<?xml version=\"1.0\"?><persistedQuery version=\"1.0\">"), T(SEARCH_MS)},
    {"settings", S("<?xml version=\"1.0\"?><PCSettings><SearchableContent>"), T(SETTING_MS)},
    {"web query", S("WEB\r\n1\r\nhttp://x\r\n"), T(IQY)},
    {"remote desktop", S("screen mode id:i:2\r\nfull address:s:host\r\n"), T(RDP)},
    {"theme", S("[Theme]\r\nDisplayName=x\r\n"), T(THEME)},
    {"desktop entry", S("[Desktop Entry]\nExec=x\n"), T(DESKTOP)},
    {"torrent", S("d8:announce20:http"), T(TORRENT)},

    {"OLE2", S("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), T(OLE2)},
    {"RTF", S("{\\rtf1\\ansi"), T(RTF)},
    {"RTF as Word takes it", S("{\\rt\\ansi"), T(RTF)},
    {"PDF", S("%PDF-1.7\n"), T(PDF)},
    {"PDF behind bytes", S("\0\1\2%PDF-1.4\n"), T(PDF)},
    {"PDF behind a line", S("HTTP/1.0 200 OK\r\n\r\n%PDF-1.4\n"), T(PDF)},
    {"text about PDF", S("The first bytes are %PDF-1.4 or so.\n"), T(TEXT)},
    {"PostScript", S("%!PS-Adobe-3.0\n"), T(POSTSCRIPT)},
    {"OneNote", S("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"), T(ONENOTE)},
    {"Word 2003 XML", S("<?xml version=\"1.0\"?><?mso-application progid=\"Word.Document\"?><w:wordDocument>"), T(OFFICE_XML)},
    {"Excel 2003 XML", S("<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">"), T(OFFICE_XML)},
    {"SYLK", S("ID;PWXL;N;E\r\n"), T(SLK)},
    {"Access", S("\0\1\0\0Standard Jet DB\0"), T(ACCESS)},
    {"SQLite", S("SQLite format 3\0"), T(SQLITE)},
    {"DjVu", S("AT&TFORM\0\0\0\1DJVU"), T(DJVU)},
    {"DVI", S("\xf7\2\1\x83\x92\xc0\x1c\x3b"), T(DVI)},

    {"ZIP", S(ZIP_HEAD("a.py")), T(ZIP)},
    {"empty ZIP", S("PK\5\6\0\0"), T(ZIP)},
    {"spanned ZIP", S("PK\7\x08PK\3\4"), T(ZIP)},
    {"PK and nothing", S("PK\7\x08\1\2\3"), T(UNKNOWN)},
    {"OOXML by its second entry", S(ZIP_HEAD("a.py") "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\x11\0\0\0word/document.xml"), T(OOXML)},
    {"JAR", S("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\x14\0\0\0META-INF/MANIFEST.MF"), T(JAR)},
    {"JAR that has a folder word", S("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\x14\0\0\0META-INF/MANIFEST.MF"
     "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\6\0\0\0word/x"), T(JAR)},
    {"APK behind its manifest", S("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\x14\0\0\0META-INF/MANIFEST.MF"
     "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\x0b\0\0\0classes.dex"), T(APK)},
    {"ODF", S("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.text"), T(ODF)},
    {"EPUB", S("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0\x08\0\0\0mimetypeapplication/epub+zip"), T(EPUB)},
    {"RAR 4", S("Rar!\x1a\7\0"), T(RAR)},
    {"RAR 5", S("Rar!\x1a\7\1\0"), T(RAR5)},
    {"7z", S("7z\xbc\xaf\x27\x1c"), T(SEVENZIP)},
    {"CAB", S("MSCF\0\0\0\0"), T(CAB)},
    {"ACE", S("1234567**ACE**"), T(ACE)},
    {"ARJ", S("\x60\xea\x22\0\x1e"), T(ARJ)},
    {"ARJ with no header", S("\x60\xea\0\0\x1e"), T(UNKNOWN)},
    {"LZH", S("\x20\x40-lh5-\1"), T(LZH)},
    {"gzip", S("\x1f\x8b\x08\0"), T(GZIP)},
    {"bzip2", S("BZh91AY&SY"), T(BZIP2)},
    {"text BZh", S("BZh is text"), T(TEXT)},
    {"xz", S("\xfd" "7zXZ\0"), T(XZ)},
    {"LZMA", S("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0\1"), T(LZMA)},
    {"lzip", S("LZIP\1\x14"), T(LZIP)},
    {"zstd", S("\x28\xb5\x2f\xfd"), T(ZSTD)},
    {"LZ4", S("\4\x22\x4d\x18"), T(LZ4)},
    {"compress", S("\x1f\x9d\x90"), T(COMPRESS)},
    {"cpio", S("070701000"), T(CPIO)},
    {"Debian package", S("!<arch>\ndebian-binary"), T(AR)},
    {"RPM", S("\xed\xab\xee\xdb\3"), T(RPM)},
    {"macOS package", S("xar!\0\x1c"), T(XAR)},
    {"uuencode", S("begin 644 x.exe\r\nM"), T(UUENCODE)},
    {"begin of a sentence", S("begin 6 more\n"), T(TEXT)},
    {"BinHex", S("(This file must be converted with BinHex 4.0)\r\n:"), T(BINHEX)},
    {"VHDX", S("vhdxfile"), T(VHDX)},
    {"VHD, dynamic", S("conectix\0\0"), T(VHD)},
    {"WIM", S("MSWIM\0\0\0"), T(WIM)},
    {"VMDK", S("KDMV\1\0"), T(VMDK)},
    {"QCOW", S("QFI\xfb\0"), T(QCOW)},

    {"HTML", S("<!DOCTYPE html>\n<html>"), T(HTML)},
    {"HTML without a type", S("\r\n <HTML><body>"), T(HTML)},
    {"HTML behind a comment", S("<!-- saved from url --><html>"), T(HTML)},
    {"HTML fragment", S("<div style=\"x\">x</div>"), T(HTML)},
    {"XHTML", S("<?xml version=\"1.0\"?><html xmlns=\"x\">"), T(HTML)},
    {"SVG", S("<svg xmlns=\"x\">"), T(SVG)},
    {"SVG with a prolog", S("<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE svg PUBLIC \"x\">\n<svg>"), T(SVG)},
    {"SVG with a prefix", S("<?xml version='1.0'?><s:svg xmlns:s=\"x\">"), T(SVG)},
    {"XSL", S("<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\">"), T(XSL)},
    {"XML", S("<?xml version=\"1.0\"?><note>"), T(XML)},
    {"address in angle brackets", S("<a@example.com> wrote:\n"), T(TEXT)},

    {"mail", S("Received: from a by b\r\n\tfor c\r\nFrom: a@b\r\nTo: c\r\n\r\n"), T(EML)},
    {"two fields are no mail", S("From: a\r\nTo: b\r\n\r\nHi"), T(TEXT)},
    {"mailbox", S("From a@b Mon Jan  1 00:00:00 2024\nFrom: a@b\nTo: c\nDate: x\n"), T(MBOX)},
    {"calendar", S("BEGIN:VCALENDAR\r\n"), T(ICS)},
    {"card", S("begin:vcard\r\n"), T(VCARD)},
    {"PGP", S("-----BEGIN PGP SIGNATURE-----\n"), T(PGP)},
    {"S/MIME", S("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), T(PKCS7)},
    {"S/MIME, long form", S("\x30\x82\x01\x02\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), T(PKCS7)},
    {"certificate", S("\x30\x82\1\2\x30\x82\1\2\xa0\3\2\1\2"), T(CERTIFICATE)},
    {"certificate as text", S("-----BEGIN CERTIFICATE-----\n"), T(CERTIFICATE)},
    {"TNEF", S("\x78\x9f\x3e\x22\1\0"), T(TNEF)},
    {"PST", S("!BDN\1\2"), T(PST)},

    {"JPEG", S("\xff\xd8\xff\xe0"), T(JPEG)},
    {"PNG", S("\x89PNG\r\n\x1a\n"), T(PNG)},
    {"GIF", S("GIF89a"), T(GIF)},
    {"BMP", S("BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), T(BMP)},
    {"text BM", S("BM is a unit"), T(TEXT)},
    {"TIFF", S("II*\0\x08\0"), T(TIFF)},
    {"WebP", S("RIFF\1\0\0\0WEBPVP8 "), T(WEBP)},
    {"icon", S("\0\0\1\0\1\0\x10\x10\0\0"), T(ICO)},
    {"HEIF", S("\0\0\0\x18" "ftypheic"), T(HEIF)},
    {"MP4", S("\0\0\0\x18" "ftypisom"), T(MP4)},
    {"WAV", S("RIFF\1\0\0\0WAVEfmt "), T(WAV)},
    {"AVI", S("RIFF\1\0\0\0AVI LIST"), T(AVI)},
    {"MP3 with a tag", S("ID3\3\0"), T(MP3)},
    {"MP3", S("\xff\xfb\x90\x64\0"), T(MP3)},
    {"AAC", S("\xff\xf1\x50\x80\0"), T(AAC)},
    {"AMR is no script", S("#!AMR\n"), T(AMR)},
    {"Ogg", S("OggS\0\2"), T(OGG)},
    {"FLAC", S("fLaC\0"), T(FLAC)},
    {"MIDI", S("MThd\0\0\0\6"), T(MIDI)},
    {"AIFF", S("FORM\0\0\0\1AIFF"), T(AIFF)},
    {"Matroska", S("\x1a\x45\xdf\xa3\1"), T(MATROSKA)},
    {"ASF", S("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), T(ASF)},
    {"MPEG", S("\0\0\1\xba\x44"), T(MPEG)},
    {"Flash", S("CWS\x0f\1\2"), T(SWF)},
    {"text FWS", S("FWS is text"), T(TEXT)},
    {"TrueType", S("\0\1\0\0\0\x10\1\0"), T(TTF)},
    {"OpenType", S("OTTO\0\x0b"), T(TTF)},
    {"WOFF 2", S("wOF2\0\1"), T(WOFF)},
    {"EMF", S("\1\0\0\0\x6c\0\0\0" "0123456789012345678901234567" "0123 EMF"), T(EMF)},
    {"WMF", S("\xd7\xcd\xc6\x9a\0"), T(WMF)},
    {"PNM", S("P5\n640 480\n"), T(PNM)},
    {"Photoshop", S("8BPS\0\1"), T(PSD)},
    {"JPEG 2000", S("\0\0\0\x0cjP  \r\n"), T(JP2)},
    {"JPEG XL", S("\xff\x0a\1"), T(JXL)},
    {"capture", S("\xd4\xc3\xb2\xa1\2\0"), T(PCAP)},
    {"WebAssembly", S("\0asm\1\0"), T(WASM)},
  /* clang-format on */
};

/* In a block of exactly its size, so that a sanitizer sees what is read. */
static enum filetype
detect(struct span head, struct span tail, uint64_t size, bool *undecided)
{
    uint8_t *p = malloc(head.n > 0 ? head.n : 1);
    enum filetype t;

    assert_non_null(p);
    if (head.n > 0)
        memcpy(p, head.p, head.n);
    t = filetype_detect(span_of(p, head.n), tail, size, undecided);
    free(p);
    return t;
}

static void
test_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = rows[i].in;
        bool undecided;
        enum filetype got = detect(in, SPAN_NONE, in.n, &undecided);

        if (got != rows[i].want || undecided)
            fail_msg("%s: %s", rows[i].why, filetype_name(got));
        for (size_t n = 0; n < in.n; n++)
            (void)detect(span_head(in, n), SPAN_NONE, in.n, &undecided);
    }
}

/* ---- what lies far in ---- */

static void
put(uint8_t *to, struct span s)
{
    memcpy(to, s.p, s.n);
}

static void
test_pe(void **unused)
{
    uint8_t in[FILETYPE_HEAD + 8] = "MZ\x90\0\3\0\0\0\4\0";
    bool undecided;

    (void)unused;
    in[0x3c] = 0x80;
    put(in + 0x80, SPAN_LIT("PE\0\0"));
    assert_int_equal(detect(span_of(in, 0x84), SPAN_NONE, 0x84, NULL),
                     FILETYPE_PE);
    assert_int_equal(detect(span_of(in, 0x83), SPAN_NONE, 0x84, &undecided),
                     FILETYPE_UNKNOWN);
    assert_true(undecided);
    in[0x83] = 1;
    assert_int_equal(detect(span_of(in, 0x84), SPAN_NONE, 0x84, NULL),
                     FILETYPE_DOS);
    in[0x3d] = 4; /* behind the head */
    assert_int_equal(
        detect(span_of(in, FILETYPE_HEAD), SPAN_NONE, 5000, &undecided),
        FILETYPE_UNKNOWN);
    assert_true(undecided);
    memset(in + 0x3c, 0xff, 4); /* behind the file */
    assert_int_equal(
        detect(span_of(in, FILETYPE_HEAD), SPAN_NONE, 5000, &undecided),
        FILETYPE_DOS);
}

static void
test_iso(void **unused)
{
    static uint8_t in[0x9806];
    struct span all = span_of(in, sizeof(in));
    bool undecided;

    (void)unused;
    put(in + 0x8001, SPAN_LIT("CD001"));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_ISO9660);
    assert_int_equal(
        detect(span_head(all, 0x8006), SPAN_NONE, 0x9000, &undecided),
        FILETYPE_ISO9660);
    assert_int_equal(
        detect(span_head(all, 0x8005), SPAN_NONE, 0x9000, &undecided),
        FILETYPE_UNKNOWN);
    assert_true(undecided);
    put(in + 0x8001, SPAN_LIT("BEA01"));
    put(in + 0x8801, SPAN_LIT("NSR02"));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_UDF);
    put(in + 0x9001, SPAN_LIT("CD001"));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_ISO9660);
    put(in, SPAN_LIT("\x89PNG\r\n\x1a\n"));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_PNG);
}

static void
test_tails(void **unused)
{
    uint8_t head[FILETYPE_HEAD] = {0};
    uint8_t tail[FILETYPE_TAIL] = "conectix";
    struct span h = span_of(head, sizeof(head));
    struct span t = span_of(tail, sizeof(tail));
    bool undecided;

    (void)unused;
    assert_int_equal(detect(h, t, 5000, NULL), FILETYPE_VHD);
    assert_int_equal(detect(h, SPAN_NONE, 5000, &undecided), FILETYPE_UNKNOWN);
    assert_true(undecided);
    put(tail, SPAN_LIT("koly\0\0\0\4"));
    assert_int_equal(detect(h, t, 5000, NULL), FILETYPE_DMG);
    assert_int_equal(detect(span_of("BZh91AY&SY", 10), t, 5000, NULL),
                     FILETYPE_DMG);
    assert_int_equal(detect(h, span_head(t, 511), 5000, NULL),
                     FILETYPE_UNKNOWN);
    memset(tail, 0, sizeof(tail));
    assert_int_equal(detect(h, t, 5000, &undecided), FILETYPE_UNKNOWN);
    assert_false(undecided); /* too small for a CD */
    assert_int_equal(detect(h, t, 0x9000, &undecided), FILETYPE_UNKNOWN);
    assert_true(undecided);
    assert_int_equal(detect(h, t, UINT64_MAX, &undecided), FILETYPE_UNKNOWN);
    assert_true(undecided);
}

static void
test_disks_and_tar(void **unused)
{
    uint8_t in[FILETYPE_HEAD] = {0};
    struct span all = span_of(in, sizeof(in));
    unsigned sum = 0;

    (void)unused;
    put(in + 510, SPAN_LIT("\x55\xaa"));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_UNKNOWN);
    put(in + 54, SPAN_LIT("FAT12   "));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_DISK);
    memset(in + 54, 0, 8);
    put(in + 446, SPAN_LIT("\x80\0\0\0\x0c"));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_DISK);
    in[446] = 1;
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_UNKNOWN);

    memset(in, 0, sizeof(in));
    put(in, SPAN_LIT("name"));
    put(in + 257, SPAN_LIT("ustar"));
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_TAR);
    memset(in + 257, 0, 5);
    memset(in + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += in[i];
    (void)snprintf((char *)in + 148, 8, "%06o", sum);
    in[155] = ' ';
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_TAR);
    in[0] = 'm';
    assert_int_equal(detect(all, SPAN_NONE, all.n, NULL), FILETYPE_UNKNOWN);
}

static void
test_nothing_seen(void **unused)
{
    bool undecided;

    (void)unused;
    assert_int_equal(detect(SPAN_NONE, SPAN_NONE, 100, &undecided),
                     FILETYPE_UNKNOWN);
    assert_true(undecided);
    assert_int_equal(detect(SPAN_LIT("Hello"), SPAN_NONE, 1U << 20, &undecided),
                     FILETYPE_TEXT);
    assert_false(undecided);
}

/* ---- tables ---- */

static void
test_tables(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < FILETYPE_COUNT; i++) {
        enum filetype t = (enum filetype)i;
        struct span name = span_str(filetype_name(t));

        assert_int_equal(filetype_find(name), t);
        assert_true(strlen(filetype_magic(t)) > 0);
        if (t != FILETYPE_EMPTY)
            assert_int_equal(filetype_of_mime(span_str(filetype_mime(t))), t);
        assert_true(filetype_compatible(t, t));
        assert_true(filetype_compatible(FILETYPE_UNKNOWN, t));
        assert_true(filetype_compatible(t, FILETYPE_UNKNOWN));
    }
    assert_int_equal(filetype_find(SPAN_LIT("nothing")), FILETYPE_COUNT);
}

static void
test_mimes(void **unused)
{
    static const struct {
        const char *in;
        enum filetype want;
    } mimes[] = {
        {"application/octet-stream",     FILETYPE_UNKNOWN},
        {"",                             FILETYPE_UNKNOWN},
        {"application/PDF",              FILETYPE_PDF    },
        {"application/pdf; name=x",      FILETYPE_PDF    },
        {"image/jpg",                    FILETYPE_JPEG   },
        {"application/x-zip-compressed", FILETYPE_ZIP    },
        {"text/x-unheard-of",            FILETYPE_TEXT   },
        {"application/x-unheard-of",     FILETYPE_UNKNOWN},
        {"application/x-unheard-of+xml", FILETYPE_XML    },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(mimes); i++)
        if (filetype_of_mime(span_str(mimes[i].in)) != mimes[i].want)
            fail_msg("%s", mimes[i].in);
}

static void
test_compatible(void **unused)
{
    static const struct {
        enum filetype claimed, real;
        bool want;
    } pairs[] = {
        {T(OOXML),   T(ZIP),     true },
        {T(ZIP),     T(OOXML),   true },
        {T(OOXML),   T(OLE2),    true },
        {T(JPEG),    T(PNG),     true },
        {T(TEXT),    T(HTML),    true },
        {T(HTML),    T(TEXT),    true },
        {T(TEXT),    T(SHEBANG), true },
        {T(OLE2),    T(TEXT),    true },
        {T(OLE2),    T(HTML),    true },
        {T(XML),     T(SVG),     true },
        {T(PDF),     T(PE),      false},
        {T(TEXT),    T(PE),      false},
        {T(ZIP),     T(RAR),     false},
        {T(ZIP),     T(JAR),     true },
        {T(OOXML),   T(JAR),     false},
        {T(PDF),     T(ZIP),     false},
        {T(JPEG),    T(HTML),    false},
        {T(TEXT),    T(HTA),     false},
        {T(TEXT),    T(LNK),     false},
        {T(PDF),     T(HTML),    false},
        {T(ISO9660), T(UDF),     true },
        {T(TEXT),    T(EML),     true },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (filetype_compatible(pairs[i].claimed, pairs[i].real) !=
            pairs[i].want)
            fail_msg("%s called %s", filetype_name(pairs[i].real),
                     filetype_name(pairs[i].claimed));
}

/* ---- files that others made ---- */

static const struct {
    const char *end;
    enum filetype want, or ;
} endings[] = {
    {".rar",  T(RAR),      T(RAR5)    },
    {".7z",   T(SEVENZIP), T(SEVENZIP)},
    {".arj",  T(ARJ),      T(ARJ)     },
    {".cpio", T(CPIO),     T(CPIO)    },
    {".cab",  T(CAB),      T(CAB)     },
    {".chm",  T(CHM),      T(CHM)     },
    {".rtf",  T(RTF),      T(RTF)     },
    {".one",  T(ONENOTE),  T(ONENOTE) },
    {".gz",   T(GZIP),     T(GZIP)    },
    {".tnef", T(TNEF),     T(TNEF)    },
    {".zip",  T(ZIP),      T(OOXML)   },
    {".slk",  T(SLK),      T(SLK)     },
    {".docx", T(OOXML),    T(OLE2)    },
    {".xlsx", T(OOXML),    T(OLE2)    },
    {".doc",  T(OLE2),     T(RTF)     },
    {".xls",  T(OLE2),     T(OLE2)    },
    {".ppt",  T(OLE2),     T(OLE2)    },
    {".ods",  T(ODF),      T(ODF)     },
};

static void
check_file(const char *name)
{
    static uint8_t bytes[65536];
    char path[512];
    struct span s = span_str(name);
    enum filetype t;
    size_t n;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", ATTACHMENTS, name);
    f = fopen(path, "rb");
    if (f == NULL)
        return;
    n = fread(bytes, 1, sizeof(bytes), f);
    (void)fclose(f);
    t = detect(span_of(bytes, n), SPAN_NONE, n, NULL);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        struct span end = span_str(endings[i].end);

        if (s.n < end.n || !span_eq(span_tail(s, s.n - end.n), end))
            continue;
        if (t != endings[i].want && t != endings[i].or)
            fail_msg("%s: %s", name, filetype_name(t));
    }
    if (!filetype_compatible(filetype_of_extension(filename_extension(s)), t))
        fail_msg("%s is %s", name, filetype_name(t));
}

static void
test_attachments(void **unused)
{
    DIR *d = opendir(ATTACHMENTS);
    struct dirent *e;

    (void)unused;
    if (d == NULL) {
        print_message("skipped: no %s\n", ATTACHMENTS);
        skip();
        return;
    }
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            check_file(e->d_name);
    (void)closedir(d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_pe),
        cmocka_unit_test(test_iso),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_disks_and_tar),
        cmocka_unit_test(test_nothing_seen),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_mimes),
        cmocka_unit_test(test_compatible),
        cmocka_unit_test(test_attachments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
