#ifndef SPAN25_RULES_REGISTRY_FORM_FILE_H
#define SPAN25_RULES_REGISTRY_FORM_FILE_H
/* form_file - forms from and to CSV and YAML
 *
 * CSV (RFC 4180, UTF-8, with or without a byte order mark; ";" or tab as the
 * separator when the head says so): one row a line, the form's columns repeated
 * or only in the first row of a form, the number in column "form"; the columns
 * of fields.def in any order, "line" for the number within the form. Unknown
 * columns are a fault (a spelling mistake loses data), but "x_..." is passed
 * over. A file that has no column but "address" and "site" is the short form:
 * a permit for each address, any port, both ways.
 * YAML: a list of forms, or one form, keys as fields.def has them.
 *
 * All or nothing: a file with a fault gives no form, and every fault is told,
 * at most FORM_FAULTS_MAX, as "NAME:12:8: ...". What a writer writes a reader
 * gives back equal (form_equal), except that CSV cells which a spreadsheet
 * would take for a formula are written with a leading apostrophe, which the
 * reader takes away again. Never recurses; at most FORM_FILE_MAX bytes, a row
 * at most FORM_ROW_MAX. */
#include "rules/registry/form.h"

#define FORM_FILE_MAX (1U << 30)
#define FORM_ROW_MAX  (1U << 20)

struct forms {
    struct form *v;
    size_t n, cap;
    bool short_list; /* CSV with addresses and sites only */
};

void forms_init(struct forms *f);
void forms_fini(struct forms *f);

/* name is what messages call the file. ERR_FORMAT with at least one message. */
MUST_USE enum err form_csv_read(struct span text, const char *name,
                                struct forms *out, struct buf *messages);
MUST_USE enum err form_yaml_read(struct span text, const char *name,
                                 struct forms *out, struct buf *messages);
/* By the look of it. */
MUST_USE enum err form_file_read(struct span text, const char *name,
                                 struct forms *out, struct buf *messages);

void form_csv_head(struct buf *out);
void form_csv_write(const struct form *f, struct buf *out);
void form_yaml_write(const struct form *f, struct buf *out); /* an entry of a
                                                              * list */

#endif
