#include "rules/registry/csv.h"
#include "sensor/app/registry_time.h"
#include "sensor/app/study_letters_parts.h"
#include "sensor/base/text.h"

#define CELL_MAX (1U << 16)

/* What stands behind the contacts of the form. */
#define COLUMNS                                                                \
    ",last_verified,hosts,addresses,ports,first_seen,last_seen,registered,"    \
    "would_be_stopped,legitimate,unknown,mixed,bot,name,helo,device,"          \
    "register_letter,abuse_letter,notices_sent,reply,action\r\n"

void
study_contacts_head(struct buf *out)
{
    buf_str(out, "site,site_name,form,contact");
#define X(head, key, field) buf_str(out, "," key);
#include "sensor/app/registry_contacts.def"
#undef X
    buf_str(out, COLUMNS);
}

/* Bytes of a wire too: first made visible, then safe for a spreadsheet. */
static void
cell(struct buf *out, const char *text)
{
    struct buf plain;

    buf_init(&plain, CELL_MAX);
    if (text != NULL)
        text_term(&plain, span_head(span_str(text), CELL_MAX / 8));
    csv_put(out, buf_view(&plain));
    out->failed = out->failed || plain.failed;
    buf_free(&plain);
}

static void
next(struct buf *out, const char *text)
{
    buf_putc(out, ',');
    cell(out, text);
}

static void
next_number(struct buf *out, uint64_t n)
{
    buf_putc(out, ',');
    buf_u64(out, n);
}

static void
next_time(struct buf *out, ns_t when)
{
    buf_putc(out, ',');
    if (when != 0)
        registry_time_utc(when, out);
}

static void
next_addresses(struct buf *out, const struct letter_site *s)
{
    const struct addr *before = NULL;
    char text[ADDR_TEXT_MAX];
    size_t n = 0;

    buf_putc(out, ',');
    for (size_t i = 0; i < s->n; i++) {
        const struct addr *a = &s->hosts[i]->addr;

        if (before != NULL && addr_cmp(before, a) == 0)
            continue;
        before = a;
        if (n++ >= STUDY_LETTERS_ADDRS)
            continue;
        if (n > 1)
            buf_putc(out, ' ');
        buf_put(out, text, addr_format(a, text));
    }
    if (n > STUDY_LETTERS_ADDRS)
        buf_printf(out, " and %zu more", n - STUDY_LETTERS_ADDRS);
}

/* When somebody last said who they are. */
static ns_t
verified(const struct book_form *f)
{
    ns_t when = 0;

    for (size_t i = 0; f != NULL && i < f->form.n_lines; i++) {
        const ns_t received = f->lines[i]->dates.received;

        when = received > when ? received : when;
    }
    return when;
}

static void
put_contacts(struct buf *out, const struct letter_site *s)
{
    static const enum form_field fields[] = {
#define X(head, key, field) FORM_##field,
#include "sensor/app/registry_contacts.def"
#undef X
    };

    cell(out, s->code);
    next(out, s->row != NULL ? s->row->name : NULL);
    next(out, s->form != NULL ? s->form->form.number : NULL);
    next(out, s->row != NULL ? s->row->contact : NULL);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        next(out, s->form != NULL ? s->form->form.text[fields[i]] : NULL);
    next_time(out, verified(s->form));
}

static void
put_seen(struct buf *out, const struct letter_site *s)
{
    static const enum study_class order[] = {STUDY_LEGITIMATE, STUDY_UNKNOWN,
                                             STUDY_MIXED, STUDY_BOT};
    uint64_t classes[STUDY_CLASS_COUNT] = {0};
    uint64_t registered = 0, stopped = 0;
    const bool one = s->n == 1;
    ns_t first, last;

    letter_span(s, LETTER_KINDS, &first, &last);
    for (size_t i = 0; i < s->n; i++) {
        const struct study_host_row *h = s->hosts[i];

        registered += h->registered;
        stopped += letter_is_stopped(s, h);
        classes[h->class]++;
    }
    next_number(out, s->n);
    next_addresses(out, s);
    next(out, "25");
    next_time(out, first);
    next_time(out, last);
    next_number(out, registered);
    if (s->has_proposed)
        next_number(out, stopped);
    else
        next(out, NULL);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        next_number(out, classes[order[i]]);
    next(out, one ? s->hosts[0]->name : NULL);
    next(out, one ? s->hosts[0]->helo : NULL);
    next(out, one ? s->hosts[0]->device : NULL);
}

static void
next_letter(struct buf *out, const struct letter_site *s, enum letter_kind kind,
            const char *ending)
{
    struct buf path;

    if (s->number == 0 || letter_count(s, kind) == 0 ||
        (kind == LETTER_REGISTER && s->deadline == NULL)) {
        next(out, NULL);
        return;
    }
    buf_init(&path, 256);
    letter_path(".", s->number, s->code, ending, &path);
    next(out, path.n > 2 ? (const char *)path.p + 2 : NULL);
    buf_free(&path);
}

static const char *
action_of(const struct letter_site *s)
{
    if (!letter_has_owner(s))
        return "find owner";
    if (letter_count(s, LETTER_ABUSE) > 0)
        return letter_count(s, LETTER_REGISTER) > 0
                   ? "ask to look at hosts, and to register others"
                   : "ask to look at hosts";
    if (letter_count(s, LETTER_REGISTER) > 0)
        return "ask to register";
    return "registered, and would be stopped: see why before anything else";
}

void
study_contacts_row(const struct letter_site *s, struct buf *out)
{
    put_contacts(out, s);
    put_seen(out, s);
    next_letter(out, s, LETTER_REGISTER, ".register.txt");
    next_letter(out, s, LETTER_ABUSE, ".abuse.txt");
    next(out, NULL); /* notices: the office writes */
    next(out, NULL);
    next(out, action_of(s));
    buf_str(out, "\r\n");
}
