#include "sensor/app/desk_event.h"

#include "sensor/base/count.h"
#include "sensor/base/text.h"

#define WIRE_MAX 160U /* bytes of one value */
#define RCPTS    6U   /* recipients told one by one */
#define LIST_MAX 8U   /* items of a list */

/* ---- pieces ---- */

static void
put_wire(struct buf *out, struct span s)
{
    text_term(out, span_head(s, WIRE_MAX));
    if (s.n > WIRE_MAX)
        buf_str(out, "...");
}

static void
put_field(struct buf *out, const char *before, const struct record_map *m,
          enum field f)
{
    struct span v = record_map_find(m, f);

    if (v.n == 0)
        return;
    buf_str(out, before);
    put_wire(out, v);
}

static void
put_list(struct buf *out, const struct record_map *m, enum field f)
{
    struct cursor c = record_entries_of(m->record);
    struct record_entry e;
    size_t n = 0;

    while (record_next(&c, &e) && e.field <= f) {
        if (e.field != f || ++n > LIST_MAX)
            continue;
        buf_str(out, n > 1 ? ", " : "");
        if (field_table[f].type == FT_U64)
            buf_u64(out, entry_u64(e.value));
        else
            put_wire(out, e.value);
    }
    if (n > LIST_MAX)
        buf_printf(out, " and %zu more", n - LIST_MAX);
}

static void
line(struct buf *out, char who)
{
    buf_printf(out, "    %c  ", who);
}

static struct span
child(struct span object, enum field f)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == f)
            return e.value;
    }
    return SPAN_NONE;
}

/* "550 5.1.1 no such user [unknown_user]" */
static void
put_reply(struct buf *out, struct span code, struct span enhanced,
          struct span text, struct span class)
{
    line(out, 'S');
    if (code.n == 8)
        buf_u64(out, entry_u64(code));
    else
        buf_str(out, "(no reply seen)");
    if (enhanced.n > 0) {
        buf_putc(out, ' ');
        put_wire(out, enhanced);
    }
    if (text.n > 0) {
        buf_putc(out, ' ');
        put_wire(out, text);
    }
    if (class.n > 0 && !span_eq(class, SPAN_LIT("accepted"))) {
        buf_str(out, "  [");
        put_wire(out, class);
        buf_putc(out, ']');
    }
    buf_putc(out, '\n');
}

/* The kept reply to this verb. */
static bool
reply_to(struct buf *out, const struct record_map *m, const char *verb)
{
    struct cursor c = record_entries_of(m->record);
    struct record_entry e;

    while (record_next(&c, &e) && e.field <= FIELD_SMTP_REPLIES) {
        if (e.field != FIELD_SMTP_REPLIES ||
            !span_eq(child(e.value, FIELD_SMTP_REPLIES_COMMAND),
                     span_str(verb)))
            continue;
        put_reply(out, child(e.value, FIELD_SMTP_REPLIES_CODE),
                  child(e.value, FIELD_SMTP_REPLIES_ENHANCED),
                  child(e.value, FIELD_SMTP_REPLIES_TEXT),
                  child(e.value, FIELD_SMTP_REPLIES_CLASS));
        return true;
    }
    return false;
}

/* ---- a connection ---- */

static void
put_greeting(struct buf *out, const struct record_map *s)
{
    if (record_map_has(s, FIELD_SMTP_BANNER)) {
        line(out, 'S');
        put_wire(out, record_map_find(s, FIELD_SMTP_BANNER));
        buf_putc(out, '\n');
    }
    if (record_map_has(s, FIELD_SMTP_HELO)) {
        bool helo = record_map_is(s, FIELD_SMTP_DIALECT_HELLO, "HELO");

        line(out, 'C');
        buf_str(out, helo ? "HELO " : "EHLO ");
        put_wire(out, record_map_find(s, FIELD_SMTP_HELO));
        buf_putc(out, '\n');
    }
    if (record_map_has(s, FIELD_SMTP_EHLO_CAPS)) {
        line(out, 'S');
        buf_str(out, "250 offers ");
        put_list(out, s, FIELD_SMTP_EHLO_CAPS);
        buf_putc(out, '\n');
    }
}

