/* bench_lookup - what the look-up of an address costs, in nanoseconds
 *
 *     build/release/tests/bench_lookup [LINES]
 *
 * Two registries of that many lines (100,000): most are single addresses, as
 * servers are, or prefixes of many lengths, 13 of IPv4 and 81 of IPv6, nested.
 * Warm: few addresses again and again. Cold: so many other bytes were read
 * before that no cache has anything left, also of page tables. Beside them
 * stands what one read from memory takes that waits for the one before,
 * measured in the same rounds: a busy machine shows in it. Medians. */
#include "rules/registry/book.h"
#include "rules/registry/prefix_map.h"
#include "sensor/base/hash.h"

#include <stdio.h>
#include <time.h>

#define ROUNDS    101
#define COLD      64   /* look-ups after the caches were emptied */
#define WARM      1024 /* addresses */
#define WARM_RUNS 20
#define SWEEP     (128U << 20)
#define CHAIN     (1U << 26) /* places of 4 bytes */
#define MINUTE    (60 * NS_PER_S)

struct bench {
    size_t n;
    struct prefix_item *items;
    struct prefix_map *map;
    struct book *book;
    struct addr *asked;
    size_t n_asked;
    uint8_t *sweep;
    uint32_t *chain;
    uint32_t chain_at;
    uint64_t random;
    uint64_t sink; /* so that no work is left out, and each waits */
};

static uint64_t
next(struct bench *b)
{
    b->random = hash_mix(b->random, 1);
    return b->random;
}

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- inputs ---- */

static struct addr
random_addr(struct bench *b, bool v4)
{
    uint64_t words[2] = {next(b), next(b)};
    struct addr a;

    memcpy(a.b, words, 16);
    if (v4)
        a = addr_v4(a.b);
    memcpy(a.b + (v4 ? 12 : 0), v4 ? "\x0a" : "\x20\x01\x0d\xb8", v4 ? 1 : 4);
    return a;
}

static struct prefix
make_prefix(struct bench *b, bool nested)
{
    static const uint8_t v4_bits[] = {128, 128, 128, 128, 128,
                                      128, 120, 124, 125, 126};
    static const uint8_t v6_bits[] = {128, 128, 128, 64, 64, 56, 48};
    bool v4 = next(b) % 5 != 0;
    struct prefix p = {random_addr(b, v4), 0};

    if (nested)
        p.bits = (uint8_t)(v4 ? 116 + next(b) % 13 : 48 + next(b) % 81);
    else
        p.bits = v4 ? v4_bits[next(b) % ARRAY_LEN(v4_bits)]
                    : v6_bits[next(b) % ARRAY_LEN(v6_bits)];
    for (unsigned i = p.bits; i < 128; i++)
        p.addr.b[i / 8] = (uint8_t)(p.addr.b[i / 8] & ~(0x80U >> (i % 8)));
    return p;
}

static void
set(char **text, const char *value)
{
    REQUIRE(form_set(text, span_str(value)) == ERR_OK);
}

static void
add_line(struct form *f, const struct prefix *p)
{
    struct form_line *l = form_add_line(f);
    struct buf text;

    REQUIRE(l != NULL);
    buf_init(&text, 128);
    prefix_format(p, &text);
    REQUIRE(form_set(&l->text[FORM_ADDRESS], buf_view(&text)) == ERR_OK);
    set(&l->text[FORM_PORT], "25");
    set(&l->text[FORM_DEVICE], "mail server");
    set(&l->text[FORM_USE], "both");
    buf_free(&text);
}

static void
apply(struct bench *b, const struct action *a)
{
    struct buf why;

    buf_init(&why, 1024);
    if (book_apply(b->book, a, NULL, NULL, &why) != ERR_OK) {
        fprintf(stderr, "bench_lookup: %.*s\n", (int)why.n,
                (const char *)why.p);
        exit(1);
    }
    buf_free(&why);
}

/* One form with all lines, permitted. */
static void
make_book(struct bench *b)
{
    struct form f;
    struct action submit = {.kind = ACTION_SUBMIT,
                            .when = MINUTE,
                            .actor = "site",
                            .number = "1",
                            .form = &f};
    struct action permit = {.kind = ACTION_PERMIT,
                            .when = 2 * MINUTE,
                            .actor = "ada",
                            .number = "1"};

    form_init(&f);
    (void)snprintf(f.number, sizeof(f.number), "1");
    set(&f.text[FORM_SITE], "Technical University");
    for (size_t i = 0; i < b->n; i++)
        add_line(&f, &b->items[i].prefix);
    REQUIRE(book_new(&b->book) == ERR_OK);
    apply(b, &submit);
    apply(b, &permit);
    REQUIRE(book_index(b->book) == ERR_OK);
    form_fini(&f);
}

