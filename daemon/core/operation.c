/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fd.h"
#include "core/operation.h"

int operation_new(OperationKind kind, Operation **ret) {
        Operation *operation;

        operation = calloc(1, sizeof(*operation));
        if (!operation)
                return -ENOMEM;

        operation->kind = kind;
        operation->pasid = PASID_NONE;
        operation->map.fd = -EBADF;
        operation->fd = -EBADF;
        *ret = operation;
        return 0;
}

Operation *operation_free(Operation *operation) {
        if (!operation)
                return NULL;

        close_fd(operation->map.fd);
        close_fd(operation->fd);
        dma_job_done(&operation->job);
        free(operation);
        return NULL;
}
