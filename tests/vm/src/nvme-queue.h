/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * As much of a driver for NVMe as it takes to ask a controller for what it is, and to read: one pair of
 * queues for each of the two, one command at a time.
 */

#include "dma-client.h"

#define NVME_QUEUE_ENTRIES 64

enum {
        NVME_ADMIN,
        NVME_IO,
        _NVME_QUEUES,
};

/* What a command needs of its 64 bytes. */
typedef struct NvmeCommand {
        uint8_t opcode;
        uint32_t namespace;
        uint64_t prp1, prp2;
        uint32_t cdw10, cdw11, cdw12;
} NvmeCommand;

typedef struct NvmeQueue {
        unsigned char *submissions, *completions;
        unsigned head, tail;
        bool phase;
} NvmeQueue;

typedef struct Nvme {
        const DmaClient *client;
        uint64_t registers;             /* in the device's descriptor */
        unsigned doorbell_stride;
        int irq;
        NvmeQueue queues[_NVME_QUEUES];
} Nvme;

/* Pages of the client's memory that the queues take: its first ones. */
#define NVME_QUEUE_PAGES (2 * _NVME_QUEUES)

/* Starts the controller, with both pairs of queues. */
int nvme_open(const DmaClient *client, Nvme *ret) _must_check_;

/*
 * Has a command executed. Returns 0, a negative errno, or the status that the controller has answered with,
 * which is positive. -EIO: it could not reach its queues, and does nothing more; -ETIMEDOUT: it says
 * nothing.
 */
int nvme_execute(Nvme *nvme, unsigned queue, const NvmeCommand *command) _must_check_;

/* The same in two steps; something may be done in between. */
int nvme_begin(Nvme *nvme, unsigned queue, const NvmeCommand *command) _must_check_;
int nvme_end(Nvme *nvme, unsigned queue) _must_check_;
