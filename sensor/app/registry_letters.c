#include "sensor/app/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "rules/registry/form_text.h"
#include "sensor/app/registry_seen.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"

#define LETTER_MAX  (16U << 20)
#define BLANK_LINES 2 /* of an enclosed form, for what was not seen */

/* A letter, as plain text or as a page. */
struct letter {
    struct registry_call *call;
    const struct registry_seen *seen;
    size_t from, n; /* rows */
    char reference[32];
    const struct book_form *form; /* with the site's contacts, or NULL */
    bool html;
    struct buf *out;
};

/* ---- pieces ---- */

static void
put(struct letter *l, const char *text)
{
    if (l->html)
        text_html(l->out, span_str(text));
    else
        text_term(l->out, span_str(text));
}

static void
open_block(struct letter *l, const char *tag)
{
    if (l->html)
        buf_printf(l->out, "<%s>", tag);
}

static void
close_block(struct letter *l, const char *tag)
{
    if (l->html)
        buf_printf(l->out, "</%s>\n", tag);
    else
        buf_str(l->out, "\n\n");
}

static void
strong(struct letter *l, const char *text)
{
    buf_str(l->out, l->html ? "<strong>" : "");
    put(l, text);
    buf_str(l->out, l->html ? "</strong>" : "");
}

static void
put_day(struct letter *l, ns_t when)
{
    struct buf day;

    buf_init(&day, 64);
    registry_time_utc(when, &day);
    buf_span(l->out, span_head(buf_view(&day), 10));
    buf_free(&day);
}

static const char *
or_else(const char *text, const char *otherwise)
{
    return text != NULL && text[0] != 0 ? text : otherwise;
}

/* ---- the table of hosts ---- */

/* What it looks like is told of what may be put right by registering. */
static const char *
look_of(const struct discovery_row *r)
{
    return r->look == DISCOVERY_BOT ? discovery_word(DISCOVERY_UNCLEAR)
                                    : discovery_word(r->look);
}

static void
put_host(struct letter *l, const struct discovery_row *r)
{
    char text[ADDR_TEXT_MAX];
    const char *between = l->html ? "</td><td>" : "  ";
    bool send = r->use == FORM_SEND;

    buf_str(l->out, l->html ? "<tr><td>" : "  ");
    buf_put(l->out, text, addr_format(&r->addr, text));
    buf_str(l->out, between);
    put(l, or_else(r->n_names > 0 ? r->names[0] : NULL, "-"));
    buf_printf(l->out, "%sport %u%s", between, r->port, between);
    buf_u64(l->out, send ? r->sessions : 0);
    buf_printf(l->out, " out%s", between);
    buf_u64(l->out, send ? 0 : r->sessions);
    buf_printf(l->out, " in%s", between);
    put_day(l, r->first);
    buf_str(l->out, between);
    put_day(l, r->last);
    buf_str(l->out, between);
    put(l, look_of(r));
    buf_str(l->out, l->html ? "</td></tr>\n" : "\n");
}

static void
put_hosts(struct letter *l)
{
    if (l->html)
        buf_str(l->out,
                "<table><tr><th>Address<th>Name<th>Port<th>Sessions out<th>"
                "Sessions in<th>First<th>Last<th>Looks like</tr>\n");
    for (size_t i = 0; i < l->n; i++)
        put_host(l, l->seen->rows[l->from + i]);
    buf_str(l->out, l->html ? "</table>\n" : "\n");
}

/* ---- the text ---- */

static ns_t
first_of(const struct letter *l, bool last)
{
    ns_t when = 0;

    for (size_t i = 0; i < l->n; i++) {
        const struct discovery_row *r = l->seen->rows[l->from + i];

        if (last)
            when = r->last > when ? r->last : when;
        else
            when = when == 0 || r->first < when ? r->first : when;
    }
    return when;
}

