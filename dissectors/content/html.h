#ifndef SPAN25_DISSECTORS_CONTENT_HTML_H
#define SPAN25_DISSECTORS_CONTENT_HTML_H
/* html - HTML, SVG and HTA: what markup hides and where it leads
 *
 * One scan of the tags and one of the letters, no tree. Tags within comments
 * count (Outlook reads some), script is searched for words only, after
 * character references and escapes are decoded and quotes, blanks, dots,
 * brackets and plus signs are left out: 'at'+'ob' is atob. UTF-16 and UTF-32
 * are narrowed first.
 *
 *   html_smuggling       base64 or hexadecimal letters anywhere that are a
 *                        program, an archive, a disk image, a shortcut, an OLE2
 *                        or OneNote file; the file itself is inspected too
 *   html_script_decoder  script that makes a file out of letters, or writes or
 *                        runs what it decodes from a long string
 *   html_redirect        meta refresh or location = to an absolute address
 *   credential_form      password input in a form with an absolute target, or
 *                        beside a script that sends
 *   svg_script, hta_application
 *
 * Markup within letters (base64, %3C, \x3c) and within data: and srcdoc is
 * handed on as a file of its own. Addresses go to the result's URLs.
 *
 * Taken: HTML, SVG and other markup by type or extension, text that has tags.
 * Limits: an attribute is decoded up to HTML_VALUE bytes. Known gaps: script is
 * not run; what is hidden behind arithmetic stays hidden. */
#include "dissectors/content/content.h"

#define HTML_VALUE 4096

extern const struct inspector html_inspector;

#endif
