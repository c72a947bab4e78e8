#include "sensor/app/evidence_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

struct place {
    char state[64], folder[128], file[256];
};

static void
make(struct place *p)
{
    snprintf(p->state, sizeof(p->state), "/tmp/evidence_store.XXXXXX");
    assert_non_null(mkdtemp(p->state));
    snprintf(p->folder, sizeof(p->folder), "%s/evidence", p->state);
    snprintf(p->file, sizeof(p->file), "%s/decisions/" HASH ".json", p->folder);
}

static void
unmake(const struct place *p)
{
    char decisions[160];

    snprintf(decisions, sizeof(decisions), "%s/decisions", p->folder);
    (void)unlink(p->file);
    (void)rmdir(decisions);
    (void)rmdir(p->folder);
    assert_int_equal(rmdir(p->state), 0); /* nothing was left beside */
}

static void
test_whole(void **state)
{
    const struct span object = SPAN_LIT("{\"schema\":1}\n");
    char got[64];
    struct place p;
    struct stat st;
    FILE *f;

    (void)state;
    make(&p);
    assert_int_equal(mkdir(p.folder, 0700), 0);
    assert_int_equal(evidence_store_put(p.state, HASH, object), ERR_OK);
    assert_int_equal(stat(p.file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    f = fopen(p.file, "r");
    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof(got), f), object.n);
    assert_memory_equal(got, object.p, object.n);
    fclose(f);
    assert_int_equal(evidence_store_put(p.state, HASH, object), ERR_OK);
    unmake(&p);
}

static void
put_at(const struct place *p, unsigned i, long seconds, const char *end)
{
    const struct timespec when[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    char hash[16], from[256], to[256];

    snprintf(hash, sizeof(hash), "%08x", i);
    snprintf(from, sizeof(from), "%s/decisions/%s.json", p->folder, hash);
    snprintf(to, sizeof(to), "%s/decisions/%s%s", p->folder, hash, end);
    assert_int_equal(evidence_store_put(p->state, hash, SPAN_LIT("x")), ERR_OK);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(utimensat(AT_FDCWD, to, when, 0), 0);
}

static void
take(const struct place *p, unsigned i, const char *end)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/decisions/%08x%s", p->folder, i, end);
    assert_int_equal(unlink(path), 0);
}

/* Of age and of a crash; what is younger, and of others, stays. */
static void
test_old(void **state)
{
    struct place p;
    DIR *at = NULL;

    (void)state;
    make(&p);
    assert_int_equal(mkdir(p.folder, 0700), 0);
    assert_int_equal(evidence_store_sweep(p.state, &at, 100 * NS_PER_S), 0);
    assert_null(at);
    put_at(&p, 1, 99, ".json");
    put_at(&p, 2, 100, ".json");
    put_at(&p, 3, 99, ".json.new");
    put_at(&p, 4, 99, ".txt");
    assert_int_equal(evidence_store_sweep(p.state, &at, 0), 0);
    assert_int_equal(evidence_store_sweep(p.state, &at, 100 * NS_PER_S), 2);
    assert_null(at);
    take(&p, 2, ".json");
    take(&p, 4, ".txt");
    unmake(&p);
}

/* One call does not take longer however many there are. */
static void
test_many_old(void **state)
{
    uint64_t first, second;
    struct place p;
    DIR *at = NULL;

    (void)state;
    make(&p);
    assert_int_equal(mkdir(p.folder, 0700), 0);
    for (unsigned i = 0; i <= EVIDENCE_SWEEP; i++)
        put_at(&p, i, 1, ".json");
    first = evidence_store_sweep(p.state, &at, NS_PER_S * 2);
    assert_non_null(at);
    assert_true(first <= EVIDENCE_SWEEP);
    second = evidence_store_sweep(p.state, &at, NS_PER_S * 2);
    assert_null(at);
    assert_int_equal(first + second, EVIDENCE_SWEEP + 1);
    unmake(&p);
}

/* As of a full disk, or a state that somebody took apart: it is told. */
static void
test_no_folder(void **state)
{
    struct place p;

    (void)state;
    make(&p);
    assert_int_equal(evidence_store_put(p.state, HASH, SPAN_LIT("x")), ERR_IO);
    unmake(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_old),
        cmocka_unit_test(test_many_old),
        cmocka_unit_test(test_no_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
