#include "sensor/app/study_letters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sensor/app/registry_time.h"
#include "sensor/app/study_letters_parts.h"
#include "sensor/base/text.h"

#define TABLE_MAX (256U << 20) /* of contacts: a row a host without a site */
#define DATE_MAX  10U

struct work {
    const char *dir;
    const struct study_result *r;
    const struct study_letters_options *o;
    struct buf *messages;
    const struct study_host_row **hosts; /* concerned, by site and address */
    size_t n;
    const struct study_site **sites; /* by code */
    size_t proposed;
    bool has_proposed;
    char deadline[DATE_MAX + 1]; /* "": nobody is asked to register */
    char day[DATE_MAX + 1];      /* of the letters */
    struct buf known, unknown;   /* contacts */
    size_t n_letters, n_sites, n_unknown;
};

/* ---- dates ---- */

static bool
is_of_registry(const char *kind)
{
    static const char *const kinds[] = {"unregistered", "rate", "grace",
                                        "grace+detector"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

static void
day_of(ns_t when, char out[DATE_MAX + 1])
{
    char text[NS_TEXT_MAX];

    (void)ns_format(when, text);
    memcpy(out, text, DATE_MAX);
    out[DATE_MAX] = '\0';
}

/* False: somebody is to be asked to register, and nobody says by when. */
static bool
find_deadline(const struct config *c, const char *kind, ns_t effective,
              char out[DATE_MAX + 1])
{
    const bool registry = kind == NULL || is_of_registry(kind);

    out[0] = '\0';
    if (registry && effective != 0)
        day_of(effective, out);
    else if (c->deadline != NULL)
        (void)snprintf(out, DATE_MAX + 1, "%s", c->deadline);
    return out[0] != '\0' || !registry;
}

static enum cli_exit
no_deadline(struct buf *messages)
{
    buf_str(messages, "span25: neither the criteria say from when on "
                      "(effective) nor the configuration by when "
                      "(registry.deadline): a letter must say it\n");
    return CLI_EXIT_USAGE;
}

enum cli_exit
study_letters_check(const char *dir, const struct study_letters_options *o,
                    const char *kind, ns_t effective, struct buf *messages)
{
    char deadline[DATE_MAX + 1];
    struct stat st;

    if (!find_deadline(o->config, kind, effective, deadline))
        return no_deadline(messages);
    if (lstat(dir, &st) != 0 && errno == ENOENT)
        return CLI_EXIT_DONE;
    buf_str(messages, "span25: the folder for letters is made anew, and ");
    text_term(messages, span_str(dir));
    buf_str(messages, " is there already\n");
    return CLI_EXIT_USAGE;
}

/* ---- who is concerned ---- */

static bool
is_concerned(const struct work *w, const struct study_host_row *h)
{
    if (letter_is_for(LETTER_ABUSE, h))
        return true;
    if (!w->has_proposed)
        return !h->registered;
    return h->outcomes != NULL && h->outcomes[w->proposed].first != 0;
}

/* Those of no site last. */
static int
by_site(const void *a, const void *b)
{
    const struct study_host_row *x = *(const struct study_host_row *const *)a;
    const struct study_host_row *y = *(const struct study_host_row *const *)b;
    int order = 0;

    if ((x->site == NULL) != (y->site == NULL))
        return x->site == NULL ? 1 : -1;
    if (x->site != NULL)
        order = strcmp(x->site, y->site);
    if (order == 0)
        order = addr_cmp(&x->addr, &y->addr);
    if (order == 0 && x->first != y->first)
        order = x->first < y->first ? -1 : 1;
    return order;
}

static int
by_code(const void *a, const void *b)
{
    const struct study_site *x = *(const struct study_site *const *)a;
    const struct study_site *y = *(const struct study_site *const *)b;

    return strcmp(letter_or(x->code, ""), letter_or(y->code, ""));
}

static bool
pick(struct work *w)
{
    const struct study_result *r = w->r;

    w->hosts = calloc(r->n_hosts + 1, sizeof(const struct study_host_row *));
    w->sites = calloc(r->n_sites + 1, sizeof(const struct study_site *));
    if (w->hosts == NULL || w->sites == NULL)
        return false;
    for (size_t i = 0; i < r->n_hosts; i++) {
        if (is_concerned(w, &r->hosts[i]))
            w->hosts[w->n++] = &r->hosts[i];
    }
    for (size_t i = 0; i < r->n_sites; i++)
        w->sites[i] = &r->sites[i];
    if (w->n > 0)
        qsort(w->hosts, w->n, sizeof(const struct study_host_row *), by_site);
    if (r->n_sites > 0)
        qsort(w->sites, r->n_sites, sizeof(const struct study_site *), by_code);
    return true;
}

static const struct study_site *
find_site(const struct work *w, const char *code)
{
    const struct study_site key = {.code = code}, *at = &key;
    const struct study_site **found;

    if (code == NULL || w->r->n_sites == 0)
        return NULL;
    found = bsearch(&at, w->sites, w->r->n_sites,
                    sizeof(const struct study_site *), by_code);
    return found != NULL ? *found : NULL;
}

static void
find_proposed(struct work *w)
{
    const struct study_result *r = w->r;

    for (size_t i = 0; r->proposed != NULL && i < r->n_policies; i++) {
        if (strcmp(r->policies[i].name, r->proposed) != 0)
            continue;
        w->proposed = i;
        w->has_proposed = true;
    }
}

/* ---- one site ---- */

static enum cli_exit
save(struct work *w, const struct letter_site *s, const char *ending,
     const struct buf *text)
{
    struct buf path;
    enum cli_exit code;

    buf_init(&path, 8192);
    letter_path(w->dir, s->number, s->code, ending, &path);
    code = letter_save(&path, text, w->messages);
    buf_free(&path);
    return code;
}

static enum cli_exit
save_letter(struct work *w, const struct letter_site *s, enum letter_kind kind,
            bool html)
{
    static const char *const endings[LETTER_KINDS][2] = {
        [LETTER_REGISTER] = {".register.txt", ".register.html"},
        [LETTER_ABUSE] = {".abuse.txt",    ".abuse.html"   },
    };
    struct buf text;
    const struct letter_page p = {html, &text};
    enum cli_exit code;

    buf_init(&text, LETTER_MAX);
    study_letter_text(s, kind, &p);
    code = save(w, s, endings[kind][html], &text);
    buf_free(&text);
    return code;
}

static enum cli_exit
save_form(struct work *w, const struct letter_site *s)
{
    enum cli_exit code;
    struct buf text;

    buf_init(&text, LETTER_MAX);
    if (study_letter_form(s, &text) != ERR_OK)
        text.failed = true;
    code = save(w, s, ".register.form.html", &text);
    buf_free(&text);
    return code;
}

static enum cli_exit
keep_link(struct work *w, struct letter_site *s)
{
    const enum err e = study_letter_link(s);

    if (e != ERR_OK)
        buf_printf(w->messages,
                   "span25: the form of letter %s cannot be kept for its link: "
                   "%s\n",
                   s->reference, err_text(e));
    return e == ERR_OK ? CLI_EXIT_DONE : cli_exit_of(e);
}

static enum cli_exit
save_letters(struct work *w, struct letter_site *s)
{
    enum cli_exit code = CLI_EXIT_DONE;

    for (unsigned k = 0; k < LETTER_KINDS && code == CLI_EXIT_DONE; k++) {
        const enum letter_kind kind = (enum letter_kind)k;

        if (letter_count(s, kind) == 0 ||
            (kind == LETTER_REGISTER && s->deadline == NULL))
            continue;
        w->n_letters++;
        if (kind == LETTER_REGISTER)
            code = keep_link(w, s);
        if (code == CLI_EXIT_DONE)
            code = save_letter(w, s, kind, false);
        if (code == CLI_EXIT_DONE)
            code = save_letter(w, s, kind, true);
        if (code == CLI_EXIT_DONE && kind == LETTER_REGISTER)
            code = save_form(w, s);
    }
    return code;
}

/* How many from the i-th on are of one site; of no site each is alone. */
static size_t
group(const struct work *w, size_t i)
{
    const char *site = w->hosts[i]->site;
    size_t n = 1;

    while (site != NULL && i + n < w->n && w->hosts[i + n]->site != NULL &&
           strcmp(w->hosts[i + n]->site, site) == 0)
        n++;
    return n;
}

static struct letter_site
site_of(struct work *w, size_t i)
{
    const char *code = w->hosts[i]->site;
    struct letter_site s = {
        .o = w->o,
        .hosts = w->hosts + i,
        .n = group(w, i),
        .proposed = w->proposed,
        .has_proposed = w->has_proposed,
        .code = code,
        .row = find_site(w, code),
        .deadline = w->deadline[0] != '\0' ? w->deadline : NULL,
    };

    if (w->o->book != NULL && code != NULL)
        s.form = letter_form_of(w->o->book, code);
    if (w->o->book != NULL && s.form == NULL && s.row != NULL)
        s.form = letter_form_of(w->o->book, s.row->name);
    if (code != NULL) {
        s.number = ++w->n_sites;
        (void)snprintf(s.reference, sizeof(s.reference), "%s-%03zu", w->day,
                       s.number);
    }
    return s;
}

static enum cli_exit
write_sites(struct work *w)
{
    enum cli_exit code = CLI_EXIT_DONE;

    study_contacts_head(&w->known);
    study_contacts_head(&w->unknown);
    for (size_t i = 0; code == CLI_EXIT_DONE && i < w->n;) {
        struct letter_site s = site_of(w, i);
        const bool owner = letter_has_owner(&s);

        study_contacts_row(&s, owner ? &w->known : &w->unknown);
        w->n_unknown += !owner;
        if (s.number > 0)
            code = save_letters(w, &s);
        i += s.n;
    }
    return code;
}

static enum cli_exit
save_contacts(struct work *w, const char *name, const struct buf *text)
{
    struct buf path;
    enum cli_exit code;

    buf_init(&path, 8192);
    buf_printf(&path, "%s/%s%c", w->dir, name, 0);
    code = letter_save(&path, text, w->messages);
    buf_free(&path);
    return code;
}

static enum cli_exit
write_all(struct work *w)
{
    enum cli_exit code;

    if (!pick(w)) {
        buf_printf(w->messages, "span25: %s\n", err_text(ERR_NOMEM));
        return CLI_EXIT_FAILED;
    }
    code = letter_folder(w->dir, w->messages);
    if (code == CLI_EXIT_DONE)
        code = write_sites(w);
    if (code == CLI_EXIT_DONE)
        code = save_contacts(w, "contacts.csv", &w->known);
    if (code == CLI_EXIT_DONE)
        code = save_contacts(w, "contacts-unknown.csv", &w->unknown);
    if (code != CLI_EXIT_DONE)
        return code;
    buf_printf(w->messages, "span25: letters: %zu, sites: %zu; they are in ",
               w->n_letters, w->n_sites);
    text_term(w->messages, span_str(w->dir));
    buf_printf(w->messages, ", none was sent; %zu owners are to be found%s\n",
               w->n_unknown,
               w->deadline[0] != '\0'
                   ? ""
                   : "; without registry.deadline nobody is asked to register");
    return code;
}

enum cli_exit
study_letters_write(const char *dir, const struct study_result *r,
                    const struct study_letters_options *o, struct buf *messages)
{
    struct work w = {.dir = dir, .r = r, .o = o, .messages = messages};
    enum cli_exit code = CLI_EXIT_USAGE;

    find_proposed(&w);
    day_of(o->now, w.day);
    if (!find_deadline(o->config,
                       w.has_proposed ? r->policies[w.proposed].kind : NULL,
                       r->effective, w.deadline))
        return no_deadline(messages);
    buf_init(&w.known, TABLE_MAX);
    buf_init(&w.unknown, TABLE_MAX);
    code = write_all(&w);
    buf_free(&w.known);
    buf_free(&w.unknown);
    free(w.hosts);
    free(w.sites);
    return code;
}
