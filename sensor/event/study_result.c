#include "sensor/event/study_result.h"

const char *const study_size_words[8] = {
    "up to 4 KiB",      "4 to 16 KiB", "16 to 64 KiB", "64 to 256 KiB",
    "256 KiB to 1 MiB", "1 to 4 MiB",  "4 to 16 MiB",  "over 16 MiB",
};

static const char *const class_words[] = {
#define X(id, word, people) word,
    STUDY_CLASSES(X)
#undef X
};

static const char *const class_people[] = {
#define X(id, word, people) people,
    STUDY_CLASSES(X)
#undef X
};

static const char *const group_people[] = {
#define X(id, word, people) people,
    STUDY_GROUPS(X)
#undef X
};

const char *
study_class_word(enum study_class c)
{
    return class_words[c];
}

const char *
study_class_people(enum study_class c)
{
    return class_people[c];
}

const char *
study_group_people(enum study_group g)
{
    return group_people[g];
}
