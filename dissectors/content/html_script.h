#ifndef SPAN25_DISSECTORS_CONTENT_HTML_SCRIPT_H
#define SPAN25_DISSECTORS_CONTENT_HTML_SCRIPT_H
/* html_script - the words of a script that matter; for html.c
 *
 * The text is unescaped and read without quotes, blanks, dots, brackets and
 * plus signs, so that words put together from pieces are whole again. */
#include "sensor/base/buf.h"

/* Kinds of words: X(id, doc) */
#define HTML_WORD_MAP(X)                                                       \
    X(FILE, "makes a file: Blob, createObjectURL")                             \
    X(SAVE, "saves it: msSaveOrOpenBlob, saveAs")                              \
    X(DECODE, "decodes letters: atob, unescape, fromCharCode")                 \
    X(BYTES, "has bytes: Uint8Array, charCodeAt")                              \
    X(WRITE, "writes or runs text: document.write, eval, innerHTML")           \
    X(DOWNLOAD, "download, as an attribute")                                   \
    X(CLICK, "clicks by itself")                                               \
    X(LEAVES, "goes to another address")                                       \
    X(SENDS, "sends to a server")

enum html_word {
#define HTML_WORD_ENUM(id, doc) HTML_WORD_##id,
    HTML_WORD_MAP(HTML_WORD_ENUM)
#undef HTML_WORD_ENUM
};

#define HTML_WORD(id) (1U << HTML_WORD_##id)
#define HTML_LONG     256 /* letters of a string worth decoding */

/* Bits of the kinds that the text has. */
uint32_t html_script_words(struct span text);

/* Do these words make a file or a page out of letters? */
bool html_script_decodes(uint32_t words, bool long_letters);

/* The name that a script gives to what it saves; nothing appended when there
 * is none. */
void html_script_name(struct span text, struct buf *out);

/* Has an SVG anything in it that runs? */
bool html_svg_is_active(struct span s);

#endif
