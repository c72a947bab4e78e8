#ifndef SPAN25_SINKS_SINK_WEBHOOK_H
#define SPAN25_SINKS_SINK_WEBHOOK_H
/* sink_webhook - events as HTTP requests to a program of the operator's
 *
 * target: "https://host[:port]/path?query", or http://. Each request is a POST
 * (HTTP/1.1, RFC 9112) of one event as JSON, or with `batch` of up to so many
 * as JSON Lines, a newline behind each:
 *
 *     Content-Type: application/json         application/x-ndjson
 *     Idempotency-Key: event_id              event_id of the first, ".", number
 *     X-Span25-Signature: sha256=HEX         with secret-file: HMAC-SHA-256 of
 *                                            the body, its first line the key
 *     Authorization: Bearer TOKEN            with token-file
 *
 * One request is under way at a time, so the order is kept.
 *
 *     answer                       means
 *     2xx                          delivered
 *     4xx but 408, 425, 429        refused: the lines are lost, and counted;
 *                                  those of a batch are sent again one by one
 *                                  first, so that one costs no other
 *     408, 425, 429, 3xx, 5xx,     the same again, after Retry-After (an hour
 * at no answer within 30 s, a     most), else after 0.5 s, then twice as long
 *     broken connection            up to a minute; doubles have equal event_id
 *
 * Redirections are not followed: who answers is who was asked. What stands in a
 * body is not looked at. A connection is made when there is something to send,
 * and used again while the other side keeps it; TLS as in peer_tls.h. */
#include "sensor/sinks/sink.h"

extern const struct sink_ops sink_webhook;

#endif
