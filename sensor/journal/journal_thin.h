#ifndef SPAN25_JOURNAL_THIN_H
#define SPAN25_JOURNAL_THIN_H
/* journal_thin - takes kinds of lines out of a closed segment
 *
 * Of a compressed segment a new one is written beside, in which each run of
 * lines of the kinds to cut is one line that stands for them (journal_line.h);
 * it is synced, read back whole, and put in the old one's place. Before its
 * lines stands a frame that zstd passes over,
 *
 *     le32 184D2A55  le32 8  "s25k"  le32 kinds
 *
 * with a bit for each kind of keep.h that was cut. A segment with damage is
 * left as it is: what became of it must stay to be seen. */
#include "sensor/event/keep.h"
#include "sensor/journal/journal_io.h"

struct journal_thinned {
    uint64_t lines[KEEP_KINDS]; /* that were of the kinds to cut */
    uint64_t before, after;     /* bytes of the file */
};

/* Kinds that were cut from it, a bit each; 0: none, or no such file. */
unsigned journal_thin_kinds(int dir, uint64_t number);

/* ERR_CORRUPT: it is damaged. Writes out on success only. *why is static. */
MUST_USE enum err journal_thin(int dir, uint64_t number, unsigned kinds,
                               const struct journal_io *io,
                               struct journal_thinned *out, const char **why);

/* Counts lines of these kinds, and cuts nothing; as far as it can be read. */
void journal_thin_count(int dir, uint64_t number, unsigned kinds,
                        uint64_t lines[KEEP_KINDS]);

#endif
