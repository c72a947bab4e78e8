#include "dissectors/tls_estimate.h"

#include "sensor/base/attr.h"

#define TYPE_ALERT            21U
#define TYPE_APPLICATION_DATA 23U
#define TLS_1_2               0x0303U
#define TLS_1_3               0x0304U
#define ALERT_BYTES           2U /* also GSSAPI's empty answer */
#define SIX                   6U /* DATA, RSET, QUIT and CRLF */
#define AUTH_LAST             2U /* exchange that may be AUTH with a token */

enum limit {
#define LIMIT(name, value, unit, why) LIMIT_##name = (value),
    TLS_ESTIMATE_LIMITS(LIMIT)
#undef LIMIT
};

_Static_assert(sizeof(struct tls_estimate) <= 32, "part of every session");

/* What a record adds: least and most bytes. TLS 1.3: tag and type (RFC 8446
 * 5.2); GCM and CCM in 1.2: 8 of nonce and a tag (RFC 5288 3, RFC 6655 4);
 * ChaCha20 a tag (RFC 7905 2); CBC: IV, MAC and 1 to 16 of padding (RFC 5246
 * 6.2.3.2), in 1.0 without the IV. */
struct added {
    uint8_t least, most;
};

static const struct added tls13 = {17, 17};

static const struct {
    uint16_t first, last; /* cipher suites of the IANA registry */
    struct added added;
} suites[] = {
    {0x002f, 0x0039, {21, 52}}, /* AES CBC, SHA-1 */
    {0x003c, 0x0040, {49, 64}}, /* AES CBC, SHA-256 */
    {0x0067, 0x006d, {49, 64}},
    {0x009c, 0x00a7, {24, 24}}, /* AES GCM */
    {0xc004, 0xc019, {21, 52}}, /* ECDHE, AES CBC, SHA-1 */
    {0xc023, 0xc023, {49, 64}}, /* the same, SHA-256 and SHA-384 */
    {0xc024, 0xc024, {65, 80}},
    {0xc027, 0xc027, {49, 64}},
    {0xc028, 0xc028, {65, 80}},
    {0xc02b, 0xc032, {24, 24}}, /* ECDHE, AES GCM */
    {0xc09c, 0xc09f, {24, 24}}, /* AES CCM */
    {0xc0a0, 0xc0a3, {16, 16}}, /* the same with tags of 8 */
    {0xc0ac, 0xc0ad, {24, 24}},
    {0xc0ae, 0xc0af, {16, 16}},
    {0xcca8, 0xccaa, {16, 16}}, /* ChaCha20-Poly1305 */
};

/* Finished in TLS 1.3: the hash of the suite behind 4 bytes (RFC 8446 4.4.4).
 */
static uint16_t
finished_bytes(uint16_t cipher)
{
    return cipher == 0x1302 ? 52 : 36;
}

static void
set_added(struct tls_estimate *e, uint16_t version, uint16_t cipher)
{
    if (version == TLS_1_3) {
        e->least = tls13.least;
        e->most = tls13.most;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        if (cipher < suites[i].first || cipher > suites[i].last)
            continue;
        e->least = suites[i].added.least;
        e->most = suites[i].added.most;
        return;
    }
    e->hopeless = true;
}

/* Bytes written, at least or at most. */
static uint32_t
written(const struct tls_estimate *e, enum dir d, uint8_t added)
{
    uint32_t all = (uint32_t)added * e->records[d];

    return e->bytes[d] > all ? e->bytes[d] - all : 0;
}

static bool
is_six(const struct tls_estimate *e)
{
    return e->records[DIR_C2S] == 1 && written(e, DIR_C2S, e->most) <= SIX &&
           written(e, DIR_C2S, e->least) >= SIX;
}

/* An answer there is: without one nobody took the message. */
static bool
is_sure(const struct tls_estimate *e)
{
    uint32_t least = written(e, DIR_C2S, e->most);
    uint32_t answer = written(e, DIR_S2C, e->least);

    if (e->auth && e->exchanges <= AUTH_LAST)
        return false;
    return e->records[DIR_S2C] > 0 && least > LIMIT_body &&
           answer < LIMIT_answer && answer < least / 4;
}

