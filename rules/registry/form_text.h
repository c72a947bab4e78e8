#ifndef SPAN25_RULES_REGISTRY_FORM_TEXT_H
#define SPAN25_RULES_REGISTRY_FORM_TEXT_H
/* form_text - a form for people: plain text, or a page to print
 *
 * All fields of fields.def in the groups of the form of 2004 and in their
 * order, each with its label, its help and what stands in it, or room to write;
 * then the part of the office. Fields that must be there are marked with a
 * star. Texts are made safe: for a terminal in plain text, for HTML in the page
 * (which has no script, loads nothing and says so in its policy). */
#include "rules/registry/form.h"

/* What the office fills in: X(id, label) */
#define FORM_TEXT_OFFICE(X)                                                    \
    X(RECEIVED, "Received")                                                    \
    X(CHECKED_BY, "Checked by")                                                \
    X(PERMIT, "Permit number")                                                 \
    X(FIREWALL, "Firewall reference")                                          \
    X(EXPIRES, "Expires")

enum form_text_office {
#define FORM_TEXT_ENUM(id, label) FORM_TEXT_##id,
    FORM_TEXT_OFFICE(FORM_TEXT_ENUM)
#undef FORM_TEXT_ENUM
        FORM_TEXT_OFFICE_COUNT
};

struct form_text {
    const struct form *form; /* NULL: blank */
    size_t blank_lines;      /* to write in, besides those of the form */
    bool without_personal;   /* contacts and signer are left out */
    const char *office[FORM_TEXT_OFFICE_COUNT]; /* or NULL */
};

void form_text_plain(const struct form_text *t, struct buf *out);
void form_text_html(const struct form_text *t, struct buf *out);

#endif
