#include "sensor/sinks/sink_extract.h"

#include "sensor/base/text.h"
#include "sensor/sinks/extract_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUM_BYTES      32U
#define FILE_NEW       "new"
#define INDEX_LINE_MAX 65536U

/* A file that is coming in. */
struct coming {
    bool open;
    bool skip; /* nothing is written, but its pieces are expected */
    struct record_head head;
    char name[EXTRACT_HEX + 1]; /* its digest */
    uint64_t size, got;
    struct buf bytes;
    struct buf line; /* of the index */
};

struct sink_extract {
    struct sink_extract_settings s;
    struct extract_dir dir;
    int index;
    EVP_MD *md;
    uint8_t (*sums)[SUM_BYTES]; /* open addressing by the first bytes */
    bool *used;
    size_t n_sums, cap_sums;
    uint64_t bytes; /* of all files there are */
    struct coming in;
    struct sink_extract_counts counts;
    const char *limit; /* what ended the writing */
    const char *what;
    int number; /* errno, when it was a failure */
};

/* ---- digests of the files there are ---- */

static uint8_t
nibble(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void
unhex(struct span name, uint8_t sum[SUM_BYTES])
{
    for (size_t i = 0; i < SUM_BYTES; i++)
        sum[i] = (uint8_t)(nibble(span_at(name, 2 * i)) << 4 |
                           nibble(span_at(name, 2 * i + 1)));
}

static size_t
slot_of(const struct sink_extract *x, const uint8_t sum[SUM_BYTES])
{
    size_t at;

    memcpy(&at, sum, sizeof(at));
    at &= x->cap_sums - 1;
    while (x->used[at] && memcmp(x->sums[at], sum, SUM_BYTES) != 0)
        at = (at + 1) & (x->cap_sums - 1);
    return at;
}

static bool
grow(struct sink_extract *x)
{
    struct sink_extract bigger = {.cap_sums =
                                      x->cap_sums > 0 ? 2 * x->cap_sums : 256};

    if (x->n_sums * 2 < x->cap_sums)
        return true;
    bigger.sums = calloc(bigger.cap_sums, sizeof(*bigger.sums));
    bigger.used = calloc(bigger.cap_sums, sizeof(*bigger.used));
    if (bigger.sums == NULL || bigger.used == NULL) {
        free(bigger.sums);
        free(bigger.used);
        return false;
    }
    for (size_t i = 0; i < x->cap_sums; i++) {
        size_t at = x->used[i] ? slot_of(&bigger, x->sums[i]) : 0;

        if (!x->used[i])
            continue;
        memcpy(bigger.sums[at], x->sums[i], SUM_BYTES);
        bigger.used[at] = true;
    }
    free(x->sums);
    free(x->used);
    x->sums = bigger.sums;
    x->used = bigger.used;
    x->cap_sums = bigger.cap_sums;
    return true;
}

static bool
remember(struct sink_extract *x, struct span name)
{
    uint8_t sum[SUM_BYTES];
    size_t at;

    if (!grow(x))
        return false;
    unhex(name, sum);
    at = slot_of(x, sum);
    x->n_sums += !x->used[at];
    x->used[at] = true;
    memcpy(x->sums[at], sum, SUM_BYTES);
    return true;
}

bool
sink_extract_has(const struct sink_extract *x, struct span sha256)
{
    uint8_t sum[SUM_BYTES];

    if (!extract_is_name(sha256) || x->cap_sums == 0)
        return false;
    unhex(sha256, sum);
    return x->used[slot_of(x, sum)];
}

/* ---- life ---- */

static void
stays(void *ctx, struct span name, uint64_t size)
{
    struct sink_extract *x = ctx;

    if (!remember(x, name))
        x->number = ENOMEM;
    x->bytes += size;
}

enum err
sink_extract_open(const struct sink_extract_settings *s,
                  struct sink_extract **out, struct buf *message)
{
    struct sink_extract *x = calloc(1, sizeof(*x));
    enum err e;

    if (x == NULL)
        return ERR_NOMEM;
    x->s = *s;
    x->index = -1;
    x->dir = (struct extract_dir){.fd = -1, .stays = stays, .ctx = x};
    buf_init(&x->in.bytes,
             s->file_max < SIZE_MAX / 2 ? s->file_max : SIZE_MAX / 2);
    buf_init(&x->in.line, INDEX_LINE_MAX);
    x->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    e = x->md == NULL
            ? ERR_NOMEM
            : extract_dir_open(&x->dir, s->dir, s->keep, s->now, message);
    if (e == ERR_OK) {
        x->index = openat(x->dir.fd, EXTRACT_INDEX,
                          O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
        e = x->number != 0 ? ERR_NOMEM : x->index < 0 ? ERR_IO : ERR_OK;
    }
    x->counts.expired = x->dir.expired;
    if (e != ERR_OK) {
        sink_extract_close(x);
        return e;
    }
    *out = x;
    return ERR_OK;
}

void
sink_extract_close(struct sink_extract *x)
{
    if (x == NULL)
        return;
    if (x->index >= 0)
        (void)close(x->index);
    extract_dir_close(&x->dir);
    EVP_MD_free(x->md);
    buf_free(&x->in.bytes);
    buf_free(&x->in.line);
    free(x->sums);
    free(x->used);
    free(x);
}

/* ---- writing ---- */

static bool
is_ended(const struct sink_extract *x)
{
    return x->limit != NULL || x->number != 0;
}

static bool
fail(struct sink_extract *x, const char *what)
{
    x->number = errno != 0 ? errno : EIO;
    x->what = what;
    return false;
}

static bool
write_new(struct sink_extract *x)
{
    int fd = openat(x->dir.fd, FILE_NEW,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good;

    if (fd < 0)
        return fail(x, "cannot make a file");
    good = extract_write(fd, buf_view(&x->in.bytes)) ||
           fail(x, "cannot write a file");
    if (close(fd) != 0 && good)
        good = fail(x, "cannot write a file");
    return good;
}

/* A line that was written in part is taken back. */
static bool
write_line(struct sink_extract *x)
{
    struct stat st;

    if (fstat(x->index, &st) != 0)
        return fail(x, "cannot write the index");
    if (extract_write(x->index, buf_view(&x->in.line)))
        return true;
    (void)fail(x, "cannot write the index");
    if (ftruncate(x->index, st.st_size) != 0)
        x->what = "cannot take back a part of a line of the index";
    return false;
}

/* The line first: so there is no file without one. */
static void
write_file(struct sink_extract *x)
{
    if (!write_new(x) || !write_line(x)) {
        (void)unlinkat(x->dir.fd, FILE_NEW, 0);
        x->counts.past_limit++;
        return;
    }
    if (renameat(x->dir.fd, FILE_NEW, x->dir.fd, x->in.name) != 0 ||
        !remember(x, span_of(x->in.name, EXTRACT_HEX))) {
        (void)fail(x, "cannot name a file");
        (void)unlinkat(x->dir.fd, FILE_NEW, 0);
        x->counts.past_limit++;
        return;
    }
    x->counts.files++;
    x->counts.bytes += x->in.size;
    x->bytes += x->in.size;
}

/* ---- pieces ---- */

static void
abandon(struct sink_extract *x)
{
    x->counts.refused += x->in.open && !x->in.skip;
    x->in.open = false;
}

static void
put_escaped(struct buf *line, struct span s)
{
    struct buf term;

    buf_init(&term, INDEX_LINE_MAX / 4);
    text_term(&term, s);
    text_csv(line, buf_view(&term));
    line->failed |= term.failed;
    buf_free(&term);
}

static void
make_line(struct coming *in, struct span record, struct span event_id)
{
    static const enum field texts[] = {
        FIELD_FILEINFO_TYPE, FIELD_FILEINFO_CLASS, FIELD_FILEINFO_FILENAME};
    char when[NS_TEXT_MAX];

    buf_reset(&in->line);
    buf_put(&in->line, when, ns_format(in->head.when, when));
    buf_putc(&in->line, ',');
    buf_span(&in->line, event_id);
    buf_putc(&in->line, ',');
    buf_str(&in->line, in->name);
    buf_putc(&in->line, ',');
    buf_u64(&in->line, in->size);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        buf_putc(&in->line, ',');
        put_escaped(&in->line, record_find(record, texts[i]));
    }
    buf_str(&in->line, "\r\n");
}

/* Is there room, and is it wanted? */
static bool
is_taken(struct sink_extract *x, uint64_t size)
{
    struct span name = span_of(x->in.name, EXTRACT_HEX);

    if (sink_extract_has(x, name))
        return false;
    if (size > x->s.file_max) {
        x->counts.not_kept++;
        return false;
    }
    if (!is_ended(x) && x->n_sums >= x->s.files_max)
        x->limit = "limit of files";
    if (!is_ended(x) &&
        (x->bytes > x->s.bytes_max || size > x->s.bytes_max - x->bytes))
        x->limit = "limit of bytes";
    x->counts.past_limit += is_ended(x);
    return !is_ended(x);
}

static void
begin(struct sink_extract *x, struct span record, struct span event_id)
{
    struct coming *in = &x->in;

    in->head = record_head_of(record);
    memcpy(in->name, record_find(record, FIELD_FILEINFO_SHA256).p, EXTRACT_HEX);
    in->size = record_find_u64(record, FIELD_FILEINFO_SIZE, 0);
    in->got = 0;
    in->open = true;
    in->skip = !is_taken(x, in->size);
    buf_reset(&in->bytes);
    if (!in->skip)
        make_line(in, record, event_id);
}

/* Does the piece go on where the last one ended? */
static bool
goes_on(const struct coming *in, struct span record)
{
    struct record_head h = record_head_of(record);

    return in->open && in->head.when == h.when &&
           in->head.flow_id == h.flow_id && in->head.seq == h.seq &&
           in->size == record_find_u64(record, FIELD_FILEINFO_SIZE, 0) &&
           in->got == record_find_u64(record, FIELD_CARVE_OFFSET, 0) &&
           span_eq(record_find(record, FIELD_FILEINFO_SHA256),
                   span_of(in->name, EXTRACT_HEX));
}

static bool
add_bytes(struct coming *in, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field != FIELD_CARVE_BYTES)
            continue;
        if (e.value.n > in->size - in->got)
            return false;
        in->got += e.value.n;
        if (!in->skip)
            buf_span(&in->bytes, e.value);
    }
    return true;
}

