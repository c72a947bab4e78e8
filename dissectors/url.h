#ifndef SPAN25_DISSECTORS_URL_H
#define SPAN25_DISSECTORS_URL_H
/* url - URLs in text and HTML, streaming: RFC 3986, and what mail clients make
 * into links
 *
 *     url_scan_init(&u, &set, html);
 *     url_scan_push(&u, bytes);  any number of times, cut anywhere
 *     url_scan_end(&u);
 *
 * Found: http, https, ftp in any letter case, www. without a scheme, and what
 * opens programs or leaks names and hashes: file, smb, ms-*, search-ms, and
 * \\host\share. In HTML after decoding of character references; in an
 * attribute's quotes line ends and tabs are left out, as browsers do.
 * "http:\/\/" of scripts is read as "http://". mailto and the like are left
 * out.
 *
 * A URL ends at a blank, control character, one of "<>`{}|^ or the quote that
 * it began behind; marks that end a sentence and brackets that were not opened
 * in it are cut off. One URL once per set; at most URL_MAX of them, of URL_LEN
 * bytes (longer ones are cut), the rest counted. Text costs one search for
 * three characters, with vectors where there are any, and what stands around
 * them.
 *
 * Names of XML vocabularies (http://www.w3.org/1999/..., schemas.microsoft.com)
 * are no URLs to go to and left out.
 *
 * Not found: URLs wrapped over lines in plain text, schemes broken by line ends
 * in HTML, what a script puts together. */
#include "sensor/base/buf.h"

#define URL_MAX 100
#define URL_LEN 2048

struct url_set {
    struct buf text; /* u16 length, bytes; one after another */
    uint32_t n;      /* kept */
    uint32_t n_more; /* different or not, beyond the limit */
};

#define URL_BACK 32 /* bytes before a ':' that are looked at */
#define URL_REF  24 /* of a character reference, with zeros in front */

struct url_scan {
    struct url_set *set;
    struct buf tail; /* the URL that has begun */
    bool html;
    uint8_t kind; /* of what has begun; 0: nothing */
    uint8_t quote;
    bool attribute;
    bool fresh;  /* nothing yet behind the scheme's colon */
    bool marked; /* it has bytes that its end may turn on */
    uint8_t n_back, n_ref;
    uint8_t back[URL_BACK];
    uint8_t ref[URL_REF];
};

void url_set_init(struct url_set *s);
void url_set_free(struct url_set *s); /* NULL-safe */
/* Cut at URL_LEN; an empty one is none. */
void url_set_add(struct url_set *s, struct span url);
bool url_next(struct cursor *c, struct span *url);

void url_scan_init(struct url_scan *u, struct url_set *set, bool html);
void url_scan_push(struct url_scan *u, struct span in);
void url_scan_end(struct url_scan *u); /* frees the tail */

/* Host of a URL without user and port, lower case, percent-decoded, without a
 * last dot, appended; an IPv6 literal without brackets. False when there is
 * none. */
bool url_host(struct span url, struct buf *out);
/* For people: hxxp, [.] in the host, nothing to click on. Not yet escaped. */
void url_defang(struct span url, struct buf *out);

#endif
