#include "dissectors/protocol.h"
#include "dissectors/smtp_session.h"

/* The first bytes of a connection, kept until it is known to be SMTP or TLS. */
struct foreign {
    struct vec bytes[2];
    const char *name; /* once asked for */
    bool asked;
};

/* Where there is no memory the protocol has no name: nothing else is lost. */
static void
keep(struct smtp *s, enum dir d, struct span data)
{
    struct vec *v = &s->foreign->bytes[d];
    const struct span more = span_head(data, PROTOCOL_BYTES - v->n);

    if (more.n > 0)
        (void)vec_put(v, smtp_mem(s), more.p, more.n);
}

void
smtp_foreign_see(struct smtp *s, const struct chunk *c)
{
    s->familiar |=
        s->knows_smtp || s->greeted || s->implicit_tls || s->flow->midstream;
    if (s->familiar) {
        smtp_foreign_free(s);
        return;
    }
    if (s->foreign == NULL)
        s->foreign = mem_new(smtp_mem(s), sizeof(*s->foreign));
    if (s->foreign != NULL)
        keep(s, c->dir, c->data);
}

const char *
smtp_foreign_name(struct smtp *s)
{
    struct foreign *f = s->foreign;

    if (f == NULL || (s->anomalies & UINT64_C(1) << ANOM_NOT_SMTP) == 0)
        return NULL;
    if (!f->asked)
        f->name = protocol_name(s->ctx->name_others ? s->ctx->ndpi : NULL,
                                vec_view(&f->bytes[DIR_C2S]),
                                vec_view(&f->bytes[DIR_S2C]));
    f->asked = true;
    return f->name;
}

void
smtp_foreign_free(struct smtp *s)
{
    if (s->foreign == NULL)
        return;
    vec_free(&s->foreign->bytes[DIR_C2S], smtp_mem(s));
    vec_free(&s->foreign->bytes[DIR_S2C], smtp_mem(s));
    mem_free(smtp_mem(s), s->foreign, sizeof(*s->foreign));
    s->foreign = NULL;
}
