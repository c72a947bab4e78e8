#ifndef SPAN25_APP_FORM_JSON_H
#define SPAN25_APP_FORM_JSON_H
/* form_json - a registration form, its fields and its faults as JSON
 *
 * A form is an object of the keys that form_yaml_read takes: {"form": number,
 * "site.name": text, ..., "lines": [{"line": 1, "address": text, ...}]}; what
 * is not filled in is left out. Read it back with form_yaml_read: JSON is
 * YAML. */
#include "rules/registry/form.h"
#include "sensor/base/json_out.h"

void form_json_write(const struct form *f, struct json_out *j);

/* What a form asks for: [{"path", "label", "help", "of": "form" or "line",
 * "type": "mail", "must": true}]. */
void form_json_fields(struct json_out *j);

/* A form_fault_fn; ctx is a struct json_out with an open list. {"path",
 * "label", "line": 0 of the form, "asks": a question, "what", "hint"}. */
void form_json_fault(void *ctx, const struct form_fault *fault);

#endif
