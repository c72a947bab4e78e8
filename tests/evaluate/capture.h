#ifndef SPAN25_TESTS_EVALUATE_CAPTURE_H
#define SPAN25_TESTS_EVALUATE_CAPTURE_H
/* capture - what actors do as packets, for a sample of them
 *
 * Classic pcap, microseconds, Ethernet. What stands in the dialogue is what
 * render.h tells of it: a sensor that reads the capture must come to the same
 * envelopes, replies and scores. Not made: TLS, loss, DNS, and attachments
 * (messages with marks of classes A to D are sent without them). All packets
 * wait in memory, at most CAPTURE_BYTES. */
#include "sensor/base/err.h"
#include "tests/evaluate/actor.h"

#define CAPTURE_BYTES (1U << 30)

struct capture_out;

MUST_USE enum err capture_out_new(uint32_t n_subjects,
                                  struct capture_out **out);
void capture_out_free(struct capture_out *c);

/* The stage that an actor has drawn; as play's hook. */
void capture_out_stage(void *c, const struct actor *a);

/* Packets in order of time. */
MUST_USE enum err capture_out_write(struct capture_out *c, const char *file);

#endif
