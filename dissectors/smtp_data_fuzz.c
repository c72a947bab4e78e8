/* smtp_data_fuzz - one message framed by each scanner, whole and cut
 *
 * First byte: where it is cut. The content, the variants, the places of odd
 * bytes and the end must not depend on cut or scanner. */
#include "dissectors/smtp_data.h"
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct got {
    struct buf *out;
    const struct span *in;
    size_t end; /* of the part, in the input */
    size_t odd_at[SMTP_DATA_ODDS];
};

static void
on_content(void *ctx, struct span s)
{
    struct got *g = ctx;

    buf_span(g->out, s);
}

static void
on_odd(void *ctx, enum smtp_data_odd what, ptrdiff_t at)
{
    struct got *g = ctx;

    REQUIRE(g->odd_at[what] == SIZE_MAX);
    g->odd_at[what] = g->end - g->in->n + (size_t)at;
}

/* 0xff does not matter: places are compared as well. */
static void
on_variant(void *ctx, enum smtp_eod e)
{
    struct got *g = ctx;

    buf_putc(g->out, 0xff);
    buf_putc(g->out, (uint8_t)e);
}

static void
run(smtp_scan_fn scan, struct span in, size_t cut, bool lost, struct buf *out)
{
    static const struct smtp_data_ops ops = {on_content, on_variant, on_odd};
    struct got got = {
        .out = out, .odd_at = {SIZE_MAX, SIZE_MAX, SIZE_MAX}
    };
    struct smtp_data d;
    size_t at = 0;
    bool ended = false;

    smtp_data_init(&d);
    if (lost)
        smtp_data_lost(&d);
    while (!ended && at < in.n) {
        size_t n = cut > 0 && cut < in.n - at ? cut : in.n - at;
        uint8_t *copy = malloc(n);
        struct span part = span_of(copy, n);

        REQUIRE(copy != NULL);
        memcpy(copy, in.p + at, n);
        got.in = &part;
        got.end = at + n;
        ended = smtp_data_push(&d, scan, &part, &ops, &got);
        REQUIRE(ended || part.n == 0);
        at += n - part.n;
        free(copy);
    }
    buf_printf(out, "%zu %d %d%d%d%d", at, ended, d.facts.bare_lf,
               d.facts.bare_cr, d.facts.nul, d.facts.high);
    for (size_t i = 0; i < SMTP_DATA_ODDS; i++)
        buf_printf(out, " %zu", got.odd_at[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct smtp_scan_variant v[SMTP_SCAN_VARIANTS];
    struct span in = n > 0 ? span_of(data + 1, n - 1) : SPAN_NONE;
    size_t cut = n > 0 ? data[0] >> 1 : 0;
    bool lost = n > 0 && data[0] & 1;
    struct buf want;

    smtp_scan_list(v);
    buf_init(&want, 1U << 24);
    run(smtp_scan_portable, in, 0, lost, &want);
    for (size_t i = 0; i < SMTP_SCAN_VARIANTS && v[i].name != NULL; i++) {
        for (unsigned k = 0; v[i].fn != NULL && k < 3; k++) {
            struct buf got;

            buf_init(&got, 1U << 24);
            run(v[i].fn, in, k == 0 ? 0 : k == 1 ? 1 : cut, lost, &got);
            REQUIRE(span_eq(buf_view(&want), buf_view(&got)));
            buf_free(&got);
        }
    }
    buf_free(&want);
    return 0;
}
