#include "dissectors/smtp_mask.h"

#include "sensor/base/attr.h"

#define ARGUMENT_MAX 512U /* RFC 5321 4.5.3.1.4: a command line */
#define TEXT_MAX     1024U
#define CHUNK_MAX    (UINT64_C(1) << 40)
#define TLS_HEAD     5U
#define TLS_RECORD   16640U /* RFC 5246 6.2.3 */

enum mode { IN_COMMANDS, IN_DATA, IN_CHUNK, IN_TLS, IN_THE_DARK };

struct masker {
    struct span in;
    uint8_t *keep;
    size_t at;
    enum mode mode;
    bool redact;
    bool auth;     /* what comes may be a response */
    bool was_auth; /* at any time */
    bool header;   /* of the message */
    bool field;    /* the line before is one of its fields */
    bool crlf;     /* the line before ended so */
    bool smuggled; /* some servers are out of the message */
    uint64_t left; /* of the chunk */
};

struct line {
    struct span text;
    size_t at;  /* of the text */
    size_t end; /* its length: 0 (none yet), 1 or 2 */
};

static void
show(struct masker *m, size_t at, size_t n)
{
    memset(m->keep + at, 1, n);
}

/* ---- lines ---- */

static size_t
text_length(struct span s)
{
    size_t i = 0;

    while (i < s.n && s.p[i] != '\r' && s.p[i] != '\n')
        i++;
    return i;
}

/* Within the next `most` bytes. A chunk may end between CR and LF. */
static struct line
next_line(struct masker *m, uint64_t most)
{
    const struct span rest = span_head(
        span_tail(m->in, m->at), most < SIZE_MAX ? (size_t)most : SIZE_MAX);
    const size_t n = text_length(rest);
    const struct line l = {
        .text = span_head(rest, n),
        .at = m->at,
        .end = n == rest.n                                         ? 0
               : rest.p[n] == '\r' && span_at(rest, n + 1) == '\n' ? 2
                                                                   : 1,
    };

    m->at += n + l.end;
    return l;
}

static bool
is_blank(uint8_t c)
{
    return c <= ' ' || c >= 0x7f;
}

/* The word at the beginning, as a server may find it that drops blanks and
 * control characters before and in it; a whole word, not the begin of one. */
static bool
has_word(struct span s, struct span word)
{
    size_t k = 0;

    for (size_t i = 0; i < s.n; i++) {
        const uint8_t c = s.p[i];

        if (k == word.n)
            return is_blank(c);
        if (is_blank(c))
            continue;
        if ((c & 0xdf) != word.p[k])
            return false;
        k++;
    }
    return k == word.n;
}

/* ---- commands ---- */

static const struct command {
    struct span text;
    bool argument; /* shown; such a line is no base64 either */
} commands[] = {
    {SPAN_INIT("EHLO "),      true },
    {SPAN_INIT("HELO "),      true },
    {SPAN_INIT("LHLO "),      true },
    {SPAN_INIT("MAIL FROM:"), true },
    {SPAN_INIT("RCPT TO:"),   true },
    {SPAN_INIT("BDAT "),      true },
    {SPAN_INIT("VRFY "),      true },
    {SPAN_INIT("EXPN "),      true },
    {SPAN_INIT("ETRN "),      true },
    {SPAN_INIT("DATA"),       false},
    {SPAN_INIT("RSET"),       false},
    {SPAN_INIT("QUIT"),       false},
    {SPAN_INIT("NOOP"),       false},
    {SPAN_INIT("HELP"),       false},
    {SPAN_INIT("TURN"),       false},
    {SPAN_INIT("STARTTLS"),   false},
};

static const struct span mechanisms[] = {
    SPAN_INIT("PLAIN"),       SPAN_INIT("LOGIN"),
    SPAN_INIT("CRAM-MD5"),    SPAN_INIT("DIGEST-MD5"),
    SPAN_INIT("NTLM"),        SPAN_INIT("GSSAPI"),
    SPAN_INIT("XOAUTH2"),     SPAN_INIT("OAUTHBEARER"),
    SPAN_INIT("SCRAM-SHA-1"), SPAN_INIT("SCRAM-SHA-256"),
    SPAN_INIT("EXTERNAL"),    SPAN_INIT("GSS-SPNEGO"),
};

static const struct command *
command_of(struct span text)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const struct command *c = &commands[i];
        const size_t n = c->text.n;

        if (span_starts_nocase(text, c->text) &&
            (c->argument || text.n == n || is_blank(text.p[n])))
            return c;
    }
    return NULL;
}

/* Up to a control character, or the AUTH= of RFC 4954 5. */
static size_t
argument_length(struct span s)
{
    size_t i = 0;

    while (i < s.n && i < ARGUMENT_MAX && (s.p[i] >= ' ' || s.p[i] == '\t') &&
           s.p[i] != 0x7f &&
           !span_starts_nocase(span_tail(s, i), SPAN_LIT("AUTH=")))
        i++;
    return i;
}

