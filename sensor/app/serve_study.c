#include "sensor/app/serve_study.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/app/registry_time.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"
#include "sensor/journal/journal_reader.h"
#include "sensor/store/index_query.h"

#define FOLDER      "/studies"
#define PLAN        ".d/plan.yaml"
#define POLICIES    8U    /* P0 to P6 are shipped */
#define FIRST_LINES 1000U /* of the journal, until one is of mail */
#define NEWEST      100U  /* events of the index, until one is */

/* ---- names and files ---- */

bool
serve_study_is_name(struct span name)
{
    bool good = name.n > 0 && name.n < SERVE_JOB_NAME && name.p[0] != '-';

    for (size_t i = 0; i < name.n; i++) {
        const uint8_t c = span_at(name, i);

        good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '_');
    }
    return good;
}

void
serve_study_path(const struct serve_view *v, struct span name, const char *tail,
                 struct buf *out)
{
    buf_init(out, 8192);
    buf_str(out, v->config->state);
    buf_str(out, FOLDER "/");
    buf_span(out, name);
    buf_str(out, tail);
    buf_putc(out, 0);
    if (out->failed || out->cut) { /* no file is called so */
        buf_reset(out);
        buf_putc(out, 0);
    }
}

bool
serve_study_there(const struct serve_view *v, struct span name,
                  const char *tail)
{
    struct stat st;
    struct buf path;
    bool there;

    serve_study_path(v, name, tail, &path);
    there = path.n > 0 && lstat((const char *)path.p, &st) == 0;
    buf_free(&path);
    return there;
}

enum cli_exit
serve_study_name(struct serve_view *v, const char *tail, struct span *out)
{
    *out = serve_view_value(v, "name");
    if (!serve_study_is_name(*out))
        return serve_view_say(v, CLI_EXIT_USAGE,
                              "a study's name has letters, digits, - and _, "
                              "at most 64 of them",
                              *out);
    if (tail != NULL && !serve_study_there(v, *out, tail))
        return serve_view_say(v, CLI_EXIT_USAGE,
                              strcmp(tail, ".json") == 0
                                  ? "no study has this name"
                                  : "no messages of this study were drawn",
                              *out);
    return CLI_EXIT_DONE;
}

bool
serve_study_hash(const char *path, char out[65])
{
    struct buf hex = {(uint8_t *)out, 0, 65, 65, false, false};
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct buf text;
    unsigned n = 0;
    bool good = whole_file_load(path, SERVE_STUDY_BYTES, &text) == 0 &&
                EVP_Digest(text.p, text.n, digest, &n, EVP_sha256(), NULL) == 1;

    if (good) {
        text_hex(&hex, span_of(digest, n));
        out[64] = '\0';
    }
    buf_free(&text);
    return good;
}

bool
serve_study_tell(struct serve_view *v, const char *action, struct span text,
                 const char *hash, struct span reason)
{
    const struct serve_told t = {.action = action,
                                 .actor = v->who->user,
                                 .text = text,
                                 .hash = hash,
                                 .reason = reason};

    return serve_tell(v->serve, &t, v->messages);
}

/* ---- what there is to study ---- */

static bool
is_control(struct span line)
{
    return serve_json_is(serve_json_get(line, "event_type"), "control");
}

/* Of the first line that is kept and not of the program. */
static void
put_first(const struct serve_view *v, struct buf *out)
{
    struct journal_reader *r = NULL;
    struct journal_line line;
    struct buf why;

    buf_init(&why, 4096);
    if (journal_reader_open(v->config->state, 1, &r, &why) == ERR_OK) {
        for (unsigned i = 0; i < FIRST_LINES && out->n == 0; i++) {
            const enum journal_read got = journal_read(r, &line);

            if (got == JOURNAL_READ_WAIT || got == JOURNAL_READ_FAILED)
                break;
            if (got == JOURNAL_READ_LINE && !is_control(line.json))
                serve_json_text(serve_json_get(line.json, "timestamp"), out);
        }
    }
    journal_reader_close(r);
    buf_free(&why);
}

static void
take_last(void *ctx, const struct index_event *e)
{
    ns_t *when = ctx;

    if (*when == 0 && !span_eq(e->type, SPAN_LIT("control")))
        *when = e->when;
}

