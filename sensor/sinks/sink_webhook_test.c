#include "sensor/sinks/sink_webhook.h"

#include "sensor/sinks/sink_test_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EARLY_BYTES ((size_t)40 << 20) /* more than sockets hold */

/* A server in a process of its own, which ends with us. It answers with the
 * codes in turn, and with the last one from then on; without codes with 401 as
 * soon as the head is there, and reads the body then. */
struct server {
    pid_t pid;
    char url[100];
};

static void
answer_requests(int fd, const unsigned **code)
{
    char in[65536];
    char out[100];
    size_t n = 0;
    ssize_t got;

    while (n < sizeof(in) - 1 &&
           (got = read(fd, in + n, sizeof(in) - 1 - n)) > 0) {
        char *end, *length;

        n += (size_t)got;
        in[n] = '\0';
        end = strstr(in, "\r\n\r\n");
        length = strstr(in, "Content-Length: ");
        if (end == NULL || length == NULL ||
            n < (size_t)(end + 4 - in) + strtoul(length + 16, NULL, 10))
            continue;
        n = 0;
        got = snprintf(out, sizeof(out),
                       "HTTP/1.1 %u x\r\nRetry-After: 0\r\n"
                       "Content-Length: 0\r\n\r\n",
                       **code);
        if (write(fd, out, (size_t)got) != got)
            return;
        *code += (*code)[1] != 0;
    }
}

/* False: the connection is over. */
static bool
answer_early(int fd)
{
    static const char out[] = "HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n";
    char in[4096];
    size_t n = 0, left;
    const char *end = NULL, *length;
    ssize_t got = 1;

    in[0] = '\0';
    while (end == NULL && n < sizeof(in) - 1 &&
           (got = read(fd, in + n, sizeof(in) - 1 - n)) > 0) {
        n += (size_t)got;
        in[n] = '\0';
        end = strstr(in, "\r\n\r\n");
    }
    length = strstr(in, "Content-Length: ");
    if (end == NULL || length == NULL ||
        write(fd, out, sizeof(out) - 1) != (ssize_t)sizeof(out) - 1)
        return false;
    (void)poll(NULL, 0, 100);
    left = strtoul(length + 16, NULL, 10) - (n - (size_t)(end + 4 - in));
    for (; left > 0 && got > 0; left -= (size_t)(got > 0 ? got : 0))
        got = read(fd, in, left < sizeof(in) ? left : sizeof(in));
    return got > 0;
}

_Noreturn static void
serve(int listener, const unsigned *codes)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0)
            _exit(1);
        while (codes == NULL && answer_early(fd))
            continue;
        if (codes != NULL)
            answer_requests(fd, &codes);
        (void)close(fd);
    }
}

static void
server_init(struct server *s, const unsigned *codes)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (const struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/x",
                   (unsigned)ntohs(at.sin_port));
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0)
        serve(listener, codes);
    (void)close(listener);
}

static void
server_fini(struct server *s)
{
    int status = 0;

    assert_int_equal(kill(s->pid, SIGKILL), 0);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
}

static void
test_as_every_kind(void **state)
{
    static const unsigned codes[] = {200, 0};
    struct server server;

    (void)state;
    server_init(&server, codes);
    kit_check_kind(&sink_webhook, server.url);
    server_fini(&server);
}

struct told {
    char text[20];
    size_t n;
};

static void
note(void *ctx, bool delivered)
{
    struct told *t = ctx;

    assert_true(t->n < sizeof(t->text) - 1);
    t->text[t->n++] = delivered ? '+' : '-';
}

/* Refused ones between others, and the order of what is told of each. */
static void
test_order_of_what_settles(void **state)
{
    static const unsigned codes[] = {200, 404, 503, 204, 429, 410, 200, 0};
    struct told told = {.n = 0};
    struct server server;
    struct sink_settings settings = {.settled = note, .ctx = &told};
    struct kit_event e = {.type = EVENT_ALERT, .src = "192.0.2.7"};
    struct sink *s;
    struct kit k;

    (void)state;
    server_init(&server, codes);
    kit_init(&k);
    settings.target = server.url;
    s = kit_open_with("webhook", &settings);
    for (e.id = 0; e.id < 5; e.id++)
        assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
    kit_check_counts(s, 5, 0, 0);
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, 5, 3, 2);
    assert_string_equal(told.text, "+-+-+");
    s->ops->close(s);
    kit_fini(&k);
    server_fini(&server);
}

