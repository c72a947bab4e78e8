#ifndef SPAN25_APP_EVIDENCE_RING_H
#define SPAN25_APP_EVIDENCE_RING_H
/* evidence_ring - finds packets of connections in the ring of a state
 *
 * Reads DIR/evidence (capture/evidence.h) while a recorder may write there:
 * segments whose index does not name a connection wanted are not read, one that
 * is deleted meanwhile is passed over, one that is torn is read up to there. */
#include "sensor/app/evidence_cut.h"

#define EVIDENCE_FOLDER "evidence"

struct evidence_held {
    size_t segments;
    size_t read; /* of them */
    ns_t oldest; /* packet; 0: not known */
};

/* ERR_IO, ERR_PERM, ERR_NOENT: the folder cannot be read. ERR_NOMEM. */
MUST_USE enum err evidence_ring_read(const char *state,
                                     const struct evidence_wanted *wanted,
                                     size_t n, struct evidence_cut *cut,
                                     struct evidence_held *held);

#endif
