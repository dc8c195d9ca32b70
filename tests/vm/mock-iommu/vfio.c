// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver that makes a mock device available to userspace.
 */
#include <linux/eventfd.h>
#include <linux/module.h>

#include "mock.h"

#define MOCK_REGION_SHIFT	40

struct mock_vfio {
	struct vfio_device vdev;
};

static struct mock_device *mock_of(struct vfio_device *vdev)
{
	return to_mock(vdev->dev);
}

/* ---- domains */

static void mock_vfio_unbind(struct vfio_device *vdev)
{
	down_write(&mock_attach_lock);
	vfio_iommufd_physical_unbind(vdev);
	up_write(&mock_attach_lock);
}

static int mock_vfio_attach(struct vfio_device *vdev, u32 *id)
{
	int ret;

	down_write(&mock_attach_lock);
	ret = vfio_iommufd_physical_attach_ioas(vdev, id);
	up_write(&mock_attach_lock);
	return ret;
}

static void mock_vfio_detach(struct vfio_device *vdev)
{
	down_write(&mock_attach_lock);
	vfio_iommufd_physical_detach_ioas(vdev);
	up_write(&mock_attach_lock);
}

static int mock_vfio_attach_pasid(struct vfio_device *vdev, u32 pasid, u32 *id)
{
	int ret;

	down_write(&mock_attach_lock);
	ret = vfio_iommufd_physical_pasid_attach_ioas(vdev, pasid, id);
	up_write(&mock_attach_lock);
	return ret;
}

static void mock_vfio_detach_pasid(struct vfio_device *vdev, u32 pasid)
{
	down_write(&mock_attach_lock);
	vfio_iommufd_physical_pasid_detach_ioas(vdev, pasid);
	up_write(&mock_attach_lock);
}

/* ---- opening and resetting */

static bool mock_has_reset(struct vfio_device *vdev)
{
	return mock_of(vdev)->features & MOCK_FEATURE_RESET;
}

static void mock_set_trigger(struct mock_engine *engine, struct eventfd_ctx *trigger)
{
	struct eventfd_ctx *old;

	spin_lock(&engine->answer_lock);
	old = engine->trigger;
	engine->trigger = trigger;
	spin_unlock(&engine->answer_lock);
	if (old)
		eventfd_ctx_put(old);
}

static int mock_vfio_open(struct vfio_device *vdev)
{
	if (mock_has_reset(vdev))
		mock_engine_reset(&mock_of(vdev)->engine);
	return 0;
}

/* One that can't be reset keeps what it has, but it stops */
static void mock_vfio_close(struct vfio_device *vdev)
{
	struct mock_engine *engine = &mock_of(vdev)->engine;

	mock_engine_write(mock_of(vdev), MOCK_REG_COMMAND, MOCK_COMMAND_STOP);
	mock_set_trigger(engine, NULL);
	if (mock_has_reset(vdev))
		mock_engine_reset(engine);
}

/* ---- regions */

static u64 mock_region_size(unsigned int index)
{
	return index == MOCK_REGION_REGISTERS ? MOCK_REGISTERS_SIZE : MOCK_BUFFER_SIZE;
}

static int mock_vfio_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
				 struct vfio_info_cap *caps)
{
	if (info->index >= MOCK_N_REGIONS)
		return -EINVAL;

	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info->offset = (u64)info->index << MOCK_REGION_SHIFT;
	info->size = mock_region_size(info->index);
	return 0;
}

/* Which region, and where in it. */
static int mock_locate(loff_t position, size_t count, unsigned int *index, u64 *offset)
{
	*index = (u64)position >> MOCK_REGION_SHIFT;
	*offset = position & ((1ULL << MOCK_REGION_SHIFT) - 1);

	if (*index >= MOCK_N_REGIONS || *offset > mock_region_size(*index) ||
	    count > mock_region_size(*index) - *offset)
		return -EINVAL;
	if (*index == MOCK_REGION_REGISTERS && (count != sizeof(u64) || *offset % sizeof(u64)))
		return -EINVAL;
	return 0;
}

static ssize_t mock_buffer_access(struct mock_engine *engine, u64 offset, char __user *to,
				  const char __user *from, size_t count)
{
	ssize_t ret = count;

	mutex_lock(&engine->lock);
	if (to && copy_to_user(to, engine->buffer + offset, count))
		ret = -EFAULT;
	if (from && copy_from_user(engine->buffer + offset, from, count))
		ret = -EFAULT;
	mutex_unlock(&engine->lock);
	return ret;
}

static ssize_t mock_vfio_read(struct vfio_device *vdev, char __user *data, size_t count,
			      loff_t *position)
{
	struct mock_device *mock = mock_of(vdev);
	u64 offset, value;
	unsigned int index;
	int ret;

	ret = mock_locate(*position, count, &index, &offset);
	if (ret)
		return ret;
	if (index == MOCK_REGION_BUFFER)
		return mock_buffer_access(&mock->engine, offset, data, NULL, count);

	ret = mock_engine_read(mock, offset, &value);
	if (ret)
		return ret;
	return copy_to_user(data, &value, sizeof(value)) ? -EFAULT : count;
}

