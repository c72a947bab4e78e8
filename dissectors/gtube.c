#include "dissectors/gtube.h"

/* Its first byte is in it once more, at the end only: what breaks off can begin
 * anew with the byte that broke it, never earlier. Two halves, so that this
 * file is not what it looks for. */
static const char string[] = "XJS*C4JDBQADN1.NSBN3*2IDNEN*"
                             "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
#define LENGTH (sizeof(string) - 1)

static void
take(struct gtube *g, uint8_t c)
{
    if (c == (uint8_t)string[g->matched])
        g->matched++;
    else
        g->matched = c == (uint8_t)string[0];
    if (g->matched == LENGTH) {
        g->found = true;
        g->matched = 1;
    }
}

void
gtube_push(struct gtube *g, struct span in)
{
    while (in.n > 0 && !g->found) {
        if (g->matched == 0)
            in = span_tail(in, span_find(in, (uint8_t)string[0]));
        if (in.n == 0)
            break;
        take(g, span_at(in, 0));
        in = span_tail(in, 1);
    }
}
