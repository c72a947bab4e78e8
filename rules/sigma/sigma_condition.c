#include "rules/sigma/sigma_condition.h"

#include <stdarg.h>
#include <stdio.h>

#define STACK (SIGMA_CONDITION_NEST + 4)

struct parser {
    struct sigma_condition *c;
    const struct sigma_names *names;
    struct span rest;
    uint8_t stack[STACK]; /* enum sigma_code_op, or OPEN */
    unsigned depth;
    bool operand; /* one comes next */
};

#define OPEN 7U

static bool PRINTF(2, 3) fail(struct parser *p, const char *what, ...)
{
    va_list args;

    va_start(args, what);
    (void)vsnprintf(p->c->error, sizeof(p->c->error), what, args);
    va_end(args);
    return false;
}

bool
sigma_condition_put(struct sigma_condition *c, enum sigma_code_op op,
                    uint32_t arg)
{
    if (c->n == SIGMA_CODE_MAX) {
        (void)snprintf(c->error, sizeof(c->error),
                       "the condition is too long, at most %u terms",
                       SIGMA_CODE_MAX);
        return false;
    }
    c->code[c->n++] =
        (struct sigma_code){(unsigned)op & 7U, arg & ((1U << 29) - 1)};
    return true;
}

/* ---- words ---- */

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_name(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           c == '_' || c == '-' || c == '*';
}

static struct span
peek_word(struct span *rest)
{
    size_t n = 0;

    while (rest->n > 0 && is_space(rest->p[0]))
        *rest = span_tail(*rest, 1);
    while (n < rest->n && is_name(rest->p[n]))
        n++;
    /* a bracket, or what does not belong here */
    return span_head(*rest, n > 0 ? n : rest->n > 0 ? 1 : 0);
}

static struct span
next_word(struct parser *p)
{
    struct span w = peek_word(&p->rest);

    p->rest = span_tail(p->rest, w.n);
    return w;
}

static bool
is(struct span w, const char *s)
{
    return span_eq(w, span_str(s));
}

bool
sigma_condition_like(struct span pattern, struct span name)
{
    size_t i = 0, k = 0, star = SIZE_MAX, back = 0;

    while (k < name.n) {
        if (i < pattern.n && pattern.p[i] == '*') {
            star = i++;
            back = k;
        } else if (i < pattern.n && pattern.p[i] == name.p[k]) {
            i++;
            k++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            k = ++back;
        } else {
            return false;
        }
    }
    while (i < pattern.n && pattern.p[i] == '*')
        i++;
    return i == pattern.n;
}

/* ---- operands ---- */

static bool
put_name(struct parser *p, uint32_t i)
{
    if (p->names->used != NULL)
        p->names->used[i] = true;
    return sigma_condition_put(p->c, SIGMA_CODE_SEL, i);
}

static bool
on_of(struct parser *p, struct span quant)
{
    enum sigma_code_op op = is(quant, "all") ? SIGMA_CODE_AND : SIGMA_CODE_OR;
    struct span target;
    bool them, hidden, any = false;

    (void)next_word(p);
    target = next_word(p);
    them = is(target, "them");
    hidden = span_at(target, 0) == '_';
    if (p->names->plain)
        return fail(p, "'%s of' is not for correlations, name the rules",
                    sigma_word(quant).s);
    if (target.n == 0 || !is_name(target.p[0]))
        return fail(p, "'%s of' lacks its pattern, write them or a name",
                    sigma_word(quant).s);
    for (uint32_t i = 0; i < p->names->n; i++) {
        struct span name = p->names->v[i];

        if (!(them || sigma_condition_like(target, name)) ||
            (span_at(name, 0) == '_' && !hidden))
            continue;
        if (!put_name(p, i) || (any && !sigma_condition_put(p->c, op, 0)))
            return false;
        any = true;
    }
    if (!any)
        return fail(p, "nothing is called '%s', name a selection",
                    sigma_word(target).s);
    p->operand = false;
    return true;
}

static bool
on_identifier(struct parser *p, struct span w)
{
    for (uint32_t i = 0; i < p->names->n; i++) {
        if (span_eq(p->names->v[i], w)) {
            p->operand = false;
            return put_name(p, i);
        }
    }
    if (span_eq_nocase(w, SPAN_LIT("and")) ||
        span_eq_nocase(w, SPAN_LIT("or")) || span_eq_nocase(w, SPAN_LIT("not")))
        return fail(p, "'%s' must be in lower case, and stand between two",
                    sigma_word(w).s);
    return fail(p, "there is no selection '%s'", sigma_word(w).s);
}

