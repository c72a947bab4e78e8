#ifndef SPAN25_DISSECTORS_TLS_CERT_H
#define SPAN25_DISSECTORS_TLS_CERT_H
/* tls_cert - what a server's certificate says (RFC 5280), for the tls event
 *
 * Only TLS 1.2 and older show it: RFC 8446 encrypts it. Nothing is verified: a
 * sensor tells who a server says it is. Names are printed as Suricata does,
 * "C=US, O=Example, CN=mx.example.net", as UTF-8, cut at TLS_CERT_NAME_MAX. */
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/span.h"

#define TLS_CERT_NAME_MAX   256
#define TLS_CERT_SERIAL_MAX 20 /* octets, RFC 5280 4.1.2.2 */

/* message: body of a Certificate message of TLS 1.2 (RFC 5246 7.4.2), of which
 * only the first certificate must be there. Appends the entries tls.subject to
 * tls.notafter to out, coded (record_entries); false: it cannot be read, and
 * nothing was appended. */
MUST_USE bool tls_cert_read(struct span message, struct buf *out);

#endif
