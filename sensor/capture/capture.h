#ifndef SPAN25_CAPTURE_CAPTURE_H
#define SPAN25_CAPTURE_CAPTURE_H
/* capture - capture files as one stream of packets in time order
 *
 * Reads classic pcap (both byte orders, microseconds and nanoseconds, the
 * "modified" form with 24-byte record headers) and pcapng (any number of
 * sections and interfaces; Enhanced, Simple and the obsolete Packet Block),
 * plain or compressed with gzip or zstd. Format and compression are told by the
 * first bytes, never by the name. "-" is standard input.
 *
 *     struct capture *c;
 *     enum err e = capture_open(files, n, &options, &c, &message);
 *     while (capture_next(c, &packet) == CAPTURE_PACKET)
 *         ...
 *     for (i = 0; i < capture_n_faults(c); i++)
 *         report(capture_fault(c, i));
 *     capture_close(c);
 *
 * Plain regular files are mapped and packets point into the map; everything
 * else streams through one buffer per file. Either way packet.data is borrowed
 * until the next call. Several files are merged by the time of the next packet
 * of each; equal times go by the order of the files, and within a file its own
 * order is kept, also where its times step back. Of compressed files only those
 * that have begun hold a buffer, so a day of hourly files costs one.
 *
 * Damage is never an error. A file that is cut short or makes no sense is read
 * up to the damage: every whole packet before it is given out, the file's
 * stream ends there with a fault, the other files go on. There is no search for
 * a next good record behind the damage.
 *
 * packet.wire_len is at least packet.data.n. packet.link is a LINKTYPE_ value
 * without the FCS bits; the DLT values 12 and 14 that some writers leave for
 * raw IP are given as LINKTYPE_RAW (101). Times past the year 2262 are held at
 * CAPTURE_TIME_MAX, before 1970 at 0. A Simple Packet Block has no time and
 * takes that of the packet before it in the file.
 *
 * One struct capture belongs to one thread; two may read the same files.
 * Known gaps: a mapped file that is shortened while we read it raises SIGBUS
 * (give it on standard input instead); the 2.3 and older pcap versions are
 * taken with their swapped lengths but not tested on real files; a zstd frame
 * with a window over 128 MiB is refused as damage; of a damaged gzip member or
 * zstd frame, the packets just before the damage are given out or not by how
 * the bytes arrive, for the libraries give out more or less before they fail.
 */
#include <signal.h>

#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/packet.h"

enum {
    /* More files than the kernel lets one process map (65530), halved. */
    CAPTURE_FILES_MAX = 32768,
    /* Captured bytes of one packet. libpcap takes 262144; a "big TCP" packet is
     * up to 524288. A damaged length passes this once in 4096. */
    CAPTURE_CAPLEN_MAX = 1 << 20,
    /* One pcapng block; the limit of Wireshark. Bounds the stream buffer. */
    CAPTURE_BLOCK_MAX = 1 << 24,
    /* Interfaces of one pcapng section; past it the file counts as damaged. */
    CAPTURE_SECTION_IFACES_MAX = 4096,
    /* Interfaces of all files; all further ones share the last number. */
    CAPTURE_IFACES_MAX = 8192,
    /* Longer interface names are cut. */
    CAPTURE_IFACE_NAME_MAX = 256,
    /* Link types that one filter is compiled for; see CAPTURE_FAULT_FILTER. */
    CAPTURE_FILTER_LINKS_MAX = 16,
    CAPTURE_FAULT_TEXT_MAX = 160,
};

/* Half of what ns_t holds, so that sums with durations cannot wrap. */
#define CAPTURE_TIME_MAX ((ns_t)INT64_MAX)

struct capture;

struct capture_options {
    /* BPF text (pcap-filter(7)) or NULL. It is compiled for each link type met.
     * As always with BPF, "port 25" does not see into VLAN tags: write
     * "port 25 or (vlan and port 25)". */
    const char *filter;
    /* Or NULL. Looked at ten times a second while a pipe has nothing to give;
     * once it is not 0 that stream ends, without a fault. */
    const volatile sig_atomic_t *stop;
};

enum capture_result {
    CAPTURE_PACKET,
    CAPTURE_END, /* of all files; stays so */
};

#define CAPTURE_FORMAT_MAP(X)                                                  \
    X(NONE, "none") /* too short to tell */                                    \
    X(PCAP, "pcap")                                                            \
    X(PCAPNG, "pcapng")

enum capture_format {
#define CAPTURE_FORMAT_ENUM(id, name) CAPTURE_##id,
    CAPTURE_FORMAT_MAP(CAPTURE_FORMAT_ENUM)
#undef CAPTURE_FORMAT_ENUM
};

