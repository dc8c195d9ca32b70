/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Wires the parts together and runs the event loop. It alone is outside the static libraries, so that the
 * tests link all the rest.
 */

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/fault.h"
#include "base/fd.h"
#include "bus/audit.h"
#include "bus/holder-end.h"
#include "bus/identity.h"
#include "bus/server.h"
#include "config/error.h"
#include "config/policy-check.h"
#include "config/policy-file.h"
#include "core/change.h"
#include "core/claim.h"
#include "core/device.h"
#include "core/group.h"
#include "core/lease.h"
#include "core/manager.h"
#include "core/policy.h"
#include "core/task.h"
#include "kernel/iommufd-backend.h"
#include "names.h"
#include "sys/alarm.h"
#include "sys/host.h"
#include "sys/journal.h"
#include "sys/lifeline.h"
#include "sys/scan-iommu.h"
#include "sys/scan.h"
#include "sys/state-store.h"
#include "sys/watch.h"
#include "sys/worker.h"

/* How long clients wait at the start for groups that are to be claimed. */
#define CLAIM_PATIENCE_USEC (UINT64_C(20) * 1000 * 1000)

typedef struct Daemon {
        sd_event *event;
        sd_bus *bus;
        int sysfs, proc;
        StateStore state;
        Store store;
        IommufdBackend backend;
        Kernel kernel;
        LocalHost local_host;
        Host host;
        Manager *manager;
        Worker *worker;
        Watch *watch;
        Lifelines *lifelines;
        Alarm *expiry;                       /* of leases that the policy gives an end */
        sd_event_source *idle;               /* nobody waits for an answer */
        Identity *identity;
        BusServer *server;
} Daemon;

static void daemon_done(Daemon *d) {
        worker_free(d->worker);
        watch_free(d->watch);
        lifelines_free(d->lifelines);
        alarm_free(d->expiry);
        sd_event_source_disable_unref(d->idle);
        identity_free(d->identity);
        bus_server_free(d->server);
        if (d->manager)
                manager_drop_next_lease(d->manager);
        manager_free(d->manager);
        sd_bus_flush_close_unref(d->bus);
        sd_event_unref(d->event);
        close_fd(d->sysfs);
        close_fd(d->proc);
        close_fd(d->state.dir);
        close_fd(d->state.lasting);
        close_fd(d->state.manager);
}

/* Leases that are active are watched, others are not any more. */
static void daemon_watch_lifelines(Daemon *d, const ChangeSet *changes, ChangeSet *more) {
        for (size_t i = 0; i < changes->n_items; i++) {
                const Change *change = &changes->items[i];
                Lease *lease;

                if (change->kind != CHANGE_LEASE_ANSWERED && change->kind != CHANGE_LEASE_CHANGED &&
                    change->kind != CHANGE_LEASE_ENDED)
                        continue;

                lease = manager_find_lease(d->manager, change->id);
                if (!lease || lease->state != LEASE_ACTIVE) {
                        lifelines_forget(d->lifelines, change->id);
                        continue;
                }

                if (lifelines_watch(d->lifelines, lease->id, lease->lifeline, lease->lifeline_is_pidfd) <
                        0) {
                        log_error("Lease %" PRIu64 " can't be watched, ending it", lease->id);
                        manager_hangup(d->manager, lease->id, "it could not be watched", more);
                }
        }
}

static void daemon_start_tasks(Daemon *d, ChangeSet *more) {
        Task task;

        while (manager_next_task(d->manager, &task)) {
                TaskResult result = {};
                int r;

                r = worker_start(d->worker, &task);
                if (r >= 0)
                        continue;

                task_done(&task);
                result.result = kernel_failure(&result.failure, r, "starting a child process");
                manager_task_done(d->manager, &task, &result, more);
        }
}

