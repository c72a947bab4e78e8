#include "dashboards/facts.h"

const enum summary_finding facts_classes[SUMMARY_FINDINGS] = {
    SUMMARY_A, SUMMARY_B, SUMMARY_D, SUMMARY_C};

char
facts_class_letter(enum summary_finding c)
{
    return (char)('A' + (int)c);
}

const char *
facts_class_meaning(enum summary_finding c)
{
    static const char *const meanings[SUMMARY_FINDINGS] = {
        [SUMMARY_A] = "malicious",
        [SUMMARY_B] = "of a forbidden type",
        [SUMMARY_C] = "risky",
        [SUMMARY_D] = "not inspectable",
    };

    return meanings[c];
}

void
facts_say_attached(struct buf *b, const struct summary *s)
{
    const struct summary_parts *p = &s->parts;
    const char *sep = ". Messages with files that are ";

    words_count(b, p->told, "file", NULL);
    buf_str(b, " came attached, ");
    words_size(b, p->bytes);
    for (size_t i = 0; i < SUMMARY_FINDINGS; i++) {
        enum summary_finding c = facts_classes[i];

        if (p->class_messages[c] == 0 && p->class_parts[c] == 0)
            continue;
        buf_str(b, sep);
        buf_str(b, facts_class_meaning(c));
        buf_printf(b, " (%c): ", facts_class_letter(c));
        words_number(b, p->class_messages[c]);
        sep = ", ";
    }
    if (sep[0] == '.')
        buf_str(b, "; nothing was found in them");
}

void
facts_say_inspected(struct buf *b, const struct summary *s)
{
    const struct summary_parts *p = &s->parts;
    uint64_t could = p->could_inspect;
    uint64_t not = p->complete > could ? p->complete - could : 0;

    if (p->off) {
        buf_str(b, "What share is malicious is not known: the insides of "
                   "files were not looked into (content.inspect)");
        return;
    }
    if (could == 0) {
        buf_str(b, "What share is malicious is not known: no message could be "
                   "inspected");
    } else {
        buf_str(b, "Malicious: ");
        words_part_sure(b, p->class_could_inspect[SUMMARY_A], could,
                        "message that could be inspected",
                        "messages that could be inspected");
        buf_str(b, ": in the clear, complete, every file looked into");
    }
    if (not > 0) {
        buf_str(b, ". ");
        words_part(b, not, p->complete, "complete message", NULL);
        buf_str(b, " could not be");
    }
    if (p->beyond > 0) {
        buf_str(b, ". ");
        words_count(b, p->beyond, "part", NULL);
        buf_str(b, " beyond the limit of a message not looked at");
    }
}

void
facts_say_classes(struct buf *b, const struct summary_host *h)
{
    static const enum summary_finding told[] = {SUMMARY_A, SUMMARY_B};
    const char *sep = "sent ";

    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        uint64_t n = h->messages_class[told[i]];

        if (n == 0)
            continue;
        buf_str(b, sep);
        words_count(b, n, "message", NULL);
        buf_str(b, " with a file ");
        buf_str(b, told[i] == SUMMARY_A ? "that is malicious"
                                        : "of a forbidden type");
        sep = ", ";
    }
}
