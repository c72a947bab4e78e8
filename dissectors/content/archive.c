#include "dissectors/content/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <time.h>

#include "dissectors/content/member_path.h"

#define GZIP_NAME_MAX (1U << 16) /* bytes of it that are looked through */

#define HITS_MAX 4 /* places behind a program where an archive may begin */

struct reader {
    enum filetype type;
    int (*format)(struct archive *a);
    int filter;  /* ARCHIVE_FILTER_NONE, or the stream's */
    bool pieces; /* members are pieces of the archive, one after another */
};

/* RAR last: of all readers it has had the most faults. */
static const struct reader readers[] = {
    {FILETYPE_GZIP,     archive_read_support_format_raw,     ARCHIVE_FILTER_GZIP,
     false                                                                              },
    {FILETYPE_BZIP2,    archive_read_support_format_raw,     ARCHIVE_FILTER_BZIP2,
     false                                                                              },
    {FILETYPE_XZ,       archive_read_support_format_raw,     ARCHIVE_FILTER_XZ,    false},
    {FILETYPE_LZMA,     archive_read_support_format_raw,     ARCHIVE_FILTER_LZMA,
     false                                                                              },
    {FILETYPE_LZIP,     archive_read_support_format_raw,     ARCHIVE_FILTER_LZIP,
     false                                                                              },
    {FILETYPE_ZSTD,     archive_read_support_format_raw,     ARCHIVE_FILTER_ZSTD,
     false                                                                              },
    {FILETYPE_LZ4,      archive_read_support_format_raw,     ARCHIVE_FILTER_LZ4,   false},
    {FILETYPE_RPM,      archive_read_support_format_raw,     ARCHIVE_FILTER_RPM,   false},
    {FILETYPE_TAR,      archive_read_support_format_tar,     ARCHIVE_FILTER_NONE,  true },
    {FILETYPE_CPIO,     archive_read_support_format_cpio,    ARCHIVE_FILTER_NONE,
     true                                                                               },
    {FILETYPE_AR,       archive_read_support_format_ar,      ARCHIVE_FILTER_NONE,  true },
    {FILETYPE_SEVENZIP, archive_read_support_format_7zip,    ARCHIVE_FILTER_NONE,
     false                                                                              },
    {FILETYPE_CAB,      archive_read_support_format_cab,     ARCHIVE_FILTER_NONE,  false},
    {FILETYPE_ISO9660,  archive_read_support_format_iso9660, ARCHIVE_FILTER_NONE,
     false                                                                              },
    {FILETYPE_LZH,      archive_read_support_format_lha,     ARCHIVE_FILTER_NONE,  false},
    {FILETYPE_RAR,      archive_read_support_format_rar,     ARCHIVE_FILTER_NONE,  false},
    {FILETYPE_RAR5,     archive_read_support_format_rar5,    ARCHIVE_FILTER_NONE,
     false                                                                              },
};

/* What is looked for behind files of other types. */
static const struct {
    struct span magic;
    enum filetype type;
} behind[] = {
    {SPAN_INIT("7z\xbc\xaf\x27\x1c"),   FILETYPE_SEVENZIP},
    {SPAN_INIT("Rar!\x1a\x07\x00"),     FILETYPE_RAR     },
    {SPAN_INIT("Rar!\x1a\x07\x01\x00"), FILETYPE_RAR5    },
};

struct unpack {
    struct inspection *i;
    const struct content_item *item;
    const struct reader *reader;
    struct span in;
    struct archive *a;
    uint64_t made;   /* bytes unpacked */
    unsigned n_read; /* headers */
    bool is_open;
    bool is_guess; /* found by its magic behind another file */
    bool stop;
};

static const struct reader *
reader_of(enum filetype t)
{
    for (size_t k = 0; k < ARRAY_LEN(readers); k++)
        if (readers[k].type == t)
            return &readers[k];
    return NULL;
}

static bool
is_stream(const struct unpack *u)
{
    return u->reader->filter != ARCHIVE_FILTER_NONE;
}

