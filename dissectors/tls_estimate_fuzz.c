/* tls_estimate_fuzz - records of four bytes: direction and type, two of length,
 * what is asked meanwhile
 *
 * The interval is one, only grows but for the exchange under way, and counts no
 * more than there were exchanges. */
#include "dissectors/tls_estimate.h"

#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct {
    uint16_t version, cipher;
} kinds[] = {
    {0x0304, 0x1301},
    {0x0304, 0x1302},
    {0x0303, 0xc02f},
    {0x0303, 0xcca8},
    {0x0303, 0xc013},
    {0x0301, 0x002f},
    {0x0303, 0xffff},
    {0,      0     },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct tls_estimate e;
    struct tls_estimate_result r = {0};
    uint32_t least = 0;
    uint32_t records = 0;

    if (n < 1)
        return 0;
    tls_estimate_init(&e, (data[0] & 8) != 0);
    for (size_t i = 1; i + 4 <= n; i += 4) {
        uint16_t length = (uint16_t)(data[i + 1] << 8 | data[i + 2]);

        if (data[i + 3] == 0xff)
            tls_estimate_lose(&e);
        tls_estimate_record(&e, (data[i] & 1) != 0 ? DIR_S2C : DIR_C2S,
                            (data[i] & 2) != 0 ? 20 + (data[i] >> 2) % 5 : 23,
                            length, kinds[data[0] & 7].version,
                            kinds[data[0] & 7].cipher);
        records++;
        if (!tls_estimate_result(&e, &r))
            continue;
        REQUIRE(r.messages_min <= r.messages_max);
        REQUIRE(r.messages_max <= records && e.messages_min >= least);
        REQUIRE(!r.no_payload || r.messages_max == 0);
        REQUIRE(!r.has_rcpt || (r.rcpt_max > 0 && r.rcpt_max < records));
        least = e.messages_min;
    }
    return 0;
}
