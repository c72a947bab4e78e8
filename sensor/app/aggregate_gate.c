#include "sensor/app/aggregate_gate.h"

#include "sensor/base/frame.h"
#include "sensor/base/hash.h"
#include "sensor/base/seen.h"
#include "sensor/base/text.h"
#include "sensor/sinks/sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define KIND UINT64_C(0x3165746167353273) /* "s25gate1" */

const char *
gate_word(enum gate_verdict v)
{
    static const char *const words[] = {
#define GATE_WORD(id, word) word,
        GATE_VERDICTS(GATE_WORD)
#undef GATE_WORD
    };

    return words[v];
}

/* ---- keys ---- */

struct key {
    char name[AUTH_WRITER_MAX + 1];
    struct buf secret;
};

struct gate_keys {
    struct key *v;
    size_t n;
};

bool
gate_is_ours(struct span writer)
{
    return span_starts(writer, SPAN_LIT(GATE_OURS "/"));
}

size_t
gate_keys_count(const struct gate_keys *k)
{
    return k->n;
}

struct span
gate_key(const struct gate_keys *k, struct span writer)
{
    struct span name = gate_is_ours(writer) ? SPAN_LIT(GATE_OURS) : writer;

    /* the key of all aggregators is nobody's alone */
    if (span_eq(writer, SPAN_LIT(GATE_OURS)))
        return SPAN_NONE;
    for (size_t i = 0; i < k->n; i++) {
        if (span_eq(name, span_str(k->v[i].name)))
            return buf_view(&k->v[i].secret);
    }
    return SPAN_NONE;
}

void
gate_keys_free(struct gate_keys *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->n; i++) {
        struct buf *b = &k->v[i].secret;

        if (b->p != NULL)
            explicit_bzero(b->p, b->cap);
        buf_free(b);
    }
    free(k->v);
    free(k);
}

static enum err
complain(struct buf *messages, const char *dir, const char *name,
         const char *what)
{
    buf_str(messages, "span25: ");
    text_term(messages, span_str(dir));
    if (name[0] != '\0') {
        buf_putc(messages, '/');
        text_term(messages, span_str(name));
    }
    buf_printf(messages, ": %s\n", what);
    return ERR_CONFIG;
}

/* The first line, without its end. */
static bool
read_line(int dir, const char *name, struct buf *out)
{
    uint8_t room[SINK_SECRET_MAX];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, room, sizeof(room)) : -1;
    struct span line = span_of(room, n > 0 ? (size_t)n : 0);

    if (fd >= 0)
        (void)close(fd);
    line = span_head(line, span_find(line, '\n'));
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    buf_span(out, line);
    explicit_bzero(room, sizeof(room));
    return n >= 0 && !out->failed;
}

static enum err
add_key(struct gate_keys *k, const char *dir, int fd, const char *name,
        struct buf *messages)
{
    struct key *key = &k->v[k->n];

    if (k->n == GATE_KEYS)
        return complain(messages, dir, "", "has too many files");
    if (strlen(name) > AUTH_WRITER_MAX)
        return complain(messages, dir, name, "is too long a name for a sensor");
    memcpy(key->name, name, strlen(name) + 1);
    buf_init(&key->secret, SINK_SECRET_MAX);
    k->n++;
    if (!read_line(fd, name, &key->secret))
        return complain(messages, dir, name, "cannot be read");
    if (key->secret.n < AUTH_KEY_LEAST)
        return complain(messages, dir, name,
                        "its first line is no key: at least 32 characters");
    return ERR_OK;
}

static enum err
read_folder(struct gate_keys *k, const char *dir, DIR *d, struct buf *messages)
{
    const struct dirent *entry;
    enum err e = ERR_OK;

    while (e == ERR_OK && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] != '.')
            e = add_key(k, dir, dirfd(d), entry->d_name, messages);
    }
    if (e == ERR_OK && gate_key(k, SPAN_LIT(GATE_OURS "/")).n == 0)
        e = complain(messages, dir, GATE_OURS,
                     "is not there: the key of the aggregators themselves");
    return e;
}

enum err
gate_keys_load(const char *dir, struct gate_keys **out, struct buf *messages)
{
    struct gate_keys *k = calloc(1, sizeof(*k));
    DIR *d = opendir(dir);
    int number = errno;
    enum err e = ERR_NOMEM;

    if (k != NULL)
        k->v = calloc(GATE_KEYS, sizeof(*k->v));
    if (k != NULL && k->v != NULL)
        e = d != NULL ? read_folder(k, dir, d, messages)
                      : complain(messages, dir, "", strerrordesc_np(number));
    if (d != NULL)
        (void)closedir(d);
    if (e != ERR_OK) {
        gate_keys_free(k);
        return e;
    }
    *out = k;
    return ERR_OK;
}

/* ---- a partition ---- */

struct writer {
    char name[AUTH_WRITER_MAX + 1];
    uint64_t sequence;
};

struct gate {
    const struct gate_keys *keys;
    ns_t max_age;
    struct writer *writers;
    size_t n_writers;
    struct seen young, old; /* ids; both hold at most half of GATE_SEEN */
};

