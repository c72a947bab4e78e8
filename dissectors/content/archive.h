#ifndef SPAN25_DISSECTORS_CONTENT_ARCHIVE_H
#define SPAN25_DISSECTORS_CONTENT_ARCHIVE_H
/* archive - members of all archives but zip, through libarchive
 *
 * tar, cpio, ar, rpm, 7z, cab, ISO 9660, lha, RAR 4 and 5; and the compressed
 * streams gzip, bzip2, xz, lzma, lzip, zstd and lz4, which hold one
 * member: its name is that in the gzip header, or the stream's own without its
 * last extension. Also 7z and RAR behind a program, a picture, a PDF or a
 * shortcut.
 *
 * One format, and for a stream one filter, is switched on at a time, by the
 * type of the item: nothing bids, nothing runs a program, and a stream in a
 * stream is an item of its own that pays for itself. Every byte is read and
 * paid for, also of members that are not kept; reading ends with the budget.
 * Members of tar, cpio and ar are pieces of the archive and cost nothing.
 * Encrypted members are named, encrypted directories are a finding.
 *
 * An LHA archive may name a code page, for which the C library wants to open a
 * file: where that is forbidden the names stay as they are stored.
 *
 * Limits: of an ISO that has several trees (Joliet, Rock Ridge) the one that
 * libarchive prefers; only what is on this volume of several. Dictionaries of
 * xz and 7z may ask for more memory than is allowed to the process: a finding.
 * What lies before the first member of a CAB folder is unpacked unpaid; the
 * process's clock ends what takes too long. */
#include "dissectors/content/content.h"

/* The name of what is in a stream, by the stream's: without the path and ".gz",
 * ".tgz" becomes ".tar". Appended. */
void archive_stream_name(struct span of_stream, struct buf *out);

/* Notes what is unpacked to far more than it was. */
void archive_judge_ratio(struct inspection *i, const struct content_item *item,
                         uint64_t packed, uint64_t made);

extern const struct inspector archive_inspector;

#endif
