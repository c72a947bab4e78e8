#include "rules/registry/policy.h"

#define SUBMISSION  587
#define SUBMISSIONS 465

static const char *const words[POLICY_COUNT] = {
#define POLICY_WORD(id, word, doc) (word),
    POLICY_MAP(POLICY_WORD)
#undef POLICY_WORD
};

const char *
policy_word(enum policy_finding f)
{
    return words[f];
}

enum policy_direction
policy_direction(struct span name)
{
    if (span_eq(name, SPAN_LIT("outbound")))
        return POLICY_OUTBOUND;
    return span_eq(name, SPAN_LIT("inbound")) ? POLICY_INBOUND
                                              : POLICY_ELSEWHERE;
}

bool
policy_needs_permit(enum policy_direction d, bool client, uint16_t port)
{
    if (!client)
        return d == POLICY_INBOUND;
    return d == POLICY_OUTBOUND && port != SUBMISSION && port != SUBMISSIONS;
}

/* ---- names ---- */

static struct span
without_dot(struct span name)
{
    return span_at(name, name.n - 1) == '.' ? span_head(name, name.n - 1)
                                            : name;
}

static bool
is_below(struct span name, struct span domain)
{
    return name.n > domain.n && span_at(name, name.n - domain.n - 1) == '.' &&
           span_eq_nocase(span_tail(name, name.n - domain.n), domain);
}

struct span
policy_next_name(struct span *rest)
{
    struct span name = SPAN_NONE;

    while (rest->n > 0 && name.n == 0) {
        size_t blank = span_find(*rest, ' ');
        size_t comma = span_find(*rest, ',');

        name = span_head(*rest, blank < comma ? blank : comma);
        *rest = span_tail(*rest, name.n + 1);
    }
    return name;
}

bool
policy_name_fits(struct span name, const char *names)
{
    struct span rest = names != NULL ? span_str(names) : SPAN_NONE;
    bool none = true;

    name = without_dot(name);
    while (rest.n > 0) {
        struct span one = without_dot(policy_next_name(&rest));

        if (one.n == 0)
            continue;
        none = false;
        if (span_eq_nocase(name, one) || is_below(name, one))
            return true;
    }
    return none || name.n == 0;
}

/* ---- findings ---- */

static unsigned
bit(enum policy_finding f, bool found)
{
    return found ? 1U << f : 0;
}

/* What is wrong with one end, besides that it may not. */
static unsigned
reasons(const struct book_verdict *v)
{
    bool permitted = v->state == BOOK_PERMITTED;

    return bit(POLICY_OTHER_PORT, permitted && v->fit == BOOK_OTHER_PORT) |
           bit(POLICY_OTHER_DIRECTION, permitted && v->fit == BOOK_OTHER_USE) |
           bit(POLICY_SUSPENDED, v->state == BOOK_SUSPENDED);
}

static unsigned
judge_sender(const struct book_verdict *v, struct span helo)
{
    const char *names = v->line != NULL && v->state == BOOK_PERMITTED
                            ? v->line->line->text[FORM_DOMAIN]
                            : NULL;

    return bit(POLICY_SENDER, !v->registered) |
           bit(POLICY_HELO, !policy_name_fits(helo, names)) | reasons(v);
}

unsigned
policy_judge(const struct policy_in *in)
{
    if (in->client != NULL &&
        policy_needs_permit(in->direction, true, in->port))
        return judge_sender(in->client, in->helo);
    if (in->server != NULL &&
        policy_needs_permit(in->direction, false, in->port))
        return bit(POLICY_RECEIVER, !in->server->registered) |
               reasons(in->server);
    return 0;
}
