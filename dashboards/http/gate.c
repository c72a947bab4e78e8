#include "dashboards/http/gate.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>

#include "dashboards/http/gate_from.h"
#include "dashboards/http/gate_limit.h"
#include "sensor/base/hash.h"

#define RANDOM 32U /* bytes of an id and of a token */
/* In a number: not of a session, but of the users that were loaded. */
#define OF_USERS (UINT64_C(1) << 63)

/* Failed tries. People mistype a few times; a list of words has thousands. The
 * last is for the processor: each try costs it 0.1 s. */
static const struct gate_rate by_addr = {10, 10 * NS_PER_S};
static const struct gate_rate by_name = {10, 10 * NS_PER_S};
static const struct gate_rate by_all = {60, NS_PER_S / 4};

struct session {
    uint8_t id[RANDOM]; /* SHA-256 of what the cookie has */
    char name[USERS_NAME];
    char csrf[GATE_TOKEN];
    unsigned roles;
    uint64_t number;
    ns_t start, last; /* last 0: not in use */
};

struct gate {
    struct gate_options o;
    uint8_t secret[RANDOM]; /* of tokens without a session */
    uint64_t seed;
    atomic_uint_fast64_t users; /* how often they were loaded again */
    pthread_mutex_t lock;       /* of what follows */
    uint64_t numbers;
    struct gate_limit *addrs, *names, *all;
    struct session sessions[GATE_SESSIONS];
};

/* ---- life ---- */

enum err
gate_new(const struct gate_options *o, struct gate **out)
{
    struct gate *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return ERR_NOMEM;
    g->o = *o;
    (void)pthread_mutex_init(&g->lock, NULL);
    g->addrs = gate_limit_new(by_addr);
    g->names = gate_limit_new(by_name);
    g->all = gate_limit_new(by_all);
    if (g->addrs == NULL || g->names == NULL || g->all == NULL) {
        gate_free(g);
        return ERR_NOMEM;
    }
    if (getrandom(g->secret, sizeof(g->secret), 0) != sizeof(g->secret) ||
        getrandom(&g->seed, sizeof(g->seed), 0) != sizeof(g->seed)) {
        gate_free(g);
        return ERR_IO;
    }
    *out = g;
    return ERR_OK;
}

void
gate_free(struct gate *g)
{
    if (g == NULL)
        return;
    gate_limit_free(g->addrs);
    gate_limit_free(g->names);
    gate_limit_free(g->all);
    (void)pthread_mutex_destroy(&g->lock);
    OPENSSL_cleanse(g, sizeof(*g));
    free(g);
}

/* ---- tokens and cookies ---- */