static bool
is_true(const struct sink_extract *x)
{
    const struct coming *in = &x->in;
    uint8_t said[SUM_BYTES];
    uint8_t sum[EVP_MAX_MD_SIZE];

    unhex(span_of(in->name, EXTRACT_HEX), said);
    return in->bytes.n == in->size && !in->line.cut && !in->line.failed &&
           EVP_Digest(in->bytes.p, in->bytes.n, sum, NULL, x->md, NULL) == 1 &&
           memcmp(sum, said, SUM_BYTES) == 0;
}

static void
complete(struct sink_extract *x)
{
    x->in.open = false;
    if (x->in.skip)
        return;
    if (is_true(x))
        write_file(x);
    else
        x->counts.refused++;
}

void
sink_extract_put(struct sink_extract *x, struct span record,
                 struct span event_id)
{
    struct span name = record_find(record, FIELD_FILEINFO_SHA256);
    bool is_first = record_find_u64(record, FIELD_CARVE_OFFSET, 0) == 0;

    if (is_first || !goes_on(&x->in, record))
        abandon(x);
    if (name.n == 0) {
        x->counts.not_kept++;
        return;
    }
    if (is_first && extract_is_name(name))
        begin(x, record, event_id);
    if (!x->in.open) {
        x->counts.refused += is_first;
        return;
    }
    if (!add_bytes(&x->in, record))
        abandon(x);
    else if (x->in.got == x->in.size)
        complete(x);
}

/* ---- the end ---- */

void
sink_extract_end(struct sink_extract *x)
{
    abandon(x);
}

struct sink_extract_counts
sink_extract_counts_of(const struct sink_extract *x)
{
    return x->counts;
}

enum err
sink_extract_why(const struct sink_extract *x, struct buf *why)
{
    if (x->number != 0) {
        buf_printf(why, " because it %s: %s", x->what,
                   strerrordesc_np(x->number));
        return err_from_errno(x->number);
    }
    if (x->limit == NULL)
        return ERR_OK;
    buf_printf(why, " past the %s", x->limit);
    return ERR_LIMIT;
}
