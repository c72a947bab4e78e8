#include "dissectors/content/zip.h"

#define ZLIB_CONST
#include <zlib.h>

#include "dissectors/content/member_path.h"
#include "dissectors/content/zip_dir.h"

#define DIRS_MAX     4     /* central directories that are walked */
#define ENDS_MAX     64    /* end records that are looked at */
#define PIECE        65536 /* bytes inflated at a time */
#define SLACK        32    /* bytes between members: data descriptors */
#define SPANNED_MARK SPAN_LIT("PK\7\10PK\3\4")

struct member {
    struct zip_entry said; /* by the central directory */
    size_t local_at;
    size_t data_at;
    uint8_t dir;
    bool has_local;
    bool overlaps;
    bool twice; /* a directory before has said the same */
};

/* A piece of the file that belongs to a member, a directory or an end record.
 */
struct extent {
    size_t at;
    size_t end;
    uint32_t member; /* or NOBODY, or COMMENT */
};

#define NOBODY UINT32_MAX /* a directory */
#define COMMENT                                                                \
    (UINT32_MAX - 1) /* an end record: another zip may be within               \
                      */

struct walk {
    struct inspection *i;
    const struct content_item *item;
    struct span all;
    struct zip_end dir[DIRS_MAX];
    struct member *m;
    struct extent *x;
    size_t n_dirs;
    size_t n;
    size_t cap;
    size_t n_x;
    z_stream z;
    bool has_z;
    bool stop;
};

static void
note(struct walk *w, enum finding f)
{
    inspection_note(w->i, w->item, f);
}

static void
note_member(struct walk *w, enum finding f, struct span name)
{
    findings_add_detail(inspection_findings(w->i), f, name);
}

/* ---- what the directories say ---- */

static bool
more_members(struct walk *w)
{
    size_t cap = w->cap > 0 ? 2 * w->cap : 64;
    struct member *m;

    if (w->n < w->cap)
        return true;
    if (w->n >= CONTENT_MAX_objects) {
        note(w, FIND_BOMB_COUNT);
        return false;
    }
    m = realloc(w->m, cap * sizeof(*m));
    if (m == NULL) {
        note(w, FIND_INSPECTION_LIMIT);
        return false;
    }
    w->m = m;
    w->cap = cap;
    return true;
}

/* Offsets count from where the archive begins, or from where the file does. */
static void
find_local(struct walk *w, const struct zip_end *d, struct member *m)
{
    const uint64_t tries[] = {d->base + m->said.local, m->said.local};
    struct zip_entry local;

    for (size_t k = 0; k < ARRAY_LEN(tries); k++) {
        if (tries[k] >= w->all.n || tries[k] < m->said.local)
            continue;
        m->local_at = (size_t)tries[k];
        m->has_local = zip_local_at(w->all, m->local_at, &local, &m->data_at);
        if (m->has_local)
            return;
    }
}

static void
read_directory(struct walk *w, size_t which)
{
    struct zip_end *d = &w->dir[which];
    struct cursor c = cur_open(
        span_head(span_tail(w->all, d->dir_at), d->dir_end - d->dir_at));
    struct zip_entry e;
    uint64_t count = 0;
    size_t good = 0;

    while (zip_central_next(&c, &e) && more_members(w)) {
        struct member *m = &w->m[w->n++];

        *m = (struct member){.said = e, .dir = (uint8_t)which};
        find_local(w, d, m);
        if (e.disk != 0)
            note(w, FIND_ARCHIVE_SPANNED);
        count++;
        good = c.at;
    }
    if (count != d->count)
        note(w, FIND_ARCHIVE_FIELDS_DIFFER);
    if (d->spanned)
        note(w, FIND_ARCHIVE_SPANNED);
    d->dir_end = d->dir_at + good;
}

/* ---- who owns which bytes ---- */

static bool
extent_less(const struct extent *a, const struct extent *b)
{
    return a->at != b->at ? a->at < b->at : a->member < b->member;
}

static void
extent_sink(struct extent *x, size_t k, size_t n)
{
    while (2 * k + 1 < n) {
        size_t child = 2 * k + 1;
        struct extent swap;

        if (child + 1 < n && extent_less(&x[child], &x[child + 1]))
            child++;
        if (!extent_less(&x[k], &x[child]))
            return;
        swap = x[k];
        x[k] = x[child];
        x[child] = swap;
        k = child;
    }
}