static void
hex(const uint8_t bytes[RANDOM], char out[GATE_TOKEN])
{
    for (size_t i = 0; i < RANDOM; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool
random_hex(char out[GATE_TOKEN])
{
    uint8_t bytes[RANDOM];
    const bool good = getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes);

    if (good)
        hex(bytes, out);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return good;
}

/* The hash of what a cookie has: the table does not hold what would let
 * somebody in, and comparing it tells no one anything. */
static bool
id_hash(struct span value, uint8_t out[RANDOM])
{
    unsigned n;

    return value.n == GATE_TOKEN - 1 &&
           EVP_Digest(value.p, value.n, out, &n, EVP_sha256(), NULL) == 1;
}

static void
name_token(const struct gate *g, const char *name, char out[GATE_TOKEN])
{
    uint8_t mac[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;

    (void)HMAC(EVP_sha256(), g->secret, (int)sizeof(g->secret),
               (const uint8_t *)name, strlen(name), mac, &n);
    hex(mac, out);
}

/* __Host- (RFC 6265bis 4.1.3.2): no other server can have set it. */
static const char *
cookie_name(const struct gate *g, const struct http_request *r)
{
    return gate_from_tls(&g->o, r) ? "__Host-span25" : "span25";
}

static void
cookie_write(const struct gate *g, const struct http_request *r,
             const char *value, char out[GATE_COOKIE])
{
    (void)snprintf(out, GATE_COOKIE,
                   "%s=%s; Path=/%s; HttpOnly; SameSite=Strict%s",
                   cookie_name(g, r), value, value[0] == 0 ? "; Max-Age=0" : "",
                   gate_from_tls(&g->o, r) ? "; Secure" : "");
}

/* Two of one name: one is not ours, and nobody can say which. */
static struct span
cookie_read(struct span text, struct span name)
{
    struct span found = SPAN_NONE;
    unsigned n = 0;

    while (text.n > 0) {
        const size_t end = span_find(text, ';');
        const struct span one = span_trim(span_head(text, end));
        const size_t equals = span_find(one, '=');

        text = span_tail(text, end + 1);
        if (span_eq(span_head(one, equals), name)) {
            found = span_tail(one, equals + 1);
            n++;
        }
    }
    return n == 1 ? found : SPAN_NONE;
}

/* ---- sessions, under the lock ---- */

/* A clock that was set back makes nobody stay longer than from now. */
static ns_t
since(ns_t now, ns_t then)
{
    return now > then ? now - then : 0;
}

static bool
is_alive(const struct session *s, ns_t now)
{
    return s->last != 0 && since(now, s->last) < GATE_IDLE_NS &&
           since(now, s->start) < GATE_LIFE_NS;
}

static void
session_end(struct session *s)
{
    OPENSSL_cleanse(s, sizeof(*s));
}

static struct session *
session_find(struct gate *g, const struct http_request *r)
{
    uint8_t id[RANDOM];

    if (!id_hash(cookie_read(r->cookie, span_str(cookie_name(g, r))), id))
        return NULL;
    for (size_t i = 0; i < GATE_SESSIONS; i++) {
        struct session *s = &g->sessions[i];

        if (s->last != 0 && memcmp(s->id, id, sizeof(id)) == 0)
            return s;
    }
    return NULL;
}

/* One that is free, or of this user when he has GATE_EACH, or the one that was
 * longest idle. */
static struct session *
session_place(struct gate *g, struct span name, ns_t now)
{
    struct session *oldest = &g->sessions[0], *his = NULL;
    unsigned n = 0;

    for (size_t i = 0; i < GATE_SESSIONS; i++) {
        struct session *s = &g->sessions[i];

        if (!is_alive(s, now))
            session_end(s);
        if (s->last < oldest->last)
            oldest = s;
        if (s->last != 0 && span_eq(name, span_str(s->name))) {
            n++;
            if (his == NULL || s->last < his->last)
                his = s;
        }
    }
    return n >= GATE_EACH ? his : oldest;
}

static ns_t
earlier(ns_t a, ns_t b)
{
    return a < b ? a : b;
}

static void
user_of(const struct session *s, struct gate_user *out)
{
    *out = (struct gate_user){
        .roles = s->roles, .number = s->number, .session = true};
    memcpy(out->name, s->name, sizeof(out->name));
    memcpy(out->csrf, s->csrf, sizeof(out->csrf));
    out->expires = earlier(s->last + GATE_IDLE_NS, s->start + GATE_LIFE_NS);
    out->warn = out->expires - GATE_WARN_NS;
}

/* ---- who asks ---- */

static bool
by_session(struct gate *g, const struct http_request *r, ns_t now, bool touch,
           struct gate_user *out)
{
    struct session *s;
    bool found;

    (void)pthread_mutex_lock(&g->lock);
    s = session_find(g, r);
    if (s != NULL && !is_alive(s, now)) {
        session_end(s);
        s = NULL;
    }
    found = s != NULL;
    if (found) {
        if (touch)
            s->last = now;
        user_of(s, out);
    }
    (void)pthread_mutex_unlock(&g->lock);
    return found;
}

static bool
by_name_alone(const struct gate *g, struct span name, unsigned roles,
              struct gate_user *out)
{
    if (roles == 0 || !users_is_name(name))
        return false;
    *out = (struct gate_user){.roles = roles,
                              .number = OF_USERS | atomic_load(&g->users)};
    memcpy(out->name, name.p, name.n);
    name_token(g, out->name, out->csrf);
    return true;
}

static bool
who(struct gate *g, const struct http_request *r, ns_t now, bool touch,
    struct gate_user *out)
{
    const struct gate_options *o = &g->o;

    if (o->open_user != NULL)
        return by_name_alone(g, span_str(o->open_user), o->open_roles, out);
    if (r->user.n > 0 && o->user_roles != NULL && gate_from_is_proxy(o, r))
        return users_is_name(r->user) &&
               by_name_alone(g, r->user, o->user_roles(o->ctx, r->user), out);
    return by_session(g, r, now, touch, out);
}

static bool
has_token(const struct http_request *r, const struct gate_user *u)
{
    return r->csrf.n == GATE_TOKEN - 1 &&
           CRYPTO_memcmp(r->csrf.p, u->csrf, GATE_TOKEN - 1) == 0;
}

enum gate_said
gate_ask(struct gate *g, const struct http_request *r, ns_t now, bool touch,
         struct gate_user *out)
{
    const bool change = r->method != HTTP_GET;
    struct gate_user u;

    if (!gate_from_knows_host(&g->o, r) || (change && !gate_from_us(&g->o, r)))
        return GATE_FOREIGN;
    if (!who(g, r, now, touch && !change, &u))
        return GATE_NOBODY;
    if (change && !has_token(r, &u))
        return GATE_NO_TOKEN;
    if (change && touch && u.session)
        (void)by_session(g, r, now, true, &u);
    *out = u;
    return GATE_OK;
}

/* ---- log in, log out ---- */

static uint64_t
addr_key(const struct gate *g, const struct http_request *r)
{
    const size_t n = addr_is_v4(&r->peer) ? 16 : 8;

    return hash_span(span_of(r->peer.b, n), g->seed);
}

static uint64_t
name_key(const struct gate *g, struct span name)
{
    return hash_span(name, g->seed + 1);
}

static ns_t
later(ns_t a, ns_t b)
{
    return a > b ? a : b;
}

enum gate_said
gate_try(struct gate *g, const struct http_request *r, struct span name,
         ns_t now, unsigned *retry_s)
{
    const uint64_t addr = addr_key(g, r);
    const uint64_t key = name_key(g, name);
    ns_t wait;

    if (!gate_from_knows_host(&g->o, r) || !gate_from_us(&g->o, r))
        return GATE_FOREIGN;
    (void)pthread_mutex_lock(&g->lock);
    wait = later(gate_limit_wait(g->addrs, addr, now),
                 later(gate_limit_wait(g->names, key, now),
                       gate_limit_wait(g->all, 0, now)));
    if (wait == 0) {
        gate_limit_take(g->addrs, addr, now);
        gate_limit_take(g->names, key, now);
        gate_limit_take(g->all, 0, now);
    }
    (void)pthread_mutex_unlock(&g->lock);
    *retry_s = (unsigned)((wait + NS_PER_S - 1) / NS_PER_S);
    return wait == 0 ? GATE_OK : GATE_SLOW;
}

static void
give_back(struct gate *g, const struct http_request *r, struct span name)
{
    gate_limit_give(g->addrs, addr_key(g, r));
    gate_limit_give(g->names, name_key(g, name));
    gate_limit_give(g->all, 0);
}

/* The session that the request came with ends: its id may be known to who gave
 * it to the browser. */
static void
session_begin(struct gate *g, const struct http_request *r, struct session *new,
              ns_t now)
{
    struct session *old = session_find(g, r);

    if (old != NULL)
        session_end(old);
    new->number = ++g->numbers;
    *session_place(g, span_str(new->name), now) = *new;
}

enum err
gate_enter(struct gate *g, const struct http_request *r, struct span name,
           unsigned roles, ns_t now, struct gate_user *out,
           char cookie[GATE_COOKIE])
{
    struct session s = {.roles = roles, .start = now, .last = now};
    char id[GATE_TOKEN];

    REQUIRE(roles != 0 && now != 0);
    if (!users_is_name(name))
        return ERR_LIMIT;
    if (!random_hex(id) || !random_hex(s.csrf) || !id_hash(span_str(id), s.id))
        return ERR_IO;
    memcpy(s.name, name.p, name.n);
    (void)pthread_mutex_lock(&g->lock);
    session_begin(g, r, &s, now);
    give_back(g, r, name);
    (void)pthread_mutex_unlock(&g->lock);
    user_of(&s, out);
    cookie_write(g, r, id, cookie);
    OPENSSL_cleanse(id, sizeof(id));
    OPENSSL_cleanse(&s, sizeof(s));
    return ERR_OK;
}

void
gate_leave(struct gate *g, const struct http_request *r,
           char cookie[GATE_COOKIE])
{
    struct session *s;

    (void)pthread_mutex_lock(&g->lock);
    s = session_find(g, r);
    if (s != NULL)
        session_end(s);
    (void)pthread_mutex_unlock(&g->lock);
    cookie_write(g, r, "", cookie);
}

void
gate_renew(struct gate *g, unsigned (*roles)(void *ctx, struct span name),
           void *ctx)
{
    (void)pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < GATE_SESSIONS; i++) {
        struct session *s = &g->sessions[i];

        if (s->last != 0 && s->roles != roles(ctx, span_str(s->name)))
            session_end(s);
    }
    (void)pthread_mutex_unlock(&g->lock);
    atomic_fetch_add(&g->users, 1);
}

bool
gate_stays(struct gate *g, uint64_t number, ns_t now)
{
    bool stays = false;

    if ((number & OF_USERS) != 0)
        return number == (OF_USERS | atomic_load(&g->users));
    (void)pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < GATE_SESSIONS && !stays; i++)
        stays =
            g->sessions[i].number == number && is_alive(&g->sessions[i], now);
    (void)pthread_mutex_unlock(&g->lock);
    return stays;
}

size_t
gate_sessions(struct gate *g, ns_t now)
{
    size_t n = 0;

    (void)pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < GATE_SESSIONS; i++)
        n += is_alive(&g->sessions[i], now);
    (void)pthread_mutex_unlock(&g->lock);
    return n;
}

/* ---- in words ---- */

static const struct {
    unsigned status;
    const char *text;
} said_rows[] = {
    [GATE_OK] = {200, "yes"                                         },
    [GATE_NOBODY] = {401, "please log in"                               },
    [GATE_FOREIGN] = {403, "this was asked for by a page of another site"},
    [GATE_NO_TOKEN] = {403, "the token of the session is missing or old; load "
                            "the page again"   },
    [GATE_ROLE] = {403, "your roles do not allow this"                },
    [GATE_SLOW] = {429, "too many tries to log in; wait a little"     },
};

unsigned
gate_status(enum gate_said said)
{
    return said_rows[said].status;
}

const char *
gate_text(enum gate_said said)
{
    return said_rows[said].text;
}
