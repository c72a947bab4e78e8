#include "sensor/app/study_anonymize.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/random.h>

#include "sensor/app/study_anonymize_parts.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/hash.h"
#include "sensor/base/seen.h"
#include "sensor/base/text.h"
#include "sensor/sinks/veil.h"

#define ARENA_MAX ((size_t)1 << 30) /* as large as a result that is read */
#define TRIES     4096U             /* for a free address: of 4 million */

struct study_anonymized {
    struct sigma_arena arena;
    struct study_result r;
};

/* An address, or the code of a site, and what it becomes. */
struct other {
    struct addr addr, other;
};

struct code {
    const char *code, *label;
    uint64_t order; /* keyed */
};

struct work {
    struct study_anonymized *a;
    const struct study_result *from;
    enum study_anonymize_level level;
    struct veil *veil;
    struct anonymize_names names;
    struct other *others; /* by address, each once */
    size_t n_others;
    struct code *codes; /* by code, each once */
    size_t n_codes;
    struct buf text;
    bool failed; /* no memory */
};

/* ---- copies ---- */

static void *
copy_list(struct work *w, const void *from, size_t n, size_t size)
{
    void *to;

    if (from == NULL || n == 0)
        return NULL;
    to = sigma_arena_get(&w->a->arena, n, size);
    if (to != NULL)
        memcpy(to, from, n * size);
    w->failed = w->failed || to == NULL;
    return to;
}

/* What a level changes; the rest is the first one's. */
static void
copy_lists(struct work *w)
{
    struct study_result *r = &w->a->r;

    r->inputs = copy_list(w, r->inputs, r->n_inputs, sizeof(*r->inputs));
    r->days = copy_list(w, r->days, r->n_days, sizeof(*r->days));
    r->policies =
        copy_list(w, r->policies, r->n_policies, sizeof(*r->policies));
    r->sweeps = copy_list(w, r->sweeps, r->n_sweeps, sizeof(*r->sweeps));
    r->hosts = copy_list(w, r->hosts, r->n_hosts, sizeof(*r->hosts));
    r->sites = copy_list(w, r->sites, r->n_sites, sizeof(*r->sites));
    r->criteria =
        copy_list(w, r->criteria, r->n_criteria, sizeof(*r->criteria));
    for (size_t i = 0; !w->failed && i < r->n_policies; i++)
        r->policies[i].by_day = copy_list(w, r->policies[i].by_day, r->n_days,
                                          sizeof(*r->policies[i].by_day));
    for (size_t i = 0; !w->failed && i < r->n_sweeps; i++)
        r->sweeps[i].v = copy_list(w, r->sweeps[i].v, r->sweeps[i].n,
                                   sizeof(*r->sweeps[i].v));
}

/* A text of our own, in the arena. */
static const char *
keep(struct work *w, const char *text)
{
    const size_t n = strlen(text) + 1;
    char *to = sigma_arena_get(&w->a->arena, 1, n);

    if (to == NULL) {
        w->failed = true;
        return NULL;
    }
    memcpy(to, text, n);
    return to;
}

/* "site-07"; wide enough for all of them, so that they sort. */
static const char *
numbered(struct work *w, const char *word, size_t i, size_t all)
{
    int width = 2;

    for (size_t n = all; n >= 100; n /= 10)
        width++;
    buf_reset(&w->text);
    buf_printf(&w->text, "%s-%0*zu%c", word, width, i + 1, 0);
    w->failed = w->failed || w->text.failed;
    return w->failed ? NULL : keep(w, (const char *)w->text.p);
}

/* ---- people ---- */

static const char *
name_of_path(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;

    return slash != NULL ? slash + 1 : path;
}

static void
hide_people(struct work *w)
{
    struct study_result *r = &w->a->r;

    anonymize_names_add(&w->names, r->author);
    anonymize_names_add(&w->names, r->reviewer);
    r->author = r->reviewer = NULL;
    r->command = NULL;
    for (size_t i = 0; i < r->n_sites; i++) {
        anonymize_names_add(&w->names, r->sites[i].contact);
        r->sites[i].contact = NULL;
    }
    for (size_t i = 0; i < r->n_inputs; i++)
        r->inputs[i].name = name_of_path(r->inputs[i].name);
    r->criteria_file = name_of_path(r->criteria_file);
}

/* ---- addresses ---- */

static int
by_addr(const void *a, const void *b)
{
    return addr_cmp(&((const struct other *)a)->addr,
                    &((const struct other *)b)->addr);
}

