#include "dissectors/content/hashlist.h"

#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST DIGEST_BYTES
#define DIGITS 64
#define BLOCK  65536U

/* By what a file is told from the one that was there before. */
struct mark {
    int error; /* errno of stat, or 0 */
    mode_t mode;
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec written, changed;
};

struct file {
    char *path;
    bool fixed;        /* no regular file: read once */
    struct mark seen;  /* at the last look */
    struct mark tried; /* when it was read last, with success or without */
};

/* What files say. */
struct reading {
    struct digest_entry *entries;
    size_t n;
    size_t cap;
    size_t max;
    struct buf names;
    size_t left_out;
};

struct hashlist {
    struct digest_table *table;
    size_t digests, names; /* limits */
    size_t n, left_out;    /* of what was read last */
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

static enum err
make_room(struct reading *c)
{
    size_t cap = c->cap > 0 ? 2 * c->cap : 256;
    struct digest_entry *more;

    if (c->n < c->cap)
        return ERR_OK;
    if (c->n == c->max)
        return ERR_LIMIT;
    cap = cap < c->max ? cap : c->max;
    more = realloc(c->entries, cap * sizeof(*more));
    if (more == NULL)
        return ERR_NOMEM;
    c->entries = more;
    c->cap = cap;
    return ERR_OK;
}

static enum err
put(struct reading *c, const uint8_t digest[DIGEST], struct span name)
{
    const enum err e = make_room(c);
    struct digest_entry *to = &c->entries[c->n];

    if (e != ERR_OK)
        return e;
    name = span_head(name, HASHLIST_NAME);
    to->at = (uint32_t)c->names.n;
    to->n = (uint32_t)name.n;
    memcpy(to->digest, digest, DIGEST);
    buf_span(&c->names, name);
    if (c->names.cut || c->names.failed)
        return c->names.failed ? ERR_NOMEM : ERR_LIMIT;
    c->n++;
    return ERR_OK;
}

static enum err
read_line(struct reading *c, struct span line, bool *good)
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
    return put(c, digest, name);
}

static enum err
read_lines(struct reading *c, struct span text, const char *path,
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
    const struct digest_entry *x = a;
    const struct digest_entry *y = b;
    const int d = memcmp(x->digest, y->digest, DIGEST);

    if (d != 0)
        return d;
    return (x->at > y->at) - (x->at < y->at);
}

/* Sorted; of two of the same digest the first one stays. */
static void
order(struct reading *c)
{
    struct digest_entry *e = c->entries;
    size_t to = 0;

    if (c->n == 0)
        return;
    qsort(e, c->n, sizeof(*e), by_digest);
    for (size_t k = 1; k < c->n; k++)
        if (memcmp(e[to].digest, e[k].digest, DIGEST) != 0)
            e[++to] = e[k];
    c->n = to + 1;
}

static void
reading_begin(const struct hashlist *l, struct reading *c)
{
    *c = (struct reading){.max = l->digests};
    buf_init(&c->names, l->names);
}

static void
reading_free(struct reading *c)
{
    free(c->entries);
    buf_free(&c->names);
}

/* Ready to be put into force. */
static void
take(struct hashlist *l, struct reading *c)
{
    order(c);
    digest_table_fill(l->table, c->entries, c->n, buf_view(&c->names));
    l->n = c->n;
    l->left_out = c->left_out;
}

/* ---- files ---- */

static struct mark
mark_of(const struct stat *s)
{
    return (struct mark){.mode = s->st_mode,
                         .dev = s->st_dev,
                         .ino = s->st_ino,
                         .size = s->st_size,
                         .written = s->st_mtim,
                         .changed = s->st_ctim};
}

static struct mark
look(const char *path)
{
    struct stat s;

    if (stat(path, &s) != 0)
        return (struct mark){.error = errno};
    return mark_of(&s);
}

static bool
is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
is_same(const struct mark *a, const struct mark *b)
{
    return a->error == b->error && a->mode == b->mode && a->dev == b->dev &&
           a->ino == b->ino && a->size == b->size &&
           is_same_time(a->written, b->written) &&
           is_same_time(a->changed, b->changed);
}

