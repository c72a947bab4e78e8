#include "sensor/base/ring.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SMALLEST 65536U
#define MESSAGES 100000U

static uint64_t
next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static struct ring
ring_get(struct ring_bell **bell)
{
    struct ring r;

    if (*bell == NULL)
        assert_int_equal(ring_bell_new(bell), ERR_OK);
    assert_int_equal(ring_new(1, *bell, &r), ERR_OK);
    assert_int_equal(r.size, SMALLEST);
    return r;
}

/* Bytes that follow from the message's number. */
static void
fill(uint8_t *p, size_t n, uint32_t number)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(number * 31 + i);
}

static bool
is_filled(struct span s, uint32_t number)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != (uint8_t)(number * 31 + i))
            return false;
    }
    return true;
}

/* Each size of message goes around the ring and meets its end at each place. */
static void
wraps_at_every_size(void **state)
{
    struct ring_bell *bell = NULL;
    struct ring r = ring_get(&bell);
    size_t max = ring_message_max(&r);
    static uint8_t room[SMALLEST];
    uint32_t number = 0;

    (void)state;
    for (size_t n = 0; n <= max; n += n < 64 ? 1 : n / 3 + 1) {
        size_t moved = 0;

        while (moved <= 3 * r.size) {
            struct span got;

            fill(room, n, number);
            assert_true(ring_put(&r, span_of(room, n)));
            assert_true(ring_peek(&r, &got));
            assert_int_equal(got.n, n);
            assert_true(is_filled(got, number));
            ring_next(&r);
            assert_false(ring_peek(&r, &got));
            number++;
            moved += n + 4 + number % 5 * 8;
        }
    }
    ring_free(&r);
    ring_free(&r);
    ring_bell_free(bell);
}

static void
says_when_full(void **state)
{
    struct ring_bell *bell = NULL;
    struct ring r = ring_get(&bell);
    size_t max = ring_message_max(&r);
    static uint8_t room[SMALLEST];
    struct span got;
    uint32_t n = 0;

    (void)state;
    assert_false(ring_put(&r, span_of(room, max + 1)));
    while (ring_put(&r, span_of(room, 4)))
        n++;
    assert_int_equal(n, r.size / 8);
    assert_true(ring_peek(&r, &got));
    ring_next(&r);
    assert_false(ring_put(&r, span_of(room, 5)));
    assert_true(ring_put(&r, span_of(room, 4)));
    while (ring_peek(&r, &got))
        ring_next(&r);
    for (n = 0; ring_put(&r, span_of(room, max)); n++)
        ;
    assert_true(n >= 3);
    assert_false(ring_ended(&r));
    ring_close(&r);
    assert_false(ring_ended(&r));
    for (; ring_peek(&r, &got); n--)
        ring_next(&r);
    assert_int_equal(n, 0);
    assert_true(ring_ended(&r));
    ring_free(&r);
    ring_bell_free(bell);
}

/* ---- two threads, two processes ---- */

struct writer {
    struct ring ring;
    size_t longest;
    uint32_t seed;
    bool by_polling;
};

static void *
write_all(void *arg)
{
    struct writer *w = arg;
    uint64_t x = w->seed + 88172645463325252;
    uint8_t *room = malloc(w->longest);

    for (uint32_t i = 0; room != NULL && i < MESSAGES; i++) {
        size_t n = next_random(&x) % w->longest;

        fill(room, n, i);
        if (!w->by_polling)
            ring_put_wait(&w->ring, span_of(room, n));
        while (w->by_polling && !ring_put(&w->ring, span_of(room, n)))
            usleep(1);
    }
    free(room);
    ring_close(&w->ring);
    return NULL;
}

struct reading {
    struct ring *ring;
    uint64_t seed;
    uint32_t number;
};

/* Takes all that is there; false when something was not as written. */
static bool
read_some(struct reading *in, size_t longest)
{
    struct span got;

    while (ring_peek(in->ring, &got)) {
        if (got.n != next_random(&in->seed) % longest ||
            !is_filled(got, in->number))
            return false;
        in->number++;
        ring_next(in->ring);
    }
    return true;
}

