#ifndef SPAN25_RULES_REGISTRY_BOOK_MAKE_H
#define SPAN25_RULES_REGISTRY_BOOK_MAKE_H
/* book_make - books for tests: forms in a few words, actions in a line */
#include <stdio.h>

#include "rules/registry/book.h"
#include "sensor/base/buf.h"

#define MAKE_H CLOCK_HOURS

static inline void
make_text(char **text, const char *value)
{
    REQUIRE(form_set(text, span_str(value)) == ERR_OK);
}

static inline struct form_line *
make_line(struct form *f, uint32_t number, const char *address,
          const char *port, const char *use)
{
    struct form_line *l = form_add_line(f);

    REQUIRE(l != NULL);
    l->number = number;
    make_text(&l->text[FORM_ADDRESS], address);
    make_text(&l->text[FORM_PORT], port);
    make_text(&l->text[FORM_USE], use);
    make_text(&l->text[FORM_DEVICE], "mail server");
    return l;
}

/* Complete, but for lines. */
static inline void
make_form(struct form *f, const char *number)
{
    static const struct {
        enum form_field field;
        const char *text;
    } texts[] = {
        {FORM_SITE,               "Lakeside"            },
        {FORM_SITE_CONTACT_NAME,  "Ada Miller"          },
        {FORM_SITE_CONTACT_PHONE, "+1 573 555 0100"     },
        {FORM_SITE_CONTACT_MAIL,  "ada@lakeside.example"},
        {FORM_TECH_CONTACT_NAME,  "Ben Ode"             },
        {FORM_TECH_CONTACT_PHONE, "+1 573 555 0101"     },
        {FORM_TECH_CONTACT_MAIL,  "net@lakeside.example"},
        {FORM_SIGNER,             "Ada Miller"          },
        {FORM_SIGNED_ON,          "1970-01-01"          },
    };

    form_init(f);
    (void)snprintf(f->number, sizeof(f->number), "%s", number);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        make_text(&f->text[texts[i].field], texts[i].text);
}

#endif
