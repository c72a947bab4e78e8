#ifndef SPAN25_RULES_REGISTRY_FORM_READ_KIT_H
#define SPAN25_RULES_REGISTRY_FORM_READ_KIT_H
/* form_read_kit - for tests: what a reader of forms makes of a text
 *
 * Behind cmocka.h. The text is in a heap block of exactly its size; what always
 * holds of a reader's answer is asserted. */
#include "rules/registry/form_file.h"

#include <stdlib.h>

struct form_read_result {
    struct forms forms;
    struct buf messages;
    enum err e;
};

typedef enum err form_reader(struct span text, const char *name,
                             struct forms *out, struct buf *messages);

static inline struct form_read_result
form_read_text(form_reader *read, const char *name, struct span text)
{
    struct form_read_result r = {.e = ERR_OK};
    uint8_t *room = malloc(text.n + (text.n == 0));

    assert_non_null(room);
    if (text.n > 0)
        memcpy(room, text.p, text.n);
    buf_init(&r.messages, 1 << 20);
    r.e = read(span_of(room, text.n), name, &r.forms, &r.messages);
    free(room);
    assert_true(r.e == ERR_OK || r.e == ERR_FORMAT);
    if (r.e == ERR_FORMAT) {
        assert_true(r.messages.n > 0);
        assert_int_equal(r.forms.n, 0);
    }
    return r;
}

static inline void
form_read_done(struct form_read_result *r)
{
    forms_fini(&r->forms);
    buf_free(&r->messages);
}

#endif
