#ifndef SPAN25_APP_READ_HOME_H
#define SPAN25_APP_READ_HOME_H
/* read_home - guesses the home networks from the first packets of captures */
#include "rules/home.h"
#include "sensor/app/worker.h"

#define READ_HOME_PACKETS 20000 /* looked at; standard input cannot be */

/* How many prefixes are in out. Without packets to look at: all private
 * blocks. */
size_t read_home_guess(const struct worker_plan *plan,
                       struct prefix out[HOME_GUESS_MAX]);

#endif
