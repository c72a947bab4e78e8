/* vba_fuzz - the input is a container, then a dir stream, a source and a table
 * of names */
#include "dissectors/content/vba.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define OUT_MAX 65536

static bool
within(struct span part, struct span whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
run_modules(struct span in)
{
    struct vba_modules *m = malloc(sizeof(*m));

    if (m == NULL)
        return;
    vba_modules_read(in, m);
    REQUIRE(m->n <= VBA_MODULES_MAX);
    for (size_t k = 0; k < m->n; k++)
        REQUIRE(within(m->m[k].stream, in) && within(m->m[k].wide, in));
    free(m);
}

static void
run_text(struct span in)
{
    struct vba_said said = {0};

    vba_read_source(in, &said);
    vba_read_names(in, &said);
    REQUIRE(within(said.autoexec, in) && within(said.suspicious, in));
    REQUIRE(vba_find_source(in) <= in.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct buf out;

    if (copy == NULL)
        return 0;
    if (n > 0)
        memcpy(copy, data, n);
    buf_init(&out, OUT_MAX);
    (void)vba_unpack(span_of(copy, n), &out);
    REQUIRE(out.n <= OUT_MAX);
    run_modules(buf_view(&out));
    run_text(buf_view(&out));
    run_modules(span_of(copy, n));
    run_text(span_of(copy, n));
    buf_free(&out);
    free(copy);
    return 0;
}