/* A half are registered as they stand, the others near or far. */
static void
make_asked(struct bench *b)
{
    b->n_asked = b->n < WARM ? WARM : b->n;
    b->asked = calloc(b->n_asked, sizeof(*b->asked));
    REQUIRE(b->asked != NULL);
    for (size_t i = 0; i < b->n_asked; i++) {
        struct addr *a = &b->asked[i];

        *a = b->items[next(b) % b->n].prefix.addr;
        if (next(b) % 2 == 0)
            a->b[15] ^= 1;
        if (next(b) % 4 == 0)
            a->b[13] = (uint8_t)next(b);
    }
}

static void
make_inputs(struct bench *b, bool nested)
{
    b->items = calloc(b->n, sizeof(*b->items));
    REQUIRE(b->items != NULL);
    for (size_t i = 0; i < b->n; i++)
        b->items[i] = (struct prefix_item){make_prefix(b, nested), (uint32_t)i};
    REQUIRE(prefix_map_new(b->items, b->n, &b->map, NULL) == ERR_OK);
    make_book(b);
    make_asked(b);
}

static void
free_inputs(struct bench *b)
{
    free(b->items);
    free(b->asked);
    prefix_map_free(b->map);
    book_free(b->book);
}

/* One cycle through all places in random order (Sattolo). */
static void
make_chain(struct bench *b)
{
    b->chain = malloc(CHAIN * sizeof(*b->chain));
    b->sweep = calloc(1, SWEEP);
    REQUIRE(b->chain != NULL && b->sweep != NULL);
    for (uint32_t i = 0; i < CHAIN; i++)
        b->chain[i] = i;
    for (uint32_t i = CHAIN - 1; i > 0; i--) {
        uint32_t k = (uint32_t)(next(b) % i);
        uint32_t v = b->chain[i];

        b->chain[i] = b->chain[k];
        b->chain[k] = v;
    }
}

static void
empty_caches(struct bench *b)
{
    for (size_t i = 0; i < SWEEP; i += 64)
        b->sink += b->sweep[i]++;
}

/* ---- what is measured ---- */

static void
read_memory(struct bench *b, size_t unused)
{
    (void)unused;
    b->chain_at = b->chain[b->chain_at];
}

static void
find_prefix(struct bench *b, size_t i)
{
    uint32_t place = prefix_map_find(b->map, &b->asked[i]);

    if (place != PREFIX_MAP_NONE)
        b->sink += prefix_map_value(b->map, place);
}

static void
judge(struct bench *b, size_t i)
{
    struct book_verdict v =
        book_judge(b->book, &b->asked[i], 25, FORM_SEND, 3 * MINUTE);

    b->sink += (uint64_t)v.state + v.registered;
}

static const struct {
    const char *name;
    void (*run)(struct bench *b, size_t i);
    bool lookup;
} works[] = {
    {"memory read", read_memory, false},
    {"prefix_map",  find_prefix, true },
    {"book_judge",  judge,       true },
};

/* Each waits for the one before: which it is depends on the sum. */
static double
run(struct bench *b, size_t work, size_t from, size_t n, size_t modulus)
{
    double start = now_ns();

    for (size_t i = 0; i < n; i++)
        works[work].run(b, (from + i + (b->sink & 1)) % modulus);
    return (now_ns() - start) / (double)n;
}

static int
by_size(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

static double
median(double v[ROUNDS])
{
    qsort(v, ROUNDS, sizeof(*v), by_size);
    return v[ROUNDS / 2];
}

static void
measure(struct bench *b, const char *set_name)
{
    static double cold[ARRAY_LEN(works)][ROUNDS];
    static double warm[ARRAY_LEN(works)][ROUNDS];

    for (size_t r = 0; r < ROUNDS; r++) {
        for (size_t w = 0; w < ARRAY_LEN(works); w++) {
            size_t from = next(b) % b->n_asked;

            /* The addresses asked for are no part of the question. */
            empty_caches(b);
            for (size_t i = 0; i <= COLD; i++)
                b->sink += b->asked[(from + i) % b->n_asked].b[0];
            cold[w][r] = run(b, w, from, COLD, b->n_asked);
            (void)run(b, w, 0, WARM, WARM);
            warm[w][r] = run(b, w, 0, (size_t)WARM * WARM_RUNS, WARM);
        }
    }
    for (size_t w = 0; w < ARRAY_LEN(works); w++) {
        printf("%s, %s, cold %.1f ns\n", set_name, works[w].name,
               median(cold[w]));
        if (works[w].lookup)
            printf("%s, %s, warm %.1f ns\n", set_name, works[w].name,
                   median(warm[w]));
    }
}

int
main(int argc, char **argv)
{
    static const char *const sets[] = {"servers", "many lengths"};
    unsigned long lines = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    struct bench b = {.n = lines, .random = 1};

    if (lines == 0 || lines > FORM_LINES_MAX) {
        fprintf(stderr, "usage: bench_lookup [LINES, 1 to %d]\n",
                FORM_LINES_MAX);
        return 2;
    }
    make_chain(&b);
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        make_inputs(&b, i == 1);
        measure(&b, sets[i]);
        free_inputs(&b);
    }
    free(b.chain);
    free(b.sweep);
    return b.sink == 0;
}
