#ifndef SPAN25_JOURNAL_SEGMENT_H
#define SPAN25_JOURNAL_SEGMENT_H
/* journal_segment - the files of a journal: names, list, reading, compressing
 *
 * 00000000000000000017.jsonl holds the lines from sequence 17 on. A closed one
 * becomes ...17.jsonl.zst: zstd frames of at most 1 MiB of lines each, with
 * checksums, so a damaged frame costs its own lines only, and zstdcat reads the
 * whole. The new file is written beside as .tmp, synced, read back, compared
 * and renamed before the plain one goes. Where both are there (a crash between)
 * the plain one counts. The time of a file is when its last line was written,
 * also where the file itself was made later. All calls take the journal
 * folder's descriptor. */
#include "sensor/journal/journal_io.h"
#include "sensor/journal/journal_lines.h"

#define SEGMENT_NAME_MAX 48

struct journal_segment {
    uint64_t number;
    bool plain; /* which files are there */
    bool zst;
};

struct journal_segments {
    struct journal_segment *v; /* ascending numbers */
    size_t n;
    size_t cap;
};

/* "", ".zst", ".zst.tmp" behind the plain name. */
void journal_segment_name(uint64_t number, const char *suffix,
                          char out[SEGMENT_NAME_MAX]);

MUST_USE enum err journal_segments_read(int dir, struct journal_segments *out);
void journal_segments_free(struct journal_segments *s);

/* One segment open for reading; a journal_source_read over it is below. */
struct journal_source;
MUST_USE enum err journal_source_open(int dir, uint64_t number,
                                      struct journal_source **out);
/* A file by its name; zst: it is compressed. */
MUST_USE enum err journal_source_open_file(int dir, const char *name, bool zst,
                                           struct journal_source **out);
void journal_source_free(struct journal_source *s);
bool journal_source_is_plain(const struct journal_source *s);
enum err journal_source_get(void *source, uint8_t *p, size_t cap, size_t *got);
/* Of a plain one: the last n bytes will be read again. */
void journal_source_back(struct journal_source *s, size_t n);

/* Replaces a closed plain segment by its compressed form. On failure the plain
 * one stays; *why is static. */
MUST_USE enum err journal_segment_compress(int dir, uint64_t number,
                                           const struct journal_io *io,
                                           const char **why);

/* The file to gets the time at which from was written last: that is how old its
 * lines are. */
void journal_segment_keep_time(int dir, const char *from, const char *to);

/* Removes what a crash between the steps of compressing left behind. */
MUST_USE enum err journal_segments_clean(int dir);

#endif
