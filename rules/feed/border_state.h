#ifndef SPAN25_RULES_FEED_BORDER_STATE_H
#define SPAN25_RULES_FEED_BORDER_STATE_H
/* border_state - what the scripts of border are written from */
#include "rules/feed/border.h"

#define BORDER_TABLE "inet span25_border"

/* Joined ranges, the IPv4 ones apart: they do not stand at one end. */
struct border_ranges {
    struct permits_range *v;
    size_t n;
    size_t registered; /* that came of permits, before they were joined */
};

struct border {
    const struct border_in *in;
    struct border_ranges send, receive, home, sited; /* sited: in any site */
    struct carve_item *places;                       /* id: of a site */
    size_t n_places;
};

bool border_is_v4(const struct permits_range *r);

#endif
