#ifndef SPAN25_TESTS_RANDOM_FORM_H
#define SPAN25_TESTS_RANDOM_FORM_H
/* random_form - forms of any text that form_set takes
 *
 * Fields may be absent; texts are plain, long, of what files and spreadsheets
 * give a meaning to, or of characters from all planes. The same seed gives the
 * same forms. And a short way to say what forms hold. */
#include <stdio.h>

#include "rules/registry/form_file.h"
#include "tests/support/random_record.h"

/* How often b says it. */
static inline size_t
random_form_count(const struct buf *b, const char *what)
{
    struct span rest = buf_view(b);
    size_t n = 0;

    while (rest.n > 0) {
        size_t at = span_search(rest, span_str(what));

        n += at < rest.n;
        rest = span_tail(rest, at + 1);
    }
    return n;
}

static inline struct span
random_piece(uint64_t *x)
{
    static const struct span pieces[] = {
        SPAN_INIT("="),
        SPAN_INIT("+"),
        SPAN_INIT("-"),
        SPAN_INIT("@"),
        SPAN_INIT("'"),
        SPAN_INIT("''"),
        SPAN_INIT("\""),
        SPAN_INIT("\"\""),
        SPAN_INIT(","),
        SPAN_INIT(";"),
        SPAN_INIT(" "),
        SPAN_INIT("  "),
        SPAN_INIT("\\"),
        SPAN_INIT("\\n"),
        SPAN_INIT("#"),
        SPAN_INIT(": "),
        SPAN_INIT("- "),
        SPAN_INIT("~"),
        SPAN_INIT("null"),
        SPAN_INIT("yes"),
        SPAN_INIT("{"),
        SPAN_INIT("}"),
        SPAN_INIT("["),
        SPAN_INIT("]"),
        SPAN_INIT("&a"),
        SPAN_INIT("*a"),
        SPAN_INIT("!!str"),
        SPAN_INIT("%"),
        SPAN_INIT("|"),
        SPAN_INIT(">"),
        SPAN_INIT("1"),
        SPAN_INIT("0"),
        SPAN_INIT("a"),
        SPAN_INIT("=cmd|'/c calc'!A1"),
        SPAN_INIT("\xc2\xa0"),
        SPAN_INIT("\xc3\xa4"),
        SPAN_INIT("\xe2\x80\xa8"),
        SPAN_INIT("\xe2\x80\xa9"),
        SPAN_INIT("\xe2\x80\xae"),
        SPAN_INIT("\xef\xbb\xbf"),
        SPAN_INIT("\xef\xbf\xbe"),
        SPAN_INIT("\xef\xbf\xbf"),
        SPAN_INIT("\xef\xbf\xbd"),
        SPAN_INIT("\xef\xbc\x9d"),
        SPAN_INIT("\xef\xbc\x8b"),
        SPAN_INIT("\xef\xbc\x8d"),
        SPAN_INIT("\xef\xbc\xa0"),
        SPAN_INIT("\xef\xbc\xa1"),
        SPAN_INIT("\xf0\x9f\x98\x80"),
        SPAN_INIT("\xf4\x8f\xbf\xbf"),
        SPAN_INIT("192.0.2.25"),
        SPAN_INIT("2001:db8::/32"),
    };

    return pieces[random_next(x) % (sizeof(pieces) / sizeof(pieces[0]))];
}

static inline void
random_text(uint64_t *x, char **text)
{
    uint8_t room[FORM_TEXT_MAX];
    uint64_t kind = random_next(x) % 8;
    size_t want = kind == 0 ? FORM_TEXT_MAX : (size_t)(random_next(x) % 6);
    size_t n = 0;

    while (n < want) {
        struct span piece = random_piece(x);

        if (kind > 5)
            room[n++] = (uint8_t)(0x20 + random_next(x) % 0x5f);
        else if (piece.n <= FORM_TEXT_MAX - n && n + piece.n >= n) {
            memcpy(room + n, piece.p, piece.n);
            n += piece.n;
        } else
            room[n++] = 'x';
    }
    REQUIRE(form_set(text, span_of(room, n)) == ERR_OK);
}

/* Field rows of one scope; one in `rare` is there. */
static inline void
random_texts(uint64_t *x, char **texts, enum form_scope scope, unsigned rare)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope == scope && random_next(x) % rare == 0)
            random_text(x, &texts[i]);
    }
}

/* f is initialised by the call. number 0: none. */
static inline void
random_form(uint64_t *x, struct form *f, unsigned number)
{
    static const unsigned rares[] = {1, 2, 10, 1000};
    unsigned rare = rares[random_next(x) % 4];
    uint64_t n = random_next(x) % 4 == 0 ? 0 : random_next(x) % 5;

    form_init(f);
    if (number > 0)
        (void)snprintf(f->number, sizeof(f->number), "%s%u",
                       random_next(x) % 2 == 0 ? "x-" : "2026-", number);
    random_texts(x, f->text, FORM_SCOPE_FORM, rare);
    for (uint32_t i = 0; i < n; i++) {
        struct form_line *l = form_add_line(f);

        REQUIRE(l != NULL);
        l->number = random_next(x) % 2 == 0 ? 0 : i + 1;
        random_texts(x, l->text, FORM_SCOPE_LINE, rare);
    }
}

static inline void
random_form_texts(struct buf *out, char *const *texts)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (texts[i] == NULL)
            continue;
        buf_printf(out, " %s=", form_rows[i].column);
        buf_str(out, texts[i]);
    }
}

/* "2026-1 site=A {1 address=192.0.2.1} {0 ...}\n" for each form. */
static inline void
random_form_describe(const struct forms *f, struct buf *out)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct form *form = &f->v[i];

        buf_str(out, form->number[0] != 0 ? form->number : "-");
        random_form_texts(out, form->text);
        for (size_t k = 0; k < form->n_lines; k++) {
            buf_printf(out, " {%u", form->lines[k].number);
            random_form_texts(out, form->lines[k].text);
            buf_putc(out, '}');
        }
        buf_putc(out, '\n');
    }
}

#endif
