#ifndef SPAN25_APP_LOG_H
#define SPAN25_APP_LOG_H
/* log - one line of key=value on standard error for the operator
 *
 *     log_begin(&l, LOG_AT_WARN, "capture_damaged");
 *     log_string(&l, "file", span_str(name));
 *     log_number(&l, "offset", at);
 *     log_end(&l, STDERR_FILENO);
 *
 * gives "level=warn event=capture_damaged file=a.pcap offset=24". Values are
 * escaped by text_term and quoted when they hold a space, a quote or an equals
 * sign, so no value can look like another key. A line is at most LOG_LINE
 * bytes; one write gives it out. Passwords and mail text are never logged. */
#include "sensor/base/buf.h"

#define LOG_LINE 4096

/* X(name, word) */
#define LOG_LEVELS(X)                                                          \
    X(DEBUG, "debug")                                                          \
    X(INFO, "info")                                                            \
    X(WARN, "warn")                                                            \
    X(ERROR, "error")

enum log_level {
#define X(name, word) LOG_AT_##name,
    LOG_LEVELS(X)
#undef X
};

struct log_line {
    struct buf text;
};

/* event and keys are words of our own, written as they are. */
void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_string(struct log_line *l, const char *key, struct span value);
void log_number(struct log_line *l, const char *key, uint64_t value);
/* Writes the line and frees it. What cannot be written is lost. */
void log_end(struct log_line *l, int fd);

/* Lines that were collected, written as they are and with a last line end, by
 * one write. Resets the buffer. */
void log_lines(struct buf *lines);

#endif
