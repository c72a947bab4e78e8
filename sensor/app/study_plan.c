#include "sensor/app/study_plan.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "sensor/app/study_plan_load.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

/* Of the texts in hand; ctx NULL: nothing was added. */
struct digest {
    EVP_MD_CTX *ctx;
    bool failed;
};

static void
digest_add(struct digest *d, struct span text)
{
    if (d->ctx == NULL) {
        d->ctx = EVP_MD_CTX_new();
        d->failed = d->ctx == NULL ||
                    EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1;
    }
    if (!d->failed)
        d->failed = EVP_DigestUpdate(d->ctx, text.p, text.n) != 1;
}

static void
digest_end(struct digest *d, char hash[65])
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    struct buf hex;

    hash[0] = 0;
    if (d->ctx == NULL)
        return;
    d->failed = d->failed || EVP_DigestFinal_ex(d->ctx, sum, NULL) != 1;
    buf_init(&hex, 64);
    if (!d->failed)
        text_hex(&hex, span_of(sum, 32));
    d->failed = d->failed || hex.n != 64;
    if (!d->failed) {
        memcpy(hash, hex.p, 64);
        hash[64] = 0;
    }
    buf_free(&hex);
    EVP_MD_CTX_free(d->ctx);
}

static enum err
told(struct buf *messages, const char *file, const char *why)
{
    buf_str(messages, "span25: cannot read ");
    text_term(messages, span_str(file));
    buf_printf(messages, ": %s", why);
    return ERR_IO;
}

/* must_hash: it is hashed whether or not it has criteria. */
static enum err
read_file(struct plan_load *l, const char *file, bool must_hash,
          struct digest *d)
{
    struct buf text;
    bool criteria = false;
    const int number = whole_file_load(file, STUDY_PLAN_FILE, &text);
    enum err e = ERR_OK;

    if (number == 0) {
        plan_load_text(l, buf_view(&text), file, &criteria);
        if (criteria || must_hash)
            digest_add(d, buf_view(&text));
    } else if (number == EFBIG) {
        (void)told(l->messages, file, "it is longer than 1 MiB\n");
        e = ERR_CONFIG;
    } else {
        (void)told(l->messages, file, strerror(number));
        e = err_from_errno(number);
        if (e == ERR_NOENT && !must_hash) {
            buf_str(l->messages, "; shipped policies are ");
            plan_load_shipped_names(l->messages);
        }
        buf_putc(l->messages, '\n');
    }
    buf_free(&text);
    return e;
}

static enum err
finish(struct plan_load *l, enum err e, struct study_plan *out)
{
    if (e == ERR_OK && l->plan->n_policies == 0)
        plan_load_all_shipped(l);
    /* of what was not read nothing can be missed */
    if (e == ERR_OK && !l->broken)
        plan_load_check(l);
    if (e == ERR_OK)
        e = plan_load_result(l);
    if (e == ERR_OK)
        *out = *l->plan;
    else
        study_plan_free(l->plan);
    return e;
}

enum err
study_plan_read(const struct study_plan_files *files, struct study_plan *out,
                char hash[65], struct buf *messages)
{
    struct study_plan plan;
    struct plan_load *l = calloc(1, sizeof(*l));
    struct digest d = {NULL, false};
    enum err first = ERR_OK;

    if (l == NULL)
        return ERR_NOMEM;
    study_plan_init(&plan);
    l->plan = &plan;
    l->messages = messages;
    for (size_t i = 0; i < files->n_policies; i++) {
        const char *name = files->policies[i];
        enum err e =
            plan_load_shipped(l, name) ? ERR_OK : read_file(l, name, false, &d);

        first = first == ERR_OK ? e : first;
    }
    if (files->criteria != NULL) {
        enum err e = read_file(l, files->criteria, true, &d);

        first = first == ERR_OK ? e : first;
    }
    digest_end(&d, hash);
    if (d.failed && first == ERR_OK)
        first = ERR_NOMEM;
    first = finish(l, first, out);
    free(l);
    return first;
}

enum err
study_plan_parse(struct span text, const char *name, struct study_plan *out,
                 struct buf *messages)
{
    struct study_plan plan;
    struct plan_load *l = calloc(1, sizeof(*l));
    bool criteria;
    enum err e;

    if (l == NULL)
        return ERR_NOMEM;
    study_plan_init(&plan);
    l->plan = &plan;
    l->messages = messages;
    plan_load_text(l, text, name, &criteria);
    e = finish(l, ERR_OK, out);
    free(l);
    return e;
}