/* What has to follow every call into the core: the world is told, and the core's wishes are granted. */
static void daemon_commit(void *userdata, ChangeSet *changes) {
        Daemon *d = userdata;

        /* At least once: a task may be followed by another one, and nothing that anybody needs to hear. */
        do {
                _cleanup_(change_set_done) ChangeSet more = {};

                bus_server_publish(d->server, changes, &more);
                daemon_watch_lifelines(d, changes, &more);
                /* before a task that can't be started ends another lease, whose caller is to be told */
                manager_reap(d->manager);
                daemon_start_tasks(d, &more);

                change_set_done(changes);
                *changes = more;
                more = (ChangeSet) {};
        } while (changes->n_items > 0 || changes->lost);

        if (alarm_set(d->expiry, manager_next_expiry(d->manager)) < 0)
                log_warning("No timer can be set: leases with an end go on until something else happens");
        /* without it a lease takes a little longer */
        if (manager_wants_next_lease(d->manager))
                (void) sd_event_source_set_enabled(d->idle, SD_EVENT_ONESHOT);
}

static int on_idle(sd_event_source *source, void *userdata) {
        Daemon *d = userdata;

        manager_prepare_next_lease(d->manager);
        return 0;
}

static void on_expiry(uint64_t now_usec, void *userdata) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        Daemon *d = userdata;

        manager_expire(d->manager, now_usec, &changes);
        daemon_commit(d, &changes);
}

static void on_lifeline(uint64_t lease, const char *cause, void *userdata) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        Daemon *d = userdata;

        manager_hangup(d->manager, lease, cause, &changes);
        daemon_commit(d, &changes);
}

static void on_task_done(const Task *task, const TaskResult *result, void *userdata) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        Daemon *d = userdata;

        if (task->kind == TASK_KILL_HOLDER)
                holder_end_done(task, result);
        manager_task_done(d->manager, task, result, &changes);
        daemon_commit(d, &changes);
}

static void on_task_overdue(const Task *task, void *userdata) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        Daemon *d = userdata;

        /* of all others the lease or the claim says it */
        if (task->kind == TASK_CLOSE && !task->subsystem[0])
                log_warning("\"%s\", which belonged to no lease and no claim, is not closed after %u s: the "
                            "kernel waits",
                            task->name, (unsigned) (task->timeout_usec / 1000000));
        manager_task_overdue(d->manager, task, &changes);
        daemon_commit(d, &changes);
}

/* Scans collect their changes in a set, if there is one. */
typedef struct ScanInto {
        Daemon *daemon;
        ChangeSet *changes;
} ScanInto;

static int on_group(const GroupFacts *facts, void *userdata) {
        ScanInto *into = userdata;

        return manager_update_group(into->daemon->manager, facts, into->changes);
}

static int on_device(const DeviceFacts *facts, void *userdata) {
        ScanInto *into = userdata;

        return manager_update_device(into->daemon->manager, facts, into->changes);
}

static int on_iommu(const IommuFacts *facts, void *userdata) {
        Daemon *d = userdata;

        return manager_add_iommu(d->manager, facts);
}

static int daemon_scan_all(Daemon *d, ChangeSet *changes) {
        static const ScanFuncs funcs = { on_group, on_device };
        ScanInto into = { d, changes };

        return scan_all(d->sysfs, &funcs, &into);
}

/* One device that may have come, changed or gone. */
static int daemon_scan_device(Daemon *d, const char *subsystem, const char *name, ChangeSet *changes) {
        DeviceFacts facts;
        GroupFacts group;
        int r;

        r = scan_device(d->sysfs, subsystem, name, &facts);
        if (r == -ENODEV) {
                manager_remove_device(d->manager, subsystem, name, changes);
                return 0;
        }
        if (r < 0)
                return r;

        if (!manager_find_group(d->manager, facts.group)) {
                r = scan_group(d->sysfs, facts.group, &group);
                if (r == -ENODEV)
                        return 0;            /* going already; its event follows */
                if (r < 0)
                        return r;

                r = manager_update_group(d->manager, &group, changes);
                if (r < 0)
                        return r;
        }

        return manager_update_device(d->manager, &facts, changes);
}

/*
 * A device has changed. One that is, or was, a virtual function changes its physical function too, of which
 * the kernel says nothing: how many it has.
 */
static int daemon_device_changed(Daemon *d, const char *subsystem, const char *name, ChangeSet *changes) {
        char physfn[KERNEL_NAME_MAX] = "";
        const Device *device;
        int r;

        device = manager_find_device(d->manager, name);
        if (device && strcmp(device->facts.subsystem, subsystem) == 0)
                strcpy(physfn, device->facts.physfn);

        r = daemon_scan_device(d, subsystem, name, changes);
        if (r < 0)
                return r;

        device = manager_find_device(d->manager, name);
        if (device && strcmp(device->facts.subsystem, subsystem) == 0)
                strcpy(physfn, device->facts.physfn);

        return physfn[0] ? daemon_scan_device(d, subsystem, physfn, changes) : 0;
}

