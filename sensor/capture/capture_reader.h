#ifndef SPAN25_CAPTURE_CAPTURE_READER_H
#define SPAN25_CAPTURE_CAPTURE_READER_H
/* capture_reader - the packets of one file, whatever its format
 *
 * Internal to sensor/capture. */
#include "sensor/capture/capture_file.h"

/* With src open: tells the format and reads a pcap's header. ERR_FORMAT, with
 * a line in message, when it is no capture; damage is a fault, not an error. */
MUST_USE enum err capture_reader_open(struct capture_file *f,
                                      struct buf *message);

/* The next packet that passes the filter, counted; false: no more, ever. The
 * file's buffers have been given back then. */
bool capture_reader_next(struct capture_file *f, struct packet *out);

/* Reads the first packet into head, then gives a compressed file's buffers
 * back until capture_reader_unpark; false as above. */
bool capture_reader_park(struct capture_file *f);

/* Reads the first packet again, so that head.data is good. False: it cannot
 * be read now (memory is out), and the file has ended. */
bool capture_reader_unpark(struct capture_file *f);

#endif
