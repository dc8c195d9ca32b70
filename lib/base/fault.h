/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Fault points: places before a change to the kernel, the disk or the service manager at which a test can
 * have the daemon killed, or the change fail. Only in builds with -Dfault-injection=true; in all others they
 * are nothing.
 *
 * The environment's IOMMUD_FAULT_FILE names a file that holds a FaultPlan and is shared by the test, the
 * daemon and its children. Points are counted over all of them.
 */

#include <stdint.h>

typedef struct FaultPlan {
        uint32_t count;                      /* points that were passed so far */
        uint32_t kill_at;                    /* the point at which the daemon is killed; 0: never */
        uint32_t fail_at;                    /* the point that fails; 0: none */
        uint32_t fail_errno;                 /* with this errno */
        uint32_t pid;                        /* the daemon */
} FaultPlan;

#ifdef IOMMUD_FAULT_INJECTION

/* To be called once, in the daemon, before anything else. */
void fault_init(void);

/* Returns 0, or a negative errno which the caller returns as if the call that follows had failed with it. */
int fault_point(void);

#else

static inline void fault_init(void) {
}

static inline int fault_point(void) {
        return 0;
}

#endif
