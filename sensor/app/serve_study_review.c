#include "sensor/app/serve_study.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/study/review_score.h"
#include "sensor/app/csv_table.h"
#include "sensor/app/serve_json.h"
#include "sensor/app/study_sheet_row.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define ROWS_MAX  10000U /* messages for people to judge */
#define SAID_MAX  (1U << 20)
#define SHEET_MAX (64U << 20)
#define ROW_MAX   (64U << 10)
#define DECIDER   (REVIEW_RATERS - 1)
#define JUDGED_BY "Judged by "

static const char *const said_tails[REVIEW_RATERS] = {
    ".d/said-1.csv", ".d/said-2.csv", ".d/said-3.csv"};

static const char *const sheet_columns[] = {"number",
#define X(name) name,
                                            STUDY_SHEET_COLUMNS(X)
#undef X
};

enum { SAID_NUMBER, SAID_VERDICT, SAID_COLUMNS };
static const char *const said_columns[SAID_COLUMNS] = {"number", "verdict"};

/* What was said of a sheet. Rows are numbered from 1. */
struct review {
    const struct serve_view *view;
    struct span name;
    struct buf sheet;
    size_t n;
    struct rater {
        char user[USERS_NAME]; /* empty: nobody yet */
        uint8_t said[ROWS_MAX + 1];
        size_t done;
    } raters[REVIEW_RATERS];
    size_t differ, decided;
};

/* ---- files ---- */

static bool
read_number(const struct csv_cell *cell, size_t most, size_t *out)
{
    uint64_t n = 0;

    if (!span_to_u64(cell->text, &n) || n == 0 || n > most)
        return false;
    *out = (size_t)n;
    return true;
}

static bool
open_sheet(const struct review *r, struct csv_table *t, struct buf *why)
{
    const struct csv_table_about about = {.name = "sheet.csv",
                                          .columns = sheet_columns,
                                          .n = ARRAY_LEN(sheet_columns),
                                          .row_max = ROW_MAX,
                                          .after_text = true};

    return csv_table_open(t, buf_view(&r->sheet), &about, why) == ERR_OK;
}

/* How many rows the sheet has; 0: it is none of ours. */
static size_t
count_rows(const struct review *r)
{
    struct csv_table t;
    struct buf why;
    size_t n = 0, number;
    bool good;

    buf_init(&why, 4096);
    good = open_sheet(r, &t, &why);
    while (good && csv_table_next(&t))
        good = read_number(csv_table_cell(&t, 0), ROWS_MAX, &number) &&
               number == ++n;
    if (csv_table_close(&t, ERR_OK) != ERR_OK)
        good = false;
    buf_free(&why);
    return good ? n : 0;
}

static void
take_user(struct rater *a, struct span text)
{
    const struct span who =
        span_head(span_tail(text, strlen(JUDGED_BY)),
                  span_find(text, '\n') - strlen(JUDGED_BY));

    if (users_is_name(who))
        memcpy(a->user, who.p, who.n);
}

static void
read_said(struct review *r, struct rater *a, struct span text)
{
    const struct csv_table_about about = {.name = "said.csv",
                                          .columns = said_columns,
                                          .n = SAID_COLUMNS,
                                          .row_max = ROW_MAX,
                                          .after_text = true};
    struct csv_table t;
    struct buf why;
    size_t number;

    if (!span_starts(text, SPAN_LIT(JUDGED_BY)))
        return;
    take_user(a, text);
    buf_init(&why, 4096);
    if (csv_table_open(&t, text, &about, &why) == ERR_OK) {
        while (csv_table_next(&t)) {
            if (read_number(csv_table_cell(&t, SAID_NUMBER), r->n, &number))
                a->said[number] = (uint8_t)review_said_find(
                    csv_table_cell(&t, SAID_VERDICT)->text);
        }
    }
    (void)!csv_table_close(&t, ERR_OK);
    buf_free(&why);
}

static bool
differ(const struct review *r, size_t i)
{
    return r->raters[0].said[i] != REVIEW_NOTHING &&
           r->raters[1].said[i] != REVIEW_NOTHING &&
           r->raters[0].said[i] != r->raters[1].said[i];
}

