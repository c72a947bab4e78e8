/* packs_embed - writes files as a table of C, see packs.h
 *
 * Usage: packs_embed ROOT FILE... > OUT.c; ROOT/ is left off the names, and the
 * files come sorted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
write_bytes(const char *path, int number)
{
    FILE *f = fopen(path, "rb");
    int c;
    unsigned long n = 0;

    if (f == NULL) {
        perror(path);
        return 1;
    }
    (void)printf("static const uint8_t file_%d[] = {", number);
    while ((c = getc(f)) != EOF)
        (void)printf("%s%d,", n++ % 20 == 0 ? "\n" : "", c);
    (void)printf("0};\n"); /* so that an empty file has one too */
    c = ferror(f);
    (void)fclose(f);
    return c;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int
main(int argc, char **argv)
{
    size_t root = argc > 1 ? strlen(argv[1]) + 1 : 0;

    if (argc < 2) {
        (void)fputs("usage: packs_embed ROOT FILE...\n", stderr);
        return 2;
    }
    qsort(argv + 2, (size_t)argc - 2, sizeof(*argv), by_name);
    (void)puts("#include \"rules/packs/packs.h\"\n");
    for (int i = 2; i < argc; i++) {
        if (write_bytes(argv[i], i) != 0)
            return 1;
    }
    (void)puts("\nconst struct pack_file packs[] = {");
    for (int i = 2; i < argc; i++)
        (void)printf("{\"%s\", {file_%d, sizeof(file_%d) - 1}},\n",
                     argv[i] + root, i, i);
    (void)puts("{NULL, {NULL, 0}}};");
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
