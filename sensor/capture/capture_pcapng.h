#ifndef SPAN25_CAPTURE_CAPTURE_PCAPNG_H
#define SPAN25_CAPTURE_CAPTURE_PCAPNG_H
/* capture_pcapng - pcapng files (draft-ietf-opsawg-pcapng)
 *
 * Internal to sensor/capture. Each section has its own byte order and its own
 * interfaces. Blocks of other types are passed over. Section lengths are not
 * used, options other than if_name, if_tsresol and if_tsoffset neither. */
#include "sensor/capture/capture_file.h"

/* magic: the file's first four bytes. */
bool capture_pcapng_is(struct span magic);

/* False: the file has ended. */
bool capture_pcapng_next(struct capture_file *f, struct packet *out);

#endif
