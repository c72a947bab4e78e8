#ifndef SPAN25_APP_STUDY_SHEET_H
#define SPAN25_APP_STUDY_SHEET_H
/* study_sheet - a sheet for reviewers, and its key (DETECTION 4.4)
 *
 *     study_sheet_new(&study, sample, &s);
 *     study_sheet_event(s, &event) for each of the inputs
 *     study_sheet_draw(s, &drawn);
 *     study_sheet_put(s, sheet, key);
 *
 * FRAME: the hosts of the study, by address, whose class is the detector's; one
 * that a person judged is left out. What can be shown of a host is its messages
 * outward on port 25 within the window, as the study counts them
 * (rules/study/study.h), of which something was sent; where there is none,
 * those that were refused before, and else its sessions under TLS.
 *
 * RESERVOIR: each message has a keyed hash of its connection, transaction and
 * time; the least REVIEW_MESSAGES of a host are kept. So each message is as
 * likely to be kept, whatever the order of inputs, and what is read twice
 * counts once. Keys are of the study's own figures: the same study and events
 * give the same sheet, and nobody who sends mail knows them beforehand.
 *
 *   sheet  a line of text that says what it is, then number, what was seen
 *          (study_sheet_row.h), verdict and notes, both empty. Rows are in no
 *          order
 *   key    number,host,stratum,registered,detector,tls,third,class,weight,nth,
 *          pair,event: whose each is. No reviewer may see it */
#include "rules/study/review.h"
#include "sensor/event/record.h"
#include "sensor/event/study_result.h"

#define STUDY_SHEET_ROOM (256U << 20) /* bytes of rows that are kept */
#define STUDY_SHEET_FILE (1U << 30)

struct study_sheet;

struct study_sheet_told {
    size_t hosts;      /* of the study, by address */
    size_t judged;     /* left out: their class is a person's */
    size_t nothing;    /* of which the inputs show nothing */
    size_t refused;    /* drawn rows of which nothing was sent */
    size_t under_tls;  /* drawn rows that are sessions under TLS */
    uint64_t left_out; /* messages for which there was no room */
};

/* study is not used afterwards. ERR_LIMIT: more hosts than REVIEW_HOSTS. */
MUST_USE enum err study_sheet_new(const struct study_result *study,
                                  struct study_sheet **out);
void study_sheet_free(struct study_sheet *s); /* NULL is fine */

/* ERR_NOMEM. */
MUST_USE enum err study_sheet_event(struct study_sheet *s,
                                    const struct record_map *m);

MUST_USE enum err study_sheet_draw(struct study_sheet *s, size_t sample,
                                   struct review_drawn *out);
struct study_sheet_told study_sheet_told(const struct study_sheet *s);
/* Both begun by the caller. */
MUST_USE enum err study_sheet_put(const struct study_sheet *s,
                                  struct buf *sheet, struct buf *key);

#endif
