#include "sensor/capture/recorder.h"

#include "sensor/base/hash.h"
#include "sensor/capture/pcapng_out.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SLOTS        (2U * RECORDER_FLOWS)
#define BUFFER_MAX   (4U << 20)
#define INDEX_BUFFER (EVIDENCE_ROW * 1024U)
#define RESUME_BELOW 2U /* of a hundred */
#define INDEX_NEW    "index.new"

struct segment {
    uint32_t number;
    uint64_t bytes; /* with its index */
    ns_t first, last;
};

struct recorder {
    struct recorder_options o;
    struct recorder_iface ifaces[RECORDER_IFACES];
    int dir;
    int fd; /* of the segment that is written; -1: none */
    struct segment now;
    struct segment *old; /* closed ones, the oldest first */
    size_t n_old, cap_old;
    uint64_t old_bytes;
    uint32_t next_number;
    struct evidence_row *slots; /* packets 0: free */
    size_t n_flows;
    struct buf out;
    ns_t flushed, looked;
    struct recorder_counts counts;
};

/* ---- the table of connections ---- */

static uint64_t
hash_key(const struct recorder *r, const struct evidence_key *k)
{
    const uint64_t h = hash_span(span_of(k->addr, sizeof(k->addr)), r->o.seed);

    return hash_mix(h, ((uint64_t)k->port[0] << 16) | k->port[1]);
}

static bool
same_key(const struct evidence_key *a, const struct evidence_key *b)
{
    return addr_cmp(&a->addr[0], &b->addr[0]) == 0 &&
           addr_cmp(&a->addr[1], &b->addr[1]) == 0 &&
           a->port[0] == b->port[0] && a->port[1] == b->port[1];
}

/* It is never more than half full, and the hash is keyed: runs are short. */
static void
note_flow(struct recorder *r, const struct evidence_key *k, ns_t when)
{
    size_t i = hash_key(r, k) % SLOTS;

    while (r->slots[i].packets != 0 && !same_key(&r->slots[i].key, k))
        i = (i + 1) % SLOTS;
    if (r->slots[i].packets == 0) {
        r->slots[i] = (struct evidence_row){.key = *k, .first = when};
        r->n_flows++;
    }
    if (when < r->slots[i].first)
        r->slots[i].first = when;
    if (when > r->slots[i].last)
        r->slots[i].last = when;
    if (r->slots[i].packets < UINT32_MAX)
        r->slots[i].packets++;
}

/* ---- files ---- */

static bool
write_all(int fd, struct span s)
{
    while (s.n > 0) {
        const ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = span_tail(s, (size_t)n);
    }
    return true;
}

