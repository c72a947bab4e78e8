#include "sensor/sinks/spool.h"

#include "sensor/base/attr.h"

#include <inttypes.h>
#include <stdlib.h>

#define SPOOL_FORMAT "span25 spool 1"

struct lane {
    uint64_t journaled;
    uint64_t acknowledged;
    uint64_t lost;
    uint64_t settled; /* last line that is: all before it are */
    uint64_t read;    /* last one its reader came by */
    uint64_t in_flight;
};

struct flying {
    uint64_t seq;
    uint8_t lane;
};

struct spool {
    uint64_t scanned;
    uint64_t unread;
    struct lane lanes[KEEP_KINDS];
    struct flying flying[SPOOL_WINDOW]; /* a ring, the oldest at head */
    size_t head, n;
};

enum err
spool_new(uint64_t seq, struct spool **out)
{
    struct spool *s = calloc(1, sizeof(*s));

    *out = s;
    if (s == NULL)
        return ERR_NOMEM;
    s->scanned = seq;
    for (size_t k = 0; k < KEEP_KINDS; k++)
        s->lanes[k].settled = s->lanes[k].read = seq;
    return ERR_OK;
}

void
spool_free(struct spool *s)
{
    free(s);
}

/* ---- scanning ---- */

uint64_t
spool_scanned(const struct spool *s)
{
    return s->scanned;
}

void
spool_scan(struct spool *s, uint64_t seq, uint64_t missing, enum keep_kind k,
           bool wanted)
{
    if (seq <= s->scanned)
        return;
    s->scanned = seq;
    s->unread += missing;
    s->lanes[k].journaled += wanted && seq > s->lanes[k].settled;
}

void
spool_recount(struct spool *s)
{
    REQUIRE(s->n == 0);
    for (size_t k = 0; k < KEEP_KINDS; k++) {
        struct lane *l = &s->lanes[k];

        l->journaled = l->acknowledged + l->lost;
        l->read = l->settled;
        s->scanned = s->scanned < l->settled ? s->scanned : l->settled;
    }
}

uint64_t
spool_last(const struct spool *s)
{
    uint64_t last = s->scanned;

    for (size_t k = 0; k < KEEP_KINDS; k++)
        last = last > s->lanes[k].settled ? last : s->lanes[k].settled;
    return last;
}

uint64_t
spool_unread(const struct spool *s)
{
    return s->unread;
}

/* ---- sending ---- */

uint64_t
spool_next(const struct spool *s, enum keep_kind k)
{
    return s->lanes[k].read + 1;
}

bool
spool_has_room(const struct spool *s, enum keep_kind k)
{
    return s->n < (k == KEEP_ALERTS ? SPOOL_WINDOW : SPOOL_WINDOW / 2);
}

static uint64_t
waiting(const struct lane *l)
{
    return l->journaled - l->acknowledged - l->lost;
}

/* Nothing of it flies: the cursor is where its reader is. */
static void
move_cursor(struct lane *l)
{
    if (l->in_flight == 0)
        l->settled = l->read;
}

void
spool_took(struct spool *s, enum keep_kind k, uint64_t seq)
{
    struct lane *l = &s->lanes[k];

    l->journaled += waiting(l) == l->in_flight; /* it could not be read then */
    s->flying[(s->head + s->n) % SPOOL_WINDOW] =
        (struct flying){seq, (uint8_t)k};
    s->n++;
    l->in_flight++;
    l->read = seq;
}

void
spool_untook(struct spool *s, enum keep_kind k, uint64_t seq)
{
    struct lane *l = &s->lanes[k];

    REQUIRE(s->n > 0 && l->in_flight > 0 && l->read == seq);
    s->n--;
    l->in_flight--;
    l->read = seq - 1;
    move_cursor(l);
}

void
spool_passed(struct spool *s, enum keep_kind k, uint64_t seq)
{
    s->lanes[k].read = seq;
    move_cursor(&s->lanes[k]);
}

void
spool_reached(struct spool *s, enum keep_kind k)
{
    struct lane *l = &s->lanes[k];

    l->read = l->read > s->scanned ? l->read : s->scanned;
    /* What was counted, and neither came by nor flies, is gone. */
    l->lost += waiting(l) - l->in_flight;
    move_cursor(l);
}

