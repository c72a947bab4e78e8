/* rules test: runs the cases beside rules */
#include "sensor/app/rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "rules/packs/cases.h"
#include "rules/packs/packs.h"
#include "sensor/app/read_output.h"
#include "sensor/app/registry_table.h"
#include "sensor/app/rules_files.h"
#include "sensor/base/text.h"

#define CASES_FILE_MAX (64U << 20)

static const struct registry_column columns[] = {
    {"FILE",   "file"  },
    {"RULE",   "rule"  },
    {"FIRES",  "fires" },
    {"QUIET",  "quiet" },
    {"RESULT", "result"},
};

struct testing {
    struct rules_call *call;
    struct registry_table table;
    uint32_t passed, failed;
    uint32_t faulty; /* files of which a rule was refused, or not read */
    enum err err;
};

/* A file of rules and the one beside it; cases.p is NULL when there is none. */
struct tested {
    struct span name, rules, cases_name, cases;
};

static const char *
result_of(const struct tested *f, const struct cases_row *row, bool broken)
{
    if (row->failed > 0)
        return "failed";
    if (broken)
        return "its cases have a fault";
    if (f->cases.p == NULL)
        return "no cases";
    if (row->fires == 0)
        return "no case that fires";
    return row->quiet == 0 ? "no case that is quiet" : "passed";
}

static void
add_row(struct testing *t, const struct tested *f, struct span rule,
        const struct cases_row *row, const char *result)
{
    bool passed = strcmp(result, "passed") == 0;

    t->passed += passed;
    t->failed += !passed;
    registry_table_span(&t->table, f->name);
    registry_table_span(&t->table, rule);
    registry_table_number(&t->table, row->fires);
    registry_table_number(&t->table, row->quiet);
    registry_table_text(&t->table, result);
}

static void
add_rows(struct testing *t, const struct tested *f, const struct sigma_set *s,
         const struct cases_row *rows, bool broken)
{
    for (uint32_t i = 0; i < sigma_set_count(s); i++) {
        const struct sigma_info *info = sigma_set_info(s, i);

        if (info->alerts)
            add_row(t, f, info->title, &rows[i],
                    result_of(f, &rows[i], broken));
    }
}

static enum err
run_cases(struct testing *t, const struct tested *f, const struct sigma_set *s)
{
    struct cases_row *rows = calloc(sigma_set_count(s) + 1U, sizeof(*rows));
    enum err e = rows != NULL ? ERR_OK : ERR_NOMEM;

    if (e == ERR_OK && f->cases.p != NULL)
        e = cases_run(s, f->cases, f->cases_name, rows, t->call->messages);
    if (e == ERR_OK || e == ERR_FORMAT)
        add_rows(t, f, s, rows, e == ERR_FORMAT);
    free(rows);
    return e == ERR_FORMAT ? ERR_OK : e;
}

/* Each file stands for itself, as the rules in it may be the only ones loaded.
 */
static void
test_file(struct testing *t, const struct tested *f)
{
    static const struct cases_row none = {0, 0, 0};
    struct sigma_set *s = NULL;
    enum err e = sigma_set_new(&s);
    enum err loaded = ERR_OK;

    if (e == ERR_OK)
        loaded = sigma_load(s, f->rules, f->name, t->call->messages);
    if (e == ERR_OK && (loaded == ERR_OK || loaded == ERR_FORMAT))
        e = sigma_set_compile(s, t->call->messages);
    if (loaded == ERR_FORMAT || e == ERR_FORMAT) {
        add_row(t, f, SPAN_NONE, &none, "its rules have a fault");
        t->faulty++;
        e = ERR_OK;
    } else if (e == ERR_OK) {
        e = loaded == ERR_OK ? run_cases(t, f, s) : loaded;
    }
    sigma_set_free(s);
    t->err = e != ERR_OK ? e : t->err;
}

/* ---- shipped files ---- */

static void
cases_name_of(struct span rules, struct buf *out)
{
    size_t dot = rules.n;

    while (dot > 0 && rules.p[dot - 1] != '.' && rules.p[dot - 1] != '/')
        dot--;
    buf_span(out, dot > 0 && rules.p[dot - 1] == '.' ? span_head(rules, dot - 1)
                                                     : rules);
    buf_str(out, ".cases");
}

static struct span
shipped_cases(struct span name)
{
    for (size_t i = 0; packs[i].name != NULL; i++) {
        if (span_eq(span_str(packs[i].name), name))
            return packs[i].text;
    }
    return SPAN_NONE;
}

