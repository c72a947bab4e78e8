#include "sensor/app/serve_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

/* A state that is not there: every verb says so (503), whatever it was asked.
 */
struct kit {
    struct cli cli;
    struct serve *serve;
    struct buf out;
};

static int
setup(void **state)
{
    static char words[4][16] = {"span25", "serve", "--state", "/dev/null/x"};
    static char *argv[] = {words[0], words[1], words[2], words[3], NULL};
    static struct kit k;

    buf_init(&k.out, SERVE_ANSWER);
    assert_int_equal(cli_parse(4, argv, &k.cli, &k.out), ERR_OK);
    assert_int_equal(
        serve_new(&(struct serve_options){.cli = &k.cli}, &k.serve), ERR_OK);
    *state = &k;
    return 0;
}

static int
teardown(void **state)
{
    struct kit *k = *state;

    serve_free(k->serve);
    cli_free(&k->cli);
    buf_free(&k->out);
    return 0;
}

static unsigned
ask(struct kit *k, unsigned roles, enum http_method method, const char *path,
    const char *body)
{
    const struct serve_caller who = {"ines", roles};
    const struct serve_request r = {.method = method,
                                    .path = span_str(path),
                                    .body = span_str(body),
                                    .id = "1"};

    buf_reset(&k->out);
    return serve_call(k->serve, &who, &r, &k->out);
}

static bool
says(const struct kit *k, const char *text)
{
    return span_search(buf_view(&k->out), span_str(text)) < k->out.n;
}

/* A path that fits: {name} becomes an address, which is also a word. */
static const char *
path_of(const struct serve_route *r, char *out, size_t n)
{
    (void)snprintf(out, n, "%.*s%s", (int)strcspn(r->path, "{"), r->path,
                   strchr(r->path, '{') != NULL ? "10.0.0.1" : "");
    return out;
}

static void
test_each_route_with_each_role(void **state)
{
    struct kit *k = *state;

    for (unsigned i = 0; i < SERVE_ROUTES; i++) {
        const struct serve_route *r = &serve_routes[i];
        char path[128];

        for (unsigned role = 0; role <= ROLE_ADMIN;
             role = role > 0 ? role * 2 : 1) {
            const unsigned got =
                ask(k, role, r->method, path_of(r, path, sizeof(path)), "{}");
            const unsigned want = r->roles == SERVE_ROLES_NOBODY ? 0
                                  : role == 0                    ? 401
                                  : (r->roles & role) == 0       ? 403
                                                                 : 0;

            if (want != 0 ? got != want : got == 401 || got == 403)
                fail_msg("%s, role %u: %u", r->path, role, got);
        }
        /* what changes something is not for who only looks */
        if (r->method == HTTP_POST && r->how == SERVE_VERB &&
            (r->roles & ROLE_VIEWER) != 0)
            fail_msg("%s is for all", r->path);
    }
}

/* Were one of them taken for a flag, the verb would be another one. */
static void
test_no_value_is_an_option(void **state)
{
    static const char *const paths[] = {"/alerts/--help", "/alerts/-h",
                                        "/sessions/--version", "/alerts/--",
                                        "/sessions/--state=x"};
    static const char *const bodies[] = {
        "{\"subject\":\"--dry-run\",\"for\":\"--help\",\"reason\":\"--"
        "version\"}",
        "{\"subject\":\"-h\",\"reason\":\"--state=/tmp\"}"};
    struct kit *k = *state;

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (ask(k, ROLE_ADMIN, HTTP_GET, paths[i], "") != 503)
            fail_msg("%s: %.*s", paths[i], (int)k->out.n,
                     (const char *)k->out.p);
    }
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        if (ask(k, ROLE_ADMIN, HTTP_POST, "/blocks/add", bodies[i]) != 503)
            fail_msg("%s", bodies[i]);
    }
}

static void
test_bodies(void **state)
{
    static const struct {
        const char *why, *body, *says;
        unsigned want;
    } rows[] = {
        {"fine",         "{\"subject\":\"10.0.0.1\"}",       "",            503},
        {"null is none", "{\"subject\":\"x\",\"for\":null}", "",            503},
        {"no object",    "[1]",                              "no",          400},
        {"cut",          "{\"subject\":\"x\"",               "JSON object", 400},
        {"two",          "{}{}",                             "JSON object", 400},
        {"unknown",      "{\"subjects\":\"x\"}",             "subjects",    400},
        {"unknown null", "{\"subjects\":null}",              "subjects",    400},
        {"twice",        "{\"for\":\"1h\",\"for\":\"2h\"}",  "twice",       400},
        {"a list",       "{\"for\":[\"1h\"]}",               "list",        400},
        {"an object",    "{\"for\":{}}",                     "text",        400},
        {"a NUL",        "{\"for\":\"1\\u0000\"}",           "NUL",         400},
        {"too long",
         "{\"for\":\"1111111111111111111111111111111111111111111111111111111111"
         "1111111111\"}",                                    "long",        400},
    };
    struct kit *k = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const unsigned got =
            ask(k, ROLE_ADMIN, HTTP_POST, "/blocks/add", rows[i].body);

        if (got != rows[i].want || !says(k, rows[i].says))
            fail_msg("%s: %u", rows[i].why, got);
    }
}

static void
test_unknown_parameter_is_named(void **state)
{
    const struct http_pair pair = {SPAN_LIT("colour"), SPAN_LIT("red")};
    const struct serve_caller who = {"ines", ROLE_VIEWER};
    struct kit *k = *state;

    for (unsigned i = 0; i < SERVE_ROUTES; i++) {
        const struct serve_route *r = &serve_routes[i];
        char path[128];
        const struct serve_request q = {
            .method = HTTP_GET,
            .path = span_str(path_of(r, path, sizeof(path))),
            .query = &pair,
            .n_query = 1};

        if (r->method != HTTP_GET || r->how == SERVE_HERE ||
            (r->roles & ROLE_VIEWER) == 0)
            continue;
        buf_reset(&k->out);
        if (serve_call(k->serve, &who, &q, &k->out) != 400 ||
            !says(k, "colour"))
            fail_msg("%s", r->path);
    }
    assert_int_equal(ask(k, ROLE_ADMIN, HTTP_POST, "/alerts", ""), 405);
    assert_int_equal(ask(k, ROLE_ADMIN, HTTP_GET, "/alerts/x/y", ""), 404);
    assert_int_equal(ask(k, ROLE_ADMIN, HTTP_GET, "/hosts/10.0.0", ""), 400);
    assert_true(says(k, "not an address"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_route_with_each_role, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_no_value_is_an_option, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_parameter_is_named, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
