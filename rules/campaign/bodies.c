#include "rules/campaign/bodies.h"

#include <stdlib.h>

#include "sensor/base/frame.h"
#include "sensor/base/hash.h"

#define BANDS       4U
#define WHOLE       4U /* the link behind those of the bands */
#define BAND_HEADS  ((size_t)65536)
#define WHOLE_HEADS ((size_t)1048576)
#define HEADS       (BANDS * BAND_HEADS + WHOLE_HEADS)

/* A ring: places are given in turn, so a place's distance from the hand is its
 * age. A chain leads to ever older places; a link to a younger one is left over
 * from a body that is gone. No chain is ever repaired. */
struct bodies {
    uint64_t seed;
    struct body *ring;
    uint32_t *heads; /* place + 1 */
    uint32_t hand;   /* the next place */
    uint32_t used;   /* places before it that hold a body */
    uint64_t forgotten;
};

enum err
bodies_new(uint64_t seed, struct bodies **out)
{
    struct bodies *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return ERR_NOMEM;
    b->seed = seed;
    b->ring = calloc(CAMPAIGNS_MESSAGES, sizeof(*b->ring));
    b->heads = calloc(HEADS, sizeof(*b->heads));
    if (b->ring == NULL || b->heads == NULL) {
        bodies_free(b);
        return ERR_NOMEM;
    }
    *out = b;
    return ERR_OK;
}

void
bodies_free(struct bodies *b)
{
    if (b == NULL)
        return;
    free(b->ring);
    free(b->heads);
    free(b);
}

/* 1: the newest; above b->used: none of ours. */
static uint32_t
age_of(const struct bodies *b, uint32_t place)
{
    return b->hand > place ? b->hand - place
                           : b->hand + CAMPAIGNS_MESSAGES - place;
}

static uint32_t *
head_of(const struct bodies *b, uint64_t print, unsigned link)
{
    uint64_t whole;

    if (link < BANDS)
        return &b->heads[link * BAND_HEADS + (print >> (16 * link) & 0xffffU)];
    whole = hash_mix(b->seed, print);
    return &b->heads[BANDS * BAND_HEADS + whole % WHOLE_HEADS];
}

static bool
lives(const struct body *y, uint32_t minute)
{
    return y->last + CLUSTERS_MINUTES > minute;
}

/* ---- near ones ---- */

struct best {
    struct body *body;
    unsigned distance;
};

/* Is y to be preferred? Equal prints do not live twice. */
static bool
is_better(const struct best *best, const struct body *y, unsigned distance)
{
    if (best->body == NULL || distance != best->distance)
        return best->body == NULL || distance < best->distance;
    if (y->last != best->body->last)
        return y->last > best->body->last;
    return y->print < best->body->print;
}

static void
consider(struct bodies *b, struct best *best, uint32_t place, uint64_t print,
         bool exact, uint32_t minute)
{
    struct body *y = &b->ring[place];
    unsigned distance = (unsigned)__builtin_popcountll(y->print ^ print);

    if (y->exact != exact || distance > (exact ? 0 : BODIES_NEAR) ||
        !lives(y, minute) || !is_better(best, y, distance))
        return;
    *best = (struct best){y, distance};
}

struct walker {
    uint32_t at;  /* place + 1; 0: the end */
    uint32_t age; /* of the one before */
};

/* One body further; false at the end. */
static bool
step(struct bodies *b, struct best *best, struct walker *w, unsigned link,
     const struct body *like, uint32_t minute)
{
    uint32_t place = w->at - 1;
    uint32_t age;

    if (w->at == 0)
        return false;
    age = age_of(b, place);
    if (age <= w->age || age > b->used) {
        w->at = 0;
        return false;
    }
    w->age = age;
    w->at = b->ring[place].next[link];
    if (w->at != 0)
        __builtin_prefetch(&b->ring[w->at - 1]);
    consider(b, best, place, like->print, like->exact, minute);
    return true;
}

/* The chains of several links side by side, for each step waits for memory. */
static void
walk(struct bodies *b, struct best *best, unsigned from, unsigned to,
     const struct body *like, uint32_t minute)
{
    struct walker w[BODIES_LINKS];
    bool more = true;

    for (unsigned link = from; link < to; link++)
        w[link] = (struct walker){*head_of(b, like->print, link), 0};
    for (unsigned i = 0; i < BODIES_CHAIN && more; i++) {
        more = false;
        for (unsigned link = from; link < to; link++)
            more |= step(b, best, &w[link], link, like, minute);
    }
}

