#include "dashboards/study_report.h"
#include "rules/study/criteria.h"
#include "sensor/app/caller.h"
#include "sensor/app/registry_time.h"
#include "sensor/app/study.h"
#include "sensor/app/study_file.h"
#include "sensor/app/study_anonymize.h"
#include "sensor/app/study_letters.h"
#include "sensor/app/study_plan.h"
#include "sensor/app/study_reviewed.h"
#include "sensor/app/study_sweep.h"
#include "sensor/app/study_work.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MAX  (1ULL << 30)
#define COMMAND_MAX 65536U
#define PATH_ROOM   4096U

struct run {
    const struct config *c;
    struct study_plan plan;
    struct study_sweeps sweeps;
    struct study_reviewed reviewed;
    struct study_json *review; /* of --review; NULL: none */
    char criteria_hash[65];
    struct study_work *work;
    struct study_result result;
    struct study_anonymized *shared;
    bool finished;
    struct buf command, why;
    struct buf *messages;
};

/* ---- what is asked for ---- */

static const char *
or_none(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static enum err
read_time(const char *flag, const char *text, struct buf *messages, ns_t *out)
{
    if (text == NULL || text[0] == '\0')
        return ERR_OK;
    if (registry_time_read(span_str(text), caller_clock(), out))
        return ERR_OK;
    buf_printf(messages,
               "span25: %s is a day or a time in UTC, such as "
               "2026-10-01 or 2026-10-01T08:00:00Z, not ",
               flag);
    text_term(messages, span_str(text));
    buf_putc(messages, '\n');
    return ERR_USAGE;
}

static enum err
read_plan(struct run *r)
{
    const struct study_plan_files files = {
        .policies = r->c->study_policies.v,
        .n_policies = r->c->study_policies.n,
        .criteria = r->c->study_criteria,
    };

    return study_plan_read(&files, &r->plan, r->criteria_hash, r->messages);
}

static enum err
add_sweeps(struct run *r, enum verb verb)
{
    const struct study_sweep_ask ask = {
        .key = or_none(r->c->study_limit),
        .low = or_none(r->c->study_low),
        .high = or_none(r->c->study_high),
        .n = r->c->study_steps,
    };

    return verb == VERB_STUDY_SWEEP
               ? study_sweeps_asked(&r->plan, &ask, &r->sweeps, r->messages)
               : study_sweeps_usual(&r->plan, &r->sweeps);
}

/* As it was typed: a word with other than plain characters in quotes. */
static void
put_word(struct buf *out, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "-_./:=,@%+";
    const char *p = word;

    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        buf_str(out, word);
        return;
    }
    buf_putc(out, '\'');
    for (; *p != '\0'; p++) {
        if (*p == '\'')
            buf_str(out, "'\\''");
        else
            buf_putc(out, (uint8_t)*p);
    }
    buf_putc(out, '\'');
}

static void
find_command(struct run *r)
{
    char text[COMMAND_MAX];
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    const char *at = text;

    if (fd >= 0)
        (void)close(fd);
    if (n <= 0)
        return;
    text[n] = '\0';
    while (at < text + n) {
        const char *base = r->command.n == 0 ? strrchr(at, '/') : NULL;

        if (r->command.n > 0)
            buf_putc(&r->command, ' ');
        put_word(&r->command, base != NULL ? base + 1 : at);
        at += strlen(at) + 1;
    }
}

/* ---- the pass ---- */

static enum err
work(struct run *r, const struct cli *cli, bool *interrupted)
{
    struct study_work_options o = {
        .config = r->c,
        .plan = &r->plan,
        .points = r->plan.n_policies - r->sweeps.own,
        .inputs = cli->arguments,
        .n_inputs = cli->n_arguments,
        .holdout = r->c->study_holdout,
        .labels = r->reviewed.v,
        .n_labels = r->reviewed.n,
        .checkpoint = r->c->study_checkpoint,
        .progress = isatty(STDERR_FILENO) == 1,
    };
    enum err e = read_time("--from", r->c->study_from, r->messages, &o.from);

    if (e == ERR_OK)
        e = read_time("--to", r->c->study_to, r->messages, &o.to);
    if (e == ERR_OK && o.n_inputs == 0 && r->c->state == NULL) {
        buf_str(r->messages,
                "span25: nothing to study: give --state DIR, files of events "
                "or captures, or kafka://HOST:PORT/TOPIC\n");
        e = ERR_USAGE;
    }
    if (e == ERR_OK)
        e = study_work_new(&o, r->messages, &r->work);
    if (e == ERR_OK)
        e = study_work_run(r->work, interrupted);
    return e;
}

