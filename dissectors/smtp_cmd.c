#include "dissectors/smtp_cmd.h"

#include "sensor/base/addr.h"

static const struct {
    const char *name;
    char letter;
} verbs[] = {
#define SMTP_VERB_ROW(id, name, letter) [SMTP_##id] = {name, letter},
    SMTP_VERB_MAP(SMTP_VERB_ROW)
#undef SMTP_VERB_ROW
};

const char *
smtp_verb_name(enum smtp_verb v)
{
    return verbs[v].name;
}

char
smtp_verb_letter(enum smtp_verb v)
{
    return verbs[v].letter;
}

static bool
is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static size_t
word_end(struct span s)
{
    size_t n = 0;

    while (n < s.n && !is_blank(s.p[n]))
        n++;
    return n;
}

/* The first four letters, upper case, as one number: verbs differ in them. */
#define KEY(a, b, c, d)                                                        \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 |          \
     (uint32_t)(d))

static uint32_t
key_of(struct span word)
{
    uint32_t key = 0;

    for (size_t i = 0; i < 4; i++)
        key = key << 8 | (span_at(word, i) & 0xdfU);
    return key;
}

static enum smtp_verb
verb_by_key(uint32_t key)
{
    switch (key) {
    case KEY('E', 'H', 'L', 'O'): return SMTP_EHLO;
    case KEY('H', 'E', 'L', 'O'): return SMTP_HELO;
    case KEY('L', 'H', 'L', 'O'): return SMTP_LHLO;
    case KEY('M', 'A', 'I', 'L'): return SMTP_MAIL;
    case KEY('R', 'C', 'P', 'T'): return SMTP_RCPT;
    case KEY('D', 'A', 'T', 'A'): return SMTP_DATA;
    case KEY('B', 'D', 'A', 'T'): return SMTP_BDAT;
    case KEY('R', 'S', 'E', 'T'): return SMTP_RSET;
    case KEY('Q', 'U', 'I', 'T'): return SMTP_QUIT;
    case KEY('S', 'T', 'A', 'R'): return SMTP_STARTTLS;
    case KEY('A', 'U', 'T', 'H'): return SMTP_AUTH;
    case KEY('N', 'O', 'O', 'P'): return SMTP_NOOP;
    case KEY('V', 'R', 'F', 'Y'): return SMTP_VRFY;
    case KEY('E', 'X', 'P', 'N'): return SMTP_EXPN;
    case KEY('H', 'E', 'L', 'P'): return SMTP_HELP;
    case KEY('E', 'T', 'R', 'N'): return SMTP_ETRN;
    case KEY('T', 'U', 'R', 'N'): return SMTP_TURN;
    case KEY('S', 'E', 'N', 'D'): return SMTP_SEND;
    case KEY('S', 'O', 'M', 'L'): return SMTP_SOML;
    case KEY('S', 'A', 'M', 'L'): return SMTP_SAML;
    case KEY('B', 'U', 'R', 'L'): return SMTP_BURL;
    case KEY('X', 'C', 'L', 'I'): return SMTP_XCLIENT;
    case KEY('X', 'F', 'O', 'R'): return SMTP_XFORWARD;
    default: return SMTP_UNKNOWN;
    }
}

static enum smtp_verb
verb_find(struct span word)
{
    enum smtp_verb v = verb_by_key(key_of(word));

    if (v == SMTP_UNKNOWN ||
        (word.n == 4 && verbs[v].name[4] == '\0')) /* the key is all of it */
        return v;
    return span_eq_nocase(word, span_str(verbs[v].name)) ? v : SMTP_UNKNOWN;
}

static enum smtp_case
case_of(struct span word)
{
    bool upper = false;
    bool lower = false;

    for (size_t i = 0; i < word.n; i++) {
        upper |= word.p[i] >= 'A' && word.p[i] <= 'Z';
        lower |= word.p[i] >= 'a' && word.p[i] <= 'z';
    }
    if (upper && lower)
        return SMTP_CASE_MIXED;
    return lower ? SMTP_CASE_LOWER : SMTP_CASE_UPPER;
}

/* End of a path: the '>' that closes it, or the first blank where there are no
 * brackets. Inside quotes neither counts (RFC 5321 4.1.2, quoted local parts).
 */
static size_t
path_end(struct span s, bool bracketed)
{
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && bracketed && c == '>')
            return i + 1;
        else if (!quoted && !bracketed && is_blank(c))
            return i;
    }
    /* A quote that never ends was no quote. */
    if (quoted) {
        size_t at = bracketed ? span_find(s, '>') + 1 : word_end(s);

        return at < s.n ? at : s.n;
    }
    return s.n;
}

/* "FROM:<path> params" or "TO:<path> params". */
static void
parse_path(struct smtp_cmd *c, struct span keyword)
{
    struct span rest = c->arg;

    if (!span_starts_nocase(rest, keyword)) {
        c->bad = true;
        return;
    }
    rest = span_trim(span_tail(rest, keyword.n));
    if (span_at(rest, 0) != ':') {
        c->bad = true;
        return;
    }
    rest = span_tail(rest, 1);
    c->space = is_blank(span_at(rest, 0));
    rest = span_trim(rest);
    c->bracketed = span_at(rest, 0) == '<';
    c->path = span_head(rest, path_end(rest, c->bracketed));
    c->params = span_trim(span_tail(rest, c->path.n));
}

