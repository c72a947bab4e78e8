#ifndef SPAN25_DISSECTORS_CONTENT_CONTENT_H
#define SPAN25_DISSECTORS_CONTENT_CONTENT_H
/* content - looks into a whole file: archives, documents, links, markup
 *
 *     content_new(&options, &c, &message);   opens every library it will need
 *     content_inspect(c, &job, &result);     any number of times
 *     content_free(c);
 *
 * Runs in a process without rights (sensor/app), in tests and fuzzers directly.
 * Pure: bytes in, findings out; no clock, no file, no network after
 * content_new. The work is a queue, never recursion: an inspector that finds a
 * file inside hands it to inspection_add, which is typed, hashed, judged by its
 * name and inspected in turn, within the budget of content.def: bytes, members,
 * objects, depth. Past a limit the rest is left and FIND_INSPECTION_LIMIT (or
 * the name of the bomb) is set. Every file met is searched for the test strings
 * EICAR and GTUBE and for a second type within it (content/search.h), looked up
 * in the list of hashes (content/hashlist.h) and scanned by YARA
 * (content/yara.h), when there are any.
 *
 * What it asks of the system, traced over 30,000 files (tests/content_run.c):
 * brk, mmap, munmap and mremap of private anonymous memory, and nothing else.
 * The C library may besides ask for madvise, futex and exit_group. Whoever runs
 * it sets TZ=UTC0 before content_new, or libarchive's mktime looks for a zone
 * file again and again; an LHA archive that names a code page makes the C
 * library try to open one (openat, newfstatat), which is to fail with EPERM.
 *
 * Memory: the unpacked bytes of content.def once, the scratch buffer (a member,
 * or what is left of the budget), 160 bytes for each of 100,000 zip members;
 * 115 MB is the most that bombs have made it take, beside the file. What
 * libarchive reserves because a header says so may be gigabytes that are never
 * touched: RLIMIT_AS makes that a finding.
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
    struct span bytes;          /* the decoded part */
    struct span name;           /* UTF-8, or empty */
    struct span declared;       /* "type/subtype", lower case, or empty */
    struct span body_passwords; /* reserved: empty */
    bool truncated;             /* bytes are missing at the end or within */
    const uint8_t *sha256;      /* of bytes, or NULL: for content_memo only */
};

#define CONTENT_MEMBERS_KEPT 64   /* in the result; all are counted */
#define CONTENT_NAME_MAX     1024 /* bytes of a member's name; cut there */

/* A file found inside. */
struct content_member {
    struct span name;   /* as stored, with its path; raw bytes */
    uint64_t size;      /* unpacked, as far as known */
    uint8_t sha256[32]; /* of what is there: of all when truncated is false */
    enum filetype type;
    uint16_t inside; /* 1: of the first member listed, 2: of the second, ...;
                      * 0: of the part, or of one not listed */
    uint8_t depth;   /* 1: directly inside the part */
    bool has_sha256; /* false when it could not be unpacked */
    bool encrypted;
    bool truncated; /* fewer bytes than size could be had */
};

struct content_result {
    struct findings findings;
    struct url_set urls;
    struct buf members; /* coded; content_member_next */
    uint32_t n_members; /* all */
    uint64_t bytes_unpacked;
    enum filetype type; /* of the part itself, by all that is known */
    /* An outside engine or a clock had a say; not coded: said by who asked. */
    bool nondeterministic;
};

void content_result_init(struct content_result *r);
void content_result_free(struct content_result *r); /* NULL-safe */
void content_result_reset(struct content_result *r);
/* The next of r->members; false at the end. */
bool content_member_next(struct cursor *c, struct content_member *out);

/* Coded for the way out of the process, and read back. The reader trusts
 * nothing: false when it does not hold together, and r is empty then. */
void content_result_code(const struct content_result *r, struct buf *out);
MUST_USE bool content_result_read(struct span coded, struct content_result *r);

struct hashlist;

struct content_options {
    const char *yara_dir; /* directory of .yar files, or NULL */
    /* Hashes of malicious files, or NULL; stays with its owner, who may refresh
     * it at any time. */
    const struct hashlist *hashes;
};

struct content;

/* message gets what is wrong with a rule file, with file and line. */
MUST_USE enum err content_new(const struct content_options *o,
                              struct content **out, struct buf *message);
void content_free(struct content *c); /* NULL-safe */

/* r is initialised; what it held is gone. Without memory it holds what was
 * found until then, and FIND_INSPECTION_LIMIT. */
void content_inspect(struct content *c, const struct content_job *job,
                     struct content_result *r);

/* Would content_inspect look into such a file, or is its type all? False for
 * pictures, sound and film, in which it would only search for a second type. */
bool content_wants(enum filetype t);

/* ---- for inspectors ---- */

/* The file under inspection. */
struct content_item {
    struct span bytes;
    struct span name; /* of the part: as in the job; of a member: as stored */
    enum filetype type;
    enum filetype parent; /* what it was found in; FILETYPE_UNKNOWN: the part */
    uint8_t depth;        /* 0: the part itself */
    bool truncated;
};

struct inspection; /* the budget, the queue, the result */

struct findings *inspection_findings(struct inspection *i);
struct url_set *inspection_urls(struct inspection *i);

/* Adds a finding about an item: with the item's name as detail when it is a
 * member, without when it is the part itself. */
void inspection_note(struct inspection *i, const struct content_item *item,
                     enum finding f);

/* The item under inspection is known better now: what is found in it from here
 * on has this parent. Inspectors after the caller's row see the new type, but
 * were chosen by the old one too. */
void inspection_refine(struct inspection *i, enum filetype t);

/* Takes n bytes from the budget of unpacked bytes; false, with the finding that
 * says why, when they are not there or no more members are taken. */
bool inspection_spend(struct inspection *i, uint64_t n);
/* The same for objects (PDF objects, OLE streams, XML elements, ...). */
bool inspection_spend_objects(struct inspection *i, uint64_t n);

/* Counts a member and judges its name; what will be looked into later is kept:
 * pieces of the parent's bytes in place, the content of the scratch buffer by
 * taking it over, other bytes as a copy. Bytes have been paid for by
 * inspection_spend, or are a piece of the parent's that no other member
 * shares. parent: the item it was found in.
 * bytes.p == NULL: counted and named only (encrypted, too large, damaged).
 * bytes.n < size: a part of it could be had.
 * An empty member is span_of("", 0).
 * False: no more members are taken, not even named; stop. */
bool inspection_add(struct inspection *i, const struct content_item *parent,
                    struct span name, struct span bytes, uint64_t size,
                    bool encrypted);

/* An empty growing buffer for unpacking, of at most one member's limit and
 * what the budget has left; valid until the next call or inspection_add. What
 * is put there is paid for by inspection_spend, before or after. */
struct buf *inspection_scratch(struct inspection *i);

struct inspector {
    const char *name;
    bool (*wants)(const struct content_item *item);
    void (*inspect)(struct inspection *i, const struct content_item *item);
    /* Opens what its library would open later; may be NULL. */
    enum err (*prepare)(void);
};

#endif