static int
make_file(const struct recorder *r, const char *name)
{
    return openat(r->dir, name,
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Rows as they stand in the table: order does not matter for a search. */
static bool
put_rows(const struct recorder *r, int fd, struct buf *b)
{
    bool good = true;

    for (size_t i = 0; good && i < SLOTS; i++) {
        if (r->slots[i].packets == 0)
            continue;
        evidence_put_row(b, &r->slots[i]);
        if (b->n < INDEX_BUFFER)
            continue;
        good = write_all(fd, buf_view(b)) && !b->failed;
        buf_reset(b);
    }
    return good && !b->failed && write_all(fd, buf_view(b));
}

/* Under another name until it is whole. */
static void
write_index(struct recorder *r)
{
    const struct evidence_head h = {r->n_flows, r->now.first, r->now.last};
    char name[EVIDENCE_NAME_MAX];
    struct buf b;
    bool good;
    int fd;

    (void)unlinkat(r->dir, INDEX_NEW, 0);
    fd = make_file(r, INDEX_NEW);
    if (fd < 0)
        return;
    buf_init(&b, 2 * (size_t)INDEX_BUFFER);
    evidence_put_head(&b, &h);
    good = put_rows(r, fd, &b);
    good = close(fd) == 0 && good;
    buf_free(&b);
    evidence_name(r->now.number, true, name);
    if (good && renameat(r->dir, INDEX_NEW, r->dir, name) == 0)
        r->now.bytes += EVIDENCE_HEAD + r->n_flows * EVIDENCE_ROW;
    else
        (void)unlinkat(r->dir, INDEX_NEW, 0);
}

static void
delete_oldest(struct recorder *r)
{
    const struct segment s = r->old[0];
    char name[EVIDENCE_NAME_MAX];

    /* The index goes last: without its segment it is nothing. */
    evidence_name(s.number, false, name);
    (void)unlinkat(r->dir, name, 0);
    evidence_name(s.number, true, name);
    (void)unlinkat(r->dir, name, 0);
    r->old_bytes -= s.bytes;
    r->counts.deleted++;
    r->n_old--;
    memmove(r->old, r->old + 1, r->n_old * sizeof(*r->old));
}

static bool
remember(struct recorder *r, const struct segment *s)
{
    if (r->n_old == RECORDER_SEGMENTS)
        delete_oldest(r);
    if (r->n_old == r->cap_old) {
        const size_t cap = r->cap_old > 0 ? 2 * r->cap_old : 256;
        struct segment *v = realloc(r->old, cap * sizeof(*v));

        if (v == NULL)
            return false;
        r->old = v;
        r->cap_old = cap;
    }
    r->old[r->n_old++] = *s;
    r->old_bytes += s->bytes;
    return true;
}

/* ---- the segment that is written ---- */

static void
end_segment(struct recorder *r)
{
    if (r->fd < 0)
        return;
    (void)fsync(r->fd);
    (void)close(r->fd);
    r->fd = -1;
    write_index(r);
    /* Without memory it is found at the next start. */
    (void)remember(r, &r->now);
    memset(r->slots, 0, SLOTS * sizeof(*r->slots));
    r->n_flows = 0;
    r->now = (struct segment){0};
}

static void
fail(struct recorder *r)
{
    buf_reset(&r->out);
    end_segment(r);
    r->counts.state = RECORDER_FAILED;
}

static void
flush(struct recorder *r)
{
    if (r->fd < 0 || r->out.n == 0)
        return;
    if (r->out.failed || r->out.cut || !write_all(r->fd, buf_view(&r->out)))
        fail(r);
    buf_reset(&r->out);
}

static bool
begin_segment(struct recorder *r)
{
    char name[EVIDENCE_NAME_MAX];

    evidence_name(r->next_number, false, name);
    r->fd = make_file(r, name);
    if (r->fd < 0) {
        r->counts.state = RECORDER_FAILED;
        return false;
    }
    buf_reset(&r->out);
    pcapng_out_head(&r->out);
    for (size_t i = 0; i < r->o.n_ifaces; i++)
        pcapng_out_iface(&r->out, r->ifaces[i].link, r->o.snaplen,
                         span_str(r->ifaces[i].name));
    r->now = (struct segment){.number = r->next_number++, .bytes = r->out.n};
    return true;
}

/* ---- limits ---- */

static unsigned
used_percent(const struct recorder *r)
{
    struct statvfs s;

    if (r->o.used != NULL)
        return r->o.used(r->o.used_ctx);
    if (fstatvfs(r->dir, &s) != 0 || s.f_blocks == 0 || s.f_bavail > s.f_blocks)
        return 0;
    return (unsigned)(100 - s.f_bavail * 100 / s.f_blocks);
}

static void
look_at_disk(struct recorder *r)
{
    const unsigned used = used_percent(r);
    const unsigned most = r->o.disk_percent;
    const bool was_full = r->counts.state == RECORDER_FULL;

    if (most >= 100)
        r->counts.state = RECORDER_RUNS;
    else if (used >= most || (was_full && used + RESUME_BELOW > most))
        r->counts.state = RECORDER_FULL;
    else
        r->counts.state = RECORDER_RUNS;
    if (r->counts.state != RECORDER_FULL)
        return;
    flush(r);
    end_segment(r);
    r->counts.state = RECORDER_FULL;
    if (r->n_old > 0)
        delete_oldest(r);
}

static bool
is_over(const struct recorder *r, ns_t now)
{
    const struct segment *s = &r->old[0];

    if (r->n_old == 0)
        return false;
    return r->old_bytes + r->o.segment > r->o.bytes ||
           (now > r->o.keep && s->last < now - r->o.keep);
}

static void
make_room(struct recorder *r, ns_t now)
{
    while (is_over(r, now))
        delete_oldest(r);
}

/* ---- packets ---- */

void
recorder_packet(struct recorder *r, const struct packet *p,
                const struct evidence_key *key)
{
    if (r->counts.state != RECORDER_RUNS || p->iface >= r->o.n_ifaces ||
        (r->fd < 0 && !begin_segment(r))) {
        r->counts.skipped++;
        return;
    }
    pcapng_out_packet(&r->out, p->iface, p);
    r->now.bytes += PCAPNG_OUT_OVERHEAD + p->data.n;
    if (r->now.first == 0 || p->when < r->now.first)
        r->now.first = p->when;
    if (p->when > r->now.last)
        r->now.last = p->when;
    if (key != NULL)
        note_flow(r, key, p->when);
    r->counts.packets++;
    if (r->out.n >= RECORDER_BUFFER)
        flush(r);
    if (r->fd >= 0 &&
        (r->now.bytes >= r->o.segment || r->n_flows == RECORDER_FLOWS)) {
        flush(r);
        end_segment(r);
        make_room(r, p->when);
    }
}

/* One that nobody writes to gets older too. */
static void
end_aged(struct recorder *r, ns_t now)
{
    if (r->fd >= 0 && r->now.last != 0 && now > r->o.keep &&
        r->now.last < now - r->o.keep) {
        flush(r);
        end_segment(r);
    }
}

void
recorder_turn(struct recorder *r, ns_t now)
{
    if (now - r->flushed >= RECORDER_FLUSH_NS) {
        r->flushed = now;
        flush(r);
    }
    if (now - r->looked < RECORDER_LOOK_NS)
        return;
    r->looked = now;
    look_at_disk(r);
    end_aged(r, now);
    make_room(r, now);
}

struct recorder_counts
recorder_counts(const struct recorder *r)
{
    struct recorder_counts c = r->counts;

    c.bytes = r->old_bytes + r->now.bytes;
    c.segments = r->n_old + (r->fd >= 0);
    c.oldest = r->n_old > 0 ? r->old[0].first : r->now.first;
    return c;
}

/* ---- life ---- */

static int
by_number(const void *a, const void *b)
{
    const struct segment *x = a;
    const struct segment *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

/* Times of a segment without an index: as good as its file's are. */
static void
learn_times(const struct recorder *r, struct segment *s, const struct stat *f)
{
    char name[EVIDENCE_NAME_MAX];
    uint8_t bytes[EVIDENCE_HEAD];
    struct evidence_head h;
    struct stat index;
    ssize_t n = -1;
    int fd;

    s->first = s->last = (ns_t)f->st_mtim.tv_sec * NS_PER_S;
    evidence_name(s->number, true, name);
    fd = openat(r->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &index) == 0 && index.st_size > 0) {
        s->bytes += (uint64_t)index.st_size;
        n = read(fd, bytes, sizeof(bytes));
    }
    (void)close(fd);
    if (n != (ssize_t)sizeof(bytes))
        return;
    (void)evidence_read_head(span_of(bytes, sizeof(bytes)), &h);
    if (h.first != 0 && h.last >= h.first) {
        s->first = h.first;
        s->last = h.last;
    }
}

static enum err
take_file(struct recorder *r, const char *name)
{
    struct segment s = {0};
    struct stat f;
    bool index;

    if (!evidence_name_read(name, &s.number, &index))
        return ERR_OK;
    if (s.number >= r->next_number)
        r->next_number = s.number + 1;
    if (index || fstatat(r->dir, name, &f, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(f.st_mode))
        return ERR_OK;
    s.bytes = (uint64_t)f.st_size;
    learn_times(r, &s, &f);
    return remember(r, &s) ? ERR_OK : ERR_NOMEM;
}

static enum err
take_stock(struct recorder *r)
{
    const int fd = openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int number = errno;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;
    enum err why = ERR_OK;

    if (d == NULL)
        return err_from_errno(number);
    while (why == ERR_OK && (e = readdir(d)) != NULL)
        why = take_file(r, e->d_name);
    (void)closedir(d);
    if (r->n_old > 0)
        qsort(r->old, r->n_old, sizeof(*r->old), by_number);
    return why;
}

enum err
recorder_open(int dir, const struct recorder_options *o, struct recorder **out)
{
    struct recorder *r = calloc(1, sizeof(*r));
    enum err e;

    REQUIRE(o->n_ifaces >= 1 && o->n_ifaces <= RECORDER_IFACES);
    if (r == NULL)
        return ERR_NOMEM;
    r->o = *o;
    memcpy(r->ifaces, o->ifaces, o->n_ifaces * sizeof(*o->ifaces));
    r->dir = dir;
    r->fd = -1;
    r->next_number = 1;
    buf_init(&r->out, BUFFER_MAX);
    r->slots = calloc(SLOTS, sizeof(*r->slots));
    e = r->slots != NULL ? take_stock(r) : ERR_NOMEM;
    if (e != ERR_OK) {
        recorder_close(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

void
recorder_close(struct recorder *r)
{
    if (r == NULL)
        return;
    flush(r);
    end_segment(r);
    buf_free(&r->out);
    free(r->slots);
    free(r->old);
    free(r);
}
