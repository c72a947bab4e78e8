/* replay - runs a fuzz harness over the files of its corpus
 *
 * Usage: x_fuzz DIR. Each file is one input, then each of its prefixes up to
 * 64 bytes, so that cuts are met without a fuzzer. A missing folder is empty.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define INPUT_MAX (1U << 20)

static void
run(const uint8_t *data, size_t n)
{
    (void)LLVMFuzzerTestOneInput(data, n);
    for (size_t k = 0; k < n && k < 64; k++)
        (void)LLVMFuzzerTestOneInput(data, k);
}

static int
replay_file(const char *dir, const char *name, uint8_t *room)
{
    char path[4096];
    FILE *f;
    size_t n;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return 0;
    f = fopen(path, "rb");
    if (f == NULL)
        return 0;
    n = fread(room, 1, INPUT_MAX, f);
    (void)fclose(f);
    run(room, n);
    return 1;
}

int
main(int argc, char **argv)
{
    uint8_t *room = malloc(INPUT_MAX);
    DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
    struct dirent *e;
    int n = 0;

    if (room == NULL)
        return 1;
    run(room, 0);
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.')
            n += replay_file(argv[1], e->d_name, room);
    }
    if (d != NULL)
        (void)closedir(d);
    free(room);
    printf("%d inputs replayed\n", n);
    return 0;
}
