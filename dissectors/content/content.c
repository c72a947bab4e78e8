#include "dissectors/content/content.h"

#include <locale.h>
#include <openssl/evp.h>

#include "dissectors/content/content_result.h"
#include "dissectors/content/hashlist.h"
#include "dissectors/content/member_path.h"
#include "dissectors/content/registry.h"
#include "dissectors/content/search.h"
#include "dissectors/content/yara.h"

struct content {
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
    const struct hashlist *hashes; /* borrowed, may be NULL */
    struct yara *yara;             /* may be NULL */
    locale_t utf8; /* libraries convert names by the locale of the thread */
};

/* Bytes that items share: an archive's and its stored members'. */
struct block {
    uint8_t *p;
    uint32_t refs;
};

struct entry {
    struct content_item item;
    struct block *block; /* NULL: the bytes of the job */
    uint8_t *name;       /* owned; NULL: the name of the job */
    uint16_t listed;     /* 1: first member of the result; 0: not listed */
    size_t listed_at;    /* its offset there */
};

struct inspection {
    struct content *c;
    struct content_result *r;
    struct entry *queue; /* done, now, and to come */
    size_t n_queue;
    size_t cap_queue;
    struct entry now;
    struct buf scratch;
    struct findings of_name; /* of the member being judged */
    uint64_t unpacked_left;
    uint64_t objects_left;
};

/* ---- the budget ---- */

static void
limit_reached(struct inspection *i)
{
    findings_add(&i->r->findings, FIND_INSPECTION_LIMIT);
}

static bool
spend(struct inspection *i, uint64_t *left, uint64_t n)
{
    if (n <= *left) {
        *left -= n;
        return true;
    }
    *left = 0;
    limit_reached(i);
    return false;
}

bool
inspection_spend(struct inspection *i, uint64_t n)
{
    if (i->r->n_members >= CONTENT_MAX_members) {
        findings_add(&i->r->findings, FIND_BOMB_COUNT);
        return false;
    }
    if (!spend(i, &i->unpacked_left, n))
        return false;
    i->r->bytes_unpacked += n;
    return true;
}

bool
inspection_spend_objects(struct inspection *i, uint64_t n)
{
    return spend(i, &i->objects_left, n);
}

struct buf *
inspection_scratch(struct inspection *i)
{
    const uint64_t max = i->unpacked_left < CONTENT_MAX_member
                             ? i->unpacked_left
                             : CONTENT_MAX_member;

    buf_reset(&i->scratch);
    i->scratch.max = (size_t)max;
    if (i->scratch.cap > i->scratch.max)
        buf_free(&i->scratch);
    return &i->scratch;
}

/* ---- findings ---- */

struct findings *
inspection_findings(struct inspection *i)
{
    return &i->r->findings;
}

struct url_set *
inspection_urls(struct inspection *i)
{
    return &i->r->urls;
}

static void
note_named(struct inspection *i, enum finding f, struct span name)
{
    findings_add_detail(&i->r->findings, f, name);
}

void
inspection_note(struct inspection *i, const struct content_item *item,
                enum finding f)
{
    note_named(i, f, item->depth > 0 ? item->name : SPAN_NONE);
}

static bool
is_container(enum filetype t)
{
    enum filetype_group g = filetype_group_of(t);

    return g == FILETYPE_GROUP_ARCHIVE || g == FILETYPE_GROUP_IMAGE;
}

/* A compressed tar is one archive to those who send it. */
static bool
is_stream(enum filetype t)
{
    static const enum filetype streams[] = {
        FILETYPE_GZIP, FILETYPE_BZIP2,    FILETYPE_XZ,       FILETYPE_LZMA,
        FILETYPE_LZIP, FILETYPE_ZSTD,     FILETYPE_COMPRESS, FILETYPE_LZ4,
        FILETYPE_RPM,  FILETYPE_UUENCODE, FILETYPE_BINHEX,
    };

    for (size_t k = 0; k < ARRAY_LEN(streams); k++)
        if (t == streams[k])
            return true;
    return false;
}

/* What is found in a member's name or content, as what it is reported. Within
 * a document pages of HTML and the like are ordinary. */
