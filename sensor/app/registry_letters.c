#include "sensor/app/registry.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/registry/form_text.h"
#include "sensor/app/letter_link.h"
#include "sensor/app/registry_seen.h"
#include "sensor/app/registry_time.h"

#define BLANK_LINES 2 /* of an enclosed form, for what was not seen */

/* A letter, as plain text or as a page. */
struct letter {
    struct registry_call *call;
    const struct registry_seen *seen;
    size_t from, n; /* rows */
    char reference[32];
    const struct book_form *form; /* with the site's contacts, or NULL */
    char secret[DRAFTS_SECRET];   /* of its link; "": it has none */
    struct letter_page page;
};

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
    const char *between = l->page.html ? "</td><td>" : "  ";
    bool send = r->use == FORM_SEND;

    buf_str(l->page.out, l->page.html ? "<tr><td>" : "  ");
    buf_put(l->page.out, text, addr_format(&r->addr, text));
    buf_str(l->page.out, between);
    letter_text(&l->page, letter_or(r->n_names > 0 ? r->names[0] : NULL, "-"));
    buf_printf(l->page.out, "%sport %u%s", between, r->port, between);
    buf_u64(l->page.out, send ? r->sessions : 0);
    buf_printf(l->page.out, " out%s", between);
    buf_u64(l->page.out, send ? 0 : r->sessions);
    buf_printf(l->page.out, " in%s", between);
    letter_day(&l->page, r->first);
    buf_str(l->page.out, between);
    letter_day(&l->page, r->last);
    buf_str(l->page.out, between);
    letter_text(&l->page, look_of(r));
    buf_str(l->page.out, l->page.html ? "</td></tr>\n" : "\n");
}

static void
put_hosts(struct letter *l)
{
    if (l->page.html)
        buf_str(l->page.out,
                "<table><tr><th>Address<th>Name<th>Port<th>Sessions out<th>"
                "Sessions in<th>First<th>Last<th>Looks like</tr>\n");
    for (size_t i = 0; i < l->n; i++)
        put_host(l, l->seen->rows[l->from + i]);
    buf_str(l->page.out, l->page.html ? "</table>\n" : "\n");
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
write_letter(struct letter *l)
{
    letter_begin(&l->page, "Registration of mail servers");
    letter_recipient(&l->page, l->form, l->seen->rows[l->from]->site, NULL,
                     "the owner of the addresses below (not known: find out "
                     "before sending)");
    letter_register_begin(&l->page, l->call->config->deadline, l->reference,
                          first_of(l, false), first_of(l, true));
    put_hosts(l);
    letter_register_end(&l->page, l->call->config->deadline);
    if (l->secret[0] != 0)
        letter_link_say(&l->page, l->call->config, l->secret);
    letter_help(&l->page, l->call->config, l->reference);
}

/* ---- the folder ---- */

static enum cli_exit
save(struct letter *l, size_t number, const char *ending,
     const struct buf *text)
{
    enum cli_exit code;
    struct buf path;

    buf_init(&path, 8192);
    letter_path(l->call->config->out_dir, number, l->seen->rows[l->from]->site,
                ending, &path);
    code = letter_save(&path, text, l->call->messages);
    buf_free(&path);
    return code;
}

static enum cli_exit
save_letter(struct letter *l, size_t number)
{
    enum cli_exit code;
    struct buf text;

    buf_init(&text, LETTER_MAX);
    l->page.out = &text;
    write_letter(l);
    code = save(l, number, l->page.html ? ".html" : ".txt", &text);
    l->page.out = NULL;
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

/* The form that was seen, under a link of its own; forms of spam bots alone
 * have none. */
static enum err
make_link(struct letter *l)
{
    struct form form;
    size_t bots = 0;
    enum err e = registry_seen_form(l->seen, l->from, l->n, &form, &bots);

    if (e == ERR_OK)
        e = letter_link_form(l->call->config, l->reference, &form, l->call->now,
                             l->secret);
    form_fini(&form);
    return e;
}

static enum cli_exit
write_one(struct letter *l, size_t number)
{
    enum cli_exit code;
    enum err e = make_link(l);

    if (e != ERR_OK) {
        buf_printf(l->call->messages,
                   "span25: the form of letter %s cannot be kept for its link: "
                   "%s\n",
                   l->reference, err_text(e));
        return cli_exit_of(e);
    }
    code = save_letter(l, number);
    l->page.html = true;
    if (code == CLI_EXIT_DONE)
        code = save_letter(l, number);
    if (code == CLI_EXIT_DONE)
        code = save_form(l, number);
    return code;
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
                           .form = letter_form_of(c->book, s->rows[i]->site)};

        ++*n;
        (void)snprintf(l.reference, sizeof(l.reference), "%.10s-%03zu",
                       (const char *)day.p, *n);
        code = write_one(&l, *n);
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
        code = letter_folder(c->config->out_dir, c->messages);
        if (code == CLI_EXIT_DONE)
            code = write_all(c, &s, &n);
        if (code == CLI_EXIT_DONE)
            buf_printf(c->out, "%zu letters, none was sent\n", n);
    }
    registry_seen_fini(&s);
    return seen == CLI_EXIT_DONE ? code : seen;
}
