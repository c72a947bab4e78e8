/* dns_fuzz - first byte: bit 0 cut by the capture, bit 1 nothing is at home
 *
 * What is told was wanted, holds to its limits, is printable and makes a sound
 * record. */
#include <stdlib.h>

#include "dissectors/dns_tell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
is_home(void *ctx, const struct addr *a)
{
    (void)ctx;
    return (a->b[15] & 1) != 0;
}

static void
require_text(const struct dns_text *t)
{
    REQUIRE(t->n > 0 && t->n <= DNS_TEXT_MAX);
    for (size_t i = 0; i < t->n; i++) {
        REQUIRE(t->b[i] > ' ' && t->b[i] < 0x7f);
        REQUIRE(t->b[i] < 'A' || t->b[i] > 'Z');
    }
}

static void
put(void *ctx, struct span record)
{
    (void)ctx;
    REQUIRE(record_check(record));
}

static void
run(struct span in, bool whole, const struct dns_home *home)
{
    static struct dns_answer a;
    struct dns_tell_options o = {
        .sink = {put, NULL},
          .home = *home
    };
    struct dns_tell *t;
    struct flow f = {.client_port = 1};
    bool told = dns_read(in, whole, home, &a);

    REQUIRE(dns_wants(in, home) || !told);
    if (!told)
        return;
    REQUIRE(a.n_answers <= DNS_ANSWERS_MAX && (whole || a.cut));
    require_text(&a.name);
    for (unsigned i = 0; i < a.n_answers; i++)
        require_text(&a.answers[i]);
    if (dns_tell_new(&o, &t) != ERR_OK)
        return;
    dns_tell_ops.data(t, &f, in, whole, 1);
    REQUIRE(dns_tell_stats_of(t)->told == 1);
    dns_tell_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct dns_home home = {is_home, NULL};
    const struct dns_home none = {NULL, NULL};
    uint8_t *copy;

    if (n < 2)
        return 0;
    copy = malloc(n - 1);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, n - 1);
    run(span_of(copy, n - 1), (data[0] & 1) == 0,
        (data[0] & 2) != 0 ? &none : &home);
    free(copy);
    return 0;
}