/* What does not even open behind another file was no archive. */
static void
note(struct unpack *u, enum finding f)
{
    if (u->is_guess && u->n_read == 0)
        return;
    inspection_note(u->i, u->item, f);
}

static void
note_member(struct unpack *u, enum finding f, struct span name)
{
    findings_add_detail(inspection_findings(u->i), f, name);
}

/* ---- names ---- */

/* libarchive ends the process when a name cannot be converted and errno says
 * that memory has run out, be it from long before. */
static struct span
entry_text(struct archive_entry *e, const char *(*get)(struct archive_entry *e))
{
    const char *s;

    errno = 0;
    s = get(e);
    return s != NULL ? span_str(s) : SPAN_NONE;
}

static struct span
entry_name(struct archive_entry *e)
{
    struct span s = entry_text(e, archive_entry_pathname_utf8);

    return s.p != NULL ? s : entry_text(e, archive_entry_pathname);
}

/* FNAME of RFC 1952. */
static struct span
gzip_name(struct span in)
{
    enum { FHCRC = 2, FEXTRA = 4, FNAME = 8 };
    struct cursor c = cur_open(in);
    unsigned flags;

    cur_skip(&c, 3);
    flags = cur_u8(&c);
    cur_skip(&c, 6);
    if ((flags & FEXTRA) != 0)
        cur_skip(&c, cur_le16(&c));
    if (c.bad || (flags & FNAME) == 0)
        return SPAN_NONE;
    in = cur_rest(&c);
    in = span_head(in, GZIP_NAME_MAX);
    return span_head(in, span_find(in, 0));
}

static struct span
last_component(struct span name)
{
    size_t k = name.n;

    while (k > 0 && name.p[k - 1] != '/' && name.p[k - 1] != '\\')
        k--;
    return span_tail(name, k);
}

void
archive_stream_name(struct span of_stream, struct buf *out)
{
    static const struct {
        struct span extension;
        struct span instead;
    } known[] = {
        {SPAN_INIT("gz"),   SPAN_INIT("")     },
        {SPAN_INIT("bz2"),  SPAN_INIT("")     },
        {SPAN_INIT("xz"),   SPAN_INIT("")     },
        {SPAN_INIT("lzma"), SPAN_INIT("")     },
        {SPAN_INIT("lz"),   SPAN_INIT("")     },
        {SPAN_INIT("zst"),  SPAN_INIT("")     },
        {SPAN_INIT("lz4"),  SPAN_INIT("")     },
        {SPAN_INIT("uu"),   SPAN_INIT("")     },
        {SPAN_INIT("uue"),  SPAN_INIT("")     },
        {SPAN_INIT("hqx"),  SPAN_INIT("")     },
        {SPAN_INIT("rpm"),  SPAN_INIT(".cpio")},
        {SPAN_INIT("z"),    SPAN_INIT("")     },
        {SPAN_INIT("tgz"),  SPAN_INIT(".tar") },
        {SPAN_INIT("taz"),  SPAN_INIT(".tar") },
        {SPAN_INIT("tbz"),  SPAN_INIT(".tar") },
        {SPAN_INIT("tbz2"), SPAN_INIT(".tar") },
        {SPAN_INIT("txz"),  SPAN_INIT(".tar") },
        {SPAN_INIT("tzst"), SPAN_INIT(".tar") },
        {SPAN_INIT("svgz"), SPAN_INIT(".svg") },
    };
    struct span name = last_component(of_stream);
    struct span ext = filename_extension(name);

    for (size_t k = 0; k < ARRAY_LEN(known); k++) {
        if (!span_eq_nocase(ext, known[k].extension))
            continue;
        buf_span(out, span_head(name, (size_t)(ext.p - name.p) - 1));
        buf_span(out, known[k].instead);
        return;
    }
    buf_span(out, name);
}

/* ---- data ---- */

/* Zeros that a sparse file leaves out. */
static bool
put_hole(struct unpack *u, struct buf *out, uint64_t n)
{
    size_t room;

    if (!inspection_spend(u->i, n))
        return false;
    room = out->max - out->n;
    room = n < room ? (size_t)n : room;
    if (room > 0 && buf_grow(out, room)) {
        memset(out->p + out->n, 0, room);
        out->n += room;
    }
    return true;
}

