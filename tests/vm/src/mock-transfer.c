/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/uapi.h"
#include "mock-dma.h"

#define WAIT_MSEC (60 * 1000)

static int read_fault(Mock *mock, int queue) {
        struct iommu_hwpt_pgfault fault;

        if (read(queue, &fault, sizeof(fault)) != (ssize_t) sizeof(fault))
                return -errno;

        mock->faults.fd = queue;
        mock->cookie = fault.cookie;
        printf("fault 0x%" PRIx64 " %" PRIu32 "\n", (uint64_t) fault.addr,
               fault.flags & IOMMU_PGFAULT_FLAGS_PASID_VALID ? fault.pasid : 0);
        return 0;
}

static int print_status(const Mock *mock) {
        static const char *const names[] = {
                [MOCK_STATUS_DONE] = "done",
                [MOCK_STATUS_BUSY] = "busy",
                [MOCK_STATUS_BLOCKED] = "blocked",
                [MOCK_STATUS_UNMAPPED] = "unmapped",
                [MOCK_STATUS_STOPPED] = "stopped",
        };
        uint64_t status, iova;
        int r;

        r = mock_engine_read(&mock->engine, MOCK_REG_STATUS, &status);
        if (r < 0)
                return r;
        r = mock_engine_read(&mock->engine, MOCK_REG_FAILED_IOVA, &iova);
        if (r < 0)
                return r;

        if (status == MOCK_STATUS_BLOCKED || status == MOCK_STATUS_UNMAPPED)
                printf("%s 0x%" PRIx64 "\n", names[status], iova);
        else
                puts(status < ELEMENTSOF(names) ? names[status] : "unknown");
        return 0;
}

/* Until the engine has come to an end, or a domain says that a page is missing. Which is printed. */
static int wait_engine(Mock *mock) {
        struct pollfd fds[1 + MOCK_DOMAINS_MAX] = { { .fd = mock->engine.irq, .events = POLLIN } };
        uint64_t n;
        int r;

        for (unsigned i = 0; i < mock->n_domains; i++)
                fds[1 + i] = (struct pollfd) { .fd = mock->domains[i].faults, .events = POLLIN };

        r = poll(fds, 1 + mock->n_domains, WAIT_MSEC);
        if (r <= 0)
                return r < 0 ? -errno : -ETIMEDOUT;

        for (unsigned i = 1; i <= mock->n_domains; i++)
                if (fds[i].revents & POLLIN)
                        return read_fault(mock, fds[i].fd);

        if (read(mock->engine.irq, &n, sizeof(n)) < 0)
                return -errno;
        return print_status(mock);
}

int mock_fill(Mock *mock, char **words) {
        uint64_t v[4]; /* pattern, iova, length, pasid */
        int r;

        if (mock_parse(words, 4, v) < 0)
                return -EINVAL;

        r = mock_engine_write(&mock->engine, MOCK_REG_PATTERN, v[0]);
        if (r < 0)
                return r;
        r = mock_engine_start(&mock->engine, MOCK_COMMAND_FILL, v[1], v[2], v[3]);
        return r < 0 ? r : wait_engine(mock);
}

int mock_copy(Mock *mock, char **words) {
        uint64_t v[4], status; /* from, to, length, pasid */
        int r;

        if (mock_parse(words, 4, v) < 0)
                return -EINVAL;

        r = mock_engine_start(&mock->engine, MOCK_COMMAND_READ, v[0], v[2], v[3]);
        if (r < 0)
                return r;
        r = dma_client_wait_irq(mock->engine.irq);
        if (r < 0)
                return r;

        r = mock_engine_read(&mock->engine, MOCK_REG_STATUS, &status);
        if (r < 0)
                return r;
        if (status != MOCK_STATUS_DONE)
                return print_status(mock);

        r = mock_engine_start(&mock->engine, MOCK_COMMAND_WRITE, v[1], v[2], v[3]);
        return r < 0 ? r : wait_engine(mock);
}

int mock_answer(Mock *mock, char **words) {
        bool success = strcmp(words[0], "success") == 0;
        const struct iommu_hwpt_page_response response = {
                .cookie = mock->cookie,
                .code = success ? IOMMUFD_PAGE_RESP_SUCCESS : IOMMUFD_PAGE_RESP_INVALID,
        };

        if (write(mock->faults.fd, &response, sizeof(response)) != (ssize_t) sizeof(response))
                return -errno;
        return wait_engine(mock);
}