static enum err
read_bytes(int fd, struct buf *out)
{
    ssize_t n;

    do {
        if (!buf_grow(out, BLOCK))
            return out->failed ? ERR_NOMEM : ERR_LIMIT;
        n = read(fd, out->p + out->n, BLOCK);
        if (n < 0 && errno != EINTR)
            return err_from_errno(errno);
        out->n += n > 0 ? (size_t)n : 0;
    } while (n != 0);
    return ERR_OK;
}

static enum err
read_open(struct file *f, int fd, bool again, struct buf *out)
{
    struct stat s;

    if (fstat(fd, &s) != 0)
        return err_from_errno(errno);
    if (S_ISDIR(s.st_mode) || (again && !S_ISREG(s.st_mode)))
        return ERR_FORMAT;
    if (!again) {
        f->fixed = !S_ISREG(s.st_mode);
        f->seen = f->tried = mark_of(&s);
    }
    return s.st_size > (off_t)HASHLIST_FILE_MAX ? ERR_LIMIT
                                                : read_bytes(fd, out);
}

/* At the start somebody may give a pipe and be waited for; later, what took the
 * place of the file is not waited for. */
static enum err
read_all(struct file *f, bool again, struct buf *out)
{
    const int fd =
        open(f->path, O_RDONLY | O_CLOEXEC | (again ? O_NONBLOCK : 0));
    enum err e;

    if (fd < 0)
        return err_from_errno(errno);
    e = read_open(f, fd, again, out);
    (void)close(fd);
    return e;
}

static void
complain(const struct file *f, enum err e, struct buf *message)
{
    text_term(message, span_str(f->path));
    if (e == ERR_LIMIT)
        buf_printf(message,
                   ": is too large: at most %" PRIu64 " MiB, and of all lists "
                   "together %u digests and %u MiB of names; take out what is "
                   "old\n",
                   HASHLIST_FILE_MAX >> 20, (unsigned)HASHLIST_DIGESTS,
                   (unsigned)HASHLIST_NAMES >> 20);
    else if (e == ERR_FORMAT)
        buf_str(message, ": is no list of SHA-256 digests; give a text file "
                         "with one a line, as sha256sum writes it, or with a "
                         "line that begins with # to list nothing\n");
    else
        buf_printf(message, ": %s\n", err_text(e));
}

/* A file that is there but says nothing, not even in a comment, is what a
 * download leaves that failed. */
static enum err
add_file(struct reading *c, struct file *f, bool again, struct buf *message)
{
    const size_t n = c->n;
    const size_t left_out = c->left_out;
    struct buf text;
    enum err e;

    buf_init(&text, HASHLIST_FILE_MAX + BLOCK);
    e = read_all(f, again, &text);
    if (e == ERR_OK)
        e = read_lines(c, buf_view(&text), f->path, message);
    if (e == ERR_OK && c->n == n &&
        (c->left_out > left_out || (again && text.n == 0)))
        e = ERR_FORMAT;
    if (e != ERR_OK)
        complain(f, e, message);
    buf_free(&text);
    return e;
}

static enum err
add_files(struct hashlist *l, struct reading *c, bool again,
          struct buf *message)
{
    enum err e = ERR_OK;

    for (size_t k = 0; e == ERR_OK && k < l->n_files; k++)
        e = add_file(c, &l->files[k], again, message);
    return e;
}

/* ---- the list ---- */

enum err
hashlist_new_of(size_t digests, size_t names, struct hashlist **out)
{
    struct hashlist *l = calloc(1, sizeof(*l));
    enum err e;

    if (l == NULL)
        return ERR_NOMEM;
    l->digests = digests;
    l->names = names;
    e = digest_table_new(digests, names, &l->table);
    if (e != ERR_OK) {
        hashlist_free(l);
        return e;
    }
    *out = l;
    return ERR_OK;
}

enum err
hashlist_new(struct hashlist **out)
{
    return hashlist_new_of(HASHLIST_DIGESTS, HASHLIST_NAMES, out);
}

void
hashlist_free(struct hashlist *l)
{
    if (l == NULL)
        return;
    for (size_t k = 0; k < l->n_files; k++)
        free(l->files[k].path);
    free(l->files);
    digest_table_free(l->table);
    free(l);
}

