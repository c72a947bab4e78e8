#include "sensor/sinks/peer_name.h"

#include "sensor/base/digits.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct peer_name {
    atomic_uint holders; /* who asked, and the thread; the last one frees it */
    atomic_bool done;    /* then the thread touches no more of it */
    int number;
    struct addrinfo *all;
    char port[DIGITS_MAX + 1];
    char host[];
};

static void
let_go(struct peer_name *n)
{
    if (atomic_fetch_sub(&n->holders, 1) > 1)
        return;
    if (n->all != NULL)
        freeaddrinfo(n->all);
    free(n);
}

static void
look_up(struct peer_name *n, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = flags};

    n->number = getaddrinfo(n->host, n->port, &hints, &n->all);
    if (n->number == 0 && n->all == NULL)
        n->number = EAI_NONAME;
}

static void *
ask(void *arg)
{
    struct peer_name *n = arg;

    look_up(n, 0);
    atomic_store(&n->done, true);
    let_go(n);
    return NULL;
}

/* Signals are for the threads that were there before. */
static bool
begin(struct peer_name *n)
{
    pthread_attr_t attr;
    sigset_t all, before;
    pthread_t thread;
    bool good = pthread_attr_init(&attr) == 0;

    if (!good)
        return false;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    good = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
           pthread_create(&thread, &attr, ask, n) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return good;
}

struct peer_name *
peer_name_ask(const char *host, uint16_t port)
{
    const size_t size = strlen(host) + 1;
    struct peer_name *n = calloc(1, sizeof(*n) + size);

    if (n == NULL)
        return NULL;
    memcpy(n->host, host, size);
    *digits_u64(n->port, port) = '\0';
    atomic_store(&n->holders, 1);
    look_up(n, AI_NUMERICHOST);
    if (n->number == 0) {
        atomic_store(&n->done, true);
        return n;
    }
    atomic_store(&n->holders, 2);
    if (begin(n))
        return n;
    atomic_store(&n->holders, 1);
    let_go(n);
    return NULL;
}

bool
peer_name_answer(const struct peer_name *n, int *number,
                 const struct addrinfo **all)
{
    if (!atomic_load(&n->done))
        return false;
    *number = n->number;
    *all = n->all;
    return true;
}

void
peer_name_drop(struct peer_name *n)
{
    if (n != NULL)
        let_go(n);
}
