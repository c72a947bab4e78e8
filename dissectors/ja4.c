#include "dissectors/ja4.h"

#include "sensor/base/buf.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <stdlib.h>

#define EXT_SERVER_NAME        0U  /* RFC 6066 3 */
#define EXT_SIGNATURES         13U /* RFC 8446 4.2.3 */
#define EXT_ALPN               16U /* RFC 7301 3.1 */
#define EXT_SUPPORTED_VERSIONS 43U /* RFC 8446 4.2.1 */
#define DIGITS                 12  /* of a digest */
/* four digits and a comma each, of two lists */
#define TEXT_MAX (2 * JA4_LIST_MAX * 5)

struct list {
    uint16_t v[JA4_LIST_MAX];
    size_t n;
};

struct hello {
    struct list ciphers, extensions, signatures;
    size_t n_extensions; /* with those that are not hashed */
    uint16_t version;
    bool named;
    char alpn[3];
    bool bad;
};

static bool
is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* A vector whose length has so many bytes, all of it there. */
static struct cursor
vector(struct cursor *c, unsigned length_bytes)
{
    const size_t n = length_bytes == 1 ? cur_u8(c) : cur_be16(c);

    return cur_open(cur_take(c, n));
}

static void
add(struct hello *h, struct list *l, uint16_t v)
{
    if (is_grease(v))
        return;
    if (l->n == JA4_LIST_MAX)
        h->bad = true;
    else
        l->v[l->n++] = v;
}

static void
add_all(struct hello *h, struct list *l, struct cursor c)
{
    while (cur_left(&c) >= 2)
        add(h, l, cur_be16(&c));
    h->bad |= cur_left(&c) > 0;
}

/* ---- extensions ---- */

static void
read_signatures(struct hello *h, struct cursor c)
{
    add_all(h, &h->signatures, vector(&c, 2));
    h->bad |= c.bad;
}

static void
read_versions(struct hello *h, struct cursor c)
{
    struct cursor all = vector(&c, 1);
    uint16_t best = 0;

    while (cur_left(&all) >= 2) {
        const uint16_t v = cur_be16(&all);

        if (!is_grease(v) && v > best)
            best = v;
    }
    h->version = best != 0 ? best : h->version;
}

static bool
is_plain(uint8_t c)
{
    return c < 0x80 && isalnum(c) != 0;
}

static void
read_alpn(struct hello *h, struct cursor c)
{
    static const char digits[] = "0123456789abcdef";
    struct cursor all = vector(&c, 2);
    const struct span first = vector(&all, 1).in;
    uint8_t a, b;

    if (c.bad || all.bad || first.n == 0)
        return;
    a = span_at(first, 0);
    b = span_at(first, first.n - 1);
    if (is_plain(a) && is_plain(b)) {
        h->alpn[0] = (char)a;
        h->alpn[1] = (char)b;
    } else {
        h->alpn[0] = digits[a >> 4];
        h->alpn[1] = digits[b & 15];
    }
}

/* Named and ALPN stand in the first part: they are not hashed. */
static void
read_extension(struct hello *h, uint16_t type, struct cursor body)
{
    if (is_grease(type))
        return;
    h->n_extensions++;
    switch (type) {
    case EXT_SERVER_NAME: h->named = true; return;
    case EXT_ALPN: read_alpn(h, body); return;
    case EXT_SIGNATURES: read_signatures(h, body); break;
    case EXT_SUPPORTED_VERSIONS: read_versions(h, body); break;
    default: break;
    }
    add(h, &h->extensions, type);
}

static void
read_extensions(struct hello *h, struct cursor c)
{
    while (cur_left(&c) > 0 && !c.bad) {
        const uint16_t type = cur_be16(&c);
        const struct cursor body = vector(&c, 2);

        if (!c.bad)
            read_extension(h, type, body);
    }
    h->bad |= c.bad;
}

/* Hellos of before TLS 1.2 may end without extensions, RFC 5246 7.4.1.2. */
static void
read_hello(struct hello *h, struct cursor c)
{
    h->version = cur_be16(&c);
    cur_skip(&c, 32);
    (void)vector(&c, 1); /* session id */
    add_all(h, &h->ciphers, vector(&c, 2));
    (void)vector(&c, 1); /* compression methods */
    if (!c.bad && cur_left(&c) > 0)
        read_extensions(h, vector(&c, 2));
    h->bad |= c.bad;
}

/* ---- text ---- */

static const char *
version_text(uint16_t version)
{
    static const struct {
        uint16_t version;
        const char *text;
    } names[] = {
        {0x0304, "13"},
        {0x0303, "12"},
        {0x0302, "11"},
        {0x0301, "10"},
        {0x0300, "s3"},
        {0x0002, "s2"},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].version == version)
            return names[i].text;
    }
    return "00";
}

static int
by_number(const void *a, const void *b)
{
    const uint16_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void
put_list(struct buf *b, const struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        buf_printf(b, "%s%04x", i > 0 ? "," : "", l->v[i]);
}

/* Appends the digest of text's content, which is begun anew. */
static void
put_digest(struct buf *out, struct buf *text)
{
    uint8_t sum[SHA256_DIGEST_LENGTH] = {0};

    buf_putc(out, '_');
    if (text->n > 0)
        (void)SHA256(text->p, text->n, sum);
    for (size_t i = 0; i < DIGITS / 2; i++)
        buf_printf(out, "%02x", sum[i]);
    buf_reset(text);
}

static unsigned
at_most_99(size_t n)
{
    return n < 99 ? (unsigned)n : 99;
}

static void
put_ja4(struct buf *out, struct buf *text, struct hello *h)
{
    buf_printf(out, "t%s%c%02u%02u%s", version_text(h->version),
               h->named ? 'd' : 'i', at_most_99(h->ciphers.n),
               at_most_99(h->n_extensions), h->alpn);
    qsort(h->ciphers.v, h->ciphers.n, sizeof(h->ciphers.v[0]), by_number);
    put_list(text, &h->ciphers);
    put_digest(out, text);
    qsort(h->extensions.v, h->extensions.n, sizeof(h->extensions.v[0]),
          by_number);
    put_list(text, &h->extensions);
    if (h->signatures.n > 0)
        buf_putc(text, '_');
    put_list(text, &h->signatures);
    put_digest(out, text);
}

bool
ja4_client(struct span body, char out[JA4_LEN + 1])
{
    struct hello h = {.alpn = "00"};
    struct buf made, text;
    bool whole;

    read_hello(&h, cur_open(body));
    if (h.bad)
        return false;
    buf_init(&made, 2 * JA4_LEN);
    buf_init(&text, TEXT_MAX);
    put_ja4(&made, &text, &h);
    whole = made.n == JA4_LEN;
    if (whole) {
        memcpy(out, made.p, JA4_LEN);
        out[JA4_LEN] = '\0';
    }
    buf_free(&made);
    buf_free(&text);
    return whole;
}
