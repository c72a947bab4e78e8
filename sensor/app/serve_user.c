#include "sensor/app/serve_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "dashboards/http/users.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define HEAD "# name:roles:hash, see span25-serve(1)\n"

struct change {
    const struct cli *cli;
    const struct config *config;
    struct span name;
    struct buf *out, *messages;
    struct buf before; /* the file */
    bool there;        /* the name was in it */
};

static enum cli_exit
say(struct change *c, enum cli_exit code, const char *text)
{
    buf_printf(c->messages, "span25: %s\n", text);
    return code;
}

static enum cli_exit
say_file(struct change *c, enum cli_exit code, const char *file,
         const char *why)
{
    buf_str(c->messages, "span25: ");
    text_term(c->messages, span_str(file));
    buf_printf(c->messages, ": %s\n", why);
    return code;
}

/* ---- the password ---- */

/* A character at a time, so that nothing behind the line is taken. */
static bool
read_line(int fd, struct buf *out)
{
    ssize_t n = 0;
    char c = 0;

    do {
        n = read(fd, &c, 1);
        if (n == 1 && c != '\n')
            buf_putc(out, (uint8_t)c);
    } while ((n == 1 && c != '\n') || (n < 0 && errno == EINTR));
    return n >= 0 && !out->cut && !out->failed;
}

static bool
read_hidden(int fd, const char *ask, struct buf *out)
{
    struct termios before, silent;
    bool good;

    if (tcgetattr(fd, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)!write(STDERR_FILENO, ask, strlen(ask));
    (void)tcsetattr(fd, TCSAFLUSH, &silent);
    good = read_line(fd, out);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)!write(STDERR_FILENO, "\n", 1);
    return good;
}

static enum cli_exit
ask_twice(struct change *c, struct buf *out)
{
    struct buf again;
    bool good, same;

    buf_init(&again, USERS_PASSWORD);
    good = read_hidden(STDIN_FILENO, "Password: ", out) &&
           read_hidden(STDIN_FILENO, "Again: ", &again);
    same = good && span_eq(buf_view(out), buf_view(&again));
    if (again.p != NULL)
        explicit_bzero(again.p, again.cap);
    buf_free(&again);
    if (!good)
        return say(c, CLI_EXIT_FAILED, "the password could not be read");
    return same ? CLI_EXIT_DONE
                : say(c, CLI_EXIT_USAGE,
                      "the two are not the same; nothing was changed");
}

static enum cli_exit
read_password(struct change *c, struct buf *out)
{
    const char *file = c->config->user_password;
    const bool standard = file == NULL || strcmp(file, "-") == 0;
    bool good;
    int fd;

    if (file == NULL && isatty(STDIN_FILENO) == 1)
        return ask_twice(c, out);
    fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say_file(c, CLI_EXIT_FAILED, file,
                        err_text(err_from_errno(errno)));
    good = read_line(fd, out);
    if (!standard)
        (void)close(fd);
    return good ? CLI_EXIT_DONE
                : say(c, CLI_EXIT_FAILED, "the password could not be read");
}

/* ---- the file ---- */

static struct span
name_of(struct span line)
{
    return span_at(line, 0) == '#' ? SPAN_NONE
                                   : span_head(line, span_find(line, ':'));
}

/* All lines but the one of the name; `line` stands where that was. */
static void
put_file(struct change *c, struct span line, struct buf *out)
{
    struct span rest = buf_view(&c->before);
    bool put = false;

    if (rest.n == 0)
        buf_str(out, HEAD);
    while (rest.n > 0) {
        const size_t end = span_find(rest, '\n');
        const struct span one = span_head(rest, end);

        rest = span_tail(rest, end + 1);
        if (!span_eq(name_of(one), c->name)) {
            buf_span(out, one);
            buf_putc(out, '\n');
            continue;
        }
        if (!put)
            buf_span(out, line);
        put = true;
    }
    if (!put)
        buf_span(out, line);
}

