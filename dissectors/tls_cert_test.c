#include "dissectors/tls_cert.h"

#include "sensor/event/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* A certificate made here, so that nothing expires and nothing is copied. */
static void
name(X509_NAME *n, const char *key, const char *value)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(n, key, MBSTRING_UTF8,
                                                (const unsigned char *)value,
                                                -1, -1, 0),
                     1);
}

static void
make(struct buf *message, const char *cn)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *x = X509_new();
    unsigned char *der = NULL;
    int n;

    assert_non_null(key);
    assert_non_null(x);
    (void)X509_set_version(x, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 0x0abc);
    (void)ASN1_TIME_set(X509_getm_notBefore(x), 1767225600);
    (void)ASN1_TIME_set(X509_getm_notAfter(x), 1767312000);
    name(X509_get_subject_name(x), "C", "US");
    name(X509_get_subject_name(x), "O", "Ex\nample");
    name(X509_get_subject_name(x), "CN", cn);
    name(X509_get_issuer_name(x), "CN", "Caf\xc3\xa9 CA");
    (void)X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, NULL) > 0);
    n = i2d_X509(x, &der);
    assert_true(n > 0);
    for (unsigned twice = 0; twice < 2; twice++) {
        buf_putc(message, 0);
        buf_putc(message, (uint8_t)((unsigned)n >> 8));
        buf_putc(message, (uint8_t)n);
    }
    buf_put(message, der, (size_t)n);
    OPENSSL_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void
describe(struct span entries, struct buf *out)
{
    struct cursor c = cur_open(entries);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_TLS_FINGERPRINT) {
            assert_int_equal(e.value.n, 59);
            continue;
        }
        buf_str(out, field_table[e.field].path + strlen("tls."));
        buf_putc(out, '=');
        if (field_table[e.field].type == FT_TIME)
            buf_u64(out, entry_u64(e.value) / NS_PER_S);
        else
            buf_span(out, e.value);
        buf_putc(out, '\n');
    }
    assert_false(c.bad);
    buf_putc(out, '\0');
}

static void
test_reads(void **state)
{
    struct buf message, got, text;

    (void)state;
    buf_init(&message, 65536);
    buf_init(&got, 4096);
    buf_init(&text, 4096);
    make(&message, "mx.example.net");
    assert_true(tls_cert_read(buf_view(&message), &got));
    describe(buf_view(&got), &text);
    assert_string_equal((const char *)text.p,
                        "subject=C=US, O=Ex\\0Aample, CN=mx.example.net\n"
                        "issuerdn=CN=Caf\xc3\xa9 CA\nserial=0A:BC\n"
                        "notbefore=1767225600\nnotafter=1767312000\n");
    buf_free(&message);
    buf_free(&got);
    buf_free(&text);
}

static void
test_long_name(void **state)
{
    char cn[65];
    struct buf message, got;

    (void)state;
    memset(cn, 'n', 64); /* the longest a common name may have */
    cn[64] = '\0';
    buf_init(&message, 65536);
    buf_init(&got, 4096);
    make(&message, cn);
    assert_true(tls_cert_read(buf_view(&message), &got));
    buf_free(&message);
    buf_free(&got);
}

/* Cut anywhere, and with any octet changed: read or not, and nothing worse. */
static void
test_hostile(void **state)
{
    struct buf message;

    (void)state;
    buf_init(&message, 65536);
    make(&message, "mx.example.net");
    for (size_t at = 0; at < message.n; at++) {
        uint8_t *exact = malloc(at + 1);
        struct buf got;

        assert_non_null(exact);
        buf_init(&got, 4096);
        memcpy(exact, message.p, at);
        assert_false(tls_cert_read(span_of(exact, at), &got));
        assert_int_equal(got.n, 0);
        free(exact);
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            message.p[at] ^= (uint8_t)bit;
            buf_reset(&got);
            if (!tls_cert_read(buf_view(&message), &got))
                assert_int_equal(got.n, 0);
            message.p[at] ^= (uint8_t)bit;
        }
        buf_free(&got);
    }
    buf_free(&message);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
