#include "sensor/app/read_place.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "sensor/app/config_text.h"
#include "sensor/app/options_sites.h"
#include "sensor/app/read_home.h"
#include "sensor/app/read_output.h"
#include "sensor/base/text.h"
#include "sensor/core/geo.h"

static void
say_digest(struct span text, struct buf *said)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (EVP_Q_digest(NULL, "SHA256", NULL, text.p, text.n, digest, &n) != 1)
        return;
    buf_str(said, ", sha256 ");
    text_hex(said, span_of(digest, n));
}

static void
say_home(const struct read_place *p, struct buf *said)
{
    buf_str(said,
            p->home_guessed ? "home networks (guessed):" : "home networks:");
    for (size_t i = 0; i < sites_n_home(p->sites); i++) {
        buf_putc(said, ' ');
        prefix_format(&sites_home(p->sites)[i], said);
    }
}

/* What is written of them as a file is what took force. */
static void
say_sites(const struct config *c, struct buf *said)
{
    struct buf text;

    if (c->sites.n == 0)
        return;
    buf_init(&text, 64U << 20);
    config_text_sites(c, &text);
    buf_printf(said, "; sites: %zu", c->sites.n);
    say_digest(buf_view(&text), said);
    buf_free(&text);
}

static enum err
make_sites(const struct config *c, const struct worker_plan *plan,
           struct read_place *p, struct buf *messages)
{
    struct prefix guessed[HOME_GUESS_MAX];
    uint32_t line;
    size_t n = 0;
    enum err e = options_sites_make(c, NULL, 0, &p->sites, &line, messages);

    if (e != ERR_OK || sites_n_home(p->sites) > 0)
        return e;
    sites_free(p->sites);
    p->sites = NULL;
    p->home_guessed = true;
    n = read_home_guess(plan, guessed);
    return options_sites_make(c, guessed, n, &p->sites, &line, messages);
}

/* ---- leases ---- */

static void
refuse(const char *path, struct buf *messages)
{
    buf_str(messages, "span25: ");
    text_term(messages, span_str(path));
    buf_str(messages, ": neither CSV with the columns address and start, nor "
                      "Kea's memfile, nor ISC dhcpd.leases\n");
}

static void
say_faulty(const char *path, size_t faulty, struct buf *messages)
{
    if (faulty <= LEASES_FAULTS)
        return;
    text_term(messages, span_str(path));
    buf_printf(messages, ": %zu more faulty entries are left out\n",
               faulty - LEASES_FAULTS);
}

static enum err
read_file(const char *path, struct leases *l, struct buf *said,
          struct buf *messages)
{
    size_t before = leases_n(l), faulty = 0;
    struct buf text;
    enum err e;

    buf_init(&text, READ_PLACE_LEASES_MAX);
    e = read_output_load(path, &text, messages);
    if (e == ERR_OK)
        e = leases_read(l, buf_view(&text), path, &faulty, messages);
    if (e == ERR_OK) {
        say_faulty(path, faulty, messages);
        buf_str(said, "; leases ");
        text_term(said, span_str(path));
        buf_printf(said, ": %zu", leases_n(l) - before);
        say_digest(buf_view(&text), said);
    } else if (e == ERR_FORMAT) {
        refuse(path, messages);
    }
    buf_free(&text);
    return e;
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Before they are read: what changes meanwhile is seen by the next look. One
 * that is not there now is left as it was, for it may just be replaced. */
static enum err
look_at_leases(const struct config *c, struct read_place *p, bool *other)
{
    struct stat now;

    *other = c->leases.n != p->n_were;
    if (*other) {
        free(p->were);
        p->n_were = 0;
        p->were = calloc(c->leases.n + 1, sizeof(*p->were));
        if (p->were == NULL)
            return ERR_NOMEM;
        p->n_were = c->leases.n;
    }
    for (size_t i = 0; i < p->n_were; i++) {
        if (stat(c->leases.v[i], &now) != 0 || is_same_file(&now, &p->were[i]))
            continue;
        p->were[i] = now;
        *other = true;
    }
    return ERR_OK;
}

static enum err
load_leases(const struct config *c, struct leases **out, struct buf *said,
            struct buf *messages)
{
    enum err e;

    if (c->leases.n == 0)
        return ERR_OK;
    e = leases_new(out);
    for (size_t i = 0; i < c->leases.n && e == ERR_OK; i++)
        e = read_file(c->leases.v[i], *out, said, messages);
    return e == ERR_OK ? leases_done(*out) : e;
}

bool
read_place_refresh(const struct config *c, struct read_place *p,
                   struct leases **old, struct buf *said, struct buf *messages)
{
    struct leases *fresh = NULL;
    struct buf text;
    bool other;
    enum err e = look_at_leases(c, p, &other);

    if (e == ERR_OK && !other)
        return false;
    buf_init(&text, 1U << 20);
    if (e == ERR_OK)
        e = load_leases(c, &fresh, &text, messages);
    if (e == ERR_OK) /* "; " stands before each file */
        buf_span(said, text.n > 0 ? span_tail(buf_view(&text), 2)
                                  : SPAN_LIT("no leases"));
    buf_free(&text);
    if (e == ERR_OK) {
        *old = p->leases;
        p->leases = fresh;
        return true;
    }
    leases_free(fresh);
    if (e == ERR_NOMEM)
        buf_printf(messages, "span25: leases: %s\n", err_text(e));
    buf_str(messages, "span25: the leases read before stay in force\n");
    return false;
}

enum err
read_place_load(const struct config *c, const struct worker_plan *plan,
                struct read_place *p, struct buf *said, struct buf *messages)
{
    enum err e = make_sites(c, plan, p, messages);
    bool other;

    if (e == ERR_OK)
        e = look_at_leases(c, p, &other);
    if (e != ERR_OK)
        return e;
    say_home(p, said);
    say_sites(c, said);
    return load_leases(c, &p->leases, said, messages);
}

void
read_place_free(struct read_place *p)
{
    sites_free(p->sites);
    leases_free(p->leases);
    free(p->were);
}

enum err
read_place_geo(const struct config *c, struct geo **out, struct buf *messages)
{
    const struct geo_options o = {
        .country = c->geo_country,
        .as = c->geo_as,
        .paths = {[GEO_COUNTRY] = c->geo_country_path,
                  [GEO_AS] = c->geo_as_path,
                  [GEO_ORG] = c->geo_org_path},
    };

    return geo_open(&o, out, messages);
}
