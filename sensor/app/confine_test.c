#include "sensor/app/confine.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* The letters of confine_calls.def, in the order of enum confine_role. */
#define ALL "Swcirpfhkxag"

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
open_local(void)
{
    (void)socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
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
leave_namespace(void)
{
    (void)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
}

static void
write_line(void)
{
    (void)!write(STDERR_FILENO, "", 0);
}

static void
write_elsewhere(void)
{
    (void)!write(STDIN_FILENO, "", 0);
}

static void
map_code(void)
{
    (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
               -1, 0);
}

static void
take_memory(void)
{
    char *p = malloc((size_t)64 << 20);

    if (p != NULL)
        p[0] = 1;
    p = realloc(p, (size_t)128 << 20);
    free(p);
}

static void
abort_self(void)
{
    abort();
}

static void
signal_parent(void)
{
    (void)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void
take_interface_down(void)
{
    (void)ioctl(STDIN_FILENO, SIOCSIFFLAGS, NULL);
}

/* Letters as in confine_calls.def: who lives; all others are killed. */
static const struct {
    const char *why;
    void (*act)(void);
    const char *lives;
} rows[] = {
    {"who has files opens them",               open_file,           "Scipfkxag"},
    {"few speak to the network, or get EPERM", open_socket,         "Spg"      },
    {"nor to this machine, but who is asked",  open_local,          "Scpkag"   },
    {"no process executes anything",           execute,             ""         },
    {"few have children",                      fork_once,           "Sck"      },
    {"no process leaves its namespaces",       leave_namespace,     ""         },
    {"all tell what is wrong",                 write_line,          ALL        },
    {"who has no files writes nowhere else",   write_elsewhere,     "Scirpfg"  },
    {"memory is never code",                   map_code,            "Sp"       },
    {"there is memory",                        take_memory,         ALL        },
    {"no process signals another",             signal_parent,       "S"        },
    {"an interface stays as it is",            take_interface_down, "Sg"       },
};

static enum err
confine_as(enum confine_role role)
{
    if (role == CONFINE_RECORDER)
        return confine_recorder(STDERR_FILENO);
    return confine(role);
}

/* As of waitpid, of a child that is confined and acts. */
static int
act_confined(void (*act)(void), enum confine_role role)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (confine_as(role) != ERR_OK)
            _exit(2);
        act();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool
is_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void
what_is_not_listed_kills(void **state)
{
    (void)state;
    if (IS_SANITIZED) /* has no filter: confine.h */
        return;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t r = 0; r < strlen(ALL); r++) {
            const bool lives = strchr(rows[i].lives, ALL[r]) != NULL;
            const int status = act_confined(rows[i].act, (enum confine_role)r);
            const bool lived = WIFEXITED(status) && WEXITSTATUS(status) == 0;

            if (lives ? !lived : !is_killed(status))
                fail_msg("%s: %c: status %x", rows[i].why, ALL[r],
                         (unsigned)status);
        }
    }
}

/* ---- files ---- */

/* What may be opened after confine_files or confine_writes, by its flags. */
struct file_row {
    const char *why, *path;
    int flags;
    bool may;
};

static const struct file_row files[] = {
    {"what it reads",         "state/journal",    O_RDONLY,           true },
    {"where it locks",        "state/journal",    O_RDWR,             true },
    {"a new list",            "state/feeds/new",  O_WRONLY | O_CREAT, true },
    {"nothing outside",       "outside",          O_RDONLY,           false},
    {"nor by a way around",   "state/../outside", O_RDONLY,           false},
    {"no new folder's",       "new/file",         O_WRONLY | O_CREAT, false},
    {"nothing of the system", "/etc/passwd",      O_RDONLY,           false},
};

static const struct file_row writes[] = {
    {"what it reads",         "state/journal",    O_RDONLY,           true },
    {"where it writes",       "state/journal",    O_RDWR,             true },
    {"a new draft",           "state/feeds/new",  O_WRONLY | O_CREAT, true },
    {"what is configured",    "outside",          O_RDONLY,           true },
    {"but not to change it",  "outside",          O_WRONLY,           false},
    {"nor by a way around",   "state/../outside", O_RDWR,             false},
    {"nothing new elsewhere", "new",              O_WRONLY | O_CREAT, false},
    {"what the system has",   "/etc/passwd",      O_RDONLY,           true },
};

static bool
kernel_has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) >= 1;
}

/* 0: all as it should be; else the row, from 1. */
static int
try_rows(const struct file_row *rows_of, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int fd =
            open(rows_of[i].path, rows_of[i].flags | O_CLOEXEC, 0600);

        if ((fd >= 0) != rows_of[i].may)
            return (int)i + 1;
    }
    return unlink("outside") == 0 ? 101 : 0;
}

