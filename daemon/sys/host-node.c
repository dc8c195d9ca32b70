/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/dir.h"
#include "base/parse.h"
#include "base/process.h"
#include "sys/host-node.h"

/* Of the driver "nvidia", which doesn't tell sysfs of its nodes */
#define NVIDIA_MAJOR 195

#define UDEV_CGROUP "/system.slice/systemd-udevd.service"

typedef struct Node {
        mode_t type;                         /* S_IFCHR or S_IFBLK */
        dev_t number;
} Node;

typedef struct Search {
        const HostDevice *device;
        Node *nodes;                         /* of the device */
        size_t n_nodes;
        Node open;                           /* the one that was found */
        char *use;                           /* the caller's */
        size_t size;
} Search;

static void search_done(Search *search) {
        free(search->nodes);
}

static int search_add(Search *search, mode_t type, dev_t number) {
        Node *nodes;

        nodes = reallocarray(search->nodes, search->n_nodes + 1, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;

        search->nodes = nodes;
        nodes[search->n_nodes++] = (Node) { type, number };
        return 0;
}

/* "116:2" */
static int parse_number(const char *text, dev_t *ret) {
        uint32_t major_number, minor_number;
        char copy[32], *colon;

        if (copy_string(copy, sizeof(copy), text) < 0)
                return -EBADMSG;
        colon = strchr(copy, ':');
        if (!colon)
                return -EBADMSG;
        *colon++ = '\0';
        if (parse_u32(copy, &major_number) < 0 || parse_u32(colon, &minor_number) < 0)
                return -EBADMSG;

        *ret = makedev(major_number, minor_number);
        return 0;
}

static const char *type_dir(mode_t type) {
        return type == S_IFBLK ? "dev/block" : "dev/char";
}

/* All nodes that there are have a link here, named after their number. */
static int search_collect(Search *search, mode_t type) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        dev_t number;
        int r;

        r = dir_open_at(search->device->host->sysfs, type_dir(type), &dir);
        if (r < 0)
                return r;

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                r = host_device_has(search->device, type_dir(type), name);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;

                r = parse_number(name, &number);
                if (r < 0)
                        return r;
                r = search_add(search, type, number);
                if (r < 0)
                        return r;
        }

        return r;
}

/* "Device Minor:", white space and a number, in a line of its own. */
static int search_collect_nvidia(Search *search) {
        char path[128], text[2048], *value;
        uint32_t minor_number;
        ssize_t n;

        if ((size_t) snprintf(path, sizeof(path), "driver/nvidia/gpus/%s/information",
                        search->device->name) >= sizeof(path))
                return -ENAMETOOLONG;

        n = read_text_at(search->device->host->proc, path, text, sizeof(text));
        if (n < 0)
                return n == -ENOENT || n == -ENOTDIR ? 0 : (int) n;           /* of another driver */

        value = strstr(text, "Device Minor:");
        if (!value)
                return -EBADMSG;
        value += strlen("Device Minor:");
        value += strspn(value, " \t");
        value[strcspn(value, " \t\n")] = '\0';
        if (parse_u32(value, &minor_number) < 0)
                return -EBADMSG;

        return search_add(search, S_IFCHR, makedev(NVIDIA_MAJOR, minor_number));
}

static int on_node(const Process *process, const OpenNode *node, void *userdata) {
        Search *search = userdata;

        for (size_t i = 0; i < search->n_nodes; i++)
                if (search->nodes[i].type == node->type && search->nodes[i].number == node->number) {
                        search->open = search->nodes[i];
                        return HOST_USE_FOUND;
                }

        return _HOST_USE_NONE;
}

/* "0::/system.slice/systemd-udevd.service/udev": only root can put a process there. */
static bool process_is_udev(const Process *process) {
        size_t length = strlen(UDEV_CGROUP);
        char cgroup[PROCESS_CGROUP_MAX];

        if (process_get_cgroup(process, cgroup, sizeof(cgroup)) < 0 ||
            strncmp(cgroup, UDEV_CGROUP, length) != 0)
                return false;

        return cgroup[length] == '/' || cgroup[length] == '\0';
}

/* "snd/pcmC0D0p", as udev names it below /dev; or what is there of every node. */
static void read_name(const Search *search, char *ret, size_t size) {
        char path[64], text[1024], number[32], *name;

        snprintf(number, sizeof(number), "%u:%u", major(search->open.number), minor(search->open.number));
        snprintf(ret, size, "%s/%s", search->open.type == S_IFBLK ? "block" : "char", number);

        snprintf(path, sizeof(path), "%s/%s/uevent", type_dir(search->open.type), number);
        if (read_text_at(search->device->host->sysfs, path, text, sizeof(text)) < 0)
                return;

        name = strstr(text, "DEVNAME=");
        if (!name)
                return;
        name += strlen("DEVNAME=");
        name[strcspn(name, "\n")] = '\0';
        snprintf(ret, size, "%s", name);
}

static int on_process(const Process *process, void *userdata) {
        Search *search = userdata;
        char name[64], comm[PROCESS_COMM_MAX];
        int r;

        r = process_visit_nodes(process, on_node, search);
        if (r != HOST_USE_FOUND)
                return r;
        if (process_is_udev(process))
                return _HOST_USE_NONE;

        read_name(search, name, sizeof(name));
        process_read_comm(process, comm);
        snprintf(search->use, search->size, "/dev/%s is open in %s (pid %d)", name,
                comm[0] ? comm : "a process", (int) process->pid);
        return HOST_USE_FOUND;
}

int host_node_in_use(const HostDevice *device, char *ret_use, size_t size) {
        _cleanup_(search_done) Search search = { .device = device, .use = ret_use, .size = size };
        int r;

        r = search_collect(&search, S_IFCHR);
        if (r < 0)
                return r;
        r = search_collect(&search, S_IFBLK);
        if (r < 0)
                return r;
        r = search_collect_nvidia(&search);
        if (r < 0)
                return r;

        if (search.n_nodes == 0)
                return _HOST_USE_NONE;
        return process_visit_all(device->host->proc, ".", on_process, &search);
}