/* Heapsort: n log n whatever is given, in place; qsort may allocate and ask
 * the system. */
static void
extents_sort(struct extent *x, size_t n)
{
    for (size_t k = n / 2; k-- > 0;)
        extent_sink(x, k, n);
    for (size_t k = n; k-- > 1;) {
        struct extent swap = x[0];

        x[0] = x[k];
        x[k] = swap;
        extent_sink(x, 0, k);
    }
}

static size_t
data_end(const struct walk *w, const struct member *m)
{
    const size_t left = w->all.n - m->data_at;

    return m->data_at + (m->said.packed < left ? (size_t)m->said.packed : left);
}

static bool
extents_make(struct walk *w)
{
    size_t n = 0;

    free(w->x);
    w->n_x = 0;
    w->x = malloc((w->n + 2 * (size_t)DIRS_MAX) * sizeof(*w->x));
    if (w->x == NULL) {
        note(w, FIND_INSPECTION_LIMIT);
        return false;
    }
    for (size_t k = 0; k < w->n; k++)
        if (w->m[k].has_local)
            w->x[n++] = (struct extent){w->m[k].local_at, data_end(w, &w->m[k]),
                                        (uint32_t)k};
    for (size_t k = 0; k < w->n_dirs; k++) {
        const struct zip_end *d = &w->dir[k];

        w->x[n++] = (struct extent){d->dir_at, d->dir_end, NOBODY};
        w->x[n++] = (struct extent){d->from, d->end, COMMENT};
    }
    extents_sort(w->x, n);
    w->n_x = n;
    return true;
}