static bool
push(struct parser *p, unsigned op)
{
    if (p->depth == SIGMA_CONDITION_NEST)
        return fail(p, "nested too deeply");
    p->stack[p->depth++] = (uint8_t)op;
    return true;
}

static bool
on_operand(struct parser *p, struct span w)
{
    struct span ahead = p->rest;

    if (is(w, "("))
        return push(p, OPEN);
    if (is(w, "not"))
        return push(p, SIGMA_CODE_NOT);
    if (is(peek_word(&ahead), "of")) {
        if (is(w, "1") || is(w, "any") || is(w, "all"))
            return on_of(p, w);
        return fail(p, "'%s of' is not known, write 1 of, any of or all of",
                    sigma_word(w).s);
    }
    if (is(w, "and") || is(w, "or") || is(w, ")"))
        return fail(p, "a selection is missing before '%s'", sigma_word(w).s);
    if (!is_name(w.p[0]))
        return fail(p, "'%s' does not belong into a condition",
                    sigma_word(w).s);
    return on_identifier(p, w);
}

/* ---- operators ---- */

/* NOT 3, AND 2, OR 1, an open bracket 0. */
static unsigned
binding(unsigned op)
{
    return op == SIGMA_CODE_NOT   ? 3
           : op == SIGMA_CODE_AND ? 2
           : op == SIGMA_CODE_OR  ? 1
                                  : 0;
}

static bool
pop_to(struct parser *p, unsigned least)
{
    while (p->depth > 0 && binding(p->stack[p->depth - 1]) >= least) {
        if (!sigma_condition_put(p->c, (enum sigma_code_op)p->stack[--p->depth],
                                 0))
            return false;
    }
    return true;
}

static bool
on_close(struct parser *p)
{
    if (!pop_to(p, 1))
        return false;
    if (p->depth == 0)
        return fail(p, "a ')' without its '('");
    p->depth--;
    return true;
}

static bool
on_operator(struct parser *p, struct span w)
{
    unsigned op = is(w, "and") ? SIGMA_CODE_AND : SIGMA_CODE_OR;

    if (is(w, ")"))
        return on_close(p);
    if (is(w, "|"))
        return fail(p,
                    "'%s' and what follows is old Sigma, write a "
                    "correlation instead",
                    sigma_word(w).s);
    if (!is(w, "and") && !is(w, "or"))
        return fail(p, "'and' or 'or' is missing before '%s'", sigma_word(w).s);
    p->operand = true;
    return pop_to(p, binding(op)) && push(p, op);
}

bool
sigma_condition_parse(struct sigma_condition *c, struct span text,
                      const struct sigma_names *names)
{
    struct parser p = {.c = c, .names = names, .rest = text, .operand = true};
    struct span w;

    if (text.n > SIGMA_CONDITION_MAX)
        return fail(&p, "the condition is too long");
    while ((w = next_word(&p)).n > 0) {
        if (!(p.operand ? on_operand(&p, w) : on_operator(&p, w)))
            return false;
    }
    if (p.operand)
        return fail(&p, "the condition ends too early, a selection is "
                        "missing");
    if (!pop_to(&p, 1))
        return false;
    if (p.depth > 0)
        return fail(&p, "a '(' is not closed");
    return true;
}

/* ---- code with jumps ---- */

/* Code that makes room for a jump between both sides of an operator. Jumps are
 * relative: those of the left side to its end now meet the new jump, which
 * does what is right with the register. */
static void
insert(struct sigma_code *v, uint32_t *n, uint32_t at, enum sigma_code_op op)
{
    memmove(v + at + 1, v + at, (*n - at) * sizeof(*v));
    *n += 1;
    v[at] = (struct sigma_code){(unsigned)op & 7U,
                                (*n - at - 1) & ((1U << 29) - 1)};
}

bool
sigma_condition_compile(struct sigma_arena *a, struct sigma_program postfix,
                        struct sigma_program *out)
{
    struct sigma_code *v = SIGMA_GET(a, struct sigma_code, postfix.n + 1U);
    uint32_t n = 0, start[STACK * 2];
    unsigned depth = 0;

    if (v == NULL)
        return false;
    for (uint32_t i = 0; i < postfix.n; i++) {
        struct sigma_code code = postfix.v[i];

        if (code.op == SIGMA_CODE_SEL) {
            REQUIRE(depth < ARRAY_LEN(start));
            start[depth++] = n;
            v[n++] = code;
        } else if (code.op == SIGMA_CODE_NOT) {
            v[n++] = code;
        } else {
            REQUIRE(depth >= 2);
            depth--;
            insert(v, &n, start[depth],
                   code.op == SIGMA_CODE_AND ? SIGMA_CODE_JF : SIGMA_CODE_JT);
        }
    }
    *out = (struct sigma_program){v, n};
    return true;
}
