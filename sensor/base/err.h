#ifndef SPAN25_BASE_ERR_H
#define SPAN25_BASE_ERR_H
/* err - the one list of errors
 *
 * Errors are for memory, files, configuration and peers. Malformed bytes from
 * the wire are not errors but findings (anomalies). */

#define ERR_MAP(X)                                                             \
    X(OK, "no error")                                                          \
    X(NOMEM, "out of memory")                                                  \
    X(IO, "input/output error")                                                \
    X(NOENT, "no such file or directory")                                      \
    X(PERM, "permission denied")                                               \
    X(FORMAT, "not a format that is understood")                               \
    X(CORRUPT, "data is damaged")                                              \
    X(TRUNCATED, "data ends too early")                                        \
    X(LIMIT, "a limit was reached")                                            \
    X(CONFIG, "the configuration is not valid")                                \
    X(USAGE, "the command line is not valid")                                  \
    X(EXISTS, "exists already")                                                \
    X(BUSY, "in use by another process")                                       \
    X(STORE, "the database reports an error")                                  \
    X(GONE, "a network interface is gone")

enum err {
#define ERR_ENUM(name, text) ERR_##name,
    ERR_MAP(ERR_ENUM)
#undef ERR_ENUM
};

/* One line of English without a full stop; static storage. */
const char *err_text(enum err e);

/* Maps errno (read in the line after the call that set it) to an err. */
enum err err_from_errno(int number);

#endif
