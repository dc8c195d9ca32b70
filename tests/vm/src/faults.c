/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Makes a daemon with fault points (base/fault.h) fail everywhere, one place after the other, and looks what
 * becomes of the host.
 *
 *     faults FILE make                  the plan of faults, which the daemon is started with
 *     faults FILE kill DEVICE           the daemon is killed at each fault point of a lease of the device
 *     faults FILE fail DEVICE           each of them fails
 *     faults FILE starve DEVICE         each allocation of the kernel in a fault span fails
 *     faults FILE starve-calls DEVICE   and not those for the records, which are the same for all devices
 *     faults FILE … DEVICE attached     the same of a lease in that mode
 *     faults FILE … DEVICE claim        the same of a claim on its group
 *     faults -f FIRST -e EACH FILE …    not at all of them, but at the FIRSTth and each EACHth from there
 *
 * A lease is acquired and let go of for each fault, until there has been one without. Each time everything
 * has to be as it was: drivers and overrides, state files, leases, and what the service manager keeps; a
 * lease may be stuck if it says why, and has then to end when it is released. A call may be refused with
 * KernelFailed, and come to no answer when the daemon was killed.
 *
 * A claim is made to last, lent to a client and released. Whatever becomes of it, it has to be there as
 * parked, or as failed with the reason, or not at all; while it is there, the device has to be out of the
 * reach of the kernel's drivers; and what is there has to end when it is released.
 *
 * Prints how many faults there were, how many calls were refused, and how many leases and claims were stuck.
 */

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

#include "base/fault.h"
#include "base/fd.h"
#include "base/parse.h"
#include "faults-host.h"
#include "iommud.h"

#define POLL_MSEC 20
#define PATIENCE_SECONDS 60

typedef enum Mode {
        MODE_KILL,
        MODE_FAIL,
        MODE_STARVE,
        MODE_STARVE_CALLS,
} Mode;

typedef struct Rounds {
        volatile FaultPlan *plan;
        iommud_client *client;
        FaultsHost host;                     /* in the beginning */
        Mode mode;
        const char *device;
        const char *lease_mode;              /* NULL: the usual one */
        bool claim;                          /* and no lease alone */
        uint32_t group;                      /* of the device, if it is claimed */
        bool giving_back;                    /* the claim of this round is being released */
        uint32_t round;                      /* the number of the fault */
        uint32_t first, each;                /* which of them are tried */
        unsigned n_faults;
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
        plan->starve_records = wanted->starve_records;
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
        case MODE_STARVE_CALLS:
                wanted.starve_at = rounds->round;
                wanted.starve_records = rounds->mode == MODE_STARVE;
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
        case MODE_STARVE_CALLS:
                return rounds->plan->n_starved > 0;
        }
        abort();
}

/* ---- waiting */

static time_t now_seconds(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec;
}

