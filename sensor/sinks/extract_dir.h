#ifndef SPAN25_SINKS_EXTRACT_DIR_H
#define SPAN25_SINKS_EXTRACT_DIR_H
/* extract_dir - the folder of sink_extract: opened, checked, old files deleted
 *
 * Nothing is touched before all that is in it was found to be ours. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define EXTRACT_INDEX  "index.csv"
#define EXTRACT_HEADER "time,event_id,sha256,size,type,class,name\r\n"
#define EXTRACT_HEX    64U

struct extract_dir {
    int fd; /* locked; -1: not open */
    uint64_t expired;
    /* Called for each file that stays. */
    void (*stays)(void *ctx, struct span sha256, uint64_t size);
    void *ctx;
};

/* path, keep and now as in sink_extract_settings. */
MUST_USE enum err extract_dir_open(struct extract_dir *d, const char *path,
                                   ns_t keep, ns_t now, struct buf *message);
void extract_dir_close(struct extract_dir *d);

/* 64 digits of lower case. */
bool extract_is_name(struct span s);

/* All of s, whatever the system takes at a time; sets errno. */
bool extract_write(int fd, struct span s);

#endif
