#include "dissectors/part.h"

#include "dissectors/gtube.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <openssl/evp.h>
#include <sys/random.h>

#define POOL 16 /* digest contexts kept for the next parts */

/* Bytes of the members of a content_result, coded. */
#define MEMBERS_MAX (2U * CONTENT_MEMBERS_KEPT * CONTENT_NAME_MAX)

/* Kept bytes grow by doubling, or by this where that is too much. */
#define KEEP_FIRST 4096U
#define KEEP_STEP  65536U

/* Memory of a digest: context and state, as OpenSSL 3 allocates them. */
#define DIGEST_BYTES 384U
#define SUM_MAX      32U

enum hash_kind { HASH_SHA256, HASH_SHA1, HASH_MD5 };

static const struct {
    const char *name;
    size_t bytes;
    enum field field;
} hashes[PART_HASHES] = {
    [HASH_SHA256] = {"SHA256", 32, FIELD_FILEINFO_SHA256},
    [HASH_SHA1] = {"SHA1",   20, FIELD_FILEINFO_SHA1  },
    [HASH_MD5] = {"MD5",    16, FIELD_FILEINFO_MD5   },
};

struct part_ctx {
    struct part_options o;
    EVP_MD *md[PART_HASHES]; /* NULL: not wanted */
    EVP_MD_CTX *pool[POOL];
    size_t n_pool;
    uint64_t seed; /* of identities */
    struct content_result result;
};

/* Strings of the mime_part, all in one vec. */
enum text_id {
    TEXT_TYPE,
    TEXT_CHARSET,
    TEXT_ENCODING,
    TEXT_CONTENT_ID,
    TEXT_RAW_NAME,
    TEXT_NAME, /* and so many more */
    TEXT_COUNT = TEXT_NAME + MIME_NAMES
};

/* The classes of findings, the strongest first. */
static const char *const class_names[] = {"A", "B", "C", "D"};

/* What is kept of the bytes. */
enum keep {
    KEEP_HEAD, /* until the type is known */
    KEEP_ALL,
    KEEP_NO_MORE, /* the head only */
};

struct part {
    struct part_ctx *c;
    struct mem *mem;
    struct part_budget *budget;
    void *owner;
    uint64_t charged; /* of findings, urls and members */
    EVP_MD_CTX *digest[PART_HASHES];
    struct vec bytes; /* kept, by keep */
    struct vec text;
    uint32_t text_end[TEXT_COUNT];
    uint64_t size;
    uint64_t offset;
    uint64_t odd;
    uint32_t decode_odd;
    uint32_t number;
    uint8_t depth, reading, disposition, n_names;
    uint8_t keep; /* enum keep */
    uint8_t sum[PART_HASHES][SUM_MAX];
    bool has_sum[PART_HASHES];
    bool declared, is_text, is_html, lost, cut, kept_cut, stored;
    bool look;     /* it is kept to be looked into; decided with the head */
    bool look_cut; /* and not all of it is there */
    bool inspected, nondeterministic, has_scan;
    bool waiting; /* for its inspection */
    enum filetype type;
    struct gtube gtube;
    struct url_scan scan;
    struct url_set urls;
    struct findings findings;
    struct buf members; /* coded */
    uint32_t n_members;
    uint64_t unpacked;
};

/* ---- context ---- */

void
part_ctx_free(struct part_ctx *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n_pool; i++)
        EVP_MD_CTX_free(c->pool[i]);
    for (size_t i = 0; i < PART_HASHES; i++)
        EVP_MD_free(c->md[i]);
    content_result_free(&c->result);
    free(c);
}