static bool
may_be_message(const struct tls_estimate *e)
{
    uint32_t most = written(e, DIR_C2S, e->least);

    return most > LIMIT_small &&
           written(e, DIR_S2C, e->most) < most + LIMIT_answer_more;
}

static void
add_message(struct tls_estimate *e)
{
    bool sure = is_sure(e);

    e->pipelined |= !e->in_run && !e->six;
    e->messages_max += e->messages_max < UINT32_MAX;
    if (!e->in_run)
        e->run_sure = false;
    if (sure && !e->run_sure)
        e->messages_min++;
    e->run_sure |= sure;
    e->in_run = true;
    e->six = false;
}

static void
add_command(struct tls_estimate *e)
{
    e->six = is_six(e);
    e->in_run = false;
    if (!e->six && e->commands < UINT32_MAX)
        e->commands++;
}

/* The exchange is over. The first is EHLO. */
static void
close_exchange(struct tls_estimate *e)
{
    if (e->exchanges > 0 && may_be_message(e))
        add_message(e);
    else if (e->exchanges > 0)
        add_command(e);
    if (e->exchanges < UINT8_MAX)
        e->exchanges++;
    for (unsigned d = 0; d < 2; d++) {
        e->bytes[d] = 0;
        e->records[d] = 0;
    }
}

static void
add_record(struct tls_estimate *e, enum dir d, uint16_t length)
{
    if (e->bytes[d] <= UINT32_MAX - length && e->records[d] < UINT16_MAX) {
        e->bytes[d] += length;
        e->records[d]++;
    }
}

/* True when the record is still of the handshake. In TLS 1.3 its type does not
 * say so. */
static bool
is_handshake(struct tls_estimate *e, enum dir d, uint16_t length,
             uint16_t version, uint16_t cipher)
{
    if (e->begun)
        return false;
    if (version != TLS_1_3) {
        e->begun = true;
        set_added(e, version, cipher);
        return false;
    }
    if (d == DIR_C2S && length == finished_bytes(cipher) + tls13.most) {
        e->begun = true;
        set_added(e, version, cipher);
    }
    return true;
}

void
tls_estimate_init(struct tls_estimate *e, bool auth)
{
    *e = (struct tls_estimate){.auth = auth};
}

void
tls_estimate_record(struct tls_estimate *e, enum dir d, uint8_t type,
                    uint16_t length, uint16_t version, uint16_t cipher)
{
    e->closed |= type == TYPE_ALERT;
    if (type != TYPE_APPLICATION_DATA || e->hopeless ||
        is_handshake(e, d, length, version, cipher) || e->hopeless)
        return;
    if (length <= e->least + ALERT_BYTES) {
        e->closed |= version == TLS_1_3;
        return;
    }
    if (d == DIR_S2C && e->records[DIR_C2S] == 0)
        return; /* a greeting, or tickets */
    if (d == DIR_C2S && e->records[DIR_S2C] > 0)
        close_exchange(e);
    add_record(e, d, length);
}

void
tls_estimate_lose(struct tls_estimate *e)
{
    e->hopeless |= !e->closed;
}

bool
tls_estimate_result(const struct tls_estimate *e,
                    struct tls_estimate_result *out)
{
    struct tls_estimate last = *e;
    uint32_t mails;

    if (last.records[DIR_C2S] > 0)
        close_exchange(&last);
    if (last.hopeless || last.exchanges == 0)
        return false;
    mails = last.messages_min > 0 ? last.messages_min : 1;
    *out = (struct tls_estimate_result){
        .messages_min = last.messages_min,
        .messages_max = last.messages_max,
        .has_rcpt =
            last.messages_max > 0 && !last.pipelined && last.commands > mails,
        .no_payload = last.messages_max == 0 && last.commands > 0,
    };
    if (out->has_rcpt)
        out->rcpt_max = last.commands - mails;
    return true;
}
