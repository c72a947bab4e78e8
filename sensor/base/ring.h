#ifndef SPAN25_BASE_RING_H
#define SPAN25_BASE_RING_H
/* ring - one writer, one reader, variable-length messages, shared memory
 *
 * The ring lives in one MAP_SHARED block, so writer and reader may be two
 * threads or two processes (fork after ring_new). A message is a 4-byte length
 * and its bytes, padded to 8; it never wraps: a skip mark fills the end.
 * The reader trusts nothing in the block: a length that does not fit ends the
 * ring with corrupt set. A writer that was taken over may still change a
 * message while it is read: copy it first where that matters, then check the
 * copy. Waiting is by futex on a bell that several rings may share, so one
 * reader waits for many writers. */
#include <stdatomic.h>

#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/base/span.h"

/* One word, so that no ring can take the mark away and leave the number that
 * the reader is about to sleep on. */
struct ring_bell {
    _Atomic uint32_t rung; /* counts rings by two; odd: the reader sleeps */
};

struct ring_shared; /* head, tail and bytes, in the mapping */

struct ring {
    struct ring_shared *shared;
    struct ring_bell *bell;
    size_t size;      /* bytes of the data area, a power of two */
    uint64_t head;    /* writer's copy */
    uint64_t tail;    /* reader's copy */
    uint64_t limit;   /* writer: head may grow to here without a look */
    uint64_t rung;    /* writer: head when it rang last */
    uint64_t quiet;   /* writer: rings once so many bytes are behind that */
    uint64_t pending; /* reader: bytes of the message last peeked */
    bool corrupt;
};

/* A bell in shared memory; freed by ring_bell_free. */
MUST_USE enum err ring_bell_new(struct ring_bell **out);
void ring_bell_free(struct ring_bell *b);

/* size is rounded up to a power of two, at least 64 KiB. */
MUST_USE enum err ring_new(size_t size, struct ring_bell *bell,
                           struct ring *out);
void ring_free(struct ring *r);

/* Longest message that ring_put takes: a quarter of the ring. */
size_t ring_message_max(const struct ring *r);

/* False when there is no room now, or the message is longer than the max. */
bool ring_put(struct ring *r, struct span message);
/* Waits until the reader has made room, then puts. For capture files, where
 * the packets wait for us. */
void ring_put_wait(struct ring *r, struct span message);
/* The writer: from now on the bell rings for a sixteenth of the ring at a time,
 * and before the writer waits or closes, not for each message. Who has a reader
 * that cares how late a message comes calls ring_flush. */
void ring_be_quiet(struct ring *r);
void ring_flush(struct ring *r);
/* After the last message. */
void ring_close(struct ring *r);

/* A process that takes the place of one that ended, at any instruction, goes on
 * where the shared words stand: a message that was being written was never
 * there, one that was being read is read again. r is the ring as ring_new made
 * it. The writer opens again what was closed in the name of the dead. No two
 * writers, or readers, at a time. ERR_CORRUPT: the words do not fit each other;
 * the ring is of no use any more. */
MUST_USE enum err ring_attach_writer(struct ring *r);
MUST_USE enum err ring_attach_reader(struct ring *r);

/* The next message, borrowed until ring_next; false when none is there now. */
bool ring_peek(struct ring *r, struct span *message);
void ring_next(struct ring *r);
/* Writer closed (or corrupt) and all messages read. */
bool ring_ended(struct ring *r);

/* The reader's side of the bell: look = ring_bell_look; if no ring has a
 * message, ring_bell_wait(look) sleeps until someone rings after the look. The
 * order is look, read all, ask ring_ended, wait: an end that came while the
 * last messages were read has rung already. */
uint32_t ring_bell_look(struct ring_bell *b);
void ring_bell_wait(struct ring_bell *b, uint32_t look);

#endif
