/* MarketFCNet's training on the device: one Adam step as a graph that is replayed, with everything that
   changes from step to step in the device's memory. The formulas are the CPU's (models/market/fc_formulas.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include <new>

#include "gpu/base/capture.h"
#include "gpu/base/launch.h"
#include "gpu/base/reduce.h"
#include "gpu/market/fc.h"
#include "models/common/philox.h"
#include "models/market/fc_formulas.h"

extern "C" {
#include "models/common/rng.h"
}

enum { BUYERS = 32, THREADS = 128 }; /* threads of a block: over a few hundred buyers; of a sum over them */

/* What steps read and move on, on the device. */
struct wal_fc_dials {
  int64_t draws; /* buyers drawn so far */
  int64_t step;  /* since the host set the dials */
  double alpha;  /* to train with */
};

/* A population that kernels cannot draw, uploaded whole. */
struct wal_fc_population {
  wal_device_array<float> b;          /* [n, d] */
  wal_device_array<double> v, budget; /* [m, n], [n] */
};

struct wal_fc_work {
  wal_fc_network *network; /* borrowed */
  wal_fc_pair pair;        /* device pointers; its alpha is in the dials */
  int64_t n, m, d, rows;   /* buyers, goods, context dimension, buyers of a pair of minibatches */
  uint64_t seed;
  bool share, tower;
  wal_fc_population population;
  wal_device_array<wal_fc_dials> dials;     /* [1] */
  wal_device_array<float> rate;             /* [inner] learning rates of the next steps */
  wal_device_array<double> loss;            /* [inner] of the steps since the dials were set */
  wal_device_array<float> in, z, dz;        /* [rows * network rows, inputs], [rows, m] twice */
  wal_device_array<double> v, budget, term; /* [rows, m], [rows], [rows] */
  wal_device_array<double> x, dx, excess;   /* [rows, m] twice, [2, m] */
  wal_device_array<double> lambda, mean;    /* [m] twice */
  wal_device_array<double> sums; /* share output: spent[m], shares[m, m] since the dials were set */
  float *host_rate = nullptr;    /* [inner] owned */
  double *host_sums = nullptr;   /* [m + m * m] owned */
  bool warm = false;             /* a step was run */
  cudaGraphExec_t graph = nullptr;
};

/* ---- Drawing ---- */

/* What both kernels that draw write to. */
struct wal_fc_inputs {
  const wal_fc_dials *dials;
  const float *rate_table; /* [inner] */
  float *rate;             /* the network's, for this step */
  const float *goods;      /* [m, d] as the network reads them */
  int64_t n, rows;
  int m, d;
  uint64_t seed;
  bool tower;
  float *in;          /* [rows * m, 2 d] or [rows, d] */
  double *v, *budget; /* [rows, m], [rows] */
};

/* The buyer that row `row` of the minibatches takes. */
__device__ static int64_t buyer_of(const wal_fc_inputs &to, int64_t row) {
  return static_cast<int64_t>(wal_philox_below(
      to.seed, WAL_STREAM_BATCH, static_cast<uint64_t>(to.dials->draws + row), static_cast<uint64_t>(to.n)));
}

/* Element e of the context of row `row`, as the network reads it for good j. */
__device__ static void put_element(const wal_fc_inputs &to, int64_t row, int j, int e, float b) {
  if (!to.tower) {
    float *pair = to.in + (row * to.m + j) * 2 * to.d;
    pair[e] = b;
    pair[to.d + e] = to.goods[static_cast<int64_t>(j) * to.d + e];
  } else if (j == 0) {
    to.in[row * to.d + e] = b;
  }
}

__device__ static void set_rate(const wal_fc_inputs &to) {
  if (wal_thread() == 0) *to.rate = to.rate_table[to.dials->step];
}

/* Contextual buyers; a thread for each buyer and good, which draws the buyer for itself. goods[m, d]: what
   values are computed with. The operations of context_math.h in its order: the same bits. */
