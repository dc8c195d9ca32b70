# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-faults
# deadline: 900
# expect: daemon-death
#
# Before every change to the kernel, the disk and the service manager there is a point at which a daemon that is built for it can be
# killed, or the change made to fail. At each of them in turn: whatever happens, the host ends up as it was, and nothing is lost.

. guest/faults.sh

without_udev

# With a driver, with none, and of a group of two with drivers
for device in "$LAB_NVME" "$LAB_EDU" "$LAB_SHARED_A"; do
        everywhere kill "$device"
        everywhere fail "$device"
done
assert_soon 20 disk_is_back
assert_untouched
conclude "${TRIED[kill]} kill points tried, ${TRIED[fail]} calls made to fail, ${TRIED[stuck]} leases stuck until released," \
        "nothing lost"
