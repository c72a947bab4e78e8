#include "sensor/sinks/peer_tls.h"

#include "sensor/base/attr.h"
#include "sensor/base/text.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct peer_tls {
    SSL_CTX *ctx;
    SSL *ssl; /* of the connection, or NULL */
    char host[SINK_HOST_MAX];
    bool is_shaken;  /* our side of the handshake is over */
    bool is_up;      /* all of it is */
    bool is_asked;   /* it wanted a certificate */
    bool is_greeted; /* a ticket has come */
    short events;    /* that the last call waits for */
};

/* ---- words for failures ---- */

static void
put_error(struct buf *out)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code))
        text = strerrordesc_np(ERR_GET_REASON(code));
    text_term(out, span_str(text != NULL ? text : "no reason given"));
    ERR_clear_error();
}

static enum err
refused(const char *name, const char *path, struct buf *message)
{
    buf_printf(message, "%s: ", name);
    text_term(message, span_str(path));
    buf_str(message, ": ");
    put_error(message);
    return ERR_CONFIG;
}

/* ---- what OpenSSL calls back ---- */

/* It asks for a certificate; the one there is, or none, is right. */
static int
on_asked(SSL *ssl, void *ctx)
{
    struct peer_tls *t = ctx;

    (void)ssl;
    t->is_asked = true;
    return 1;
}

/* A ticket, which is not kept. */
static int
on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct peer_tls *t = SSL_get_app_data(ssl);

    (void)session;
    t->is_greeted = true;
    return 0;
}

/* ---- settings ---- */

static int
give_password(char *room, int size, int writing, void *ctx)
{
    const struct buf *password = ctx;

    (void)writing;
    if (size < 0 || password->n > (size_t)size)
        return -1;
    if (password->n > 0)
        memcpy(room, password->p, password->n);
    return (int)password->n;
}

static enum err
load_key(struct peer_tls *t, const struct sink_option *options,
         const struct sink_settings *s, const char *key, struct buf *message)
{
    struct buf password;
    enum err e;

    buf_init(&password, SINK_SECRET_MAX);
    e = sink_secret(options, s, "key-password-file", &password, message);
    if (e == ERR_OK) {
        SSL_CTX_set_default_passwd_cb(t->ctx, give_password);
        SSL_CTX_set_default_passwd_cb_userdata(t->ctx, &password);
        if (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1)
            e = refused("key-file", key, message);
        SSL_CTX_set_default_passwd_cb(t->ctx, NULL);
        SSL_CTX_set_default_passwd_cb_userdata(t->ctx, NULL);
    }
    if (password.p != NULL)
        explicit_bzero(password.p, password.cap);
    buf_free(&password);
    return e;
}

static enum err
load_own(struct peer_tls *t, const struct sink_option *options,
         const struct sink_settings *s, struct buf *message)
{
    const char *cert = sink_text(options, s, "cert-file");
    const char *key = sink_text(options, s, "key-file");

    if (cert[0] == '\0' && key[0] == '\0')
        return ERR_OK;
    if (cert[0] == '\0' || key[0] == '\0') {
        buf_str(message, "cert-file and key-file: one needs the other");
        return ERR_CONFIG;
    }
    if (SSL_CTX_use_certificate_chain_file(t->ctx, cert) != 1)
        return refused("cert-file", cert, message);
    return load_key(t, options, s, key, message);
}

static enum err
load_trusted(struct peer_tls *t, const struct sink_option *options,
             const struct sink_settings *s, struct buf *message)
{
    const char *ca = sink_text(options, s, "ca-file");

    if (ca[0] == '\0')
        return SSL_CTX_set_default_verify_paths(t->ctx) == 1 ? ERR_OK
                                                             : ERR_NOMEM;
    return SSL_CTX_load_verify_file(t->ctx, ca) == 1
               ? ERR_OK
               : refused("ca-file", ca, message);
}

bool
peer_tls_is_on(const struct sink_option *options, const struct sink_settings *s)
{
    return strcmp(sink_text(options, s, "tls"), "yes") == 0;
}

