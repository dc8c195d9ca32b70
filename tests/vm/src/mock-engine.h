/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The registers of a device of ../mock-iommu.
 */

#include "dma-client.h"
#include "mock-iommu/registers.h"

typedef struct MockEngine {
        int device;
        int irq;
        uint64_t registers, buffer;     /* offsets of the regions in the device's descriptor */
} MockEngine;

int mock_engine_open(const DmaClient *client, MockEngine *ret) _must_check_;

int mock_engine_read(const MockEngine *engine, uint64_t reg, uint64_t *ret) _must_check_;
int mock_engine_write(const MockEngine *engine, uint64_t reg, uint64_t value) _must_check_;

/* Gives a command. -EBUSY: it is at another one. */
int mock_engine_start(const MockEngine *engine, uint64_t command, uint64_t iova, uint64_t length,
                      uint64_t pasid) _must_check_;
