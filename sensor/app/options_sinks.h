#ifndef SPAN25_APP_OPTIONS_SINKS_H
#define SPAN25_APP_OPTIONS_SINKS_H
/* options_sinks - the list `sinks` of the configuration file
 *
 * The keys of options_sinks.def, and the settings of the item's kind. */
#include "sensor/app/options_list.h"
#include "sensor/app/publish_shape.h"
#include "sensor/event/record.h"
#include "sensor/sinks/sink.h"

#define OPTIONS_SINKS_MAX 16U

extern const struct options_list options_sinks;

/* What it gets: bits 1 << enum event_type. */
uint32_t options_sinks_events(const struct config_sink *s);

/* What stands before it; the pseudonyms only when with is true. */
struct shape_settings options_sinks_shape(const struct config_sink *s,
                                          bool with);

/* To open it with; values has room for its n_settings. */
struct sink_settings options_sinks_settings(const struct config_sink *s,
                                            struct sink_value *values);

#endif
