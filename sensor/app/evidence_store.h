#ifndef SPAN25_APP_EVIDENCE_STORE_H
#define SPAN25_APP_EVIDENCE_STORE_H
/* evidence_store - evidence objects of decisions, as files of a state
 *
 * STATE/evidence/decisions/HASH.json, 0600: written beside, synced, renamed,
 * and the folder synced, so that it is there whole or not at all, and before
 * the decision that names it is journaled. HASH is the SHA-256 of the file. One
 * that is there already is left as it is. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define EVIDENCE_STORE_FOLDER "evidence/decisions"

/* hash: hexadecimal digits. ERR_IO, ERR_NOSPACE and the like. */
MUST_USE enum err evidence_store_put(const char *state, const char *hash,
                                     struct span object);

#endif
