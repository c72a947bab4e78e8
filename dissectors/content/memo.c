#include "dissectors/content/memo.h"

#include "dissectors/content/content_result.h"

#define SETS (CONTENT_MEMO_FILES / CONTENT_MEMO_WAYS)
#define HEAD (32U + 3U * 2U)
#define ROOM (CONTENT_MEMO_BYTES - HEAD)

_Static_assert(SETS <= 256, "the first byte of a digest chooses");

struct file {
    uint8_t sha256[32];
    uint16_t n_name, n_declared;
    uint16_t n_result;  /* 0: nothing is kept here */
    uint8_t room[ROOM]; /* name, declared type, coded result */
};

_Static_assert(sizeof(struct file) == CONTENT_MEMO_BYTES, "as promised");

struct content_memo {
    struct file files[SETS][CONTENT_MEMO_WAYS];
    uint8_t next[SETS]; /* the oldest of its ways */
    struct buf coded;
};

enum err
content_memo_new(struct content_memo **out)
{
    struct content_memo *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return ERR_NOMEM;
    buf_init(&m->coded, ROOM);
    *out = m;
    return ERR_OK;
}

void
content_memo_free(struct content_memo *m)
{
    if (m == NULL)
        return;
    buf_free(&m->coded);
    free(m);
}

void
content_memo_forget(struct content_memo *m)
{
    for (unsigned set = 0; set < SETS; set++) {
        for (unsigned way = 0; way < CONTENT_MEMO_WAYS; way++)
            m->files[set][way].n_result = 0;
    }
}

static unsigned
set_of(const struct content_job *job)
{
    return job->sha256[0] % SETS;
}

static bool
is_of(const struct file *f, const struct content_job *job)
{
    struct span text = span_of(f->room, (size_t)f->n_name + f->n_declared);

    return f->n_result > 0 &&
           memcmp(f->sha256, job->sha256, sizeof(f->sha256)) == 0 &&
           span_eq(span_head(text, f->n_name), job->name) &&
           span_eq(span_tail(text, f->n_name), job->declared);
}

static struct span
result_of(const struct file *f)
{
    return span_of(f->room + f->n_name + f->n_declared, f->n_result);
}

bool
content_memo_find(const struct content_memo *m, const struct content_job *job,
                  struct content_result *r)
{
    const struct file *set;

    content_result_reset(r);
    if (job->sha256 == NULL)
        return false;
    set = m->files[set_of(job)];
    for (unsigned i = 0; i < CONTENT_MEMO_WAYS; i++) {
        if (is_of(&set[i], job))
            return content_result_read(result_of(&set[i]), r);
    }
    return false;
}

/* All that goes into the room of a file, if it fits. */
static bool
code(struct content_memo *m, const struct content_job *job,
     const struct content_result *r)
{
    buf_reset(&m->coded);
    buf_span(&m->coded, job->name);
    buf_span(&m->coded, job->declared);
    content_result_code(r, &m->coded);
    return !m->coded.failed && !m->coded.cut;
}

static struct file *
place_for(struct content_memo *m, const struct content_job *job)
{
    unsigned set = set_of(job);
    unsigned way = m->next[set];

    m->next[set] = (uint8_t)((way + 1) % CONTENT_MEMO_WAYS);
    return &m->files[set][way];
}

void
content_memo_keep(struct content_memo *m, const struct content_job *job,
                  const struct content_result *r)
{
    struct file *f;

    if (job->sha256 == NULL || r->nondeterministic || !code(m, job, r))
        return;
    f = place_for(m, job);
    memcpy(f->sha256, job->sha256, sizeof(f->sha256));
    f->n_name = (uint16_t)job->name.n;
    f->n_declared = (uint16_t)job->declared.n;
    f->n_result = (uint16_t)(m->coded.n - job->name.n - job->declared.n);
    memcpy(f->room, m->coded.p, m->coded.n);
}
