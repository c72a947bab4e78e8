#include "sensor/app/form_json.h"

/* In the order of enum form_type. */
static const char *const types[] = {"text",      "mail",    "phone", "count",
                                    "date",      "yesno",   "port",  "prefix",
                                    "direction", "prefixes"};

static void
write_texts(char *const *text, enum form_scope scope, struct json_out *j)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope != scope || text[i] == NULL)
            continue;
        json_key(j, form_rows[i].path);
        (void)json_str(j, span_str(text[i]));
    }
}

void
form_json_write(const struct form *f, struct json_out *j)
{
    json_begin(j, '{');
    if (f->number[0] != 0) {
        json_key(j, "form");
        (void)json_str(j, span_str(f->number));
    }
    write_texts(f->text, FORM_SCOPE_FORM, j);
    json_key(j, "lines");
    json_begin(j, '[');
    for (size_t i = 0; i < f->n_lines; i++) {
        json_begin(j, '{');
        if (f->lines[i].number > 0) {
            json_key(j, "line");
            json_u64(j, f->lines[i].number);
        }
        write_texts(f->lines[i].text, FORM_SCOPE_LINE, j);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
}

void
form_json_fields(struct json_out *j)
{
    json_begin(j, '[');
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        const struct form_row *r = &form_rows[i];

        json_begin(j, '{');
        json_key(j, "path");
        (void)json_str(j, span_str(r->path));
        json_key(j, "label");
        (void)json_str(j, span_str(r->label));
        json_key(j, "help");
        (void)json_str(j, span_str(r->help));
        json_key(j, "of");
        (void)json_str(j,
                       span_str(r->scope == FORM_SCOPE_FORM ? "form" : "line"));
        json_key(j, "type");
        (void)json_str(j, span_str(types[r->type]));
        json_key(j, "must");
        json_bool(j, r->must);
        json_end(j, '}');
    }
    json_end(j, ']');
}

void
form_json_fault(void *ctx, const struct form_fault *fault)
{
    const struct form_row *r = &form_rows[fault->field];
    struct json_out *j = ctx;

    json_begin(j, '{');
    json_key(j, "path");
    (void)json_str(j, span_str(r->path));
    json_key(j, "label");
    (void)json_str(j, span_str(r->label));
    json_key(j, "line");
    json_u64(j, fault->line);
    json_key(j, "asks");
    json_bool(j, fault->asks);
    json_key(j, "what");
    (void)json_str(j, span_str(fault->what));
    json_key(j, "hint");
    if (fault->hint != NULL)
        (void)json_str(j, span_str(fault->hint));
    else
        json_null(j);
    json_end(j, '}');
}
