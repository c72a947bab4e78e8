#ifndef SPAN25_DISSECTORS_MIME_READING_H
#define SPAN25_DISSECTORS_MIME_READING_H
/* mime_reading - one way to read a message, within the reader of mime.h
 *
 * A reading is a state and a stack of multiparts and messages. It is fed lines
 * and runs; where clients differ it makes another reading and both go on. What
 * is here is shared by mime.c (framing), mime_reading.c (structure, lines),
 * mime_delimiter.c (which lines are delimiters, and to whom), mime_level.c and
 * mime_readings.c (the stack; readings made and merged), mime_leaf.c (decoding)
 * and mime_inner.c, and by nobody else. */
#include "dissectors/mime_header.h"
#include "dissectors/mime_scan.h"

/* Boundaries that one multipart may have; shared by readings. */
struct mime_bounds {
    uint32_t refs;
    uint32_t size; /* of this block */
    uint32_t n;
    struct span s[MIME_VALUES];
};

enum mime_level_kind {
    MIME_LEVEL_MULTIPART,
    MIME_LEVEL_MESSAGE,
    MIME_LEVEL_ARMED /* a leaf that has a boundary all the same */
};

enum mime_choice { MIME_OPEN, MIME_YES, MIME_NO };

struct mime_level {
    struct mime_bounds *bounds; /* NULL: none */
    uint32_t scope;             /* around it */
    uint16_t live;              /* bits of bounds that this reading uses */
    uint8_t kind;
    uint8_t lenient;   /* enum mime_choice: takes half-right delimiters */
    uint8_t after_end; /* enum mime_choice: goes on behind the end */
    uint8_t wild;      /* enum mime_choice: takes an undeclared boundary */
    bool sure;         /* a boundary shared with the level around is ours */
    bool seen;         /* a delimiter was there */
    bool closed;
    bool digest;
};

enum mime_state {
    MIME_IN_HEADER,
    MIME_IN_LEAF,
    MIME_IN_PREAMBLE,
    MIME_IN_EPILOGUE
};

/* What the line behind the one in pending decides. */
enum mime_want {
    MIME_WANT_NOTHING,
    MIME_WANT_FIELD, /* a delimiter, if it is a Content- field */
    MIME_WANT_UU     /* a uuencoded file, if it is of one */
};

enum mime_eol { MIME_EOL_NONE, MIME_EOL_CR, MIME_EOL_LF, MIME_EOL_CRLF };

struct mime_reading {
    uint8_t number;
    uint8_t state; /* enum mime_state */
    uint8_t eol;   /* enum mime_eol: of a leaf, may belong to a delimiter */
    uint8_t n_levels;
    uint8_t streams; /* bits of mime.streams: of the leaf */
    uint8_t want;    /* enum mime_want */
    bool white;      /* the last header line was blanks only */
    bool junk;       /* skips header lines that are no fields */
    bool gap;        /* in the header section */
    bool hole;       /* and of the leaf: it may have lost its boundary */
    bool shadow;     /* the preamble may be a leaf */
    bool uu;         /* the leaf may have uuencoded files */
    bool guess;      /* the leaf has several encodings */
    bool dead;       /* nothing of it is of use */
    uint32_t scope;
    uint64_t odd;      /* of its structure so far */
    uint64_t leaf_odd; /* of the header of the leaf */
    uint64_t later;    /* odd once it gives a part */
    struct mime_header header;
    struct vec pending; /* a line that may be a delimiter, or "begin" */
    struct mime_level levels[MIME_MAX_depth + 1];
};

/* What line ends of the content become. */
enum mime_breaks { MIME_BREAKS_KEPT, MIME_BREAKS_OPEN, MIME_BREAKS_UNIX };

/* A leaf in one decoding. */
struct mime_stream {
    void *part;
    struct mime_inner *inner; /* reads what is decoded as a message, or NULL */
    struct decode d;
    uint64_t odd;
    uint64_t lost;
    uint64_t offset;
    bool uu;        /* a file within text */
    bool text;      /* by its type */
    bool guess;     /* one of several encodings */
    bool binary;    /* bytes that no text has were there */
    uint8_t breaks; /* enum mime_breaks */
    uint8_t last;   /* the last byte that is no blank */
    bool resync;    /* after a gap, up to the next line */
};

#define MIME_STREAMS MIME_READINGS

/* A message within a part that is encoded: read by a reader of its own, whose
 * parts are ours. */
struct mime_inner {
    struct mime *m;
    struct mime *outer;
    struct mime_ops ops;
    uint32_t scope; /* of the message */
    uint8_t depth;
    uint8_t reading;
    uint64_t odd;
};

