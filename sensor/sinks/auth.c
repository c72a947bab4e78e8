#include "sensor/sinks/auth.h"

#include "sensor/base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define WORDS 4096U /* of all that is short: topic, writer, key */

static void
put_u64(struct buf *b, uint64_t v)
{
    uint8_t room[8];

    for (unsigned i = 0; i < sizeof(room); i++)
        room[i] = (uint8_t)(v >> (8 * i));
    buf_put(b, room, sizeof(room));
}

/* With its length before it, so that no two messages are the same bytes. */
static void
put_span(struct buf *b, struct span s)
{
    put_u64(b, s.n);
    buf_span(b, s);
}

/* Long values by their digest: one pass over them, and no copy. */
static bool
put_value(struct buf *b, struct span value)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (value.p == NULL) {
        buf_str(b, "tombstone");
        return true;
    }
    if (EVP_Digest(value.p, value.n, digest, &n, EVP_sha256(), NULL) != 1)
        return false;
    put_span(b, span_of(digest, n));
    return true;
}

static bool
mac_of(struct span key, struct span writer, uint64_t sequence,
       const struct auth_message *m, uint8_t out[AUTH_MAC])
{
    uint8_t room[WORDS];
    struct buf b = {room, 0, sizeof(room), sizeof(room), false, false};
    unsigned n = 0;

    buf_str(&b, "span25 message 1");
    put_span(&b, m->topic);
    put_span(&b, writer);
    put_u64(&b, sequence);
    put_span(&b, m->key);
    if (!put_value(&b, m->value) || b.cut || key.n == 0)
        return false;
    return HMAC(EVP_sha256(), key.p, (int)key.n, b.p, b.n, out, &n) != NULL &&
           n == AUTH_MAC;
}

bool
auth_sign(struct span key, struct span writer, uint64_t sequence,
          const struct auth_message *m, struct buf *header)
{
    uint8_t mac[AUTH_MAC];

    if (writer.n == 0 || writer.n > AUTH_WRITER_MAX ||
        !mac_of(key, writer, sequence, m, mac))
        return false;
    buf_str(header, "1 ");
    buf_u64(header, sequence);
    buf_putc(header, ' ');
    text_hex(header, span_of(mac, sizeof(mac)));
    buf_putc(header, ' ');
    buf_span(header, writer);
    return !header->failed && !header->cut;
}

/* ---- reading ---- */

static int
digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_hex(struct span hex, uint8_t out[AUTH_MAC])
{
    if (hex.n != 2 * (size_t)AUTH_MAC)
        return false;
    for (size_t i = 0; i < AUTH_MAC; i++) {
        int high = digit_of(span_at(hex, 2 * i));
        int low = digit_of(span_at(hex, 2 * i + 1));

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static struct span
next_word(struct span *rest)
{
    size_t n = span_find(*rest, ' ');
    struct span word = span_head(*rest, n);

    *rest = span_tail(*rest, n + 1);
    return word;
}

bool
auth_read(struct span header, struct auth_mark *out)
{
    struct auth_mark m;
    struct span rest = header;

    if (!span_eq(next_word(&rest), SPAN_LIT("1")) ||
        !span_to_u64(next_word(&rest), &m.sequence) ||
        !read_hex(next_word(&rest), m.mac))
        return false;
    m.writer = rest; /* it may hold spaces */
    if (rest.n == 0 || rest.n > AUTH_WRITER_MAX)
        return false;
    *out = m;
    return true;
}

bool
auth_verify(struct span key, const struct auth_mark *mark,
            const struct auth_message *m)
{
    uint8_t mac[AUTH_MAC];

    return mac_of(key, mark->writer, mark->sequence, m, mac) &&
           CRYPTO_memcmp(mac, mark->mac, sizeof(mac)) == 0;
}
