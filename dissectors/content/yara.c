#include "dissectors/content/yara.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <yara.h>

struct yara {
    YR_RULES *rules;
    YR_SCANNER *scanner;
    struct findings *out; /* of the scan that runs */
    size_t n_rules;
};

/* ---- compiling ---- */

struct complaint {
    const char *path;
    struct buf *message;
};

static void
on_message(int level, const char *file, int line, const YR_RULE *rule,
           const char *text, void *user)
{
    struct complaint *c = user;

    (void)file;
    (void)rule;
    if (level == YARA_ERROR_LEVEL_ERROR)
        buf_printf(c->message, "%s:%d: %s\n", c->path, line, text);
}

/* Number of errors; they are told when there is a message. */
static int
compile(YR_COMPILER *compiler, const char *path, const char *name,
        struct buf *message)
{
    struct complaint c = {path, message};
    FILE *f = fopen(path, "re");
    int n;

    if (f == NULL) {
        const enum err e = err_from_errno(errno);

        buf_printf(message, "%s: %s\n", path, err_text(e));
        return 1;
    }
    yr_compiler_set_callback(compiler, on_message, &c);
    n = yr_compiler_add_file(compiler, f, name, path);
    yr_compiler_set_callback(compiler, NULL, NULL);
    (void)fclose(f);
    return n;
}

/* A compiler that has met an error takes no more; so each file is tried in one
 * of its own. */
static bool
is_good(const char *path, struct buf *message)
{
    YR_COMPILER *compiler;
    bool good;

    if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
        return false;
    good = compile(compiler, path, NULL, message) == 0;
    yr_compiler_destroy(compiler);
    return good;
}

static int
is_rule_file(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');

    return dot != NULL && e->d_name[0] != '.' &&
           (strcmp(dot, ".yar") == 0 || strcmp(dot, ".yara") == 0);
}

static void
add_file(YR_COMPILER *compiler, const char *dir, const char *name,
         struct buf *message)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PATH_MAX)
        return;
    if (is_good(path, message))
        (void)compile(compiler, path, name, message);
}

static enum err
add_folder(YR_COMPILER *compiler, const char *dir, struct buf *message)
{
    struct dirent **list = NULL;
    const int n = scandir(dir, &list, is_rule_file, alphasort);

    if (n < 0) {
        const enum err e = err_from_errno(errno);

        buf_printf(message, "%s: %s\n", dir, err_text(e));
        return e;
    }
    for (int k = 0; k < n; k++) {
        if (k < YARA_FILES)
            add_file(compiler, dir, list[k]->d_name, message);
        free(list[k]);
    }
    free(list);
    return ERR_OK;
}

/* ---- scanning ---- */

static enum finding
finding_of(YR_RULE *rule)
{
    YR_META *meta;

    yr_rule_metas_foreach(rule, meta)
    {
        if (meta->type == META_TYPE_STRING &&
            strcmp(meta->identifier, "class") == 0)
            return strcmp(meta->string, "A") == 0 ? FIND_YARA : FIND_YARA_RISK;
    }
    return FIND_YARA;
}

static int
on_match(YR_SCAN_CONTEXT *context, int what, void *data, void *user)
{
    const struct yara *y = user;

    (void)context;
    if (what == CALLBACK_MSG_RULE_MATCHING) {
        YR_RULE *rule = data;

        findings_add_detail(y->out, finding_of(rule),
                            span_str(rule->identifier));
    }
    return CALLBACK_CONTINUE;
}

void
yara_scan(struct yara *y, struct span bytes, struct findings *out)
{
    if (y == NULL || y->scanner == NULL || bytes.n == 0)
        return;
    bytes = span_head(bytes, YARA_BYTES);
    y->out = out;
    if (yr_scanner_scan_mem(y->scanner, bytes.p, bytes.n) != ERROR_SUCCESS)
        findings_add(out, FIND_INSPECTION_LIMIT);
    y->out = NULL;
}

/* ---- life ---- */

static enum err
make_scanner(struct yara *y, YR_COMPILER *compiler)
{
    YR_RULE *rule;

    if (yr_compiler_get_rules(compiler, &y->rules) != ERROR_SUCCESS)
        return ERR_NOMEM;
    yr_rules_foreach(y->rules, rule)
    {
        y->n_rules++;
    }
    if (y->n_rules == 0)
        return ERR_OK;
    if (yr_scanner_create(y->rules, &y->scanner) != ERROR_SUCCESS)
        return ERR_NOMEM;
    yr_scanner_set_callback(y->scanner, on_match, y);
    yr_scanner_set_flags(y->scanner, SCAN_FLAGS_NO_TRYCATCH |
                                         SCAN_FLAGS_REPORT_RULES_MATCHING);
    yr_scanner_set_timeout(y->scanner, 0);
    return ERR_OK;
}

static enum err
load(struct yara *y, const char *dir, struct buf *message)
{
    YR_COMPILER *compiler;
    enum err e;

    if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
        return ERR_NOMEM;
    e = add_folder(compiler, dir, message);
    if (e == ERR_OK)
        e = make_scanner(y, compiler);
    yr_compiler_destroy(compiler);
    return e;
}

enum err
yara_new(const char *dir, struct yara **out, struct buf *message)
{
    struct yara *y = calloc(1, sizeof(*y));
    enum err e;

    if (y == NULL)
        return ERR_NOMEM;
    if (yr_initialize() != ERROR_SUCCESS) {
        free(y);
        return ERR_NOMEM;
    }
    e = load(y, dir, message);
    if (e != ERR_OK) {
        yara_free(y);
        return e;
    }
    *out = y;
    return ERR_OK;
}

void
yara_free(struct yara *y)
{
    if (y == NULL)
        return;
    if (y->scanner != NULL)
        yr_scanner_destroy(y->scanner);
    if (y->rules != NULL)
        yr_rules_destroy(y->rules);
    (void)yr_finalize();
    free(y);
}

size_t
yara_rules(const struct yara *y)
{
    return y->n_rules;
}
