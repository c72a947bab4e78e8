#ifndef SPAN25_DISSECTORS_FINDING_H
#define SPAN25_DISSECTORS_FINDING_H
/* finding - named findings in a part of a message, with their evidence
 *
 * A set of what finding.def names, and for some of them a detail: a short
 * text (member's name, target, rule) that says where. Details are bytes from
 * the wire: whoever shows them escapes them. At most FINDING_DETAILS details
 * of FINDING_DETAIL_MAX bytes are kept, the first ones; the set is exact.
 * The coded form crosses from the inspecting process and is checked. */
#include "sensor/base/buf.h"

enum finding_class { FINDING_A, FINDING_B, FINDING_C, FINDING_D };

enum finding {
#define X(id, name, class, doc) FIND_##id,
#include "dissectors/finding.def"
#undef X
    FINDING_COUNT
};

#define FINDING_DETAILS    32
#define FINDING_DETAIL_MAX 200

struct findings {
    uint64_t set[(FINDING_COUNT + 63) / 64];
    struct buf details; /* u16 finding, u16 length, bytes; one after another */
    uint32_t n_details;
    uint32_t n_left_out; /* details */
};

const char *finding_name(enum finding f);
enum finding_class finding_class_of(enum finding f);
const char *finding_doc(enum finding f);
/* FINDING_COUNT when there is none of that name. */
enum finding finding_find(struct span name);

void findings_init(struct findings *s);
void findings_free(struct findings *s); /* NULL-safe */
void findings_reset(struct findings *s);

static inline bool
findings_has(const struct findings *s, enum finding f)
{
    return (s->set[f / 64] >> (f % 64) & 1U) != 0;
}

static inline void
findings_add(struct findings *s, enum finding f)
{
    s->set[f / 64] |= UINT64_C(1) << (f % 64);
}

/* With a detail, which is cut at its limit; the same detail of the same
 * finding is kept once. */
void findings_add_detail(struct findings *s, enum finding f,
                         struct span detail);
/* All of b into a. */
void findings_merge(struct findings *a, const struct findings *b);
bool findings_any(const struct findings *s);
/* Bits 1 << enum finding_class. */
unsigned findings_classes(const struct findings *s);

/* The next detail; false at the end. */
bool findings_next(struct cursor *c, enum finding *f, struct span *detail);

/* Appends the coded form; reads it back and trusts nothing in it: false, and s
 * holds what came before the fault. */
void findings_code(const struct findings *s, struct buf *out);
MUST_USE bool findings_read(struct cursor *c, struct findings *s);

#endif
