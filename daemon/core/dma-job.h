/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is done to a context in one go: a verb of the port, or several with what has to follow when one of
 * them fails. A job is data, made by the event loop, and may run in a child process: it speaks of things by
 * the kernel's numbers and of descriptors by their place in a list.
 */

#include "core/dma.h"
#include "core/forward.h"
#include "core/limits.h"

typedef enum DmaJobKind {
        DMA_JOB_SWITCH,
        DMA_JOB_ALLOC_DOMAIN,
        DMA_JOB_ALLOC_VIRTUAL,
        DMA_JOB_MAP,
        DMA_JOB_UNMAP,
        DMA_JOB_DESTROY,
        DMA_JOB_SET_DIRTY_TRACKING,
        DMA_JOB_READ_DIRTY,
        DMA_JOB_TEAR_DOWN,
} DmaJobKind;

/* The descriptors of a job, in this order: the context, then the memory or the devices. */
enum {
        DMA_JOB_CONTEXT,
        DMA_JOB_MEMORY,
        DMA_JOB_DEVICES = DMA_JOB_MEMORY,
};

/* One or all devices of a group, or a PASID of one, go from @previous to @target. */
typedef struct DmaSwitch {
        uint32_t pasid;                      /* PASID_NONE: the devices themselves */
        uint32_t target;                     /* a domain or an IOAS; 0: they are detached */
        uint32_t previous;                   /* what all of them are attached to now; 0: nothing */
        /* the IOAS of @previous, whose reserved ranges are to be as before if it comes to that; or 0 */
        uint32_t previous_ioas;
        bool can_return;                     /* after a failure @previous can be attached again */
        /* nobody knows to what they are attached: they are detached, and go back to @previous if they can */
        bool anew;
} DmaSwitch;

/* What a device needs to be cut off. */
typedef struct DmaCut {
        char subsystem[16], name[KERNEL_NAME_MAX];
        uint8_t pasid_log2;
        uint32_t *pasids;                    /* that are known to be attached; owned */
        size_t n_pasids;
} DmaCut;

typedef struct DmaTearDown {
        DmaCut devices[LIMIT_CONTEXT_DEVICES];
        unsigned n_devices;
        uint32_t *ioases;                    /* owned */
        size_t n_ioases;
        /* domains, what is nested first, virtual IOMMUs, and queues; they go before the IOASes; owned */
        uint32_t *others;
        size_t n_others;
        size_t n_queues;                     /* so many at the end of them are queues */
        uint32_t last_id;                    /* nothing in the context has a higher number */
        bool reset;                          /* and all devices are reset in the end */
} DmaTearDown;

struct DmaJob {
        DmaJobKind kind;
        uint32_t id;                         /* of the IOAS, the domain, or what is to be destroyed */
        DmaSwitch change;                    /* DMA_JOB_SWITCH */
        DomainSpec spec;                     /* DMA_JOB_ALLOC_DOMAIN */
        VirtualSpec virtual;                 /* DMA_JOB_ALLOC_VIRTUAL, of all but queues */
        FileMapping map;                     /* DMA_JOB_MAP, but for the descriptor */
        uint64_t iova, length;               /* DMA_JOB_UNMAP */
        bool on;                             /* DMA_JOB_SET_DIRTY_TRACKING */
        DirtyRange dirty;                    /* DMA_JOB_READ_DIRTY, whose memory takes the bitmap */
        DmaTearDown cut;                     /* DMA_JOB_TEAR_DOWN */
};

typedef struct DmaResult {
        uint32_t id;                         /* of the new thing */
        uint8_t data[VIRTUAL_DATA_MAX];      /* of the new virtual IOMMU: the driver's answer */
        uint64_t iova;                       /* of the new mapping */
        /* of each device after DMA_JOB_TEAR_DOWN with a reset: 0 or an outcome of prove_free() */
        uint8_t reset[LIMIT_CONTEXT_DEVICES];
} DmaResult;

/* Outcomes of DMA_JOB_SWITCH, each with *reterr: why it is not done. */
enum {
        _SWITCH_DONE,
        SWITCH_NOT_BEGUN,                    /* nothing was done */
        SWITCH_RETURNED,                     /* all is as it was before */
        SWITCH_DETACHED,                     /* nothing is attached any more */
};

/* Outcomes of DMA_JOB_TEAR_DOWN. */
enum {
        _TEAR_DOWN_DONE,
        /* nothing is mapped any more, but somebody has attached a device again and again: *reterr */
        TEAR_DOWN_LEFT,
};

/* Runs a job. Returns 0, an outcome, or a negative errno with *reterr. */
int dma_job_run(const DmaJob *job, const Kernel *kernel, const int *fds, unsigned n_fds, DmaResult *ret,
                KernelFailure *reterr) _must_check_;

/* Whether all of it is in the structure itself, so that a copy in another process is the same job. */
bool dma_job_is_whole(const DmaJob *job);

/* For what is in words about one. */
const char *dma_job_name(const DmaJob *job);

void dma_job_done(DmaJob *job);
