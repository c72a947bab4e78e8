#ifndef SPAN25_APP_DESK_EVIDENCE_H
#define SPAN25_APP_DESK_EVIDENCE_H
/* desk_evidence - alerts show --pcap: the packets behind an alert, in a file
 *
 * Of the connections whose events its card shows, from the ring of a live
 * sensor. The file is new (0600), and there is none unless that it was made is
 * in the journal: an event of type control, kind evidence, with who, which
 * alert, how many packets, and the SHA-256 of the file. */
#include "sensor/app/desk_alerts.h"

MUST_USE enum cli_exit desk_evidence_cut(struct desk *d,
                                         const struct desk_alert *a);

#endif
