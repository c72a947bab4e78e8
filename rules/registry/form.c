#include "rules/registry/form.h"

#include "sensor/base/text.h"

const struct form_row form_rows[FORM_FIELD_COUNT] = {
#define TYPE_TEXT      FORM_TEXT
#define TYPE_MAIL      FORM_MAIL
#define TYPE_PHONE     FORM_PHONE
#define TYPE_COUNT     FORM_COUNT
#define TYPE_DATE      FORM_DATE
#define TYPE_YESNO     FORM_YESNO
#define TYPE_PORT      FORM_PORT_TYPE
#define TYPE_PREFIX    FORM_PREFIX
#define TYPE_DIRECTION FORM_DIRECTION
#define TYPE_PREFIXES  FORM_PREFIXES
#define NEED_MUST      true
#define NEED_MAY       false
#define X(id, scope, column, path, type, need, personal, label, help)          \
    {column,      path,        label,   help, FORM_SCOPE_##scope,              \
     TYPE_##type, NEED_##need, personal},
#include "rules/registry/fields.def"
#undef X
};

#define FORM_LINES_FIRST 4

void
form_init(struct form *f)
{
    *f = (struct form){0};
}

static void
texts_free(char **text)
{
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++)
        free(text[i]);
}

void
form_line_fini(struct form_line *l)
{
    texts_free(l->text);
    *l = (struct form_line){0};
}

void
form_fini(struct form *f)
{
    for (size_t i = 0; f->lines != NULL && i < f->n_lines; i++)
        texts_free(f->lines[i].text);
    free(f->lines);
    texts_free(f->text);
    form_init(f);
}

static bool
texts_copy(char **to, char *const *from)
{
    bool good = true;

    for (size_t i = 0; i < FORM_FIELD_COUNT; i++) {
        size_t n = from[i] != NULL ? strlen(from[i]) + 1 : 0;

        to[i] = n > 0 && good ? malloc(n) : NULL;
        if (to[i] != NULL)
            memcpy(to[i], from[i], n);
        good = good && (n == 0 || to[i] != NULL);
    }
    return good;
}

enum err
form_line_copy(struct form_line *to, const struct form_line *from)
{
    *to = *from;
    if (texts_copy(to->text, from->text))
        return ERR_OK;
    form_line_fini(to);
    return ERR_NOMEM;
}

static bool
lines_copy(struct form *to, const struct form *from)
{
    if (from->n_lines == 0)
        return true;
    to->lines = calloc(from->n_lines, sizeof(*to->lines));
    if (to->lines == NULL)
        return false;
    to->cap_lines = from->n_lines;
    for (size_t i = 0; i < from->n_lines; i++) {
        if (form_line_copy(&to->lines[i], &from->lines[i]) != ERR_OK)
            return false;
        to->n_lines = i + 1;
    }
    return true;
}

enum err
form_copy(struct form *to, const struct form *from)
{
    form_init(to);
    memcpy(to->number, from->number, sizeof(to->number));
    to->source = from->source;
    if (texts_copy(to->text, from->text) && lines_copy(to, from))
        return ERR_OK;
    form_fini(to);
    return ERR_NOMEM;
}

static bool
is_number_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
}

/* "--all" is an option and ".." a folder, wherever a number is typed. */
bool
form_number_good(struct span number)
{
    if (number.n == 0 || number.n > FORM_NUMBER_MAX ||
        strchr("._-", number.p[0]) != NULL)
        return false;
    for (size_t i = 0; i < number.n; i++) {
        if (!is_number_byte(number.p[i]))
            return false;
    }
    return true;
}

/* C1 controls are 0x80 to 0x9f, two bytes in UTF-8. */
static bool
is_control(struct span at)
{
    return span_at(at, 0) < 0x20 || at.p[0] == 0x7f ||
           (at.p[0] == 0xc2 && span_at(at, 1) < 0xa0);
}

enum err
form_text_check(struct span value)
{
    if (value.n > FORM_TEXT_MAX)
        return ERR_LIMIT;
    while (value.n > 0) {
        size_t n = utf8_len(value);

        if (n == 0 || is_control(value))
            return ERR_FORMAT;
        value = span_tail(value, n);
    }
    return ERR_OK;
}

enum err
form_set(char **text, struct span value)
{
    enum err e = form_text_check(value);
    char *copy = NULL;

    if (e != ERR_OK)
        return e;
    if (value.n > 0) {
        copy = malloc(value.n + 1);
        if (copy == NULL)
            return ERR_NOMEM;
        memcpy(copy, value.p, value.n);
        copy[value.n] = '\0';
    }
    free(*text);
    *text = copy;
    return ERR_OK;
}

struct form_line *
form_add_line(struct form *f)
{
    if (f->n_lines >= FORM_LINES_MAX)
        return NULL;
    if (f->n_lines == f->cap_lines) {
        size_t cap = f->cap_lines > 0 ? f->cap_lines * 2 : FORM_LINES_FIRST;
        struct form_line *v = realloc(f->lines, cap * sizeof(*v));

        if (v == NULL)
            return NULL;
        f->lines = v;
        f->cap_lines = cap;
    }
    f->lines[f->n_lines] = (struct form_line){0};
    return &f->lines[f->n_lines++];
}

static bool
texts_equal(char *const *a, char *const *b)
{
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++) {
        if ((a[i] == NULL) != (b[i] == NULL) ||
            (a[i] != NULL && strcmp(a[i], b[i]) != 0))
            return false;
    }
    return true;
}

bool
form_equal(const struct form *a, const struct form *b)
{
    if (strcmp(a->number, b->number) != 0 || a->n_lines != b->n_lines ||
        !texts_equal(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->n_lines; i++) {
        if (a->lines[i].number != b->lines[i].number ||
            !texts_equal(a->lines[i].text, b->lines[i].text))
            return false;
    }
    return true;
}
