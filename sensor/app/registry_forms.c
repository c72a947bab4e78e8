#include "sensor/app/registry_forms.h"

#include <stdio.h>

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

/* A list says no year: its forms are "list-1" and so on, by their place. */
static void
number_undated(const struct book *b, struct form *f)
{
    size_t place = book_n_forms(b);

    if (f->number[0] != 0)
        return;
    do
        (void)snprintf(f->number, sizeof(f->number), "list-%zu", ++place);
    while (book_find(b, f->number) != NULL);
}

static enum err
permit_form(struct book *b, struct form *f, struct buf *why)
{
    struct action a = {.kind = ACTION_SUBMIT,
                       .when = BOOK_ALWAYS,
                       .actor = "span25",
                       .number = f->number,
                       .form = f};
    enum err e;

    number_undated(b, f);
    (void)form_check(f, BOOK_ALWAYS, NULL, NULL);
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