__global__ void wal_fc_draw(wal_fc_inputs to, wal_variate law, uint64_t seed, const double *goods) {
  set_rate(to);
  const int64_t cell = wal_thread(), row = cell / to.m;
  const int j = static_cast<int>(cell - row * to.m), d = to.d;
  if (row >= to.rows) return;
  const uint64_t first = static_cast<uint64_t>(buyer_of(to, row)) * static_cast<uint64_t>(d), end = first + d;
  double z = 0.0, square = 0.0;
  for (uint64_t block = first / 2; 2 * block < end; block++) {
    double x[2];
    wal_variate_elements(law, seed, WAL_STREAM_BUYERS, block, &x[0], &x[1]);
    for (int k = 0; k < 2; k++) {
      const int e = static_cast<int>(static_cast<int64_t>(2 * block + k - first));
      if (e < 0 || e >= d) continue;
      z = fma(x[k], goods[static_cast<int64_t>(j) * d + e], z);
      square = fma(x[k], x[k], square);
      put_element(to, row, j, e, static_cast<float>(x[k]));
    }
  }
  to.v[cell] = wal_softplus(z);
  if (j == 0) to.budget[row] = sqrt(square);
}

/* The same of a population b[n, d], v[m, n], budget[n]. */
__global__ void wal_fc_gather(wal_fc_inputs to, const float *b, const double *v, const double *budget) {
  set_rate(to);
  const int64_t cell = wal_thread(), row = cell / to.m;
  const int j = static_cast<int>(cell - row * to.m);
  if (row >= to.rows) return;
  const int64_t i = buyer_of(to, row);
  for (int e = 0; e < to.d; e++) put_element(to, row, j, e, b[i * to.d + e]);
  to.v[cell] = v[j * to.n + i];
  if (j == 0) to.budget[row] = budget[i];
}

static wal_status queue_draw(wal_fc_work *w, cudaStream_t stream) {
  const wal_fc_room *room = static_cast<const wal_fc_room *>(w->network->room);
  const wal_fc_inputs to = {.dials = w->dials.data(),
                            .rate_table = w->rate.data(),
                            .rate = wal_mlp_device_rate(w->network->net),
                            .goods = room->goods.data(),
                            .n = w->n,
                            .rows = w->rows,
                            .m = static_cast<int>(w->m),
                            .d = static_cast<int>(w->d),
                            .seed = w->seed,
                            .tower = w->tower,
                            .in = w->in.data(),
                            .v = w->v.data(),
                            .budget = w->budget.data()};
  const dim3 grid = wal_grid(w->rows * w->m, THREADS);
  if (room->buyers.drawn()) {
    const wal_context_draws &draws = room->buyers.draws();
    WAL_CUDA_TRY(
        wal_launch(wal_fc_draw, grid, THREADS, 0, stream, to, draws.law, draws.seed, room->buyers.goods()));
  } else {
    const wal_fc_population &all = w->population;
    WAL_CUDA_TRY(wal_launch(wal_fc_gather, grid, THREADS, 0, stream, to, all.b.data(), all.v.data(),
                            all.budget.data()));
  }
  return WAL_OK;
}

/* ---- The loss ---- */

/* x[rows, m]; a thread for each buyer. */
__global__ void wal_fc_batch_allocations(wal_fc_output output, wal_fc_pair pair, const float *z, double *x) {
  const int64_t i = wal_thread();
  if (i >= 2 * static_cast<int64_t>(pair.batch)) return;
  wal_fc_allocate_hd(output, pair.m, z + i * pair.m, pair.budget[i], pair.lambda, x + i * pair.m);
}

/* wal_fc_excess: blocks (good, minibatch). */
__global__ void wal_fc_batch_excess(wal_fc_pair pair, const double *x, double *excess /* [2, m] */) {
  const int j = static_cast<int>(blockIdx.x), m = pair.m;
  const double *here = x + static_cast<int64_t>(blockIdx.y) * pair.batch * m + j;
  double sum = 0.0;
  for (int64_t i = threadIdx.x; i < pair.batch; i += blockDim.x) sum += here[i * m];
  sum = wal_block_sum(sum);
  if (threadIdx.x == 0) excess[blockIdx.y * m + j] = sum / pair.batch - pair.mean[j];
}

