/* geo_shared_test FOLDER - the databases of ../shared/mmdb, as geo reads them
 *
 * Every row of lookups.csv gives what it says; every malformed file is refused.
 * Exit code 77 without the folder. */
#include "sensor/core/geo.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE 1024

static unsigned n_good, n_bad;

static void
judge(bool good, const char *what, const char *more)
{
    n_good += good;
    n_bad += !good;
    if (!good)
        printf("FAILED %s: %s\n", what, more);
}

static struct geo *
open_base(const char *folder, const char *file, const char *paths, bool as)
{
    char name[LINE];
    struct geo_options o = {0};
    struct buf message;
    struct geo *g = NULL;

    (void)snprintf(name, sizeof(name), "%s/%s", folder, file);
    o.country = as ? NULL : name;
    o.as = as ? name : NULL;
    o.paths[GEO_COUNTRY] = as ? NULL : paths;
    buf_init(&message, 4096);
    if (geo_open(&o, &g, &message) != ERR_OK) {
        (void)fwrite(message.p, 1, message.n, stdout);
        g = NULL;
    }
    buf_free(&message);
    return g;
}

/* "asn=1 org=x", "country=GB registered=FR", "no entry" */
static void
compare(struct geo *g, const char *row, struct span ip, const char *expected,
        bool registered)
{
    const struct geo_answer *got;
    struct addr a;
    char text[LINE];

    if (!addr_parse(ip, &a)) {
        judge(false, row, "address");
        return;
    }
    got = geo_find(g, &a);
    if (strncmp(expected, "asn=", 4) == 0) {
        (void)snprintf(text, sizeof(text), "asn=%u org=%s", got->as, got->org);
        judge(strcmp(text, expected) == 0, row, text);
        return;
    }
    if (strcmp(expected, "no entry") == 0) {
        judge(got->as == 0 && got->country[0] == '\0', row, "an entry");
        return;
    }
    expected = strstr(expected, registered ? "registered=" : "country=");
    if (expected == NULL)
        return;
    expected = strchr(expected, '=') + 1;
    judge(strlen(got->country) == strcspn(expected, " ") &&
              strncmp(got->country, expected, strlen(got->country)) == 0,
          row, got->country);
}

static void
look_up(const char *folder, const char *paths, bool registered)
{
    char line[LINE];
    char base[LINE] = "";
    struct geo *g = NULL;
    FILE *f;

    (void)snprintf(line, sizeof(line), "%s/lookups.csv", folder);
    f = fopen(line, "r");
    judge(f != NULL, "lookups.csv", "cannot be read");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        char row[LINE];
        char *field[4] = {line};
        size_t n = 1;

        line[strcspn(line, "\r\n")] = '\0';
        memcpy(row, line, sizeof(row));
        for (char *c = line; *c != '\0' && n < 4; c++) {
            if (*c == ',') {
                *c = '\0';
                field[n++] = c + 1;
            }
        }
        if (n < 4 || strcmp(field[0], "database") == 0)
            continue;
        if (strcmp(base, field[0]) != 0) {
            geo_free(g);
            (void)snprintf(base, sizeof(base), "%s", field[0]);
            g = open_base(folder, base, paths, strstr(base, "ASN") != NULL);
            judge(g != NULL, base, "does not open");
        }
        if (g != NULL)
            compare(g, row, span_str(field[2]), field[3], registered);
    }
    geo_free(g);
    if (f != NULL)
        (void)fclose(f);
}

static void
try_one(const char *folder, const char *file, bool malformed)
{
    static const char *const ask[] = {"1.1.1.1", "216.160.83.56", "0.0.0.1",
                                      "2001:218::1", "255.255.255.254"};
    struct geo *g = open_base(folder, file, NULL, false);

    /* Others have no country, and are refused for that. */
    judge(g == NULL || !malformed, file, "opens");
    judge(g != NULL || malformed || strstr(file, "Country") == NULL, file,
          "is refused");
    for (size_t i = 0; g != NULL && i < sizeof(ask) / sizeof(ask[0]); i++) {
        struct addr a;

        if (addr_parse(span_str(ask[i]), &a))
            (void)geo_find(g, &a);
    }
    geo_free(g);
}

static void
try_all(const char *folder, bool malformed)
{
    DIR *d = opendir(folder);
    const struct dirent *entry;

    judge(d != NULL, folder, "cannot be read");
    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (strstr(entry->d_name, ".mmdb") != NULL)
            try_one(folder, entry->d_name,
                    malformed || strstr(entry->d_name, "broken") != NULL ||
                        strstr(entry->d_name, "Invalid") != NULL);
    }
    if (d != NULL)
        (void)closedir(d);
}

int
main(int argc, char **argv)
{
    char bad[LINE];
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;

    if (d == NULL) {
        printf("skipped: no ../shared/mmdb\n");
        return 77;
    }
    (void)closedir(d);
    look_up(argv[1], NULL, false);
    look_up(argv[1], "registered_country.iso_code", true);
    try_all(argv[1], false);
    (void)snprintf(bad, sizeof(bad), "%s/bad-data", argv[1]);
    try_all(bad, true);
    printf("%u right, %u wrong\n", n_good, n_bad);
    return n_bad > 0;
}
