#ifndef SPAN25_STORE_INDEX_SCHEMA_H
#define SPAN25_STORE_INDEX_SCHEMA_H
/* index_schema - the tables of index.db, for its writer and its readers
 *
 * The file's user_version is a number of the tables, of what is kept whole, and
 * of how records are coded (record_coding): a file of another build is dropped
 * and built anew from the journal. INDEX_MEANING is one more when rows come to
 * mean something else without any of that being changed. */
#include <stdint.h>

#define INDEX_MEANING 4
#define INDEX_FILE    "/index.db"

/* 31 bits, never 0, which is what an empty file has. */
uint32_t index_version(void);

/* column, declaration, field of the record or FIELD_COUNT where it has its own
 * way; the order is that of struct index_event's reader */
#define INDEX_COLUMNS(X)                                                       \
    X(seq, "INTEGER PRIMARY KEY", COUNT)                                       \
    X(time, "INTEGER NOT NULL", COUNT) /* ns, whole microseconds */            \
    X(type, "TEXT NOT NULL", COUNT)                                            \
    X(flow_id, "INTEGER NOT NULL", COUNT)                                      \
    X(event_id, "TEXT", EVENT_ID)                                              \
    X(src, "BLOB", SRC_IP) /* 16 bytes */                                      \
    X(dst, "BLOB", DEST_IP)                                                    \
    X(dport, "INTEGER", DEST_PORT)                                             \
    X(direction, "TEXT", DIRECTION)                                            \
    X(outcome, "TEXT", SMTP_OUTCOME)                                           \
    X(final_code, "INTEGER", SMTP_FINAL_CODE)                                  \
    X(mail_from, "TEXT", SMTP_MAIL_FROM)                                       \
    X(message_id, "TEXT", EMAIL_MESSAGE_ID)

/* The statements that make the tables, in their order; the last one is NULL. */
extern const char *const index_tables[];

enum index_column {
#define INDEX_ENUM(name, decl, field) INDEX_##name,
    INDEX_COLUMNS(INDEX_ENUM)
#undef INDEX_ENUM
        INDEX_COLUMN_COUNT
};

#endif
