#include "rules/registry/form.h"

#define SITE_PREFIXES_MAX (FORM_TEXT_MAX / 3 + 1) /* "::" and a blank each */
#define COUNT_MAX         UINT64_C(1000000000000)
#define PHONE_DIGITS      3
#define DATE_CHARS        10 /* 2026-11-22 */

struct check {
    struct form *form;
    ns_t now;
    form_fault_fn *report;
    void *ctx;
    size_t incomplete;
};

static void
tell(struct check *c, struct form_fault fault)
{
    if (!fault.asks)
        c->incomplete++;
    if (c->report != NULL)
        c->report(c->ctx, &fault);
}

static struct span
text_of(char *const *text, enum form_field f)
{
    return text[f] != NULL ? span_str(text[f]) : SPAN_NONE;
}

/* ---- types ---- */

static bool
good_text(struct span s)
{
    return s.n > 0;
}

static bool
only(struct span s, const char *also)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];

        if ((c < '0' || c > '9') && (c == 0 || strchr(also, c) == NULL))
            return false;
    }
    return true;
}

/* Whether mail arrives there only the site knows: what is checked is what a
 * slip of the pen makes. */
static bool
good_mail(struct span s)
{
    size_t at = span_find(s, '@');
    struct span domain = span_tail(s, at + 1);

    return at > 0 && domain.n > 0 && span_find(domain, '@') == domain.n &&
           span_find(s, ' ') == s.n && span_find(s, ',') == s.n &&
           domain.p[0] != '.' && domain.p[domain.n - 1] != '.';
}

static bool
good_phone(struct span s)
{
    size_t digits = 0;

    for (size_t i = 0; i < s.n; i++)
        digits += s.p[i] >= '0' && s.p[i] <= '9';
    return digits >= PHONE_DIGITS && only(s, " +-()/.,*#extEXT");
}

static bool
good_count(struct span s)
{
    uint64_t v;

    return span_to_u64(s, &v) && v <= COUNT_MAX;
}

static bool
read_date(struct span s, ns_t *out)
{
    static const char midnight[] = "T00:00:00Z";
    uint8_t room[DATE_CHARS + sizeof(midnight) - 1];

    if (s.n != DATE_CHARS)
        return false;
    memcpy(room, s.p, DATE_CHARS);
    memcpy(room + DATE_CHARS, midnight, sizeof(midnight) - 1);
    return ns_parse(span_of(room, sizeof(room)), out);
}

static bool
good_date(struct span s)
{
    ns_t when;

    return read_date(s, &when);
}

static bool
good_yesno(struct span s)
{
    return span_eq_nocase(s, SPAN_LIT("yes")) ||
           span_eq_nocase(s, SPAN_LIT("no"));
}

static bool
read_port(struct span s, uint16_t *out)
{
    uint64_t v;

    *out = 0;
    if (span_eq_nocase(s, SPAN_LIT("any")))
        return true;
    if (!span_to_u64(s, &v) || v == 0 || v > UINT16_MAX)
        return false;
    *out = (uint16_t)v;
    return true;
}

static bool
good_port(struct span s)
{
    uint16_t port;

    return read_port(s, &port);
}

static bool
good_prefix(struct span s)
{
    struct prefix p;

    return prefix_parse(s, &p);
}

static bool
read_use(struct span s, enum form_use *out)
{
    static const struct {
        struct span word;
        enum form_use use;
    } uses[] = {
        {SPAN_INIT("send"),    FORM_SEND   },
        {SPAN_INIT("receive"), FORM_RECEIVE},
        {SPAN_INIT("both"),    FORM_BOTH   },
    };

    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        if (span_eq_nocase(s, uses[i].word)) {
            *out = uses[i].use;
            return true;
        }
    }
    return false;
}

static bool
good_use(struct span s)
{
    enum form_use use;

    return read_use(s, &use);
}

/* The next word of s, which is cut off; empty at the end. */
static struct span
next_word(struct span *s)
{
    struct span word;

    while (span_at(*s, 0) == ' ')
        *s = span_tail(*s, 1);
    word = span_head(*s, span_find(*s, ' '));
    *s = span_tail(*s, word.n);
    return word;
}

static bool
good_prefixes(struct span s)
{
    struct span word = next_word(&s);

    if (word.n == 0)
        return false;
    for (; word.n > 0; word = next_word(&s)) {
        if (!good_prefix(word))
            return false;
    }
    return true;
}