static void
put_recipient(struct letter *l)
{
    static const enum form_field fields[] = {FORM_SITE, FORM_SITE_CONTACT_NAME,
                                             FORM_SITE_CONTACT_POSITION,
                                             FORM_SITE_CONTACT_MAIL};
    const char *site = l->seen->rows[l->from]->site;

    open_block(l, "p");
    if (l->form == NULL) {
        buf_str(l->out, "To: ");
        put(l, or_else(site, "the owner of the addresses below (not known: "
                             "find out before sending)"));
    }
    for (size_t i = 0; l->form != NULL && i < ARRAY_LEN(fields); i++) {
        const char *text = l->form->form.text[fields[i]];

        if (text == NULL)
            continue;
        put(l, text);
        buf_str(l->out, l->html ? "<br>" : "\n");
    }
    close_block(l, "p");
}

static void
put_subject(struct letter *l)
{
    open_block(l, "h1");
    buf_str(l->out, l->html ? "" : "Subject: ");
    buf_str(l->out, "Please register your mail servers by ");
    put(l, l->call->config->deadline);
    buf_printf(l->out, ", reference %s", l->reference);
    close_block(l, "h1");
}

static void
put_observed(struct letter *l)
{
    open_block(l, "p");
    buf_str(l->out, "From ");
    put(l, l->call->config->deadline);
    buf_str(l->out, " our network will let only registered servers send to or "
                    "receive from outside on port 25. ");
    strong(l, "This is not a report of abuse.");
    buf_str(l->out, " Between ");
    put_day(l, first_of(l, false));
    buf_str(l->out, " and ");
    put_day(l, first_of(l, true));
    buf_str(l->out, " we saw these addresses of yours using mail ports:");
    close_block(l, "p");
    put_hosts(l);
}

static void
put_todo(struct letter *l)
{
    const char *date = l->call->config->deadline;

    open_block(l, "p");
    strong(l, "What you need to do:");
    buf_str(l->out,
            " if it is a mail server: register it; the enclosed form is filled "
            "in but for contacts and signature. If it is not: you need do "
            "nothing now; after ");
    put(l, date);
    buf_str(l->out,
            " it can no longer use port 25. Mail programs that use port 587 or "
            "465 are not affected; a program or device set to send on port 25 "
            "to an outside server must be changed to one of those.");
    close_block(l, "p");
    open_block(l, "p");
    strong(l, "What happens next:");
    buf_str(l->out, " permits are entered within 48 hours of a complete form. "
                    "A form received before ");
    put(l, date);
    buf_str(l->out, " protects the address while we process it.");
    close_block(l, "p");
}

static void
put_help(struct letter *l)
{
    const struct config *c = l->call->config;

    open_block(l, "p");
    strong(l, "If something is blocked by mistake:");
    buf_putc(l->out, ' ');
    put(l, or_else(c->support, "____________________"));
    buf_printf(l->out, "; quote %s.", l->reference);
    close_block(l, "p");
    open_block(l, "p");
    strong(l, "How we know:");
    buf_putc(l->out, ' ');
    put(l, or_else(c->recorded,
                   "connections to mail ports are watched at the border of the "
                   "network; ask us what is kept, and for how long."));
    close_block(l, "p");
    open_block(l, "p");
    put(l, or_else(c->signer, "____________________"));
    close_block(l, "p");
}

static void
write_letter(struct letter *l)
{
    if (l->html)
        buf_str(l->out,
                "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                "<meta http-equiv=\"Content-Security-Policy\" content=\""
                "default-src 'none'; style-src 'unsafe-inline'\">"
                "<title>Registration of mail servers</title>\n<style>"
                "body{font:11pt serif;max-width:44em;margin:3em auto}"
                "h1{font-size:1.1em}table{border-collapse:collapse}"
                "td,th{border:1px solid;padding:.2em .5em;text-align:left}"
                "</style>\n");
    put_recipient(l);
    put_subject(l);
    put_observed(l);
    put_todo(l);
    put_help(l);
}

/* ---- the folder ---- */

/* Of the name of a site only what no file system minds. */
static void
put_path(const struct letter *l, size_t number, const char *ending,
         struct buf *path)
{
    const char *site = l->seen->rows[l->from]->site;

