#ifndef SPAN25_SINKS_SINK_STREAM_H
#define SPAN25_SINKS_SINK_STREAM_H
/* sink_stream - events down a socket to a program that only reads
 *
 * sink_unix: target is the path of a stream socket; a JSON line and a newline
 * for each event.
 *
 * sink_syslog: target is "host:port" of a collector (601 when it is left out,
 * with TLS 6514). RFC 5424 with octet counting on TCP (RFC 6587 3.4.1), or with
 * tls: yes on TLS (RFC 5425; peer_tls.h); the JSON line is MSG, event_type is
 * MSGID, the sensor's name HOSTNAME:
 *
 *     123 <132>1 2026-11-22T10:55:18.000001Z s1 span25 - alert -
 * {"timestamp"...
 *
 * DELIVERY. Such a reader acknowledges nothing. A line counts as delivered when
 * its last byte has left our side: on a Unix socket the reader has taken it (at
 * the latest when it has taken all there is), on TCP the other kernel has. What
 * has not is sent again on the next connection; a reader that dies with lines
 * it had taken loses them. While nobody is there or the reader is slow, put is
 * BUSY; calls are made after 0.1 s, then twice as long up to 2 s, each by the
 * next address of the host's name (to look that up may block). What the other
 * side says is read and forgotten.
 *
 * Known gaps: the fingerprints of RFC 5425 4.2.2 cannot be given in place of a
 * certificate authority: give the certificate itself as ca-file. No UDP, which
 * loses lines and does not tell. */
#include "sensor/sinks/sink.h"

extern const struct sink_ops sink_unix;
extern const struct sink_ops sink_syslog;

#endif