enum err
hashlist_add_file(struct hashlist *l, const char *path, struct buf *message)
{
    struct file *more = realloc(l->files, (l->n_files + 1) * sizeof(*more));
    struct reading c;
    enum err e;

    if (more == NULL)
        return ERR_NOMEM;
    l->files = more;
    more[l->n_files] = (struct file){.path = strdup(path)};
    if (more[l->n_files].path == NULL)
        return ERR_NOMEM;
    l->n_files++;
    reading_begin(l, &c);
    e = add_files(l, &c, false, message);
    if (e == ERR_OK) {
        take(l, &c);
        digest_table_publish(l->table);
    } else {
        free(l->files[--l->n_files].path);
    }
    reading_free(&c);
    return e;
}

/* ---- reloading ---- */

/* Is there something to read, and is nobody writing it? */
static bool
is_time(struct hashlist *l)
{
    bool other = false;
    bool still = true;

    for (size_t k = 0; k < l->n_files; k++) {
        struct file *f = &l->files[k];
        const struct mark now = look(f->path);

        still &= is_same(&now, &f->seen) && !f->fixed;
        other |= !is_same(&now, &f->tried);
        f->seen = now;
    }
    return other && still;
}

/* Has any been changed while it was read? Then it is tried again. */
static bool
is_still_there(struct hashlist *l)
{
    bool still = true;

    for (size_t k = 0; k < l->n_files; k++) {
        struct file *f = &l->files[k];
        const struct mark now = look(f->path);

        still &= is_same(&now, &f->seen);
        f->tried = f->seen;
    }
    return still;
}

bool
hashlist_refresh(struct hashlist *l, struct buf *message)
{
    struct reading c;
    struct buf said;
    enum err e;
    bool good;

    if (l == NULL || !is_time(l))
        return false;
    buf_init(&said, message->max);
    reading_begin(l, &c);
    e = add_files(l, &c, true, &said);
    good = is_still_there(l);
    if (good)
        buf_span(message, buf_view(&said));
    if (good && e != ERR_OK)
        buf_str(message, "span25: the list of hashes read before stays in "
                         "force\n");
    good = good && e == ERR_OK;
    if (good)
        take(l, &c);
    reading_free(&c);
    buf_free(&said);
    return good;
}

void
hashlist_publish(struct hashlist *l)
{
    digest_table_publish(l->table);
}

static void
describe_file(const struct file *f, struct buf *out)
{
    const char *slash = strrchr(f->path, '/');

    text_term(out, span_str(slash != NULL ? slash + 1 : f->path));
}

void
hashlist_describe(const struct hashlist *l, struct buf *out)
{
    if (l == NULL)
        return;
    for (size_t k = 0; k < l->n_files; k++) {
        buf_str(out, k > 0 ? ", " : "hash list: ");
        describe_file(&l->files[k], out);
    }
    buf_printf(out, " (%zu digests", l->n);
    if (l->left_out > 0)
        buf_printf(out, ", %zu lines left out", l->left_out);
    buf_putc(out, ')');
}

enum err
hashlist_add_text(struct hashlist *l, struct span text, const char *name,
                  struct buf *message)
{
    struct reading c;
    enum err e;

    reading_begin(l, &c);
    e = read_lines(&c, text, name, message);
    if (e == ERR_OK) {
        take(l, &c);
        digest_table_publish(l->table);
    }
    reading_free(&c);
    return e;
}

/* ---- looking up ---- */

bool
hashlist_find(const struct hashlist *l, const uint8_t digest[32],
              struct hashlist_name *name)
{
    size_t n;

    if (l == NULL || !digest_table_find(l->table, digest, name->bytes, &n))
        return false;
    name->n = (uint8_t)n;
    return true;
}

uint64_t
hashlist_generation(const struct hashlist *l)
{
    return l != NULL ? digest_table_generation(l->table) : 0;
}

size_t
hashlist_count(const struct hashlist *l)
{
    return l->n;
}

size_t
hashlist_left_out(const struct hashlist *l)
{
    return l->left_out;
}

size_t
hashlist_bytes(const struct hashlist *l)
{
    return l != NULL ? digest_table_bytes(l->table) : 0;
}