/* Each buyer's term[rows] of the loss and derivatives dz[rows, m]; dx[rows, m] is scratch. */
__global__ void wal_fc_derivatives(wal_fc_output output, wal_fc_pair pair, const wal_fc_dials *dials,
                                   const double *excess, const float *z, const double *x, double *dx,
                                   double *term, float *dz) {
  const int64_t i = wal_thread(), at = i * pair.m;
  if (i >= 2 * static_cast<int64_t>(pair.batch)) return;
  pair.alpha = dials->alpha;
  term[i] = wal_fc_buyer_term_hd(&pair, excess, i, x, dx + at);
  wal_fc_pull_back_hd(output, pair.m, z + at, x + at, dx + at, dz + at);
}

/* Block 0: the step's loss, and the dials move on. Block 1 + j of share outputs: spent[j] += sum_i lambda_j
   x_ij; block 1 + m + p: shares[j, k] of the p-th pair j >= k of goods += sum_i lambda_j x_ij lambda_k x_ik /
   B_i. */
__global__ void wal_fc_step_sums(wal_fc_pair pair, const double *x, const double *term, wal_fc_dials *dials,
                                 double *loss, double *spent, double *shares) {
  const int64_t rows = 2 * static_cast<int64_t>(pair.batch);
  const int m = pair.m, block = static_cast<int>(blockIdx.x);
  int j = block - 1, k = -1;
  if (block > m) {
    for (j = 0, k = block - 1 - m; k > j; k -= j) j++;
  }
  double sum = 0.0;
  for (int64_t i = threadIdx.x; i < rows; i += blockDim.x) {
    if (block == 0)
      sum += term[i];
    else if (k < 0)
      sum += pair.lambda[j] * x[i * m + j];
    else
      sum += pair.lambda[j] * x[i * m + j] / pair.budget[i] * pair.lambda[k] * x[i * m + k];
  }
  sum = wal_block_sum(sum);
  if (threadIdx.x > 0) return;
  if (block == 0) {
    loss[dials->step] = sum + wal_fc_shared_term_hd(&pair);
    dials->step++;
    dials->draws += rows;
  } else if (k < 0) {
    spent[j] += sum;
  } else {
    shares[j * m + k] += sum;
  }
}

static wal_status queue_loss(wal_fc_work *w, wal_fc_part part, cudaStream_t stream) {
  const wal_fc_output output = w->network->recipe->output;
  const unsigned m = static_cast<unsigned>(w->m), pairs = m + m * (m + 1) / 2;
  const dim3 buyers = wal_grid(w->rows, BUYERS);
  if (part == WAL_FC_ALLOCATION)
    WAL_CUDA_TRY(wal_launch(wal_fc_batch_allocations, buyers, BUYERS, 0, stream, output, w->pair, w->z.data(),
                            w->x.data()));
  if (part == WAL_FC_EXCESS)
    WAL_CUDA_TRY(wal_launch(wal_fc_batch_excess, dim3(m, 2), THREADS, 0, stream, w->pair, w->x.data(),
                            w->excess.data()));
  if (part == WAL_FC_DERIVATIVE)
    WAL_CUDA_TRY(wal_launch(wal_fc_derivatives, buyers, BUYERS, 0, stream, output, w->pair, w->dials.data(),
                            w->excess.data(), w->z.data(), w->x.data(), w->dx.data(), w->term.data(),
                            w->dz.data()));
  if (part == WAL_FC_SUMS)
    WAL_CUDA_TRY(wal_launch(wal_fc_step_sums, dim3(w->share ? 1 + pairs : 1), THREADS, 0, stream, w->pair,
                            w->x.data(), w->term.data(), w->dials.data(), w->loss.data(), w->sums.data(),
                            w->sums.data() + w->m));
  return WAL_OK;
}