static int
try_files(void)
{
    int row;

    if (!confine_files("state"))
        return 100;
    row = try_rows(files, sizeof(files) / sizeof(files[0]));
    return row == 0 && mkdir("state/x", 0700) == 0 ? 102 : row;
}

/* A program that is refused is EACCES, before the filter is asked. */
static int
try_writes(void)
{
    int row;

    if (!confine_writes("state"))
        return 100;
    row = try_rows(writes, sizeof(writes) / sizeof(writes[0]));
    if (row == 0 && (mkdir("state/x", 0700) != 0 || mkdir("x", 0700) == 0 ||
                     rename("state/journal", "state/feeds/new") == 0 ||
                     rename("state/journal", "state/renamed") != 0))
        return 103;
    if (row == 0)
        execute();
    return row;
}

/* In a folder of its own, with state/ and a file beside it. */
static void
confined_to_files(int (*attempt)(void))
{
    char folder[] = "/tmp/span25-confine-XXXXXX";
    int status = 0;
    pid_t pid;

    if (!kernel_has_landlock())
        return;
    assert_non_null(mkdtemp(folder));
    pid = fork();
    if (pid == 0) {
        if (chdir(folder) != 0 || mkdir("state", 0700) != 0 ||
            mkdir("state/feeds", 0700) != 0 ||
            close(open("state/journal", O_CREAT | O_WRONLY, 0600)) != 0 ||
            close(open("outside", O_CREAT | O_WRONLY, 0600)) != 0)
            _exit(99);
        _exit(attempt());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(chdir(folder), 0);
    (void)unlink("state/feeds/new");
    (void)unlink("state/journal");
    (void)unlink("state/renamed");
    (void)unlink("outside");
    (void)rmdir("state/x");
    (void)rmdir("state/feeds");
    (void)rmdir("state");
    assert_int_equal(chdir("/"), 0);
    (void)rmdir(folder);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
files_of_others_stay_closed(void **state)
{
    (void)state;
    confined_to_files(try_files);
}

static void
files_of_others_stay_as_they_are(void **state)
{
    (void)state;
    confined_to_files(try_writes);
}

/* That it was us is to be seen: not the filter ends it. */
static void
all_may_abort(void **state)
{
    (void)state;
    for (size_t r = 0; !IS_SANITIZED && r < strlen("Swcirpfhk"); r++) {
        const int status = act_confined(abort_self, (enum confine_role)r);

        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("%c: status %x", ALL[r], (unsigned)status);
    }
}

static const struct {
    int number;
    const char *roles;
    enum confine_how how;
} calls[] = {
#define CALL(name, roles, how, why) {SYS_##name, roles, how},
#include "sensor/app/confine_calls.def"
#undef CALL
};

static bool
may(char letter, int number)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        if (calls[i].number == number && strchr(calls[i].roles, letter) != NULL)
            return true;
    }
    return false;
}

/* Filters stay with all that is forked. */
static void
who_forks_may_what_the_forked_may(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        for (const char *r = calls[i].roles; *r != '\0'; r++) {
            assert_non_null(strchr(ALL, *r));
            if (*r == 'g') /* a program of its own */
                continue;
            if (!may('S', calls[i].number) ||
                (strchr("xa", *r) != NULL && !may('k', calls[i].number)))
                fail_msg("call %d of %c", calls[i].number, *r);
        }
    }
}

/* The recorder writes files; its packet sockets are no such. */
static void
a_packet_is_never_sent(void **state)
{
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    int status = 0;
    pid_t pid;

    (void)state;
    if (fd < 0)
        skip();
    if (IS_SANITIZED) { /* has no filter: confine.h */
        (void)close(fd);
        return;
    }
    pid = fork();
    if (pid == 0) {
        if (confine_recorder(STDERR_FILENO) != ERR_OK)
            _exit(2);
        (void)!write(STDERR_FILENO, "", 0);
        (void)!write(fd, "", 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(is_killed(status));
    (void)close(fd);
}

static void
rights_are_gone(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(confine_capabilities() && chroot("/") != 0 &&
                      confine(CONFINE_CORE) == ERR_OK &&
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
        cmocka_unit_test(files_of_others_stay_closed),
        cmocka_unit_test(files_of_others_stay_as_they_are),
        cmocka_unit_test(all_may_abort),
        cmocka_unit_test(who_forks_may_what_the_forked_may),
        cmocka_unit_test(a_packet_is_never_sent),
        cmocka_unit_test(rights_are_gone),
        cmocka_unit_test(unknown_user_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
