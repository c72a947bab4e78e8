#include "sensor/app/study_source.h"

#include "sensor/app/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELF      "/proc/self/exe"
#define CHUNK     (256U << 10) /* of the file, hashed while its reader works */
#define SAID_MAX  (64U << 10)  /* bytes of its messages that are told on */
#define WORDS_MAX 2100U        /* of its command line: 1024 home networks */
#define TEXT_MAX  (256U << 10)
#define NOT_BEGUN 127 /* its exit code: there is no such program */

struct capture_input {
    struct study_lines lines; /* what it writes */
    pid_t pid;                /* 0: none, or its end is known */
    int said;                 /* file of its standard error; -1: none */
    int file;                 /* the capture, for its hash; -1: none */
    EVP_MD_CTX *sha;
    uint8_t *chunk;
    bool hashed; /* to its end */
    bool not_hashed;
    const char *words[WORDS_MAX];
    size_t n_words;
    struct buf text; /* of the words that are made here */
};

static struct capture_input *
self(const struct study_source *s)
{
    return s->own;
}

/* ---- the command line ---- */

static void
word(struct capture_input *c, const char *text)
{
    if (c->n_words + 1 < WORDS_MAX)
        c->words[c->n_words++] = text;
}

/* Those of the file are read there. In a buffer that does not move. */
static void
home_words(struct capture_input *c, const struct config *config)
{
    if (config->origin[OPTION_ID_home].kind != ORIGIN_FLAG)
        return;
    for (size_t i = 0; i < config->home.n; i++) {
        size_t at = c->text.n;

        prefix_format(&config->home.v[i], &c->text);
        buf_putc(&c->text, '\0');
        word(c, "--home");
        word(c, (const char *)c->text.p + at);
    }
}

static enum err
make_words(const struct study_source *s)
{
    const struct study_inputs_options *o = &s->room->o;
    struct capture_input *c = self(s);

    buf_init(&c->text, TEXT_MAX);
    if (!buf_grow(&c->text, TEXT_MAX))
        return ERR_NOMEM;
    word(c, "span25");
    word(c, "read");
    word(c, "--events");
    word(c, "-");
    word(c, "--quiet");
    if (o->config_file != NULL) {
        word(c, "--config");
        word(c, o->config_file);
    }
    home_words(c, o->config);
    if (o->config->registry != NULL &&
        o->config->origin[OPTION_ID_registry].kind == ORIGIN_FLAG) {
        word(c, "--registry");
        word(c, o->config->registry);
    }
    word(c, "--");
    word(c, s->name);
    return ERR_OK;
}

/* ---- the process ---- */

/* Between fork and exec, where only system calls are safe. */
static _Noreturn void
be_reader(const struct capture_input *c, const char *program, int out,
          pid_t parent)
{
    sigset_t none;
    char *words[WORDS_MAX];
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

    memcpy(words, c->words, sizeof(words));
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* an interrupt at the terminal is ours, and we end it */
    (void)setpgid(0, 0);
    if (getppid() == parent && in >= 0 &&
        dup2(in, STDIN_FILENO) == STDIN_FILENO &&
        dup2(out, STDOUT_FILENO) == STDOUT_FILENO &&
        dup2(c->said, STDERR_FILENO) == STDERR_FILENO)
        (void)execv(program, words);
    _exit(NOT_BEGUN);
}

/* *out: where its events come. */
static enum err
spawn(const struct study_source *s, int *out)
{
    const char *program = s->room->o.program;
    struct capture_input *c = self(s);
    pid_t me = getpid();
    int pipes[2];

    c->said = memfd_create("span25-read", MFD_CLOEXEC);
    if (c->said < 0 || pipe2(pipes, O_CLOEXEC) != 0)
        return ERR_IO;
    c->pid = fork();
    if (c->pid == 0)
        be_reader(c, program != NULL ? program : SELF, pipes[1], me);
    (void)close(pipes[1]);
    if (c->pid > 0) {
        *out = pipes[0];
        return ERR_OK;
    }
    c->pid = 0;
    (void)close(pipes[0]);
    return ERR_IO;
}

/* What it said, as it is: it has escaped what came from files. */
static void
tell_on(const struct study_source *s)
{
    struct buf *b = s->room->messages;
    off_t size = lseek(self(s)->said, 0, SEEK_END);
    char room[4096];
    ssize_t got = 1;
    off_t at = 0;

    while (got > 0 && at < (off_t)SAID_MAX) {
        got = pread(self(s)->said, room, sizeof(room), at);
        if (got > 0)
            buf_put(b, room, (size_t)got);
        at += got;
    }
    if (at > 0 && b->n > 0 && b->p[b->n - 1] != '\n')
        buf_putc(b, '\n');
    if (size > at)
        study_source_tell(s, "said more than is shown here");
}

/* What its exit code says. */
static enum study_next
judge(struct study_source *s, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    switch (code) {
    case CLI_EXIT_DONE: return STUDY_NEXT_END;
    case CLI_EXIT_PARTIAL:
        study_source_fault(s, "after event", s->row.events,
                           SPAN_LIT("something is missing or damaged; span25 "
                                    "read of it says what"));
        return STUDY_NEXT_END;
    case CLI_EXIT_USAGE:
        return study_source_fail(s, ERR_CONFIG, "it cannot be read like this");
    case NOT_BEGUN:
        return study_source_fail(s, ERR_IO,
                                 "the program that reads captures cannot be "
                                 "started");
    default: return study_source_fail(s, ERR_IO, "reading it ended too early");
    }
}

