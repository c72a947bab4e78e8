/* capture_fuzz - the whole reader over one or two byte strings
 *
 * The first byte chooses: bits 0-1 the size of the pieces of the second pass,
 * bit 2 cuts the input in two files at the middle, bit 3 sets a filter. What is
 * given out must not depend on whether a file is mapped or comes in pieces. */
#include <stdio.h>

#include "sensor/base/hash.h"
#include "sensor/capture/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FUZZ_PACKETS = 50000 }; /* a bomb goes on for long */

struct seen {
    uint64_t hash;
    uint64_t packets;
    size_t faults;
    bool coding; /* compressed data was damaged */
};

static void
check_packet(const struct capture *c, const struct packet *k,
             const struct span *in, size_t n, bool whole)
{
    const struct capture_iface *iface;
    bool inside = k->data.n == 0;

    REQUIRE(k->iface < capture_n_ifaces(c));
    iface = capture_iface(c, k->iface);
    REQUIRE(iface->file < n && iface->name.n <= CAPTURE_IFACE_NAME_MAX);
    REQUIRE(k->wire_len >= k->data.n && k->data.n <= CAPTURE_CAPLEN_MAX);
    REQUIRE(k->when <= CAPTURE_TIME_MAX);
    for (size_t i = 0; i < n && !inside; i++)
        inside = capture_facts(c, i).coding != CAPTURE_PLAIN || !whole ||
                 (k->data.p >= in[i].p &&
                  k->data.p + k->data.n <= in[i].p + in[i].n);
    REQUIRE(inside);
}

static void
check_end(struct capture *c, size_t n, uint64_t packets)
{
    struct packet k;
    uint64_t sum = 0;

    REQUIRE(capture_next(c, &k) == CAPTURE_END);
    REQUIRE(capture_n_faults(c) <= 2 * n);
    for (size_t i = 0; i < capture_n_faults(c); i++) {
        const struct capture_fault *f = capture_fault(c, i);

        REQUIRE(f->file < n && f->text[0] != '\0');
        REQUIRE(f->packets <= capture_facts(c, f->file).packets);
    }
    for (size_t i = 0; i < n; i++) {
        const struct capture_facts f = capture_facts(c, i);

        REQUIRE(f.first <= f.last);
        REQUIRE(f.coding != CAPTURE_PLAIN || f.packets * 16 <= f.size ||
                f.size == 0);
        sum += f.packets - f.filtered;
    }
    REQUIRE(sum == packets);
    REQUIRE(capture_size(c) == 0 || capture_position(c) == capture_size(c));
}

static struct seen
walk(const struct span *in, size_t n, size_t chunk, const char *filter)
{
    const struct capture_options options = {.filter = filter};
    struct seen s = {0};
    struct capture *c;
    struct packet k;
    struct buf message;

    buf_init(&message, 512);
    if (capture_open_memory(in, n, chunk, &options, &c, &message) != ERR_OK) {
        REQUIRE(message.n > 0);
        buf_free(&message);
        s.coding = true; /* damaged before the first header, perhaps */
        return s;
    }
    REQUIRE(message.n == 0);
    while (s.packets < FUZZ_PACKETS && capture_next(c, &k) == CAPTURE_PACKET) {
        s.packets++;
        check_packet(c, &k, in, n, chunk == 0);
        s.hash = hash_mix(s.hash, hash_span(k.data, k.iface));
        s.hash = hash_mix(s.hash, k.when + k.wire_len);
    }
    if (s.packets < FUZZ_PACKETS)
        check_end(c, n, s.packets);
    s.faults = capture_n_faults(c);
    for (size_t i = 0; i < s.faults; i++)
        s.coding |= capture_fault(c, i)->kind == CAPTURE_FAULT_CODING;
    capture_close(c);
    buf_free(&message);
    return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const size_t chunks[] = {1, 7, 4096, 100000};
    uint8_t how = n > 0 ? data[0] : 0;
    const char *filter = (how & 8U) != 0 ? "tcp port 25" : NULL;
    size_t n_files = (how & 4U) != 0 ? 2 : 1;
    size_t all = n > 0 ? n - 1 : 0;
    size_t first = n_files == 2 ? all / 2 : all;
    uint8_t *one = malloc(first + 1);
    uint8_t *two = malloc(all - first + 1);
    struct span in[2];
    struct seen a;
    struct seen b;

    REQUIRE(one != NULL && two != NULL);
    one = realloc(one, first > 0 ? first : 1);
    two = realloc(two, all > first ? all - first : 1);
    REQUIRE(one != NULL && two != NULL);
    if (n > 0) {
        memcpy(one, data + 1, first);
        memcpy(two, data + 1 + first, all - first);
    }
    in[0] = span_of(one, first);
    in[1] = span_of(two, all - first);
    a = walk(in, n_files, 0, filter);
    b = walk(in, n_files, chunks[how & 3U], filter);
    /* How much of a damaged compressed frame is given out before it fails
     * depends on how the input is cut (capture.h, known gaps). */
    if (!a.coding && !b.coding) {
        REQUIRE(a.packets == b.packets && a.hash == b.hash);
        REQUIRE(a.packets == FUZZ_PACKETS || a.faults == b.faults);
    }
    free(one);
    free(two);
    return 0;
}
