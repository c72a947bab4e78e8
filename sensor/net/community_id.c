#include "sensor/net/community_id.h"

#include <openssl/evp.h>

#define SHA1_LEN 20

struct community_id_ctx {
    EVP_MD *sha1;
    EVP_MD_CTX *run;
};

enum err
community_id_new(struct community_id_ctx **out)
{
    struct community_id_ctx *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NOMEM;
    c->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    c->run = EVP_MD_CTX_new();
    if (c->sha1 == NULL || c->run == NULL ||
        EVP_DigestInit_ex2(c->run, c->sha1, NULL) != 1) {
        community_id_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_OK;
}

void
community_id_free(struct community_id_ctx *c)
{
    if (c == NULL)
        return;
    EVP_MD_CTX_free(c->run);
    EVP_MD_free(c->sha1);
    free(c);
}

static uint8_t *
put(uint8_t *to, const void *p, size_t n)
{
    memcpy(to, p, n);
    return to + n;
}

static uint8_t *
put_port(uint8_t *to, uint16_t port)
{
    uint8_t b[2] = {(uint8_t)(port >> 8), (uint8_t)port};

    return put(to, b, sizeof(b));
}

void
community_id(struct community_id_ctx *c, uint8_t proto,
             struct community_id_end a, struct community_id_end b,
             char out[COMMUNITY_ID_LEN])
{
    static const uint8_t seed[2] = {0, 0};
    const uint8_t proto_and_pad[2] = {proto, 0};
    size_t skip = addr_is_v4(a.addr) && addr_is_v4(b.addr) ? 12 : 0;
    int order = addr_cmp(a.addr, b.addr);
    bool swap = order > 0 || (order == 0 && a.port > b.port);
    const struct community_id_end *first = swap ? &b : &a;
    const struct community_id_end *second = swap ? &a : &b;
    uint8_t in[40], *at = in, digest[SHA1_LEN], text[COMMUNITY_ID_LEN];

    at = put(at, seed, sizeof(seed));
    at = put(at, first->addr->b + skip, 16 - skip);
    at = put(at, second->addr->b + skip, 16 - skip);
    at = put(at, proto_and_pad, sizeof(proto_and_pad));
    at = put_port(at, first->port);
    at = put_port(at, second->port);
    /* neither allocates: the context holds this digest since it was made */
    REQUIRE(EVP_DigestInit_ex2(c->run, c->sha1, NULL) == 1);
    REQUIRE(EVP_DigestUpdate(c->run, in, (size_t)(at - in)) == 1);
    REQUIRE(EVP_DigestFinal_ex(c->run, digest, NULL) == 1);
    (void)EVP_EncodeBlock(text, digest, SHA1_LEN); /* 28 and a NUL */
    memcpy(out, "1:", 2);
    memcpy(out + 2, text, COMMUNITY_ID_LEN - 2);
}
