#ifndef SPAN25_APP_RULES_LOAD_H
#define SPAN25_APP_RULES_LOAD_H
/* rules_load - the rules in force: those of the user and those that are shipped
 *
 * From rules.dir (--rules) every file that rules_files finds; then the packs of
 * rules.packs, where a rule whose id or name the user has too gives way. What
 * rules.disable names does not alert. The order, and so the hash, depends on
 * names and contents only. */
#include "rules/sigma/sigma.h"
#include "sensor/app/options.h"

#define RULES_HASH_HEX 64U

struct rules_loaded {
    struct sigma_loaded own, shipped; /* in force; refused: 0 */
    uint32_t refused, replaced;       /* documents */
    size_t files, unread;             /* the user's */
    uint32_t alerting, disabled;      /* of all in force */
    char hash[RULES_HASH_HEX + 1]; /* SHA-256 over the rules in force, in their
                                      order, for control events */
};

/* paths: files and folders in place of rules.dir, or NULL. Each fault is a line
 * of messages, and so is each shipped rule that gives way; the others are
 * loaded, and the counts tell. The set is compiled. ERR_CONFIG: rules.packs or
 * rules.disable name what is not there; ERR_NOENT: rules.dir is not; both are
 * told. */
MUST_USE enum err rules_load(const struct config *c, char *const *paths,
                             size_t n_paths, struct sigma_set **out,
                             struct rules_loaded *how, struct buf *messages);

/* "policy" for the file "policy/relay.yaml" of packs.h. */
struct span rules_load_pack(struct span name);

#endif
