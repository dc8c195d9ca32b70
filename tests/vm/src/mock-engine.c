/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include "mock-engine.h"

int mock_engine_read(const MockEngine *engine, uint64_t reg, uint64_t *ret) {
        ssize_t n;

        n = pread(engine->device, ret, sizeof(*ret), (off_t) (engine->registers + reg));
        return n < 0 ? -errno : 0;
}

int mock_engine_write(const MockEngine *engine, uint64_t reg, uint64_t value) {
        ssize_t n;

        n = pwrite(engine->device, &value, sizeof(value), (off_t) (engine->registers + reg));
        return n < 0 ? -errno : 0;
}

int mock_engine_open(const DmaClient *client, MockEngine *ret) {
        MockEngine engine = { .device = client->device, .irq = -EBADF };
        uint64_t size, id;
        int r;

        r = dma_client_find_region(client, MOCK_REGION_REGISTERS, &engine.registers, &size);
        if (r < 0)
                return r;
        r = dma_client_find_region(client, MOCK_REGION_BUFFER, &engine.buffer, &size);
        if (r < 0)
                return r;

        r = mock_engine_read(&engine, MOCK_REG_ID, &id);
        if (r < 0)
                return r;
        if (id != MOCK_ID)
                return -ENXIO;

        r = dma_client_open_irq(client, MOCK_IRQ_DONE, &engine.irq);
        if (r < 0)
                return r;

        *ret = engine;
        return 0;
}

int mock_engine_start(const MockEngine *engine, uint64_t command, uint64_t iova, uint64_t length,
                      uint64_t pasid) {
        const struct {
                uint64_t reg, value;
        } writes[] = {
                { MOCK_REG_IOVA, iova },
                { MOCK_REG_LENGTH, length },
                { MOCK_REG_PASID, pasid },
                { MOCK_REG_COMMAND, command },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(writes); i++) {
                r = mock_engine_write(engine, writes[i].reg, writes[i].value);
                if (r < 0)
                        return r;
        }

        return 0;
}
