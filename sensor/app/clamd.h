#ifndef SPAN25_APP_CLAMD_H
#define SPAN25_APP_CLAMD_H
/* clamd - asks a ClamAV daemon for its verdict, over its Unix socket
 *
 * One zINSTREAM for each file (clamd(8)), each step within the time that is
 * left. Runs in an inspector of its own (deep.h), never in a worker. What it
 * says becomes findings:
 *
 *   found                          FIND_CLAMD, class A, detail: the name
 *   found Heuristics.Encrypted.*   FIND_CLAMD_UNSCANNED, class D: it was not
 *   or Heuristics.Limits.*         looked into, not found to be malicious
 *   size limit exceeded            the same
 *   no answer, refusal, nonsense   FIND_CLAMD_FAILED, class D
 *   OK                             nothing: clamd says so of what it left out
 *                                  as well, so our own limits come first
 *
 * Answers are at most CLAMD_ANSWER bytes. */
#include "dissectors/content/content.h"

#define CLAMD_ANSWER  512
#define CLAMD_WAIT_MS 3000

/* socket_path as for connect(2); ctx of deep_options is this string. */
void clamd_inspect(void *socket_path, const struct content_job *job,
                   struct content_result *result);

/* For the start: can it be reached, and does it answer PING? */
bool clamd_ping(const char *socket_path);

/* What an answer without its NUL says, into f. For tests. */
void clamd_read(struct span answer, struct findings *f);

#endif