enum capture_coding { CAPTURE_PLAIN, CAPTURE_GZIP, CAPTURE_ZSTD };

#define CAPTURE_FAULT_MAP(X)                                                   \
    X(EMPTY, "empty")            /* not one byte in it */                      \
    X(CUT, "cut_short")          /* ends inside a record, block or member */   \
    X(LENGTH, "bad_length")      /* a length that cannot be */                 \
    X(BLOCK, "bad_block")        /* a pcapng block that contradicts itself */  \
    X(CODING, "bad_compression") /* gzip or zstd data is damaged */            \
    X(READ, "read_error")                                                      \
    X(MEMORY, "out_of_memory")                                                 \
    X(FILTER, "filter") /* the filter does not fit an interface's link type:   \
                         * its packets are left out, the file goes on */

enum capture_fault_kind {
#define CAPTURE_FAULT_ENUM(id, name) CAPTURE_FAULT_##id,
    CAPTURE_FAULT_MAP(CAPTURE_FAULT_ENUM)
#undef CAPTURE_FAULT_ENUM
};

/* At most two for a file: one FILTER, and one that ended it. */
struct capture_fault {
    size_t file;      /* index, as in the call of capture_open */
    uint64_t offset;  /* where the damaged record starts; in a compressed file,
                       * of the unpacked bytes */
    uint64_t packets; /* read from this file before */
    enum capture_fault_kind kind;
    char text[CAPTURE_FAULT_TEXT_MAX]; /* "cut short: 1,234 bytes of the last
                                        * packet are missing" */
};

/* Counts grow while the file is read. With several files one packet may be
 * counted that has not been given out yet. */
struct capture_facts {
    const char *name; /* as given, "-" for standard input */
    enum capture_format format;
    enum capture_coding coding;
    uint64_t size;     /* bytes on disk; 0: not known */
    uint64_t packets;  /* read, with those the filter left out */
    uint64_t filtered; /* left out by the filter */
    uint64_t bytes;    /* captured bytes of the packets */
    ns_t first;        /* earliest and latest time; 0 without packets */
    ns_t last;
};

/* packet.iface is an index into this table. It grows while pcapng is read. */
struct capture_iface {
    struct span name; /* if_name as it stands in the file, else the base name
                       * of the file; bytes from outside, escape them */
    size_t file;
    uint32_t index; /* number within its section; 0 in classic pcap */
    uint16_t link;
};

/* Opens all files and reads the header of each. On failure *out is untouched
 * and message holds one line: which file, what is wrong, what to do.
 * ERR_NOENT, ERR_PERM, ERR_IO, ERR_NOMEM: of the file. ERR_FORMAT: it is not a
 * capture. ERR_USAGE: a directory, a terminal, "-" twice, a bad filter.
 * An empty or damaged file is no failure here. The file names and the filter
 * are copied; *stop must outlive the capture. */
MUST_USE enum err capture_open(const char *const *files, size_t n,
                               const struct capture_options *options,
                               struct capture **out, struct buf *message);

/* The same over bytes in memory, which must outlive the capture. chunk 0: as
 * mapped files, packets point into the inputs. Otherwise as pipes that give so
 * many bytes at a time. */
MUST_USE enum err capture_open_memory(const struct span *inputs, size_t n,
                                      size_t chunk,
                                      const struct capture_options *options,
                                      struct capture **out,
                                      struct buf *message);

enum capture_result capture_next(struct capture *c, struct packet *out);

void capture_close(struct capture *c); /* NULL is fine */

/* All inputs are plain regular files (or memory): any number of workers may
 * open them again and walk them at next to no cost. False for pipes, and for
 * compressed files, which each worker would have to unpack. */
bool capture_is_seekable(const struct capture *c);

/* For progress: bytes read so far, of compressed files the compressed ones,
 * and of how many; size 0 is not known. position never passes a known size. */
uint64_t capture_position(const struct capture *c);
uint64_t capture_size(const struct capture *c);

size_t capture_n_files(const struct capture *c);
struct capture_facts capture_facts(const struct capture *c, size_t i);

/* In the order in which they were found; the pointers hold until close. */
size_t capture_n_faults(const struct capture *c);
const struct capture_fault *capture_fault(const struct capture *c, size_t i);
const char *capture_fault_name(enum capture_fault_kind kind); /* "cut_short" */

/* The pointer holds until the next capture_next, the name until close. */
size_t capture_n_ifaces(const struct capture *c);
const struct capture_iface *capture_iface(const struct capture *c, size_t i);

#endif
