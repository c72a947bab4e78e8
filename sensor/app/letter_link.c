#include "sensor/app/letter_link.h"

#include <stdio.h>

#include "rules/registry/form_file.h"

static enum err
keep(const struct config *c, struct draft *d, ns_t now,
     char secret[DRAFTS_SECRET])
{
    enum err e = ERR_IO;

    d->made = d->changed = now;
    if (drafts_secret(secret))
        e = drafts_save(c->state, secret, d);
    if (e != ERR_OK)
        secret[0] = 0;
    return e;
}

enum err
letter_link_form(const struct config *c, const char *reference,
                 const struct form *f, ns_t now, char secret[DRAFTS_SECRET])
{
    struct draft d;
    enum err e;

    secret[0] = 0;
    if (c->register_url == NULL || c->state == NULL || f->n_lines == 0)
        return ERR_OK;
    draft_init(&d);
    d.kind = DRAFT_LETTER;
    (void)snprintf(d.letter, sizeof(d.letter), "%s", reference);
    form_yaml_write(f, &d.text);
    e = keep(c, &d, now, secret);
    draft_fini(&d);
    return e;
}

enum err
letter_link_mail(const struct config *c, const struct form *f, ns_t now,
                 char secret[DRAFTS_SECRET])
{
    const char *mail = f->text[FORM_SITE_CONTACT_MAIL];
    struct draft d;
    enum err e;

    secret[0] = 0;
    if (c->register_url == NULL || c->state == NULL || mail == NULL)
        return ERR_OK;
    draft_init(&d);
    d.kind = DRAFT_MAIL;
    memcpy(d.form, f->number, sizeof(d.form));
    buf_str(&d.text, mail);
    e = keep(c, &d, now, secret);
    draft_fini(&d);
    return e;
}

void
letter_link_put(const struct letter_page *p, const struct config *c,
                const char *secret)
{
    struct buf link;

    buf_init(&link, 1024);
    buf_printf(&link, "%s/%s%s%c", c->register_url, secret[0] != 0 ? "#" : "",
               secret, 0);
    letter_text(p, (const char *)link.p);
    buf_free(&link);
}

void
letter_link_say(const struct letter_page *p, const struct config *c,
                const char *secret)
{
    if (c->register_url == NULL)
        return;
    letter_open(p, "p");
    letter_strong(p, "On the web:");
    buf_str(p->out, secret[0] != 0
                        ? " the form is filled in with what we saw at "
                        : " there is an empty form at ");
    letter_link_put(p, c, secret);
    buf_str(p->out, secret[0] != 0
                        ? " . Who has this link can fill it in for you; give "
                          "it to nobody else."
                        : " .");
    letter_close(p, "p");
}
