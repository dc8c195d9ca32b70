/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Fault points: places before a change to the kernel, the disk or the service manager at which a test can
 * have the daemon killed, or the change fail. Only in builds with -Dfault-injection=true; in all others they
 * are nothing.
 *
 * Fault spans: what happens between the two ends of one can be made to fail by the kernel itself, which then
 * has no memory for the n-th thing that it allocates there (failslab).
 *
 * The environment's IOMMUD_FAULT_FILE names a file that holds a FaultPlan and is shared by the test, the
 * daemon and its children. Points and allocations are counted over all of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

typedef struct FaultPlan {
        uint32_t count;                      /* points that were passed so far */
        uint32_t kill_at;                    /* the point at which the daemon is killed; 0: never */
        uint32_t fail_at;                    /* the point that fails; 0: none */
        uint32_t fail_errno;                 /* with this errno */
        uint32_t pid;                        /* the daemon */
        uint32_t starve_at;                  /* the allocation, from now on, that fails; 0: none */
        uint32_t starve_records;             /* those for records on disk count too */
        uint32_t n_starved;                  /* allocations that did */
} FaultPlan;

#ifdef IOMMUD_FAULT_INJECTION

/* To be called once, in the daemon, before anything else. */
void fault_init(void);

/* Returns 0, or a negative errno which the caller returns as if the call that follows had failed with it. */
int fault_point(void);

/*
 * @record: something is written to the disk. Returns what fault_span_end() takes. A span is in one thread,
 * and not in another span.
 */
int fault_span_begin(bool record);
void fault_span_end(int *span);

#else

static inline void fault_init(void) {
}

static inline int fault_point(void) {
        return 0;
}

static inline int fault_span_begin(bool record) {
        return -EBADF;
}

static inline void fault_span_end(int *span) {
}

#endif

/* A declaration: from here to the end of the block. */
#define FAULT_SPAN _cleanup_(fault_span_end) _unused_ int fault_span = fault_span_begin(/* record= */ false)
#define FAULT_SPAN_RECORD \
        _cleanup_(fault_span_end) _unused_ int fault_span = fault_span_begin(/* record= */ true)
