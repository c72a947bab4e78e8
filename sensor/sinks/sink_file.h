#ifndef SPAN25_SINKS_SINK_FILE_H
#define SPAN25_SINKS_SINK_FILE_H
/* sink_file - JSON Lines into a file, or "-" for standard output
 *
 * Appends; the file is made with mode 0640. Lines are gathered in 256 KiB and
 * written with one call; tick writes what is there. A line is in a regular
 * file whole or not at all: when a write fails in the middle of one, the file
 * is cut back to the line before, and a reopen writes it again. reopen opens
 * the path anew (after a rotation, say) and leaves standard output as it is.
 * A pipe's reader that is slow is waited for. Nothing is synced: the journal is
 * what keeps events. */
#include "sensor/sinks/sink.h"

#define SINK_FILE_BUFFER (256U << 10)

extern const struct sink_ops sink_file;

#endif
