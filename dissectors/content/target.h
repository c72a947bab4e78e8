#ifndef SPAN25_DISSECTORS_CONTENT_TARGET_H
#define SPAN25_DISSECTORS_CONTENT_TARGET_H
/* target - where a link in a file leads: to a file server, to another host
 *
 * UNC: \\host\share and //host/share, also with file: before, in any number of
 * slashes, with @SSL and @port behind the host. Windows logs on to such a host
 * by itself, and the host learns the hash of the password.
 * REMOTE: an address with a scheme that goes over the network, or opens
 * something of another host (http, https, ftp, ms-*: with http within).
 * Names of this machine (file:///C:/, \\?\, \\.\, localhost) are NONE. */
#include "sensor/base/buf.h"

enum target { TARGET_NONE, TARGET_UNC, TARGET_REMOTE };

/* The host, in lower case, replaces what host has. */
enum target target_of(struct span text, struct buf *host);

/* The same, where a bare //host is no file server but an address of the web. */
enum target target_of_url(struct span text, struct buf *host);

#endif
