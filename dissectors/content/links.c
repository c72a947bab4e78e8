#include "dissectors/content/links.h"

#include "dissectors/content/byte_in.h"
#include "dissectors/content/lnk.h"
#include "dissectors/content/target.h"
#include "sensor/base/attr.h"

#define VALUE_MAX 512 /* bytes of a value that may name a host */

static void
note(struct inspection *i, enum finding f, struct span detail)
{
    findings_add_detail(inspection_findings(i), f, detail);
}

/* ---- shortcuts ---- */

/* Programs that run what they are given, or fetch it. */
static const struct span runners[] = {
    SPAN_INIT("powershell"),
    SPAN_INIT("pwsh"),
    SPAN_INIT("cmd.exe"),
    SPAN_INIT("mshta"),
    SPAN_INIT("rundll32"),
    SPAN_INIT("regsvr32"),
    SPAN_INIT("wscript"),
    SPAN_INIT("cscript"),
    SPAN_INIT("certutil"),
    SPAN_INIT("bitsadmin"),
    SPAN_INIT("curl"),
    SPAN_INIT("msiexec"),
    SPAN_INIT("forfiles"),
    SPAN_INIT("conhost"),
    SPAN_INIT("pcalua"),
    SPAN_INIT("hh.exe"),
    SPAN_INIT("ftp.exe"),
    SPAN_INIT("ssh.exe"),
    SPAN_INIT("installutil"),
    SPAN_INIT("msbuild"),
    SPAN_INIT("wmic"),
    SPAN_INIT("schtasks"),
    SPAN_INIT("%comspec%"),
    SPAN_INIT("scriptrunner"),
    SPAN_INIT("syncappvpublish"),
    SPAN_INIT("ieexec"),
    SPAN_INIT("finger.exe"),
    SPAN_INIT("python"),
    SPAN_INIT("http://"),
    SPAN_INIT("https://"),
};

static bool
runs(struct span command)
{
    for (size_t k = 0; k < ARRAY_LEN(runners); k++)
        if (span_contains_nocase(command, runners[k]))
            return true;
    return false;
}

static bool
is_end(uint8_t c)
{
    return c == '\n' || c == '\r' || c == '"' || c == '<' || c == 0;
}

/* Values may begin behind these. */
static bool
is_before_value(uint8_t c)
{
    return is_end(c) || (c != 0 && byte_in(c, SPAN_LIT("=:>,; '|()")));
}

static struct span
value_at(struct span s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && n < VALUE_MAX && !is_end(s.p[at + n]))
        n++;
    return span_head(span_tail(s, at), n);
}

static bool
begins_unc(struct span s)
{
    return (span_at(s, 0) == '\\' && span_at(s, 1) == '\\') ||
           span_starts_nocase(s, SPAN_LIT("file:")) ||
           span_starts_nocase(s, SPAN_LIT("search-ms:"));
}

/* Every place in a text that may be a file server. */
static void
scan_unc(struct inspection *i, struct span s, struct buf *host)
{
    for (size_t at = 0; at < s.n; at++) {
        if (at > 0 && !is_before_value(s.p[at - 1]))
            continue;
        if (begins_unc(span_tail(s, at)) &&
            target_of_url(value_at(s, at), host) == TARGET_UNC)
            note(i, FIND_UNC_TARGET, buf_view(host));
    }
}

static void
inspect_lnk(struct inspection *i, const struct content_item *item)
{
    struct lnk l;
    struct buf host;

    lnk_init(&l);
    buf_init(&host, FINDING_DETAIL_MAX);
    if (!lnk_read(&l, item->bytes))
        inspection_note(i, item, FIND_MALFORMED);
    if (runs(buf_view(&l.command)))
        note(i, FIND_LNK_COMMAND, buf_view(&l.command));
    scan_unc(i, buf_view(&l.command), &host);
    scan_unc(i, buf_view(&l.other), &host);
    buf_free(&host);
    lnk_free(&l);
}

/* ---- text ---- */

