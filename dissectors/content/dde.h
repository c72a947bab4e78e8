#ifndef SPAN25_DISSECTORS_CONTENT_DDE_H
#define SPAN25_DISSECTORS_CONTENT_DDE_H
/* dde - formulas of spreadsheets that start a program, and the text files that
 * Excel opens as sheets
 *
 * A formula is a cell that begins with = + - or @ and has
 *     program|topic!item    with the topic plain or in quotes (Excel)
 *     DDE("program"; ...    as a function (LibreOffice)
 * csv_inspector: .csv, .tsv and texts called .xls; slk_inspector: SYLK (ID;P),
 * whose ID record may also say that the sheet is an Excel 4.0 macro (;E). Both
 * are linear. A cell's quotes are not undone: a quote within a quoted cell is
 * doubled and ends the search early at worst. */
#include "dissectors/content/content.h"

/* One formula, or a line of cells. Where cells begin: after a byte of
 * separators, and at the head. FIND_DDE with the formula. */
void dde_judge(struct span text, struct span separators, struct findings *out);

extern const struct inspector csv_inspector;
extern const struct inspector slk_inspector;

#endif
