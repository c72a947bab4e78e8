#include "sensor/app/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/app/caller.h"
#include "sensor/app/confine.h"
#include "sensor/app/listen.h"
#include "sensor/app/live_notify.h"
#include "sensor/app/log.h"
#include "sensor/app/serve_follow.h"
#include "sensor/app/serve_job.h"
#include "sensor/app/serve_site.h"
#include "sensor/app/serve_web.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define PEM_BYTES (1U << 20)

/* All that the process has. */
struct server {
    const struct config *config;
    struct buf messages;
    sigset_t signals;
    struct place {
        int fd; /* -1: none, or not yet; http has one of its own */
        struct addr address;
        uint16_t port;
    } operations, sites;
    struct buf certificate, key;
    struct serve_job *job;
    struct serve *serve;
    struct serve_web *web;
    struct serve_site *site; /* or NULL */
    struct http *http;
};

/* ---- what must be so before ---- */

static enum cli_exit
say(struct server *s, enum cli_exit code, const char *text)
{
    buf_printf(&s->messages, "span25: %s\n", text);
    return code;
}

static enum cli_exit
say_file(struct server *s, enum cli_exit code, const char *file,
         const char *why)
{
    buf_str(&s->messages, "span25: ");
    text_term(&s->messages, span_str(file));
    buf_printf(&s->messages, ": %s\n", why);
    return code;
}

static bool
has_sites(const struct server *s)
{
    return s->config->serve_public != NULL && s->config->serve_public[0] != 0;
}

/* What sites fill in is about people. */
static enum cli_exit
check_sites(struct server *s)
{
    const struct config *c = s->config;

    if (!has_sites(s))
        return CLI_EXIT_DONE;
    if (!listen_any(span_str(c->serve_public), &s->sites.address,
                    &s->sites.port))
        return say(s, CLI_EXIT_USAGE,
                   "serve.public_listen is not an address and port, such as "
                   "192.0.2.1:443");
    if (c->serve_certificate == NULL && !c->serve_plain &&
        !listen_is_loopback(&s->sites.address))
        return say(s, CLI_EXIT_USAGE,
                   "serve.public_listen is not a loopback address, and there "
                   "is no serve.certificate: forms could be read on the way; "
                   "serve.plain allows it");
    return CLI_EXIT_DONE;
}

/* A demonstration has no log-in: it is for one machine alone. */
static enum cli_exit
check(struct server *s)
{
    const struct config *c = s->config;
    bool near;

    if (c->state == NULL)
        return say(s, CLI_EXIT_USAGE, "--state DIR is needed");
    if (!listen_any(span_str(c->serve_listen), &s->operations.address,
                    &s->operations.port))
        return say(s, CLI_EXIT_USAGE,
                   "serve.listen is not an address and port, such as "
                   "127.0.0.1:8025");
    near = listen_is_loopback(&s->operations.address);
    if ((c->serve_certificate != NULL) != (c->serve_key != NULL))
        return say(s, CLI_EXIT_USAGE,
                   "serve.certificate and serve.key belong together");
    if (c->serve_certificate == NULL && !near && !c->serve_plain)
        return say(s, CLI_EXIT_USAGE,
                   "serve.listen is not a loopback address, and there is no "
                   "serve.certificate: passwords could be read on the way; "
                   "serve.plain allows it");
    if (c->serve_demo && !near)
        return say(s, CLI_EXIT_USAGE,
                   "a demonstration is served on a loopback address only: "
                   "nobody logs in");
    if (c->serve_users == NULL && !c->serve_demo)
        return say(s, CLI_EXIT_USAGE,
                   "nobody could log in: serve.users names the file of those "
                   "who may (span25 serve user makes it)");
    return check_sites(s);
}

static enum cli_exit
check_state(struct server *s)
{
    struct buf path;
    bool there;

    buf_init(&path, 8192);
    buf_str(&path, s->config->state);
    buf_str(&path, "/state");
    buf_putc(&path, 0);
    there = !path.failed && access((const char *)path.p, R_OK) == 0;
    buf_free(&path);
    if (there)
        return CLI_EXIT_DONE;
    return say_file(s, CLI_EXIT_STORE, s->config->state,
                    "is no state directory that can be read: span25 read "
                    "--state makes one");
}

static enum cli_exit
load_pem(struct server *s, const char *path, struct buf *out)
{
    int number;

    if (path == NULL)
        return CLI_EXIT_DONE;
    number = whole_file_load(path, PEM_BYTES, out);
    if (number != 0)
        return say_file(s, CLI_EXIT_USAGE, path, strerror(number));
    buf_putc(out, 0);
    return out->failed || out->cut
               ? say_file(s, CLI_EXIT_USAGE, path, "is too large")
               : CLI_EXIT_DONE;
}

