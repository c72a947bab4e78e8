#include "sensor/capture/capture_file.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { SLOTS_MIN = 8, IFACES_MIN = 16 };

/* 1234567 as 1,234,567. */
static void
put_thousands(struct buf *out, uint64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRIu64, v);

    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            buf_putc(out, ',');
        buf_putc(out, (uint8_t)text[i]);
    }
}

static void
note(struct capture_file *f, struct capture_fault *fault,
     enum capture_fault_kind kind)
{
    struct capture_shared *s = f->shared;

    fault->file = f->number;
    fault->offset = capture_source_offset(&f->src);
    fault->packets = f->facts.packets;
    fault->kind = kind;
    s->faults[s->n_faults++] = fault;
}

void
capture_file_fault(struct capture_file *f, enum capture_fault_kind kind,
                   const char *fmt, ...)
{
    va_list args;

    if (f->has_end)
        return;
    f->has_end = true;
    note(f, &f->end, kind);
    va_start(args, fmt);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above */
    (void)vsnprintf(f->end.text, sizeof(f->end.text), fmt, args);
    va_end(args);
}

static void
fault_cut(struct capture_file *f, uint64_t missing, const char *what)
{
    uint8_t digits[32];
    struct buf b = {.p = digits, .cap = sizeof(digits), .max = sizeof(digits)};

    put_thousands(&b, missing);
    capture_file_fault(f, CAPTURE_FAULT_CUT,
                       "cut short: %.*s byte%s of %s %s missing", (int)b.n,
                       (const char *)digits, missing == 1 ? "" : "s", what,
                       missing == 1 ? "is" : "are");
}

void
capture_file_short(struct capture_file *f, uint64_t want, const char *what)
{
    const struct capture_source *s = &f->src;
    size_t have = cur_left(&s->cur);

    switch (s->why) {
    case SOURCE_STOPPED: return;
    case SOURCE_END:
        if (have > 0)
            fault_cut(f, want - have, what);
        return;
    case SOURCE_CUT:
        capture_file_fault(f, CAPTURE_FAULT_CUT,
                           "cut short: the compressed data ends too early");
        return;
    case SOURCE_DAMAGED:
        capture_file_fault(f, CAPTURE_FAULT_CODING,
                           "the compressed data is damaged: %s", s->detail);
        return;
    case SOURCE_READ:
        capture_file_fault(f, CAPTURE_FAULT_READ, "cannot be read: %s",
                           s->detail);
        return;
    case SOURCE_MEMORY:
        capture_file_fault(f, CAPTURE_FAULT_MEMORY, "%s", err_text(ERR_NOMEM));
        return;
    }
}

/* n more of size bytes each; NULL: keep what there is. */
static void *
grow(void *old, size_t n, size_t *cap, size_t min, size_t size)
{
    size_t more = *cap > 0 ? *cap * 2 : min;
    void *p;

    if (n < *cap)
        return old;
    p = realloc(old, more * size);
    if (p != NULL)
        *cap = more;
    return p;
}

static bool
same_iface(const struct capture_iface *a, const struct capture_iface *b)
{
    return a->file == b->file && a->index == b->index && a->link == b->link &&
           span_eq(a->name, b->name);
}

static bool
append_iface(struct capture_shared *s, const struct capture_iface *want)
{
    struct capture_named *table = grow(s->ifaces, s->n_ifaces, &s->ifaces_cap,
                                       IFACES_MIN, sizeof(*table));
    uint8_t *name;

    if (table == NULL)
        return false;
    s->ifaces = table;
    name = malloc(want->name.n + 1);
    if (name == NULL)
        return false;
    if (want->name.n > 0)
        memcpy(name, want->name.p, want->name.n);
    table[s->n_ifaces] = (struct capture_named){*want, name};
    table[s->n_ifaces++].iface.name = span_of(name, want->name.n);
    return true;
}

/* Its number over all files, or -1 when memory is out. */
static int32_t
iface_number(struct capture_shared *s, struct capture_iface want)
{
    static const struct capture_iface others = {
        .name = {(const uint8_t *)"(others)", 8}
    };

    want.name = span_head(want.name, CAPTURE_IFACE_NAME_MAX);
    for (size_t i = s->n_ifaces; i-- > 0;) {
        if (same_iface(&s->ifaces[i].iface, &want))
            return (int32_t)i;
    }
    if (s->n_ifaces == CAPTURE_IFACES_MAX)
        return CAPTURE_IFACES_MAX - 1;
    if (s->n_ifaces == CAPTURE_IFACES_MAX - 1)
        want = others;
    return append_iface(s, &want) ? (int32_t)s->n_ifaces - 1 : -1;
}

static void
slot_filter(struct capture_file *f, struct capture_slot *slot)
{
    if (f->shared->filter.text == NULL)
        return;
    slot->filter = capture_filter_for(&f->shared->filter, slot->link);
    slot->muted = slot->filter == NULL;
    if (!slot->muted || f->has_mute)
        return;
    f->has_mute = true;
    note(f, &f->mute, CAPTURE_FAULT_FILTER);
    (void)snprintf(f->mute.text, sizeof(f->mute.text),
                   "the filter cannot be used on link type %u: its packets "
                   "are left out",
                   slot->link);
}

/* 12 and 14 are what DLT_RAW is on most systems and on OpenBSD; no LINKTYPE_
 * has these numbers. */
static uint16_t
link_normal(uint16_t link)
{
    return link == 12 || link == 14 ? 101 : link;
}

static struct span
base_name(const char *name)
{
    const char *slash = strrchr(name, '/');

    return span_str(slash != NULL ? slash + 1 : name);
}

struct capture_slot *
capture_file_add_iface(struct capture_file *f, uint16_t link, struct span name)
{
    struct capture_iface want = {
        .name = name.n > 0 ? name : base_name(f->name),
        .file = f->number,
        .index = (uint32_t)f->n_slots,
        .link = link_normal(link),
    };
    struct capture_slot *slots;
    int32_t number;

    if (f->n_slots == CAPTURE_SECTION_IFACES_MAX) {
        capture_file_fault(f, CAPTURE_FAULT_BLOCK,
                           "more than %d interfaces in one section",
                           CAPTURE_SECTION_IFACES_MAX);
        return NULL;
    }
    slots =
        grow(f->slots, f->n_slots, &f->slots_cap, SLOTS_MIN, sizeof(*slots));
    if (slots != NULL)
        f->slots = slots;
    number = slots != NULL ? iface_number(f->shared, want) : -1;
    if (number < 0) {
        capture_file_fault(f, CAPTURE_FAULT_MEMORY, "%s", err_text(ERR_NOMEM));
        return NULL;
    }
    slots = &f->slots[f->n_slots++];
    *slots =
        (struct capture_slot){.link = want.link, .iface = (uint16_t)number};
    slot_filter(f, slots);
    return slots;
}
