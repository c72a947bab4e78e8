#include "sensor/app/study_source.h"

#include "sensor/capture/capture_pcap.h"
#include "sensor/capture/capture_pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 4U

struct file_input {
    struct study_lines lines;
    uint64_t bytes; /* of the file; 0: not known */
};

static struct file_input *
self(const struct study_source *s)
{
    return s->own;
}

static enum err
open_fd(struct study_source *s, int *fd)
{
    int number;

    *fd = STDIN_FILENO;
    if (strcmp(s->name, "-") == 0)
        return ERR_OK;
    *fd = open(s->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    number = errno;
    if (*fd >= 0)
        return ERR_OK;
    study_source_tell(s, strerrordesc_np(number));
    return err_from_errno(number);
}

/* What comes only once cannot be given to the process that reads captures. */
static enum err
look(struct study_source *s)
{
    struct span magic = study_lines_peek(&self(s)->lines, MAGIC);

    if (!capture_pcapng_is(magic) && !capture_pcap_is(magic))
        return ERR_OK;
    study_source_tell(s, "a capture through a pipe; name its file, or pipe "
                         "span25 read --events - of it");
    return ERR_USAGE;
}

static enum err
begin(struct study_source *s, const struct study_mark *expect)
{
    const struct study_lines_options o = {s->room->sha256, expect,
                                          s->room->o.stop};
    struct file_input *f = calloc(1, sizeof(*f));
    struct stat st;
    int fd;
    enum err e;

    s->own = f;
    if (f == NULL)
        return ERR_NOMEM;
    e = open_fd(s, &fd);
    if (e != ERR_OK)
        return e;
    if (isatty(fd)) {
        study_source_tell(s, "is a terminal; pipe events into it");
        e = ERR_USAGE;
    }
    if (e == ERR_OK && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        f->bytes = (uint64_t)st.st_size;
    if (e == ERR_OK)
        e = study_lines_open(&f->lines, fd, &o);
    else if (fd != STDIN_FILENO)
        (void)close(fd);
    return e == ERR_OK ? look(s) : e;
}

static enum err
file_begin(struct study_source *s)
{
    return begin(s, NULL);
}

static enum study_next
file_next(struct study_source *s, struct span *record)
{
    return study_source_line(s, &self(s)->lines, record);
}

static void
file_end(struct study_source *s)
{
    uint8_t sha[STUDY_LINES_SHA];

    if (study_lines_hash(&self(s)->lines, sha))
        study_source_hash(s, span_of(sha, sizeof(sha)));
}

static double
file_share(const struct study_source *s)
{
    const struct file_input *f = self(s);

    if (f == NULL || f->bytes == 0)
        return (double)NAN;
    return f->lines.bytes < f->bytes ? (double)f->lines.bytes / (double)f->bytes
                                     : 1;
}

static void
file_save(const struct study_source *s, struct buf *out)
{
    study_source_save_lines(&self(s)->lines, out);
}

static enum err
file_load(struct study_source *s, struct cursor *state)
{
    struct study_place place;
    enum err e;

    if (!study_source_take_place(state, &place))
        return ERR_FORMAT;
    e = begin(s, &place.mark);
    return e == ERR_OK ? study_source_go(s, &self(s)->lines, &place) : e;
}

static void
file_close(struct study_source *s)
{
    if (self(s) == NULL)
        return;
    study_lines_close(&self(s)->lines);
    free(self(s));
    s->own = NULL;
}

const struct study_source_ops study_input_file = {
    .kind = "events",
    .begin = file_begin,
    .next = file_next,
    .end = file_end,
    .share = file_share,
    .save = file_save,
    .load = file_load,
    .close = file_close,
};
