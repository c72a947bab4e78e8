/* users_test - linked with --wrap=crypt_rn, which counts, and with wrapped
 * allocations */
#include <crypt.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "alloc_fails.h"
#include "dashboards/http/users.h"
#include "tempdir.h"

/* Cheap ones of "correct horse". */
#define YES                                                                    \
    "$y$j75$/2E./2E./2E./2E./2E./2E./2E./2E./2E./2E./2.$"                      \
    "sqpSTCAFhU94LQ4clcwV1OFNLQOCwkYZCMNKDUr2xP8"
#define SCRYPT                                                                 \
    "$7$BU..../..../2E./2E./2E./2E./2E./2E./2E./2E./2E./2E./2.$"               \
    "ym2nqVufY8wTN5HBiDUwppY2Q.mMwEHI4lERGrGLXt."
#define SHA512                                                                 \
    "$6$rounds=1000$/2E./2E./2E./2E.$IwMV88p/4fqytaZmQsxro5wRvvp3lOKId9xk"     \
    "QvbIJA.Xc2yGBgBzfqVbIy9SWyM12eev7w32km/2GmqJ9agvg1"
#define SHA256                                                                 \
    "$5$rounds=1000$/2E./2E./2E./2E.$0lwpdz5iSPr8rUS2zt3srHyvcLBLjLYk3/"       \
    "VNgzwcWI."
#define BCRYPT "$2b$04$.OC/.OC/.OC/.OC/.OC/.OTDCgYuQlTXCUtR9CRsLPDlWCfEqSuE."
#define MD5    "$1$/2E./2E.$iO0TM2KKVp/GZXrGmXnx.0"

static unsigned tries;
static char last_hash[CRYPT_OUTPUT_SIZE];

char *__real_crypt_rn(const char *p, const char *s, void *d,
                      int n); /* NOLINT */
char *__wrap_crypt_rn(const char *p, const char *s, void *d,
                      int n); /* NOLINT */

char *
__wrap_crypt_rn(const char *p, const char *s, void *d, int n) /* NOLINT */
{
    tries++;
    (void)snprintf(last_hash, sizeof(last_hash), "%s", s);
    return __real_crypt_rn(p, s, d, n);
}

static enum err
load(const char *text, mode_t mode, struct users **out, struct buf *message)
{
    struct tempdir t;
    struct tempdir_name file;
    enum err e;

    tempdir_make(&t);
    tempdir_store(t.path, "users", text, strlen(text));
    file = tempdir_name(t.path, "users");
    assert_int_equal(chmod(file.s, mode), 0);
    buf_init(message, 1000);
    e = users_load(file.s, out, message);
    /* as from the folder it is in */
    if (message->n > 0) {
        const size_t n = strlen(t.path) + 1;

        memmove(message->p, message->p + n, message->n - n);
        message->n -= n;
    }
    buf_putc(message, 0);
    tempdir_remove(&t);
    return e;
}

static struct users *
loaded(const char *text)
{
    struct users *u = NULL;
    struct buf message;

    assert_int_equal(load(text, 0640, &u, &message), ERR_OK);
    buf_free(&message);
    return u;
}

static void
test_load(void **state)
{
    struct users *u = loaded("# who\n\n  ines:analyst, registrar:" YES "  \n"
                             "a.b@c_d-e:admin:" SHA512 "\nx:viewer:" SCRYPT);

    (void)state;
    assert_int_equal(users_count(u), 3);
    assert_int_equal(users_roles(u, SPAN_LIT("ines")),
                     ROLE_ANALYST | ROLE_REGISTRAR);
    assert_int_equal(users_roles(u, SPAN_LIT("x")), ROLE_VIEWER);
    assert_int_equal(users_roles(u, SPAN_LIT("ine")), 0);
    assert_int_equal(users_roles(u, SPAN_LIT("Ines")), 0);
    users_free(u);
    u = loaded("");
    assert_int_equal(users_count(u), 0);
    users_free(u);
    users_free(NULL);
}

