/* rules check: loads files and folders, and says all that is wrong */
#include "sensor/app/rules.h"
#include "sensor/app/rules_load.h"

static void
put_count(struct buf *out, uint64_t n, const char *one, const char *many)
{
    buf_u64(out, n);
    buf_printf(out, " %s", n == 1 ? one : many);
}

static void
put_counts(const struct rules_loaded *l, struct buf *out)
{
    put_count(out, l->files, "file: ", "files: ");
    put_count(out, l->own.rules, "rule, ", "rules, ");
    put_count(out, l->own.correlations, "correlation, ", "correlations, ");
    put_count(out, l->own.filters, "filter", "filters");
    buf_str(out, " loaded\n");
    put_count(out, l->own.foreign, "rule is", "rules are");
    buf_str(out, " for other log sources and will never match\n");
    put_count(out, l->refused, "document", "documents");
    buf_str(out, " refused");
    if (l->unread > 0) {
        buf_str(out, ", ");
        put_count(out, l->unread, "path", "paths");
        buf_str(out, " not read");
    }
    buf_putc(out, '\n');
}

enum cli_exit
rules_check(struct rules_call *c)
{
    struct sigma_set *s = NULL;
    struct rules_loaded loaded;
    enum err e = rules_load(c->config, c->cli->arguments, c->cli->n_arguments,
                            &s, &loaded, c->messages);

    if (e != ERR_OK)
        return rules_failed(c, e);
    put_counts(&loaded, c->out);
    sigma_set_free(s);
    return rules_loaded_exit(&loaded);
}
