#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dashboards/http/gate.h"

#define NOW (UINT64_C(1795000000) * NS_PER_S)
#define MIN (60 * NS_PER_S)

static struct gate *
gate_of(struct gate_options o)
{
    struct gate *g = NULL;

    assert_int_equal(gate_new(&o, &g), ERR_OK);
    return g;
}

static struct gate *
simple(void)
{
    return gate_of((struct gate_options){.n_proxies = 0});
}

static struct addr
peer(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

/* A browser: the cookie it has, its page's token. */
struct browser {
    char cookie[GATE_COOKIE];
    struct gate_user user;
};

static struct http_request
request(enum http_method method, const char *from)
{
    return (struct http_request){.method = method,
                                 .peer = peer(from),
                                 .host = SPAN_LIT("span25:8025"),
                                 .fetch_site = SPAN_LIT("same-origin"),
                                 .origin = SPAN_LIT("http://span25:8025")};
}

/* Only name and value of a Set-Cookie go back. */
static struct http_request
from_browser(enum http_method method, const struct browser *b)
{
    struct http_request r = request(method, "192.0.2.1");

    r.cookie = span_head(span_str(b->cookie), strcspn(b->cookie, ";"));
    if (method == HTTP_POST)
        r.csrf = span_str(b->user.csrf);
    return r;
}

static struct browser
enter(struct gate *g, const char *name, unsigned roles, ns_t now)
{
    const struct http_request r = request(HTTP_POST, "192.0.2.1");
    struct browser b;
    unsigned wait;

    assert_int_equal(gate_try(g, &r, span_str(name), now, &wait), GATE_OK);
    assert_int_equal(
        gate_enter(g, &r, span_str(name), roles, now, &b.user, b.cookie),
        ERR_OK);
    return b;
}

static enum gate_said
ask(struct gate *g, const struct http_request *r, ns_t now, bool touch)
{
    struct gate_user u;

    return gate_ask(g, r, now, touch, &u);
}

static enum gate_said
look(struct gate *g, const struct browser *b, ns_t now, bool touch)
{
    const struct http_request r = from_browser(HTTP_GET, b);

    return ask(g, &r, now, touch);
}

/* ---- sessions ---- */

static void
test_session(void **state)
{
    struct gate *g = simple();
    struct browser b = enter(g, "ines", ROLE_ANALYST, NOW);
    struct http_request r = from_browser(HTTP_GET, &b);
    struct gate_user u;

    (void)state;
    assert_int_equal(gate_ask(g, &r, NOW, true, &u), GATE_OK);
    assert_string_equal(u.name, "ines");
    assert_int_equal(u.roles, ROLE_ANALYST);
    assert_true(u.session);
    assert_int_equal(u.expires, NOW + GATE_IDLE_NS);
    assert_int_equal(u.warn, NOW + GATE_IDLE_NS - GATE_WARN_NS);
    assert_int_equal(strlen(u.csrf), GATE_TOKEN - 1);
    assert_string_equal(u.csrf, b.user.csrf);
    assert_int_equal(gate_sessions(g, NOW), 1);
    r.cookie = SPAN_NONE;
    assert_int_equal(ask(g, &r, NOW, true), GATE_NOBODY);
    gate_free(g);
    gate_free(NULL);
}

static void
test_cookie(void **state)
{
    static const char plain[] = "; Path=/; HttpOnly; SameSite=Strict";
    struct gate *g = simple();
    struct http_request r = request(HTTP_POST, "192.0.2.1");
    struct gate_user u;
    char cookie[GATE_COOKIE];

    (void)state;
    assert_int_equal(
        gate_enter(g, &r, SPAN_LIT("a"), ROLE_ADMIN, NOW, &u, cookie), ERR_OK);
    assert_memory_equal(cookie, "span25=", 7);
    assert_int_equal(strcspn(cookie, ";"), 7 + 64);
    assert_string_equal(strchr(cookie, ';'), plain);
    r.secure = true;
    assert_int_equal(
        gate_enter(g, &r, SPAN_LIT("a"), ROLE_ADMIN, NOW, &u, cookie), ERR_OK);
    assert_memory_equal(cookie, "__Host-span25=", 14);
    assert_string_equal(strchr(cookie, ';'),
                        "; Path=/; HttpOnly; SameSite=Strict; Secure");
    gate_leave(g, &r, cookie);
    assert_string_equal(cookie, "__Host-span25=; Path=/; Max-Age=0; HttpOnly; "
                                "SameSite=Strict; Secure");
    gate_free(g);
}

/* What is no cookie of ours, or may be two persons'. */
static void
test_bad_cookies(void **state)
{
    struct gate *g = simple();
    struct browser b = enter(g, "ines", ROLE_ANALYST, NOW);
    struct http_request r = from_browser(HTTP_GET, &b);
    const struct span good = r.cookie;
    static const struct {
        const char *why, *form;
        enum gate_said want;
    } rows[] = {
        {"among others", "a=b; %s; c=d",  GATE_OK    },
        {"no spaces",    "a=b;%s;c=d",    GATE_OK    },
        {"twice",        "%s; %s",        GATE_NOBODY},
        {"another too",  "%s; span25=x",  GATE_NOBODY},
        {"longer",       "%s0",           GATE_NOBODY},
        {"other name",   "x%s",           GATE_NOBODY},
        {"TLS name",     "__Host-%s",     GATE_NOBODY},
        {"in quotes",    "span25=\"%s\"", GATE_NOBODY},
        {"nothing",      "",              GATE_NOBODY},
        {"only signs",   ";;=;=;",        GATE_NOBODY},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512] = "";
        size_t n = 0;

        for (const char *f = rows[i].form; *f != 0; f++) {
            if (*f == '%') {
                memcpy(text + n, good.p, good.n);
                n += good.n;
                f++;
            } else {
                text[n++] = *f;
            }
        }
        r.cookie = span_of(text, n);
        if (ask(g, &r, NOW, true) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    for (size_t i = 7; i < good.n; i++) {
        char text[128];

        memcpy(text, good.p, good.n);
        text[i] = (char)(text[i] == '0' ? '1' : '0');
        r.cookie = span_of(text, good.n);
        assert_int_equal(ask(g, &r, NOW, true), GATE_NOBODY);
    }
    gate_free(g);
}

static void
test_idle(void **state)
{
    struct gate *g = simple();
    struct browser b = enter(g, "ines", ROLE_ANALYST, NOW);

    (void)state;
    assert_int_equal(look(g, &b, NOW + GATE_IDLE_NS - 1, false), GATE_OK);
    assert_int_equal(look(g, &b, NOW + 29 * MIN, true), GATE_OK);
    assert_int_equal(look(g, &b, NOW + 58 * MIN, true), GATE_OK);
    /* what a page does by itself keeps nobody in */
    assert_int_equal(look(g, &b, NOW + 80 * MIN, false), GATE_OK);
    assert_int_equal(look(g, &b, NOW + 88 * MIN, true), GATE_NOBODY);
    assert_int_equal(look(g, &b, NOW, true), GATE_NOBODY);
    assert_int_equal(gate_sessions(g, NOW + 88 * MIN), 0);
    gate_free(g);
}

static void
test_life(void **state)
{
    struct gate *g = simple();
    struct browser b = enter(g, "ines", ROLE_ANALYST, NOW);
    struct http_request r = from_browser(HTTP_GET, &b);
    struct gate_user u;

    (void)state;
    for (ns_t t = 0; t < GATE_LIFE_NS; t += 20 * MIN)
        assert_int_equal(gate_ask(g, &r, NOW + t, true, &u), GATE_OK);
    assert_int_equal(u.expires, NOW + GATE_LIFE_NS);
    assert_int_equal(look(g, &b, NOW + GATE_LIFE_NS - 1, true), GATE_OK);
    assert_int_equal(look(g, &b, NOW + GATE_LIFE_NS, true), GATE_NOBODY);
    gate_free(g);
}

/* A clock set back neither ends nor prolongs anything wildly. */
static void
test_clock_back(void **state)
{
    struct gate *g = simple();
    struct browser b = enter(g, "ines", ROLE_ANALYST, NOW);

    (void)state;
    assert_int_equal(look(g, &b, NOW - 60 * MIN, true), GATE_OK);
    assert_int_equal(look(g, &b, NOW - 31 * MIN, false), GATE_OK);
    assert_int_equal(look(g, &b, NOW - 30 * MIN, false), GATE_NOBODY);
    gate_free(g);
}

static void
test_no_fixation(void **state)
{
    struct gate *g = simple();
    struct browser b = enter(g, "mallory", ROLE_VIEWER, NOW), c;
    struct http_request r = from_browser(HTTP_POST, &b);

    (void)state;
    assert_int_equal(
        gate_enter(g, &r, SPAN_LIT("ines"), ROLE_ADMIN, NOW, &c.user, c.cookie),
        ERR_OK);
    assert_string_not_equal(b.cookie, c.cookie);
    assert_string_not_equal(b.user.csrf, c.user.csrf);
    assert_int_equal(look(g, &b, NOW, true), GATE_NOBODY);
    assert_int_equal(look(g, &c, NOW, true), GATE_OK);
    gate_leave(g, &r, b.cookie); /* the old id ends nothing */
    assert_int_equal(look(g, &c, NOW, true), GATE_OK);
    r = from_browser(HTTP_POST, &c);
    gate_leave(g, &r, b.cookie);
    assert_int_equal(look(g, &c, NOW, true), GATE_NOBODY);
    assert_int_equal(gate_sessions(g, NOW), 0);
    gate_free(g);
}

static void
test_table(void **state)
{
    struct gate *g = simple();
    struct browser first = enter(g, "first", ROLE_VIEWER, NOW), many;
    struct browser kept = enter(g, "kept", ROLE_VIEWER, NOW + 1);

    (void)state;
    for (unsigned i = 0; i < GATE_EACH + 1; i++)
        many = enter(g, "many", ROLE_VIEWER, NOW + 2 + i);
    assert_int_equal(look(g, &many, NOW + 30, true), GATE_OK);
    assert_int_equal(gate_sessions(g, NOW + 30), 2 + GATE_EACH);
    assert_int_equal(look(g, &first, NOW + 31, true), GATE_OK);
    assert_int_equal(look(g, &kept, NOW + 3 * MIN, true), GATE_OK);
    for (unsigned i = 0; i < GATE_SESSIONS; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "u%u", i);
        (void)enter(g, name, ROLE_VIEWER, NOW + 2 * MIN + i);
    }
    assert_int_equal(gate_sessions(g, NOW + 3 * MIN), GATE_SESSIONS);
    assert_int_equal(look(g, &first, NOW + 3 * MIN, true), GATE_NOBODY);
    assert_int_equal(look(g, &kept, NOW + 3 * MIN, true), GATE_OK);
    gate_free(g);
}

static unsigned
new_roles(void *ctx, struct span name)
{
    (void)ctx;
    return span_eq(name, SPAN_LIT("ines")) ? ROLE_ADMIN : 0;
}

static void
test_renew(void **state)
{
    struct gate *g = simple();
    struct browser gone = enter(g, "max", ROLE_VIEWER, NOW);
    struct browser more = enter(g, "ines", ROLE_VIEWER, NOW);
    struct browser same = enter(g, "ines", ROLE_ADMIN, NOW);

    (void)state;
    gate_renew(g, new_roles, NULL);
    assert_int_equal(look(g, &gone, NOW, true), GATE_NOBODY);
    assert_int_equal(look(g, &more, NOW, true), GATE_NOBODY);
    assert_int_equal(look(g, &same, NOW, true), GATE_OK);
    gate_free(g);
}

/* What goes on after a request ends with the session. */
static void
test_stays(void **state)
{
    struct gate *g = simple();
    struct browser b = enter(g, "ines", ROLE_ADMIN, NOW);
    struct browser c = enter(g, "max", ROLE_VIEWER, NOW);
    struct http_request r = from_browser(HTTP_GET, &b);
    struct http_request q = from_browser(HTTP_GET, &c);
    struct gate_user u, v;
    char cookie[GATE_COOKIE];

    (void)state;
    assert_int_equal(gate_ask(g, &r, NOW, true, &u), GATE_OK);
    assert_int_equal(gate_ask(g, &q, NOW, true, &v), GATE_OK);
    assert_true(u.number != v.number && u.number != 0);
    assert_true(gate_stays(g, u.number, NOW));
    assert_false(gate_stays(g, 0, NOW));
    assert_false(gate_stays(g, u.number, NOW + GATE_IDLE_NS));
    gate_leave(g, &r, cookie);
    assert_false(gate_stays(g, u.number, NOW));
    assert_true(gate_stays(g, v.number, NOW));
    gate_renew(g, new_roles, NULL);
    assert_false(gate_stays(g, v.number, NOW));
    gate_free(g);
}

/* ---- changes: token and origin ---- */

static void
test_token(void **state)
{
    struct gate *g = simple();
    struct browser a = enter(g, "ines", ROLE_VIEWER, NOW);
    struct browser b = enter(g, "max", ROLE_VIEWER, NOW);
    struct http_request r = from_browser(HTTP_POST, &a);
    char wrong[GATE_TOKEN];

    (void)state;
    assert_int_equal(ask(g, &r, NOW, true), GATE_OK);
    r.csrf = span_str(b.user.csrf);
    assert_int_equal(ask(g, &r, NOW, true), GATE_NO_TOKEN);
    r.csrf = SPAN_NONE;
    /* is no sign of life either */
    assert_int_equal(ask(g, &r, NOW + 20 * MIN, true), GATE_NO_TOKEN);
    assert_int_equal(look(g, &a, NOW + 31 * MIN, true), GATE_NOBODY);
    a = enter(g, "ines", ROLE_VIEWER, NOW);
    r = from_browser(HTTP_POST, &a);
    r.csrf = span_head(r.csrf, 63);
    assert_int_equal(ask(g, &r, NOW, true), GATE_NO_TOKEN);
    memcpy(wrong, a.user.csrf, sizeof(wrong));
    wrong[63] ^= 1;
    r.csrf = span_str(wrong);
    assert_int_equal(ask(g, &r, NOW, true), GATE_NO_TOKEN);
    r.method = HTTP_GET;
    assert_int_equal(ask(g, &r, NOW, true), GATE_OK);
    gate_free(g);
}

static void
test_origin(void **state)
{
    static const struct {
        const char *configured, *host, *origin, *site;
        bool tls;
        enum gate_said want;
    } rows[] = {
        {NULL,        "a",        "http://a",        "same-origin", false, GATE_OK     },
        {NULL,        "a",        "http://a",        "",            false, GATE_OK     },
        {NULL,        "a",        "",                "same-origin", false, GATE_OK     },
        {NULL,        "A:81",     "http://a:81",     "",            false, GATE_OK     },
        {NULL,        "a",        "https://a",       "same-origin", true,  GATE_OK     },
        {NULL,        "[::1]:81", "http://[::1]:81", "",            false, GATE_OK     },
        {NULL,        "a",        "",                "",            false, GATE_FOREIGN},
        {NULL,        "a",        "null",            "",            false, GATE_FOREIGN},
        {NULL,        "a",        "http://b",        "",            false, GATE_FOREIGN},
        {NULL,        "a",        "http://a.b",      "",            false, GATE_FOREIGN},
        {NULL,        "a",        "http://b.a",      "",            false, GATE_FOREIGN},
        {NULL,        "a",        "http://a:81",     "",            false, GATE_FOREIGN},
        {NULL,        "a",        "a",               "",            false, GATE_FOREIGN},
        {NULL,        "",         "http://",         "",            false, GATE_FOREIGN},
        {NULL,        "a",        "https://a",       "",            false, GATE_FOREIGN},
        {NULL,        "a",        "http://a",        "",            true,  GATE_FOREIGN},
        {NULL,        "a",        "http://a",        "cross-site",  false, GATE_FOREIGN},
        {NULL,        "a",        "http://a",        "same-site",   false, GATE_FOREIGN},
        {NULL,        "a",        "",                "none",        false, GATE_FOREIGN},
        {"https://a", "a",        "https://a",       "",            false, GATE_OK     },
        {"https://a", "b",        "https://a",       "",            false, GATE_FOREIGN},
        {"https://a", "a",        "http://a",        "",            false, GATE_FOREIGN},
        {"https://a", "b",        "http://b",        "same-origin", false, GATE_FOREIGN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct gate *g =
            gate_of((struct gate_options){.origin = rows[i].configured});
        struct http_request r = request(HTTP_POST, "192.0.2.1");
        struct gate_user u;
        char cookie[GATE_COOKIE];
        unsigned wait;

        r.secure = rows[i].tls;
        assert_int_equal(gate_enter(g, &r, SPAN_LIT("a"), 1, NOW, &u, cookie),
                         ERR_OK);
        r.cookie = span_head(span_str(cookie), strcspn(cookie, ";"));
        r.csrf = span_str(u.csrf);
        r.host = span_str(rows[i].host);
        r.origin = span_str(rows[i].origin);
        r.fetch_site = span_str(rows[i].site);
        if (ask(g, &r, NOW, true) != rows[i].want ||
            gate_try(g, &r, SPAN_LIT("a"), NOW, &wait) != rows[i].want)
            fail_msg("%zu: host %s origin %s", i, rows[i].host, rows[i].origin);
        gate_free(g);
    }
}

/* ---- users of a proxy, and a server that is open ---- */

static unsigned
ines_alone(void *ctx, struct span name)
{
    (void)ctx;
    return span_eq(name, SPAN_LIT("ines")) ? ROLE_REGISTRAR : 0;
}

static void
test_proxy(void **state)
{
    struct gate_options o = {.origin = "https://span25.example.org",
                             .user_roles = ines_alone,
                             .n_proxies = 1};
    struct http_request r = request(HTTP_GET, "192.0.2.9");
    struct gate_user u;
    struct gate *g;

    (void)state;
    assert_true(prefix_parse(SPAN_LIT("192.0.2.8/31"), &o.proxies[0]));
    g = gate_of(o);
    r.user = SPAN_LIT("ines");
    assert_int_equal(gate_ask(g, &r, NOW, true, &u), GATE_OK);
    assert_string_equal(u.name, "ines");
    assert_int_equal(u.roles, ROLE_REGISTRAR);
    assert_false(u.session);
    assert_int_equal(u.expires, 0);
    r.method = HTTP_POST;
    r.origin = span_str(o.origin);
    r.csrf = span_str(u.csrf);
    assert_int_equal(ask(g, &r, NOW, true), GATE_OK);
    r.csrf = SPAN_NONE;
    assert_int_equal(ask(g, &r, NOW, true), GATE_NO_TOKEN);
    r.method = HTTP_GET;
    r.user = SPAN_LIT("max");
    assert_int_equal(ask(g, &r, NOW, true), GATE_NOBODY);
    r.user = SPAN_LIT("ines\n");
    assert_int_equal(ask(g, &r, NOW, true), GATE_NOBODY);
    r.user = SPAN_LIT("ines");
    r.peer = peer("192.0.2.10"); /* says it himself */
    r.host = SPAN_LIT("span25.example.org");
    assert_int_equal(ask(g, &r, NOW, true), GATE_NOBODY);
    r.host = SPAN_LIT("other.example.org");
    assert_int_equal(ask(g, &r, NOW, true), GATE_FOREIGN);
    gate_free(g);
}

/* Behind a proxy that speaks TLS the cookie is for TLS alone. */
static void
test_proxy_cookie(void **state)
{
    struct gate *g = gate_of((struct gate_options){.origin = "https://span25"});
    struct http_request r = request(HTTP_POST, "192.0.2.9");
    struct gate_user u;
    char cookie[GATE_COOKIE];

    (void)state;
    assert_int_equal(gate_enter(g, &r, SPAN_LIT("a"), 1, NOW, &u, cookie),
                     ERR_OK);
    assert_memory_equal(cookie, "__Host-", 7);
    assert_non_null(strstr(cookie, "; Secure"));
    gate_free(g);
}

static void
test_open(void **state)
{
    static const struct {
        const char *host;
        enum gate_said want;
    } rows[] = {
        {"localhost:8025",   GATE_OK     },
        {"LOCALHOST",        GATE_OK     },
        {"127.0.0.1:8025",   GATE_OK     },
        {"[::1]:8025",       GATE_OK     },
        {"192.0.2.1",        GATE_OK     },
        {"evil.example.org", GATE_FOREIGN},
        {"localhost.evil",   GATE_FOREIGN},
        {"127.0.0.1.evil",   GATE_FOREIGN},
        {"",                 GATE_FOREIGN},
    };
    struct gate *g = gate_of(
        (struct gate_options){.open_user = "demo", .open_roles = ROLES_ALL});
    struct gate_user u;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_request r = request(HTTP_GET, "127.0.0.1");

        r.host = span_str(rows[i].host);
        if (gate_ask(g, &r, NOW, true, &u) != rows[i].want)
            fail_msg("%s", rows[i].host);
    }
    assert_string_equal(u.name, "demo");
    assert_int_equal(u.roles, ROLES_ALL);
    gate_free(g);
}

/* ---- tries ---- */

static unsigned
tries(struct gate *g, const char *from, const char *name, ns_t now,
      unsigned *wait)
{
    const struct http_request r = request(HTTP_POST, from);
    unsigned n = 0;

    while (n < 1000 && gate_try(g, &r, span_str(name), now, wait) == GATE_OK)
        n++;
    return n;
}

static void
test_tries(void **state)
{
    struct gate *g = simple();
    unsigned wait = 0;

    (void)state;
    assert_int_equal(tries(g, "192.0.2.1", "ines", NOW, &wait), 10);
    assert_int_equal(wait, 10);
    assert_int_equal(tries(g, "192.0.2.1", "max", NOW, &wait), 0);
    assert_int_equal(tries(g, "192.0.2.2", "ines", NOW, &wait), 0);
    /* of somebody who had to wait no token was taken */
    assert_int_equal(tries(g, "192.0.2.2", "max", NOW, &wait), 10);
    assert_int_equal(tries(g, "192.0.2.1", "ines", NOW + 9 * NS_PER_S, &wait),
                     0);
    assert_int_equal(wait, 1);
    assert_int_equal(tries(g, "192.0.2.1", "ines", NOW + 20 * NS_PER_S, &wait),
                     2);
    assert_int_equal(tries(g, "192.0.2.1", "ines", NOW + 60 * MIN, &wait), 10);
    /* the same /64; names that nobody has are counted alike */
    assert_int_equal(tries(g, "2001:db8::1", "x", NOW, &wait), 10);
    assert_int_equal(tries(g, "2001:db8::2", "y", NOW, &wait), 0);
    assert_int_equal(tries(g, "2001:db8:0:1::1", "x", NOW, &wait), 0);
    assert_int_equal(tries(g, "2001:db8:0:1::1", "y", NOW, &wait), 10);
    gate_free(g);
}

static void
test_tries_of_all(void **state)
{
    struct gate *g = simple();
    unsigned wait = 0, n = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        char from[16], name[16];
        struct http_request r;

        (void)snprintf(from, sizeof(from), "192.0.2.%u", i);
        (void)snprintf(name, sizeof(name), "u%u", i);
        r = request(HTTP_POST, from);
        n += gate_try(g, &r, span_str(name), NOW, &wait) == GATE_OK;
    }
    assert_int_equal(n, 60);
    assert_int_equal(wait, 1);
    gate_free(g);
}