enum err
aggregate_gate_new(const struct gate_keys *keys, ns_t max_age,
                   struct gate **out)
{
    struct gate *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return ERR_NOMEM;
    g->keys = keys;
    g->max_age = max_age;
    seen_init(&g->young, GATE_SEEN);
    seen_init(&g->old, GATE_SEEN);
    g->writers = calloc(GATE_WRITERS, sizeof(*g->writers));
    if (g->writers == NULL) {
        aggregate_gate_free(g);
        return ERR_NOMEM;
    }
    *out = g;
    return ERR_OK;
}

void
aggregate_gate_free(struct gate *g)
{
    if (g == NULL)
        return;
    seen_fini(&g->young);
    seen_fini(&g->old);
    free(g->writers);
    free(g);
}

/* A few tens; each message is hashed whole besides. */
static struct writer *
find_writer(const struct gate *g, struct span name)
{
    for (size_t i = 0; i < g->n_writers; i++) {
        if (span_eq(name, span_str(g->writers[i].name)))
            return &g->writers[i];
    }
    return NULL;
}

static struct writer *
add_writer(struct gate *g, struct span name)
{
    struct writer *w = &g->writers[g->n_writers];

    if (g->n_writers == GATE_WRITERS || name.n > AUTH_WRITER_MAX)
        return NULL;
    memcpy(w->name, name.p, name.n);
    w->name[name.n] = '\0';
    w->sequence = 0;
    g->n_writers++;
    return w;
}

uint64_t
gate_sequence(const struct gate *g, struct span writer)
{
    const struct writer *w = find_writer(g, writer);

    return w != NULL ? w->sequence : 0;
}

static bool
is_fresh(const struct gate *g, const struct auth_mark *mark, ns_t appended)
{
    ns_t when = mark->sequence <= UINT64_MAX / NS_PER_US
                    ? mark->sequence * NS_PER_US
                    : UINT64_MAX;

    if (appended == 0)
        return false;
    return when >= appended ? when - appended <= GATE_AHEAD
                            : appended - when <= g->max_age;
}

enum gate_verdict
gate_admit(struct gate *g, const struct gate_message *m, struct auth_mark *mark)
{
    struct writer *w;
    struct span key;

    if (!auth_read(m->header, mark))
        return GATE_FORGED;
    key = gate_key(g->keys, mark->writer);
    if (key.n == 0 || !auth_verify(key, mark, &m->message))
        return GATE_FORGED;
    if (!gate_is_ours(mark->writer) && !is_fresh(g, mark, m->appended))
        return GATE_STALE;
    w = find_writer(g, mark->writer);
    if (w != NULL && mark->sequence <= w->sequence)
        return GATE_REPLAYED;
    if (w == NULL)
        w = add_writer(g, mark->writer);
    if (w == NULL)
        return GATE_FULL;
    w->sequence = mark->sequence;
    return GATE_OK;
}

bool
gate_is_ahead(const struct gate_message *m, ns_t when)
{
    return when > m->appended && when - m->appended > GATE_AHEAD;
}

bool
gate_first(struct gate *g, struct span sensor, struct span event_id)
{
    uint64_t id = hash_span(event_id, hash_span(sensor, 0)) | 1;

    if (seen_has(&g->young, id) || seen_has(&g->old, id))
        return false;
    if (g->young.n >= GATE_SEEN / 2) {
        seen_fini(&g->old);
        g->old = g->young;
        seen_init(&g->young, GATE_SEEN);
    }
    (void)seen_add(&g->young, id);
    return true;
}

/* ---- snapshots ---- */

static void
save_seen(const struct seen *s, struct buf *out)
{
    frame_u64(out, s->n);
    for (size_t i = 0; i < s->cap; i++) {
        if (s->keys[i] != 0)
            frame_u64(out, s->keys[i]);
    }
}

static enum err
load_seen(struct seen *s, struct cursor *c)
{
    uint64_t n = cur_le64(c);

    if (n > GATE_SEEN)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key = cur_le64(c);

        if (key == 0)
            return ERR_CORRUPT;
        if (seen_add(s, key) < 0)
            return ERR_NOMEM;
    }
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

enum err
gate_save(const struct gate *g, struct buf *out)
{
    size_t at = out->n;

    frame_begin(out, KIND, 0);
    frame_u64(out, g->n_writers);
    for (size_t i = 0; i < g->n_writers; i++) {
        frame_u64(out, strlen(g->writers[i].name));
        buf_str(out, g->writers[i].name);
        frame_u64(out, g->writers[i].sequence);
    }
    save_seen(&g->young, out);
    save_seen(&g->old, out);
    return frame_end(out, at);
}

enum err
gate_load(struct gate *g, struct span snapshot)
{
    struct cursor c;
    enum err e = frame_open(snapshot, KIND, 0, &c);
    uint64_t n = e == ERR_OK ? cur_le64(&c) : 0;

    for (uint64_t i = 0; e == ERR_OK && i < n; i++) {
        struct span name = cur_take(&c, cur_le64(&c));
        struct writer *w = c.bad ? NULL : add_writer(g, name);

        if (w != NULL)
            w->sequence = cur_le64(&c);
        else
            e = ERR_CORRUPT;
    }
    if (e == ERR_OK)
        e = load_seen(&g->young, &c);
    if (e == ERR_OK)
        e = load_seen(&g->old, &c);
    return e == ERR_OK && cur_left(&c) > 0 ? ERR_CORRUPT : e;
}
