#include "dissectors/content/crypt.h"

#include <openssl/evp.h>

#include "sensor/base/attr.h"

#define PASSWORD      "VelvetSweatshop"
#define PASSWORD_WIDE "V\0e\0l\0v\0e\0t\0S\0w\0e\0a\0t\0s\0h\0o\0p"
#define SALT_BYTES    16
#define VERIFIER      16
#define MD5_BYTES     16
#define SHA1_BYTES    20

static bool
digest(const EVP_MD *md, const uint8_t *p, size_t n, uint8_t *out)
{
    return EVP_Digest(p, n, out, NULL, md, NULL) == 1;
}

enum err
crypt_prepare(void)
{
    uint8_t room[EVP_MAX_MD_SIZE];

    /* A system that forbids MD5 does without this check. */
    (void)digest(EVP_md5(), room, 0, room);
    return digest(EVP_sha1(), room, 0, room) ? ERR_OK : ERR_NOMEM;
}

/* OpenSSL 3 keeps RC4 in a provider of its own, read from a file. */
static void
rc4(const uint8_t *key, size_t n_key, uint8_t *p, size_t n)
{
    uint8_t s[256];
    uint8_t j = 0;

    for (unsigned k = 0; k < 256; k++)
        s[k] = (uint8_t)k;
    for (unsigned k = 0; k < 256; k++) {
        uint8_t t = s[k];

        j = (uint8_t)(j + t + key[k % n_key]);
        s[k] = s[j];
        s[j] = t;
    }
    j = 0;
    for (size_t k = 0; k < n; k++) {
        uint8_t at = (uint8_t)(k + 1);
        uint8_t t = s[at];

        j = (uint8_t)(j + t);
        s[at] = s[j];
        s[j] = t;
        p[k] ^= s[(uint8_t)(s[at] + t)];
    }
}

/* 2.3.7.1: the verifier of a password. */
static bool
is_xor_default(struct span data)
{
    struct cursor c = cur_open(data);
    static const char word[] = PASSWORD;
    size_t n = sizeof(word) - 1;
    unsigned v = 0;

    cur_skip(&c, 2);
    for (size_t k = n + 1; k-- > 0;) {
        unsigned byte = k > 0 ? (uint8_t)word[k - 1] : (unsigned)n;

        v = ((v >> 14 & 1) | (v << 1 & 0x7fff)) ^ byte;
    }
    v ^= 0xce4b;
    return cur_le16(&c) == v && !c.bad;
}

/* Decrypts a random verifier and its hash: do they fit? */
static bool
verifies(const EVP_MD *md, const uint8_t *key, size_t n_key,
         struct span encrypted)
{
    uint8_t room[VERIFIER + SHA1_BYTES];
    uint8_t sum[EVP_MAX_MD_SIZE];

    if (encrypted.n > sizeof(room) || encrypted.n <= VERIFIER)
        return false;
    memcpy(room, encrypted.p, encrypted.n);
    rc4(key, n_key, room, encrypted.n);
    return digest(md, room, VERIFIER, sum) &&
           memcmp(sum, room + VERIFIER, encrypted.n - VERIFIER) == 0;
}

/* 2.3.6.2 */
static bool
is_rc4_default(struct cursor *c)
{
    struct span salt = cur_take(c, SALT_BYTES);
    struct span check = cur_take(c, VERIFIER + MD5_BYTES);
    uint8_t mix[(5 + SALT_BYTES) * 16];
    uint8_t key[MD5_BYTES];
    uint8_t with_block[9] = {0};

    if (c->bad || !digest(EVP_md5(), (const uint8_t *)PASSWORD_WIDE,
                          sizeof(PASSWORD_WIDE), key))
        return false;
    for (size_t k = 0; k < 16; k++) {
        memcpy(mix + k * (5 + SALT_BYTES), key, 5);
        memcpy(mix + k * (5 + SALT_BYTES) + 5, salt.p, SALT_BYTES);
    }
    if (!digest(EVP_md5(), mix, sizeof(mix), key))
        return false;
    memcpy(with_block, key, 5);
    return digest(EVP_md5(), with_block, sizeof(with_block), key) &&
           verifies(EVP_md5(), key, sizeof(key), check);
}

/* 2.3.5.2; keys of 40 bits are used as 128 with zeros. */
static bool
api_key(struct span salt, uint32_t bits, uint8_t key[SHA1_BYTES])
{
    uint8_t mix[SALT_BYTES + sizeof(PASSWORD_WIDE)];
    uint8_t with_block[SHA1_BYTES + 4] = {0};

    memcpy(mix, salt.p, SALT_BYTES);
    memcpy(mix + SALT_BYTES, PASSWORD_WIDE, sizeof(PASSWORD_WIDE));
    if (!digest(EVP_sha1(), mix, sizeof(mix), with_block) ||
        !digest(EVP_sha1(), with_block, sizeof(with_block), key))
        return false;
    if (bits <= 40)
        memset(key + 5, 0, SHA1_BYTES - 5);
    return true;
}

/* The verifier and its hash, without the length between them. */
static bool
take_check(struct cursor *c, uint8_t out[VERIFIER + SHA1_BYTES])
{
    struct span verifier = cur_take(c, VERIFIER);
    struct span hash;

    cur_skip(c, 4);
    hash = cur_take(c, SHA1_BYTES);
    if (c->bad)
        return false;
    memcpy(out, verifier.p, VERIFIER);
    memcpy(out + VERIFIER, hash.p, SHA1_BYTES);
    return true;
}

static bool
is_api_default(struct cursor *c)
{
    uint8_t key[SHA1_BYTES];
    uint8_t check[VERIFIER + SHA1_BYTES];
    struct cursor header;
    struct span salt;
    uint32_t bits;
    size_t n_key;

    cur_skip(c, 4);
    header = cur_open(cur_take(c, cur_le32(c)));
    cur_skip(&header, 16);
    bits = cur_le32(&header);
    n_key = bits <= 40 ? 16 : bits / 8;
    if (cur_le32(c) != SALT_BYTES || n_key > 16)
        return false;
    salt = cur_take(c, SALT_BYTES);
    return take_check(c, check) && !header.bad && api_key(salt, bits, key) &&
           verifies(EVP_sha1(), key, n_key, span_of(check, sizeof(check)));
}

bool
crypt_xls_is_default(struct span file_pass, bool biff8)
{
    struct cursor c = cur_open(file_pass);
    uint16_t major;

    if (!biff8)
        return is_xor_default(file_pass);
    if (cur_le16(&c) == 0)
        return is_xor_default(cur_rest(&c));
    major = cur_le16(&c);
    cur_skip(&c, 2);
    return major == 1 ? is_rc4_default(&c) : is_api_default(&c);
}
