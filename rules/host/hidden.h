#ifndef SPAN25_RULES_HOST_HIDDEN_H
#define SPAN25_RULES_HOST_HIDDEN_H
/* hidden - what sessions under TLS tell: S1T (DETECTION 1.9)
 *
 * The first session with an organisation counts as good when it carried a
 * message, at once; when it carried none it waits revisit_s for one that does,
 * in whole minutes, and is bad then. HOST_PENDING wait at most; one more is
 * not counted. */
#include "rules/host/state.h"

void hidden_session(struct hosts *h, uint32_t i, const struct scene *s);

/* Of those whose wait is over in this minute, the next: its host, whose S1T
 * has counted it; POOL_NONE: no more. */
uint32_t hidden_ripe(struct hosts *h, uint64_t minute);

/* Those that wait, for a snapshot. */
void hidden_save(const struct hosts *h, struct buf *out);
MUST_USE enum err hidden_load(struct hosts *h, struct cursor *in);

#endif
