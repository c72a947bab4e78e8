#ifndef SPAN25_DISSECTORS_PASSWORD_H
#define SPAN25_DISSECTORS_PASSWORD_H
/* password - does the text of a mail give a password?
 *
 * For mails with a locked archive: a password beside it keeps out the scanner,
 * not the reader (DETECTION 1.8, 3.2). True where one of the words of
 * password.def has something near it that looks like a value: behind : or =, a
 * dash or "is" in some languages, in quotes, or directly behind it with a digit
 * in it. "The password follows by telephone" gives none. Dates and links are no
 * values. Text or HTML, of any charset whose letters are in the table (not
 * UTF-16); tags, character references and invisible characters do not hide it.
 *
 * The answer is all that is kept: what was read is wiped. Takes time
 * proportional to the text; for texts of a few kilobytes, of which it makes a
 * copy. Without memory the answer is no. A judgement by words: a password in a
 * picture or told in a way of its own is missed. Pure. */
#include "sensor/base/span.h"

bool password_given(struct span text, bool html);

#endif
