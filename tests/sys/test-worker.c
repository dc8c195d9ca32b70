/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/parse.h"
#include "sys/worker.h"

/* The worker's call, for a process that no signal ends: the kernel takes it and nothing happens. */
static bool deaf;
static int last_pidfd = -EBADF;
static unsigned fail_forks;                  /* so many of the next */
static bool fail_pidfd;
static uint64_t leisure_usec = UINT64_C(3600) * 1000 * 1000;   /* of a helper: the machine may be slow */

int __wrap_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags);
int __real_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags);
int __wrap_pidfd_open(pid_t pid, unsigned flags);
int __real_pidfd_open(pid_t pid, unsigned flags);
int __wrap_sd_event_add_time_relative(sd_event *e, sd_event_source **ret, clockid_t clock, uint64_t usec,
        uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);
int __real_sd_event_add_time_relative(sd_event *e, sd_event_source **ret, clockid_t clock, uint64_t usec,
        uint64_t accuracy, sd_event_time_handler_t callback, void *userdata);
pid_t __wrap_fork(void);
pid_t __real_fork(void);

int __wrap_pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags) {
        last_pidfd = pidfd;
        return deaf ? 0 : __real_pidfd_send_signal(pidfd, sig, info, flags);
}

int __wrap_pidfd_open(pid_t pid, unsigned flags) {
        if (fail_pidfd) {
                errno = EMFILE;
                return -1;
        }
        return __real_pidfd_open(pid, flags);
}

int __wrap_sd_event_add_time_relative(sd_event *e, sd_event_source **ret, clockid_t clock, uint64_t usec,
        uint64_t accuracy, sd_event_time_handler_t callback, void *userdata) {
        return __real_sd_event_add_time_relative(
                e, ret, clock, usec == WORKER_LEISURE_USEC ? leisure_usec : usec, accuracy, callback,
                userdata);
}

pid_t __wrap_fork(void) {
        if (fail_forks > 0) {
                fail_forks--;
                errno = EAGAIN;
                return -1;
        }
        return __real_fork();
}

/* What the task of a test does in its child: the driver's name says it. */
static int fake_set_driver(void *userdata, const char *subsystem, const char *name, const char *driver,
                           const char *override, PowerControl power, KernelFailure *reterr) {
        if (strcmp(driver, "works") == 0)
                return 0;
        if (strcmp(driver, "fails") == 0)
                return kernel_failure(reterr, -ENXIO, "write %s to bind", name);
        if (strcmp(driver, "exits") == 0)
                _exit(7);
        if (strcmp(driver, "crashes") == 0) {
                raise(SIGKILL);
                return 0;
        }
        if (strcmp(driver, "waits") == 0)
                for (;;)
                        pause();
        if (strcmp(driver, "ignores") == 0) {
                signal(SIGTERM, SIG_IGN);
                for (;;)
                        pause();
        }

        assert(!"no such driver");
}

/* Says by its result which descriptors the child has. */
static int fake_prove_free(void *userdata, const char *subsystem, const char *name, Holders *ret_holders,
                           HwInfo *ret_info, KernelFailure *reterr) {
        _cleanup_dir_ Dir *fds = NULL;
        const char *entry;
        sigset_t mask;

        assert(sigprocmask(SIG_SETMASK, NULL, &mask) == 0);
        assert(sigisemptyset(&mask));

        assert(dir_open_at(AT_FDCWD, "/proc/self/fd", &fds) == 0);
        while (dir_next(fds, &entry) == DIR_ENTRY) {
                uint32_t fd;

                assert(parse_u32(entry, &fd) == 0);
                if ((int) fd != dir_fd(fds))
                        ret_holders->items[ret_holders->n_items++].pid = (pid_t) fd;
        }

        return PROVE_HELD;
}

/* What passes for a device, and for a context: a descriptor with a name. */
static int make_fd(const char *name) {
        int fd;

        fd = memfd_create(name, MFD_CLOEXEC);
        assert(fd >= 0);
        return fd;
}

static bool has_name(const char *process, const char *fd, const char *name) {
        char path[2 * NAME_MAX + sizeof("/proc//fd/")], target[64], expected[64];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%s/fd/%s", process, fd);
        snprintf(expected, sizeof(expected), "/memfd:%s (deleted)", name);
        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        return strcmp(target, expected) == 0;
}

