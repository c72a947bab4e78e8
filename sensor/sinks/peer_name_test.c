#include "sensor/sinks/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a resolver that answers when it is told to ---- */

/* All of the tests' state, for the resolver is given none. */
static struct {
    sem_t asked, may_answer;
    uint16_t port; /* 0: there is no such name */
} resolver;

struct answer {
    struct addrinfo info;
    struct sockaddr_in to;
};

static int
answer(const char *address, uint16_t port, struct addrinfo **out)
{
    struct answer *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->to.sin_family = AF_INET;
    a->to.sin_port = htons(port);
    assert_int_equal(inet_pton(AF_INET, address, &a->to.sin_addr), 1);
    a->info.ai_family = AF_INET;
    a->info.ai_socktype = SOCK_STREAM;
    a->info.ai_addr = (struct sockaddr *)&a->to;
    a->info.ai_addrlen = sizeof(a->to);
    *out = &a->info;
    return 0;
}

int
getaddrinfo(const char *restrict name, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict out)
{
    if ((hints->ai_flags & AI_NUMERICHOST) != 0) {
        if (strcmp(name, "127.0.0.1") != 0)
            return EAI_NONAME;
        return answer(name, (uint16_t)strtoul(service, NULL, 10), out);
    }
    (void)sem_post(&resolver.asked);
    (void)sem_wait(&resolver.may_answer);
    return resolver.port > 0 ? answer("127.0.0.1", resolver.port, out)
                             : EAI_AGAIN;
}

void
freeaddrinfo(struct addrinfo *all)
{
    free(all);
}

static int
reset(void **state)
{
    (void)state;
    resolver.port = 0;
    (void)sem_init(&resolver.asked, 0, 0);
    (void)sem_init(&resolver.may_answer, 0, 0);
    return 0;
}

/* ---- the tests ---- */

static int
listen_anywhere(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void
begin(struct peer *p, const char *target)
{
    struct buf message;

    buf_init(&message, 4096);
    peer_init(p);
    assert_int_equal(peer_set_host(p, target, 1, &message), ERR_OK);
    buf_free(&message);
}

/* Until it is no more in this state. */
static void
leave_state(struct peer *p, enum peer_state s)
{
    for (ns_t now = 2; p->state == s; now++) {
        peer_wait(p, false, 1000);
        peer_tick(p, now);
    }
}

static void
numbers_need_no_thread(void **state)
{
    int value = 0;
    struct peer p;

    (void)state;
    begin(&p, "127.0.0.1:9");
    peer_tick(&p, 1);
    assert_true(p.state != PEER_NAMING);
    assert_int_equal(sem_getvalue(&resolver.asked, &value), 0);
    assert_int_equal(value, 0);
    peer_fini(&p);
}

/* Nobody listens, and the clock goes back an hour: it calls again all the same.
 */
static void
a_clock_that_is_set_back(void **state)
{
    ns_t now = 7200 * NS_PER_S;
    struct peer p;

    (void)state;
    begin(&p, "127.0.0.1:1");
    do {
        peer_tick(&p, now);
        peer_wait(&p, false, 1000);
    } while (p.state != PEER_AWAY);
    assert_int_equal(p.calls, 1);
    now -= 3600 * NS_PER_S;
    peer_tick(&p, now);
    peer_tick(&p, now + 2 * NS_PER_S);
    assert_int_equal(p.calls, 2);
    peer_fini(&p);
}

/* No tick waits while the resolver does, or this never ends. */
static void
a_name_is_looked_up_beside(void **state)
{
    struct peer p;
    uint16_t port;
    int fd = listen_anywhere(&port);

    (void)state;
    begin(&p, "collector.example:9");
    for (ns_t now = 1; now < 20 * NS_PER_S; now += NS_PER_S)
        peer_tick(&p, now);
    assert_int_equal(p.state, PEER_NAMING);
    assert_true(p.why.n > 0);
    (void)sem_wait(&resolver.asked);
    assert_int_equal(sem_trywait(&resolver.asked), -1); /* once only */
    resolver.port = port;
    (void)sem_post(&resolver.may_answer);
    leave_state(&p, PEER_NAMING);
    leave_state(&p, PEER_CALLING);
    assert_int_equal(p.state, PEER_UP);
    peer_fini(&p);
    (void)close(fd);
}

static void
an_unknown_name_is_asked_for_again(void **state)
{
    struct peer p;

    (void)state;
    begin(&p, "nobody.example");
    for (ns_t now = NS_PER_S; now < 40 * NS_PER_S; now += 10 * NS_PER_S) {
        peer_tick(&p, now);
        assert_int_equal(p.state, PEER_NAMING);
        (void)sem_post(&resolver.may_answer);
        while (p.state == PEER_NAMING) {
            peer_wait(&p, false, 1000);
            (void)peer_turn(&p);
        }
        assert_int_equal(p.state, PEER_AWAY);
        assert_true(p.call_at > now && p.why.n > 0);
    }
    peer_fini(&p);
}

static void
who_leaves_does_not_wait(void **state)
{
    struct peer p;

    (void)state;
    begin(&p, "nobody.example");
    peer_tick(&p, 1);
    assert_int_equal(p.state, PEER_NAMING);
    peer_fini(&p);
    (void)sem_post(&resolver.may_answer); /* the thread frees what is its own */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers_need_no_thread, reset),
        cmocka_unit_test_setup(a_clock_that_is_set_back, reset),
        cmocka_unit_test_setup(a_name_is_looked_up_beside, reset),
        cmocka_unit_test_setup(an_unknown_name_is_asked_for_again, reset),
        cmocka_unit_test_setup(who_leaves_does_not_wait, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