static bool
is_owned(const struct walk *w, size_t at)
{
    size_t low = 0;
    size_t high = w->n_x;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (w->x[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 && at < w->x[low - 1].end;
}

static void
mark_overlaps(struct walk *w)
{
    const struct member *last = NULL;
    size_t end = 0;

    for (size_t k = 0; k < w->n_x; k++) {
        const struct extent *x = &w->x[k];
        struct member *m = x->member < w->n ? &w->m[x->member] : NULL;

        if (m != NULL && last != NULL && m->dir != last->dir &&
            m->local_at == last->local_at &&
            m->said.packed == last->said.packed &&
            m->said.method == last->said.method &&
            span_eq(m->said.name, last->said.name))
            m->twice = true;
        else if (m != NULL && x->at < end)
            m->overlaps = true;
        if (m != NULL && !m->overlaps)
            last = m;
        if (x->member != COMMENT && x->end > end)
            end = x->end;
    }
}

static void
add_directories(struct walk *w, const struct zip_end *e, size_t n)
{
    for (size_t k = 0; k < n && w->n_dirs < DIRS_MAX; k++) {
        w->dir[w->n_dirs] = e[k];
        read_directory(w, w->n_dirs++);
    }
}

/* The last end record rules; another one counts when it is not part of a
 * stored member, where it is that archive's own. */
static bool
find_directories(struct walk *w)
{
    struct zip_end e[2];
    size_t before = w->all.n;
    size_t n = 0;

    for (size_t k = 0; k < ENDS_MAX && w->n_dirs < DIRS_MAX; k++) {
        if (!zip_end_find(w->all, before, e, &n))
            break;
        before = e[0].at;
        if (w->n_dirs > 0 && is_owned(w, e[0].at))
            continue;
        add_directories(w, e, n);
        if (!extents_make(w))
            return false;
    }
    if (w->n_dirs > 1)
        note(w, FIND_ARCHIVE_TWO_DIRECTORIES);
    return w->n_dirs > 0 || extents_make(w);
}

/* ---- unpacking ---- */

static void
add(struct walk *w, struct span name, struct span bytes, uint64_t size,
    bool encrypted)
{
    if (!inspection_add(w->i, w->item, name, bytes, size, encrypted))
        w->stop = true;
}

static void
add_name(struct walk *w, struct span name, uint64_t size)
{
    add(w, name, SPAN_NONE, size, false);
}

struct inflated {
    struct span bytes; /* in the scratch buffer */
    size_t in;         /* taken */
    bool whole;        /* the stream came to its end */
    bool cut;          /* a limit ended it */
};

static bool
inflate_begin(struct walk *w, struct span in)
{
    int z = w->has_z ? inflateReset(&w->z) : inflateInit2(&w->z, -MAX_WBITS);

    if (z != Z_OK) {
        note(w, FIND_INSPECTION_LIMIT);
        return false;
    }
    w->has_z = true;
    w->z.next_in = in.p;
    w->z.avail_in = (uInt)(in.n < UINT32_MAX ? in.n : UINT32_MAX);
    return true;
}

/* One more piece; false when the budget or the member's limit ends it. */
static bool
inflate_piece(struct walk *w, struct buf *out, int *z)
{
    size_t room = out->max - out->n < PIECE ? out->max - out->n : PIECE;

    if (room == 0 || !buf_grow(out, room))
        return false;
    w->z.next_out = out->p + out->n;
    w->z.avail_out = (uInt)room;
    *z = inflate(&w->z, Z_NO_FLUSH);
    out->n += room - w->z.avail_out;
    return inspection_spend(w->i, room - w->z.avail_out);
}

static struct inflated
inflate_all(struct walk *w, struct span in)
{
    struct buf *out = inspection_scratch(w->i);
    struct inflated r = {.bytes = span_of("", 0)};
    int z = Z_OK;

    if (!inflate_begin(w, in))
        return r;
    while (z == Z_OK && !r.cut)
        r.cut = !inflate_piece(w, out, &z);
    r.in = in.n - w->z.avail_in;
    r.whole = z == Z_STREAM_END;
    if (out->n > 0)
        r.bytes = buf_view(out);
    if (r.cut && !r.whole)
        note(w, FIND_INSPECTION_LIMIT);
    return r;
}

static bool
has_sum(struct span bytes, uint32_t sum)
{
    return (uint32_t)crc32_z(0, bytes.p, bytes.n) == sum;
}

/* A stored member whose checksum is wrong may be a DEFLATE stream: readers that
 * do not trust the method unpack it. */
static bool
add_if_deflated(struct walk *w, const struct zip_entry *e, struct span data)
{
    struct inflated r = inflate_all(w, data);

    if (!r.whole || r.bytes.n == 0 || !has_sum(r.bytes, e->crc))
        return false;
    note_member(w, FIND_ARCHIVE_FIELDS_DIFFER, e->name);
    add(w, e->name, r.bytes, r.bytes.n, false);
    return true;
}

static void
add_stored(struct walk *w, const struct zip_entry *e, struct span data,
           bool shared)
{
    const bool whole = data.n == e->packed;

    if (e->packed != e->size)
        note_member(w, FIND_ARCHIVE_FIELDS_DIFFER, e->name);
    if (whole && !has_sum(data, e->crc)) {
        if (add_if_deflated(w, e, data))
            return;
        note_member(w, FIND_MALFORMED, e->name);
    }
    if (!inspection_spend(w->i, shared ? data.n : 0))
        add_name(w, e->name, e->size);
    else
        add(w, e->name, data.n > 0 ? data : span_of("", 0), e->packed, false);
}

static void
judge_ratio(struct walk *w, const struct zip_entry *e, const struct inflated *r)
{
    if (e->size / CONTENT_MAX_ratio > e->packed)
        note_member(w, FIND_BOMB_RATIO, e->name);
    if (r->bytes.n >= CONTENT_MAX_padded &&
        r->bytes.n / CONTENT_MAX_ratio_warn > r->in)
        note_member(w, FIND_PADDED_MEMBER, e->name);
}

static void
add_deflated(struct walk *w, const struct zip_entry *e, struct span data)
{
    struct inflated r = inflate_all(w, data);
    uint64_t size = r.whole ? r.bytes.n : e->size;

    const bool is_all = data.n == e->packed;
    const bool bad = r.whole ? !has_sum(r.bytes, e->crc) : !r.cut && is_all;

    judge_ratio(w, e, &r);
    if (bad)
        note_member(w, FIND_MALFORMED, e->name);
    else if (r.whole && r.bytes.n != e->size)
        note_member(w, FIND_ARCHIVE_FIELDS_DIFFER, e->name);
    if (!r.whole && size <= r.bytes.n)
        size = (uint64_t)r.bytes.n + 1; /* there is more */
    add(w, e->name, r.bytes.n > 0 || r.whole ? r.bytes : SPAN_NONE, size,
        false);
}

static bool
is_encrypted(const struct zip_entry *e)
{
    return (e->flags & (ZIP_ENCRYPTED | ZIP_STRONG)) != 0 ||
           e->method == ZIP_AES;
}

/* As these headers say. shared: another reading has the same bytes. */
static void
add_as(struct walk *w, const struct zip_entry *e, size_t data_at, bool shared)
{
    struct span in = span_tail(w->all, data_at);
    struct span data =
        span_head(in, e->packed < in.n ? (size_t)e->packed : in.n);

    if (data.n < e->packed)
        note_member(w, FIND_MALFORMED, e->name);
    if (is_encrypted(e)) {
        add(w, e->name, SPAN_NONE, e->size, true);
    } else if (!inspection_spend(w->i, 0)) {
        add_name(w, e->name, e->size);
    } else if (e->method == ZIP_STORED) {
        add_stored(w, e, data, shared);
    } else if (e->method == ZIP_DEFLATED) {
        add_deflated(w, e, data);
    } else {
        note_member(w, FIND_UNSUPPORTED_METHOD, e->name);
        add_name(w, e->name, e->size);
    }
}

/* ---- one member, by both of its headers ---- */

static void
note_names(struct walk *w, struct span a, struct span b)
{
    uint8_t room[FINDING_DETAIL_MAX];
    struct buf both = {.p = room, .cap = sizeof(room), .max = sizeof(room)};

    buf_span(&both, span_head(a, sizeof(room) / 2 - 2));
    buf_str(&both, " | ");
    buf_span(&both, span_head(b, sizeof(room) / 2 - 2));
    note_member(w, FIND_ARCHIVE_NAMES_DIFFER, buf_view(&both));
}

/* Code pages differ, so of a name in the extra field only the extension, which
 * decides what opens it, is compared. */
static void
compare_unicode(struct walk *w, const struct zip_entry *e)
{
    if (e->unicode_name.n == 0 ||
        span_eq_nocase(filename_extension(e->unicode_name),
                       filename_extension(e->name)))
        return;
    note_names(w, e->name, e->unicode_name);
    add_name(w, e->unicode_name, e->size);
}

static bool
fields_differ(const struct zip_entry *a, const struct zip_entry *local)
{
    if (a->method != local->method || is_encrypted(a) != is_encrypted(local))
        return true;
    if ((local->flags & ZIP_DESCRIPTOR) != 0 && local->packed == 0)
        return false;
    return a->packed != local->packed || a->size != local->size ||
           a->crc != local->crc;
}

/* What only the local header says, where another reader would follow it. */
static void
compare_local(struct walk *w, const struct member *m)
{
    struct zip_entry local;
    size_t data_at;

    if (!m->has_local || !zip_local_at(w->all, m->local_at, &local, &data_at) ||
        (local.flags & ZIP_MASKED) != 0)
        return;
    if (!member_path_same(local.name, m->said.name)) {
        note_names(w, m->said.name, local.name);
        add_name(w, local.name, local.size);
    }
    if (!fields_differ(&m->said, &local))
        return;
    note_member(w, FIND_ARCHIVE_FIELDS_DIFFER, m->said.name);
    if ((local.flags & ZIP_DESCRIPTOR) != 0 && local.packed == 0) {
        local.packed = m->said.packed;
        local.size = m->said.size;
        local.crc = m->said.crc;
    }
    if (!m->overlaps && !w->stop)
        add_as(w, &local, data_at, true);
}

static bool
is_folder(const struct zip_entry *e)
{
    return e->packed == 0 && e->size == 0 && e->name.n > 0 &&
           (e->name.p[e->name.n - 1] == '/' ||
            e->name.p[e->name.n - 1] == '\\');
}

static void
judge_link(struct walk *w, const struct member *m)
{
    struct span target =
        span_head(span_tail(w->all, m->data_at),
                  m->said.packed < CONTENT_NAME_MAX ? (size_t)m->said.packed
                                                    : CONTENT_NAME_MAX);

    if (m->said.is_link && m->has_local && m->said.method == ZIP_STORED &&
        member_path_link_escapes(m->said.name, target))
        note_member(w, FIND_MEMBER_PATH, m->said.name);
}

static void
take(struct walk *w, const struct member *m)
{
    const struct zip_entry *e = &m->said;

    if (m->twice || (is_folder(e) && inspection_spend_objects(w->i, 1)))
        return;
    judge_link(w, m);
    if (m->overlaps) {
        note(w, FIND_BOMB_OVERLAP);
        add(w, e->name, SPAN_NONE, e->size, is_encrypted(e));
    } else if (!m->has_local) {
        if (!w->item->truncated && e->disk == 0)
            note_member(w, FIND_ARCHIVE_HIDDEN_MEMBER, e->name);
        add(w, e->name, SPAN_NONE, e->size, is_encrypted(e));
    } else {
        add_as(w, e, m->data_at, false);
    }
    if (!w->stop)
        compare_unicode(w, e);
    if (!w->stop)
        compare_local(w, m);
}

/* ---- what no directory knows ---- */

/* Where the data of unknown length ends at the latest. */
static size_t
next_mark(struct span all, size_t from, size_t to)
{
    struct span in = span_of(all.p + from, to - from);
    size_t at = 0;

    while (at < in.n) {
        size_t hit = at + span_search(span_tail(in, at), SPAN_LIT("PK"));
        struct span tail = span_tail(in, hit);

        if (span_starts(tail, ZIP_LOCAL) || span_starts(tail, ZIP_CENTRAL) ||
            span_starts(tail, SPAN_LIT("PK\7\10")))
            return from + hit;
        at = hit + 2;
    }
    return to;
}

static bool
is_plausible(const struct zip_entry *e, size_t data_at, size_t to)
{
    return e->name.n > 0 && e->method <= ZIP_AES && data_at <= to &&
           e->packed <= to - data_at;
}

static bool
has_no_length(const struct zip_entry *e)
{
    return (e->flags & ZIP_DESCRIPTOR) != 0 && e->packed == 0;
}

/* Behind a stream that only its own end measures, its descriptor has the sum.
 */
static size_t
take_streamed(struct walk *w, const struct zip_entry *e, size_t at, size_t to)
{
    struct inflated r = inflate_all(w, span_of(w->all.p + at, to - at));
    uint64_t more = r.whole ? 0 : 1;

    if (!r.whole && !r.cut)
        note_member(w, FIND_MALFORMED, e->name);
    add(w, e->name, r.bytes, r.bytes.n + more, false);
    return at + r.in;
}

static size_t
take_hidden(struct walk *w, struct zip_entry *e, size_t data_at, size_t to)
{
    if (w->n_dirs > 0)
        note_member(w, FIND_ARCHIVE_HIDDEN_MEMBER, e->name);
    if (has_no_length(e) && e->method == ZIP_DEFLATED && !is_encrypted(e) &&
        inspection_spend(w->i, 0))
        return take_streamed(w, e, data_at, to);
    if (has_no_length(e)) {
        e->packed = next_mark(w->all, data_at, to) - data_at;
        e->size = e->packed;
        e->crc = (uint32_t)crc32_z(0, w->all.p + data_at, (size_t)e->packed);
    }
    if (!is_folder(e))
        add_as(w, e, data_at, false);
    return e->packed < to - data_at ? data_at + (size_t)e->packed : to;
}

/* Local headers between what the directories know. Gives the bytes that are
 * neither. */
static size_t
search_gap(struct walk *w, size_t from, size_t to)
{
    size_t at = from;
    size_t free_bytes = 0;

    while (at < to && !w->stop) {
        struct span in = span_of(w->all.p + at, to - at);
        size_t hit = at + span_search(in, ZIP_LOCAL);
        struct zip_entry e;
        size_t data_at;

        free_bytes += hit - at;
        if (hit >= to)
            break;
        if (zip_local_at(w->all, hit, &e, &data_at) &&
            (w->n_dirs == 0 || is_plausible(&e, data_at, to))) {
            at = take_hidden(w, &e, data_at < to ? data_at : to, to);
        } else {
            at = hit + 4;
            free_bytes += 4;
        }
    }
    return free_bytes;
}

static bool
is_blank(struct span s)
{
    for (size_t k = 0; k < s.n; k++)
        if (s.p[k] != 0)
            return false;
    return true;
}

static void
search_gaps(struct walk *w)
{
    size_t at = 0;
    bool extra = false;

    for (size_t k = 0; k <= w->n_x && !w->stop; k++) {
        size_t to = k < w->n_x ? w->x[k].at : w->all.n;

        if (to > at && search_gap(w, at, to) > SLACK &&
            !is_blank(span_of(w->all.p + at, to - at)))
            extra = true;
        if (k < w->n_x && w->x[k].end > at)
            at = w->x[k].end;
    }
    if (extra && !w->item->truncated && w->n_dirs > 0 &&
        filetype_group_of(w->item->type) == FILETYPE_GROUP_ARCHIVE)
        note(w, FIND_ARCHIVE_EXTRA_DATA);
}

/* ---- the inspector ---- */

static void
judge_totals(struct walk *w)
{
    uint64_t sum = 0;

    for (size_t k = 0; k < w->n; k++) {
        uint64_t size = w->m[k].said.size;

        sum = size > UINT64_MAX - sum ? UINT64_MAX : sum + size;
    }
    if (sum / CONTENT_MAX_ratio > w->all.n)
        note(w, FIND_BOMB_RATIO);
}

static uint64_t
name_key(const struct member *m)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t k = 0; k < m->said.name.n; k++)
        h = (h ^ m->said.name.p[k]) * UINT64_C(0x100000001b3);
    return h;
}

