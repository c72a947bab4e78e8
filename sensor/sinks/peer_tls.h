#ifndef SPAN25_SINKS_PEER_TLS_H
#define SPAN25_SINKS_PEER_TLS_H
/* peer_tls - TLS 1.2 or 1.3 as a client, on a socket that does not block
 *
 * The other side's certificate must be signed by one of ca-file (else by one of
 * the system's) and be of the host that was called: its name, or its address
 * when an address was called (RFC 9525). Nothing can turn that off. A
 * certificate of our own is shown when there is one. No renegotiation, no
 * compression, no early data. One thread.
 *
 * With TLS 1.3 our side is ready before the other has looked at our
 * certificate, or missed it. Where it asked for one, the handshake is therefore
 * over only when something has come from it (a ticket is usual), or when nobody
 * is patient any more: a line is not given to who has not let us in. */
#include "sensor/base/err.h"
#include "sensor/sinks/sink.h"

struct peer_tls;

/* Settings of a kind that can speak TLS: rows of its table. */
#define PEER_TLS_FILES                                                         \
    {"ca-file", "", 0, 0,                                                      \
     "certificates that may sign the other side's; else the system's"},        \
        {"cert-file", "", 0, 0, "certificate to show to the other side"},      \
        {"key-file", "", 0, 0, "its key"},                                     \
    {                                                                          \
        "key-password-file", "", 0, 0, "file with the key's password"          \
    }
#define PEER_TLS_OPTIONS(usual)                                                \
    {"tls", usual, 0, 0, "yes: TLS, with the name of the other side checked"}, \
        PEER_TLS_FILES

/* What became of a call. END: the other side has closed it, FAILED: see why. */
enum peer_io { PEER_DONE, PEER_LATER, PEER_END, PEER_FAILED };

/* Of the settings; *out is NULL when they say tls: no. ERR_CONFIG: a message,
 * one line. */
MUST_USE enum err peer_tls_new(const struct sink_option *options,
                               const struct sink_settings *s, const char *host,
                               struct peer_tls **out, struct buf *message);
/* The same without a setting tls: it is to be. */
MUST_USE enum err peer_tls_make(const struct sink_option *options,
                                const struct sink_settings *s, const char *host,
                                struct peer_tls **out, struct buf *message);
void peer_tls_free(struct peer_tls *t); /* NULL is fine */

/* Of the settings: is there to be TLS? For who asks before. */
bool peer_tls_is_on(const struct sink_option *options,
                    const struct sink_settings *s);

/* A connection on a connected socket, which stays its owner's; until stop. stop
 * says goodbye, as far as the socket takes it. */
MUST_USE bool peer_tls_start(struct peer_tls *t, int fd);
void peer_tls_stop(struct peer_tls *t);

/* The handshake; then bytes. A failure appends to why. */
enum peer_io peer_tls_shake(struct peer_tls *t, bool is_patient,
                            struct buf *why);
enum peer_io peer_tls_write(struct peer_tls *t, struct span bytes, size_t *n,
                            struct buf *why);
enum peer_io peer_tls_read(struct peer_tls *t, uint8_t *room, size_t max,
                           size_t *n, struct buf *why);

/* What poll is to wait for, besides what its owner wants. */
short peer_tls_events(const struct peer_tls *t);

#endif
