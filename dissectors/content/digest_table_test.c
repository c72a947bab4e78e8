/* digest_table_test - the one list or the other, whoever looks */
#include "dissectors/content/digest_table.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ENTRIES 64U
#define NAMES   1024U
#define READERS 3U
#define LISTS   3000U
#define LOOKS   100000U

/* Names are of different lengths, so that their places differ from list to
 * list, and all of one letter: a mixture is seen. */
static void
fill(struct digest_table *t, unsigned list)
{
    struct digest_entry entries[ENTRIES];
    uint8_t names[NAMES];
    const size_t n = 1 + list % ENTRIES;
    const size_t length = 1 + list % (NAMES / ENTRIES);

    memset(entries, 0, sizeof(entries));
    memset(names, 'a' + (int)(list % 26), sizeof(names));
    for (size_t k = 0; k < n; k++) {
        entries[k].digest[0] = (uint8_t)k;
        entries[k].digest[31] = (uint8_t)(list % 2);
        entries[k].at = (uint32_t)(k * length);
        entries[k].n = (uint32_t)length;
    }
    digest_table_fill(t, entries, n, span_of(names, n * length));
}

/* The first entry is in every list, under its number modulo 2. */
static bool
find_first(const struct digest_table *t, unsigned parity, uint8_t *name,
           size_t *n)
{
    uint8_t digest[DIGEST_BYTES] = {0};

    digest[31] = (uint8_t)parity;
    return digest_table_find(t, digest, name, n);
}

static bool
is_of_list(const uint8_t *name, size_t n, unsigned parity)
{
    const unsigned letter = name[0] - (unsigned)'a';

    if (n == 0 || letter >= 26 || letter % 2 != parity)
        return false;
    for (size_t k = 1; k < n; k++)
        if (name[k] != name[0])
            return false;
    return true;
}

static struct digest_table *
begin(void)
{
    struct digest_table *t = NULL;

    assert_int_equal(digest_table_new(ENTRIES, NAMES, &t), ERR_OK);
    return t;
}

static void
test_order(void **state)
{
    struct digest_table *t = begin();
    uint8_t name[DIGEST_NAME_BYTES];
    size_t n = 9;

    (void)state;
    assert_false(find_first(t, 0, name, &n));
    digest_table_publish(t); /* there is nothing yet */
    assert_int_equal(digest_table_generation(t), 0);
    for (unsigned list = 1; list < 300; list++) {
        fill(t, list + 7); /* never in force */
        fill(t, list);
        assert_int_equal(digest_table_generation(t), list - 1);
        if (list > 1)
            assert_true(find_first(t, (list - 1) % 2, name, &n) &&
                        name[0] == 'a' + (list - 1) % 26);
        digest_table_publish(t);
        assert_int_equal(digest_table_generation(t), list);
        assert_false(find_first(t, (list - 1) % 2, name, &n));
        assert_true(find_first(t, list % 2, name, &n));
        assert_int_equal(n, 1 + list % (NAMES / ENTRIES));
        assert_true(is_of_list(name, n, list % 2));
    }
    digest_table_free(t);
}

/* As many as there is room for, each found; what is beside them is not. */
static void
test_full(void **state)
{
    struct digest_table *t = begin();
    uint8_t digest[DIGEST_BYTES] = {0};
    uint8_t name[DIGEST_NAME_BYTES];
    size_t n;

    (void)state;
    fill(t, ENTRIES - 1);
    digest_table_publish(t);
    for (unsigned k = 0; k < 256; k++) {
        digest[0] = (uint8_t)k;
        for (unsigned last = 0; last < 3; last++) {
            digest[31] = (uint8_t)last;
            assert_int_equal(digest_table_find(t, digest, name, &n),
                             k < ENTRIES && last == 1);
        }
    }
    for (unsigned k = 1; k < 31; k++) { /* every byte counts */
        memset(digest, 0, sizeof(digest));
        digest[31] = 1;
        assert_true(digest_table_find(t, digest, name, &n));
        digest[k] = 1;
        assert_false(digest_table_find(t, digest, name, &n));
    }
    digest_table_free(t);
}

/* ---- others look meanwhile ---- */

struct readers {
    struct digest_table *t;
    _Atomic unsigned done;
    _Atomic unsigned bad;
    _Atomic uint64_t looks;
};

/* Between two looks at the generation it was one of the lists from the one to
 * the other. */
static bool
look(const struct digest_table *t)
{
    uint8_t name[DIGEST_NAME_BYTES];
    size_t n = 0;
    const uint64_t before = digest_table_generation(t);
    const unsigned parity = before % 2;
    const bool found = find_first(t, parity, name, &n);
    const uint64_t after = digest_table_generation(t);

    if (found)
        return is_of_list(name, n, parity) &&
               (after != before || name[0] == 'a' + before % 26);
    return before == 0 || after != before;
}