static void
add_up(struct review *r)
{
    r->differ = r->decided = 0;
    for (unsigned a = 0; a < REVIEW_RATERS; a++)
        r->raters[a].done = 0;
    for (size_t i = 1; i <= r->n; i++) {
        for (unsigned a = 0; a < REVIEW_RATERS; a++)
            r->raters[a].done += r->raters[a].said[i] != REVIEW_NOTHING;
        if (!differ(r, i))
            continue;
        r->differ++;
        r->decided += r->raters[DECIDER].said[i] != REVIEW_NOTHING;
    }
}

static void
review_free(struct review *r)
{
    if (r != NULL)
        buf_free(&r->sheet);
    free(r);
}

/* NULL: there is no sheet, or no memory. */
static struct review *
review_load(const struct serve_view *v, struct span name)
{
    struct review *r = calloc(1, sizeof(*r));
    struct buf path, text;
    int number;

    if (r == NULL)
        return NULL;
    r->view = v;
    r->name = name;
    serve_study_path(v, name, ".d/sheet.csv", &path);
    number = whole_file_load((const char *)path.p, SHEET_MAX, &r->sheet);
    buf_free(&path);
    r->n = number == 0 ? count_rows(r) : 0;
    for (unsigned a = 0; a < REVIEW_RATERS && r->n > 0; a++) {
        serve_study_path(v, name, said_tails[a], &path);
        if (whole_file_load((const char *)path.p, SAID_MAX, &text) == 0)
            read_said(r, &r->raters[a], buf_view(&text));
        buf_free(&text);
        buf_free(&path);
    }
    add_up(r);
    if (r->n > 0)
        return r;
    review_free(r);
    return NULL;
}

static int
save_said(const struct review *r, unsigned a)
{
    const struct rater *rater = &r->raters[a];
    struct buf path, text;
    int number;

    buf_init(&text, SAID_MAX);
    buf_printf(&text, JUDGED_BY "%s\nnumber,verdict\n", rater->user);
    for (size_t i = 1; i <= r->n; i++) {
        const enum review_said said = (enum review_said)rater->said[i];

        if (said != REVIEW_NOTHING)
            buf_printf(&text, "%zu,%s\n", i, review_said_word(said));
    }
    serve_study_path(r->view, r->name, said_tails[a], &path);
    number = text.failed || text.cut
                 ? EFBIG
                 : whole_file_save((const char *)path.p, buf_view(&text));
    buf_free(&path);
    buf_free(&text);
    return number;
}

/* ---- who judges what ---- */

static bool
is_wanted(const struct review *r, unsigned a, size_t i)
{
    return a != DECIDER || differ(r, i);
}

static bool
are_two_done(const struct review *r)
{
    return r->raters[0].done == r->n && r->raters[1].done == r->n;
}

/* The place of this user; REVIEW_RATERS: others have the sheet. */
static unsigned
place_of(const struct review *r, const char *user)
{
    for (unsigned a = 0; a < REVIEW_RATERS; a++) {
        if (strcmp(r->raters[a].user, user) == 0)
            return a;
    }
    for (unsigned a = 0; a < DECIDER; a++) {
        if (r->raters[a].user[0] == '\0')
            return a;
    }
    return are_two_done(r) && r->differ > 0 &&
                   r->raters[DECIDER].user[0] == '\0'
               ? DECIDER
               : REVIEW_RATERS;
}

static size_t
next_of(const struct review *r, unsigned a)
{
    for (size_t i = 1; a < REVIEW_RATERS && i <= r->n; i++) {
        if (is_wanted(r, a, i) && r->raters[a].said[i] == REVIEW_NOTHING)
            return i;
    }
    return 0;
}

/* The number that was asked for: one that this person is to judge, or has. */
static size_t
number_of(const struct serve_view *v, const struct review *r, unsigned a)
{
    const uint64_t n = serve_json_u64(serve_view_value(v, "number"), 0);

    return a < REVIEW_RATERS && n >= 1 && n <= r->n &&
                   is_wanted(r, a, (size_t)n)
               ? (size_t)n
               : 0;
}

