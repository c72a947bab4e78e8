#include "dissectors/content/digest_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define DIGEST_WORDS 4U
#define ENTRY_WORDS  5U /* digest, then place and length of the name */
#define WORD         8U

/* In shared memory, all of it words: a reader may meet the writer in any of
 * them, and a word is never read by halves.
 *
 * state is 2k while list k is in force, 2k + 1 while list k + 1 is filled,
 * which takes the place of list k - 1. List k is in buffer k % 2. */
struct shared {
    _Atomic uint64_t state;
    _Atomic uint64_t n[2]; /* entries of each buffer */
    _Atomic uint64_t words[];
};

struct digest_table {
    const struct shared *view; /* no process can write through it */
    struct shared *own;        /* the writer's; not there after a fork */
    size_t entries_max;
    size_t name_words;
    size_t bytes;
};

/* ---- order of memory ----
 *
 * The writer says in state that it begins, then stores words; each store is a
 * release. A reader whose load, an acquire, meets one of these words therefore
 * sees the new state when it looks at it afterwards. */

static uint64_t
get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static void
set(_Atomic uint64_t *word, uint64_t v)
{
    atomic_store_explicit(word, v, memory_order_release);
}

/* ---- places ---- */

static size_t
buffer_words(const struct digest_table *t)
{
    return t->entries_max * ENTRY_WORDS + t->name_words;
}

static size_t
entry_at(const struct digest_table *t, unsigned buffer, size_t k)
{
    return buffer * buffer_words(t) + k * ENTRY_WORDS;
}

static size_t
names_at(const struct digest_table *t, unsigned buffer)
{
    return entry_at(t, buffer, t->entries_max);
}

static uint64_t
digest_word(const uint8_t *digest, size_t k)
{
    uint64_t v = 0;

    for (size_t i = 0; i < WORD; i++)
        v = v << 8 | digest[k * WORD + i];
    return v;
}

/* ---- life ---- */

static enum err
map(struct digest_table *t, int fd)
{
    void *p;

    if (ftruncate(fd, (off_t)t->bytes) != 0)
        return err_from_errno(errno);
    p = mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
             fd, 0);
    if (p == MAP_FAILED)
        return err_from_errno(errno);
    t->own = p;
    if (madvise(p, t->bytes, MADV_DONTFORK) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0)
        return err_from_errno(errno);
    p = mmap(NULL, t->bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (p == MAP_FAILED)
        return err_from_errno(errno);
    t->view = p;
    return ERR_OK;
}

enum err
digest_table_new(size_t entries_max, size_t names_max,
                 struct digest_table **out)
{
    struct digest_table *t = calloc(1, sizeof(*t));
    enum err e;
    int fd;

    if (t == NULL)
        return ERR_NOMEM;
    t->entries_max = entries_max;
    t->name_words = names_max / WORD + 1;
    t->bytes = sizeof(struct shared) + 2 * buffer_words(t) * WORD;
    fd = memfd_create("digests", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    e = fd < 0 ? err_from_errno(errno) : map(t, fd);
    if (fd >= 0)
        (void)close(fd);
    if (e != ERR_OK) {
        digest_table_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

void
digest_table_free(struct digest_table *t)
{
    if (t == NULL)
        return;
    if (t->own != NULL)
        (void)munmap(t->own, t->bytes);
    if (t->view != NULL)
        (void)munmap((void *)(uintptr_t)t->view, t->bytes);
    free(t);
}

size_t
digest_table_bytes(const struct digest_table *t)
{
    return t->bytes;
}

/* ---- the writer ---- */

static void
put_entry(_Atomic uint64_t *to, const struct digest_entry *e)
{
    for (size_t i = 0; i < DIGEST_WORDS; i++)
        set(&to[i], digest_word(e->digest, i));
    set(&to[DIGEST_WORDS], (uint64_t)e->at << 32 | e->n);
}

static void
put_names(_Atomic uint64_t *to, struct span names)
{
    for (size_t k = 0; k < names.n; k += WORD) {
        uint64_t v = 0;

        for (size_t i = 0; i < WORD; i++)
            v |= (uint64_t)span_at(names, k + i) << 8 * i;
        set(&to[k / WORD], v);
    }
}

void
digest_table_fill(struct digest_table *t, const struct digest_entry *entries,
                  size_t n, struct span names)
{
    struct shared *s = t->own;
    uint64_t begun = get(&s->state) | 1;
    unsigned buffer = (begun >> 1 & 1) == 0;

    REQUIRE(n <= t->entries_max && names.n <= t->name_words * WORD);
    set(&s->state, begun);
    set(&s->n[buffer], n);
    for (size_t k = 0; k < n; k++)
        put_entry(&s->words[entry_at(t, buffer, k)], &entries[k]);
    put_names(&s->words[names_at(t, buffer)], names);
}

void
digest_table_publish(struct digest_table *t)
{
    uint64_t state = get(&t->own->state);

    if ((state & 1) != 0)
        set(&t->own->state, state + 1);
}

/* ---- readers ---- */

static int
compare(const uint64_t *wanted, const _Atomic uint64_t *entry)
{
    for (size_t i = 0; i < DIGEST_WORDS; i++) {
        const uint64_t v = get(&entry[i]);

        if (wanted[i] != v)
            return wanted[i] < v ? -1 : 1;
    }
    return 0;
}

/* What is said of a name may be from one list and its bytes from another: then
 * it will be looked up again, but until then it must fit. */
static void
take_name(const struct digest_table *t, unsigned buffer, uint64_t where,
          uint8_t *name, size_t *n)
{
    const _Atomic uint64_t *names = &t->view->words[names_at(t, buffer)];
    const size_t at = where >> 32;
    const size_t length = where & UINT32_MAX;

    *n = 0;
    if (length > DIGEST_NAME_BYTES || at + length > t->name_words * WORD)
        return;
    for (size_t k = at; k < at + length; k++)
        name[k - at] = (uint8_t)(get(&names[k / WORD]) >> 8 * (k % WORD));
    *n = length;
}

static bool
search(const struct digest_table *t, unsigned buffer, const uint64_t *wanted,
       uint8_t *name, size_t *n)
{
    const struct shared *s = t->view;
    size_t low = 0;
    size_t high = get(&s->n[buffer]);

    high = high < t->entries_max ? high : t->entries_max;
    while (low < high) {
        const size_t k = low + (high - low) / 2;
        const _Atomic uint64_t *entry = &s->words[entry_at(t, buffer, k)];
        const int d = compare(wanted, entry);

        if (d == 0) {
            take_name(t, buffer, get(&entry[DIGEST_WORDS]), name, n);
            return true;
        }
        if (d < 0)
            high = k;
        else
            low = k + 1;
    }
    return false;
}

bool
digest_table_find(const struct digest_table *t,
                  const uint8_t digest[DIGEST_BYTES], uint8_t *name, size_t *n)
{
    uint64_t wanted[DIGEST_WORDS];

    for (size_t i = 0; i < DIGEST_WORDS; i++)
        wanted[i] = digest_word(digest, i);
    for (;;) {
        const uint64_t list = get(&t->view->state) >> 1;
        const bool found = search(t, list & 1, wanted, name, n);

        /* 2 * list + 3: its buffer is filled for another one. */
        if (get(&t->view->state) < 2 * list + 3)
            return found;
    }
}

uint64_t
digest_table_generation(const struct digest_table *t)
{
    return get(&t->view->state) >> 1;
}