static enum cli_exit
open_socket(struct server *s, struct place *p, const char *text)
{
    struct sockaddr_in6 at;
    socklen_t n = sizeof(at);

    p->fd = listen_open(&p->address, p->port);
    if (p->fd < 0)
        return say_file(s, CLI_EXIT_FAILED, text, strerror(errno));
    if (getsockname(p->fd, (struct sockaddr *)&at, &n) == 0)
        p->port = ntohs(at.sin6_port);
    return CLI_EXIT_DONE;
}

static enum cli_exit
open_sockets(struct server *s)
{
    const struct config *c = s->config;
    enum cli_exit code = open_socket(s, &s->operations, c->serve_listen);

    return code == CLI_EXIT_DONE && has_sites(s)
               ? open_socket(s, &s->sites, c->serve_public)
               : code;
}

/* ---- rights ---- */

/* What a database sorts is mail of others too: it stays in the state, as the
 * one folder that can be written to. */
static enum cli_exit
give_up_rights(struct server *s)
{
    const bool good = setenv("SQLITE_TMPDIR", s->config->state, 1) == 0 &&
                      confine_writes(s->config->state) &&
                      confine(CONFINE_PAGE) == ERR_OK;

    return good ? CLI_EXIT_DONE
                : say(s, CLI_EXIT_FAILED,
                      "the system does not let this process give up its "
                      "rights");
}

