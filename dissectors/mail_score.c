#include "dissectors/mail_score.h"

#include "dissectors/address.h"
#include "dissectors/finding.h"

#define SHOUT_LETTERS 10U
#define LITTLE_TEXT   200U
#define MANY_LINKS    20U
#define FEW_UNKNOWN   4U

static const struct {
    const char *name;
    uint32_t points;
} symbols[MAIL_SYMBOL_COUNT] = {
#define X(id, name, points, doc) [MAIL_SYMBOL_##id] = {(name), (points)},
#include "dissectors/mail_score.def"
#undef X
};

const char *
mail_symbol_name(enum mail_symbol s)
{
    return symbols[s].name;
}

uint32_t
mail_symbol_points(enum mail_symbol s)
{
    return symbols[s].points;
}

/* ---- header ---- */

/* What follows the last @, without a bracket or what comes behind it. */
static struct span
domain_of(struct span address)
{
    struct span domain = SPAN_NONE;
    size_t at;

    while ((at = span_find(address, '@')) < address.n) {
        address = span_tail(address, at + 1);
        domain = address;
    }
    return span_trim(span_head(domain, span_find(domain, '>')));
}

static struct mailbox
first_mailbox(struct span value)
{
    struct address_list l = address_open(value);
    struct mailbox m = {0};

    (void)address_next(&l, &m);
    return m;
}

static bool
differ(struct span a, struct span b)
{
    return a.n > 0 && b.n > 0 && !span_eq_nocase(a, b);
}

static bool
name_is_address(const struct mailbox *from)
{
    struct span domain = domain_of(from->name);

    domain = span_head(domain, span_find(domain, '"'));
    domain = span_head(domain, span_find(domain, ' '));
    return differ(domain, domain_of(from->addr));
}

static bool
shouts(struct span subject)
{
    size_t letters = 0;

    for (size_t i = 0; i < subject.n; i++) {
        uint8_t c = span_at(subject, i);

        if (c >= 'a' && c <= 'z')
            return false;
        letters += c >= 'A' && c <= 'Z';
    }
    return letters >= SHOUT_LETTERS;
}

static bool
is_message_id(struct span id)
{
    id = span_trim(id);
    return span_at(id, 0) == '<' && id.n > 2 && span_at(id, id.n - 1) == '>' &&
           span_find(id, '@') < id.n;
}

#define BIT(id) (UINT64_C(1) << MAIL_SYMBOL_##id)

static uint64_t
if_so(bool is, uint64_t bit)
{
    return is ? bit : 0;
}

static uint64_t
of_missing_fields(const struct mail_facts *f)
{
    if (!f->header_whole)
        return 0;
    return if_so(f->from.p == NULL, BIT(NO_FROM)) |
           if_so(!f->has_date, BIT(NO_DATE)) |
           if_so(f->message_id.p == NULL, BIT(NO_MESSAGE_ID)) |
           if_so(f->subject.p == NULL, BIT(NO_SUBJECT)) |
           if_so(!f->has_recipient, BIT(NO_RECIPIENT)) |
           if_so(!f->has_received, BIT(NO_RECEIVED));
}

static uint64_t
of_header(const struct mail_facts *f)
{
    struct mailbox from = first_mailbox(f->from);
    struct mailbox reply = first_mailbox(f->reply_to);
    struct span domain = domain_of(from.addr);
    bool has_id = f->message_id.p != NULL;

    return of_missing_fields(f) | if_so(f->field_twice, BIT(TWICE)) |
           if_so(f->raw_8bit, BIT(RAW_8BIT)) |
           if_so(f->bad_word, BIT(BAD_WORD)) |
           if_so(shouts(f->subject), BIT(SHOUTS)) |
           if_so(has_id && !is_message_id(f->message_id), BIT(BAD_MESSAGE_ID)) |
           if_so(differ(domain, domain_of(f->mail_from)), BIT(SENDER_DIFFERS)) |
           if_so(differ(domain, domain_of(reply.addr)), BIT(REPLY_DIFFERS)) |
           if_so(name_is_address(&from), BIT(NAME_IS_ADDRESS));
}

/* ---- the rest ---- */

static uint64_t
of_body(const struct mail_facts *f)
{
    bool has_body = f->has_text || f->has_html;

    if (!f->body_whole)
        return 0;
    return if_so(f->has_html && !f->has_text, BIT(HTML_ONLY)) |
           if_so(f->text_bytes == 0 && !f->has_attachment, BIT(EMPTY)) |
           if_so(has_body && f->n_links > 0 && f->text_bytes < LITTLE_TEXT,
                 BIT(LINK_ONLY));
}

static uint64_t
of_content(const struct mail_facts *f)
{
    return if_so(f->n_links >= MANY_LINKS, BIT(MANY_LINKS)) |
           if_so(f->link_to_address, BIT(LINK_TO_ADDRESS)) |
           if_so(f->ambiguous, BIT(AMBIGUOUS)) | if_so(f->gtube, BIT(GTUBE)) |
           if_so(f->classes & 1U << FINDING_A, BIT(CLASS_A)) |
           if_so(f->classes & 1U << FINDING_B, BIT(CLASS_B)) |
           if_so(f->classes & 1U << FINDING_C, BIT(CLASS_C)) |
           if_so(f->classes & 1U << FINDING_D, BIT(CLASS_D));
}

static uint64_t
of_dialogue(const struct mail_facts *f)
{
    bool unknown = f->rcpt_answered >= FEW_UNKNOWN &&
                   f->rcpt_unknown >= f->rcpt_answered - f->rcpt_unknown;

    return if_so(f->pregreet, BIT(PREGREET)) |
           if_so(f->unoffered, BIT(UNOFFERED)) |
           if_so(f->non_smtp, BIT(NON_SMTP)) | if_so(f->bare_lf, BIT(BARE_LF)) |
           if_so(f->odd_helo, BIT(HELO)) | if_so(f->no_helo, BIT(NO_HELO)) |
           if_so(f->refused_by_policy, BIT(REPLY_POLICY)) |
           if_so(unknown, BIT(REPLY_UNKNOWN));
}

uint64_t
mail_score(const struct mail_facts *f)
{
    return of_header(f) | of_body(f) | of_content(f) | of_dialogue(f);
}
