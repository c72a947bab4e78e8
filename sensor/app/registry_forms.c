#include "sensor/app/registry_forms.h"

#define ALWAYS 1 /* the first time there is; 0 says none */

void
registry_forms_number(const struct book *b, ns_t when, struct form *f)
{
    if (f->number[0] == 0)
        book_next_number(b, when, f->number);
}

static bool
has_readable(const struct form *f)
{
    for (size_t i = 0; i < f->n_lines; i++) {
        if (f->lines[i].readable)
            return true;
    }
    return false;
}

static enum err
permit_form(struct book *b, struct form *f, struct buf *why)
{
    struct action a = {.kind = ACTION_SUBMIT,
                       .when = ALWAYS,
                       .actor = "span25",
                       .number = f->number,
                       .form = f};
    enum err e;

    registry_forms_number(b, ALWAYS, f);
    (void)form_check(f, ALWAYS, NULL, NULL);
    e = book_apply(b, &a, NULL, NULL, why);
    if (e != ERR_OK || !has_readable(f))
        return e;
    a.kind = ACTION_PERMIT;
    a.form = NULL;
    return book_apply(b, &a, NULL, NULL, why);
}

enum err
registry_forms_book(struct span text, const char *name, struct book **out,
                    struct buf *messages)
{
    struct book *b = NULL;
    struct forms forms;
    enum err e = form_file_read(text, name, &forms, messages);

    if (e == ERR_OK)
        e = book_new(&b);
    for (size_t i = 0; e == ERR_OK && i < forms.n; i++)
        e = permit_form(b, &forms.v[i], messages);
    if (e == ERR_OK)
        e = book_index(b);
    forms_fini(&forms);
    if (e != ERR_OK) {
        book_free(b);
        return e;
    }
    *out = b;
    return ERR_OK;
}
