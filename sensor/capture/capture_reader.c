#include "sensor/capture/capture_reader.h"

#include "sensor/base/text.h"
#include "sensor/capture/capture_pcap.h"
#include "sensor/capture/capture_pcapng.h"

enum { MAGIC = 4 };

/* Files that people take for captures of this kind, and what helps. */
static const struct {
    const char *magic;
    size_t n;
    const char *what;
} others[] = {
    {"\xfd\x37\x7a\x58", 4,
     "is compressed with xz; unpack it (xz -dc) into standard input"             },
    {"BZh",              3,
     "is compressed with bzip2; unpack it (bzip2 -dc) into standard input"       },
    {"\x04\x22\x4d\x18", 4,
     "is compressed with lz4; unpack it (lz4 -dc) into standard input"           },
    {"PK\x03\x04",       4, "is a zip archive; unpack it first"                  },
    {"snoo",             4, "is a snoop capture; convert it with editcap -F pcap"},
    {"GMBU",             4,
     "is a Network Monitor capture; convert it with editcap -F pcap"             },
    {"\x1f\x8b",         2, "is compressed twice; unpack it once first"          },
    {"\x28\xb5\x2f\xfd", 4, "is compressed twice; unpack it once first"          },
};

static enum err
unknown(struct capture_file *f, struct span magic, struct buf *message)
{
    const char *what = "is not a pcap or pcapng capture; check that it is the "
                       "right file";

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (span_starts(magic, span_of(others[i].magic, others[i].n)))
            what = others[i].what;
    }
    if (strcmp(f->name, "-") == 0)
        buf_str(message, "standard input");
    else
        text_term(message, span_str(f->name));
    buf_printf(message, ": %s", what);
    return ERR_FORMAT;
}

static void
ended(struct capture_file *f)
{
    capture_source_close(&f->src);
    free(f->slots);
    f->slots = NULL;
    f->n_slots = f->slots_cap = 0;
    f->plain = false;
}

enum err
capture_reader_open(struct capture_file *f, struct buf *message)
{
    struct span magic;
    size_t have;

    f->facts.coding = f->src.coding;
    f->facts.size = f->src.size;
    f->facts.first = UINT64_MAX;
    if (!capture_source_fill(&f->src, MAGIC)) {
        have = cur_left(&f->src.cur);
        if (have == 0 && f->src.why == SOURCE_END)
            capture_file_fault(f, CAPTURE_FAULT_EMPTY,
                               "empty: there is no capture in it");
        else
            capture_file_short(f, MAGIC, "the file's first word");
        ended(f);
        return ERR_OK;
    }
    magic = span_head(span_tail(f->src.cur.in, f->src.cur.at), MAGIC);
    if (capture_pcapng_is(magic)) {
        f->format = CAPTURE_PCAPNG;
    } else if (capture_pcap_is(magic)) {
        f->format = CAPTURE_PCAP;
        if (!capture_pcap_open(f))
            ended(f);
    } else {
        return unknown(f, magic, message);
    }
    f->facts.format = f->format;
    return ERR_OK;
}

static bool
read_any(struct capture_file *f, struct packet *out)
{
    if (f->src.closed)
        return false;
    if (f->plain && capture_pcap_take(f, out))
        return true;
    switch (f->format) {
    case CAPTURE_NONE: return false;
    case CAPTURE_PCAP: return capture_pcap_next(f, out);
    case CAPTURE_PCAPNG: return capture_pcapng_next(f, out);
    }
    return false;
}

static bool
passes(const struct capture_file *f, const struct packet *k)
{
    const struct capture_slot *slot = f->slot;

    if (slot->filter != NULL)
        return capture_filter_pass(slot->filter, k);
    return !slot->muted;
}

bool
capture_reader_next(struct capture_file *f, struct packet *out)
{
    while (read_any(f, out)) {
        capture_file_count(f, out);
        f->last = out->when;
        if (LIKELY(passes(f, out)))
            return true;
        f->facts.filtered++;
    }
    ended(f);
    return false;
}

static void
restart(struct capture_file *f)
{
    capture_source_rewind(&f->src);
    f->n_slots = 0;
    f->last = 0;
    f->facts.packets = f->facts.filtered = f->facts.bytes = 0;
    f->facts.first = UINT64_MAX;
    f->facts.last = 0;
}

bool
capture_reader_park(struct capture_file *f)
{
    if (!capture_reader_next(f, &f->head))
        return false;
    if (f->src.whole && f->src.coding != CAPTURE_PLAIN) {
        restart(f);
        f->parked = true;
    }
    return true;
}

bool
capture_reader_unpark(struct capture_file *f)
{
    if (!f->parked)
        return true;
    f->parked = false;
    if (f->format == CAPTURE_PCAP && !capture_pcap_open(f)) {
        ended(f);
        return false;
    }
    return capture_reader_next(f, &f->head);
}
