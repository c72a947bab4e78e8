#include "dissectors/content/word.h"

#include "dissectors/content/field.h"

#define WORD8       0xa5ec
#define WORD6       0xa5dc
#define ENCRYPTED   0x0100
#define FIELD_BEGIN 0x13
#define FIELD_SPLIT 0x14
#define FIELD_END   0x15
#define CODE_MAX    512 /* characters of a field's code that are looked at */

static bool
is_encrypted(struct span stream)
{
    struct cursor c = cur_open(stream);
    uint16_t id = cur_le16(&c);

    cur_skip(&c, 8);
    return (id == WORD8 || id == WORD6) && (cur_le16(&c) & ENCRYPTED) != 0;
}

/* Every byte, or every second one. Characters beyond ASCII become '?'. */
static void
judge_code(struct span s, size_t width, struct findings *out)
{
    char code[CODE_MAX];
    size_t n = 0;

    for (size_t at = 0; at < s.n && n < CODE_MAX; at += width) {
        uint8_t c = span_at(s, at);

        if (c >= FIELD_BEGIN && c <= FIELD_END)
            break;
        code[n++] = width == 2 && span_at(s, at + 1) != 0 ? '?' : (char)c;
    }
    field_judge(span_of(code, n), out);
}

void
word_read(struct span stream, struct findings *out)
{
    size_t at = 0;

    if (is_encrypted(stream)) {
        findings_add(out, FIND_ENCRYPTED_DOCUMENT);
        return;
    }
    while (at < stream.n) {
        struct span in = span_tail(stream, at);
        size_t hit = span_find(in, FIELD_BEGIN);
        struct span code = span_tail(in, hit + 1);

        if (span_at(code, 0) == 0)
            judge_code(span_tail(code, 1), 2, out);
        else
            judge_code(code, 1, out);
        at += hit + 1;
    }
}
