#ifndef SPAN25_DISSECTORS_CONTENT_BIFF_H
#define SPAN25_DISSECTORS_CONTENT_BIFF_H
/* biff - records of Excel workbooks: [MS-XLS] 2.1.4 (BIFF 2 to 8), and
 * [MS-XLSB] 2.1.4 (BIFF12, the binary parts of .xlsb)
 *
 * Found: Excel 4.0 macro sheets (BoundSheet8 dt 1, BOF of a macro sheet), also
 * hidden; DDE and OLE links (SupBook, ExternSheet); encryption (FilePass), and
 * whether its password is the one that Excel tries by itself (XOR and RC4,
 * [MS-OFFCRYPTO] 2.3.6 and 2.3.7). Behind a FilePass only BOF is readable. One
 * pass; a record that is cut ends it. */
#include "dissectors/finding.h"

/* A workbook stream without a compound file around it? */
bool biff_is(struct span bytes);

void biff_read(struct span stream, struct findings *out);
void biff12_read(struct span part, struct findings *out);

#endif
