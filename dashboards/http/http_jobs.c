#include "dashboards/http/http_jobs.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

struct http_jobs {
    struct http_jobs_options o;
    pthread_t threads[HTTP_JOBS];
    size_t n_threads;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t some;
    struct http_ask *first, **last;
    size_t n_waiting;
    struct http_ask *done;
    bool stop;
};

/* Under the lock. */
static struct http_ask *
take(struct http_jobs *j)
{
    struct http_ask *k = j->first;

    if (k == NULL)
        return NULL;
    j->first = k->next;
    if (j->first == NULL)
        j->last = &j->first;
    j->n_waiting--;
    k->next = NULL;
    return k;
}

/* Under the lock. */
static void
give_back(struct http_jobs *j, struct http_ask *k)
{
    const uint64_t one = 1;

    k->state = ASK_MADE;
    k->next = j->done;
    j->done = k;
    (void)!write(j->o.wake, &one, sizeof(one));
}

static void *
work(void *ctx)
{
    struct http_jobs *j = ctx;

    (void)pthread_mutex_lock(&j->lock);
    while (!j->stop) {
        struct http_ask *k = take(j);

        if (k == NULL) {
            (void)pthread_cond_wait(&j->some, &j->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&j->lock);
        j->o.answer(j->o.ctx, &k->r, &k->a);
        (void)pthread_mutex_lock(&j->lock);
        give_back(j, k);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* Signals are for the program's first thread. */
static bool
start(struct http_jobs *j)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (j->n_threads < HTTP_JOBS &&
           pthread_create(&j->threads[j->n_threads], NULL, work, j) == 0)
        j->n_threads++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return j->n_threads == HTTP_JOBS;
}

enum err
http_jobs_new(const struct http_jobs_options *o, struct http_jobs **out)
{
    struct http_jobs *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return ERR_NOMEM;
    j->o = *o;
    j->last = &j->first;
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_cond_init(&j->some, NULL);
    if (!start(j)) {
        http_jobs_stop(j);
        http_jobs_free(j);
        return ERR_NOMEM;
    }
    *out = j;
    return ERR_OK;
}

bool
http_jobs_put(struct http_jobs *j, struct http_ask *k)
{
    bool room;

    (void)pthread_mutex_lock(&j->lock);
    room = j->n_waiting < HTTP_WAITING && !j->stop;
    if (room) {
        k->state = ASK_WAITS;
        k->next = NULL;
        *j->last = k;
        j->last = &k->next;
        j->n_waiting++;
        (void)pthread_cond_signal(&j->some);
    }
    (void)pthread_mutex_unlock(&j->lock);
    return room;
}

struct http_ask *
http_jobs_done(struct http_jobs *j)
{
    struct http_ask *k;

    (void)pthread_mutex_lock(&j->lock);
    k = j->done;
    j->done = NULL;
    (void)pthread_mutex_unlock(&j->lock);
    return k;
}

void
http_jobs_stop(struct http_jobs *j)
{
    struct http_ask *k;

    (void)pthread_mutex_lock(&j->lock);
    j->stop = true;
    (void)pthread_cond_broadcast(&j->some);
    (void)pthread_mutex_unlock(&j->lock);
    while (j->n_threads > 0)
        (void)pthread_join(j->threads[--j->n_threads], NULL);
    while ((k = take(j)) != NULL) {
        http_ask_refuse(k, 503, "the server is being stopped");
        give_back(j, k);
    }
}

void
http_jobs_free(struct http_jobs *j)
{
    if (j == NULL)
        return;
    REQUIRE(j->n_threads == 0);
    (void)pthread_cond_destroy(&j->some);
    (void)pthread_mutex_destroy(&j->lock);
    free(j);
}
