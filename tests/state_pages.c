/* state_pages - a state of millions of events, and a writer that goes on
 *
 *     state_pages DIR ROWS
 *
 * Makes DIR a state of captures with ROWS events in journal and index, the last
 * of now, unless there are as many. Says "filled", and then writes 100 events
 * every 100 ms, as a sensor does, until standard input ends. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sensor/event/json_write.h"
#include "sensor/journal/journal.h"
#include "sensor/journal/state.h"
#include "tests/many_events.h"

#define BATCH 100U
#define PAUSE 100 /* ms */

struct kept {
    struct json_writer json;
    struct journal *journal;
    struct buf line;
};

static void
keep(void *ctx, struct span record)
{
    struct kept *k = ctx;

    k->line.n = 0;
    if (!json_write(&k->json, record, &k->line) ||
        journal_append(k->journal, buf_view(&k->line), NULL) != ERR_OK)
        many_die("an event was not journaled");
}

static void
flush(struct kept *k)
{
    if (journal_flush(k->journal) != ERR_OK)
        many_die("the journal was not written");
}

/* Lets the next event be of now. */
static void
set_clock(struct many *m, uint64_t next)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    m->begin = (ns_t)now.tv_sec * NS_PER_S - next * MANY_STEP;
}

static void
write_on(const char *dir, struct many *m, struct kept *k)
{
    struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
    struct index *x = many_index(dir);

    record_init(&m->out);
    m->seq = index_position(x);
    while (poll(&end, 1, PAUSE) == 0) {
        set_clock(m, m->seq + BATCH);
        for (unsigned i = 0; i < BATCH; i++)
            many_add(x, m, keep, k);
        flush(k);
        if (index_commit(x) != ERR_OK)
            many_die("no commit");
    }
    index_close(x);
    record_free(&m->out);
}

int
main(int argc, char **argv)
{
    uint64_t rows = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    struct many m = {.rng = 1};
    struct journal_recovery recovery;
    struct kept k;
    struct buf why;

    if (rows == 0)
        many_die("DIR ROWS");
    buf_init(&why, 4096);
    buf_init(&k.line, 2 * JSON_LINE_MAX);
    json_writer_init(&k.json);
    if (state_open(argv[1], STATE_READ, &why) != ERR_OK ||
        journal_open(argv[1], NULL, &k.journal, &recovery, &why) != ERR_OK)
        many_die("no state");
    set_clock(&m, rows);
    many_fill(argv[1], &m, rows, keep, &k);
    flush(&k);
    (void)printf("filled\n");
    (void)fflush(stdout);
    write_on(argv[1], &m, &k);
    buf_free(&k.line);
    buf_free(&why);
    return journal_close(k.journal) == ERR_OK ? 0 : 1;
}
