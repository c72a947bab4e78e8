#include "sensor/app/letter_link.h"
#include "sensor/app/registry.h"
#include "sensor/app/registry_time.h"

static void
put_when(const struct letter_page *p, const char *word, ns_t when, bool utc)
{
    if (when == 0)
        return;
    buf_printf(p->out, ", %s ", word);
    registry_time_show(when, utc, p->out);
}

static void
put_line(const struct letter_page *p, const struct registry_call *c,
         const struct book_line *l)
{
    const enum book_state s = book_state_at(l, c->now);
    const struct clock clock = book_clock_at(l, c->now);
    const bool utc = c->config->utc;

    buf_str(p->out, "  ");
    letter_text(p, letter_or(l->line->text[FORM_ADDRESS], "-"));
    buf_str(p->out, ", port ");
    letter_text(p, letter_or(l->line->text[FORM_PORT], "-"));
    buf_printf(p->out, ": %s", book_word(s));
    put_when(p, "received", l->dates.received, utc);
    put_when(p, "due", clock_due(&clock), utc);
    put_when(p, "approved", l->dates.approved, utc);
    put_when(p, "in the firewall since", l->dates.entered, utc);
    put_when(p, "first mail seen", l->dates.seen, utc);
    put_when(p, "until", l->dates.until, utc);
    if (l->reason != NULL) {
        buf_str(p->out, "\n    ");
        letter_text(p, l->reason);
    }
    buf_putc(p->out, '\n');
}

static void
put_confirm(const struct letter_page *p, const struct registry_call *c,
            const struct book_form *f, const char *secret)
{
    struct buf day;

    if (book_mail(f) != 0 || secret[0] == 0)
        return;
    buf_init(&day, 64);
    registry_time_utc(c->now + DRAFT_MAIL_DAYS * DRAFTS_DAY, &day);
    letter_open(p, "p");
    letter_strong(p, "Please confirm your address:");
    buf_str(p->out, " open ");
    letter_link_put(p, c->config, secret);
    buf_printf(p->out,
               " by %.10s and press the button there. So we know that mail to "
               "you arrives. If you did not register these servers, do not: "
               "tell us.",
               (const char *)day.p);
    letter_close(p, "p");
    buf_free(&day);
}

void
registry_receipt(struct registry_call *c, const struct book_form *f,
                 const char *secret, struct buf *out)
{
    const struct letter_page p = {false, out};
    const char *mail = f->form.text[FORM_SITE_CONTACT_MAIL];

    buf_str(out, "To: ");
    letter_text(&p, letter_or(mail, "(no address is on the form: telephone)"));
    buf_printf(out, "\nSubject: Your mail servers, form %s\n\n",
               f->form.number);
    letter_text(&p, letter_or(f->form.text[FORM_SITE_CONTACT_NAME], "Hello"));
    buf_printf(out, ",\n\nthis is how far form %s is", f->form.number);
    if (f->form.text[FORM_SITE] != NULL) {
        buf_str(out, " of ");
        letter_text(&p, f->form.text[FORM_SITE]);
    }
    buf_str(out, ":\n\n");
    for (size_t i = 0; i < f->form.n_lines; i++) {
        if (book_state_at(f->lines[i], c->now) != BOOK_NONE)
            put_line(&p, c, f->lines[i]);
    }
    buf_str(out, f->complete ? "\n"
                             : "\nSomething is missing on it, so the 48 hours "
                               "do not run yet.\n\n");
    put_confirm(&p, c, f, secret);
    letter_help(&p, c->config, f->form.number);
}
