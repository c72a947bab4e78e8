#include "sensor/app/study_letters_parts.h"

#include <stdio.h>

#include "rules/registry/form_text.h"
#include "sensor/app/registry_time.h"

#define DAY_NS      (86400 * NS_PER_S)
#define ABUSE_MARK  "-A" /* behind the reference of a site */
#define BLANK_LINES 2    /* of an enclosed form, for what was not seen */

/* ---- of the hosts ---- */

bool
letter_is_for(enum letter_kind kind, const struct study_host_row *h)
{
    const bool abuse = h->class == STUDY_BOT || h->class == STUDY_MIXED;

    switch (kind) {
    case LETTER_REGISTER: return !abuse && !h->registered;
    case LETTER_ABUSE: return abuse;
    case LETTER_KINDS: break;
    }
    return true;
}

bool
letter_is_stopped(const struct letter_site *s, const struct study_host_row *h)
{
    return s->has_proposed && h->outcomes != NULL &&
           h->outcomes[s->proposed].first != 0;
}

size_t
letter_count(const struct letter_site *s, enum letter_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += letter_is_for(kind, s->hosts[i]);
    return n;
}

bool
letter_has_owner(const struct letter_site *s)
{
    return s->code != NULL &&
           ((s->form != NULL && letter_has_contact(&s->form->form)) ||
            (s->row != NULL && letter_or(s->row->contact, NULL) != NULL));
}

void
letter_span(const struct letter_site *s, enum letter_kind kind, ns_t *first,
            ns_t *last)
{
    *first = *last = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct study_host_row *h = s->hosts[i];

        if (!letter_is_for(kind, h))
            continue;
        *first = *first == 0 || h->first < *first ? h->first : *first;
        *last = h->last > *last ? h->last : *last;
    }
}

/* ---- tables ---- */

static void
cell_begin(const struct letter_page *p, bool first)
{
    if (p->html)
        buf_str(p->out, first ? "<tr><td>" : "</td><td>");
    else
        buf_str(p->out, "  ");
}

static void
cell(const struct letter_page *p, const char *text)
{
    cell_begin(p, false);
    letter_text(p, letter_or(text, "-"));
}

/* "12 sessions"; a page has the word in its heading. */
static void
cell_count(const struct letter_page *p, uint64_t n, const char *word)
{
    cell_begin(p, false);
    buf_u64(p->out, n);
    if (!p->html)
        buf_printf(p->out, " %s", word);
}

static void
cell_time(const struct letter_page *p, ns_t when)
{
    cell_begin(p, false);
    registry_time_show(when, true, p->out);
}

static void
cell_day(const struct letter_page *p, ns_t when)
{
    cell_begin(p, false);
    letter_day(p, when);
}

static void
row_end(const struct letter_page *p)
{
    buf_str(p->out, p->html ? "</td></tr>\n" : "\n");
}

/* The address, and what it calls itself where it has no name. */
static void
row_begin(const struct letter_page *p, const struct study_host_row *h)
{
    char text[ADDR_TEXT_MAX];

    cell_begin(p, true);
    buf_put(p->out, text, addr_format(&h->addr, text));
    cell(p, letter_or(h->name, h->helo));
}

static void
put_more(const struct letter_page *p, size_t n)
{
    if (n == 0)
        return;
    letter_open(p, "p");
    buf_printf(p->out, "and %zu more; ask us for the list.", n);
    letter_close(p, "p");
}

static void
row_register(const struct letter_page *p, const struct study_host_row *h)
{
    row_begin(p, h);
    cell(p, h->device);
    cell_count(p, h->sessions, "sessions out");
    cell_count(p, h->messages, "messages");
    cell_day(p, h->first);
    cell_day(p, h->last);
    cell(p, study_class_people(h->class));
    row_end(p);
}

static void
row_abuse(const struct letter_page *p, const struct study_host_row *h)
{
    row_begin(p, h);
    cell_time(p, h->first);
    cell_time(p, h->last);
    cell_count(p, h->sessions, "sessions");
    cell_count(p, h->messages, "messages");
    cell_count(p, h->bad, "judged unwanted");
    cell_count(p, h->class_a, "with malicious code");
    cell_count(p, h->recipients, "recipients accepted");
    cell_count(p, h->recipients_refused, "refused");
    cell(p, study_class_people(h->class));
    row_end(p);
}

