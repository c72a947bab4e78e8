#include "sensor/app/registry.h"

#include "sensor/app/letter.h"
#include "sensor/app/registry_table.h"

/* clang-format off */
static const struct registry_column columns[] = {
    {"FORM", "form"},
    {"SITE", "site"},
#define X(head, key, field) {head, key},
#include "sensor/app/registry_contacts.def"
#undef X
    {"", "addresses"},
    {"", "permitted"},
    {"", "lines"},
    {"", "received"},
    {"", "last_mail"},
    {"TO DO", "action"},
};
/* clang-format on */

static const enum form_field fields[] = {
#define X(head, key, field) FORM_##field,
#include "sensor/app/registry_contacts.def"
#undef X
};

static void
add_addresses(struct registry_table *t, const struct form *f)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < f->n_lines; i++) {
        const char *address = f->lines[i].text[FORM_ADDRESS];

        if (address == NULL)
            continue;
        if (text.n > 0)
            buf_putc(&text, ' ');
        buf_str(&text, address);
    }
    registry_table_span(t, buf_view(&text));
    buf_free(&text);
}

static void
add_row(struct registry_call *c, struct registry_table *t,
        const struct book_form *form)
{
    const struct form *f = &form->form;
    size_t permitted = 0;
    ns_t received = 0;
    ns_t seen = 0;

    for (size_t i = 0; i < f->n_lines; i++) {
        const struct book_dates *d = &form->lines[i]->dates;

        permitted += book_state_at(form->lines[i], c->now) == BOOK_PERMITTED;
        received = d->received > received ? d->received : received;
        seen = d->seen > seen ? d->seen : seen;
    }
    registry_table_text(t, f->number);
    registry_table_text(t, f->text[FORM_SITE]);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        registry_table_text(t, f->text[fields[i]]);
    add_addresses(t, f);
    registry_table_number(t, permitted);
    registry_table_number(t, f->n_lines);
    registry_table_time(t, received);
    registry_table_time(t, seen);
    registry_table_text(t, letter_has_contact(f) ? NULL : "find owner");
}

enum cli_exit
registry_contacts(struct registry_call *c)
{
    struct registry_table t;
    bool good;

    registry_table_init(&t, columns, ARRAY_LEN(columns));
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < book_n_forms(c->book); i++) {
            const struct book_form *form = book_form_at(c->book, i);

            if (letter_has_contact(&form->form) == (round == 0))
                add_row(c, &t, form);
        }
    }
    good = registry_table_write(&t, c->config, "span25.registry.contacts",
                                "no forms", c->out);
    registry_table_fini(&t);
    return good ? CLI_EXIT_DONE
                : registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
}
