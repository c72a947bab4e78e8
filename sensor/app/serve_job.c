#include "sensor/app/serve_job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/app/confine.h"

#define WORDS_MAX 256U /* words of a command line */
#define NICE      10
#define SELF      "/proc/self/exe"
#define SHORT_OF  "/proc/self/oom_score_adj"

/* What the page tells: a letter, and behind START the words. */
enum { START = 'S', STOP = 'T' };

/* What the keeper tells when a study has ended. */
struct ended {
    int code;
    char told[SERVE_JOB_TOLD];
};

struct serve_job {
    pthread_mutex_t lock;
    int fd; /* to the keeper */
    struct serve_job_seen seen;
};

/* ---- which command lines ---- */

static bool
next_word(struct span *words, struct span *out)
{
    const size_t end = span_find(*words, 0);

    *out = span_head(*words, end);
    if (end == words->n) /* the last one has a NUL too */
        return false;
    *words = span_tail(*words, end + 1);
    return true;
}

bool
serve_job_allows(struct span words)
{
    static const char *const verbs[] = {"run", "sweep", "review"};
    struct span word;
    bool good = words.n <= SERVE_JOB_WORDS && next_word(&words, &word) &&
                span_eq(word, SPAN_LIT("study")) && next_word(&words, &word);
    bool known = false;
    size_t n = 2;

    for (size_t i = 0; good && i < ARRAY_LEN(verbs); i++)
        known = known || span_eq(word, span_str(verbs[i]));
    good = good && known;
    /* a word that is no option is an input: a capture, a broker */
    for (; good && words.n > 0; n++)
        good = next_word(&words, &word) && word.n > 2 &&
               span_starts(word, SPAN_LIT("--")) && n < WORDS_MAX;
    return good;
}

/* ---- the keeper ---- */

struct keeper {
    int page; /* words come from there */
    int said; /* standard error of the study; -1: none runs */
    pid_t child;
    size_t n; /* bytes of told */
    struct ended ended;
    char words[SERVE_JOB_WORDS + 2];
};

static void
in_child(char *words, size_t n, int err)
{
    static char program[] = "span25";
    char *argv[WORDS_MAX + 2] = {program};
    const int none = open("/dev/null", O_RDWR);
    int fd;
    size_t k = 1;

    for (char *at = words; at < words + n && k < WORDS_MAX + 1; k++) {
        argv[k] = at;
        at += strlen(at) + 1;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    fd = open(SHORT_OF, O_WRONLY);
    if (fd >= 0 && write(fd, "1000", 4) == 4)
        (void)close(fd);
    if (none < 0 || dup2(none, 0) < 0 || dup2(none, 1) < 0 || dup2(err, 2) < 0)
        _exit(1);
    (void)close_range(3, ~0U, 0);
    (void)execv(SELF, argv);
    _exit(1);
}

static void
start(struct keeper *k, size_t n)
{
    int ends[2];

    k->n = 0;
    memset(&k->ended, 0, sizeof(k->ended));
    if (k->said >= 0 || !serve_job_allows(span_of(k->words + 1, n - 1)) ||
        pipe2(ends, O_CLOEXEC) != 0)
        return;
    k->child = fork();
    if (k->child == 0)
        in_child(k->words + 1, n - 1, ends[1]);
    (void)close(ends[1]);
    if (k->child > 0)
        k->said = ends[0];
    else
        (void)close(ends[0]);
}

/* It did not begin, or has ended. */
static void
tell(struct keeper *k)
{
    (void)send(k->page, &k->ended, sizeof(k->ended), MSG_NOSIGNAL);
}

/* False: the page is gone. */
static bool
take_word(struct keeper *k)
{
    const ssize_t n = recv(k->page, k->words, sizeof(k->words) - 1, 0);

    if (n <= 0)
        return n < 0 && errno == EINTR;
    k->words[n] = '\0';
    if (k->words[0] == START) {
        start(k, (size_t)n);
        if (k->said < 0) {
            k->ended.code = 1;
            tell(k);
        }
    } else if (k->said >= 0) {
        (void)kill(k->child, n > 1 ? SIGKILL : SIGTERM);
    }
    return true;
}

/* The first of what it says is kept: it says what is wrong there. */
static void
take_said(struct keeper *k)
{
    char more[1024];
    const ssize_t n = read(k->said, more, sizeof(more));
    int status = 0;

    if (n < 0 && errno == EINTR)
        return;
    if (n > 0) {
        const size_t room = sizeof(k->ended.told) - 1 - k->n;
        const size_t fits = (size_t)n < room ? (size_t)n : room;

        memcpy(k->ended.told + k->n, more, fits);
        k->n += fits;
        return;
    }
    (void)close(k->said);
    k->said = -1;
    while (waitpid(k->child, &status, 0) < 0 && errno == EINTR)
        continue;
    k->ended.code = WIFEXITED(status)     ? WEXITSTATUS(status)
                    : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                          : 1;
    tell(k);
}

static void
keep(struct keeper *k)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = k->page, .events = POLLIN},
            {.fd = k->said, .events = POLLIN}
        };

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents != 0)
            take_said(k);
        if (fds[0].revents != 0 && !take_word(k))
            break;
    }
    if (k->said >= 0)
        (void)kill(k->child, SIGKILL);
    _exit(0);
}

