/* takeover - what code that has taken over a worker can reach
 *
 * A process that is confined as a worker, with a packet socket, a ring and its
 * part of the board, does what such code would try; each attempt in a process
 * of its own. Prints each attempt and what came of it, and ends with 1 when one
 * did not come out as the table, which is the list in span25-deploy(7), says.
 * Ends with 77 where the build has no filter or no packet socket can be had. */
#include "sensor/app/confine.h"
#include "sensor/app/live_board.h"
#include "sensor/base/ring.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#endif

enum { MINE = 1, OTHER = 0, SKIPPED = 77, REACHED = 10, REFUSED = 11 };

struct scene {
    struct live_board *board;
    struct ring_bell *bell;
    struct ring rings[2];
    int packets; /* the socket */
    pid_t supervisor;
    pid_t sibling; /* without rights, as a worker or the core is */
};

static bool
call(long number, long a, long b, long c)
{
    return syscall(number, a, b, c, 0, 0, 0) >= 0;
}

/* ---- attempts: true is reached, false is refused ---- */

static bool
set_stop_word(const struct scene *s)
{
    s->board->stop = 1;
    return true;
}

static bool
forge_other_counts(const struct scene *s)
{
    atomic_store(&s->board->worker[OTHER].records, 1);
    return true;
}

static bool
forge_core(const struct scene *s)
{
    s->board->core.metrics[0] = '!';
    return true;
}

static bool
write_other_ring(const struct scene *s)
{
    *(volatile char *)(void *)s->rings[OTHER].shared = 1;
    return true;
}

static bool
open_board(const struct scene *s)
{
    return mprotect(s->board, LIVE_PART, PROT_READ | PROT_WRITE) == 0;
}

static bool
send_packet(const struct scene *s)
{
    return write(s->packets, "x", 1) >= 0;
}

static bool
send_packet_to(const struct scene *s)
{
    return sendto(s->packets, "x", 1, 0, NULL, 0) >= 0;
}

static bool
take_filter_away(const struct scene *s)
{
    return setsockopt(s->packets, SOL_SOCKET, SO_DETACH_FILTER, "", 1) == 0;
}

static bool
read_file(const struct scene *s)
{
    (void)s;
    return call(SYS_openat, AT_FDCWD, (long)(uintptr_t) "/etc/passwd", 0);
}

static bool
connect_out(const struct scene *s)
{
    (void)s;
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool
start_program(const struct scene *s)
{
    (void)s;
    return call(SYS_execve, (long)(uintptr_t) "/bin/sh", 0, 0);
}

static bool
start_process(const struct scene *s)
{
    (void)s;
    return call(SYS_clone, SIGCHLD, 0, 0);
}

static bool
run_new_code(const struct scene *s)
{
    (void)s;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0) != MAP_FAILED;
}

static bool
signal_supervisor(const struct scene *s)
{
    return call(SYS_tgkill, s->supervisor, s->supervisor, 0);
}

static bool
read_supervisor(const struct scene *s)
{
    return call(SYS_ptrace, 16, s->supervisor, 0);
}

static bool
forge_record(const struct scene *s)
{
    struct ring mine = s->rings[MINE];

    return ring_put(&mine, SPAN_LIT("a record that no packet made"));
}

static bool
forge_own_counts(const struct scene *s)
{
    atomic_store(&s->board->worker[MINE].records, 1);
    return true;
}

static bool
read_board(const struct scene *s)
{
    return atomic_load(&s->board->worker[OTHER].records) == 0;
}

static bool
forge_log(const struct scene *s)
{
    (void)s;
    return write(STDERR_FILENO, "", 0) == 0;
}

static bool
move_sibling(const struct scene *s)
{
    cpu_set_t where;

    return sched_getaffinity(0, sizeof(where), &where) == 0 &&
           sched_setaffinity(s->sibling, sizeof(where), &where) == 0;
}

static bool
use_up_memory(const struct scene *s)
{
    (void)s;
    return mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0) != MAP_FAILED;
}

static bool
hush_bell(const struct scene *s)
{
    atomic_store(&s->bell->rung, 0);
    return true;
}

static const struct {
    const char *what;
    bool (*try)(const struct scene *s);
    bool reached;
} attempts[] = {
    {"stop the sensor by its stop word",        set_stop_word,      false},
    {"forge the numbers of another worker",     forge_other_counts, false},
    {"forge the page of numbers",               forge_core,         false},
    {"write into the ring of another worker",   write_other_ring,   false},
    {"make the board writable",                 open_board,         false},
    {"send a packet (write)",                   send_packet,        false},
    {"send a packet (sendto)",                  send_packet_to,     false},
    {"take the filter from its packet socket",  take_filter_away,   false},
    {"read a file",                             read_file,          false},
    {"connect to the network",                  connect_out,        false},
    {"start a program",                         start_program,      false},
    {"start a process",                         start_process,      false},
    {"run code that it brings",                 run_new_code,       false},
    {"end the supervisor",                      signal_supervisor,  false},
    {"read the supervisor's memory",            read_supervisor,    false},
    {"forge records of its own connections",    forge_record,       true },
    {"forge its own numbers",                   forge_own_counts,   true },
    {"read the numbers of all",                 read_board,         true },
    {"forge lines of the log",                  forge_log,          true },
    {"move other processes between processors", move_sibling,       true },
    {"use up memory and time",                  use_up_memory,      true },
    {"let the core sleep a tick longer",        hush_bell,          true },
};

static _Noreturn void
be_worker(const struct scene *s, size_t attempt)
{
    struct ring other = s->rings[OTHER];

    ring_free(&other);
    if (live_board_own(s->board, LIVE_WORKER, MINE) != ERR_OK ||
        confine(CONFINE_WORKER) != ERR_OK)
        _exit(1);
    _exit(attempts[attempt].try(s) ? REACHED : REFUSED);
}

/* True: it came out as the table says. */
static bool
try_one(const struct scene *s, size_t attempt)
{
    int status = 0;
    bool reached, known;
    const pid_t pid = fork();

    if (pid == 0)
        be_worker(s, attempt);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    reached = WIFEXITED(status) && WEXITSTATUS(status) == REACHED;
    known = WIFSIGNALED(status) || reached ||
            (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED);
    printf("%-42s %s\n", attempts[attempt].what,
           reached               ? "reached"
           : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                 : "refused");
    return known && reached == attempts[attempt].reached;
}

/* Returns when it has no rights any more. */
static pid_t
make_sibling(void)
{
    int ready[2];
    pid_t pid;
    char c;

    if (pipe(ready) != 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        if (!confine_capabilities() || write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    (void)!read(ready[0], &c, 1);
    (void)close(ready[0]);
    return pid;
}

static bool
set_scene(struct scene *s)
{
    s->sibling = make_sibling();
    s->supervisor = getpid();
    s->packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return live_board_new(&s->board) == ERR_OK &&
           ring_bell_new(&s->bell) == ERR_OK &&
           ring_new(1 << 16, s->bell, &s->rings[0]) == ERR_OK &&
           ring_new(1 << 16, s->bell, &s->rings[1]) == ERR_OK;
}

int
main(void)
{
    struct scene s = {0};
    bool good = true;

#ifdef IS_SANITIZED
    return SKIPPED;
#endif
    if (!set_scene(&s))
        return 1;
    if (s.packets < 0) {
        (void)kill(s.sibling, SIGKILL);
        puts("skipped: no packet socket");
        return SKIPPED;
    }
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        good = try_one(&s, i) && good;
    (void)kill(s.sibling, SIGKILL);
    return good ? 0 : 1;
}
