#include "sensor/sinks/sink.h"

const struct sink_ops *
sink_find(struct span name)
{
    for (size_t i = 0; sink_registry[i] != NULL; i++) {
        if (span_eq(name, span_str(sink_registry[i]->name)))
            return sink_registry[i];
    }
    return NULL;
}

enum err
sink_open(struct span name, const struct sink_settings *s, struct sink **out,
          struct buf *message)
{
    const struct sink_ops *ops = sink_find(name);

    if (ops != NULL)
        return ops->open(out, s, message);
    buf_str(message, "no such kind of sink; there are:");
    for (size_t i = 0; sink_registry[i] != NULL; i++) {
        buf_putc(message, ' ');
        buf_str(message, sink_registry[i]->name);
    }
    return ERR_CONFIG;
}
