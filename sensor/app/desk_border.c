#include "sensor/app/desk_border.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rules/feed/border.h"
#include "sensor/app/desk_feeds.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define SCRIPT_BYTES (256U << 20)
#define VERIFY_BYTES ((size_t)256 << 20)
#define PATH_BYTES   8192U

/* What a border is made of, and must outlive it. */
struct parts {
    struct desk_feeds feeds;
    struct permits permits;
    struct border_site *sites;
    struct permits_range *exempt;
    size_t n_exempt;
    struct border_in in;
    struct border *border;
};

static void
parts_fini(struct parts *p)
{
    border_free(p->border);
    permits_fini(&p->permits);
    desk_feeds_fini(&p->feeds);
    free(p->sites);
    free(p->exempt);
}

/* ---- what it is made of ---- */

static bool
take_sites(struct parts *p, const struct config *c)
{
    p->sites = calloc(c->sites.n + 1, sizeof(*p->sites));
    for (size_t i = 0; p->sites != NULL && i < c->sites.n; i++) {
        const struct config_site *s = &c->sites.v[i];

        p->sites[i] = (struct border_site){
            .code = span_str(s->code),
            /* "default" is the first word of a site's phase */
            .phase = (enum border_phase)(s->phase > 0 ? s->phase - 1
                                                      : c->border_phase),
            .prefixes = s->prefixes.v,
            .n = s->prefixes.n,
        };
    }
    return p->sites != NULL;
}

/* What nobody may stop by a list is not stopped by the rule either. */
static bool
take_exempt(struct parts *p)
{
    const struct feed_source *s = &p->feeds.source;

    p->exempt = calloc(s->n_never + 1, sizeof(*p->exempt));
    for (size_t i = 0; p->exempt != NULL && i < s->n_never; i++) {
        if (s->never[i].kind == FEED_WHY_EXCEPTED ||
            s->never[i].kind == FEED_WHY_PROTECTED)
            p->exempt[p->n_exempt++] = s->never[i].range;
    }
    return p->exempt != NULL;
}

static enum cli_exit
make_border(struct desk *d, struct parts *p)
{
    const struct config *c = d->config;
    enum border_verdict v;

    p->in = (struct border_in){
        .sites = p->sites,
        .n_sites = c->sites.n,
        .home = c->home.v,
        .n_home = c->home.n,
        .rest = (enum border_phase)c->border_phase,
        .other = (enum border_phase)c->border_other,
        .permits = &p->permits,
        .exempt = p->exempt,
        .n_exempt = p->n_exempt,
        .allow_empty = c->allow_empty,
        .trial_s = c->border_trial / NS_PER_S,
        .now = d->now,
    };
    v = border_new(&p->in, &p->border);
    if (v == BORDER_DONE)
        return CLI_EXIT_DONE;
    buf_printf(d->messages, "span25: no rule: %s%s\n", border_verdict_doc(v),
               v == BORDER_NO_PERMIT ? "; --allow-empty prints it"
               : v == BORDER_NO_HOME ? "; set network.home or sites"
                                     : "");
    return v == BORDER_MEMORY ? CLI_EXIT_FAILED : CLI_EXIT_REFUSED;
}

static enum cli_exit
read_parts(struct desk *d, struct parts *p)
{
    enum cli_exit code;
    enum err e;

    p->feeds.preview = true;
    code = desk_feeds_read(&p->feeds);
    if (code != CLI_EXIT_DONE)
        return code;
    if (d->book == NULL)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "no rule: this state has no registry, so nobody is "
                        "known to be permitted");
    e = permits_collect(d->book, d->now, FORM_BOTH, &p->permits);
    if (e == ERR_OK && (!take_sites(p, d->config) || !take_exempt(p)))
        e = ERR_NOMEM;
    if (e != ERR_OK)
        return desk_say(d, CLI_EXIT_FAILED, err_text(e));
    return make_border(d, p);
}

/* ---- scripts ---- */

static enum cli_exit
write_script(struct desk *d, const struct border *b, enum border_script s,
             struct buf *out)
{
    border_write(b, s, out);
    if (!out->cut && !out->failed)
        return CLI_EXIT_DONE;
    return desk_say(d, CLI_EXIT_FAILED,
                    err_text(out->cut ? ERR_LIMIT : ERR_NOMEM));
}

