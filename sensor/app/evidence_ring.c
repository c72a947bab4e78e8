#include "sensor/app/evidence_ring.h"

#include "sensor/capture/capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_BYTES 4096U
#define INDEX_MAX  (16U << 20)

struct ring {
    const char *state;
    const struct evidence_wanted *wanted;
    size_t n_wanted;
    struct evidence_cut *cut;
    struct evidence_held *held;
    uint32_t *numbers;
    size_t n, cap;
};

/* ---- which segments ---- */

static bool
add_number(struct ring *r, uint32_t number)
{
    if (r->n == r->cap) {
        const size_t cap = r->cap > 0 ? 2 * r->cap : 256;
        uint32_t *v = realloc(r->numbers, cap * sizeof(*v));

        if (v == NULL)
            return false;
        r->numbers = v;
        r->cap = cap;
    }
    r->numbers[r->n++] = number;
    return true;
}

static bool
path_of(const struct ring *r, const char *name, struct buf *out)
{
    buf_init(out, PATH_BYTES);
    buf_printf(out, "%s/" EVIDENCE_FOLDER "/%s", r->state, name);
    buf_putc(out, '\0');
    return !out->cut && !out->failed;
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static enum err
list(struct ring *r)
{
    struct buf path;
    DIR *d = path_of(r, "", &path) ? opendir((const char *)path.p) : NULL;
    const int why = errno;
    const struct dirent *e;
    bool good = true;

    buf_free(&path);
    if (d == NULL)
        return err_from_errno(why);
    while (good && (e = readdir(d)) != NULL) {
        uint32_t number;
        bool index;

        if (evidence_name_read(e->d_name, &number, &index) && !index)
            good = add_number(r, number);
    }
    (void)closedir(d);
    if (r->n > 0)
        qsort(r->numbers, r->n, sizeof(*r->numbers), by_number);
    r->held->segments = r->n;
    return good ? ERR_OK : ERR_NOMEM;
}

/* ---- one segment ---- */

static void
note_oldest(struct ring *r, ns_t when)
{
    if (when != 0 && (r->held->oldest == 0 || when < r->held->oldest))
        r->held->oldest = when;
}

static void
read_file(const struct ring *r, const char *name, struct buf *out)
{
    struct buf path;
    int fd = -1;
    ssize_t n = 1;

    if (path_of(r, name, &path))
        fd = open((const char *)path.p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    buf_free(&path);
    while (fd >= 0 && n > 0 && buf_grow(out, 1 << 16)) {
        n = read(fd, out->p + out->n, 1 << 16);
        out->n += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        (void)close(fd);
}

/* True: it must be read, for what it says or for it says nothing. */
static bool
may_have(struct ring *r, uint32_t number)
{
    char name[EVIDENCE_NAME_MAX];
    struct evidence_head h;
    struct buf b;
    bool may = true;

    buf_init(&b, INDEX_MAX);
    evidence_name(number, true, name);
    read_file(r, name, &b);
    if (evidence_read_head(buf_view(&b), &h)) {
        may = false;
        note_oldest(r, h.first);
        for (size_t i = 0; !may && i < r->n_wanted; i++)
            may = evidence_has(buf_view(&b), &r->wanted[i].key,
                               r->wanted[i].from, r->wanted[i].to);
    }
    buf_free(&b);
    return may;
}

static void
read_packets(struct ring *r, struct capture *c)
{
    struct packet p;

    while (capture_next(c, &p) == CAPTURE_PACKET) {
        note_oldest(r, p.when);
        evidence_cut_take(r->cut, &p, capture_iface(c, p.iface)->name);
    }
}

static void
read_segment(struct ring *r, uint32_t number)
{
    const struct capture_options none = {0};
    char name[EVIDENCE_NAME_MAX];
    struct capture *c = NULL;
    struct buf path, message;
    const char *file;

    evidence_name(number, false, name);
    buf_init(&message, 1024);
    if (path_of(r, name, &path)) {
        file = (const char *)path.p;
        if (capture_open(&file, 1, &none, &c, &message) == ERR_OK) {
            read_packets(r, c);
            r->held->read++;
        }
        capture_close(c);
    }
    buf_free(&path);
    buf_free(&message);
}

enum err
evidence_ring_read(const char *state, const struct evidence_wanted *wanted,
                   size_t n, struct evidence_cut *cut,
                   struct evidence_held *held)
{
    struct ring r = {.state = state,
                     .wanted = wanted,
                     .n_wanted = n,
                     .cut = cut,
                     .held = held};
    enum err e;

    *held = (struct evidence_held){0};
    e = list(&r);
    for (size_t i = 0; e == ERR_OK && i < r.n; i++) {
        if (may_have(&r, r.numbers[i]))
            read_segment(&r, r.numbers[i]);
    }
    free(r.numbers);
    return e;
}