static const struct {
    enum finding found;
    enum finding as;
    bool in_documents;
} member_findings[] = {
    {FIND_FORBIDDEN_TYPE,       FIND_FORBIDDEN_MEMBER,     true },
    {FIND_FORBIDDEN_CONTENT,    FIND_FORBIDDEN_MEMBER,     true },
    {FIND_DISGUISED_EXECUTABLE, FIND_DISGUISED_EXECUTABLE, true },
    {FIND_RISKY_TYPE,           FIND_RISKY_MEMBER,         false},
    {FIND_DOUBLE_EXTENSION,     FIND_DOUBLE_EXTENSION,     true },
    {FIND_NAME_BIDI,            FIND_NAME_BIDI,            true },
    {FIND_NAME_CONTROL,         FIND_NAME_CONTROL,         true },
    {FIND_NAME_SPACES,          FIND_NAME_SPACES,          true },
    {FIND_NAME_TRAILING,        FIND_NAME_TRAILING,        true },
};

static void
judge_name(struct inspection *i, const struct content_item *it)
{
    const bool in_document = !is_container(it->parent);

    findings_reset(&i->of_name);
    filename_judge(it->name, &i->of_name);
    if (it->bytes.p != NULL)
        filename_judge_type(it->name, SPAN_NONE, it->type, &i->of_name);
    for (size_t k = 0; k < ARRAY_LEN(member_findings); k++)
        if (findings_has(&i->of_name, member_findings[k].found) &&
            (!in_document || member_findings[k].in_documents))
            note_named(i, member_findings[k].as, it->name);
}

/* The rule of Gmail: a locked archive with an archive in it. */
static void
judge_encrypted(struct inspection *i, const struct content_item *parent,
                struct span name)
{
    inspection_note(i, parent, FIND_ENCRYPTED_ARCHIVE);
    if (is_container(filetype_of_extension(filename_extension(name))))
        note_named(i, FIND_ENCRYPTED_ARCHIVE_WITH_ARCHIVE, name);
}

/* A type that says enough, whatever is in it. */
static void
judge_type(struct inspection *i, const struct content_item *it)
{
    if (filetype_group_of(it->type) == FILETYPE_GROUP_IMAGE)
        inspection_note(i, it, FIND_DISK_IMAGE);
}

static void
judge_member(struct inspection *i, const struct content_item *parent,
             const struct content_item *it, bool encrypted)
{
    judge_name(i, it);
    judge_type(i, it);
    if (!is_container(it->parent) && !filetype_is_zip(it->parent))
        return;
    if (member_path_escapes(it->name))
        inspection_note(i, it, FIND_MEMBER_PATH);
    if (encrypted)
        judge_encrypted(i, parent, it->name);
    else if (is_container(it->type) && is_container(it->parent) &&
             !is_stream(it->parent))
        inspection_note(i, it, FIND_ARCHIVE_NESTED);
}

/* ---- looking at one item ---- */

static enum filetype
detect(struct span bytes, bool truncated)
{
    struct span tail = bytes.n > FILETYPE_TAIL
                           ? span_tail(bytes, bytes.n - FILETYPE_TAIL)
                           : bytes;

    if (truncated)
        return filetype_detect(bytes, SPAN_NONE, UINT64_MAX, NULL);
    return filetype_detect(bytes, tail, bytes.n, NULL);
}

static void
search(struct inspection *i, const struct content_item *it)
{
    if (search_eicar(it->bytes))
        inspection_note(i, it, FIND_EICAR);
    if (search_gtube(it->bytes))
        inspection_note(i, it, FIND_GTUBE);
    if (search_polyglot(it->bytes, it->type) != FILETYPE_UNKNOWN)
        inspection_note(i, it, FIND_POLYGLOT);
}

static bool
digest(struct content *c, struct span bytes, uint8_t out[32])
{
    unsigned n = 0;

    return EVP_DigestInit_ex2(c->hash, c->sha256, NULL) == 1 &&
           EVP_DigestUpdate(c->hash, bytes.p, bytes.n) == 1 &&
           EVP_DigestFinal_ex(c->hash, out, &n) == 1 && n == 32;
}

/* At every depth. */
static void
look_up(struct inspection *i, const struct content_item *it)
{
    uint8_t sha256[32];
    struct hashlist_name name;

    if (i->c->hashes == NULL || !digest(i->c, it->bytes, sha256) ||
        !hashlist_find(i->c->hashes, sha256, &name))
        return;
    note_named(i, FIND_HASH_LIST,
               name.n > 0 ? span_of(name.bytes, name.n) : it->name);
}

static void
ask_others(struct inspection *i, const struct content_item *it)
{
    look_up(i, it);
    yara_scan(i->c->yara, it->bytes, &i->r->findings);
}

static bool
is_wanted(const struct content_item *it)
{
    for (size_t k = 0; content_inspectors[k] != NULL; k++)
        if (content_inspectors[k]->wants(it))
            return true;
    return false;
}

