/* rules check: loads files and folders, and says all that is wrong */
#include "sensor/app/rules.h"

#include <inttypes.h>

#include "rules/packs/packs.h"
#include "sensor/app/read_output.h"
#include "sensor/app/rules_files.h"

static enum err
load_file(struct rules_call *c, struct sigma_set *s, const char *path,
          size_t *unread)
{
    struct buf text;
    enum err e;

    buf_init(&text, SIGMA_FILE_MAX);
    e = read_output_load(path, &text, c->messages);
    if (e == ERR_OK)
        e = sigma_load(s, buf_view(&text), span_str(path), c->messages);
    else
        ++*unread;
    buf_free(&text);
    return e == ERR_NOMEM || e == ERR_LIMIT ? e : ERR_OK;
}

/* Behind the others, so that rules may look at shipped ones, and replace them.
 */
static enum err
load_shipped(struct rules_call *c, struct sigma_set *s)
{
    enum err e = ERR_OK;

    sigma_set_keep_first(s);
    for (size_t i = 0; packs[i].name != NULL && e == ERR_OK; i++) {
        if (rules_files_is_rule(span_str(packs[i].name)))
            e = sigma_load(s, packs[i].text, span_str(packs[i].name),
                           c->messages);
    }
    return e;
}

static enum err
load_all(struct rules_call *c, struct sigma_set *s, struct rules_files *files,
         struct sigma_loaded *out)
{
    struct sigma_loaded mine, all;
    enum err e = ERR_OK;

    for (size_t i = 0; i < c->cli->n_arguments && e == ERR_OK; i++) {
        e = rules_files_add(files, c->cli->arguments[i], c->messages);
        e = e == ERR_NOENT ? ERR_OK : e;
    }
    for (size_t i = 0; i < files->n && e == ERR_OK; i++)
        e = load_file(c, s, files->path[i], &files->unread);
    if (e != ERR_OK)
        return e;
    mine = sigma_set_loaded(s);
    e = load_shipped(c, s);
    if (e != ERR_OK)
        return e;
    all = sigma_set_loaded(s);
    e = sigma_set_compile(s, c->messages);
    *out = sigma_set_loaded(s);
    out->rules -= all.rules - mine.rules;
    out->correlations -= all.correlations - mine.correlations;
    out->filters -= all.filters - mine.filters;
    return e == ERR_FORMAT ? ERR_OK : e;
}

static void
put_count(struct buf *out, uint64_t n, const char *one, const char *many)
{
    buf_u64(out, n);
    buf_printf(out, " %s", n == 1 ? one : many);
}

static void
put_counts(const struct rules_files *files, const struct sigma_loaded *l,
           struct buf *out)
{
    put_count(out, files->n, "file: ", "files: ");
    put_count(out, l->rules, "rule, ", "rules, ");
    put_count(out, l->correlations, "correlation, ", "correlations, ");
    put_count(out, l->filters, "filter", "filters");
    buf_str(out, " loaded\n");
    put_count(out, l->foreign, "rule is", "rules are");
    buf_str(out, " for other log sources and will never match\n");
    put_count(out, l->refused, "document", "documents");
    buf_str(out, " refused");
    if (files->unread > 0) {
        buf_str(out, ", ");
        put_count(out, files->unread, "path", "paths");
        buf_str(out, " not read");
    }
    buf_putc(out, '\n');
}

enum cli_exit
rules_check(struct rules_call *c)
{
    struct sigma_set *s = NULL;
    struct sigma_loaded loaded = {0};
    struct rules_files files;
    enum err e = sigma_set_new(&s);
    enum cli_exit code = CLI_EXIT_FAILED;

    rules_files_init(&files);
    if (e == ERR_OK)
        e = load_all(c, s, &files, &loaded);
    if (e == ERR_OK) {
        put_counts(&files, &loaded, c->out);
        code = loaded.refused > 0 || files.unread > 0 ? CLI_EXIT_USAGE
                                                      : CLI_EXIT_DONE;
    } else {
        (void)rules_say(c, code, err_text(e));
    }
    rules_files_free(&files);
    sigma_set_free(s);
    return code;
}
