#include "dissectors/smtp_suspect.h"

#include "dissectors/smtp_cmd.h"

struct suspect {
    struct ndpi_talk *talk; /* NULL: nDPI was not asked yet */
    uint32_t at[2];         /* bytes of either side that were looked at */
    uint32_t text[2];     /* of these and more it is known that they are text */
    uint8_t continues[3]; /* code of the reply whose lines go on; or zeros */
    uint8_t n_lines;
    uint8_t n_own;  /* commands that only SMTP has */
    bool own, ndpi; /* who suspects it */
};

/* One call: who looks, and on whose account. */
struct look {
    struct smtp_suspects *all;
    struct mem *m;
    size_t n[2]; /* bytes of either side */
};

/* ---- lines ---- */

/* The next whole line from *at on, with its end. */
static bool
next_line(struct span in, uint32_t *at, struct span *line)
{
    const struct span rest = span_tail(in, *at);
    const size_t end = span_find(rest, '\n');

    if (end >= rest.n)
        return false;
    *line = span_head(rest, end + 1);
    *at += (uint32_t)(end + 1);
    return true;
}

static struct span
without_end(struct span line)
{
    size_t n = line.n;

    while (n > 0 && (line.p[n - 1] == '\n' || line.p[n - 1] == '\r'))
        n--;
    return span_head(line, n);
}

/* Bytes before the first that no text has. */
static uint32_t
text_length(struct span s)
{
    size_t i = 0;

    while (i < s.n && (s.p[i] >= ' ' || s.p[i] == '\r' || s.p[i] == '\n' ||
                       s.p[i] == '\t'))
        i++;
    return (uint32_t)i;
}

static bool
begins_as_text(struct span s)
{
    return s.n == 0 || text_length(span_head(s, 1)) == 1;
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The code of a reply, RFC 5321 4.2, or nothing. */
static struct span
code_of(struct span line)
{
    const bool is = line.n >= 3 && is_digit(line.p[0]) && is_digit(line.p[1]) &&
                    is_digit(line.p[2]) &&
                    (line.n == 3 || line.p[3] == ' ' || line.p[3] == '-');

    return is ? span_head(line, 3) : SPAN_NONE;
}

/* "250-SIZE" after "250-mx.example": said already. */
static bool
is_continued(struct suspect *s, struct span line)
{
    const struct span code = code_of(line);
    const bool same = code.n > 0 && memcmp(code.p, s->continues, 3) == 0;

    memset(s->continues, 0, sizeof(s->continues));
    if (line.n > 3 && code.n > 0 && line.p[3] == '-')
        memcpy(s->continues, code.p, 3);
    return same;
}

/* ---- what our own reader says ---- */

static bool
is_one_of(struct span line, const enum smtp_verb *verbs, size_t n)
{
    struct smtp_cmd c;

    if (!smtp_cmd_is_certain(line))
        return false;
    smtp_cmd_parse(line, &c);
    for (size_t i = 0; i < n; i++) {
        if (c.verb == verbs[i])
            return true;
    }
    return false;
}

/* Commands that no other protocol has: POP3, IMAP and FTP know the others. */
static bool
is_smtp_command(struct span line)
{
    static const enum smtp_verb own[] = {SMTP_EHLO, SMTP_HELO, SMTP_MAIL,
                                         SMTP_RCPT, SMTP_BDAT};

    return is_one_of(line, own, ARRAY_LEN(own));
}

static bool
is_data_command(struct span line)
{
    static const enum smtp_verb data = SMTP_DATA;

    return is_one_of(line, &data, 1);
}

static bool
is_go_ahead(struct span line)
{
    return span_starts(line, SPAN_LIT("354 "));
}

/* RFC 5321 4.2.3, and extensions of RFC 1652, 1870, 2034, 2920, 3030, 3207,
 * 3461, 4954 and 6531 in a reply to EHLO: no other protocol's replies. */
static bool
is_smtp_reply(struct span line)
{
    static const char *const own[] = {
        "354 ",        "250-SIZE",       "250-8BITMIME",
        "250-DSN",     "250-PIPELINING", "250-ENHANCEDSTATUSCODES",
        "250-AUTH",    "250-CHUNKING",   "250-STARTTLS",
        "250 2.1.0",   "250 2.1.5",      "250 2.6.0",
        "250-SMTPUTF8"};

    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (span_starts_nocase(line, span_str(own[i])))
            return true;
    }
    return false;
}

static bool
is_no_reply(struct span line)
{
    return code_of(line).n == 0;
}

static bool
any_line(struct span in, bool (*is)(struct span line))
{
    uint32_t at = 0;
    struct span line;

    while (next_line(in, &at, &line)) {
        if (is(without_end(line)))
            return true;
    }
    return false;
}

/* A capture may begin in the middle of the server's first line. */
static bool
are_replies(const struct flow *f, struct span s2c)
{
    struct span first;
    uint32_t at = 0;

    if (f->midstream && next_line(s2c, &at, &first))
        s2c = span_tail(s2c, at);
    return !any_line(s2c, is_no_reply) && any_line(s2c, is_smtp_reply);
}

