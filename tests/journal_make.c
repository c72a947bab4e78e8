/* journal_make - a journal out of JSON lines, for tests of what reads it
 *
 *     journal_make DIR [live] < EVENTS
 *
 * DIR is a state directory, or becomes one: of captures, or a live sensor's.
 * Lines are appended as they are. */
#include <stdio.h>
#include <stdlib.h>

#include "sensor/journal/journal.h"
#include "sensor/journal/state.h"

static int
fail(const char *what, const struct buf *why)
{
    (void)fprintf(stderr, "journal_make: %s: %.*s\n", what, (int)why->n,
                  (const char *)why->p);
    return 1;
}

int
main(int argc, char **argv)
{
    struct journal_recovery recovery;
    struct journal *j;
    struct buf why;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    buf_init(&why, 4096);
    if (argc < 2 || argc > 3 ||
        state_open(argv[1], argc > 2 ? STATE_LIVE : STATE_READ, &why) != ERR_OK)
        return fail("state", &why);
    if (journal_open(argv[1], NULL, &j, &recovery, &why) != ERR_OK)
        return fail("journal", &why);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct span s = span_of(line, (size_t)n - (line[n - 1] == '\n'));

        if (s.n > 0 && (journal_append(j, s, NULL) != ERR_OK ||
                        journal_flush(j) != ERR_OK))
            return fail("line", &why);
    }
    free(line);
    buf_free(&why);
    return journal_close(j) == ERR_OK ? 0 : 1;
}
