#include "sensor/app/evidence_store.h"

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
        cmocka_unit_test(test_no_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
