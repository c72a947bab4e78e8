#include "dissectors/smtp_data.h"

#include "sensor/base/attr.h"

enum state { TEXT, DOT, DOT_CR, DOT_CR_CR };
enum before { B_CRLF, B_CRCRLF, B_LF, B_CR, B_NUL, B_NONE };

static const char *const names[] = {
#define SMTP_EOD_NAME(id, name) [SMTP_EOD_##id] = (name),
    SMTP_EOD_MAP(SMTP_EOD_NAME)
#undef SMTP_EOD_NAME
};

const char *
smtp_eod_name(enum smtp_eod e)
{
    return names[e];
}

void
smtp_data_init(struct smtp_data *d)
{
    *d = (struct smtp_data){
        .facts = {.prev = '\n'},
          .tail = { 'x', '\r', '\n'}
    };
}

void
smtp_data_lost(struct smtp_data *d)
{
    d->state = TEXT;
    d->facts.prev = 'x';
    memset(d->tail, 'x', sizeof(d->tail));
    d->unknown = true;
}

/* A LF right behind a gap belongs to a CRLF whose CR was lost. */
static void
resume(struct smtp_data *d, struct span in)
{
    d->unknown = false;
    if (span_at(in, 0) == '\n')
        d->facts.prev = d->tail[2] = '\r';
}

static void
remember(struct smtp_data *d, struct span s)
{
    for (size_t i = s.n > 3 ? s.n - 3 : 0; i < s.n; i++) {
        d->tail[0] = d->tail[1];
        d->tail[1] = d->tail[2];
        d->tail[2] = span_at(s, i);
    }
}

static void
give(struct span s, const struct smtp_data_ops *ops, void *ctx)
{
    if (s.n > 0)
        ops->content(ctx, s);
}

static enum before
before_dot(const struct smtp_data *d)
{
    const uint8_t *t = d->tail;

    switch (t[2]) {
    case '\n':
        if (t[1] != '\r')
            return B_LF;
        return t[0] == '\r' ? B_CRCRLF : B_CRLF;
    case '\r': return B_CR;
    case 0: return t[1] == '\n' && t[0] == '\r' ? B_NUL : B_NONE;
    default: return B_NONE;
    }
}

static bool
is_strict(const struct smtp_data *d)
{
    return d->before == B_CRLF || d->before == B_CRCRLF;
}

/* Which sequence: by what stood before the dot and what stands after it. */
enum after { A_LF, A_CR, A_CRLF, A_CRCRLF };

static enum smtp_eod
variant_of(const struct smtp_data *d, enum after after)
{
    static const enum smtp_eod table[6][4] = {
        [B_CRLF] = {SMTP_EOD_CRLF_LF, SMTP_EOD_CRLF_CR, SMTP_EOD_NONE,
                    SMTP_EOD_CRLF_CRCRLF  },
        [B_CRCRLF] = {SMTP_EOD_CRLF_LF, SMTP_EOD_CRLF_CR, SMTP_EOD_NONE,
                    SMTP_EOD_CRCRLF_CRCRLF},
        [B_LF] = {SMTP_EOD_LF_LF,   SMTP_EOD_LF_CR,   SMTP_EOD_LF_CRLF,
                    SMTP_EOD_LF_CR        },
        [B_CR] = {SMTP_EOD_CR_LF,   SMTP_EOD_CR_CR,   SMTP_EOD_CR_CRLF,
                    SMTP_EOD_CR_CR        },
        [B_NUL] = {SMTP_EOD_NONE,    SMTP_EOD_NONE,    SMTP_EOD_NUL_CRLF,
                    SMTP_EOD_NONE         },
    };

    return table[d->before][after];
}

/* The dot was content after all: its bytes go out (a stuffed dot does not),
 * then the sequence is told, so that what follows it is content after it. */
static void
close_dot(struct smtp_data *d, struct span bytes, enum after after,
          bool irregular, const struct smtp_data_ops *ops, void *ctx)
{
    enum smtp_eod e = irregular ? variant_of(d, after) : SMTP_EOD_NONE;

    give(is_strict(d) ? span_tail(bytes, 1) : bytes, ops, ctx);
    remember(d, bytes);
    d->facts.prev = d->tail[2];
    d->state = TEXT;
    if (e != SMTP_EOD_NONE)
        ops->variant(ctx, e);
}