/* ---- the cover ---- */

static void
fill_limits(struct run *r)
{
    struct study_result *s = &r->result;

    for (size_t i = 0; i < s->n_criteria; i++) {
        const size_t at = r->why.n;

        buf_printf(&r->why, "at %s %g",
                   r->plan.criteria[i].at_least ? "least" : "most",
                   r->plan.criteria[i].limit);
        buf_putc(&r->why, '\0');
        s->criteria[i].limit = (const char *)(uintptr_t)(at + 1);
    }
    for (size_t i = 0; i < s->n_criteria; i++) /* the room stands still now */
        s->criteria[i].limit = r->why.failed || r->why.cut
                                   ? ""
                                   : (const char *)r->why.p +
                                         ((uintptr_t)s->criteria[i].limit - 1);
}

static enum err
finish(struct run *r)
{
    struct study_result *s = &r->result;
    enum err e = study_work_finish(r->work, s);

    if (e != ERR_OK)
        return e;
    r->finished = true;
    e = study_sweeps_collect(&r->sweeps, s);
    if (e != ERR_OK)
        return e;
    find_command(r);
    buf_putc(&r->command, '\0');
    s->title = r->c->study_title;
    s->author = or_none(r->c->study_author);
    s->reviewer = or_none(r->c->study_reviewer);
    s->status = r->c->study_final ? "final" : "draft";
    s->classification = or_none(r->c->study_class);
    s->command = r->command.failed ? NULL : (const char *)r->command.p;
    if (r->criteria_hash[0] != '\0') {
        s->criteria_hash = r->criteria_hash;
        s->criteria_file = or_none(r->c->study_criteria);
    }
    if (r->review != NULL)
        s->review = study_json_result(r->review)->review;
    fill_limits(r);
    study_criteria_judge(&r->plan, s);
    return ERR_OK;
}

/* ---- what is shown: all of it, or what others may see ---- */

static enum err
anonymize(struct run *r)
{
    struct buf key;
    enum err e =
        study_anonymize_key(or_none(r->c->study_key), &key, r->messages);

    if (e == ERR_OK)
        e = study_anonymize(&r->result,
                            (enum study_anonymize_level)r->c->study_anonymize,
                            buf_view(&key), &r->shared);
    buf_free(&key);
    return e;
}

static const struct study_result *
shown(const struct run *r)
{
    return study_anonymized_result(r->shared);
}

/* ---- files ---- */

static enum err
save(struct run *r, const char *path, const struct buf *text)
{
    int number = text->failed || text->cut ? EFBIG : 0;

    if (number == 0)
        number = whole_file_save(path, buf_view(text));
    if (number == 0)
        return ERR_OK;
    buf_str(r->messages, "span25: cannot write ");
    text_term(r->messages, span_str(path));
    buf_printf(r->messages, ": %s\n", strerror(number));
    return ERR_IO;
}

/* study.html -> study-hosts.csv */
static enum err
save_tables(struct run *r, const char *path, size_t stem)
{
    enum err e = ERR_OK;

    for (enum study_table t = 0; e == ERR_OK && t < STUDY_TABLE_COUNT; t++) {
        char name[PATH_ROOM];
        struct buf text;

        (void)snprintf(name, sizeof(name), "%.*s-%s.csv", (int)stem, path,
                       study_table_word(t));
        buf_init(&text, REPORT_MAX);
        study_report_csv(shown(r), t, &text);
        e = save(r, name, &text);
        buf_free(&text);
    }
    return e;
}

static enum err
save_one(struct run *r, const char *path,
         void (*report)(const struct study_result *, struct buf *))
{
    struct buf text;
    enum err e;

    buf_init(&text, REPORT_MAX);
    report(shown(r), &text);
    e = save(r, path, &text);
    buf_free(&text);
    return e;
}

static enum err
write_reports(struct run *r)
{
    const char *path = r->c->report;
    const char *dot = path == NULL ? NULL : strrchr(path, '.');
    const enum cli_report kind = cli_report_of(r->c);
    char name[PATH_ROOM];
    enum err e = ERR_OK;

    if (dot == NULL)
        return ERR_OK;
    if (strlen(path) + 32 > sizeof(name)) {
        buf_str(r->messages, "span25: the name of --output is too long\n");
        return ERR_USAGE;
    }
    if (kind == CLI_REPORT_HTML)
        e = save_one(r, path, study_report_html);
    (void)snprintf(name, sizeof(name), "%.*s.json", (int)(dot - path), path);
    if (e == ERR_OK && kind != CLI_REPORT_CSV)
        e = save_one(r, name, study_report_json);
    if (e == ERR_OK)
        e = save_tables(r, path, (size_t)(dot - path));
    return e;
}

