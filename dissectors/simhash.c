#include "dissectors/simhash.h"

#include "sensor/base/hash.h"

#define WORD_MAX 30U

enum state {
    IN_TEXT,
    IN_TAG,
    AFTER_COLON, /* perhaps of a URL */
    AFTER_SLASH, /* and its first slash */
    IN_HOST,
    IN_PATH, /* of a URL: not looked at */
};

/* What a byte is to a text: 0 ends a word, else what it counts as. */
static const uint8_t plain[256] = {
    ['0'] = '#',      ['1'] = '#',      ['2'] = '#',      ['3'] = '#',
    ['4'] = '#',      ['5'] = '#',      ['6'] = '#',      ['7'] = '#',
    ['8'] = '#',      ['9'] = '#',
#define LETTER(upper, lower) [upper] = (lower), [lower] = (lower)
    LETTER('A', 'a'), LETTER('B', 'b'), LETTER('C', 'c'), LETTER('D', 'd'),
    LETTER('E', 'e'), LETTER('F', 'f'), LETTER('G', 'g'), LETTER('H', 'h'),
    LETTER('I', 'i'), LETTER('J', 'j'), LETTER('K', 'k'), LETTER('L', 'l'),
    LETTER('M', 'm'), LETTER('N', 'n'), LETTER('O', 'o'), LETTER('P', 'p'),
    LETTER('Q', 'q'), LETTER('R', 'r'), LETTER('S', 's'), LETTER('T', 't'),
    LETTER('U', 'u'), LETTER('V', 'v'), LETTER('W', 'w'), LETTER('X', 'x'),
    LETTER('Y', 'y'), LETTER('Z', 'z'),
#undef LETTER
};

void
simhash_init(struct simhash *s, uint64_t seed, bool html)
{
    *s = (struct simhash){.seed = seed, .left = SIMHASH_TEXT, .html = html};
    s->word = seed;
}

/* Adds one to the counters of all bits that are set: a ripple of carries. */
static void
count(struct simhash *s, uint64_t bits)
{
    for (size_t i = 0; bits != 0 && i < 11; i++) {
        uint64_t carry = s->planes[i] & bits;

        s->planes[i] ^= bits;
        bits = carry;
    }
    s->n++;
}

static void
end_word(struct simhash *s)
{
    uint64_t word = s->word;
    bool usable = s->word_n > 0 && s->word_n <= WORD_MAX;

    s->word = s->seed;
    s->word_n = 0;
    if (!usable)
        return;
    if (s->n_last == 2)
        count(s, hash_mix(hash_mix(s->last[1], s->last[0]), word));
    else
        s->n_last++;
    s->last[1] = s->last[0];
    s->last[0] = word;
}

/* A byte that belongs to no word: what does it begin or end? */
static void
punctuation(struct simhash *s, uint8_t c)
{
    bool had_word = s->word_n > 0;

    end_word(s);
    if (s->html && c == '<')
        s->state = IN_TAG;
    else if (s->state == IN_HOST)
        s->state = c == '/' || c == '?' || c == '#'  ? IN_PATH
                   : c > ' ' && c != '"' && c != '>' ? IN_HOST
                                                     : IN_TEXT;
    else if (s->state == AFTER_COLON && c == '/')
        s->state = AFTER_SLASH;
    else if (s->state == AFTER_SLASH && c == '/')
        s->state = IN_HOST;
    else
        s->state = c == ':' && had_word ? AFTER_COLON : IN_TEXT;
}

/* What a byte of a word counts as, or 0. */
static uint8_t
as_letter(uint8_t c)
{
    return c >= 0x80 ? c : plain[c];
}

/* Takes the bytes of a word at the head of text; gives how many. */
static size_t
take_word(struct simhash *s, struct span text)
{
    size_t most = text.n < s->left ? text.n : s->left;
    uint64_t word = s->word;
    size_t n = 0;
    uint8_t as;

    while (n < most && (as = as_letter(text.p[n])) != 0) {
        word = (word ^ as) * UINT64_C(0x9e3779b97f4a7c15);
        n++;
    }
    if (n == 0)
        return 0;
    if (s->state != IN_HOST)
        s->state = IN_TEXT;
    s->word = word;
    s->word_n =
        (uint8_t)(s->word_n + n < UINT8_MAX ? s->word_n + n : UINT8_MAX);
    s->left -= (uint32_t)n;
    return n;
}

static bool
ends_path(uint8_t c)
{
    return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>';
}

/* What is left out at the head of text: a tag or the path of a URL. */
static size_t
skip(struct simhash *s, struct span text)
{
    size_t n = 0;

    if (s->state == IN_TAG) {
        n = span_find(text, '>');
        if (n == text.n)
            return n;
        s->state = IN_TEXT;
        return n + 1;
    }
    while (n < text.n && !ends_path(text.p[n]))
        n++;
    if (n == text.n)
        return n;
    s->state = IN_TEXT;
    punctuation(s, text.p[n]);
    return n + 1;
}

void
simhash_push(struct simhash *s, struct span text)
{
    while (text.n > 0 && s->left > 0) {
        size_t n;

        if (s->state == IN_TAG || s->state == IN_PATH) {
            text = span_tail(text, skip(s, text));
            continue;
        }
        n = take_word(s, text);
        if (n < text.n && s->left > 0)
            punctuation(s, text.p[n++]);
        text = span_tail(text, n);
    }
}

bool
simhash_end(struct simhash *s, uint64_t *out)
{
    uint64_t more = 0; /* counters that are known to be more than half */
    uint64_t same = ~more;

    end_word(s);
    if (s->n < SIMHASH_WORDS)
        return false;
    for (unsigned k = 11; k-- > 0;) {
        uint64_t half = s->n / 2 >> k & 1U ? ~UINT64_C(0) : 0;

        more |= same & s->planes[k] & ~half;
        same &= ~(s->planes[k] ^ half);
    }
    *out = more;
    return true;
}
