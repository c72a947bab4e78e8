#include "sensor/app/rules_load.h"

#include <openssl/evp.h>

#include "rules/packs/packs.h"
#include "sensor/app/read_output.h"
#include "sensor/app/rules_files.h"
#include "sensor/base/near.h"
#include "sensor/base/text.h"

#define HASHED_MAX (256U << 20) /* 65,536 rules of 4 KiB of ids and titles */

/* ---- what the configuration says ---- */

static const struct span pack_words[] = {
#define X(name) SPAN_INIT(#name),
    PACKS(X)
#undef X
};

struct span
rules_load_pack(struct span name)
{
    return span_head(name, span_find(name, '/'));
}

static enum err
check_packs(const struct config *c, struct buf *messages)
{
    for (size_t i = 0; i < c->rules_packs.n; i++) {
        struct span word = span_str(c->rules_packs.v[i]);
        struct near near = near_start(word);
        size_t k = 0;

        while (k < ARRAY_LEN(pack_words) && !span_eq(pack_words[k], word))
            near_offer(&near, pack_words[k++]);
        if (k < ARRAY_LEN(pack_words) || span_eq(word, SPAN_LIT("none")))
            continue;
        buf_str(messages, "span25: rules.packs: there is no pack '");
        text_term(messages, word);
        buf_str(messages, near.best.n > 0 ? "', did you mean '" : "', write ");
        if (near.best.n > 0) {
            buf_span(messages, near.best);
            buf_str(messages, "'?\n");
        } else {
            buf_str(messages, "policy, behaviour, content, protocol or none\n");
        }
        return ERR_CONFIG;
    }
    return ERR_OK;
}

static bool
is_on(const struct config *c, struct span pack)
{
    for (size_t i = 0; i < c->rules_packs.n; i++) {
        if (span_eq(pack, span_str(c->rules_packs.v[i])))
            return true;
    }
    return c->rules_packs.n == 0;
}

static enum err
disable(const struct config *c, struct sigma_set *s)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < c->rules_disable.n && e == ERR_OK; i++)
        e = sigma_set_disable(s, span_str(c->rules_disable.v[i]));
    return e;
}

/* A rule that was meant to be quiet and is not would be a surprise. */
static enum err
check_disabled(const struct config *c, const struct sigma_set *s,
               struct buf *messages)
{
    for (size_t i = 0; i < c->rules_disable.n; i++) {
        struct span word = span_str(c->rules_disable.v[i]);

        if (sigma_set_find(s, word) < sigma_set_count(s))
            continue;
        buf_str(messages,
                "span25: rules.disable: no rule has the id or name '");
        text_term(messages, word);
        buf_str(messages, "'; span25 rules list shows them\n");
        return ERR_CONFIG;
    }
    return ERR_OK;
}

/* ---- files ---- */

static enum err
load_file(struct sigma_set *s, const char *path, struct rules_loaded *how,
          struct buf *messages)
{
    struct buf text;
    enum err e;

    buf_init(&text, SIGMA_FILE_MAX);
    e = read_output_load(path, &text, messages);
    if (e == ERR_OK) {
        e = sigma_load(s, buf_view(&text), span_str(path), messages);
        e = e == ERR_FORMAT ? ERR_OK : e;
    } else if (e != ERR_NOMEM) {
        how->unread++;
        e = ERR_OK;
    }
    buf_free(&text);
    return e;
}

static enum err
load_files(struct sigma_set *s, char *const *paths, size_t n,
           struct rules_loaded *how, struct buf *messages)
{
    struct rules_files files;
    enum err e = ERR_OK;

    rules_files_init(&files);
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = rules_files_add(&files, paths[i], messages);
    for (size_t i = 0; i < files.n && e == ERR_OK; i++)
        e = load_file(s, files.path[i], how, messages);
    how->files = files.n;
    how->unread += files.unread;
    rules_files_free(&files);
    return e;
}