/* The extents are no longer needed: their room sorts the names. */
static void
judge_duplicates(struct walk *w)
{
    size_t n = 0;

    for (size_t k = 0; k < w->n; k++)
        if (w->m[k].has_local && !w->m[k].twice)
            w->x[n++] = (struct extent){name_key(&w->m[k]), 0, (uint32_t)k};
    extents_sort(w->x, n);
    for (size_t k = 1; k < n; k++) {
        struct span a = w->m[w->x[k - 1].member].said.name;
        struct span b = w->m[w->x[k].member].said.name;

        if (w->x[k - 1].at == w->x[k].at && span_eq(a, b))
            note_member(w, FIND_ARCHIVE_DUPLICATE, b);
    }
}

/* What kind of zip it is, by its directory: names at the head of the file may
 * be those of an archive within. */
static void
refine(struct walk *w)
{
    static const struct {
        struct span name;
        enum filetype type;
    } known[] = {
        {SPAN_INIT("[Content_Types].xml"),    FILETYPE_OOXML},
        {SPAN_INIT("AndroidManifest.xml"),    FILETYPE_APK  },
        {SPAN_INIT("META-INF/container.xml"), FILETYPE_EPUB },
        {SPAN_INIT("META-INF/manifest.xml"),  FILETYPE_ODF  },
        {SPAN_INIT("META-INF/MANIFEST.MF"),   FILETYPE_JAR  },
    };
    enum filetype is = FILETYPE_ZIP;

    if (w->n_dirs == 0 || !filetype_is_zip(w->item->type))
        return;
    for (size_t k = 0; k < w->n; k++)
        for (size_t j = 0; j < ARRAY_LEN(known); j++)
            if (span_eq(w->m[k].said.name, known[j].name) &&
                (is == FILETYPE_ZIP || known[j].type == w->item->type))
                is = known[j].type;
    if (is != w->item->type)
        inspection_refine(w->i, is);
}

