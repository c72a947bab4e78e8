/* memo_test - what was found in a file is found again, and in no other */
#include "dissectors/content/memo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/content_result.h"
#include "sensor/base/attr.h"

struct bench {
    struct content_memo *memo;
    struct content_result in, out;
    struct buf was, is; /* coded */
};

static void
open_bench(struct bench *b)
{
    assert_int_equal(content_memo_new(&b->memo), ERR_OK);
    content_result_init(&b->in);
    content_result_init(&b->out);
    buf_init(&b->was, SIZE_MAX);
    buf_init(&b->is, SIZE_MAX);
}

static void
close_bench(struct bench *b)
{
    content_memo_free(b->memo);
    content_result_free(&b->in);
    content_result_free(&b->out);
    buf_free(&b->was);
    buf_free(&b->is);
}

/* A digest that begins and ends so. */
static const uint8_t *
digest(uint8_t out[32], uint8_t first, uint8_t last)
{
    memset(out, 0x5a, 32);
    out[0] = first;
    out[31] = last;
    return out;
}

static struct content_job
job_of(const uint8_t *sha256, const char *name, const char *declared)
{
    return (struct content_job){.sha256 = sha256,
                                .name = span_str(name),
                                .declared = span_str(declared)};
}

static void
fill(struct content_result *r)
{
    struct content_member m = {.name = SPAN_LIT("a/b.exe"),
                               .size = 12,
                               .type = FILETYPE_ZIP,
                               .depth = 1,
                               .has_sha256 = true};

    content_result_reset(r);
    findings_add(&r->findings, FIND_EICAR);
    findings_add_detail(&r->findings, FIND_FORBIDDEN_MEMBER,
                        SPAN_LIT("a/b.exe"));
    url_set_add(&r->urls, SPAN_LIT("http://example.org/a"));
    r->urls.n_more = 3;
    r->n_members = 70;
    r->bytes_unpacked = 12345678901;
    r->type = FILETYPE_ZIP;
    assert_true(content_result_put(r, &m));
}

/* Of about n bytes when coded. */
static void
fill_to(struct content_result *r, size_t n)
{
    static const uint8_t name[CONTENT_NAME_MAX] = {'x'};
    struct buf coded;
    size_t bare;

    buf_init(&coded, SIZE_MAX);
    for (size_t with = 0; with < 2; with++) {
        size_t left = n;

        content_result_reset(r);
        r->n_members = 2;
        for (size_t i = 0; i < 2; i++) {
            struct content_member m = {.depth = 1};

            if (with == 1)
                m.name =
                    span_of(name, left < sizeof(name) ? left : sizeof(name));
            left -= m.name.n;
            assert_true(content_result_put(r, &m));
        }
        buf_reset(&coded);
        content_result_code(r, &coded);
        bare = coded.n;
        if (with == 0)
            n -= bare;
    }
    buf_free(&coded);
}

static void
what_is_kept_is_found(void **state)
{
    struct bench b;
    uint8_t sum[32];
    const struct content_job job =
        job_of(digest(sum, 1, 2), "a.zip", "application/zip");

    (void)state;
    open_bench(&b);
    fill(&b.in);
    assert_false(content_memo_find(b.memo, &job, &b.out));
    content_memo_keep(b.memo, &job, &b.in);
    findings_add(&b.out.findings, FIND_GTUBE);
    assert_true(content_memo_find(b.memo, &job, &b.out));
    content_result_code(&b.in, &b.was);
    content_result_code(&b.out, &b.is);
    assert_true(span_eq(buf_view(&b.was), buf_view(&b.is)));
    close_bench(&b);
}

static const struct {
    const char *why;
    uint8_t first, last;
    const char *name, *declared;
    bool known;
} others[] = {
    {"the same",                     7, 8, "ab",  "cd",  true },
    {"other bytes",                  7, 9, "ab",  "cd",  false},
    {"other bytes, in another set",  9, 8, "ab",  "cd",  false},
    {"another name",                 7, 8, "aB",  "cd",  false},
    {"a longer name",                7, 8, "abc", "cd",  false},
    {"no name",                      7, 8, "",    "cd",  false},
    {"another type",                 7, 8, "ab",  "ce",  false},
    {"no type",                      7, 8, "ab",  "",    false},
    {"the same letters, cut before", 7, 8, "a",   "bcd", false},
    {"the same letters, cut behind", 7, 8, "abc", "d",   false},
};

static void
equal_jobs_only(void **state)
{
    struct bench b;
    uint8_t sum[32];
    struct content_job job = job_of(digest(sum, 7, 8), "ab", "cd");

    (void)state;
    open_bench(&b);
    fill(&b.in);
    content_memo_keep(b.memo, &job, &b.in);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        bool known;

        job = job_of(digest(sum, others[i].first, others[i].last),
                     others[i].name, others[i].declared);
        fill(&b.out);
        known = content_memo_find(b.memo, &job, &b.out);
        if (known != others[i].known)
            fail_msg("%s", others[i].why);
        assert_int_equal(findings_any(&b.out.findings), known);
    }
    close_bench(&b);
}

static void
some_are_not_kept(void **state)
{
    struct bench b;
    uint8_t sum[32];
    struct content_job job = job_of(NULL, "ab", "cd");

    (void)state;
    open_bench(&b);
    fill(&b.in);
    content_memo_keep(b.memo, &job, &b.in);
    assert_false(content_memo_find(b.memo, &job, &b.out));
    job.sha256 = digest(sum, 7, 8);
    assert_false(content_memo_find(b.memo, &job, &b.out));
    b.in.nondeterministic = true;
    content_memo_keep(b.memo, &job, &b.in);
    assert_false(content_memo_find(b.memo, &job, &b.out));
    b.in.nondeterministic = false;
    content_memo_keep(b.memo, &job, &b.in);
    job.sha256 = NULL;
    assert_false(content_memo_find(b.memo, &job, &b.out));
    close_bench(&b);
}