static bool
is_piece(const struct unpack *u, struct span s)
{
    return s.n > 0 && s.p >= u->in.p && s.n <= u->in.n &&
           (size_t)(s.p - u->in.p) <= u->in.n - s.n;
}

struct data {
    struct span bytes;
    uint64_t size; /* so far, also of what is not kept */
    bool fatal;    /* no more of this archive */
    bool damaged;  /* of this member */
};

static bool
take_block(struct unpack *u, struct buf *out, struct span block, int64_t at,
           struct data *d)
{
    const uint64_t from = at > 0 ? (uint64_t)at : 0;

    if (from > d->size && !put_hole(u, out, from - d->size))
        return false;
    if (from > d->size)
        d->size = from;
    if (u->reader->pieces && d->size == 0 && is_piece(u, block)) {
        if (!inspection_spend(u->i, 0))
            return false;
        d->bytes = block;
    } else {
        if (!inspection_spend(u->i, block.n))
            return false;
        /* what came before as a piece of the archive */
        if (out->n == 0 && d->bytes.n > 0)
            buf_span(out, d->bytes);
        buf_span(out, block);
        d->bytes = buf_view(out);
    }
    d->size += block.n;
    return true;
}

/* Reads the member to its end, whatever is kept of it, so that the library
 * skips nothing that is not paid for. */
static struct data
read_data(struct unpack *u)
{
    struct data d = {.bytes = span_of("", 0)};
    struct buf *out = inspection_scratch(u->i);
    const void *p;
    size_t n;
    la_int64_t at;
    int r;

    if (is_stream(u))
        out->max = CONTENT_MAX_unpacked;
    for (;;) {
        r = archive_read_data_block(u->a, &p, &n, &at);
        if (r == ARCHIVE_EOF)
            break;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
            d.damaged = true;
            d.fatal = r == ARCHIVE_FATAL;
            break;
        }
        if (n > 0 && !take_block(u, out, span_of(p, n), at, &d)) {
            u->stop = true;
            break;
        }
    }
    u->made += d.size;
    if (out->cut || out->failed)
        note(u, FIND_INSPECTION_LIMIT);
    return d;
}

/* ---- members ---- */

/* Has this RAR 4 archive a member packed as RAR 1.5 or 2.0 did? libarchive
 * takes it for damaged. */
static bool
rar_is_old(struct span in)
{
    enum { FILE_HEAD = 0x74, HAS_DATA = 0x8000, STORED = 0x30, VERSION = 29 };
    struct cursor c = cur_open(span_tail(in, 7));

    while (cur_left(&c) > 7) {
        struct cursor h = c;
        unsigned type;
        unsigned flags;
        size_t size;
        uint64_t data = 0;

        cur_skip(&h, 2);
        type = cur_u8(&h);
        flags = cur_le16(&h);
        size = cur_le16(&h);
        if ((flags & HAS_DATA) != 0)
            data = cur_le32(&h);
        cur_skip(&h, 13);
        if (type == FILE_HEAD && cur_u8(&h) < VERSION && cur_u8(&h) != STORED)
            return !h.bad;
        if (size < 7 || data > cur_left(&c))
            return false;
        cur_skip(&c, size);
        cur_skip(&c, (size_t)data);
    }
    return false;
}