enum err
part_ctx_new(const struct part_options *o, struct part_ctx **out)
{
    struct part_ctx *c = calloc(1, sizeof(*c));
    const bool wanted[PART_HASHES] = {
        [HASH_SHA256] = true, [HASH_SHA1] = o->sha1, [HASH_MD5] = o->md5};

    if (c == NULL)
        return ERR_NOMEM;
    c->o = *o;
    content_result_init(&c->result);
    /* Whether it could be had or not: nothing that is told depends on it. */
    (void)!getrandom(&c->seed, sizeof(c->seed), GRND_NONBLOCK);
    for (size_t i = 0; i < PART_HASHES; i++) {
        if (!wanted[i])
            continue;
        c->md[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
        if (c->md[i] == NULL) {
            part_ctx_free(c);
            return ERR_NOMEM;
        }
    }
    *out = c;
    return ERR_OK;
}

/* ---- digests ---- */

/* Buffers that grow by themselves count like what is asked for. */
static void
charge(struct part *p, bool ends)
{
    uint64_t now = 0;

    if (!ends)
        now = p->findings.details.cap + p->urls.text.cap + p->members.cap +
              (p->has_scan ? p->scan.tail.cap : 0);

    p->mem->used += now;
    p->mem->used -= p->charged;
    p->charged = now;
}

static void
close_digest(struct part *p, size_t i)
{
    struct part_ctx *c = p->c;

    if (p->digest[i] == NULL)
        return;
    if (c->n_pool < POOL)
        c->pool[c->n_pool++] = p->digest[i];
    else
        EVP_MD_CTX_free(p->digest[i]);
    p->digest[i] = NULL;
    p->mem->used -= DIGEST_BYTES;
}

static EVP_MD_CTX *
take_digest(struct part *p)
{
    struct part_ctx *c = p->c;
    struct mem *m = p->mem;
    EVP_MD_CTX *d;

    if (m->used > m->max || m->max - m->used < DIGEST_BYTES) {
        m->refused++;
        return NULL;
    }
    d = c->n_pool > 0 ? c->pool[--c->n_pool] : EVP_MD_CTX_new();
    if (d != NULL)
        m->used += DIGEST_BYTES;
    return d;
}

static void
open_digests(struct part *p)
{
    for (size_t i = 0; i < PART_HASHES; i++) {
        if (p->c->md[i] == NULL)
            continue;
        p->digest[i] = take_digest(p);
        if (p->digest[i] != NULL &&
            EVP_DigestInit_ex2(p->digest[i], p->c->md[i], NULL) != 1)
            close_digest(p, i);
    }
}

static void
finish_digests(struct part *p)
{
    for (size_t i = 0; i < PART_HASHES; i++) {
        if (p->digest[i] == NULL)
            continue;
        if (!p->lost && !p->cut)
            p->has_sum[i] =
                EVP_DigestFinal_ex(p->digest[i], p->sum[i], NULL) == 1;
        close_digest(p, i);
    }
}

/* ---- birth and death ---- */

static struct span
text_of(const struct part *p, enum text_id id)
{
    uint32_t from = id == 0 ? 0 : p->text_end[id - 1];

    return span_of(p->text.p + from, p->text_end[id] - from);
}

static bool
copy_texts(struct part *p, const struct mime_part *m)
{
    struct span texts[TEXT_COUNT] = {
        [TEXT_TYPE] = m->type,
        [TEXT_CHARSET] = m->charset,
        [TEXT_ENCODING] = m->encoding,
        [TEXT_CONTENT_ID] = m->content_id,
    };
    size_t all = 0;

    if (m->n_names > 0)
        texts[TEXT_RAW_NAME] = m->names[0].raw;
    for (size_t i = 0; i < m->n_names; i++)
        texts[TEXT_NAME + i] = m->names[i].text;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        all += texts[i].n;
    if (!vec_reserve(&p->text, p->mem, all))
        return false;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        (void)vec_put(&p->text, p->mem, texts[i].p, texts[i].n);
        p->text_end[i] = p->text.n;
    }
    return true;
}

void
part_free(struct part *p)
{
    if (p == NULL)
        return;
    charge(p, true);
    for (size_t i = 0; i < PART_HASHES; i++)
        close_digest(p, i);
    vec_free(&p->bytes, p->mem);
    vec_free(&p->text, p->mem);
    if (p->has_scan)
        url_scan_end(&p->scan);
    url_set_free(&p->urls);
    findings_free(&p->findings);
    buf_free(&p->members);
    mem_free(p->mem, p, sizeof(*p));
}

