#ifndef SPAN25_DISSECTORS_CONTENT_MAPI_H
#define SPAN25_DISSECTORS_CONTENT_MAPI_H
/* mapi - what .msg and TNEF have in common: [MS-OXPROPS] */
#include "dissectors/finding.h"

/* {00062008-0000-0000-C000-000000000046} */
#define MAPI_PSETID_COMMON                                                     \
    "\x08\x20\x06\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
#define MAPI_REMINDER_FILE_PARAMETER 0x851fU

/* FIND_REMINDER_UNC when the sound of a reminder lies on a share; value in
 * UTF-8. */
void mapi_judge_reminder(struct span value, struct findings *out);

#endif
