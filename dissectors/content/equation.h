#ifndef SPAN25_DISSECTORS_CONTENT_EQUATION_H
#define SPAN25_DISSECTORS_CONTENT_EQUATION_H
/* equation - formulas of Equation Editor 3: the stream "Equation Native", a
 * header of 28 bytes and MTEF 3 as Wiris (Design Science) describes it
 *
 * The editor copies a font's name of any length into a room of 36 bytes
 * (CVE-2017-11882) and 32 (CVE-2018-0802). Windows keeps font names under 32
 * bytes (LF_FACESIZE), so a name longer than EQUATION_NAME_MAX has no other
 * use. Looked at: the first EQUATION_RECORDS records, of the kinds that come
 * before any text. */
#include "sensor/base/span.h"

#define EQUATION_NAME_MAX 40
#define EQUATION_RECORDS  16

bool equation_is_exploit(struct span stream);

#endif