static enum cli_exit
say_errno(struct desk *d, const char *what, const char *path, int number)
{
    buf_printf(d->messages, "span25: cannot %s ", what);
    text_term(d->messages, span_str(path));
    buf_printf(d->messages, ": %s\n", strerror(number));
    return CLI_EXIT_FAILED;
}

static enum cli_exit
save_one(struct desk *d, const struct border *b, enum border_script s)
{
    struct buf path, text;
    enum cli_exit code;
    int number;

    buf_init(&path, PATH_BYTES);
    buf_init(&text, SCRIPT_BYTES);
    buf_printf(&path, "%s/%s.nft%c", d->config->saved, border_script_word(s),
               0);
    code = path.cut || path.failed
               ? desk_say(d, CLI_EXIT_USAGE, "--output: too long a name")
               : write_script(d, b, s, &text);
    if (code == CLI_EXIT_DONE) {
        number = whole_file_save((const char *)path.p, buf_view(&text));
        if (number != 0)
            code = say_errno(d, "write", (const char *)path.p, number);
    }
    buf_free(&text);
    buf_free(&path);
    return code;
}

/* The way back first: there is never a load without its undo beside it. */
static enum cli_exit
save_all(struct desk *d, const struct border *b)
{
    static const enum border_script order[] = {BORDER_UNDO, BORDER_DISARM,
                                               BORDER_ARM, BORDER_LOAD};
    const char *dir = d->config->saved;
    enum cli_exit code = CLI_EXIT_DONE;

    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return say_errno(d, "make", dir, errno);
    for (size_t i = 0; code == CLI_EXIT_DONE && i < ARRAY_LEN(order); i++)
        code = save_one(d, b, order[i]);
    if (code == CLI_EXIT_DONE) {
        buf_str(d->out, "undo.nft, disarm.nft, arm.nft and load.nft are in ");
        text_term(d->out, span_str(dir));
        buf_str(d->out,
                "\nload.nft counts and stops nothing; read it back with "
                "--verify before arm.nft stops anything\n");
    }
    return code;
}

/* ---- the way back ---- */

static enum cli_exit
compare(struct desk *d, const struct border *b, struct span text)
{
    struct border_found f;
    struct buf why;
    enum err e;

    buf_init(&why, 1 << 16);
    e = border_verify(b, text, &f, &why);
    buf_span(d->messages, buf_view(&why));
    buf_free(&why);
    if (e != ERR_OK)
        return desk_say_value(d, CLI_EXIT_USAGE, "",
                              span_str(d->config->verify),
                              ": not what nft -j list table inet "
                              "span25_border prints; do not arm it");
    buf_printf(d->out, "permits %zu, missing %zu, extra %zu: %s\n", f.permits,
               f.missing, f.extra,
               f.missing == 0 && f.extra == 0
                   ? "all of them are loaded, and no other; it may be armed"
                   : "do not arm it; load it again");
    return f.missing == 0 && f.extra == 0 ? CLI_EXIT_DONE : CLI_EXIT_PARTIAL;
}

static enum cli_exit
verify(struct desk *d, const struct border *b)
{
    const char *path = d->config->verify;
    enum cli_exit code;
    struct buf text;
    const int number = whole_file_load(path, VERIFY_BYTES, &text);

    code = number == 0 ? compare(d, b, buf_view(&text))
                       : say_errno(d, "read", path, number);
    buf_free(&text);
    return code;
}

enum cli_exit
desk_border_export(struct desk *d)
{
    struct parts p = {.n_exempt = 0};
    enum cli_exit code;

    desk_feeds_init(&p.feeds, d);
    code = read_parts(d, &p);
    if (code == CLI_EXIT_DONE && d->config->verify != NULL)
        code = verify(d, p.border);
    else if (code == CLI_EXIT_DONE && d->config->saved != NULL &&
             strcmp(d->config->saved, "-") != 0)
        code = save_all(d, p.border);
    else if (code == CLI_EXIT_DONE)
        code = write_script(
            d, p.border, (enum border_script)d->config->border_script, d->out);
    parts_fini(&p);
    return code;
}
