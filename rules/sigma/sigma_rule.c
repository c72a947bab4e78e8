#include "rules/sigma/sigma_rule.h"

#include <stdarg.h>
#include <stdio.h>

#include "sensor/base/text.h"

#define WORD_MAX 48

struct sigma_word
sigma_word(struct span s)
{
    struct sigma_word w;
    struct buf b;
    bool cut = s.n > WORD_MAX;

    buf_init(&b, sizeof(w.s) - 4);
    text_term(&b, span_head(s, WORD_MAX));
    (void)snprintf(w.s, sizeof(w.s), "%.*s%s", (int)b.n,
                   b.p != NULL ? (const char *)b.p : "", cut ? "..." : "");
    buf_free(&b);
    return w;
}

static void
put_place(struct buf *out, struct span file, uint32_t line, uint32_t column)
{
    text_term(out, file);
    buf_printf(out, ":%u:%u: ", line, column);
}

static void PRINTF(5, 0)
    fault_v(struct sigma_reader *r, uint32_t line, uint32_t column,
            struct span key, const char *fmt, va_list args)
{
    char text[512];

    if (++r->faults > SIGMA_FAULTS_MAX)
        return;
    (void)vsnprintf(text, sizeof(text), fmt, args);
    put_place(r->messages, r->file, line, column);
    if (key.n > 0) {
        buf_str(r->messages, sigma_word(key).s);
        buf_str(r->messages, ": ");
    }
    buf_str(r->messages, text);
    buf_putc(r->messages, '\n');
}

void
sigma_fault(struct sigma_reader *r, uint32_t line, uint32_t column,
            struct span key, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fault_v(r, line, column, key, fmt, args);
    va_end(args);
}

void
sigma_fault_at(struct sigma_reader *r, uint32_t node, struct span key,
               const char *fmt, ...)
{
    const struct sigma_node *n = &r->t->node[node];
    va_list args;

    va_start(args, fmt);
    fault_v(r, n->line, n->column, key, fmt, args);
    va_end(args);
}
