#ifndef SPAN25_APP_CONFINE_MAN_H
#define SPAN25_APP_CONFINE_MAN_H
/* confine_man - the sections of span25-live(1) and span25-serve(1) on what
 * their processes may call */
#include "sensor/base/buf.h"

/* In mdoc(7), from confine_calls.def. */
void confine_man_write(struct buf *out);
void confine_man_write_page(struct buf *out);

#endif
