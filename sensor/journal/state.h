#ifndef SPAN25_JOURNAL_STATE_H
#define SPAN25_JOURNAL_STATE_H
/* state - the state directory: whose it is, and its folders
 *
 * DIR (0700) holds a file "state" of two lines, "span25 state 1" and
 * "kind: read" or "kind: live", and the folders journal, snapshots, evidence.
 * A directory that is neither empty nor ours is refused, as is one of the other
 * kind: a capture read by hand must not end up in a live sensor's journal. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define STATE_KIND_MAP(X)                                                      \
    X(READ, "read", "this is the state of captures read by hand")              \
    X(LIVE, "live", "this is a live sensor's state")

enum state_kind {
#define STATE_ENUM(id, name, refusal) STATE_##id,
    STATE_KIND_MAP(STATE_ENUM)
#undef STATE_ENUM
};

/* Makes what is missing; the directory above DIR must exist. On failure the
 * message is one line that names DIR: USAGE (other kind), EXISTS (not ours),
 * FORMAT (another version's), else what the system says. */
MUST_USE enum err state_open(const char *dir, enum state_kind kind,
                             struct buf *message);

#endif
