#include "sensor/app/registry.h"

#include "sensor/app/registry_lines.h"
#include "sensor/app/registry_table.h"

static const struct registry_column columns[] = {
    {"FORM",      "form"           },
    {"LINE",      "line"           },
    {"STATE",     "state"          },
    {"ADDRESS",   "address"        },
    {"PORT",      "port"           },
    {"DIRECTION", "direction"      },
    {"SITE",      "site"           },
    {"DEVICE",    "device"         },
    {"",          "domain"         },
    {"",          "received"       },
    {"",          "permitted"      },
    {"",          "entered"        },
    {"",          "first_mail"     },
    {"UNTIL",     "until"          },
    {"",          "protected_until"},
    {"NOTE",      "note"           },
};

static void
add_row(struct registry_call *c, struct registry_table *t,
        const struct book_line *l)
{
    const struct form *form = &l->form->form;
    struct buf note;

    buf_init(&note, 4096);
    registry_lines_note(l, c->config, c->now, &note);
    registry_table_text(t, form->number);
    registry_table_number(t, l->line->number);
    registry_table_text(t, book_word(book_state_at(l, c->now)));
    registry_table_text(t, l->line->text[FORM_ADDRESS]);
    registry_table_text(t, l->line->text[FORM_PORT]);
    registry_table_text(t, registry_lines_use(l->line));
    registry_table_text(t, form->text[FORM_SITE]);
    registry_table_text(t, l->line->text[FORM_DEVICE]);
    registry_table_text(t, l->line->text[FORM_DOMAIN]);
    registry_table_time(t, l->dates.received);
    registry_table_time(t, l->dates.approved);
    registry_table_time(t, l->dates.entered);
    registry_table_time(t, l->dates.seen);
    registry_table_time(t, l->dates.until);
    registry_table_time(t, l->dates.protected_until);
    registry_table_span(t, buf_view(&note));
    buf_free(&note);
}

enum cli_exit
registry_list(struct registry_call *c)
{
    unsigned wanted = c->config->state_of; /* 0: all; then as BOOK_STATES */
    struct registry_table t;
    bool good;

    registry_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t f = 0; f < book_n_forms(c->book); f++) {
        const struct book_form *form = book_form_at(c->book, f);

        for (size_t i = 0; i < form->form.n_lines; i++) {
            enum book_state s = book_state_at(form->lines[i], c->now);

            if (s != BOOK_NONE && (wanted == 0 || wanted == (unsigned)s))
                add_row(c, &t, form->lines[i]);
        }
    }
    good = registry_table_write(&t, c->config, "span25.registry.list",
                                "no lines", c->out);
    registry_table_fini(&t);
    return good ? CLI_EXIT_DONE
                : registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
}
