#include "rules/registry/book.h"

#include "rules/registry/asks.h"
#include "rules/registry/line.h"
#include "rules/registry/merge.h"
#include "sensor/base/digits.h"
#include "sensor/base/hash.h"

#define FORMS_FIRST     8
#define SLOTS_FIRST     16
#define YEAR_DIGITS     4
#define SEQUENCE_DIGITS 9 /* of "2026-118", behind the year */
#define SEQUENCE_END    UINT64_C(1000000000)
#define YEAR_FIRST      1970
#define YEARS           585 /* that ns_t has */
#define WHY_MAX         512

struct book {
    struct room room;
    struct asks asks;
    struct book_form **forms; /* by arrival */
    size_t n_forms, cap_forms;
    uint32_t *slots; /* form + 1 by hash of its number */
    size_t n_slots;
    size_t n_lines;
    uint32_t most[YEARS]; /* highest sequence of a year's numbers */
    struct audit last;
    ns_t time;
};

/* A change on its way: what is recorded of it, and where that goes. */
struct change {
    struct book *b;
    struct action a; /* as given; lines and numbers are filled in */
    const struct span *want_text;
    const struct audit *want; /* of a record that is replayed */
    struct buf code;
    struct audit seal;
    struct buf *text;
    struct buf *why;
};

static const char *const words[BOOK_STATE_COUNT] = {
#define BOOK_ROW(id, word, doc) word,
    BOOK_STATES(BOOK_ROW)
#undef BOOK_ROW
};

const char *
book_word(enum book_state s)
{
    return words[s];
}

enum err
book_new(struct book **out)
{
    struct book *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return ERR_NOMEM;
    *out = b;
    return ERR_OK;
}

void
book_free(struct book *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->n_forms; i++) {
        form_fini(&b->forms[i]->form);
        free(b->forms[i]->lines);
    }
    free(b->forms);
    free(b->slots);
    asks_fini(&b->asks);
    room_fini(&b->room);
    free(b);
}

struct audit
book_last(const struct book *b)
{
    return b->last;
}

ns_t
book_time(const struct book *b)
{
    return b->time;
}

size_t
book_n_forms(const struct book *b)
{
    return b->n_forms;
}

size_t
book_n_lines(const struct book *b)
{
    return b->n_lines;
}

const struct book_form *
book_form_at(const struct book *b, size_t i)
{
    return b->forms[i];
}

/* ---- forms by number ---- */

/* The seed is one that who chooses numbers cannot know. */
static size_t
find_slot(const struct book *b, struct span number)
{
    size_t i =
        (size_t)hash_span(number, (uint64_t)(uintptr_t)b) & (b->n_slots - 1);

    while (b->slots[i] != 0 &&
           !span_eq(span_str(b->forms[b->slots[i] - 1]->form.number), number))
        i = (i + 1) & (b->n_slots - 1);
    return i;
}

static struct book_form *
find_form(const struct book *b, struct span number)
{
    uint32_t at = b->n_slots > 0 ? b->slots[find_slot(b, number)] : 0;

    return at > 0 ? b->forms[at - 1] : NULL;
}

const struct book_form *
book_find(const struct book *b, const char *number)
{
    return find_form(b, span_str(number));
}

static bool
grow_slots(struct book *b)
{
    size_t n = b->n_slots > 0 ? b->n_slots * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(n, sizeof(*slots));

    if (slots == NULL)
        return false;
    free(b->slots);
    b->slots = slots;
    b->n_slots = n;
    for (size_t i = 0; i < b->n_forms; i++)
        slots[find_slot(b, span_str(b->forms[i]->form.number))] =
            (uint32_t)i + 1;
    return true;
}

static bool
reserve_form(struct book *b)
{
    if (b->n_forms == b->cap_forms) {
        size_t cap = b->cap_forms > 0 ? b->cap_forms * 2 : FORMS_FIRST;
        struct book_form **v =
            realloc(b->forms, cap * sizeof(struct book_form *));

        if (v == NULL)
            return false;
        b->forms = v;
        b->cap_forms = cap;
    }
    return b->n_slots / 2 > b->n_forms || grow_slots(b);
}