/* Sleeps only on the bell: a lost wake-up hangs the test. */
static bool
read_all(struct reading *in, size_t n_rings, struct ring_bell *bell,
         size_t longest)
{
    for (;;) {
        uint32_t look = ring_bell_look(bell);
        size_t ended = 0;

        for (size_t i = 0; i < n_rings; i++) {
            if (!read_some(&in[i], longest) || in[i].ring->corrupt)
                return false;
            ended += ring_ended(in[i].ring);
        }
        if (ended == n_rings)
            break;
        ring_bell_wait(bell, look);
    }
    for (size_t i = 0; i < n_rings; i++) {
        if (in[i].number != MESSAGES)
            return false;
    }
    return true;
}

static void
threads(size_t n, size_t longest, bool by_polling)
{
    struct ring_bell *bell = NULL;
    struct writer w[4];
    struct ring reader[4];
    struct reading in[4];
    pthread_t t[4];

    for (size_t i = 0; i < n; i++) {
        w[i] =
            (struct writer){ring_get(&bell), longest, (uint32_t)i, by_polling};
        reader[i] = w[i].ring;
        in[i] = (struct reading){&reader[i], w[i].seed + 88172645463325252, 0};
        assert_int_equal(pthread_create(&t[i], NULL, write_all, &w[i]), 0);
    }
    assert_true(read_all(in, n, bell, longest));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
        ring_free(&w[i].ring);
    }
    ring_bell_free(bell);
}

static void
two_threads_waiting(void **state)
{
    (void)state;
    threads(1, 2000, false);
}

static void
two_threads_polling(void **state)
{
    (void)state;
    threads(1, 2000, true);
}

/* Four messages fill the ring, so both sides sleep all the time. */
static void
two_threads_long_messages(void **state)
{
    (void)state;
    threads(1, SMALLEST / 4 - 8, false);
}

static void
four_writers_one_bell(void **state)
{
    (void)state;
    threads(4, 500, false);
}

static void
two_processes(void **state)
{
    struct ring_bell *bell = NULL;
    struct writer w = {ring_get(&bell), 2000, 0, false};
    struct reading in = {&w.ring, 88172645463325252, 0};
    int status = 1;
    pid_t child;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)write_all(&w);
        _exit(0);
    }
    assert_true(read_all(&in, 1, bell, 2000));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ring_free(&w.ring);
    ring_bell_free(bell);
}

/* ---- a wake-up lost ----
 *
 * A signal stops the writer at any instruction of its ringing, until the reader
 * is about to sleep; then the writer rings to the end, and only then the reader
 * sleeps. What is put next must wake it. The waits pass through syscall below,
 * which gives them two seconds, and tells when one ended by its time although
 * the bell had been rung. */

#define STOPS       300U
#define STOP_US_MAX 3000U

struct stage {
    struct ring ring;
    _Atomic bool stopped;     /* the writer is in its signal */
    _Atomic bool was_stopped; /* in the last message */
    _Atomic bool at_the_bed;  /* the reader is about to sleep */
    _Atomic bool lost;
    _Atomic bool over;
};

static struct stage *stage; /* of the test that runs */

static void
pause_us(long us)
{
    struct timespec t = {.tv_nsec = us * 1000};

    (void)nanosleep(&t, NULL);
}

static void
on_stop(int number)
{
    int saved = errno;

    (void)number;
    atomic_store(&stage->at_the_bed, false);
    atomic_store(&stage->was_stopped, true);
    atomic_store(&stage->stopped, true);
    for (unsigned i = 0; i < STOP_US_MAX / 50; i++) {
        if (atomic_load(&stage->at_the_bed))
            break;
        pause_us(50);
    }
    atomic_store(&stage->stopped, false);
    errno = saved;
}

