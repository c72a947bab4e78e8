#include "dissectors/content/hashlist.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define DIGEST 32
#define DIGITS 64

struct entry {
    uint8_t digest[DIGEST];
    uint32_t at; /* of the name in names */
    uint32_t n;
};

struct file {
    char *path;
    struct stat was;
};

struct content_of {
    struct entry *entries;
    size_t n;
    size_t cap;
    struct buf names;
    size_t left_out;
};

struct hashlist {
    struct content_of now;
    struct file *files;
    size_t n_files;
};

/* ---- lines ---- */

static unsigned
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10U : 16;
}

static bool
read_digest(struct span s, uint8_t out[DIGEST])
{
    if (s.n < DIGITS)
        return false;
    for (size_t k = 0; k < DIGEST; k++) {
        const unsigned high = hex_digit(s.p[2 * k]);
        const unsigned low = hex_digit(s.p[2 * k + 1]);

        if (high > 15 || low > 15)
            return false;
        out[k] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool
is_gap(uint8_t c)
{
    return c == ' ' || c == '\t' || c == ',' || c == ';';
}

/* digits, or digits and a name */
static bool
read_plain(struct span line, uint8_t digest[DIGEST], struct span *name)
{
    struct span rest = span_tail(line, DIGITS);

    if (!read_digest(line, digest) || (rest.n > 0 && !is_gap(rest.p[0])))
        return false;
    while (rest.n > 0 && is_gap(rest.p[0]))
        rest = span_tail(rest, 1);
    *name = span_trim(span_at(rest, 0) == '*' ? span_tail(rest, 1) : rest);
    return true;
}

/* SHA256 (name) = digits */
static bool
read_tagged(struct span line, uint8_t digest[DIGEST], struct span *name)
{
    static const struct span tag = SPAN_INIT("SHA256 (");
    static const struct span equals = SPAN_INIT(") = ");
    const size_t end = line.n > DIGITS ? line.n - DIGITS : 0;
    struct span head = span_head(line, end);

    if (!span_starts(line, tag) || head.n < tag.n + equals.n ||
        !span_eq(span_tail(head, head.n - equals.n), equals))
        return false;
    *name = span_head(span_tail(head, tag.n), head.n - tag.n - equals.n);
    return read_digest(span_tail(line, end), digest);
}

static bool
put(struct content_of *c, const uint8_t digest[DIGEST], struct span name)
{
    name = span_head(name, HASHLIST_NAME);
    if (c->n == c->cap) {
        const size_t cap = c->cap > 0 ? 2 * c->cap : 256;
        struct entry *more = realloc(c->entries, cap * sizeof(*more));

        if (more == NULL)
            return false;
        c->entries = more;
        c->cap = cap;
    }
    c->entries[c->n].at = (uint32_t)c->names.n;
    c->entries[c->n].n = (uint32_t)name.n;
    memcpy(c->entries[c->n].digest, digest, DIGEST);
    buf_span(&c->names, name);
    if (c->names.cut || c->names.failed)
        return false;
    c->n++;
    return true;
}

static enum err
read_line(struct content_of *c, struct span line, bool *good)
{
    uint8_t digest[DIGEST];
    struct span name = SPAN_NONE;

    line = span_trim(line);
    *good = true;
    if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
        return ERR_OK;
    *good = read_plain(line, digest, &name) || read_tagged(line, digest, &name);
    if (!*good)
        return ERR_OK;
    return put(c, digest, name) ? ERR_OK : ERR_NOMEM;
}

static enum err
read_lines(struct content_of *c, struct span text, const char *path,
           struct buf *message)
{
    size_t number = 0;
    size_t complaints = 0;

    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        text = span_tail(text, 3);
    while (text.n > 0) {
        struct span line = span_head(text, span_find(text, '\n'));
        bool good;
        enum err e;

        text = span_tail(text, line.n + 1);
        number++;
        if (span_at(line, line.n - 1) == '\r')
            line.n--;
        e = read_line(c, line, &good);
        if (e != ERR_OK)
            return e;
        if (good)
            continue;
        c->left_out++;
        if (complaints++ < HASHLIST_COMPLAINTS)
            buf_printf(message, "%s:%zu: not a SHA-256 and a name\n", path,
                       number);
    }
    return ERR_OK;
}

/* ---- order ---- */

static int
by_digest(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    const int d = memcmp(x->digest, y->digest, DIGEST);

    if (d != 0)
        return d;
    return (x->at > y->at) - (x->at < y->at);
}

/* Sorted; of two of the same digest the first one stays. */
static void
order(struct content_of *c)
{
    size_t to = 0;

    if (c->n == 0)
        return;
    qsort(c->entries, c->n, sizeof(*c->entries), by_digest);
    for (size_t k = 1; k < c->n; k++)
        if (memcmp(c->entries[to].digest, c->entries[k].digest, DIGEST) != 0)
            c->entries[++to] = c->entries[k];
    c->n = to + 1;
}

static void
content_fini(struct content_of *c)
{
    free(c->entries);
    buf_free(&c->names);
}

static void
content_begin(struct content_of *c)
{
    *c = (struct content_of){0};
    buf_init(&c->names, UINT32_MAX);
}

/* ---- files ---- */

static enum err
read_bytes(FILE *f, struct buf *out)
{
    size_t n;

    do {
        if (!buf_grow(out, 1U << 16))
            return out->failed ? ERR_NOMEM : ERR_LIMIT;
        n = fread(out->p + out->n, 1, 1U << 16, f);
        out->n += n;
    } while (n > 0);
    return ferror(f) ? ERR_IO : ERR_OK;
}

static enum err
read_all(const char *path, struct buf *out, struct stat *was)
{
    FILE *f = fopen(path, "rbe");
    enum err e;

    if (f == NULL)
        return err_from_errno(errno);
    if (fstat(fileno(f), was) != 0)
        e = err_from_errno(errno);
    else
        e = S_ISDIR(was->st_mode) ? ERR_FORMAT : read_bytes(f, out);
    (void)fclose(f);
    return e;
}

static enum err
add_file(struct content_of *c, struct file *file, struct buf *message)
{
    struct buf text;
    enum err e;

    buf_init(&text, HASHLIST_FILE_MAX);
    e = read_all(file->path, &text, &file->was);
    if (e == ERR_OK)
        e = read_lines(c, buf_view(&text), file->path, message);
    if (e != ERR_OK)
        buf_printf(message, "%s: %s\n", file->path, err_text(e));
    buf_free(&text);
    return e;
}

/* All files anew; takes force only as a whole. */
static enum err
load(struct hashlist *l, struct buf *message)
{
    struct content_of next;

    content_begin(&next);
    for (size_t k = 0; k < l->n_files; k++) {
        const enum err e = add_file(&next, &l->files[k], message);

        if (e != ERR_OK) {
            content_fini(&next);
            return e;
        }
    }
    order(&next);
    content_fini(&l->now);
    l->now = next;
    return ERR_OK;
}

static bool
is_other(const struct file *f)
{
    struct stat s;

    return stat(f->path, &s) != 0 || s.st_ino != f->was.st_ino ||
           s.st_dev != f->was.st_dev || s.st_size != f->was.st_size ||
           s.st_mtim.tv_sec != f->was.st_mtim.tv_sec ||
           s.st_mtim.tv_nsec != f->was.st_mtim.tv_nsec;
}

/* ---- the list ---- */

enum err
hashlist_new(struct hashlist **out)
{
    struct hashlist *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return ERR_NOMEM;
    content_begin(&l->now);
    *out = l;
    return ERR_OK;
}

void
hashlist_free(struct hashlist *l)
{
    if (l == NULL)
        return;
    for (size_t k = 0; k < l->n_files; k++)
        free(l->files[k].path);
    free(l->files);
    content_fini(&l->now);
    free(l);
}

enum err
hashlist_add_file(struct hashlist *l, const char *path, struct buf *message)
{
    struct file *more = realloc(l->files, (l->n_files + 1) * sizeof(*more));
    enum err e;

    if (more == NULL)
        return ERR_NOMEM;
    l->files = more;
    more[l->n_files] = (struct file){.path = strdup(path)};
    if (more[l->n_files].path == NULL)
        return ERR_NOMEM;
    l->n_files++;
    e = load(l, message);
    if (e != ERR_OK)
        free(l->files[--l->n_files].path);
    return e;
}

enum err
hashlist_refresh(struct hashlist *l, bool *changed, struct buf *message)
{
    enum err e = ERR_OK;

    *changed = false;
    for (size_t k = 0; k < l->n_files && !*changed; k++)
        *changed = is_other(&l->files[k]);
    if (*changed)
        e = load(l, message);
    if (e != ERR_OK)
        *changed = false;
    return e;
}

enum err
hashlist_add_text(struct hashlist *l, struct span text, const char *name,
                  struct buf *message)
{
    const enum err e = read_lines(&l->now, text, name, message);

    order(&l->now);
    return e;
}

bool
hashlist_find(const struct hashlist *l, const uint8_t digest[32],
              struct span *name)
{
    size_t low = 0;
    size_t high = l != NULL ? l->now.n : 0;

    while (low < high) {
        const size_t k = low + (high - low) / 2;
        const struct entry *e = &l->now.entries[k];
        const int d = memcmp(digest, e->digest, DIGEST);

        if (d == 0) {
            *name = span_head(span_tail(buf_view(&l->now.names), e->at), e->n);
            return true;
        }
        if (d < 0)
            high = k;
        else
            low = k + 1;
    }
    return false;
}

size_t
hashlist_count(const struct hashlist *l)
{
    return l->now.n;
}

size_t
hashlist_left_out(const struct hashlist *l)
{
    return l->now.left_out;
}
