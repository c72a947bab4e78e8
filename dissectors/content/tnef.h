#ifndef SPAN25_DISSECTORS_CONTENT_TNEF_H
#define SPAN25_DISSECTORS_CONTENT_TNEF_H
/* tnef - winmail.dat of Outlook and Exchange: [MS-OXTNEF]
 *
 * A list of attributes; attachments are handed on with the best of their names
 * (PR_ATTACH_LONG_FILENAME, PR_DISPLAY_NAME, attAttachTitle). Messages within
 * (PR_ATTACH_DATA_OBJ) are handed on as TNEF. PidLidReminderFileParameter is
 * read as in msg. Checksums are not checked: clients do not. One pass; a
 * length that leads past the end ends it (FIND_MALFORMED), what is there of
 * the attachment is handed on. */
#include "dissectors/content/content.h"

extern const struct inspector tnef_inspector;

#endif
