#include "sensor/app/study_source.h"

#include <math.h>

static enum err
not_there(struct study_source *s)
{
    study_source_tell(s, "inputs of kind capture are not there yet");
    return ERR_FORMAT;
}

static enum study_next
nothing(struct study_source *s, struct span *record)
{
    (void)s;
    *record = SPAN_NONE;
    return STUDY_NEXT_END;
}

static void
nothing_to_close(struct study_source *s)
{
    (void)s;
}

const struct study_source_ops study_input_capture = {
    .kind = "capture",
    .open = not_there,
    .begin = not_there,
    .next = nothing,
    .close = nothing_to_close,
};