static const struct {
    const char *why, *text, *want;
} wrong[] = {
    {"no hash",          "a:admin",                         "users:1: a line is name:roles:hash"},
    {"empty hash",       "a:admin:",                        "users:1: the hash is none of "     },
    {"line counted",     "# x\n\na:b:" YES,                 "users:3: roles are "               },
    {"no roles",         "a::" YES,                         "users:1: roles are "               },
    {"comma at the end", "a:admin,:" YES,                   "users:1: roles are "               },
    {"no name",          ":admin:" YES,                     "users:1: a name has "              },
    {"space in a name",  "a b:admin:" YES,                  "users:1: a name has "              },
    {"like an option",   "-a:admin:" YES,                   "users:1: a name has "              },
    {"65 letters",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:"
     "admin:" YES,
     "users:1: a name has "                                                                     },
    {"twice",            "a:admin:" YES "\na:viewer:" YES,  "users:2: this name is "            },
    {"plain text",       "a:admin:secret",                  "users:1: the hash is none of "     },
    {"locked",           "a:admin:!" YES,                   "users:1: the hash is none of "     },
    {"MD5",              "a:admin:" MD5,                    "users:1: the hash is none of "     },
    {"SHA-256",          "a:admin:" SHA256,                 "users:1: the hash is none of "     },
    {"bcrypt",           "a:admin:" BCRYPT,                 "users:1: the hash is none of "     },
    {"cut",              "a:admin:$y$j75$/2E./2E.$sqpSTCA", "users:1: the hash is none of "     },
    {"no salt",          "a:admin:$6$",                     "users:1: the hash is none of "     },
    {"more behind",      "a:admin:" YES ":x",               "users:1: the hash is none of "     },
};

static void
test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct users *u = NULL;
        struct buf message;

        if (load(wrong[i].text, 0600, &u, &message) != ERR_CONFIG ||
            u != NULL ||
            !span_starts(buf_view(&message), span_str(wrong[i].want)))
            fail_msg("%s: %s", wrong[i].why, (const char *)message.p);
        buf_free(&message);
    }
}

static void
test_modes(void **state)
{
    static const struct {
        mode_t mode;
        enum err want;
    } rows[] = {
        {0600, ERR_OK  },
        {0400, ERR_OK  },
        {0640, ERR_OK  },
        {0644, ERR_PERM},
        {0604, ERR_PERM},
        {0602, ERR_PERM},
        {0660, ERR_PERM},
    };
    struct buf message;
    struct users *u = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        u = NULL;
        assert_int_equal(load("a:admin:" YES, rows[i].mode, &u, &message),
                         rows[i].want);
        assert_true((u != NULL) == (rows[i].want == ERR_OK));
        assert_true((message.n > 1) == (rows[i].want != ERR_OK));
        buf_free(&message);
        users_free(u);
    }
    assert_int_equal(users_load("/nowhere/users", &u, &message), ERR_NOENT);
    assert_int_equal(users_load("/dev/null", &u, &message), ERR_CONFIG);
    buf_free(&message);
}

static void
test_long_file(void **state)
{
    struct buf text, message;
    struct users *u = NULL;

    (void)state;
    buf_init(&text, USERS_FILE + 100);
    for (unsigned i = 0; i < USERS_MAX; i++)
        buf_printf(&text, "u%u:viewer:%s\n", i, YES);
    buf_putc(&text, 0);
    assert_int_equal(load((char *)text.p, 0600, &u, &message), ERR_OK);
    assert_int_equal(users_count(u), USERS_MAX);
    users_free(u);
    buf_free(&message);
    text.n--;
    buf_printf(&text, "more:viewer:%s\n", YES);
    buf_putc(&text, 0);
    assert_int_equal(load((char *)text.p, 0600, &u, &message), ERR_CONFIG);
    buf_free(&message);
    text.n--;
    while (text.n < USERS_FILE)
        buf_putc(&text, '\n');
    buf_str(&text, "\n");
    buf_putc(&text, 0);
    assert_int_equal(load((char *)text.p, 0600, &u, &message), ERR_LIMIT);
    buf_free(&message);
    buf_free(&text);
}

static void
test_check(void **state)
{
    static const char *const names[] = {"y", "s", "h"};
    static char nul[] = "correct horse\0";
    const struct span right = SPAN_LIT("correct horse");
    struct users *u = loaded("y:viewer:" YES "\ns:analyst:" SCRYPT
                             "\nh:registrar,admin:" SHA512 "\n");
    char *big = calloc(1, USERS_PASSWORD + 2);

    (void)state;
    assert_non_null(big);
    memset(big, 'x', USERS_PASSWORD + 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct span name = span_str(names[i]);

        assert_int_equal(users_check(u, name, right), users_roles(u, name));
        assert_int_equal(users_check(u, name, SPAN_LIT("correct hors")), 0);
        assert_int_equal(users_check(u, name, SPAN_LIT("correct horse ")), 0);
        assert_int_equal(users_check(u, name, SPAN_NONE), 0);
        assert_int_equal(users_check(u, name, span_of(nul, sizeof(nul))), 0);
        assert_int_equal(users_check(u, name, span_of(big, USERS_PASSWORD + 1)),
                         0);
    }
    assert_int_equal(users_check(u, SPAN_LIT("nobody"), right), 0);
    assert_int_equal(users_check(u, SPAN_NONE, right), 0);
    free(big);
    users_free(u);
}

