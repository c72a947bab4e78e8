#ifndef SPAN25_DISSECTORS_FILENAME_H
#define SPAN25_DISSECTORS_FILENAME_H
/* filename - what a file's name says, and what it tries to hide
 *
 * Names are UTF-8 where possible, any bytes otherwise; directories before the
 * last slash or backslash are not looked at. Lists: extension.def, with the
 * list of each (Gmail's, Outlook's, ours). */
#include "dissectors/filetype.h"
#include "dissectors/finding.h"

/* The extension that Windows goes by: of the last component, without trailing
 * dots, spaces and control characters; empty when there is none. Borrowed. */
struct span filename_extension(struct span name);

/* A name that fits max bytes (at least 2 * FILENAME_END): as it is, or its
 * head, U+2026 and its end, for there is the extension; of what Windows drops
 * behind that only the first bytes. room has max bytes. */
#define FILENAME_END 256U
struct span filename_shorten(struct span name, size_t max, uint8_t *room);

enum extension_risk { EXTENSION_PLAIN, EXTENSION_RISKY, EXTENSION_FORBIDDEN };
enum extension_risk filename_risk(struct span extension);

/* Adds the findings of the name alone. */
void filename_judge(struct span name, struct findings *out);

/* Adds the findings of name, declared type and content together: forbidden and
 * disguised content, mismatch. declared may be empty. */
void filename_judge_type(struct span name, struct span declared,
                         enum filetype real, struct findings *out);

#endif
