#include "sensor/event/events_man.h"

#include "sensor/event/anomaly.h"
#include "sensor/event/fields.h"
#include "sensor/event/json_tree.h"
#include "sensor/event/record.h"

#define LINE_WIDTH 78

/* NULL: never leaves the program. */
static const char *const type_docs[EVENT_TYPE_COUNT] = {
    [EVENT_SMTP] = "One mail transaction, also one that failed. A long one "
                   "reports in parts.",
    [EVENT_SMTP_SESSION] = "One TCP connection to a mail port. Connections "
                           "that never carried a byte are one event for each "
                           "client and minute.",
    [EVENT_TLS] = "One TLS handshake.",
    [EVENT_FILEINFO] = "One part of a message that is named, attached, or not "
                       "a plain text or HTML body; those too when something "
                       "is found in them.",
    [EVENT_ANOMALY] = "A named oddity, once for each kind and connection.",
    [EVENT_DNS] = "One mirrored DNS answer that tells of mail or of a host's "
                  "name; others are not kept. The client asked, the server "
                  "answered: queries, and DNS over TCP, TLS or HTTPS, are not "
                  "seen, and an answer may be forged.",
    [EVENT_HOST] = "The statistics of one source, in intervals and when they "
                   "change.",
    [EVENT_ALERT] = "One episode of a subject and a rule: when it opens, goes "
                    "on and ends.",
    [EVENT_DECISION] = "What may be stopped, for how long, and what stood "
                       "against it.",
    [EVENT_STATS] = "Counts of the sensor since its start.",
    [EVENT_CONTROL] = "An input that later decisions rest on: start, "
                      "configuration, end.",
};

/* Objects that are a section of their own, by the first part of the path. */
static const struct {
    const char *first, *title;
} sections[] = {
    {"src_reg",  "Registry"                  },
    {"quality",  "Quality of the observation"},
    {"smtp",     "SMTP"                      },
    {"email",    "The message"               },
    {"fileinfo", "A part of a message"       },
    {"flow",     "The TCP connection"        },
    {"tls",      "TLS"                       },
    {"dns",      "DNS"                       },
    {"host",     "Statistics of a host"      },
    {"alert",    "Alert"                     },
    {"decision", "Decision"                  },
    {"anomaly",  "Anomaly"                   },
    {"control",  "Control"                   },
    {"stats",    "Stats"                     },
    {"carve",    "Between worker and core"   },
};

static const char *const type_words[] = {
    [FT_BOOL] = "boolean",          [FT_U64] = "number",
    [FT_I64] = "signed number",     [FT_TIME] = "time",
    [FT_ADDR] = "address",          [FT_STR] = "string",
    [FT_STRS] = "array of strings", [FT_U64S] = "array of numbers",
    [FT_OBJS] = "array of objects",
};

/* ---- roff ---- */

/* A word of ours in running text or as an argument of a macro. */
static void
word(struct buf *out, struct span w)
{
    for (size_t i = 0; i < w.n; i++) {
        uint8_t c = span_at(w, i);

        if (c == '\\')
            buf_str(out, "\\e");
        else if (c == '-' && i == 0)
            buf_str(out, "\\-");
        else
            buf_putc(out, c);
    }
}

static bool
ends_sentence(struct span w)
{
    return span_at(w, w.n - 1) == '.' || span_at(w, w.n - 1) == '?';
}

/* Text in lines of at most LINE_WIDTH, each sentence on a line of its own, no
 * line beginning with a control character. */
static void
prose(struct buf *out, const char *text)
{
    struct span rest = span_str(text);
    size_t column = 0;
    bool fresh = true;

    while (rest.n > 0) {
        size_t n = span_find(rest, ' ');
        struct span w = span_head(rest, n);

        if (!fresh && column + 1 + w.n > LINE_WIDTH)
            fresh = true;
        if (fresh && column > 0)
            buf_putc(out, '\n');
        if (fresh)
            column = 0;
        if (fresh && (span_at(w, 0) == '.' || span_at(w, 0) == '\''))
            buf_str(out, "\\&");
        if (!fresh)
            buf_putc(out, ' ');
        word(out, w);
        column += w.n + 1;
        rest = span_tail(rest, n + 1);
        fresh = w.n > 0 && ends_sentence(w);
    }
    buf_putc(out, '\n');
}

static void
list_begin(struct buf *out)
{
    buf_str(out, ".Bl -tag -width Ds\n");
}

static void
list_end(struct buf *out)
{
    buf_str(out, ".El\n");
}

/* ---- parts ---- */

static void
field_row(struct buf *out, const struct field_info *row)
{
    buf_str(out, ".It Va ");
    word(out, span_str(row->path));
    buf_printf(out, " Pq %s\n", type_words[row->type]);
    prose(out, row->doc);
    if (row->since > 1)
        buf_printf(out, "Since schema version %u.\n", row->since);
}

