/* The state of a training run as bytes: a header, then arrays in a fixed order. */
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/training_run.h"

static const char MAGIC[8] = "WALMECH";
enum { VERSION = 2, STATES = 3 };
/* The network's states that go on: parameters and Adam's moments, as wal_mlp_ops numbers them. */
static const int states[STATES] = {0, 2, 3};

typedef struct {
  char magic[8], kind[32];
  int64_t version, n, m, parameters, columns, batch, steps, memory; /* must be the run's */
  int64_t step, next, adam_steps, rows;
  double pf_nsw, pf_expl, seconds;
  wal_objective_value sum;
} header;

static header header_of(const wal_training_run *run) {
  const wal_mlp *net = run->f->net;
  header h = {.version = VERSION,
              .n = run->f->n,
              .m = run->f->m,
              .parameters = net->ops->parameter_count(net),
              .columns = run->columns,
              .batch = run->o->batch,
              .steps = run->o->steps,
              .memory = wal_training_memory_size(run),
              .step = run->step,
              .next = run->sampler.next,
              .adam_steps = net->ops->steps(net),
              .rows = run->row_count,
              .pf_nsw = run->pf_nsw,
              .pf_expl = run->pf_expl,
              .seconds = run->seconds,
              .sum = run->sum};
  memcpy(h.magic, MAGIC, sizeof h.magic);
  strncpy(h.kind, run->f->kind->name, sizeof h.kind - 1);
  return h;
}

/* Bytes behind the header: gamma [N], the remembered misreports, the trace [rows, columns], the network's
   states. */
static size_t doubles_of(const header *h) { return (size_t)(h->n + h->memory + h->rows * h->columns); }
static size_t bytes_of(const header *h) {
  return sizeof *h + doubles_of(h) * sizeof(double) + (size_t)(STATES * h->parameters) * sizeof(float);
}

static wal_status write_bytes(const wal_training_run *run, const header *h, char *to) {
  memcpy(to, h, sizeof *h);
  to += sizeof *h;
  double *numbers = (double *)to;
  memcpy(numbers, run->gamma, (size_t)h->n * sizeof *numbers);
  if (h->memory) memcpy(numbers + h->n, run->memory_v, (size_t)h->memory * sizeof *numbers);
  memcpy(numbers + h->n + h->memory, run->rows, (size_t)(h->rows * h->columns) * sizeof *numbers);
  float *network = (float *)(numbers + doubles_of(h));
  wal_status status = WAL_OK;
  for (int s = 0; !status && s < STATES; s++)
    status = run->f->net->ops->get(run->f->net, states[s], network + s * h->parameters);
  return status;
}

wal_status wal_training_save(wal_training_run *run) {
  if (!run->hooks->save) return WAL_OK;
  const double now = wal_training_clock();
  run->seconds += now - run->begun;
  run->begun = now;
  const header h = header_of(run);
  char *bytes = malloc(bytes_of(&h));
  if (!bytes) return wal_fail(WAL_E_MEMORY, "no memory for a checkpoint of %zu bytes", bytes_of(&h));
  wal_status status = write_bytes(run, &h, bytes);
  if (!status) status = run->hooks->save(run->hooks->context, bytes, (int64_t)bytes_of(&h));
  free(bytes);
  return status;
}

/* Is this the state of such a run? */
static wal_status check(const wal_training_run *run, const header *h, int64_t size) {
  const header own = header_of(run);
  if (size < (int64_t)sizeof *h || memcmp(h->magic, MAGIC, sizeof h->magic) != 0 || h->version != VERSION)
    return wal_fail(WAL_E_INPUT,
                    "the checkpoint is not one of version %d of a mechanism's training; remove it", VERSION);
  if (memcmp(h->kind, own.kind, sizeof own.kind) != 0 || h->n != own.n || h->m != own.m ||
      h->parameters != own.parameters || h->columns != own.columns || h->batch != own.batch ||
      h->steps != own.steps || h->memory != own.memory)
    return wal_fail(
        WAL_E_INPUT,
        "the checkpoint is of %.31s for %lld x %lld with %lld parameters, %lld steps; this run is of "
        "%s for %lld x %lld with %lld, %lld steps",
        h->kind, (long long)h->n, (long long)h->m, (long long)h->parameters, (long long)h->steps, own.kind,
        (long long)own.n, (long long)own.m, (long long)own.parameters, (long long)own.steps);
  if (h->step < 0 || h->step > own.steps || h->rows < 0 || h->rows > own.steps + 1 ||
      size != (int64_t)bytes_of(h))
    return wal_fail(WAL_E_INPUT, "the checkpoint is damaged: %lld bytes, step %lld, %lld rows; remove it",
                    (long long)size, (long long)h->step, (long long)h->rows);
  return WAL_OK;
}

/* The rows so far may be closer together than those of this run. */
static wal_status make_room(wal_training_run *run, int64_t rows) {
  const size_t all = (size_t)(rows + run->row_capacity);
  double *more = realloc(run->rows, all * (size_t)run->columns * sizeof *more);
  if (!more) return wal_fail(WAL_E_MEMORY, "no memory for a trace of %zu rows", all);
  run->rows = more;
  run->row_capacity = (int64_t)all;
  return WAL_OK;
}

static wal_status read_bytes(wal_training_run *run, const char *from) {
  header h;
  memcpy(&h, from, sizeof h);
  from += sizeof h;
  wal_status status = make_room(run, h.rows);
  if (status) return status;
  run->step = h.step;
  run->sampler.next = h.next;
  run->row_count = h.rows;
  run->pf_nsw = h.pf_nsw;
  run->pf_expl = h.pf_expl;
  run->seconds = h.seconds;
  run->sum = h.sum;
  const double *numbers = (const double *)from;
  memcpy(run->gamma, numbers, (size_t)h.n * sizeof *numbers);
  if (h.memory) memcpy(run->memory_v, numbers + h.n, (size_t)h.memory * sizeof *numbers);
  memcpy(run->rows, numbers + h.n + h.memory, (size_t)(h.rows * h.columns) * sizeof *numbers);
  const float *network = (const float *)(numbers + doubles_of(&h));
  wal_mlp *net = run->f->net;
  status = net->ops->set_steps(net, h.adam_steps);
  for (int s = 0; !status && s < STATES; s++)
    status = net->ops->set(net, states[s], network + s * h.parameters);
  return status;
}

wal_status wal_training_load(wal_training_run *run, bool *found) {
  void *bytes = NULL;
  int64_t size = 0;
  *found = false;
  if (!run->hooks->load) return WAL_OK;
  wal_status status = run->hooks->load(run->hooks->context, &bytes, &size);
  if (!status && bytes) {
    *found = true;
    status = check(run, bytes, size);
    if (!status) status = read_bytes(run, bytes);
  }
  free(bytes);
  return status;
}
