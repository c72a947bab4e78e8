#ifndef SPAN25_DISSECTORS_FILETYPE_H
#define SPAN25_DISSECTORS_FILETYPE_H
/* filetype - what a file is by its bytes, by its name, by its declared type
 *
 * Signatures: filetype_magic.c and filetype_text.c, from DETECTION 3.2.
 * Detection needs the head, for some formats (ISO 9660 at 0x8001, VHD and DMG
 * at the end, a PE header far in) more: with less it says what it can and
 * *undecided is set. Text formats (HTML, SVG, scripts, .url) are told by what
 * the first bytes say, at most 16 KiB of them. A script in plain text is named
 * cautiously: most text that looks a little like one is TEXT.
 *
 * Containers are told as far as the head goes: an Office document is OOXML when
 * an entry in the head says so, else ZIP; MSI and MSG are OLE2 here, as only
 * their directory tells. */
#include "sensor/base/span.h"

#define FILETYPE_HEAD 1024
#define FILETYPE_TAIL 512

enum filetype {
#define X(id, name, mime, group, doc) FILETYPE_##id,
#include "dissectors/filetype.def"
#undef X
    FILETYPE_COUNT
};

/* What a type is for those who judge it. */
enum filetype_group {
    FILETYPE_GROUP_OTHER,
    FILETYPE_GROUP_TEXT,
    FILETYPE_GROUP_MEDIA,    /* pictures, sound, film, fonts */
    FILETYPE_GROUP_DOCUMENT, /* office documents, PDF, RTF */
    FILETYPE_GROUP_ARCHIVE,
    FILETYPE_GROUP_IMAGE,   /* of disks */
    FILETYPE_GROUP_PROGRAM, /* machine code, byte code, their packages */
    FILETYPE_GROUP_SCRIPT,
    FILETYPE_GROUP_LINK,   /* shortcuts, library files */
    FILETYPE_GROUP_MARKUP, /* html, svg, xml */
    FILETYPE_GROUP_MAIL,
};

/* head: the first bytes, at least FILETYPE_HEAD when there are so many (more
 * is better); tail: the last FILETYPE_TAIL bytes, or empty when not known;
 * size: of the whole, or UINT64_MAX. undecided may be NULL. */
enum filetype filetype_detect(struct span head, struct span tail, uint64_t size,
                              bool *undecided);

const char *filetype_name(enum filetype t);  /* "pe", "zip": stable words */
const char *filetype_mime(enum filetype t);  /* "application/zip" */
const char *filetype_magic(enum filetype t); /* for people: "PDF" */
enum filetype_group filetype_group_of(enum filetype t);

/* FILETYPE_COUNT when there is none of that name. */
enum filetype filetype_find(struct span name);

/* By the declared type ("application/pdf", any case), FILETYPE_UNKNOWN when it
 * says nothing (application/octet-stream) or is not known. */
enum filetype filetype_of_mime(struct span mime);
/* By the extension without its dot, any case. */
enum filetype filetype_of_extension(struct span extension);

/* ZIP underneath: ZIP, OOXML, ODF, EPUB, JAR, APK. */
bool filetype_is_zip(enum filetype t);
/* Runs when it is opened: programs, shortcuts, HTA, CHM, encoded scripts; not
 * scripts in plain text, which need a name to run. */
bool filetype_is_executable(enum filetype t);
/* Bytes that a text editor shows. */
bool filetype_is_textual(enum filetype t);

/* May a file that is `real` honestly be called `claimed`? (a .docx is a zip, a
 * .jpeg a jpg, a text anything textual) UNKNOWN is compatible with all. */
bool filetype_compatible(enum filetype claimed, enum filetype real);

#endif