static bool
is_auth(struct span text)
{
    return has_word(text, SPAN_LIT("AUTH"));
}

static void
on_auth(struct masker *m, const struct line *l)
{
    const struct span rest = span_tail(l->text, 5);
    const size_t n = span_find(rest, ' ');

    m->auth = m->was_auth = true;
    if (m->redact && m->mode != IN_COMMANDS)
        return;
    show(m, l->at + l->text.n, l->end);
    if (!span_starts_nocase(l->text, SPAN_LIT("AUTH ")))
        return;
    show(m, l->at, 5);
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        if (span_eq_nocase(mechanisms[i], span_head(rest, n)))
            show(m, l->at + 5, n);
    }
}

static void
show_command(struct masker *m, const struct line *l, const struct command *c)
{
    show(m, l->at + l->text.n, l->end);
    if (c == NULL)
        return;
    show(m, l->at, c->text.n);
    if (c->argument)
        show(m, l->at + c->text.n,
             argument_length(span_tail(l->text, c->text.n)));
}

/* "BDAT 1000 LAST"; false: how much it is cannot be told for sure. */
static bool
read_chunk(struct span text, uint64_t *out)
{
    const struct span rest = span_trim(span_tail(text, 5));
    const size_t n = span_find(rest, ' ');
    const struct span word = span_trim(span_tail(rest, n));

    return span_starts_nocase(text, SPAN_LIT("BDAT ")) &&
           span_to_u64(span_head(rest, n), out) && *out <= CHUNK_MAX &&
           (n == 1 || span_at(rest, 0) != '0') &&
           (word.n == 0 || span_eq_nocase(word, SPAN_LIT("LAST")));
}

static void
begin_message(struct masker *m, const struct line *l)
{
    m->mode = IN_DATA;
    m->header = true;
    m->field = false;
    m->crlf = l->end == 2;
    m->smuggled = false;
}

static bool
is_tls(struct span s)
{
    return span_at(s, 0) >= 20 && span_at(s, 0) <= 22 && span_at(s, 1) == 3 &&
           span_at(s, 2) <= 4;
}

/* What follows, for a server that takes the line as a command. */
static void
enter(struct masker *m, const struct line *l)
{
    if (has_word(l->text, SPAN_LIT("DATA"))) {
        begin_message(m, l);
    } else if (has_word(l->text, SPAN_LIT("MAIL"))) {
        m->header = true;
        m->field = false;
    } else if (has_word(l->text, SPAN_LIT("STARTTLS"))) {
        if (is_tls(span_tail(m->in, m->at)))
            m->mode = IN_TLS;
    } else if (has_word(l->text, SPAN_LIT("BDAT"))) {
        m->mode = read_chunk(l->text, &m->left) && l->end > 0 ? IN_CHUNK
                                                              : IN_THE_DARK;
        m->smuggled = false;
    }
}

static void
in_commands(struct masker *m)
{
    const struct line l = next_line(m, SIZE_MAX);
    const struct command *c = command_of(l.text);

    if (is_auth(l.text)) {
        on_auth(m, &l);
        return;
    }
    if (c != NULL && c->argument)
        m->auth = false;
    show_command(m, &l, m->auth ? NULL : c);
    enter(m, &l);
}

/* ---- messages ---- */

/* RFC 5322 2.2: a name of printable characters, a colon. */
static bool
is_field(struct span text)
{
    size_t i = 0;

    while (i < text.n && text.p[i] > ' ' && text.p[i] < 0x7f &&
           text.p[i] != ':')
        i++;
    return i > 0 && span_at(text, i) == ':';
}

static bool
is_header(struct masker *m, struct span text)
{
    const bool folded =
        m->field && text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t');

    m->field = m->header && (folded || is_field(text));
    m->header = m->field;
    return m->field;
}

/* True: it is masked as part of an AUTH that the server may have seen. */
static bool
is_secret(struct masker *m, const struct line *l)
{
    const struct command *c = command_of(l->text);

    if (is_auth(l->text)) {
        m->field = m->header = false;
        on_auth(m, l);
        return true;
    }
    if (c != NULL && c->argument)
        m->auth = false;
    return m->auth;
}

static void
message_line(struct masker *m, const struct line *l)
{
    if (is_secret(m, l)) {
        m->field = m->header = false;
        return;
    }
    if (m->redact ? is_header(m, l->text) && !m->smuggled : !m->smuggled)
        show(m, l->at, l->text.n + l->end);
}

/* A server that refused DATA, or is out of the message, takes the chunk as one
 * that may be longer than what is a message here. */
