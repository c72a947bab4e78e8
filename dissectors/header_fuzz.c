/* header_fuzz - the first byte says how lines are cut, the rest is a message */
#include "dissectors/address.h"
#include "dissectors/header.h"
#include "dissectors/rfc2047.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
within(struct span part, struct span whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
run_addresses(struct span in)
{
    struct address_list l = address_open(in);
    struct mailbox m;
    size_t at = 0;

    while (address_next(&l, &m)) {
        REQUIRE(l.at > at && l.at <= in.n && m.text.n > 0);
        REQUIRE(within(m.text, in) && within(m.name, in) && within(m.addr, in));
        at = l.at;
    }
}

static void
run_words(struct charset *cs, struct span in)
{
    struct buf out;

    buf_init(&out, in.n * 3);
    (void)rfc2047_decode(cs, in, &out);
    REQUIRE(!out.cut && !out.failed);
    buf_free(&out);
}

static void
run_section(struct charset *cs, struct span in, size_t limit, bool gaps)
{
    struct record_head head = {.type = EVENT_SMTP};
    struct record_out r;
    struct header h;
    uint64_t bytes = 0;

    header_init(&h, cs);
    while (in.n > 0) {
        struct span line = span_head(in, span_find(in, '\n'));
        size_t wire = line.n < in.n ? line.n + 1 : line.n;

        if (gaps && (line.n & 15) == 7)
            header_gap(&h);
        if (header_line(&h, span_head(line, limit), wire, line.n > limit) !=
            HEADER_MORE)
            break;
        bytes += wire;
        in = span_tail(in, wire);
    }
    header_end(&h);
    REQUIRE(h.ended && h.value.p == NULL && h.bytes == bytes);
    REQUIRE(h.entries.n <= HEADER_MAX_total && !h.entries.cut);
    record_init(&r);
    record_begin(&r, &head);
    header_emit(&h, &r);
    REQUIRE(record_check(record_view(&r)) && r.left_out == 0);
    record_free(&r);
    header_free(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct charset cs;
    uint8_t *copy;
    uint8_t how;
    struct span in;

    if (n == 0)
        return 0;
    copy = malloc(n - 1);
    if (copy == NULL && n > 1)
        return 0;
    how = data[0];
    if (n > 1)
        memcpy(copy, data + 1, n - 1);
    in = span_of(copy, n - 1);
    charset_init(&cs);
    run_section(&cs, in, how & 1 ? 2048 : how, (how & 2) != 0);
    run_addresses(in);
    run_words(&cs, in);
    charset_fini(&cs);
    free(copy);
    return 0;
}
