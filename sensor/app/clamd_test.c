#include "sensor/app/clamd.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
/* cmocka needs the above */
#include <cmocka.h>

static const struct {
    const char *why, *answer;
    enum finding want; /* FINDING_COUNT: none */
    const char *detail;
} rows[] = {
    {"clean",                      "stream: OK",                                           FINDING_COUNT,     NULL                                    },
    {"found",                      "stream: Win.Test.EICAR_HDB-1 FOUND",                   FIND_CLAMD,
     "Win.Test.EICAR_HDB-1"                                                                                                                           },
    {"own signature",              "stream: x.UNOFFICIAL FOUND",                           FIND_CLAMD,        "x.UNOFFICIAL"                          },
    {"encrypted is not malicious", "stream: Heuristics.Encrypted.Zip FOUND",
     FIND_CLAMD_UNSCANNED,                                                                                    "Heuristics.Encrypted.Zip"              },
    {"nor is too large",           "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
     FIND_CLAMD_UNSCANNED,                                                                                    "Heuristics.Limits.Exceeded.MaxFileSize"},
    {"stream too long",            "INSTREAM size limit exceeded. ERROR",
     FIND_CLAMD_UNSCANNED,                                                                                    "INSTREAM size limit exceeded. ERROR"   },
    {"error",                      "stream: Can't allocate memory ERROR",                  FIND_CLAMD_FAILED,
     "stream: Can't allocate memory ERROR"                                                                                                            },
    {"no name",                    "stream:  FOUND",                                       FIND_CLAMD_FAILED, "stream:  FOUND"                        },
    {"nonsense",                   "hello",                                                FIND_CLAMD_FAILED, "hello"                                 },
    {"empty",                      "",                                                     FIND_CLAMD_FAILED, NULL                                    },
};

static void
reads_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct findings f;
        struct cursor c;
        enum finding what = FINDING_COUNT;
        struct span detail = SPAN_NONE;

        findings_init(&f);
        clamd_read(span_str(rows[i].answer), &f);
        c = cur_open(buf_view(&f.details));
        (void)findings_next(&c, &what, &detail);
        if (rows[i].want == FINDING_COUNT ? findings_any(&f)
                                          : !findings_has(&f, rows[i].want))
            fail_msg("%s: finding", rows[i].why);
        if (rows[i].detail != NULL &&
            !span_eq(detail, span_str(rows[i].detail)))
            fail_msg("%s: detail", rows[i].why);
        findings_free(&f);
    }
}

/* ---- a daemon that misbehaves; the real one is in tests/clamd_test.py ---- */

enum fault { REFUSES, SAYS_NOTHING, HANGS_UP, SAYS_TOO_MUCH };

struct daemon {
    int fd;
    enum fault fault;
    char path[64];
};

static void *
serve(void *arg)
{
    struct daemon *d = arg;
    static char junk[4096];
    int fd = accept(d->fd, NULL, NULL);

    memset(junk, 'x', sizeof(junk));
    if (fd < 0)
        return NULL;
    if (d->fault == SAYS_NOTHING) {
        while (recv(fd, junk, sizeof(junk), 0) > 0)
            ;
    } else if (d->fault == SAYS_TOO_MUCH) {
        (void)recv(fd, junk, 100, 0);
        memset(junk, 'x', sizeof(junk));
        (void)send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
    }
    (void)close(fd);
    return NULL;
}

static void
survives(enum fault fault)
{
    static uint8_t large[1 << 20];
    const struct content_job job = {.bytes = span_of(large, sizeof(large))};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct daemon d = {.fault = fault};
    struct content_result r;
    pthread_t thread;

    (void)snprintf(d.path, sizeof(d.path), "/tmp/span25-clamd-%d", getpid());
    (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", d.path);
    (void)unlink(d.path);
    d.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(d.fd >= 0);
    if (fault != REFUSES) {
        assert_int_equal(bind(d.fd, (struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(listen(d.fd, 1), 0);
        assert_int_equal(pthread_create(&thread, NULL, serve, &d), 0);
    }
    content_result_init(&r);
    clamd_inspect(d.path, &job, &r);
    assert_true(findings_has(&r.findings, FIND_CLAMD_FAILED));
    assert_false(findings_has(&r.findings, FIND_CLAMD));
    content_result_free(&r);
    if (fault != REFUSES)
        (void)pthread_join(thread, NULL);
    (void)close(d.fd);
    (void)unlink(d.path);
}

static void
survives_a_bad_daemon(void **state)
{
    (void)state;
    survives(REFUSES);
    survives(SAYS_NOTHING);
    survives(HANGS_UP);
    survives(SAYS_TOO_MUCH);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_answers),
        cmocka_unit_test(survives_a_bad_daemon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