static void
begin_scan(struct part *p)
{
    url_scan_init(&p->scan, &p->urls, p->is_html);
    p->has_scan = true;
}

static bool
is_body_type(struct span type, const char *word)
{
    return span_eq(type, span_str(word));
}

enum err
part_new(struct part_ctx *c, struct mem *mem, struct part_budget *budget,
         const struct mime_part *m, void *owner, struct part **out)
{
    struct part *p = mem_new(mem, sizeof(*p));

    if (p == NULL)
        return ERR_NOMEM;
    p->c = c;
    p->owner = owner;
    p->mem = mem;
    p->budget = budget;
    p->offset = m->offset;
    p->odd = m->odd;
    p->number = m->number;
    p->depth = m->depth;
    p->reading = m->reading;
    p->disposition = m->disposition;
    p->n_names = m->n_names;
    p->declared = m->declared;
    p->is_html = is_body_type(m->type, "text/html");
    p->is_text = p->is_html || is_body_type(m->type, "text/plain");
    findings_init(&p->findings);
    url_set_init(&p->urls);
    buf_init(&p->members, MEMBERS_MAX);
    if (!copy_texts(p, m)) {
        part_free(p);
        return ERR_NOMEM;
    }
    open_digests(p);
    if (p->is_text || span_starts(m->type, SPAN_LIT("text/")))
        begin_scan(p);
    *out = p;
    return ERR_OK;
}

/* Room for n kept bytes in all. */
static bool
grow_kept(struct part *p, size_t n)
{
    const struct mem *m = p->mem;
    uint64_t most = m->max - m->max / 8;
    uint64_t room = (most > m->used ? most - m->used : 0) + p->bytes.cap;
    size_t cap = p->bytes.cap * (size_t)2;

    if (n <= p->bytes.cap)
        return true;
    cap = cap > KEEP_FIRST ? cap : KEEP_FIRST;
    cap = cap > PART_MAX_keep ? PART_MAX_keep : cap;
    if (cap < n || cap > room)
        cap = n + KEEP_STEP < room ? n + KEEP_STEP : n;
    return cap <= room && vec_reserve_exact(&p->bytes, p->mem, cap);
}

static void
cut_kept(struct part *p)
{
    p->kept_cut = true;
    p->look_cut |= p->keep == KEEP_HEAD || p->look;
}

/* A reading goes on without them when there is no room for both. */
static void
copy_kept(struct part *to, const struct part *from)
{
    to->bytes = (struct vec){0};
    if (grow_kept(to, from->bytes.n))
        (void)vec_put(&to->bytes, to->mem, from->bytes.p, from->bytes.n);
    else
        cut_kept(to);
}

static void
copy_digests(struct part *to, const struct part *from)
{
    for (size_t i = 0; i < PART_HASHES; i++) {
        to->digest[i] = NULL;
        if (from->digest[i] == NULL)
            continue;
        to->digest[i] = take_digest(to);
        if (to->digest[i] != NULL &&
            EVP_MD_CTX_copy_ex(to->digest[i], from->digest[i]) != 1)
            close_digest(to, i);
    }
}

/* What the text so far had of URLs stays with the first. */
struct part *
part_fork(const struct part *p)
{
    struct part *q = mem_new(p->mem, sizeof(*q));

    if (q == NULL)
        return NULL;
    *q = *p;
    q->text = (struct vec){0};
    q->charged = 0;
    findings_init(&q->findings);
    url_set_init(&q->urls);
    buf_init(&q->members, MEMBERS_MAX);
    copy_digests(q, p);
    if (q->has_scan)
        begin_scan(q);
    copy_kept(q, p);
    if (!vec_put(&q->text, q->mem, p->text.p, p->text.n)) {
        part_free(q);
        return NULL;
    }
    return q;
}

/* ---- while it comes ---- */

static bool
is_text_type(enum filetype t)
{
    enum filetype_group g = filetype_group_of(t);

    return g == FILETYPE_GROUP_TEXT || g == FILETYPE_GROUP_MARKUP;
}

