#include "rules/study/study_state.h"

#include "sensor/base/attr.h"

#include <string.h>

enum where { SUBJECT, MAILER, HELO };

static const enum field fields[] = {
    [SUBJECT] = FIELD_EMAIL_SUBJECT,
    [MAILER] = FIELD_EMAIL_X_MAILER,
    [HELO] = FIELD_SMTP_HELO,
};

static const struct {
    enum where where;
    const char *word, *device;
    double weight;
} rows[] = {
#define X(where, word, device, weight) {where, word, device, weight},
#include "rules/study/devices.def"
#undef X
};

#define BUSINESS 3.0 /* of what nothing is known */

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool
has_word(struct span text, const char *word)
{
    const size_t n = strlen(word);

    for (size_t at = 0; at + n <= text.n; at++) {
        size_t i = 0;

        while (i < n && lower(span_at(text, at + i)) == (uint8_t)word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

unsigned
study_device(const struct record_map *smtp)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct span text = record_map_find(smtp, fields[rows[i].where]);

        if (text.n > 0 && has_word(span_head(text, 256), rows[i].word))
            return i + 1;
    }
    return 0;
}

const char *
study_device_name(unsigned device)
{
    return device == 0 || device > ARRAY_LEN(rows) ? NULL
                                                   : rows[device - 1].device;
}

double
study_device_weight(unsigned device)
{
    return device == 0 || device > ARRAY_LEN(rows) ? BUSINESS
                                                   : rows[device - 1].weight;
}
