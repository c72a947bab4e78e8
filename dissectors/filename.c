#include "dissectors/filename.h"

#include "dissectors/extension.h"
#include "sensor/base/attr.h"

#define SPACES_MOST                                                            \
    40 /* DETECTION 3.2: more push the extension out of sight                  \
        */

#define TRAILING_KEPT 8U /* bytes: to say that there were some */

/* ---- what Windows makes of a name ---- */

static struct span
last_component(struct span name)
{
    size_t n = name.n;

    while (n > 0 && name.p[n - 1] != '/' && name.p[n - 1] != '\\')
        n--;
    return span_tail(name, n);
}

/* What is cut off at the end when the file is written. */
static bool
is_trailing(uint8_t c)
{
    return c <= ' ' || c == '.' || c == 0x7f;
}

static struct span
without_trailing(struct span s)
{
    while (s.n > 0 && is_trailing(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Index behind the last dot, or s.n + 1 when there is none. */
static size_t
behind_dot(struct span s)
{
    size_t n = s.n;

    while (n > 0 && s.p[n - 1] != '.')
        n--;
    return n > 0 ? n : s.n + 1;
}

struct span
filename_extension(struct span name)
{
    struct span s = without_trailing(last_component(name));
    size_t k = behind_dot(s);

    return k <= s.n ? span_tail(s, k) : span_head(span_tail(s, s.n), 0);
}

static bool
is_within_rune(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* At most n bytes of the head, none of them of a sequence that is cut. */
static struct span
head_of(struct span s, size_t n)
{
    for (unsigned k = 0; k < 3 && n > 0 && is_within_rune(span_at(s, n)); k++)
        n--;
    return span_head(s, n);
}

static struct span
end_of(struct span s, size_t n)
{
    s = span_tail(s, s.n - n);
    for (unsigned k = 0; k < 3 && s.n > 0 && is_within_rune(s.p[0]); k++)
        s = span_tail(s, 1);
    return s;
}

struct span
filename_shorten(struct span name, size_t max, uint8_t *room)
{
    static const struct span dots = SPAN_INIT("\xe2\x80\xa6");
    size_t shown = without_trailing(name).n;
    struct span head, end;

    if (name.n <= max)
        return name;
    name = span_head(name, shown + TRAILING_KEPT);
    if (name.n <= max)
        return name;
    end = end_of(name, FILENAME_END);
    head = head_of(name, max - FILENAME_END - dots.n);
    memcpy(room, head.p, head.n);
    memcpy(room + head.n, dots.p, dots.n);
    memcpy(room + head.n + dots.n, end.p, end.n);
    return span_of(room, head.n + dots.n + end.n);
}

enum extension_risk
filename_risk(struct span extension)
{
    const struct extension *e = extension_find(extension);

    return e != NULL ? e->risk : EXTENSION_PLAIN;
}

/* The extension in front of the last one: "pdf" of "bill.pdf    .exe". */
static struct span
inner_extension(struct span name)
{
    struct span s = without_trailing(last_component(name));
    size_t k = behind_dot(s);

    return k <= s.n ? filename_extension(span_head(s, k - 1)) : SPAN_NONE;
}

/* ---- the name alone ---- */

/* A document, picture, text or archive: what a name pretends to be. */
static bool
is_harmless(struct span extension)
{
    const struct extension *e = extension_find(extension);

    return e != NULL && e->risk != EXTENSION_FORBIDDEN &&
           e->type != FILETYPE_UNKNOWN && !filetype_is_executable(e->type);
}

static void
judge_extension(struct span name, struct findings *out)
{
    struct span extension = filename_extension(name);

    switch (filename_risk(extension)) {
    case EXTENSION_PLAIN: return;
    case EXTENSION_RISKY:
        findings_add_detail(out, FIND_RISKY_TYPE, name);
        return;
    case EXTENSION_FORBIDDEN: break;
    }
    findings_add_detail(out, FIND_FORBIDDEN_TYPE, name);
    if (is_harmless(inner_extension(name)))
        findings_add_detail(out, FIND_DOUBLE_EXTENSION, name);
}

/* U+202A to U+202E, U+2066 to U+2069, in UTF-8. */
static bool
has_bidi(struct span s)
{
    for (size_t i = 0; i + 2 < s.n; i++) {
        if (s.p[i] != 0xe2)
            continue;
        if (s.p[i + 1] == 0x80 && s.p[i + 2] >= 0xaa && s.p[i + 2] <= 0xae)
            return true;
        if (s.p[i + 1] == 0x81 && s.p[i + 2] >= 0xa6 && s.p[i + 2] <= 0xa9)
            return true;
    }
    return false;
}

/* A tab comes from folded header lines and is a blank. */
static bool
has_control(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return true;
    return false;
}

/* Bytes of the blank at the head of s: also U+00A0, U+2000 to U+200A, U+3000;
 * 0 for none. */
static size_t
blank(struct span s)
{
    uint8_t third = span_at(s, 2);

    if (span_at(s, 0) == ' ' || span_at(s, 0) == '\t')
        return 1;
    if (span_starts(s, SPAN_LIT("\xc2\xa0")))
        return 2;
    if (span_starts(s, SPAN_LIT("\xe2\x80")) && third >= 0x80 && third <= 0x8a)
        return 3;
    return span_starts(s, SPAN_LIT("\xe3\x80\x80")) ? 3 : 0;
}

static bool
has_many_spaces(struct span s)
{
    unsigned run = 0;

    while (s.n > 0 && run <= SPACES_MOST) {
        size_t n = blank(s);

        run = n > 0 ? run + 1 : 0;
        s = span_tail(s, n > 0 ? n : 1);
    }
    return run > SPACES_MOST && s.n > 0;
}

static bool
is_trailed(struct span s)
{
    uint8_t last = span_at(s, s.n - 1);

    return s.n > 0 && (last == ' ' || last == '.') && without_trailing(s).n > 0;
}

static const struct {
    bool (*has)(struct span name);
    enum finding finding;
} signs[] = {
    {has_bidi,        FIND_NAME_BIDI    },
    {has_control,     FIND_NAME_CONTROL },
    {has_many_spaces, FIND_NAME_SPACES  },
    {is_trailed,      FIND_NAME_TRAILING},
};

void
filename_judge(struct span name, struct findings *out)
{
    struct span s = last_component(name);
    size_t nul = span_find(s, 0);

    judge_extension(s, out);
    if (nul < s.n) /* programs in C see no more */
        judge_extension(span_head(s, nul), out);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (signs[i].has(s))
            findings_add_detail(out, signs[i].finding, s);
}

/* ---- name, declared type and content ---- */

/* Does what the name or the sender says make one think of no program? */
static bool
is_disguise(struct span extension, enum filetype declared)
{
    if (declared != FILETYPE_UNKNOWN && !filetype_is_executable(declared))
        return filename_risk(extension) != EXTENSION_FORBIDDEN ||
               filetype_group_of(declared) != FILETYPE_GROUP_TEXT;
    return is_harmless(extension);
}

void
filename_judge_type(struct span name, struct span declared, enum filetype real,
                    struct findings *out)
{
    struct span extension = filename_extension(name);
    enum filetype said = filetype_of_mime(declared);
    enum filetype named = filetype_of_extension(extension);
    struct span detail = span_str(filetype_magic(real));

    if (filetype_is_executable(real)) {
        findings_add_detail(out, FIND_FORBIDDEN_CONTENT, detail);
        if (is_disguise(extension, said)) {
            findings_add_detail(out, FIND_DISGUISED_EXECUTABLE, detail);
            return;
        }
    }
    if (said == FILETYPE_BINHEX && real == said)
        return; /* named after the file in it */
    if (!filetype_compatible(named, real) || !filetype_compatible(said, real))
        findings_add_detail(out, FIND_TYPE_MISMATCH, detail);
}
