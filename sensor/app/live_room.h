#ifndef SPAN25_APP_LIVE_ROOM_H
#define SPAN25_APP_LIVE_ROOM_H
/* live_room - what is still journaled when the disk of the state fills
 *
 * The mark is journal.high_water, or journal.high_water_percent of the disk,
 * whichever is more. Below it, step by step, less is journaled, so that what is
 * worth most has room the longest:
 *
 *     step            free is below    no longer journaled
 *     plenty
 *     statistics      the mark         stats, host, dns
 *     transactions    half of it       and mail, sessions, parts, oddities
 *     reserve         an eighth        the same; the reserve is given back
 *
 * The reserve is a file DIR/reserve of 1/32 of the mark, at most
 * LIVE_ROOM_RESERVE_MOST, whose room is taken while there is plenty and given
 * back to alerts and decisions at the last step, when others have filled the
 * disk. A step is left when free is a quarter above where it begins. */
#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/attr.h"
#include "sensor/base/err.h"

#define LIVE_ROOM_RESERVE_MOST (64U << 20)
#define LIVE_ROOM_FILE         "reserve"

/* X(id, word, the mark is divided by, kinds of keep.h not journaled) */
#define LIVE_ROOM_MAP(X)                                                       \
    X(PLENTY, "plenty", 0, 0)                                                  \
    X(STATISTICS, "statistics", 1, 1U << KEEP_STATISTICS)                      \
    X(TRANSACTIONS, "transactions", 2,                                         \
      1U << KEEP_STATISTICS | 1U << KEEP_TRANSACTIONS)                         \
    X(RESERVE, "reserve", 8, 1U << KEEP_STATISTICS | 1U << KEEP_TRANSACTIONS)

enum live_room_step {
#define LIVE_ROOM_ENUM(id, word, part, kinds) LIVE_ROOM_##id,
    LIVE_ROOM_MAP(LIVE_ROOM_ENUM)
#undef LIVE_ROOM_ENUM
        LIVE_ROOM_STEPS
};

struct live_room_limits {
    uint64_t bytes;
    unsigned percent;
};

/* ---- pure ---- */

const char *live_room_word(enum live_room_step s);
/* A bit for each kind of keep.h. */
unsigned live_room_kinds(enum live_room_step s);
uint64_t live_room_mark(const struct live_room_limits *l, uint64_t size);
/* From the step before and what is free now. */
enum live_room_step live_room_step(uint64_t mark, uint64_t free,
                                   enum live_room_step before);

/* ---- of a disk ---- */

struct live_room {
    struct live_room_limits limits;
    int dir; /* of the state, borrowed */
    enum live_room_step step;
    uint64_t free, mark;
    uint64_t reserve; /* bytes of the file that are known to be there */
};

/* Looks again; true when the step is another one. Makes the reserve when there
 * is plenty, gives it back at the last step. */
bool live_room_look(struct live_room *r);

#endif
