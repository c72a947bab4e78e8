#ifndef SPAN25_DISSECTORS_SMTP_LINE_H
#define SPAN25_DISSECTORS_SMTP_LINE_H
/* smtp_line - lines out of a cut stream
 *
 * A line ends in LF; whether a CR stood before it is told. A line that lies
 * whole in the input is borrowed from it; only one that spans two inputs is
 * copied. The first max bytes are given out, a longer line is cut. Copies are
 * overwritten when they go, for a line may hold credentials. */
#include "sensor/base/vec.h"

enum eol { EOL_CRLF, EOL_LF };

struct line {
    struct span text; /* without CR LF; borrowed until the next call */
    enum eol eol;
    bool cut;
};

struct line_in {
    struct vec carry;
    bool over;    /* something of the line was dropped */
    bool last_cr; /* its last byte so far is CR */
    bool spent;   /* carry was given out by the last call */
};

/* Takes bytes off *in up to the next LF. False: *in is used up, more to come.
 */
bool line_take(struct line_in *l, struct mem *m, struct span *in, size_t max,
               struct line *out);
/* Drops a line begun. */
void line_reset(struct line_in *l, struct mem *m);
/* Gives back the copy behind the last line; a line begun stays. */
void line_done(struct line_in *l, struct mem *m);
/* Bytes of a line begun. */
struct span line_begun(const struct line_in *l);

/* As vec_put and vec_free, but no copy is left behind in freed memory. */
bool line_store(struct vec *v, struct mem *m, const void *p, size_t n);
void line_wipe(struct vec *v, struct mem *m);

#endif
