#ifndef SPAN25_DISSECTORS_CHARSET_H
#define SPAN25_DISSECTORS_CHARSET_H
/* charset - text of mail in some charset, to UTF-8
 *
 * One struct charset per worker; it keeps a converter (iconv) for each charset
 * met: at most CHARSET_COUNT, about 34 KiB each and hardly touched. The names
 * understood are those of charset.def.
 *
 * glibc opens the tables of a converter when it is first used. A process that
 * will lose its right to open files calls charset_preload before.
 *
 * Known gaps: HZ-GB-2312, which glibc lacks; C1 control characters of
 * ISO-8859-1 are not read as windows-1252, though some mail clients do. */
#include <iconv.h>

#include "sensor/base/buf.h"

enum charset_id {
#define X(id, converter, names) CHARSET_##id,
#include "dissectors/charset.def"
#undef X
    CHARSET_COUNT
};

struct charset {
    iconv_t open[CHARSET_COUNT]; /* NULL: not asked for, or missing */
    bool missing[CHARSET_COUNT]; /* this system cannot read it */
};

enum charset_result {
    CHARSET_OK,
    CHARSET_REPLACED, /* bytes that are no character became U+FFFD */
    CHARSET_UNKNOWN,  /* the bytes were appended as they are */
};

void charset_init(struct charset *cs);
void charset_fini(struct charset *cs); /* NULL-safe */

/* Opens all converters now; gives the number that this system does not have
 * (their charsets are then unknown). */
size_t charset_preload(struct charset *cs);

/* Case, '-', '_' and spaces do not count. CHARSET_COUNT when unknown. */
enum charset_id charset_find(struct span name);

/* Appends in to out as UTF-8. Bytes said to be UTF-8 or US-ASCII are copied
 * unchanged, valid or not: who shows them checks them. */
enum charset_result charset_to_utf8(struct charset *cs, struct span name,
                                    struct span in, struct buf *out);

#endif
