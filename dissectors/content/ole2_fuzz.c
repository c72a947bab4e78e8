/* ole2_fuzz - the input is a compound file: read whole, then inspected */
#include "dissectors/content/fuzz_content.h"
#include "dissectors/content/ole2.h"

static void
check_entry(const struct ole2 *o, uint32_t k)
{
    const struct ole2_entry *e = &o->entry[k];

    REQUIRE(k == 0 || e->kind == OLE2_EMPTY || e->parent < o->n_entries ||
            e->listed);
    REQUIRE(e->child == OLE2_NONE || e->child < o->n_entries);
    REQUIRE(e->next == OLE2_NONE || e->next < o->n_entries);
    REQUIRE(e->name.n == 0 ||
            (e->name.p >= o->names.p &&
             e->name.p + e->name.n <= o->names.p + o->names.n));
}

static void
read_all(struct span bytes)
{
    struct ole2 o;
    struct buf b;
    uint64_t total = 0;
    bool ok = ole2_open(bytes, &o);

    buf_init(&b, bytes.n);
    for (uint32_t k = 0; ok && k < o.n_entries; k++) {
        check_entry(&o, k);
        (void)ole2_read(&o, &o.entry[k], &b);
        total += b.n;
    }
    REQUIRE(total <= (uint64_t)OLE2_READ_TIMES * bytes.n);
    buf_free(&b);
    ole2_close(&o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL)
        return 0;
    if (n > 0)
        memcpy(copy, data, n);
    read_all(span_of(copy, n));
    free(copy);
    (void)fuzz_content(data, n, "x.doc");
    return 0;
}