static void
tell(bool *flag, enum smtp_data_odd what, ptrdiff_t at,
     const struct smtp_data_ops *ops, void *ctx)
{
    if (!*flag)
        ops->odd(ctx, what, at);
    *flag = true;
}

/* What a scan of s has found for the first time. */
static void
tell_new(const struct smtp_scan_facts *was, const struct smtp_scan_facts *now,
         struct span s, const struct smtp_data_ops *ops, void *ctx)
{
    struct smtp_scan_facts f = *was;
    uint8_t prev = was->prev;

    if (LIKELY(f.bare_lf == now->bare_lf && f.bare_cr == now->bare_cr &&
               f.nul == now->nul))
        return;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);

        if (prev == '\r' && c != '\n')
            tell(&f.bare_cr, SMTP_DATA_BARE_CR, (ptrdiff_t)i - 1, ops, ctx);
        if (prev != '\r' && c == '\n')
            tell(&f.bare_lf, SMTP_DATA_BARE_LF, (ptrdiff_t)i, ops, ctx);
        if (c == 0)
            tell(&f.nul, SMTP_DATA_NUL, (ptrdiff_t)i, ops, ctx);
        if (f.bare_lf == now->bare_lf && f.bare_cr == now->bare_cr &&
            f.nul == now->nul)
            return;
        prev = c;
    }
}

/* One byte in the neighbourhood of a dot. Returns 1: end of data; 0: the byte
 * was taken; -1: it was not, read it as text. */
static int
near_dot(struct smtp_data *d, uint8_t c, const struct smtp_data_ops *ops,
         void *ctx)
{
    switch ((enum state)d->state) {
    case TEXT: return -1;
    case DOT:
        if (c == '\r') {
            d->state = DOT_CR;
            return 0;
        }
        if (c == '\n') {
            tell(&d->facts.bare_lf, SMTP_DATA_BARE_LF, 0, ops, ctx);
            close_dot(d, SPAN_LIT(".\n"), A_LF, true, ops, ctx);
            return 0;
        }
        close_dot(d, SPAN_LIT("."), A_LF, false, ops, ctx);
        return -1;
    case DOT_CR:
        if (c == '\n') {
            if (is_strict(d))
                return 1;
            close_dot(d, SPAN_LIT(".\r\n"), A_CRLF, true, ops, ctx);
            return 0;
        }
        tell(&d->facts.bare_cr, SMTP_DATA_BARE_CR, -1, ops, ctx);
        if (c == '\r') {
            d->state = DOT_CR_CR;
            return 0;
        }
        close_dot(d, SPAN_LIT(".\r"), A_CR, true, ops, ctx);
        return -1;
    case DOT_CR_CR:
        if (c == '\n') {
            close_dot(d, SPAN_LIT(".\r\r\n"), A_CRCRLF, true, ops, ctx);
            return 0;
        }
        close_dot(d, SPAN_LIT(".\r\r"), A_CR, true, ops, ctx);
        return -1;
    }
    return -1;
}

bool
smtp_data_push(struct smtp_data *d, smtp_scan_fn scan, struct span *in,
               const struct smtp_data_ops *ops, void *ctx)
{
    if (d->unknown && in->n > 0)
        resume(d, *in);
    while (in->n > 0) {
        struct smtp_scan_facts was;
        size_t n;

        if (d->state != TEXT) {
            int r = near_dot(d, span_at(*in, 0), ops, ctx);

            if (r >= 0)
                *in = span_tail(*in, 1);
            if (r == 1)
                return true;
            if (r == 0)
                continue;
        }
        was = d->facts;
        n = scan(*in, &d->facts);
        tell_new(&was, &d->facts, span_head(*in, n + 1), ops, ctx);
        give(span_head(*in, n), ops, ctx);
        remember(d, span_head(*in, n));
        *in = span_tail(*in, n);
        if (in->n > 0) {
            d->before = (uint8_t)before_dot(d);
            d->facts.prev = '.';
            d->state = DOT;
            *in = span_tail(*in, 1);
            if (d->before == B_NONE) {
                give(SPAN_LIT("."), ops, ctx);
                remember(d, SPAN_LIT("."));
                d->state = TEXT;
            }
        }
    }
    return false;
}
