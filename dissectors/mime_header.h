#ifndef SPAN25_DISSECTORS_MIME_HEADER_H
#define SPAN25_DISSECTORS_MIME_HEADER_H
/* mime_header - the Content-* fields of a header section, and what they make
 * of the body: RFC 2045 3 to 6, RFC 2183, as mail clients read them
 *
 *     while (the line is of the section)
 *         what = mime_header_line(&h, mem, line, cut);
 *     mime_header_read(&h, charset, view, &entity);
 *
 * Only Content-Type, -Transfer-Encoding, -Disposition and -ID are kept, all
 * other lines are passed over after a look at their first bytes. A field that
 * only some clients see is kept too and marked: behind a bare CR, behind blanks
 * or control characters, without colon.
 *
 * Where the section ends is the caller's business, for clients differ on it.
 * Kept: limit header of mime.def, MIME_HEADER_FIELDS fields. */
#include "dissectors/mime.h"
#include "dissectors/mime_param.h"

#define MIME_HEADER_FIELDS 24U
#define MIME_ENCODINGS     4U

enum mime_field {
    MIME_FIELD_TYPE,
    MIME_FIELD_ENCODING,
    MIME_FIELD_DISPOSITION,
    MIME_FIELD_ID,
    MIME_FIELD_COUNT
};

enum mime_line {
    MIME_LINE_EMPTY, /* ends the section */
    MIME_LINE_WHITE, /* blanks only: a fold, or its end */
    MIME_LINE_FIELD,
    MIME_LINE_FOLD,
    MIME_LINE_JUNK /* no field: skipped, or the first of the body */
};

struct mime_header {
    struct vec kept; /* entries: struct entry of the .c file and its text */
    uint32_t open;   /* offset of the entry that a fold belongs to, plus 1 */
    uint8_t n;       /* entries */
    bool any;        /* a field of any name was there */
    uint64_t odd;    /* bits by enum mime_odd */
};

enum mime_category { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };

/* Which of two types to believe. */
enum mime_view { MIME_VIEW_FIRST, MIME_VIEW_LEAF };

/* What a section says. Spans are borrowed from header and entity. */
struct mime_entity {
    uint8_t category;
    uint8_t disposition;
    uint8_t n_kinds;
    uint8_t kinds[MIME_ENCODINGS]; /* enum decode_kind, the RFC's first */
    bool declared;
    bool digest;   /* parts are messages unless they say otherwise */
    bool leaf_too; /* a multipart that some read as one part */
    struct span type;
    struct span charset;
    struct span encoding;
    struct span content_id;
    struct mime_values boundaries;
    struct mime_values names;
    struct buf text; /* of type */
    uint64_t odd;
};

void mime_header_init(struct mime_header *h);
void mime_header_free(struct mime_header *h, struct mem *mem);
/* Forgets the section, keeps the memory. */
void mime_header_reset(struct mime_header *h);
bool mime_header_copy(const struct mime_header *h, struct mem *mem,
                      struct mime_header *out);

/* line: without its end; cut: only a prefix. */
enum mime_line mime_header_line(struct mime_header *h, struct mem *mem,
                                struct span line, bool cut);

void mime_entity_init(struct mime_entity *e);
void mime_entity_free(struct mime_entity *e); /* NULL-safe */

/* digest: the part lies in a multipart/digest. */
void mime_header_read(const struct mime_header *h, struct charset *cs,
                      enum mime_view view, bool digest, struct mime_entity *e);

#endif
