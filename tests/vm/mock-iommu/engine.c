// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine of a device: registers, and a work that does what they say.
 */
#include <linux/delay.h>
#include <linux/eventfd.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "mock.h"

#define MOCK_LENGTH_MAX		SZ_1G
/* so that a third of the time is DMA, by a clock that ticks each 4 ms */
#define MOCK_STREAM_BURST	256

static struct mock_device *engine_to_mock(struct mock_engine *engine)
{
	return container_of(engine, struct mock_device, engine);
}

/* The last one takes what does not fit */
static void mock_tally_add(struct mock_engine *engine, u64 number)
{
	struct mock_tally *tally = engine->tallies;

	while (tally < &engine->tallies[MOCK_N_TALLIES - 1] && tally->number &&
	       tally->number != number)
		tally++;

	tally->served++;
	/* by its number a reader finds it */
	smp_store_release(&tally->number, number);
}

static u64 mock_tally_of(struct mock_engine *engine, u64 number)
{
	for (unsigned int i = 0; number && i < MOCK_N_TALLIES; i++)
		/* with mock_tally_add(), of which only the order matters */
		if (smp_load_acquire(&engine->tallies[i].number) == number)
			return READ_ONCE(engine->tallies[i].served);
	return 0;
}

/* One piece, tried again as long as page requests are answered with success. Returns a status. */
static u64 mock_piece(struct mock_engine *engine, u64 iova, void *data, size_t length, bool write)
{
	struct mock_device *mock = engine_to_mock(engine);
	u64 number;
	int ret;

	engine->pieces++;
	while ((ret = mock_dma(mock, engine->transfer.pasid, iova, data, length, write, &number)) ==
	       -EAGAIN) {
		engine->page_requests++;
		ret = mock_request_page(mock, engine->transfer.pasid, iova, write);
		if (ret)
			break;
		if (READ_ONCE(engine->stop)) {
			ret = -ECANCELED;
			break;
		}
	}

	switch (ret) {
	case 0:
		engine->served++;
		mock_tally_add(engine, number);
		return MOCK_STATUS_DONE;
	case -EACCES:
		engine->blocked++;
		return MOCK_STATUS_BLOCKED;
	case -ECANCELED:
		return MOCK_STATUS_STOPPED;
	default:
		engine->unmapped++;
		mock_report_event(mock, engine->transfer.pasid, iova);
		return MOCK_STATUS_UNMAPPED;
	}
}

/* Up to the end of the page, or of the transfer */
static size_t mock_piece_length(u64 iova, u64 left)
{
	return min_t(u64, PAGE_SIZE - offset_in_page(iova), left);
}

static u64 mock_move(struct mock_engine *engine, void *data, bool write, bool advance)
{
	u64 status, iova = engine->transfer.iova, left = engine->transfer.length;

	while (left) {
		size_t n = mock_piece_length(iova, left);

		if (READ_ONCE(engine->stop))
			return MOCK_STATUS_STOPPED;
		status = mock_piece(engine, iova, data, n, write);
		if (status != MOCK_STATUS_DONE) {
			engine->failed_iova = iova;
			return status;
		}
		iova += n;
		left -= n;
		if (advance)
			data += n;
		cond_resched();
	}
	return MOCK_STATUS_DONE;
}

static u64 mock_fill(struct mock_engine *engine)
{
	u64 status, *page;

	page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!page)
		return MOCK_STATUS_STOPPED;

	memset64(page, engine->transfer.pattern, PAGE_SIZE / sizeof(*page));
	status = mock_move(engine, page, true, false);
	kfree(page);
	return status;
}

/* As a device does that nobody listens to: what goes wrong is counted, and it goes on */
static u64 mock_stream(struct mock_engine *engine)
{
	for (u64 n = 0; !READ_ONCE(engine->stop); n++) {
		u64 value = n + 1, offset = n * sizeof(value) % engine->transfer.length;

		mock_piece(engine, engine->transfer.iova + offset, &value, sizeof(value), true);
		if (n % MOCK_STREAM_BURST == 0)
			usleep_range(2000, 4000);
	}
	return MOCK_STATUS_STOPPED;
}

static u64 mock_execute(struct mock_engine *engine)
{
	switch (engine->transfer.command) {
	case MOCK_COMMAND_READ:
		return mock_move(engine, engine->buffer, false, true);
	case MOCK_COMMAND_WRITE:
		return mock_move(engine, engine->buffer, true, true);
	case MOCK_COMMAND_FILL:
		return mock_fill(engine);
	default:
		return mock_stream(engine);
	}
}

static void mock_engine_work(struct work_struct *work)
{
	struct mock_engine *engine = container_of(work, struct mock_engine, work);
	u64 status = mock_execute(engine);

	/* not under the lock: whoever has it may wait for us. What was done is seen first */
	smp_store_release(&engine->status, status);
	spin_lock(&engine->answer_lock);
	if (engine->trigger)
		eventfd_signal(engine->trigger);
	spin_unlock(&engine->answer_lock);
}

void mock_engine_stop(struct mock_engine *engine)
{
	WRITE_ONCE(engine->stop, true);
	wake_up(&engine->answer_wait);
	flush_work(&engine->work);
	WRITE_ONCE(engine->stop, false);
}

