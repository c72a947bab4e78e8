/* ndpi_lines where the library is not there, or has other calls. */
#include "dissectors/ndpi_lines.h"

enum err
ndpi_lines_new(struct ndpi_lines **out)
{
    (void)out;
    return ERR_NOENT;
}

void
ndpi_lines_free(struct ndpi_lines *n)
{
    REQUIRE(n == NULL);
}

struct ndpi_talk *
ndpi_talk_new(struct ndpi_lines *n, enum ndpi_look look, struct mem *m)
{
    (void)n, (void)look, (void)m;
    return NULL;
}

void
ndpi_talk_free(struct ndpi_talk *t, struct mem *m)
{
    (void)m;
    REQUIRE(t == NULL);
}

void
ndpi_talk_say(struct ndpi_talk *t, bool server, struct span line)
{
    (void)t, (void)server, (void)line;
}

void
ndpi_talk_end(struct ndpi_talk *t)
{
    (void)t;
}

const char *
ndpi_talk_name(const struct ndpi_talk *t)
{
    (void)t;
    return NULL;
}

bool
ndpi_talk_is_open(const struct ndpi_talk *t)
{
    (void)t;
    return false;
}
