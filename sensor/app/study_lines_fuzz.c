/* study_lines_fuzz - any bytes as a file of lines, plain or packed
 *
 * Of plain ones each line is given, byte for byte; every byte is in the hash;
 * and one that is read again is known to be the same. */
#include "sensor/app/study_lines.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
open_lines(struct study_lines *l, const EVP_MD *sha256, struct span in,
           const struct study_mark *expect)
{
    const struct study_lines_options o = {sha256, expect, NULL};
    int fd = memfd_create("lines", MFD_CLOEXEC);

    REQUIRE(fd >= 0);
    REQUIRE(write(fd, in.p, in.n) == (ssize_t)in.n);
    REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
    REQUIRE(study_lines_open(l, fd, &o) == ERR_OK);
}

static void
check_hash(struct study_lines *l, const EVP_MD *sha256, struct span in)
{
    uint8_t got[STUDY_LINES_SHA], want[STUDY_LINES_SHA];

    REQUIRE(study_lines_hash(l, got));
    REQUIRE(EVP_Digest(in.p, in.n, want, NULL, sha256, NULL) == 1);
    REQUIRE(memcmp(got, want, sizeof(got)) == 0);
    REQUIRE(l->bytes == in.n);
}

/* At most so many lines. */
static void
read_lines(struct study_lines *l, struct span in, uint64_t most)
{
    enum study_line got = STUDY_LINE;
    struct span line, rest = in;

    while (l->number < most) {
        got = study_lines_next(l, &line);
        if (got != STUDY_LINE)
            break;
        if (l->src.coding == CAPTURE_PLAIN) {
            REQUIRE(span_eq(line, span_head(rest, span_find(rest, '\n'))));
            rest = span_tail(rest, line.n + 1);
        }
    }
    REQUIRE(got != STUDY_LINE_END || l->src.coding != CAPTURE_PLAIN ||
            rest.n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    struct span all = span_of(data, n), in = span_tail(all, 1);
    struct study_mark mark;
    struct study_lines l;

    REQUIRE(sha256 != NULL);
    open_lines(&l, sha256, in, NULL);
    read_lines(&l, in, span_at(all, 0));
    REQUIRE(study_lines_mark(&l, &mark));
    study_lines_close(&l);

    open_lines(&l, sha256, in, &mark);
    read_lines(&l, in, UINT64_MAX);
    check_hash(&l, sha256, in);
    REQUIRE(!study_lines_differs(&l));
    study_lines_close(&l);
    EVP_MD_free(sha256);
    return 0;
}