/* Its own rights go as well, but for that to make a process. */
static void
begin_keeper(int page)
{
    const struct rlimit none = {0, 0};
    struct keeper *k = calloc(1, sizeof(*k));

    if (k == NULL || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        !confine_capabilities() || dup2(page, 3) < 0)
        _exit(1);
    (void)close_range(4, ~0U, 0);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)unsetenv("NOTIFY_SOCKET"); /* it is the page's */
    k->page = 3;
    k->said = -1;
    keep(k);
}

/* ---- the page ---- */

enum err
serve_job_open(struct serve_job **out)
{
    struct serve_job *j = calloc(1, sizeof(*j));
    int ends[2];
    pid_t pid;

    if (j == NULL)
        return ERR_NOMEM;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        free(j);
        return ERR_IO;
    }
    /* nobody waits for the keeper: it ends when this process does */
    (void)signal(SIGCHLD, SIG_IGN);
    pid = fork();
    if (pid == 0)
        begin_keeper(ends[1]);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        free(j);
        return ERR_IO;
    }
    j->fd = ends[0];
    (void)pthread_mutex_init(&j->lock, NULL);
    *out = j;
    return ERR_OK;
}

void
serve_job_close(struct serve_job *j)
{
    if (j == NULL)
        return;
    (void)close(j->fd);
    (void)pthread_mutex_destroy(&j->lock);
    free(j);
}

/* What the keeper has told meanwhile. The lock is held. */
static void
look(struct serve_job *j)
{
    struct ended e;
    ssize_t n;

    if (!j->seen.running)
        return;
    n = recv(j->fd, &e, sizeof(e), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != (ssize_t)sizeof(e))
        e = (struct ended){.code = 1, .told = "its keeper has ended"};
    j->seen.running = false;
    j->seen.code = e.code;
    memcpy(j->seen.told, e.told, sizeof(e.told));
    j->seen.told[sizeof(j->seen.told) - 1] = '\0';
}

enum err
serve_job_start(struct serve_job *j, const struct serve_job_what *what,
                struct span words)
{
    struct buf b;
    enum err e = ERR_OK;

    if (words.n > SERVE_JOB_WORDS)
        return ERR_LIMIT;
    buf_init(&b, SERVE_JOB_WORDS + 1);
    buf_putc(&b, START);
    buf_span(&b, words);
    (void)pthread_mutex_lock(&j->lock);
    look(j);
    if (b.failed || b.cut)
        e = ERR_NOMEM;
    else if (j->seen.running)
        e = ERR_BUSY;
    else if (send(j->fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        e = ERR_IO;
    else
        j->seen = (struct serve_job_seen){.what = *what, .running = true};
    (void)pthread_mutex_unlock(&j->lock);
    buf_free(&b);
    return e;
}

bool
serve_job_stop(struct serve_job *j)
{
    static const char words[] = {STOP, STOP};
    bool good;

    (void)pthread_mutex_lock(&j->lock);
    look(j);
    good = j->seen.running && send(j->fd, words, j->seen.stopped ? 2 : 1,
                                   MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
    j->seen.stopped = j->seen.stopped || good;
    (void)pthread_mutex_unlock(&j->lock);
    return good;
}

void
serve_job_look(struct serve_job *j, struct serve_job_seen *out)
{
    (void)pthread_mutex_lock(&j->lock);
    look(j);
    *out = j->seen;
    (void)pthread_mutex_unlock(&j->lock);
}
