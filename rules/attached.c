#include "rules/attached.h"

#include "sensor/base/seen.h"
#include "sensor/base/buf.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <stdlib.h>

#define FILES_MAX (SUMMARY_FINDINGS * ATTACHED_CLASS)
#define SLOTS     (FILES_MAX * 2)
#define WORD_MAX  31U
#define TAIL      64U /* kept of a long name, for its ending matters */
#define ELLIPSIS  "\xe2\x80\xa6"

struct attached {
    struct summary_attachment *files;
    uint64_t *hashes; /* of files */
    size_t n, cap;
    size_t n_class[SUMMARY_FINDINGS];
    uint64_t left_out;
    struct seen seen;
    uint16_t slots[SLOTS]; /* index + 1 into files; open addressing */
};

/* Which class a file is listed under, first the one that counts most. */
static const uint8_t order[SUMMARY_FINDINGS] = {SUMMARY_A, SUMMARY_B, SUMMARY_D,
                                                SUMMARY_C};

enum err
attached_new(struct attached **out)
{
    struct attached *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return ERR_NOMEM;
    seen_init(&a->seen, ATTACHED_SEEN);
    *out = a;
    return ERR_OK;
}

void
attached_free(struct attached *a)
{
    if (a == NULL)
        return;
    free(a->files);
    free(a->hashes);
    seen_fini(&a->seen);
    free(a);
}

static unsigned
rank_of(unsigned classes)
{
    unsigned i = 0;

    while (i < SUMMARY_FINDINGS - 1 && (classes >> order[i] & 1U) == 0)
        i++;
    return i;
}

/* ---- texts ---- */

/* Without the rest of a character at its end, or its beginning. */
static struct span
trim_end(struct span s)
{
    size_t n = s.n;

    while (n > 0 && s.n - n < 3 && (s.p[n - 1] & 0xc0) == 0x80)
        n--;
    if (n > 0 && utf8_len(span_tail(s, n - 1)) == 0)
        return span_head(s, n - 1);
    return s;
}

static struct span
trim_begin(struct span s)
{
    for (unsigned i = 0; i < 3 && (span_at(s, 0) & 0xc0) == 0x80; i++)
        s = span_tail(s, 1);
    return s;
}

static void
put_name(struct summary_attachment *f, struct span in)
{
    struct buf to = {(uint8_t *)f->name, 0,     sizeof(f->name),
                     sizeof(f->name),    false, false};

    if (in.n > sizeof(f->name)) {
        buf_span(&to, trim_end(span_head(in, sizeof(f->name) - TAIL - 3)));
        buf_str(&to, ELLIPSIS);
        in = trim_begin(span_tail(in, in.n - TAIL));
    }
    buf_span(&to, in);
    f->n_name = (uint16_t)to.n;
}

/* Names of types and findings are words of ours; what is none is left out. */
static bool
is_word(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_')
            return false;
    }
    return s.n > 0 && s.n <= WORD_MAX;
}

/* ---- findings ---- */

static int
compare(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

/* Puts name at its place in the sorted list, once. */
static void
add_finding(struct summary_attachment *f, struct span name)
{
    struct span all = span_str(f->findings);
    struct span rest = all;
    size_t at = 0;
    size_t more = name.n + (all.n > 0 ? 2 : 0);
    int d = -1;

    while (rest.n > 0) {
        struct span one = span_head(rest, span_find(rest, ','));

        d = compare(name, one);
        if (d <= 0)
            break;
        rest = span_tail(rest, one.n + 2);
        at = all.n - rest.n;
    }
    if (d == 0)
        return;
    if (all.n + more >= sizeof(f->findings)) {
        f->findings_more = true;
        return;
    }
    memmove(f->findings + at + more, f->findings + at, rest.n + 1);
    if (rest.n == 0 && all.n > 0) {
        memcpy(f->findings + at, ", ", 2);
        at += 2;
    }
    memcpy(f->findings + at, name.p, name.n);
    if (rest.n > 0)
        memcpy(f->findings + at + name.n, ", ", 2);
}

static void
add_findings(struct summary_attachment *f, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e) && e.field <= FIELD_FILEINFO_FINDINGS) {
        if (e.field != FIELD_FILEINFO_FINDINGS)
            continue;
        if (is_word(e.value))
            add_finding(f, e.value);
        else
            f->findings_more = true;
    }
}

/* ---- files ---- */

