# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The mock IOMMU itself, without iommud: is it what the kernel's VFIO and iommufd take for a real one?
#
# deadline: 120

. guest/mock.sh

# ---- what there is

for device in $LAB_MOCKS; do
        assert_driver "$device" mock-native
        assert_ne "$(group_of "$device")" "" "the group of $device"
done
assert_eq "$(group_of "$LAB_MOCK_SHARED_A")" "$(group_of "$LAB_MOCK_SHARED_B")"
assert_ne "$(group_of "$LAB_MOCK")" "$(group_of "$LAB_MOCK2")"
assert_eq "$(basename "$(readlink "$(sysfs_of "$LAB_MOCK")/iommu")")" mock-iommu0
assert_eq "$(basename "$(readlink "$(sysfs_of "$LAB_MOCK_ELSEWHERE")/iommu")")" mock-iommu1
assert_match "$(cat "/sys/kernel/iommu_groups/$(group_of "$LAB_MOCK")/reserved_regions")" "^0x0*fee00000 0x0*feefffff msi$"

# A driver of the kernel in the group is in the way of userspace, and the other way round
bind_driver "$LAB_MOCK_SHARED_A" vfio-mock
exec {iommufd}<>/dev/iommu {device}<>"/dev/vfio/devices/$(cdev_of "$LAB_MOCK_SHARED_A")"
assert_fails programs/mock-dma unbound "$iommufd" "$device"
assert_eq "$OUTPUT" "ready: EPERM"
unbind "$LAB_MOCK_SHARED_B"
mock_start shared unbound "$iommufd" "$device"
exec {iommufd}>&- {device}>&-
assert_fails bash -c "echo $LAB_MOCK_SHARED_B >/sys/bus/iommud-mock/drivers/mock-native/bind"
kill "$MOCK_PID"
wait "$MOCK_PID" || true
bind_native "$LAB_MOCK_SHARED_A"
bind_native "$LAB_MOCK_SHARED_B"

# ---- DMA through domains

bind_driver "$LAB_MOCK" vfio-mock
exec {iommufd}<>/dev/iommu {device}<>"/dev/vfio/devices/$(cdev_of "$LAB_MOCK")"
mock_start m unbound "$iommufd" "$device"
exec {iommufd}>&- {device}>&-
assert_answer "pasid dirty nest fault reset" m features

# What is mapped is reached, what is not is not, to the byte
assert_done m fill 0x1111 0x100000 0x40000
assert_answer same m expect main 0x100000 0x40000 0x1111
assert_answer "unmapped 0x140000" m fill 0x2222 0x13f000 0x2000
assert_answer same m expect main 0x13f000 0x1000 0x2222
assert_answer "unmapped 0xff000" m fill 0x3333 0xff000 0x2000
assert_answer same m expect main 0x100000 0x1000 0x1111
assert_done m copy 0x100ff8 0x120000 0x10
assert_done m unmap main 0x100000 0x40000
assert_answer "unmapped 0x100000" m fill 0x4444 0x100000 0x1000
assert_answer same m expect main 0x100000 0x1000 0x1111
assert_done m map main 0x100000 0x2000
assert_done m fill 0x4444 0x100000 0x2000

# Detached: blocked. Other domain: other memory
assert_done m detach
assert_answer 0 m number
assert_answer "blocked 0x100000" m fill 0x5555 0x100000 0x1000
ask m domain a dirty pasid
ask m domain b
assert_done m attach a
assert_done m fill 0x6666 0x100000 0x1000
assert_answer same m expect a 0x100000 0x1000 0x6666
assert_answer same m expect b 0x100000 0x1000 0
assert_answer same m expect main 0x100000 0x1000 0x4444

# A stream that is moved from one domain to the other loses nothing, and each has served its part
mock_replace m a b

# Whereas one with a gap does, and one that fails leaves the device where such hardware leaves it
mock_parameter attach_gap Y
mock_parameter fail_attach 1
assert_answer "attach: ENOMEM" m attach a
assert_answer "blocked 0x100000" m fill 0x7777 0x100000 0x1000
assert_done m detach
assert_done m attach a
assert_done m fill 0x7777 0x100000 0x1000
mock_parameter attach_gap N

# ---- dirty tracking

assert_done m track a on
assert_answer dirty m dirty a 0x100000 0x40000
assert_done m fill 0x8888 0x103008 8
assert_done m copy 0x108000 0x110ff8 0x10
assert_answer "dirty 0x103000 0x110000 0x111000" m dirty a 0x100000 0x40000
assert_answer dirty m dirty a 0x100000 0x40000
assert_done m track a off
assert_done m fill 0x8888 0x103008 8
assert_answer dirty m dirty a 0x100000 0x40000

# ---- PASID

ask m domain p pasid
assert_done m attach p 5
assert_done m fill 0x9999 0x100000 0x1000 5
assert_answer same m expect p 0x100000 0x1000 0x9999
assert_answer "blocked 0x100000" m fill 0x9999 0x100000 0x1000 6
assert_answer "attach: EINVAL" m attach p 1024
assert_done m detach 5
assert_answer "blocked 0x100000" m fill 0xaaaa 0x100000 0x1000 5

# ---- nested

ask m domain parent nest
ask m nested child parent 0x40000000 0x40001fff 0x101000
assert_done m attach child
assert_done m fill 0xbbbb 0x40000000 0x2000
assert_answer same m expect parent 0x101000 0x2000 0xbbbb
assert_answer "unmapped 0x40002000" m fill 0xcccc 0x40001000 0x2000
assert_answer 1 m invalidate child 0x40000000 0x40001fff

# On a virtual IOMMU, which tells what goes wrong
ask m virtual v parent 77
ask m nested vchild v 0x40000000 0x40001fff 0x101000
assert_done m attach vchild
assert_done m fill 0xdddd 0x40000000 0x1000
assert_answer "unmapped 0x50000000" m fill 0xdddd 0x50000000 0x1000
assert_answer "event 77 0x50000000" m event v

# ---- page faults

ask m domain f empty fault
assert_done m attach f
assert_answer "fault 0x102000 0" m fill 0xeeee 0x102000 0x1000
assert_done m map f 0x102000 0x1000
assert_done m answer success
assert_answer same m expect f 0x102000 0x1000 0xeeee
assert_answer "fault 0x103000 0" m fill 0xeeee 0x103000 0x1000
assert_answer "unmapped 0x103000" m answer invalid

# Whoever goes while a fault is open leaves nothing behind
assert_answer "fault 0x104000 0" m fill 0xeeee 0x104000 0x1000
kill "$MOCK_PID"
wait "$MOCK_PID" || true
bind_native "$LAB_MOCK"

# ---- the one that can nothing

bind_driver "$LAB_MOCK_POOR" vfio-mock
exec {iommufd}<>/dev/iommu {device}<>"/dev/vfio/devices/$(cdev_of "$LAB_MOCK_POOR")"
mock_start poor unbound "$iommufd" "$device"
exec {iommufd}>&- {device}>&-
assert_answer "" poor features
assert_done poor fill 0x1111 0x100000 0x1000
assert_answer "reset: EINVAL" poor reset
for option in dirty pasid nest; do
        assert_answer "domain: EOPNOTSUPP" poor domain x "$option"
done
ask poor domain f fault
assert_answer "attach: ENODEV" poor attach f
kill "$MOCK_PID"
wait "$MOCK_PID" || true
bind_native "$LAB_MOCK_POOR"
