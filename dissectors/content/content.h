#ifndef SPAN25_DISSECTORS_CONTENT_CONTENT_H
#define SPAN25_DISSECTORS_CONTENT_CONTENT_H
/* content - looks into a whole file: archives, documents, links, markup
 *
 *     content_new(&options, &c);   opens every library it will need
 *     content_inspect(c, &job, &result);  any number of times
 *     content_free(c);
 *
 * Runs in a process without rights (sensor/app), in tests and fuzzers directly.
 * Pure: bytes in, findings out; no clock, no file, no network after
 * content_new. The work is a queue, never recursion: an inspector that finds a
 * file inside hands it to inspection_add, which is typed, hashed, judged by its
 * name and inspected in turn, within the budget of content.def: bytes, members,
 * objects, depth. Past a limit the rest is left and FIND_INSPECTION_LIMIT set.
 *
 * A new format: content/x.[ch] with a const struct inspector, one row in
 * content/registry.c, x_test.c, x_fuzz.c, findings in finding.def. */
#include "dissectors/filename.h"
#include "dissectors/url.h"
#include "sensor/base/err.h"

enum content_limit {
#define LIMIT(name, number, unit, why) CONTENT_MAX_##name = (number),
#include "dissectors/content/content.def"
#undef LIMIT
};

struct content_job {
    struct span bytes;    /* the decoded part */
    struct span name;     /* UTF-8, or empty */
    struct span declared; /* "type/subtype", lower case, or empty */
    struct span body_passwords; /* reserved: empty */
    bool truncated;       /* bytes are missing at the end or within */
};

/* A file found inside. */
struct content_member {
    struct span name; /* as stored, with its path; raw bytes */
    uint64_t size;    /* unpacked, as far as known */
    uint8_t sha256[32];
    enum filetype type;
    uint8_t depth;    /* 1: directly inside the part */
    bool has_sha256;  /* false when it could not be unpacked */
    bool encrypted;
};

#define CONTENT_MEMBERS_KEPT 64 /* in the result; all are counted */

struct content_result {
    struct findings findings;
    struct url_set urls;
    struct buf members;     /* coded; content_member_next */
    uint32_t n_members;     /* all */
    uint64_t bytes_unpacked;
    enum filetype type;     /* of the part itself, by all that is known */
};

void content_result_init(struct content_result *r);
void content_result_free(struct content_result *r); /* NULL-safe */
void content_result_reset(struct content_result *r);
bool content_member_next(struct cursor *c, struct content_member *out);

/* Coded for the way out of the process, and read back; the reader trusts
 * nothing: false when it does not hold together. */
void content_result_code(const struct content_result *r, struct buf *out);
MUST_USE bool content_result_read(struct span coded, struct content_result *r);

struct content_options {
    const char *yara_dir; /* directory of .yar files, or NULL */
};

struct content;

/* message gets what is wrong with a rule file, with file and line. */
MUST_USE enum err content_new(const struct content_options *o,
                              struct content **out, struct buf *message);
void content_free(struct content *c);

void content_inspect(struct content *c, const struct content_job *job,
                     struct content_result *r);

/* Would content_inspect look into such a file, or is its type all? */
bool content_wants(enum filetype t);

/* ---- for inspectors ---- */

/* The file under inspection. */
struct content_item {
    struct span bytes;
    struct span name;
    enum filetype type;
    uint8_t depth; /* 0: the part itself */
    bool truncated;
};

struct inspection; /* the budget, the queue, the result */

struct findings *inspection_findings(struct inspection *i);
struct url_set *inspection_urls(struct inspection *i);

/* Takes n bytes from the budget of unpacked bytes; false, with
 * FIND_INSPECTION_LIMIT, when they are not there. */
bool inspection_spend(struct inspection *i, uint64_t n);
/* The same for objects (PDF objects, OLE streams, XML elements, ...). */
bool inspection_spend_objects(struct inspection *i, uint64_t n);

/* Counts a member and judges its name; bytes are copied and inspected later.
 * parent: the item it was found in. Bytes have been paid by inspection_spend.
 * With bytes.p == NULL it is counted and named only (encrypted, too large). */
void inspection_add(struct inspection *i, const struct content_item *parent,
                    struct span name, struct span bytes, uint64_t size,
                    bool encrypted);

/* A growing buffer for unpacking, of at most the budget that is left; valid
 * until the next call. */
struct buf *inspection_scratch(struct inspection *i);

struct inspector {
    const char *name;
    bool (*wants)(const struct content_item *item);
    void (*inspect)(struct inspection *i, const struct content_item *item);
};

#endif