/* Whatever is given, one hash is computed; for a name that is not there it is
 * the hash of somebody who is, and always the same. */
static void
test_same_cost(void **state)
{
    static const char *const names[] = {"y", "s", "nobody", "", "-", "a b"};
    struct users *u = loaded("y:viewer:" YES "\ns:analyst:" SHA512 "\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char first[CRYPT_OUTPUT_SIZE];

        tries = 0;
        assert_int_equal(users_check(u, span_str(names[i]), SPAN_LIT("wrong")),
                         0);
        assert_int_equal(tries, 1);
        assert_true(strcmp(last_hash, YES) == 0 ||
                    strcmp(last_hash, SHA512) == 0);
        memcpy(first, last_hash, sizeof(first));
        assert_int_equal(users_check(u, span_str(names[i]), SPAN_NONE), 0);
        assert_int_equal(tries, 2);
        assert_string_equal(first, last_hash);
    }
    users_free(u);
    u = loaded("");
    tries = 0;
    assert_int_equal(users_check(u, SPAN_LIT("a"), SPAN_LIT("b")), 0);
    assert_int_equal(tries, 1);
    assert_memory_equal(last_hash, "$y$", 3);
    users_free(u);
}

static void
test_hash(void **state)
{
    struct buf line, other;
    struct users *u;

    (void)state;
    buf_init(&line, 1000);
    buf_init(&other, 1000);
    buf_str(&line, "new:firewall:");
    assert_int_equal(users_hash(SPAN_LIT("p\xc3\xa4ss:word"), &line), ERR_OK);
    assert_int_equal(users_hash(SPAN_LIT("p\xc3\xa4ss:word"), &other), ERR_OK);
    assert_true(span_search(buf_view(&line), buf_view(&other)) == line.n);
    buf_putc(&line, 0);
    u = loaded((char *)line.p);
    assert_int_equal(
        users_check(u, SPAN_LIT("new"), SPAN_LIT("p\xc3\xa4ss:word")),
        ROLE_FIREWALL);
    assert_int_equal(users_check(u, SPAN_LIT("new"), SPAN_LIT("pass:word")), 0);
    users_free(u);
    buf_reset(&line);
    assert_int_equal(users_hash(SPAN_NONE, &line), ERR_LIMIT);
    assert_int_equal(users_hash(SPAN_LIT("a\0b"), &line), ERR_LIMIT);
    assert_int_equal(line.n, 0);
    buf_free(&line);
    buf_free(&other);
}

static void
test_roles(void **state)
{
    unsigned set = 0;

    (void)state;
    for (unsigned i = 0; roles_name(i) != NULL; i++) {
        assert_true(roles_parse(span_str(roles_name(i)), &set));
        assert_int_equal(set, 1U << i);
    }
    assert_null(roles_name(5));
    assert_true(
        roles_parse(SPAN_LIT("admin,viewer,firewall,analyst,registrar"), &set));
    assert_int_equal(set, ROLES_ALL);
    assert_false(roles_parse(SPAN_LIT(""), &set));
    assert_false(roles_parse(SPAN_LIT("Admin"), &set));
    assert_false(roles_parse(SPAN_LIT("viewer admin"), &set));
}

/* Whichever allocation fails: no users, or none that get in. */
static void
test_no_memory(void **state)
{
    struct tempdir t;
    struct tempdir_name file;
    struct users *u = NULL;
    struct buf message;
    enum err e = ERR_NOMEM;
    int n = 0;

    (void)state;
    tempdir_make(&t);
    tempdir_store(t.path, "users", "y:viewer:" YES,
                  sizeof("y:viewer:" YES) - 1);
    file = tempdir_name(t.path, "users");
    assert_int_equal(chmod(file.s, 0600), 0);
    for (; e != ERR_OK && n < 100; n++) {
        buf_init(&message, 1000);
        calls_left = n;
        e = users_load(file.s, &u, &message);
        calls_left = -1;
        buf_free(&message);
        assert_true(e == ERR_OK || (e == ERR_NOMEM && u == NULL));
    }
    assert_in_range(n, 2, 99);
    calls_left = 0;
    assert_int_equal(users_check(u, SPAN_LIT("y"), SPAN_LIT("correct horse")),
                     0);
    calls_left = 0;
    assert_int_equal(users_hash(SPAN_LIT("a"), &message), ERR_NOMEM);
    calls_left = -1;
    users_free(u);
    tempdir_remove(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),      cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_modes),     cmocka_unit_test(test_long_file),
        cmocka_unit_test(test_check),     cmocka_unit_test(test_same_cost),
        cmocka_unit_test(test_hash),      cmocka_unit_test(test_roles),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
