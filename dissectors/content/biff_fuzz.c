/* biff_fuzz - the first byte chooses what the rest is: what is found in streams
 * of Word and Excel without an inspection around it */
#include "dissectors/content/biff.h"
#include "dissectors/content/crypt.h"
#include "dissectors/content/dde.h"
#include "dissectors/content/equation.h"
#include "dissectors/content/package.h"
#include "dissectors/content/field.h"
#include "dissectors/content/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
within(struct span part, struct span whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
run_package(struct span in)
{
    struct package p;
    struct ole1 o;

    if (package_read(in, &p))
        REQUIRE(within(p.data, in) && within(package_name(&p), in));
    if (ole1_read(in, &o))
        REQUIRE(within(o.data, in) && within(o.class_name, in));
}

static void
run(unsigned how, struct span in, struct findings *f)
{
    struct buf b;

    switch (how % 8) {
    case 0: biff_read(in, f); break;
    case 1: biff12_read(in, f); break;
    case 2: word_read(in, f); break;
    case 3: dde_judge(in, SPAN_LIT(",;\t\r\n"), f); break;
    case 4: run_package(in); break;
    case 5: (void)equation_is_exploit(in); break;
    case 6:
        (void)crypt_xls_is_default(in, true);
        (void)crypt_xls_is_default(in, false);
        break;
    default:
        buf_init(&b, in.n * 4);
        (void)field_unquote(in, &b);
        field_judge(in, f);
        buf_free(&b);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct findings f;
    uint8_t *copy;

    if (n == 0)
        return 0;
    copy = malloc(n);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, n - 1);
    findings_init(&f);
    run(data[0], span_of(copy, n - 1), &f);
    findings_free(&f);
    free(copy);
    return 0;
}