static void
parse_bdat(struct smtp_cmd *c)
{
    struct span size = span_head(c->arg, word_end(c->arg));
    struct span rest = span_trim(span_tail(c->arg, size.n));

    c->last = span_eq_nocase(rest, SPAN_LIT("LAST"));
    c->bad = !span_to_u64(size, &c->size) || (rest.n > 0 && !c->last);
    /* An unreadable tail does not hide the size: the bytes come all the same
     * (tests/scenarios/bdat-invalid-tail.smtp). */
    if (c->bad && !span_to_u64(size, &c->size))
        c->size = 0;
}

void
smtp_cmd_parse(struct span line, struct smtp_cmd *out)
{
    struct span text = span_trim(line);
    struct span word = span_head(text, word_end(text));

    *out = (struct smtp_cmd){.verb = verb_find(word)};
    out->verb_case = case_of(word);
    out->arg = span_trim(span_tail(text, word.n));
    switch (out->verb) {
    case SMTP_MAIL:
    case SMTP_SEND:
    case SMTP_SOML:
    case SMTP_SAML: parse_path(out, SPAN_LIT("FROM")); break;
    case SMTP_RCPT: parse_path(out, SPAN_LIT("TO")); break;
    case SMTP_BDAT: parse_bdat(out); break;
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_LHLO:
    case SMTP_DATA:
    case SMTP_RSET:
    case SMTP_QUIT:
    case SMTP_STARTTLS:
    case SMTP_AUTH:
    case SMTP_NOOP:
    case SMTP_VRFY:
    case SMTP_EXPN:
    case SMTP_HELP:
    case SMTP_ETRN:
    case SMTP_TURN:
    case SMTP_BURL:
    case SMTP_XCLIENT:
    case SMTP_XFORWARD:
    case SMTP_UNKNOWN:
    case SMTP_GREETING:
    case SMTP_END:
    case SMTP_VERB_COUNT: break;
    }
}

struct span
smtp_cmd_mechanism(struct span arg)
{
    static const char *const known[] = {
        "PLAIN",
        "LOGIN",
        "CRAM-MD5",
        "XOAUTH2",
        "OAUTHBEARER",
        "NTLM",
        "GSSAPI",
        "DIGEST-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "SCRAM-SHA-512",
        "SCRAM-SHA-1-PLUS",
        "GSS-SPNEGO",
        "EXTERNAL",
        "ANONYMOUS",
        "KERBEROS_V4",
        "SCRAM-SHA-256-PLUS",
        "GS2-KRB5",
        "OTP",
        "SKEY",
        "SECURID",
        "OPENID20",
        "SAML20",
    };
    struct span word = span_head(arg, word_end(arg));

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (span_eq_nocase(word, span_str(known[i])))
            return span_str(known[i]);
    }
    return SPAN_NONE;
}

bool
smtp_cmd_is_certain(struct span line)
{
    struct smtp_cmd c;

    smtp_cmd_parse(line, &c);
    switch (c.verb) {
    case SMTP_MAIL:
    case SMTP_RCPT: return !c.bad && c.bracketed;
    case SMTP_EHLO:
    case SMTP_HELO: return c.arg.n > 0 && word_end(c.arg) == c.arg.n;
    case SMTP_DATA:
    case SMTP_RSET:
    case SMTP_QUIT:
    case SMTP_NOOP:
    case SMTP_STARTTLS: return c.arg.n == 0 && !is_blank(span_at(line, 0));
    case SMTP_AUTH: return smtp_cmd_mechanism(c.arg).n > 0;
    case SMTP_BDAT: return !c.bad;
    default: return false;
    }
}

static bool
is_field_name(struct span s)
{
    if (s.n < 2)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-'))
            return false;
    }
    return true;
}

bool
smtp_cmd_is_foreign(struct span line)
{
    static const char *const words[] = {"CONNECT", "GET", "POST",       "HEAD",
                                        "OPTIONS", "PUT", "USER-AGENT:"};
    struct span word = span_head(line, word_end(line));
    size_t colon = span_find(line, ':');

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_eq_nocase(word, span_str(words[i])))
            return true;
    }
    return colon < line.n && is_field_name(span_head(line, colon));
}

struct span
smtp_param(struct span params, const char *key)
{
    struct span want = span_str(key);

    while (params.n > 0) {
        struct span word = span_head(params, word_end(params));
        struct span name = span_head(word, span_find(word, '='));

        if (span_eq_nocase(name, want)) {
            struct span value = span_tail(word, name.n + 1);

            return value.p != NULL ? value : span_of("", 0);
        }
        params = span_trim(span_tail(params, word.n));
    }
    return SPAN_NONE;
}

const char *
smtp_helo_class(struct span arg)
{
    struct span word = span_head(arg, word_end(arg));
    struct addr a;
    size_t dot = span_find(word, '.');

    if (word.n == 0)
        return "empty";
    if (word.p[0] == '[')
        return "address_literal";
    if (addr_parse(word, &a))
        return "address";
    return dot > 0 && dot + 1 < word.n ? "fqdn" : "bare_word";
}
