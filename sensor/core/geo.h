#ifndef SPAN25_CORE_GEO_H
#define SPAN25_CORE_GEO_H
/* geo - country and network (AS) of an address, through libmaxminddb
 *
 * Two databases, each optional: one for countries, one for AS numbers. Where a
 * value stands in their records differs by maker, so each value has a list of
 * paths, keys joined by dots, several by commas; the first that is there
 * counts. Files are copied into memory and checked whole before they are asked
 * (every node of the tree, every record it points at), in a process of its own
 * that a hostile file may end. So one that is damaged is refused at the start,
 * as is one in which no record has any of the values; and one that is
 * overwritten in place hurts nothing.
 *
 * A country is two capital letters (ISO 3166-1), else it is not told. Private
 * addresses are not asked about. Answers are remembered (GEO_CACHE addresses).
 * One thread. At most GEO_FILE_MAX bytes of a file. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define GEO_CACHE    4096U
#define GEO_ORG_MAX  128U
#define GEO_FILE_MAX (1U << 30)

/* X(id, word in messages, default paths) */
#define GEO_VALUES(X)                                                          \
    X(COUNTRY, "country",                                                      \
      "country.iso_code,registered_country.iso_code,country_code")             \
    X(AS, "AS number", "autonomous_system_number,asn")                         \
    X(ORG, "AS organisation",                                                  \
      "autonomous_system_organization,as_organization,as_name")

enum geo_value {
#define GEO_ENUM(id, word, paths) GEO_##id,
    GEO_VALUES(GEO_ENUM)
#undef GEO_ENUM
        GEO_VALUE_COUNT
};

struct geo_options {
    const char *country;                /* file, or NULL */
    const char *as;                     /* file, or NULL */
    const char *paths[GEO_VALUE_COUNT]; /* NULL: the default */
};

struct geo_answer {
    char country[3];           /* "" unknown */
    uint32_t as;               /* 0 unknown */
    char org[GEO_ORG_MAX + 1]; /* valid UTF-8, without control characters */
};

struct geo;

/* *out is NULL when no file is named. On failure one line in message names the
 * file and what to do. */
MUST_USE enum err geo_open(const struct geo_options *o, struct geo **out,
                           struct buf *message);
void geo_free(struct geo *g);

/* Lives until the next call. */
const struct geo_answer *geo_find(struct geo *g, const struct addr *a);

/* Looks whether a file was replaced or changed and reads it anew; true when one
 * was. A file that cannot be read or is damaged leaves the old one in force,
 * with a line in message (once for each state of the file). */
bool geo_refresh(struct geo *g, struct buf *message);

/* "country: DBIP-Country of 2026-06-17 (country.mmdb)", one line for people,
 * both databases. */
void geo_describe(const struct geo *g, struct buf *out);

#endif