static void
print(struct run *r, enum verb verb, struct buf *out)
{
    const size_t columns = caller_columns();
    const struct study_report_style style = {
        .colour = cli_color(r->c->color, columns != 0, getenv("NO_COLOR"),
                            getenv("TERM")),
        .tty = columns != 0,
        .width = (unsigned)columns,
    };

    if (r->c->json)
        study_report_json(shown(r), out);
    else if (verb == VERB_STUDY_SWEEP && r->c->csv)
        study_sweep_csv(&shown(r)->sweeps[0], out);
    else if (verb == VERB_STUDY_SWEEP)
        study_sweep_text(&shown(r)->sweeps[0], style.width, out);
    else
        study_report_text(shown(r), &style, out);
}

/* ---- letters ---- */

static const char *
proposed_kind(const struct run *r)
{
    for (size_t i = 0; r->plan.proposed != NULL && i < r->sweeps.own; i++) {
        if (strcmp(r->plan.policies[i].name, r->plan.proposed) == 0)
            return study_kind_word(r->plan.policies[i].kind);
    }
    return NULL;
}

/* Before the work: what would stand in the way at its end. */
static enum cli_exit
check_letters(struct run *r)
{
    const struct study_letters_options o = {.config = r->c,
                                            .now = caller_clock()};
    const char *dir = or_none(r->c->study_letters);

    return dir == NULL ? CLI_EXIT_DONE
                       : study_letters_check(dir, &o, proposed_kind(r),
                                             r->plan.effective, r->messages);
}

static enum cli_exit
write_letters(struct run *r)
{
    const struct study_letters_options o = {
        .config = r->c,
        .book = study_work_book(r->work),
        .now = caller_clock(),
    };
    const char *dir = or_none(r->c->study_letters);

    return dir == NULL ? CLI_EXIT_DONE
                       : study_letters_write(dir, &r->result, &o, r->messages);
}

/* ---- all of it ---- */

static void
end(struct run *r)
{
    study_anonymized_free(r->shared);
    if (r->finished)
        study_result_free(&r->result);
    study_work_free(r->work);
    study_sweeps_free(&r->sweeps);
    study_reviewed_free(&r->reviewed);
    study_json_free(r->review);
    study_plan_free(&r->plan);
    buf_free(&r->command);
    buf_free(&r->why);
}

static enum err
weigh(struct run *r, const struct cli *c, bool *interrupted)
{
    enum err e = read_plan(r);

    if (e == ERR_OK)
        e = add_sweeps(r, c->verb);
    if (e == ERR_OK && check_letters(r) != CLI_EXIT_DONE)
        e = ERR_USAGE;
    if (e == ERR_OK && or_none(r->c->study_reviewed) != NULL)
        e = study_reviewed_read(r->c->study_reviewed, &r->reviewed,
                                r->messages);
    if (e == ERR_OK && or_none(r->c->study_judged) != NULL)
        e = study_file_load_review(r->c->study_judged, &r->review, r->messages);
    if (e == ERR_OK)
        e = work(r, c, interrupted);
    if (e == ERR_OK && !*interrupted)
        e = finish(r);
    if (e == ERR_OK && !*interrupted)
        e = anonymize(r);
    return e;
}

static enum cli_exit
run_all(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct run r = {.c = &c->config, .messages = messages};
    enum cli_exit code = CLI_EXIT_DONE;
    bool interrupted = false;
    enum err e;

    buf_init(&r.command, COMMAND_MAX * 4);
    buf_init(&r.why, COMMAND_MAX);
    study_plan_init(&r.plan);
    e = weigh(&r, c, &interrupted);
    if (e == ERR_OK && interrupted) {
        code = CLI_EXIT_INTERRUPTED;
    } else if (e == ERR_OK) {
        code = write_letters(&r);
        e = write_reports(&r);
        print(&r, c->verb, out);
        if (code == CLI_EXIT_DONE && study_work_partial(r.work))
            code = CLI_EXIT_PARTIAL;
    }
    end(&r);
    if (e == ERR_OK)
        return code;
    if (messages->n == 0)
        buf_printf(messages, "span25: %s\n", err_text(e));
    return cli_exit_of(e);
}

enum cli_exit
study_run_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    if (!c->config.study_plan_text)
        return run_all(c, out, messages);
    study_plan_text(out);
    return CLI_EXIT_DONE;
}

enum cli_exit
study_run_sweep(const struct cli *c, struct buf *out, struct buf *messages)
{
    return run_all(c, out, messages);
}
