#include "sensor/app/confine.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

static void
open_file(void)
{
    (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
open_socket(void)
{
    (void)socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void
execute(void)
{
    (void)execl("/bin/true", "true", (char *)NULL);
}

static void
fork_once(void)
{
    if (fork() == 0)
        _exit(0);
}

static void
write_line(void)
{
    (void)!write(STDERR_FILENO, "", 0);
}

static const struct {
    const char *why;
    enum confine_role role;
    void (*act)(void);
    bool allowed;
} rows[] = {
    {"a worker opens no file",       CONFINE_WORKER, open_file,   false},
    {"nor a socket",                 CONFINE_WORKER, open_socket, false},
    {"nor does it execute anything", CONFINE_WORKER, execute,     false},
    {"nor is there another of it",   CONFINE_WORKER, fork_once,   false},
    {"it tells what is wrong",       CONFINE_WORKER, write_line,  true },
    {"the core opens files",         CONFINE_CORE,   open_file,   true },
    {"but no socket of the network", CONFINE_CORE,   open_socket, false},
    {"it executes nothing",          CONFINE_CORE,   execute,     false},
    {"a child writes its snapshots", CONFINE_CORE,   fork_once,   true },
    {"the index opens files",        CONFINE_INDEX,  open_file,   true },
    {"but no socket of the network", CONFINE_INDEX,  open_socket, false},
    {"nor does it execute anything", CONFINE_INDEX,  execute,     false},
};

/* As of waitpid, of a child that is confined and acts. */
static int
act_confined(size_t row)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (confine(rows[row].role) != ERR_OK)
            _exit(2);
        rows[row].act();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void
what_is_not_listed_kills(void **state)
{
    (void)state;
    if (IS_SANITIZED) /* has no filter: confine.h */
        return;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = act_confined(i);
        bool lived = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

        if (rows[i].allowed ? !lived : !killed)
            fail_msg("%s: status %x", rows[i].why, (unsigned)status);
    }
}

static void
rights_are_gone(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(confine_capabilities() && chroot("/") != 0 &&
                      confine(CONFINE_INDEX) == ERR_OK &&
                      prctl(PR_GET_DUMPABLE) == 0 &&
                      prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
                  ? 0
                  : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
unknown_user_is_told(void **state)
{
    struct buf message;

    (void)state;
    if (geteuid() != 0)
        skip();
    buf_init(&message, 1024);
    assert_int_equal(confine_user("no-such-user", "/nonexistent", &message),
                     ERR_CONFIG);
    assert_true(message.n > 0);
    buf_free(&message);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_listed_kills),
        cmocka_unit_test(rights_are_gone),
        cmocka_unit_test(unknown_user_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