static const struct {
    const char *head;
    void (*row)(const struct letter_page *p, const struct study_host_row *h);
} tables[LETTER_KINDS] = {
    [LETTER_REGISTER] = {"<table><tr><th>Address<th>Name<th>Device"
                         "<th>Sessions out<th>Messages<th>First<th>Last"
                         "<th>What we think</tr>\n",       row_register},
    [LETTER_ABUSE] = {"<table><tr><th>Address<th>Name<th>First<th>Last"
                      "<th>Sessions<th>Messages<th>Judged unwanted"
                      "<th>With malicious code<th>Recipients accepted"
                      "<th>Refused<th>What we saw</tr>\n", row_abuse   },
};

static void
put_hosts(const struct letter_site *s, enum letter_kind kind,
          const struct letter_page *p)
{
    size_t n = 0;

    if (p->html)
        buf_str(p->out, tables[kind].head);
    for (size_t i = 0; i < s->n; i++) {
        if (letter_is_for(kind, s->hosts[i]) && n++ < STUDY_LETTERS_HOSTS)
            tables[kind].row(p, s->hosts[i]);
    }
    buf_str(p->out, p->html ? "</table>\n" : "\n");
    put_more(p, n > STUDY_LETTERS_HOSTS ? n - STUDY_LETTERS_HOSTS : 0);
}

/* ---- the letter about abuse ---- */

static void
abuse_begin(const struct letter_site *s, const struct letter_page *p, ns_t by)
{
    ns_t first, last;

    letter_span(s, LETTER_ABUSE, &first, &last);
    letter_open(p, "h1");
    buf_str(p->out, p->html ? "" : "Subject: ");
    buf_str(p->out, "Please look at the addresses below by ");
    letter_day(p, by);
    buf_printf(p->out, ", reference %s" ABUSE_MARK, s->reference);
    letter_close(p, "h1");
    letter_open(p, "p");
    buf_str(p->out, "Between ");
    registry_time_show(first, true, p->out);
    buf_str(p->out, " and ");
    registry_time_show(last, true, p->out);
    buf_str(p->out, " these addresses of yours sent mail to outside on port 25 "
                    "in a way that mail servers do not. ");
    letter_strong(p, "We saw connections, not why they were made:");
    buf_str(p->out, " a program that nobody asked for is the usual reason, and "
                    "a mistake of ours is possible.");
    letter_close(p, "p");
}

/* All that hosts of this kind were found to have, and what tells it apart. */
static const char *const checks[] = {
    "Is this a host that should send mail at all? Few besides mail servers "
    "speak to many servers outside.",
    "Programs on it that nobody installed: look with a current virus scanner, "
    "best from a medium it was not started from; then bring it up to date.",
    "Accounts that can send through it: logins from places you do not know. "
    "Change their passwords.",
    "Forms and scripts of web sites on it: can others make them send?",
    "Does it pass on mail or connections of others: an open relay, an open "
    "proxy, a wireless network behind the same address? Compare its log with "
    "the times above, which are UTC.",
    "If this mail is meant, a newsletter or an alarm for instance: tell us, "
    "and "
    "register the address.",
};

static void
put_checks(const struct letter_page *p)
{
    letter_open(p, "p");
    letter_strong(p, "What to check:");
    letter_close(p, "p");
    buf_str(p->out, p->html ? "<ol>\n" : "");
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (p->html)
            buf_printf(p->out, "<li>%s</li>\n", checks[i]);
        else
            buf_printf(p->out, "  %zu. %s\n", i + 1, checks[i]);
    }
    buf_str(p->out, p->html ? "</ol>\n" : "\n");
}

static void
abuse_end(const struct letter_site *s, const struct letter_page *p, ns_t by)
{
    const struct config *c = s->o->config;

    letter_open(p, "p");
    letter_strong(p, "What we ask:");
    buf_str(p->out, " tell us by ");
    letter_day(p, by);
    buf_str(p->out, " what was found and what was done.");
    letter_close(p, "p");
    letter_open(p, "p");
    letter_strong(p, "What happens next:");
    buf_str(p->out,
            " port 25 may be closed for an address that goes on like this. "
            "Mail programs that use port 587 or 465 are not affected, nor is "
            "anything else.");
    letter_close(p, "p");
    letter_open(p, "p");
    letter_strong(p, "How it is lifted:");
    buf_str(p->out, " tell ");
    letter_text(p, letter_or(c->report_org, "us"));
    if (c->report_contact != NULL) {
        buf_str(p->out, " (");
        letter_text(p, c->report_contact);
        buf_putc(p->out, ')');
    }
    buf_printf(
        p->out,
        " what the cause was and that it is gone, and quote %s" ABUSE_MARK
        "; port "
        "25 is then opened again.",
        s->reference);
    letter_close(p, "p");
}

