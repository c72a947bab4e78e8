#include "rules/host/dialect.h"

#include "sensor/base/hash.h"

#define ORDER_MAX 24U /* smtp.dialect.order has no more */
#define TEXT_MAX  16U /* words of the table of fields are shorter */

static const char *const words[DIALECT_ODD_COUNT] = {
#define DIALECT_ODD_WORD(id, word) [DIALECT_ODD_##id] = (word),
    DIALECT_ODD_MAP(DIALECT_ODD_WORD)
#undef DIALECT_ODD_WORD
};

const char *
dialect_odd_word(enum dialect_odd o)
{
    return words[o];
}

/* ---- the order of commands ---- */

#define TRANSACTION 't'

/* What a letter of smtp.dialect.order stands for; 0: the server's doing. */
static uint8_t
step_of(uint8_t letter, bool begun)
{
    switch (letter) {
    case 'M':
    case 'R':
    case 'D':
    case 'B': return TRANSACTION;
    case 'E':
    case 'H': return 'E';
    case 'X': return begun ? 0 : 'X';
    case 'S':
    case 'N':
    case 'Q': return 0;
    }
    return letter;
}

/* Steps without equal neighbours; gives how many. */
static size_t
order_of(struct span order, uint8_t out[ORDER_MAX], bool *transaction)
{
    size_t n = 0;

    *transaction = false;
    for (size_t i = 0; i < order.n && i < ORDER_MAX; i++) {
        uint8_t step = step_of(span_at(order, i), *transaction);

        if (step == 0 || (n > 0 && out[n - 1] == step))
            continue;
        *transaction |= step == TRANSACTION;
        out[n++] = step;
    }
    return n;
}

/* ---- fingerprint ---- */

/* All facts in a row, told apart by a byte that no word has. */
struct facts {
    uint8_t b[8 * (TEXT_MAX + 1) + ORDER_MAX];
    size_t n;
};

static void
add(struct facts *f, struct span word)
{
    word = span_head(word, TEXT_MAX);
    if (word.n > 0)
        memcpy(f->b + f->n, word.p, word.n);
    f->n += word.n;
    f->b[f->n++] = 0;
}

/* Whether EHLO was refused is the server's doing. */
static struct span
hello_of(const struct record_map *session)
{
    struct span hello = record_map_find(session, FIELD_SMTP_DIALECT_HELLO);

    return span_starts(hello, SPAN_LIT("EHLO")) ? span_head(hello, 4) : hello;
}

static uint64_t
fingerprint(const struct record_map *s, bool *whole)
{
    static const enum field fields[] = {
        FIELD_SMTP_DIALECT_HELO_CLASS, FIELD_SMTP_DIALECT_CASE,
        FIELD_SMTP_DIALECT_EOL,        FIELD_SMTP_DIALECT_SPACE,
        FIELD_SMTP_DIALECT_BRACKETS,
    };
    uint8_t order[ORDER_MAX];
    size_t n =
        order_of(record_map_find(s, FIELD_SMTP_DIALECT_ORDER), order, whole);
    struct facts f = {.n = 0};
    uint64_t h;

    add(&f, *whole ? SPAN_LIT("whole") : SPAN_LIT("part"));
    add(&f, hello_of(s));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        add(&f, record_map_find(s, fields[i]));
    memcpy(f.b + f.n, order, n);
    h = hash_span(span_of(f.b, f.n + n), 0);
    return h != 0 ? h : 1;
}

/* ---- odd facts ---- */

/* Texts and booleans that are odd as they are. */
static const struct {
    enum dialect_odd odd;
    enum field field;
    const char *text; /* NULL: true is odd */
} odds[] = {
    {DIALECT_ODD_LF_ONLY,      FIELD_SMTP_DIALECT_EOL,          "lf"     },
    {DIALECT_ODD_SPACE,        FIELD_SMTP_DIALECT_SPACE,        NULL     },
    {DIALECT_ODD_HELO_ADDRESS, FIELD_SMTP_DIALECT_HELO_CLASS,   "address"},
    {DIALECT_ODD_PREGREET,     FIELD_SMTP_PREGREET,             NULL     },
    {DIALECT_ODD_PIPELINING,   FIELD_SMTP_PIPELINING_UNOFFERED, NULL     },
    {DIALECT_ODD_LOWER_CASE,   FIELD_SMTP_DIALECT_CASE,         "lower"  },
};

static bool
left_rudely(const struct record_map *s)
{
    return record_map_bool(s, FIELD_SMTP_NO_QUIT) &&
           (record_map_bool(s, FIELD_SMTP_HANGUP) ||
            record_map_is(s, FIELD_SMTP_END, "rst"));
}

/* Absent is not false: after STARTTLS paths are not seen. */
static bool
lacks_brackets(const struct record_map *s)
{
    return record_map_find(s, FIELD_SMTP_DIALECT_BRACKETS).n > 0 &&
           !record_map_bool(s, FIELD_SMTP_DIALECT_BRACKETS);
}

static uint32_t
odd_of(const struct record_map *s, bool whole)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < ARRAY_LEN(odds); i++) {
        bool is = odds[i].text != NULL
                      ? record_map_is(s, odds[i].field, odds[i].text)
                      : record_map_bool(s, odds[i].field);

        bits |= (uint32_t)is << odds[i].odd;
    }
    if (lacks_brackets(s))
        bits |= DIALECT_BIT(NO_BRACKETS);
    if (whole && left_rudely(s))
        bits |= DIALECT_BIT(NO_QUIT);
    return bits;
}

/* ---- ---- */

static bool
is_damaged(const struct record_map *s)
{
    return record_map_bool(s, FIELD_QUALITY_ONEWAY) ||
           record_map_bool(s, FIELD_QUALITY_MIDSTREAM) ||
           record_map_u64(s, FIELD_QUALITY_GAPS, 0) > 0;
}

bool
dialect_of(const struct record_map *session, struct dialect *out)
{
    if (record_map_find(session, FIELD_SMTP_DIALECT_HELLO).n == 0 ||
        is_damaged(session))
        return false;
    out->fingerprint = fingerprint(session, &out->whole);
    out->odd = odd_of(session, out->whole);
    return true;
}
