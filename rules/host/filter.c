#include "rules/host/filter.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

#define BLOCK_WORDS 8U
#define BLOCK_BYTES 64U

struct place {
    uint64_t block;
    uint64_t bits; /* FILTER_BITS numbers of 9 bits */
};

enum err
filter_init(struct filter *f, uint64_t bytes, ns_t lasts)
{
    *f = (struct filter){.lasts = lasts};
    REQUIRE(lasts > 0);
    f->blocks = bytes / FILTER_GENERATIONS / BLOCK_BYTES;
    if (f->blocks == 0)
        f->blocks = 1;
    for (size_t i = 0; i < FILTER_GENERATIONS; i++) {
        f->words[i] = calloc(f->blocks, BLOCK_BYTES);
        if (f->words[i] == NULL) {
            filter_fini(f);
            return ERR_NOMEM;
        }
    }
    return ERR_OK;
}

void
filter_fini(struct filter *f)
{
    for (size_t i = 0; i < FILTER_GENERATIONS; i++)
        free(f->words[i]);
    *f = (struct filter){0};
}

void
filter_time(struct filter *f, ns_t now)
{
    uint64_t number = now / f->lasts;

    if (number <= f->number)
        return;
    /* All of them are old after as many steps as there are generations. */
    if (number - f->number > FILTER_GENERATIONS)
        f->number = number - FILTER_GENERATIONS;
    while (f->number < number) {
        size_t g = ++f->number % FILTER_GENERATIONS;

        if (f->set[g] > 0)
            memset(f->words[g], 0, f->blocks * BLOCK_BYTES);
        f->set[g] = 0;
    }
}

static struct place
place_of(const struct filter *f, uint64_t key)
{
    return (struct place){
        .block = ((key >> 32) * f->blocks) >> 32,
        .bits = hash_mix(0, key),
    };
}

static bool
block_has(const uint64_t *block, uint64_t bits)
{
    for (unsigned i = 0; i < FILTER_BITS; i++, bits >>= 9) {
        if ((block[bits >> 6 & 7] >> (bits & 63) & 1) == 0)
            return false;
    }
    return true;
}

static bool
has(const struct filter *f, const struct place *at)
{
    for (size_t g = 0; g < FILTER_GENERATIONS; g++) {
        if (f->set[g] > 0 &&
            block_has(f->words[g] + at->block * BLOCK_WORDS, at->bits))
            return true;
    }
    return false;
}

bool
filter_has(const struct filter *f, uint64_t key)
{
    struct place at = place_of(f, key);

    return has(f, &at);
}

bool
filter_add(struct filter *f, uint64_t key)
{
    struct place at = place_of(f, key);
    size_t g = f->number % FILTER_GENERATIONS;
    uint64_t *block = f->words[g] + at.block * BLOCK_WORDS;
    uint64_t bits = at.bits;
    bool known;

    if (f->set[g] > 0 && block_has(block, bits))
        return false; /* most are known, and of late */
    known = has(f, &at);
    for (unsigned i = 0; i < FILTER_BITS; i++, bits >>= 9) {
        uint64_t bit = UINT64_C(1) << (bits & 63);

        f->set[g] += (block[bits >> 6 & 7] & bit) == 0;
        block[bits >> 6 & 7] |= bit;
    }
    return !known;
}

/* ---- how full ---- */

uint32_t
filter_fill_permille(const struct filter *f)
{
    uint64_t most = 0;

    for (size_t g = 0; g < FILTER_GENERATIONS; g++)
        most = f->set[g] > most ? f->set[g] : most;
    return (uint32_t)(most * 1000 / (f->blocks * BLOCK_BYTES * 8));
}

uint32_t
filter_error_permille(const struct filter *f)
{
    double clear = 1;

    for (size_t g = 0; g < FILTER_GENERATIONS; g++) {
        double fill = (double)f->set[g] / (double)(f->blocks * BLOCK_BYTES * 8);
        double hit = 1;

        for (unsigned i = 0; i < FILTER_BITS; i++)
            hit *= fill;
        clear *= 1 - hit;
    }
    return (uint32_t)((1 - clear) * 1000 + .5);
}

uint64_t
filter_bytes(const struct filter *f)
{
    return f->blocks * BLOCK_BYTES * FILTER_GENERATIONS;
}

/* ---- snapshots ---- */

static bool
is_empty(const uint64_t *block)
{
    uint64_t all = 0;

    for (size_t i = 0; i < BLOCK_WORDS; i++)
        all |= block[i];
    return all == 0;
}

static void
put_u64(struct buf *out, uint64_t v)
{
    buf_put(out, &v, sizeof(v));
}

void
filter_save(const struct filter *f, struct buf *out)
{
    put_u64(out, f->blocks);
    put_u64(out, f->number);
    for (size_t g = 0; g < FILTER_GENERATIONS; g++) {
        for (uint64_t i = 0; f->set[g] > 0 && i < f->blocks; i++) {
            const uint64_t *block = f->words[g] + i * BLOCK_WORDS;

            if (is_empty(block))
                continue;
            put_u64(out, i);
            buf_put(out, block, BLOCK_BYTES);
        }
        put_u64(out, UINT64_MAX); /* end of the generation */
    }
}

static bool
load_generation(struct filter *f, size_t g, struct cursor *in)
{
    uint64_t i;

    while ((i = cur_le64(in)) != UINT64_MAX) {
        struct span block = cur_take(in, BLOCK_BYTES);
        uint64_t *to;

        if (in->bad || i >= f->blocks)
            return false;
        to = f->words[g] + i * BLOCK_WORDS;
        if (!is_empty(to))
            return false;
        memcpy(to, block.p, BLOCK_BYTES);
        for (size_t k = 0; k < BLOCK_WORDS; k++)
            f->set[g] += (uint64_t)__builtin_popcountll(to[k]);
    }
    return !in->bad;
}

enum err
filter_load(struct filter *f, struct cursor *in)
{
    if (cur_le64(in) != f->blocks)
        return ERR_CORRUPT;
    f->number = cur_le64(in);
    for (size_t g = 0; g < FILTER_GENERATIONS; g++) {
        if (!load_generation(f, g, in))
            return ERR_CORRUPT;
    }
    return in->bad ? ERR_CORRUPT : ERR_OK;
}
