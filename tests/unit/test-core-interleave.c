/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two leases at once, in every order in which their tasks can end and their clients can go. The order is a
 * number whose digits are the choices made where there was more than one; counting up goes through all of
 * them.
 */

#include "base/fd.h"
#include "fake/assert.h"
#include "fake/scene.h"

typedef struct Choices {
        unsigned taken[64], of[64];
        unsigned n, n_made;                  /* known from the run before, and made in this one */
} Choices;

static unsigned choose(Choices *choices, unsigned of) {
        assert(of > 0 && choices->n_made < ELEMENTSOF(choices->taken));

        if (choices->n_made == choices->n)
                choices->taken[choices->n++] = 0;
        choices->of[choices->n_made] = of;
        return choices->taken[choices->n_made++];
}

/* The next order. False: that was the last. */
static bool choices_next(Choices *choices) {
        choices->n = choices->n_made;
        choices->n_made = 0;

        while (choices->n > 0) {
                unsigned last = choices->n - 1;

                if (++choices->taken[last] < choices->of[last])
                        return true;
                choices->n--;
        }

        return false;
}

/* A client: asks, gets what it asked for, and goes. */
typedef struct Party {
        const Subject *subject;
        const char *const *selectors;
        bool asked, granted, refused, gone;
        uint64_t lease;
        Client client;
} Party;

/* What a party would do next, if anything. */
static bool party_can_act(Scene *s, const Party *party) {
        const Lease *lease;

        if (!party->asked)
                return true;
        if (party->refused || party->gone)
                return false;

        lease = scene_lease(s, party->lease);
        return lease && lease->state == LEASE_ACTIVE;
}

static void party_act(Scene *s, Party *party) {
        if (party->asked) {
                party->gone = true;
                client_close(&party->client);
                scene_watch(s);
        } else {
                party->asked = true;
                if (scene_acquire_strv(s, party->subject, party->selectors) > 0) {
                        assert(s->refusal.outcome == OUTCOME_TAKEN ||
                               s->refusal.outcome == OUTCOME_DRAINING);
                        party->refused = true;
                } else
                        party->lease = s->lease;
        }
}

/* What is ready goes out at once. */
static void hand_over(Scene *s, Party *party) {
        const Lease *lease = party->lease ? scene_lease(s, party->lease) : NULL;

        if (!lease || lease->state != LEASE_ACTIVE || party->granted)
                return;

        party->granted = true;
        scene_hand_over(s, party->lease, &party->client);
}

/* No device is ever with two clients, and none of a client's is with a driver of the host's. */
static void assert_exclusive(Scene *s, const Party *parties) {
        for (unsigned i = 0; i < s->kernel->n_devices; i++) {
                const FakeDevice *device = &s->kernel->devices[i];
                unsigned n = 0;

                for (unsigned j = 0; j < 2; j++)
                        for (unsigned k = 0; parties[j].granted && k < parties[j].client.n_devices; k++)
                                n += fake_device_is_fd(device, parties[j].client.devices[k]);

                assert(n <= 1);
                if (n > 0)
                        assert_eq_str(device->driver, "vfio-pci");
        }
}

static unsigned run(const char *const *first, const char *const *second, Choices *choices) {
        Party parties[] = {
                { .subject = &ALICE, .selectors = first },
                { .subject = &BOB, .selectors = second },
        };
        _cleanup_scene_ Scene *s = scene_new();
        Before before;
        unsigned n_refused = 0;

        scene_add(s, "0000:01:00.0", 1, "nvme");
        scene_add(s, "0000:01:00.1", 1, "nvme");
        scene_add(s, "0000:02:00.0", 2, "vfio-pci");
        scene_commit(s);
        scene_remember(s, &before);

        for (;;) {
                bool can_act[] = { party_can_act(s, &parties[0]), party_can_act(s, &parties[1]) };
                unsigned n_tasks = task_runner_take(&s->tasks), n = n_tasks + can_act[0] + can_act[1], i;

                if (n == 0)
                        break;

                i = choose(choices, n);
                if (i < n_tasks)
                        task_runner_run_one(&s->tasks, i, &s->changes);
                else
                        party_act(s, &parties[i == n_tasks && can_act[0] ? 0 : 1]);
                scene_commit(s);
                hand_over(s, &parties[0]);
                hand_over(s, &parties[1]);

                assert_exclusive(s, parties);
        }

        for (unsigned i = 0; i < 2; i++) {
                assert(parties[i].refused || parties[i].gone);
                n_refused += parties[i].refused;
        }
        assert_eq_int(s->n_answers, 2 - n_refused);
        scene_assert_as_before(s, &before);
        return n_refused;
}

static void run_all(const char *what, const char *const *first, const char *const *second,
                    unsigned min_refused, unsigned max_refused) {
        unsigned n = 0, min = 2, max = 0;
        Choices choices = {};

        do {
                unsigned n_refused;

                n_refused = run(first, second, &choices);
                min = n_refused < min ? n_refused : min;
                max = n_refused > max ? n_refused : max;
                n++;
        } while (choices_next(&choices));

        printf("%s: %u orders\n", what, n);
        assert_eq_int(min, min_refused);
        assert_eq_int(max, max_refused);
        assert(n > 20);
}

#define SELECTORS(...) ((const char *const[]) { __VA_ARGS__, NULL })

int main(void) {
        run_all("different groups", SELECTORS("01:00.0"), SELECTORS("02:00.0"), 0, 0);
        run_all("the same device", SELECTORS("01:00.0"), SELECTORS("01:00.0"), 0, 1);
        run_all("the same group", SELECTORS("01:00.0"), SELECTORS("01:00.1"), 0, 1);
        run_all("one in common", SELECTORS("02:00.0"), SELECTORS("02:00.0", "01:00.1"), 0, 1);
        return 0;
}
