#ifndef SPAN25_DISSECTORS_JA4_H
#define SPAN25_DISSECTORS_JA4_H
/* ja4 - the JA4 fingerprint of a TLS client (FoxIO, technical_details/JA4.md)
 *
 *     t13d1516h2_8daaf6152771_e5627efa2ab1
 *     |||| | |   |            of the extensions, sorted, without server name
 *     |||| | |   |            and ALPN, and of the signature algorithms, as
 * sent
 *     |||| | |   of the cipher suites, sorted
 *     |||| | first and last character of the first ALPN value; 00: none
 *     |||| number of extensions; before it that of cipher suites; 99 at most
 *     |||d: there is a server name; i: there is none
 *     |the highest version offered
 *     t: TLS over TCP
 *
 * Both digests are the first 12 hexadecimal digits of SHA-256, zeros for an
 * empty list. Values of RFC 8701 (GREASE) are passed over everywhere. An ALPN
 * value whose ends are not letters or digits is told by its hexadecimal ends.
 *
 * A hello that is cut, whose lengths do not hold together, or that has a list
 * of more than JA4_LIST_MAX values has no fingerprint: a wrong one would be
 * worse. Only JA4 of clients is free (BSD-3); JA4S and JA4X are not. */
#include "sensor/base/attr.h"
#include "sensor/base/span.h"

#define JA4_LEN      36
#define JA4_LIST_MAX 512

/* body: of the ClientHello, RFC 8446 4.1.2, without the handshake header. out
 * gets JA4_LEN characters and a NUL, on success only. */
MUST_USE bool ja4_client(struct span body, char out[JA4_LEN + 1]);

#endif
