#ifndef SPAN25_APP_SERVE_CONTENT_H
#define SPAN25_APP_SERVE_CONTENT_H
/* serve_content - who sees what mail said, and that it is kept
 *
 * An alert's card and an event's explanation hold envelopes, header fields and
 * the dialogue. Who has no role for that gets the card without them, and no
 * event. Who has it gets all, after the look was journaled. */
#include "sensor/app/serve_call.h"

/* Takes data as a verb printed it. 200, 403 or 503; then messages say why. */
unsigned serve_content(struct serve *s, enum serve_route_id id,
                       const struct serve_caller *who, struct buf *data,
                       struct buf *messages);

#endif