static void *
write_stopped(void *arg)
{
    struct stage *g = arg;

    while (!atomic_load(&g->over)) {
        ring_put_wait(&g->ring, SPAN_LIT("a message"));
        if (atomic_load(&g->was_stopped)) {
            pause_us(600); /* the reader sleeps before the next one */
            atomic_store(&g->was_stopped, false);
        }
    }
    ring_close(&g->ring);
    return NULL;
}

static long
sleep_on_the_bell(long (*real)(long, ...), uint32_t seen)
{
    _Atomic uint32_t *word = &stage->ring.bell->rung;
    struct timespec most = {.tv_sec = 2};
    long got;

    atomic_store(&stage->at_the_bed, true);
    while (atomic_load(&stage->stopped))
        pause_us(50);
    pause_us(200); /* the ringing comes to its end */
    got = real(SYS_futex, word, FUTEX_WAIT, seen, &most, NULL, 0);
    if (got < 0 && errno == ETIMEDOUT && atomic_load(word) != seen)
        atomic_store(&stage->lost, true);
    return got;
}

/* In place of the C library's, which it calls. */
long
syscall(long number, ...)
{
    long (*real)(long, ...);
    void *found = dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list ap;

    memcpy(&real, &found, sizeof(real));
    va_start(ap, number);
    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (stage != NULL && number == SYS_futex && a[1] == FUTEX_WAIT &&
        a[0] == (long)&stage->ring.bell->rung)
        return sleep_on_the_bell(real, (uint32_t)a[2]);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *
stop_often(void *arg)
{
    const pthread_t *writer = arg;

    for (unsigned i = 0; i < STOPS && !atomic_load(&stage->lost); i++) {
        (void)pthread_kill(*writer, SIGUSR1);
        do {
            pause_us(50 + i * 37 % 100);
        } while (atomic_load(&stage->was_stopped));
    }
    atomic_store(&stage->over, true);
    return NULL;
}

static void
no_stop_loses_a_wake(void **state)
{
    struct sigaction act = {.sa_handler = on_stop};
    struct ring_bell *bell = NULL;
    struct stage g = {.ring = ring_get(&bell)};
    struct ring reader = g.ring;
    pthread_t writer, stopper;
    bool ended = false;

    (void)state;
    stage = &g;
    assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_stopped, &g), 0);
    assert_int_equal(pthread_create(&stopper, NULL, stop_often, &writer), 0);
    while (!ended) {
        uint32_t look = ring_bell_look(bell);
        struct span got;

        while (ring_peek(&reader, &got))
            ring_next(&reader);
        ended = ring_ended(&reader);
        if (!ended)
            ring_bell_wait(bell, look);
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    stage = NULL;
    assert_false(g.lost);
    ring_free(&g.ring);
    ring_bell_free(bell);
}

/* ---- a writer that was taken over ---- */

static uint8_t *
writable(const uint8_t *p)
{
    return (uint8_t *)(uintptr_t)p;
}

static void
corrupt_length_ends_the_ring(void **state)
{
    static const uint32_t lengths[] = {
        20, /* one message more than was put */
        SMALLEST / 4, SMALLEST, 0x7fffffff, 0xfffffff0, UINT32_MAX,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct ring_bell *bell = NULL;
        struct ring r = ring_get(&bell);
        struct span got;

        assert_true(ring_put(&r, SPAN_LIT("first")));
        assert_true(ring_put(&r, SPAN_LIT("second")));
        assert_true(ring_peek(&r, &got));
        memcpy(writable(got.p) + 12, &lengths[i], 4);
        assert_true(span_eq(got, SPAN_LIT("first")));
        ring_next(&r);
        assert_false(ring_peek(&r, &got));
        assert_true(r.corrupt);
        assert_true(ring_ended(&r));
        assert_false(ring_peek(&r, &got));
        ring_free(&r);
        ring_bell_free(bell);
    }
}

