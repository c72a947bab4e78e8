/* cases_fuzz - any text as cases beside a few rules
 *
 * Counts and messages agree: what has failed, or is a fault, was told. */
#include <stdlib.h>

#include "rules/packs/cases.h"

#define RULES                                                                  \
    "title: one\nname: one\nlogsource: {product: span25, service: smtp}\n"     \
    "detection: {s: {smtp.helo: a}, condition: s}\n---\n"                      \
    "title: two\nlogsource: {product: span25}\n"                               \
    "detection: {s: {smtp.helo: b}, k: [x], condition: s or k}\n---\n"         \
    "title: base\nname: base\nlogsource: {product: span25}\n"                  \
    "detection: {s: {smtp.helo: c}, condition: s}\n---\n"                      \
    "title: many\ncorrelation: {type: event_count, rules: [base], group-by: "  \
    "[src_ip], timespan: 10s, condition: {gte: 2}}\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct cases_row rows[8] = {
        {0, 0, 0}
    };
    uint32_t failed = 0;
    struct sigma_set *s;
    struct buf messages;
    enum err e;

    REQUIRE(copy != NULL);
    if (n > 0)
        memcpy(copy, data, n);
    buf_init(&messages, 1U << 20);
    REQUIRE(sigma_set_new(&s) == ERR_OK);
    REQUIRE(sigma_load(s, SPAN_LIT(RULES), SPAN_LIT("r"), &messages) == ERR_OK);
    REQUIRE(sigma_set_compile(s, &messages) == ERR_OK);
    e = cases_run(s, span_of(copy, n), SPAN_LIT("c"), rows, &messages);
    REQUIRE(e == ERR_OK || e == ERR_FORMAT);
    for (uint32_t i = 0; i < sigma_set_count(s); i++) {
        REQUIRE(rows[i].failed <= rows[i].fires + rows[i].quiet);
        failed += rows[i].failed;
    }
    REQUIRE((e != ERR_OK || failed > 0) == (messages.n > 0));
    sigma_set_free(s);
    buf_free(&messages);
    free(copy);
    return 0;
}