/* A program calls itself a body only to be taken for one. */
static size_t
keep_max(const struct part *p)
{
    return part_is_body(p) && is_text_type(p->type) ? PART_MAX_text
                                                    : PART_MAX_keep;
}

static bool
is_media_or_none(enum filetype t)
{
    return t == FILETYPE_UNKNOWN ||
           filetype_group_of(t) == FILETYPE_GROUP_MEDIA;
}

/* Is a picture by its head called something else? */
static bool
is_called_otherwise(const struct part *p)
{
    bool same = !p->declared ||
                is_media_or_none(filetype_of_mime(text_of(p, TEXT_TYPE)));

    for (unsigned i = 0; i < p->n_names; i++) {
        struct span e = filename_extension(text_of(p, TEXT_NAME + i));

        same = same && is_media_or_none(filetype_of_extension(e));
    }
    return !same;
}

/* Plain text bodies are searched as they come; pictures and sound are what they
 * are. */
static bool
is_worth_keeping(const struct part *p, enum filetype type, bool undecided)
{
    if (p->c->o.inspect == NULL && !p->c->o.keep_all)
        return undecided;
    if (undecided || p->c->o.keep_all)
        return true;
    switch (filetype_group_of(type)) {
    case FILETYPE_GROUP_MEDIA: return is_called_otherwise(p);
    case FILETYPE_GROUP_TEXT: return !part_is_body(p) || p->is_html;
    case FILETYPE_GROUP_OTHER:
    case FILETYPE_GROUP_DOCUMENT:
    case FILETYPE_GROUP_ARCHIVE:
    case FILETYPE_GROUP_IMAGE:
    case FILETYPE_GROUP_PROGRAM:
    case FILETYPE_GROUP_SCRIPT:
    case FILETYPE_GROUP_LINK:
    case FILETYPE_GROUP_MARKUP:
    case FILETYPE_GROUP_MAIL: return true;
    }
    return true;
}

static bool
is_for_file(const struct part *p)
{
    return p->c->o.keep_attached && part_is_attachment(p);
}

/* Once something is left out, nothing behind it is kept. */
static void
keep_bytes(struct part *p, struct span in)
{
    size_t room = keep_max(p) - p->bytes.n;

    if (in.n > room) {
        cut_kept(p);
        in.n = room;
    }
    if (grow_kept(p, p->bytes.n + in.n))
        (void)vec_put(&p->bytes, p->mem, in.p, in.n);
    else
        cut_kept(p);
}

static void
decide_keep(struct part *p, bool undecided)
{
    p->look = is_worth_keeping(p, p->type, undecided);
    p->keep = p->look || is_for_file(p) ? KEEP_ALL : KEEP_NO_MORE;
}

/* The head is whole, or as whole as it gets: keep the rest or not? */
static void
decide(struct part *p)
{
    bool undecided = false;

    p->type =
        filetype_detect(vec_view(&p->bytes), SPAN_NONE, UINT64_MAX, &undecided);
    decide_keep(p, undecided);
}

/* All of it is there. */
static void
decide_at_end(struct part *p)
{
    struct span all = vec_view(&p->bytes);
    size_t tail = all.n < FILETYPE_TAIL ? all.n : FILETYPE_TAIL;

    p->type = filetype_detect(all, span_tail(all, all.n - tail), p->size, NULL);
    decide_keep(p, false);
}

static void
keep_some(struct part *p, struct span in)
{
    if (p->keep == KEEP_HEAD) {
        struct span head = span_head(in, FILETYPE_HEAD - p->bytes.n);

        keep_bytes(p, head);
        in = span_tail(in, head.n);
        if (p->kept_cut || p->bytes.n == FILETYPE_HEAD)
            decide(p);
    }
    if (p->keep == KEEP_ALL && !p->kept_cut && in.n > 0)
        keep_bytes(p, in);
}

/* What n bytes of text may make the set and the scanner allocate: a URL costs
 * two bytes more, buffers double. */
