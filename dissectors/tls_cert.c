#include "dissectors/tls_cert.h"

#include "sensor/base/ns.h"
#include "sensor/event/record.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <time.h>

#define SECONDS_MAX (INT64_MAX / (int64_t)NS_PER_S)

/* "0A:BC", as Suricata prints serial and fingerprint. */
static void
put_octets(struct buf *out, enum field f, struct span octets)
{
    char text[3 * SHA_DIGEST_LENGTH + 3 * TLS_CERT_SERIAL_MAX];
    size_t n = 0;

    for (size_t i = 0; i < octets.n && n + 3 < sizeof(text); i++) {
        static const char digits[] = "0123456789ABCDEF";

        if (i > 0)
            text[n++] = ':';
        text[n++] = digits[octets.p[i] >> 4];
        text[n++] = digits[octets.p[i] & 15];
    }
    entry_put(out, f, span_of(text, n));
}

static void
put_name(struct buf *out, enum field f, const X509_NAME *name)
{
    const unsigned long how = XN_FLAG_SEP_CPLUS_SPC | ASN1_STRFLGS_ESC_CTRL |
                              ASN1_STRFLGS_UTF8_CONVERT;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long n;

    if (bio == NULL)
        return;
    if (X509_NAME_print_ex(bio, name, 0, how) > 0) {
        n = BIO_get_mem_data(bio, &text);
        entry_put(out, f,
                  span_head(span_of(text, (size_t)n), TLS_CERT_NAME_MAX));
    }
    BIO_free(bio);
}

static void
put_serial(struct buf *out, const ASN1_INTEGER *serial)
{
    uint8_t octets[TLS_CERT_SERIAL_MAX];
    BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);

    if (n != NULL && BN_num_bytes(n) > 0 &&
        BN_num_bytes(n) <= TLS_CERT_SERIAL_MAX) {
        const int made = BN_bn2bin(n, octets);

        put_octets(out, FIELD_TLS_SERIAL, span_of(octets, (size_t)made));
    }
    BN_free(n);
}

/* A time before 1970 or past what ns_t holds is left out. */
static void
put_time(struct buf *out, enum field f, const ASN1_TIME *when)
{
    struct tm tm;
    time_t s;

    if (ASN1_TIME_to_tm(when, &tm) != 1)
        return;
    s = timegm(&tm);
    if (s >= 0 && s <= SECONDS_MAX)
        entry_put_u64(out, f, (ns_t)s * NS_PER_S);
}

static void
put_all(struct buf *out, const X509 *x, struct span der)
{
    uint8_t sum[SHA_DIGEST_LENGTH];

    put_name(out, FIELD_TLS_SUBJECT, X509_get_subject_name(x));
    put_name(out, FIELD_TLS_ISSUERDN, X509_get_issuer_name(x));
    put_serial(out, X509_get0_serialNumber(x));
    (void)SHA1(der.p, der.n, sum);
    put_octets(out, FIELD_TLS_FINGERPRINT, span_of(sum, sizeof(sum)));
    put_time(out, FIELD_TLS_NOTBEFORE, X509_get0_notBefore(x));
    put_time(out, FIELD_TLS_NOTAFTER, X509_get0_notAfter(x));
}

bool
tls_cert_read(struct span message, struct buf *out)
{
    struct cursor c = cur_open(message);
    struct span der;
    const uint8_t *p;
    X509 *x;

    cur_skip(&c, 3); /* length of the chain: it may be cut */
    der = cur_take(&c, cur_be24(&c));
    if (c.bad || der.n == 0)
        return false;
    p = der.p;
    x = d2i_X509(NULL, &p, (long)der.n);
    if (x == NULL) {
        ERR_clear_error(); /* a queue of the thread: not to grow */
        return false;
    }
    put_all(out, x, span_of(der.p, (size_t)(p - der.p)));
    X509_free(x);
    return true;
}