/*
 * Everything may have changed: devices that are known are looked at one by one, so that those that went are
 * noticed.
 */
static int daemon_rescan(Daemon *d, ChangeSet *changes) {
        for (size_t i = d->manager->devices.n_items; i > 0; i--) {
                const Device *device = d->manager->devices.items[i - 1];
                DeviceFacts facts;

                if (scan_device(d->sysfs, device->facts.subsystem, device->facts.name, &facts) == -ENODEV)
                        manager_remove_device(
                                d->manager, device->facts.subsystem, device->facts.name, changes);
        }

        return daemon_scan_all(d, changes);
}

static void on_device_event(const char *subsystem, const char *name, void *userdata) {
        _cleanup_(change_set_done) ChangeSet changes = {};
        Daemon *d = userdata;
        int r;

        r = name ? daemon_device_changed(d, subsystem, name, &changes) : daemon_rescan(d, &changes);
        if (r < 0)
                log_warning("%s could not be looked at, ignoring what changed: %s", name ?: "The host",
                            strerrordesc_np(-r));

        daemon_commit(d, &changes);
}

static int daemon_identify(void *userdata, sd_bus_message *message, Subject *ret) {
        Daemon *d = userdata;

        return identity_of_sender(d->identity, message, policy_wanted_facts(d->manager->policy), ret);
}

static int daemon_pidfd(void *userdata, sd_bus_message *message) {
        Daemon *d = userdata;

        return identity_pidfd_of_sender(d->identity, message);
}

static const PolicyPaths policy_paths = {
        .names = IOMMUD_SYSCONF_DIR "/iommud.json",
        .dirs = (const char *const[]) {
                IOMMUD_SYSCONF_DIR "/policy.d",
                IOMMUD_VENDOR_DIR "/policy.d",
                NULL,
        },
};

/* All or nothing: the policy in force stays when the new one is broken. */
static int daemon_load_policy(void *userdata, const Subject *subject, char **reterr) {
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *text = NULL;
        Daemon *d = userdata;
        int r;

        r = policy_load(policy_paths.names, policy_paths.dirs, &policy, &error);
        if (r < 0) {
                if (r == -ENOMEM || config_error_to_string(&error, &text) < 0)
                        text = NULL;

                audit_policy(subject, text ?: "out of memory", /* n_rules= */ 0);
                if (reterr)
                        *reterr = TAKE_PTR(text);
                return r;
        }

        audit_policy(subject, /* error= */ NULL, policy->n_rules);
        manager_set_policy_consume(d->manager, TAKE_PTR(policy));
        return 0;
}

static int on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        (void) sd_notify(/* unset_environment= */ false, "RELOADING=1");
        /* it has logged */
        (void) daemon_load_policy(userdata, /* subject= */ NULL, /* reterr= */ NULL);
        (void) sd_notify(/* unset_environment= */ false, "READY=1");
        return 0;
}

/* Without the bus nobody can ask for anything: the service manager starts us again when it is back. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Daemon *d = userdata;

        log_error("The bus has gone, exiting");
        return sd_event_exit(d->event, EXIT_FAILURE);
}

static int daemon_init_event(Daemon *d) {
        sigset_t signals;
        int r;

        sigemptyset(&signals);
        sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, /* oldset= */ NULL) < 0)
                return -errno;

        r = sd_event_default(&d->event);
        if (r < 0)
                return r;

        r = sd_event_set_signal_exit(d->event, true);
        if (r < 0)
                return r;

        r = sd_event_add_signal(d->event, /* ret= */ NULL, SIGHUP, on_sighup, d);
        if (r < 0)
                return r;

        return sd_event_set_watchdog(d->event, true);
}

