#include "tests/evaluate/publish.h"

#include <inttypes.h>
#include <stdio.h>

#include "rules/packs/packs.h"
#include "sensor/base/hash.h"

#define SEED UINT64_C(0x5eed)

/* rules_pack of the program: the folder that a file of packs stands in. */
static enum err
load_rules(struct sigma_set *s)
{
    struct buf messages;
    enum err e = ERR_OK;

    buf_init(&messages, 1U << 20);
    for (const struct pack_file *f = packs; e == ERR_OK && f->name; f++) {
        struct span name = span_str(f->name);
        struct span pack = span_head(name, span_find(name, '/'));

        if (!span_eq(span_tail(name, name.n - 5), SPAN_LIT(".yaml")))
            continue;
        e = sigma_set_pack(s, pack);
        if (e == ERR_OK)
            e = sigma_load(s, f->text, name, &messages);
    }
    if (e == ERR_OK)
        e = sigma_set_compile(s, &messages);
    buf_free(&messages);
    return e;
}

enum err
publish_rules(struct sigma_set **out)
{
    struct sigma_set *s;
    enum err e = sigma_set_new(&s);

    if (e != ERR_OK)
        return e;
    e = load_rules(s);
    if (e != ERR_OK)
        sigma_set_free(s);
    else
        *out = s;
    return e;
}

void
publisher_init(struct publisher *p, const struct play *play)
{
    *p = (struct publisher){.play = play};
    record_init(&p->out);
    record_init(&p->more);
}

void
publisher_fini(struct publisher *p)
{
    record_free(&p->out);
    record_free(&p->more);
}

/* Of what its subject is, where it has one. */
static void
put_subject(struct publisher *p, struct span conclusion)
{
    struct subject *s = NULL;
    struct addr a;

    if (entry_addr(record_find(conclusion, FIELD_SRC_IP), &a))
        s = play_find(p->play, &a);
    if (s == NULL)
        return;
    record_text(&p->more, FIELD_SRC_REG_STATE,
                s->registered ? "registered" : "unregistered");
    if (s->registered)
        record_text(&p->more, FIELD_SRC_REG_SITE, s->site);
    record_text(&p->more, FIELD_SRC_HOST_SITE, s->site);
}

void
publisher_place(struct publisher *p, struct span conclusion,
                struct record_map *out)
{
    static const char digits[] = "0123456789abcdef";
    struct record_head head = record_head_of(conclusion);
    uint64_t number = hash_mix(SEED, ++p->n);
    char id[16];

    for (size_t i = 0; i < sizeof(id); i++)
        id[i] = digits[number >> (60 - 4 * i) & 15U];
    record_begin(&p->more, &head);
    record_str(&p->more, FIELD_EVENT_ID, span_of(id, sizeof(id)));
    record_u64(&p->more, FIELD_SCHEMA_VERSION, SCHEMA_VERSION);
    record_text(&p->more, FIELD_SENSOR, "evaluate");
    put_subject(p, conclusion);
    record_merge(&p->out, conclusion, record_view(&p->more));
    record_map_init(out, record_view(&p->out));
}