static ssize_t mock_vfio_write(struct vfio_device *vdev, const char __user *data, size_t count,
			       loff_t *position)
{
	struct mock_device *mock = mock_of(vdev);
	u64 offset, value;
	unsigned int index;
	int ret;

	ret = mock_locate(*position, count, &index, &offset);
	if (ret)
		return ret;
	if (index == MOCK_REGION_BUFFER)
		return mock_buffer_access(&mock->engine, offset, NULL, data, count);

	if (copy_from_user(&value, data, sizeof(value)))
		return -EFAULT;
	ret = mock_engine_write(mock, offset, value);
	return ret ? ret : count;
}

/* ---- ioctls */

static long mock_get_info(struct vfio_device *vdev, void __user *arg)
{
	struct vfio_device_info info = { };

	if (get_user(info.argsz, (u32 __user *)arg))
		return -EFAULT;
	if (info.argsz < offsetofend(struct vfio_device_info, num_irqs))
		return -EINVAL;

	info.flags = mock_has_reset(vdev) ? VFIO_DEVICE_FLAGS_RESET : 0;
	info.num_regions = MOCK_N_REGIONS;
	info.num_irqs = MOCK_N_IRQS;
	return copy_to_user(arg, &info, min_t(size_t, info.argsz, sizeof(info))) ? -EFAULT : 0;
}

static long mock_get_irq_info(void __user *arg)
{
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info) || info.index >= MOCK_N_IRQS)
		return -EINVAL;

	info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	info.count = 1;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* An eventfd, or -1 for none any more */
static long mock_set_irqs(struct vfio_device *vdev, void __user *arg)
{
	const u32 wanted = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	struct eventfd_ctx *trigger = NULL;
	struct vfio_irq_set set;
	s32 fd;

	if (copy_from_user(&set, arg, sizeof(set)))
		return -EFAULT;
	if (set.argsz < sizeof(set) + sizeof(fd) || set.flags != wanted ||
	    set.index != MOCK_IRQ_DONE || set.start != 0 || set.count != 1)
		return -EINVAL;
	if (copy_from_user(&fd, arg + sizeof(set), sizeof(fd)))
		return -EFAULT;

	if (fd >= 0)
		trigger = eventfd_ctx_fdget(fd);
	if (IS_ERR(trigger))
		return PTR_ERR(trigger);

	mock_set_trigger(&mock_of(vdev)->engine, trigger);
	return 0;
}

static long mock_reset(struct vfio_device *vdev)
{
	if (!mock_has_reset(vdev))
		return -EINVAL;

	mock_engine_reset(&mock_of(vdev)->engine);
	return 0;
}

static long mock_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return mock_get_info(vdev, (void __user *)arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return mock_get_irq_info((void __user *)arg);
	case VFIO_DEVICE_SET_IRQS:
		return mock_set_irqs(vdev, (void __user *)arg);
	case VFIO_DEVICE_RESET:
		return mock_reset(vdev);
	default:
		return -ENOTTY;
	}
}

static const struct vfio_device_ops mock_vfio_ops = {
	.name = "vfio-mock",
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = mock_vfio_unbind,
	.attach_ioas = mock_vfio_attach,
	.detach_ioas = mock_vfio_detach,
	.pasid_attach_ioas = mock_vfio_attach_pasid,
	.pasid_detach_ioas = mock_vfio_detach_pasid,
	.open_device = mock_vfio_open,
	.close_device = mock_vfio_close,
	.read = mock_vfio_read,
	.write = mock_vfio_write,
	.ioctl = mock_vfio_ioctl,
	.get_region_info_caps = mock_vfio_region_info,
};

/* ---- the driver */

static int mock_vfio_probe(struct device *dev)
{
	struct mock_vfio *vfio;
	int ret;

	vfio = vfio_alloc_device(mock_vfio, vdev, dev, &mock_vfio_ops);
	if (IS_ERR(vfio))
		return PTR_ERR(vfio);

	/* left to the next call, nobody would look whether there was memory for it */
	ret = vfio_assign_device_set(&vfio->vdev, &vfio->vdev);
	if (!ret)
		ret = vfio_register_group_dev(&vfio->vdev);
	if (ret) {
		vfio_put_device(&vfio->vdev);
		return ret;
	}

	dev_set_drvdata(dev, vfio);
	return 0;
}

static int mock_vfio_remove(struct device *dev)
{
	struct mock_vfio *vfio = dev_get_drvdata(dev);

	vfio_unregister_group_dev(&vfio->vdev);
	vfio_put_device(&vfio->vdev);
	return 0;
}

struct device_driver mock_vfio_driver = {
	.name = "vfio-mock",
	.bus = &mock_bus,
	.owner = THIS_MODULE,
	.probe = mock_vfio_probe,
	.remove = mock_vfio_remove,
};