/* An archive that no inspector opens. */
static void
note_unread(struct inspection *i, const struct content_item *it)
{
    if (is_container(it->type))
        note_named(i, FIND_ARCHIVE_UNREAD, span_str(filetype_name(it->type)));
}

static void
inspect_now(struct inspection *i)
{
    const struct content_item as_was = i->now.item;

    for (size_t k = 0; content_inspectors[k] != NULL; k++)
        if (content_inspectors[k]->wants(&as_was) ||
            content_inspectors[k]->wants(&i->now.item))
            content_inspectors[k]->inspect(i, &i->now.item);
}

void
inspection_refine(struct inspection *i, enum filetype t)
{
    i->now.item.type = t;
    if (i->now.item.depth == 0)
        i->r->type = t;
    else if (i->now.listed > 0)
        content_result_retype(i->r, i->now.listed_at, t);
}

/* ---- the queue ---- */

static void
block_release(struct block *b)
{
    if (b == NULL || --b->refs > 0)
        return;
    free(b->p);
    free(b);
}

static void
entry_free(struct entry *e)
{
    block_release(e->block);
    free(e->name);
    *e = (struct entry){0};
}

static bool
is_within(struct span piece, struct span whole)
{
    return whole.n > 0 && piece.p >= whole.p && piece.n <= whole.n &&
           (size_t)(piece.p - whole.p) <= whole.n - piece.n;
}

/* A block of its own for p, which is freed when that fails. */
static struct block *
block_of(uint8_t *p)
{
    struct block *b = p != NULL ? malloc(sizeof(*b)) : NULL;

    if (b == NULL)
        free(p);
    else
        *b = (struct block){p, 1};
    return b;
}

static uint8_t *
copy_of(struct span s)
{
    uint8_t *p = malloc(s.n > 0 ? s.n : 1);

    if (p != NULL && s.n > 0)
        memcpy(p, s.p, s.n);
    return p;
}

/* The scratch buffer's memory becomes the item's, without what is spare. */
static uint8_t *
take_scratch(struct inspection *i, size_t n)
{
    uint8_t *p = i->scratch.p;
    uint8_t *fit = realloc(p, n);

    i->scratch = (struct buf){.max = i->scratch.max};
    return fit != NULL ? fit : p;
}

static bool
keep_bytes(struct inspection *i, struct entry *e)
{
    struct span s = e->item.bytes;

    if (is_within(s, i->now.item.bytes)) {
        e->block = i->now.block;
        if (e->block != NULL)
            e->block->refs++;
        return true;
    }
    if (s.n > 0 && s.p == i->scratch.p && s.n <= i->scratch.n)
        e->block = block_of(take_scratch(i, s.n));
    else
        e->block = block_of(copy_of(s));
    if (e->block == NULL)
        return false;
    e->item.bytes.p = e->block->p;
    return true;
}

static bool
queue_grow(struct inspection *i)
{
    size_t cap = i->cap_queue > 0 ? 2 * i->cap_queue : 16;
    struct entry *q;

    if (i->n_queue < i->cap_queue)
        return true;
    q = realloc(i->queue, cap * sizeof(*q));
    if (q == NULL)
        return false;
    i->queue = q;
    i->cap_queue = cap;
    return true;
}

/* e->item borrows; what is queued owns. */
static bool
enqueue(struct inspection *i, struct entry e)
{
    uint8_t room[CONTENT_NAME_MAX];

    e.item.name = filename_shorten(e.item.name, sizeof(room), room);
    e.name = copy_of(e.item.name);
    if (e.name == NULL || !queue_grow(i) || !keep_bytes(i, &e)) {
        free(e.name);
        return false;
    }
    e.item.name.p = e.name;
    i->queue[i->n_queue++] = e;
    return true;
}

static void
list(struct inspection *i, struct entry *e, uint64_t size, bool encrypted)
{
    struct content_member m = {
        .name = e->item.name,
        .size = size,
        .type = e->item.type,
        .inside = i->now.listed,
        .depth = e->item.depth,
        .encrypted = encrypted,
        .truncated = e->item.truncated,
    };

    if (i->r->n_members > CONTENT_MEMBERS_KEPT)
        return;
    if (e->item.bytes.p != NULL)
        m.has_sha256 = digest(i->c, e->item.bytes, m.sha256);
    e->listed_at = i->r->members.n;
    if (content_result_put(i->r, &m))
        e->listed = (uint16_t)i->r->n_members;
    else
        limit_reached(i);
}

