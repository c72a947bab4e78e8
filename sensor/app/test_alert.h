#ifndef SPAN25_APP_TEST_ALERT_H
#define SPAN25_APP_TEST_ALERT_H
/* test_alert - an alert about nothing, to see whether alerts arrive
 *
 * The verb asks the running sensor over its socket (live_socket.h) for one: a
 * control record of kind test, with an id of its own in control.alert. The core
 * journals it and behind it an event of type alert with alert.test, which goes
 * where every alert goes. It is about no host: no rule matched, no episode is
 * open, no count of alerts counts it, no decision comes of it. The verb follows
 * it through the journal into the index, and to each sink, and says how far it
 * got, and when. A sink is through when the other side has acknowledged all
 * that it wants up to there; what it refused is told. */
#include "sensor/app/cli.h"
#include "sensor/event/record.h"

#define TEST_ALERT_RULE "test-alert"
/* How long the verb waits for each step. */
#define TEST_ALERT_NS (10 * NS_PER_S)

MUST_USE enum cli_exit test_alert_run(const struct cli *c, struct buf *out,
                                      struct buf *messages);

/* In the core. Pure: is this, a control record that passed live_socket_check,
 * one that asks for an alert? Then the alert is in out. */
bool test_alert_of(struct span control, struct record_out *out);

#endif
