#ifndef SPAN25_BASE_TEXT_H
#define SPAN25_BASE_TEXT_H
/* text - bytes of unknown origin made safe for one kind of reader each
 *
 * Every byte that came from the wire passes one of these before a person or a
 * program sees it. None allocates; all append to a buf. */
#include "sensor/base/buf.h"

/* Length of the valid UTF-8 sequence at the head of s (1..4), or 0: overlong
 * forms, surrogates and values past U+10FFFF are invalid (RFC 3629). */
size_t utf8_len(struct span s);
bool utf8_valid(struct span s);

/* Appends s as UTF-8; each byte that is not becomes U+FFFD.
 * Returns true when something was replaced. */
bool text_utf8(struct buf *out, struct span s);

/* For a terminal or a log line: printable UTF-8 passes; control bytes and
 * invalid bytes are \xNN, bidirectional and invisible format characters are
 * <U+202E>, a backslash is doubled. */
void text_term(struct buf *out, struct span s);

/* For a sentence in an event: control characters are a space, runs of spaces
 * one; invisible and bidirectional ones are left out, invalid bytes U+FFFD. At
 * most max bytes of s count, cut at a character and then with an ellipsis.
 * Still to be escaped by who prints it. */
void text_plain(struct buf *out, struct span s, size_t max);

/* For HTML text and quoted attributes; control characters are made visible. */
void text_html(struct buf *out, struct span s);

/* One CSV field, quoted when needed (RFC 4180); a field that a spreadsheet
 * would take as a formula (= + - @ tab CR) gets a leading apostrophe. */
void text_csv(struct buf *out, struct span s);

/* RFC 4648 section 4, with padding. */
void text_base64(struct buf *out, struct span s);
/* Reads what text_base64 writes and nothing else: no line ends, no missing
 * padding, no bits behind the end. On false, out has got the part before. */
MUST_USE bool text_unbase64(struct buf *out, struct span s);
void text_hex(struct buf *out, struct span s);

#endif
