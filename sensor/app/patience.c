#include "sensor/app/patience.h"

static void
forget_some(struct patience *p)
{
    p->jobs = 1;
    for (unsigned k = 0; k < FILETYPE_COUNT; k++) {
        p->all -= p->lost[k] > 0;
        p->lost[k] = (uint8_t)(p->lost[k] - (p->lost[k] > 0));
    }
}

enum patience_left
patience_ask(struct patience *p, enum filetype kind)
{
    unsigned most;

    if (++p->jobs > PATIENCE_STRETCH)
        forget_some(p);
    most = p->all < PATIENCE_ALL ? PATIENCE_KIND : 1;
    if (p->lost[kind] >= most)
        return PATIENCE_NONE;
    return p->all < PATIENCE_HURRY ? PATIENCE_FULL : PATIENCE_SHORT;
}

void
patience_lost(struct patience *p, enum filetype kind)
{
    if (p->lost[kind] == UINT8_MAX)
        return;
    p->lost[kind]++;
    p->all++;
}
