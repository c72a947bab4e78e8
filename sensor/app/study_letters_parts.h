#ifndef SPAN25_APP_STUDY_LETTERS_PARTS_H
#define SPAN25_APP_STUDY_LETTERS_PARTS_H
/* study_letters_parts - the hosts of one site, and what is written of them
 *
 * For study_letters alone. */
#include "sensor/app/letter_link.h"
#include "sensor/app/study_letters.h"

#define REFERENCE_MAX 32U

/* Which of the hosts a letter is for. */
enum letter_kind { LETTER_REGISTER, LETTER_ABUSE, LETTER_KINDS };

/* Hosts of one site; or one host of none. */
struct letter_site {
    const struct study_letters_options *o;
    const struct study_host_row *const *hosts; /* by address */
    size_t n;
    size_t proposed; /* of r->policies; or its n_policies */
    bool has_proposed;
    const char *code;             /* NULL: of no site */
    const struct study_site *row; /* NULL: nothing more is known of it */
    const struct book_form *form; /* NULL */
    const char *deadline;         /* to register; NULL: nobody is asked */
    size_t number;                /* of its letters; 0: it gets none */
    char reference[REFERENCE_MAX];
    char secret[DRAFTS_SECRET]; /* of the link to its form; "": none */
};

/* Its letters say so; NULL is a host that gets none. */
bool letter_is_for(enum letter_kind kind, const struct study_host_row *h);
bool letter_is_stopped(const struct letter_site *s,
                       const struct study_host_row *h);
size_t letter_count(const struct letter_site *s, enum letter_kind kind);
bool letter_has_owner(const struct letter_site *s);
/* First and last time of the hosts that a letter is for; LETTER_KINDS: of all
 * of them. */
void letter_span(const struct letter_site *s, enum letter_kind kind,
                 ns_t *first, ns_t *last);

/* Keeps the form that a letter to register has, for its link. */
MUST_USE enum err study_letter_link(struct letter_site *s);
void study_letter_text(const struct letter_site *s, enum letter_kind kind,
                       const struct letter_page *p);
/* ERR_NOMEM */
MUST_USE enum err study_letter_form(const struct letter_site *s,
                                    struct buf *out);

/* Of contacts.csv and contacts-unknown.csv. */
void study_contacts_head(struct buf *out);
void study_contacts_row(const struct letter_site *s, struct buf *out);

#endif