void
spool_settled(struct spool *s, bool delivered)
{
    const struct flying *f = &s->flying[s->head];
    struct lane *l = &s->lanes[f->lane];

    if (s->n == 0)
        return;
    l->acknowledged += delivered;
    l->lost += !delivered;
    l->settled = f->seq;
    l->in_flight--;
    move_cursor(l);
    s->head = (s->head + 1) % SPOOL_WINDOW;
    s->n--;
}

size_t
spool_in_flight(const struct spool *s)
{
    return s->n;
}

void
spool_again(struct spool *s)
{
    s->head = s->n = 0;
    for (size_t k = 0; k < KEEP_KINDS; k++) {
        s->lanes[k].read = s->lanes[k].settled;
        s->lanes[k].in_flight = 0;
    }
}

/* What is lost shows when the lane comes by. */
void
spool_cut(struct spool *s, uint64_t seq)
{
    REQUIRE(s->n == 0);
    for (size_t k = 0; k < KEEP_KINDS; k++) {
        struct lane *l = &s->lanes[k];

        l->read = l->read < seq ? l->read : seq;
        l->settled = l->settled < seq ? l->settled : seq;
    }
    s->scanned = s->scanned < seq ? s->scanned : seq;
}

uint64_t
spool_cursor(const struct spool *s, enum keep_kind k)
{
    return s->lanes[k].settled;
}

struct spool_counts
spool_counts(const struct spool *s, enum keep_kind k)
{
    const struct lane *l = &s->lanes[k];

    return (struct spool_counts){l->journaled, l->acknowledged, waiting(l),
                                 l->lost, l->in_flight};
}

/* ---- across a restart ----
 *
 * Lines: the format, "journal SCANNED UNREAD", for each lane "WORD SETTLED
 * JOURNALED ACKNOWLEDGED LOST", "end". */

void
spool_save(const struct spool *s, struct buf *out)
{
    buf_printf(out, SPOOL_FORMAT "\njournal %" PRIu64 " %" PRIu64 "\n",
               s->scanned, s->unread);
    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        const struct lane *l = &s->lanes[k];

        buf_printf(out, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                   keep_word((enum keep_kind)k), l->settled, l->journaled,
                   l->acknowledged, l->lost);
    }
    buf_str(out, "end\n");
}

static struct span
take_line(struct span *rest)
{
    size_t end = span_find(*rest, '\n');
    struct span line = span_head(*rest, end);

    *rest = span_tail(*rest, end + 1);
    return line;
}

/* "WORD N N ..." */
static bool
read_numbers(struct span line, const char *word, uint64_t *out, size_t n)
{
    size_t end = span_find(line, ' ');

    if (!span_eq(span_head(line, end), span_str(word)))
        return false;
    for (size_t i = 0; i < n; i++) {
        line = span_tail(line, end + 1);
        end = span_find(line, ' ');
        if (!span_to_u64(span_head(line, end), &out[i]))
            return false;
    }
    return end == line.n;
}

static bool
read_lane(struct span line, const char *word, struct lane *out)
{
    uint64_t n[4];

    if (!read_numbers(line, word, n, ARRAY_LEN(n)))
        return false;
    *out = (struct lane){.settled = n[0],
                         .read = n[0],
                         .journaled = n[1],
                         .acknowledged = n[2],
                         .lost = n[3]};
    return n[2] <= n[1] && n[3] <= n[1] - n[2];
}

enum err
spool_load(struct spool *s, struct span saved)
{
    struct lane lanes[KEEP_KINDS];
    uint64_t journal[2];
    bool good = span_eq(take_line(&saved), SPAN_LIT(SPOOL_FORMAT)) &&
                read_numbers(take_line(&saved), "journal", journal, 2);

    for (unsigned k = 0; good && k < KEEP_KINDS; k++)
        good = read_lane(take_line(&saved), keep_word((enum keep_kind)k),
                         &lanes[k]);
    if (!good || !span_eq(saved, SPAN_LIT("end\n")))
        return ERR_FORMAT;
    s->scanned = journal[0];
    s->unread = journal[1];
    memcpy(s->lanes, lanes, sizeof(lanes));
    s->head = s->n = 0;
    return ERR_OK;
}
