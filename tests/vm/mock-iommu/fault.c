// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests, and events of a virtual IOMMU: what a domain does not allow, told to its owner.
 */
#include "mock.h"

/* Under mock_attach_lock, so that it stays what the device has */
static struct mock_domain *mock_current_domain(struct mock_device *mock, u32 pasid)
{
	return xa_load(&mock->domains, pasid);
}

static u32 mock_request_begin(struct mock_engine *engine)
{
	u32 request;

	spin_lock(&engine->answer_lock);
	request = ++engine->request;
	engine->answered = false;
	spin_unlock(&engine->answer_lock);
	return request;
}

static int mock_request_send(struct mock_device *mock, u32 pasid, u64 iova, bool write, u32 request)
{
	struct iopf_fault event = {
		.fault = {
			.type = IOMMU_FAULT_PAGE_REQ,
			.prm = {
				.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
				.pasid = pasid,
				.grpid = request,
				.perm = write ? IOMMU_FAULT_PERM_WRITE : IOMMU_FAULT_PERM_READ,
				.addr = iova & PAGE_MASK,
			},
		},
	};
	struct mock_domain *domain;
	int ret = -EAGAIN;

	if (pasid != IOMMU_NO_PASID)
		event.fault.prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;

	down_read(&mock_attach_lock);
	domain = mock_current_domain(mock, pasid);
	if (domain && domain->core.iopf_handler)
		ret = iommu_report_device_fault(&mock->dev, &event);
	up_read(&mock_attach_lock);
	return ret;
}

/* Waits for the answer. Returns 0 if the access is to be tried again. */
int mock_request_page(struct mock_device *mock, u32 pasid, u64 iova, bool write)
{
	struct mock_engine *engine = &mock->engine;
	int ret;

	ret = mock_request_send(mock, pasid, iova, write, mock_request_begin(engine));
	if (ret)
		return ret == -EAGAIN ? 0 : -EFAULT;	/* it has another domain meanwhile */

	wait_event_idle(engine->answer_wait,
			READ_ONCE(engine->answered) || READ_ONCE(engine->stop));
	if (READ_ONCE(engine->stop))
		return -ECANCELED;
	return engine->answer == IOMMU_PAGE_RESP_SUCCESS ? 0 : -EFAULT;
}

void mock_page_response(struct device *dev, struct iopf_fault *event,
			struct iommu_page_response *response)
{
	struct mock_engine *engine = &to_mock(dev)->engine;

	spin_lock(&engine->answer_lock);
	/* nobody waits for an older one any more */
	if (response->grpid == engine->request) {
		engine->answer = response->code;
		WRITE_ONCE(engine->answered, true);
	}
	spin_unlock(&engine->answer_lock);
	wake_up(&engine->answer_wait);
}

void mock_report_event(struct mock_device *mock, u32 pasid, u64 iova)
{
	struct mock_event event = { .iova = iova };
	struct mock_domain *domain;
	unsigned long id;

	down_read(&mock_attach_lock);
	domain = mock_current_domain(mock, pasid);
	if (domain && domain->viommu &&
	    !iommufd_viommu_get_vdev_id(domain->viommu, &mock->dev, &id)) {
		event.virt_id = id;
		/* there need not be a queue, and a full one notes what it has lost */
		iommufd_viommu_report_event(domain->viommu,
					    (enum iommu_veventq_type)MOCK_VEVENTQ_TYPE, &event,
					    sizeof(event));
	}
	up_read(&mock_attach_lock);
}