/* ---- Steps ---- */

wal_status wal_fc_queue(wal_fc_work *w, wal_fc_part part) {
  wal_mlp *net = w->network->net;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  switch (part) {
    case WAL_FC_DRAW:
      return queue_draw(w, session->stream);
    case WAL_FC_FORWARD:
      return wal_mlp_device_forward(net, w->rows * wal_fc_network_rows(w->network), w->in.data(),
                                    w->z.data());
    case WAL_FC_BACKWARD:
      return wal_mlp_device_backward(net, w->in.data(), w->dz.data(), nullptr);
    case WAL_FC_ADAM:
      return wal_mlp_device_step(net);
    default:
      return queue_loss(w, part, session->stream);
  }
}

static wal_status queue_step(wal_fc_work *w) {
  for (int part = 0; part < WAL_FC_PARTS; part++) WAL_TRY(wal_fc_queue(w, static_cast<wal_fc_part>(part)));
  return WAL_OK;
}

static bool replay = true;

void wal_fc_cuda_replay(bool on) { replay = on; }

/* The first step is launched piece by piece: what kernels and libraries load or make at their first use, they
   may not in a capture. */
static wal_status run_steps(wal_fc_work *w, int count) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  for (int k = 0; k < count; k++) {
    if (replay && w->warm && !w->graph)
      WAL_TRY(wal_session_capture([w] { return queue_step(w); }, &w->graph));
    if (replay && w->graph)
      WAL_CUDA_TRY(cudaGraphLaunch(w->graph, session->stream));
    else
      WAL_TRY(queue_step(w));
    w->warm = true;
  }
  return WAL_OK;
}

/* Uploads what the next `count` steps read. */
static wal_status set_dials(const wal_fc_training *t, wal_fc_work *w, int count) {
  const wal_session *session;
  const wal_fc_dials dials = {.draws = t->draws, .step = 0, .alpha = t->pair.alpha};
  WAL_TRY(wal_session_get(&session));
  for (int k = 0; k < count; k++)
    w->host_rate[k] = static_cast<float>(wal_schedule_rate(&t->schedule, t->steps + k));
  WAL_TRY(wal_upload(w->rate.data(), w->host_rate, count));
  WAL_TRY(wal_upload(w->dials.data(), &dials, 1));
  WAL_TRY(wal_upload(w->lambda.data(), t->lambda, w->m));
  WAL_CUDA_TRY(cudaMemsetAsync(w->sums.data(), 0, static_cast<size_t>(w->sums.count()) * sizeof(double),
                               session->stream));
  return WAL_OK;
}

/* Share output: adds the steps' sums to the epoch's. */
static wal_status add_sums(wal_fc_training *t, const wal_fc_work *w, int count) {
  const int64_t m = w->m;
  WAL_TRY(wal_download(w->host_sums, w->sums.data(), m + m * m));
  for (int64_t j = 0; j < m; j++) {
    t->spent[j] += w->host_sums[j];
    for (int64_t k = 0; k <= j; k++) t->shares[j * m + k] += w->host_sums[m + j * m + k];
  }
  t->count += static_cast<double>(w->rows) * count;
  return WAL_OK;
}

static wal_status steps(wal_fc_training *t, int count, double *loss) {
  wal_fc_work *w = t->work;
  WAL_TRY(set_dials(t, w, count));
  WAL_TRY(run_steps(w, count));
  t->draws += w->rows * count;
  t->steps += count;
  WAL_TRY(wal_download(loss, w->loss.data(), count));
  return w->share ? add_sums(t, w, count) : WAL_OK;
}

/* ---- Life ---- */

static void end(wal_fc_work *w) {
  if (!w) return;
  if (w->graph) cudaGraphExecDestroy(w->graph);
  free(w->host_rate);
  free(w->host_sums);
  delete w;
}

