/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client for any device that has a VFIO driver: it has it, and does nothing with it.
 *
 *     vfio-client WAY ARGUMENT…         see dma-client.h
 *
 * Says "ready N", of regions, and ends with its input.
 */

#include <stdio.h>
#include <sys/ioctl.h>

#include "dma-client.h"
#include "kernel/uapi.h"

static int client_open(char **arguments, DmaClient *client, unsigned *ret_regions) {
        struct vfio_device_info info = { .argsz = sizeof(info) };
        int n;

        n = dma_client_open(arguments, DMA_CLIENT_PAGE, client);
        if (n < 0)
                return n;
        if (arguments[n])
                return -EINVAL;
        if (ioctl(client->device, VFIO_DEVICE_GET_INFO, &info) < 0)
                return -errno;

        *ret_regions = info.num_regions;
        return 0;
}

int main(_unused_ int argc, char *argv[]) {
        unsigned n_regions = 0;
        DmaClient client;
        char line[32];
        int r;

        r = client_open(argv + 1, &client, &n_regions);
        (void) snprintf(line, sizeof(line), "ready %u", n_regions);
        dma_client_say(line, r);
        if (r < 0)
                return EXIT_FAILURE;

        while (getchar() != EOF)
                ;
        return EXIT_SUCCESS;
}
