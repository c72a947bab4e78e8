#ifndef SPAN25_APP_DESK_BORDER_H
#define SPAN25_APP_DESK_BORDER_H
/* desk_border - blocks export --policy: port 25 across the border by permit
 *
 * Scripts for a router (rules/feed/border.h), made of the registry's permits,
 * the networks of the configuration, its sites and the phase of each, and what
 * is never blocked: that is permitted whatever the registry says. With --output
 * a folder gets all four, load.nft, arm.nft, disarm.nft and undo.nft, the way
 * back first; else the one of --script is printed. With --verify FILE what the
 * kernel has is compared: 4 where a permit is missing or another one is there.
 * No caps of the detector, and no mode of the policy, stand before it: who
 * loads it decides. */
#include "sensor/app/desk.h"

enum cli_exit desk_border_export(struct desk *d);

#endif