static wal_status upload_population(wal_fc_work *w, wal_device_source *buyers) {
  wal_fc_population &all = w->population;
  WAL_TRY(all.b.allocate(w->n * w->d, "contexts of the buyers", "a smaller n"));
  WAL_TRY(all.v.allocate(w->n * w->m, "values of the buyers", "a smaller n or m"));
  WAL_TRY(all.budget.allocate(w->n, "budgets of the buyers", "a smaller n"));
  WAL_TRY(buyers->contexts(0, w->n, all.b.data()));
  return buyers->fill(0, w->n, w->n, all.v.data(), all.budget.data());
}

static wal_status allocate(wal_fc_work *w, int inner, const char *lower) {
  const int64_t m = w->m, rows = w->rows, cells = rows * m;
  const char *what = "a pair of minibatches";
  w->host_rate = static_cast<float *>(calloc(static_cast<size_t>(inner), sizeof *w->host_rate));
  w->host_sums = static_cast<double *>(calloc(static_cast<size_t>(m + m * m), sizeof *w->host_sums));
  if (!w->host_rate || !w->host_sums)
    return wal_fail(WAL_E_MEMORY, "no memory for sums over %lld goods", static_cast<long long>(m));
  WAL_TRY(w->dials.allocate(1, what, lower));
  WAL_TRY(w->rate.allocate(inner, what, lower));
  WAL_TRY(w->loss.allocate(inner, what, lower));
  WAL_TRY(w->in.allocate(rows * wal_fc_network_rows(w->network) * wal_fc_network_inputs(w->network), what,
                         lower));
  WAL_TRY(w->z.allocate(cells, what, lower));
  WAL_TRY(w->dz.allocate(cells, what, lower));
  WAL_TRY(w->v.allocate(cells, what, lower));
  WAL_TRY(w->budget.allocate(rows, what, lower));
  WAL_TRY(w->term.allocate(rows, what, lower));
  WAL_TRY(w->x.allocate(cells, what, lower));
  WAL_TRY(w->dx.allocate(cells, what, lower));
  WAL_TRY(w->excess.allocate(2 * m, what, lower));
  WAL_TRY(w->lambda.allocate(m, what, lower));
  WAL_TRY(w->mean.allocate(m, what, lower));
  return w->sums.allocate(m + m * m, what, lower);
}

static wal_status prepare(const wal_fc_training *t, wal_fc_work *w) {
  char lower[64];
  wal_fc_room *room = static_cast<wal_fc_room *>(t->network->room);
  snprintf(lower, sizeof lower, "a smaller %s.batch", t->recipe->name);
  WAL_TRY(allocate(w, t->options->inner, lower));
  if (!room->buyers.drawn()) WAL_TRY(upload_population(w, &room->buyers));
  WAL_TRY(wal_upload(w->mean.data(), t->mean, w->m));
  w->pair.v = w->v.data();
  w->pair.budget = w->budget.data();
  w->pair.lambda = w->lambda.data();
  w->pair.mean = w->mean.data();
  return wal_mlp_device_prepare(t->network->net, w->rows * wal_fc_network_rows(t->network));
}

static wal_status begin(const wal_fc_training *t, wal_fc_work **out) {
  wal_fc_work *w = *out = new (std::nothrow) wal_fc_work;
  if (!w) return wal_fail(WAL_E_MEMORY, "no memory for a training on the device");
  w->network = t->network;
  w->pair = t->pair;
  w->n = t->market->n, w->m = t->market->m, w->d = t->market->d;
  w->rows = 2 * static_cast<int64_t>(t->options->batch);
  w->seed = t->seed;
  w->share = t->recipe->output == WAL_FC_SHARE;
  w->tower = t->recipe->tower;
  return prepare(t, w);
}

const wal_fc_ops wal_fc_cuda = {
    .name = "cuda",
    .open = wal_fc_cuda_open,
    .close = wal_fc_cuda_close,
    .fill = wal_fc_cuda_fill,
    .demand = wal_fc_cuda_demand,
    .begin = begin,
    .end = end,
    .steps = steps,
    .stretch = 0,
};