static enum err
load_shipped(const struct config *c, struct sigma_set *s, struct buf *messages)
{
    enum err e = ERR_OK;

    sigma_set_keep_first(s);
    for (size_t i = 0; packs[i].name != NULL && e == ERR_OK; i++) {
        struct span name = span_str(packs[i].name);

        if (!rules_files_is_rule(name) || !is_on(c, rules_load_pack(name)))
            continue;
        e = sigma_set_pack(s, rules_load_pack(name));
        if (e == ERR_OK)
            e = sigma_load(s, packs[i].text, name, messages);
        e = e == ERR_FORMAT ? ERR_OK : e;
    }
    return e;
}

/* ---- what came of it ---- */

static void
count_one(const struct sigma_info *i, struct rules_loaded *how)
{
    struct sigma_loaded *l = i->pack.n > 0 ? &how->shipped : &how->own;

    l->rules += i->kind == SIGMA_RULE;
    l->correlations += i->kind == SIGMA_CORRELATION;
    l->filters += i->kind == SIGMA_FILTER;
    l->foreign += i->foreign;
    how->alerting += i->alerts;
    how->disabled += i->disabled;
}

static void
put_hashed(const struct sigma_info *i, struct buf *out)
{
    buf_printf(out, "%d %d %016llx ", (int)i->kind, i->alerts,
               (unsigned long long)i->hash);
    buf_span(out, i->id);
    buf_putc(out, 0);
    buf_span(out, i->name);
    buf_putc(out, 0);
    buf_span(out, i->title);
    buf_putc(out, '\n');
}

static enum err
hash_all(const struct sigma_set *s, struct rules_loaded *how)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct buf text, hex;
    size_t n = 0;
    bool good;

    buf_init(&text, HASHED_MAX);
    buf_init(&hex, RULES_HASH_HEX);
    for (uint32_t i = 0; i < sigma_set_count(s); i++) {
        const struct sigma_info *info = sigma_set_info(s, i);

        put_hashed(info, &text);
        count_one(info, how);
    }
    good = !text.failed && !text.cut &&
           EVP_Q_digest(NULL, "SHA256", NULL, text.p != NULL ? text.p : digest,
                        text.n, digest, &n) == 1;
    text_hex(&hex, span_of(digest, good ? n : 0));
    good = good && hex.n == RULES_HASH_HEX;
    if (good)
        memcpy(how->hash, hex.p, hex.n);
    buf_free(&text);
    buf_free(&hex);
    return good ? ERR_OK : ERR_NOMEM;
}

static enum err
load_all(const struct config *c, char *const *paths, size_t n,
         struct sigma_set *s, struct rules_loaded *how, struct buf *messages)
{
    enum err e = check_packs(c, messages);

    if (e == ERR_OK)
        e = disable(c, s);
    if (e == ERR_OK)
        e = load_files(s, paths, n, how, messages);
    if (e == ERR_OK)
        e = load_shipped(c, s, messages);
    if (e == ERR_OK)
        e = sigma_set_compile(s, messages);
    if (e != ERR_OK && e != ERR_FORMAT)
        return e;
    how->refused = sigma_set_loaded(s).refused;
    how->replaced = sigma_set_loaded(s).replaced;
    e = check_disabled(c, s, messages);
    return e == ERR_OK ? hash_all(s, how) : e;
}

enum err
rules_load(const struct config *c, char *const *paths, size_t n_paths,
           struct sigma_set **out, struct rules_loaded *how,
           struct buf *messages)
{
    char *const dir[] = {c->rules};
    struct sigma_set *s = NULL;
    enum err e = sigma_set_new(&s);

    *how = (struct rules_loaded){.files = 0};
    if (paths == NULL) {
        paths = dir;
        n_paths = c->rules != NULL;
    }
    if (e == ERR_OK)
        e = load_all(c, paths, n_paths, s, how, messages);
    if (e != ERR_OK) {
        sigma_set_free(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}