enum format {
    FORMAT_NONE,
    FORMAT_LINK,   /* file servers and other hosts */
    FORMAT_CARD,   /* file servers only */
    FORMAT_SHEET,  /* formulas */
    FORMAT_SCREEN, /* .rdp */
    FORMAT_SETTING,
};

static const struct {
    struct span extension;
    enum format is;
} extensions[] = {
    {SPAN_INIT("url"),                FORMAT_LINK   },
    {SPAN_INIT("website"),            FORMAT_LINK   },
    {SPAN_INIT("scf"),                FORMAT_LINK   },
    {SPAN_INIT("library-ms"),         FORMAT_LINK   },
    {SPAN_INIT("search-ms"),          FORMAT_LINK   },
    {SPAN_INIT("searchconnector-ms"), FORMAT_LINK   },
    {SPAN_INIT("iqy"),                FORMAT_LINK   },
    {SPAN_INIT("theme"),              FORMAT_LINK   },
    {SPAN_INIT("themepack"),          FORMAT_LINK   },
    {SPAN_INIT("ini"),                FORMAT_LINK   },
    {SPAN_INIT("inf"),                FORMAT_LINK   },
    {SPAN_INIT("desktop"),            FORMAT_LINK   },
    {SPAN_INIT("appinstaller"),       FORMAT_LINK   },
    {SPAN_INIT("application"),        FORMAT_LINK   },
    {SPAN_INIT("appref-ms"),          FORMAT_LINK   },
    {SPAN_INIT("jnlp"),               FORMAT_LINK   },
    {SPAN_INIT("asx"),                FORMAT_LINK   },
    {SPAN_INIT("m3u"),                FORMAT_LINK   },
    {SPAN_INIT("wax"),                FORMAT_LINK   },
    {SPAN_INIT("settingcontent-ms"),  FORMAT_SETTING},
    {SPAN_INIT("rdp"),                FORMAT_SCREEN },
    {SPAN_INIT("slk"),                FORMAT_SHEET  },
    {SPAN_INIT("ics"),                FORMAT_CARD   },
    {SPAN_INIT("vcs"),                FORMAT_CARD   },
    {SPAN_INIT("vcf"),                FORMAT_CARD   },
};

static const struct {
    enum filetype type;
    enum format is;
} types[] = {
    {FILETYPE_URL,        FORMAT_LINK   },
    {FILETYPE_SCF,        FORMAT_LINK   },
    {FILETYPE_LIBRARY_MS, FORMAT_LINK   },
    {FILETYPE_SEARCH_MS,  FORMAT_LINK   },
    {FILETYPE_SETTING_MS, FORMAT_SETTING},
    {FILETYPE_IQY,        FORMAT_LINK   },
    {FILETYPE_RDP,        FORMAT_SCREEN },
    {FILETYPE_THEME,      FORMAT_LINK   },
    {FILETYPE_DESKTOP,    FORMAT_LINK   },
    {FILETYPE_SLK,        FORMAT_SHEET  },
    {FILETYPE_ICS,        FORMAT_CARD   },
    {FILETYPE_VCARD,      FORMAT_CARD   },
};

static enum format
format_of(const struct content_item *item)
{
    struct span e = filename_extension(item->name);

    for (size_t k = 0; k < ARRAY_LEN(types); k++)
        if (types[k].type == item->type)
            return types[k].is;
    if (filetype_group_of(item->type) == FILETYPE_GROUP_MEDIA)
        return FORMAT_NONE;
    for (size_t k = 0; k < ARRAY_LEN(extensions); k++)
        if (span_eq_nocase(e, extensions[k].extension))
            return extensions[k].is;
    return FORMAT_NONE;
}

/* Names of schemas are addresses too, and lead nowhere. */
static bool
is_schema(struct span host)
{
    static const struct span schemas[] = {
        SPAN_INIT("schemas.microsoft.com"),
        SPAN_INIT("www.w3.org"),
        SPAN_INIT("schemas.openxmlformats.org"),
        SPAN_INIT("java.sun.com"),
    };

    for (size_t k = 0; k < ARRAY_LEN(schemas); k++)
        if (span_eq(host, schemas[k]))
            return true;
    return false;
}

