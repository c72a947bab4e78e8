#include "tests/evaluate/scenario.h"

#include "dissectors/mail_score.h"
#include "sensor/base/hash.h"

/* What rows of a kind share. */
#define BOT                                                                    \
    .label = LABEL_BOT, .target = TARGET_DIRECT, .batch = {1, 1}, .first = 1,  \
    .fresh = .8, .asks_mx = 1, .full = .02, .refused = .05, .listed = .03
#define BOT_FAST BOT, .hosts = 4, .days = 1, .cap = 2000
#define BOT_SLOW                                                               \
    .label = LABEL_BOT, .recipients = {1, 1}, .batch = {1, 1}, .first = 1,     \
    .fresh = .8, .asks_mx = 1, .full = .02, .refused = .03
#define LEGIT                                                                  \
    .label = LABEL_LEGIT, .target = TARGET_LEGIT, .days = 7,                   \
    .recipients = {1, 1}, .retries = 1, .full = .01, .refused = .005,          \
    .asks_mx = .5
#define FORGED                                                                 \
    .label = LABEL_VICTIM, .target = TARGET_SPOOF, .days = 1,                  \
    .recipients = {1, 1}, .batch = {1, 1}, .failing = {.4, .4}, .first = 1,    \
    .fresh = .8, .speaker = SPEAKER_RUSTOCK, .content = CONTENT_SPAM

/* A row may set again what its kind has set: the last one counts. */
#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
const struct scenario scenarios[SCENARIO_COUNT] = {
#define X(id, ...) [SCENARIO_##id] = {__VA_ARGS__},
#include "tests/evaluate/scenario.def"
#undef X
};
#pragma GCC diagnostic pop

const struct speaker_row speakers[SPEAKER_COUNT] = {
#define X(id, ...) [SPEAKER_##id] = {__VA_ARGS__},
#include "tests/evaluate/speaker.def"
#undef X
};

const struct content_row contents[CONTENT_COUNT] = {
#define X(id, name, bulk, received, shared, turns, bytes, ...)                 \
    [CONTENT_##                                                                \
        id] = {name, bulk, received, shared, turns, bytes, {__VA_ARGS__}},
#include "tests/evaluate/content.def"
#undef X
};

const char *
label_word(enum label l)
{
    static const char *const words[LABEL_COUNT] = {"bot", "mixed", "legitimate",
                                                   "victim"};

    return words[l];
}

const char *
target_word(enum target t)
{
    static const char *const words[TARGET_COUNT] = {
        "none",   "direct", "400 a day",  "20 a day",
        "evader", "human",  "legitimate", "spoof"};

    return words[t];
}

bool
scenario_is_tuning(const struct scenario *s)
{
    return s->family != NULL && hash_span(span_str(s->family), 25) % 2 == 0;
}

unsigned
content_received(const struct content_row *c, uint64_t marks)
{
    if ((marks >> MAIL_SYMBOL_NO_RECEIVED & 1) != 0)
        return 0;
    return c->received > 0 ? c->received : 1;
}