/* What libarchive says only in words. */
static enum finding
finding_of_error(const struct unpack *u)
{
    static const struct {
        const char *word;
        enum finding f;
    } words[] = {
        {"ncrypt",        FIND_ENCRYPTED_ARCHIVE },
        {"nsupported",    FIND_UNSUPPORTED_METHOD},
        {"not supported", FIND_UNSUPPORTED_METHOD},
        {"converted",     FIND_ARCHIVE_UNREAD    },
        {"iconv",         FIND_ARCHIVE_UNREAD    },
        {"volume",        FIND_ARCHIVE_SPANNED   },
    };
    const char *text = archive_error_string(u->a);

    if (archive_errno(u->a) == ENOMEM)
        return FIND_INSPECTION_LIMIT;
    for (size_t k = 0; text != NULL && k < ARRAY_LEN(words); k++)
        if (span_contains_nocase(span_str(text), span_str(words[k].word)))
            return words[k].f;
    if (u->item->truncated)
        return u->item->depth == 0 ? FIND_PART_GAPS : FIND_INSPECTION_LIMIT;
    if (u->reader->type == FILETYPE_RAR && rar_is_old(u->in))
        return FIND_UNSUPPORTED_METHOD;
    return FIND_MALFORMED;
}

static void
add(struct unpack *u, struct span name, struct span bytes, uint64_t size,
    bool encrypted)
{
    if (!inspection_add(u->i, u->item, name, bytes, size, encrypted))
        u->stop = true;
}

static void
judge_links(struct unpack *u, struct archive_entry *e, struct span name)
{
    struct span soft = entry_text(e, archive_entry_symlink);
    struct span hard = entry_text(e, archive_entry_hardlink);

    if (member_path_link_escapes(name, soft) || member_path_escapes(hard))
        note_member(u, FIND_MEMBER_PATH, name);
}

static void
add_data(struct unpack *u, struct archive_entry *e, struct span name)
{
    struct data d = read_data(u);
    uint64_t size = d.size;

    if (d.damaged)
        note_member(u, finding_of_error(u), name);
    if ((d.damaged || u->stop) && archive_entry_size_is_set(e) &&
        (uint64_t)archive_entry_size(e) > size)
        size = (uint64_t)archive_entry_size(e);
    if ((d.damaged || u->stop) && size <= d.bytes.n)
        size = (uint64_t)d.bytes.n + 1; /* there is more */
    if (d.fatal)
        u->stop = true;
    add(u, name, d.size > 0 || !d.damaged ? d.bytes : SPAN_NONE, size, false);
}

static bool
has_data(struct archive_entry *e)
{
    return archive_entry_filetype(e) != AE_IFDIR &&
           entry_text(e, archive_entry_symlink).p == NULL &&
           entry_text(e, archive_entry_hardlink).p == NULL;
}

static void
take(struct unpack *u, struct archive_entry *e)
{
    uint8_t room[CONTENT_NAME_MAX], short_room[CONTENT_NAME_MAX];
    struct buf name = {.p = room, .cap = sizeof(room), .max = sizeof(room)};
    struct span gzip =
        u->reader->type == FILETYPE_GZIP ? gzip_name(u->in) : SPAN_NONE;

    if (gzip.n > 0)
        buf_span(&name, filename_shorten(gzip, sizeof(room), short_room));
    else if (is_stream(u))
        archive_stream_name(u->item->name, &name);
    else
        buf_span(&name,
                 filename_shorten(entry_name(e), sizeof(room), short_room));
    judge_links(u, e, buf_view(&name));
    if (archive_entry_is_encrypted(e))
        add(u, buf_view(&name), SPAN_NONE, (uint64_t)archive_entry_size(e),
            true);
    else if (has_data(e))
        add_data(u, e, buf_view(&name));
}

void
archive_judge_ratio(struct inspection *i, const struct content_item *item,
                    uint64_t packed, uint64_t made)
{
    const uint64_t in = packed > 0 ? packed : 1;

    if (made < CONTENT_MAX_padded)
        return;
    if (made / in > CONTENT_MAX_ratio)
        inspection_note(i, item, FIND_BOMB_RATIO);
    else if (made / in > CONTENT_MAX_ratio_warn)
        inspection_note(i, item, FIND_PADDED_MEMBER);
}

static void
judge_end(struct unpack *u, int r)
{
    /* of an archive that did not open libarchive 3.6 may not be asked */
    const bool hidden =
        u->is_open && archive_read_has_encrypted_entries(u->a) == 1;
    enum finding f = FIND_ENCRYPTED_ARCHIVE;

    if (!hidden && r == ARCHIVE_FATAL)
        f = finding_of_error(u);
    else if (!hidden)
        return;
    if (f == FIND_ARCHIVE_UNREAD && !u->is_guess)
        note_member(u, f, span_str(filetype_name(u->reader->type)));
    else
        note(u, f);
    if (f == FIND_ENCRYPTED_ARCHIVE && u->n_read == 0)
        note(u, FIND_ENCRYPTED_NAMES);
}

