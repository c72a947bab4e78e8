#ifndef SPAN25_DISSECTORS_PART_H
#define SPAN25_DISSECTORS_PART_H
/* part - a leaf part of a message: hashed, typed and judged while it streams
 *
 *     part_new(ctx, mem, &mime_part, &p);
 *     part_data(p, bytes); part_gap(p, lost);   any number of times
 *     part_end(p, &end);                        the verdict is there now
 *     if (part_is_reported(p)) part_emit(p, r); fields fileinfo.*
 *     part_free(p);
 *
 * An inspection may take longer than the caller can wait: with ctx->later the
 * part has ended, but its verdict comes by part_answer or part_refuse.
 *
 * SHA-256 of every part (MD5 and SHA-1 by option); none where bytes are
 * missing. Of files that can be looked into (archives, documents, markup,
 * programs, links) the bytes are kept up to PART_MAX_keep, of bodies to
 * PART_MAX_text, then handed to ctx->inspect; of pictures, sound and plain text
 * bodies only the head. Text and HTML are searched for URLs as they come.
 * Names, types and contents that do not fit are findings.
 *
 * Everything is charged to mem. Kept bytes leave an eighth of it free for what
 * is small: past that the part is hashed on and what was kept is inspected;
 * FIND_PART_CUT says so. What finds its URLs or members without room tells
 * fewer. Spans of the mime_part are copied.
 *
 * Inspections of one message share a budget: when its parts have unpacked
 * PART_MAX_unpacked bytes, or PART_MAX_broken of them broke off, the others are
 * not looked into and say FIND_INSPECTION_LIMIT. */
#include "dissectors/mime.h"
#include "dissectors/content/content.h"
#include "sensor/event/record.h"

#define PART_HASHES 3

enum part_limit {
#define LIMIT(name, number, unit, why) PART_MAX_##name = (number),
#include "dissectors/part.def"
};

struct part_ctx; /* one per worker */
struct part;

struct part_options {
    bool md5, sha1;
    /* Looks into a whole file; NULL: names, types and hashes only. False: the
     * inspection broke off and result holds what was found before. */
    bool (*inspect)(void *ctx, const struct content_job *job,
                    struct content_result *result);
    void *inspect_ctx;
    /* Asked before inspect, if there is one. True: it takes the part, whose
     * inspection comes some time; until then part_is_waiting. forget: such a
     * part is given up, and must not be touched any more. Both get
     * inspect_ctx. */
    bool (*later)(void *ctx, struct part *p);
    void (*forget)(void *ctx, struct part *p);
    /* Is this digest on a list of malicious files? NULL: there is none. name
     * is borrowed until the next call. */
    bool (*listed)(void *ctx, const uint8_t sha256[32], struct span *name);
    void *listed_ctx;
    bool keep_all;      /* of every type, for outside engines */
    bool keep_attached; /* named or attached, for part_bytes; what is looked
                         * into and found is the same without */
};

MUST_USE enum err part_ctx_new(const struct part_options *o,
                               struct part_ctx **out);
void part_ctx_free(struct part_ctx *c); /* NULL-safe; after all parts */

/* What the inspections of one message have cost; zeroed by the caller, whose it
 * is for the life of the parts. */
struct part_budget {
    uint64_t unpacked;
    uint32_t broken;
};

/* owner is for part_owner only. */
MUST_USE enum err part_new(struct part_ctx *c, struct mem *mem,
                           struct part_budget *budget,
                           const struct mime_part *m, void *owner,
                           struct part **out);
/* A second one that has had the same bytes; NULL without memory. */
struct part *part_fork(const struct part *p);
void part_free(struct part *p); /* NULL-safe */
void *part_owner(const struct part *p);

void part_data(struct part *p, struct span decoded);
void part_gap(struct part *p, uint64_t lost);
void part_end(struct part *p, const struct mime_part_end *e);

/* ---- of a part whose inspection comes later ---- */

bool part_is_waiting(const struct part *p);
size_t part_kept(const struct part *p); /* bytes that part_ask gives */
/* What is to be inspected, borrowed from the part. False: its message has had
 * its share; part_answer with NULL ends it. */
MUST_USE bool part_ask(struct part *p, struct content_job *job);
/* Ends the wait; whole and r as of inspect, r NULL: it was not inspected. */
void part_answer(struct part *p, bool whole, const struct content_result *r);
/* The same where nobody was asked: FIND_NOT_INSPECTED, with why. */
void part_refuse(struct part *p, const char *why);
/* Refuses it, and whoever took it forgets it. */
void part_give_up(struct part *p, const char *why);

/* ---- of a part that has ended ---- */

/* Named, attached, not a plain text or HTML body, or something was found. */
bool part_is_reported(const struct part *p);
/* Named or attached, and therefore in email.attachment. */
bool part_is_attachment(const struct part *p);
/* A text or HTML body: not named, not attached. */
bool part_is_body(const struct part *p);
bool part_is_html(const struct part *p);
uint64_t part_size(const struct part *p);
struct span part_name(const struct part *p); /* decoded, perhaps empty */
uint8_t part_reading(const struct part *p);
uint64_t part_offset(const struct part *p); /* in the message */
/* A number equal for equal names, sizes and bytes; others cannot make it equal,
 * for it is another one in each run of the program: never to be told. */
uint64_t part_identity(const struct part *p);
const struct url_set *part_urls(const struct part *p); /* NULL: none */
const struct findings *part_findings(const struct part *p);

/* The digest; NULL when bytes are missing. */
const uint8_t *part_sha256(const struct part *p);
const char *part_type(const struct part *p);  /* fileinfo.type */
const char *part_class(const struct part *p); /* fileinfo.class, or NULL */
/* With keep_attached: all bytes of an attached part, or p NULL: they do not fit
 * PART_MAX_keep or memory. */
struct span part_bytes(const struct part *p);
/* They are on their way to a file. */
void part_set_stored(struct part *p);

/* Appends fileinfo.*. */
void part_emit(const struct part *p, uint32_t tx_id, struct record_out *r);

#endif
