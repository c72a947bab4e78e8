#include "sensor/capture/capture.h"

#include <stdio.h>

#include "sensor/capture/capture_file.h"
#include "sensor/capture/capture_pcap.h"
#include "sensor/capture/capture_reader.h"

struct capture {
    /* Files with packets left, as a binary heap: the next one first. */
    struct capture_file **heap;
    size_t n_live;
    bool taken;                /* the first one's head has been given out */
    struct capture_file *fast; /* the only one left, plain and unfiltered */
    struct capture_file *files;
    size_t n_files;
    struct capture_shared shared;
};

/* ---- the merge ---- */

static bool
before(const struct capture_file *a, const struct capture_file *b)
{
    if (a->head.when != b->head.when)
        return a->head.when < b->head.when;
    return a->number < b->number;
}

static void
sift_down(struct capture *c, size_t i)
{
    struct capture_file *f = c->heap[i];

    for (;;) {
        size_t k = 2 * i + 1;

        if (k >= c->n_live)
            break;
        if (k + 1 < c->n_live && before(c->heap[k + 1], c->heap[k]))
            k++;
        if (!before(c->heap[k], f))
            break;
        c->heap[i] = c->heap[k];
        i = k;
    }
    c->heap[i] = f;
}

static void
drop_first(struct capture *c)
{
    c->heap[0] = c->heap[--c->n_live];
    if (c->n_live > 0)
        sift_down(c, 0);
}

static void
choose_fast(struct capture *c)
{
    struct capture_file *f = c->heap[0];

    c->fast = NULL;
    if (c->n_live == 1 && c->taken && f->plain && c->shared.filter.text == NULL)
        c->fast = f;
}

static enum capture_result
next_merged(struct capture *c, struct packet *out)
{
    if (c->taken && c->n_live > 0) {
        if (capture_reader_next(c->heap[0], &c->heap[0]->head))
            sift_down(c, 0);
        else
            drop_first(c);
    }
    c->taken = false;
    while (c->n_live > 0 && !capture_reader_unpark(c->heap[0]))
        drop_first(c);
    if (c->n_live == 0)
        return CAPTURE_END;
    *out = c->heap[0]->head;
    c->taken = true;
    choose_fast(c);
    return CAPTURE_PACKET;
}

/* Out of line, so that capture_next saves no registers. */
static __attribute__((noinline)) enum capture_result
next_slow(struct capture *c, struct packet *out)
{
    if (c->n_live == 1 && c->taken) {
        if (capture_reader_next(c->heap[0], out))
            return CAPTURE_PACKET;
        c->n_live = 0;
        c->fast = NULL;
    }
    return next_merged(c, out);
}

enum capture_result
capture_next(struct capture *c, struct packet *out)
{
    struct capture_file *f = c->fast;

    if (LIKELY(f != NULL) && LIKELY(capture_pcap_take(f, out))) {
        capture_file_count(f, out);
        return CAPTURE_PACKET;
    }
    return next_slow(c, out);
}

/* ---- open and close ---- */

static enum err
plain_error(struct buf *message, enum err e, const char *what)
{
    buf_str(message, what);
    return e;
}

static enum err
make(size_t n, const struct capture_options *options, struct capture **out,
     struct buf *message)
{
    struct capture *c;
    enum err e = ERR_NOMEM;

    if (n == 0)
        return plain_error(message, ERR_USAGE, "no capture file is named");
    if (n > CAPTURE_FILES_MAX)
        return plain_error(message, ERR_USAGE,
                           "too many capture files; merge some of them first");
    c = calloc(1, sizeof(*c));
    if (c != NULL) {
        c->heap = calloc(n, sizeof(struct capture_file *));
        c->files = calloc(n, sizeof(*c->files));
        c->shared.faults = calloc(2 * n, sizeof(struct capture_fault *));
    }
    if (c != NULL && c->heap != NULL && c->files != NULL &&
        c->shared.faults != NULL)
        e = capture_filter_init(&c->shared.filter,
                                options != NULL ? options->filter : NULL,
                                message);
    if (e == ERR_OK) {
        *out = c;
        return ERR_OK;
    }
    if (e == ERR_NOMEM)
        buf_str(message, err_text(e));
    capture_close(c);
    return e;
}

/* The source of the next file is open in its place; c has it from here on. */
static enum err
add_file(struct capture *c, const char *name, struct buf *message)
{
    struct capture_file *f = &c->files[c->n_files];

    f->shared = &c->shared;
    f->number = c->n_files++;
    f->name = strdup(name);
    if (f->name == NULL)
        return plain_error(message, ERR_NOMEM, err_text(ERR_NOMEM));
    f->facts.name = f->name;
    return capture_reader_open(f, message);
}