static const struct {
    bool (*good)(struct span s);
    const char *what, *hint;
} types[] = {
    [FORM_TEXT] = {good_text,     "is empty",                  ""                  },
    [FORM_MAIL] = {good_mail,     "is not an e-mail address",
                   "such as postmaster@example.org"                                },
    [FORM_PHONE] = {good_phone,    "is not a phone number",
                   "such as +1 573 555 0100"                                       },
    [FORM_COUNT] = {good_count,    "is not a number",           "such as 250"       },
    [FORM_DATE] = {good_date,     "is not a date",             "such as 2026-11-22"},
    [FORM_YESNO] = {good_yesno,    "is not yes or no",          "yes or no"         },
    [FORM_PORT_TYPE] = {good_port,     "is not a port",             "1 to 65535, or any"},
    [FORM_PREFIX] = {good_prefix,   "is not an address",
                   "such as 192.0.2.25, 192.0.2.0/28 or 2001:db8::25"              },
    [FORM_DIRECTION] = {good_use,      "is not a direction",
                   "send, receive or both"                                         },
    [FORM_PREFIXES] = {good_prefixes, "is not a list of networks",
                   "such as 192.0.2.0/24 2001:db8::/48"                            },
};

static void
check_field(struct check *c, enum form_field f, struct span text, uint32_t line)
{
    const struct form_row *row = &form_rows[f];

    if (text.n == 0 && row->must)
        tell(c, (struct form_fault){f, line, true, false, "is missing",
                                    row->help});
    if (text.n > 0 && !types[row->type].good(text))
        tell(c,
             (struct form_fault){f, line, false, false, types[row->type].what,
                                 types[row->type].hint});
}

static void
check_fields(struct check *c, char *const *text, enum form_scope scope,
             uint32_t line)
{
    for (unsigned f = 0; f < FORM_FIELD_COUNT; f++) {
        if (form_rows[f].scope == scope)
            check_field(c, (enum form_field)f,
                        text_of(text, (enum form_field)f), line);
    }
}

/* ---- lines ---- */

static uint32_t
name_of(const struct form *f, size_t place)
{
    uint32_t number = f->lines[place].number;

    return number > 0 ? number : (uint32_t)place + 1;
}

static void
read_line(struct form_line *l)
{
    struct span use = text_of(l->text, FORM_USE);

    l->volume = 0;
    l->port = 0;
    (void)span_to_u64(text_of(l->text, FORM_VOLUME), &l->volume);
    l->use = FORM_BOTH;
    l->prefix = (struct prefix){0};
    l->readable = prefix_parse(text_of(l->text, FORM_ADDRESS), &l->prefix) &&
                  read_port(text_of(l->text, FORM_PORT), &l->port) &&
                  (use.n == 0 || read_use(use, &l->use));
}

static void
check_lines(struct check *c)
{
    struct form *f = c->form;

    for (size_t i = 0; i < f->n_lines; i++) {
        read_line(&f->lines[i]);
        check_fields(c, f->lines[i].text, FORM_SCOPE_LINE, name_of(f, i));
    }
    if (f->n_lines == 0)
        tell(c, (struct form_fault){FORM_ADDRESS, 0, true, false, "is missing",
                                    "a form has a line at least"});
}

/* ---- what the lines have in common ---- */

static int
by_prefix(const struct form_line *a, const struct form_line *b)
{
    int k = addr_cmp(&a->prefix.addr, &b->prefix.addr);

    return k != 0 ? k : (int)a->prefix.bits - (int)b->prefix.bits;
}

/* By address, port, place; what cannot be read goes to the end. */
static bool
before(const struct form *f, uint32_t a, uint32_t b)
{
    const struct form_line *x = &f->lines[a];
    const struct form_line *y = &f->lines[b];
    int k = by_prefix(x, y);

    if (x->readable != y->readable)
        return x->readable;
    if (k != 0)
        return k < 0;
    return x->port != y->port ? x->port < y->port : a < b;
}

static void
swap(struct form *f, size_t a, size_t b)
{
    uint32_t t = f->lines[a].order;

    f->lines[a].order = f->lines[b].order;
    f->lines[b].order = t;
}

static void
sift(struct form *f, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n &&
            before(f, f->lines[child].order, f->lines[child + 1].order))
            child++;
        if (!before(f, f->lines[at].order, f->lines[child].order))
            return;
        swap(f, at, child);
    }
}

/* Heap sort of the places within the lines themselves: a form can be checked
 * when there is no memory left. */
