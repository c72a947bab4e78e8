#include <stdlib.h>

#include "sensor/app/study_anonymize_parts.h"
#include "sensor/base/hash.h"

/* Bytes of a word. Those of UTF-8 are letters, or nothing that parts words. */
static bool
is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           c >= 0x80;
}

static uint64_t
hash_of(struct span s)
{
    uint64_t h = 0;

    for (size_t i = 0; i < s.n; i++) {
        const uint8_t c = s.p[i];

        h = hash_mix(h, c >= 'A' && c <= 'Z' ? (uint8_t)(c + 0x20) : c);
    }
    return h;
}

static void
add(struct anonymize_names *a, struct span name)
{
    const size_t cap = a->cap > 0 ? a->cap * 2 : 256;
    uint64_t *v = a->v;

    while (name.n > 0 && !is_word(name.p[0]))
        name = span_tail(name, 1);
    while (name.n > 0 && !is_word(name.p[name.n - 1]))
        name.n--;
    if (name.n < ANONYMIZE_NAME)
        return;
    if (a->n == a->cap) {
        v = reallocarray(v, cap, sizeof(*v));
        if (v == NULL) {
            a->failed = true;
            return;
        }
        a->v = v;
        a->cap = cap;
    }
    v[a->n++] = hash_of(name);
}

void
anonymize_names_add(struct anonymize_names *a, const char *name)
{
    if (name != NULL)
        add(a, span_str(name));
}

void
anonymize_names_add_addr(struct anonymize_names *a, const struct addr *h)
{
    char text[ADDR_TEXT_MAX];

    add(a, span_of(text, addr_format(h, text)));
}

static int
by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void
anonymize_names_sort(struct anonymize_names *a)
{
    if (a->n > 0)
        qsort(a->v, a->n, sizeof(*a->v), by_value);
}

static bool
has(const struct anonymize_names *a, struct span s)
{
    const uint64_t h = hash_of(s);

    return a->n > 0 && bsearch(&h, a->v, a->n, sizeof(*a->v), by_value) != NULL;
}

/* Where the word that begins at `at` ends. */
static size_t
word_end(struct span s, size_t at)
{
    while (at < s.n && is_word(s.p[at]))
        at++;
    return at;
}

static size_t
next_word(struct span s, size_t at)
{
    while (at < s.n && !is_word(s.p[at]))
        at++;
    return at;
}

bool
anonymize_names_in(const struct anonymize_names *a, const char *text)
{
    const struct span s = text != NULL ? span_str(text) : SPAN_NONE;

    for (size_t from = next_word(s, 0); from < s.n;
         from = next_word(s, word_end(s, from))) {
        size_t to = from;

        for (unsigned n = 0; n < ANONYMIZE_WORDS && to < s.n; n++) {
            to = word_end(s, next_word(s, to));
            if (has(a, span_tail(span_head(s, to), from)))
                return true;
        }
    }
    return false;
}

void
anonymize_names_free(struct anonymize_names *a)
{
    free(a->v);
    *a = (struct anonymize_names){NULL, 0, 0, false};
}
