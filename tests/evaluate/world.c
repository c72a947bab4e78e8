#include "tests/evaluate/world.h"

#include "sensor/base/hash.h"

#define SERVERS      8U /* of a provider */
#define AS_PROVIDERS 64512U
#define AS_OWN       4200000000U

/* Where servers stand: first bytes of IPv4 that are neither private nor
 * special, and nobody's in particular. */
static struct addr
server_v4(uint64_t h)
{
    uint8_t b[4] = {(uint8_t)(20 + h % 80), (uint8_t)(h >> 8),
                    (uint8_t)(h >> 16), (uint8_t)(1 + (h >> 24) % 250)};

    return addr_v4(b);
}

static struct addr
server_v6(uint64_t h)
{
    uint8_t b[16] = {0x2a, 0, [15] = 25};

    for (unsigned i = 0; i < 4; i++)
        b[2 + i] = (uint8_t)(h >> 8 * i);
    return addr_v6(b);
}

struct org
world_org(uint64_t seed, uint32_t number, bool ipv6, uint32_t pick)
{
    uint64_t h = hash_mix(seed ^ 0x0461, number);
    uint32_t provider = (uint32_t)(h >> 40) % WORLD_PROVIDERS;
    struct org o = {.number = number};

    o.hosted = h % 5 < 2;
    o.greylists = !o.hosted && (h >> 8) % 3 == 0;
    o.as = o.hosted ? AS_PROVIDERS + provider : AS_OWN + number;
    if (o.hosted)
        h = hash_mix(seed ^ 0x9107, provider * SERVERS + pick % SERVERS);
    else
        h = hash_mix(h, 1);
    o.server = ipv6 ? server_v6(h) : server_v4(h);
    return o;
}

void
world_domain(const struct org *o, struct buf *out)
{
    buf_putc(out, 'o');
    buf_u64(out, o->number);
    buf_str(out, ".example");
}

void
world_server_name(const struct org *o, struct buf *out)
{
    buf_str(out, "mx.");
    if (!o->hosted) {
        world_domain(o, out);
        return;
    }
    buf_putc(out, 'p');
    buf_u64(out, o->as - AS_PROVIDERS);
    buf_str(out, ".example");
}

uint8_t
world_ttl(uint64_t seed, const struct addr *server)
{
    static const uint8_t first[] = {64, 64, 64, 64, 64, 64, 128, 128, 128, 255};
    uint64_t h = hash_mix(hash_span(span_of(server->b, sizeof(server->b)), 3),
                          seed ^ 0x771);

    return (uint8_t)(first[h % ARRAY_LEN(first)] - 5 - (h >> 16) % 16);
}