/* Waits a little, up to @end. */
static void pause_until(const Rounds *rounds, time_t end, const char *what) {
        if (now_seconds() > end)
                fail(rounds, "%s", what);
        (void) poll(NULL, 0, POLL_MSEC);
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
static bool lease_is_quiet(Rounds *rounds, bool *released) {
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

/* ---- claims */

/* Whether the claim is on its way nowhere. What there is of it must make sense. */
static bool claim_is_at_rest(const Rounds *rounds) {
        _cleanup_(faults_claim_done) FaultsClaim claim = {};
        char driver[64] = "";
        bool rests, failed, none, hidden;
        int r;

        r = faults_host_read_claim(&rounds->host, rounds->group, &claim);
        if (r == -ETIMEDOUT)
                return false;                /* it has just been killed */
        if (r < 0)
                fail(rounds, "the claim cannot be read: %s", strerrordesc_np(-r));

        none = strcmp(claim.state, "none") == 0;
        failed = strcmp(claim.state, "failed") == 0;
        rests = none || failed || strcmp(claim.state, "parked") == 0;

        if (rests && !none) {
                faults_host_read_driver(rounds->device, driver, sizeof(driver));
                /* what could not be given back may be half-way there */
                hidden = strcmp(driver, "vfio-pci") == 0 || (failed && rounds->giving_back);
                if (!hidden)
                        fail(rounds, "the claim is %s (%s), and the driver is \"%s\"", claim.state,
                             claim.reason, driver);
        }
        if (failed && !claim.reason[0])
                fail(rounds, "the claim is failed and does not say why");

        return rests;
}

/* Returns whether there was a claim to be released. */
static bool end_claim(Rounds *rounds) {
        _cleanup_(faults_claim_done) FaultsClaim claim = {};
        int r;

        plan_set(rounds->plan, &(FaultPlan) {});
        r = faults_host_read_claim(&rounds->host, rounds->group, &claim);
        if (r < 0)
                fail(rounds, "the claim cannot be read: %s", strerrordesc_np(-r));
        if (strcmp(claim.state, "none") == 0)
                return false;

        r = iommud_group_release(rounds->client, rounds->group);
        if (r != 0)
                fail(rounds, "Release: %s", iommud_error_text(rounds->client));
        rounds->n_stuck += strcmp(claim.state, "failed") == 0;
        return true;
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
        if (r >= 0 && rounds->lease_mode)
                r = iommud_request_set_mode(request, rounds->lease_mode);
        if (r < 0)
                abort();

        r = iommud_acquire(rounds->client, request, &lease);
        iommud_lease_free(lease);
        iommud_request_free(request);
        return r;
}

/*
 * The daemon is asked now and then, which costs both of us time that it has better uses for: what costs it
 * nothing is looked at often.
 */
static bool is_time_to_ask(const Rounds *rounds, unsigned n) {
        return n % 10 == 9 || (!has_state_file("lease-") && (!rounds->claim || n % 4 == 3));
}

static bool is_quiet(Rounds *rounds, bool *released) {
        return lease_is_quiet(rounds, released) && (!rounds->claim || claim_is_at_rest(rounds));
}

/*
 * Until nothing is under way any more. @daemon: the one that was there before. Returns whether there was a
 * fault.
 */
static bool settle(Rounds *rounds, uint32_t daemon) {
        time_t end = now_seconds() + PATIENCE_SECONDS;
        bool released = false, fault;

        for (unsigned n = 0;; n++) {
                fault = rounds_fault_was(rounds);

                if (is_time_to_ask(rounds, n) && is_quiet(rounds, &released) &&
                    (rounds->mode != MODE_KILL || !fault || rounds->plan->pid != daemon) &&
                    rounds_fault_was(rounds) == fault)
                        return fault || released;
                pause_until(rounds, end, "neither at its end nor stuck");
        }
}

/*
 * The whole life of a claim, as far as it gets. Returns what the last call returned, and whether there was a
 * fault before it.
 */
static int claim(Rounds *rounds, uint32_t daemon, bool *ret_fault) {
        int r;

        r = iommud_group_claim(rounds->client, rounds->group, IOMMUD_CLAIM_PERSISTENT);
        if (r == 0)
                r = acquire(rounds);
        if (r != 0)
                return r;

        *ret_fault = settle(rounds, daemon);
        rounds->giving_back = true;
        return iommud_group_release(rounds->client, rounds->group);
}

static void check_host(const Rounds *rounds) {
        time_t end = now_seconds() + PATIENCE_SECONDS;

        while (!faults_host_is_same(&rounds->host)) {
                if (now_seconds() > end)
                        faults_host_print(&rounds->host);
                pause_until(rounds, end, "the host has changed");
        }

        if (has_state_file("damaged-") || has_state_file("claim-"))
                fail(rounds, "there is a state file that should not be there");
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
        bool fault = false;
        int r;

        rounds->giving_back = false;
        forgive_reset(rounds);
        rounds_plan(rounds);
        r = rounds->claim ? claim(rounds, daemon, &fault) : acquire(rounds);
        text = need(strdup(iommud_error_text(rounds->client)));
        fault = settle(rounds, daemon) || fault;
        if (rounds->claim && end_claim(rounds) && r == 0)
                fail(rounds, "the claim is there after its Release");
        check_host(rounds);

        if (r != 0 && (r != expected || !fault))
                fail(rounds, "%d: %s%s", r, text, fault ? "" : ", and nothing was made to fail");
        rounds->n_refused += r != 0;
        return fault;
}

static int run(Rounds *rounds) {
        int r;

        r = iommud_connect(/* address= */ NULL, &rounds->client);
        if (r >= 0)
                r = faults_host_init(&rounds->host);
        if (r >= 0 && rounds->claim)
                r = faults_host_read_group(rounds->device, &rounds->group);
        if (r < 0) {
                fprintf(stderr, "%s\n", strerrordesc_np(-r));
                return EXIT_FAILURE;
        }

        for (rounds->round = rounds->first; run_round(rounds); rounds->round += rounds->each)
                rounds->n_faults++;
        forgive_reset(rounds);

        printf("%u %u %u\n", rounds->n_faults, rounds->n_refused, rounds->n_stuck);

        faults_host_done(&rounds->host);
        iommud_client_free(rounds->client);
        return EXIT_SUCCESS;
}

static uint32_t read_count(const char *s) {
        uint32_t n;

        if (parse_u32(s, &n) < 0 || n == 0 || n > UINT16_MAX) {
                fprintf(stderr, "%s is not a number from 1 to %d\n", s, UINT16_MAX);
                exit(2);
        }
        return n;
}

int main(int argc, char *argv[]) {
        static const char *const modes[] = { "kill", "fail", "starve", "starve-calls" };
        Rounds rounds = { .first = 1, .each = 1 };
        int c;

        while ((c = getopt(argc, argv, "f:e:")) >= 0)
                switch (c) {
                case 'f':
                        rounds.first = read_count(optarg);
                        break;
                case 'e':
                        rounds.each = read_count(optarg);
                        break;
                default:
                        return 2;
                }
        /* as if the options had not been there */
        argv += optind - 1;
        argc -= optind - 1;

        if (argc < 3)
                return 2;

        rounds.plan = plan_open(argv[1], strcmp(argv[2], "make") == 0 ? O_CREAT : 0);
        if (!rounds.plan) {
                perror(argv[1]);
                return EXIT_FAILURE;
        }
        if (argc == 3 && strcmp(argv[2], "make") == 0)
                return EXIT_SUCCESS;

        if (argc < 4 || argc > 5)
                return 2;
        rounds.claim = argc == 5 && strcmp(argv[4], "claim") == 0;
        rounds.lease_mode = argc == 5 && !rounds.claim ? argv[4] : NULL;

        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (strcmp(argv[2], modes[i]) == 0) {
                        rounds.mode = (Mode) i;
                        rounds.device = argv[3];
                        return run(&rounds);
                }

        return 2;
}