/* The place of the line with that number, or n_lines. */
static size_t
place_of(const struct book_form *f, uint32_t number)
{
    size_t from = 0;
    size_t to = f->form.n_lines;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (f->form.lines[mid].number < number)
            from = mid + 1;
        else
            to = mid;
    }
    return from < f->form.n_lines && f->form.lines[from].number == number
               ? from
               : f->form.n_lines;
}

const struct book_line *
book_line(const struct book_form *f, uint32_t number)
{
    size_t at = place_of(f, number);

    return at < f->form.n_lines ? f->lines[at] : NULL;
}

/* "2026-118": the year's row, and 118; of other numbers nothing. */
static void
note_sequence(struct book *b, struct span number)
{
    size_t dash = span_find(number, '-');
    struct span rest = span_tail(number, dash + 1);
    uint64_t year;
    uint64_t v;

    if (dash != YEAR_DIGITS || rest.n > SEQUENCE_DIGITS ||
        !span_to_u64(span_head(number, dash), &year) ||
        !span_to_u64(rest, &v) || year < YEAR_FIRST ||
        year >= YEAR_FIRST + YEARS)
        return;
    if (b->most[year - YEAR_FIRST] < v)
        b->most[year - YEAR_FIRST] = (uint32_t)v;
}

/* "2026-" and v */
static void
put_sequence(char *text, uint64_t v, char out[FORM_NUMBER_MAX + 1])
{
    const char *end = digits_u64(text + YEAR_DIGITS + 1, v);

    memcpy(out, text, (size_t)(end - text));
    out[end - text] = '\0';
}

void
book_next_number(const struct book *b, ns_t when, char out[FORM_NUMBER_MAX + 1])
{
    char text[NS_TEXT_MAX + DIGITS_MAX + 1] = "";
    uint64_t year = YEAR_FIRST;
    uint64_t v;

    (void)ns_format(when, text);
    (void)span_to_u64(span_of(text, YEAR_DIGITS), &year);
    text[YEAR_DIGITS] = '-';
    v = (uint64_t)b->most[year - YEAR_FIRST] + 1;
    put_sequence(text, v, out);
    /* Only where somebody used up the year's numbers; by the count of forms,
     * so that those given here are not in each other's way. */
    for (v = SEQUENCE_END + b->n_forms; book_find(b, out) != NULL; v++)
        put_sequence(text, v, out);
}

ns_t
book_mail(const struct book_form *f)
{
    const char *mail = f->form.text[FORM_SITE_CONTACT_MAIL];
    ns_t when = 0;

    for (size_t i = 0; mail != NULL && i < f->form.n_lines; i++) {
        const struct book_line *l = f->lines[i];

        if (l->mail != NULL && strcmp(l->mail, mail) == 0 &&
            l->mail_when > when)
            when = l->mail_when;
    }
    return when;
}

/* ---- records ---- */

static enum err
refuse(struct change *c, const char *what)
{
    buf_printf(c->why, "%s %s", action_word(c->a.kind), what);
    return ERR_USAGE;
}

/* All that is to be known of a record before anything is changed. */
static enum err
seal(struct change *c)
{
    struct book *b = c->b;
    struct span code;
    enum err e;

    action_code(&c->a, &c->code);
    code = buf_view(&c->code);
    if (c->code.failed)
        return ERR_NOMEM;
    if (c->code.cut) {
        (void)refuse(c, "has too much text");
        return ERR_LIMIT;
    }
    e = action_seal(code, b->last.number + 1, b->last.hash, &c->seal);
    if (e != ERR_OK)
        return e;
    if (c->want != NULL &&
        (!span_eq(code, *c->want_text) ||
         memcmp(c->seal.hash, c->want->hash, sizeof(c->seal.hash)) != 0)) {
        buf_printf(c->why, "the record was changed");
        return ERR_CORRUPT;
    }
    return c->text == NULL || buf_grow(c->text, code.n) ? ERR_OK : ERR_NOMEM;
}

