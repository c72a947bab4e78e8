#include "sensor/base/ns.h"

#include "sensor/base/digits.h"

#define DAY_S UINT64_C(86400)

/* Civil date from days since 1970-01-01 (proleptic Gregorian calendar; the
 * 400-year era arithmetic of Howard Hinnant's "chrono-compatible low-level
 * date algorithms"). */
static void
civil_from_days(uint64_t days, unsigned *y, unsigned *m, unsigned *d)
{
    uint64_t z = days + 719468;
    uint64_t era = z / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;

    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (unsigned)(yoe + era * 400) + (*m <= 2);
}

static uint64_t
days_from_civil(unsigned y, unsigned m, unsigned d)
{
    unsigned yy = y - (m <= 2);
    unsigned era = yy / 400;
    unsigned yoe = yy - era * 400;
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return (uint64_t)era * 146097 + doe - 719468;
}

static unsigned
days_in(unsigned y, unsigned m)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

    return m == 2 && leap ? 29 : days[m - 1];
}

size_t
ns_format(ns_t t, char out[NS_TEXT_MAX])
{
    uint64_t s = t / NS_PER_S;
    unsigned us = (unsigned)(t % NS_PER_S / NS_PER_US);
    unsigned y;
    unsigned m;
    unsigned d;
    unsigned sod;
    char *at = out;

    civil_from_days(s / DAY_S, &y, &m, &d);
    sod = (unsigned)(s % DAY_S);
    at = digits_pair(at, y / 100);
    at = digits_pair(at, y % 100);
    *at++ = '-';
    at = digits_pair(at, m);
    *at++ = '-';
    at = digits_pair(at, d);
    *at++ = 'T';
    at = digits_pair(at, sod / 3600);
    *at++ = ':';
    at = digits_pair(at, sod / 60 % 60);
    *at++ = ':';
    at = digits_pair(at, sod % 60);
    *at++ = '.';
    at = digits_pair(at, us / 10000);
    at = digits_pair(at, us / 100 % 100);
    at = digits_pair(at, us % 100);
    memcpy(at, "+0000", 5);
    return (size_t)(at + 5 - out);
}

static bool
take_number(struct cursor *c, size_t width, unsigned *out)
{
    uint64_t v;

    if (!span_to_u64(cur_take(c, width), &v))
        return false;
    *out = (unsigned)v;
    return true;
}

static bool
take_byte(struct cursor *c, uint8_t want)
{
    return cur_u8(c) == want && !c->bad;
}

static bool
take_fraction(struct cursor *c, unsigned *ns)
{
    unsigned scale = 100000000;
    unsigned v = 0;
    size_t n = 0;

    while (cur_left(c) > 0) {
        uint8_t d = span_at(c->in, c->at);

        if (d < '0' || d > '9')
            break;
        v += (unsigned)(d - '0') * scale;
        scale /= 10;
        cur_skip(c, 1);
        n++;
    }
    *ns = v;
    return n > 0 && n <= 9;
}

static bool
take_zone(struct cursor *c, int64_t *offset_s)
{
    unsigned h;
    unsigned m;
    uint8_t sign = cur_u8(c);

    *offset_s = 0;
    if (sign == 'Z' || sign == 'z')
        return cur_left(c) == 0;
    if ((sign != '+' && sign != '-') || !take_number(c, 2, &h))
        return false;
    if (span_at(c->in, c->at) == ':')
        cur_skip(c, 1);
    if (!take_number(c, 2, &m) || h > 23 || m > 59)
        return false;
    *offset_s = (int64_t)(h * 3600 + m * 60) * (sign == '-' ? -1 : 1);
    return cur_left(c) == 0;
}

bool
ns_parse(struct span text, ns_t *out)
{
    struct cursor c = cur_open(text);
    unsigned y;
    unsigned mo;
    unsigned d;
    unsigned h;
    unsigned mi;
    unsigned s;
    unsigned frac = 0;
    int64_t zone;
    int64_t total;

    if (!take_number(&c, 4, &y) || !take_byte(&c, '-') ||
        !take_number(&c, 2, &mo) || !take_byte(&c, '-') ||
        !take_number(&c, 2, &d) || !take_byte(&c, 'T') ||
        !take_number(&c, 2, &h) || !take_byte(&c, ':') ||
        !take_number(&c, 2, &mi) || !take_byte(&c, ':') ||
        !take_number(&c, 2, &s))
        return false;
    if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > days_in(y, mo) ||
        h > 23 || mi > 59 || s > 60)
        return false;
    if (span_at(c.in, c.at) == '.') {
        cur_skip(&c, 1);
        if (!take_fraction(&c, &frac))
            return false;
    }
    if (!take_zone(&c, &zone))
        return false;
    total = (int64_t)(days_from_civil(y, mo, d) * DAY_S) +
            (int64_t)(h * 3600 + mi * 60 + s) - zone;
    if (total < 0 || (uint64_t)total > (UINT64_MAX - frac) / NS_PER_S)
        return false;
    *out = (ns_t)total * NS_PER_S + frac;
    return true;
}
