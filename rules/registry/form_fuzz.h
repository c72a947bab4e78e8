#ifndef SPAN25_RULES_REGISTRY_FORM_FUZZ_H
#define SPAN25_RULES_REGISTRY_FORM_FUZZ_H
/* form_fuzz - any file is refused with a message or read, and what was read
 * comes back equal from what is written of it, in CSV and in YAML */
#include "rules/registry/form_file.h"

typedef enum err form_fuzz_reader(struct span text, const char *name,
                                  struct forms *out, struct buf *messages);

static inline void
form_fuzz_equal(const struct forms *a, const struct forms *b)
{
    REQUIRE(a->n == b->n);
    for (size_t i = 0; i < a->n; i++)
        REQUIRE(form_equal(&a->v[i], &b->v[i]));
}

static inline void
form_fuzz_write(const struct forms *f)
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
    form_fuzz_equal(f, &again);
    forms_fini(&again);
    REQUIRE(form_yaml_read(buf_view(&yaml), "f", &again, &messages) == ERR_OK);
    form_fuzz_equal(f, &again);
    forms_fini(&again);
    buf_free(&csv);
    buf_free(&yaml);
    buf_free(&messages);
}

static inline int
form_fuzz(form_fuzz_reader *read, const uint8_t *data, size_t n)
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
    e = read(span_of(in, n), "f", &forms, &messages);
    REQUIRE(e == ERR_OK || (messages.n > 0 && forms.n == 0));
    if (e == ERR_OK)
        form_fuzz_write(&forms);
    forms_fini(&forms);
    buf_free(&messages);
    free(in);
    return 0;
}

#endif