static ns_t
find_last(const struct serve_view *v)
{
    const struct index_query q = {.limit = NEWEST};
    struct index_reader *r = NULL;
    struct buf why;
    ns_t when = 0;

    buf_init(&why, 4096);
    if (index_reader_open(v->config->state, &r, &why) == ERR_OK)
        (void)!index_events(r, &q, take_last, &when);
    index_reader_close(r);
    buf_free(&why);
    return when;
}

void
serve_study_put_recorded(const struct serve_view *v, struct json_out *j)
{
    const ns_t to = find_last(v);
    struct buf first, last;

    buf_init(&first, 128);
    buf_init(&last, 128);
    put_first(v, &first);
    if (first.n == 0 || to == 0) {
        json_null(j);
    } else {
        registry_time_utc(to, &last);
        json_begin(j, '{');
        json_key(j, "from");
        (void)json_str(j, buf_view(&first));
        json_key(j, "to");
        (void)json_str(j, buf_view(&last));
        json_end(j, '}');
    }
    buf_free(&first);
    buf_free(&last);
}

/* ---- the study that runs ---- */

static void
put_text(struct json_out *j, const char *key, const char *text)
{
    json_key(j, key);
    (void)json_str(j, span_str(text));
}

/* Each line without what stands before it on a command line. */
static void
put_said(struct json_out *j, struct span text)
{
    json_begin(j, '[');
    while (text.n > 0) {
        const size_t end = span_find(text, '\n');
        struct span line = span_head(text, end);

        text = span_tail(text, end + 1);
        if (span_starts(line, SPAN_LIT("span25: ")))
            line = span_tail(line, 8);
        if (line.n > 0)
            (void)json_str(j, line);
    }
    json_end(j, ']');
}

void
serve_study_put_job(const struct serve_view *v, struct json_out *j)
{
    struct serve_job_seen seen = {.running = false};
    struct buf since;

    if (v->serve->job != NULL)
        serve_job_look(v->serve->job, &seen);
    if (seen.what.action[0] == '\0') {
        json_null(j);
        return;
    }
    buf_init(&since, 128);
    registry_time_utc(seen.what.since, &since);
    json_begin(j, '{');
    put_text(j, "action", seen.what.action);
    put_text(j, "name", seen.what.name);
    put_text(j, "user", seen.what.user);
    json_key(j, "since");
    (void)json_str(j, buf_view(&since));
    json_key(j, "running");
    json_bool(j, seen.running);
    json_key(j, "stopped");
    json_bool(j, seen.stopped);
    if (!seen.running) {
        json_key(j, "code");
        json_i64(j, seen.code);
        json_key(j, "messages");
        put_said(j, span_str(seen.told));
    }
    json_end(j, '}');
    buf_free(&since);
}

/* ---- its words ---- */

static void
word(struct buf *b, const char *flag, struct span value)
{
    if (value.n == 0)
        return;
    buf_str(b, flag);
    buf_span(b, value);
    buf_putc(b, 0);
}

static void
word_file(const struct serve_view *v, struct buf *b, const char *flag,
          struct span name, const char *tail)
{
    struct buf path;

    serve_study_path(v, name, tail, &path);
    word(b, flag, span_str((const char *)path.p));
    buf_free(&path);
}

static void
word_value(const struct serve_view *v, struct buf *b, const char *flag,
           const char *param)
{
    word(b, flag, serve_view_value(v, param));
}

/* Only those that are shipped: another name would be that of a file. */
static enum cli_exit
put_policies(struct serve_view *v, struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_values; i++) {
        const struct span one = v->values[i].text;

        if (!span_eq(v->values[i].name, SPAN_LIT("policies")))
            continue;
        if (one.n != 2 || one.p[0] != 'P' || one.p[1] < '0' || one.p[1] > '9' ||
            ++n > POLICIES)
            return serve_view_say(v, CLI_EXIT_USAGE,
                                  "policies are P0 to P6, each once", one);
        word(b, "--policy=", one);
    }
    return CLI_EXIT_DONE;
}