/* How many descriptors of a process have that name. */
static unsigned count_name(const char *process, const char *name) {
        _cleanup_dir_ Dir *fds = NULL;
        const char *entry;
        char path[32];
        unsigned n = 0;

        snprintf(path, sizeof(path), "/proc/%.16s/fd", process);
        assert(dir_open_at(AT_FDCWD, path, &fds) == 0);
        while (dir_next(fds, &entry) == DIR_ENTRY)
                n += has_name(process, entry, name);

        return n;
}

static int fake_bind_device(void *userdata, const char *subsystem, const char *name, int device, int iommufd,
                            uint32_t *ret_id, KernelFailure *reterr) {
        char fds[2][16];

        snprintf(fds[0], sizeof(fds[0]), "%d", device);
        snprintf(fds[1], sizeof(fds[1]), "%d", iommufd);
        assert(has_name("self", fds[0], "device") && has_name("self", fds[1], "iommufd"));
        *ret_id = 17;
        return 0;
}

/* Shared with the child that closes: how many descriptors the daemon had of the device then. */
static unsigned *n_left;

static void fake_close_device(void *userdata, const char *subsystem, const char *name, int device) {
        char parent[16];

        assert(count_name("self", "device") == 1);
        snprintf(parent, sizeof(parent), "%d", (int) getppid());
        *n_left = count_name(parent, "device");
        close_fd(device);
}

/* What a job does in its helper. The new number says which process that was, or how much is open there. */
enum {
        JOB_SAYS_PID,
        JOB_SAYS_FDS,
        JOB_FAILS,
        JOB_WAITS,
        JOB_EXITS,
};

static int fake_alloc_vdevice(
        void *userdata, int context, const VirtualSpec *spec, uint32_t *ret, KernelFailure *reterr) {
        _cleanup_dir_ Dir *fds = NULL;
        const char *entry;
        char fd[16];

        snprintf(fd, sizeof(fd), "%d", context);
        assert(has_name("self", fd, "iommufd"));
        *ret = (uint32_t) getpid();

        switch (spec->virt_id) {
        case JOB_FAILS:
                return kernel_failure(reterr, -EBUSY, "ioctl of %u", spec->device);
        case JOB_WAITS:
                for (;;)
                        pause();
        case JOB_EXITS:
                _exit(7);
        case JOB_SAYS_FDS:
                *ret = 0;
                assert(dir_open_at(AT_FDCWD, "/proc/self/fd", &fds) == 0);
                while (dir_next(fds, &entry) == DIR_ENTRY)
                        *ret += 1;
        }
        return 0;
}

static const KernelOps fake_ops = {
        .set_driver = fake_set_driver,
        .prove_free = fake_prove_free,
        .bind_device = fake_bind_device,
        .close_device = fake_close_device,
};
static const DmaOps fake_dma_ops = { .alloc_vdevice = fake_alloc_vdevice };
static const Kernel fake_kernel = { .ops = &fake_ops, .dma = &fake_dma_ops };

typedef struct Fixture {
        sd_event *event;
        Worker *worker;
        unsigned n_done, n_overdue;
        TaskResult result;                   /* the last one */
        uint64_t last_id;
} Fixture;

static void on_done(const Task *task, const TaskResult *result, void *userdata) {
        Fixture *f = userdata;

        f->n_done++;
        f->result = *result;
        f->last_id = task->id;
}

static void on_overdue(const Task *task, void *userdata) {
        Fixture *f = userdata;

        f->n_overdue++;
        f->last_id = task->id;
}

static void fixture_init(Fixture *f) {
        static const WorkerFuncs funcs = { .on_done = on_done, .on_overdue = on_overdue };

        *f = (Fixture) {};
        assert(sd_event_new(&f->event) >= 0);
        assert(worker_new(f->event, &fake_kernel, &funcs, f, &f->worker) == 0);
}

static void fixture_done(Fixture *f) {
        worker_free(f->worker);
        sd_event_unref(f->event);
}

/* Until there have been @n more callbacks. */
static void fixture_run(Fixture *f, unsigned n) {
        n += f->n_done + f->n_overdue;
        while (f->n_done + f->n_overdue < n)
                assert(sd_event_run(f->event, UINT64_MAX) >= 0);
}

static void start(Fixture *f, uint64_t id, const char *driver, uint64_t timeout_usec) {
        Task task = {
                .id = id,
                .kind = TASK_SET_DRIVER,
                .subsystem = "pci",
                .name = "0000:00:04.0",
                .timeout_usec = timeout_usec,
        };

        assert(copy_string(task.driver, sizeof(task.driver), driver) == 0);
        assert(worker_start(f->worker, &task) == 0);
}

#define MINUTE UINT64_C(60000000)

