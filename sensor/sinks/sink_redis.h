#ifndef SPAN25_SINKS_SINK_REDIS_H
#define SPAN25_SINKS_SINK_REDIS_H
/* sink_redis - events as entries of Redis streams, decisions also as keys
 *
 * target: "host:port", "[2001:db8::1]:port" or "/path/of/socket". Streams are
 * PREFIX:smtp.tx, :alert, :decision and :stats (sink_queue.h):
 *
 *     XADD PREFIX:alert MAXLEN ~ N * event_id I event_type T key K json LINE
 *
 * A trimmed stream forgets what nobody has read: N is a bound on Redis' memory,
 * watch the lag of consumers.
 *
 * A decision that is enforced is also a key, for who only wants to ask:
 *
 *     SET PREFIX:block:192.0.2.7 LINE EX seconds         (or 2001:db8:0:1::/64)
 *     DEL PREFIX:block:192.0.2.7                         at a lift or an expiry
 *
 * seconds are those that are left of it when it is sent, by the clock of tick:
 * what comes late, or twice, never lasts longer, and what has ended is deleted.
 * A key is one IPv4 address or one IPv6 /64 and never more. What is simulated,
 * held or withheld sets none. When the sensor dies keys end by themselves.
 *
 * DELIVERY. At most `depth` lines are under way at a time; a line counts when
 * Redis has answered. While Redis is away, starts, or has no memory, the sink
 * calls again after 0.1 s, then twice as long up to 2 s, and put is BUSY; what
 * had no answer is sent again (doubles have equal event_id; after a want of
 * memory a line may come behind later ones of its key). An answer that an
 * operator must mend (login, rights, a key of another type) is DEAD. What Redis
 * has answered is as safe as its own configuration makes it.
 *
 * TLS (tls: yes) is ours, for hiredis of Debian 12 has none: it makes commands
 * and reads answers (RESP2) here, peer.h carries them. An answer of more than
 * 1 MiB loses the connection. A host's name is looked up when it is called,
 * which may block. */
#include "sensor/sinks/sink.h"

extern const struct sink_ops sink_redis;

#endif