static bool
is_confirmed(const struct flow *f, struct span c2s, struct span s2c)
{
    if (f->half[DIR_C2S].packets == 0)
        return are_replies(f, s2c);
    return any_line(c2s, is_smtp_command) ||
           (any_line(c2s, is_data_command) && any_line(s2c, is_go_ahead));
}

/* ---- what nDPI says ---- */

/* Others say nothing to it, but after four of them it would rule SMTP out. */
static bool
may_count(struct span line)
{
    struct smtp_cmd c;

    if (code_of(line).n > 0)
        return true;
    smtp_cmd_parse(line, &c);
    return c.verb != SMTP_UNKNOWN;
}

/* As one that ends in CRLF, whatever it had. */
static void
show(struct ndpi_talk *t, bool server, struct span line)
{
    uint8_t text[NDPI_LINES_MAX];
    const struct span head = span_head(line, sizeof(text) - 2);

    memcpy(text, head.p, head.n);
    text[head.n] = '\r';
    text[head.n + 1] = '\n';
    ndpi_talk_say(t, server, span_of(text, head.n + 2));
    explicit_bzero(text, sizeof(text));
}

/* Without memory nDPI is not asked. */
static void
ask_ndpi(struct suspect *s, enum dir d, struct span line, const struct look *l)
{
    if (l->all->ndpi == NULL || !may_count(line))
        return;
    if (s->talk == NULL)
        s->talk = ndpi_talk_new(l->all->ndpi, NDPI_LOOK_SMTP, l->m);
    if (s->talk == NULL)
        return;
    show(s->talk, d == DIR_S2C, line);
    s->ndpi |= ndpi_talk_name(s->talk) != NULL;
}

/* ---- what both say ---- */

static void
look_at(struct suspect *s, enum dir d, struct span line, const struct look *l)
{
    if (line.n == 0 || (d == DIR_S2C && is_continued(s, line)))
        return;
    s->n_lines++;
    ask_ndpi(s, d, line, l);
    if (d == DIR_C2S && is_smtp_command(line))
        s->n_own++;
    s->own |= s->n_own >= l->all->evidence;
}

static bool
is_over(const struct suspect *s)
{
    return s->own || s->ndpi || s->n_lines >= SMTP_SUSPECT_LINES;
}

/* False: it is not text. Lines before that were looked at: so it does not
 * matter in which pieces they came. */
static bool
look_at_all(struct suspect *s, enum dir d, struct span in, const struct look *l)
{
    const uint32_t text = s->text[d] + text_length(span_tail(in, s->text[d]));
    struct span line;

    s->text[d] = text;
    in = span_head(in, text);
    while (!is_over(s) && next_line(in, &s->at[d], &line))
        look_at(s, d, without_end(line), l);
    return is_over(s) || text == l->n[d];
}

/* ---- life ---- */

static struct suspect *
begin(struct smtp_suspects *all, const struct flow *f, struct mem *m)
{
    struct suspect *s = NULL;

    if (all->n[f->shard % FLOW_SHARDS] < SMTP_SUSPECTS_MAX)
        s = mem_new(m, sizeof(*s));
    if (s == NULL) {
        all->stats.refused++;
        return NULL;
    }
    all->n[f->shard % FLOW_SHARDS]++;
    all->stats.shown++;
    return s;
}

void
smtp_suspect_end(struct smtp_suspects *all, const struct flow *f, void **state,
                 struct mem *m)
{
    struct suspect *s = *state;

    if (s == NULL)
        return;
    all->n[f->shard % FLOW_SHARDS]--;
    ndpi_talk_free(s->talk, m);
    mem_free(m, s, sizeof(*s));
    *state = NULL;
}

static int
verdict(const struct suspect *s, const struct flow *f, struct span c2s,
        struct span s2c)
{
    if (!s->own && !s->ndpi)
        return is_over(s) ? -1 : 0;
    if (!is_confirmed(f, c2s, s2c))
        return 0;
    return s->own ? FLOW_FOUND_PROBE : FLOW_FOUND_NDPI;
}

int
smtp_suspect_ask(struct smtp_suspects *all, const struct flow *f, void **state,
                 struct span c2s, struct span s2c, struct mem *m)
{
    const struct look l = {
        all, m, {c2s.n, s2c.n}
    };
    struct suspect *s;
    int v = -1;

    if (*state == NULL && begins_as_text(c2s) && begins_as_text(s2c))
        *state = begin(all, f, m);
    s = *state;
    if (s == NULL)
        return -1;
    if (look_at_all(s, DIR_S2C, s2c, &l) && look_at_all(s, DIR_C2S, c2s, &l))
        v = verdict(s, f, c2s, s2c);
    all->stats.found += v > 0;
    if (v != 0)
        smtp_suspect_end(all, f, state, m);
    return v;
}