static void
walk(struct walk *w)
{
    if (!find_directories(w))
        return;
    if (w->n_dirs == 0 && !w->item->truncated)
        note(w, FIND_MALFORMED);
    refine(w);
    mark_overlaps(w);
    judge_totals(w);
    for (size_t k = 0; k < w->n && !w->stop; k++)
        take(w, &w->m[k]);
    search_gaps(w);
    judge_duplicates(w);
}

static bool
begins_as_zip(struct span s)
{
    return span_starts(s, ZIP_LOCAL) || span_starts(s, SPAN_LIT("PK\5\6")) ||
           span_starts(s, SPANNED_MARK) ||
           span_starts(s, SPAN_LIT("PK00PK\3\4"));
}

static bool
wants(const struct content_item *item)
{
    enum filetype_group g = filetype_group_of(item->type);

    if (begins_as_zip(item->bytes))
        return true;
    /* other archives may end with a zip that they hold */
    return g != FILETYPE_GROUP_ARCHIVE && g != FILETYPE_GROUP_IMAGE &&
           zip_ends_with(item->bytes);
}

static void
inspect(struct inspection *i, const struct content_item *item)
{
    struct walk w = {.i = i, .item = item, .all = item->bytes};

    if (filetype_group_of(item->type) == FILETYPE_GROUP_PROGRAM &&
        !begins_as_zip(item->bytes))
        note(&w, FIND_SELF_EXTRACTING);
    walk(&w);
    if (w.has_z)
        (void)inflateEnd(&w.z);
    free(w.m);
    free(w.x);
}

const struct inspector zip_inspector = {
    .name = "zip",
    .wants = wants,
    .inspect = inspect,
};