static void
keep(struct change *c)
{
    if (c->text != NULL)
        buf_span(c->text, buf_view(&c->code));
    c->b->last = c->seal;
    c->b->time = c->a.when;
}

/* ---- forms ---- */

static struct book_form *
new_form(struct book *b)
{
    return reserve_form(b) ? room_get(&b->room, 1, sizeof(struct book_form))
                           : NULL;
}

/* Book lines of the form that will be, by place: old ones, and new ones of
 * which nobody knows yet. */
static struct book_line **
make_lines(struct book *b, const struct merge *m)
{
    size_t n = m->whole.n_lines;
    struct book_line **v = calloc(n + 1, sizeof(struct book_line *));
    struct book_line *fresh =
        m->n_new > 0 ? room_get(&b->room, m->n_new, sizeof(*fresh)) : NULL;
    bool good = v != NULL && (m->n_new == 0 || fresh != NULL);

    for (size_t i = 0; good && i < n; i++) {
        v[i] = m->old[i] != NULL ? m->old[i] : fresh++;
        good = !m->is_sent[i] || line_reserve(v[i], &b->room);
    }
    if (good)
        return v;
    free(v);
    return NULL;
}

static void
add_form(struct book *b, struct book_form *f)
{
    note_sequence(b, span_str(f->form.number));
    b->forms[b->n_forms++] = f;
    b->slots[find_slot(b, span_str(f->form.number))] = (uint32_t)b->n_forms;
}

static void
put_lines(struct change *c, const struct merge *m, struct book_form *f)
{
    struct book *b = c->b;

    for (size_t i = 0; i < f->form.n_lines; i++) {
        struct book_line *l = f->lines[i];

        REQUIRE(l != NULL);
        l->line = &f->form.lines[i];
        if (m->old[i] == NULL) {
            l->form = f;
            l->id = (uint32_t)b->n_lines++;
            l->ask = ASK_NONE;
        }
        if (m->is_sent[i])
            line_submit(l, &c->a, c->seal.number);
        if (f->complete)
            line_complete(l, c->a.when);
        if (m->is_sent[i])
            asks_put(&b->asks, l, c->a.when);
    }
}

static enum err
submit_merged(struct change *c, struct book_form *old, struct merge *m)
{
    struct book *b = c->b;
    struct book_form *f = old != NULL ? old : new_form(b);
    char *actor = f != NULL ? room_text(&b->room, c->a.actor) : NULL;
    struct book_line **lines = actor != NULL ? make_lines(b, m) : NULL;
    enum err e = lines != NULL ? asks_reserve(&b->asks, m->n_asks) : ERR_NOMEM;

    if (e == ERR_LIMIT)
        (void)refuse(c, "is one line too many for a registry");
    c->a.form = &m->sent;
    if (e == ERR_OK)
        e = seal(c);
    if (e != ERR_OK) {
        free(lines);
        return e;
    }
    merge_take(m, f);
    free(f->lines);
    f->lines = lines;
    f->actor = actor;
    if (old == NULL)
        add_form(b, f);
    put_lines(c, m, f);
    keep(c);
    return ERR_OK;
}

static enum err
submit(struct change *c)
{
    struct book_form *old = find_form(c->b, span_str(c->a.form->number));
    struct merge m;
    enum err e = merge_make(old, &c->b->asks, &c->a, &m, c->why);

    if (e == ERR_OK)
        e = submit_merged(c, old, &m);
    c->a.form = NULL; /* was that of the merge */
    merge_fini(&m);
    return e;
}

/* ---- decisions ---- */

/* Lines that a decision is about, by number. */
struct targets {
    struct book_line **v;
    uint32_t *numbers;
    size_t n;
};

static void
targets_fini(struct targets *t)
{
    free(t->v);
    free(t->numbers);
}

static bool
targets_init(struct targets *t, size_t most)
{
    *t = (struct targets){malloc((most + 1) * sizeof(struct book_line *)),
                          malloc((most + 1) * sizeof(uint32_t)), 0};
    return t->v != NULL && t->numbers != NULL;
}