static void assert_no_children(void) {
        assert(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void test_results(void) {
        Fixture f;

        fixture_init(&f);

        start(&f, 1, "works", MINUTE);
        assert(f.n_done == 0);
        assert(worker_n_running(f.worker) == 1);
        fixture_run(&f, 1);
        assert(f.last_id == 1);
        assert(f.result.result == 0);
        assert(worker_n_running(f.worker) == 0);

        start(&f, 2, "fails", MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == -ENXIO);
        assert(f.result.failure.error == -ENXIO);
        assert(strcmp(f.result.failure.call, "write 0000:00:04.0 to bind") == 0);

        start(&f, 3, "exits", MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == -EIO);
        assert(strstr(f.result.failure.call, "of 0000:00:04.0 ended with status 7 and no result"));

        start(&f, 4, "crashes", MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == -EIO);
        assert(strstr(f.result.failure.call, "was ended by signal 9"));

        assert_no_children();
        fixture_done(&f);
}

static void test_descriptors(void) {
        Task task = { .id = 1, .kind = TASK_PROVE_FREE, .name = "0000:00:04.0", .timeout_usec = MINUTE };
        int ends[2];
        Fixture f;

        fixture_init(&f);
        assert(pipe(ends) == 0);             /* not even close-on-exec */

        assert(worker_start(f.worker, &task) == 0);
        fixture_run(&f, 1);
        assert(f.result.result == PROVE_HELD);
        assert(f.result.holders.n_items == 4);
        for (int i = 0; i < 4; i++)
                assert(f.result.holders.items[i].pid == i);

        close_fd(ends[0]);
        close_fd(ends[1]);
        fixture_done(&f);
}

/* What it brings is at the same numbers always, and nothing else is there. */
static void test_task_descriptors(void) {
        Task task = { .id = 1, .kind = TASK_PROVE_FREE, .name = "0000:00:04.0", .timeout_usec = MINUTE };
        static const pid_t expected[] = { 0, 1, 2, 3, 5, 6 };
        Fixture f;

        fixture_init(&f);
        task_add_fd_consume(&task, make_fd("device"));
        task_add_fd_consume(&task, make_fd("iommufd"));
        assert(worker_start(f.worker, &task) == 0);
        assert(task.n_fds == 0);
        fixture_run(&f, 1);
        assert(f.result.holders.n_items == ELEMENTSOF(expected));
        for (unsigned i = 0; i < ELEMENTSOF(expected); i++)
                assert(f.result.holders.items[i].pid == expected[i]);
        assert(count_name("self", "device") == 0);
        fixture_done(&f);
}

static void test_bind(void) {
        _cleanup_close_ int device = make_fd("device"), iommufd = make_fd("iommufd");
        Task task = { .id = 1, .kind = TASK_BIND, .name = "0000:00:04.0", .timeout_usec = MINUTE };
        Fixture f;

        fixture_init(&f);
        assert(task_add_fd(&task, device) == 0);
        assert(task_add_fd(&task, iommufd) == 0);
        assert(worker_start(f.worker, &task) == 0);
        fixture_run(&f, 1);
        assert(f.result.result == 0 && f.result.device_id == 17);
        /* ours are left to us, the task's are gone */
        assert(count_name("self", "device") == 1 && count_name("self", "iommufd") == 1);
        fixture_done(&f);
}

/* The daemon has none left when the child closes; and however that ends, it is closed. */
static void test_close(void) {
        Task task = { .id = 1, .kind = TASK_CLOSE, .name = "0000:00:04.0", .timeout_usec = MINUTE };
        Fixture f;

        n_left = mmap(NULL, sizeof(*n_left), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert(n_left != MAP_FAILED);

        fixture_init(&f);
        *n_left = 99;
        task_add_fd_consume(&task, make_fd("device"));
        assert(worker_start(f.worker, &task) == 0);
        assert(count_name("self", "device") == 1);
        fixture_run(&f, 1);
        assert(f.result.result == 0 && *n_left == 0);
        assert(count_name("self", "device") == 0);

        /* there is no process for it at first */
        *n_left = 99;
        fail_forks = 2;
        task_add_fd_consume(&task, make_fd("device"));
        assert(worker_start(f.worker, &task) == 0);
        fixture_run(&f, 1);
        assert(fail_forks == 0 && f.n_done == 2 && f.result.result == 0 && *n_left == 0);

        fixture_done(&f);
        assert_no_children();
}

/* Its time is over before it can have done anything, and it dies of the signal. */
static void test_timeout(const char *driver) {
        Fixture f;

        fixture_init(&f);
        start(&f, 1, driver, 1);
        fixture_run(&f, 1);
        assert(f.result.result == -ETIMEDOUT);
        assert(strstr(f.result.failure.call, "0000:00:04.0 did not return within 1e-06 s and was stopped"));
        assert(worker_n_running(f.worker) == 0);
        assert(worker_n_stuck(f.worker) == 0);
        assert_no_children();
        fixture_done(&f);
}

static void test_overdue(void) {
        Fixture f;

        fixture_init(&f);
        deaf = true;
        start(&f, 1, "waits", 1);
        fixture_run(&f, 1);
        assert(f.n_done == 0 && f.n_overdue == 1);
        assert(f.last_id == 1);
        assert(worker_n_running(f.worker) == 0);
        assert(worker_n_stuck(f.worker) == 1);

        /* others are not held up by it */
        start(&f, 2, "works", MINUTE);
        fixture_run(&f, 1);
        assert(f.last_id == 2 && f.result.result == 0);
        assert(worker_n_stuck(f.worker) == 1);

        deaf = false;
        assert(__real_pidfd_send_signal(last_pidfd, SIGKILL, NULL, 0) == 0);
        fixture_run(&f, 1);
        assert(f.n_done == 2 && f.n_overdue == 1);
        assert(f.last_id == 1);
        assert(f.result.result == -ETIMEDOUT);
        assert(worker_n_stuck(f.worker) == 0);
        assert_no_children();
        fixture_done(&f);
}

static void test_many(void) {
        Fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 50; i++)
                start(&f, i, i % 2 ? "works" : "fails", MINUTE);
        assert(worker_n_running(f.worker) == 50);
        fixture_run(&f, 50);
        assert(worker_n_running(f.worker) == 0);
        assert_no_children();
        fixture_done(&f);
}

static void test_delay(void) {
        Task later = {
                .id = 2, .kind = TASK_SET_DRIVER, .name = "0000:00:05.0", .driver = "works",
                .delay_usec = 60 * MINUTE, .timeout_usec = MINUTE,
        };
        Fixture f;

        fixture_init(&f);
        assert(worker_start(f.worker, &later) == 0);
        start(&f, 1, "works", MINUTE);
        fixture_run(&f, 1);
        assert(f.last_id == 1);
        assert(worker_n_running(f.worker) == 1);
        assert_no_children();
        fixture_done(&f);                    /* and the other one is as if it had never been */
}

static void test_free_running(void) {
        Fixture f;
        int status;

        fixture_init(&f);
        start(&f, 1, "waits", MINUTE);
        start(&f, 2, "works", MINUTE);
        fixture_run(&f, 1);
        assert(worker_n_running(f.worker) == 1);
        fixture_done(&f);

        /* killed, and left to us */
        assert(waitpid(-1, &status, 0) > 0);
        assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_no_children();
}

static void test_no_process(void) {
        Fixture f;

        fixture_init(&f);

        fail_forks = 1;
        start(&f, 1, "works", MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == -EAGAIN);
        assert(strstr(f.result.failure.call, "could not be started"));

        fail_pidfd = true;
        start(&f, 2, "waits", MINUTE);
        fixture_run(&f, 1);
        fail_pidfd = false;
        assert(f.result.result == -EMFILE);
        assert(worker_n_running(f.worker) == 0);

        fixture_done(&f);
        while (waitpid(-1, NULL, 0) > 0)
                ;
}

/* ---- helpers */

static void start_job(Fixture *f, uint64_t what, uint64_t timeout_usec) {
        _cleanup_close_ int context = make_fd("iommufd"), device = make_fd("device");
        Task task = { .id = what, .kind = TASK_DMA, .name = "lease 1", .timeout_usec = timeout_usec };
        static DmaJob job;                   /* borrowed until it is done */

        job.kind = DMA_JOB_ALLOC_VIRTUAL;
        job.virtual = (VirtualSpec) { .kind = VIRTUAL_DEVICE, .device = 5, .virt_id = what };
        task.job = &job;
        assert(task_add_fd(&task, context) == 0);
        assert(task_add_fd(&task, device) == 0);
        assert(worker_start(f->worker, &task) == 0);
        assert(task.n_fds == 0);
}

static pid_t run_job(Fixture *f) {
        start_job(f, JOB_SAYS_PID, MINUTE);
        fixture_run(f, 1);
        assert(f->result.result == 0);
        assert(worker_n_running(f->worker) == 0);
        /* nothing of it is left open, neither here nor there */
        assert(count_name("self", "iommufd") == 0 && count_name("self", "device") == 0);
        return (pid_t) f->result.dma.id;
}

static bool has_children(void) {
        siginfo_t info;

        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) >= 0;
}

/* One process runs one job after the other, and has nothing of the one before. */
static void test_helper(void) {
        char process[16];
        Fixture f;
        pid_t pid;

        fixture_init(&f);
        pid = run_job(&f);
        assert(pid != getpid());
        snprintf(process, sizeof(process), "%d", (int) pid);
        assert(count_name(process, "iommufd") == 0 && count_name(process, "device") == 0);
        assert(run_job(&f) == pid);

        start_job(&f, JOB_FAILS, MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == -EBUSY && strcmp(f.result.failure.call, "ioctl of 5") == 0);
        assert(run_job(&f) == pid);

        /* 0, 1, 2, its socket, the two of the job, and the directory that is being read */
        start_job(&f, JOB_SAYS_FDS, MINUTE);
        fixture_run(&f, 1);
        assert(f.result.dma.id == 7);
        assert(run_job(&f) == pid);

        /* without anything to do it goes */
        leisure_usec = 1;
        assert(run_job(&f) == pid);
        while (has_children())
                assert(sd_event_run(f.event, UINT64_MAX) >= 0);
        leisure_usec = 60 * MINUTE;
        assert(run_job(&f) != pid);
        fixture_done(&f);
        assert(waitpid(-1, NULL, 0) > 0);
        assert_no_children();
}

/* Of two at once neither waits for the other. */
static void test_helpers(void) {
        Fixture f;
        pid_t pid;

        fixture_init(&f);
        pid = run_job(&f);
        start_job(&f, JOB_WAITS, MINUTE);
        assert(sd_event_run(f.event, UINT64_MAX) >= 0);
        assert(worker_n_running(f.worker) == 1);
        start_job(&f, JOB_SAYS_PID, MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == 0 && (pid_t) f.result.dma.id != pid);
        assert(worker_n_running(f.worker) == 1);
        fixture_done(&f);
        while (waitpid(-1, NULL, 0) > 0)
                ;
}

/* One that was lost is not asked again. */
static void test_lost_helper(void) {
        siginfo_t info;
        pid_t pid, next;
        Fixture f;

        fixture_init(&f);

        pid = run_job(&f);
        start_job(&f, JOB_WAITS, 1);
        fixture_run(&f, 1);
        assert(f.result.result == -ETIMEDOUT);
        assert(strstr(f.result.failure.call, "lease 1 did not return within"));
        next = run_job(&f);
        assert(next != pid);

        start_job(&f, JOB_EXITS, MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == -EIO && strstr(f.result.failure.call, "ended with status 7"));
        pid = run_job(&f);
        assert(pid != next);

        /* while it had nothing to do, and the loop has not seen that yet */
        assert(kill(pid, SIGKILL) >= 0);
        assert(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT) >= 0);
        assert(run_job(&f) != pid);

        fixture_done(&f);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        assert_no_children();
}