static enum err
configure(struct peer_tls *t, const struct sink_option *options,
          const struct sink_settings *s, struct buf *message)
{
    enum err e;

    t->ctx = SSL_CTX_new(TLS_client_method());
    if (t->ctx == NULL ||
        SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
        return ERR_NOMEM;
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    /* what is written is ours until it has gone, and may go in pieces */
    (void)SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_options(t->ctx,
                              SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_cert_cb(t->ctx, on_asked, t);
    (void)SSL_CTX_set_session_cache_mode(
        t->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(t->ctx, on_ticket);
    e = load_trusted(t, options, s, message);
    return e == ERR_OK ? load_own(t, options, s, message) : e;
}

enum err
peer_tls_make(const struct sink_option *options, const struct sink_settings *s,
              const char *host, struct peer_tls **out, struct buf *message)
{
    struct peer_tls *t = calloc(1, sizeof(*t));
    enum err e;

    if (t == NULL)
        return ERR_NOMEM;
    REQUIRE(strlen(host) < sizeof(t->host));
    memcpy(t->host, host, strlen(host) + 1);
    ERR_clear_error();
    e = configure(t, options, s, message);
    if (e != ERR_OK) {
        peer_tls_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

enum err
peer_tls_new(const struct sink_option *options, const struct sink_settings *s,
             const char *host, struct peer_tls **out, struct buf *message)
{
    const char *tls = sink_text(options, s, "tls");

    *out = NULL;
    if (strcmp(tls, "no") == 0)
        return ERR_OK;
    if (strcmp(tls, "yes") == 0)
        return peer_tls_make(options, s, host, out, message);
    buf_str(message, "tls: is yes or no");
    return ERR_CONFIG;
}

void
peer_tls_free(struct peer_tls *t)
{
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    free(t);
}

/* ---- a connection ---- */

/* An address is looked for among addresses, and is no name to ask for. */
static bool
expect_host(struct peer_tls *t)
{
    X509_VERIFY_PARAM *p = SSL_get0_param(t->ssl);
    struct addr a;

    if (addr_parse(span_str(t->host), &a))
        return X509_VERIFY_PARAM_set1_ip_asc(p, t->host) == 1;
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(t->ssl, t->host) == 1 &&
           SSL_set_tlsext_host_name(t->ssl, t->host) == 1;
}

bool
peer_tls_start(struct peer_tls *t, int fd)
{
    t->ssl = SSL_new(t->ctx);
    t->is_shaken = t->is_up = t->is_asked = t->is_greeted = false;
    t->events = POLLOUT;
    if (t->ssl != NULL && SSL_set_app_data(t->ssl, t) == 1 &&
        SSL_set_fd(t->ssl, fd) == 1 && expect_host(t)) {
        SSL_set_connect_state(t->ssl);
        return true;
    }
    ERR_clear_error();
    peer_tls_stop(t);
    return false;
}

void
peer_tls_stop(struct peer_tls *t)
{
    if (t->ssl != NULL && t->is_up)
        (void)SSL_shutdown(t->ssl); /* RFC 8446 6.1; nobody waits for it */
    ERR_clear_error();
    SSL_free(t->ssl);
    t->ssl = NULL;
    t->is_up = false;
    t->events = 0;
}

/* What a call that gave no bytes means; number: errno after it. */
static enum peer_io
answer(struct peer_tls *t, int result, int number, struct buf *why)
{
    long verified = SSL_get_verify_result(t->ssl);

    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ: t->events = POLLIN; return PEER_LATER;
    case SSL_ERROR_WANT_WRITE: t->events = POLLOUT; return PEER_LATER;
    case SSL_ERROR_ZERO_RETURN: return PEER_END;
    default: break;
    }
    t->is_up = false; /* no goodbye after an error */
    buf_str(why, "TLS: ");
    if (verified != X509_V_OK)
        buf_str(why, X509_verify_cert_error_string(verified));
    else if (ERR_peek_error() != 0)
        put_error(why);
    else
        buf_str(why, number != 0 ? strerrordesc_np(number)
                                 : "the other side has closed it");
    ERR_clear_error();
    return PEER_FAILED;
}

/* What it says to a certificate comes with what it says next. */
static enum peer_io
hear(struct peer_tls *t, struct buf *why)
{
    enum peer_io io = PEER_DONE;
    uint8_t byte;
    size_t n = 0;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_peek_ex(t->ssl, &byte, 1, &n);
    if (result != 1)
        io = answer(t, result, errno, why);
    return io == PEER_LATER && t->is_greeted ? PEER_DONE : io;
}

static enum peer_io
shake_hands(struct peer_tls *t, struct buf *why)
{
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(t->ssl);
    t->is_shaken = result == 1;
    return t->is_shaken ? PEER_DONE : answer(t, result, errno, why);
}

enum peer_io
peer_tls_shake(struct peer_tls *t, bool is_patient, struct buf *why)
{
    enum peer_io io = t->is_shaken ? PEER_DONE : shake_hands(t, why);

    if (io == PEER_DONE && t->is_asked &&
        SSL_version(t->ssl) >= TLS1_3_VERSION) {
        io = hear(t, why);
        if (io == PEER_LATER && !is_patient)
            io = PEER_DONE;
    }
    if (io != PEER_DONE)
        return io;
    t->is_up = true;
    t->events = 0;
    return PEER_DONE;
}

enum peer_io
peer_tls_write(struct peer_tls *t, struct span bytes, size_t *n,
               struct buf *why)
{
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_write_ex(t->ssl, bytes.p, bytes.n, n);
    if (result != 1)
        return answer(t, result, errno, why);
    t->events = 0;
    return PEER_DONE;
}

enum peer_io
peer_tls_read(struct peer_tls *t, uint8_t *room, size_t max, size_t *n,
              struct buf *why)
{
    short events = t->events;
    enum peer_io io;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_read_ex(t->ssl, room, max, n);
    if (result == 1)
        return PEER_DONE;
    io = answer(t, result, errno, why);
    if (io == PEER_LATER && t->events == POLLIN)
        t->events = events; /* who reads waits for that anyway */
    return io;
}

short
peer_tls_events(const struct peer_tls *t)
{
    return t->events;
}
