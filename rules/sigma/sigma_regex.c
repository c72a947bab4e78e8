#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/sigma/sigma_regex.h"

#include <pcre2.h>
#include <stdio.h>

#include "sensor/base/buf.h"

#define LITERAL_MIN 3U

struct sigma_regex {
    pcre2_code *code;
};

struct sigma_regex_match {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static uint32_t
options_of(unsigned flags)
{
    static const struct {
        unsigned flag;
        uint32_t option;
    } rows[] = {
        {SIGMA_REGEX_NOCASE, PCRE2_CASELESS   },
        {SIGMA_REGEX_LINES,  PCRE2_MULTILINE  },
        {SIGMA_REGEX_DOTALL, PCRE2_DOTALL     },
        {SIGMA_REGEX_START,  PCRE2_ANCHORED   },
        {SIGMA_REGEX_END,    PCRE2_ENDANCHORED},
    };
    uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        options |= (flags & rows[i].flag) != 0 ? rows[i].option : 0;
    return options;
}

static enum err
refuse(char error[SIGMA_REGEX_ERROR], const char *why)
{
    (void)snprintf(error, SIGMA_REGEX_ERROR, "%s", why);
    return ERR_FORMAT;
}

static pcre2_compile_context *
context_new(void)
{
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);

    if (c == NULL)
        return NULL;
    (void)pcre2_set_parens_nest_limit(c, SIGMA_REGEX_NEST);
    (void)pcre2_set_max_pattern_length(c, SIGMA_REGEX_MAX);
    return c;
}

enum err
sigma_regex_new(struct span pattern, unsigned flags, struct sigma_regex **out,
                char error[SIGMA_REGEX_ERROR])
{
    struct sigma_regex *r = calloc(1, sizeof(*r));
    pcre2_compile_context *c = context_new();
    PCRE2_SIZE at = 0;
    int number = 0;
    uint8_t text[100];

    if (r == NULL || c == NULL) {
        free(r);
        pcre2_compile_context_free(c);
        return ERR_NOMEM;
    }
    /* "(*" sets limits and newlines for the whole pattern. */
    if (!span_starts(pattern, SPAN_LIT("(*")))
        r->code = pcre2_compile(pattern.n > 0 ? pattern.p : (const uint8_t *)"",
                                pattern.n, options_of(flags), &number, &at, c);
    pcre2_compile_context_free(c);
    if (r->code != NULL) {
        *out = r;
        return ERR_OK;
    }
    free(r);
    if (number == 0)
        return refuse(error, "a pattern may not begin with (*");
    if (number == PCRE2_ERROR_NOMEMORY || number == 121)
        return ERR_NOMEM;
    (void)pcre2_get_error_message(number, text, sizeof(text));
    (void)snprintf(error, SIGMA_REGEX_ERROR, "%s, at character %zu",
                   (const char *)text, at + 1);
    return ERR_FORMAT;
}

void
sigma_regex_free(struct sigma_regex *r)
{
    if (r == NULL)
        return;
    pcre2_code_free(r->code);
    free(r);
}

enum err
sigma_regex_match_new(struct sigma_regex_match **out)
{
    struct sigma_regex_match *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return ERR_NOMEM;
    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);
    if (m->data == NULL || m->context == NULL) {
        sigma_regex_match_free(m);
        return ERR_NOMEM;
    }
    (void)pcre2_set_match_limit(m->context, SIGMA_REGEX_STEPS);
    (void)pcre2_set_depth_limit(m->context, SIGMA_REGEX_DEPTH);
    (void)pcre2_set_heap_limit(m->context, SIGMA_REGEX_HEAP);
    *out = m;
    return ERR_OK;
}

void
sigma_regex_match_free(struct sigma_regex_match *m)
{
    if (m == NULL)
        return;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    free(m);
}

enum sigma_regex_answer
sigma_regex_search(const struct sigma_regex *r, struct sigma_regex_match *m,
                   struct span text)
{
    int n = pcre2_match(r->code, text.n > 0 ? text.p : (const uint8_t *)"",
                        text.n, 0, 0, m->data, m->context);

    if (n >= 0)
        return SIGMA_REGEX_YES;
    return n == PCRE2_ERROR_NOMATCH ? SIGMA_REGEX_NO : SIGMA_REGEX_LIMIT;
}

/* Letters that have a second lower case in Unicode: U+212A, U+017F. */
static bool
is_literal(uint8_t c, bool nocase)
{
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

    if (nocase && ((c | 0x20) == 'k' || (c | 0x20) == 's'))
        return false;
    return letter || (c >= '0' && c <= '9') || c == ' ' || c == '_' ||
           c == '@' || c == '-' || c == '/' || c == ':' || c == '=';
}

/* Depth of brackets after c; SIZE_MAX for good once it cannot be told. */
struct look {
    size_t parens;
    bool class, escape;
};

static bool
is_outside(struct look *l, uint8_t c)
{
    bool outside = l->parens == 0 && !l->class && !l->escape;

    if (l->escape) {
        l->escape = false;
        return false;
    }
    l->escape = c == '\\';
    if (l->class)
        l->class = c != ']';
    else if (c == '[')
        l->class = true;
    else if (c == '(')
        l->parens++;
    else if (c == ')' && l->parens > 0)
        l->parens--;
    return outside;
}

struct span
sigma_regex_literal(struct span pattern, unsigned flags)
{
    bool nocase = (flags & SIGMA_REGEX_NOCASE) != 0;
    struct span best = SPAN_NONE;
    struct look look = {0};
    size_t run = 0, drop;

    /* What could turn the glance into an error: alternatives, quoting and
     * options inside, "]" first in a class, codes with several letters. */
    if (span_find(pattern, '|') < pattern.n ||
        span_search(pattern, SPAN_LIT("(?")) < pattern.n ||
        span_search(pattern, SPAN_LIT("[]")) < pattern.n ||
        span_search(pattern, SPAN_LIT("[^]")) < pattern.n ||
        span_search(pattern, SPAN_LIT("[:")) < pattern.n)
        return best;
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] == '\\' && memchr("\\.*+?()[]{}^$/-@ dDwWsSbB",
                                           span_at(pattern, i + 1), 26) == NULL)
            return SPAN_NONE;
        i += pattern.p[i] == '\\';
    }
    for (size_t i = 0; i <= pattern.n; i++) {
        uint8_t c = span_at(pattern, i);
        bool good =
            i < pattern.n && is_outside(&look, c) && is_literal(c, nocase);

        if (good) {
            run++;
            continue;
        }
        /* "abc*": the c may be missing. */
        drop = run > 0 && (c == '*' || c == '?' || c == '{') ? 1 : 0;
        if (run - drop > best.n && run - drop >= LITERAL_MIN)
            best = span_of(pattern.p + i - run, run - drop);
        run = 0;
    }
    return best;
}
