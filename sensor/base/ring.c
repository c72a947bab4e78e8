#include "sensor/base/ring.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ALIGN            8U
#define SKIP             UINT32_MAX
#define WAKE_BYTES_SHIFT 3 /* a waiting writer wakes at 1/8 free */

struct ring_shared {
    _Atomic uint64_t head __attribute__((aligned(64)));
    _Atomic uint32_t closed;
    _Atomic uint64_t tail __attribute__((aligned(64)));
    _Atomic uint32_t room;         /* counts up when the reader frees room */
    _Atomic uint32_t room_waiting; /* the writer sleeps */
    uint8_t data[] __attribute__((aligned(64)));
};

/* Wakes by itself too: the words lie in memory that a worker taken over can
 * write, and its sender may die before the wake; that costs a tenth of a second
 * and not the run. The caller looks again anyway. */
static void
futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
    static const struct timespec most = {.tv_nsec = 100000000};

    (void)syscall(SYS_futex, word, FUTEX_WAIT, seen, &most, NULL, 0);
}

static void
futex_wake(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void *
map_shared(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

enum err
ring_bell_new(struct ring_bell **out)
{
    struct ring_bell *b = map_shared(sizeof(*b));

    if (b == NULL)
        return ERR_NOMEM;
    *out = b;
    return ERR_OK;
}

void
ring_bell_free(struct ring_bell *b)
{
    if (b != NULL)
        (void)munmap(b, sizeof(*b));
}

enum err
ring_new(size_t size, struct ring_bell *bell, struct ring *out)
{
    size_t n = 65536;
    struct ring_shared *s;

    while (n < size && n < SIZE_MAX / 4)
        n *= 2;
    s = map_shared(sizeof(*s) + n);
    if (s == NULL)
        return ERR_NOMEM;
    *out = (struct ring){.shared = s, .bell = bell, .size = n, .limit = n};
    return ERR_OK;
}

void
ring_free(struct ring *r)
{
    if (r == NULL || r->shared == NULL)
        return;
    (void)munmap(r->shared, sizeof(*r->shared) + r->size);
    r->shared = NULL;
}

size_t
ring_message_max(const struct ring *r)
{
    return r->size / 4 - ALIGN;
}

/* To the next even number. True when the reader slept. */
static bool
ring_the_bell(struct ring_bell *b)
{
    uint32_t was = atomic_load_explicit(&b->rung, memory_order_relaxed);

    while (!atomic_compare_exchange_weak(&b->rung, &was, (was | 1) + 1))
        ;
    return (was & 1) != 0;
}

static void
put_word(struct ring *r, uint64_t at, uint32_t v)
{
    memcpy(r->shared->data + (at & (r->size - 1)), &v, sizeof(v));
}

void
ring_flush(struct ring *r)
{
    r->rung = r->head;
    if (ring_the_bell(r->bell))
        futex_wake(&r->bell->rung);
}

void
ring_be_quiet(struct ring *r)
{
    r->quiet = r->size / 16;
}

bool
ring_put(struct ring *r, struct span message)
{
    uint64_t need = (message.n + 4 + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
    uint64_t at = r->head & (r->size - 1);
    uint64_t fill = r->size - at < need ? r->size - at : 0;

    if (message.n > ring_message_max(r))
        return false;
    if (r->head + fill + need > r->limit) {
        /* Sequentially consistent, after the store to room_waiting: the other
         * half of what ring_next says. */
        r->limit = atomic_load(&r->shared->tail) + r->size;
        if (r->head + fill + need > r->limit)
            return false;
    }
    if (fill > 0)
        put_word(r, r->head, SKIP);
    r->head += fill;
    put_word(r, r->head, (uint32_t)message.n);
    if (message.n > 0)
        memcpy(r->shared->data + (r->head & (r->size - 1)) + 4, message.p,
               message.n);
    r->head += need;
    atomic_store_explicit(&r->shared->head, r->head, memory_order_release);
    if (r->head - r->rung > r->quiet)
        ring_flush(r);
    return true;
}

void
ring_put_wait(struct ring *r, struct span message)
{
    REQUIRE(message.n <= ring_message_max(r));
    while (!ring_put(r, message)) {
        uint32_t seen = atomic_load(&r->shared->room);

        ring_flush(r); /* else the reader may sleep as well */
        atomic_store(&r->shared->room_waiting, 1);
        if (ring_put(r, message))
            return;
        futex_wait(&r->shared->room, seen);
    }
}

/* Wakes in any case: this may speak for a writer that died between its ring and
 * its wake. */
void
ring_close(struct ring *r)
{
    atomic_store(&r->shared->closed, 1);
    (void)ring_the_bell(r->bell);
    futex_wake(&r->bell->rung);
}

/* Messages begin at multiples of ALIGN: a reader that starts elsewhere would
 * read a length over the end of the block. */
static enum err
attach(struct ring *r)
{
    uint64_t head = atomic_load(&r->shared->head);
    uint64_t tail = atomic_load(&r->shared->tail);

    if (head % ALIGN != 0 || tail % ALIGN != 0 || head - tail > r->size)
        return ERR_CORRUPT;
    r->head = r->rung = head;
    r->tail = tail;
    r->limit = tail + r->size;
    r->pending = 0;
    r->corrupt = false;
    return ERR_OK;
}

enum err
ring_attach_writer(struct ring *r)
{
    enum err e = attach(r);

    if (e == ERR_OK)
        atomic_store(&r->shared->closed, 0);
    return e;
}

enum err
ring_attach_reader(struct ring *r)
{
    return attach(r);
}

static bool
fits(const struct ring *r, uint64_t head, uint32_t n)
{
    uint64_t at = r->tail & (r->size - 1);

    return head - r->tail <= r->size && n <= ring_message_max(r) &&
           4 + (uint64_t)n <= head - r->tail && at + 4 + n <= r->size;
}

bool
ring_peek(struct ring *r, struct span *message)
{
    uint64_t head =
        atomic_load_explicit(&r->shared->head, memory_order_acquire);
    uint32_t n;
    uint64_t at = r->tail & (r->size - 1);

    if (r->corrupt || head == r->tail)
        return false;
    memcpy(&n, r->shared->data + at, sizeof(n));
    if (n == SKIP) {
        r->tail += r->size - at;
        if (head == r->tail)
            return false;
        at = 0;
        memcpy(&n, r->shared->data, sizeof(n));
    }
    if (!fits(r, head, n)) {
        r->corrupt = true;
        return false;
    }
    *message = span_of(r->shared->data + at + 4, n);
    r->pending = ((uint64_t)n + 4 + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
    return true;
}

void
ring_next(struct ring *r)
{
    r->tail += r->pending;
    r->pending = 0;
    /* Sequentially consistent, with the load below: either the writer sees
     * the new tail, or we see that it waits. */
    atomic_store(&r->shared->tail, r->tail);
    /* Room is told in large steps: a writer that waits needs much of it. */
    if (atomic_load(&r->shared->room_waiting) != 0 &&
        (atomic_load(&r->shared->head) - r->tail <
         r->size - (r->size >> WAKE_BYTES_SHIFT))) {
        atomic_store(&r->shared->room_waiting, 0);
        atomic_fetch_add(&r->shared->room, 1);
        futex_wake(&r->shared->room);
    }
}

bool
ring_ended(struct ring *r)
{
    if (r->corrupt)
        return true;
    return atomic_load(&r->shared->closed) != 0 &&
           atomic_load(&r->shared->head) == r->tail;
}

uint32_t
ring_bell_look(struct ring_bell *b)
{
    return atomic_load(&b->rung);
}

void
ring_bell_wait(struct ring_bell *b, uint32_t look)
{
    uint32_t seen = look;

    if (atomic_compare_exchange_strong(&b->rung, &seen, look | 1))
        futex_wait(&b->rung, look | 1);
}
