/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls a verb of the Kernel port on the real kernel, and prints what came of it in one line.
 *
 *     kernel-verbs read-driver NAME                    "DRIVER OVERRIDE", "-" for none
 *     kernel-verbs set-driver NAME DRIVER OVERRIDE     "ok"; "-" for none
 *     kernel-verbs probe GROUP                         "free", "not viable", "foreign"
 *     kernel-verbs prove NAME                          "free", "no reset", "gone", "held PID:COMM …"
 *     kernel-verbs open NAME                           "open", and has the device open until the input ends
 *     kernel-verbs bind NAME                           "bound", the same, bound to a context of its own
 *
 * A device is NAME, on PCI, or BUS/NAME. A failure is "failed ERRNO: CALL".
 */

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/iommufd-backend.h"
#include "kernel/uapi.h"

static const IommufdBackend backend = { .sysfs = "/sys", .dev = "/dev", .proc = "/proc" };

static const char *or_none(const char *s) {
        return s[0] ? s : "-";
}

static const char *from_none(const char *s) {
        return strcmp(s, "-") == 0 ? "" : s;
}

static const char *split_name(char *argument, const char **ret_bus) {
        char *slash = strchr(argument, '/');

        *ret_bus = "pci";
        if (!slash)
                return argument;

        *slash = '\0';
        *ret_bus = argument;
        return slash + 1;
}

static int print_failure(const KernelFailure *failure) {
        printf("failed %s: %s\n", strerrorname_np(-failure->error), failure->call);
        return EXIT_FAILURE;
}

static int read_driver(const Kernel *kernel, char **arguments) {
        const char *bus, *name = split_name(arguments[0], &bus);
        char driver[KERNEL_NAME_MAX], override[KERNEL_NAME_MAX];
        KernelFailure failure;

        if (kernel->ops->read_driver(kernel->userdata, bus, name, NULL, driver, override, &failure) < 0)
                return print_failure(&failure);
        printf("%s %s\n", or_none(driver), or_none(override));
        return EXIT_SUCCESS;
}

static int set_driver(const Kernel *kernel, char **arguments) {
        const char *bus, *name = split_name(arguments[0], &bus);
        KernelFailure failure;

        if (kernel->ops->set_driver(kernel->userdata, bus, name, from_none(arguments[1]),
                                    from_none(arguments[2]), POWER_CONTROL_NONE, &failure) < 0)
                return print_failure(&failure);
        puts("ok");
        return EXIT_SUCCESS;
}

static int probe(const Kernel *kernel, char **arguments) {
        static const char *const outcomes[] = {
                [_GROUP_PROBE_FREE] = "free",
                [GROUP_PROBE_NOT_VIABLE] = "not viable",
                [GROUP_PROBE_FOREIGN] = "foreign",
        };
        KernelFailure failure;
        uint32_t group;
        int r;

        if (parse_u32(arguments[0], &group) < 0)
                return EXIT_FAILURE;
        r = kernel->ops->probe_group(kernel->userdata, group, &failure);
        if (r < 0)
                return print_failure(&failure);
        puts(outcomes[r]);
        return EXIT_SUCCESS;
}

static int prove(const Kernel *kernel, char **arguments) {
        const char *bus, *name = split_name(arguments[0], &bus);
        static const char *const outcomes[] = {
                [_PROVE_FREE] = "free",
                [PROVE_HELD] = "held",
                [PROVE_GONE] = "gone",
                [PROVE_RESET_FAILED] = "reset failed",
                [PROVE_NO_RESET] = "no reset",
        };
        KernelFailure failure;
        Holders holders = {};
        int r;

        r = kernel->ops->prove_free(kernel->userdata, bus, name, &holders, /* ret_info= */ NULL, &failure);
        if (r < 0)
                return print_failure(&failure);

        printf("%s", outcomes[r]);
        for (unsigned i = 0; i < holders.n_items; i++)
                printf(" %d:%s", holders.items[i].pid, holders.items[i].comm);
        puts("");
        return EXIT_SUCCESS;
}

/* Until whoever started us has enough of it. */
static int hold(const char *what) {
        puts(what);
        fflush(stdout);
        while (getchar() != EOF)
                ;
        return EXIT_SUCCESS;
}

static int open_device(const Kernel *kernel, char **arguments) {
        const char *bus, *name = split_name(arguments[0], &bus);
        _cleanup_close_ int device = -EBADF;
        KernelFailure failure;

        if (kernel->ops->open_device(kernel->userdata, bus, name, NULL, &device, &failure) < 0)
                return print_failure(&failure);
        return hold("open");
}

static int bind_device(const Kernel *kernel, char **arguments) {
        const char *bus, *name = split_name(arguments[0], &bus);
        struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
        _cleanup_close_ int context = -EBADF, device = -EBADF;
        KernelFailure failure;

        if (kernel->ops->open_context(kernel->userdata, ACCOUNTING_PROCESS, &context, &failure) < 0 ||
            kernel->ops->open_device(kernel->userdata, bus, name, NULL, &device, &failure) < 0)
                return print_failure(&failure);

        bind.iommufd = context;
        if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0) {
                printf("failed %s: bind\n", strerrorname_np(errno));
                return EXIT_FAILURE;
        }
        return hold("bound");
}

static const struct {
        const char *name;
        int n_arguments;
        int (*run)(const Kernel *kernel, char **arguments);
} verbs[] = {
        { "read-driver", 1, read_driver },
        { "set-driver", 3, set_driver },
        { "probe", 1, probe },
        { "prove", 1, prove },
        { "open", 1, open_device },
        { "bind", 1, bind_device },
};

int main(int argc, char *argv[]) {
        Kernel kernel = iommufd_backend_kernel(&backend);

        for (size_t i = 0; argc >= 2 && i < ELEMENTSOF(verbs); i++)
                if (strcmp(argv[1], verbs[i].name) == 0 && argc == 2 + verbs[i].n_arguments)
                        return verbs[i].run(&kernel, argv + 2);

        fputs("Usage: kernel-verbs VERB ARGUMENT...\n", stderr);
        return EXIT_FAILURE;
}