static void
test_shipped(struct testing *t)
{
    struct buf cases;

    buf_init(&cases, 4096);
    for (size_t i = 0; packs[i].name != NULL && t->err == ERR_OK; i++) {
        struct tested f = {.name = span_str(packs[i].name),
                           .rules = packs[i].text};

        if (!rules_files_is_rule(f.name))
            continue;
        buf_reset(&cases);
        cases_name_of(f.name, &cases);
        f.cases_name = buf_view(&cases);
        f.cases = shipped_cases(f.cases_name);
        test_file(t, &f);
    }
    buf_free(&cases);
}

/* ---- files of the user ---- */

static bool
is_there(const struct buf *path)
{
    struct rules_files none;
    struct buf quiet;
    bool there;

    rules_files_init(&none);
    buf_init(&quiet, 4096);
    there = rules_files_add(&none, (const char *)path->p, &quiet) == ERR_OK;
    buf_free(&quiet);
    rules_files_free(&none);
    return there;
}

static void
test_path(struct testing *t, const char *path)
{
    struct buf rules, cases, cases_path;
    struct tested f = {.name = span_str(path)};
    enum err e;

    buf_init(&rules, SIGMA_FILE_MAX);
    buf_init(&cases, CASES_FILE_MAX);
    buf_init(&cases_path, 65536);
    cases_name_of(f.name, &cases_path);
    f.cases_name = buf_view(&cases_path);
    buf_putc(&cases_path, 0);
    e = cases_path.failed || cases_path.cut
            ? ERR_NOMEM
            : read_output_load(path, &rules, t->call->messages);
    f.rules = buf_view(&rules);
    if (e == ERR_OK && is_there(&cases_path)) {
        buf_grow(&cases, 1); /* so that an empty file is one */
        e = read_output_load((const char *)cases_path.p, &cases,
                             t->call->messages);
        f.cases = buf_view(&cases);
    }
    if (e == ERR_OK)
        test_file(t, &f);
    else {
        t->failed++;
        t->faulty++;
    }
    buf_free(&rules);
    buf_free(&cases);
    buf_free(&cases_path);
}

/* A name of cases stands for the rules beside it. */
static enum err
add_argument(struct rules_files *files, const char *path, struct buf *messages)
{
    static const char *const endings[] = {"yaml", "yml"};
    struct span s = span_str(path), stem;
    struct buf name;
    enum err e = ERR_NOENT;

    if (s.n <= 6 || !span_eq(span_tail(s, s.n - 6), SPAN_LIT(".cases")))
        return rules_files_add(files, path, messages);
    stem = span_head(s, s.n - 5);
    buf_init(&name, 65536);
    for (size_t i = 0; i < ARRAY_LEN(endings) && e == ERR_NOENT; i++) {
        buf_reset(&name);
        buf_span(&name, stem);
        buf_str(&name, endings[i]);
        buf_putc(&name, 0);
        if (is_there(&name) || i + 1 == ARRAY_LEN(endings))
            e = rules_files_add(files, (const char *)name.p, messages);
    }
    buf_free(&name);
    return e;
}

static void
test_arguments(struct testing *t)
{
    const struct cli *c = t->call->cli;
    struct rules_files files;

    rules_files_init(&files);
    for (size_t i = 0; i < c->n_arguments && t->err == ERR_OK; i++) {
        t->err = add_argument(&files, c->arguments[i], t->call->messages);
        if (t->err == ERR_NOENT)
            t->err = ERR_OK;
    }
    t->failed += (uint32_t)files.unread;
    t->faulty += (uint32_t)files.unread;
    for (size_t i = 0; i < files.n && t->err == ERR_OK; i++)
        test_path(t, files.path[i]);
    rules_files_free(&files);
}

enum cli_exit
rules_test(struct rules_call *c)
{
    struct testing t = {.call = c};
    bool good;

    registry_table_init(&t.table, columns, ARRAY_LEN(columns));
    if (c->cli->n_arguments > 0)
        test_arguments(&t);
    else
        test_shipped(&t);
    good = t.err == ERR_OK &&
           registry_table_write(&t.table, c->config, "span25.rules.test",
                                "no rules", c->out);
    registry_table_fini(&t.table);
    if (!good)
        return rules_say(c, CLI_EXIT_FAILED,
                         err_text(t.err != ERR_OK ? t.err : ERR_NOMEM));
    if (!c->config->json && !c->config->csv)
        buf_printf(c->out, "%" PRIu32 " passed, %" PRIu32 " failed\n", t.passed,
                   t.failed);
    if (t.failed > t.faulty)
        return CLI_EXIT_FAILED;
    return t.faulty > 0 ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}
