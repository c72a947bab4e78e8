#ifndef SPAN25_APP_WORKER_H
#define SPAN25_APP_WORKER_H
/* worker - packets of a capture to records in a ring
 *
 * One worker walks the whole capture and follows the connections of its own
 * shards. The same code runs in a thread or in a process: it shares nothing but
 * the ring and the progress words, which lie in shared memory.
 *
 * Its last records are a farewell to the core: one STATS record with its
 * counts, and from worker 0 a CONTROL record for each input ("input") and each
 * fault of one ("fault"). */
#include <signal.h>
#include <stdatomic.h>

#include "dissectors/content/hashlist.h"
#include "rules/registry/sites.h"
#include "sensor/app/deep.h"
#include "sensor/base/err.h"
#include "sensor/base/ring.h"
#include "sensor/event/record.h"

struct worker_progress {
    _Atomic uint64_t position; /* bytes of the capture */
    _Atomic uint64_t packets;
    _Atomic uint32_t failed; /* enum err */
};

struct worker_plan {
    const char *const *files;
    size_t n_files;
    const char *filter; /* BPF text or NULL */
    const uint16_t *ports;
    size_t n_ports;
    bool dns;                 /* answers are looked at */
    const struct sites *home; /* done; or NULL: nothing is at home */
    uint64_t memory_max;
    uint64_t content_max; /* 0: bodies are not looked at */
    uint32_t flows_max;
    bool body_digest;
    bool name_others; /* what is on a mail port and not mail gets a name */
    bool ask_ndpi;    /* about connections on other ports */
    bool locked;      /* workers lose their right to open files */
    bool carve_parts;
    uint64_t save_mail; /* bytes of the largest; 0: none */
    bool all_hashes;
    struct deep *deep;             /* a slot for each worker; or NULL */
    struct deep *clamd;            /* the same, who asks the daemon; or NULL */
    const struct hashlist *hashes; /* changes meanwhile; or NULL */
    bool keep_all;                 /* parts of every type are looked into */
    unsigned n_workers;
    const volatile sig_atomic_t *stop;
};

/* Returns when the capture is read, or plan->stop is not 0. */
void worker_run(const struct worker_plan *plan, unsigned worker,
                struct ring *ring, struct worker_progress *progress);

#endif