/* Goes on with the leases of the process before us. */
static int daemon_init_leases(Daemon *d, ChangeSet *changes) {
        _cleanup_(stored_fds_done) StoredFds stored = {};
        int r;

        d->state.dir = open(IOMMUD_STATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (d->state.dir < 0)
                return -errno;

        d->state.lasting = open(IOMMUD_LASTING_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (d->state.lasting < 0)
                log_warning("%s can't be opened: %m. Nothing can be claimed", IOMMUD_LASTING_DIR);

        r = stored_fds_receive(&stored);
        if (r < 0)
                return r;

        d->state.manager = fd_store_connect();

        d->store = state_store_port(&d->state);
        manager_set_store(d->manager, &d->store);
        return state_store_load(&d->state, &stored, d->manager, changes);
}

static int daemon_init_idle(Daemon *d) {
        int r;

        r = sd_event_add_defer(d->event, &d->idle, on_idle, d);
        if (r < 0)
                return r;

        r = sd_event_source_set_enabled(d->idle, SD_EVENT_OFF);
        if (r < 0)
                return r;

        return sd_event_source_set_priority(d->idle, SD_EVENT_PRIORITY_IDLE);
}

/* Ports and state; the devices are known when this returns. */
static int daemon_init_state(Daemon *d) {
        static const WorkerFuncs worker_funcs = { .on_done = on_task_done, .on_overdue = on_task_overdue };
        int r;

        d->sysfs = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (d->sysfs < 0)
                return -errno;
        d->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (d->proc < 0)
                return -errno;

        d->backend = (IommufdBackend) { .sysfs = "/sys", .dev = "/dev", .proc = "/proc" };
        d->kernel = iommufd_backend_kernel(&d->backend);
        d->local_host = (LocalHost) { .sysfs = d->sysfs, .proc = d->proc };
        d->host = local_host_port(&d->local_host);

        r = manager_new(&d->kernel, &d->host, &d->manager);
        if (r < 0)
                return r;

        /* A broken policy leaves us without one, which denies: root can still see what is wrong. */
        (void) daemon_load_policy(d, /* subject= */ NULL, /* reterr= */ NULL);

        r = worker_new(d->event, &d->kernel, &worker_funcs, d, &d->worker);
        if (r < 0)
                return r;

        r = lifelines_new(d->event, on_lifeline, d, &d->lifelines);
        if (r < 0)
                return r;

        r = alarm_new(d->event, on_expiry, d, &d->expiry);
        if (r < 0)
                return r;

        r = daemon_init_idle(d);
        if (r < 0)
                return r;

        r = watch_new(d->event, on_device_event, d, &d->watch);
        if (r < 0)
                return r;

        /* they don't come or go while the host is up */
        r = scan_iommus(d->sysfs, on_iommu, d);
        if (r < 0)
                return r;

        return daemon_scan_all(d, /* changes= */ NULL);
}

static int daemon_init_bus(Daemon *d) {
        static const BusServerFuncs funcs = {
                .identify = daemon_identify,
                .commit = daemon_commit,
                .reload = daemon_load_policy,
                .pidfd = daemon_pidfd,
        };
        static const char *const features[] = { "mode:vmm", "mode:attached", "mode:confined", "holder",
                NULL };
        static const char *const features_iommufd[] = {
                "iommufd", "mode:vmm", "mode:attached", "mode:confined", "holder", NULL,
        };
        bool iommufd = access("/dev/iommu", F_OK) >= 0;
        int r;

        if (!iommufd)
                log_warning(
                        "There is no /dev/iommu: this kernel has no iommufd, and nothing can be handed out");

        r = sd_bus_open_system(&d->bus);
        if (r < 0)
                return r;

        r = sd_bus_attach_event(d->bus, d->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        r = sd_bus_match_signal_async(d->bus, /* ret_slot= */ NULL, "org.freedesktop.DBus.Local",
                "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
                /* install_callback= */ NULL, d);
        if (r < 0)
                return r;

        r = identity_new(d->bus, d->proc, d->sysfs, &d->identity);
        if (r < 0)
                return r;

        r = bus_server_new(d->bus, d->manager, iommufd ? features_iommufd : features, &funcs, d, &d->server);
        if (r < 0)
                return r;

        return 0;
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        bool *waited = userdata;

        *waited = true;
        return 0;
}

/*
 * Groups that are claimed are parked before anybody can ask for them, if that can be done in a time. Those
 * that are not by then go on while others are served already.
 */
static int daemon_wait_for_claims(Daemon *d) {
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *timer = NULL;
        bool waited = false;
        int r;

        if (!manager_is_claiming(d->manager))
                return 0;

        r = sd_event_add_time_relative(d->event, &timer, CLOCK_MONOTONIC, CLAIM_PATIENCE_USEC,
                                       /* accuracy= */ 0, on_patience, &waited);
        if (r < 0)
                return r;

        while (manager_is_claiming(d->manager) && !waited &&
               sd_event_get_state(d->event) != SD_EVENT_FINISHED) {
                r = sd_event_run(d->event, /* timeout= */ UINT64_MAX);
                if (r < 0)
                        return r;
        }

        if (waited)
                log_warning("Not all groups that are claimed are parked after %u s, serving others",
                            (unsigned) (CLAIM_PATIENCE_USEC / 1000000));
        return 0;
}

static int daemon_run(void) {
        _cleanup_(daemon_done) Daemon d = { .sysfs = -EBADF, .proc = -EBADF, .state = STATE_STORE_NULL };
        _cleanup_(change_set_done) ChangeSet changes = {};
        int r;

        r = daemon_init_event(&d);
        if (r < 0) {
                log_error("No event loop: %s", strerrordesc_np(-r));
                return r;
        }

        r = daemon_init_state(&d);
        if (r < 0) {
                log_error("The host's devices can't be read: %s", strerrordesc_np(-r));
                return r;
        }

        r = daemon_init_leases(&d, &changes);
        if (r < 0) {
                log_error(
                        "The leases on file in %s can't be read: %s", IOMMUD_STATE_DIR, strerrordesc_np(-r));
                return r;
        }

        r = daemon_init_bus(&d);
        if (r < 0) {
                log_error("Can't serve %s on the system bus: %s", IOMMUD_BUS_NAME, strerrordesc_np(-r));
                return r;
        }

        log_info("iommud " IOMMUD_VERSION ": %zu devices in %zu groups, %zu leases",
                d.manager->devices.n_items, d.manager->groups.n_items, d.manager->leases.n_items);
        daemon_commit(&d, &changes);

        r = daemon_wait_for_claims(&d);
        if (sd_event_get_state(d.event) == SD_EVENT_FINISHED)
                return 0;                    /* told to end meanwhile */
        if (r >= 0)
                r = sd_bus_request_name(d.bus, IOMMUD_BUS_NAME, /* flags= */ 0);
        if (r < 0) {
                log_error("Can't serve %s on the system bus: %s", IOMMUD_BUS_NAME, strerrordesc_np(-r));
                return r;
        }
        (void) sd_notify(/* unset_environment= */ false, "READY=1");

        /* who speaks without that name is not believed */
        manager_remind_holders(d.manager, &changes);
        daemon_commit(&d, &changes);

        r = sd_event_loop(d.event);
        (void) sd_notify(/* unset_environment= */ false, "STOPPING=1");
        return r;
}

static int help(void) {
        printf("iommud [--help] [--version] [--check-policy [--json] [PATH...]]\n\n"
               "Hands DMA-isolated devices to unprivileged clients, as " IOMMUD_BUS_NAME
               " on the system bus.\n"
               "It is started by systemd; see iommud(8). With --check-policy it looks for mistakes in "
               "policy\n"
               "files, and does nothing else; see iommud-policy(5).\n");
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { "check-policy", no_argument, NULL, 'c' },
                { "json", no_argument, NULL, 'j' },
                {},
        };
        bool check = false, json = false;
        int c, r;

        while ((c = getopt_long(argc, argv, "h", options, /* longindex= */ NULL)) >= 0)
                switch (c) {

                case 'h':
                        return help();

                case 'V':
                        puts("iommud " IOMMUD_VERSION);
                        return EXIT_SUCCESS;

                case 'c':
                        check = true;
                        break;

                case 'j':
                        json = true;
                        break;

                default:
                        return 2;
                }

        if (check) {
                r = policy_check(&policy_paths, argv + optind, json);
                if (r < 0 && r != -EBADMSG)
                        fprintf(stderr, "The policy can't be checked: %s\n", strerrordesc_np(-r));
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        }

        if (optind < argc || json) {
                fprintf(stderr, "iommud takes no arguments; see --help.\n");
                return 2;
        }

        fault_init();
        return daemon_run() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