/* One with a fault is not written over. */
static enum cli_exit
load(struct change *c)
{
    const char *file = c->config->serve_users;
    struct users *users = NULL;
    enum cli_exit code = CLI_EXIT_DONE;
    struct buf why;
    int number;

    if (access(file, F_OK) != 0 && errno == ENOENT)
        return CLI_EXIT_DONE;
    buf_init(&why, 4096);
    if (users_load(file, &users, &why) != ERR_OK) {
        buf_putc(&why, 0);
        code = say(c, CLI_EXIT_USAGE, (const char *)why.p);
    } else {
        c->there = users_roles(users, c->name) != 0;
    }
    users_free(users);
    buf_free(&why);
    if (code != CLI_EXIT_DONE)
        return code;
    buf_free(&c->before);
    number = whole_file_load(file, USERS_FILE, &c->before);
    return number == 0 ? CLI_EXIT_DONE
                       : say_file(c, CLI_EXIT_FAILED, file,
                                  err_text(err_from_errno(number)));
}

/* For its owner alone, also the one that is put beside it. */
static enum cli_exit
save(struct change *c, struct span line)
{
    const char *file = c->config->serve_users;
    const mode_t before = umask(0177);
    struct buf text;
    int number = EFBIG;

    buf_init(&text, USERS_FILE);
    put_file(c, line, &text);
    if (!text.cut && !text.failed)
        number = whole_file_save(file, buf_view(&text));
    (void)umask(before);
    buf_free(&text);
    return number == 0 ? CLI_EXIT_DONE
                       : say_file(c, CLI_EXIT_FAILED, file,
                                  err_text(err_from_errno(number)));
}

/* ---- the changes ---- */

static void
put_roles(unsigned roles, struct buf *out)
{
    const char *between = "";

    for (unsigned i = 0; roles_name(i) != NULL; i++) {
        if ((roles >> i & 1U) == 0)
            continue;
        buf_str(out, between);
        buf_str(out, roles_name(i));
        between = ",";
    }
}

static enum cli_exit
add(struct change *c, unsigned roles)
{
    struct buf password, line;
    enum cli_exit code;
    enum err e = ERR_OK;

    buf_init(&password, USERS_PASSWORD + 1);
    buf_init(&line, 4096);
    code = read_password(c, &password);
    buf_span(&line, c->name);
    buf_putc(&line, ':');
    put_roles(roles, &line);
    buf_putc(&line, ':');
    if (code == CLI_EXIT_DONE)
        e = users_hash(buf_view(&password), &line);
    buf_putc(&line, '\n');
    if (password.p != NULL)
        explicit_bzero(password.p, password.cap);
    if (e == ERR_LIMIT)
        code = say(c, CLI_EXIT_USAGE,
                   "a password has 1 to 511 bytes; nothing was changed");
    else if (e != ERR_OK)
        code = say(c, CLI_EXIT_FAILED, err_text(e));
    if (code == CLI_EXIT_DONE)
        code = save(c, buf_view(&line));
    if (code == CLI_EXIT_DONE) {
        buf_span(c->out, c->name);
        buf_str(c->out, c->there ? ": changed, " : ": added, ");
        put_roles(roles, c->out);
        buf_putc(c->out, '\n');
    }
    buf_free(&line);
    buf_free(&password);
    return code;
}

static enum cli_exit
take_away(struct change *c)
{
    enum cli_exit code;

    if (!c->there)
        return say(c, CLI_EXIT_USAGE,
                   "there is no such user; nothing was changed");
    code = save(c, SPAN_NONE);
    if (code == CLI_EXIT_DONE) {
        buf_span(c->out, c->name);
        buf_str(c->out, ": removed\n");
    }
    return code;
}

static enum cli_exit
change(struct change *c)
{
    const struct config *config = c->config;
    unsigned roles = 0;
    enum cli_exit code;

    if (config->serve_users == NULL)
        return say(c, CLI_EXIT_USAGE,
                   "--users FILE is needed, or serve.users of --config");
    if (!users_is_name(c->name))
        return say(c, CLI_EXIT_USAGE,
                   "a name has letters, digits and . _ @ - only, and at most "
                   "64 of them");
    if (!config->user_remove &&
        (config->user_roles == NULL ||
         !roles_parse(span_str(config->user_roles), &roles)))
        return say(c, CLI_EXIT_USAGE,
                   "--roles is needed: one or more of viewer, analyst, "
                   "registrar, firewall, admin");
    code = load(c);
    if (code != CLI_EXIT_DONE)
        return code;
    return config->user_remove ? take_away(c) : add(c, roles);
}

enum cli_exit
serve_user_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct change it = {.cli = c,
                        .config = &c->config,
                        .name = span_str(c->arguments[0]),
                        .out = out,
                        .messages = messages};
    enum cli_exit code;

    buf_init(&it.before, USERS_FILE);
    code = change(&it);
    buf_free(&it.before);
    return code;
}