/* Those who get in do not use up anything. */
static void
test_tries_given_back(void **state)
{
    struct gate *g = simple();
    unsigned wait;

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        (void)enter(g, "ines", ROLE_VIEWER, NOW);
    assert_int_equal(tries(g, "192.0.2.1", "ines", NOW, &wait), 10);
    gate_free(g);
}

/* ---- from several threads ---- */

static void *
in_and_out(void *ctx)
{
    struct gate *g = ctx;

    for (unsigned i = 0; i < 100; i++) {
        struct browser b = {.cookie = ""};
        struct http_request r = request(HTTP_POST, "192.0.2.1");
        unsigned wait;

        (void)!gate_try(g, &r, SPAN_LIT("x"), NOW, &wait);
        if (gate_enter(g, &r, SPAN_LIT("ines"), ROLE_VIEWER, NOW, &b.user,
                       b.cookie) != ERR_OK)
            return g;
        r = from_browser(HTTP_GET, &b);
        if (i % 4 == 0)
            gate_renew(g, new_roles, NULL);
        (void)ask(g, &r, NOW, true);
        gate_leave(g, &r, b.cookie);
    }
    return NULL;
}

static void
test_threads(void **state)
{
    struct gate *g = simple();
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, in_and_out, g), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *bad = g;

        assert_int_equal(pthread_join(threads[i], &bad), 0);
        assert_null(bad);
    }
    assert_int_equal(gate_sessions(g, NOW), 0);
    gate_free(g);
}

static void
test_words(void **state)
{
    (void)state;
    assert_int_equal(gate_status(GATE_OK), 200);
    assert_int_equal(gate_status(GATE_NOBODY), 401);
    assert_int_equal(gate_status(GATE_FOREIGN), 403);
    assert_int_equal(gate_status(GATE_NO_TOKEN), 403);
    assert_int_equal(gate_status(GATE_ROLE), 403);
    assert_int_equal(gate_status(GATE_SLOW), 429);
    for (unsigned i = GATE_OK; i <= GATE_SLOW; i++)
        assert_true(strlen(gate_text((enum gate_said)i)) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_bad_cookies),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_clock_back),
        cmocka_unit_test(test_no_fixation),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_renew),
        cmocka_unit_test(test_stays),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_proxy_cookie),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_tries_of_all),
        cmocka_unit_test(test_tries_given_back),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