/* Any bytes: every message lies within the ring, and the reading ends. */
static void
garbage_stays_inside(void **state)
{
    uint64_t x = 88172645463325252;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        struct ring_bell *bell = NULL;
        struct ring r = ring_get(&bell);
        static const uint8_t zeros[SMALLEST / 4 - 8];
        struct span got;
        const uint8_t *data;
        size_t n = 0;

        while (ring_put(&r, span_of(zeros, sizeof(zeros))))
            ;
        assert_true(ring_peek(&r, &got));
        data = got.p - 4;
        for (size_t at = 0; at < r.size; at += 8) {
            uint32_t v = (uint32_t)(next_random(&x) >> (x % 33));

            v %= round % 3 == 0 ? 64 : round % 3 == 1 ? 20000 : UINT32_MAX;
            memcpy(writable(data) + at, &v, 4);
        }
        while (ring_peek(&r, &got)) {
            assert_true(got.p >= data && got.n <= r.size);
            assert_true((size_t)(got.p - data) + got.n <= r.size);
            ring_next(&r);
            assert_true(++n <= r.size);
        }
        ring_free(&r);
        ring_bell_free(bell);
    }
}

/* ---- a process that is killed, and the one in its place ----
 *
 * Killed at any instruction: so a message may come twice (it was put, or read,
 * and the death came before that was noted), but none is lost, torn or out of
 * order. */

#define KILLS 150U

struct killed {
    struct ring ring;
    _Atomic uint32_t written; /* next to be put */
    _Atomic uint32_t read;    /* next to be read */
    _Atomic bool torn;
};

static struct killed *
share(struct ring ring)
{
    struct killed *k = mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(k != MAP_FAILED);
    k->ring = ring;
    return k;
}

static size_t
length_of(uint32_t number)
{
    return 4 + number * 7919U % 3000;
}

static void
write_on(struct killed *k)
{
    static uint8_t room[SMALLEST];
    struct ring r = k->ring;

    if (ring_attach_writer(&r) != ERR_OK)
        atomic_store(&k->torn, true);
    for (;;) {
        const uint32_t number = atomic_load(&k->written);
        const struct span message = span_of(room, length_of(number));

        fill(room, message.n, number);
        memcpy(room, &number, sizeof(number));
        if (ring_put(&r, message))
            atomic_store(&k->written, number + 1);
    }
}

/* The next one, or the last one again. */
static void
check_next(struct killed *k, struct span got)
{
    static uint8_t want[SMALLEST];
    const uint32_t next = atomic_load(&k->read);
    uint32_t number = 0;

    if (got.n >= sizeof(number))
        memcpy(&number, got.p, sizeof(number));
    fill(want, length_of(number), number);
    memcpy(want, &number, sizeof(number));
    if ((number != next && number + 1 != next) ||
        !span_eq(got, span_of(want, length_of(number))))
        atomic_store(&k->torn, true);
    atomic_store(&k->read, number + 1);
}

static void
read_on(struct killed *k, struct ring *r)
{
    struct span got;

    while (ring_peek(r, &got)) {
        check_next(k, got);
        ring_next(r);
    }
    if (r->corrupt)
        atomic_store(&k->torn, true);
}

static pid_t
start(struct killed *k, bool writes)
{
    struct ring r = k->ring;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child != 0)
        return child;
    if (writes)
        write_on(k);
    if (ring_attach_reader(&r) != ERR_OK)
        atomic_store(&k->torn, true);
    for (;;)
        read_on(k, &r);
}