static uint64_t
cost_of_scan(const struct part *p, size_t n)
{
    uint64_t all = p->urls.text.n + p->scan.tail.n + 2 * (uint64_t)n;

    if (all > p->urls.text.max)
        all = p->urls.text.max;
    return 2 * all + URL_LEN;
}

static void
end_scan(struct part *p)
{
    if (p->has_scan)
        url_scan_end(&p->scan);
    p->has_scan = false;
}

static void
scan_urls(struct part *p, struct span in)
{
    if (p->mem->used + cost_of_scan(p, in.n) <= p->mem->max) {
        url_scan_push(&p->scan, in);
    } else {
        p->mem->refused++;
        end_scan(p);
    }
    charge(p, false);
}

void
part_data(struct part *p, struct span in)
{
    p->size += in.n;
    for (size_t i = 0; i < PART_HASHES; i++) {
        if (p->digest[i] != NULL)
            (void)EVP_DigestUpdate(p->digest[i], in.p, in.n);
    }
    if (p->is_text && !p->is_html)
        gtube_push(&p->gtube, in);
    if (p->has_scan)
        scan_urls(p, in);
    if (p->keep != KEEP_NO_MORE)
        keep_some(p, in);
}

void
part_gap(struct part *p, uint64_t lost)
{
    (void)lost;
    p->lost = true;
    p->gtube.matched = 0;
    if (!p->has_scan)
        return;
    end_scan(p);
    begin_scan(p);
    charge(p, false);
}

/* ---- the end ---- */

static bool
is_whole(const struct part *p)
{
    return p->keep != KEEP_NO_MORE && !p->kept_cut;
}

const uint8_t *
part_sha256(const struct part *p)
{
    return p->has_sum[HASH_SHA256] ? p->sum[HASH_SHA256] : NULL;
}

/* Buffers double. */
static bool
has_room_for(const struct part *p, const struct content_result *r)
{
    uint64_t more =
        2 * ((uint64_t)r->members.n + p->urls.text.n + r->urls.text.n);

    return p->mem->used <= p->mem->max && more <= p->mem->max - p->mem->used;
}

static void
take_result(struct part *p, const struct content_result *r)
{
    bool room = has_room_for(p, r);

    findings_merge(&p->findings, &r->findings);
    p->n_members = r->n_members;
    p->unpacked = r->bytes_unpacked;
    if (r->type != FILETYPE_UNKNOWN)
        p->type = r->type;
    if (room)
        buf_span(&p->members, buf_view(&r->members));
    else
        p->mem->refused++;
    if (room && r->urls.n > 0) {
        struct cursor c = cur_open(buf_view(&r->urls.text));
        struct span url;

        while (url_next(&c, &url))
            url_set_add(&p->urls, url);
        p->urls.n_more += r->urls.n_more;
    }
}

/* Is there anything to be looked into? Says what is not. */
static bool
has_matter(struct part *p)
{
    if (p->c->o.inspect == NULL || p->size == 0 || (!p->look && !p->look_cut))
        return false;
    if (p->look_cut)
        findings_add(&p->findings, FIND_PART_CUT);
    return p->look && p->bytes.n > 0;
}

static bool
is_truncated(const struct part *p)
{
    return p->lost || p->cut || !is_whole(p);
}

bool
part_ask(struct part *p, struct content_job *job)
{
    const struct part_budget *b = p->budget;

    if (b->unpacked >= PART_MAX_unpacked || b->broken >= PART_MAX_broken) {
        findings_add(&p->findings, FIND_INSPECTION_LIMIT);
        return false;
    }
    *job = (struct content_job){
        .bytes = vec_view(&p->bytes),
        .name = part_name(p),
        .declared = p->declared ? text_of(p, TEXT_TYPE) : SPAN_NONE,
        .truncated = is_truncated(p),
        .sha256 = is_truncated(p) ? NULL : part_sha256(p),
    };
    return true;
}

static void
take_answer(struct part *p, bool whole, const struct content_result *r)
{
    p->budget->unpacked += r->bytes_unpacked;
    p->budget->broken += !whole;
    p->nondeterministic = !whole || r->nondeterministic;
    p->inspected = whole && !is_truncated(p);
    take_result(p, r);
}

