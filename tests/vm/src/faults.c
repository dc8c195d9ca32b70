/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Makes a daemon with fault points (base/fault.h) fail everywhere, one place after the other, and looks what
 * becomes of the host.
 *
 *     faults FILE make                  the plan of faults, which the daemon is started with
 *     faults FILE kill DEVICE           the daemon is killed at each fault point of a lease of the device
 *     faults FILE fail DEVICE           each of them fails
 *     faults FILE starve DEVICE         each allocation of the kernel in a fault span fails
 *
 * A lease is acquired and let go of for each fault, until there has been one without. Each time everything
 * has to be as it was: drivers and overrides, state files, leases, and what the service manager keeps; a
 * lease may be stuck if it says why, and has then to end when it is released. A call may be refused with
 * KernelFailed, and come to no answer when the daemon was killed. Prints how many faults there were, how
 * many leases were refused, and how many were stuck.
 */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/fault.h"
#include "base/fd.h"
#include "iommud.h"

#define STATE_DIR "/run/iommud"
#define PCI_DIR "/sys/bus/pci/devices"

#define POLL_MSEC 20
#define PATIENCE_SECONDS 60

typedef enum Mode {
        MODE_KILL,
        MODE_FAIL,
        MODE_STARVE,
} Mode;

typedef struct Rounds {
        volatile FaultPlan *plan;
        iommud_client *client;
        sd_bus *bus;                         /* for the service manager */
        Mode mode;
        const char *device;
        char *bindings;                      /* of all devices, in the beginning */
        uint32_t round;                      /* the number of the fault */
        unsigned n_refused, n_stuck;
} Rounds;

_Noreturn _printf_(2, 3) static void fail(const Rounds *rounds, const char *format, ...) {
        va_list ap;

        fflush(stdout);
        fprintf(stderr, "fault %" PRIu32 " of %s: ", rounds->round, rounds->device);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
        exit(EXIT_FAILURE);
}

static void *need(void *p) {
        if (!p)
                abort();
        return p;
}

/* ---- the plan */

