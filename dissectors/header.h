#ifndef SPAN25_DISSECTORS_HEADER_H
#define SPAN25_DISSECTORS_HEADER_H
/* header - the header section of a message, RFC 5322 2.2 and 3.6, RFC 6532
 *
 *     header_init(&h, charset);
 *     while (header_line(&h, line, wire, cut) == HEADER_MORE)
 *         line = next line;
 *     header_end(&h);     also when the message is cut
 *     header_emit(&h, r); any number of times
 *     header_free(&h);
 *
 * A line is one physical line without its line end, dots unstuffed, borrowed
 * for the call; unfolding happens here. Fields that no event speaks of are
 * passed over by a look at their name. Values are decoded and coded as record
 * entries when the field ends; that memory (limit total) stays until
 * header_free, the rest until header_end. Before the first kept field nothing
 * is allocated. Values stay bytes: they are UTF-8 only where mail is.
 *
 * Unfolding takes away the line end and keeps the blanks; only in Subject,
 * X-Mailer and User-Agent with encoded words a fold becomes one space.
 *
 * Of a field that must come once the first is kept. To and Cc: an entry a
 * mailbox as written, encoded words decoded; an empty group is an entry. From,
 * Sender, Reply-To: the whole value, for they are one string in the event. An
 * encoded name may hold any character, "<" too: who wants the address uses
 * address.h on the raw value. content_type is absent when there is no field.
 *
 * Limits, fields and anomalies: header.def.
 *
 * Of the fields of MARK only the names are told (the value of Precedence is
 * read in its first line).
 *
 * Known gaps: a line that is not a field ends the section, though some readers
 * skip it; Resent- and MIME-Version fields are not kept. */
#include "dissectors/charset.h"
#include "sensor/event/record.h"

enum header_limit {
#define LIMIT(name, number, unit, why) HEADER_MAX_##name = (number),
#include "dissectors/header.def"
};

enum header_field {
#define FIELD(id, name, kind, share, field, twice) HEADER_##id,
#include "dissectors/header.def"
    HEADER_FIELD_COUNT /* also: a field that is not kept */
};

enum header_odd {
#define ODD(id, name, doc) HEADER_ODD_##id,
#include "dissectors/header.def"
    HEADER_ODD_NONE
};

enum header_more {
    HEADER_MORE,              /* the line was taken */
    HEADER_DONE,              /* it was the empty line: the body follows */
    HEADER_DONE_NOT_CONSUMED, /* it is the first line of the body */
};

struct header {
    struct charset *charset;
    struct buf value;   /* raw value of the open field, when it is kept */
    struct buf entries; /* in order of arrival */
    uint64_t bytes;     /* of the section, without the empty line */
    uint64_t n_fields;
    uint32_t n_received;               /* all of them, kept or not */
    uint32_t odd;                      /* bits by enum header_odd */
    uint32_t marks;                    /* bits by row of MARK */
    uint16_t used[HEADER_FIELD_COUNT]; /* bytes of entries, by field */
    uint16_t n_mailboxes[2];           /* kept, of To and Cc */
    uint16_t present;                  /* bits by enum header_field */
    uint8_t open;                      /* enum header_field */
    bool folded;                       /* the open value has marks of folds */
    bool begun;                        /* a line was seen */
    bool ended;
};

/* charset is borrowed until header_end. */
void header_init(struct header *h, struct charset *charset);
void header_free(struct header *h); /* NULL-safe; init before using again */

/* wire: bytes of the line in the message, its end and any dropped rest
 * included. cut: line is only a prefix. After the section has ended, lines are
 * not consumed. */
enum header_more header_line(struct header *h, struct span line, size_t wire,
                             bool cut);

/* Bytes of the section were lost: the open field is cut, the next line must be
 * a whole one. Reading goes on as long as lines are fields, so a lost end is
 * noticed at the first line that is none. Nothing is said to be missing or
 * twice from here on. */
void header_gap(struct header *h);

/* The message ended. Nothing when the section is done already. */
void header_end(struct header *h);

static inline bool
header_is_odd(const struct header *h, enum header_odd o)
{
    return (h->odd >> o & 1U) != 0;
}

/* Bytes allocated now. */
static inline size_t
header_memory(const struct header *h)
{
    return h->value.cap + h->entries.cap;
}

const char *header_odd_name(enum header_odd o);

/* Appends the email.* fields up to email.anomalies, in order; nothing when no
 * line came. */
void header_emit(const struct header *h, struct record_out *out);

#endif
