#include "dissectors/content/mapi.h"

#include "dissectors/content/reference.h"

void
mapi_judge_reminder(struct span value, struct findings *out)
{
    if (reference_of(value) == REFERENCE_UNC)
        findings_add_detail(out, FIND_REMINDER_UNC, value);
}
