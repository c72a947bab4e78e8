#include "sensor/app/letter.h"

#include <errno.h>
#include <sys/stat.h>

#include "sensor/app/registry_time.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

/* ---- pieces ---- */

void
letter_begin(const struct letter_page *p, const char *title)
{
    if (p->html)
        buf_printf(p->out,
                   "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\""
                   "default-src 'none'; style-src 'unsafe-inline'\">"
                   "<title>%s</title>\n<style>"
                   "body{font:11pt serif;max-width:44em;margin:3em auto}"
                   "h1{font-size:1.1em}table{border-collapse:collapse}"
                   "td,th{border:1px solid;padding:.2em .5em;text-align:left}"
                   "</style>\n",
                   title);
}

void
letter_text(const struct letter_page *p, const char *text)
{
    if (p->html)
        text_html(p->out, span_str(text));
    else
        text_term(p->out, span_str(text));
}

void
letter_open(const struct letter_page *p, const char *tag)
{
    if (p->html)
        buf_printf(p->out, "<%s>", tag);
}

void
letter_close(const struct letter_page *p, const char *tag)
{
    if (p->html)
        buf_printf(p->out, "</%s>\n", tag);
    else
        buf_str(p->out, "\n\n");
}

void
letter_strong(const struct letter_page *p, const char *text)
{
    buf_str(p->out, p->html ? "<strong>" : "");
    letter_text(p, text);
    buf_str(p->out, p->html ? "</strong>" : "");
}

void
letter_day(const struct letter_page *p, ns_t when)
{
    struct buf day;

    buf_init(&day, 64);
    registry_time_utc(when, &day);
    buf_span(p->out, span_head(buf_view(&day), 10));
    buf_free(&day);
}

const char *
letter_or(const char *text, const char *otherwise)
{
    return text != NULL && text[0] != 0 ? text : otherwise;
}

/* ---- parts of all letters ---- */

bool
letter_has_contact(const struct form *f)
{
    static const enum form_field fields[] = {
#define X(head, key, field) FORM_##field,
#include "sensor/app/registry_contacts.def"
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (f->text[fields[i]] != NULL)
            return true;
    }
    return false;
}

void
letter_recipient(const struct letter_page *p, const struct book_form *form,
                 const char *site, const char *contact, const char *otherwise)
{
    static const enum form_field fields[] = {FORM_SITE, FORM_SITE_CONTACT_NAME,
                                             FORM_SITE_CONTACT_POSITION,
                                             FORM_SITE_CONTACT_MAIL};

    letter_open(p, "p");
    if (form == NULL) {
        buf_str(p->out, "To: ");
        letter_text(p, letter_or(site, otherwise));
    }
    if (form == NULL && contact != NULL) {
        buf_str(p->out, p->html ? "<br>" : "\n");
        letter_text(p, contact);
    }
    for (size_t i = 0; form != NULL && i < ARRAY_LEN(fields); i++) {
        const char *text = form->form.text[fields[i]];

        if (text == NULL)
            continue;
        letter_text(p, text);
        buf_str(p->out, p->html ? "<br>" : "\n");
    }
    letter_close(p, "p");
}

void
letter_register_begin(const struct letter_page *p, const char *deadline,
                      const char *reference, ns_t from, ns_t to)
{
    letter_open(p, "h1");
    buf_str(p->out, p->html ? "" : "Subject: ");
    buf_str(p->out, "Please register your mail servers by ");
    letter_text(p, deadline);
    buf_printf(p->out, ", reference %s", reference);
    letter_close(p, "h1");
    letter_open(p, "p");
    buf_str(p->out, "From ");
    letter_text(p, deadline);
    buf_str(p->out, " our network will let only registered servers send to or "
                    "receive from outside on port 25. ");
    letter_strong(p, "This is not a report of abuse.");
    buf_str(p->out, " Between ");
    letter_day(p, from);
    buf_str(p->out, " and ");
    letter_day(p, to);
    buf_str(p->out, " we saw these addresses of yours using mail ports:");
    letter_close(p, "p");
}