/* All files are open: one alone is read when asked for, of several the first
 * packets are read. */
static void
prime(struct capture *c)
{
    for (size_t i = 0; i < c->n_files; i++) {
        struct capture_file *f = &c->files[i];

        if (c->n_files == 1 || capture_reader_park(f))
            c->heap[c->n_live++] = f;
    }
    for (size_t i = c->n_live / 2; i-- > 0;)
        sift_down(c, i);
    c->taken = c->n_files == 1;
    if (c->n_live > 0)
        choose_fast(c);
}

static enum err
settle(struct capture *c, enum err e, struct capture **out)
{
    if (e != ERR_OK) {
        capture_close(c);
        return e;
    }
    prime(c);
    *out = c;
    return ERR_OK;
}

static bool
is_stdin_twice(const char *const *files, size_t n)
{
    size_t seen = 0;

    for (size_t i = 0; i < n; i++)
        seen += strcmp(files[i], "-") == 0;
    return seen > 1;
}

enum err
capture_open(const char *const *files, size_t n,
             const struct capture_options *options, struct capture **out,
             struct buf *message)
{
    struct capture *c;
    enum err e;

    if (is_stdin_twice(files, n))
        return plain_error(message, ERR_USAGE,
                           "standard input: named twice; it can be read once");
    e = make(n, options, &c, message);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        e = capture_source_open(&c->files[i].src, files[i],
                                options != NULL ? options->stop : NULL,
                                message);
        if (e == ERR_OK)
            e = add_file(c, files[i], message);
    }
    return settle(c, e, out);
}

enum err
capture_open_memory(const struct span *inputs, size_t n, size_t chunk,
                    const struct capture_options *options, struct capture **out,
                    struct buf *message)
{
    struct capture *c;
    enum err e = make(n, options, &c, message);

    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        e = capture_source_memory(&c->files[i].src, inputs[i], chunk);
        if (e == ERR_OK)
            e = add_file(c, "memory", message);
        else
            buf_str(message, err_text(e));
    }
    return settle(c, e, out);
}

void
capture_close(struct capture *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n_files; i++) {
        capture_source_close(&c->files[i].src);
        free(c->files[i].slots);
        free(c->files[i].name);
    }
    for (size_t i = 0; i < c->shared.n_ifaces; i++)
        free(c->shared.ifaces[i].name);
    free(c->shared.ifaces);
    free(c->shared.faults);
    capture_filter_fini(&c->shared.filter);
    free(c->files);
    free(c->heap);
    free(c);
}

/* ---- what is known ---- */

bool
capture_is_seekable(const struct capture *c)
{
    for (size_t i = 0; i < c->n_files; i++) {
        const struct capture_source *s = &c->files[i].src;

        if (!s->whole || s->coding != CAPTURE_PLAIN)
            return false;
    }
    return true;
}

uint64_t
capture_position(const struct capture *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->n_files; i++)
        sum += capture_source_position(&c->files[i].src);
    return sum;
}

uint64_t
capture_size(const struct capture *c)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->n_files; i++) {
        if (!c->files[i].src.whole)
            return 0;
        sum += c->files[i].src.size;
    }
    return sum;
}

size_t
capture_n_files(const struct capture *c)
{
    return c->n_files;
}

struct capture_facts
capture_facts(const struct capture *c, size_t i)
{
    struct capture_facts f;

    REQUIRE(i < c->n_files);
    f = c->files[i].facts;
    if (f.packets == 0)
        f.first = 0;
    return f;
}

size_t
capture_n_faults(const struct capture *c)
{
    return c->shared.n_faults;
}

const struct capture_fault *
capture_fault(const struct capture *c, size_t i)
{
    REQUIRE(i < c->shared.n_faults);
    return c->shared.faults[i];
}

const char *
capture_fault_name(enum capture_fault_kind kind)
{
    static const char *const names[] = {
#define CAPTURE_FAULT_NAME(id, name) [CAPTURE_FAULT_##id] = (name),
        CAPTURE_FAULT_MAP(CAPTURE_FAULT_NAME)
#undef CAPTURE_FAULT_NAME
    };

    return names[kind];
}

size_t
capture_n_ifaces(const struct capture *c)
{
    return c->shared.n_ifaces;
}

const struct capture_iface *
capture_iface(const struct capture *c, size_t i)
{
    REQUIRE(i < c->shared.n_ifaces);
    return &c->shared.ifaces[i].iface;
}
