#ifndef SPAN25_APP_STUDY_SHEET_READ_H
#define SPAN25_APP_STUDY_SHEET_READ_H
/* study_sheet_read - the key, and the sheets that people filled
 *
 * CSV as study_sheet.h writes it, and as spreadsheets write it again: other
 * separators, quotes, more columns, rows in another order. Of the key number,
 * host, stratum, class, weight and nth are read, of a sheet number and verdict.
 * A verdict is a word of STUDY_MAILS, in any case of letters, or empty: not
 * judged. Faults are told by line: a number that is not in the key, one that is
 * there twice, a word that is none, a host in two strata. */
#include "rules/study/review_score.h"
#include "sensor/base/buf.h"

#define STUDY_SHEET_READ_MAX (512U << 20) /* bytes of a file */
#define STUDY_SHEET_ROWS     655360U /* REVIEW_HOSTS, REVIEW_MESSAGES of each */

struct study_sheets {
    struct review_row *rows; /* n of them, by host; of a host by nth */
    size_t n;
    struct addr *hosts; /* of each host number */
    size_t n_hosts;
    size_t *of_number; /* row of each number, from 1; as many as rows */
};

/* ERR_CONFIG: the content, told; others as they come, told too. Then *out is
 * empty. */
MUST_USE enum err study_sheets_key(const char *file, struct study_sheets *out,
                                   struct buf *messages);
/* What reviewer number `rater` (from 0) said, into the rows. */
MUST_USE enum err study_sheets_said(const char *file, unsigned rater,
                                    struct study_sheets *s,
                                    struct buf *messages);
/* The same of texts. */
MUST_USE enum err study_sheets_key_text(struct span text, const char *name,
                                        struct study_sheets *out,
                                        struct buf *messages);
MUST_USE enum err study_sheets_said_text(struct span text, const char *name,
                                         unsigned rater, struct study_sheets *s,
                                         struct buf *messages);
void study_sheets_free(struct study_sheets *s);

#endif
