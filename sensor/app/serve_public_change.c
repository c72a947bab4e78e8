#include "sensor/app/serve_public_parts.h"

#define LINES_TEXT 1024U /* "1,2,5": bytes that the route takes */

static struct span
query_of(const struct asked *a, const char *name)
{
    for (size_t i = 0; i < a->r->n_query; i++) {
        if (span_eq(a->r->query[i].name, span_str(name)))
            return a->r->query[i].value;
    }
    return SPAN_NONE;
}

/* A decision about the form of the link, made by the verb. False: it was told
 * why not. */
static bool
decide(struct asked *a, const struct serve_public_decision *d)
{
    struct buf messages;
    enum cli_exit code;

    buf_init(&messages, 1 << 16);
    code = a->p->o.decide(a->p->o.ctx, d, &messages);
    if (code != CLI_EXIT_DONE)
        serve_public_refuse(a, code, &messages);
    buf_free(&messages);
    return code == CLI_EXIT_DONE;
}

static void
tell_state(struct asked *a)
{
    struct json_out j = serve_public_begin(a);

    json_begin(&j, '{');
    serve_public_put_text(&j, "form", a->draft.form);
    serve_public_put_state(a, &j);
    json_end(&j, '}');
    serve_public_end(a, &j);
}

/* ---- lines that are wanted no more ---- */

static bool
is_lines(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const uint8_t c = span_at(text, i);

        if ((c < '0' || c > '9') && c != ',')
            return false;
    }
    return text.n > 0 && text.n <= LINES_TEXT;
}

/* Of the form of the link alone; which of its lines there are the verb knows.
 */
void
serve_public_withdraw(struct asked *a)
{
    const struct span lines = query_of(a, "lines");
    const struct serve_public_decision d = {
        .form = a->draft.form,
        .action = "withdraw",
        .lines = lines,
        .reason = SPAN_LIT("by the site, with its link")};

    if (!serve_public_is_asked_here(a) || !serve_public_need_link(a, false))
        return;
    if (a->draft.form[0] == 0)
        serve_public_fail(a, 409,
                          SPAN_LIT("It was not submitted: there is nothing to "
                                   "withdraw."));
    else if (!is_lines(lines))
        serve_public_fail(a, 400,
                          SPAN_LIT("Which servers are to be withdrawn is not "
                                   "said."));
    else if (serve_public_may_keep(a) && decide(a, &d))
        tell_state(a);
}

/* ---- a draft that is wanted no more ---- */

void
serve_public_discard(struct asked *a)
{
    struct json_out j;

    if (!serve_public_is_asked_here(a) || !serve_public_need_link(a, false))
        return;
    if (a->draft.form[0] != 0) {
        serve_public_fail(a, 409,
                          SPAN_LIT("It was submitted: its servers can be "
                                   "withdrawn."));
        return;
    }
    if (!serve_public_may_keep(a))
        return;
    if (drafts_remove(a->p->o.state, a->secret) != ERR_OK) {
        serve_public_fail(a, 500, SPAN_LIT("The draft could not be removed."));
        return;
    }
    j = serve_public_begin(a);
    json_begin(&j, '{');
    json_end(&j, '}');
    serve_public_end(a, &j);
}

/* ---- the address of its contact ---- */

/* The address that the link was sent to, as long as the form has it. */
static const struct book_form *
form_of_mail(struct asked *a)
{
    const struct book_form *f = serve_public_find_form(a->p, a->draft.form);
    const char *mail = f != NULL ? f->form.text[FORM_SITE_CONTACT_MAIL] : NULL;

    if (mail != NULL && span_eq(span_str(mail), buf_view(&a->draft.text)))
        return f;
    serve_public_fail(a, 404,
                      SPAN_LIT("The form has another contact by now, so there "
                               "is nothing to confirm."));
    return NULL;
}

static void
tell_mail(struct asked *a)
{
    const struct book_form *f = form_of_mail(a);
    struct json_out j;

    if (f == NULL)
        return;
    j = serve_public_begin(a);
    json_begin(&j, '{');
    serve_public_put_text(&j, "kind", draft_word(a->draft.kind));
    serve_public_put_text(&j, "form", a->draft.form);
    json_key(&j, "mail");
    (void)json_str(&j, buf_view(&a->draft.text));
    serve_public_put_time(&j, "confirmed", book_mail(f));
    serve_public_put_time(&j, "expires", draft_ends(&a->draft));
    json_end(&j, '}');
    serve_public_end(a, &j);
}

void
serve_public_address(struct asked *a)
{
    if (serve_public_need_link(a, true))
        tell_mail(a);
}

/* By POST: programs that look at mail open its links. */
void
serve_public_mail(struct asked *a)
{
    const struct book_form *f;
    struct serve_public_decision d = {.form = a->draft.form, .action = "mail"};

    if (!serve_public_is_asked_here(a) || !serve_public_need_link(a, true))
        return;
    d.reference = buf_view(&a->draft.text);
    f = form_of_mail(a);
    if (f == NULL ||
        (book_mail(f) == 0 && !(serve_public_may_keep(a) && decide(a, &d))))
        return;
    tell_mail(a);
}
