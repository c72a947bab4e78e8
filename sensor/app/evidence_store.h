#ifndef SPAN25_APP_EVIDENCE_STORE_H
#define SPAN25_APP_EVIDENCE_STORE_H
/* evidence_store - evidence objects of decisions, as files of a state
 *
 * STATE/evidence/decisions/HASH.json, 0600: written beside, synced, renamed,
 * and the folder synced, so that it is there whole or not at all, and before
 * the decision that names it is journaled. HASH is the SHA-256 of the file. One
 * that is there already is left as it is. */
#include <dirent.h>

#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define EVIDENCE_STORE_FOLDER "evidence/decisions"

/* hash: hexadecimal digits. ERR_IO: it is not kept. */
MUST_USE enum err evidence_store_put(const char *state, const char *hash,
                                     struct span object);

/* Removes what was written before a time, UTC: objects, and what a crash left
 * beside them. A call looks at EVIDENCE_SWEEP names at most; *at is NULL before
 * the first one, and again when all were looked at; else the next call goes on
 * there, or closedir ends it. Gives the number of files removed. */
#define EVIDENCE_SWEEP 256U
uint64_t evidence_store_sweep(const char *state, DIR **at, ns_t before);

#endif
