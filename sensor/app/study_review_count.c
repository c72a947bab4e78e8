#include "sensor/app/study_review_count.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dashboards/study_words.h"
#include "sensor/app/study_sheet_read.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"
#include "sensor/event/study_json.h"

#define LEVEL       0.95
#define COUNTS      48
#define KAPPA_ASKED 0.8 /* DETECTION 4.4 */
#define FILE_MAX    (64U << 20)

struct count {
    const struct cli *c;
    struct buf *out, *messages;
    struct study_sheets sheets;
    struct review_scored scored;
    enum study_class *classes;
};

/* ---- for people ---- */

/* Counts of the sheet, then what they say of all hosts. */
static void
put_line(struct buf *out, const char *what, const struct study_figure *f,
         const char *of)
{
    char counts[COUNTS];
    struct buf said;

    (void)snprintf(counts, sizeof(counts), "%" PRIu64 " of %" PRIu64,
                   study_count(f->k), study_count(f->n));
    buf_init(&said, 256);
    if (f->n < WORDS_RATED)
        buf_str(&said, "fewer than 30: not rated");
    else
        study_put_figure(&said, f, true);
    buf_putc(&said, '\0');
    buf_printf(out, "%-12s %-12s %-26s %s\n", what, counts,
               said.failed ? "" : (const char *)said.p, of);
    buf_free(&said);
}

static void
put_agreement(struct buf *out, const struct study_review *r)
{
    buf_str(out, "Agreement    ");
    words_number(out, study_count(r->kappa.k));
    buf_str(out, " of ");
    words_number(out, study_count(r->kappa.n));
    buf_str(out, " first messages of hosts judged alike: kappa ");
    study_put_figure(out, &r->kappa, false);
    if (!isnan(r->kappa.value))
        buf_str(out, r->kappa.value >= KAPPA_ASKED
                         ? "; 0.8 or more was asked for"
                         : "; less than 0.8, which was asked for: say what is "
                           "malicious, and judge again");
    buf_putc(out, '\n');
}

static void
put_messages(struct buf *out, const struct count *t)
{
    const struct review_scored *s = &t->scored;

    words_count(out, s->review.sampled, "message", NULL);
    buf_str(out, " of ");
    words_count(out, s->hosts, "host", NULL);
    buf_str(out, ", ");
    words_number(out, s->rated_twice);
    buf_str(out, " judged by both; they differ on ");
    words_number(out, s->review.disagreed);
    if (s->review.disagreed > 0) {
        buf_str(out, ", of which a third one decided ");
        words_number(out, s->resolved);
    }
    buf_putc(out, '\n');
    for (unsigned i = 0; i < 2; i++) {
        if (s->missing[i] == 0)
            continue;
        words_count(out, s->missing[i], "message", NULL);
        buf_str(out, " without a verdict in ");
        text_term(out, span_str(t->c->arguments[i]));
        buf_putc(out, '\n');
    }
}

static void
put_unknown(struct buf *out, const struct review_scored *s)
{
    if (s->not_known > 0) {
        buf_str(out, "Not known    ");
        words_count(out, s->not_known, "host", NULL);
        buf_str(out, " of which people could not tell; others of the same "
                     "stratum stand for them\n");
    }
    if (s->uncovered > 0) {
        buf_str(out, "Not covered  ");
        words_count(out, study_count(s->uncovered), "host", NULL);
        buf_str(out, " of ");
        words_number(out, study_count(s->frame));
        buf_str(out, " in strata of which nothing is known: in no share\n");
    }
}

static void
say(const struct count *t)
{
    const struct review_scored *s = &t->scored;
    const struct study_review *r = &s->review;
    struct buf *out = t->out;

    put_messages(out, t);
    put_agreement(out, r);
    buf_printf(out, "\n%-12s %-12s %s\n", "", "in the sheet",
               "of all, weighted by stratum (95 % interval)");
    put_line(out, "Precision", &r->precision,
             "of the hosts held for abuse sent malicious mail");
    put_line(out, "Sensitivity", &r->sensitivity,
             "of the hosts that sent malicious mail are held for abuse");
    put_line(out, "Specificity", &r->specificity,
             "of the hosts that sent ordinary mail are not held for it");
    put_line(out, "Abusive", &r->corrected, "of the hosts; the detector says ");
    out->n -= out->n > 0; /* goes on in that line */
    study_put_share(out, s->apparent);
    buf_putc(out, '\n');
    put_unknown(out, s);
}

/* ---- for programs ---- */

static void
put_figure(struct json_out *j, const char *key, const struct study_figure *f)
{
    json_key(j, key);
    study_json_figure(j, f);
}