static void *
read_on(void *arg)
{
    struct readers *r = arg;
    while (atomic_load(&r->done) == 0) {
        if (!look(r->t))
            atomic_fetch_add(&r->bad, 1);
        atomic_fetch_add(&r->looks, 1);
    }
    return NULL;
}

static void
test_threads(void **state)
{
    struct readers r = {.t = begin()};
    pthread_t threads[READERS];
    unsigned list = 0;

    (void)state;
    for (unsigned k = 0; k < READERS; k++)
        assert_int_equal(pthread_create(&threads[k], NULL, read_on, &r), 0);
    while (list < LISTS || atomic_load(&r.looks) < LOOKS) {
        fill(r.t, ++list);
        digest_table_publish(r.t);
    }
    atomic_store(&r.done, 1);
    for (unsigned k = 0; k < READERS; k++)
        assert_int_equal(pthread_join(threads[k], NULL), 0);
    print_message("%u lists, %llu looks\n", list,
                  (unsigned long long)atomic_load(&r.looks));
    assert_int_equal(atomic_load(&r.bad), 0);
    assert_int_equal(digest_table_generation(r.t), list);
    digest_table_free(r.t);
}

/* Lists of one digest are filled faster than its name is read: readers are
 * overtaken all the time. */
static void
fill_one(struct digest_table *t, unsigned list)
{
    const struct digest_entry entry = {.n = DIGEST_NAME_BYTES};
    uint8_t name[DIGEST_NAME_BYTES];

    memset(name, 'a' + (int)(list % 26), sizeof(name));
    digest_table_fill(t, &entry, 1, span_of(name, sizeof(name)));
    digest_table_publish(t);
}

static void *
read_one(void *arg)
{
    struct readers *r = arg;
    uint8_t name[DIGEST_NAME_BYTES];
    size_t n = 0;

    while (atomic_load(&r->done) == 0) {
        if (!find_first(r->t, 0, name, &n) || n != sizeof(name) ||
            memcmp(name, name + 1, n - 1) != 0)
            atomic_fetch_add(&r->bad, 1);
        atomic_fetch_add(&r->looks, 1);
    }
    return NULL;
}

static void
test_overtaken(void **state)
{
    struct readers r = {.t = begin()};
    pthread_t thread;
    unsigned list = 0;

    (void)state;
    fill_one(r.t, ++list);
    assert_int_equal(pthread_create(&thread, NULL, read_one, &r), 0);
    while (atomic_load(&r.looks) < LOOKS)
        fill_one(r.t, ++list);
    atomic_store(&r.done, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    print_message("%u lists of one\n", list);
    assert_int_equal(atomic_load(&r.bad), 0);
    digest_table_free(r.t);
}

/* A child forked before sees what is published after. */
static void
test_child_sees(void **state)
{
    struct digest_table *t = begin();
    int status = 0;
    pid_t pid;

    (void)state;
    fill(t, 1);
    digest_table_publish(t);
    pid = fork();
    if (pid == 0) {
        bool good = true;

        while (digest_table_generation(t) < LISTS)
            good = look(t) && good;
        _exit(good && look(t) ? 7 : 8);
    }
    assert_true(pid > 0);
    for (unsigned list = 2; list <= LISTS; list++) {
        fill(t, list);
        digest_table_publish(t);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    digest_table_free(t);
}

/* How many mappings of a table this process can write to, or could. */
static unsigned
count_writable(unsigned *all)
{
    FILE *f = fopen("/proc/self/maps", "re");
    unsigned writable = 0;
    char line[512];

    *all = 0;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        unsigned long from, to;

        if (strstr(line, "memfd:digests") == NULL ||
            sscanf(line, "%lx-%lx", &from, &to) != 2)
            continue;
        ++*all;
        if (mprotect((void *)from, to - from, PROT_READ | PROT_WRITE) == 0)
            writable++;
    }
    if (f != NULL)
        (void)fclose(f);
    return writable;
}

/* A child has the readers' view only, and cannot make more of it. */
static void
test_child_cannot_write(void **state)
{
    struct digest_table *t = begin();
    unsigned all;
    int status = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(count_writable(&all), 1);
    assert_int_equal(all, 2);
    pid = fork();
    if (pid == 0) {
        const unsigned writable = count_writable(&all);

        _exit(writable == 0 && all == 1 ? 7 : 8);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    digest_table_free(t);
    assert_int_equal(count_writable(&all), 0);
    assert_int_equal(all, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_overtaken),
        cmocka_unit_test(test_child_sees),
        cmocka_unit_test(test_child_cannot_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
