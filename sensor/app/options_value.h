#ifndef SPAN25_APP_OPTIONS_VALUE_H
#define SPAN25_APP_OPTIONS_VALUE_H
/* options_value - one value of each type of option: read, write, free
 *
 * `at` points to the member, of the C type in OPTION_TYPES. A list grows by
 * each set; several items in one text stand between commas. */
#include "sensor/app/options.h"

/* False leaves the value as it is, or a list with some of the new items, and
 * adds one phrase to why. Text from outside is escaped there. */
MUST_USE bool options_value_set(const struct option_row *row, struct span text,
                                void *at, struct buf *why);
void options_value_free(const struct option_row *row, void *at);

/* As YAML: a plain word, a quoted string, or [a, b]. */
void options_value_format(const struct option_row *row, const void *at,
                          struct buf *out);

bool options_value_is_list(enum option_type type);
const char *options_value_what(enum option_type type);
/* Items of a list; 1 for other types. */
size_t options_value_count(enum option_type type, const void *at);
/* Least and most of the row's range; false when it is not a range. */
bool options_value_range(const struct option_row *row, uint64_t *least,
                         uint64_t *most);
/* The range says something beside the help: bounds of a number, words. */
bool options_value_shows_range(const struct option_row *row);
/* Number of the word `text` among "a|b|c", or -1. */
int options_value_choice(const char *words, struct span text);
/* Number of the ending of `name` among ".a|.b|.c", or -1. */
int options_value_ending(const char *endings, const char *name);

#endif