static void
add_target(struct targets *t, struct book_line *l)
{
    t->v[t->n] = l;
    t->numbers[t->n++] = l->line->number;
}

static enum err
refuse_line(const struct change *c, const struct book_form *f, uint32_t number,
            const char *what)
{
    buf_printf(c->why, "form %s: line %u %s, cannot %s it", f->form.number,
               number, what, action_word(c->a.kind));
    return ERR_USAGE;
}

static enum err
pick_all(struct change *c, const struct book_form *f, struct targets *t)
{
    const char *why = NULL;

    for (size_t i = 0; i < f->form.n_lines; i++) {
        const char *unfit = line_unfit(f->lines[i], &c->a);

        if (unfit == NULL)
            add_target(t, f->lines[i]);
        why = why != NULL ? why : unfit;
    }
    if (t->n > 0)
        return ERR_OK;
    if (f->form.n_lines > 0)
        return refuse_line(c, f, f->form.lines[0].number, why);
    buf_printf(c->why, "form %s: has no lines", f->form.number);
    return ERR_USAGE;
}

static int
by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static enum err
pick_named(struct change *c, const struct book_form *f, struct targets *t)
{
    size_t n = c->a.n_lines;

    memcpy(t->numbers, c->a.lines, n * sizeof(*t->numbers));
    qsort(t->numbers, n, sizeof(*t->numbers), by_number);
    for (size_t i = 0; i < n; i++) {
        uint32_t number = t->numbers[i];
        size_t at = place_of(f, number);
        const char *why = "is not there";

        if (at < f->form.n_lines)
            why = line_unfit(f->lines[at], &c->a);
        if (why != NULL)
            return refuse_line(c, f, number, why);
        if (t->n == 0 || t->numbers[t->n - 1] != number)
            add_target(t, f->lines[at]);
    }
    return ERR_OK;
}

static enum err
reserve_decision(struct change *c, const struct targets *t)
{
    struct room *r = &c->b->room;
    struct action *a = &c->a;

    for (size_t i = 0; i < t->n; i++) {
        if (!line_reserve(t->v[i], r))
            return ERR_NOMEM;
    }
    if (a->reason != NULL && (a->reason = room_text(r, a->reason)) == NULL)
        return ERR_NOMEM;
    if (a->reference != NULL &&
        (a->reference = room_text(r, a->reference)) == NULL)
        return ERR_NOMEM;
    a->lines = t->numbers;
    a->n_lines = t->n;
    return seal(c);
}

/* The line that was in the others' way may have gone: now they can start. */
static void
look_again(struct book_form *f, ns_t when)
{
    f->complete = merge_complete(&f->form, f->lines, NULL, when);
    for (size_t i = 0; f->complete && i < f->form.n_lines; i++)
        line_complete(f->lines[i], when);
}

static enum err
decide_lines(struct change *c, struct book_form *f, struct targets *t)
{
    enum err e = c->a.n_lines > 0 ? pick_named(c, f, t) : pick_all(c, f, t);

    if (e == ERR_OK)
        e = reserve_decision(c, t);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < t->n; i++) {
        line_apply(t->v[i], &c->a, c->seal.number);
        asks_put(&c->b->asks, t->v[i], c->a.when);
    }
    if (!f->complete && book_state_at(t->v[0], c->a.when) == BOOK_ENDED)
        look_again(f, c->a.when);
    keep(c);
    return ERR_OK;
}

static enum err
decide(struct change *c)
{
    struct book_form *f = find_form(c->b, span_str(c->a.number));
    struct targets t;
    size_t most;
    enum err e = ERR_NOMEM;

    if (f == NULL) {
        buf_printf(c->why, "form %s: there is none", c->a.number);
        return ERR_USAGE;
    }
    most = c->a.n_lines > 0 ? c->a.n_lines : f->form.n_lines;
    if (targets_init(&t, most))
        e = decide_lines(c, f, &t);
    targets_fini(&t);
    return e;
}