/* Hosts that people judged in a review of another study. */
static enum cli_exit
put_reviewed(struct serve_view *v, struct buf *b, bool run)
{
    const struct span of = serve_view_value(v, "reviewed");

    if (of.n == 0)
        return CLI_EXIT_DONE;
    if (!serve_study_is_name(of) || !serve_study_there(v, of, ".d/judged.csv"))
        return serve_view_say(v, CLI_EXIT_USAGE,
                              "no review of this study was counted", of);
    word_file(v, b, "--reviewed=", of, ".d/judged.csv");
    if (run)
        word_file(v, b, "--review=", of, ".d/review.json");
    return CLI_EXIT_DONE;
}

static enum cli_exit
put_run(struct serve_view *v, struct buf *b, struct span name, bool run)
{
    static const struct {
        const char *param, *flag;
        bool run, sweep;
    } rows[] = {
        {"from",    "--from=",    true,  true },
        {"to",      "--to=",      true,  true },
        {"holdout", "--holdout=", true,  true },
        {"title",   "--title=",   true,  false},
        {"limit",   "--limit=",   false, true },
        {"low",     "--low=",     false, true },
        {"high",    "--high=",    false, true },
        {"steps",   "--steps=",   false, true },
    };
    enum cli_exit code = put_policies(v, b);

    if (code == CLI_EXIT_DONE)
        code = put_reviewed(v, b, run);
    if (code != CLI_EXIT_DONE)
        return code;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (run ? rows[i].run : rows[i].sweep)
            word_value(v, b, rows[i].flag, rows[i].param);
    }
    if (serve_view_value(v, "plan").n > 0)
        word_file(v, b, "--policy=", name, PLAN);
    if (run)
        word(b, "--author=", span_str(v->who->user));
    if (run && span_eq(serve_view_value(v, "final"), SPAN_LIT("true")))
        word(b, "--final", SPAN_LIT("=true"));
    word_file(v, b, "--output=", name, ".html");
    return CLI_EXIT_DONE;
}

static enum cli_exit
put_review(struct serve_view *v, struct buf *b, struct span name)
{
    word_file(v, b, "--study=", name, ".json");
    word_value(v, b, "--sample=", "sample");
    word_file(v, b, "--output=", name, ".d/sheet.csv");
    return CLI_EXIT_DONE;
}

static enum cli_exit
put_words(struct serve_view *v, struct buf *b, struct span name,
          struct span action)
{
    const bool run = span_eq(action, SPAN_LIT("run"));

    word(b, "", SPAN_LIT("study"));
    word(b, "", action);
    word(b, "--state=", span_str(v->config->state));
    if (v->config->file != NULL)
        word(b, "--config=", span_str(v->config->file));
    return span_eq(action, SPAN_LIT("review")) ? put_review(v, b, name)
                                               : put_run(v, b, name, run);
}

/* ---- begin and stop ---- */

/* What would be written over, and what must be there. */
static enum cli_exit
check(struct serve_view *v, struct span action, struct span *name)
{
    const bool review = span_eq(action, SPAN_LIT("review"));
    enum cli_exit code;

    if (!review && !span_eq(action, SPAN_LIT("run")) &&
        !span_eq(action, SPAN_LIT("sweep")))
        return serve_view_say(v, CLI_EXIT_USAGE,
                              "'action' must be run, sweep or review", action);
    code = serve_study_name(v, review ? ".json" : NULL, name);
    if (code != CLI_EXIT_DONE)
        return code;
    if (review && serve_study_there(v, *name, ".d/sheet.csv"))
        return serve_view_say(v, CLI_EXIT_REFUSED,
                              "messages of this study were drawn already",
                              *name);
    if (!review && (serve_study_there(v, *name, ".json") ||
                    serve_study_there(v, *name, ".html") ||
                    serve_study_there(v, *name, ".d")))
        return serve_view_say(v, CLI_EXIT_REFUSED,
                              "there is a study of this name; nothing is "
                              "written over, so choose another",
                              *name);
    return CLI_EXIT_DONE;
}

