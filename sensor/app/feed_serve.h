#ifndef SPAN25_APP_FEED_SERVE_H
#define SPAN25_APP_FEED_SERVE_H
/* feed_serve - what who fetches a block list is answered
 *
 *     GET /feeds/NAME              the list of the consumer NAME
 *     GET /v1/decisions/stream     CrowdSec's: of a consumer whose format is
 *         ?startup=true|false      crowdsec; all there is, or what changed
 * since its last fetch
 *
 * HEAD too. A consumer is who has its token, and sees its list and no other.
 * The token is compared in constant time, and all of them each time. Entity
 * tags are those of the text; of formats that say how long elements last from
 * now on, of the set it was made of (weak, RFC 9110 8.8.3), so a consumer that
 * asks with If-None-Match gets a new list when there is one. A set that is over
 * is given to nobody: 503.
 *
 * Pure but for what it keeps of its consumers. One thread. */
#include "sensor/app/options_consumers.h"

#define FEED_SERVE_TOKEN_LEAST 16U
#define FEED_SERVE_TOKEN_MOST  256U
#define FEED_SERVE_DIGEST      32U

/* A set that several look at: the last one frees it. */
struct feed_held {
    struct feed set;
    unsigned users;
};
/* Takes over what is in set; NULL: no memory, and set is as it was. */
struct feed_held *feed_held_new(struct feed *set);
struct feed_held *feed_held_use(struct feed_held *h);
void feed_held_drop(struct feed_held *h); /* NULL is fine */

struct feed_consumer {
    char name[FEED_STORE_NAME];
    struct feed_kind kind;
    uint8_t token[FEED_SERVE_DIGEST]; /* SHA-256 */
    struct feed_fetch fetch;          /* the last one */
    struct feed_held *had;            /* the set that it fetched; or NULL */
};

struct feed_serve {
    struct feed_consumer v[OPTIONS_CONSUMERS_MAX];
    size_t n;
    struct feed_held *held; /* the last good set; NULL: none yet */
};

/* Of a file's text: one line. False: too short, too long, or no token. */
MUST_USE bool feed_serve_token(struct span text,
                               uint8_t out[FEED_SERVE_DIGEST]);

/* Header fields that are not there are empty. */
struct feed_request {
    struct span method, path;
    struct span startup; /* of the query */
    struct span authorization, api_key;
    struct span if_none_match, if_modified_since;
};

struct feed_answer {
    unsigned status;
    const char *type;
    struct span challenge; /* WWW-Authenticate */
    struct span allow;
    char etag[RENDER_ETAG + 2];
    ns_t modified;                  /* 0: nothing is said */
    struct feed_consumer *consumer; /* NULL: a stranger */
    struct feed_held *given; /* to be told to feed_serve_fetched once it was
                              * sent, and dropped; NULL: no list */
    struct buf body;
};

/* out->body is begun here and to be freed. */
void feed_serve_answer(struct feed_serve *s, const struct feed_request *r,
                       ns_t now, struct feed_answer *out);

/* The consumer has this set now. */
void feed_serve_fetched(struct feed_consumer *c, struct feed_held *given,
                        ns_t now);

void feed_serve_fini(struct feed_serve *s);

/* "Mon, 23 Nov 2026 08:00:00 GMT", RFC 9110 5.6.7 */
void feed_serve_date(ns_t when, struct buf *out);

#endif