static void
inspect(struct part *p)
{
    struct part_ctx *c = p->c;
    struct content_job job;
    bool whole;

    if (!part_ask(p, &job))
        return;
    content_result_reset(&c->result);
    whole = c->o.inspect(c->o.inspect_ctx, &job, &c->result);
    take_answer(p, whole, &c->result);
}

static void
look_up(struct part *p)
{
    const struct part_options *o = &p->c->o;
    struct span name;

    if (o->listed == NULL || !p->has_sum[HASH_SHA256] ||
        !o->listed(o->listed_ctx, p->sum[HASH_SHA256], &name))
        return;
    findings_add_detail(&p->findings, FIND_HASH_LIST, name);
}

static void
judge(struct part *p)
{
    struct span declared = p->declared ? text_of(p, TEXT_TYPE) : SPAN_NONE;

    for (unsigned i = 0; i < p->n_names; i++)
        filename_judge(text_of(p, TEXT_NAME + i), &p->findings);
    if (p->n_names > 1)
        findings_add(&p->findings, FIND_NAMES_DISAGREE);
    filename_judge_type(part_name(p), declared, p->type, &p->findings);
    if (p->lost && !part_is_body(p)) /* of bodies the mail event tells */
        findings_add(&p->findings, FIND_PART_GAPS);
    for (unsigned i = 0; i < MIME_ODD_COUNT; i++) {
        if ((p->odd >> i & 1U) != 0 && mime_odd_is_fork((enum mime_odd)i))
            findings_add(&p->findings, FIND_AMBIGUOUS);
    }
    if ((p->odd >> MIME_ODD_READINGS_CUT & 1U) != 0)
        findings_add(&p->findings, FIND_READINGS_CUT);
    if (p->gtube.found)
        findings_add(&p->findings, FIND_GTUBE);
}

/* All that could be found is. */
static void
conclude(struct part *p)
{
    look_up(p);
    judge(p);
    charge(p, false);
    if (!is_for_file(p))
        vec_free(&p->bytes, p->mem);
}

bool
part_is_waiting(const struct part *p)
{
    return p->waiting;
}

size_t
part_kept(const struct part *p)
{
    return p->bytes.n;
}

void
part_answer(struct part *p, bool whole, const struct content_result *r)
{
    REQUIRE(p->waiting);
    p->waiting = false;
    if (r != NULL)
        take_answer(p, whole, r);
    conclude(p);
}

void
part_refuse(struct part *p, const char *why)
{
    findings_add_detail(&p->findings, FIND_NOT_INSPECTED, span_str(why));
    p->nondeterministic = true;
    part_answer(p, false, NULL);
}

void
part_give_up(struct part *p, const char *why)
{
    if (p->c->o.forget != NULL)
        p->c->o.forget(p->c->o.inspect_ctx, p);
    part_refuse(p, why);
}

void
part_end(struct part *p, const struct mime_part_end *e)
{
    const struct part_options *o = &p->c->o;

    p->odd |= e->odd;
    p->decode_odd = e->decode_odd;
    p->lost |= e->lost > 0;
    p->cut = e->cut;
    end_scan(p);
    finish_digests(p);
    if (is_whole(p) && (p->look || p->keep == KEEP_HEAD))
        decide_at_end(p);
    if (has_matter(p)) {
        p->waiting = o->later != NULL && o->later(o->inspect_ctx, p);
        if (p->waiting)
            return;
        inspect(p);
    }
    conclude(p);
}

/* ---- what it was ---- */

void *
part_owner(const struct part *p)
{
    return p->owner;
}

struct span
part_name(const struct part *p)
{
    return text_of(p, TEXT_NAME);
}

uint8_t
part_reading(const struct part *p)
{
    return p->reading;
}

uint64_t
part_offset(const struct part *p)
{
    return p->offset;
}

uint64_t
part_identity(const struct part *p)
{
    uint64_t h = hash_span(part_name(p), p->c->seed ^ p->size);

    h = hash_mix(h, p->decode_odd);

    return hash_mix(h, hash_span(span_of(p->sum[HASH_SHA256], SUM_MAX),
                                 p->c->seed + p->has_sum[HASH_SHA256]));
}