/* ---- a message ---- */

static void
put_cells(const struct csv_table *t, struct json_out *j)
{
    struct buf room;

    buf_init(&room, ROW_MAX);
    for (size_t i = 1; i < ARRAY_LEN(sheet_columns); i++) {
        const struct span text = csv_table_cell(t, i)->text;

        buf_reset(&room);
        if (text.n == 0 || !buf_grow(&room, text.n))
            continue;
        json_key(j, sheet_columns[i]);
        (void)json_str(j, csv_plain(text, &room));
    }
    buf_free(&room);
}

static void
put_message(const struct review *r, size_t number, struct json_out *j)
{
    struct csv_table t;
    struct buf why;
    bool found = false;
    size_t at;

    buf_init(&why, 4096);
    if (number > 0 && open_sheet(r, &t, &why)) {
        while (!found && csv_table_next(&t))
            found =
                read_number(csv_table_cell(&t, 0), r->n, &at) && at == number;
        if (found) {
            json_begin(j, '{');
            json_key(j, "number");
            json_u64(j, number);
            put_cells(&t, j);
            json_end(j, '}');
        }
        (void)!csv_table_close(&t, ERR_OK);
    }
    if (!found)
        json_null(j);
    buf_free(&why);
}

/* ---- answers ---- */

static enum cli_exit
no_sheet(struct serve_view *v, struct span name)
{
    return serve_view_say(v, CLI_EXIT_STORE, "its sheet cannot be read", name);
}

static void
put_u64(struct json_out *j, const char *key, uint64_t n)
{
    json_key(j, key);
    json_u64(j, n);
}

enum cli_exit
serve_study_review(struct serve_view *v)
{
    struct span name;
    enum cli_exit code = serve_study_name(v, ".d/sheet.csv", &name);
    struct review *r = code == CLI_EXIT_DONE ? review_load(v, name) : NULL;
    struct json_out j = json_out_open(v->data);
    unsigned place;
    size_t number;

    if (r == NULL)
        return code != CLI_EXIT_DONE ? code : no_sheet(v, name);
    place = place_of(r, v->who->user);
    number = number_of(v, r, place);
    if (number == 0)
        number = next_of(r, place);
    json_begin(&j, '{');
    json_key(&j, "name");
    (void)json_str(&j, name);
    put_u64(&j, "reviewer", place < REVIEW_RATERS ? place + 1 : 0);
    put_u64(&j, "of", place == DECIDER ? r->differ : r->n);
    put_u64(&j, "done",
            place == DECIDER        ? r->decided
            : place < REVIEW_RATERS ? r->raters[place].done
                                    : 0);
    json_key(&j, "said");
    if (number > 0 && r->raters[place].said[number] != REVIEW_NOTHING)
        (void)json_str(&j,
                       span_str(review_said_word(
                           (enum review_said)r->raters[place].said[number])));
    else
        json_null(&j);
    json_key(&j, "message");
    put_message(r, number, &j);
    json_end(&j, '}');
    review_free(r);
    return CLI_EXIT_DONE;
}

static enum cli_exit
judge(struct serve_view *v, struct review *r, enum review_said said)
{
    const unsigned place = place_of(r, v->who->user);
    const size_t number = number_of(v, r, place);
    struct rater *a;
    int fault;

    if (place == REVIEW_RATERS)
        return serve_view_say(v, CLI_EXIT_REFUSED,
                              "this sheet has its reviewers", SPAN_NONE);
    if (number == 0)
        return serve_view_say(v, CLI_EXIT_USAGE,
                              "this is no message that you are to judge",
                              serve_view_value(v, "number"));
    a = &r->raters[place];
    memcpy(a->user, v->who->user, strlen(v->who->user) + 1);
    a->said[number] = (uint8_t)said;
    fault = save_said(r, place);
    return fault == 0
               ? CLI_EXIT_DONE
               : serve_view_say(v, CLI_EXIT_STORE, strerror(fault), SPAN_NONE);
}