struct mime {
    struct mime_options o;
    struct mem *mem;
    mime_scan_fn scan;
    struct mime_reading *readings[MIME_READINGS];
    struct mime_stream *streams; /* MIME_STREAMS of them, with the first leaf */
    struct mime_entity entity;   /* of the header section just read */
    struct vec carry;            /* a line that is not whole yet */
    uint64_t at;                 /* in the message, of the bytes in hand */
    uint64_t body;               /* of the first body byte */
    uint64_t odd;
    uint32_t n_parts; /* all */
    uint32_t n_first; /* of reading 0, also those beyond the limit */
    uint32_t n_more;  /* beyond the limit, of all readings */
    uint32_t n_scopes;
    uint8_t n_open;    /* streams, of all nested readers: in the first */
    struct mime *root; /* the first of nested readers */
    uint8_t nested;
    uint8_t n_readings;
    uint8_t next_number;
    uint8_t used;   /* bits of streams */
    uint8_t before; /* the last byte fed */
    bool hard;      /* the carried line begins behind a LF */
    bool by_line;   /* a reading looks at every line */
    bool uu;        /* a reading looks for "begin" */
    bool changed;   /* readings may have become equal */
};

static inline void
mime_note(struct mime *m, struct mime_reading *r, enum mime_odd o)
{
    m->odd |= UINT64_C(1) << o;
    if (r != NULL)
        r->odd |= UINT64_C(1) << o;
}

/* ---- mime_leaf.c ---- */

/* A leaf as m->entity says. */
void mime_leaf_begin(struct mime *m, struct mime_reading *r);
/* What m->entity says. */
struct mime_part mime_leaf_of(const struct mime *m,
                              const struct mime_reading *r);
/* A uuencoded file; head is its "begin" line. */
void mime_leaf_uu(struct mime *m, struct mime_reading *r, struct span head);
void mime_leaf_data(struct mime *m, struct mime_reading *r, struct span s);
/* A run, for the leaves of all readings. */
void mime_leaves_run(struct mime *m, struct span s);
void mime_leaf_gap(struct mime *m, struct mime_reading *r, uint64_t lost);
/* At a delimiter the held line end is not of the leaf. */
void mime_leaf_end(struct mime *m, struct mime_reading *r, bool delimiter,
                   bool cut);
/* The streams of one reading for another, which has none. */
void mime_leaf_fork(struct mime *m, const struct mime_reading *from,
                    struct mime_reading *to);

/* ---- mime_inner.c ---- */

/* A reader for the message that the stream decodes to; NULL: none. */
struct mime_inner *mime_inner_new(struct mime *m, struct mime_reading *r);
void mime_inner_end(struct mime_inner *in, bool complete);

/* ---- mime_level.c ---- */

static inline struct mime_level *
mime_level_top(struct mime_reading *r)
{
    return r->n_levels > 0 ? &r->levels[r->n_levels - 1] : NULL;
}

/* With the boundaries of m->entity, unless it is of a message. The caller has
 * looked whether there is room. */
struct mime_level *mime_level_push(struct mime *m, struct mime_reading *r,
                                   enum mime_level_kind kind);
/* The level ends; when it was not closed that is noted. */
void mime_level_pop(struct mime *m, struct mime_reading *r);
bool mime_level_same(const struct mime_level *a, const struct mime_level *b);
struct mime_bounds *mime_bounds_new(struct mime *m,
                                    const struct mime_values *v);
void mime_bounds_free(struct mime *m, struct mime_bounds *b);

/* ---- mime_readings.c ---- */

/* The first of a message; false: no memory. */
bool mime_readings_first(struct mime *m);
void mime_readings_free(struct mime *m);
/* Another reading in the same state; NULL when there are enough. */
struct mime_reading *mime_readings_fork(struct mime *m, struct mime_reading *r);
/* The same, but that the bytes of the leaf so far are none of it. */
struct mime_reading *mime_readings_fork_bare(struct mime *m,
                                             struct mime_reading *r);
/* Makes one of readings that came to the same state. */
void mime_readings_merge(struct mime *m);

/* ---- mime_delimiter.c ---- */

/* The line, "--" and text, as a delimiter. False: it is none for r. When it is
 * one for other clients, another reading has taken it. */
bool mime_delimiter(struct mime *m, struct mime_reading *r, struct span text);
/* Does r take the line for one, without a doubt? */
bool mime_delimiter_is(const struct mime_reading *r, struct span text);

/* ---- mime_reading.c ---- */

/* A line from its beginning (hard: behind LF), with its end unless cut. */
void mime_reading_line(struct mime *m, struct mime_reading *r, struct span line,
                       bool hard);
/* A line that is surely of the header section. */
void mime_reading_field(struct mime *m, struct mime_reading *r,
                        struct span line);
void mime_reading_to_header(struct mime_reading *r);
/* A section that ends without a body: its leaf is empty. */
void mime_reading_section_ends(struct mime *m, struct mime_reading *r);
void mime_reading_gap(struct mime *m, struct mime_reading *r, uint64_t lost);
void mime_reading_end(struct mime *m, struct mime_reading *r, bool complete);

#endif