static void
put_review(struct json_out *j, const struct study_review *r)
{
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {
        {"sampled",   r->sampled  },
        {"rated",     r->rated    },
        {"disagreed", r->disagreed},
    };

    json_key(j, "review");
    json_begin(j, '{');
    json_key(j, "there");
    json_bool(j, r->there);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        json_key(j, counts[i].key);
        json_u64(j, counts[i].n);
    }
    put_figure(j, "kappa", &r->kappa);
    put_figure(j, "precision", &r->precision);
    put_figure(j, "sensitivity", &r->sensitivity);
    put_figure(j, "specificity", &r->specificity);
    put_figure(j, "corrected", &r->corrected);
    json_end(j, '}');
}

static void
put_table(struct json_out *j, const double table[9])
{
    json_key(j, "table");
    json_begin(j, '{');
    for (unsigned a = 0; a < 3; a++) {
        json_key(j, review_said_word((enum review_said)(a + 1)));
        json_begin(j, '{');
        for (unsigned b = 0; b < 3; b++) {
            json_key(j, review_said_word((enum review_said)(b + 1)));
            json_u64(j, study_count(table[a * 3 + b]));
        }
        json_end(j, '}');
    }
    json_end(j, '}');
}

static void
say_json(const struct count *t)
{
    const struct review_scored *s = &t->scored;
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {
        {"hosts",      s->hosts     },
        {"abusive",    s->abusive   },
        {"clean",      s->clean     },
        {"not_known",  s->not_known },
        {"resolved",   s->resolved  },
        {"unresolved", s->unresolved},
        {"missing_a",  s->missing[0]},
        {"missing_b",  s->missing[1]},
    };
    struct json_out j = json_out_open(t->out);

    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, SPAN_LIT(STUDY_JSON_SCHEMA_REVIEW));
    put_review(&j, &s->review);
    json_key(&j, "counts");
    json_begin(&j, '{');
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        json_key(&j, counts[i].key);
        json_u64(&j, counts[i].n);
    }
    json_key(&j, "frame");
    json_double(&j, s->frame);
    json_key(&j, "uncovered");
    json_double(&j, s->uncovered);
    json_key(&j, "apparent");
    json_double(&j, s->apparent);
    json_end(&j, '}');
    put_table(&j, s->table);
    json_end(&j, '}');
    buf_putc(t->out, '\n');
}

/* ---- judged hosts ---- */

static enum err
save(const struct count *t)
{
    const char *path = t->c->config.study_sheet;
    struct buf text;
    int number;

    if (path == NULL || path[0] == '\0')
        return ERR_OK;
    buf_init(&text, FILE_MAX);
    buf_str(&text, "host,class\n");
    for (size_t i = 0; i < t->sheets.n_hosts; i++) {
        const enum study_class class = t->classes[i];
        char addr[ADDR_TEXT_MAX];

        buf_put(&text, addr, addr_format(&t->sheets.hosts[i], addr));
        buf_printf(&text, ",%s\n",
                   class == STUDY_UNKNOWN ? "" : study_class_word(class));
    }
    number = text.failed ? ENOMEM : whole_file_save(path, buf_view(&text));
    buf_free(&text);
    if (number == 0)
        return ERR_OK;
    buf_str(t->messages, "span25: cannot write ");
    text_term(t->messages, span_str(path));
    buf_printf(t->messages, ": %s\n", strerror(number));
    return err_from_errno(number);
}

/* ---- all of it ---- */

static enum err
read_all(struct count *t)
{
    const struct cli *c = t->c;
    enum err e =
        study_sheets_key(c->config.study_sheet_key, &t->sheets, t->messages);

    if (e != ERR_OK)
        return e;
    for (unsigned i = 0; i < c->n_arguments; i++) {
        const enum err one =
            study_sheets_said(c->arguments[i], i, &t->sheets, t->messages);

        e = e == ERR_OK ? one : e; /* the faults of all */
    }
    return e;
}

static enum err
score(struct count *t)
{
    t->classes = calloc(t->sheets.n_hosts + 1, sizeof(*t->classes));
    if (t->classes == NULL)
        return ERR_NOMEM;
    return review_score(t->sheets.rows, t->sheets.n, t->sheets.n_hosts, LEVEL,
                        t->classes, &t->scored);
}

enum cli_exit
study_review_count(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct count t = {.c = c, .out = out, .messages = messages};
    enum err e;

    if (c->n_arguments < 2 || c->n_arguments > REVIEW_RATERS) {
        buf_str(messages, "span25: give the sheets of two reviewers, and of a "
                          "third one who decided where they differ\n");
        return CLI_EXIT_USAGE;
    }
    e = read_all(&t);
    if (e == ERR_OK)
        e = score(&t);
    if (e == ERR_OK)
        e = save(&t);
    if (e == ERR_OK && c->config.json)
        say_json(&t);
    else if (e == ERR_OK)
        say(&t);
    free(t.classes);
    study_sheets_free(&t.sheets);
    if (e == ERR_OK)
        return CLI_EXIT_DONE;
    if (messages->n == 0)
        buf_printf(messages, "span25: %s\n", err_text(e));
    return cli_exit_of(e);
}
