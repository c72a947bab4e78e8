#include "dissectors/content/member_path.h"

static bool
is_slash(uint8_t c)
{
    return c == '/' || c == '\\';
}

static bool
is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Up, down or nowhere. */
static int
step_of(struct span name)
{
    if (span_eq(name, SPAN_LIT("..")))
        return -1;
    return name.n == 0 || span_eq(name, SPAN_LIT(".")) ? 0 : 1;
}

static bool
is_absolute(struct span path)
{
    return is_slash(span_at(path, 0)) ||
           (is_letter(span_at(path, 0)) && span_at(path, 1) == ':');
}

/* Walks from a level; false when it goes below the folder that it began in.
 * The last component counts only when it is one of a folder. */
static bool
walk(struct span path, bool to_folder, int64_t *level)
{
    size_t from = 0;

    for (size_t k = 0; k <= path.n; k++) {
        if (k < path.n && !is_slash(path.p[k]))
            continue;
        if (k < path.n || !to_folder)
            *level += step_of(span_head(span_tail(path, from), k - from));
        if (*level < 0)
            return false;
        from = k + 1;
    }
    return true;
}

bool
member_path_escapes(struct span path)
{
    int64_t level = 0;

    return is_absolute(path) || !walk(path, false, &level);
}

bool
member_path_link_escapes(struct span name, struct span target)
{
    int64_t level = 0;

    if (target.n == 0)
        return false;
    return is_absolute(target) || !walk(name, true, &level) ||
           !walk(target, false, &level);
}

bool
member_path_same(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t k = 0; k < a.n; k++)
        if (a.p[k] != b.p[k] && !(is_slash(a.p[k]) && is_slash(b.p[k])))
            return false;
    return true;
}
