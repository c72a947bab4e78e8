#ifndef SPAN25_DISSECTORS_URL_H
#define SPAN25_DISSECTORS_URL_H
/* url - URLs in text and HTML, streaming: RFC 3986, and what mail clients make
 * into links
 *
 * Bytes go in cut anywhere. Found: http, https, ftp, mailto excluded; scheme in
 * any letter case, www. without a scheme, the schemes that open programs (file,
 * ms-*, search-ms, smb and UNC \\host\share), in HTML attributes after decoding
 * of character references. One URL once per set; at most URL_MAX of them, of
 * URL_LEN bytes (longer ones are cut), the rest counted. Quick: text without
 * "://" or "www." or "\\" costs a scan. */
#include "sensor/base/buf.h"

#define URL_MAX 100
#define URL_LEN 2048

struct url_set {
    struct buf text; /* u16 length, bytes; one after another */
    uint32_t n;      /* kept */
    uint32_t n_more; /* different or not, beyond the limit */
};

struct url_scan {
    struct url_set *set;
    struct buf tail; /* end of the last piece that may begin a URL */
    bool html;
};

void url_set_init(struct url_set *s);
void url_set_free(struct url_set *s); /* NULL-safe */
void url_set_add(struct url_set *s, struct span url);
bool url_next(struct cursor *c, struct span *url);

void url_scan_init(struct url_scan *u, struct url_set *set, bool html);
void url_scan_push(struct url_scan *u, struct span in);
void url_scan_end(struct url_scan *u); /* frees the tail */

/* Host of a URL without user and port, lower case, appended; an IPv6 literal
 * without brackets. False when there is none. */
bool url_host(struct span url, struct buf *out);
/* For people: hxxp, [.] in the host, nothing to click on. Not yet escaped. */
void url_defang(struct span url, struct buf *out);

#endif
