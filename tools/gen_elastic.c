/* gen_elastic - prints an index template for Elasticsearch and OpenSearch
 *
 * Usage: gen_elastic eve|ecs > FILE */
#include <stdio.h>
#include <string.h>

#include "sensor/app/elastic.h"

#define TEMPLATE_MAX (1U << 20)

int
main(int argc, char **argv)
{
    const bool eve = argc == 2 && strcmp(argv[1], "eve") == 0;
    struct buf text;
    bool good;

    if (!eve && (argc != 2 || strcmp(argv[1], "ecs") != 0)) {
        (void)fputs("usage: gen_elastic eve|ecs\n", stderr);
        return 2;
    }
    buf_init(&text, TEMPLATE_MAX);
    good = eve || elastic_ecs(&text);
    if (eve)
        elastic_eve(&text);
    good = good && !text.failed && !text.cut &&
           fwrite(text.p, 1, text.n, stdout) == text.n &&
           putchar('\n') != EOF && fflush(stdout) == 0;
    buf_free(&text);
    if (!good)
        (void)fputs("gen_elastic: cannot write the template\n", stderr);
    return good ? 0 : 1;
}
