/* hashlist_fuzz - lines of a list; what is in it can be found again */
#include "dissectors/content/hashlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n > 0 ? n : 1);
    struct hashlist *l = NULL;
    struct buf message;
    struct hashlist_name name;
    static const uint8_t zero[32];

    if (copy == NULL || hashlist_new(&l) != ERR_OK) {
        free(copy);
        return 0;
    }
    if (n > 0)
        memcpy(copy, data, n);
    buf_init(&message, 4096);
    REQUIRE(hashlist_add_text(l, span_of(copy, n), "f", &message) == ERR_OK);
    REQUIRE(hashlist_count(l) <= n / 64);
    REQUIRE(hashlist_left_out(l) <= n);
    REQUIRE(hashlist_count(l) > 0 || !hashlist_find(l, zero, &name));
    hashlist_free(l);
    buf_free(&message);
    free(copy);
    return 0;
}
