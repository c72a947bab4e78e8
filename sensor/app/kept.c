#include "sensor/app/kept.h"

#include "rules/registry/discovery.h"
#include "sensor/journal/journal_reader.h"

void
kept_init(struct kept *k)
{
    *k = (struct kept){.seen_next = 1};
    (void)pthread_mutex_init(&k->seen_lock, NULL);
    (void)pthread_mutex_init(&k->end_lock, NULL);
}

void
kept_fini(struct kept *k)
{
    discovery_free(k->seen);
    journal_reader_close(k->end);
    (void)pthread_mutex_destroy(&k->seen_lock);
    (void)pthread_mutex_destroy(&k->end_lock);
}
