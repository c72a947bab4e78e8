#include "sensor/app/registry.h"
#include "sensor/app/registry_lines.h"
#include "sensor/app/serve_public_parts.h"
#include "sensor/store/registry_db.h"

void
serve_public_forget_registry(struct serve_public *p)
{
    registry_db_close(p->db);
    book_free(p->book);
    p->db = NULL;
    p->book = NULL;
}

const struct book_form *
serve_public_find_form(struct serve_public *p, const char *number)
{
    struct buf path, why;
    enum err e = ERR_OK;

    buf_init(&path, 8192);
    buf_init(&why, 4096);
    buf_printf(&path, "%s/" REGISTRY_DB_FILE "%c", p->o.state, 0);
    if (p->db == NULL) {
        e = path.cut || path.failed ? ERR_LIMIT : book_new(&p->book);
        if (e == ERR_OK)
            e = registry_db_open((const char *)path.p, REGISTRY_DB_READ, &p->db,
                                 &why);
        if (e == ERR_OK)
            e = registry_replay(p->db, p->book, &why);
    } else if (registry_db_changed(p->db)) {
        e = registry_replay(p->db, p->book, &why);
    }
    buf_free(&path);
    buf_free(&why);
    if (e == ERR_OK)
        return book_find(p->book, number);
    serve_public_forget_registry(p);
    return NULL;
}

static ns_t
put_line(const struct book_line *l, ns_t now, struct json_out *j)
{
    struct clock clock = book_clock_at(l, now);

    json_begin(j, '{');
    json_key(j, "line");
    json_u64(j, l->line->number);
    serve_public_put_text(j, "state", book_word(book_state_at(l, now)));
    serve_public_put_text(j, "address", l->line->text[FORM_ADDRESS]);
    serve_public_put_text(j, "port", l->line->text[FORM_PORT]);
    serve_public_put_text(j, "direction", registry_lines_use(l->line));
    serve_public_put_time(j, "received", l->dates.received);
    serve_public_put_time(j, "checked", l->dates.checked);
    serve_public_put_time(j, "approved", l->dates.approved);
    serve_public_put_time(j, "entered", l->dates.entered);
    serve_public_put_time(j, "first_mail", l->dates.seen);
    serve_public_put_time(j, "until", l->dates.until);
    serve_public_put_text(j, "reason", l->reason);
    json_end(j, '}');
    return clock_due(&clock);
}

void
serve_public_put_state(struct asked *a, struct json_out *j)
{
    const struct book_form *form =
        a->draft.form[0] != 0 ? serve_public_find_form(a->p, a->draft.form)
                              : NULL;
    ns_t now = a->now;
    ns_t due = 0;

    json_key(j, "state");
    if (form == NULL) {
        json_null(j);
        return;
    }
    if (book_time(a->p->book) > now) /* what was entered by this request */
        now = book_time(a->p->book);
    json_begin(j, '{');
    json_key(j, "complete");
    json_bool(j, form->complete);
    serve_public_put_time(j, "mail_confirmed", book_mail(form));
    json_key(j, "lines");
    json_begin(j, '[');
    for (size_t i = 0; i < form->form.n_lines; i++) {
        ns_t at = 0;

        if (book_state_at(form->lines[i], now) != BOOK_NONE)
            at = put_line(form->lines[i], now, j);
        due = at > 0 && (due == 0 || at < due) ? at : due;
    }
    json_end(j, ']');
    serve_public_put_time(j, "due", due);
    json_end(j, '}');
}
