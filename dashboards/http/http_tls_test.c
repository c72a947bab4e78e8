/* http_tls_test - the same over TLS, with a certificate made on the spot */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "dashboards/http/http_test_server.h"

/* PEM, NUL at its end. */
struct secret {
    char certificate[4096], key[4096];
};

static void
text_of(BIO *b, char *out, size_t n)
{
    const int k = BIO_read(b, out, (int)n - 1);

    assert_true(k > 0);
    out[k] = 0;
    (void)BIO_free(b);
}

static void
make_secret(struct secret *s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *b = BIO_new(BIO_s_mem());

    assert_true(key != NULL && x != NULL && b != NULL);
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
                                     MBSTRING_ASC, (const unsigned char *)"a",
                                     -1, -1, 0);
    (void)X509_set_issuer_name(x, X509_get_subject_name(x));
    (void)X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(b, x), 1);
    text_of(b, s->certificate, sizeof(s->certificate));
    b = BIO_new(BIO_s_mem());
    assert_int_equal(
        PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL), 1);
    text_of(b, s->key, sizeof(s->key));
    X509_free(x);
    EVP_PKEY_free(key);
}

/* ---- a client ---- */

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static struct client
client_of(const struct kit *k, int version)
{
    struct client c = {.ctx = SSL_CTX_new(TLS_client_method())};

    assert_non_null(c.ctx);
    SSL_CTX_set_security_level(c.ctx, 0);
    (void)SSL_CTX_set_min_proto_version(c.ctx, version);
    (void)SSL_CTX_set_max_proto_version(c.ctx, version);
    c.ssl = SSL_new(c.ctx);
    c.fd = kit_connect(k);
    assert_int_equal(SSL_set_fd(c.ssl, c.fd), 1);
    return c;
}

static void
client_end(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    (void)close(c->fd);
}

static void
say(struct client *c, const char *text)
{
    assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), strlen(text));
}

/* Reads until this text is there. */
static void
until(struct client *c, struct buf *to, const char *text)
{
    const struct span want = span_str(text);
    char some[16384];
    size_t from = 0;

    for (;;) {
        const struct span new = span_tail(buf_view(to), from);
        int n;

        if (span_search(new, want) < new.n)
            return;
        from = to->n > want.n ? to->n - want.n : 0;
        n = SSL_read(c->ssl, some, sizeof(some));
        assert_true(n > 0);
        buf_put(to, some, (size_t)n);
    }
}

static void
start_tls(struct kit *k, struct secret *s, unsigned whole_s)
{
    struct http_options o = plain();

    make_secret(s);
    o.listeners[0].certificate = s->certificate;
    o.listeners[0].key = s->key;
    o.whole_s = whole_s;
    kit_start(k, o);
}

/* ---- tests ---- */

static void
test_tls(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct kit k = {.calls = 0};
    struct secret s;
    struct buf got;

    (void)state;
    start_tls(&k, &s, 0);
    buf_init(&got, 8U << 20);
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct client c = client_of(&k, versions[i]);

        assert_int_equal(SSL_connect(c.ssl), 1);
        say(&c, GET("/a") GET("/b"));
        until(&c, &got, "0 0 127.0.0.1 1|/a|a||||||");
        until(&c, &got, "0 0 127.0.0.1 1|/b|a||||||");
        buf_reset(&got);
        say(&c, GET("/large") GET("/c"));
        until(&c, &got, "0 0 127.0.0.1 1|/c|a||||||");
        assert_true(got.n > 4U << 20);
        buf_reset(&got);
        say(&c, GET("/stream"));
        until(&c, &got, "retry: 3000\n\n");
        http_tell(k.http, "alert", SPAN_LIT("1"));
        until(&c, &got, "event: alert\ndata: 1\n\n");
        buf_reset(&got);
        client_end(&c);
    }
    kit_stop(&k);
    buf_free(&got);
}

static void
test_old_version(void **state)
{
    struct kit k = {.calls = 0};
    struct secret s;
    struct client c;

    (void)state;
    start_tls(&k, &s, 0);
    c = client_of(&k, TLS1_1_VERSION);
    assert_true(SSL_connect(c.ssl) <= 0);
    client_end(&c);
    KIT_UNTIL(kit_conns(&k) == 0);
    kit_stop(&k);
}

/* Nothing, half a greeting, and no TLS at all: all are ended. */
static void
test_no_handshake(void **state)
{
    struct kit k = {.calls = 0};
    struct secret s;
    int fd[3];

    (void)state;
    start_tls(&k, &s, 1);
    for (size_t i = 0; i < 3; i++)
        fd[i] = kit_connect(&k);
    (void)kit_send(fd[1], "\x16\x03\x01\x02\x00\x01", 6);
    kit_say(fd[2], GET("/"));
    for (size_t i = 0; i < 3; i++) {
        assert_true(kit_is_over(fd[i]));
        (void)close(fd[i]);
    }
    KIT_UNTIL(kit_conns(&k) == 0);
    assert_int_equal(kit_read(&k, &k.calls), 0);
    kit_stop(&k);
}

/* A certificate that is none, and a key of another one. */
static void
test_bad_certificate(void **state)
{
    static struct secret s, other;
    struct http_options o = plain();
    struct http *h = NULL;

    (void)state;
    make_secret(&s);
    make_secret(&other);
    (void)kit_listener(&o.listeners[0].fd);
    o.listeners[0].certificate = o.listeners[0].key = "none";
    assert_int_equal(http_open(&o, &h), ERR_CONFIG);
    o.listeners[0].certificate = s.certificate;
    o.listeners[0].key = other.key;
    assert_int_equal(http_open(&o, &h), ERR_CONFIG);
    assert_null(h);
    assert_int_equal(close(o.listeners[0].fd), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_old_version),
        cmocka_unit_test(test_no_handshake),
        cmocka_unit_test(test_bad_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