const struct url_set *
part_urls(const struct part *p)
{
    return &p->urls;
}

const struct findings *
part_findings(const struct part *p)
{
    return &p->findings;
}

bool
part_is_attachment(const struct part *p)
{
    return p->n_names > 0 || p->disposition == MIME_ATTACHMENT;
}

bool
part_is_body(const struct part *p)
{
    return p->is_text && !part_is_attachment(p);
}

bool
part_is_html(const struct part *p)
{
    return p->is_html;
}

uint64_t
part_size(const struct part *p)
{
    return p->size;
}

bool
part_is_reported(const struct part *p)
{
    return part_is_attachment(p) || !p->is_text || findings_any(&p->findings);
}

const char *
part_type(const struct part *p)
{
    return filetype_name(p->type);
}

const char *
part_class(const struct part *p)
{
    unsigned classes = findings_classes(&p->findings);

    return classes != 0 ? class_names[__builtin_ctz(classes)] : NULL;
}

struct span
part_bytes(const struct part *p)
{
    if (!is_for_file(p) || !is_whole(p))
        return SPAN_NONE;
    return p->bytes.n > 0 ? vec_view(&p->bytes) : SPAN_LIT("");
}

void
part_set_stored(struct part *p)
{
    p->stored = true;
}

/* ---- fields ---- */

static void
put_text(struct record_out *r, enum field f, struct span s)
{
    if (s.n > 0)
        record_str(r, f, s);
}

static void
emit_names(const struct part *p, struct record_out *r)
{
    if (p->n_names == 0)
        return;
    record_str(r, FIELD_FILEINFO_FILENAME, part_name(p));
    record_str(r, FIELD_FILEINFO_FILENAME_RAW, text_of(p, TEXT_RAW_NAME));
    for (unsigned i = 1; i < p->n_names; i++)
        record_str(r, FIELD_FILEINFO_NAMES, text_of(p, TEXT_NAME + i));
}

static void
put_hex(struct record_out *r, enum field f, struct span bytes)
{
    struct buf hex;

    buf_init(&hex, 64);
    text_hex(&hex, bytes);
    record_str(r, f, buf_view(&hex));
    buf_free(&hex);
}

static void
emit_types(const struct part *p, struct record_out *r)
{
    record_text(r, FIELD_FILEINFO_MAGIC, filetype_magic(p->type));
    record_text(r, FIELD_FILEINFO_TYPE, filetype_name(p->type));
    put_text(r, FIELD_FILEINFO_MIME_TYPE, span_str(filetype_mime(p->type)));
    if (p->declared)
        put_text(r, FIELD_FILEINFO_MIME_DECLARED, text_of(p, TEXT_TYPE));
    put_text(r, FIELD_FILEINFO_CHARSET, text_of(p, TEXT_CHARSET));
    put_text(r, FIELD_FILEINFO_ENCODING, text_of(p, TEXT_ENCODING));
    if (p->disposition != MIME_INLINE_DEFAULT)
        record_text(r, FIELD_FILEINFO_DISPOSITION,
                    p->disposition == MIME_ATTACHMENT ? "attachment"
                                                      : "inline");
    put_text(r, FIELD_FILEINFO_CONTENT_ID, text_of(p, TEXT_CONTENT_ID));
}

static void
emit_ambiguity(const struct part *p, struct record_out *r)
{
    if (p->reading > 0)
        record_u64(r, FIELD_FILEINFO_READING, p->reading);
    for (unsigned i = 0; i < MIME_ODD_COUNT; i++) {
        if ((p->odd >> i & 1U) != 0)
            record_text(r, FIELD_FILEINFO_AMBIGUITY,
                        mime_odd_name((enum mime_odd)i));
    }
    for (unsigned i = 0; i < 32; i++) {
        if ((p->decode_odd >> i & 1U) != 0)
            record_text(r, FIELD_FILEINFO_AMBIGUITY,
                        decode_odd_name((enum decode_odd)i));
    }
}

