#ifndef SPAN25_APP_LIVE_RECORDER_H
#define SPAN25_APP_LIVE_RECORDER_H
/* live_recorder - the packets of the mail ports, in a ring on disk
 *
 * A process of its own with sockets of its own: a slow disk costs packets of
 * the ring (counted on the board), never packets of the workers. The filter is
 * that of one worker that takes the mail ports alone, without DNS. Files are in
 * DIR/evidence, see capture/recorder.h; the folder is opened before the process
 * gives up its rights. It looks at headers only, for the index.
 *
 * On the board: recorder_packets and recorder_dropped go on from what stands
 * there; the log tells when it stops for want of room, and when it goes on. */
#include "sensor/app/live.h"

/* Until the sensor is stopped. */
MUST_USE enum err live_recorder_run(struct live *l);

#endif
