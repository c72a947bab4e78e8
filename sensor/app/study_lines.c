#include "sensor/app/study_lines.h"

static bool
digest(EVP_MD_CTX *scratch, const EVP_MD_CTX *from, uint8_t *out)
{
    return EVP_MD_CTX_copy_ex(scratch, from) == 1 &&
           EVP_DigestFinal_ex(scratch, out, NULL) == 1;
}

static void
hash(struct study_lines *l, struct span bytes)
{
    if (EVP_DigestUpdate(l->sha, bytes.p, bytes.n) != 1)
        l->sha_failed = true;
    l->bytes += bytes.n;
}

static void
compare(struct study_lines *l)
{
    uint8_t sha[STUDY_LINES_SHA];

    l->differs = !digest(l->at_mark, l->sha, sha) ||
                 memcmp(sha, l->expect.sha, sizeof(sha)) != 0;
    l->expect.bytes = 0;
}

static void
see(void *ctx, struct span bytes)
{
    struct study_lines *l = ctx;

    if (UNLIKELY(l->expect.bytes > 0 &&
                 l->expect.bytes <= l->bytes + bytes.n)) {
        struct span before = span_head(bytes, l->expect.bytes - l->bytes);

        hash(l, before);
        bytes = span_tail(bytes, before.n);
        compare(l);
    }
    if (bytes.n > 0)
        hash(l, bytes);
}

enum err
study_lines_open(struct study_lines *l, int fd,
                 const struct study_lines_options *o)
{
    const struct capture_tap tap = {see, l};

    *l = (struct study_lines){.src = {.fd = fd},
                              .sha = EVP_MD_CTX_new(),
                              .at_mark = EVP_MD_CTX_new(),
                              .stop = o->stop};
    if (l->sha == NULL || l->at_mark == NULL ||
        EVP_DigestInit_ex(l->sha, o->sha256, NULL) != 1) {
        study_lines_close(l);
        return ERR_NOMEM;
    }
    if (o->expect != NULL)
        l->expect = *o->expect;
    return capture_source_stream(&l->src, fd, o->stop, &tap);
}

void
study_lines_close(struct study_lines *l)
{
    if (l->sha == NULL && l->at_mark == NULL)
        return;
    capture_source_close(&l->src);
    EVP_MD_CTX_free(l->sha);
    EVP_MD_CTX_free(l->at_mark);
    l->sha = l->at_mark = NULL;
}

struct span
study_lines_peek(struct study_lines *l, size_t n)
{
    (void)capture_source_fill(&l->src, n);
    return span_head(span_tail(l->src.cur.in, l->src.cur.at), n);
}

/* n bytes and the newline behind them. */
static enum study_line
take(struct study_lines *l, size_t n, struct span *line)
{
    bool is_long = l->in_long || n > JSON_LINE_MAX;

    *line = cur_take(&l->src.cur, n);
    if (cur_left(&l->src.cur) > 0)
        cur_skip(&l->src.cur, 1);
    l->scanned = 0;
    l->in_long = false;
    l->number++;
    return is_long ? STUDY_LINE_LONG : STUDY_LINE;
}

/* What stands behind the last newline. Whoever was told to stop does not know
 * whether its writer was too, in the middle of a line. */
static enum study_line
take_rest(struct study_lines *l, struct span *line)
{
    size_t n = cur_left(&l->src.cur);

    if (l->stop != NULL && *l->stop != 0)
        return STUDY_LINE_END;
    if ((n == 0 && !l->in_long) || l->src.why != SOURCE_END) {
        (void)cur_rest(&l->src.cur);
        return STUDY_LINE_END;
    }
    return take(l, n, line);
}

enum study_line
study_lines_next(struct study_lines *l, struct span *line)
{
    for (;;) {
        struct span at = span_tail(l->src.cur.in, l->src.cur.at);
        size_t n = l->scanned + span_find(span_tail(at, l->scanned), '\n');

        if (LIKELY(n < at.n))
            return take(l, n, line);
        l->scanned = n;
        if (n > JSON_LINE_MAX) {
            cur_skip(&l->src.cur, n);
            l->scanned = n = 0;
            l->in_long = true;
        }
        /* by half as much again: a long line is not moved with each read */
        if (!capture_source_fill(&l->src, n + n / 2 + 1) &&
            cur_left(&l->src.cur) == n)
            return take_rest(l, line);
    }
}

bool
study_lines_have(const struct study_lines *l)
{
    struct span at = span_tail(l->src.cur.in, l->src.cur.at);
    struct span rest = span_tail(at, l->scanned);

    return span_find(rest, '\n') < rest.n;
}

enum capture_source_end
study_lines_why(const struct study_lines *l, const char **detail)
{
    bool is_stopped = l->stop != NULL && *l->stop != 0;

    *detail = l->src.detail;
    return is_stopped ? SOURCE_STOPPED : l->src.why;
}

bool
study_lines_hash(struct study_lines *l, uint8_t out[STUDY_LINES_SHA])
{
    capture_source_drain(&l->src);
    l->drained = true;
    return !l->sha_failed && digest(l->at_mark, l->sha, out);
}

bool
study_lines_mark(const struct study_lines *l, struct study_mark *out)
{
    out->bytes = l->bytes;
    return !l->sha_failed && digest(l->at_mark, l->sha, out->sha);
}

bool
study_lines_differs(const struct study_lines *l)
{
    return l->differs || (l->drained && l->expect.bytes > 0);
}
