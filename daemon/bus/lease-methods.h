/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The methods of the Lease about what is in its context. Their userdata is the server.
 */

#include <systemd/sd-bus.h>

int method_alloc_ioas(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_alloc_domain(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_alloc_viommu(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_alloc_vdevice(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_alloc_veventq(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_attach(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_detach(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_destroy(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_map_file(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_unmap(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_set_dirty_tracking(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_get_dirty_bitmap(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_revoke(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* These only read. */
int method_iova_ranges(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_hw_info(sd_bus_message *message, void *userdata, sd_bus_error *error);
int method_dma_state(sd_bus_message *message, void *userdata, sd_bus_error *error);