static void
look_for_chunk(struct masker *m, const struct line *l)
{
    if (m->redact && has_word(l->text, SPAN_LIT("BDAT")))
        m->mode = IN_THE_DARK;
}

static void
in_data(struct masker *m)
{
    const struct line l = next_line(m, SIZE_MAX);
    const bool dot = span_eq(l.text, SPAN_LIT("."));
    const bool ends = dot && m->crlf && l.end == 2;

    m->crlf = l.end == 2;
    if (!ends) {
        m->smuggled |= dot;
        message_line(m, &l);
        look_for_chunk(m, &l);
        return;
    }
    show(m, l.at, l.text.n + l.end);
    m->mode = IN_COMMANDS;
    m->smuggled = false;
}

/* A server that does not know BDAT reads commands here: one that leads into a
 * message leaves no way to tell what is one. */
static void
in_chunk(struct masker *m)
{
    const size_t before = m->at;
    struct line l;

    if (m->left == 0) {
        m->mode = IN_COMMANDS;
        return;
    }
    l = next_line(m, m->left);
    m->left -= m->at - before;
    message_line(m, &l);
    if (l.end == 0 || (l.end == 1 && span_at(m->in, m->at - 1) == '\r'))
        m->field = m->header = false;
    if (m->redact && has_word(l.text, SPAN_LIT("DATA")))
        m->mode = IN_THE_DARK;
    look_for_chunk(m, &l);
}

/* ---- TLS ---- */

static bool
hides_auth(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' || s.p[i] == '\r')
            i++;
        else if (i > 0)
            continue;
        if (is_auth(span_head(span_tail(s, i), 64)))
            return true;
    }
    return false;
}

static void
in_tls(struct masker *m)
{
    const struct span s = span_tail(m->in, m->at);
    const size_t n = ((size_t)span_at(s, 3) << 8 | span_at(s, 4)) + TLS_HEAD;
    const struct span record = span_head(s, n);

    m->mode = IN_THE_DARK;
    if (!is_tls(s) || n > TLS_RECORD + TLS_HEAD ||
        hides_auth(span_tail(record, TLS_HEAD)))
        return;
    show(m, m->at, record.n);
    m->at += record.n;
    m->mode = IN_TLS;
}

/* ---- the client ---- */

bool
smtp_mask_client(struct span stream, bool redact, uint8_t *keep)
{
    struct masker m = {.in = stream, .keep = keep, .redact = redact};

    memset(keep, 0, stream.n);
    if (is_tls(stream))
        m.mode = IN_TLS;
    while (m.at < stream.n && m.mode != IN_THE_DARK) {
        switch (m.mode) {
        case IN_COMMANDS: in_commands(&m); break;
        case IN_DATA: in_data(&m); break;
        case IN_CHUNK: in_chunk(&m); break;
        case IN_TLS: in_tls(&m); break;
        case IN_THE_DARK: break;
        }
    }
    return m.was_auth || m.mode == IN_THE_DARK;
}

/* ---- the server ---- */

/* Replies that answer what was understood; 5yz of syntax and AUTH may quote. */
static bool
is_plain_reply(struct span code)
{
    const uint8_t a = span_at(code, 0), b = span_at(code, 1);

    return a == '2' || (a == '4' && b == '5' && span_at(code, 2) != '4') ||
           (a == '4' && b == '2') || (a == '5' && b == '5') ||
           span_eq(code, SPAN_LIT("354"));
}

static bool
is_code(struct span s)
{
    for (size_t i = 0; i < 3; i++) {
        if (span_at(s, i) < '0' || span_at(s, i) > '9')
            return false;
    }
    return true;
}

static void
show_reply(struct masker *m, const struct line *l, bool strict)
{
    const struct span code = span_head(l->text, 3);
    const struct span text = span_tail(l->text, 4);

    show(m, l->at + l->text.n, l->end);
    if (!is_code(code))
        return;
    show(m, l->at, 3);
    if (l->text.n < 4 || (l->text.p[3] != ' ' && l->text.p[3] != '-'))
        return;
    show(m, l->at + 3, 1);
    if (span_eq(code, SPAN_LIT("334")) || (strict && !is_plain_reply(code)))
        return;
    show(m, l->at + 4, argument_length(span_head(text, TEXT_MAX)));
}

void
smtp_mask_server(struct span stream, bool strict, uint8_t *keep)
{
    struct masker m = {.in = stream, .keep = keep};

    memset(keep, 0, stream.n);
    while (m.at < stream.n && m.mode != IN_THE_DARK) {
        if (m.mode != IN_TLS && is_tls(span_tail(stream, m.at)))
            m.mode = IN_TLS;
        if (m.mode == IN_TLS) {
            in_tls(&m);
        } else {
            const struct line l = next_line(&m, SIZE_MAX);

            show_reply(&m, &l, strict);
        }
    }
}
