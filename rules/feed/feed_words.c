#include "rules/feed/feed.h"

const struct feed_limits feed_limits_default = {
#define X(name, value, least, most, unit, why) .name = (value),
#include "rules/feed/feed.def"
#undef X
};

static const struct {
    const char *name;
    uint64_t least, most;
} limits[] = {
#define X(name, value, least, most, unit, why) {#name, (least), (most)},
#include "rules/feed/feed.def"
#undef X
};

static const char *const origins[] = {
#define WORD(id, word) word,
    FEED_ORIGINS(WORD)
#undef WORD
};

static const struct {
    const char *word, *doc;
} whys[] = {
#define ROW(id, word, doc) {word, doc},
    FEED_WHYS(ROW)
#undef ROW
};

static const char *const verdicts[] = {
#define DOC(id, doc) doc,
    FEED_VERDICTS(DOC)
#undef DOC
};

const char *
feed_limits_bad(const struct feed_limits *l)
{
    const uint64_t given[] = {
#define X(name, value, least, most, unit, why) l->name,
#include "rules/feed/feed.def"
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        if (given[i] < limits[i].least || given[i] > limits[i].most)
            return limits[i].name;
    }
    return NULL;
}

const char *
feed_origin_word(enum feed_origin o)
{
    return origins[o];
}

const char *
feed_why_word(enum feed_why w)
{
    return whys[w].word;
}

const char *
feed_why_doc(enum feed_why w)
{
    return whys[w].doc;
}

const char *
feed_verdict_doc(enum feed_verdict v)
{
    return verdicts[v];
}