struct body *
bodies_near(struct bodies *b, uint64_t print, bool exact, uint32_t minute)
{
    const struct body like = {.print = print, .exact = exact};
    struct best best = {NULL, 0};

    walk(b, &best, WHOLE, WHOLE + 1, &like, minute);
    if (best.body == NULL && !exact)
        walk(b, &best, 0, BANDS, &like, minute);
    return best.body;
}

/* ---- new ones ---- */

static void
link_in(struct bodies *b, uint32_t place)
{
    struct body *y = &b->ring[place];

    for (unsigned link = y->exact ? WHOLE : 0; link < BODIES_LINKS; link++) {
        uint32_t *head = head_of(b, y->print, link);

        y->next[link] = *head;
        *head = place + 1;
    }
}

static uint32_t
take_place(struct bodies *b)
{
    uint32_t place = b->hand;

    b->hand = (b->hand + 1) % CAMPAIGNS_MESSAGES;
    b->used++;
    return place;
}

/* The oldest goes when its hour is over; one that was seen again since becomes
 * the newest, once an hour at most. True when there was something to do. */
static bool
tidy(struct bodies *b, uint32_t minute)
{
    uint32_t place =
        (b->hand + CAMPAIGNS_MESSAGES - b->used) % CAMPAIGNS_MESSAGES;
    struct body oldest;

    if (b->used == 0)
        return false;
    oldest = b->ring[place];
    if (oldest.born + CLUSTERS_MINUTES > minute)
        return false;
    b->used--;
    if (lives(&oldest, minute)) {
        uint32_t to = take_place(b);

        oldest.born = minute;
        b->ring[to] = oldest;
        link_in(b, to);
    }
    return true;
}

/* Two for each new one: the ring empties faster than it fills. */
static void
make_room(struct bodies *b, uint32_t minute)
{
    for (unsigned i = 0; i < 2 && tidy(b, minute);)
        i++;
    if (b->used == CAMPAIGNS_MESSAGES) {
        b->used--;
        b->forgotten++;
    }
}

struct body *
bodies_add(struct bodies *b, uint64_t print, bool exact, uint32_t minute)
{
    struct body *y;
    uint32_t place;

    make_room(b, minute);
    place = take_place(b);
    y = &b->ring[place];
    *y = (struct body){
        .print = print,
        .born = minute,
        .last = minute,
        .exact = exact,
    };
    link_in(b, place);
    return y;
}

uint64_t
bodies_count(const struct bodies *b)
{
    return b->used;
}

uint64_t
bodies_forgotten(const struct bodies *b)
{
    return b->forgotten;
}

uint64_t
bodies_memory(const struct bodies *b)
{
    return sizeof(*b) + CAMPAIGNS_MESSAGES * sizeof(*b->ring) +
           HEADS * sizeof(*b->heads);
}

/* ---- snapshots ---- */

/* From the oldest to the newest; places and links are made anew, which changes
 * neither ages nor what a chain leads to. */
void
bodies_save(const struct bodies *b, struct buf *out)
{
    frame_u64(out, b->forgotten);
    frame_u64(out, b->used);
    for (uint32_t i = b->used; i > 0; i--) {
        uint32_t place =
            (b->hand + CAMPAIGNS_MESSAGES - i) % CAMPAIGNS_MESSAGES;
        const struct body *y = &b->ring[place];

        frame_u64(out, y->print);
        frame_u64(out, (uint64_t)y->born << 32 | y->last);
        frame_u64(out, (uint64_t)y->part.slot << 32 | y->part.generation);
        frame_u64(out, (uint64_t)y->source << 32 | y->rcpt);
        frame_u64(out, (uint64_t)y->messages << 1 | y->exact);
    }
}

static void
load_one(struct bodies *b, struct cursor *in)
{
    uint32_t place = take_place(b);
    struct body *y = &b->ring[place];
    uint64_t v;

    *y = (struct body){.print = cur_le64(in)};
    v = cur_le64(in);
    y->born = (uint32_t)(v >> 32);
    y->last = (uint32_t)v;
    v = cur_le64(in);
    y->part = (struct cluster_ref){(uint32_t)(v >> 32), (uint32_t)v};
    v = cur_le64(in);
    y->source = (uint32_t)(v >> 32);
    y->rcpt = (uint32_t)v;
    v = cur_le64(in);
    y->messages = (uint16_t)(v >> 1);
    y->exact = v & 1;
    link_in(b, place);
}

bool
bodies_load(struct bodies *b, struct cursor *in)
{
    uint64_t n;

    b->forgotten = cur_le64(in);
    n = cur_le64(in);
    if (n > CAMPAIGNS_MESSAGES)
        return false;
    for (uint64_t i = 0; i < n && !in->bad; i++)
        load_one(b, in);
    return !in->bad;
}
