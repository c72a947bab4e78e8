/* form_csv_fuzz - any file is refused with a message or read, and what was read
 * comes back equal from what is written of it, in CSV and in YAML */
#include "rules/registry/form_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_equal(const struct forms *a, const struct forms *b)
{
    REQUIRE(a->n == b->n);
    for (size_t i = 0; i < a->n; i++)
        REQUIRE(form_equal(&a->v[i], &b->v[i]));
}

static void
write_and_read(const struct forms *f)
{
    struct buf csv, yaml, messages;
    struct forms again;

    buf_init(&csv, 1U << 26);
    buf_init(&yaml, 1U << 26);
    buf_init(&messages, 1U << 20);
    form_csv_head(&csv);
    for (size_t i = 0; i < f->n; i++) {
        form_csv_write(&f->v[i], &csv);
        form_yaml_write(&f->v[i], &yaml);
    }
    REQUIRE(form_csv_read(buf_view(&csv), "f", &again, &messages) == ERR_OK);
    check_equal(f, &again);
    forms_fini(&again);
    REQUIRE(form_yaml_read(buf_view(&yaml), "f", &again, &messages) == ERR_OK);
    check_equal(f, &again);
    forms_fini(&again);
    buf_free(&csv);
    buf_free(&yaml);
    buf_free(&messages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *in = malloc(n + (n == 0));
    struct forms forms;
    struct buf messages;
    enum err e;

    if (in == NULL)
        return 0;
    if (n > 0)
        memcpy(in, data, n);
    buf_init(&messages, 1U << 20);
    e = form_csv_read(span_of(in, n), "f", &forms, &messages);
    REQUIRE(e == ERR_OK || (messages.n > 0 && forms.n == 0));
    if (e == ERR_OK)
        write_and_read(&forms);
    forms_fini(&forms);
    buf_free(&messages);
    free(in);
    return 0;
}