/* Nobody there: it takes what it has room for and says why it waits. */
static void
test_nobody_there(void **state)
{
    const struct sink_value values[] = {
        {"queue-lines", "2"}
    };
    struct kit_event e = {.type = EVENT_ALERT, .src = "192.0.2.7"};
    struct sink *s = kit_open("webhook", "http://127.0.0.1:1", values, 1);
    struct kit k;

    (void)state;
    kit_init(&k);
    assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
    assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
    assert_int_equal(kit_put(&k, s, &e), PUT_BUSY);
    for (unsigned i = 0; i < 50; i++)
        kit_turn(&k, s);
    assert_true(kit_why_has(s, "refused"));
    assert_int_equal(s->ops->flush(s), PUT_BUSY);
    kit_check_counts(s, 2, 0, 0);
    s->ops->close(s);
    kit_fini(&k);
}

/* The answer comes before the request is written: what is left of it must not
 * swallow the next one. */
static void
test_answer_to_half_a_request(void **state)
{
    const struct sink_value values[] = {
        {"queue-mib", "64"}
    };
    struct kit_event e = {.type = EVENT_ALERT, .src = "192.0.2.7"};
    char *line = malloc(EARLY_BYTES);
    struct server server;
    struct sink *s;
    struct kit k;

    (void)state;
    assert_non_null(line);
    memset(line, 'x', EARLY_BYTES);
    server_init(&server, NULL);
    kit_init(&k);
    s = kit_open("webhook", server.url, values, 1);
    kit_make(&k, &e);
    assert_int_equal(
        s->ops->put(s, record_view(&k.record), span_of(line, EARLY_BYTES)),
        PUT_DONE);
    assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
    for (unsigned i = 0; i < 2000 && s->ops->counts(s).refused < 2; i++)
        kit_turn(&k, s);
    kit_check_counts(s, 2, 0, 2);
    s->ops->close(s);
    kit_fini(&k);
    free(line);
    server_fini(&server);
}

/* It waits for half a second after the 503, and the clock goes back an hour. */
static void
test_clock_that_is_set_back(void **state)
{
    static const unsigned codes[] = {503, 200, 0};
    struct kit_event e = {.type = EVENT_ALERT, .src = "192.0.2.7"};
    struct server server;
    struct sink *s;
    struct kit k;

    (void)state;
    server_init(&server, codes);
    kit_init(&k);
    k.now = 7200 * NS_PER_S;
    s = kit_open("webhook", server.url, NULL, 0);
    assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
    for (unsigned i = 0; i < KIT_PATIENCE && !kit_why_is(s, "503"); i++)
        kit_turn(&k, s);
    k.now -= 3600 * NS_PER_S;
    for (unsigned i = 0; i < 100; i++) /* a second */
        kit_turn(&k, s);
    kit_check_counts(s, 1, 1, 0);
    s->ops->close(s);
    kit_fini(&k);
    server_fini(&server);
}

static const struct {
    const char *target;
    enum err want;
} targets[] = {
    {"http://a",                ERR_OK    },
    {"https://a:8443/x?y=z",    ERR_OK    },
    {"http://[2001:db8::1]:80", ERR_OK    },
    {"HTTP://a",                ERR_CONFIG},
    {"a",                       ERR_CONFIG},
    {"http://",                 ERR_CONFIG},
    {"http://a:0",              ERR_CONFIG},
    {"http://u:p@a/",           ERR_CONFIG},
    {"http://a/\r\nX: y",       ERR_CONFIG},
    {"http://a/#b",             ERR_CONFIG},
};

static void
test_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        const struct sink_settings settings = {.target = targets[i].target};
        struct sink *s = NULL;
        struct buf message;

        buf_init(&message, 4096);
        if (sink_open(SPAN_LIT("webhook"), &settings, &s, &message) !=
            targets[i].want)
            fail_msg("%s", targets[i].target);
        assert_int_equal(message.n > 0, targets[i].want != ERR_OK);
        if (s != NULL)
            s->ops->close(s);
        buf_free(&message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_every_kind),
        cmocka_unit_test(test_order_of_what_settles),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_answer_to_half_a_request),
        cmocka_unit_test(test_clock_that_is_set_back),
        cmocka_unit_test(test_targets),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
