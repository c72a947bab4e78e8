#ifndef SPAN25_EVENT_CARVE_H
#define SPAN25_EVENT_CARVE_H
/* carve - bytes on their way from a worker to a file: records of type CARVE
 *
 * Workers hold no files, so what the operator asked to keep crosses to the core
 * in pieces of CARVE_PIECE bytes, the last one shorter. A piece has the head
 * (time, flow, number) of the event that tells of the file, and stands before
 * it in the order of events; pieces stand in the order of their offsets.
 *
 *   carve.kind          part or mail
 *   carve.offset        where in the file its bytes begin
 *   carve.bytes         they, in strings of CARVE_STRING bytes
 *   fileinfo.size, sha256, filename, type, class: of the file
 *
 * Without a digest it is a note: there was a file, and its bytes were not kept.
 * These records reach no journal, sink or rule. */
#include "sensor/event/record.h"

#define CARVE_STRING 61440U
#define CARVE_PIECE  983040U /* 16 strings */

/* A piece with its strings' heads and short texts fits a record. */
_Static_assert(CARVE_PIECE + 16U * 4U + 8192U <= RECORD_MAX,
               "a piece fits a record");

/* In which order pieces and their event stand: the event is the last. */
#define CARVE_ORDER_LAST 4095U

static inline uint32_t
carve_order(struct span record)
{
    uint64_t n = record_find_u64(record, FIELD_CARVE_OFFSET, 0) / CARVE_PIECE;

    return n < CARVE_ORDER_LAST ? (uint32_t)n : CARVE_ORDER_LAST - 1;
}

#endif
