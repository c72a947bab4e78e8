#ifndef SPAN25_APP_KEPT_H
#define SPAN25_APP_KEPT_H
/* kept - what a program that calls verbs again and again keeps between them
 *
 * The command line has none: its verbs read the journal from where they need
 * it. Who serves a page cannot read millions of lines for each: with this a
 * verb reads only the lines that came since. What it says is the same. Threads
 * may share one; each part has a lock of its own. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/err.h"

struct discovery;
struct journal_reader;

struct kept {
    atomic_bool stop; /* reading is given up: the program ends */

    /* registry_seen: hosts that use mail ports, of all lines before next. Made
     * anew when lines were removed because of their age. */
    pthread_mutex_t seen_lock;
    struct discovery *seen; /* NULL: nothing is read yet */
    uint64_t seen_next;
    bool seen_damaged;

    /* desk: where the journal ends, and the last line that must be shown. */
    pthread_mutex_t end_lock;
    struct journal_reader *end; /* NULL: not opened */
    uint64_t end_at, end_last;
};

void kept_init(struct kept *k);
void kept_fini(struct kept *k);

#endif
