#ifndef SPAN25_DISSECTORS_FILETYPE_SNIFF_H
#define SPAN25_DISSECTORS_FILETYPE_SNIFF_H
/* filetype_sniff - the two halves of filetype_detect; for filetype.c only */
#include "dissectors/filetype.h"

struct filetype_probe {
    struct span head;
    struct span tail;
    uint64_t size;  /* UINT64_MAX: not known */
    bool undecided; /* more bytes could tell more */
};

/* By signatures; FILETYPE_UNKNOWN when there is none. */
enum filetype filetype_by_magic(struct filetype_probe *p);
/* By what text says; FILETYPE_UNKNOWN when it is not text. */
enum filetype filetype_by_text(struct filetype_probe *p);

#endif