/* RFC 4954: what was said in it is in no event; that it was is all there is. */
static void
put_auth(struct buf *out, const struct record_map *s)
{
    struct cursor c = record_entries_of(s->record);
    struct record_entry e;

    while (record_next(&c, &e) && e.field <= FIELD_SMTP_AUTH) {
        if (e.field != FIELD_SMTP_AUTH)
            continue;
        line(out, 'C');
        buf_str(out, "AUTH ");
        put_wire(out, child(e.value, FIELD_SMTP_AUTH_MECHANISM));
        buf_str(out, " ********\n");
        put_reply(out, child(e.value, FIELD_SMTP_AUTH_CODE), SPAN_NONE,
                  SPAN_NONE, child(e.value, FIELD_SMTP_AUTH_OUTCOME));
    }
}

static void
put_session(struct buf *out, const struct record_map *s)
{
    put_greeting(out, s);
    if (record_map_bool(s, FIELD_SMTP_STARTTLS_USED)) {
        line(out, 'C');
        buf_str(out, "STARTTLS\n");
    }
    if (record_map_bool(s, FIELD_SMTP_STARTTLS_USED) ||
        record_map_is(s, FIELD_APP_PROTO, "tls"))
        buf_str(out, "       (TLS: what was said in it was not seen)\n");
    put_auth(out, s);
}

static void
put_end(struct buf *out, const struct record_map *s)
{
    if (!record_map_has(s, FIELD_SMTP_END))
        return;
    buf_str(out, "       (connection ended: ");
    put_wire(out, record_map_find(s, FIELD_SMTP_END));
    if (record_map_bool(s, FIELD_SMTP_NO_QUIT))
        buf_str(out, ", without QUIT");
    buf_str(out, ")\n");
}

/* ---- a transaction ---- */

static void
put_rcpt(struct buf *out, struct span rcpt)
{
    line(out, 'C');
    buf_str(out, "RCPT TO:");
    put_wire(out, child(rcpt, FIELD_SMTP_RCPT_ADDR));
    buf_putc(out, '\n');
    put_reply(out, child(rcpt, FIELD_SMTP_RCPT_CODE),
              child(rcpt, FIELD_SMTP_RCPT_ENHANCED),
              child(rcpt, FIELD_SMTP_RCPT_TEXT),
              child(rcpt, FIELD_SMTP_RCPT_CLASS));
}

static void
put_rcpts(struct buf *out, const struct record_map *m)
{
    uint64_t accepted = record_map_u64(m, FIELD_SMTP_RCPT_ACCEPTED, 0);
    uint64_t refused = record_map_u64(m, FIELD_SMTP_RCPT_REFUSED, 0);
    uint64_t offered;
    struct cursor c = record_entries_of(m->record);
    struct record_entry e;
    size_t n = 0;

    while (record_next(&c, &e) && e.field <= FIELD_SMTP_RCPT) {
        if (e.field == FIELD_SMTP_RCPT && ++n <= RCPTS)
            put_rcpt(out, e.value);
    }
    if (n <= RCPTS)
        return;
    offered = record_map_u64(m, FIELD_SMTP_RCPT_OFFERED, n);
    buf_printf(out,
               "       (and %zu more recipients; of all %llu: %llu accepted, "
               "%llu refused",
               n - RCPTS, (unsigned long long)offered,
               (unsigned long long)accepted, (unsigned long long)refused);
    if (offered > accepted + refused)
        buf_printf(out, ", %llu without an answer",
                   (unsigned long long)(offered - accepted - refused));
    buf_str(out, ")\n");
}

static void
put_mail(struct buf *out, const struct record_map *m)
{
    if (!record_map_has(m, FIELD_SMTP_MAIL_FROM))
        return;
    line(out, 'C');
    buf_str(out, "MAIL FROM:");
    put_wire(out, record_map_find(m, FIELD_SMTP_MAIL_FROM));
    put_field(out, " ", m, FIELD_SMTP_MAIL_PARAMS);
    buf_putc(out, '\n');
    if (!reply_to(out, m, "MAIL") && record_map_has(m, FIELD_SMTP_MAIL_CODE))
        put_reply(out, record_map_find(m, FIELD_SMTP_MAIL_CODE), SPAN_NONE,
                  SPAN_NONE, SPAN_NONE);
}

