#ifndef SPAN25_APP_REGISTRY_CHECKS_H
#define SPAN25_APP_REGISTRY_CHECKS_H
/* registry_checks - what was seen of a form's addresses, beside what its signer
 * attested
 *
 * A row for each requirement (rules/registry/requirements.h) and each host that
 * a line holds and that was seen: observed, none observed, not observable. Read
 * from the journal, or from --events, judged by the registry of now. */
#include "sensor/app/registry.h"
#include "sensor/app/registry_table.h"

void registry_checks_init(struct registry_table *t);
/* Exits as registry_seen_find; the table has rows on DONE and PARTIAL. */
MUST_USE enum cli_exit registry_checks_make(struct registry_call *c,
                                            const struct book_form *form,
                                            struct registry_table *t);
MUST_USE bool registry_checks_write(struct registry_call *c,
                                    const struct registry_table *t);

#endif
