#include "dissectors/address.h"

#include "dissectors/rfc2047.h"

/* What the scan of one mailbox found; offsets in the list's value. */
struct scan {
    size_t begin;
    size_t open;       /* after the last '<', or 0 */
    size_t close;      /* at its '>', or where the mailbox ended without one */
    size_t bare_begin; /* first byte outside comments and blanks */
    size_t bare_end;   /* after the last such byte */
    bool in_angle;
    bool in_literal;
    bool closed;
};

/* After the closing quote, or the length of in when there is none. */
static size_t
quoted_end(struct span in, size_t at)
{
    for (at++; at < in.n; at++) {
        uint8_t c = span_at(in, at);

        if (c == '"')
            return at + 1;
        at += c == '\\';
    }
    return in.n + 1;
}

static size_t
comment_end(struct span in, size_t at)
{
    size_t depth = 0;

    for (; at < in.n; at++) {
        uint8_t c = span_at(in, at);

        depth += c == '(';
        if (c == ')' && --depth == 0)
            return at + 1;
        at += c == '\\';
    }
    return in.n + 1;
}

/* The end of the quoted string, comment or encoded word that begins at at, or
 * at when none does. */
static size_t
skip_unit(struct address_list *l, size_t at)
{
    struct encoded_word w;
    size_t end = l->in.n + 1;

    switch (span_at(l->in, at)) {
    case '"':
        if (!l->no_quote_end)
            end = quoted_end(l->in, at);
        l->no_quote_end = end > l->in.n;
        break;
    case '(':
        if (!l->no_comment_end)
            end = comment_end(l->in, at);
        l->no_comment_end = end > l->in.n;
        break;
    case '=':
        if (!l->no_word_end &&
            rfc2047_word(span_tail(l->in, at), &w, &l->no_word_end))
            return at + w.n;
        return at;
    default: return at;
    }
    if (end <= l->in.n)
        return end;
    l->seen |= ADDRESS_UNCLOSED;
    return at;
}

static void
note_bare(struct scan *s, size_t from, size_t to)
{
    if (s->bare_end == 0)
        s->bare_begin = from;
    s->bare_end = to;
}

/* A byte inside <...>. Returns true when it ends the mailbox. */
static bool
in_angle(const struct address_list *l, struct scan *s, uint8_t c)
{
    bool route = span_at(l->in, s->open) == '@';

    if (c == '>') {
        s->in_angle = false;
        s->closed = true;
        s->close = l->at;
    } else if (c == '<') {
        s->open = l->at + 1;
    } else if (c == ';' || (c == ',' && !route)) {
        return true;
    }
    return false;
}

/* A byte outside. Returns true when it ends the mailbox, or is the colon of a
 * group. */
static bool
outside(const struct address_list *l, struct scan *s, uint8_t c)
{
    if (c == ',' || c == ';')
        return true;
    if (s->in_literal) {
        s->in_literal = c != ']';
    } else if (c == '[') {
        s->in_literal = true;
    } else if (c == '<') {
        s->in_angle = true;
        s->closed = false;
        s->open = l->at + 1;
    } else if (c == ':') {
        return !l->in_group && s->open == 0;
    }
    return false;
}

/* Bytes that have no meaning for the splitting. */
static bool
is_ordinary(uint8_t c)
{
    switch (c) {
    case ' ':
    case '\t':
    case '"':
    case '(':
    case '=':
    case '<':
    case '>':
    case ',':
    case ';':
    case ':':
    case '[':
    case ']': return false;
    default: return true;
    }
}

static size_t
ordinary_end(struct span in, size_t at)
{
    while (at < in.n && is_ordinary(span_at(in, at)))
        at++;
    return at;
}

/* Goes to the byte that ends the mailbox, or to the end of the value. */
static struct scan
scan_mailbox(struct address_list *l)
{
    struct scan s = {.begin = l->at};

    for (; l->at < l->in.n; l->at++) {
        uint8_t c = span_at(l->in, l->at);
        size_t end = ordinary_end(l->in, l->at);

        if (end == l->at)
            end = skip_unit(l, l->at);
        if (end > l->at) {
            if (c != '(')
                note_bare(&s, l->at, end);
            l->at = end - 1;
            continue;
        }
        if (s.in_angle ? in_angle(l, &s, c) : outside(l, &s, c))
            break;
        if (c != ' ' && c != '\t')
            note_bare(&s, l->at, l->at + 1);
    }
    if (s.in_angle) {
        s.close = l->at;
        l->seen |= ADDRESS_UNCLOSED;
    }
    return s;
}

static struct span
cut_out(struct span in, size_t from, size_t to)
{
    return span_trim(span_head(span_tail(in, from), to - from));
}

/* <@a,@b:user@host>: the route ends at the colon (RFC 5322 4.4). */
static struct span
without_route(struct span addr)
{
    size_t colon = span_find(addr, ':');

    if (span_at(addr, 0) == '@' && colon < addr.n)
        return span_trim(span_tail(addr, colon + 1));
    return addr;
}

/* "user@host (Name)": the name is the comment that follows. */
static struct span
name_in_comment(struct span after)
{
    after = span_trim(after);
    if (after.n >= 2 && span_at(after, 0) == '(' &&
        span_at(after, after.n - 1) == ')')
        return span_head(span_tail(after, 1), after.n - 2);
    return SPAN_NONE;
}

static void
fill(struct address_list *l, const struct scan *s, struct mailbox *out)
{
    out->text = cut_out(l->in, s->begin, l->at);
    if (s->open > 0) {
        out->name = cut_out(l->in, s->begin, s->open - 1);
        out->addr = without_route(cut_out(l->in, s->open, s->close));
    } else {
        out->addr = cut_out(l->in, s->bare_begin, s->bare_end);
        out->name = name_in_comment(cut_out(l->in, s->bare_end, l->at));
    }
    if (span_find(out->addr, '@') == out->addr.n)
        l->seen |= ADDRESS_STRAY;
}

struct address_list
address_open(struct span value)
{
    return (struct address_list){.in = value};
}

bool
address_next(struct address_list *l, struct mailbox *out)
{
    bool found = false;

    *out = (struct mailbox){0};
    while (l->at < l->in.n && !found) {
        struct scan s = scan_mailbox(l);
        bool ended = l->at < l->in.n;
        uint8_t by = span_at(l->in, l->at);

        if (ended && by == ':') {
            l->in_group = true;
            l->group_members = 0;
            l->group_at = s.begin;
        } else if (s.bare_end > 0) {
            fill(l, &s, out);
            l->group_members++;
            found = true;
        }
        l->at += ended;
        if (l->in_group && (by == ';' || l->at == l->in.n)) {
            l->in_group = false;
            if (l->group_members == 0) {
                out->text = cut_out(l->in, l->group_at, l->at);
                found = true;
            }
        }
    }
    return found;
}
