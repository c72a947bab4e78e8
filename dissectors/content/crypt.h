#ifndef SPAN25_DISSECTORS_CONTENT_CRYPT_H
#define SPAN25_DISSECTORS_CONTENT_CRYPT_H
/* crypt - is a workbook encrypted with the password that Excel tries by itself?
 *
 * "VelvetSweatshop", [MS-OFFCRYPTO] 2.4.1 note: whoever uses it wants the file
 * to open without a question and scanners to see nothing. Checked against the
 * verifier of the file: XOR (2.3.7), RC4 (2.3.6), RC4 CryptoAPI (2.3.5). The
 * content is not decrypted. Constant cost. Not checked: encrypted packages of
 * OOXML, whose verifier costs 100,000 hashes. */
#include "sensor/base/err.h"
#include "sensor/base/span.h"

/* Opens the hash functions. */
enum err crypt_prepare(void);

/* The data of a FilePass record. */
bool crypt_xls_is_default(struct span file_pass, bool biff8);

#endif