static struct other *
find_addr(const struct work *w, const struct addr *a)
{
    const struct other key = {.addr = *a};

    return w->n_others == 0 ? NULL
                            : bsearch(&key, w->others, w->n_others,
                                      sizeof(*w->others), by_addr);
}

static uint8_t
digit(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The n-th address that the key gives for one. */
static struct addr
address_of(struct work *w, const struct addr *a, unsigned n)
{
    struct addr to = {{0}};
    struct buf of;

    buf_init(&of, 128);
    text_hex(&of, span_of(a->b, sizeof(a->b)));
    buf_printf(&of, "-%u", n);
    buf_reset(&w->text);
    veil_text(w->veil, VEIL_HEX, buf_view(&of), &w->text);
    for (size_t i = 0; i < sizeof(to.b) && 2 * i + 1 < w->text.n; i++)
        to.b[i] = (uint8_t)(digit(w->text.p[2 * i]) << 4 |
                            digit(w->text.p[2 * i + 1]));
    w->failed = w->failed || of.failed || w->text.n < 2 * sizeof(to.b);
    buf_free(&of);
    if (addr_is_v4(a)) {
        const uint8_t v4[4] = {100, (uint8_t)(64 | (to.b[1] & 63)), to.b[2],
                               to.b[3]};

        return addr_v4(v4);
    }
    to.b[0] = 0xfd;
    return to;
}

/* Not one of another host, and no host's own. */
static void
give_address(struct work *w, struct other *o, struct seen *taken)
{
    for (unsigned n = 0; n < TRIES && !w->failed; n++) {
        o->other = address_of(w, &o->addr, n);
        if (find_addr(w, &o->other) == NULL &&
            seen_add(taken,
                     hash_span(span_of(o->other.b, sizeof(o->other.b)), 0)) > 0)
            return;
    }
    w->failed = true;
}

static void
give_addresses(struct work *w)
{
    const struct study_result *r = &w->a->r;
    struct seen taken;
    size_t n = 0;

    w->others = SIGMA_GET(&w->a->arena, struct other, r->n_hosts + 1);
    if (w->others == NULL) {
        w->failed = true;
        return;
    }
    for (size_t i = 0; i < r->n_hosts; i++)
        w->others[i].addr = r->hosts[i].addr;
    if (r->n_hosts > 0)
        qsort(w->others, r->n_hosts, sizeof(*w->others), by_addr);
    for (size_t i = 0; i < r->n_hosts; i++) {
        if (n == 0 || by_addr(&w->others[n - 1], &w->others[i]) != 0)
            w->others[n++] = w->others[i];
    }
    w->n_others = n;
    seen_init(&taken, n + 1);
    for (size_t i = 0; i < n && !w->failed; i++) {
        anonymize_names_add_addr(&w->names, &w->others[i].addr);
        give_address(w, &w->others[i], &taken);
    }
    seen_fini(&taken);
}

/* ---- sites ---- */

static int
by_code(const void *a, const void *b)
{
    return strcmp(((const struct code *)a)->code,
                  ((const struct code *)b)->code);
}

static int
by_order(const void *a, const void *b)
{
    const struct code *x = a, *y = b;

    return x->order < y->order ? -1 : x->order > y->order;
}

static void
add_code(struct work *w, const char *code)
{
    if (code == NULL)
        return;
    w->codes[w->n_codes].code = code;
    w->n_codes++;
}

static void
unique_codes(struct work *w)
{
    size_t n = 0;

    if (w->n_codes > 0)
        qsort(w->codes, w->n_codes, sizeof(*w->codes), by_code);
    for (size_t i = 0; i < w->n_codes; i++) {
        if (n == 0 || by_code(&w->codes[n - 1], &w->codes[i]) != 0)
            w->codes[n++] = w->codes[i];
    }
    w->n_codes = n;
}

/* In an order that the key gives: that of their names would tell of them. */
static void
give_sites(struct work *w)
{
    const struct study_result *r = &w->a->r;

    w->codes =
        SIGMA_GET(&w->a->arena, struct code, r->n_hosts + r->n_sites + 1);
    if (w->codes == NULL) {
        w->failed = true;
        return;
    }
    for (size_t i = 0; i < r->n_hosts; i++)
        add_code(w, r->hosts[i].site);
    for (size_t i = 0; i < r->n_sites; i++)
        add_code(w, r->sites[i].code);
    unique_codes(w);
    for (size_t i = 0; i < w->n_codes; i++) {
        anonymize_names_add(&w->names, w->codes[i].code);
        buf_reset(&w->text);
        veil_text(w->veil, VEIL_WORD, span_str(w->codes[i].code), &w->text);
        w->codes[i].order = hash_span(buf_view(&w->text), 0);
    }
    if (w->n_codes > 0)
        qsort(w->codes, w->n_codes, sizeof(*w->codes), by_order);
    for (size_t i = 0; i < w->n_codes; i++)
        w->codes[i].label = numbered(w, "site", i, w->n_codes);
    if (w->n_codes > 0)
        qsort(w->codes, w->n_codes, sizeof(*w->codes), by_code);
}

static const char *
label_of(const struct work *w, const char *code)
{
    const struct code key = {.code = code};
    const struct code *found;

    if (code == NULL || w->n_codes == 0)
        return NULL;
    found = bsearch(&key, w->codes, w->n_codes, sizeof(*w->codes), by_code);
    return found != NULL ? found->label : NULL;
}

/* ---- hosts ---- */

/* Worst first, as before; of equals those first that the key says: the order
 * of their addresses would tell of them. */
static int
by_score(const void *a, const void *b)
{
    const struct study_host_row *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return addr_cmp(&x->addr, &y->addr);
}

static int
by_label(const void *a, const void *b)
{
    const char *x = ((const struct study_site *)a)->code;
    const char *y = ((const struct study_site *)b)->code;

    return strcmp(x != NULL ? x : "", y != NULL ? y : "");
}

static void
hide_rows(struct work *w)
{
    struct study_result *r = &w->a->r;

    for (size_t i = 0; i < r->n_hosts; i++) {
        struct study_host_row *h = &r->hosts[i];

        anonymize_names_add(&w->names, h->name);
        anonymize_names_add(&w->names, h->helo);
        h->addr = find_addr(w, &h->addr)->other;
        h->name = h->helo = NULL;
        h->site = label_of(w, h->site);
    }
    for (size_t i = 0; i < r->n_sites; i++) {
        anonymize_names_add(&w->names, r->sites[i].name);
        r->sites[i].code = label_of(w, r->sites[i].code);
        r->sites[i].name = NULL;
    }
    if (r->n_hosts > 0)
        qsort(r->hosts, r->n_hosts, sizeof(*r->hosts), by_score);
    if (r->n_sites > 0)
        qsort(r->sites, r->n_sites, sizeof(*r->sites), by_label);
}

static void
hide_inputs(struct work *w)
{
    struct study_result *r = &w->a->r;

    for (size_t i = 0; i < r->n_inputs; i++) {
        anonymize_names_add(&w->names, w->from->inputs[i].name);
        anonymize_names_add(&w->names, r->inputs[i].name);
        r->inputs[i].name = numbered(w, "input", i, r->n_inputs);
        r->inputs[i].hash = NULL;
    }
}

static void
hide_sensors(struct work *w)
{
    static const struct span comma = SPAN_INIT(", ");
    struct study_result *r = &w->a->r;
    struct span rest = r->sensors != NULL ? span_str(r->sensors) : SPAN_NONE;
    struct buf text;
    size_t n = 0;

    buf_init(&text, 1 << 16);
    while (rest.n > 0) {
        const size_t at = span_search(rest, comma);

        buf_reset(&w->text);
        buf_span(&w->text, span_head(rest, at));
        buf_putc(&w->text, 0);
        if (w->text.n > 0)
            anonymize_names_add(&w->names, (const char *)w->text.p);
        buf_printf(&text, "%ssensor-%02zu", n > 0 ? ", " : "", n + 1);
        rest = span_tail(rest, at + comma.n);
        n++;
    }
    buf_putc(&text, 0);
    w->failed = w->failed || text.failed || text.cut || w->text.failed;
    if (!w->failed && n > 0)
        r->sensors = keep(w, (const char *)text.p);
    buf_free(&text);
}

static void
hide_hosts(struct work *w)
{
    struct study_result *r = &w->a->r;

    give_addresses(w);
    if (!w->failed)
        give_sites(w);
    if (w->failed)
        return;
    hide_rows(w);
    hide_inputs(w);
    hide_sensors(w);
    anonymize_names_add(&w->names, w->from->criteria_file);
    anonymize_names_add(&w->names, r->criteria_file);
    r->config_hash = r->criteria_file = r->decisions_differ = NULL;
}

/* ---- texts of people ---- */

static void
hold(const struct work *w, const char **text)
{
    if (anonymize_names_in(&w->names, *text))
        *text = ANONYMIZE_HELD;
}

static void
hold_texts(struct work *w)
{
    struct study_result *r = &w->a->r;

    anonymize_names_sort(&w->names);
    hold(w, &r->title);
    hold(w, &r->status);
    hold(w, &r->classification);
    hold(w, &r->rollback);
    for (size_t i = 0; i < r->n_policies; i++) {
        hold(w, &r->policies[i].title);
        hold(w, &r->policies[i].terms);
    }
    for (size_t i = 0; i < r->n_criteria; i++)
        hold(w, &r->criteria[i].name);
    for (size_t i = 0; i < r->n_inputs; i++)
        hold(w, &r->inputs[i].name);
    hold(w, &r->criteria_file);
}

/* ---- all of it ---- */

static const char *const words[] = {
    [STUDY_ANONYMIZE_NONE] = NULL,
    [STUDY_ANONYMIZE_PEOPLE] = "names of people, and the command line",
    [STUDY_ANONYMIZE_HOSTS] =
        "names of people and hosts, and the command line; addresses, sites, "
        "sensors and inputs are pseudonyms",
    [STUDY_ANONYMIZE_ALL] =
        "names of people and hosts, the command line, and rows of hosts and "
        "sites; no group of less than 5 hosts is told: where 4 hosts are said, "
        "in it or beside it, there are 1 to 4",
};

static void
anonymize(struct work *w)
{
    struct study_result *r = &w->a->r;

    *r = *w->from;
    if (w->level == STUDY_ANONYMIZE_NONE)
        return;
    r->anonymized = words[w->level];
    copy_lists(w);
    if (w->failed)
        return;
    hide_people(w);
    if (w->level >= STUDY_ANONYMIZE_HOSTS)
        hide_hosts(w);
    if (w->failed)
        return;
    hold_texts(w);
    if (w->level == STUDY_ANONYMIZE_ALL)
        anonymize_few(w->from, r, STUDY_ANONYMIZE_FEW);
}

enum err
study_anonymize(const struct study_result *r, enum study_anonymize_level level,
                struct span key, struct study_anonymized **out)
{
    struct work w = {.from = r, .level = level};
    enum err e;

    if (key.n < STUDY_ANONYMIZE_KEY)
        return ERR_CONFIG;
    w.a = calloc(1, sizeof(*w.a));
    if (w.a == NULL)
        return ERR_NOMEM;
    sigma_arena_init(&w.a->arena, ARENA_MAX);
    buf_init(&w.text, 1U << 16);
    e = veil_new(VEIL_NETWORK, key, false, &w.veil);
    if (e == ERR_OK)
        anonymize(&w);
    if (e == ERR_OK && (w.failed || w.names.failed || w.a->arena.failed))
        e = ERR_NOMEM;
    anonymize_names_free(&w.names);
    veil_free(w.veil);
    buf_free(&w.text);
    if (e == ERR_OK)
        *out = w.a;
    else
        study_anonymized_free(w.a);
    return e;
}

const struct study_result *
study_anonymized_result(const struct study_anonymized *a)
{
    return &a->r;
}

void
study_anonymized_free(struct study_anonymized *a)
{
    if (a == NULL)
        return;
    sigma_arena_free(&a->arena);
    free(a);
}

/* ---- the key ---- */

static enum err
new_key(struct buf *out)
{
    uint8_t bytes[STUDY_ANONYMIZE_KEY];

    buf_init(out, sizeof(bytes));
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return ERR_IO;
    buf_put(out, bytes, sizeof(bytes));
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return out->failed ? ERR_NOMEM : ERR_OK;
}

enum err
study_anonymize_key(const char *file, struct buf *out, struct buf *messages)
{
    enum err e = ERR_OK;
    int number;

    if (file == NULL) {
        e = new_key(out);
        if (e != ERR_OK)
            buf_printf(messages, "span25: no key for pseudonyms: %s\n",
                       err_text(e));
        return e;
    }
    number = whole_file_load(file, VEIL_KEY_MAX, out);
    while (number == 0 && out->n > 0 &&
           (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
        out->n--;
    if (number == 0 && out->n >= STUDY_ANONYMIZE_KEY)
        return ERR_OK;
    buf_str(messages, "span25: ");
    text_term(messages, span_str(file));
    if (number == 0)
        buf_printf(messages, " is no key: it has less than %u bytes\n",
                   STUDY_ANONYMIZE_KEY);
    else if (number == EFBIG)
        buf_printf(messages, " is no key: it has more than %u bytes\n",
                   VEIL_KEY_MAX);
    else
        buf_printf(messages, " cannot be read: %s\n", strerror(number));
    return number == 0 || number == EFBIG ? ERR_CONFIG : err_from_errno(number);
}