/* Of all threads that are begun from here on. */
static void
block_signals(struct server *s)
{
    static const int wanted[] = {SIGTERM, SIGINT, SIGHUP};

    (void)sigemptyset(&s->signals);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        (void)sigaddset(&s->signals, wanted[i]);
    (void)sigprocmask(SIG_BLOCK, &s->signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* ---- beginning ---- */

static const char *
text_of(const struct buf *b)
{
    return b->n > 0 ? (const char *)b->p : NULL;
}

/* Any thread. */
static void
on_request(void *ctx, const struct http_request *r, struct http_answer *out)
{
    struct server *s = ctx;

    if (r->listener == 0)
        serve_web_answer(s->web, r, out);
    else
        serve_site_answer(s->site, r, caller_clock(), out);
}

/* The thread of the connections. */
static bool
on_stays(void *ctx, uint64_t of)
{
    struct server *s = ctx;

    return serve_web_stays(s->web, of);
}

/* The sockets stay ours too, so that a server with another certificate can take
 * the place of this one. */
static enum err
open_http(struct server *s, const struct buf *certificate,
          const struct buf *key, struct http **out)
{
    const struct config *c = s->config;
    const char *cert = text_of(certificate);
    const int fds[] = {fcntl(s->operations.fd, F_DUPFD_CLOEXEC, 3),
                       fcntl(s->sites.fd, F_DUPFD_CLOEXEC, 3)};
    const struct http_options o = {
        .listeners = {{fds[0], cert, text_of(key)},
                      {fds[1], cert, text_of(key)}},
        .n_listeners = has_sites(s) ? 2 : 1,
        .user_field = c->serve_proxy.n > 0 ? c->serve_proxy_field : NULL,
        .answer = on_request,
        .stays = on_stays,
        .ctx = s
    };
    const enum err e = http_open(&o, out);

    for (size_t i = 0; e != ERR_OK && i < ARRAY_LEN(fds); i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    return e;
}

static enum cli_exit
begin_http(struct server *s)
{
    const enum err e = open_http(s, &s->certificate, &s->key, &s->http);

    if (e == ERR_OK)
        return CLI_EXIT_DONE;
    return say(s, e == ERR_CONFIG ? CLI_EXIT_USAGE : CLI_EXIT_FAILED,
               e == ERR_CONFIG
                   ? "serve.certificate or serve.key are not PEM, or do not "
                     "belong together"
                   : err_text(e));
}

static enum cli_exit
open_job(struct server *s)
{
    if (s->config->serve_read_only)
        return CLI_EXIT_DONE;
    return serve_job_open(&s->job) == ERR_OK
               ? CLI_EXIT_DONE
               : say(s, CLI_EXIT_FAILED,
                     "the system does not let this process make another one, "
                     "for studies");
}

static enum cli_exit
begin(struct server *s, const struct cli *c)
{
    struct serve_options o = {c, s->config->serve_read_only, NULL};
    const struct serve_web_options w = {s->config, NULL, &s->messages};
    struct serve_web_options with;
    enum cli_exit code = check(s);
    enum err e;

    if (code == CLI_EXIT_DONE)
        code = check_state(s);
    if (code == CLI_EXIT_DONE) /* it has neither keys nor sockets */
        code = open_job(s);
    if (code == CLI_EXIT_DONE)
        code = load_pem(s, s->config->serve_certificate, &s->certificate);
    if (code == CLI_EXIT_DONE)
        code = load_pem(s, s->config->serve_key, &s->key);
    if (code == CLI_EXIT_DONE)
        code = open_sockets(s);
    if (code == CLI_EXIT_DONE)
        code = give_up_rights(s);
    if (code != CLI_EXIT_DONE)
        return code;
    o.job = s->job;
    e = serve_new(&o, &s->serve);
    with = w;
    with.serve = s->serve;
    if (e == ERR_OK)
        e = serve_web_new(&with, &s->web);
    if (e == ERR_OK && has_sites(s))
        e = serve_site_new(s->config, s->serve, &s->site);
    if (e == ERR_NOMEM)
        (void)say(s, CLI_EXIT_FAILED, err_text(e));
    if (e != ERR_OK)
        return e == ERR_NOMEM ? CLI_EXIT_FAILED : CLI_EXIT_USAGE;
    block_signals(s);
    return begin_http(s);
}

/* ---- serving ---- */

static void
tell_address(const struct server *s, const struct place *p, const char *what)
{
    const bool v6 = !addr_is_v4(&p->address);
    char text[ADDR_TEXT_MAX];
    const size_t n = addr_format(&p->address, text);

    (void)fprintf(stderr, "span25: %s at http%s://%s%.*s%s:%u/\n", what,
                  s->certificate.n > 0 ? "s" : "", v6 ? "[" : "", (int)n, text,
                  v6 ? "]" : "", p->port);
}

static void
forget(struct buf *secret)
{
    if (secret->p != NULL)
        explicit_bzero(secret->p, secret->cap);
    buf_free(secret);
}

static bool
same(const struct buf *a, const struct buf *b)
{
    return span_eq(buf_view(a), buf_view(b));
}

static void
swap(struct buf *a, struct buf *b)
{
    const struct buf was = *a;

    *a = *b;
    *b = was;
}

/* A new certificate needs a new server; who is connected connects again, and
 * sessions stay. With a fault the old one goes on. */
static void
reload_certificate(struct server *s)
{
    const struct config *c = s->config;
    struct buf certificate, key;
    struct http *before = s->http;
    bool good;

    buf_init(&certificate, 0);
    buf_init(&key, 0);
    good = load_pem(s, c->serve_certificate, &certificate) == CLI_EXIT_DONE &&
           load_pem(s, c->serve_key, &key) == CLI_EXIT_DONE;
    if (good && !(same(&certificate, &s->certificate) && same(&key, &s->key))) {
        good = open_http(s, &certificate, &key, &s->http) == ERR_OK;
        if (good) {
            http_close(before);
            swap(&certificate, &s->certificate);
            swap(&key, &s->key);
        }
    }
    if (!good)
        buf_str(&s->messages, "span25: the certificate stays as it was\n");
    forget(&key);
    forget(&certificate);
}

static void
reload(struct server *s)
{
    (void)live_notify("RELOADING=1");
    buf_reset(&s->messages);
    if (serve_web_reload(s->web, &s->messages) != ERR_OK)
        buf_str(&s->messages, "span25: the users stay as they were\n");
    reload_certificate(s);
    log_lines(&s->messages);
    (void)live_notify("READY=1");
}

static void *
warm(void *serve)
{
    serve_warm(serve);
    return NULL;
}

/* Until SIGTERM or SIGINT. */
static void
work(struct server *s)
{
    pthread_t thread;
    const bool warms = pthread_create(&thread, NULL, warm, s->serve) == 0;
    static const struct timespec turn = {.tv_nsec = SERVE_FOLLOW_MS * 1000000};
    struct serve_follow follow = {.state = s->config->state, .http = s->http};
    int number = 0;

    while (number != SIGTERM && number != SIGINT) {
        if (number == SIGHUP)
            reload(s);
        follow.http = s->http;
        serve_follow_step(&follow, caller_clock());
        number = sigtimedwait(&s->signals, NULL, &turn);
    }
    serve_stop(s->serve);
    if (warms)
        (void)pthread_join(thread, NULL);
}

static void
end(struct server *s)
{
    http_close(s->http);
    serve_web_free(s->web);
    serve_site_free(s->site);
    serve_free(s->serve);
    serve_job_close(s->job);
    if (s->operations.fd >= 0)
        (void)close(s->operations.fd);
    if (s->sites.fd >= 0)
        (void)close(s->sites.fd);
    forget(&s->key);
    forget(&s->certificate);
}

enum cli_exit
serve_main(const struct cli *c)
{
    struct server s = {
        .config = &c->config, .operations = {.fd = -1}, .sites = {.fd = -1}};
    enum cli_exit code;

    buf_init(&s.messages, 1U << 16);
    buf_init(&s.certificate, 0);
    buf_init(&s.key, 0);
    code = begin(&s, c);
    log_lines(&s.messages);
    if (code == CLI_EXIT_DONE) {
        tell_address(&s, &s.operations, "serving");
        if (has_sites(&s))
            tell_address(&s, &s.sites, "registration");
        (void)live_notify("READY=1");
        work(&s);
        (void)live_notify("STOPPING=1");
    }
    end(&s);
    buf_free(&s.messages);
    return code;
}