/* It has closed its output: it is about to end. */
static enum study_next
reap(struct study_source *s)
{
    struct capture_input *c = self(s);
    pid_t got, pid = c->pid;
    int status = 0, number;

    if (pid == 0)
        return STUDY_NEXT_END; /* asked once more */
    do {
        got = waitpid(pid, &status, 0);
        number = errno;
    } while (got < 0 && number == EINTR);
    c->pid = 0;
    tell_on(s);
    if (got == pid)
        return judge(s, status);
    return study_source_fail(s, ERR_IO, "its reader was lost");
}

/* ---- the hash of the capture ---- */

static void
hash_some(struct capture_input *c)
{
    ssize_t got = read(c->file, c->chunk, CHUNK);
    int number = errno;

    if (got > 0)
        c->not_hashed |= EVP_DigestUpdate(c->sha, c->chunk, (size_t)got) != 1;
    else if (got == 0 || number != EINTR) {
        c->not_hashed |= got < 0;
        c->hashed = true;
    }
}

static bool
is_stopped(const struct study_source *s)
{
    return s->room->o.stop != NULL && *s->room->o.stop != 0;
}

/* While there is nothing to do; its reader has just read the same. */
static void
hash_meanwhile(const struct study_source *s)
{
    struct capture_input *c = self(s);
    struct pollfd p = {.fd = c->lines.src.fd, .events = POLLIN};

    if (study_lines_have(&c->lines))
        return;
    while (!c->hashed && !is_stopped(s) && poll(&p, 1, 0) == 0)
        hash_some(c);
}

static void
capture_end(struct study_source *s)
{
    struct capture_input *c = self(s);
    uint8_t sha[STUDY_LINES_SHA];

    while (!c->hashed && !is_stopped(s))
        hash_some(c);
    if (c->hashed && !c->not_hashed &&
        EVP_DigestFinal_ex(c->sha, sha, NULL) == 1)
        study_source_hash(s, span_of(sha, sizeof(sha)));
}

/* ---- life ---- */

static enum err
begin_hash(struct study_source *s)
{
    struct capture_input *c = self(s);
    int number;

    c->chunk = malloc(CHUNK);
    c->sha = EVP_MD_CTX_new();
    if (c->chunk == NULL || c->sha == NULL ||
        EVP_DigestInit_ex(c->sha, s->room->sha256, NULL) != 1)
        return ERR_NOMEM;
    c->file = open(s->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    number = errno;
    if (c->file >= 0)
        return ERR_OK;
    study_source_tell(s, strerrordesc_np(number));
    return err_from_errno(number);
}

static enum err
begin(struct study_source *s, const struct study_mark *expect)
{
    const struct study_lines_options o = {s->room->sha256, expect,
                                          s->room->o.stop};
    struct capture_input *c = calloc(1, sizeof(*c));
    int out = -1;
    enum err e;

    s->own = c;
    if (c == NULL)
        return ERR_NOMEM;
    c->file = c->said = -1;
    e = begin_hash(s);
    if (e == ERR_OK)
        e = make_words(s);
    if (e != ERR_OK)
        return e;
    e = spawn(s, &out);
    if (e != ERR_OK)
        study_source_tell(s, "there is no process to read it");
    return e == ERR_OK ? study_lines_open(&c->lines, out, &o) : e;
}

static enum err
capture_begin(struct study_source *s)
{
    return begin(s, NULL);
}

static enum study_next
next_event(struct study_source *s, struct span *record)
{
    struct capture_input *c = self(s);
    enum study_next got;

    hash_meanwhile(s);
    got = study_source_line(s, &c->lines, record);
    return got == STUDY_NEXT_END ? reap(s) : got;
}

static double
capture_share(const struct study_source *s)
{
    (void)s;
    return (double)NAN;
}

static void
capture_save(const struct study_source *s, struct buf *out)
{
    study_source_save_lines(&self(s)->lines, out);
}

static enum err
capture_load(struct study_source *s, struct cursor *state)
{
    struct study_place place;
    enum err e;

    if (!study_source_take_place(state, &place))
        return ERR_FORMAT;
    e = begin(s, &place.mark);
    return e == ERR_OK ? study_source_go(s, &self(s)->lines, &place) : e;
}

static void
close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void
capture_close_input(struct study_source *s)
{
    struct capture_input *c = self(s);

    if (c == NULL)
        return;
    if (c->pid > 0) {
        (void)kill(c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
    }
    study_lines_close(&c->lines);
    close_fd(c->said);
    close_fd(c->file);
    EVP_MD_CTX_free(c->sha);
    free(c->chunk);
    buf_free(&c->text);
    free(c);
    s->own = NULL;
}

const struct study_source_ops study_input_capture = {
    .kind = "capture",
    .begin = capture_begin,
    .next = next_event,
    .end = capture_end,
    .share = capture_share,
    .save = capture_save,
    .load = capture_load,
    .close = capture_close_input,
};