enum cli_exit
serve_study_judge(struct serve_view *v)
{
    const struct span word = serve_view_value(v, "verdict");
    const enum review_said said = review_said_find(word);
    struct span name;
    enum cli_exit code = serve_study_name(v, ".d/sheet.csv", &name);
    struct review *r;

    if (code != CLI_EXIT_DONE)
        return code;
    if (said == REVIEW_NOTHING || !users_is_name(span_str(v->who->user)))
        return serve_view_say(v, CLI_EXIT_USAGE,
                              "'verdict' must be malicious, ordinary or "
                              "unclear",
                              word);
    r = review_load(v, name);
    code = r != NULL ? judge(v, r, said) : no_sheet(v, name);
    review_free(r);
    return code;
}

/* ---- to count ---- */

static enum cli_exit
count(struct serve_view *v, const struct review *r)
{
    static const char *const tails[] = {".d/sheet-key.csv", ".d/judged.csv",
                                        ".d/review.json"};
    const unsigned n = r->raters[DECIDER].user[0] != '\0' ? 3 : 2;
    struct buf files[3], words[5];
    const char *flags[6] = {NULL};
    enum cli_exit code;
    int number = 0;

    for (size_t i = 0; i < 3; i++)
        serve_study_path(v, r->name, tails[i], &files[i]);
    buf_init(&words[0], 16384);
    buf_printf(&words[0], "--key=%s%c", (const char *)files[0].p, 0);
    buf_init(&words[1], 16384);
    buf_printf(&words[1], "--output=%s%c", (const char *)files[1].p, 0);
    for (unsigned a = 0; a < n; a++)
        serve_study_path(v, r->name, said_tails[a], &words[2 + a]);
    for (unsigned i = 0; i < 2 + n; i++)
        flags[i] = (const char *)words[i].p;
    code = serve_verb(v->serve, VERB_STUDY_REVIEW, flags, v->data, v->messages);
    if (code == CLI_EXIT_DONE)
        number = whole_file_save((const char *)files[2].p, buf_view(v->data));
    for (unsigned i = 0; i < 2 + n; i++)
        buf_free(&words[i]);
    for (size_t i = 0; i < 3; i++)
        buf_free(&files[i]);
    return number == 0
               ? code
               : serve_view_say(v, CLI_EXIT_STORE, strerror(number), r->name);
}

enum cli_exit
serve_study_count(struct serve_view *v)
{
    struct span name;
    enum cli_exit code = serve_study_name(v, ".d/sheet.csv", &name);
    struct review *r;

    if (code != CLI_EXIT_DONE)
        return code;
    r = review_load(v, name);
    if (r == NULL)
        return no_sheet(v, name);
    if (!are_two_done(r) || r->decided < r->differ)
        code = serve_view_say(v, CLI_EXIT_REFUSED,
                              "two people have to judge all messages first, "
                              "and a third one those on which they differ",
                              name);
    else
        code = count(v, r);
    review_free(r);
    return code;
}

/* ---- how far it is ---- */

void
serve_study_put_review(const struct serve_view *v, struct json_out *j,
                       struct span name)
{
    struct review *r = serve_study_there(v, name, ".d/sheet.csv")
                           ? review_load(v, name)
                           : NULL;

    if (r == NULL) {
        json_null(j);
        return;
    }
    json_begin(j, '{');
    put_u64(j, "messages", r->n);
    put_u64(j, "differ", r->differ);
    put_u64(j, "decided", r->decided);
    json_key(j, "counted");
    json_bool(j, serve_study_there(v, name, ".d/review.json"));
    json_key(j, "reviewers");
    json_begin(j, '[');
    for (unsigned a = 0; a < REVIEW_RATERS; a++) {
        if (r->raters[a].user[0] == '\0')
            continue;
        json_begin(j, '{');
        json_key(j, "user");
        (void)json_str(j, span_str(r->raters[a].user));
        put_u64(j, "done", r->raters[a].done);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
    review_free(r);
}
