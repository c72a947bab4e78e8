#ifndef SPAN25_APP_SERVE_JOB_H
#define SPAN25_APP_SERVE_JOB_H
/* serve_job - studies that are run for the page, one at a time
 *
 * A study of a large state takes minutes and memory, and the page's process may
 * not make another one. So a keeper is forked before rights are given up. It
 * takes the words of one command line, executes this program with them, and
 * tells how that ended. It does so for span25 study run, sweep and review with
 * options alone: who has taken the page over can study the state, and has no
 * input from elsewhere. What is executed gives way to the sensor, goes first
 * where memory is short, and ends with the page.
 *
 * All functions but open and close may be called by any thread. */
#include "dashboards/http/users.h"
#include "sensor/base/ns.h"

#define SERVE_JOB_WORDS 32768U /* bytes of a command line: paths and titles */
#define SERVE_JOB_TOLD  8192U  /* bytes of what it said that are kept */
#define SERVE_JOB_NAME  65U    /* of a study, with its NUL */

/* The study that runs, or the one that ran last. */
struct serve_job_what {
    char action[8]; /* "run", "sweep", "review"; empty: there was none */
    char name[SERVE_JOB_NAME];
    char user[USERS_NAME]; /* who began it */
    ns_t since;
};

struct serve_job_seen {
    struct serve_job_what what;
    bool running;
    bool stopped; /* somebody said so */
    int code;     /* its exit code, when it does not run; 128 and a signal */
    char told[SERVE_JOB_TOLD]; /* standard error, as it is */
};

struct serve_job;

/* Forks the keeper. ERR_IO: the system does not let it. */
MUST_USE enum err serve_job_open(struct serve_job **out);
void serve_job_close(struct serve_job *j); /* ends a study; NULL is fine */

/* words: "study", "run", options, each with a NUL behind it. ERR_BUSY: one
 * runs; ERR_LIMIT: too many words; ERR_IO: the keeper is gone. */
MUST_USE enum err serve_job_start(struct serve_job *j,
                                  const struct serve_job_what *what,
                                  struct span words);
/* Asks it to end, and the second time ends it. False: none runs. */
bool serve_job_stop(struct serve_job *j);
void serve_job_look(struct serve_job *j, struct serve_job_seen *out);

/* ---- for tests ---- */

/* Are these the words of a study of the state, and nothing else? */
bool serve_job_allows(struct span words);

#endif
