#include "sensor/app/study.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dashboards/words.h"
#include "sensor/app/study_file.h"
#include "sensor/app/study_input.h"
#include "sensor/app/study_review_count.h"
#include "sensor/app/study_sheet.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define ENDING    ".csv"
#define KEY_NAME  "-key.csv"
#define PATH_ROOM 4096U

/* A sheet that is to be written. */
struct task {
    const struct cli *c;
    struct buf *out, *messages;
    const char *path; /* of the sheet */
    char key_path[PATH_ROOM];
    struct study_sheet *sheet;
    struct review_drawn drawn;
    bool faults; /* of the inputs, which were told */
    bool shared; /* the study was made for sharing */
};

static bool
is_there(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* ---- before anything is read ---- */

static enum err
refuse(struct task *t, const char *path, const char *why)
{
    buf_str(t->messages, "span25: ");
    text_term(t->messages, span_str(path));
    buf_printf(t->messages, " %s\n", why);
    return ERR_USAGE;
}

/* sheet.csv -> sheet-key.csv; neither may be there, for somebody may have
 * filled it. */
static enum err
name_files(struct task *t)
{
    const size_t n = strlen(t->path), ending = sizeof(ENDING) - 1;
    struct stat st;

    if (n <= ending || strcmp(t->path + n - ending, ENDING) != 0)
        return refuse(t, t->path, "has not the ending .csv (--output)");
    if (n + sizeof(KEY_NAME) > sizeof(t->key_path))
        return refuse(t, t->path, "is too long a name");
    (void)snprintf(t->key_path, sizeof(t->key_path), "%.*s" KEY_NAME,
                   (int)(n - ending), t->path);
    if (lstat(t->path, &st) == 0)
        return refuse(t, t->path, "is there already: a sheet is made once");
    if (lstat(t->key_path, &st) == 0)
        return refuse(t, t->key_path, "is there already");
    return ERR_OK;
}

/* ---- messages ---- */

static enum err
read_inputs(struct task *t)
{
    const struct config *c = &t->c->config;
    const struct study_inputs_options o = {
        .config = c,
        .names = t->c->arguments,
        .n = t->c->n_arguments,
        .config_file = c->file,
    };
    struct study_inputs *in;
    const struct study_input *rows;
    enum err e = study_inputs_open(&o, t->messages, &in);
    struct span event;
    bool journal;
    size_t n;

    if (e != ERR_OK)
        return e;
    while (e == ERR_OK && (event = study_inputs_next(in, &journal)).n > 0) {
        struct record_map m;

        record_map_init(&m, event);
        e = study_sheet_event(t->sheet, &m);
    }
    if (e == ERR_OK)
        e = study_inputs_error(in);
    rows = study_inputs_told(in, &n);
    for (size_t i = 0; i < n; i++)
        t->faults |= rows[i].faults > 0;
    study_inputs_close(in);
    return e;
}

static enum err
draw(struct task *t)
{
    struct study_json *study = NULL;
    enum err e = study_file_load(t->c->config.study_of, &study, t->messages);

    if (e == ERR_OK) {
        t->shared = study_json_result(study)->anonymized != NULL;
        e = study_sheet_new(study_json_result(study), &t->sheet);
    }
    study_json_free(study);
    if (e == ERR_OK)
        e = read_inputs(t);
    if (e == ERR_OK)
        e = study_sheet_draw(t->sheet, t->c->config.study_sample, &t->drawn);
    return e;
}

/* ---- files ---- */

static enum err
save(struct task *t, const char *path, const struct buf *text)
{
    const int number = whole_file_secret(path, buf_view(text));

    if (number == 0)
        return ERR_OK;
    buf_str(t->messages, "span25: cannot write ");
    text_term(t->messages, span_str(path));
    buf_printf(t->messages, ": %s\n", strerror(number));
    return err_from_errno(number);
}

static enum err
write_files(struct task *t)
{
    struct buf sheet, key;
    enum err e;

    buf_init(&sheet, STUDY_SHEET_FILE);
    buf_init(&key, STUDY_SHEET_FILE);
    e = study_sheet_put(t->sheet, &sheet, &key);
    if (e == ERR_OK)
        e = save(t, t->key_path, &key);
    if (e == ERR_OK) {
        e = save(t, t->path, &sheet);
        if (e != ERR_OK)
            (void)unlink(t->key_path);
    }
    buf_free(&sheet);
    buf_free(&key);
    return e;
}

/* ---- what was done ---- */

static void
count_line(struct task *t, uint64_t n, const char *one, const char *what)
{
    if (n == 0)
        return;
    buf_str(t->out, "Left out: ");
    words_count(t->out, n, one, NULL);
    buf_printf(t->out, " %s\n", what);
}

static void
kind_line(struct task *t, uint64_t n, const char *what)
{
    if (n == 0)
        return;
    words_number(t->out, n);
    buf_printf(t->out, " of them %s\n", what);
}

static void
say(struct task *t)
{
    const struct study_sheet_told told = study_sheet_told(t->sheet);
    const struct review_drawn *d = &t->drawn;

    words_count(t->out, d->messages, "message", NULL);
    buf_str(t->out, " of ");
    words_count(t->out, d->hosts, "host", NULL);
    buf_str(t->out, ", drawn of ");
    words_number(t->out, d->frame);
    buf_str(t->out, ", in ");
    words_count(t->out, d->pairs, "pair", NULL);
    buf_str(t->out, " of an unregistered and a registered one: ");
    text_term(t->out, span_str(t->path));
    buf_str(t->out, "\n");
    kind_line(t, told.refused, "were refused before their text was sent");
    kind_line(t, told.under_tls,
              "are sessions under TLS, of which no more than sizes was seen");
    buf_str(t->out, "Whose they are, for nobody who reviews: ");
    text_term(t->out, span_str(t->key_path));
    buf_str(t->out, "\n");
    count_line(t, told.judged, "host", "whose class is a person's already");
    count_line(t, told.nothing, "host",
               "of the study of which the inputs show no message");
    count_line(t, told.left_out, "message", "for which there was no room");
    buf_str(t->out,
            "\nThe sheet has subjects, senders and names of attachments of "
            "people's messages.\nGive a copy to each of two reviewers who do "
            "not talk about it; where they differ a\nthird one decides. Then\n"
            "    span25 study review --key ");
    text_term(t->out, span_str(t->key_path));
    buf_str(t->out, " A.csv B.csv [C.csv]\nand destroy all copies.\n");
}

static void
put_strata(struct json_out *j, const struct review_drawn *d)
{
    json_begin(j, '[');
    for (unsigned s = 0; s < REVIEW_STRATA; s++) {
        const struct review_stratum what = review_stratum_of(s);

        if (d->of[s] == 0)
            continue;
        json_begin(j, '{');
        json_key(j, "stratum");
        json_u64(j, s);
        json_key(j, "registered");
        json_bool(j, what.registered);
        json_key(j, "detector");
        json_bool(j, what.positive);
        json_key(j, "tls");
        json_bool(j, what.tls);
        json_key(j, "third");
        json_u64(j, what.third);
        json_key(j, "hosts");
        json_u64(j, d->of[s]);
        json_key(j, "drawn");
        json_u64(j, d->drawn[s]);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
say_json(struct task *t)
{
    const struct study_sheet_told told = study_sheet_told(t->sheet);
    const struct review_drawn *d = &t->drawn;
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {
        {"messages",     d->messages   },
        {"hosts",        d->hosts      },
        {"frame",        d->frame      },
        {"pairs",        d->pairs      },
        {"under_tls",    told.under_tls},
        {"study_hosts",  told.hosts    },
        {"judged",       told.judged   },
        {"nothing_seen", told.nothing  },
        {"left_out",     told.left_out },
    };
    struct json_out j = json_out_open(t->out);

    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, SPAN_LIT("span25-review-sheet-1"));
    json_key(&j, "sheet");
    (void)json_str(&j, span_str(t->path));
    json_key(&j, "key");
    (void)json_str(&j, span_str(t->key_path));
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        json_key(&j, counts[i].key);
        json_u64(&j, counts[i].n);
    }
    json_key(&j, "strata");
    put_strata(&j, d);
    json_end(&j, '}');
    buf_putc(t->out, '\n');
}

static enum cli_exit
make_sheet(struct task *t)
{
    enum err e = name_files(t);

    if (e == ERR_OK)
        e = draw(t);
    if (e == ERR_OK && t->drawn.messages == 0) {
        buf_str(t->messages, "span25: the inputs show no message of any host "
                             "of the study in its window");
        buf_str(t->messages, t->shared ? ": it was made for sharing, and may "
                                         "name hosts by pseudonyms\n"
                                       : "\n");
        return CLI_EXIT_REFUSED;
    }
    if (e == ERR_OK)
        e = write_files(t);
    if (e != ERR_OK) {
        if (t->messages->n == 0)
            buf_printf(t->messages, "span25: %s\n", err_text(e));
        return cli_exit_of(e);
    }
    if (t->c->config.json)
        say_json(t);
    else
        say(t);
    return t->faults ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}

enum cli_exit
study_run_review(const struct cli *c, struct buf *out, struct buf *messages)
{
    const bool has_study = is_there(c->config.study_of);
    const bool has_key = is_there(c->config.study_sheet_key);
    struct task t = {.c = c, .out = out, .messages = messages};
    enum cli_exit code;

    if (has_study == has_key) {
        buf_str(messages,
                "span25: give --study FILE.json to draw messages, or --key "
                "FILE to count filled sheets\n");
        return CLI_EXIT_USAGE;
    }
    if (has_key)
        return study_review_count(c, out, messages);
    if (!is_there(c->config.study_sheet)) {
        buf_str(messages, "span25: where is the sheet to be written? Give "
                          "--output FILE.csv\n");
        return CLI_EXIT_USAGE;
    }
    if (c->n_arguments == 0 && c->config.state == NULL) {
        buf_str(messages,
                "span25: nothing to draw from: give --state DIR, files of "
                "events or captures, or kafka://HOST:PORT/TOPIC\n");
        return CLI_EXIT_USAGE;
    }
    t.path = c->config.study_sheet;
    code = make_sheet(&t);
    study_sheet_free(t.sheet);
    return code;
}