/* Digest, three lengths, "ab" and "cd" stand beside the result. */
static void
what_does_not_fit_is_not_kept(void **state)
{
    const size_t most = CONTENT_MEMO_BYTES - 32 - 6 - 4;
    struct bench b;
    uint8_t sum[32];
    const struct content_job job = job_of(digest(sum, 7, 8), "ab", "cd");

    (void)state;
    for (size_t n = most - 1; n <= most + 1; n++) {
        open_bench(&b);
        fill_to(&b.in, n);
        content_result_code(&b.in, &b.was);
        assert_int_equal(b.was.n, n);
        content_memo_keep(b.memo, &job, &b.in);
        assert_int_equal(content_memo_find(b.memo, &job, &b.out), n <= most);
        content_result_code(&b.out, &b.is);
        if (n <= most)
            assert_true(span_eq(buf_view(&b.was), buf_view(&b.is)));
        close_bench(&b);
    }
}

static void
a_long_name_is_not_kept(void **state)
{
    static const uint8_t letters[1 << 17] = {'x'};
    struct bench b;
    uint8_t sum[32];
    struct content_job job = job_of(digest(sum, 7, 8), "ab", "cd");

    (void)state;
    open_bench(&b);
    fill(&b.in);
    job.name = SPAN_LIT("fits");
    content_memo_keep(b.memo, &job, &b.in);
    job.name = span_of(letters, sizeof(letters));
    for (unsigned i = 0; i < CONTENT_MEMO_WAYS; i++)
        content_memo_keep(b.memo, &job, &b.in);
    assert_false(content_memo_find(b.memo, &job, &b.out));
    /* what is left of the try is no result of another */
    job.name = span_of(letters, 2);
    assert_false(content_memo_find(b.memo, &job, &b.out));
    /* and no other had to give way */
    job.name = SPAN_LIT("fits");
    assert_true(content_memo_find(b.memo, &job, &b.out));
    close_bench(&b);
}

static void
the_oldest_gives_way(void **state)
{
    struct bench b;
    uint8_t sum[32];

    (void)state;
    open_bench(&b);
    for (unsigned n = 0; n < 3 * CONTENT_MEMO_WAYS; n++) {
        struct content_job job = job_of(digest(sum, 7, (uint8_t)n), "a", "");

        fill(&b.in);
        b.in.bytes_unpacked = n;
        content_memo_keep(b.memo, &job, &b.in);
        for (unsigned k = 0; k <= n; k++) {
            job.sha256 = digest(sum, 7, (uint8_t)k);
            assert_int_equal(content_memo_find(b.memo, &job, &b.out),
                             k + CONTENT_MEMO_WAYS > n);
            if (k + CONTENT_MEMO_WAYS > n)
                assert_int_equal(b.out.bytes_unpacked, k);
        }
    }
    close_bench(&b);
}

/* And what is kept afterwards is known again. */
static void
all_is_forgotten(void **state)
{
    struct bench b;
    uint8_t sum[32];

    (void)state;
    open_bench(&b);
    fill(&b.in);
    for (unsigned k = 0; k < CONTENT_MEMO_FILES; k++) {
        struct content_job job =
            job_of(digest(sum, (uint8_t)(k / CONTENT_MEMO_WAYS),
                          (uint8_t)(k % CONTENT_MEMO_WAYS)),
                   "a", "");

        content_memo_keep(b.memo, &job, &b.in);
    }
    content_memo_forget(b.memo);
    for (unsigned k = 0; k < CONTENT_MEMO_FILES; k++) {
        struct content_job job =
            job_of(digest(sum, (uint8_t)(k / CONTENT_MEMO_WAYS),
                          (uint8_t)(k % CONTENT_MEMO_WAYS)),
                   "a", "");

        assert_false(content_memo_find(b.memo, &job, &b.out));
        content_memo_keep(b.memo, &job, &b.in);
        assert_true(content_memo_find(b.memo, &job, &b.out));
    }
    close_bench(&b);
}

/* One for each first byte: all are known at once. */
static void
sets_do_not_meet(void **state)
{
    const unsigned sets = CONTENT_MEMO_FILES / CONTENT_MEMO_WAYS;
    struct bench b;
    uint8_t sum[32];

    (void)state;
    open_bench(&b);
    fill(&b.in);
    for (unsigned k = 0; k < 2 * sets; k++) {
        unsigned n = k % sets;
        struct content_job job = job_of(digest(sum, (uint8_t)n, 0), "a", "");

        b.in.bytes_unpacked = n;
        if (k < sets)
            content_memo_keep(b.memo, &job, &b.in);
        assert_true(content_memo_find(b.memo, &job, &b.out));
        assert_int_equal(b.out.bytes_unpacked, n);
    }
    close_bench(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_found),
        cmocka_unit_test(equal_jobs_only),
        cmocka_unit_test(some_are_not_kept),
        cmocka_unit_test(what_does_not_fit_is_not_kept),
        cmocka_unit_test(a_long_name_is_not_kept),
        cmocka_unit_test(the_oldest_gives_way),
        cmocka_unit_test(all_is_forgotten),
        cmocka_unit_test(sets_do_not_meet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