/* It does not even die: another one does the next job. */
static void test_overdue_helper(void) {
        Fixture f;
        pid_t pid;

        fixture_init(&f);
        pid = run_job(&f);
        deaf = true;
        start_job(&f, JOB_WAITS, 1);
        fixture_run(&f, 1);
        assert(f.n_done == 1 && f.n_overdue == 1 && worker_n_stuck(f.worker) == 1);
        deaf = false;

        assert(run_job(&f) != pid);
        assert(kill(pid, SIGKILL) >= 0);
        fixture_run(&f, 1);
        assert(f.result.result == -ETIMEDOUT && worker_n_stuck(f.worker) == 0);
        fixture_done(&f);
        while (waitpid(-1, NULL, 0) > 0)
                ;
}

static void test_no_helper(void) {
        Fixture f;

        fixture_init(&f);
        fail_forks = 1;
        start_job(&f, JOB_SAYS_PID, MINUTE);
        fixture_run(&f, 1);
        assert(f.result.result == -EAGAIN);
        assert(count_name("self", "iommufd") == 0);
        (void) run_job(&f);
        fixture_done(&f);
        assert(waitpid(-1, NULL, 0) > 0);
}

int main(void) {
        test_helper();
        test_helpers();
        test_lost_helper();
        test_overdue_helper();
        test_no_helper();
        test_results();
        test_descriptors();
        test_task_descriptors();
        test_bind();
        test_close();
        test_timeout("waits");
        test_timeout("ignores");
        test_overdue();
        test_many();
        test_delay();
        test_free_running();
        test_no_process();
        return 0;
}
