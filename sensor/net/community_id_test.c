#include "sensor/net/community_id.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

/* The first is the specification's own example; the others were computed after
 * its text by a script that gives the first as well. */
/* clang-format off */
static const struct {
    const char *why, *a;
    uint16_t aport;
    const char *b;
    uint16_t bport;
    const char *want;
    uint8_t proto;
} cases[] = {
    {"tcp.pcap of the specification", "128.232.110.120", 34855, "66.35.250.204",
     80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", 6},
    {"IPv6", "2001:db8::1", 49152, "2001:db8::2",
     25, "1:Xihnw9X0wQgSX2U3DkJB4iviao0=", 6},
    {"IPv6, first address greater", "fe80::2", 25, "2001:db8::2",
     49153, "1:Voxr1ppraRiCOpfGARk4BTr1YZc=", 6},
    {"same address, ports decide", "127.0.0.1", 50000, "127.0.0.1",
     25, "1:xlBLSgnoE/LVBcG8vz5zAaNihGg=", 6},
    {"same address and port", "127.0.0.1", 25, "127.0.0.1",
     25, "1:EDg/ub6Vla2goQiQ7lgIxvc4CMk=", 6},
    {"bytes above 127", "203.0.113.200", 587, "8.8.8.8",
     51515, "1:6D0pXpswB83B4DmVstMifOpo1wY=", 6},
    {"udp.pcap of the specification", "192.168.1.52", 54585, "8.8.8.8",
     53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", 17},
};
/* clang-format on */

static struct addr
addr_of(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

static void
test_vectors(void **state)
{
    struct community_id_ctx *c;
    char out[COMMUNITY_ID_LEN];

    (void)state;
    assert_int_equal(community_id_new(&c), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addr a = addr_of(cases[i].a), b = addr_of(cases[i].b);
        struct community_id_end from = {&a, cases[i].aport};
        struct community_id_end to = {&b, cases[i].bport};

        community_id(c, cases[i].proto, from, to, out);
        if (memcmp(out, cases[i].want, sizeof(out)) != 0)
            fail_msg("%s: %.30s", cases[i].why, out);
        community_id(c, cases[i].proto, to, from, out);
        if (memcmp(out, cases[i].want, sizeof(out)) != 0)
            fail_msg("%s, other direction: %.30s", cases[i].why, out);
    }
    community_id_free(c);
    community_id_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
