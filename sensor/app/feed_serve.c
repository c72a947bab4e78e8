#include "sensor/app/feed_serve.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sensor/base/text.h"

#define BODY_BYTES (256U << 20)

struct feed_held *
feed_held_new(struct feed *set)
{
    struct feed_held *h = calloc(1, sizeof(*h));

    if (h == NULL)
        return NULL;
    h->set = *set;
    h->users = 1;
    *set = (struct feed){.n = 0};
    return h;
}

struct feed_held *
feed_held_use(struct feed_held *h)
{
    h->users++;
    return h;
}

void
feed_held_drop(struct feed_held *h)
{
    if (h == NULL || --h->users > 0)
        return;
    feed_fini(&h->set);
    free(h);
}

/* ---- who asks ---- */

static bool
digest(struct span token, uint8_t out[FEED_SERVE_DIGEST])
{
    return EVP_Digest(token.p, token.n, out, NULL, EVP_sha256(), NULL) == 1;
}

bool
feed_serve_token(struct span text, uint8_t out[FEED_SERVE_DIGEST])
{
    const struct span line = span_trim(span_head(
        text, span_find(span_head(text, span_find(text, '\n')), '\r')));

    for (size_t i = 0; i < line.n; i++) {
        if (span_at(line, i) <= ' ' || span_at(line, i) >= 0x7f)
            return false;
    }
    return line.n >= FEED_SERVE_TOKEN_LEAST &&
           line.n <= FEED_SERVE_TOKEN_MOST && digest(line, out);
}

/* All are looked at, whichever it is. */
static struct feed_consumer *
of_token(struct feed_serve *s, struct span token)
{
    struct feed_consumer *found = NULL;
    uint8_t hash[FEED_SERVE_DIGEST];

    if (token.n > FEED_SERVE_TOKEN_MOST || !digest(token, hash))
        return NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (CRYPTO_memcmp(hash, s->v[i].token, sizeof(hash)) == 0)
            found = &s->v[i];
    }
    return found;
}

/* Basic NAME:TOKEN, RFC 7617: what appliances know. */
static struct feed_consumer *
of_basic(struct feed_serve *s, struct span coded)
{
    struct feed_consumer *found = NULL;
    struct buf plain;

    buf_init(&plain, FEED_SERVE_TOKEN_MOST + FEED_STORE_NAME);
    if (text_unbase64(&plain, coded) && !plain.cut && !plain.failed) {
        const struct span all = buf_view(&plain);
        const size_t colon = span_find(all, ':');

        found = of_token(s, span_tail(all, colon + 1));
        if (found != NULL &&
            !span_eq(span_head(all, colon), span_str(found->name)))
            found = NULL;
    }
    if (plain.n > 0)
        OPENSSL_cleanse(plain.p, plain.n);
    buf_free(&plain);
    return found;
}

static struct feed_consumer *
who(struct feed_serve *s, const struct feed_request *r)
{
    const struct span bearer = SPAN_LIT("Bearer "), basic = SPAN_LIT("Basic ");

    if (r->api_key.n > 0)
        return of_token(s, r->api_key);
    if (span_starts_nocase(r->authorization, bearer))
        return of_token(s, span_trim(span_tail(r->authorization, bearer.n)));
    if (span_starts_nocase(r->authorization, basic))
        return of_basic(s, span_trim(span_tail(r->authorization, basic.n)));
    return NULL;
}

/* ---- what is asked for ---- */

#define STREAM "/v1/decisions/stream"

static bool
may(const struct feed_consumer *c, struct span path)
{
    const struct span folder = SPAN_LIT("/feeds/");

    if (span_eq(path, SPAN_LIT(STREAM)))
        return c->kind.format == RENDER_CROWDSEC;
    return span_starts(path, folder) &&
           span_eq(span_tail(path, folder.n), span_str(c->name));
}

static void
say(struct feed_answer *a, unsigned status, const char *text)
{
    a->status = status;
    a->type = "text/plain; charset=utf-8";
    buf_reset(&a->body);
    buf_str(&a->body, text);
}

/* ---- has it changed? ---- */

/* Elements of these say how long they last from now on. */
static bool
has_durations(enum render_format f)
{
    return f == RENDER_NFT || f == RENDER_IPSET || f == RENDER_CROWDSEC;
}

static bool
make_tag(const struct feed *set, enum render_format f, struct feed_answer *a)
{
    struct buf of;
    bool good;

    if (!has_durations(f))
        return render_etag(buf_view(&a->body), a->etag);
    buf_init(&of, 256);
    buf_u64(&of, set->serial);
    buf_putc(&of, ' ');
    buf_u64(&of, set->made);
    buf_str(&of, set->digest);
    memcpy(a->etag, "W/", 2);
    good = !of.cut && !of.failed && render_etag(buf_view(&of), a->etag + 2);
    buf_free(&of);
    return good;
}