    buf_printf(path, "%s/%03zu-", l->call->config->out_dir, number);
    for (size_t i = 0; site != NULL && site[i] != 0 && i < 40; i++) {
        char c = site[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9');

        buf_putc(path, plain ? (uint8_t)c : '_');
    }
    buf_printf(path, "%s%s%c", site != NULL ? "" : "find-owner", ending, 0);
}

static enum cli_exit
save(struct letter *l, size_t number, const char *ending,
     const struct buf *text)
{
    enum cli_exit code = CLI_EXIT_FAILED;
    struct buf path;

    buf_init(&path, 8192);
    put_path(l, number, ending, &path);
    if (!path.cut && !path.failed)
        code = registry_save(l->call, (const char *)path.p, text);
    buf_free(&path);
    return code;
}

static enum cli_exit
save_letter(struct letter *l, size_t number)
{
    enum cli_exit code;
    struct buf text;

    buf_init(&text, LETTER_MAX);
    l->out = &text;
    write_letter(l);
    code = save(l, number, l->html ? ".html" : ".txt", &text);
    buf_free(&text);
    return code;
}

/* The form that the letter speaks of, to be printed with it. */
static enum cli_exit
save_form(struct letter *l, size_t number)
{
    struct form_text t = {.blank_lines = BLANK_LINES};
    enum cli_exit code = CLI_EXIT_FAILED;
    size_t bots = 0;
    struct form form;
    struct buf text;

    buf_init(&text, LETTER_MAX);
    if (registry_seen_form(l->seen, l->from, l->n, &form, &bots) == ERR_OK) {
        t.form = form.n_lines > 0 ? &form : NULL;
        form_text_html(&t, &text);
        code = save(l, number, ".form.html", &text);
    }
    form_fini(&form);
    buf_free(&text);
    return code;
}

/* The form of the site: by its code, or its name. */
static const struct book_form *
form_of(const struct book *b, const char *site)
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

static enum cli_exit
write_all(struct registry_call *c, const struct registry_seen *s, size_t *n)
{
    enum cli_exit code = CLI_EXIT_DONE;
    struct buf day;

    buf_init(&day, 64);
    registry_time_utc(c->now, &day);
    for (size_t i = 0; code == CLI_EXIT_DONE && i < s->n;) {
        struct letter l = {.call = c,
                           .seen = s,
                           .from = i,
                           .n = registry_seen_group(s, i),
                           .form = form_of(c->book, s->rows[i]->site)};

        ++*n;
        (void)snprintf(l.reference, sizeof(l.reference), "%.10s-%03zu",
                       (const char *)day.p, *n);
        code = save_letter(&l, *n);
        l.html = true;
        if (code == CLI_EXIT_DONE)
            code = save_letter(&l, *n);
        if (code == CLI_EXIT_DONE)
            code = save_form(&l, *n);
        i += l.n;
    }
    buf_free(&day);
    return code;
}

static enum cli_exit
check(struct registry_call *c)
{
    if (c->config->out_dir == NULL)
        return registry_say(c, CLI_EXIT_USAGE, "--out DIR is needed");
    if (c->config->deadline == NULL)
        return registry_say(c, CLI_EXIT_USAGE,
                            "the configuration has no registry.deadline: a "
                            "letter must say by when");
    return CLI_EXIT_DONE;
}

static enum cli_exit
make_folder(struct registry_call *c)
{
    int number;

    if (mkdir(c->config->out_dir, 0700) == 0)
        return CLI_EXIT_DONE;
    number = errno;
    buf_str(c->messages, "span25: cannot make the folder ");
    text_term(c->messages, span_str(c->config->out_dir));
    buf_printf(c->messages, ": %s\n", strerror(number));
    return CLI_EXIT_FAILED;
}

enum cli_exit
registry_letters(struct registry_call *c)
{
    struct registry_seen s;
    size_t n = 0;
    enum cli_exit seen;
    enum cli_exit code = check(c);

    if (code != CLI_EXIT_DONE)
        return code;
    seen = registry_seen_find(c, &s);
    if (seen == CLI_EXIT_DONE || seen == CLI_EXIT_PARTIAL) {
        code = make_folder(c);
        if (code == CLI_EXIT_DONE)
            code = write_all(c, &s, &n);
        if (code == CLI_EXIT_DONE)
            buf_printf(c->out, "%zu letters, none was sent\n", n);
    }
    registry_seen_fini(&s);
    return seen == CLI_EXIT_DONE ? code : seen;
}
