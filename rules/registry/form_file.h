#ifndef SPAN25_RULES_REGISTRY_FORM_FILE_H
#define SPAN25_RULES_REGISTRY_FORM_FILE_H
/* form_file - forms from and to CSV and YAML
 *
 * CSV (RFC 4180, UTF-8, with or without a byte order mark; ";" or tab as the
 * separator when the head says so): one row a line of a form, the columns of
 * fields.def in any order. Besides, "line" is the number within the form, and
 * "form" that of the form: rows of one number belong together wherever they
 * stand; # begins a form that has no number yet; without either a row goes on
 * with the form of the row before, or, where no form has a number, belongs to
 * the form of its site. What a form asks once may stand in any of its rows, or
 * in all of them alike. Unknown columns are a fault (a spelling mistake loses
 * data), but "x_..." is passed over. A file that has no column but "address"
 * and "site" is the short form: a permit for each address, port "any", both
 * ways; a form for each site.
 * YAML: a list of forms, or one form; keys as fields.def has them, nested or
 * with dots, "form" and, in each of "lines", "line" for the numbers.
 *
 * Read is what a file says, not whether it is right: that is form_check's, but
 * for the addresses of a short form. All or nothing: a file with a fault gives
 * no form, and every fault is told, at most FORM_FAULTS_MAX, as "NAME:12:8:
 * ...". A file without one may still leave questions in messages ("NAME:12:
 * question: ..."): addresses that stand in two forms, or within another's
 * prefix.
 *
 * What a writer writes a reader gives back equal (form_equal). CSV cells are
 * safe in a spreadsheet: apostrophes keep it from seeing a formula, and the
 * reader takes them away again, csv.h says which. Never recurses; at most
 * FORM_FILE_MAX bytes, FORM_ROW_MAX a row or value, FORM_LINES_MAX lines. */
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

/* name is what messages call the file. out is initialised by the call, and
 * empty on error. ERR_FORMAT with at least one message. */
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
