/* stand-in */
#include "dissectors/filename.h"
#include "sensor/base/attr.h"
struct span
filename_extension(struct span name)
{
    size_t at = name.n;
    while (at > 0 && name.p[at - 1] != '.' && name.p[at - 1] != '/')
        at--;
    return at > 0 && name.p[at - 1] == '.' ? span_tail(name, at) : SPAN_NONE;
}
enum extension_risk
filename_risk(struct span e)
{
    static const char *const bad[] = {"exe", "js",  "vbs", "bat", "cmd",
                                      "scr", "lnk", "iso", "cab", "jar",
                                      "dll", "com", "ps1", "sh"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (span_eq_nocase(e, span_str(bad[i])))
            return EXTENSION_FORBIDDEN;
    return span_eq_nocase(e, SPAN_LIT("html")) ||
                   span_eq_nocase(e, SPAN_LIT("svg"))
               ? EXTENSION_RISKY
               : EXTENSION_PLAIN;
}
void
filename_judge(struct span name, struct findings *out)
{
    enum extension_risk r = filename_risk(filename_extension(name));
    if (r == EXTENSION_FORBIDDEN)
        findings_add(out, FIND_FORBIDDEN_TYPE);
    if (r == EXTENSION_RISKY)
        findings_add(out, FIND_RISKY_TYPE);
}
void
filename_judge_type(struct span name, struct span declared, enum filetype real,
                    struct findings *out)
{
    (void)name;
    (void)declared;
    enum filetype_group g = filetype_group_of(real);
    if (g == FILETYPE_GROUP_PROGRAM || g == FILETYPE_GROUP_SCRIPT)
        findings_add(out, FIND_FORBIDDEN_CONTENT);
}