static void
scan_remote(struct inspection *i, struct span s, struct buf *host)
{
    unsigned n = 0;

    for (size_t at = 0; at < s.n && n < LINKS_VALUES; at++) {
        if (!byte_in(s.p[at], SPAN_LIT("hHfFuUmMsS")) ||
            (at > 0 && !is_before_value(s.p[at - 1])))
            continue;
        n++;
        if (target_of_url(value_at(s, at), host) == TARGET_REMOTE &&
            !is_schema(buf_view(host)))
            note(i, FIND_REMOTE_TARGET, buf_view(host));
    }
}

/* What stands behind a word, up to the end of the line or element, is a
 * command.
 */
static void
scan_command(struct inspection *i, struct span s, struct span word)
{
    size_t at = 0;
    size_t n = 0;
    struct span v;

    while (at < s.n && !span_starts_nocase(span_tail(s, at), word))
        at++;
    v = span_tail(s, at + word.n);
    while (n < v.n && n < LINKS_STRING && v.p[n] != '\r' && v.p[n] != '\n' &&
           v.p[n] != '<')
        n++;
    v = span_trim(span_head(v, n));
    if (v.n > 0)
        note(i, FIND_LINK_COMMAND, v);
}

static const struct {
    enum format in;
    struct span word;
} commands[] = {
    {FORMAT_SETTING, SPAN_INIT("<DeepLink>")                 },
    {FORMAT_SCREEN,  SPAN_INIT("alternate shell:s:")         },
    {FORMAT_SCREEN,  SPAN_INIT("remoteapplicationprogram:s:")},
    {FORMAT_SHEET,   SPAN_INIT("EEXEC(")                     },
    {FORMAT_SHEET,   SPAN_INIT("ECALL(")                     },
    {FORMAT_SHEET,   SPAN_INIT("EREGISTER(")                 },
    {FORMAT_SHEET,   SPAN_INIT(";NAuto_open;")               },
    {FORMAT_SHEET,   SPAN_INIT(";NAuto_close;")              },
    {FORMAT_SHEET,   SPAN_INIT("Ecmd|")                      },
    {FORMAT_SHEET,   SPAN_INIT("EMSEXCEL|")                  },
};

/* "full address:s:host:port" of .rdp */
static void
scan_screen(struct inspection *i, struct span s, struct buf *host)
{
    static const struct span word = SPAN_INIT("full address:s:");
    size_t at = 0;
    struct span v;

    while (at < s.n && !span_starts_nocase(span_tail(s, at), word))
        at++;
    v = span_trim(value_at(s, at + word.n));
    v = span_head(v, span_find(v, ':'));
    buf_reset(host);
    if (v.n > 0)
        note(i, FIND_REMOTE_TARGET, v);
}

static void
inspect_text(struct inspection *i, const struct content_item *item,
             enum format is)
{
    struct buf text;
    struct buf host;
    struct span s;

    buf_init(&text, LINKS_TEXT);
    buf_init(&host, FINDING_DETAIL_MAX);
    lnk_narrow(span_head(item->bytes, LINKS_TEXT), &text);
    s = buf_view(&text);
    scan_unc(i, s, &host);
    if (is == FORMAT_LINK)
        scan_remote(i, s, &host);
    if (is == FORMAT_SCREEN)
        scan_screen(i, s, &host);
    for (size_t k = 0; k < ARRAY_LEN(commands); k++)
        if (commands[k].in == is)
            scan_command(i, s, commands[k].word);
    buf_free(&text);
    buf_free(&host);
}

/* ---- a file ---- */

static void
links_inspect(struct inspection *i, const struct content_item *item)
{
    const enum format is = format_of(item);

    if (item->type == FILETYPE_LNK)
        inspect_lnk(i, item);
    else if (is != FORMAT_NONE)
        inspect_text(i, item, is);
}

static bool
links_wants(const struct content_item *item)
{
    return item->type == FILETYPE_LNK || format_of(item) != FORMAT_NONE;
}

const struct inspector links_inspector = {
    .name = "links",
    .wants = links_wants,
    .inspect = links_inspect,
};