/* ---- any action ---- */

static bool
is_text(const char *s)
{
    return s[0] != '\0' && form_text_check(span_str(s)) == ERR_OK;
}

static const char *
wrong_text(const struct action *a)
{
    if (a->actor == NULL || !is_text(a->actor))
        return "needs to say who does it";
    if (a->reason != NULL && !is_text(a->reason))
        return "has a reason that is no text";
    if (a->reference != NULL && !is_text(a->reference))
        return "has a reference that is no text";
    return NULL;
}

static const char *
wrong_form(const struct action *a)
{
    const char *number = a->number;

    if (a->kind == ACTION_SUBMIT) {
        if (a->form == NULL || a->n_lines > 0)
            return "takes a form, whole";
        if (number != NULL && strcmp(number, a->form->number) != 0)
            return "has a form of another number";
        number = a->form->number;
    }
    return number != NULL && form_number_good(span_str(number))
               ? NULL
               : "needs the number of a form: letters, digits, . _ -";
}

static const char *
wrong(const struct book *b, const struct action *a)
{
    const char *why = wrong_text(a);

    if (why == NULL)
        why = wrong_form(a);
    if (why == NULL && a->when == 0)
        why = "needs a time";
    if (why == NULL && a->when > INT64_MAX)
        why = "lies too far ahead: the year 2262 is the last";
    if (why == NULL && a->when < b->time)
        why = "lies before the last change of the registry";
    return why != NULL ? why : line_nonsense(a);
}

static enum err
apply(struct change *c, const struct action *a)
{
    const char *why;
    enum err e;

    REQUIRE(a->kind < ACTION_COUNT);
    c->a = *a;
    why = wrong(c->b, a);
    if (why != NULL)
        return refuse(c, why);
    buf_init(&c->code, ACTION_CODE_MAX);
    e = a->kind == ACTION_SUBMIT ? submit(c) : decide(c);
    buf_free(&c->code);
    return e;
}

enum err
book_apply(struct book *b, const struct action *a, struct audit *out,
           struct buf *text, struct buf *why)
{
    struct change c = {.b = b, .text = text, .why = why};
    enum err e = apply(&c, a);

    if (e == ERR_OK && out != NULL)
        *out = c.seal;
    return e;
}

static const char *
wrong_place(const struct book *b, const struct audit *record)
{
    if (record->number != b->last.number + 1)
        return "has another number";
    return memcmp(record->before, b->last.hash, sizeof(b->last.hash)) != 0
               ? "does not follow the one before"
               : NULL;
}

static enum err
replay(struct change *c)
{
    struct action_room room = {0};
    const char *why = wrong_place(c->b, c->want);
    struct action a;
    enum err e;

    if (why != NULL) {
        buf_str(c->why, why);
        return ERR_CORRUPT;
    }
    e = action_read(*c->want_text, &a, &room);
    if (e == ERR_OK)
        e = apply(c, &a);
    else if (e == ERR_FORMAT)
        buf_str(c->why, "its text cannot be read");
    action_room_fini(&room);
    return e == ERR_OK || e == ERR_NOMEM ? e : ERR_CORRUPT;
}

enum err
book_replay(struct book *b, struct span text, const struct audit *record,
            struct buf *why)
{
    struct buf what;
    struct change c = {
        .b = b, .want_text = &text, .want = record, .why = &what};
    enum err e;

    buf_init(&what, WHY_MAX);
    e = replay(&c);
    if (e == ERR_CORRUPT) {
        buf_str(why, "record ");
        buf_u64(why, record->number);
        buf_str(why, ": ");
        buf_span(why, buf_view(&what));
    }
    buf_free(&what);
    return e;
}

/* ---- look-up ---- */

enum err
book_index(struct book *b)
{
    return asks_index(&b->asks);
}

struct book_verdict
book_judge(const struct book *b, const struct addr *a, uint16_t port,
           enum form_use use, ns_t when)
{
    return asks_judge(&b->asks, a, port, use, when);
}