static volatile FaultPlan *plan_open(const char *path, int flags) {
        _cleanup_close_ int fd = -EBADF;
        void *p;

        fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
        if (fd < 0 || ftruncate(fd, sizeof(FaultPlan)) < 0)
                return NULL;

        p = mmap(NULL, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        return p == MAP_FAILED ? NULL : p;
}

/* The daemon's own number stays: it is written there once, when it starts. */
static void plan_set(volatile FaultPlan *plan, const FaultPlan *wanted) {
        plan->kill_at = plan->fail_at = plan->starve_at = plan->n_starved = 0;
        plan->fail_errno = wanted->fail_errno;
        __atomic_store_n(&plan->count, 0, __ATOMIC_SEQ_CST);
        plan->kill_at = wanted->kill_at;
        plan->fail_at = wanted->fail_at;
        plan->starve_at = wanted->starve_at;
}

static void rounds_plan(const Rounds *rounds) {
        FaultPlan wanted = { .fail_errno = EIO };

        switch (rounds->mode) {
        case MODE_KILL:
                wanted.kill_at = rounds->round;
                break;
        case MODE_FAIL:
                wanted.fail_at = rounds->round;
                break;
        case MODE_STARVE:
                wanted.starve_at = rounds->round;
                break;
        }

        plan_set(rounds->plan, &wanted);
}

static bool rounds_fault_was(const Rounds *rounds) {
        switch (rounds->mode) {
        case MODE_KILL:
                return rounds->plan->kill_at == 0;
        case MODE_FAIL:
                return __atomic_load_n(&rounds->plan->count, __ATOMIC_SEQ_CST) >= rounds->round;
        case MODE_STARVE:
                return rounds->plan->n_starved > 0;
        }
        abort();
}

/* ---- the host */

static char *read_bindings(void) {
        struct dirent **entries;
        size_t size;
        char *text;
        FILE *f;
        int n;

        f = need(open_memstream(&text, &size));
        n = scandir(PCI_DIR, &entries, NULL, alphasort);
        for (int i = 0; i < n; i++) {
                char path[sizeof(PCI_DIR) + 300], driver[64], override[64];

                snprintf(path, sizeof(path), PCI_DIR "/%s/driver", entries[i]->d_name);
                if (readlink_name_at(AT_FDCWD, path, driver, sizeof(driver)) < 0)
                        driver[0] = '\0';
                snprintf(path, sizeof(path), PCI_DIR "/%s/driver_override", entries[i]->d_name);
                if (read_text_at(AT_FDCWD, path, override, sizeof(override)) < 0)
                        override[0] = '\0';
                fprintf(f, "%s: driver \"%s\", override \"%s\"\n", entries[i]->d_name, driver, override);
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);
        fclose(f);
        return text;
}

/* A file of that prefix, of which the name is returned, or NULL. */
static char *find_state_file(const char *prefix) {
        const struct dirent *entry;
        char *name = NULL;
        DIR *dir;

        dir = need(opendir(STATE_DIR));
        while (!name && (entry = readdir(dir)))
                if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
                        name = need(strdup(entry->d_name));
        closedir(dir);
        return name;
}

static bool has_state_file(const char *prefix) {
        _cleanup_free_ char *name = find_state_file(prefix);

        return name;
}

static unsigned count_stored(const Rounds *rounds) {
        unsigned n = UINT32_MAX;

        (void) sd_bus_get_property_trivial(rounds->bus, "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1/unit/iommud_2eservice", "org.freedesktop.systemd1.Service",
                "NFileDescriptorStore", /* ret_error= */ NULL, 'u', &n);
        return n;
}

/* What changes by itself soon, has soon to be what it was. */
static bool host_is_same(const Rounds *rounds) {
        _cleanup_free_ char *bindings = read_bindings();

        return strcmp(bindings, rounds->bindings) == 0 && count_stored(rounds) == 0;
}

static void fail_on_host(const Rounds *rounds) {
        _cleanup_free_ char *bindings = read_bindings();

        fail(rounds, "the host has changed: %u stored descriptors; drivers before:\n%sand now:\n%s",
                count_stored(rounds), rounds->bindings, bindings);
}

/* ---- waiting */

static time_t now_seconds(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec;
}

static void release(Rounds *rounds, const iommud_lease_info *lease) {
        int r;

        if (!iommud_lease_info_state_reason(lease)[0])
                fail(rounds, "a lease is stuck and does not say why");

        plan_set(rounds->plan, &(FaultPlan) {});
        r = iommud_release(rounds->client, iommud_lease_info_id(lease));
        if (r != 0)
                fail(rounds, "Release: %s", iommud_error_text(rounds->client));
        rounds->n_stuck++;
}

/* Nothing is under way any more. A lease that is stuck is released, once. */
static bool is_quiet(Rounds *rounds, bool *released) {
        iommud_lease_info **leases;
        bool quiet;
        int r;

        r = iommud_list_leases(rounds->client, &leases);
        if (r == -ETIMEDOUT)
                return false;                /* it has just been killed */
        if (r != 0)
                fail(rounds, "ListLeases: %s", iommud_error_text(rounds->client));

        quiet = !leases[0];
        if (!quiet && !*released && strcmp(iommud_lease_info_state(leases[0]), "stuck") == 0) {
                release(rounds, leases[0]);
                *released = true;
        }
        iommud_lease_infos_free(leases);
        return quiet && !has_state_file("lease-");
}

/* @daemon: the one that was there before. Returns whether there was a fault. */
static bool settle(Rounds *rounds, uint32_t daemon) {
        time_t end = now_seconds() + PATIENCE_SECONDS;
        bool released = false, fault;

        for (unsigned n = 0;; n++) {
                fault = rounds_fault_was(rounds);

                /* the daemon is asked now and then, what costs it nothing is looked at often */
                if ((!has_state_file("lease-") || n % 10 == 9) && is_quiet(rounds, &released) &&
                    (rounds->mode != MODE_KILL || !fault || rounds->plan->pid != daemon) &&
                    rounds_fault_was(rounds) == fault)
                        break;
                if (now_seconds() > end)
                        fail(rounds, "neither at its end nor stuck");
                (void) poll(NULL, 0, POLL_MSEC);
        }

        while (!host_is_same(rounds)) {
                if (now_seconds() > end)
                        fail_on_host(rounds);
                (void) poll(NULL, 0, POLL_MSEC);
        }

        if (has_state_file("damaged-"))
                fail(rounds, "there is a damaged state file");
        return fault || released;
}

/* ---- the rounds */

/* As iommud_acquire(); the lease does not last. */
static int acquire(const Rounds *rounds) {
        iommud_request *request = NULL;
        iommud_lease *lease = NULL;
        int r;

        r = iommud_request_new(&request);
        if (r >= 0)
                r = iommud_request_add_device(request, rounds->device);
        if (r < 0)
                abort();

        r = iommud_acquire(rounds->client, request, &lease);
        iommud_lease_free(lease);
        iommud_request_free(request);
        return r;
}

/* A reset that was made to fail is one that has failed. */
static void forgive_reset(const Rounds *rounds) {
        plan_set(rounds->plan, &(FaultPlan) {});
        if (has_state_file("quarantine") && iommud_clear_quarantine(rounds->client, rounds->device) != 0)
                fail(rounds, "ClearQuarantine: %s", iommud_error_text(rounds->client));
}

/* Returns whether there was a fault. */
static bool run_round(Rounds *rounds) {
        int expected = rounds->mode == MODE_KILL ? -ETIMEDOUT : IOMMUD_E_KERNEL_FAILED;
        uint32_t daemon = rounds->plan->pid;
        _cleanup_free_ char *text = NULL;
        bool fault;
        int r;

        forgive_reset(rounds);
        rounds_plan(rounds);
        r = acquire(rounds);
        text = need(strdup(iommud_error_text(rounds->client)));
        fault = settle(rounds, daemon);

        if (r != 0 && (r != expected || !fault))
                fail(rounds, "Acquire: %d: %s%s", r, text, fault ? "" : ", and nothing was made to fail");
        rounds->n_refused += r != 0;
        return fault;
}

static int run(Rounds *rounds) {
        int r;

        r = iommud_connect(/* address= */ NULL, &rounds->client);
        if (r >= 0)
                r = sd_bus_open_system(&rounds->bus);
        if (r < 0) {
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
                return EXIT_FAILURE;
        }

        rounds->bindings = read_bindings();
        do
                rounds->round++;
        while (run_round(rounds));
        forgive_reset(rounds);

        printf("%" PRIu32 " %u %u\n", rounds->round - 1, rounds->n_refused, rounds->n_stuck);

        free(rounds->bindings);
        sd_bus_flush_close_unref(rounds->bus);
        iommud_client_free(rounds->client);
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        static const char *const modes[] = { "kill", "fail", "starve" };
        Rounds rounds = {};

        if (argc < 3)
                return 2;

        rounds.plan = plan_open(argv[1], strcmp(argv[2], "make") == 0 ? O_CREAT : 0);
        if (!rounds.plan) {
                perror(argv[1]);
                return EXIT_FAILURE;
        }
        if (argc == 3 && strcmp(argv[2], "make") == 0)
                return EXIT_SUCCESS;

        for (size_t i = 0; argc == 4 && i < ELEMENTSOF(modes); i++)
                if (strcmp(argv[2], modes[i]) == 0) {
                        rounds.mode = (Mode) i;
                        rounds.device = argv[3];
                        return run(&rounds);
                }

        return 2;
}
