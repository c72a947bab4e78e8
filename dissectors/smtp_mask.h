#ifndef SPAN25_DISSECTORS_SMTP_MASK_H
#define SPAN25_DISSECTORS_SMTP_MASK_H
/* smtp_mask - which bytes of an SMTP connection may be shown to people
 *
 * For packets that are cut out as evidence. Not the dissector: that wants to
 * understand as much as possible, this shows as little as is safe. A byte is
 * shown when no reading that a server may have had makes it a credential, and,
 * with redact, none makes it part of a message's body. All else is masked:
 *
 *   - commands: those known, and the arguments of those that need them, up to
 *     the first control character; lines that are none of them not at all
 *   - AUTH: the verb and a mechanism that is known. What follows is masked
 * until a command that cannot be a response (base64), whatever the server says.
 *     In a message too: the server may have refused DATA or BDAT, and then
 * reads its lines as commands. Of MAIL all from AUTH= on is masked
 *   - messages: shown, but with redact the header fields of the message alone,
 *     up to the first line that is none; lines end at CR, LF or both, for
 *     whichever the server takes. Behind a lone dot that ends a message for
 * some servers only (smuggling) all is masked until the end that all agree on
 *   - TLS: handshake records, until the first of application data
 *   - a BDAT whose size cannot be read: nothing behind it
 *   - replies: codes, and texts; of 334 the code alone. With strict no text of
 *     a reply that may quote what the server took for a command
 *
 * A stream is what is known without a hole from its first byte on; what is
 * behind a hole cannot be told apart, and is not for these functions. Linear in
 * the bytes, no memory. */
#include "sensor/base/span.h"

/* Sets keep[i] to 1 where byte i may be shown, else to 0. True: the client said
 * AUTH, or may have. */
bool smtp_mask_client(struct span stream, bool redact, uint8_t *keep);
/* strict: redact was asked for, or the client may have said AUTH. */
void smtp_mask_server(struct span stream, bool strict, uint8_t *keep);

#endif
