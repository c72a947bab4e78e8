/* ooxml_fuzz - the input is XML: its pieces, then as a file of Office; or, when
 * it begins as one, a zip */
#include "dissectors/content/fuzz_content.h"
#include "dissectors/content/xml.h"

#define MARK "<?mso-application progid='x'?>"

static bool
within(struct span part, struct span whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
run_attributes(struct span attrs)
{
    struct span name;
    struct span value;
    struct buf b;
    struct span left = attrs;

    while (xml_attribute(&left, &name, &value)) {
        REQUIRE(within(name, attrs) && within(value, attrs));
        buf_init(&b, value.n + 8);
        xml_decode(&b, value);
        REQUIRE(b.n <= value.n);
        buf_free(&b);
    }
}

static void
run_xml(struct span in)
{
    struct xml x;
    struct xml_item it;

    xml_open(in, &x);
    REQUIRE(!x.converted.cut);
    while (xml_next(&x, &it)) {
        REQUIRE(within(it.name, x.in) && within(it.text, x.in));
        run_attributes(it.attrs);
    }
    xml_close(&x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t head =
        n > 1 && data[0] != 'P' && data[1] != 0 ? sizeof(MARK) - 1 : 0;
    uint8_t *copy = malloc(head + n + 1);

    if (copy == NULL)
        return 0;
    memcpy(copy, MARK, head);
    if (n > 0)
        memcpy(copy + head, data, n);
    run_xml(span_of(copy, head + n));
    (void)fuzz_content(copy, head + n, "x.docx");
    free(copy);
    return 0;
}