static enum cli_exit
make_folder(struct serve_view *v, struct span name, const char *tail)
{
    struct buf path;
    int number = 0;

    serve_study_path(v, name, tail, &path);
    if (mkdir((const char *)path.p, 0750) != 0 && errno != EEXIST)
        number = errno;
    buf_free(&path);
    return number == 0 ? CLI_EXIT_DONE
                       : serve_view_say(v, CLI_EXIT_STORE, strerror(number),
                                        SPAN_LIT(FOLDER));
}

static enum cli_exit
make_files(struct serve_view *v, struct span name, struct span action)
{
    const struct span plan = serve_view_value(v, "plan");
    enum cli_exit code = make_folder(v, SPAN_NONE, "");
    struct buf path;
    int number;

    if (code == CLI_EXIT_DONE &&
        (plan.n > 0 || span_eq(action, SPAN_LIT("review"))))
        code = make_folder(v, name, ".d");
    if (code != CLI_EXIT_DONE || plan.n == 0)
        return code;
    serve_study_path(v, name, PLAN, &path);
    number = whole_file_save((const char *)path.p, plan);
    buf_free(&path);
    return number == 0 ? CLI_EXIT_DONE
                       : serve_view_say(v, CLI_EXIT_STORE, strerror(number),
                                        SPAN_LIT(PLAN));
}

static enum cli_exit
begin(struct serve_view *v, struct span name, struct span action,
      struct span words)
{
    struct serve_job_what what = {.since = v->now};
    struct buf text;
    enum err e;

    buf_init(&text, 256);
    buf_span(&text, action);
    buf_str(&text, " of the study ");
    buf_span(&text, name);
    if (!serve_study_tell(v, "study", buf_view(&text), NULL, SPAN_NONE)) {
        buf_free(&text);
        return CLI_EXIT_STORE;
    }
    (void)snprintf(what.action, sizeof(what.action), "%.*s", (int)action.n,
                   (const char *)action.p);
    (void)snprintf(what.name, sizeof(what.name), "%.*s", (int)name.n,
                   (const char *)name.p);
    (void)snprintf(what.user, sizeof(what.user), "%s", v->who->user);
    e = serve_job_start(v->serve->job, &what, words);
    buf_free(&text);
    if (e == ERR_OK)
        return serve_view_say(v, CLI_EXIT_DONE, "begun", name);
    return e == ERR_BUSY
               ? serve_view_say(v, CLI_EXIT_REFUSED,
                                "another study runs; one at a time", SPAN_NONE)
               : serve_view_say(v, CLI_EXIT_STORE, err_text(e), SPAN_NONE);
}

static bool
is_running(const struct serve_view *v)
{
    struct serve_job_seen seen;

    serve_job_look(v->serve->job, &seen);
    return seen.running;
}

enum cli_exit
serve_study_start(struct serve_view *v)
{
    const struct span action = serve_view_value(v, "action");
    struct span name;
    struct buf words;
    enum cli_exit code = check(v, action, &name);

    if (code != CLI_EXIT_DONE)
        return code;
    if (v->serve->job == NULL)
        return serve_view_say(v, CLI_EXIT_STORE,
                              "this server cannot run studies", SPAN_NONE);
    if (is_running(v))
        return serve_view_say(v, CLI_EXIT_REFUSED,
                              "another study runs; one at a time", SPAN_NONE);
    buf_init(&words, SERVE_JOB_WORDS);
    code = put_words(v, &words, name, action);
    if (code == CLI_EXIT_DONE && (words.cut || words.failed))
        code = serve_view_say(v, CLI_EXIT_USAGE, "that is too long", SPAN_NONE);
    if (code == CLI_EXIT_DONE)
        code = make_files(v, name, action);
    if (code == CLI_EXIT_DONE)
        code = begin(v, name, action, buf_view(&words));
    buf_free(&words);
    return code;
}

enum cli_exit
serve_study_stop(struct serve_view *v)
{
    if (v->serve->job == NULL || !serve_job_stop(v->serve->job))
        return serve_view_say(v, CLI_EXIT_REFUSED, "no study runs", SPAN_NONE);
    if (!serve_study_tell(v, "study", SPAN_LIT("stopped"), NULL, SPAN_NONE))
        return CLI_EXIT_PARTIAL;
    return serve_view_say(v, CLI_EXIT_DONE, "it is asked to end", SPAN_NONE);
}