static bool
open_as(struct unpack *u)
{
    int r = u->reader->format(u->a);

    if (is_stream(u)) {
        r = r < ARCHIVE_WARN ? r : archive_read_support_format_empty(u->a);
        r = r < ARCHIVE_WARN
                ? r
                : archive_read_append_filter(u->a, u->reader->filter);
    }
    return r >= ARCHIVE_WARN &&
           archive_read_open_memory(u->a, u->in.p, u->in.n) >= ARCHIVE_WARN;
}

static void
read_all(struct unpack *u)
{
    struct archive_entry *e;
    int r = ARCHIVE_FATAL;

    u->is_open = open_as(u);
    while (u->is_open && !u->stop && inspection_spend_objects(u->i, 1)) {
        r = archive_read_next_header(u->a, &e);
        if (r == ARCHIVE_EOF || r == ARCHIVE_FATAL)
            break;
        if (r == ARCHIVE_RETRY)
            continue;
        u->n_read++;
        take(u, e);
    }
    judge_end(u, r);
    archive_judge_ratio(u->i, u->item, u->in.n, u->made);
}

/* False when nothing could be read. */
static bool
unpack(struct inspection *i, const struct content_item *item, struct span in,
       enum filetype type)
{
    struct unpack u = {
        .i = i,
        .item = item,
        .reader = reader_of(type),
        .in = in,
        .is_guess = in.n < item->bytes.n,
        .a = archive_read_new(),
    };

    if (u.a == NULL)
        note(&u, FIND_INSPECTION_LIMIT);
    else
        read_all(&u);
    (void)archive_read_free(u.a);
    return u.n_read > 0;
}

/* ---- the inspector ---- */

static bool
may_hide(const struct content_item *item)
{
    enum filetype_group g = filetype_group_of(item->type);

    return g == FILETYPE_GROUP_PROGRAM || g == FILETYPE_GROUP_MEDIA ||
           g == FILETYPE_GROUP_LINK || item->type == FILETYPE_PDF;
}

/* The next place of magic at or behind `at`; the end when there is none. */
static size_t
find_behind(struct span s, size_t at, struct span magic)
{
    return at + span_search(span_tail(s, at), magic);
}

static bool
wants(const struct content_item *item)
{
    if (reader_of(item->type) != NULL)
        return true;
    for (size_t k = 0; may_hide(item) && k < ARRAY_LEN(behind); k++)
        if (find_behind(item->bytes, 1, behind[k].magic) < item->bytes.n)
            return true;
    return false;
}

/* A program may have the magic as a constant, so more places are tried. */
static void
inspect_behind(struct inspection *i, const struct content_item *item, size_t k)
{
    size_t at = 0;

    for (unsigned hits = 0; hits < HITS_MAX; hits++) {
        at = find_behind(item->bytes, at + 1, behind[k].magic);
        if (at >= item->bytes.n)
            return;
        if (unpack(i, item, span_tail(item->bytes, at), behind[k].type)) {
            if (filetype_group_of(item->type) == FILETYPE_GROUP_PROGRAM)
                inspection_note(i, item, FIND_SELF_EXTRACTING);
            return;
        }
    }
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    if (reader_of(item->type) != NULL) {
        (void)unpack(i, item, item->bytes, item->type);
        return;
    }
    for (size_t k = 0; k < ARRAY_LEN(behind); k++)
        inspect_behind(i, item, k);
}

/* Times in archives go through mktime: what it reads, it reads now. */
static enum err
prepare(void)
{
    tzset();
    return ERR_OK;
}

const struct inspector archive_inspector = {
    .name = "archive",
    .wants = wants,
    .inspect = inspect,
    .prepare = prepare,
};