void
letter_register_end(const struct letter_page *p, const char *deadline)
{
    letter_open(p, "p");
    letter_strong(p, "What you need to do:");
    buf_str(p->out,
            " if it is a mail server: register it; the enclosed form is filled "
            "in but for contacts and signature. If it is not: you need do "
            "nothing now; after ");
    letter_text(p, deadline);
    buf_str(p->out,
            " it can no longer use port 25. Mail programs that use port 587 or "
            "465 are not affected; a program or device set to send on port 25 "
            "to an outside server must be changed to one of those.");
    letter_close(p, "p");
    letter_open(p, "p");
    letter_strong(p, "What happens next:");
    buf_str(p->out, " permits are entered within 48 hours of a complete form. "
                    "A form received before ");
    letter_text(p, deadline);
    buf_str(p->out, " protects the address while we process it.");
    letter_close(p, "p");
}

void
letter_help(const struct letter_page *p, const struct config *c,
            const char *reference)
{
    letter_open(p, "p");
    letter_strong(p, "If something is blocked by mistake:");
    buf_putc(p->out, ' ');
    letter_text(p, letter_or(c->support, "____________________"));
    buf_printf(p->out, "; quote %s.", reference);
    letter_close(p, "p");
    letter_open(p, "p");
    letter_strong(p, "How we know:");
    buf_putc(p->out, ' ');
    letter_text(p,
                letter_or(c->recorded,
                          "connections to mail ports are watched at the border "
                          "of the network; ask us what is kept, and for how "
                          "long."));
    letter_close(p, "p");
    letter_open(p, "p");
    letter_text(p, letter_or(c->signer, "____________________"));
    letter_close(p, "p");
}

const struct book_form *
letter_form_of(const struct book *b, const char *site)
{
    static const enum form_field fields[] = {FORM_SITE_CODE, FORM_SITE};

    for (size_t i = 0; site != NULL && i < book_n_forms(b); i++) {
        const struct book_form *f = book_form_at(b, i);

        for (size_t k = 0; k < ARRAY_LEN(fields); k++) {
            if (f->form.text[fields[k]] != NULL &&
                strcmp(f->form.text[fields[k]], site) == 0)
                return f;
        }
    }
    return NULL;
}

/* ---- files ---- */

static enum cli_exit
failed(const char *what, const char *path, const char *why,
       struct buf *messages)
{
    buf_printf(messages, "span25: cannot %s ", what);
    text_term(messages, span_str(path));
    buf_printf(messages, ": %s\n", why);
    return CLI_EXIT_FAILED;
}

enum cli_exit
letter_folder(const char *dir, struct buf *messages)
{
    int number;

    if (mkdir(dir, 0700) == 0)
        return CLI_EXIT_DONE;
    number = errno;
    return failed("make the folder", dir, strerror(number), messages);
}

void
letter_path(const char *dir, size_t number, const char *site,
            const char *ending, struct buf *path)
{
    buf_printf(path, "%s/%03zu-", dir, number);
    for (size_t i = 0; site != NULL && site[i] != 0 && i < LETTER_SITE; i++) {
        char c = site[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9');

        buf_putc(path, plain ? (uint8_t)c : '_');
    }
    buf_printf(path, "%s%s%c", site != NULL ? "" : "find-owner", ending, 0);
}

enum cli_exit
letter_save(const struct buf *path, const struct buf *text,
            struct buf *messages)
{
    const bool whole = !path->cut && !path->failed && path->n > 0;
    int number;

    if (!whole || text->failed)
        return failed("write", whole ? (const char *)path->p : "a letter",
                      err_text(ERR_NOMEM), messages);
    if (text->cut)
        return failed("write", (const char *)path->p, err_text(ERR_LIMIT),
                      messages);
    number = whole_file_new((const char *)path->p, buf_view(text));
    return number == 0 ? CLI_EXIT_DONE
                       : failed("write", (const char *)path->p,
                                strerror(number), messages);
}
