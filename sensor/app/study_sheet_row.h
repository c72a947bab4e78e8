#ifndef SPAN25_APP_STUDY_SHEET_ROW_H
#define SPAN25_APP_STUDY_SHEET_ROW_H
/* study_sheet_row - a message as a reviewer is shown it
 *
 * What a person needs to judge it, and nothing of what this program thinks of
 * it: no score, no class of a file, no verdict. Nor whose it is, as far as that
 * can be left out: no address of a host, no name in HELO (its kind alone), no
 * date (the day of the week and the time, UTC). Senders and subject may still
 * tell; without them nobody can judge.
 *
 *   columns  of STUDY_SHEET_COLUMNS, CSV as csv_put writes it: no cell is a
 *            formula. Text is escaped as for a terminal, and cut. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/record.h"

/* X(key): what of a message is on a sheet. */
#define STUDY_SHEET_COLUMNS(X)                                                 \
    X("seen")                                                                  \
    X("weekday")                                                               \
    X("time")                                                                  \
    X("bytes")                                                                 \
    X("from")                                                                  \
    X("header_from")                                                           \
    X("subject")                                                               \
    X("helo")                                                                  \
    X("recipients")                                                            \
    X("refused")                                                               \
    X("replies")                                                               \
    X("links")                                                                 \
    X("attachments")

#define STUDY_SHEET_ROW_MAX                                                    \
    16384U /* bytes; texts are cut, so it is never full */
#define STUDY_SHEET_TEXT     300U /* bytes of a subject or a sender */
#define STUDY_SHEET_ATTACHED 600U /* of all names of attachments */

/* Names and types of the parts of messages, which come before them. */
struct study_sheet_parts;
MUST_USE enum err study_sheet_parts_new(struct study_sheet_parts **out);
void study_sheet_parts_free(struct study_sheet_parts *p);
/* A fileinfo event. */
void study_sheet_parts_event(struct study_sheet_parts *p,
                             const struct record_map *m);

/* Of an smtp event, or of an smtp_session under TLS. Appends the cells, without
 * a line end. */
void study_sheet_row(const struct study_sheet_parts *p,
                     const struct record_map *m, struct buf *out);

#endif