static void
keep(struct inspection *i, const struct entry *e)
{
    if (!is_wanted(&e->item))
        note_unread(i, &e->item);
    else if (e->item.depth > CONTENT_MAX_depth)
        inspection_note(i, &e->item, FIND_BOMB_DEPTH);
    else if (!enqueue(i, *e))
        limit_reached(i);
}

bool
inspection_add(struct inspection *i, const struct content_item *parent,
               struct span name, struct span bytes, uint64_t size,
               bool encrypted)
{
    struct entry e = {
        .item = {.bytes = bytes,
                 .name = name,
                 .parent = parent->type,
                 .depth = (uint8_t)(parent->depth + 1),
                 .truncated = bytes.p != NULL && bytes.n < size}
    };

    if (!inspection_spend_objects(i, 1))
        return false;
    i->r->n_members++;
    if (i->r->n_members > CONTENT_MAX_members) {
        findings_add(&i->r->findings, FIND_BOMB_COUNT);
        e.item.bytes = SPAN_NONE;
    }
    if (e.item.bytes.p != NULL)
        e.item.type = detect(bytes, e.item.truncated);
    judge_member(i, parent, &e.item, encrypted);
    list(i, &e, size, encrypted);
    if (e.item.bytes.p != NULL) {
        search(i, &e.item);
        ask_others(i, &e.item);
        keep(i, &e);
    }
    return true;
}

/* ---- a whole inspection ---- */

static void
begin(struct inspection *i, const struct content_job *job)
{
    struct content_item *it = &i->now.item;

    it->bytes = job->bytes;
    it->name = job->name;
    it->truncated = job->truncated;
    it->type = detect(job->bytes, job->truncated);
    i->r->type = it->type;
    judge_type(i, it);
    search(i, it);
    ask_others(i, it);
    if (!is_wanted(it))
        note_unread(i, it);
    inspect_now(i);
    i->r->type = i->now.item.type;
    filename_judge(job->name, &i->r->findings);
    filename_judge_type(job->name, job->declared, i->r->type, &i->r->findings);
}

static void
work(struct inspection *i)
{
    for (size_t k = 0; k < i->n_queue; k++) {
        i->now = i->queue[k];
        i->queue[k] = (struct entry){0};
        inspect_now(i);
        entry_free(&i->now);
    }
}

void
content_inspect(struct content *c, const struct content_job *job,
                struct content_result *r)
{
    struct inspection i = {
        .c = c,
        .r = r,
        .unpacked_left = CONTENT_MAX_unpacked,
        .objects_left = CONTENT_MAX_objects,
    };
    locale_t before = uselocale(c->utf8);

    content_result_reset(r);
    buf_init(&i.scratch, 0);
    findings_init(&i.of_name);
    begin(&i, job);
    work(&i);
    free(i.queue);
    buf_free(&i.scratch);
    findings_free(&i.of_name);
    (void)uselocale(before);
}

bool
content_wants(enum filetype t)
{
    struct content_item it = {.type = t};

    return is_wanted(&it) || filetype_group_of(t) != FILETYPE_GROUP_MEDIA;
}

static enum err
prepare_all(void)
{
    for (size_t k = 0; content_inspectors[k] != NULL; k++) {
        enum err e = content_inspectors[k]->prepare != NULL
                         ? content_inspectors[k]->prepare()
                         : ERR_OK;

        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

/* Names become UTF-8 whatever the locale of the process. */
static locale_t
utf8_locale(void)
{
    locale_t l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

    return l != (locale_t)0 ? l : newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

enum err
content_new(const struct content_options *o, struct content **out,
            struct buf *message)
{
    struct content *c = calloc(1, sizeof(*c));
    uint8_t room[32];
    enum err e;

    if (c == NULL)
        return ERR_NOMEM;
    c->hashes = o->hashes;
    c->utf8 = utf8_locale();
    c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    c->hash = EVP_MD_CTX_new();
    if (c->utf8 == (locale_t)0 || c->sha256 == NULL || c->hash == NULL ||
        !digest(c, SPAN_NONE, room)) {
        content_free(c);
        return ERR_NOMEM;
    }
    e = prepare_all();
    if (e == ERR_OK && o->yara_dir != NULL)
        e = yara_new(o->yara_dir, &c->yara, message);
    if (e != ERR_OK) {
        content_free(c);
        return e;
    }
    *out = c;
    return ERR_OK;
}

void
content_free(struct content *c)
{
    if (c == NULL)
        return;
    yara_free(c->yara);
    EVP_MD_CTX_free(c->hash);
    EVP_MD_free(c->sha256);
    if (c->utf8 != (locale_t)0)
        freelocale(c->utf8);
    free(c);
}
