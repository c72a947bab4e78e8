#include "sensor/app/study_work_state.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHECKPOINT    (4ULL << 30)
#define CHECKPOINT_ID UINT64_C(0x6b63656863353274)

/* A part with its length before it. */
void
study_checkpoint_part(struct buf *out, struct span part)
{
    const uint64_t n = part.n;

    buf_put(out, &n, sizeof(n));
    buf_span(out, part);
}

static enum err
save_parts(const struct study_work *w, struct buf *out)
{
    const uint64_t head[] = {CHECKPOINT_ID, w->n_detectors, w->n};
    const size_t n_home = w->config.home.v == w->home ? w->config.home.n : 0;
    struct buf part;
    enum err e;

    buf_put(out, head, sizeof(head));
    study_checkpoint_part(out, span_of(w->home, n_home * sizeof(*w->home)));
    buf_init(&part, CHECKPOINT);
    e = study_inputs_save(w->inputs, &part);
    study_checkpoint_part(out, buf_view(&part));
    buf_reset(&part);
    if (e == ERR_OK)
        e = study_save(w->study, &part);
    study_checkpoint_part(out, buf_view(&part));
    for (size_t i = 0; e == ERR_OK && i < w->n_detectors; i++) {
        buf_reset(&part);
        e = detect_save(read_detect_get(w->detectors[i].detect), &part);
        study_checkpoint_part(out, buf_view(&part));
    }
    buf_reset(&part);
    study_recall_save(w->recall, &part);
    study_checkpoint_part(out, buf_view(&part));
    study_checkpoint_part(out, buf_view(&w->entered));
    if (e == ERR_OK && (part.failed || out->failed || w->entered.cut))
        e = ERR_NOMEM;
    buf_free(&part);
    return e;
}

void
study_checkpoint_save(struct study_work *w)
{
    struct buf text;
    int number;
    enum err e;

    if (w->o.checkpoint == NULL)
        return;
    buf_init(&text, CHECKPOINT);
    e = save_parts(w, &text);
    number = e == ERR_OK ? whole_file_save(w->o.checkpoint, buf_view(&text))
                         : ENOMEM;
    if (number != 0) {
        buf_str(w->messages, "span25: cannot write ");
        text_term(w->messages, span_str(w->o.checkpoint));
        buf_printf(w->messages, ": %s\n",
                   e == ERR_OK ? strerror(number) : err_text(e));
    }
    buf_free(&text);
}

static struct span
next_part(struct cursor *c)
{
    const uint64_t n = cur_le64(c);

    return cur_take(c, n);
}

/* What people had entered in the registry before the checkpoint. */
static void
enter_again(struct study_work *w, struct span records)
{
    struct cursor c = cur_open(records);
    struct record_map m;

    while (cur_left(&c) > 0) {
        const struct span r = next_part(&c);

        if (c.bad || !record_check(r))
            return;
        record_map_init(&m, r);
        study_work_enter(w, &m);
    }
}

static enum err
does_not_fit(struct study_work *w, enum err e)
{
    buf_str(w->messages, "span25: ");
    text_term(w->messages, span_str(w->o.checkpoint));
    buf_printf(w->messages,
               " does not fit this study (%s): give the inputs, window and "
               "policies that it was begun with, or remove it\n",
               err_text(e));
    return ERR_USAGE;
}

static bool
take_home(struct study_work *w, struct span home)
{
    const size_t n = home.n / sizeof(*w->home);

    if (n > HOME_MAX || home.n % sizeof(*w->home) != 0)
        return false;
    if (n == 0)
        return true;
    memcpy(w->home, home.p, home.n);
    for (size_t i = 0; i < n; i++) {
        if (w->home[i].bits > 128)
            return false;
    }
    w->config.home.v = w->home;
    w->config.home.n = n;
    return true;
}

enum err
study_checkpoint_read(struct study_work *w, struct buf *out)
{
    struct cursor c;
    int number;
    enum err e = ERR_FORMAT;

    if (w->o.checkpoint == NULL || access(w->o.checkpoint, F_OK) != 0)
        return ERR_OK;
    number = whole_file_load(w->o.checkpoint, CHECKPOINT, out);
    if (number != 0)
        return does_not_fit(w, err_from_errno(number));
    c = cur_open(buf_view(out));
    if (cur_le64(&c) == CHECKPOINT_ID) {
        (void)cur_le64(&c); /* detectors */
        w->n = cur_le64(&c);
        e = take_home(w, next_part(&c)) && !c.bad ? ERR_OK : ERR_CORRUPT;
    }
    if (e == ERR_OK)
        e = study_inputs_load(w->inputs, next_part(&c));
    return e == ERR_OK || e == ERR_BUSY ? e : does_not_fit(w, e);
}

static enum err
take_parts(struct study_work *w, struct cursor *c)
{
    enum err e = study_load(w->study, next_part(c));

    for (size_t i = 0; e == ERR_OK && i < w->n_detectors; i++)
        e = detect_load(read_detect_get(w->detectors[i].detect), next_part(c));
    if (e == ERR_OK && !study_recall_load(w->recall, next_part(c)))
        e = ERR_CORRUPT;
    if (e == ERR_OK)
        enter_again(w, next_part(c));
    return e == ERR_OK && c->bad ? ERR_CORRUPT : e;
}

enum err
study_checkpoint_take(struct study_work *w, struct span saved)
{
    struct cursor c = cur_open(saved);
    enum err e;

    if (saved.n == 0)
        return ERR_OK;
    (void)cur_le64(&c);
    if (cur_le64(&c) != w->n_detectors)
        return does_not_fit(w, ERR_FORMAT);
    (void)cur_le64(&c);
    (void)next_part(&c); /* home networks */
    (void)next_part(&c); /* inputs */
    e = take_parts(w, &c);
    return e == ERR_OK ? ERR_OK : does_not_fit(w, e);
}
