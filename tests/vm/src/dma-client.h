/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the clients that do DMA share: how they come to a device, and to memory that it reaches. The first
 * arguments of each of them say in which way:
 *
 *     unbound IOMMUFD DEVICE            it binds the device and attaches it to an IOAS of its own
 *     bound IOMMUFD DEVICE IOAS         the device is attached already, to a domain of that IOAS
 *     mapped DEVICE FILE IOVA           and all of FILE is mapped there already, which is memory that can be
 *                                       shared, as a file in /dev/shm is
 *
 * IOMMUFD and DEVICE are numbers of descriptors. In the first two ways the memory is the client's own, and
 * mapped at DMA_CLIENT_IOVA.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/fd.h"

#define DMA_CLIENT_PAGE 4096U
/* A MiB: where nothing is reserved; edu has no more than 28 bits of address */
#define DMA_CLIENT_IOVA UINT64_C(0x100000)

typedef struct DmaClient {
        int iommufd;            /* -EBADF: it has none */
        int device;
        uint32_t device_id;     /* 0: somebody else has bound it */
        uint32_t ioas;          /* 0: somebody else has it */
        uint64_t iova;          /* of the memory */
        unsigned char *memory;
        size_t size;
} DmaClient;

/*
 * Takes the arguments that say in which way, and does what it takes. @size is of the memory. Returns how
 * many arguments these were, or a negative errno: -EINVAL also when they say nothing that is known.
 */
int dma_client_open(char **arguments, size_t size, DmaClient *ret) _must_check_;

/* Maps the client's memory from @memory on for the devices of an IOAS. */
int dma_client_map(const DmaClient *client, uint32_t ioas, uint64_t iova, const void *memory,
                   uint64_t length) _must_check_;

/* Memory that can be shared, filled with zeroes. */
int dma_client_allocate(size_t size, unsigned char **ret) _must_check_;

/* The place of a region in the device's descriptor, and its size. */
int dma_client_find_region(const DmaClient *client, uint32_t index, uint64_t *ret_offset,
                           uint64_t *ret_size) _must_check_;

/* Lets a PCI device answer, and do DMA. */
int dma_client_enable_pci(const DmaClient *client) _must_check_;

/* An eventfd that an interrupt of the device is written to. The caller owns it. */
int dma_client_open_irq(const DmaClient *client, uint32_t index, int *ret) _must_check_;

/* Waits for that; -ETIMEDOUT after half a minute. */
int dma_client_wait_irq(int irq) _must_check_;

/* "0x"-prefixed hexadecimal or decimal. */
int dma_client_parse(const char *text, uint64_t *ret) _must_check_;

/* Prints a line that somebody waits for; with an errno, if there is one. */
void dma_client_say(const char *what, int error);