void mock_engine_reset(struct mock_engine *engine)
{
	mutex_lock(&engine->lock);
	mock_engine_stop(engine);
	memset(&engine->registers, 0, sizeof(engine->registers));
	memset(engine->buffer, 0, MOCK_BUFFER_SIZE);
	memset(engine->tallies, 0, sizeof(engine->tallies));
	engine->status = MOCK_STATUS_DONE;
	engine->failed_iova = 0;
	engine->select = 0;
	engine->pieces = 0;
	engine->served = 0;
	engine->blocked = 0;
	engine->unmapped = 0;
	engine->page_requests = 0;
	engine->resets++;
	mutex_unlock(&engine->lock);
}

static int mock_check_transfer(struct mock_device *mock, const struct mock_transfer *t)
{
	bool has_pasid = mock->features & MOCK_FEATURE_PASID;
	u64 end, limit = MOCK_LENGTH_MAX;

	if (t->command == MOCK_COMMAND_READ || t->command == MOCK_COMMAND_WRITE)
		limit = MOCK_BUFFER_SIZE;
	else if (t->command > MOCK_COMMAND_STREAM || !t->command ||
		 !IS_ALIGNED(t->iova | t->length, sizeof(u64)))
		return -EINVAL;

	if (!t->length || t->length > limit || check_add_overflow(t->iova, t->length - 1, &end))
		return -EINVAL;
	return t->pasid < (has_pasid ? 1U << MOCK_PASID_BITS : 1) ? 0 : -EINVAL;
}

static int mock_engine_start(struct mock_device *mock, u64 command)
{
	struct mock_engine *engine = &mock->engine;
	struct mock_transfer transfer = engine->registers;
	int ret;

	if (command == MOCK_COMMAND_STOP) {
		mock_engine_stop(engine);
		return 0;
	}

	transfer.command = command;
	ret = mock_check_transfer(mock, &transfer);
	if (ret)
		return ret;
	/* with mock_engine_work(): what it has done is seen with it */
	if (smp_load_acquire(&engine->status) == MOCK_STATUS_BUSY)
		return -EBUSY;

	flush_work(&engine->work);
	engine->transfer = transfer;
	engine->failed_iova = 0;
	engine->status = MOCK_STATUS_BUSY;
	queue_work(system_dfl_wq, &engine->work);
	return 0;
}

static u64 mock_register(struct mock_device *mock, u64 offset)
{
	struct mock_engine *engine = &mock->engine;
	u64 number, invalidations;

	switch (offset) {
	case MOCK_REG_ID:
		return MOCK_ID;
	case MOCK_REG_FEATURES:
		return mock->features;
	case MOCK_REG_IOVA:
		return engine->registers.iova;
	case MOCK_REG_LENGTH:
		return engine->registers.length;
	case MOCK_REG_PASID:
		return engine->registers.pasid;
	case MOCK_REG_PATTERN:
		return engine->registers.pattern;
	case MOCK_REG_STATUS:
		/* as in mock_engine_start() */
		return smp_load_acquire(&engine->status);
	case MOCK_REG_FAILED_IOVA:
		return READ_ONCE(engine->failed_iova);
	case MOCK_REG_DOMAIN:
	case MOCK_REG_INVALIDATIONS:
		number = mock_domain_number(mock, engine->registers.pasid, &invalidations);
		return offset == MOCK_REG_DOMAIN ? number : invalidations;
	case MOCK_REG_PIECES:
		return READ_ONCE(engine->pieces);
	case MOCK_REG_SERVED:
		return READ_ONCE(engine->served);
	case MOCK_REG_BLOCKED:
		return READ_ONCE(engine->blocked);
	case MOCK_REG_UNMAPPED:
		return READ_ONCE(engine->unmapped);
	case MOCK_REG_PAGE_REQUESTS:
		return READ_ONCE(engine->page_requests);
	case MOCK_REG_SELECT:
		return engine->select;
	case MOCK_REG_SELECTED:
		return mock_tally_of(engine, engine->select);
	case MOCK_REG_RESETS:
		return engine->resets;
	default:
		return 0;
	}
}

int mock_engine_read(struct mock_device *mock, u64 offset, u64 *value)
{
	struct mock_engine *engine = &mock->engine;

	mutex_lock(&engine->lock);
	*value = mock_register(mock, offset);
	mutex_unlock(&engine->lock);
	return 0;
}

int mock_engine_write(struct mock_device *mock, u64 offset, u64 value)
{
	struct mock_engine *engine = &mock->engine;
	int ret = 0;

	mutex_lock(&engine->lock);
	switch (offset) {
	case MOCK_REG_IOVA:
		engine->registers.iova = value;
		break;
	case MOCK_REG_LENGTH:
		engine->registers.length = value;
		break;
	case MOCK_REG_PASID:
		engine->registers.pasid = value;
		break;
	case MOCK_REG_PATTERN:
		engine->registers.pattern = value;
		break;
	case MOCK_REG_SELECT:
		engine->select = value;
		break;
	case MOCK_REG_COMMAND:
		ret = mock_engine_start(mock, value);
		break;
	default:
		ret = -EINVAL;
		break;
	}
	mutex_unlock(&engine->lock);
	return ret;
}

int mock_engine_init(struct mock_engine *engine)
{
	engine->buffer = kzalloc(MOCK_BUFFER_SIZE, GFP_KERNEL);
	if (!engine->buffer)
		return -ENOMEM;

	mutex_init(&engine->lock);
	spin_lock_init(&engine->answer_lock);
	init_waitqueue_head(&engine->answer_wait);
	INIT_WORK(&engine->work, mock_engine_work);
	return 0;
}

void mock_engine_done(struct mock_engine *engine)
{
	mutex_destroy(&engine->lock);
	kfree(engine->buffer);
}