static void
sort_lines(struct form *f)
{
    for (size_t i = 0; i < f->n_lines; i++)
        f->lines[i].order = (uint32_t)i;
    for (size_t i = f->n_lines / 2; i > 0; i--)
        sift(f, i - 1, f->n_lines);
    for (size_t n = f->n_lines; n > 1; n--) {
        swap(f, 0, n - 1);
        sift(f, 0, n - 1);
    }
}

static void
ask_doubles(struct check *c, uint64_t *addresses)
{
    struct form *f = c->form;

    sort_lines(f);
    for (size_t i = 0; i < f->n_lines; i++) {
        const struct form_line *l = &f->lines[f->lines[i].order];
        const struct form_line *last =
            i > 0 ? &f->lines[f->lines[i - 1].order] : NULL;

        if (!l->readable)
            break;
        *addresses += last == NULL || by_prefix(last, l) != 0;
        if (last != NULL && by_prefix(last, l) == 0 && last->port == l->port)
            tell(c, (struct form_fault){
                        FORM_ADDRESS, name_of(f, f->lines[i].order), false,
                        true, "stands in another line with the same port",
                        "leave one of them out"});
    }
}

static uint64_t
count_ports(const struct form *f)
{
    uint64_t seen[(UINT16_MAX + 1) / 64] = {0};
    uint64_t n = 0;

    for (size_t i = 0; i < f->n_lines; i++) {
        uint16_t port = f->lines[i].port;

        if (f->lines[i].readable)
            seen[port / 64] |= UINT64_C(1) << (port % 64);
    }
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        n += (uint64_t)__builtin_popcountll(seen[i]);
    return n;
}

static void
ask_total(struct check *c, enum form_field field, uint64_t want)
{
    uint64_t said;

    if (span_to_u64(text_of(c->form->text, field), &said) && said != want)
        tell(c, (struct form_fault){field, 0, false, true,
                                    "differs from the lines",
                                    "count the different ones"});
}

static bool
is_within(const struct prefix *outer, size_t n, const struct prefix *p)
{
    for (size_t i = 0; i < n; i++) {
        if (outer[i].bits <= p->bits && prefix_has(&outer[i], &p->addr))
            return true;
    }
    return false;
}

static void
ask_outside(struct check *c)
{
    struct prefix site[SITE_PREFIXES_MAX];
    struct span list = text_of(c->form->text, FORM_SITE_PREFIXES);
    size_t n = 0;

    for (struct span w = next_word(&list); w.n > 0; w = next_word(&list)) {
        if (n < SITE_PREFIXES_MAX && prefix_parse(w, &site[n]))
            n++;
    }
    for (size_t i = 0; n > 0 && i < c->form->n_lines; i++) {
        const struct form_line *l = &c->form->lines[i];

        if (l->readable && !is_within(site, n, &l->prefix))
            tell(c, (struct form_fault){FORM_ADDRESS, name_of(c->form, i),
                                        false, true,
                                        "is outside the networks of the site",
                                        "correct it, or the site's networks"});
    }
}

/* ---- signature ---- */

static void
ask_signature(struct check *c)
{
    static const enum form_field names[] = {
        FORM_SITE_CONTACT_NAME, FORM_TECH_CONTACT_NAME,
        FORM_BILLING_CONTACT_NAME, FORM_ABUSE_CONTACT_NAME};
    struct span signer = text_of(c->form->text, FORM_SIGNER);
    bool known = signer.n == 0;
    ns_t on;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        known =
            known || span_eq_nocase(signer, text_of(c->form->text, names[i]));
    if (!known)
        tell(c, (struct form_fault){FORM_SIGNER, 0, false, true,
                                    "is none of the contacts",
                                    "a contact of the form signs"});
    if (read_date(text_of(c->form->text, FORM_SIGNED_ON), &on) && on > c->now)
        tell(c, (struct form_fault){FORM_SIGNED_ON, 0, false, true,
                                    "lies in the future",
                                    "the day on which it was signed"});
}

size_t
form_check(struct form *f, ns_t now, form_fault_fn *report, void *ctx)
{
    struct check c = {f, now, report, ctx, 0};
    uint64_t addresses = 0;

    check_fields(&c, f->text, FORM_SCOPE_FORM, 0);
    check_lines(&c);
    ask_doubles(&c, &addresses);
    ask_total(&c, FORM_TOTAL_ADDRESSES, addresses);
    ask_total(&c, FORM_TOTAL_PORTS, count_ports(f));
    ask_outside(&c);
    ask_signature(&c);
    return c.incomplete;
}
