#ifndef SPAN25_APP_STUDY_ANONYMIZE_PARTS_H
#define SPAN25_APP_STUDY_ANONYMIZE_PARTS_H
/* study_anonymize_parts - for study_anonymize alone */
#include "rules/sigma/sigma_arena.h"
#include "sensor/app/study_anonymize.h"

/* ---- study_anonymize_names: what must not be in a text ---- */

#define ANONYMIZE_WORDS 24U /* of one name: longer ones are not looked for */
#define ANONYMIZE_NAME  2U  /* bytes of a name, at least: a letter is no name */
#define ANONYMIZE_HELD  "(withheld: it names what is left out)"

/* Names as hashes, without regard to case and to marks around them. */
struct anonymize_names {
    uint64_t *v;
    size_t n, cap;
    bool failed; /* no memory */
};

void anonymize_names_add(struct anonymize_names *a, const char *name);
void anonymize_names_add_addr(struct anonymize_names *a, const struct addr *h);
/* Before the first look. */
void anonymize_names_sort(struct anonymize_names *a);
/* One of them stands in the text, between marks or ends. */
bool anonymize_names_in(const struct anonymize_names *a, const char *text);
void anonymize_names_free(struct anonymize_names *a);

/* ---- study_anonymize_few: groups that are too small ---- */

/* r is a copy of from with lists of its own. */
void anonymize_few(const struct study_result *from, struct study_result *r,
                   uint32_t few);

#endif