static void
put_message(struct buf *out, const struct record_map *m)
{
    if (!record_map_has(m, FIELD_SMTP_VIA))
        return;
    line(out, 'C');
    put_wire(out, record_map_find(m, FIELD_SMTP_VIA));
    buf_putc(out, '\n');
    (void)reply_to(out, m, "DATA");
    buf_printf(
        out, "       (message of %llu bytes, not kept",
        (unsigned long long)record_map_u64(m, FIELD_SMTP_MESSAGE_BYTES, 0));
    put_field(out, "; subject: ", m, FIELD_EMAIL_SUBJECT);
    if (record_map_has(m, FIELD_EMAIL_ATTACHMENT)) {
        buf_str(out, "; attached: ");
        put_list(out, m, FIELD_EMAIL_ATTACHMENT);
    }
    buf_str(out, ")\n");
    put_reply(out, record_map_find(m, FIELD_SMTP_FINAL_CODE),
              record_map_find(m, FIELD_SMTP_FINAL_ENHANCED),
              record_map_find(m, FIELD_SMTP_FINAL_TEXT),
              record_map_find(m, FIELD_SMTP_FINAL_CLASS));
}

/* ---- other events ---- */

static const struct {
    enum event_type type;
    enum field field;
    const char *label;
} facts[] = {
    {EVENT_FILEINFO, FIELD_FILEINFO_FILENAME, "file"                         },
    {EVENT_FILEINFO, FIELD_FILEINFO_MAGIC,    "type"                         },
    {EVENT_FILEINFO, FIELD_FILEINFO_SHA256,   "SHA-256"                      },
    {EVENT_FILEINFO, FIELD_FILEINFO_CLASS,    "class"                        },
    {EVENT_FILEINFO, FIELD_FILEINFO_FINDINGS, "findings"                     },
    {EVENT_ANOMALY,  FIELD_ANOMALY_EVENT,     "oddity"                       },
    {EVENT_ANOMALY,  FIELD_ANOMALY_DETAIL,    "seen"                         },
    {EVENT_TLS,      FIELD_TLS_SNI,           "server name"                  },
    {EVENT_TLS,      FIELD_TLS_VERSION,       "version"                      },
    {EVENT_HOST,     FIELD_HOST_SESSIONS,     "connections until then"       },
    {EVENT_HOST,     FIELD_HOST_RCPT_OFFERED, "recipients offered until then"},
    {EVENT_HOST,     FIELD_HOST_RCPT_UNKNOWN, "of them unknown users"        },
};

static void
put_facts(struct buf *out, const struct record_map *m)
{
    enum event_type type = record_head_of(m->record).type;

    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        if (facts[i].type != type || !record_map_has(m, facts[i].field))
            continue;
        buf_printf(out, "       %s: ", facts[i].label);
        put_list(out, m, facts[i].field);
        buf_putc(out, '\n');
    }
}

/* Connections that never carried a byte are told of together, a minute and a
 * port: the event counts the servers and names none. */
static void
put_attempts(struct buf *out, const struct record_map *m)
{
    static const struct {
        enum field field;
        const char *words;
    } fates[] = {
        {FIELD_ATTEMPTS_REFUSED,    "refused"                      },
        {FIELD_ATTEMPTS_UNANSWERED, "never answered"               },
        {FIELD_ATTEMPTS_SILENT,     "opened without a byte in them"},
    };

    if (!record_map_has(m, FIELD_ATTEMPTS_COUNT))
        return;
    buf_str(out, "       ");
    count_put(out, record_map_u64(m, FIELD_ATTEMPTS_COUNT, 0),
              "connection attempt", NULL);
    if (record_map_has(m, FIELD_DEST_PORT))
        buf_printf(out, " to port %u",
                   (unsigned)record_map_u64(m, FIELD_DEST_PORT, 0));
    buf_str(out, " within the minute, to ");
    count_put(out, record_map_u64(m, FIELD_ATTEMPTS_DESTINATIONS, 0), "server",
              NULL);
    for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
        buf_str(out, i > 0 ? ", " : ": ");
        count_number(out, record_map_u64(m, fates[i].field, 0));
        buf_putc(out, ' ');
        buf_str(out, fates[i].words);
    }
    buf_str(out, "\n       (which servers is not kept)\n");
}

void
desk_event_transcript(const struct record_map *m,
                      const struct record_map *session, struct buf *out)
{
    enum event_type type = record_head_of(m->record).type;

    if (type == EVENT_SMTP_SESSION)
        session = m;
    if (session != NULL && type != EVENT_TLS)
        put_session(out, session);
    else if (type == EVENT_SMTP)
        put_greeting(out, m);
    if (type == EVENT_SMTP) {
        put_mail(out, m);
        put_rcpts(out, m);
        put_message(out, m);
    }
    put_facts(out, m);
    put_attempts(out, m);
    if (session != NULL)
        put_end(out, session);
}
