#ifndef SPAN25_DISSECTORS_CONTENT_MSG_H
#define SPAN25_DISSECTORS_CONTENT_MSG_H
/* msg - Outlook messages in a compound file: [MS-OXMSG]
 *
 * Attachments are handed on, also those of messages within; the reminder's
 * sound file (PidLidReminderFileParameter) is found through the table of named
 * properties (2.2.3), and a share in it is FIND_REMINDER_UNC. The message's
 * text is left alone: mail clients send it again beside the file. */
#include "dissectors/content/content.h"
#include "dissectors/content/ole2.h"

bool msg_is(const struct ole2 *o);
void msg_read(struct inspection *i, const struct content_item *item,
              struct ole2 *o);

#endif