/* RFC 9110 13.1.2: weak comparison; * is any. */
static bool
names_tag(struct span list, const char *etag)
{
    const struct span tag = span_str(etag[0] == 'W' ? etag + 2 : etag);

    return span_eq(span_trim(list), SPAN_LIT("*")) ||
           span_search(list, tag) < list.n;
}

static bool
is_same(const struct feed_request *r, const struct feed_answer *a)
{
    struct buf date;
    bool same;

    if (r->if_none_match.n > 0)
        return names_tag(r->if_none_match, a->etag);
    buf_init(&date, 64);
    feed_serve_date(a->modified, &date);
    same = span_eq(span_trim(r->if_modified_since), buf_view(&date));
    buf_free(&date);
    return same;
}

/* ---- the answer ---- */

static void
refuse(struct feed_answer *a, const struct feed_request *r)
{
    const bool stream = span_eq(r->path, SPAN_LIT(STREAM));

    say(a, stream || a->consumer != NULL ? 403 : 401,
        a->consumer != NULL ? "this is not the list of this token\n"
                            : "a token is needed\n");
    if (a->status == 401)
        a->challenge = SPAN_LIT("Basic realm=\"span25\"");
    if (stream) {
        say(a, 403, "{\"message\":\"access forbidden\"}\n");
        a->type = "application/json";
    }
}

static void
list(struct feed_serve *s, const struct feed_request *r, ns_t now,
     struct feed_answer *a)
{
    const struct feed *set = &s->held->set;
    struct feed_consumer *c = a->consumer;
    const bool more = span_eq(r->path, SPAN_LIT(STREAM)) &&
                      !span_eq_nocase(r->startup, SPAN_LIT("true")) &&
                      c->had != NULL;
    const struct render_options o = {.vendor = c->kind.vendor,
                                     .last = more ? &c->had->set : NULL,
                                     .now = now > set->made ? now : set->made};
    const enum err e = render(set, c->kind.format, &o, &a->body);

    if (e != ERR_OK) {
        say(a, 503,
            e == ERR_TRUNCATED ? "the last list is over\n"
            : e == ERR_LIMIT   ? "the list is more than this consumer takes\n"
                               : "out of memory\n");
        return;
    }
    if (!make_tag(set, c->kind.format, a)) {
        say(a, 503, "out of memory\n");
        return;
    }
    a->status = 200;
    a->type = render_format_type(c->kind.format);
    a->modified = set->made / NS_PER_S * NS_PER_S;
    if (span_eq(r->method, SPAN_LIT("GET")))
        a->given = feed_held_use(s->held);
    if (!span_eq(r->path, SPAN_LIT(STREAM)) && is_same(r, a)) {
        a->status = 304;
        buf_reset(&a->body);
    }
}

void
feed_serve_answer(struct feed_serve *s, const struct feed_request *r, ns_t now,
                  struct feed_answer *out)
{
    *out = (struct feed_answer){.status = 200};
    buf_init(&out->body, BODY_BYTES);
    if (!span_eq(r->method, SPAN_LIT("GET")) &&
        !span_eq(r->method, SPAN_LIT("HEAD"))) {
        say(out, 405, "GET and HEAD\n");
        out->allow = SPAN_LIT("GET, HEAD");
        return;
    }
    out->consumer = who(s, r);
    if (out->consumer == NULL || !may(out->consumer, r->path))
        refuse(out, r);
    else if (s->held == NULL)
        say(out, 503, "no list has been made yet\n");
    else
        list(s, r, now, out);
}

void
feed_serve_fetched(struct feed_consumer *c, struct feed_held *given, ns_t now)
{
    const struct feed *set = &given->set;

    c->fetch = (struct feed_fetch){
        .when = now, .serial = set->serial, .elements = set->n};
    memcpy(c->fetch.digest, set->digest, sizeof(c->fetch.digest));
    (void)feed_held_use(given);
    feed_held_drop(c->had);
    c->had = given;
}

void
feed_serve_fini(struct feed_serve *s)
{
    for (size_t i = 0; i < s->n; i++) {
        OPENSSL_cleanse(s->v[i].token, sizeof(s->v[i].token));
        feed_held_drop(s->v[i].had);
    }
    feed_held_drop(s->held);
    s->held = NULL;
    s->n = 0;
}

void
feed_serve_date(ns_t when, struct buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
                                       "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec"};
    const time_t seconds = (time_t)(when / NS_PER_S);
    struct tm t;

    if (gmtime_r(&seconds, &t) != NULL)
        buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday],
                   t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour,
                   t.tm_min, t.tm_sec);
}