void
study_letter_text(const struct letter_site *s, enum letter_kind kind,
                  const struct letter_page *p)
{
    const ns_t by = s->o->now + STUDY_LETTERS_ANSWER * DAY_NS;
    const char *name = s->row != NULL ? s->row->name : NULL;
    char reference[REFERENCE_MAX + sizeof(ABUSE_MARK)];
    ns_t first, last;

    letter_begin(p, kind == LETTER_ABUSE ? "Unusual outgoing mail"
                                         : "Registration of mail servers");
    letter_recipient(p, s->form, letter_or(name, s->code),
                     letter_has_owner(s)
                         ? (s->row != NULL ? s->row->contact : NULL)
                         : "(contact not known: find out before sending)",
                     "the owner of the addresses below");
    if (kind == LETTER_ABUSE) {
        abuse_begin(s, p, by);
        put_hosts(s, kind, p);
        put_checks(p);
        abuse_end(s, p, by);
    } else {
        letter_span(s, kind, &first, &last);
        letter_register_begin(p, s->deadline, s->reference, first, last);
        put_hosts(s, kind, p);
        letter_register_end(p, s->deadline);
        letter_link_say(p, s->o->config, s->secret);
    }
    (void)snprintf(reference, sizeof(reference), "%s%s", s->reference,
                   kind == LETTER_ABUSE ? ABUSE_MARK : "");
    letter_help(p, s->o->config, reference);
}

/* ---- the form ---- */

/* What cannot stand in a form is left for people to write. */
static enum err
form_text(char **at, const char *text)
{
    enum err e;

    if (text == NULL)
        return ERR_OK;
    e = form_set(at, span_str(text));
    return e == ERR_NOMEM ? e : ERR_OK;
}

static enum err
form_number(char **at, uint64_t n)
{
    struct buf text;
    enum err e;

    buf_init(&text, 32);
    buf_u64(&text, n);
    e = form_set(at, buf_view(&text));
    buf_free(&text);
    return e == ERR_NOMEM ? e : ERR_OK;
}

static enum err
add_line(struct form *f, const struct study_host_row *h)
{
    char address[ADDR_TEXT_MAX];
    const size_t n = addr_format(&h->addr, address);
    struct form_line *line = form_add_line(f);
    const uint32_t days = h->days > 0 ? h->days : 1;
    enum err e;

    if (line == NULL)
        return ERR_NOMEM;
    e = form_set(&line->text[FORM_ADDRESS], span_of(address, n));
    if (e == ERR_OK)
        e = form_text(&line->text[FORM_PORT], "25");
    if (e == ERR_OK)
        e = form_text(&line->text[FORM_USE], "send");
    if (e == ERR_OK)
        e = form_text(&line->text[FORM_DEVICE], h->device);
    if (e == ERR_OK)
        e = form_text(&line->text[FORM_DOMAIN], letter_or(h->name, h->helo));
    if (e == ERR_OK)
        e = form_number(&line->text[FORM_VOLUME],
                        (h->messages + days - 1) / days);
    return e;
}

static enum err
fill_form(const struct letter_site *s, struct form *f)
{
    const char *name = s->row != NULL ? s->row->name : NULL;
    const struct study_host_row *before = NULL;
    size_t different = 0;
    enum err e = form_text(&f->text[FORM_SITE], letter_or(name, s->code));

    if (e == ERR_OK)
        e = form_text(&f->text[FORM_SITE_CODE], s->code);
    for (size_t i = 0; e == ERR_OK && i < s->n; i++) {
        const struct study_host_row *h = s->hosts[i];

        if (!letter_is_for(LETTER_REGISTER, h) ||
            (before != NULL && addr_cmp(&before->addr, &h->addr) == 0))
            continue;
        before = h;
        different++;
        e = add_line(f, h);
    }
    if (e == ERR_OK)
        e = form_number(&f->text[FORM_TOTAL_ADDRESSES], different);
    return e == ERR_OK ? form_text(&f->text[FORM_TOTAL_PORTS], "1") : e;
}

enum err
study_letter_form(const struct letter_site *s, struct buf *out)
{
    struct form form;
    const struct form_text t = {.form = &form, .blank_lines = BLANK_LINES};
    enum err e;

    form_init(&form);
    e = fill_form(s, &form);
    if (e == ERR_OK)
        form_text_html(&t, out);
    form_fini(&form);
    return e;
}

enum err
study_letter_link(struct letter_site *s)
{
    struct form form;
    enum err e;

    form_init(&form);
    e = fill_form(s, &form);
    if (e == ERR_OK)
        e = letter_link_form(s->o->config, s->reference, &form, s->o->now,
                             s->secret);
    form_fini(&form);
    return e;
}
