/* study_input_run - prints the ids of the events that a study would get
 *
 *     study_input_run [OPTION...] [WORD...]
 *
 *     --program FILE   what reads captures
 *     --patience N     seconds, with brokers
 *     --brief          no ids, for who measures
 *     --types WORDS    only events of these types, "smtp,tls"
 *     --save FILE N    stops after N events and saves the place
 *     --load FILE      goes on from there
 *     --hold FD        says when all are opened, waits for a byte there
 *
 * The words are those of span25 study run: inputs, --state, --config, --home.
 * Messages and a row an input go to standard error; the exit code is that of a
 * program that reads them. No test by itself: tests/study_input_test.py. */
#include "sensor/app/cli.h"
#include "sensor/app/study_input.h"
#include "sensor/app/whole_file.h"
#include "sensor/event/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAX (64U << 20)

struct run {
    struct cli cli;
    struct study_inputs_options o;
    const char *types, *save, *load;
    uint64_t n, most;
    int hold;
    bool brief;
    struct buf messages;
    struct study_inputs *in;
};

static void
say(struct run *r)
{
    if (r->messages.n > 0)
        (void)fwrite(r->messages.p, 1, r->messages.n, stderr);
    buf_reset(&r->messages);
}

static bool
is_wanted(const struct run *r, struct span record)
{
    const char *word = event_type_name(record_head_of(record).type);
    size_t n = strlen(word);

    if (r->types == NULL)
        return true;
    for (const char *at = r->types; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
    }
    return false;
}

static void
walk(struct run *r)
{
    bool journal;

    while (r->save == NULL || r->n < r->most) {
        struct span record = study_inputs_next(r->in, &journal);
        struct span id;

        if (record.n == 0)
            return;
        r->n++;
        if (r->brief || !is_wanted(r, record))
            continue;
        id = record_find(record, FIELD_EVENT_ID);
        (void)printf("%.*s\n", (int)id.n, (const char *)id.p);
    }
}

static void
tell_rows(struct run *r)
{
    size_t n;
    const struct study_input *rows = study_inputs_told(r->in, &n);

    for (size_t i = 0; i < n; i++)
        (void)fprintf(stderr,
                      "row %s %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %" PRIu64
                      " %s\n",
                      rows[i].kind, rows[i].events, rows[i].faults,
                      rows[i].hash != NULL ? rows[i].hash : "-", rows[i].first,
                      rows[i].last, rows[i].name);
}

static enum err
save(struct run *r)
{
    struct buf state;
    enum err e;

    buf_init(&state, STATE_MAX);
    e = study_inputs_save(r->in, &state);
    if (e == ERR_OK && whole_file_save(r->save, buf_view(&state)) != 0)
        e = ERR_IO;
    buf_free(&state);
    return e;
}

static enum err
load(struct run *r)
{
    struct buf state;
    enum err e = ERR_IO;

    if (whole_file_load(r->load, STATE_MAX, &state) == 0)
        e = study_inputs_load(r->in, buf_view(&state));
    buf_free(&state);
    return e;
}

static enum err
run(struct run *r)
{
    char byte;
    enum err e = study_inputs_open(&r->o, &r->messages, &r->in);

    if (e == ERR_OK && r->hold >= 0) {
        (void)fputs("opened\n", stderr);
        e = read(r->hold, &byte, 1) == 1 ? ERR_OK : ERR_IO;
    }
    if (e == ERR_OK && r->load != NULL)
        e = load(r);
    if (e != ERR_OK)
        return e;
    walk(r);
    e = study_inputs_error(r->in);
    if (e == ERR_OK && r->save != NULL)
        e = save(r);
    tell_rows(r);
    return e;
}

/* How many words an option took, 0: it is none. */
static int
option(struct run *r, char **v, int left)
{
    if (strcmp(v[0], "--brief") == 0) {
        r->brief = true;
        return 1;
    }
    if (left < 2)
        return 0;
    if (strcmp(v[0], "--program") == 0)
        r->o.program = v[1];
    else if (strcmp(v[0], "--patience") == 0)
        r->o.patience_s = (unsigned)strtoul(v[1], NULL, 10);
    else if (strcmp(v[0], "--types") == 0)
        r->types = v[1];
    else if (strcmp(v[0], "--load") == 0)
        r->load = v[1];
    else if (strcmp(v[0], "--hold") == 0)
        r->hold = (int)strtol(v[1], NULL, 10);
    else if (strcmp(v[0], "--save") == 0 && left >= 3) {
        r->save = v[1];
        r->most = strtoull(v[2], NULL, 10);
        return 3;
    } else
        return 0;
    return 2;
}

#define HEAD 3

/* The rest is a command line of span25 study run. */
static enum err
parse(struct run *r, int n, char **words, char **room)
{
    static char head[HEAD][8] = {"span25", "study", "run"};
    enum err e;

    for (int i = 0; i < HEAD; i++)
        room[i] = head[i];
    for (int i = 0; i < n; i++)
        room[HEAD + i] = words[i];
    e = cli_parse(HEAD + n, room, &r->cli, &r->messages);
    if (e != ERR_OK)
        return e;
    r->o.config = &r->cli.config;
    r->o.config_file = r->cli.config.file;
    r->o.names = r->cli.arguments;
    r->o.n = r->cli.n_arguments;
    return ERR_OK;
}

int
main(int argc, char **argv)
{
    struct run r = {.hold = -1};
    char **room = calloc((size_t)argc + HEAD, sizeof(*room));
    int at = 1, took;
    enum err e = ERR_NOMEM;

    while (at < argc && (took = option(&r, argv + at, argc - at)) > 0)
        at += took;
    buf_init(&r.messages, 1 << 20);
    if (room != NULL)
        e = parse(&r, argc - at, argv + at, room);
    if (e == ERR_OK) {
        e = run(&r);
        study_inputs_close(r.in);
        cli_free(&r.cli);
    }
    say(&r);
    buf_free(&r.messages);
    free(room);
    return e == ERR_OK ? 0 : (int)cli_exit_of(e);
}
