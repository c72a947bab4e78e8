#ifndef SPAN25_SINKS_SINK_FILE_H
#define SPAN25_SINKS_SINK_FILE_H
/* sink_file - JSON Lines into a file, or "-" for standard output
 *
 * Appends; the file is made with mode 0640. Lines are gathered in 256 KiB and
 * written with one call; tick writes what is there. A line is in a regular
 * file whole or not at all: when a write fails in the middle of one, the file
 * is cut back to the line before, and a reopen writes it again. reopen opens
 * the path anew (after a rotation, say) and leaves standard output as it is.
 * A part that somebody who was killed left at the end is ended as a line of its
 * own by the next open. A pipe's reader that is slow, or not there yet, is
 * waited for; not with a callback for what settles, for that one has others to
 * serve: there a pipe without a reader cannot be opened, and a full one is
 * BUSY. Nothing is synced: the journal is what keeps events. */
#include "sensor/sinks/sink.h"

#define SINK_FILE_BUFFER (256U << 10)

extern const struct sink_ops sink_file;

#endif