static void
emit_classes(const struct part *p, struct record_out *r)
{
    unsigned classes = findings_classes(&p->findings);

    if (classes != 0)
        record_text(r, FIELD_FILEINFO_CLASS, part_class(p));
    for (unsigned i = 0; i < ARRAY_LEN(class_names); i++) {
        if ((classes >> i & 1U) != 0)
            record_text(r, FIELD_FILEINFO_CLASSES, class_names[i]);
    }
}

static void
emit_findings(const struct part *p, struct record_out *r)
{
    const struct findings *s = &p->findings;
    struct cursor c = cur_open(buf_view(&s->details));
    enum finding f;
    struct span detail;

    emit_classes(p, r);
    for (unsigned i = 0; i < FINDING_COUNT; i++) {
        if (findings_has(s, (enum finding)i))
            record_text(r, FIELD_FILEINFO_FINDINGS,
                        finding_name((enum finding)i));
    }
    while (findings_next(&c, &f, &detail)) {
        record_object_begin(r, FIELD_FILEINFO_EVIDENCE);
        record_text(r, FIELD_FILEINFO_EVIDENCE_FINDING, finding_name(f));
        record_str(r, FIELD_FILEINFO_EVIDENCE_DETAIL, detail);
        record_object_end(r);
    }
}

static void
emit_members(const struct part *p, struct record_out *r)
{
    struct cursor c = cur_open(buf_view(&p->members));
    struct content_member m;

    if (p->n_members == 0)
        return;
    record_u64(r, FIELD_FILEINFO_MEMBERS, p->n_members);
    while (content_member_next(&c, &m)) {
        record_object_begin(r, FIELD_FILEINFO_MEMBER);
        record_str(r, FIELD_FILEINFO_MEMBER_NAME, m.name);
        record_u64(r, FIELD_FILEINFO_MEMBER_SIZE, m.size);
        if (m.has_sha256)
            put_hex(r, FIELD_FILEINFO_MEMBER_SHA256,
                    span_of(m.sha256, sizeof(m.sha256)));
        record_text(r, FIELD_FILEINFO_MEMBER_TYPE, filetype_name(m.type));
        record_u64(r, FIELD_FILEINFO_MEMBER_DEPTH, m.depth);
        if (m.encrypted)
            record_bool(r, FIELD_FILEINFO_MEMBER_ENCRYPTED, true);
        record_object_end(r);
    }
    record_u64(r, FIELD_FILEINFO_UNPACKED, p->unpacked);
}

static void
emit_urls(const struct part *p, struct record_out *r)
{
    struct cursor c = cur_open(buf_view(&p->urls.text));
    struct span url;

    while (url_next(&c, &url))
        record_str(r, FIELD_FILEINFO_URL, url);
}

void
part_emit(const struct part *p, uint32_t tx_id, struct record_out *r)
{
    emit_names(p, r);
    record_u64(r, FIELD_FILEINFO_SIZE, p->size);
    for (size_t i = 0; i < PART_HASHES; i++) {
        if (p->has_sum[i])
            put_hex(r, hashes[i].field, span_of(p->sum[i], hashes[i].bytes));
    }
    emit_types(p, r);
    record_text(r, FIELD_FILEINFO_STATE,
                p->lost || p->cut ? "TRUNCATED" : "CLOSED");
    record_bool(r, FIELD_FILEINFO_GAPS, p->lost);
    record_bool(r, FIELD_FILEINFO_STORED, p->stored);
    record_u64(r, FIELD_FILEINFO_TX_ID, tx_id);
    record_u64(r, FIELD_FILEINFO_PART, p->number);
    record_u64(r, FIELD_FILEINFO_DEPTH, p->depth);
    emit_ambiguity(p, r);
    record_bool(r, FIELD_FILEINFO_INSPECTED, p->inspected);
    if (p->nondeterministic)
        record_bool(r, FIELD_FILEINFO_NONDETERMINISTIC, true);
    emit_findings(p, r);
    emit_members(p, r);
    emit_urls(p, r);
}