static const char *
section_of(const char *path)
{
    struct span p = span_str(path);
    struct span first = span_head(p, span_find(p, '.'));

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (first.n < p.n && span_eq(first, span_str(sections[i].first)))
            return sections[i].title;
    }
    return NULL;
}

static void
fields(struct buf *out)
{
    const char *open = "Common keys";

    buf_printf(out, ".Ss %s\n", open);
    list_begin(out);
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        const char *title = section_of(field_table[f].path);

        if (title != NULL && strcmp(title, open) != 0) {
            list_end(out);
            buf_printf(out, ".Ss %s\n", title);
            list_begin(out);
            open = title;
        }
        field_row(out, &field_table[f]);
    }
    list_end(out);
}

static void
event_types(struct buf *out)
{
    buf_str(out, ".Sh EVENT TYPES\nThe key\n.Va event_type\nsays what an event "
                 "is:\n");
    list_begin(out);
    for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++) {
        if (type_docs[t] == NULL)
            continue;
        buf_printf(out, ".It Cm %s\n", event_type_name((enum event_type)t));
        prose(out, type_docs[t]);
    }
    list_end(out);
}

static void
anomalies(struct buf *out)
{
    buf_str(out, ".Sh ANOMALIES\nNames in\n.Va anomaly.event\nand\n"
                 ".Va smtp.anomalies ,\nwith type and level, and what is "
                 "done:\n");
    list_begin(out);
    for (unsigned a = 0; a < ANOM_COUNT; a++) {
        const struct anomaly_info *row = &anomaly_table[a];

        buf_printf(out, ".It Cm %s Pq %s, %s\n", row->name, row->type,
                   anomaly_level_name(row->level));
        prose(out, row->doc);
        buf_str(out, "Done:\n");
        prose(out, row->action);
    }
    list_end(out);
}

static void
head(struct buf *out, const char *date)
{
    buf_str(out, ".\\\" Made from fields.def and anomaly.def.\n");
    buf_printf(out,
               ".Dd %s\n.Dt EVENTS 7\n.Os\n.Sh NAME\n.Nm events\n"
               ".Nd what span25 writes about the mail it sees\n",
               date);
    buf_str(out, ".Sh DESCRIPTION\n");
    prose(out, "Events are JSON Lines: one object a line, UTF-8 (RFC 8259). "
               "Keys and event types are those of Suricata's EVE, with a "
               "superset under smtp. "
               "Keys are only ever added. "
               "A key that is absent was not observable; it is not zero. "
               "Envelope and header addresses are never merged. "
               "No password, AUTH payload or message body is ever written.");
    buf_printf(out, ".Pp\nThis page describes schema version %u.\n",
               (unsigned)SCHEMA_VERSION);
    buf_str(out, ".Ss Order\n");
    prose(out, "Events are ordered by timestamp, flow_id and flow_seq. "
               "The latter two are absent where an event has no flow.");
    buf_str(out, ".Ss Bytes that are not UTF-8\n");
    prose(out, "Mail carries bytes that are no text. "
               "A string shows each of them as U+FFFD, and a key beside it, "
               "its name with " JSON_RAW_SUFFIX " appended, holds the exact "
               "bytes in base64 (RFC 4648). "
               "Beside an array of strings it is an array of the same length, "
               "null where the string is exact.");
}

static void
tail(struct buf *out)
{
    buf_str(out, ".Sh EXAMPLES\nWho was refused, and why:\n.Bd -literal "
                 "-offset indent\n"
                 "jq -c 'select(.smtp.outcome == \"rejected\")\n"
                 "  | [.src_ip, .smtp.final_text]' events.jsonl\n.Ed\n"
                 ".Sh SEE ALSO\n"
                 ".Lk https://docs.suricata.io/en/latest/output/eve/"
                 "eve-json-format.html \"EVE JSON format\"\n");
    buf_str(out, ".Sh STANDARDS\n.Bl -item -compact\n"
                 ".It\nRFC 3339, times\n.It\nRFC 3463, enhanced status codes\n"
                 ".It\nRFC 4648, base64\n.It\nRFC 5321, SMTP\n"
                 ".It\nRFC 5322, message format\n.It\nRFC 8259, JSON\n.El\n");
}

void
events_man_write(struct buf *out, const char *date)
{
    head(out, date);
    event_types(out);
    buf_str(out, ".Sh EVENT FIELDS\n");
    prose(out, "Types: a time is RFC 3339 in UTC with microseconds, an address "
               "is IPv4 or IPv6 text (RFC 5952), a number is whole and below "
               "2^64. a[].b is key b of the objects in array a.");
    fields(out);
    anomalies(out);
    tail(out);
}