static void
end_by_force(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Now the one, now the other, now both are killed under load. */
static void
a_killed_process_is_replaced(void **state)
{
    struct ring_bell *bell = NULL;
    struct killed *k = share(ring_get(&bell));
    struct ring r = k->ring;
    uint64_t x = 88172645463325252;
    pid_t writer = start(k, true), reader = start(k, false);

    (void)state;
    for (unsigned i = 0; i < KILLS && !atomic_load(&k->torn); i++) {
        pause_us((long)(next_random(&x) % 4000));
        if (i % 3 != 1) {
            end_by_force(writer);
            writer = start(k, true);
        }
        if (i % 3 != 0) {
            end_by_force(reader);
            reader = start(k, false);
        }
    }
    end_by_force(writer);
    end_by_force(reader);
    assert_int_equal(ring_attach_reader(&r), ERR_OK);
    read_on(k, &r);
    assert_false(atomic_load(&k->torn));
    assert_true(atomic_load(&k->read) > KILLS);
    assert_true(atomic_load(&k->read) - atomic_load(&k->written) <= 1);
    ring_free(&k->ring);
    ring_bell_free(bell);
    assert_int_equal(munmap(k, sizeof(*k)), 0);
}

/* Closed in the name of the dead, opened by who comes. */
static void
attaching_opens_a_closed_ring(void **state)
{
    struct ring_bell *bell = NULL;
    struct ring r = ring_get(&bell);
    struct ring writer = r, reader = r;
    struct span got;

    (void)state;
    assert_true(ring_put(&r, SPAN_LIT("before")));
    ring_close(&r);
    assert_int_equal(ring_attach_writer(&writer), ERR_OK);
    assert_true(ring_put(&writer, SPAN_LIT("after")));
    assert_int_equal(ring_attach_reader(&reader), ERR_OK);
    assert_true(ring_peek(&reader, &got));
    assert_true(span_eq(got, SPAN_LIT("before")));
    assert_int_equal(ring_attach_reader(&reader), ERR_OK); /* it died here */
    assert_true(ring_peek(&reader, &got));
    assert_true(span_eq(got, SPAN_LIT("before")));
    ring_next(&reader);
    assert_true(ring_peek(&reader, &got));
    assert_true(span_eq(got, SPAN_LIT("after")));
    ring_next(&reader);
    assert_false(ring_ended(&reader));
    ring_close(&writer);
    assert_true(ring_ended(&reader));
    ring_free(&r);
    ring_bell_free(bell);
}

/* The first word of the block is the head. */
static void
no_one_attaches_to_nonsense(void **state)
{
    static const struct {
        const char *why;
        uint64_t head;
        enum err want;
    } rows[] = {
        {"empty",            0,              ERR_OK     },
        {"full",             SMALLEST,       ERR_OK     },
        {"more than full",   SMALLEST + 8,   ERR_CORRUPT},
        {"between messages", 4,              ERR_CORRUPT},
        {"behind the tail",  UINT64_MAX - 7, ERR_CORRUPT},
    };
    struct ring_bell *bell = NULL;
    struct ring r = ring_get(&bell);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        memcpy((void *)r.shared, &rows[i].head, sizeof(rows[i].head));
        if (ring_attach_writer(&r) != rows[i].want ||
            ring_attach_reader(&r) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    ring_free(&r);
    ring_bell_free(bell);
}

static void
bell_rung_before_the_wait(void **state)
{
    struct ring_bell *bell = NULL;
    struct ring r = ring_get(&bell);
    uint32_t look = ring_bell_look(bell);

    (void)state;
    assert_true(ring_put(&r, SPAN_LIT("x")));
    ring_bell_wait(bell, look); /* returns at once */
    look = ring_bell_look(bell);
    ring_close(&r);
    ring_bell_wait(bell, look);
    ring_free(&r);
    ring_bell_free(bell);
    ring_bell_free(NULL);
    ring_free(NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps_at_every_size),
        cmocka_unit_test(says_when_full),
        cmocka_unit_test(two_threads_waiting),
        cmocka_unit_test(two_threads_polling),
        cmocka_unit_test(two_threads_long_messages),
        cmocka_unit_test(four_writers_one_bell),
        cmocka_unit_test(two_processes),
        cmocka_unit_test(no_stop_loses_a_wake),
        cmocka_unit_test(corrupt_length_ends_the_ring),
        cmocka_unit_test(garbage_stays_inside),
        cmocka_unit_test(a_killed_process_is_replaced),
        cmocka_unit_test(attaching_opens_a_closed_ring),
        cmocka_unit_test(no_one_attaches_to_nonsense),
        cmocka_unit_test(bell_rung_before_the_wait),
    };

    /* A lost wake-up must not hang the run. */
    (void)alarm(240);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