static bool
is_hex(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

/* What a part says of its file. */
static void
file_of(const struct record_map *part, struct summary_attachment *f)
{
    struct span sum = record_map_find(part, FIELD_FILEINFO_SHA256);
    struct span type = record_map_find(part, FIELD_FILEINFO_TYPE);

    *f = (struct summary_attachment){
        .size = record_map_u64(part, FIELD_FILEINFO_SIZE, 0)};
    put_name(f, record_map_find(part, FIELD_FILEINFO_FILENAME));
    if (is_word(type))
        memcpy(f->type, type.p, type.n);
    if (sum.n == sizeof(f->sha256) - 1 && is_hex(sum))
        memcpy(f->sha256, sum.p, sum.n);
}

static bool
is_same(const struct summary_attachment *a, const struct summary_attachment *b)
{
    if (a->sha256[0] != '\0' || b->sha256[0] != '\0')
        return strcmp(a->sha256, b->sha256) == 0;
    return a->size == b->size && span_eq(summary_name(a), summary_name(b)) &&
           strcmp(a->type, b->type) == 0;
}

static uint64_t
hash_of(const struct summary_attachment *f)
{
    if (f->sha256[0] != '\0')
        return hash_span(span_str(f->sha256), 1);
    return hash_mix(hash_span(summary_name(f), f->size),
                    hash_span(span_str(f->type), 2));
}

static bool
grow(struct attached *a)
{
    size_t cap = a->cap > 0 ? a->cap * 2 : 64;
    struct summary_attachment *files;
    uint64_t *hashes;

    if (a->n < a->cap)
        return true;
    files = realloc(a->files, cap * sizeof(*files));
    if (files == NULL)
        return false;
    a->files = files;
    hashes = realloc(a->hashes, cap * sizeof(*hashes));
    if (hashes == NULL)
        return false;
    a->hashes = hashes;
    a->cap = cap;
    return true;
}

/* NULL: not in the list, and no room. */
static struct summary_attachment *
find_or_add(struct attached *a, const struct summary_attachment *f,
            unsigned rank)
{
    uint64_t hash = hash_of(f);
    size_t at = hash & (SLOTS - 1);

    for (; a->slots[at] != 0; at = (at + 1) & (SLOTS - 1)) {
        size_t i = a->slots[at] - 1U;

        if (a->hashes[i] == hash && is_same(&a->files[i], f))
            return &a->files[i];
    }
    if (a->n_class[rank] >= ATTACHED_CLASS || !grow(a)) {
        a->left_out++;
        return NULL;
    }
    a->n_class[rank]++;
    a->hashes[a->n] = hash;
    a->files[a->n++] = *f;
    a->slots[at] = (uint16_t)a->n;
    return &a->files[a->n - 1];
}

/* ---- counts ---- */

enum distinct { DISTINCT_MESSAGE, DISTINCT_SENDER, DISTINCT_RECEIVER };

static void
count(struct attached *a, struct summary_attachment *f, enum distinct what,
      struct span of)
{
    uint64_t *counts[] = {&f->messages, &f->senders, &f->receivers};
    uint64_t which = (uint64_t)(f - a->files) << 2 | what;
    int added = seen_add(&a->seen, hash_mix(hash_span(of, 0), which));

    *counts[what] += added > 0;
    f->at_least |= added < 0;
}

void
attached_add(struct attached *a, const struct record_map *part,
             const struct attached_in *in)
{
    struct summary_attachment *f, this;

    if (in->classes == 0)
        return;
    file_of(part, &this);
    f = find_or_add(a, &this, rank_of(in->classes));
    if (f == NULL)
        return;
    f->parts++;
    f->classes |= (uint8_t)in->classes;
    f->class = order[rank_of(f->classes)];
    f->other_names |= !span_eq(summary_name(f), summary_name(&this));
    if (f->first == 0)
        f->first = in->when;
    f->last = in->when;
    add_findings(f, part->record);
    count(a, f, DISTINCT_MESSAGE, span_of(&in->mail, sizeof(in->mail)));
    if (in->sender != NULL)
        count(a, f, DISTINCT_SENDER, span_of(in->sender->b, 16));
    if (in->receiver != NULL)
        count(a, f, DISTINCT_RECEIVER, span_of(in->receiver->b, 16));
}

static int
by_weight(const void *x, const void *y)
{
    const struct summary_attachment *a = x;
    const struct summary_attachment *b = y;
    unsigned ra = rank_of(a->classes);
    unsigned rb = rank_of(b->classes);
    int d;

    if (ra != rb)
        return ra < rb ? -1 : 1;
    if (a->messages != b->messages)
        return a->messages > b->messages ? -1 : 1;
    d = strcmp(a->sha256, b->sha256);
    if (d == 0)
        d = compare(summary_name(a), summary_name(b));
    if (d == 0)
        d = (a->size > b->size) - (a->size < b->size);
    return d != 0 ? d : strcmp(a->type, b->type);
}

void
attached_summary(struct attached *a, struct summary *s)
{
    if (a->n > 0)
        qsort(a->files, a->n, sizeof(*a->files), by_weight);
    s->attachments = a->files;
    s->n_attachments = a->n;
    s->attachments_left_out = a->left_out;
}
